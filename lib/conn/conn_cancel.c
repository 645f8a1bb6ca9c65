/*
 * Statements of a connection that nobody waits for any more, and asking the server to stop them.
 *
 * 1. The server is asked about the first segment only, which is what it executes, as far as anybody
 *    here knows; and only when nobody waits for anything in that, for whoever shares a Sync would
 * be hit too.
 * 2. One cancel is out at a time. Meanwhile nothing new is sent: when the first segment ends by
 *    itself at that moment, the cancel hits what comes after it.
 * 3. The cancel can have hit anything that was sent before it, until nothing is owed any more.
 *    retry.c decides about statements that have failed so.
 * 4. When nobody knows whether a cancel will still come, the connection is closed as soon as nobody
 *    waits on it.
 */
#include "base/log.h"
#include "conn/cancel.h"
#include "conn/conn_int.h"

/* The server is asked after so long at the earliest: a cancel costs it more than most statements
 * that are answered by then. */
#define CANCEL_AFTER_MS 2
/* The server is asked so late where the next in line must not run again: the longer a statement has
 * run, the less likely it ends just when the cancel comes. */
#define CANCEL_AFTER_OTHERS_MS 50
/* Until then an answer that has begun to come is let come. */
#define CANCEL_UNREAD_MS 100
/* An answer may take so long once the server has had its cancel: perhaps it never had the
 * statement. */
#define CANCEL_ANSWER_MS 1000
/* Answers that nobody waits for may keep a connection busy so long, once nothing more can be done
 * about them. */
#define CONN_ABANDONED_MS 5000

/* How long the first segment has been the first, in microseconds. */
static int64_t
conn_age_us(const struct conn *conn)
{
        const struct sending *segment = pipit__reply_queue_first_segment(&conn->replies);
        int64_t since_us = conn->read_us;

        if (segment != NULL && segment->sent_us > since_us)
                since_us = segment->sent_us;
        return pipit__reactor_now_us(conn->config->reactor) - since_us;
}

/* Returns the milliseconds until the server is asked about the first segment; 0: now. */
static int64_t
conn_patience_ms(const struct conn *conn)
{
        int64_t patience_ms = pipit__reply_queue_waits_for_fragile(&conn->replies)
                                      ? CANCEL_AFTER_OTHERS_MS
                                      : CANCEL_AFTER_MS;
        int64_t left_us = 1000 * patience_ms - conn_age_us(conn);

        return left_us > 0 ? (left_us + 999) / 1000 : 0;
}

/* Whether the answer may be here already: then it is read first, unless it has no end. */
static bool
conn_may_be_answered(const struct conn *conn)
{
        return conn_age_us(conn) < 1000 * (int64_t)CANCEL_UNREAD_MS && !pipit__pq_quiet(conn->pq);
}

/* Whether the server can be asked about what it executes. */
static bool
conn_may_ask(const struct conn *conn)
{
        bool asked = conn->cancel_state == CANCEL_ENDED || conn->cancel_state == CANCEL_FAILED;

        return !asked && pipit__reply_queue_is_abandoned(&conn->replies);
}

/* How long what nobody waits for may still take, in milliseconds. */
static int64_t
conn_grace_ms(const struct conn *conn)
{
        switch (conn->cancel_state) {
        case CANCEL_FAILED: return 0;
        case CANCEL_ENDED: return CANCEL_ANSWER_MS;
        case CANCEL_NONE:
        case CANCEL_ASKED:
        case CANCEL_LATE:
        case CANCEL_PAST: break;
        }
        return CONN_ABANDONED_MS;
}

void
pipit__conn_watch_abandoned(struct conn *conn)
{
        const struct reply_queue *replies = &conn->replies;

        /* The end of a cancel that is out leads here. */
        if (replies->n_abandoned == 0 || conn->cancel != NULL)
                return;
        if (conn_may_ask(conn))
                pipit__timer_set_or_now(conn->limit, conn_patience_ms(conn));
        else if (replies->n_waiting == 0)
                pipit__timer_set_or_now(conn->limit, conn_grace_ms(conn));
}

