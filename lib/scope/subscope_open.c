/*
 * How subscopes are opened. See subscope.h.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/reserved.h"
#include "pool/dispatch.h"
#include "pool/pool.h"
#include "request/request.h"
#include "scope/lease.h"
#include "scope/subscope_int.h"

/* How often a body runs, unless its caller says otherwise. */
#define SUBSCOPE_ATTEMPTS 3
/* A program that nests so many calls itself for ever. */
#define SUBSCOPE_MAX_LEVEL 100

/* The level of what is opened on a subscope, NULL for a database. */
static int
level_on(const struct subscope *up)
{
        return up != NULL && pipit__subscope_is_transaction(up) ? up->level + 1 : 0;
}

static struct subscope *
subscope_new(struct pipit *parent, struct leases *leases, const struct subscope_plan *plan)
{
        struct subscope *up = pipit__subscope_of_scope(parent);
        struct subscope *subscope = calloc(1, sizeof *subscope);

        if (subscope == NULL)
                return NULL;
        pipit__scope_init_on(&subscope->scope, &pipit__subscope_scope_ops, parent);
        list_init(&subscope->queue);
        list_init(&subscope->lost_link);
        subscope->kind = plan->kind;
        subscope->up = up;
        subscope->level = level_on(up);
        if (plan->options != NULL)
                subscope->options = *plan->options;
        if (subscope->options.max_attempts == 0)
                subscope->options.max_attempts = SUBSCOPE_ATTEMPTS;
        subscope->wait_ms = plan->wait_ms;
        subscope->body = plan->body;
        subscope->arg = plan->arg;
        subscope->released = plan->body != NULL;
        subscope->lease = up != NULL ? pipit__lease_ref(up->lease) : pipit__lease_new(leases);
        if (subscope->lease == NULL ||
            pipit__lease_reserve(subscope->lease, subscope->level) != 0) {
                pipit__subscope_free(subscope);
                return NULL;
        }
        if (up == NULL)
                pipit__lease_set_root(subscope->lease, subscope);
        return subscope;
}

/* Says what is wrong with what was asked for; NULL: nothing. */
static const char *
subscope_problem(const struct subscope *subscope)
{
        const struct pipit_transaction *options = &subscope->options;
        bool outer = options->isolation != PIPIT_ISOLATION_DEFAULT || options->read_only ||
                     options->deferrable || options->max_attempts != SUBSCOPE_ATTEMPTS ||
                     options->commit_early;

        if ((unsigned)options->isolation > PIPIT_SERIALIZABLE || options->max_attempts < 0 ||
            options->timeout_ms < -1)
                return "the options of the transaction are out of range";
        if (!reserved_is_empty(options->reserved))
                return "the reserved members of a transaction's options " RESERVED_PROBLEM;
        if (subscope->level > SUBSCOPE_MAX_LEVEL)
                return "it is nested in 100 transactions already";
        if (outer && subscope->level > 0)
                return "isolation, read_only, deferrable, max_attempts and commit_early are for "
                       "the outermost transaction, and this one is nested";
        return NULL;
}

/* Fails the subscope's request if the subscope cannot be; false: it can. */
static bool
subscope_is_refused(struct subscope *subscope, struct pipit *parent)
{
        struct pipit_error problem = {.code = PIPIT_EINVAL, .message = subscope_problem(subscope)};
        const struct pipit_error *error =
                pipit__scope_is_open(parent) ? NULL : pipit_scope_error(parent);
        struct refusal refusal;

        if (error == NULL && problem.message != NULL)
                error = &problem;
        if (error == NULL && pipit__scope_refuses(parent, 0, &refusal))
                error = &refusal.error;
        if (error == NULL)
                return false;
        pipit__request_fail_like(subscope->request, error);
        /* The user who opened it by hand is told at once, whatever he tries on it. */
        if (subscope->body == NULL)
                pipit__scope_break(&subscope->scope, error->code, "%s", error->message);
        return true;
}

struct subscope *
pipit__subscope_open(struct pipit *parent, struct leases *leases, const struct subscope_plan *plan)
{
        struct subscope *subscope = subscope_new(parent, leases, plan);

        if (subscope == NULL)
                return NULL;
        struct request *request = pipit__scope_request(parent, 0, plan->done, plan->arg);
        if (request == NULL) {
                pipit__subscope_free(subscope);
                return NULL;
        }
        int r = pipit__request_push(request, pipit__subscope_on_done, subscope);
        assert(r == 0); /* there is always room for two */
        (void)r;
        subscope->request = request;
        pipit__request_set_subscope(request, subscope);
        pipit__request_set_times(request, plan->timeout_ms, plan->wait_ms);
        pipit__scope_attach(&subscope->scope, parent);
        if (subscope_is_refused(subscope, parent))
                return subscope;
        if (subscope->up == NULL)
                pipit__dispatch_add(leases->dispatch, request);
        else
                pipit__subscope_queue(subscope->up, request, false);
        return subscope;
}

/* ---- deadlocks */

/* Whether a subscope, NULL for none, is another one or is nested in it. */
static bool
subscope_is_within(const struct subscope *subscope, const struct subscope *outer)
{
        while (subscope != NULL && subscope != outer)
                subscope = subscope->up;
        return subscope != NULL;
}

/* The lease that a request waits for; NULL when it waits for none. */
static const struct lease *
lease_waited_for(const struct request *req, const struct pool *pool)
{
        const struct subscope *subscope = pipit__subscope_of_request(req);

        switch (pipit__request_state(req)) {
        case REQUEST_QUEUED:
                return pipit__lease_has_conn(subscope->lease) ? subscope->lease
                                                              : pipit__pool_lease(pool);
        case REQUEST_WAITING: return pipit__pool_lease(pool);
        case REQUEST_NEW:
        case REQUEST_HELD:
        case REQUEST_SENT:
        case REQUEST_ENDING:
        case REQUEST_DONE: break;
        }
        return NULL;
}

bool
pipit__subscope_never_comes(const struct request *req, const struct pool *pool)
{
        const struct subscope *waiting = pipit__subscope_of_request(req);
        const struct lease *lease = lease_waited_for(req, pool);

        for (const struct subscope *subscope = lease != NULL ? pipit__lease_active(lease) : NULL;
             subscope != NULL && !subscope_is_within(waiting, subscope); subscope = subscope->up) {
                if ((subscope->body == NULL && !subscope->closing) || subscope->holds > 0)
                        return true;
        }
        return false;
}
