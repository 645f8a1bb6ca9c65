/*
 * The reply queue: what the server still owes a connection, in the order in which it was sent.
 *
 * A segment is what lies between two Syncs: commands, then the Sync. An entry is a reply: one
 * command's, or the Sync's. Each has a kind (struct reply_ops in reply_queue_int.h), which knows
 * what its answer may be and what becomes of its request; one file for each family of kinds.
 *
 * 1. Results are matched to replies by segments, and not by counting: an error can come after a
 *    statement's result, an error skips the commands after it up to the Sync, and an error can
 *    belong to the Sync.
 * 2. A statement is done when its Sync is answered. Reads that share a Sync, and statements of a
 *    transaction, are done as soon as their rows are here: nothing of these is final, or to undo.
 * 3. While replies settle or are lost nothing is pushed on the queue, and nothing else takes from
 * it.
 *
 * The files conn_*.c push what they send, hand each result of libpq to the queue, and do what the
 * event says.
 */
#ifndef PIPIT_REPLY_QUEUE_INTERNAL_H
#define PIPIT_REPLY_QUEUE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "conn/retry.h"
#include "conn/segment_time.h"
#include "pq/pq.h"

struct conn_error;
struct lease_ops;
struct pg_result;
struct prepared;
struct reply;
struct reply_ops;
struct request;
struct stmt;
struct stmt_types;

/* The meaning of a result, or of the end of a command's results, for the connection. */
enum reply_event {
        REPLY_EVENT_MORE,       /* nothing yet: it goes on reading */
        REPLY_EVENT_OWN,        /* a statement of pipit's own has succeeded: its result is given */
        REPLY_EVENT_OWN_FAILED, /* one has failed, and the connection must end: likewise */
        REPLY_EVENT_REFUSED,    /* the settings have failed, and may be sent again: likewise */
        REPLY_EVENT_DONE,       /* a request is complete before its Sync: it is given */
        REPLY_EVENT_SYNC,       /* the first segment is answered: settle it */
        REPLY_EVENT_UNSHARED,   /* the statement that answers has changed its session */
        REPLY_EVENT_BROKEN      /* this cannot be the answer to what was sent */
};

struct reply_queue {
        struct reply *ring; /* NULL while there is no room */
        int capacity;       /* of the ring: 0, or a power of two */
        int first;          /* where in the ring the oldest reply is */
        int n;
        int reading;         /* which reply the next result is for, counted from first */
        int n_waiting;       /* replies that a request waits for */
        int n_abandoned;     /* replies whose request waits for them no longer */
        bool failed;         /* the segment that is read has had an error */
        bool dirty;          /* a statement of a transaction has changed the session */
        bool tx_may_be_done; /* a statement has ended its transaction: that may be committed */
        struct prepared *prepared;
        struct segment_error error; /* that has failed the segment, while failed is set */
};

/* A settlement is what the replies of a segment are told at its Sync, or all replies when the
 * connection is lost, and what they make of it. */
struct settlement {
        /* The connection says: */
        const char *host;       /* of the connection */
        bool unsuited;          /* the server refused to write, which the program asked for */
        bool may_be_hit;        /* a cancel of one statement may have hit another one */
        bool is_bound_to_order; /* more was sent after it, or a transaction is open then */
        const struct lease_ops *lease_ops; /* NULL when no lease has the connection */
        void *lease_arg;
        bool is_open;                   /* a transaction is, though no lease has the connection */
        const struct conn_error *cause; /* why the connection is lost; NULL at a Sync */
        struct segment_lesson lesson;   /* at a Sync: begun, with its timing */
        /* The queue says: */
        bool failed;                       /* the segment has had an error */
        const struct segment_error *error; /* that one; NULL: the segment that is read had none */
        bool tx_may_be_done;
        bool idle; /* the session was ended for being idle: nothing that is owed was run */
        struct prepared *prepared;
        /* The replies say: */
        struct list again;    /* requests that run again, in their order */
        struct request *done; /* a request to be told of its end at once; or NULL */
        bool is_left;         /* nothing else is to run on the connection */
};

