/*
 * Connection strings and options. The first line is the connection string; the second, if there is
 * one, the sslmode of the options; the third the search_path. The fourth and the fifth stand around
 * a word in the password of a URI that somebody has put together without encoding it.
 */
#include "connect/conninfo.h"

#include <pipit/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "pool/options.h"

/* What the next line is, NULL behind the last. Ends it with a NUL. */
static char *
line_take(char **rest)
{
        char *line = *rest;

        if (line == NULL)
                return NULL;
        char *end = strchr(line, '\n');
        *rest = end != NULL ? end + 1 : NULL;
        if (end != NULL)
                *end = '\0';
        return line;
}

static const char *
password_give(void *arg)
{
        return arg;
}

static void
parameters_check(const struct conninfo *info, const char *address)
{
        for (int i = 0; i < info->n_hosts; i++) {
                struct conninfo_parameters parameters;
                struct endpoint endpoint = {.host = &info->hosts[i], .address = address};

                MUST(info->hosts[i].port[0] != '\0');
                pipit__conninfo_parameters(info, &endpoint, &parameters);
                MUST(parameters.n < CONNINFO_MAX_PARAMETERS);
                MUST(parameters.keys[parameters.n] == NULL);
                MUST(parameters.values[parameters.n] == NULL);
                for (int j = 0; j < parameters.n; j++)
                        MUST(parameters.keys[j] != NULL);
        }
}

static void
conninfo_try(const char *url, const struct pipit_options *options)
{
        struct conninfo info;
        char *problem = NULL;
        int code = pipit__conninfo_init(&info, url, options, &problem);

        /* libpq tells only in words that memory ran out: a quoted line that says so passes for it.
         */
        MUST(code == 0 || code == PIPIT_EINVAL ||
             (code == PIPIT_ENOMEM && strcasestr(url, "%0aout of memory") != NULL));
        MUST((problem != NULL) == (code == PIPIT_EINVAL));
        if (code == 0) {
                MUST(info.n_hosts > 0);
                MUST(pipit__conninfo_connect_timeout(&info) >= 0);
                parameters_check(&info, "");
                parameters_check(&info, "192.0.2.1");
        }
        pipit__conninfo_fini(&info);
        free(problem);
}

/* Nothing but the password has a word of the password. */
static void
secret_try(const char *before, const char *after, const struct pipit_options *options)
{
        struct conninfo info;
        char *problem = NULL;
        char *url = NULL;

        if (after == NULL || strchr(before, '?') != NULL || strchr(after, '?') != NULL ||
            strcasestr(before, "geheim") != NULL || strcasestr(after, "geheim") != NULL)
                return;
        MUST(asprintf(&url, "postgresql://u:%sgeheim%s@h/x", before, after) > 0);
        int code = pipit__conninfo_init(&info, url, options, &problem);
        MUST(problem == NULL || strcasestr(problem, "geheim") == NULL);
        for (int i = 0; code == 0 && i < info.n_hosts; i++) {
                MUST(strstr(info.hosts[i].host, "geheim") == NULL);
                MUST(strstr(info.hosts[i].port, "geheim") == NULL);
        }
        pipit__conninfo_fini(&info);
        free(problem);
        free(url);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char password[] = "secret";
        char *text = fuzz_text(data, size);
        char *rest = text;
        const char *url = line_take(&rest);
        struct pipit_options given = {.sslmode = line_take(&rest), .search_path = line_take(&rest)};
        const char *before = line_take(&rest);
        const char *after = line_take(&rest);
        struct pipit_options options;
        const char *problem = NULL;

        if (size % 2 == 1) {
                given.password = password_give;
                given.password_arg = password;
        }
        int code = pipit__options_init(&options, &given, &problem);
        MUST(code == 0 || (code == PIPIT_EINVAL && problem != NULL));
        if (code == 0)
                conninfo_try(url, &options);
        if (code == 0 && before != NULL)
                secret_try(before, after, &options);
        pipit__options_fini(&options);
        free(text);
        return 0;
}
