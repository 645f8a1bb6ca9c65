/*
 * libpq. See pq.h.
 */
#include "pq.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <pipit/error.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

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

bool
pipit__pq_has_system_roots(void)
{
        return PQlibVersion() >= 160000;
}

static void
receiver_ignore(void *arg, const PGresult *result)
{
        (void)arg;
        (void)result;
}

struct pg_conn *
pipit__pq_start(const char *const *keys, const char *const *values)
{
        PGconn *pq = PQconnectStartParams(keys, values, 0);

        if (pq == NULL)
                return NULL;
        /* The default receiver writes to stderr. The SQLSTATE of a refused connection is in no
         * field of libpq: only the verbose message has it. */
        PQsetNoticeReceiver(pq, receiver_ignore, NULL);
        PQsetErrorVerbosity(pq, PQERRORS_VERBOSE);
        return pq;
}

enum pq_poll
pipit__pq_poll(struct pg_conn *pq)
{
        if (PQstatus(pq) == CONNECTION_BAD)
                return PQ_POLL_FAILED;
        switch (PQconnectPoll(pq)) {
        case PGRES_POLLING_READING: return PQ_POLL_READ;
        case PGRES_POLLING_WRITING: return PQ_POLL_WRITE;
        case PGRES_POLLING_OK: return PQ_POLL_DONE;
        case PGRES_POLLING_ACTIVE:
        case PGRES_POLLING_FAILED: break;
        }
        return PQ_POLL_FAILED;
}

int
pipit__pq_socket(const struct pg_conn *pq)
{
        return PQsocket(pq);
}

const char *
pipit__pq_message(const struct pg_conn *pq)
{
        return PQerrorMessage(pq);
}

int
pipit__pq_server_version(const struct pg_conn *pq)
{
        return PQserverVersion(pq);
}

static void
receiver_take(void *arg, const PGresult *result)
{
        struct pq_receiver *receiver = arg;
        struct pq_notice notice = {
                .severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED),
                .sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE),
                .message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY),
        };

        if (notice.message == NULL)
                notice.message = "";
        receiver->fn(&notice, receiver->arg);
}

int
pipit__pq_enter(struct pg_conn *pq, struct pq_receiver *receiver)
{
        PQsetNoticeReceiver(pq, receiver_take, receiver);
        PQsetErrorVerbosity(pq, PQERRORS_DEFAULT);
        if (PQsetnonblocking(pq, 1) != 0 || PQenterPipelineMode(pq) != 1)
                return -1;
        return 0;
}

int
pipit__pq_send(struct pg_conn *pq, const char *sql, int n, const char *const *values)
{
        return PQsendQueryParams(pq, sql, n, NULL, values, NULL, NULL, 0) == 1 ? 0 : -1;
}

int
pipit__pq_sync(struct pg_conn *pq)
{
        return PQpipelineSync(pq) == 1 ? 0 : -1;
}

int
pipit__pq_flush(struct pg_conn *pq)
{
        return PQflush(pq);
}

int
pipit__pq_consume(struct pg_conn *pq)
{
        return PQconsumeInput(pq) == 1 ? 0 : -1;
}

typedef int (*ssl_pending_fn)(const void *ssl);

/*
 * Before its releases of August 2026 libpq leaves bytes that OpenSSL has decrypted where they are,
 * and the socket stays quiet. libpq is linked to OpenSSL, pipit is not: the function is looked up
 * in the program.
 */
bool
pipit__pq_holds_more(struct pg_conn *pq)
{
        ssl_pending_fn pending;

        if (!PQsslInUse(pq))
                return false;
        void *ssl = PQsslStruct(pq, "OpenSSL");
        void *symbol = dlsym(RTLD_DEFAULT, "SSL_pending");
        if (ssl == NULL || symbol == NULL)
                return false;
        memcpy(&pending, &symbol, sizeof pending);
        return pending(ssl) > 0;
}

/* Notifications pile up in libpq until somebody takes them. */
static void
notifications_drop(PGconn *pq)
{
        for (PGnotify *notify = PQnotifies(pq); notify != NULL; notify = PQnotifies(pq))
                PQfreemem(notify);
}

