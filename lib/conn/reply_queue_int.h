/*
 * Replies from the inside: what the queue and the kinds of replies share. Only reply_*.c includes
 * this.
 *
 * A kind is a constant struct reply_ops. To add one, write reply_<name>.c and .h with its functions
 * and have whoever sends the command push it: nothing else asks which kinds there are.
 */
#ifndef PIPIT_REPLY_QUEUE_INT_INTERNAL_H
#define PIPIT_REPLY_QUEUE_INT_INTERNAL_H

#include <pipit/error.h>

#include "base/cold.h"
#include "conn/reply_queue.h"

struct reply {
        const struct reply_ops *ops;
        struct request *req;      /* its error goes there; NULL: nowhere, or that one is done */
        struct stmt *stmt;        /* a reference; NULL for a command without a cached statement */
        struct sending segment;   /* a Sync: what its segment consists of */
        struct stmt_types *types; /* a reference: those of stmt that were relied on; or NULL */
        bool answered;            /* its result is here; the NULL that ends it is to come */
        bool ran;                 /* that is of a success, whatever comes later */
        bool skipped;             /* the server did not run it, because of an error before it */
        bool abandoned;           /* its request waited for it, and does no longer */
        size_t over_limit;        /* the bound that its result is over, and is not kept; 0: none */
};

struct reply_ops {
        const char *name;       /* of the kind, for the log */
        bool is_waited_for;     /* req, if any, waits for what becomes of this */
        bool is_sync;           /* this ends its segment */
        bool dooms_its_segment; /* nobody wants the rest of its segment once this is abandoned */

        /* Takes one result over, of any kind, and says what it means. NULL is no result. */
        enum reply_event (*take)(struct reply_queue *replies, struct reply *reply,
                                 struct pg_result *answer, enum pq_kind kind);
        /* Its results have ended; the next result is for the next reply. Sets *ret_done with
         * REPLY_EVENT_DONE. NULL: nothing is to be done. */
        enum reply_event (*end)(struct reply_queue *replies, struct reply *reply,
                                struct request **ret_done);
        /* Its segment is answered, Sync and all, and it is taken off the queue after this. NULL:
         * nothing is to be done. */
        void (*settle)(const struct reply *reply, struct settlement *settlement);
        /* Its connection is gone, and it is off the queue; some of its segment may have been
         * answered. Ends the request that waits, or has that run again. NULL: nobody waits. */
        void (*lost)(const struct reply *reply, struct settlement *settlement);
};

/* The reply at a place counted from the first. The capacity is a power of two: a division would
 * take longer than all else here. */
static inline struct reply *
pipit__reply_at(const struct reply_queue *replies, int i)
{
        return &replies->ring[(replies->first + i) & (replies->capacity - 1)];
}

/* The request that waits for what becomes of a reply; NULL: none. That of a Prepare, say, waits for
 * its statement, and can be done and gone by now. */
static inline struct request *
pipit__reply_waiter(const struct reply *reply)
{
        return reply->ops->is_waited_for ? reply->req : NULL;
}

/* Puts the server's error into the result of a request, and marks the segment as failed. NULL: the
 * error goes away. Takes answer over. */
COLD void
pipit__reply_take_error(struct reply_queue *replies, struct request *req, struct pg_result *answer);

/* Whether a result says that its command was run. */
static inline bool
pipit__reply_is_success(enum pq_kind kind)
{
        return kind == PQ_KIND_ROWS || kind == PQ_KIND_COMMAND;
}

/* Takes the answer to a command that has nothing to tell but that it was run. */
enum reply_event pipit__reply_take_plain(struct reply_queue *replies, struct reply *reply,
                                         struct pg_result *answer, enum pq_kind kind);

/* Takes any result of a command but the one that it was sent for: an error, the word that it was
 * skipped, or what cannot be its answer. */
COLD enum reply_event pipit__reply_take_other(struct reply_queue *replies, struct reply *reply,
                                              struct pg_result *answer, enum pq_kind kind);

/* The reply in front of the one that is read; there is one in front of each Sync of statements. */
const struct reply *pipit__reply_in_front(const struct reply_queue *replies);

/* Tells the request that waits that the connection was lost before its answer; an error that it has
 * already stays. executed: whether its statement was run. */
COLD void pipit__reply_fail_lost(const struct reply *reply, const struct settlement *settlement,
                                 enum pipit_executed executed);

/* Fails the request of a statement whose result is over its bound; an error of the server's own,
 * but for the cancel that stopped the result, stays. */
COLD void pipit__reply_fail_over_limit(const struct reply *reply, enum pipit_executed executed);

/* ---- what all Syncs share; in reply_sync.c */

/* Takes what comes where a Sync is to come: that, or an error, which goes to the request that waits
 * for the Sync, or else to that of the command in front of it. */
enum reply_event pipit__reply_take_sync(struct reply_queue *replies, struct reply *reply,
                                        struct pg_result *answer, enum pq_kind kind);
/* Goes on after such an error: the Sync itself is still to come. */
COLD enum reply_event
pipit__reply_end_sync(struct reply_queue *replies, struct reply *reply, struct request **ret_done);

/* ---- what the kinds of statements share; in reply_statement.c */

/* Whether a statement with that tag has done what it must not do where it runs. */
typedef bool (*pipit__reply_tag_fn)(struct reply_queue *replies, const struct stmt *stmt,
                                    const char *tag);

/* Takes the rows, or the end, of a statement. is_unshared NULL: it may do anything. */
enum reply_event
pipit__reply_take_rows(struct reply_queue *replies, struct reply *reply, struct pg_result *answer,
                       enum pq_kind kind, pipit__reply_tag_fn is_unshared);

/* Lets the request go at the end of its results, for it need not wait for its Sync. */
enum reply_event pipit__reply_complete_early(struct reply_queue *replies, struct reply *reply,
                                             struct request **ret_done);

/* The error of the segment, if that leaves open what the server has run; or NULL. */
COLD const struct segment_error *pipit__settlement_doubt(const struct settlement *settlement);

/* A statement whose segment has failed, for pipit__retry_note() and its like. */
struct retry_case
pipit__reply_retry_case(const struct reply *reply, const struct settlement *settlement);

/* Fails the request of what can run on no other connection; nobody knows whether it was run. */
COLD void pipit__reply_lost_with_lease(const struct reply *reply, struct settlement *settlement);

#endif
