/*
 * The reply queue. See reply_queue.h.
 */
#include "conn/reply_queue.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cold.h"
#include "base/log.h"
#include "conn/reply_queue_int.h"
#include "connect/connect_attempt.h"
#include "request/request.h"
#include "request/stmt.h"
#include "request/stmt_types.h"
#include "result/result_error.h"
#include "result/rows.h"

#define REPLY_QUEUE_FIRST_ROOM 16
/* A connection without work keeps room for a batch of the usual size. */
#define REPLY_QUEUE_KEPT_ROOM 128

void
pipit__reply_queue_init(struct reply_queue *replies, struct prepared *prepared)
{
        *replies = (struct reply_queue){.prepared = prepared};
}

/* Gives back a large ring that is empty, for there may be many connections without work. */
static COLD void
reply_queue_give_back(struct reply_queue *replies)
{
        free(replies->ring);
        replies->ring = NULL;
        replies->capacity = replies->first = 0;
}

/* Gives the references of a reply back. */
static void
reply_release(const struct reply *reply)
{
        pipit__stmt_types_unref(reply->types);
        pipit__stmt_unref(reply->stmt);
}

/* Takes the first reply off, whose references are given back already, or are somebody else's. */
static void
reply_queue_drop_first(struct reply_queue *replies)
{
        const struct reply *reply = pipit__reply_at(replies, 0);

        if (pipit__reply_waiter(reply) != NULL)
                replies->n_waiting--;
        if (reply->abandoned)
                replies->n_abandoned--;
        if (reply->ops->is_sync)
                replies->failed = false;
        replies->first = (replies->first + 1) & (replies->capacity - 1);
        replies->n--;
        if (replies->reading > 0)
                replies->reading--;
        if (replies->n == 0 && replies->capacity > REPLY_QUEUE_KEPT_ROOM)
                reply_queue_give_back(replies);
}

/* Takes the first reply off; its references become the caller's. */
static struct reply
reply_queue_pop(struct reply_queue *replies)
{
        struct reply reply = *pipit__reply_at(replies, 0);

        reply_queue_drop_first(replies);
        return reply;
}

void
pipit__reply_queue_fini(struct reply_queue *replies)
{
        while (replies->n > 0) {
                struct reply reply = reply_queue_pop(replies);
                reply_release(&reply);
        }
        reply_queue_give_back(replies);
}

int
pipit__reply_queue_reserve(struct reply_queue *replies, int n)
{
        int capacity = replies->capacity > 0 ? replies->capacity : REPLY_QUEUE_FIRST_ROOM;

        while (capacity < replies->n + n)
                capacity *= 2;
        if (capacity == replies->capacity)
                return 0;
        struct reply *ring = calloc((size_t)capacity, sizeof *ring);
        if (ring == NULL)
                return PIPIT_ENOMEM;
        for (int i = 0; i < replies->n; i++)
                ring[i] = *pipit__reply_at(replies, i);
        free(replies->ring);
        replies->ring = ring;
        replies->capacity = capacity;
        replies->first = 0;
        return 0;
}

/* The place of the next reply: there is room. */
static struct reply *
reply_queue_next(struct reply_queue *replies)
{
        assert(replies->n < replies->capacity);
        return pipit__reply_at(replies, replies->n++);
}

void
pipit__reply_queue_push(struct reply_queue *replies, const struct reply_ops *ops,
                        struct request *req, struct stmt *stmt)
{
        struct reply *reply = reply_queue_next(replies);

        *reply = (struct reply){.ops = ops, .req = req, .stmt = stmt};
        if (stmt != NULL)
                pipit__stmt_ref(stmt);
        if (pipit__reply_waiter(reply) != NULL)
                replies->n_waiting++;
}

void
pipit__reply_queue_push_statement(struct reply_queue *replies, const struct reply_ops *ops,
                                  struct request *req, struct stmt *stmt, struct stmt_types *types)
{
        struct reply *reply = reply_queue_next(replies);

