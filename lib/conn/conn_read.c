/*
 * Reading a connection: results are handed to the reply queue as libpq has them, requests complete
 * as they are answered, and an answered segment is settled.
 *
 * From here an answered segment leads to the next batch: conn_complete_segment() settles it,
 * pipit__conn_drained() in conn_state.c finds what the connection is next, and the pool is told.
 *
 * 1. The state of the connection is entered before a callback runs; after one, nothing but the
 * state is looked at until that says that the connection is not closed.
 * 2. One turn works off CONN_BUDGET results at most, so that others have their turn.
 * 3. No answer is given out once the session's encoding may have changed, or before its tag was
 *    looked at.
 */
#include "conn/conn_int.h"
#include "request/request.h"
#include "request/requests.h"
#include "request/stmt_cache.h"

/* So many results are worked off in one turn before others have theirs. */
#define CONN_BUDGET 256
/* So many bytes over its bound a result is read on to its end, and as many again after a cancel:
 * the sockets of both sides hold no more. */
#define CONN_BEARABLE ((size_t)1 << 24)
/* Of the first so many pieces of a result the bytes are not counted. */
#define CONN_UNCOUNTED 8

/* Whether the session still has what the codecs rely on; closes the connection if not. */
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

/* Closes the connection if its session cannot go on. */
static void
conn_check(struct conn *conn)
{
        if (conn->protocol_lost)
                pipit__conn_break(conn, "libpq lost its place in the protocol");
        else if (conn_check_settings(conn) && conn->replies.n == 0 &&
                 conn->end_reason.text[0] != '\0')
                pipit__conn_break(conn, "the server ended the session");
}

/* Takes the first segment off, which is answered. Its settlement has the request that is to be told
 * of its end when the connection has gone on. */
static void
conn_settle_segment(struct conn *conn, struct settlement *settlement)
{
        struct reply_queue *replies = &conn->replies;
        int64_t now_us = pipit__reactor_now_us(conn->config->reactor);
        bool is_last = pipit__reply_queue_is_at_last_sync(replies);
        /* libpq tells that only while nothing is owed. */
        bool in_transaction = is_last && pipit__pq_in_transaction(conn->pq);
        struct segment_timing timing =
                pipit__segment_time(pipit__stmt_cache_scale(conn->config->stmt_cache),
                                    pipit__reply_queue_read_segment(replies), &conn->flight,
                                    is_last, conn->read_us, now_us);

        conn->read_us = now_us;
        pipit__conn_begin_settlement(conn, settlement);
        settlement->lesson.timing = &timing;
        settlement->is_open = in_transaction && conn->lease_ops == NULL;
        settlement->is_bound_to_order = !is_last || in_transaction;
        pipit__reply_queue_settle(replies, settlement);
        pipit__segment_taught(&settlement->lesson);
        if (pipit__prepared_take_changed(&conn->prepared))
                pipit__stmt_cache_change_schema(conn->config->stmt_cache);
        pipit__requests_again(&settlement->again);
}

/* Goes on after the first segment is answered. */
static void
conn_complete_segment(struct conn *conn)
{
        struct settlement settlement;

        conn_settle_segment(conn, &settlement);
        if (settlement.is_left) {
                pipit__conn_break(conn, "a statement left a transaction open on it");
        } else if (conn->replies.n == 0) {
                pipit__conn_drained(conn);
        } else {
                pipit__conn_pass_cancel(conn);
                pipit__conn_watch_abandoned(conn);
        }
        if (settlement.done != NULL)
                pipit__request_complete(settlement.done);
}

/* Whether a result may be matched to what was sent. One that must not be ends the connection. */
static bool
conn_check_kind(struct conn *conn, struct pg_result *answer, enum pq_kind kind)
{
        if (kind == PQ_KIND_BROKEN)
                pipit__conn_refuse_broken(conn, answer);
        else if (kind == PQ_KIND_ERROR && pipit__pq_is_fatal(answer))
                pipit__conn_refuse_error(conn, answer);
        return conn->state != CONN_CLOSED;
}

/* The bytes that the next result may have. The bound is for what programs ask: with a small one the
 * answer to the settings would end each connection before it has served anybody. */
static size_t
conn_result_limit(const struct conn *conn)
{
        size_t limit = conn->config->max_result_bytes;

        if (limit >= CONN_LARGE || conn->replies.n == 0 ||
            pipit__reply_queue_reads_statement(&conn->replies))
                return limit;
        return CONN_LARGE;
}

/* Whether a result may be as large as it is. A statement whose result may not fails alone: its rows
 * are here, and the connection goes on without them. libpq takes a long row in one read, as fast as
 * it comes, so that conn_read() has not counted it. */
