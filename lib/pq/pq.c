/*
 * The pq module wraps libpq, one call in most functions. See pq.h.
 *
 * The oldest libpq is 14.5. A function of a newer one is a weak symbol, which is NULL where the
 * library that the program runs with does not have it.
 */
#include "pq/pq.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <pipit/error.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* UTF8 has this number in libpq. Programs rely on it, so it never changes. */
#define ENCODING_UTF8 6

extern int PQsendPipelineSync(PGconn *pq) __attribute__((weak));
extern int PQsendClosePrepared(PGconn *pq, const char *name) __attribute__((weak));

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

bool
pipit__pq_is_taken(const struct pg_conn *pq)
{
        ConnStatusType status = PQstatus(pq);

        return status != CONNECTION_BAD && status != CONNECTION_STARTED &&
               status != CONNECTION_NEEDED;
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

void
pipit__pq_first_message(const char *message, char *out, size_t size)
{
        size_t length = strcspn(message, "\n");

        while (message[length] == '\n' && message[length + 1] == '\t')
                length += 1 + strcspn(message + length + 1, "\n");
        snprintf(out, size, "%.*s", (int)length, message);
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
                .severity = pipit__pq_severity(result),
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
pipit__pq_send(struct pg_conn *pq, const char *sql, const struct pq_params *params,
               bool binary_result)
{
        return PQsendQueryParams(pq, sql, params->n, NULL, params->values, params->lengths,
                                 params->formats, binary_result) == 1
                       ? 0
                       : -1;
}

int
pipit__pq_send_prepared(struct pg_conn *pq, const char *name, const struct pq_params *params,
                        bool binary_result)
{
        return PQsendQueryPrepared(pq, name, params->n, params->values, params->lengths,
                                   params->formats, binary_result) == 1
                       ? 0
                       : -1;
}

int
pipit__pq_prepare(struct pg_conn *pq, const char *name, const char *sql)
{
        return PQsendPrepare(pq, name, sql, 0, NULL) == 1 ? 0 : -1;
}

int
pipit__pq_describe(struct pg_conn *pq, const char *name)
{
        return PQsendDescribePrepared(pq, name) == 1 ? 0 : -1;
}

int
pipit__pq_close_prepared(struct pg_conn *pq, const char *name)
{
        char sql[100];

        if (PQsendClosePrepared != NULL)
                return PQsendClosePrepared(pq, name) == 1 ? 0 : -1;
        snprintf(sql, sizeof sql, "DEALLOCATE \"%s\"", name);
        return pipit__pq_send(pq, sql, &(struct pq_params){0}, false);
}

int
pipit__pq_sync(struct pg_conn *pq)
{
        /* PQpipelineSync() flushes each time, so the newer function is called where there is one.
         */
        return (PQsendPipelineSync != NULL ? PQsendPipelineSync(pq) : PQpipelineSync(pq)) == 1 ? 0
                                                                                               : -1;
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
 * and the socket stays quiet. libpq is linked to OpenSSL and pipit is not, so the function that
 * tells is looked up in the program.
 */
bool
pipit__pq_is_linked(const struct pg_conn *pq)
{
        return PQstatus(pq) == CONNECTION_OK;
}

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

void
pipit__pq_drop_notifications(struct pg_conn *pq)
{
        for (PGnotify *notify = PQnotifies(pq); notify != NULL; notify = PQnotifies(pq))
                PQfreemem(notify);
}

bool
pipit__pq_busy(struct pg_conn *pq)
{
        return PQisBusy(pq) == 1;
}

struct pg_result *
pipit__pq_next(struct pg_conn *pq)
{
        return PQgetResult(pq);
}

/* libpq looks for a parameter by its name among nearly all of them, so its number for the encoding
 * is asked first. The parameter is what the server said last. */
const char *
pipit__pq_parameter(const struct pg_conn *pq, const char *name)
{
        const char *value = PQparameterStatus(pq, name);

        return value != NULL ? value : "";
}

bool
pipit__pq_is_utf8(const struct pg_conn *pq)
{
        if (PQclientEncoding(pq) == ENCODING_UTF8)
                return true;
        const char *encoding = PQparameterStatus(pq, "client_encoding");
        return encoding != NULL && strcmp(encoding, "UTF8") == 0;
}

bool
pipit__pq_in_transaction(const struct pg_conn *pq)
{
        PGTransactionStatusType status = PQtransactionStatus(pq);

        return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

bool
pipit__pq_in_failed_transaction(const struct pg_conn *pq)
{
        return PQtransactionStatus(pq) == PQTRANS_INERROR;
}

/* Whether a backslash in a string stands for itself. What libpq makes of one tells that at once;
 * its list of what the server has reported is gone through only if it does not. */
static bool
strings_are_standard(struct pg_conn *pq)
{
        char escaped[3];

        if (PQescapeStringConn(pq, escaped, "\\", 1, NULL) == 1)
                return true;
        const char *strings = PQparameterStatus(pq, "standard_conforming_strings");
        return strings == NULL || strcmp(strings, "on") == 0;
}

bool
pipit__pq_session_ok(struct pg_conn *pq)
{
        return pipit__pq_is_utf8(pq) && strings_are_standard(pq);
}

bool
pipit__pq_writes_iso(const struct pg_conn *pq)
{
        static const char *const expected[][2] = {
                {"DateStyle", "ISO, YMD"}, {"IntervalStyle", "iso_8601"}, {"TimeZone", "UTC"}};

        for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
                const char *value = PQparameterStatus(pq, expected[i][0]);
                if (value != NULL && strcmp(value, expected[i][1]) != 0)
                        return false;
        }
        return true;
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
pipit__pq_divert(int fd)
{
        int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);

        /* The parent shares the socket but not the descriptor: the child's may lead elsewhere. */
        if (fd >= 0 && nowhere >= 0)
                dup2(nowhere, fd);
        else if (fd >= 0)
                close(fd);
        if (nowhere >= 0)
                close(nowhere);
}

void
pipit__pq_abandon(struct pg_conn *pq)
{
        pipit__pq_divert(PQsocket(pq));
        PQfinish(pq);
}
