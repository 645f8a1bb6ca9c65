/*
 * The settings are read through libpq itself. See pq_settings.h.
 *
 * PQconninfoParse() takes a URL apart but looks neither into service files nor into the
 * environment, and checks no value. Only a connect does that. So connects are started here that
 * must fail before they do anything, and what libpq says of them, or has put together for them, is
 * looked at.
 */
#include "pq/pq_settings.h"

#include <libpq-fe.h>
#include <pipit/error.h>
#include <stdlib.h>
#include <string.h>

/* The parameters of a connect are those that a URL sets, with room for one more. The texts are
 * borrowed from the options. */
struct parameters {
        const char **keys; /* end with NULL; NULL itself if memory ran out */
        const char **values;
        int n;
};

/* 0 or PIPIT_ENOMEM; the caller frees both arrays either way. */
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

/* Whether a message of libpq's says that memory ran out. There is no other sign of it, and libpq
 * goes on with what it has. A message may quote the same words, but not at the end of a line. */
static bool
settings_message_is_no_memory(const char *message)
{
        static const char words[] = "out of memory";

        for (const char *at = strstr(message, words); at != NULL; at = strstr(at + 1, words)) {
                char next = at[sizeof words - 1];
                if (next == '\0' || next == '\n')
                        return true;
        }
        return message[0] == '\0';
}

static bool
settings_options_are_equal(const PQconninfoOption *a, const PQconninfoOption *b)
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

/* Returns the parameters that a connect has, which the caller frees; NULL if memory ran out.
 * Without memory for a value, that of sslmode for example, libpq leaves it out and says nothing; so
 * the parameters are asked for twice and compared. */
static PQconninfoOption *
settings_options(PGconn *pq)
{
        PQconninfoOption *options = PQconninfo(pq);
        PQconninfoOption *again = PQconninfo(pq);

        if (!settings_options_are_equal(options, again)) {
                PQconninfoFree(options);
                options = NULL;
        }
        PQconninfoFree(again);
        return options;
}

/*
 * Has libpq put everything together, and returns that; the caller frees it. NULL if memory ran out.
 * Only a connect reads service files and the environment, so one is started that must fail before
 * it does anything, because one parameter is spoilt.
 */
static PQconninfoOption *
parameters_merge(const struct parameters *parameters, const char *spoilt, const char *value)
{
        parameters->keys[parameters->n] = spoilt;
        parameters->values[parameters->n] = value;
        PGconn *pq = PQconnectStartParams(parameters->keys, parameters->values, 0);
        bool whole = pq != NULL && !settings_message_is_no_memory(PQerrorMessage(pq));
        PQconninfoOption *merged = whole ? settings_options(pq) : NULL;
        PQfinish(pq);
        return merged;
}

/* Returns the value of a keyword, borrowed from the options; NULL if there is none. */
static const char *
settings_option(const PQconninfoOption *options, const char *keyword)
{
        for (int i = 0; options != NULL && options[i].keyword != NULL; i++) {
                if (strcmp(options[i].keyword, keyword) == 0)
                        return options[i].val;
        }
        return NULL;
}

/* Adds copies of a key and a value; a value that is NULL or "" is left out. 0 or PIPIT_ENOMEM. */
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

/* Copies what libpq has put together, but for the sslmode, which is given. 0 or PIPIT_ENOMEM. */
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
        /* A parameter that is spoilt is lost, so everything is put together twice, each time with
         * another parameter spoilt. */
        PQconninfoOption *all = parameters_merge(parameters, "sslmode", "?");
        PQconninfoOption *rest = parameters_merge(parameters, "hostaddr", "?");
        const char *sslmode = settings_option(rest, "sslmode");
        int code = PIPIT_ENOMEM;

        settings->sslmode_given = settings_option(given, "sslmode") != NULL ||
                                  getenv("PGSSLMODE") != NULL ||
                                  (sslmode != NULL && strcmp(sslmode, "prefer") != 0);
        if (all != NULL && rest != NULL)
                code = settings_fill(settings, all, sslmode);
        /* The service stays among the settings, so that one that does not exist fails the connect.
         */
        if (code == 0)
                code = settings_add(settings, "service", settings_option(given, "service"));
        PQconninfoFree(all);
        PQconninfoFree(rest);
        return code;
}

/* Copies the first line of a message of libpq's, which ends with a newline, and frees the message.
 */
static int
settings_problem(char **ret_problem, char *message)
{
        bool known = message != NULL && !settings_message_is_no_memory(message);
        *ret_problem = known ? strndup(message, strcspn(message, "\n")) : NULL;
        PQfreemem(message);
        return *ret_problem != NULL ? PIPIT_EINVAL : PIPIT_ENOMEM;
}

static bool
settings_is_place(const char *key)
{
        return strcmp(key, "host") == 0 || strcmp(key, "hostaddr") == 0 || strcmp(key, "port") == 0;
}

/* Returns what libpq says of a connect with the settings to an address that is none; the caller
 * frees it. NULL if memory ran out. */
static char *
settings_probe(const struct pq_settings *settings)
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
                        if (settings_is_place(settings->keys[i]))
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
        bool whole = pq != NULL && !settings_message_is_no_memory(PQerrorMessage(pq));
        char *message = whole ? strdup(PQerrorMessage(pq)) : NULL;
        PQfinish(pq);
        return message;
}

/*
 * Checks whether libpq takes the values, which only a connect does. One connect with the settings
 * and one without go nowhere, and libpq says so (with the settings maybe twice, for
 * prefer-standby). A fault of the settings is told before that, and alone. 0; PIPIT_ENOMEM;
 * PIPIT_EINVAL with *ret_problem, which the caller frees.
 */
static int
settings_check(const struct pq_settings *settings, char **ret_problem)
{
        static const struct pq_settings none = {0};
        char *with = settings_probe(settings);
        char *without = settings_probe(&none);
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
                return settings_problem(ret_problem, message);
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
