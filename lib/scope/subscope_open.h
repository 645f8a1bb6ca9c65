/*
 * Subscopes, as scopes: how they are opened, take requests, and are abandoned.
 */
#ifndef PIPIT_SUBSCOPE_SCOPE_INTERNAL_H
#define PIPIT_SUBSCOPE_SCOPE_INTERNAL_H

#include <stdbool.h>

#include "scope/subscope.h"

/* What is opened, and how; borrowed. */
struct subscope_plan {
        enum subscope_kind kind;
        const struct pipit_transaction *options; /* NULL: the defaults */
        pipit_body body;                         /* NULL: by hand */
        pipit_cb done;
        void *arg;
        int64_t timeout_ms; /* for all of it; -1: none */
        int64_t wait_ms;    /* for its connection; -1: as long */
};

/* Opens one on a scope. NULL when memory ran out; whatever else is wrong fails its request. */
struct subscope *
pipit__subscope_open(struct pipit *parent, struct leases *leases, const struct subscope_plan *plan);

/* Its own request is abandoned: by its caller, or because its time is over. */
void pipit__subscope_cancel(struct subscope *subscope, const char *reason);
void pipit__subscope_expire(struct subscope *subscope);

/* A subscope that was opened by hand is over for its user, who is told: cb may be NULL. */
void pipit__subscope_finish(struct subscope *subscope, pipit_cb cb, void *arg);

/* Which run of its body this is; 0 when the scope is no transaction. */
int pipit__subscope_attempt(const struct pipit *scope);

/* Whether a request waits for what only its own caller can end, by hand: a subscope that is nested
 * in its scope, or the only connection. */
bool pipit__subscope_never_comes(const struct request *req, const struct list *busy_conns);

#endif
