/*
 * Segments: what a connection still owes answers to, in the order it was sent.
 *
 * A segment is what lies between two Syncs: its statements, then the Sync. Answers are matched by
 * it and not by counting: a statement can have an error behind its result, and an error can belong
 * to the Sync. A statement is done when its Sync is answered.
 */
#ifndef PIPIT_SEGMENT_INTERNAL_H
#define PIPIT_SEGMENT_INTERNAL_H

#include <stdbool.h>

struct pg_result;
struct request;

/* What an answer says. */
enum verdict {
        VERDICT_MORE,     /* go on reading */
        VERDICT_DONE,     /* the first segment is complete: take its statements off */
        VERDICT_UNSHARED, /* the statement that answers changed its session */
        VERDICT_BROKEN    /* this cannot be the answer to what was sent */
};

enum expected_state {
        EXPECTED_NOTHING_YET, /* a statement without an answer */
        EXPECTED_ANSWERED,    /* a statement with one; the NULL behind it is to come */
        EXPECTED_SYNC,        /* the end of a segment */
        EXPECTED_SYNC_ERROR   /* the same behind an error; the NULL behind that is to come */
};

struct expected {
        enum expected_state state;
        struct request *req; /* NULL: a Sync, pipit's own statement, or one that was given up */
};

struct segments {
        struct expected *ring;
        int capacity;
        int first;
        int n;
        int reading;    /* which of them the next answer is for, from first */
        int n_given_up; /* statements that nobody waits for any more */
};

/* Room for n segments of one statement each. 0 or PIPIT_ENOMEM. */
int pipit__segments_init(struct segments *segments, int n);
void pipit__segments_fini(struct segments *segments);

/* How many statements are unanswered. */
int pipit__segments_statements(const struct segments *segments);

/* A statement with its Sync was sent; req may be NULL. There must be room. */
void pipit__segments_push(struct segments *segments, struct request *req);

/*
 * The next answer, NULL included; takes it over: it goes into the request's result, or away.
 * On VERDICT_UNSHARED *ret_req is the culprit.
 */
enum verdict
pipit__segments_read(struct segments *segments, struct pg_result *answer, struct request **ret_req);

/* Takes the next statement off the first segment, or the Sync at its end: then false. */
bool pipit__segments_pop(struct segments *segments, struct request **ret_req);

/* The statement that answers next; NULL when there is none or nobody waits for it. */
struct request *pipit__segments_reading(const struct segments *segments);

/* Nobody waits for this one any more; its answer goes away when it comes. */
void pipit__segments_give_up(struct segments *segments, const struct request *req);

#endif
