/*
 * Segments. See segment.h.
 */
#include "segment.h"
#include "pq.h"
#include "request.h"
#include "result.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Each segment here is one statement and its Sync. */
#define SEGMENT_ENTRIES 2

int
pipit__segments_init(struct segments *segments, int n)
{
        *segments = (struct segments){.capacity = n * SEGMENT_ENTRIES};
        segments->ring = calloc((size_t)segments->capacity, sizeof *segments->ring);
        return segments->ring != NULL ? 0 : PIPIT_ENOMEM;
}

void
pipit__segments_fini(struct segments *segments)
{
        free(segments->ring);
        segments->ring = NULL;
}

static struct expected *
segments_at(const struct segments *segments, int i)
{
        return &segments->ring[(segments->first + i) % segments->capacity];
}

int
pipit__segments_statements(const struct segments *segments)
{
        return segments->n / SEGMENT_ENTRIES;
}

void
pipit__segments_push(struct segments *segments, struct request *req)
{
        assert(segments->n + SEGMENT_ENTRIES <= segments->capacity);
        *segments_at(segments, segments->n) = (struct expected){EXPECTED_NOTHING_YET, req};
        *segments_at(segments, segments->n + 1) = (struct expected){EXPECTED_SYNC, NULL};
        segments->n += SEGMENT_ENTRIES;
}

struct request *
pipit__segments_reading(const struct segments *segments)
{
        if (segments->n == 0)
                return NULL;
        return segments_at(segments, segments->reading)->req;
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
                "LOAD",    "LOCK TABLE",        "FETCH",      "MOVE"};

        /* They end what another session prepared, for good, and change nothing in this one. */
        if (strcmp(tag, "COMMIT PREPARED") == 0 || strcmp(tag, "ROLLBACK PREPARED") == 0)
                return false;
        for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
                size_t length = strlen(tags[i]);
                if (strncmp(tag, tags[i], length) == 0 &&
                    (tag[length] == '\0' || tag[length] == ' '))
                        return true;
        }
        return false;
}

/* An answer to the statement that is read now. */
static enum verdict
statement_answer(struct expected *expected, struct pg_result *answer, enum pq_kind kind,
                 struct request **ret_req)
{
        bool unshared = kind != PQ_KIND_ERROR && tag_is_unshared(pipit__pq_tag(answer));
        bool second = expected->state == EXPECTED_ANSWERED && kind != PQ_KIND_ERROR;
        /* Rows that came out of place are not told otherwise: libpq drops them. */
        bool torn = kind == PQ_KIND_ROWS && !pipit__pq_has_all_rows(answer);

        expected->state = EXPECTED_ANSWERED;
        if (expected->req != NULL)
                pipit__result_take(expected->req->res, answer, PIPIT_EXECUTED_ROLLED_BACK);
        else
                pipit__pq_clear(answer);
        *ret_req = expected->req;
        if (second || torn)
                return VERDICT_BROKEN;
        return unshared ? VERDICT_UNSHARED : VERDICT_MORE;
}

/* An error behind the last statement, as of a deferred constraint: it is the whole segment's. */
static enum verdict
segment_error(struct segments *segments, struct pg_result *answer)
{
        struct expected *statement = segments_at(segments, segments->reading - 1);

        segments_at(segments, segments->reading)->state = EXPECTED_SYNC_ERROR;
        if (statement->req != NULL)
                pipit__result_take(statement->req->res, answer, PIPIT_EXECUTED_ROLLED_BACK);
        else
                pipit__pq_clear(answer);
        return VERDICT_MORE;
}

static enum verdict
end_of_results(struct segments *segments)
{
        struct expected *expected = segments_at(segments, segments->reading);

        switch (expected->state) {
        case EXPECTED_ANSWERED: segments->reading++; return VERDICT_MORE;
        case EXPECTED_SYNC_ERROR: expected->state = EXPECTED_SYNC; return VERDICT_MORE;
        case EXPECTED_NOTHING_YET:
        case EXPECTED_SYNC: break; /* libpq gives NULL without end once its link is gone */
        }
        return VERDICT_BROKEN;
}

enum verdict
pipit__segments_read(struct segments *segments, struct pg_result *answer, struct request **ret_req)
{
        *ret_req = NULL;
        if (answer == NULL)
                return end_of_results(segments);
        struct expected *expected = segments_at(segments, segments->reading);
        enum pq_kind kind = pipit__pq_kind(answer);
        bool at_sync = expected->state == EXPECTED_SYNC;
        bool at_statement =
                expected->state == EXPECTED_NOTHING_YET || expected->state == EXPECTED_ANSWERED;

        if (at_statement &&
            (kind == PQ_KIND_ROWS || kind == PQ_KIND_COMMAND || kind == PQ_KIND_ERROR))
                return statement_answer(expected, answer, kind, ret_req);
        if (at_sync && kind == PQ_KIND_ERROR)
                return segment_error(segments, answer);
        pipit__pq_clear(answer);
        return at_sync && kind == PQ_KIND_SYNC ? VERDICT_DONE : VERDICT_BROKEN;
}

bool
pipit__segments_pop(struct segments *segments, struct request **ret_req)
{
        struct expected expected = *segments_at(segments, 0);
        bool is_statement =
                expected.state == EXPECTED_NOTHING_YET || expected.state == EXPECTED_ANSWERED;

        segments->first = (segments->first + 1) % segments->capacity;
        segments->n--;
        if (segments->reading > 0)
                segments->reading--;
        if (is_statement && expected.req == NULL && segments->n_given_up > 0)
                segments->n_given_up--;
        *ret_req = expected.req;
        return is_statement;
}

void
pipit__segments_give_up(struct segments *segments, const struct request *req)
{
        for (int i = 0; i < segments->n; i++) {
                struct expected *expected = segments_at(segments, i);
                if (expected->req != req)
                        continue;
                expected->req = NULL;
                segments->n_given_up++;
                return;
        }
}
