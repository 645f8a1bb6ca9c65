/*
 * Segments: what a connection still owes answers to, in the order it was sent.
 *
 * A segment is what lies between two Syncs: commands, then the Sync. Answers are matched by it and
 * not by counting: a statement can have an error behind its result, an error skips the commands
 * behind it, and an error can belong to the Sync. A statement is done when its Sync is answered;
 * one of a group of reads as soon as its rows are there.
 */
#ifndef PIPIT_SEGMENT_INTERNAL_H
#define PIPIT_SEGMENT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pg_result;
struct prepared;
struct request;
struct stmt;

/* What an answer says. */
enum verdict {
        VERDICT_MORE,     /* go on reading */
        VERDICT_OWN,      /* an answer to a statement of pipit's own, still the caller's */
        VERDICT_READ,     /* a statement of a group of reads is complete: it has been taken off */
        VERDICT_SYNC,     /* the first segment is complete: take it off */
        VERDICT_UNSHARED, /* the statement that answers changed its session */
        VERDICT_BROKEN    /* this cannot be the answer to what was sent */
};

enum segment_kind {
        SEGMENT_SINGLE,      /* one statement, whose fate is its own */
        SEGMENT_READS,       /* declared reads that share a Sync */
        SEGMENT_WRITES,      /* statements that are committed together */
        SEGMENT_SESSION,     /* one statement, that may change its session */
        SEGMENT_TRANSACTION, /* statements of a transaction that goes on */
        SEGMENT_COMMIT       /* its end, for the request that is told */
};

enum expected_kind {
        EXPECTED_OWN,       /* a statement of pipit's own, without which nothing is as it must be */
        EXPECTED_CONTROL,   /* the same, as BEGIN: when it fails, the statement behind it does */
        EXPECTED_CLOSE,     /* the end of a prepared statement */
        EXPECTED_PREPARE,   /* in front of the first statement of a statement */
        EXPECTED_DESCRIBE,  /* the types of its parameters and columns */
        EXPECTED_STATEMENT, /* somebody's, or a COMMIT */
        EXPECTED_COMMIT,    /* no command: the Sync behind it commits what is in front of it */
        EXPECTED_SYNC       /* the end of a segment */
};

struct expected {
        enum expected_kind kind;
        enum segment_kind segment;
        bool answered; /* its result is here; the NULL behind it is to come */
        bool skipped;  /* because of an error in front of it */
        bool given_up; /* nobody waits for it any more */
        bool typed;    /* a statement: what is known of its types was relied on */
        bool undone;   /* its transaction cannot be committed yet: without an answer it was not */
        struct request *req; /* NULL: none's, or one that was given up or is done */
        struct stmt *stmt;   /* of a Prepare, a Describe or a statement: a reference */
        int64_t sent_us;     /* of a Sync: when it was sent */
        int n_statements;    /* of a Sync: in its segment */
        float foretold_us;   /* of a Sync: what its statements take at their best */
};

struct segments {
        struct expected *ring;
        int capacity;
        int first;
        int n;
        int reading;    /* which of them the next answer is for, from first */
        bool failed;    /* the segment that is read has had an error */
        int n_waiting;  /* statements that somebody waits for */
        int n_given_up; /* statements that nobody waits for any more */
        bool dirty;     /* a statement of a transaction has changed the session */
        struct prepared *prepared;
};

/* prepared is told what answers say of it; borrowed. Room comes with pipit__segments_reserve(). */
void pipit__segments_init(struct segments *segments, struct prepared *prepared);
void pipit__segments_fini(struct segments *segments);

/* The request that waits for what becomes of an entry; NULL: none. */
static inline struct request *
pipit__expected_waiter(const struct expected *expected)
{
        bool ends_one = expected->kind == EXPECTED_STATEMENT || expected->kind == EXPECTED_COMMIT;

        return ends_one ? expected->req : NULL; /* that of a Prepare can be done, and gone */
}

/* Makes room for n more entries. 0 or PIPIT_ENOMEM. */
int pipit__segments_reserve(struct segments *segments, int n);

/* A command was sent; a reference to its statement is taken. There must be room. */
void pipit__segments_push(struct segments *segments, const struct expected *expected);

/*
 * The next answer, NULL included; takes it over, but on VERDICT_OWN: it goes into the request's
 * result, or away. *ret_req is the request of VERDICT_READ and the culprit of VERDICT_UNSHARED.
 */
enum verdict
pipit__segments_read(struct segments *segments, struct pg_result *answer, struct request **ret_req);

/*
 * Takes the next entry off the first segment; false when it was the Sync, its end. The reference to
 * a statement becomes the caller's.
 */
bool pipit__segments_pop(struct segments *segments, struct expected *ret_expected);

/* Has the processor fetch, while libpq reads the next answer, the request that it is for: since it
 * was sent, hundreds of others were touched. */
void pipit__segments_prefetch(const struct segments *segments);

/* What answers next; NULL when nothing is owed. Borrowed until the next call. */
const struct expected *pipit__segments_reading(const struct segments *segments);

/* Whether nobody waits for anything in the first segment any more, and somebody did; when it was
 * sent; whether somebody waits for a statement of any that must not be run again. */
bool pipit__segments_is_abandoned(const struct segments *segments);
int64_t pipit__segments_sent_us(const struct segments *segments);
bool pipit__segments_waits_for_fragile(const struct segments *segments);

/* What was sent for a transaction that one of its statements has ended may be committed. */
void pipit__segments_may_be_done(struct segments *segments);

/* Nobody waits for this one any more; its answer goes away when it comes. */
void pipit__segments_give_up(struct segments *segments, const struct request *req);

#endif
