/*
 * Requests: one outstanding operation each, from its start to its last callback.
 *
 * A request completes by running its frames, the last pushed first: each layer that has something
 * to do with the answer pushed one. A frame hands the result on with pipit__request_next(), or has
 * the request run another statement. Behind the frames come the callbacks of the user.
 */
#ifndef PIPIT_REQUEST_INTERNAL_H
#define PIPIT_REQUEST_INTERNAL_H

#include <pipit/request.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cold.h"
#include "base/list.h"
#include "loop/deadline.h"
#include "result/result.h"

#define REQUEST_MAX_FRAMES 2

struct subscope;
struct conn;
struct coalesce_rule;
struct reactor;
struct request;
struct bound_stmt;

enum request_state {
        REQUEST_NEW,     /* in no list: it is being made */
        REQUEST_HELD,    /* in no list: it waits for something else than a connection */
        REQUEST_WAITING, /* in the dispatcher's queue, for a connection */
        REQUEST_QUEUED,  /* in the queue of a session or a transaction, for its turn */
        REQUEST_SENT,    /* in its connection's segments, for its answer */
        REQUEST_ENDING,  /* in requests->ending, for the end of the turn */
        REQUEST_DONE     /* in no list: its frames and callbacks run */
};

typedef void (*pipit__frame_fn)(struct request *req, struct pipit_result *res, void *arg);

struct frame {
        pipit__frame_fn fn;
        void *arg;
};

struct completion {
        pipit_cb cb;
        void *arg;
};

struct request {
        struct list link; /* in the list that its state names */
        enum request_state state;
        bool is_read;    /* its caller declared that it has no effect */
        bool is_grouped; /* its caller lets it be committed together with others */
        bool may_fail;   /* it runs in a savepoint of its own */
        uint8_t n_frames;
        uint8_t n_reprepares; /* it was prepared anew */
        uint8_t n_skips;      /* it was skipped in a group */
        uint16_t n_more;      /* callbacks of pipit_then() */
        uint16_t group;       /* statements that it was sent with, itself among them */
        uint16_t max_group;   /* statements that it may be sent with; 0: any number */
        pipit_request number;
        struct requests *requests;
        struct result_owner *owner; /* of the scope that it was started on */
        struct pipit_result *res;
        struct pipit_result *block; /* the one that it lives in: a reference */
        struct bound_stmt *bound;   /* NULL when it runs none */
        void *more_bound;           /* the block of a statement that came later */
        struct conn *conn;          /* while it is sent; NULL while another carries it */
        struct coalesce_rule *rule; /* of a get that others may be carried with; else NULL */
        union {
                int64_t key; /* of that get, when it is a number */
                struct subscope
                        *subscope; /* without a statement: the scope that it opens, or NULL */
        };
        struct request **member; /* where the shared request it has it */
        struct deadline deadline;
        int64_t deadline_ms;   /* the end of its whole time */
        int64_t wait_until_ms; /* the end of its time to wait for a connection */
        int64_t started_ms;
        struct frame frames[REQUEST_MAX_FRAMES];
        struct completion first;
        struct completion *more; /* those of pipit_then() */
};

struct slot {
        struct request *request; /* NULL: free */
        uint32_t generation;
        uint32_t next_free;
};

struct requests_ops {
        void (*expired)(struct request *req, void *arg); /* its deadline has passed */
        /* One is gone, callbacks and all: the last of its scope, or the last but one of all. */
        void (*gone)(struct pipit *scope, void *arg);
        void (*again)(struct request *req, void *arg); /* it is to run again, before others */
};

/* All requests of a database, and of the scopes that were opened on it. */
struct requests {
        struct reactor *reactor;
        struct deadlines deadlines;
        struct list ending;
        int n_ending;
        int n; /* outstanding, until the last callback has returned */
        struct slot *slots;
        uint32_t n_slots;
        uint32_t first_free; /* from 1; 0: none */
        const struct requests_ops *ops;
        void *arg;
};

int pipit__requests_init(struct requests *requests, struct reactor *reactor,
                         const struct requests_ops *ops, void *arg);
void pipit__requests_fini(struct requests *requests);

/* The request of that number; NULL when it names none. */
struct request *pipit__requests_find(const struct requests *requests, pipit_request number);

/* Completes what has ended, at most budget of them; asks for another turn for the rest. */
void pipit__requests_turn(struct requests *requests, int budget);

/* A new request of the scope with that home, with room for a statement of that size, 0 for none;
 * NULL when memory ran out. */
struct request *pipit__request_new(struct requests *requests, struct result_owner *owner,
                                   size_t bound_size, pipit_cb cb, void *arg);
/* Drops a request without its callbacks, frames and all. */
void pipit__request_discard(struct request *req);
/* The same of all. */
void pipit__requests_discard(struct requests *requests);
/* Where its statement goes. */
void *pipit__request_block(struct request *req);

pipit_request pipit__request_number(const struct request *req);

/* Adds a frame in front; there is always room for two. 0 or PIPIT_ENOMEM. */
int pipit__request_push(struct request *req, pipit__frame_fn fn, void *arg);
/* Adds a callback behind all others. 0 or PIPIT_ENOMEM. */
int pipit__request_then(struct request *req, pipit_cb cb, void *arg);

/* Sets the end of its time: deadline_ms, and wait_until_ms while it has not been sent. */
void pipit__request_set_deadline(struct request *req, int64_t deadline_ms);

/* Lets a request, whose result is set, complete at the end of the turn. */
void pipit__request_end(struct request *req);
/* The same as a failure. */
COLD void
pipit__request_fail(struct request *req, enum pipit_code code, enum pipit_executed executed,
                    enum pipit_phase phase, const char *format, ...) PIPIT_PRINTF(5, 6);

/* It goes along with another request, which has it at that place until it ends otherwise. */
void pipit__request_join(struct request *req, struct request **place);

/* Has those of a list, which were sent, run again, in their order and before all others. */
void pipit__requests_again(struct list *list);

/* Has the processor fetch it, its result and all, while something else is done: nothing of it is
 * read. */
void pipit__request_prefetch(const struct request *req);

/* Completes a request now: only from the loop. It may be gone when this returns. */
void pipit__request_complete(struct request *req);
/* A frame hands the result on, last of all it does. */
void pipit__request_next(struct request *req, struct pipit_result *res);
/* A frame takes the request back to run another statement: its result is new. 0 or PIPIT_ENOMEM. */
int pipit__request_again(struct request *req, void *block, struct bound_stmt *bound);

#endif
