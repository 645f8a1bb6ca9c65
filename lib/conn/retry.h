/*
 * Retries: who runs again once a segment has failed, and what is then forgotten of what was
 * prepared.
 *
 * The kinds of replies ask, at the Sync and when the connection is lost, about each statement that
 * a request still waits for. What the answer says of the statement, of its latency and of what is
 * prepared, is noted on the way.
 *
 * 1. A statement runs again only if the server surely did not run it or undid it, and if its caller
 *    allowed that, or if nothing has run, because a prepared statement was out of date or the
 *    session was ended for being idle, or if its caller has declared that it has no effect. On a
 *    session it keeps its order, too.
 * 2. Of reads that share a Sync the culprit alone gets its error. Those that the server skipped run
 *    again: together once, in halves, then alone.
 * 3. After a failure among writes that share a Sync each runs alone: there may be no culprit.
 * 4. After an error that leaves open what the server has run (class 08, 40003), nothing but reads
 *    runs again. That others were skipped says no more then: it is libpq who skips, and whatever
 *    stands between may have gone on.
 * 5. A read whose connection was lost runs again once as before, then isolated, for it may be what
 *    ends its connections. A conflict (40001, 40P01), which a replica gives to reads, counts as a
 *    loss.
 * 6. Nothing runs again without end: every way has a count in the request.
 */
#ifndef PIPIT_RETRY_INTERNAL_H
#define PIPIT_RETRY_INTERNAL_H

#include <stdbool.h>

#include "base/cold.h"

struct prepared;
struct request;
struct stmt;

enum retry_decision {
        RETRY_NONE, /* the result is what the caller gets */
        RETRY_AGAIN /* the statement runs once more */
};

/* The error that a segment has failed with. */
struct segment_error {
        char sqlstate[6];
        bool leaves_doubt; /* about what the server has run of the segment */
        char text[200];
};

/* A statement of a segment that has failed. */
struct retry_case {
        struct request *req;
        struct stmt *stmt;         /* NULL for a COMMIT */
        struct prepared *prepared; /* of the connection that it was sent on */
        bool skipped;              /* the server did not run it, because of an error before it */
        bool typed; /* types were relied on, and the statement was not run to its end */
        const struct segment_error *doubt; /* the error of its segment, if that leaves open what the
                                            * server has run; or NULL */
        bool is_bound_to_order; /* again, the statement would run after what was sent later, or
                                   outside of its transaction */
        bool leased; /* the statement is of a session or a transaction, and cannot run elsewhere */
        bool unsuited;   /* the server refuses to write: it runs where that can be done */
        bool may_be_hit; /* another statement was cancelled here: that may have hit this one */
};

/* Decides about a statement that had its Sync to itself. When it was hit by the cancel of another
 * one and must not run again, its error says so. */
enum retry_decision pipit__retry_single(const struct retry_case *it);
/* Decides about one of a session: likewise, but it runs again in its place or not at all. */
enum retry_decision pipit__retry_session(const struct retry_case *it);
/* Decides about one of the reads that shared a Sync. */
enum retry_decision pipit__retry_read(const struct retry_case *it);
/* Decides about one of the writes that shared a Sync. */
enum retry_decision pipit__retry_write(const struct retry_case *it);

/* Decides about a statement without a transaction or a session, of a request that has no error,
 * whose connection was lost. did_not_run: the server surely did not run it; then anything runs
 * again, and else what was declared a read. */
COLD enum retry_decision pipit__retry_lost(struct request *req, bool did_not_run);

/* Fails a request without an error of its own, whose statement was skipped, or nobody knows. */
COLD void pipit__retry_fail_skipped(struct request *req, const struct segment_error *error);

/* Notes what the error of a statement of a transaction says of what is prepared, and whether it was
 * only that. The transaction has failed, but another attempt of it, or of its savepoint, can run.
 */
bool pipit__retry_note(const struct retry_case *it);

#endif
