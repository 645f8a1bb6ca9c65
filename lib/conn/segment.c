/*
 * Segments. See segment.h.
 */
#include "conn/segment.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/cold.h"
#include "conn/prepared.h"
#include "pq/pq.h"
#include "request/request.h"
#include "request/stmt_cache.h"
#include "result/result.h"
#include "value/binary.h"

#define SEGMENTS_FIRST_ROOM 16
/* What a connection without work keeps: room for a batch of the usual size. */
#define SEGMENTS_KEPT_ROOM 128

void
pipit__segments_init(struct segments *segments, struct prepared *prepared)
{
        *segments = (struct segments){.prepared = prepared};
}

void
pipit__segments_fini(struct segments *segments)
{
        struct expected expected;

        while (segments->n > 0) {
                pipit__segments_pop(segments, &expected);
                pipit__stmt_unref(expected.stmt);
        }
        free(segments->ring);
        segments->ring = NULL;
}

/* The capacity is a power of two: a division would take longer than all else here. */
static struct expected *
segments_at(const struct segments *segments, int i)
{
        return &segments->ring[(segments->first + i) & (segments->capacity - 1)];
}

int
pipit__segments_reserve(struct segments *segments, int n)
{
        int capacity = segments->capacity > 0 ? segments->capacity : SEGMENTS_FIRST_ROOM;

        while (capacity < segments->n + n)
                capacity *= 2;
        if (capacity == segments->capacity)
                return 0;
        struct expected *ring = calloc((size_t)capacity, sizeof *ring);
        if (ring == NULL)
                return PIPIT_ENOMEM;
        for (int i = 0; i < segments->n; i++)
                ring[i] = *segments_at(segments, i);
        free(segments->ring);
        segments->ring = ring;
        segments->capacity = capacity;
        segments->first = 0;
        return 0;
}

void
pipit__segments_push(struct segments *segments, const struct expected *expected)
{
        assert(segments->n < segments->capacity);
        *segments_at(segments, segments->n++) = *expected;
        if (expected->stmt != NULL)
                pipit__stmt_ref(expected->stmt);
        if (pipit__expected_waiter(expected) != NULL)
                segments->n_waiting++;
}

const struct expected *
pipit__segments_reading(const struct segments *segments)
{
        return segments->n > 0 ? segments_at(segments, segments->reading) : NULL;
}

