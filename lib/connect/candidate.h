/*
 * A candidate is one PGconn on its way to one endpoint, by PQconnectPoll(). Of those that a connect
 * attempt has under way at the same time one wins.
 *
 * libpq's socket may change with every poll, even to another one of the same number, so the watcher
 * is made anew after each. The attempt that starts a candidate owns it. What always holds:
 * 1. fn is called once for each change of state that the loop brings about, and is the last thing
 *    that is done then: fn may free the candidate. The start itself calls nobody.
 * 2. A candidate ends within its time: it is up then, or has failed.
 */
#ifndef PIPIT_CANDIDATE_INTERNAL_H
#define PIPIT_CANDIDATE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

struct candidate;
struct conn_error;
struct conninfo;
struct endpoint;
struct pg_conn;
struct reactor;

enum candidate_state {
        CANDIDATE_CONNECTING, /* nobody has taken the connection yet */
        CANDIDATE_TALKING,    /* somebody did, and the start of a session is under way */
        CANDIDATE_UP,         /* the PGconn is ready */
        CANDIDATE_FAILED      /* the failure says why */
};

/* Is called from the loop when a candidate's state has changed. */
typedef void (*pipit__candidate_fn)(void *arg);

/* Where a candidate goes, with whom it speaks of that, and how long it may take. */
struct candidate_start {
        struct reactor *reactor; /* borrowed, as info, until the candidate is freed */
        const struct conninfo *info;
        const struct endpoint *endpoint; /* borrowed until the start returns */
        int64_t limit_ms;
        pipit__candidate_fn fn;
        void *arg;
};

/* Starts a candidate, which the caller frees. It may have failed already. NULL if memory ran out.
 */
struct candidate *pipit__candidate_start(const struct candidate_start *start);
/* Ends a candidate, whatever its state. NULL does nothing. in_child: nothing is sent on a socket
 * that the parent of a fork shares. */
void pipit__candidate_free(struct candidate *candidate, bool in_child);

enum candidate_state pipit__candidate_state(const struct candidate *candidate);
/* Takes the PGconn of a candidate that is up; the caller owns it. */
struct pg_conn *pipit__candidate_take(struct candidate *candidate);
/* Returns why a candidate failed, borrowed from it. */
const struct conn_error *pipit__candidate_failure(const struct candidate *candidate);

#endif
