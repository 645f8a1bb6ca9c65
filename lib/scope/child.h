/*
 * Children: the scopes that run on a lease: sessions, transactions, tests.
 *
 * Each has a queue of what was started on it: statements, and the requests that nested children are
 * for it. When its turn comes a nested child becomes the active one; when that has ended, its
 * parent goes on. A child ends when nothing is outstanding on it, and its own request completes
 * then, which is one of the scope that it was opened on.
 */
#ifndef PIPIT_CHILD_INTERNAL_H
#define PIPIT_CHILD_INTERNAL_H

#include <stdbool.h>

#include "loop/reactor.h"
#include "scope/lease.h"
#include "scope/scope.h"

enum child_kind {
        CHILD_SESSION,     /* each statement is committed by itself */
        CHILD_TRANSACTION, /* BEGIN, or a savepoint in another */
        CHILD_TEST         /* BEGIN, each statement in a savepoint, and never COMMIT */
};

enum child_state {
        CHILD_WAITING, /* for a connection, for its turn in its parent, or for another attempt */
        CHILD_RUNNING, /* its turn has come */
        CHILD_ENDING,  /* its COMMIT is out */
        CHILD_PARKED,  /* what its request ends with is known; its users are not done with it */
        CHILD_ENDED    /* its request completes */
};

struct child {
        struct pipit scope;
        enum child_kind kind;
        enum child_state state;
        struct lease *lease;
        struct child *up; /* that it is nested in; NULL: it has the lease */
        int level;        /* savepoints around it and its own; 0: BEGIN */
        struct pipit_transaction options;
        struct list queue;    /* REQUEST_QUEUED */
        struct request *done; /* its own request; NULL once that is gone */
        pipit_body body;      /* NULL: it was opened by hand */
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

/* The child that a request is for; NULL when it is for none. */
struct child *pipit__child_of(const struct request *done);
/* The child that a scope is; NULL for a database. */
struct child *pipit__child_scope(struct pipit *scope);
bool pipit__child_is_transaction(const struct child *child);

/* Frees it, and its lease with the outermost: only for one that nobody has seen. */
void pipit__child_free(struct child *child);
/* Frees it once the stack has unwound, if nobody refers to it any more. */
void pipit__child_look_for_end(struct child *child);

/* It can only roll back from now on; owner NULL: the cause's texts live as long as it. */
void
pipit__child_doom(struct child *child, const struct pipit_error *cause, struct pipit_result *owner);
/* The same; what is outstanding on it, and on those nested in it, ends in this way. */
void pipit__child_abort(struct child *child, enum pipit_code code, const char *text);

/* What a request gets that can run no more. */
void
pipit__child_refusal(const struct child *child, enum pipit_executed executed, struct refusal *ret);
/* What waits for its turn gets that, nested children too. */
void pipit__child_fail_queue(struct child *child);
/* A COMMIT that was sent is not waited for any more, and nothing that travels with it. */
void pipit__child_give_up_commit(struct child *child, enum pipit_code code, const char *text);
/* A statement, or a COMMIT, that was sent is not waited for any more. */
void pipit__child_give_up(struct child *child, struct request *req, enum pipit_code code,
                          const char *text);

#endif
