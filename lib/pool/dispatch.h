/*
 * The dispatcher: requests that wait for a connection, and how they are dealt at the end of a turn.
 *
 * A connection that is free is dealt a batch: what shares a Sync, or one after the other with a
 * Sync each. While it is busy requests gather, and the next batch is larger. Nothing that is known
 * to be fast has to wait for a statement that may be slow.
 */
#ifndef PIPIT_DISPATCH_INTERNAL_H
#define PIPIT_DISPATCH_INTERNAL_H

#include <pipit/options.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cold.h"
#include "base/list.h"
#include "pool/refusal.h"

struct conn_error;
struct conn;
struct pool;
struct reactor;
struct request;

struct dispatch_ops {
        /* Gives a free connection to a request that waits for one of its own. */
        void (*lease)(struct request *req, struct conn *conn);
};

struct dispatch {
        struct list reads;       /* REQUEST_WAITING, declared reads, in the order of the calls */
        struct list others;      /* REQUEST_WAITING, all others with a statement */
        struct list lease_queue; /* REQUEST_WAITING, for a connection of their own */
        int n;
        size_t bytes;        /* of their statements */
        size_t queued_bytes; /* of statements that wait for their turn in subscopes */
        int max;
        size_t max_bytes;
        int max_batch;
        struct reactor *reactor;
        struct pool *pool;
        const struct dispatch_ops *ops;
};

void
pipit__dispatch_init(struct dispatch *dispatch, const struct pipit_options *options,
                     const struct dispatch_ops *ops, struct reactor *reactor, struct pool *pool);

/* Whether there is room for one more statement of that size, in number and in bytes; in bytes
 * alone, which statements that wait in subscopes take as well. */
bool pipit__dispatch_has_room(const struct dispatch *dispatch, size_t bytes);
bool pipit__dispatch_has_room_for(const struct dispatch *dispatch, size_t bytes);

/* Counts a statement that waits for its turn in a subscope, in bytes; or counts it no more. */
void pipit__dispatch_add_queued(struct dispatch *dispatch, size_t bytes);
void pipit__dispatch_remove_queued(struct dispatch *dispatch, size_t bytes);

/* Puts a request at the queue's end: without a statement it waits for a connection of its own. */
void pipit__dispatch_add(struct dispatch *dispatch, struct request *req);
/* Puts a request that has been sent before in front of all others. */
void pipit__dispatch_add_again(struct dispatch *dispatch, struct request *req);

/* Deals what waits to the connections that are free, and has the pool make more. */
void pipit__dispatch_turn(struct dispatch *dispatch);

/* Tells everybody who waits that no connection can be had. */
void pipit__dispatch_refuse(struct dispatch *dispatch, const struct conn_error *failure);
/* Builds the error that they are told. */
COLD void pipit__dispatch_refusal(const struct conn_error *failure, struct refusal *ret);

#endif
