/*
 * Segments. See reply_queue.h.
 */
#include "conn/reply_queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/cold.h"
#include "conn/prepared.h"
#include "pq/pq.h"
#include "request/request.h"
#include "request/stmt_cache.h"
#include "result/rows.h"
#include "value/binary.h"

#define REPLY_QUEUE_FIRST_ROOM 16
/* What a connection without work keeps: room for a batch of the usual size. */
#define REPLY_QUEUE_KEPT_ROOM 128

void
pipit__reply_queue_init(struct reply_queue *replies, struct prepared *prepared)
{
        *replies = (struct reply_queue){.prepared = prepared};
}

void
pipit__reply_queue_fini(struct reply_queue *replies)
{
        struct reply reply;

        while (replies->n > 0) {
                pipit__reply_queue_pop(replies, &reply);
                pipit__stmt_unref(reply.stmt);
        }
        free(replies->ring);
        replies->ring = NULL;
}

/* The capacity is a power of two: a division would take longer than all else here. */
static struct reply *
reply_queue_at(const struct reply_queue *replies, int i)
{
        return &replies->ring[(replies->first + i) & (replies->capacity - 1)];
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
                ring[i] = *reply_queue_at(replies, i);
        free(replies->ring);
        replies->ring = ring;
        replies->capacity = capacity;
        replies->first = 0;
        return 0;
}

void
pipit__reply_queue_push(struct reply_queue *replies, const struct reply *reply)
{
        assert(replies->n < replies->capacity);
        *reply_queue_at(replies, replies->n++) = *reply;
        if (reply->stmt != NULL)
                pipit__stmt_ref(reply->stmt);
        if (pipit__reply_waiter(reply) != NULL)
                replies->n_waiting++;
}

const struct reply *
pipit__reply_queue_reading(const struct reply_queue *replies)
{
        return replies->n > 0 ? reply_queue_at(replies, replies->reading) : NULL;
}

void
pipit__reply_queue_prefetch(const struct reply_queue *replies)
{
        const struct reply *reply = pipit__reply_queue_reading(replies);

        if (reply != NULL && reply->req != NULL)
                pipit__request_prefetch(reply->req);
}

/* Whether its first words are one of those. */
static bool
tag_starts_with(const char *tag, const char *const *words)
{
        for (; *words != NULL; words++) {
                size_t length = strlen(*words);
                if (strncmp(tag, *words, length) == 0 &&
                    (tag[length] == '\0' || tag[length] == ' '))
                        return true;
        }
        return false;
}

/* Nearly all other tags there are: none of the words below starts so. */
static bool
tag_is_write(const char *tag)
{
        return strncmp(tag, "INSERT ", 7) == 0 || strncmp(tag, "UPDATE ", 7) == 0 ||
               strncmp(tag, "DELETE ", 7) == 0;
}

/*
 * Whether a command tag is of a statement that leaves something behind in its session, or opens or
 * ends a transaction: on a connection that others share it would happen to them.
 */
static bool
tag_is_unshared(const char *tag)
{
        static const char *const tags[] = {
                "BEGIN",   "START TRANSACTION", "COMMIT",     "ROLLBACK", "SAVEPOINT",
                "RELEASE", "PREPARE",           "DEALLOCATE", "SET",      "RESET",
                "LISTEN",  "UNLISTEN",          "DISCARD",    "DECLARE",  "CLOSE CURSOR",
                "LOAD",    "LOCK TABLE",        "FETCH",      "MOVE",     NULL};

        /* They end what another session prepared, for good, and change nothing in this one. */
        if (strcmp(tag, "COMMIT PREPARED") == 0 || strcmp(tag, "ROLLBACK PREPARED") == 0)
                return false;
        return tag_starts_with(tag, tags);
}

/* Whether a tag says that the transaction is not the one any more that pipit has begun. */
static bool
tag_ends_transaction(const char *tag)
{
        static const char *const tags[] = {"BEGIN",    "START TRANSACTION",   "COMMIT",
                                           "ROLLBACK", "PREPARE TRANSACTION", NULL};

        return tag_starts_with(tag, tags);
}

/* Whether a statement of a transaction may have left something behind that outlives it. */
static bool
tag_is_dirty(const char *tag)
{
        static const char *const tags[] = {"SET",     "RESET",      "LISTEN",  "UNLISTEN",
                                           "PREPARE", "DEALLOCATE", "DISCARD", "DECLARE",
                                           "LOAD",    "CREATE",     NULL};

        return tag_starts_with(tag, tags);
}

/* The server's error, for whoever waits for it. */
static COLD void
error_take(struct reply_queue *replies, struct request *req, struct pg_result *answer)
{
        replies->failed = true;
        if (req != NULL)
                pipit__rows_take(pipit__request_result(req), answer, PIPIT_EXECUTED_ROLLED_BACK);
        else
                pipit__pq_clear(answer);
}