/* prepared is told what answers say of it; borrowed. Room comes with pipit__reply_queue_reserve().
 */
void pipit__reply_queue_init(struct reply_queue *replies, struct prepared *prepared);
void pipit__reply_queue_fini(struct reply_queue *replies);

/* Makes room for n more replies. 0 or PIPIT_ENOMEM. */
int pipit__reply_queue_reserve(struct reply_queue *replies, int n);

/* Notes that a command of that kind was sent. req: whose result its error goes into, and who may
 * wait for it, or NULL. stmt: what it is about, or NULL; a reference is taken. There must be room.
 */
void pipit__reply_queue_push(struct reply_queue *replies, const struct reply_ops *ops,
                             struct request *req, struct stmt *stmt);
/* Notes that a request's statement was sent, by its name if types are given: those that are relied
 * on. A reference to them is taken, too. */
void
pipit__reply_queue_push_statement(struct reply_queue *replies, const struct reply_ops *ops,
                                  struct request *req, struct stmt *stmt, struct stmt_types *types);
/* Notes that a Sync was sent. req: who waits for it, or NULL. */
void pipit__reply_queue_push_sync(struct reply_queue *replies, const struct reply_ops *ops,
                                  struct request *req, const struct sending *segment);

/* Takes the next result of libpq, NULL included, over: it goes into its request's result, or away;
 * the events about pipit's own give it back. *ret_done is the request of REPLY_EVENT_DONE. */
enum reply_event pipit__reply_queue_read(struct reply_queue *replies, struct pg_result *answer,
                                         enum pq_kind kind, struct request **ret_done);

/* Takes the first segment off, which is answered, and has its replies settle. */
void pipit__reply_queue_settle(struct reply_queue *replies, struct settlement *settlement);
/* Takes all off, for the connection is lost, and has each reply end its request. */
void pipit__reply_queue_lose(struct reply_queue *replies, struct settlement *settlement);

/* Has the processor fetch, while libpq reads the next result, the request that it is for: since
 * that was sent, hundreds of others were touched. */
void pipit__reply_queue_prefetch(const struct reply_queue *replies);

/* The request whose result the next answer goes into; NULL: none's. */
struct request *pipit__reply_queue_reader(const struct reply_queue *replies);
/* Whether the next answer is to somebody's statement, and not to a command of pipit's own.
 * Something must be owed. */
bool pipit__reply_queue_reads_statement(const struct reply_queue *replies);
/* Notes that the result that is read is over this bound: its rows are not kept, and its request
 * fails once it is known what became of its statement. */
void pipit__reply_queue_set_over_limit(struct reply_queue *replies, size_t limit);
/* Whether the result that is read is over its bound, and not here to its end. */
bool pipit__reply_queue_is_over_limit(const struct reply_queue *replies);
/* The kind of the next answer, for a log line. Something must be owed. */
const char *pipit__reply_queue_reading_name(const struct reply_queue *replies);

/* Returns what the first segment consists of; NULL while its Sync has not been sent. */
const struct sending *pipit__reply_queue_first_segment(const struct reply_queue *replies);
/* Returns what the segment consists of whose Sync the next result is for. */
const struct sending *pipit__reply_queue_read_segment(const struct reply_queue *replies);
/* Whether nothing is owed but the Sync that the next result is for. */
bool pipit__reply_queue_is_at_last_sync(const struct reply_queue *replies);

/* Whether nobody waits for anything in the first segment any more, and somebody did. */
bool pipit__reply_queue_is_abandoned(const struct reply_queue *replies);
/* Whether somebody waits for a statement, in any segment, that must not be run again. */
bool pipit__reply_queue_waits_for_fragile(const struct reply_queue *replies);

/* Notes that what was sent for a transaction may be committed: a statement of it has ended it. */
void pipit__reply_queue_may_be_done(struct reply_queue *replies);

/* Notes that a request waits no longer: its answer goes away when it comes. */
void pipit__reply_queue_abandon(struct reply_queue *replies, const struct request *req);

#endif
