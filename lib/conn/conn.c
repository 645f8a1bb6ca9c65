/*
 * The link of a connection, its end, and what its owner may ask about it. See conn.h.
 *
 * pipit__conn_end() is the only way to the end: it stops what runs, finishes the PGconn, ends what
 * was owed, tells the owner and the lease, and leaves the memory to the reactor.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "conn/cancel.h"
#include "conn/conn_int.h"
#include "conn/pooler.h"
#include "loop/deadline.h"
#include "request/requests.h"

int64_t
pipit__conn_now(const struct conn *conn)
{
        return pipit__reactor_now(conn->config->reactor);
}

/* ---- for its owner */

struct list *
pipit__conn_link(struct conn *conn)
{
        return &conn->link;
}

struct conn *
pipit__conn_of(struct list *link)
{
        return container_of(link, struct conn, link);
}

enum conn_state
pipit__conn_state(const struct conn *conn)
{
        return conn->state;
}

const char *
pipit__conn_host(const struct conn *conn)
{
        return conn->host;
}

int64_t
pipit__conn_since_ms(const struct conn *conn)
{
        return conn->since_ms;
}

void
pipit__conn_set_lifetime(struct conn *conn, int64_t lifetime_ms)
{
        conn->expires_ms = pipit__deadline_after(conn->born_ms, lifetime_ms);
}

void
pipit__conn_retire(struct conn *conn)
{
        conn->served = true; /* or it would serve once more */
        conn->expires_ms = conn->born_ms;
}

bool
pipit__conn_is_old(const struct conn *conn)
{
        return conn->served && conn->expires_ms <= pipit__conn_now(conn);
}

bool
pipit__conn_is_reader(const struct conn *conn)
{
        return conn->reader;
}

int64_t
pipit__conn_statement_timeout_ms(const struct conn *conn)
{
        return conn->statement_timeout_ms;
}

bool
pipit__conn_may_share(const struct conn *conn, bool reads)
{
        /* A role is a setting of the session. Where nothing is prepared there may be a pooler, and
         * the session be somebody else's; where that is known reads have a transaction. */
        bool has_role =
                conn->config->max_prepared > 0 || pipit__pooler_is_shared(conn->config->pooler);

        return !conn->serializable && (has_role || !reads);
}

bool
pipit__conn_has_one_sync(const struct conn *conn)
{
        return pipit__pooler_is_shared(conn->config->pooler);
}

int
pipit__conn_n_waiting(const struct conn *conn)
{
        return conn->replies.n_waiting;
}

bool
pipit__conn_in_transaction(const struct conn *conn)
{
        return pipit__pq_in_transaction(conn->pq);
}

bool
pipit__conn_in_failed_transaction(const struct conn *conn)
{
        return pipit__pq_in_failed_transaction(conn->pq);
}

/* ---- the link */

void
pipit__conn_flush(struct conn *conn)
{
        if (conn->state == CONN_CLOSED)
                return;
        int r = pipit__pq_flush(conn->pq);
        conn->unflushed = r == 1;
        /* While it cannot write it must read, or both sides wait for each other. */
        if (r < 0 ||
            pipit__watch_want(conn->watch, WATCH_READ | (conn->unflushed ? WATCH_WRITE : 0)) != 0) {
                pipit__conn_break_by_libpq(conn);
                return;
        }
        /* libpq reads where it cannot write, and of what it has taken the socket says no more. */
        if (!pipit__pq_busy(conn->pq) || pipit__pq_holds_more(conn->pq))
                pipit__timer_set_or_now(conn->again, 0);
}

/* ---- the end */

void
pipit__conn_free(struct deferred *deferred)
{
        struct conn *conn = container_of(deferred, struct conn, deferred);

        pipit__watch_free(conn->watch);
        pipit__timer_free(conn->limit);
        pipit__timer_free(conn->again);
        pipit__reply_queue_fini(&conn->replies);
        pipit__prepared_fini(&conn->prepared);
        free(conn);
}

