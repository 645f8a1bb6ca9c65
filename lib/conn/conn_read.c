/*
 * Reading a connection. See conn_read.h.
 */
#include "conn/conn_read.h"

#include <stdio.h>
#include <string.h>

#include "base/cold.h"
#include "base/log.h"
#include "conn/conn.h"
#include "conn/conn_cancel.h"
#include "conn/retry.h"
#include "request/request.h"
#include "request/requests.h"
#include "request/stmt_cache.h"
#include "result/result_error.h"

/* Results that one wake-up works off before others have their turn. */
#define CONN_BUDGET 256
/* Pieces of a result whose bytes are not counted, until it is whole. */
#define CONN_UNCOUNTED 8

/* Whether the session still has what the codecs rely on; closes it when not. */
static bool
conn_check_settings(struct conn *conn)
{
        if (pipit__pq_session_ok(conn->pq))
                return true;
        pipit__conn_break(conn,
                          "somebody changed client_encoding or standard_conforming_strings, which "
                          "pipit relies on");
        return false;
}

/* Whether the session can go on; closes it when not. */
static bool
conn_check(struct conn *conn)
{
        if (conn->protocol_lost)
                pipit__conn_break(conn, "libpq lost its place in the protocol");
        else if (!conn_check_settings(conn))
                return false;
        else if (conn->replies.n == 0 && conn->end_reason.text[0] != '\0')
                pipit__conn_break(conn, "the server ended the session");
        return conn->state != CONN_CLOSED;
}

/* Takes the first segment off, which is answered. */
static struct request *
conn_take_segment(struct conn *conn)
{
        struct reply_queue *replies = &conn->replies;
        int64_t now_us = pipit__reactor_now_us(conn->config->reactor);
        struct segment_timing timing = pipit__segment_time(
                &conn->config->stmt_cache->scale, pipit__reply_queue_read_segment(replies),
                &conn->flight, pipit__reply_queue_is_at_last_sync(replies), conn->read_us, now_us);
        struct settlement settlement;

        conn->read_us = now_us;
        pipit__conn_begin_settlement(conn, &settlement);
        settlement.lesson.timing = &timing;
        pipit__reply_queue_settle(replies, &settlement);
        pipit__segment_taught(&settlement.lesson);
        pipit__requests_again(&settlement.again);
        return settlement.done;
}

/* The first segment is answered. */
static void
conn_complete_segment(struct conn *conn)
{
        struct request *done = conn_take_segment(conn);

        if (conn->replies.n == 0) {
                pipit__conn_drained(conn);
        } else {
                pipit__conn_pass_cancel(conn);
                pipit__conn_watch_abandoned(conn);
        }
        if (done != NULL)
                pipit__request_complete(done);
}

/* A statement of a transaction has ended that, or began another. */
static COLD void
conn_tx_ended_by_user(struct conn *conn, struct request *culprit)
{
        char tag[64];

        snprintf(tag, sizeof tag, "%s", pipit_result_tag(pipit__request_result(culprit)));
        pipit__result_fail(
                pipit__request_result(culprit), PIPIT_EUNSHARED, PIPIT_EXECUTED_UNKNOWN,
                PIPIT_PHASE_EXECUTE,
                "%s as plain SQL took the transaction out of pipit's hands, and the "
                "connection was closed: a body commits by itself, pipit_rollback() rolls "
                "back, and pipit_atomic() on a transaction is a savepoint",
                tag);
        pipit__reply_queue_may_be_done(&conn->replies);
        conn->lease_ops->tx_ended_by_user(culprit, conn->lease_arg);
        pipit__conn_break(conn, "a statement in front of it ended the transaction");
}

static COLD void
conn_unshared(struct conn *conn, struct request *culprit)
{
        static const char reason[] = "a statement in front of it changed the session";

        if (conn->lease_ops != NULL && culprit != NULL) {
                conn_tx_ended_by_user(conn, culprit);
                return;
        }
        if (culprit != NULL) {
                char tag[64];
                snprintf(tag, sizeof tag, "%s", pipit_result_tag(pipit__request_result(culprit)));
                pipit__result_fail(pipit__request_result(culprit), PIPIT_EUNSHARED,
                                   PIPIT_EXECUTED_ROLLED_BACK, PIPIT_PHASE_EXECUTE,
                                   "%s changes its session, which other requests share: the "
                                   "connection was closed and its effect is gone; transactions "
                                   "and session settings need a connection of their own",
                                   tag);
        }
        pipit__conn_break(conn, reason);
}

