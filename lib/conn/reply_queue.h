/*
 * Segments: what a connection still owes answers to, in the order it was sent.
 *
 * A segment is what lies between two Syncs: commands, then the Sync. Answers are matched by it and
 * not by counting: a statement can have an error behind its result, an error skips the commands
 * behind it, and an error can belong to the Sync. A statement is done when its Sync is answered;
 * one of a group of reads as soon as its rows are there.
 */
#ifndef PIPIT_REPLY_QUEUE_INTERNAL_H
#define PIPIT_REPLY_QUEUE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pg_result;
struct prepared;
struct request;
struct stmt;

/* What an answer says. */
enum reply_event {
        REPLY_EVENT_MORE, /* go on reading */
        REPLY_EVENT_OWN,  /* an answer to a statement of pipit's own, still the caller's */
        REPLY_EVENT_READ, /* a statement of a group of reads is complete: it has been taken off */
        REPLY_EVENT_SYNC, /* the first segment is complete: take it off */
        REPLY_EVENT_UNSHARED, /* the statement that answers changed its session */
        REPLY_EVENT_BROKEN    /* this cannot be the answer to what was sent */
};

enum segment_kind {
        SEGMENT_SINGLE,      /* one statement, whose fate is its own */
        SEGMENT_READS,       /* declared reads that share a Sync */
        SEGMENT_WRITES,      /* statements that are committed together */
        SEGMENT_SESSION,     /* one statement, that may change its session */
        SEGMENT_TRANSACTION, /* statements of a transaction that goes on */
        SEGMENT_COMMIT       /* its end, for the request that is told */
};

enum reply_kind {
        REPLY_OWN,        /* a statement of pipit's own, without which nothing is as it must be */
        REPLY_TX_COMMAND, /* the same, as BEGIN: when it fails, the statement behind it does */
        REPLY_CLOSE,      /* the end of a prepared statement */
        REPLY_PREPARE,    /* in front of the first statement of a statement */
        REPLY_DESCRIBE,   /* the types of its parameters and columns */
        REPLY_STATEMENT,  /* somebody's, or a COMMIT */
        REPLY_COMMIT,     /* no command: the Sync behind it commits what is in front of it */
        REPLY_SYNC        /* the end of a segment */
};

struct reply {
        enum reply_kind kind;
        enum segment_kind segment;
        bool answered;    /* its result is here; the NULL behind it is to come */
        bool skipped;     /* because of an error in front of it */
        bool abandoned;   /* nobody waits for it any more */
        bool typed;       /* a statement: what is known of its types was relied on */
        bool uncommitted; /* its transaction cannot be committed yet: without an answer it was not
                           */
        struct request *req; /* NULL: none's, or one that was abandoned or is done */
        struct stmt *stmt;   /* of a Prepare, a Describe or a statement: a reference */
        int64_t sent_us;     /* of a Sync: when it was sent */
        int n_statements;    /* of a Sync: in its segment */
        float estimated_us;  /* of a Sync: what its statements take at their best */
};

struct reply_queue {
        struct reply *ring;
        int capacity;
        int first;
        int n;
        int reading;     /* which of them the next answer is for, from first */
        bool failed;     /* the segment that is read has had an error */
        int n_waiting;   /* statements that somebody waits for */
        int n_abandoned; /* statements that nobody waits for any more */
        bool dirty;      /* a statement of a transaction has changed the session */
        struct prepared *prepared;
};

/* prepared is told what answers say of it; borrowed. Room comes with pipit__reply_queue_reserve().
 */
void pipit__reply_queue_init(struct reply_queue *replies, struct prepared *prepared);
void pipit__reply_queue_fini(struct reply_queue *replies);

/* The request that waits for what becomes of an entry; NULL: none. */
static inline struct request *
pipit__reply_waiter(const struct reply *reply)
{
        bool ends_one = reply->kind == REPLY_STATEMENT || reply->kind == REPLY_COMMIT;

        return ends_one ? reply->req : NULL; /* that of a Prepare can be done, and gone */
}

/* Makes room for n more entries. 0 or PIPIT_ENOMEM. */
int pipit__reply_queue_reserve(struct reply_queue *replies, int n);

/* A command was sent; a reference to its statement is taken. There must be room. */
void pipit__reply_queue_push(struct reply_queue *replies, const struct reply *reply);

/*
 * The next answer, NULL included; takes it over, but on REPLY_EVENT_OWN: it goes into the request's
 * result, or away. *ret_req is the request of REPLY_EVENT_READ and the culprit of
 * REPLY_EVENT_UNSHARED.
 */
enum reply_event pipit__reply_queue_read(struct reply_queue *replies, struct pg_result *answer,
                                         struct request **ret_req);

/*
 * Takes the next entry off the first segment; false when it was the Sync, its end. The reference to
 * a statement becomes the caller's.
 */
bool pipit__reply_queue_pop(struct reply_queue *replies, struct reply *ret_reply);

/* Has the processor fetch, while libpq reads the next answer, the request that it is for: since it
 * was sent, hundreds of others were touched. */
void pipit__reply_queue_prefetch(const struct reply_queue *replies);

/* What answers next; NULL when nothing is owed. Borrowed until the next call. */
const struct reply *pipit__reply_queue_reading(const struct reply_queue *replies);

/* Whether nobody waits for anything in the first segment any more, and somebody did; when it was
 * sent; whether somebody waits for a statement of any that must not be run again. */
bool pipit__reply_queue_is_abandoned(const struct reply_queue *replies);
int64_t pipit__reply_queue_sent_us(const struct reply_queue *replies);
bool pipit__reply_queue_waits_for_fragile(const struct reply_queue *replies);

/* What was sent for a transaction that one of its statements has ended may be committed. */
void pipit__reply_queue_may_be_done(struct reply_queue *replies);

/* Nobody waits for this one any more; its answer goes away when it comes. */
void pipit__reply_queue_abandon(struct reply_queue *replies, const struct request *req);

#endif
