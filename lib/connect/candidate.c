/*
 * Candidates. See candidate.h.
 */
#include "connect/candidate.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "connect/conn_error.h"
#include "connect/conninfo.h"
#include "loop/reactor.h"
#include "pq/pq.h"
#include "pq/pq_connect.h"

struct candidate {
        enum candidate_state state;
        struct reactor *reactor;
        struct pg_conn *pq;  /* NULL once it has failed or was taken */
        struct watch *watch; /* NULL unless pq waits for its socket */
        struct timer *timer; /* runs until the candidate is up or has failed */
        struct conn_error failure;
        pipit__candidate_fn fn;
        void *arg;
};

static void
candidate_disconnect(struct candidate *candidate, bool in_child)
{
        pipit__watch_free(candidate->watch);
        candidate->watch = NULL;
        if (in_child && candidate->pq != NULL)
                pipit__pq_abandon(candidate->pq);
        else
                pipit__pq_finish(candidate->pq);
        candidate->pq = NULL;
}

/* The only place that changes the state. */
static void
candidate_enter(struct candidate *candidate, enum candidate_state state)
{
        candidate->state = state;
        if (state == CANDIDATE_FAILED)
                candidate_disconnect(candidate, false);
        if (state == CANDIDATE_FAILED || state == CANDIDATE_UP)
                pipit__timer_stop(candidate->timer);
}

static void
candidate_fail(struct candidate *candidate, enum conn_cause cause, const char *text)
{
        pipit__conn_error_print(&candidate->failure, cause, text);
        candidate_enter(candidate, CANDIDATE_FAILED);
}

static void candidate_on_ready(unsigned ready, void *arg);

/* Waits for the socket as libpq asked. The old watcher is gone already. */
static void
candidate_watch(struct candidate *candidate, unsigned ready)
{
        candidate->watch = pipit__watch_new(candidate->reactor, pipit__pq_socket(candidate->pq),
                                            candidate_on_ready, candidate);
        if (candidate->watch == NULL || pipit__watch_want(candidate->watch, ready) != 0)
                candidate_fail(candidate, CAUSE_LOCAL,
                               "the socket cannot be watched: out of memory");
}

/* Keeps what libpq says of its failure. look: what was taken in front of the last poll. */
static void
candidate_fail_by_libpq(struct candidate *candidate, int look)
{
        const char *problem = pipit__descriptor_problem(1);

        pipit__conn_error_read(&candidate->failure, pipit__pq_message(candidate->pq));
        if (candidate->failure.sqlstate[0] == '\0' && problem != NULL)
                pipit__conn_error_print(&candidate->failure, CAUSE_LOCAL, problem);
        else if (candidate->failure.sqlstate[0] == '\0' &&
                 pipit__pq_failed_for_good(candidate->pq, look))
                candidate->failure.cause = CAUSE_LASTING;
        candidate_enter(candidate, CANDIDATE_FAILED);
}

static void
candidate_poll(struct candidate *candidate)
{
        int look = pipit__pq_look(candidate->pq);

        pipit__watch_free(candidate->watch);
        candidate->watch = NULL;
        enum pq_poll next = pipit__pq_poll(candidate->pq);
        if (candidate->state == CANDIDATE_CONNECTING && pipit__pq_is_taken(candidate->pq))
                candidate_enter(candidate, CANDIDATE_TALKING);
        switch (next) {
        case PQ_POLL_READ: candidate_watch(candidate, WATCH_READ); break;
        case PQ_POLL_WRITE: candidate_watch(candidate, WATCH_WRITE); break;
        case PQ_POLL_DONE: candidate_enter(candidate, CANDIDATE_UP); break;
        case PQ_POLL_FAILED: candidate_fail_by_libpq(candidate, look); break;
        }
        if (look >= 0)
                close(look);
}

static void
candidate_on_ready(unsigned ready, void *arg)
{
        struct candidate *candidate = arg;
        enum candidate_state before = candidate->state;

        (void)ready;
        candidate_poll(candidate);
        if (candidate->state != before)
                candidate->fn(candidate->arg);
}

static void
candidate_on_timer(void *arg)
{
        struct candidate *candidate = arg;

        candidate_fail(candidate, CAUSE_REMOTE, "the server did not answer in time");
        candidate->fn(candidate->arg);
}

struct candidate *
pipit__candidate_start(const struct candidate_start *start)
{
        struct candidate *candidate = calloc(1, sizeof *candidate);
        struct conninfo_parameters parameters;

        if (candidate == NULL)
                return NULL;
        *candidate =
                (struct candidate){.reactor = start->reactor, .fn = start->fn, .arg = start->arg};
        pipit__conn_error_set_host(&candidate->failure, start->endpoint->host);
        candidate->timer = pipit__timer_new(start->reactor, candidate_on_timer, candidate);
        if (candidate->timer == NULL || pipit__timer_set(candidate->timer, start->limit_ms) != 0) {
                pipit__candidate_free(candidate, false);
                return NULL;
        }
        /* libpq reads files, too, and takes one that it cannot open for one that is not there. */
        const char *problem = pipit__descriptor_problem(2);
        if (problem != NULL) {
                candidate_fail(candidate, CAUSE_LOCAL, problem);
                return candidate;
        }
        pipit__conninfo_parameters(start->info, start->endpoint, &parameters);
        candidate->pq = pipit__pq_start(parameters.keys, parameters.values);
        if (candidate->pq == NULL)
                candidate_fail(candidate, CAUSE_LOCAL, "out of memory");
        else if (pipit__pq_socket(candidate->pq) < 0)
                candidate_poll(candidate); /* the connect has failed, and the poll says why */
        else
                candidate_watch(candidate, WATCH_WRITE);
        return candidate;
}

void
pipit__candidate_free(struct candidate *candidate, bool in_child)
{
        if (candidate == NULL)
                return;
        candidate_disconnect(candidate, in_child);
        pipit__timer_free(candidate->timer);
        free(candidate);
}

enum candidate_state
pipit__candidate_state(const struct candidate *candidate)
{
        return candidate->state;
}

struct pg_conn *
pipit__candidate_take(struct candidate *candidate)
{
        struct pg_conn *pq = candidate->pq;

        candidate->pq = NULL;
        return pq;
}

const struct conn_error *
pipit__candidate_failure(const struct candidate *candidate)
{
        return &candidate->failure;
}