/* libpq offers a COPY, which nobody here can take. What it has done so far is not known. */
static COLD void
conn_refuse_copy(struct conn *conn)
{
        static const char reason[] = "COPY needs a connection of its own";
        const struct request *reader = pipit__reply_queue_reader(&conn->replies);

        if (reader != NULL)
                pipit__result_fail(pipit__request_result(reader), PIPIT_EUNSHARED,
                                   PIPIT_EXECUTED_UNKNOWN, PIPIT_PHASE_EXECUTE,
                                   "%s, and this one, which other requests share, was closed: "
                                   "write rows with INSERT, read them with SELECT",
                                   reason);
        snprintf(conn->end_reason.text, sizeof conn->end_reason.text, "%s", reason);
}

/* Ends the connection for an error after which nothing is as it must be. */
static COLD void
conn_end_by_error(struct conn *conn, struct pg_result *answer)
{
        pipit__conn_note_end(conn, pipit__pq_sqlstate(answer), pipit__pq_error(answer));
        pipit__pq_clear(answer);
        pipit__conn_break(conn, "the server ended the session");
}

/* Ends the connection for an answer that cannot be the one that is owed. */
static COLD void
conn_end_by_protocol(struct conn *conn)
{
        pipit__log(conn->config->log, pipit__conn_now(conn), PIPIT_LOG_DEBUG,
                   "connection to %s: no answer to a %s", conn->host,
                   pipit__reply_queue_reading_name(&conn->replies));
        pipit__conn_break(conn, "an answer came that nothing was sent for");
}

/* Ends the connection for what is no answer of the server. */
static COLD void
conn_end_by_libpq(struct conn *conn, struct pg_result *answer)
{
        const char *text = pipit__pq_error(answer);

        if (text[0] == '\0')
                conn_refuse_copy(conn);
        else
                pipit__log_escape(conn->end_reason.text, sizeof conn->end_reason.text, text);
        pipit__pq_clear(answer);
        pipit__conn_break(conn, "the server ended the session");
}

/* Whether a result may be matched to what was sent. One that must not be ends the connection. */
static bool
conn_check_kind(struct conn *conn, struct pg_result *answer, enum pq_kind kind)
{
        if (kind == PQ_KIND_BROKEN)
                conn_end_by_libpq(conn, answer);
        else if (kind == PQ_KIND_ERROR && pipit__pq_is_fatal(answer))
                conn_end_by_error(conn, answer);
        return conn->state != CONN_CLOSED;
}

static COLD void
conn_over_limit(struct conn *conn)
{
        const struct request *reader = pipit__reply_queue_reader(&conn->replies);

        if (reader != NULL)
                pipit__result_fail(pipit__request_result(reader), PIPIT_ELIMIT,
                                   PIPIT_EXECUTED_UNKNOWN, PIPIT_PHASE_RESULT,
                                   "the result has more than %zu bytes, and the connection was "
                                   "closed: raise max_result_bytes, or ask for fewer rows",
                                   conn->config->max_result_bytes);
        pipit__conn_break(conn, "a result in front was over max_result_bytes");
}

/* Whether a result may be as large as it is; without it, closes the connection when not. One read
 * of libpq's takes a long row as fast as it comes, and nobody counts. */
static bool
conn_check_size(struct conn *conn, struct pg_result *answer)
{
        size_t size = pipit__pq_size(answer);

        if (size > CONN_LARGE && pipit__pq_has_large_row(answer, CONN_LARGE))
                conn->oversized = true;
        if (size <= conn->config->max_result_bytes ||
            !pipit__pq_is_over(answer, conn->config->max_result_bytes))
                return true;
        pipit__pq_clear(answer);
        conn_over_limit(conn);
        return false;
}

/* The answer to a statement of pipit's own. */
static COLD void
conn_take_own(struct conn *conn, struct pg_result *answer)
{
        if (conn->state == CONN_SETTING_UP) {
                conn->serializable =
                        strcmp(pipit__pq_value(answer, "isolation"), "serializable") == 0;
                pipit__conn_learn_backend(conn, answer);
        }
        pipit__pq_clear(answer);
}