/* Whether a statement has done what it must not do where it runs. */
static bool
statement_is_unshared(struct reply_queue *replies, const struct reply *reply, const char *tag)
{
        switch (reply->segment) {
        case SEGMENT_SINGLE:
        case SEGMENT_READS:
        case SEGMENT_WRITES: return tag_is_unshared(tag);
        case SEGMENT_TRANSACTION:
                replies->dirty |= tag_is_dirty(tag);
                return tag_ends_transaction(tag);
        case SEGMENT_SESSION:
        case SEGMENT_COMMIT: break;
        }
        return false;
}

/* Rows, or the end, of the statement that is read now. */
static enum reply_event
statement_answer(struct reply_queue *replies, struct reply *reply, struct pg_result *answer,
                 enum pq_kind kind, struct request **ret_req)
{
        const char *tag = pipit__pq_tag(answer);
        int64_t selected = pipit__pq_selected(tag);
        bool plain = selected >= 0 || tag_is_write(tag);
        bool unshared = !plain && statement_is_unshared(replies, reply, tag);
        bool second = reply->answered;
        /* Rows that came out of place are not told otherwise: libpq drops them. */
        bool torn = kind == PQ_KIND_ROWS && selected >= 0 && selected != pipit__pq_rows(answer);

        if (reply->stmt != NULL)
                reply->stmt->is_plain = plain;
        reply->answered = true;
        if (reply->req != NULL)
                pipit__rows_take(pipit__request_result(reply->req), answer,
                                 PIPIT_EXECUTED_ROLLED_BACK);
        else
                pipit__pq_clear(answer);
        *ret_req = reply->req;
        if (second || torn)
                return REPLY_EVENT_BROKEN;
        return unshared ? REPLY_EVENT_UNSHARED : REPLY_EVENT_MORE;
}

/* The types of the parameters and of the columns have come. */
static COLD enum reply_event
describe_answer(struct reply *reply, struct pg_result *answer)
{
        uint32_t params[STMT_MAX_TYPES];
        uint32_t columns[STMT_MAX_TYPES];
        int n_params = pipit__pq_param_types(answer, STMT_MAX_TYPES, params);
        int n_columns = pipit__pq_column_types(answer, STMT_MAX_TYPES, columns);

        if (n_params <= STMT_MAX_TYPES)
                pipit__stmt_learn(reply->stmt, n_params, params,
                                  n_columns <= STMT_MAX_TYPES &&
                                          pipit__binary_suits(columns, n_columns));
        reply->answered = true;
        pipit__pq_clear(answer);
        return REPLY_EVENT_MORE;
}

static enum reply_event
command_answer(struct reply_queue *replies, struct reply *reply, struct pg_result *answer,
               struct request **ret_req)
{
        enum pq_kind kind = pipit__pq_kind(answer);
        bool done = kind == PQ_KIND_ROWS || kind == PQ_KIND_COMMAND;

        if (kind == PQ_KIND_ERROR && !reply->skipped) {
                reply->answered = true;
                error_take(replies, reply->req, answer);
                return REPLY_EVENT_MORE;
        }
        if (kind == PQ_KIND_ABORTED && replies->failed && !reply->answered) {
                reply->answered = reply->skipped = true;
                pipit__pq_clear(answer);
                return REPLY_EVENT_MORE;
        }
        if (done && reply->kind == REPLY_STATEMENT && !reply->skipped)
                return statement_answer(replies, reply, answer, kind, ret_req);
        if (done && !reply->answered && reply->kind == REPLY_DESCRIBE)
                return describe_answer(reply, answer);
        if (done && !reply->answered && reply->kind == REPLY_OWN) {
                reply->answered = true;
                return REPLY_EVENT_OWN;
        }
        bool known = done && !reply->answered && reply->kind != REPLY_STATEMENT;
        reply->answered = true;
        pipit__pq_clear(answer);
        return known ? REPLY_EVENT_MORE : REPLY_EVENT_BROKEN;
}

/* An answer where the Sync is to come: an error behind the last statement, as of a deferred
 * constraint, is the whole segment's. */
static enum reply_event
sync_answer(struct reply_queue *replies, struct reply *sync, struct pg_result *answer)
{
        struct reply *last = reply_queue_at(replies, replies->reading - 1);
        enum pq_kind kind = pipit__pq_kind(answer);

        if (kind == PQ_KIND_ERROR && !sync->answered) {
                sync->answered = true;
                error_take(replies, last->req, answer);
                return REPLY_EVENT_MORE;
        }
        pipit__pq_clear(answer);
        return kind == PQ_KIND_SYNC && !sync->answered ? REPLY_EVENT_SYNC : REPLY_EVENT_BROKEN;
}

