/*
 * Statements that nobody waits for. See conn_cancel.h.
 */
#include "conn/conn_cancel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "conn/cancel.h"
#include "conn/conn.h"
#include "pq/pq_cancel.h"
#include "request/request.h"

/* What is answered by then need not be cancelled: a cancel costs the server more than most
 * statements. */
#define CANCEL_AFTER_MS 2
/* The same where something waits behind it that must not run again: the longer a statement has run,
 * the less likely it is that it ends just when the cancel comes. */
#define CANCEL_AFTER_OTHERS_MS 50
/* Until then an answer that has begun to come is let come. */
#define CANCEL_UNREAD_MS 100
/* How long an answer may take once the server has had its cancel: it may never have had the
 * statement. */
#define CANCEL_ANSWER_MS 1000
/* How long answers that nobody waits for may keep a connection busy, once nothing more can be
 * done about it. */
#define CONN_ABANDONED_MS 5000

static void
conn_set_limit(struct conn *conn, int64_t delay_ms)
{
        pipit__timer_set_or_now(conn->limit, delay_ms);
}

/* How long the first segment has been the first. */
static int64_t
conn_age_us(const struct conn *conn)
{
        const struct sending *segment = pipit__reply_queue_first_segment(&conn->replies);
        int64_t since_us = conn->read_us;

        if (segment != NULL && segment->sent_us > since_us)
                since_us = segment->sent_us;
        return pipit__reactor_now_us(conn->config->reactor) - since_us;
}

/* Milliseconds until the server is asked about the first segment; 0: now. */
static int64_t
conn_patience(const struct conn *conn)
{
        int64_t patience_ms = pipit__reply_queue_waits_for_fragile(&conn->replies)
                                      ? CANCEL_AFTER_OTHERS_MS
                                      : CANCEL_AFTER_MS;
        int64_t left_us = 1000 * patience_ms - conn_age_us(conn);

        return left_us > 0 ? (left_us + 999) / 1000 : 0;
}

/* Whether its answer may be here already: then that is read first, but a long one has no end. */
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

/* How long what nobody waits for may still take. */
static int64_t
conn_grace(const struct conn *conn)
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

        /* A cancel has an end, which comes here. */
        if (replies->n_abandoned == 0 || conn->cancel != NULL)
                return;
        if (conn_may_ask(conn))
                conn_set_limit(conn, conn_patience(conn));
        else if (replies->n_waiting == 0)
                conn_set_limit(conn, conn_grace(conn));
}

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
        if (conn->state == CONN_CANCELLING)
                pipit__conn_drained(conn);
        else
                pipit__conn_watch_abandoned(conn);
}

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
pipit__conn_on_patience(struct conn *conn)
{
        const struct reply_queue *replies = &conn->replies;

        if (replies->n_abandoned == 0 || conn->cancel != NULL)
                return;
        if (!conn_may_ask(conn)) {
                if (replies->n_waiting == 0)
                        pipit__conn_close(conn, "its statements were given up");
        } else if (conn_patience(conn) > 0) {
                pipit__conn_watch_abandoned(conn);
        } else if (conn_may_be_answered(conn)) {
                conn_set_limit(conn, 1);
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

void
pipit__conn_learn_backend(struct conn *conn, const struct pg_result *answer)
{
        struct backend *backend = &conn->backend;

        int pid = pipit__pq_backend_pid(conn->pq);

        snprintf(backend->pid, sizeof backend->pid, "%d", pid);
        /* A pooler gives a number of its own, and the session behind it is soon another's. */
        if (strtol(pipit__pq_value(answer, "pid"), NULL, 10) == pid)
                snprintf(backend->began, sizeof backend->began, "%s",
                         pipit__pq_value(answer, "began"));
}
