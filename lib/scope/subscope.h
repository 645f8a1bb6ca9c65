/*
 * A subscope is a scope that runs on a lease: a session, a transaction, or a test scope.
 *
 * 1. A subscope has a queue of what was started on it: statements, and the requests that nested
 *    subscopes are for it. When its turn comes a nested subscope becomes the active one; when that
 *    has ended, its parent goes on.
 * 2. The subscope's own request, which is one of the scope that it was opened on, completes when
 *    nothing is outstanding on the subscope, and holds its outcome.
 * 3. Events are only noted, by callbacks and by the lease's ops; steps are taken at the end of
 *    the turn (subscope_turn.h).
 *
 * transaction.c opens and ends subscopes for programs; the database ends them when it is closed.
 */
#ifndef PIPIT_SUBSCOPE_INTERNAL_H
#define PIPIT_SUBSCOPE_INTERNAL_H

#include <pipit/error.h>
#include <pipit/request.h>
#include <pipit/transaction.h>
#include <stdbool.h>
#include <stdint.h>

struct leases;
struct pool;
struct request;
struct subscope;

enum subscope_kind {
        SUBSCOPE_SESSION,     /* each statement is committed by itself */
        SUBSCOPE_TRANSACTION, /* BEGIN, or a savepoint in another */
        SUBSCOPE_TEST         /* BEGIN, each statement in a savepoint, and never COMMIT */
};

/* A plan says what is opened, and how; borrowed. */
struct subscope_plan {
        enum subscope_kind kind;
        const struct pipit_transaction *options; /* NULL: the defaults */
        pipit_body body;                         /* NULL: it is opened by hand */
        pipit_cb done;
        void *arg;
        int64_t timeout_ms; /* for all of it; -1: none */
        int64_t wait_ms;    /* for its connection; -1: as long as it takes */
};

/* Opens a subscope on a scope. NULL when memory ran out; whatever else is wrong fails its
 * request. */
struct subscope *
pipit__subscope_open(struct pipit *parent, struct leases *leases, const struct subscope_plan *plan);

/* The subscope that a scope is; NULL for a database, and for NULL. */
struct subscope *pipit__subscope_of_scope(struct pipit *scope);
struct pipit *pipit__subscope_scope(struct subscope *subscope);
struct request *pipit__subscope_request(const struct subscope *subscope);

/* Has the subscope roll back; what is outstanding on it, and on those nested in it, ends in this
 * way. The text lives as long as the program. */
void pipit__subscope_abort(struct subscope *subscope, enum pipit_code code, const char *text);

/* Whether a request waits for what only its own caller can end, by hand: a subscope that is nested
 * in its scope, or the only connection of the pool. */
bool pipit__subscope_never_comes(const struct request *req, const struct pool *pool);

#endif