bool
pipit__pq_busy(struct pg_conn *pq)
{
        bool busy = PQisBusy(pq) == 1;

        notifications_drop(pq);
        return busy;
}

struct pg_result *
pipit__pq_next(struct pg_conn *pq)
{
        return PQgetResult(pq);
}

bool
pipit__pq_session_ok(const struct pg_conn *pq)
{
        const char *encoding = PQparameterStatus(pq, "client_encoding");
        const char *strings = PQparameterStatus(pq, "standard_conforming_strings");

        return encoding != NULL && strcmp(encoding, "UTF8") == 0 &&
               (strings == NULL || strcmp(strings, "on") == 0);
}

size_t
pipit__pq_pending(const struct pg_conn *pq)
{
        int n = 0;

        if (ioctl(PQsocket(pq), FIONREAD, &n) != 0 || n < 0)
                return 0;
        return (size_t)n;
}

bool
pipit__pq_quiet(const struct pg_conn *pq)
{
        char byte;

        return recv(PQsocket(pq), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
               (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

void
pipit__pq_finish(struct pg_conn *pq)
{
        PQfinish(pq);
}

void
pipit__pq_abandon(struct pg_conn *pq)
{
        int fd = PQsocket(pq);
        int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);

        /* The parent shares the socket, not the descriptor: what PQfinish() sends goes nowhere. */
        if (fd >= 0 && nowhere >= 0)
                dup2(nowhere, fd);
        else if (fd >= 0)
                close(fd);
        if (nowhere >= 0)
                close(nowhere);
        PQfinish(pq);
}

void
pipit__pq_clear(struct pg_result *result)
{
        PQclear(result);
}

static enum pq_kind
kind_of_error(const PGresult *result)
{
        /* An error without SQLSTATE is libpq's own, and libpq may have lost its place. */
        return PQresultErrorField(result, PG_DIAG_SQLSTATE) != NULL ? PQ_KIND_ERROR
                                                                    : PQ_KIND_BROKEN;
}

enum pq_kind
pipit__pq_kind(const struct pg_result *result)
{
        ExecStatusType status = PQresultStatus(result);

        if (status == PGRES_TUPLES_OK)
                return PQ_KIND_ROWS;
        if (status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY)
                return PQ_KIND_COMMAND;
        if (status == PGRES_PIPELINE_SYNC)
                return PQ_KIND_SYNC;
        if (status == PGRES_PIPELINE_ABORTED)
                return PQ_KIND_ABORTED;
        return status == PGRES_FATAL_ERROR ? kind_of_error(result) : PQ_KIND_BROKEN;
}

const char *
pipit__pq_tag(const struct pg_result *result)
{
        union {
                const PGresult *in;
                PGresult *out;
        } result_without_const = {.in = result};

        return PQcmdStatus(result_without_const.out);
}

bool
pipit__pq_has_all_rows(const struct pg_result *result)
{
        const char *tag = pipit__pq_tag(result);

        return strncmp(tag, "SELECT ", 7) != 0 || strtoll(tag + 7, NULL, 10) == PQntuples(result);
}

const char *
pipit__pq_sqlstate(const struct pg_result *result)
{
        const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

        return sqlstate != NULL ? sqlstate : "";
}

const char *
pipit__pq_error(const struct pg_result *result)
{
        const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

        return message != NULL ? message : PQresultErrorMessage(result);
}

bool
pipit__pq_is_fatal(const struct pg_result *result)
{
        const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);

        return severity != NULL &&
               (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0);
}

bool
pipit__pq_is_over(const struct pg_result *result, size_t bytes)
{
        int rows = PQntuples(result);
        int columns = PQnfields(result);
        size_t taken = 0;

        /* In memory it is never smaller, so the rows are seldom looked at. */
        if (PQresultMemorySize(result) <= bytes)
                return false;
        for (int row = 0; row < rows && taken <= bytes; row++) {
                taken += 7 + 4 * (size_t)columns;
                for (int column = 0; column < columns; column++)
                        taken += (size_t)PQgetlength(result, row, column);
        }
        return taken > bytes;
}