void
pipit__segments_prefetch(const struct segments *segments)
{
        const struct expected *expected = pipit__segments_reading(segments);

        if (expected != NULL && expected->req != NULL)
                pipit__request_prefetch(expected->req);
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
error_take(struct segments *segments, struct request *req, struct pg_result *answer)
{
        segments->failed = true;
        if (req != NULL)
                pipit__result_take(req->res, answer, PIPIT_EXECUTED_ROLLED_BACK);
        else
                pipit__pq_clear(answer);
}

/* Whether a statement has done what it must not do where it runs. */
static bool
statement_is_unshared(struct segments *segments, const struct expected *expected, const char *tag)
{
        switch (expected->segment) {
        case SEGMENT_SINGLE:
        case SEGMENT_READS:
        case SEGMENT_WRITES: return tag_is_unshared(tag);
        case SEGMENT_TRANSACTION:
                segments->dirty |= tag_is_dirty(tag);
                return tag_ends_transaction(tag);
        case SEGMENT_SESSION:
        case SEGMENT_COMMIT: break;
        }
        return false;
}

/* Rows, or the end, of the statement that is read now. */
static enum verdict
statement_answer(struct segments *segments, struct expected *expected, struct pg_result *answer,
                 enum pq_kind kind, struct request **ret_req)
{
        const char *tag = pipit__pq_tag(answer);
        int64_t selected = pipit__pq_selected(tag);
        bool plain = selected >= 0 || tag_is_write(tag);
        bool unshared = !plain && statement_is_unshared(segments, expected, tag);
        bool second = expected->answered;
        /* Rows that came out of place are not told otherwise: libpq drops them. */
        bool torn = kind == PQ_KIND_ROWS && selected >= 0 && selected != pipit__pq_rows(answer);

        if (expected->stmt != NULL)
                expected->stmt->is_plain = plain;
        expected->answered = true;
        if (expected->req != NULL)
                pipit__result_take(expected->req->res, answer, PIPIT_EXECUTED_ROLLED_BACK);
        else
                pipit__pq_clear(answer);
        *ret_req = expected->req;
        if (second || torn)
                return VERDICT_BROKEN;
        return unshared ? VERDICT_UNSHARED : VERDICT_MORE;
}

/* The types of the parameters and of the columns have come. */
static COLD enum verdict
describe_answer(struct expected *expected, struct pg_result *answer)
{
        uint32_t params[STMT_MAX_TYPES];
        uint32_t columns[STMT_MAX_TYPES];
        int n_params = pipit__pq_param_types(answer, STMT_MAX_TYPES, params);
        int n_columns = pipit__pq_column_types(answer, STMT_MAX_TYPES, columns);

        if (n_params <= STMT_MAX_TYPES)
                pipit__stmt_learn(expected->stmt, n_params, params,
                                  n_columns <= STMT_MAX_TYPES &&
                                          pipit__binary_suits(columns, n_columns));
        expected->answered = true;
        pipit__pq_clear(answer);
        return VERDICT_MORE;
}

static enum verdict
command_answer(struct segments *segments, struct expected *expected, struct pg_result *answer,
               struct request **ret_req)
{
        enum pq_kind kind = pipit__pq_kind(answer);
        bool done = kind == PQ_KIND_ROWS || kind == PQ_KIND_COMMAND;

        if (kind == PQ_KIND_ERROR && !expected->skipped) {
                expected->answered = true;
                error_take(segments, expected->req, answer);
                return VERDICT_MORE;
        }
        if (kind == PQ_KIND_ABORTED && segments->failed && !expected->answered) {
                expected->answered = expected->skipped = true;
                pipit__pq_clear(answer);
                return VERDICT_MORE;
        }
        if (done && expected->kind == EXPECTED_STATEMENT && !expected->skipped)
                return statement_answer(segments, expected, answer, kind, ret_req);
        if (done && !expected->answered && expected->kind == EXPECTED_DESCRIBE)
                return describe_answer(expected, answer);
        if (done && !expected->answered && expected->kind == EXPECTED_OWN) {
                expected->answered = true;
                return VERDICT_OWN;
        }
        bool known = done && !expected->answered && expected->kind != EXPECTED_STATEMENT;
        expected->answered = true;
        pipit__pq_clear(answer);
        return known ? VERDICT_MORE : VERDICT_BROKEN;
}

/* An answer where the Sync is to come: an error behind the last statement, as of a deferred
 * constraint, is the whole segment's. */
static enum verdict
sync_answer(struct segments *segments, struct expected *sync, struct pg_result *answer)
{
        struct expected *last = segments_at(segments, segments->reading - 1);
        enum pq_kind kind = pipit__pq_kind(answer);

        if (kind == PQ_KIND_ERROR && !sync->answered) {
                sync->answered = true;
                error_take(segments, last->req, answer);
                return VERDICT_MORE;
        }
        pipit__pq_clear(answer);
        return kind == PQ_KIND_SYNC && !sync->answered ? VERDICT_SYNC : VERDICT_BROKEN;
}

/* A command has had its last answer. */
static enum verdict
command_end(struct segments *segments, struct expected *expected, struct request **ret_req)
{
        struct request *req = expected->req;
        bool failed = segments->failed;

        segments->reading++;
        if (segments_at(segments, segments->reading)->kind == EXPECTED_COMMIT)
                segments->reading++;
        if (expected->kind == EXPECTED_PREPARE && failed)
                pipit__prepared_drop(segments->prepared, expected->stmt);
        if (expected->kind == EXPECTED_CLOSE && failed)
                segments->prepared->n_lost++;
        bool early = expected->segment == SEGMENT_READS || expected->segment == SEGMENT_TRANSACTION;
        if (expected->kind != EXPECTED_STATEMENT || !early || failed || req == NULL)
                return VERDICT_MORE;
        expected->req = NULL;
        segments->n_waiting--;
        *ret_req = req;
        return VERDICT_READ;
}

static enum verdict
end_of_results(struct segments *segments, struct request **ret_req)
{
        struct expected *expected = segments_at(segments, segments->reading);

        /* libpq gives NULL without end once its link is gone. */
        if (!expected->answered)
                return VERDICT_BROKEN;
        if (expected->kind != EXPECTED_SYNC)
                return command_end(segments, expected, ret_req);
        expected->answered = false; /* behind an error that was the Sync's: now the Sync */
        return VERDICT_MORE;
}

enum verdict
pipit__segments_read(struct segments *segments, struct pg_result *answer, struct request **ret_req)
{
        *ret_req = NULL;
        if (answer == NULL)
                return end_of_results(segments, ret_req);
        struct expected *expected = segments_at(segments, segments->reading);
        if (expected->kind == EXPECTED_SYNC)
                return sync_answer(segments, expected, answer);
        return command_answer(segments, expected, answer, ret_req);
}

/* A large ring, with nothing in it: there may be many connections without work. */
static COLD void
segments_give_back(struct segments *segments)
{
        free(segments->ring);
        segments->ring = NULL;
        segments->capacity = segments->first = 0;
}

bool
pipit__segments_pop(struct segments *segments, struct expected *ret_expected)
{
        struct expected *expected = segments_at(segments, 0);

        *ret_expected = *expected;
        segments->first = (segments->first + 1) & (segments->capacity - 1);
        segments->n--;
        if (segments->reading > 0)
                segments->reading--;
        if (pipit__expected_waiter(expected) != NULL)
                segments->n_waiting--;
        if (expected->given_up)
                segments->n_given_up--;
        if (expected->kind == EXPECTED_SYNC)
                segments->failed = false;
        if (segments->n == 0 && segments->capacity > SEGMENTS_KEPT_ROOM)
                segments_give_back(segments);
        return ret_expected->kind != EXPECTED_SYNC;
}

void
pipit__segments_may_be_done(struct segments *segments)
{
        for (int i = 0; i < segments->n; i++)
                segments_at(segments, i)->undone = false;
}

void
pipit__segments_give_up(struct segments *segments, const struct request *req)
{
        for (int i = 0; i < segments->n; i++) {
                struct expected *expected = segments_at(segments, i);
                if (expected->req != req)
                        continue;
                bool waits = pipit__expected_waiter(expected) != NULL;
                expected->req = NULL;
                if (!waits)
                        continue;
                expected->given_up = true;
                segments->n_waiting--;
                segments->n_given_up++;
                return;
        }
}

bool
pipit__segments_is_abandoned(const struct segments *segments)
{
        bool given_up = false;

        for (int i = 0; i < segments->n; i++) {
                const struct expected *expected = segments_at(segments, i);
                if (expected->kind == EXPECTED_SYNC)
                        return given_up;
                /* A transaction that one of its statements has doomed comes to nothing. */
                if (expected->given_up && expected->segment == SEGMENT_TRANSACTION)
                        return true;
                if (pipit__expected_waiter(expected) != NULL &&
                    expected->segment != SEGMENT_TRANSACTION)
                        return false;
                given_up = given_up || expected->given_up;
        }
        return false;
}

int64_t
pipit__segments_sent_us(const struct segments *segments)
{
        for (int i = 0; i < segments->n; i++) {
                const struct expected *expected = segments_at(segments, i);
                if (expected->kind == EXPECTED_SYNC)
                        return expected->sent_us;
        }
        return 0;
}

bool
pipit__segments_waits_for_fragile(const struct segments *segments)
{
        for (int i = 0; i < segments->n; i++) {
                const struct request *req = pipit__expected_waiter(segments_at(segments, i));
                if (req != NULL && !req->is_read && !req->is_grouped)
                        return true;
        }
        return false;
}
