/*
 * The settings are read through libpq itself. See pq_settings.h.
 *
 * PQconninfoParse() takes a URL apart but looks neither into service files nor into the
 * environment, and checks no value. Only a connect does that. So two connects are started here that
 * must fail before they do anything, each because of parameters that are spoilt, and what libpq
 * says of them and has put together for them is looked at:
 * 1. The probe has no port. libpq looks at that last, so its complaint of the port says that it
 *    takes all the rest.
 * 2. The other one has no sslmode, and tells what the probe cannot: what was spoilt there.
 * Neither has libpq read a password file, which may make it write to stderr.
 */
#include "pq/pq_settings.h"

#include <libpq-fe.h>
#include <pipit/error.h>
#include <stdlib.h>
#include <string.h>

#include "base/wipe.h"
#include "pq/pq.h"
#include "pq/pq_connect.h"
#include "pq/pq_url.h"

/* The port of the probe is a text that nobody gives for another parameter. */
#define SETTINGS_NO_PORT "pipit: no port"

/* A pair of a keyword and a value. */
struct spoilt {
        const char *key;
        const char *value;
};

/* The probe goes to one host, without a port; its password file cannot be there. */
static const struct spoilt settings_probe[] = {{"host", "nowhere"},
                                               {"hostaddr", ""},
                                               {"port", SETTINGS_NO_PORT},
                                               {"passfile", "/dev/null/none"},
                                               {NULL, NULL}};
/* With a password no password file is looked for. */
static const struct spoilt settings_other[] = {{"sslmode", "?"}, {"password", "?"}, {NULL, NULL}};

/* The parameters of a connect are those that a URL sets, with room for the spoilt ones. The texts
 * are borrowed from the options. */
struct parameters {
        const char **keys; /* end with NULL; NULL itself if memory ran out */
        const char **values;
        int n;
};

/* 0 or PIPIT_ENOMEM; the caller frees both arrays either way. */
static int
parameters_init(struct parameters *parameters, const PQconninfoOption *options)
{
        size_t n = 0;

        while (options[n].keyword != NULL)
                n++;
        /* Every parameter that is spoilt is one that libpq knows, so there is room. */
        *parameters = (struct parameters){.keys = calloc(n + 1, sizeof *parameters->keys),
                                          .values = calloc(n + 1, sizeof *parameters->values)};
        return parameters->keys != NULL && parameters->values != NULL ? 0 : PIPIT_ENOMEM;
}

static void
parameters_set(struct parameters *parameters, const char *key, const char *value)
{
        int i = 0;

        while (i < parameters->n && strcmp(parameters->keys[i], key) != 0)
                i++;
        parameters->keys[i] = key;
        parameters->values[i] = value;
        if (i == parameters->n)
                parameters->n++;
}