void
pipit__conn_watch_incoming(struct conn *conn)
{
        pipit__timer_set_or_now(conn->limit, CANCEL_ANSWER_MS);
}

/* Reads on after a cancel. */
static void
conn_start_incoming(struct conn *conn)
{
        if (conn->state != CONN_BUSY)
                return;
        if (pipit__reply_queue_is_over_limit(&conn->replies))
                pipit__conn_watch_incoming(conn);
        if (pipit__watch_want(conn->watch, WATCH_READ | (conn->unflushed ? WATCH_WRITE : 0)) != 0)
                pipit__conn_break(conn, "out of memory");
        else
                pipit__timer_set_or_now(conn->again, 0); /* TLS may hold some */
}

/* Goes on after a cancel: ended, when nothing of it is on its way any more. */
static void
conn_on_cancel(bool ended, void *arg)
{
        struct conn *conn = arg;

        conn->cancel = NULL;
        if (!ended)
                conn->cancel_state = CANCEL_FAILED;
        else
                conn->cancel_state =
                        conn->cancel_state == CANCEL_ASKED ? CANCEL_ENDED : CANCEL_PAST;
        if (conn->state == CONN_CANCELLING) {
                pipit__conn_drained(conn);
        } else {
                pipit__conn_watch_abandoned(conn);
                conn_start_incoming(conn);
        }
}

/* Asks the server to stop the first segment. */
static void
conn_ask(struct conn *conn)
{
        pipit__log(conn->config->log, pipit__conn_now(conn), PIPIT_LOG_DEBUG,
                   "connection to %s: asks the server to cancel", conn->host);
        conn->cancel = pipit__cancel_start(conn->config->cancel_conn, conn->pq, &conn->backend,
                                           conn_on_cancel, conn);
        conn->cancel_state = conn->cancel != NULL ? CANCEL_ASKED : CANCEL_FAILED;
        pipit__conn_watch_abandoned(conn);
}

void
pipit__conn_stop_incoming(struct conn *conn)
{
        if (conn->cancel != NULL || !conn_may_ask(conn))
                return;
        conn_ask(conn);
        /* Until the server knows, it goes no further than what the sockets hold. */
        if (conn->cancel != NULL)
                pipit__watch_want(conn->watch, conn->unflushed ? WATCH_WRITE : 0);
}

/* Deals with a result over its bound that has not come to its end in time. */
static void
conn_on_incoming(struct conn *conn)
{
        if (!conn_may_ask(conn)) {
                pipit__conn_refuse_size(conn);
                return;
        }
        pipit__conn_stop_incoming(conn);
        if (conn->cancel == NULL)
                pipit__conn_watch_incoming(conn);
}

void
pipit__conn_on_patience(struct conn *conn)
{
        const struct reply_queue *replies = &conn->replies;

        if (conn->cancel == NULL && pipit__reply_queue_is_over_limit(replies)) {
                conn_on_incoming(conn);
                return;
        }
        if (replies->n_abandoned == 0 || conn->cancel != NULL)
                return;
        if (!conn_may_ask(conn)) {
                if (replies->n_waiting == 0)
                        pipit__conn_close(conn, "its statements were given up");
        } else if (conn_patience_ms(conn) > 0) {
                pipit__conn_watch_abandoned(conn);
        } else if (conn_may_be_answered(conn)) {
                pipit__timer_set_or_now(conn->limit, 1);
        } else {
                conn_ask(conn);
        }
}

void
pipit__conn_abandon(struct conn *conn, const struct request *req)
{
        pipit__reply_queue_abandon(&conn->replies, req);
        pipit__conn_watch_abandoned(conn);
}

void
pipit__conn_pass_cancel(struct conn *conn)
{
        if (conn->cancel_state == CANCEL_ASKED)
                conn->cancel_state = CANCEL_LATE;
        else if (conn->cancel_state == CANCEL_ENDED)
                conn->cancel_state = CANCEL_PAST;
}
