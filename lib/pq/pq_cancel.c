/*
 * The cancel wraps the PQcancel functions of libpq 17. See pq_cancel.h.
 */
#include "pq/pq_cancel.h"

#include <libpq-fe.h>
#include <string.h>

/* Each of these is NULL where the program runs with an older libpq. */
extern struct pg_cancel_conn *PQcancelCreate(PGconn *pq) __attribute__((weak));
extern int PQcancelStart(struct pg_cancel_conn *cancel) __attribute__((weak));
extern PostgresPollingStatusType PQcancelPoll(struct pg_cancel_conn *cancel) __attribute__((weak));
extern ConnStatusType PQcancelStatus(const struct pg_cancel_conn *cancel) __attribute__((weak));
extern int PQcancelSocket(const struct pg_cancel_conn *cancel) __attribute__((weak));
extern char *PQcancelErrorMessage(const struct pg_cancel_conn *cancel) __attribute__((weak));
extern void PQcancelFinish(struct pg_cancel_conn *cancel) __attribute__((weak));

bool
pipit__pq_can_cancel(const struct pg_conn *pq)
{
        if (PQcancelCreate == NULL || PQcancelStart == NULL || PQcancelPoll == NULL ||
            PQcancelStatus == NULL || PQcancelSocket == NULL || PQcancelErrorMessage == NULL ||
            PQcancelFinish == NULL)
                return false;
        /* The first releases crash if an address was given without a name. PQhost() then returns
         * the address. */
        return PQlibVersion() >= 170006 || strcmp(PQhost(pq), PQhostaddr(pq)) != 0;
}

struct pg_cancel_conn *
pipit__pq_cancel_start(struct pg_conn *pq)
{
        struct pg_cancel_conn *cancel = PQcancelCreate(pq);

        if (cancel != NULL)
                (void)PQcancelStart(cancel);
        return cancel;
}

enum pq_poll
pipit__pq_cancel_poll(struct pg_cancel_conn *cancel)
{
        if (PQcancelStatus(cancel) == CONNECTION_BAD)
                return PQ_POLL_FAILED;
        switch (PQcancelPoll(cancel)) {
        case PGRES_POLLING_READING: return PQ_POLL_READ;
        case PGRES_POLLING_WRITING: return PQ_POLL_WRITE;
        case PGRES_POLLING_OK: return PQ_POLL_DONE;
        case PGRES_POLLING_ACTIVE:
        case PGRES_POLLING_FAILED: break;
        }
        return PQ_POLL_FAILED;
}

int
pipit__pq_cancel_socket(const struct pg_cancel_conn *cancel)
{
        return PQcancelSocket(cancel);
}

const char *
pipit__pq_cancel_message(const struct pg_cancel_conn *cancel)
{
        return PQcancelErrorMessage(cancel);
}

void
pipit__pq_cancel_finish(struct pg_cancel_conn *cancel, bool in_child)
{
        if (cancel == NULL)
                return;
        if (in_child)
                pipit__pq_divert(PQcancelSocket(cancel));
        PQcancelFinish(cancel);
}

const char *
pipit__pq_host(const struct pg_conn *pq)
{
        const char *host = PQhost(pq);

        return host != NULL ? host : "";
}

const char *
pipit__pq_address(const struct pg_conn *pq)
{
        const char *address = PQhostaddr(pq);

        return address != NULL ? address : "";
}

const char *
pipit__pq_port(const struct pg_conn *pq)
{
        const char *port = PQport(pq);

        return port != NULL ? port : "";
}

int
pipit__pq_backend_pid(const struct pg_conn *pq)
{
        return PQbackendPID(pq);
}