void
pipit__conn_begin_settlement(const struct conn *conn, struct settlement *settlement)
{
        *settlement = (struct settlement){.host = conn->host,
                                          .may_be_hit = conn->cancel_state != CANCEL_NONE,
                                          .unsuited = conn->unsuited,
                                          .lease_ops = conn->lease_ops,
                                          .lease_arg = conn->lease_arg};
        list_init(&settlement->again);
}

/* Ends every request that is owed an answer, or has it run elsewhere. */
static void
conn_lose_replies(struct conn *conn, const struct conn_error *cause)
{
        struct settlement settlement;

        pipit__conn_begin_settlement(conn, &settlement);
        settlement.cause = cause;
        pipit__reply_queue_lose(&conn->replies, &settlement);
        pipit__requests_again(&settlement.again);
}

/* Stops all that could call back, and gives up the PGconn. */
static void
conn_disconnect(struct conn *conn, bool in_child)
{
        pipit__connect_attempt_cancel(conn->attempt, in_child);
        conn->attempt = NULL;
        pipit__cancel_drop(conn->cancel, in_child);
        conn->cancel = NULL;
        if (conn->watch != NULL)
                pipit__watch_want(conn->watch, 0);
        pipit__timer_stop(conn->limit);
        pipit__timer_stop(conn->again);
        if (in_child && conn->pq != NULL)
                pipit__pq_abandon(conn->pq);
        else
                pipit__pq_finish(conn->pq);
        conn->pq = NULL;
}

void
pipit__conn_end(struct conn *conn, const struct conn_error *cause, bool in_child)
{
        if (conn->state == CONN_CLOSED)
                return;
        conn_disconnect(conn, in_child);
        conn_lose_replies(conn, cause);
        pipit__conn_enter(conn, CONN_CLOSED, cause);
        pipit__reactor_defer(conn->config->reactor, &conn->deferred);
        const struct lease_ops *lease_ops = conn->lease_ops;
        conn->lease_ops = NULL;
        if (lease_ops != NULL)
                lease_ops->lost(cause, conn->lease_arg);
}

void
pipit__conn_note_end(struct conn *conn, const char *sqlstate, const char *message)
{
        snprintf(conn->end_reason.sqlstate, sizeof conn->end_reason.sqlstate, "%.5s", sqlstate);
        pipit__log_escape(conn->end_reason.text, sizeof conn->end_reason.text, message);
}

/* Why the connection ends, as far as that is known, with the host that it goes to. */
static COLD struct conn_error
conn_cause(const struct conn *conn)
{
        struct conn_error cause = conn->end_reason;

        memcpy(cause.host, conn->host, sizeof cause.host);
        return cause;
}

void
pipit__conn_break(struct conn *conn, const char *reason)
{
        /* libpq has no message of its own for what libevent has no memory for. */
        if (conn->end_reason.text[0] == '\0')
                pipit__log_escape(conn->end_reason.text, sizeof conn->end_reason.text,
                                  reason[0] != '\0' ? reason : "out of memory");
        pipit__log(conn->config->log, pipit__conn_now(conn), PIPIT_LOG_WARNING,
                   "connection to %s lost: %s", conn->host, conn->end_reason.text);
        struct conn_error cause = conn_cause(conn);
        pipit__conn_end(conn, &cause, false);
}

void
pipit__conn_break_by_libpq(struct conn *conn)
{
        char message[sizeof conn->end_reason.text];

        pipit__pq_first_message(pipit__pq_message(conn->pq), message, sizeof message);
        pipit__conn_break(conn, message);
}

void
pipit__conn_close(struct conn *conn, const char *reason)
{
        struct conn_error cause = conn_cause(conn);

        snprintf(cause.text, sizeof cause.text, "%s", reason);
        pipit__conn_end(conn, &cause, false);
}

void
pipit__conn_drop(struct conn *conn)
{
        struct conn_error cause = conn_cause(conn);

        snprintf(cause.text, sizeof cause.text, "this is a forked child");
        pipit__conn_end(conn, &cause, true);
}