        *reply = (struct reply){.ops = ops,
                                .req = req,
                                .stmt = pipit__stmt_ref(stmt),
                                .types = pipit__stmt_types_ref(types)};
        replies->n_waiting++;
}

void
pipit__reply_queue_push_sync(struct reply_queue *replies, const struct reply_ops *ops,
                             struct request *req, const struct sending *segment)
{
        struct reply *reply = reply_queue_next(replies);

        *reply = (struct reply){.ops = ops, .req = req, .segment = *segment};
        if (pipit__reply_waiter(reply) != NULL)
                replies->n_waiting++;
}

/* ---- what the kinds use */

/* Notes an error of the segment: the first, or one that leaves what has run in doubt. */
static COLD void
reply_queue_note_error(struct reply_queue *replies, const struct pg_result *answer)
{
        struct pipit_error error = {0};

        pipit__pq_read_error(answer, &error);
        bool leaves_doubt = pipit__error_leaves_doubt(&error);
        if (replies->failed && !leaves_doubt)
                return;
        replies->error = (struct segment_error){.leaves_doubt = leaves_doubt};
        memcpy(replies->error.sqlstate, error.sqlstate, sizeof error.sqlstate);
        pipit__log_escape(replies->error.text, sizeof replies->error.text, error.message);
}

void
pipit__reply_take_error(struct reply_queue *replies, struct request *req, struct pg_result *answer)
{
        reply_queue_note_error(replies, answer);
        replies->failed = true;
        if (req != NULL)
                pipit__rows_take(pipit__request_result(req), answer, PIPIT_EXECUTED_ROLLED_BACK);
        else
                pipit__pq_clear(answer);
}

enum reply_event
pipit__reply_take_other(struct reply_queue *replies, struct reply *reply, struct pg_result *answer,
                        enum pq_kind kind)
{
        bool is_skip = kind == PQ_KIND_ABORTED && replies->failed && !reply->answered;

        reply->answered = true;
        if (kind == PQ_KIND_ERROR && !reply->skipped) {
                pipit__reply_take_error(replies, reply->req, answer);
                return REPLY_EVENT_MORE;
        }
        reply->skipped = reply->skipped || is_skip;
        pipit__pq_clear(answer);
        return is_skip ? REPLY_EVENT_MORE : REPLY_EVENT_BROKEN;
}

enum reply_event
pipit__reply_take_plain(struct reply_queue *replies, struct reply *reply, struct pg_result *answer,
                        enum pq_kind kind)
{
        if (!pipit__reply_is_success(kind) || reply->answered)
                return pipit__reply_take_other(replies, reply, answer, kind);
        reply->answered = true;
        pipit__pq_clear(answer);
        return REPLY_EVENT_MORE;
}

const struct reply *
pipit__reply_in_front(const struct reply_queue *replies)
{
        return pipit__reply_at(replies, replies->reading - 1);
}

/* Says what became of a statement whose connection was lost. */
static COLD const char *
lost_text(enum pipit_executed executed)
{
        switch (executed) {
        case PIPIT_EXECUTED_NO: return "the statement was not executed";
        case PIPIT_EXECUTED_ROLLED_BACK: return "its transaction is rolled back";
        case PIPIT_EXECUTED_YES:
        case PIPIT_EXECUTED_UNKNOWN: break;
        }
        return "nobody knows whether the statement was executed";
}

void
pipit__reply_fail_lost(const struct reply *reply, const struct settlement *settlement,
                       enum pipit_executed executed)
{
        const struct conn_error *cause = settlement->cause;
        char text[sizeof cause->text + sizeof cause->host + 100];
        struct pipit_error error = {.code = PIPIT_ELOST,
                                    .executed = executed,
                                    .phase = PIPIT_PHASE_EXECUTE,
                                    .host = cause->host,
                                    .message = text};

