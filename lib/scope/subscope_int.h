/*
 * The inside of subscopes, for the files subscope_*.c and transaction.c.
 */
#ifndef PIPIT_SUBSCOPE_INT_H
#define PIPIT_SUBSCOPE_INT_H

#include "base/cold.h"
#include "loop/reactor.h"
#include "scope/scope_int.h"
#include "scope/subscope.h"

struct conn_error;
struct holder_ops;
struct lease;

enum subscope_state {
        SUBSCOPE_WAITING, /* for a connection, for its turn in its parent, or for another attempt */
        SUBSCOPE_RUNNING, /* its turn has come */
        SUBSCOPE_ENDING,  /* its COMMIT is out */
        SUBSCOPE_PARKED,  /* the end of its request is known; its users are not done with it */
        SUBSCOPE_ENDED    /* its request completes */
};

enum subscope_outcome {
        OUTCOME_OPEN,       /* nothing stands against its COMMIT */
        OUTCOME_DOOMED,     /* the subscope can only roll back: the cause says why */
        OUTCOME_TAKEN_BACK, /* the subscope can only roll back, as its user wanted: a success */
        OUTCOME_COMMITTED   /* the server has said so */
};

struct subscope {
        struct pipit scope;
        enum subscope_kind kind;
        enum subscope_state state;
        enum subscope_outcome outcome;
        struct lease *lease;
        struct subscope *up; /* that it is nested in; NULL: it is the root of its lease */
        int level;           /* savepoints around it and its own; 0: BEGIN */
        struct pipit_transaction options;
        struct list queue;       /* REQUEST_QUEUED */
        struct request *request; /* its own; NULL once that is gone */
        pipit_body body;         /* NULL: it was opened by hand */
        void *arg;
        bool begun;    /* BEGIN or SAVEPOINT was sent, or is in front of the next segment */
        bool closing;  /* the subscope was opened by hand, and is to end */
        bool is_stale; /* the cause is that a statement was prepared out of date */
        bool released; /* its user refers to it no more: it was ended by hand, or has a body */
        int holds;
        int attempt;
        int64_t wait_ms;                  /* for its connection, in each attempt; -1: any time */
        struct pipit_error cause;         /* why it is doomed */
        struct pipit_result *cause_owner; /* whose error that is; NULL: its text is static */
        struct list lost_link;            /* in the lease's list of those who are told of a loss */
        pipit_lost_cb on_lost;            /* NULL: nobody asked, or it was told */
        void *on_lost_arg;
        struct deferred deferred;
};

/* Changes the state; nobody else does. */
void pipit__subscope_enter(struct subscope *subscope, enum subscope_state state);

bool pipit__subscope_is_transaction(const struct subscope *subscope);
/* Whether the subscope can only roll back. */
bool pipit__subscope_is_doomed(const struct subscope *subscope);
/* The subscope that a request is for; NULL when it is for none. */
struct subscope *pipit__subscope_of(const struct request *req);
/* The subscope that a request was started on. */
struct subscope *pipit__subscope_of_request(const struct request *req);

/* Frees a subscope, and the lease with its root: only one that nobody has seen. */
void pipit__subscope_free(struct subscope *subscope);
/* Frees a subscope once the stack has unwound, if nobody refers to it any more. */
void pipit__subscope_look_for_end(struct subscope *subscope);

/* ---- outcome */

/* Has a subscope roll back, unless it is past that; owner NULL: the cause's texts live as long as
 * the lease. */
void pipit__subscope_doom(struct subscope *subscope, const struct pipit_error *cause,
                          struct pipit_result *owner);
/* Has a subscope roll back, because its user wants that. */
void pipit__subscope_take_back(struct subscope *subscope);
/* The server has committed the subscope. */
void pipit__subscope_set_committed(struct subscope *subscope);
/* Builds the error for requests that can run no more. */
void pipit__subscope_refusal(const struct subscope *subscope, enum pipit_executed executed,
                             struct refusal *ret);
/* Fails what waits for its turn with that, nested subscopes too. */
void pipit__subscope_fail_queue(struct subscope *subscope);

/* ---- the loss of its connection (subscope_lost.c) */

/* Has all subscopes on a lease end, whose connection is gone. */
COLD void pipit__subscope_lose_all(struct lease *lease, const struct conn_error *failure);
/* Tells the next who asked for it that the lease's connection is gone; false: nobody is left. */
bool pipit__subscope_tell_lost(struct lease *lease);
/* Has a callback told of the loss; NULL: none. */
void pipit__subscope_watch_loss(struct subscope *subscope, pipit_lost_cb cb, void *arg);
/* Why a subscope can run nothing any more; NULL when its state says all. */
const struct pipit_error *pipit__subscope_error(const struct pipit *scope);

/* ---- requests that were sent */

/* Ends a statement, or a COMMIT, that was sent, for its caller. */
void pipit__subscope_abandon(struct subscope *subscope, struct request *req, enum pipit_code code,
                             const char *text);
/* Ends a COMMIT that was sent, and all that travels with it. */
void
pipit__subscope_abandon_commit(struct subscope *subscope, enum pipit_code code, const char *text);

/* ---- its own request */

/* Has the subscope hold its own request. */
void pipit__subscope_hold_request(struct subscope *subscope);
extern const struct holder_ops pipit__subscope_own_ops;
/* How statements are held that were sent. */
extern const struct holder_ops pipit__subscope_sent_ops;

/* ---- as a scope (subscope_queue.c) */

extern const struct scope_ops pipit__subscope_scope_ops;
/* Puts a request into the queue; again: in front of all others. */
void pipit__subscope_queue(struct subscope *subscope, struct request *req, bool again);

/* ---- its end (subscope_end.c) */

/* The frame of a subscope's own request: its argument is the subscope. */
void pipit__subscope_on_done(struct request *req, struct pipit_result *res, void *arg);
/* Ends the subscope if it is to end; false: there is nothing to do for the moment. */
bool pipit__subscope_try_end(struct subscope *subscope);
/* A subscope that was opened by hand is over for its user, who is told: cb may be NULL. */
void pipit__subscope_finish(struct subscope *subscope, pipit_cb cb, void *arg);
/* The user of a subscope that has ended refers to it no more. */
void pipit__subscope_release(struct subscope *subscope);

#endif