static bool
conn_check_size(struct conn *conn, struct pg_result *answer)
{
        size_t size = pipit__pq_size(answer);

        if (size > CONN_LARGE && pipit__pq_has_large_row(answer, CONN_LARGE))
                conn->oversized = true;
        if (size <= conn->config->max_result_bytes ||
            !pipit__pq_is_over(answer, conn_result_limit(conn)))
                return true;
        if (conn->replies.n > 0 && pipit__reply_queue_reads_statement(&conn->replies)) {
                pipit__reply_queue_set_over_limit(&conn->replies, conn->config->max_result_bytes);
                return true;
        }
        pipit__pq_clear(answer);
        pipit__conn_refuse_size(conn);
        return false;
}

/* Deals with a result that is over its bound, and still comes in. It is read to its end, and goes
 * away, because the next answers are somebody's. The server is asked to stop a result that is much
 * too long, and not sooner, for a cancel that comes late hits the next statement. */
static void
conn_bound_incoming(struct conn *conn)
{
        size_t limit = conn_result_limit(conn);

        if (conn->incoming <= limit)
                return;
        size_t excess = conn->incoming - limit;
        if (!pipit__reply_queue_reads_statement(&conn->replies) || excess > 2 * CONN_BEARABLE) {
                pipit__conn_refuse_size(conn);
                return;
        }
        if (!pipit__reply_queue_is_over_limit(&conn->replies))
                pipit__conn_watch_incoming(conn);
        pipit__reply_queue_set_over_limit(&conn->replies, limit);
        if (excess > CONN_BEARABLE)
                pipit__conn_stop_incoming(conn);
}

/* Does what an answer means for the connection. */
static void
conn_follow(struct conn *conn, enum reply_event event, struct request *done,
            struct pg_result *answer)
{
        switch (event) {
        case REPLY_EVENT_MORE: break;
        case REPLY_EVENT_OWN: pipit__conn_take_own(conn, answer); break;
        case REPLY_EVENT_OWN_FAILED: pipit__conn_refuse_error(conn, answer); break;
        case REPLY_EVENT_REFUSED: pipit__conn_refuse_settings(conn, answer); break;
        case REPLY_EVENT_DONE:
                pipit__conn_watch_abandoned(conn);
                pipit__request_complete(done);
                break;
        case REPLY_EVENT_SYNC:
                /* Before anybody reads this answer, or one after it, in a wrong encoding. */
                if (conn_check_settings(conn))
                        conn_complete_segment(conn);
                break;
        case REPLY_EVENT_UNSHARED: pipit__conn_refuse_unshared(conn); break;
        case REPLY_EVENT_BROKEN: pipit__conn_refuse_unowed(conn); break;
        }
}

/* Takes one result; false when the connection is gone. *ret_ends: after it comes the NULL that ends
 * its command's results, for which libpq never waits. */
static bool
conn_take_result(struct conn *conn, bool *ret_ends)
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
        /* Some requests complete here, before their Sync. */
        if (answer == NULL && !pipit__pq_is_utf8(conn->pq) && !conn_check_settings(conn))
                return false;
        if (answer != NULL && !conn_check_size(conn, answer))
                return false;
        if (kind == PQ_KIND_ERROR)
                pipit__conn_note_error(conn, answer);
        enum reply_event event = pipit__reply_queue_read(&conn->replies, answer, kind, &done);
        conn_follow(conn, event, done, answer);
        return conn->state != CONN_CLOSED;
}

/* Works off results that libpq has, and asks for another turn for what the budget leaves. */
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
                        if (!conn_take_result(conn, &ends))
                                return;
                        continue;
                }
                if (!pipit__pq_holds_more(conn->pq)) {
                        conn->incomplete = true;
                        break;
                }
                if (pipit__pq_consume(conn->pq) != 0) {
                        pipit__conn_break_by_libpq(conn);
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
                conn_work(conn); /* answers that came before the end still count */
                if (conn->state != CONN_CLOSED)
                        pipit__conn_break_by_libpq(conn);
                return;
        }
        if (counts)
                conn->unread = pipit__pq_pending(conn->pq);
        conn_work(conn);
        /* Only now: an answer that was taken has started the count anew. */
        if (conn->state != CONN_CLOSED && conn->incomplete)
                conn_bound_incoming(conn);
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

        /* A server that stops says a word first: the end comes after that. */
        while (looks-- > 0 && conn->state == CONN_IDLE && !pipit__pq_quiet(conn->pq))
                conn_read(conn);
        return conn->state != CONN_CLOSED;
}