        if (pipit__sqlstate_leaves_doubt(cause->sqlstate))
                error.executed = PIPIT_EXECUTED_UNKNOWN;
        snprintf(text, sizeof text, "the connection to %s was lost before the answer (%s): %s",
                 cause->host, cause->text, lost_text(error.executed));
        memcpy(error.sqlstate, cause->sqlstate, sizeof error.sqlstate);
        pipit__request_fail_like(reply->req, &error);
}

void
pipit__reply_fail_over_limit(const struct reply *reply, enum pipit_executed executed)
{
        struct pipit_result *res = pipit__request_result(reply->req);
        const struct pipit_error *error = pipit_result_error(res);

        if (error != NULL && strcmp(error->sqlstate, "57014") != 0)
                return;
        pipit__result_fail(res, PIPIT_ELIMIT, executed, PIPIT_PHASE_RESULT,
                           "the result has more than %zu bytes: raise max_result_bytes, or ask for "
                           "fewer rows",
                           reply->over_limit);
}

/* ---- results, and the end */

enum reply_event
pipit__reply_queue_read(struct reply_queue *replies, struct pg_result *answer, enum pq_kind kind,
                        struct request **ret_done)
{
        struct reply *reply = pipit__reply_at(replies, replies->reading);
        const struct reply_ops *ops = reply->ops;

        if (answer != NULL)
                return ops->take(replies, reply, answer, kind);
        /* libpq gives NULL without end once its link is gone. */
        if (!reply->answered)
                return REPLY_EVENT_BROKEN;
        if (!ops->is_sync)
                replies->reading++;
        return ops->end != NULL ? ops->end(replies, reply, ret_done) : REPLY_EVENT_MORE;
}

void
pipit__reply_queue_settle(struct reply_queue *replies, struct settlement *settlement)
{
        bool is_sync = false;

        settlement->failed = replies->failed;
        settlement->error = replies->failed ? &replies->error : NULL;
        settlement->prepared = replies->prepared;
        while (!is_sync) {
                const struct reply *reply = pipit__reply_at(replies, 0);
                is_sync = reply->ops->is_sync;
                if (reply->ops->settle != NULL)
                        reply->ops->settle(reply, settlement);
                reply_release(reply);
                reply_queue_drop_first(replies);
        }
}

/* Whether the session was ended because nothing was sent on it: what was sent meanwhile was not
 * read, if nothing of it was answered. */
static COLD bool
reply_queue_was_idle(const struct reply_queue *replies, const struct conn_error *cause)
{
        bool ended_idle =
                strcmp(cause->sqlstate, "57P05") == 0 || strcmp(cause->sqlstate, "25P03") == 0;

        return ended_idle && replies->n > 0 && replies->reading == 0 &&
               !pipit__reply_at(replies, 0)->answered;
}

void
pipit__reply_queue_lose(struct reply_queue *replies, struct settlement *settlement)
{
        settlement->failed = true;
        settlement->error = replies->failed ? &replies->error : NULL;
        settlement->tx_may_be_done = replies->tx_may_be_done;
        settlement->idle = reply_queue_was_idle(replies, settlement->cause);
        settlement->prepared = replies->prepared;
        while (replies->n > 0) {
                struct reply reply = reply_queue_pop(replies);
                if (reply.req != NULL && reply.over_limit != 0)
                        pipit__reply_fail_over_limit(&reply, PIPIT_EXECUTED_UNKNOWN);
                if (reply.ops->lost != NULL)
                        reply.ops->lost(&reply, settlement);
                reply_release(&reply);
        }
}

/* ---- what becomes of it */

void
pipit__reply_queue_may_be_done(struct reply_queue *replies)
{
        replies->tx_may_be_done = true;
}

void
pipit__reply_queue_abandon(struct reply_queue *replies, const struct request *req)
{
        for (int i = 0; i < replies->n; i++) {
                struct reply *reply = pipit__reply_at(replies, i);
                if (reply->req != req)
                        continue;
                bool waits = pipit__reply_waiter(reply) != NULL;
                reply->req = NULL;
                if (!waits)
                        continue;
                reply->abandoned = true;
                replies->n_waiting--;
                replies->n_abandoned++;
                return;
        }
}