/* The connection's part in what an answer says. */
static void
conn_follow(struct conn *conn, enum reply_event event, struct request *done,
            struct pg_result *answer)
{
        switch (event) {
        case REPLY_EVENT_MORE: break;
        case REPLY_EVENT_OWN: conn_take_own(conn, answer); break;
        case REPLY_EVENT_OWN_FAILED: conn_end_by_error(conn, answer); break;
        case REPLY_EVENT_DONE:
                pipit__conn_watch_abandoned(conn);
                pipit__request_complete(done);
                break;
        case REPLY_EVENT_SYNC:
                /* Before anybody reads this answer, or one behind it, in a wrong encoding. */
                if (conn_check_settings(conn))
                        conn_complete_segment(conn);
                break;
        case REPLY_EVENT_UNSHARED:
                conn_unshared(conn, pipit__reply_queue_reader(&conn->replies));
                break;
        case REPLY_EVENT_BROKEN: conn_end_by_protocol(conn); break;
        }
}

/* Takes one answer; false when the connection is gone. *ret_ends: behind it comes the NULL that
 * ends its statement's results, for which libpq never waits. */
static bool
conn_take_answer(struct conn *conn, bool *ret_ends)
{
        struct pg_result *answer = pipit__pq_next(conn->pq);
        enum pq_kind kind = answer != NULL ? pipit__pq_kind(answer) : PQ_KIND_SYNC;
        struct request *done;

        conn->incoming = 0;
        conn->unread = 0;
        conn->pieces = 0;
        *ret_ends = kind != PQ_KIND_SYNC;
        if (!conn_check_kind(conn, answer, kind))
                return false;
        /* Some complete here, in front of their Sync. */
        if (answer == NULL && !pipit__pq_is_utf8(conn->pq) && !conn_check_settings(conn))
                return false;
        if (answer != NULL && !conn_check_size(conn, answer))
                return false;
        enum reply_event event = pipit__reply_queue_read(&conn->replies, answer, kind, &done);
        conn_follow(conn, event, done, answer);
        return conn->state != CONN_CLOSED;
}

/* Works answers off that libpq has, and asks for another turn for what its budget leaves. */
static void
conn_work(struct conn *conn)
{
        bool ends = false;
        conn->incomplete = false;
        for (int budget = CONN_BUDGET; conn->replies.n > 0; budget--) {
                if (budget == 0) {
                        pipit__pq_drop_notifications(conn->pq);
                        pipit__timer_set_or_now(conn->again, 0);
                        return;
                }
                if (!ends)
                        pipit__reply_queue_prefetch(&conn->replies);
                if (ends || !pipit__pq_busy(conn->pq)) {
                        if (!conn_take_answer(conn, &ends))
                                return;
                        continue;
                }
                if (!pipit__pq_holds_more(conn->pq)) {
                        conn->incomplete = true;
                        break;
                }
                if (pipit__pq_consume(conn->pq) != 0) {
                        pipit__conn_break(conn, pipit__pq_message(conn->pq));
                        return;
                }
        }
        pipit__pq_busy(conn->pq); /* has libpq look at what came while nothing was owed */
        pipit__pq_drop_notifications(conn->pq);
        conn_check(conn);
}

/* Takes what the socket has, and works it off. */
static void
conn_read(struct conn *conn)
{
        /* A result that comes in a few pieces is not worth the system calls. */
        bool counts = conn->incomplete && ++conn->pieces > CONN_UNCOUNTED;
        size_t pending = counts ? pipit__pq_pending(conn->pq) : 0;

        if (pending > conn->unread)
                conn->incoming += pending - conn->unread;
        if (pipit__pq_consume(conn->pq) != 0) {
                conn_work(conn); /* what came before the end still counts */
                if (conn->state != CONN_CLOSED)
                        pipit__conn_break(conn, pipit__pq_message(conn->pq));
                return;
        }
        if (counts)
                conn->unread = pipit__pq_pending(conn->pq);
        conn_work(conn);
        /* Only now: an answer that was taken has started the count anew. */
        if (conn->state != CONN_CLOSED && conn->incomplete &&
            conn->incoming > conn->config->max_result_bytes)
                conn_over_limit(conn);
}

void
pipit__conn_on_ready(unsigned ready, void *arg)
{
        struct conn *conn = arg;

        if (conn->state == CONN_CLOSED)
                return;
        if (ready == WATCH_READ)
                conn_read(conn);
        if (conn->state != CONN_CLOSED && conn->unflushed)
                pipit__conn_flush(conn);
}

void
pipit__conn_on_again(void *arg)
{
        struct conn *conn = arg;

        if (conn->state != CONN_CLOSED)
                conn_work(conn);
}

bool
pipit__conn_is_alive(struct conn *conn)
{
        int looks = CONN_BUDGET;

        /* A server that stops says a word first: the end is behind it. */
        while (looks-- > 0 && conn->state == CONN_IDLE && !pipit__pq_quiet(conn->pq))
                conn_read(conn);
        return conn->state != CONN_CLOSED;
}
