/*
 * The table of all requests of a database, and of the scopes that were opened on it: it gives
 * numbers, keeps deadlines, and completes what has ended.
 *
 * A number is a slot and its generation, so that it names nothing once its request is about to be
 * called back. The database owns the table.
 */
#ifndef PIPIT_REQUESTS_INTERNAL_H
#define PIPIT_REQUESTS_INTERNAL_H

#include <pipit/request.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "loop/deadline.h"

struct pipit;
struct reactor;
struct request;
struct result_owner;

struct slot {
        struct request *request; /* NULL: free */
        uint32_t generation;
        uint32_t next_free;
};

struct requests_ops {
        /* A request is gone, callbacks and all: the last of its scope, or the last but one of
         * all. */
        void (*gone)(struct pipit *scope, void *arg);
        /* A request is to run again, before others. */
        void (*again)(struct request *req, void *arg);
};

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

/* ops and arg are borrowed. 0 or PIPIT_ENOMEM. */
int pipit__requests_init(struct requests *requests, struct reactor *reactor,
                         const struct requests_ops *ops, void *arg);
void pipit__requests_fini(struct requests *requests);

/* The request of that number; NULL when the number names none. */
struct request *pipit__requests_find(const struct requests *requests, pipit_request number);

/* The request in the first taken slot from *place on; *place moves to the next slot. NULL: there is
 * none. Requests may end between two calls. */
struct request *pipit__requests_each(const struct requests *requests, uint32_t *place);

/* Calls fn for each request of one scope that has a number. fn may end any of them. The work
 * depends on how many there are, and not on those of other scopes, or of earlier times. */
void pipit__requests_each_of(struct result_owner *owner, void (*fn)(struct request *req, void *arg),
                             void *arg);

/* Completes what has ended, at most budget of them; asks for another turn for the rest. */
void pipit__requests_turn(struct requests *requests, int budget);

/* Drops all requests without running their frames and callbacks. */
void pipit__requests_discard(struct requests *requests);

/* Has the requests of a list, which were sent, run again, in their order and before all others. */
void pipit__requests_again(struct list *list);

#endif
