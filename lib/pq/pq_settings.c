/*
 * What libpq is to connect with. See pq_settings.h.
 */
#include "pq/pq_settings.h"

#include <libpq-fe.h>
#include <pipit/error.h>
#include <stdlib.h>
#include <string.h>

/* The settings of a URL as the parameters of a connect; NULL when memory ran out. */
struct parameters {
        const char **keys;
        const char **values;
        int n;
};

static int
parameters_init(struct parameters *parameters, const PQconninfoOption *options)
{
        int n = 0;

        while (options != NULL && options[n].keyword != NULL)
                n++;
        parameters->n = 0;
        parameters->keys = calloc((size_t)n + 2, sizeof(char *));
        parameters->values = calloc((size_t)n + 2, sizeof(char *));
        if (parameters->keys == NULL || parameters->values == NULL)
                return PIPIT_ENOMEM;
        for (int i = 0; i < n; i++) {
                if (options[i].val == NULL)
                        continue;
                parameters->keys[parameters->n] = options[i].keyword;
                parameters->values[parameters->n++] = options[i].val;
        }
        return 0;
}

/* Whether memory ran out in a connect: libpq has no other sign of it, and goes on with what it has.
 * What it quotes can say the same, but not at the end of a line. */
static bool
message_is_no_memory(const char *message)
{
        static const char words[] = "out of memory";

        for (const char *at = strstr(message, words); at != NULL; at = strstr(at + 1, words)) {
                char behind = at[sizeof words - 1];
                if (behind == '\0' || behind == '\n')
                        return true;
        }
        return message[0] == '\0';
}

static bool
options_are_equal(const PQconninfoOption *a, const PQconninfoOption *b)
{
        if (a == NULL || b == NULL)
                return false;
        for (; a->keyword != NULL; a++, b++) {
                if ((a->val == NULL) != (b->val == NULL) ||
                    (a->val != NULL && strcmp(a->val, b->val) != 0))
                        return false;
        }
        return true;
}

/* The parameters of a connect. Without memory for a value libpq leaves it out and says nothing, as
 * sslmode: so they are asked for twice. NULL when memory ran out. */
static PQconninfoOption *
options_of(PGconn *pq)
{
        PQconninfoOption *options = PQconninfo(pq);
        PQconninfoOption *again = PQconninfo(pq);

        if (!options_are_equal(options, again)) {
                PQconninfoFree(options);
                options = NULL;
        }
        PQconninfoFree(again);
        return options;
}

/*
 * Has libpq put everything together. Only a connect reads service files and the environment, so
 * one is started that must fail before it does anything: one parameter is spoilt. NULL when memory
 * ran out.
 */
static PQconninfoOption *
parameters_merge(const struct parameters *parameters, const char *spoilt, const char *value)
{
        parameters->keys[parameters->n] = spoilt;
        parameters->values[parameters->n] = value;
        PGconn *pq = PQconnectStartParams(parameters->keys, parameters->values, 0);
        bool whole = pq != NULL && !message_is_no_memory(PQerrorMessage(pq));
        PQconninfoOption *merged = whole ? options_of(pq) : NULL;
        PQfinish(pq);
        return merged;
}

static const char *
option_value(const PQconninfoOption *options, const char *keyword)
{
        for (int i = 0; options != NULL && options[i].keyword != NULL; i++) {
                if (strcmp(options[i].keyword, keyword) == 0)
                        return options[i].val;
        }
        return NULL;
}

static int
settings_add(struct pq_settings *settings, const char *key, const char *value)
{
        if (value == NULL || value[0] == '\0')
                return 0;
        settings->keys[settings->n] = strdup(key);
        settings->values[settings->n] = strdup(value);
        settings->n++;
        return settings->keys[settings->n - 1] != NULL && settings->values[settings->n - 1] != NULL
                       ? 0
                       : PIPIT_ENOMEM;
}

static int
settings_fill(struct pq_settings *settings, const PQconninfoOption *merged, const char *sslmode)
{
        size_t n = 0;
        int code = 0;

        while (merged[n].keyword != NULL)
                n++;
        settings->keys = calloc(n + 1, sizeof(char *));
        settings->values = calloc(n + 1, sizeof(char *));
        if (settings->keys == NULL || settings->values == NULL)
                return PIPIT_ENOMEM;
        for (size_t i = 0; i < n && code == 0; i++) {
                bool is_sslmode = strcmp(merged[i].keyword, "sslmode") == 0;
                code = settings_add(settings, merged[i].keyword,
                                    is_sslmode ? sslmode : merged[i].val);
        }
        return code;
}

