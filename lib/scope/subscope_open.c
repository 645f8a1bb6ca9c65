/*
 * Subscopes, as scopes. See subscope_open.h.
 */
#include "scope/subscope_open.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/owner.h"
#include "conn/conn.h"
#include "pool/dispatch.h"
#include "scope/subscope_turn.h"

/* How often a body runs, unless its caller says otherwise. */
#define SUBSCOPE_ATTEMPTS 3

void
pipit__subscope_cancel(struct subscope *subscope, const char *reason)
{
        struct request *request = subscope->request;

        if (subscope->state == SUBSCOPE_ENDING && request->state == REQUEST_SENT)
                pipit__subscope_abandon_commit(subscope, PIPIT_ECANCELED, reason);
        else if (subscope->state <= SUBSCOPE_RUNNING)
                pipit__subscope_abort(subscope, PIPIT_ECANCELED, reason);
}

void
pipit__subscope_expire(struct subscope *subscope)
{
        struct request *request = subscope->request;

        if (subscope->state == SUBSCOPE_ENDING && request->state == REQUEST_SENT)
                pipit__subscope_abandon_commit(subscope, PIPIT_ETIMEDOUT, "the time was over");
        else if (subscope->state <= SUBSCOPE_RUNNING)
                pipit__subscope_abort(subscope, PIPIT_ETIMEDOUT,
                                      "the time for the transaction or the session was over");
}

void
pipit__subscope_finish(struct subscope *subscope, pipit_cb cb, void *arg)
{
        subscope->closing = true;
        subscope->scope.state = SCOPE_CLOSED;
        if (cb != NULL)
                subscope->request->first = (struct completion){cb, arg};
        if (subscope->state == SUBSCOPE_PARKED)
                pipit__subscope_try_end(subscope);
        else
                pipit__lease_schedule(subscope->lease);
}

/* ---- the scope */

static struct subscope *
subscope_of_scope(struct pipit *scope)
{
        return container_of(scope, struct subscope, scope);
}

static bool
subscope_refuse(struct pipit *scope, size_t bytes, struct refusal *ret)
{
        struct subscope *subscope = subscope_of_scope(scope);
        const struct dispatch *dispatch = subscope->lease->leases->dispatch;

        if (subscope->doomed) {
                pipit__subscope_refusal(subscope, PIPIT_EXECUTED_NO, ret);
                return true;
        }
        if (scope->result_owner.n_requests < dispatch->max && bytes <= dispatch->max_bytes)
                return false;
        snprintf(ret->text, sizeof ret->text,
                 "%d requests wait already on this scope (max_waiting)",
                 scope->result_owner.n_requests);
        ret->error = (struct pipit_error){
                .code = PIPIT_ELIMIT, .phase = PIPIT_PHASE_START, .message = ret->text};
        return true;
}

static void
subscope_add(struct pipit *scope, struct request *req, bool again)
{
        struct subscope *subscope = subscope_of_scope(scope);

        req->state = REQUEST_QUEUED;
        req->rule = NULL;
        /* One that goes on with another statement keeps its place. */
        if (again || req->more_bound != NULL)
                list_push_front(&subscope->queue, &req->link);
        else
                list_push_back(&subscope->queue, &req->link);
        pipit__request_set_deadline(req, req->deadline_ms);
        pipit__lease_schedule(subscope->lease);
}

static void
subscope_on_cancel(struct pipit *scope, struct request *req, const char *reason)
{
        struct subscope *subscope = subscope_of_scope(scope);
        struct subscope *nested = pipit__subscope_of(req);

        if (nested != NULL && req->state != REQUEST_QUEUED) {
                pipit__subscope_cancel(nested, reason);
        } else if (req->state == REQUEST_QUEUED) {
                pipit__request_fail(req, PIPIT_ECANCELED, PIPIT_EXECUTED_NO, PIPIT_PHASE_WAIT,
                                    "%s before it was sent", reason);
        } else if (req->state == REQUEST_SENT) {
                pipit__subscope_abandon(subscope, req, PIPIT_ECANCELED, reason);
        }
}