static void
parameters_fini(struct parameters *parameters)
{
        free(parameters->keys);
        free(parameters->values);
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

/* Starts the connect that must fail. NULL if memory ran out. */
static PGconn *
settings_start(const PQconninfoOption *given, const struct spoilt *spoilt)
{
        struct parameters parameters;
        PGconn *pq = NULL;

        if (parameters_init(&parameters, given) == 0) {
                for (; given->keyword != NULL; given++) {
                        if (given->val != NULL)
                                parameters_set(&parameters, given->keyword, given->val);
                }
                for (; spoilt->key != NULL; spoilt++)
                        parameters_set(&parameters, spoilt->key, spoilt->value);
                pq = pipit__pq_start(parameters.keys, parameters.values);
        }
        parameters_fini(&parameters);
        if (pq != NULL && settings_message_is_no_memory(PQerrorMessage(pq))) {
                PQfinish(pq);
                return NULL;
        }
        return pq;
}

/* Overwrites the values of options, among them the password, and frees them. */
static void
settings_options_free(PQconninfoOption *options)
{
        for (int i = 0; options != NULL && options[i].keyword != NULL; i++) {
                if (options[i].val != NULL)
                        explicit_bzero(options[i].val, strlen(options[i].val));
        }
        PQconninfoFree(options);
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

static bool
settings_is_spoilt(const struct spoilt *spoilt, const char *key)
{
        while (spoilt->key != NULL && strcmp(spoilt->key, key) != 0)
                spoilt++;
        return spoilt->key != NULL;
}

/* Adds copies of a key and a value; without a value nothing is added. 0 or PIPIT_ENOMEM. */
static int
settings_add(struct pq_settings *settings, const char *key, const char *value)
{
        if (value == NULL)
                return 0;
        settings->keys[settings->n] = strdup(key);
        settings->values[settings->n] = strdup(value);
        settings->n++;
        return settings->keys[settings->n - 1] != NULL && settings->values[settings->n - 1] != NULL
                       ? 0
                       : PIPIT_ENOMEM;
}

/* Copies what libpq has put together for both connects. 0 or PIPIT_ENOMEM. */
static int
settings_fill(struct pq_settings *settings, const PQconninfoOption *probe,
              const PQconninfoOption *other, const char *service)
{
        size_t n = 0;
        int code = 0;

        while (probe[n].keyword != NULL)
                n++;
        settings->keys = calloc(n + 1, sizeof(char *));
        settings->values = calloc(n + 1, sizeof(char *));
        if (settings->keys == NULL || settings->values == NULL)
                return PIPIT_ENOMEM;
        for (size_t i = 0; i < n && code == 0; i++) {
                const char *key = probe[i].keyword;
                const char *value = settings_is_spoilt(settings_probe, key)
                                            ? settings_option(other, key)
                                            : probe[i].val;
                /* The service stays among the settings, or a connect would look for another one
                 * in the environment. Old releases of libpq do not tell it. */
                code = settings_add(settings, key, strcmp(key, "service") == 0 ? service : value);
        }
        return code;
}

/* Reads what the connects have. 0 or PIPIT_ENOMEM. */
static int
settings_merge(struct pq_settings *settings, const PQconninfoOption *given, PGconn *probe,
               PGconn *other)
{
        PQconninfoOption *probe_options = settings_options(probe);
        PQconninfoOption *other_options = settings_options(other);
        const char *sslmode = settings_option(probe_options, "sslmode");
        int code = PIPIT_ENOMEM;

        settings->sslmode_given = settings_option(given, "sslmode") != NULL ||
                                  getenv("PGSSLMODE") != NULL ||
                                  (sslmode != NULL && strcmp(sslmode, "prefer") != 0);
        if (probe_options != NULL && other_options != NULL)
                code = settings_fill(settings, probe_options, other_options,
                                     settings_option(given, "service"));
        settings_options_free(probe_options);
        settings_options_free(other_options);
        return code;
}

/* Copies a text of pipit's own. */
static int
settings_own_problem(char **ret_problem, const char *text)
{
        *ret_problem = strdup(text);
        return *ret_problem != NULL ? PIPIT_EINVAL : PIPIT_ENOMEM;
}

/* Copies the first line of a message of libpq's, which ends with a newline. */
static int
settings_problem(char **ret_problem, const char *message)
{
        bool known = !settings_message_is_no_memory(message);

        *ret_problem = known ? strndup(message, strcspn(message, "\n")) : NULL;
        return *ret_problem != NULL ? PIPIT_EINVAL : PIPIT_ENOMEM;
}

/* Starts the connects, and reads what they tell. */
static int
settings_read(struct pq_settings *settings, const PQconninfoOption *given, char **ret_problem)
{
        PGconn *probe = settings_start(given, settings_probe);
        PGconn *other = settings_start(given, settings_other);
        int code = PIPIT_ENOMEM;

        if (probe != NULL && strstr(PQerrorMessage(probe), SETTINGS_NO_PORT) == NULL)
                code = settings_problem(ret_problem, PQerrorMessage(probe));
        else if (probe != NULL && other != NULL)
                code = settings_merge(settings, given, probe, other);
        PQfinish(probe);
        PQfinish(other);
        return code;
}

/* Says why libpq cannot read a connection string: in its words, if these can quote no password. */
static int
settings_unreadable(char **ret_problem, const char *url, const char *message)
{
        bool known = !settings_message_is_no_memory(message);

        return known && pipit__pq_url_is_secret(url)
                       ? settings_own_problem(ret_problem, pipit__pq_url_problem(url))
                       : settings_problem(ret_problem, message);
}

int
pipit__pq_settings_read(const char *url, struct pq_settings *ret_settings, char **ret_problem)
{
        const char *text = url != NULL ? url : "";
        const char *misread = pipit__pq_url_misread(text);
        char *message = NULL;
        PQconninfoOption *given = PQconninfoParse(text, &message);
        int code;

        *ret_settings = (struct pq_settings){0};
        if (given == NULL)
                code = settings_unreadable(ret_problem, text, message != NULL ? message : "");
        else if (misread != NULL)
                code = settings_own_problem(ret_problem, misread);
        else
                code = settings_read(ret_settings, given, ret_problem);
        settings_options_free(given);
        PQfreemem(message);
        return code;
}

void
pipit__pq_settings_free(struct pq_settings *settings)
{
        for (int i = 0; i < settings->n; i++) {
                free(settings->keys[i]);
                pipit__wipe_free(settings->values[i]);
        }
        free(settings->keys);
        free(settings->values);
        *settings = (struct pq_settings){0};
}
