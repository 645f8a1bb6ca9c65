/*
 * Subscopes: the scopes that run on a lease: sessions, transactions, tests.
 *
 * Each has a queue of what was started on it: statements, and the requests that nested subscopes
 * are for it. When its turn comes a nested subscope becomes the active one; when that has ended,
 * its parent goes on. A subscope ends when nothing is outstanding on it, and its own request
 * completes then, which is one of the scope that it was opened on.
 */
#ifndef PIPIT_SUBSCOPE_INTERNAL_H
#define PIPIT_SUBSCOPE_INTERNAL_H

#include <stdbool.h>

#include "loop/reactor.h"
#include "scope/lease.h"
#include "scope/scope.h"

enum subscope_kind {
        SUBSCOPE_SESSION,     /* each statement is committed by itself */
        SUBSCOPE_TRANSACTION, /* BEGIN, or a savepoint in another */
        SUBSCOPE_TEST         /* BEGIN, each statement in a savepoint, and never COMMIT */
};

enum subscope_state {
        SUBSCOPE_WAITING, /* for a connection, for its turn in its parent, or for another attempt */
        SUBSCOPE_RUNNING, /* its turn has come */
        SUBSCOPE_ENDING,  /* its COMMIT is out */
        SUBSCOPE_PARKED,  /* what its request ends with is known; its users are not done with it */
        SUBSCOPE_ENDED    /* its request completes */
};

struct subscope {
        struct pipit scope;
        enum subscope_kind kind;
        enum subscope_state state;
        struct lease *lease;
        struct subscope *up; /* that it is nested in; NULL: it has the lease */
        int level;           /* savepoints around it and its own; 0: BEGIN */
        struct pipit_transaction options;
        struct list queue;       /* REQUEST_QUEUED */
        struct request *request; /* its own request; NULL once that is gone */
        pipit_body body;         /* NULL: it was opened by hand */
        void *arg;
        bool begun; /* BEGIN or SAVEPOINT was sent */
        bool committed;
        bool closing; /* opened by hand, and ended by hand */
        bool doomed;  /* it can only roll back: cause says why */
        bool asked;   /* that was what its user wanted */
        bool dropped; /* in a forked child: it has no request any more */
        int holds;
        int attempt;
        int64_t wait_ms; /* for its connection, in each attempt; -1: as long as it takes */
        struct pipit_error cause;
        struct pipit_result *cause_owner; /* whose error that is; NULL: its text is static */
        struct deferred deferred;
};

/* The subscope that a request is for; NULL when it is for none. */
struct subscope *pipit__subscope_of(const struct request *request);
/* The subscope that a scope is; NULL for a database. */
struct subscope *pipit__subscope_of_scope(struct pipit *scope);
bool pipit__subscope_is_transaction(const struct subscope *subscope);

/* Frees it, and its lease with the outermost: only for one that nobody has seen. */
void pipit__subscope_free(struct subscope *subscope);
/* Frees it once the stack has unwound, if nobody refers to it any more. */
void pipit__subscope_look_for_end(struct subscope *subscope);

/* It can only roll back from now on; owner NULL: the cause's texts live as long as it. */
void pipit__subscope_doom(struct subscope *subscope, const struct pipit_error *cause,
                          struct pipit_result *owner);
/* The same; what is outstanding on it, and on those nested in it, ends in this way. */
void pipit__subscope_abort(struct subscope *subscope, enum pipit_code code, const char *text);

/* What a request gets that can run no more. */
void pipit__subscope_refusal(const struct subscope *subscope, enum pipit_executed executed,
                             struct refusal *ret);
/* What waits for its turn gets that, nested subscopes too. */
void pipit__subscope_fail_queue(struct subscope *subscope);
/* A COMMIT that was sent is not waited for any more, and nothing that travels with it. */
void
pipit__subscope_abandon_commit(struct subscope *subscope, enum pipit_code code, const char *text);
/* A statement, or a COMMIT, that was sent is not waited for any more. */
void pipit__subscope_abandon(struct subscope *subscope, struct request *req, enum pipit_code code,
                             const char *text);

#endif
