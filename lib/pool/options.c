/*
 * Options. See options.h.
 */
#include "pool/options.h"

#include <pipit/error.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/reserved.h"
#include "pool/search_path.h"

#define MEBIBYTE ((size_t)1 << 20)

static void
default_int(int *value, int otherwise)
{
        if (*value == 0)
                *value = otherwise;
}

static void
default_ms(int64_t *value, int64_t otherwise)
{
        if (*value == 0)
                *value = otherwise;
}

static void
default_size(size_t *value, size_t otherwise)
{
        if (*value == 0)
                *value = otherwise;
}

static void
options_fill(struct pipit_options *options)
{
        default_int(&options->max_connections, 8);
        default_int(&options->max_connecting, 2);
        default_int(&options->max_pipeline, 128);
        default_int(&options->max_prepared, 256);
        default_int(&options->max_waiting, 10000);
        default_size(&options->max_waiting_bytes, 64 * MEBIBYTE);
        default_size(&options->max_request_bytes, 64 * MEBIBYTE);
        default_size(&options->max_result_bytes, 64 * MEBIBYTE);
        default_int(&options->log_level, PIPIT_LOG_NOTICE + 1);
        default_ms(&options->timeout_ms, 60000);
        default_ms(&options->acquire_timeout_ms, 30000);
        default_ms(&options->down_timeout_ms, -1);
        default_ms(&options->idle_timeout_ms, 600000);
        default_ms(&options->lifetime_ms, 3600000);
        if (options->search_path == NULL)
                options->search_path = "public, pg_temp";
}

static bool
sslmode_is_known(const char *sslmode)
{
        static const char *const known[] = {"disable", "allow",     "prefer",
                                            "require", "verify-ca", "verify-full"};

        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
                if (strcmp(sslmode, known[i]) == 0)
                        return true;
        }
        return false;
}

static const char *
options_check(const struct pipit_options *options)
{
        if (options->min_connections < 0 || options->max_connections < 1 ||
            options->min_connections > options->max_connections)
                return "min_connections must be from 0 to max_connections, and that at least 1";
        if (options->max_connecting < 1 || options->max_pipeline < 1 || options->max_waiting < 1)
                return "max_connecting, max_pipeline and max_waiting must be at least 1";
        if (options->max_pipeline > 10000)
                return "max_pipeline must be at most 10000";
        if (options->max_prepared < -1 || options->max_prepared > 10000)
                return "max_prepared must be from -1 to 10000";
        if (options->timeout_ms < -1 || options->acquire_timeout_ms < -1 ||
            options->connect_timeout_ms < 0 || options->idle_timeout_ms < -1 ||
            options->lifetime_ms < -1 || options->down_timeout_ms < -1)
                return "a time must be -1 or more, connect_timeout_ms 0 or more";
        if (options->event_priority < 0)
                return "event_priority must be 0 or more";
        if (options->log_level < PIPIT_LOG_DEBUG + 1 || options->log_level > PIPIT_LOG_WARNING + 1)
                return "log_level must be one of enum pipit_log_level, plus one";
        if (options->sslmode != NULL && !sslmode_is_known(options->sslmode))
                return "sslmode must be disable, allow, prefer, require, verify-ca or verify-full";
        if ((unsigned)options->pooler > PIPIT_POOLER_TRANSACTION)
                return "pooler must be one of enum pipit_pooler";
        if (options->pooler == PIPIT_POOLER_TRANSACTION &&
            !pipit__search_path_is_list(options->search_path))
                return "search_path must be a list of names, each of 63 bytes at most";
        if (!reserved_is_empty(options->reserved))
                return "the reserved members of the options " RESERVED_PROBLEM;
        return NULL;
}

/* Takes back all but the texts: what is out of range must not decide how much memory the parts of a
 * scope take that only fails. */
static void
options_reset(struct pipit_options *options)
{
        *options = (struct pipit_options){.search_path = options->search_path,
                                          .sslmode = options->sslmode};
        options_fill(options);
}

int
pipit__options_init(struct pipit_options *options, const struct pipit_options *given,
                    const char **ret_problem)
{
        *options = given != NULL ? *given : (struct pipit_options){0};
        options_fill(options);
        options->search_path = strdup(options->search_path);
        if (options->sslmode != NULL)
                options->sslmode = strdup(options->sslmode);
        if (options->search_path == NULL ||
            (given != NULL && given->sslmode != NULL && options->sslmode == NULL))
                return PIPIT_ENOMEM;
        *ret_problem = options_check(options);
        if (*ret_problem == NULL)
                return 0;
        options_reset(options);
        return PIPIT_EINVAL;
}

void
pipit__options_fini(struct pipit_options *options)
{
        union {
                const char *text;
                char *memory;
        } search_path = {.text = options->search_path}, sslmode = {.text = options->sslmode};

        free(search_path.memory);
        free(sslmode.memory);
        options->search_path = NULL;
        options->sslmode = NULL;
}