static void
subscope_on_expire(struct pipit *scope, struct request *req)
{
        struct subscope *subscope = subscope_of_scope(scope);
        struct subscope *nested = pipit__subscope_of(req);
        int64_t waited_ms = pipit__reactor_now(scope->requests->reactor) - req->started_ms;
        char text[64];

        snprintf(text, sizeof text, "waited %.1f s", (double)waited_ms / 1000);
        if (nested != NULL && req->state != REQUEST_QUEUED) {
                pipit__subscope_expire(nested);
        } else if (req->state == REQUEST_QUEUED) {
                pipit__request_fail(req, PIPIT_ETIMEDOUT, PIPIT_EXECUTED_NO, PIPIT_PHASE_WAIT,
                                    "%s for its turn in its %s in vain", text,
                                    pipit__subscope_is_transaction(subscope) ? "transaction"
                                                                             : "session");
        } else if (req->state == REQUEST_SENT) {
                pipit__subscope_abandon(subscope, req, PIPIT_ETIMEDOUT, text);
        }
}

static void
subscope_on_gone(struct pipit *scope)
{
        struct subscope *subscope = subscope_of_scope(scope);

        if (scope->result_owner.n_requests > 0)
                return;
        if (subscope->request == NULL)
                pipit__subscope_look_for_end(subscope);
        else if (subscope->state == SUBSCOPE_PARKED)
                pipit__subscope_try_end(subscope);
        else
                pipit__lease_schedule(subscope->lease);
}

/* In a forked child: nothing of it is called, and its memory goes with its requests. */
static void
subscope_drop(struct subscope *subscope)
{
        struct reactor *reactor = subscope->lease->leases->reactor;

        pipit__reactor_enter(reactor);
        subscope->dropped = true;
        subscope->request = NULL;
        list_remove(&subscope->scope.link);
        list_remove(&subscope->lease->link);
        if (subscope->lease->conn != NULL)
                subscope->lease->conn->lease_ops = NULL;
        pipit__scope_close_subscopes(&subscope->scope);
        pipit__subscope_look_for_end(subscope);
        pipit__reactor_leave(reactor);
}

static void
subscope_on_close(struct pipit *scope)
{
        struct subscope *subscope = subscope_of_scope(scope);
        int code = pipit__owner_check(scope->owner);

        if (code == PIPIT_EFORK)
                subscope_drop(subscope);
        if (code != 0)
                return;
        list_remove(&scope->link);
        pipit__scope_close_subscopes(scope);
        pipit__subscope_abort(subscope, PIPIT_ECANCELED, "the scope was closed");
        if (subscope->body == NULL)
                pipit__subscope_finish(subscope, NULL, NULL);
}

static void
subscope_on_out_of_memory(struct pipit *scope)
{
        struct subscope *subscope = subscope_of_scope(scope);
        struct pipit_error cause = {.code = PIPIT_ENOMEM,
                                    .executed = PIPIT_EXECUTED_ROLLED_BACK,
                                    .phase = PIPIT_PHASE_START,
                                    .message = "one of its requests could not be started: out of "
                                               "memory"};

        if (pipit__subscope_is_transaction(subscope) && scope->state == SCOPE_OPEN)
                pipit__subscope_doom(subscope, &cause, NULL);
}

static const struct scope_ops subscope_ops = {
        subscope_refuse,  subscope_add,      subscope_on_cancel,       subscope_on_expire,
        subscope_on_gone, subscope_on_close, subscope_on_out_of_memory};

int
pipit__subscope_attempt(const struct pipit *scope)
{
        const struct subscope *subscope = (const struct subscope *)scope; /* its first member */

        return scope != NULL && !pipit__scope_is_database(scope) &&
                               subscope->kind == SUBSCOPE_TRANSACTION
                       ? subscope->attempt
                       : 0;
}

/* ---- how it is opened */