/* A command has had its last answer. */
static enum reply_event
command_end(struct reply_queue *replies, struct reply *reply, struct request **ret_req)
{
        struct request *req = reply->req;
        bool failed = replies->failed;

        replies->reading++;
        if (reply_queue_at(replies, replies->reading)->kind == REPLY_COMMIT)
                replies->reading++;
        if (reply->kind == REPLY_PREPARE && failed)
                pipit__prepared_drop(replies->prepared, reply->stmt);
        if (reply->kind == REPLY_CLOSE && failed)
                replies->prepared->n_lost++;
        bool early = reply->segment == SEGMENT_READS || reply->segment == SEGMENT_TRANSACTION;
        if (reply->kind != REPLY_STATEMENT || !early || failed || req == NULL)
                return REPLY_EVENT_MORE;
        reply->req = NULL;
        replies->n_waiting--;
        *ret_req = req;
        return REPLY_EVENT_READ;
}

static enum reply_event
end_of_results(struct reply_queue *replies, struct request **ret_req)
{
        struct reply *reply = reply_queue_at(replies, replies->reading);

        /* libpq gives NULL without end once its link is gone. */
        if (!reply->answered)
                return REPLY_EVENT_BROKEN;
        if (reply->kind != REPLY_SYNC)
                return command_end(replies, reply, ret_req);
        reply->answered = false; /* behind an error that was the Sync's: now the Sync */
        return REPLY_EVENT_MORE;
}

enum reply_event
pipit__reply_queue_read(struct reply_queue *replies, struct pg_result *answer,
                        struct request **ret_req)
{
        *ret_req = NULL;
        if (answer == NULL)
                return end_of_results(replies, ret_req);
        struct reply *reply = reply_queue_at(replies, replies->reading);
        if (reply->kind == REPLY_SYNC)
                return sync_answer(replies, reply, answer);
        return command_answer(replies, reply, answer, ret_req);
}

/* A large ring, with nothing in it: there may be many connections without work. */
static COLD void
reply_queue_give_back(struct reply_queue *replies)
{
        free(replies->ring);
        replies->ring = NULL;
        replies->capacity = replies->first = 0;
}

bool
pipit__reply_queue_pop(struct reply_queue *replies, struct reply *ret_reply)
{
        struct reply *reply = reply_queue_at(replies, 0);

        *ret_reply = *reply;
        replies->first = (replies->first + 1) & (replies->capacity - 1);
        replies->n--;
        if (replies->reading > 0)
                replies->reading--;
        if (pipit__reply_waiter(reply) != NULL)
                replies->n_waiting--;
        if (reply->abandoned)
                replies->n_abandoned--;
        if (reply->kind == REPLY_SYNC)
                replies->failed = false;
        if (replies->n == 0 && replies->capacity > REPLY_QUEUE_KEPT_ROOM)
                reply_queue_give_back(replies);
        return ret_reply->kind != REPLY_SYNC;
}

void
pipit__reply_queue_may_be_done(struct reply_queue *replies)
{
        for (int i = 0; i < replies->n; i++)
                reply_queue_at(replies, i)->uncommitted = false;
}

void
pipit__reply_queue_abandon(struct reply_queue *replies, const struct request *req)
{
        for (int i = 0; i < replies->n; i++) {
                struct reply *reply = reply_queue_at(replies, i);
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

bool
pipit__reply_queue_is_abandoned(const struct reply_queue *replies)
{
        bool abandoned = false;

        for (int i = 0; i < replies->n; i++) {
                const struct reply *reply = reply_queue_at(replies, i);
                if (reply->kind == REPLY_SYNC)
                        return abandoned;
                /* A transaction that one of its statements has doomed comes to nothing. */
                if (reply->abandoned && reply->segment == SEGMENT_TRANSACTION)
                        return true;
                if (pipit__reply_waiter(reply) != NULL && reply->segment != SEGMENT_TRANSACTION)
                        return false;
                abandoned = abandoned || reply->abandoned;
        }
        return false;
}

int64_t
pipit__reply_queue_sent_us(const struct reply_queue *replies)
{
        for (int i = 0; i < replies->n; i++) {
                const struct reply *reply = reply_queue_at(replies, i);
                if (reply->kind == REPLY_SYNC)
                        return reply->sent_us;
        }
        return 0;
}

bool
pipit__reply_queue_waits_for_fragile(const struct reply_queue *replies)
{
        for (int i = 0; i < replies->n; i++) {
                const struct request *req = pipit__reply_waiter(reply_queue_at(replies, i));
                if (req != NULL && !pipit__request_may_share(req))
                        return true;
        }
        return false;
}