static int
settings_merge(struct pq_settings *settings, const PQconninfoOption *given,
               const struct parameters *parameters)
{
        /* What is spoilt is lost: once with one parameter, once with another. */
        PQconninfoOption *all = parameters_merge(parameters, "sslmode", "?");
        PQconninfoOption *rest = parameters_merge(parameters, "hostaddr", "?");
        const char *sslmode = option_value(rest, "sslmode");
        int code = PIPIT_ENOMEM;

        settings->sslmode_given = option_value(given, "sslmode") != NULL ||
                                  getenv("PGSSLMODE") != NULL ||
                                  (sslmode != NULL && strcmp(sslmode, "prefer") != 0);
        if (all != NULL && rest != NULL)
                code = settings_fill(settings, all, sslmode);
        /* So that a service that does not exist fails the connect. */
        if (code == 0)
                code = settings_add(settings, "service", option_value(given, "service"));
        PQconninfoFree(all);
        PQconninfoFree(rest);
        return code;
}

static int
problem_copy(char **ret_problem, char *message)
{
        /* Its first line: libpq ends it with a newline. */
        bool known = message != NULL && !message_is_no_memory(message);
        *ret_problem = known ? strndup(message, strcspn(message, "\n")) : NULL;
        PQfreemem(message);
        return *ret_problem != NULL ? PIPIT_EINVAL : PIPIT_ENOMEM;
}

static bool
is_place(const char *key)
{
        return strcmp(key, "host") == 0 || strcmp(key, "hostaddr") == 0 || strcmp(key, "port") == 0;
}

/* What libpq says of a connect to an address that is none. NULL when memory ran out. */
static char *
probe_nowhere(const struct pq_settings *settings)
{
        static const char *const keys[] = {"host", "hostaddr", "port", NULL};
        static const char *const values[] = {"nowhere", "?", "1", NULL};
        size_t room = (size_t)settings->n + 4;
        struct parameters all = {.keys = calloc(room, sizeof(char *)),
                                 .values = calloc(room, sizeof(char *))};
        PGconn *pq = NULL;

        if (all.keys != NULL && all.values != NULL) {
                size_t n = 0;
                for (int i = 0; i < settings->n; i++) {
                        if (is_place(settings->keys[i]))
                                continue;
                        all.keys[n] = settings->keys[i];
                        all.values[n++] = settings->values[i];
                }
                memcpy(all.keys + n, keys, sizeof keys);
                memcpy(all.values + n, values, sizeof values);
                pq = PQconnectStartParams(all.keys, all.values, 0);
        }
        free(all.keys);
        free(all.values);
        bool whole = pq != NULL && !message_is_no_memory(PQerrorMessage(pq));
        char *message = whole ? strdup(PQerrorMessage(pq)) : NULL;
        PQfinish(pq);
        return message;
}

/*
 * Whether libpq takes the values: only a connect checks them. Both go nowhere, with the settings
 * and without (the first maybe twice, for prefer-standby); what is wrong with the settings is said
 * before that, and alone.
 */
static int
settings_check(const struct pq_settings *settings, char **ret_problem)
{
        static const struct pq_settings none = {0};
        char *with = probe_nowhere(settings);
        char *without = probe_nowhere(&none);
        int code = PIPIT_ENOMEM;

        if (with != NULL && without != NULL)
                code = strncmp(with, without, strlen(without)) == 0 ? 0 : PIPIT_EINVAL;
        free(without);
        if (code == PIPIT_EINVAL) {
                with[strcspn(with, "\n")] = '\0';
                *ret_problem = with;
                return code;
        }
        free(with);
        return code;
}

int
pipit__pq_settings_read(const char *url, struct pq_settings *ret_settings, char **ret_problem)
{
        struct parameters parameters = {0};
        char *message = NULL;
        PQconninfoOption *given = PQconninfoParse(url != NULL ? url : "", &message);

        *ret_settings = (struct pq_settings){0};
        if (given == NULL)
                return problem_copy(ret_problem, message);
        int code = parameters_init(&parameters, given);
        if (code == 0)
                code = settings_merge(ret_settings, given, &parameters);
        PQconninfoFree(given);
        free(parameters.keys);
        free(parameters.values);
        return code != 0 ? code : settings_check(ret_settings, ret_problem);
}

void
pipit__pq_settings_free(struct pq_settings *settings)
{
        for (int i = 0; i < settings->n; i++) {
                free(settings->keys[i]);
                free(settings->values[i]);
        }
        free(settings->keys);
        free(settings->values);
        *settings = (struct pq_settings){0};
}