static struct subscope *
subscope_new(struct pipit *parent, struct leases *leases, const struct subscope_plan *plan)
{
        struct subscope *up = pipit__subscope_of_scope(parent);
        struct subscope *subscope = calloc(1, sizeof *subscope);

        if (subscope == NULL)
                return NULL;
        subscope->scope.db = parent->db;
        subscope->scope.owner = parent->owner;
        subscope->scope.requests = parent->requests;
        subscope->scope.wait_results = parent->wait_results;
        pipit__scope_init(&subscope->scope, &subscope_ops);
        list_init(&subscope->queue);
        subscope->kind = plan->kind;
        subscope->up = up;
        subscope->level = up != NULL && pipit__subscope_is_transaction(up) ? up->level + 1 : 0;
        if (plan->options != NULL)
                subscope->options = *plan->options;
        if (subscope->options.max_attempts == 0)
                subscope->options.max_attempts = SUBSCOPE_ATTEMPTS;
        subscope->wait_ms = plan->wait_ms;
        subscope->body = plan->body;
        subscope->arg = plan->arg;
        subscope->lease = up != NULL ? up->lease : pipit__lease_new(leases);
        if (subscope->lease == NULL ||
            pipit__lease_reserve(subscope->lease, subscope->level) != 0) {
                pipit__subscope_free(subscope);
                return NULL;
        }
        if (up == NULL)
                subscope->lease->root = subscope;
        return subscope;
}

/* What is nested in so many is a program that calls itself for ever. */
#define SUBSCOPE_MAX_LEVEL 100

/* What is wrong with what was asked for; NULL: nothing. */
static const char *
subscope_problem(const struct subscope *subscope)
{
        const struct pipit_transaction *options = &subscope->options;
        bool outer = options->isolation != PIPIT_ISOLATION_DEFAULT || options->read_only ||
                     options->deferrable || options->max_attempts != SUBSCOPE_ATTEMPTS ||
                     options->commit_early;

        if ((unsigned)options->isolation > PIPIT_SERIALIZABLE || options->max_attempts < 0)
                return "the options of the transaction are out of range";
        if (subscope->level > SUBSCOPE_MAX_LEVEL)
                return "it is nested in 100 transactions already";
        if (outer && subscope->level > 0)
                return "isolation, read_only, deferrable, max_attempts and commit_early are for "
                       "the outermost transaction, and this one is nested";
        return NULL;
}

/* Why it cannot be, with its request; false: it can. */
static bool
subscope_is_refused(struct subscope *subscope, struct pipit *parent)
{
        struct pipit_error problem = {.code = PIPIT_EINVAL, .message = subscope_problem(subscope)};
        const struct pipit_error *error = pipit_scope_error(parent);
        struct refusal refusal;

        if (error == NULL && problem.message != NULL)
                error = &problem;
        if (error == NULL && parent->ops->refuse(parent, 0, &refusal))
                error = &refusal.error;
        if (error == NULL)
                return false;
        pipit__result_fail_like(subscope->request->res, error);
        pipit__request_end(subscope->request);
        /* Who opened it by hand is told at once, whatever is tried on it. */
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
        request->subscope = subscope;
        request->deadline_ms = pipit__deadline_after(request->started_ms, plan->timeout_ms);
        request->wait_until_ms = pipit__deadline_after(request->started_ms, plan->wait_ms);
        if (parent->state != SCOPE_CLOSED)
                list_push_back(&parent->subscopes, &subscope->scope.link);
        if (subscope_is_refused(subscope, parent))
                return subscope;
        if (subscope->up == NULL)
                pipit__dispatch_add(leases->dispatch, request);
        else
                subscope_add(parent, request, false);
        return subscope;
}

/* Whether a scope, which may be none, is a subscope or is nested in it. */
static bool
subscope_is_within(const struct subscope *scope, const struct subscope *subscope)
{
        while (scope != NULL && scope != subscope)
                scope = scope->up;
        return scope != NULL;
}

bool
pipit__subscope_never_comes(const struct request *req, const struct list *busy_conns)
{
        const struct subscope *scope = pipit__subscope_of_scope(pipit__request_scope(req));
        const struct lease *lease = NULL;

        if (req->state == REQUEST_QUEUED && scope->lease->conn != NULL) {
                lease = scope->lease;
        } else if ((req->state == REQUEST_QUEUED || req->state == REQUEST_WAITING) &&
                   !list_empty(busy_conns)) {
                const struct conn *conn = container_of(list_first(busy_conns), struct conn, link);
                lease = conn->lease_ops != NULL ? conn->lease_arg : NULL;
        }
        for (const struct subscope *subscope = lease != NULL ? lease->active : NULL;
             subscope != NULL && !subscope_is_within(scope, subscope); subscope = subscope->up) {
                if ((subscope->body == NULL && !subscope->closing) || subscope->holds > 0)
                        return true;
        }
        return false;
}
