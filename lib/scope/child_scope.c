/*
 * Children, as scopes. See child_scope.h.
 */
#include "scope/child_scope.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/owner.h"
#include "conn/conn.h"
#include "pool/dispatch.h"
#include "scope/child_turn.h"

/* How often a body runs, unless its caller says otherwise. */
#define CHILD_ATTEMPTS 3

void
pipit__child_cancel(struct child *child, const char *reason)
{
        struct request *done = child->done;

        if (child->state == CHILD_ENDING && done->state == REQUEST_SENT)
                pipit__child_give_up_commit(child, PIPIT_ECANCELED, reason);
        else if (child->state <= CHILD_RUNNING)
                pipit__child_abort(child, PIPIT_ECANCELED, reason);
}

void
pipit__child_expire(struct child *child)
{
        struct request *done = child->done;

        if (child->state == CHILD_ENDING && done->state == REQUEST_SENT)
                pipit__child_give_up_commit(child, PIPIT_ETIMEDOUT, "the time was over");
        else if (child->state <= CHILD_RUNNING)
                pipit__child_abort(child, PIPIT_ETIMEDOUT,
                                   "the time for the transaction or the session was over");
}

void
pipit__child_finish(struct child *child, pipit_cb cb, void *arg)
{
        child->closing = true;
        child->scope.state = SCOPE_CLOSED;
        if (cb != NULL)
                child->done->first = (struct completion){cb, arg};
        if (child->state == CHILD_PARKED)
                pipit__child_try_end(child);
        else
                pipit__lease_schedule(child->lease);
}

/* ---- the scope */

static struct child *
child_of_scope(struct pipit *scope)
{
        return container_of(scope, struct child, scope);
}

static bool
child_refuse(struct pipit *scope, size_t bytes, struct refusal *ret)
{
        struct child *child = child_of_scope(scope);
        const struct dispatch *dispatch = child->lease->leases->dispatch;

        if (child->doomed) {
                pipit__child_refusal(child, PIPIT_EXECUTED_NO, ret);
                return true;
        }
        if (scope->home.n_requests < dispatch->max && bytes <= dispatch->max_bytes)
                return false;
        snprintf(ret->text, sizeof ret->text,
                 "%d requests wait already on this scope (max_waiting)", scope->home.n_requests);
        ret->error = (struct pipit_error){
                .code = PIPIT_ELIMIT, .phase = PIPIT_PHASE_START, .message = ret->text};
        return true;
}

static void
child_add(struct pipit *scope, struct request *req, bool again)
{
        struct child *child = child_of_scope(scope);

        req->state = REQUEST_QUEUED;
        req->rule = NULL;
        /* One that goes on with another statement keeps its place. */
        if (again || req->more_bound != NULL)
                list_push_front(&child->queue, &req->link);
        else
                list_push_back(&child->queue, &req->link);
        pipit__request_set_deadline(req, req->deadline_ms);
        pipit__lease_schedule(child->lease);
}

static void
child_on_cancel(struct pipit *scope, struct request *req, const char *reason)
{
        struct child *child = child_of_scope(scope);
        struct child *nested = pipit__child_of(req);

        if (nested != NULL && req->state != REQUEST_QUEUED) {
                pipit__child_cancel(nested, reason);
        } else if (req->state == REQUEST_QUEUED) {
                pipit__request_fail(req, PIPIT_ECANCELED, PIPIT_EXECUTED_NO, PIPIT_PHASE_WAIT,
                                    "%s before it was sent", reason);
        } else if (req->state == REQUEST_SENT) {
                pipit__child_give_up(child, req, PIPIT_ECANCELED, reason);
        }
}

static void
child_on_expire(struct pipit *scope, struct request *req)
{
        struct child *child = child_of_scope(scope);
        struct child *nested = pipit__child_of(req);
        int64_t waited_ms = pipit__reactor_now(scope->requests->reactor) - req->started_ms;
        char text[64];

        snprintf(text, sizeof text, "waited %.1f s", (double)waited_ms / 1000);
        if (nested != NULL && req->state != REQUEST_QUEUED) {
                pipit__child_expire(nested);
        } else if (req->state == REQUEST_QUEUED) {
                pipit__request_fail(req, PIPIT_ETIMEDOUT, PIPIT_EXECUTED_NO, PIPIT_PHASE_WAIT,
                                    "%s for its turn in its %s in vain", text,
                                    pipit__child_is_transaction(child) ? "transaction" : "session");
        } else if (req->state == REQUEST_SENT) {
                pipit__child_give_up(child, req, PIPIT_ETIMEDOUT, text);
        }
}

static void
child_on_gone(struct pipit *scope)
{
        struct child *child = child_of_scope(scope);

        if (scope->home.n_requests > 0)
                return;
        if (child->done == NULL)
                pipit__child_look_for_end(child);
        else if (child->state == CHILD_PARKED)
                pipit__child_try_end(child);
        else
                pipit__lease_schedule(child->lease);
}

/* In a forked child: nothing of it is called, and its memory goes with its requests. */
static void
child_drop(struct child *child)
{
        struct reactor *reactor = child->lease->leases->reactor;

        pipit__reactor_enter(reactor);
        child->dropped = true;
        child->done = NULL;
        list_remove(&child->scope.link);
        list_remove(&child->lease->link);
        if (child->lease->conn != NULL)
                child->lease->conn->lease_ops = NULL;
        pipit__scope_close_children(&child->scope);
        pipit__child_look_for_end(child);
        pipit__reactor_leave(reactor);
}

static void
child_on_close(struct pipit *scope)
{
        struct child *child = child_of_scope(scope);
        int code = pipit__owner_check(scope->owner);

        if (code == PIPIT_EFORK)
                child_drop(child);
        if (code != 0)
                return;
        list_remove(&scope->link);
        pipit__scope_close_children(scope);
        pipit__child_abort(child, PIPIT_ECANCELED, "the scope was closed");
        if (child->body == NULL)
                pipit__child_finish(child, NULL, NULL);
}

static void
child_on_starved(struct pipit *scope)
{
        struct child *child = child_of_scope(scope);
        struct pipit_error cause = {.code = PIPIT_ENOMEM,
                                    .executed = PIPIT_EXECUTED_ROLLED_BACK,
                                    .phase = PIPIT_PHASE_START,
                                    .message = "one of its requests could not be started: out of "
                                               "memory"};

        if (pipit__child_is_transaction(child) && scope->state == SCOPE_OPEN)
                pipit__child_doom(child, &cause, NULL);
}

static const struct scope_ops child_ops = {child_refuse,    child_add,     child_on_cancel,
                                           child_on_expire, child_on_gone, child_on_close,
                                           child_on_starved};

int
pipit__child_attempt(const struct pipit *scope)
{
        const struct child *child = (const struct child *)scope; /* its first member */

        return scope != NULL && !pipit__scope_is_database(scope) && child->kind == CHILD_TRANSACTION
                       ? child->attempt
                       : 0;
}

/* ---- how it is opened */

static struct child *
child_new(struct pipit *parent, struct leases *leases, const struct child_plan *plan)
{
        struct child *up = pipit__child_scope(parent);
        struct child *child = calloc(1, sizeof *child);

        if (child == NULL)
                return NULL;
        child->scope.db = parent->db;
        child->scope.owner = parent->owner;
        child->scope.requests = parent->requests;
        child->scope.kept = parent->kept;
        pipit__scope_init(&child->scope, &child_ops);
        list_init(&child->queue);
        child->kind = plan->kind;
        child->up = up;
        child->level = up != NULL && pipit__child_is_transaction(up) ? up->level + 1 : 0;
        if (plan->options != NULL)
                child->options = *plan->options;
        if (child->options.max_attempts == 0)
                child->options.max_attempts = CHILD_ATTEMPTS;
        child->wait_ms = plan->wait_ms;
        child->body = plan->body;
        child->arg = plan->arg;
        child->lease = up != NULL ? up->lease : pipit__lease_new(leases);
        if (child->lease == NULL || pipit__lease_reserve(child->lease, child->level) != 0) {
                pipit__child_free(child);
                return NULL;
        }
        if (up == NULL)
                child->lease->root = child;
        return child;
}

/* What is nested in so many is a program that calls itself for ever. */
#define CHILD_MAX_LEVEL 100

/* What is wrong with what was asked for; NULL: nothing. */
static const char *
child_problem(const struct child *child)
{
        const struct pipit_transaction *options = &child->options;
        bool outer = options->isolation != PIPIT_ISOLATION_DEFAULT || options->read_only ||
                     options->deferrable || options->max_attempts != CHILD_ATTEMPTS ||
                     options->commit_early;

        if ((unsigned)options->isolation > PIPIT_SERIALIZABLE || options->max_attempts < 0)
                return "the options of the transaction are out of range";
        if (child->level > CHILD_MAX_LEVEL)
                return "it is nested in 100 transactions already";
        if (outer && child->level > 0)
                return "isolation, read_only, deferrable, max_attempts and commit_early are for "
                       "the outermost transaction, and this one is nested";
        return NULL;
}

/* Why it cannot be, with its request; false: it can. */
static bool
child_is_refused(struct child *child, struct pipit *parent)
{
        struct pipit_error problem = {.code = PIPIT_EINVAL, .message = child_problem(child)};
        const struct pipit_error *error = pipit_scope_error(parent);
        struct refusal refusal;

        if (error == NULL && problem.message != NULL)
                error = &problem;
        if (error == NULL && parent->ops->refuse(parent, 0, &refusal))
                error = &refusal.error;
        if (error == NULL)
                return false;
        pipit__result_fail_like(child->done->res, error);
        pipit__request_end(child->done);
        /* Who opened it by hand is told at once, whatever is tried on it. */
        if (child->body == NULL)
                pipit__scope_break(&child->scope, error->code, "%s", error->message);
        return true;
}

struct child *
pipit__child_open(struct pipit *parent, struct leases *leases, const struct child_plan *plan)
{
        struct child *child = child_new(parent, leases, plan);

        if (child == NULL)
                return NULL;
        struct request *done = pipit__scope_request(parent, 0, plan->done, plan->arg);
        if (done == NULL) {
                pipit__child_free(child);
                return NULL;
        }
        int r = pipit__request_push(done, pipit__child_on_done, child);
        assert(r == 0); /* there is always room for two */
        (void)r;
        child->done = done;
        done->child = child;
        done->deadline_ms = pipit__deadline_after(done->started_ms, plan->timeout_ms);
        done->wait_until_ms = pipit__deadline_after(done->started_ms, plan->wait_ms);
        if (parent->state != SCOPE_CLOSED)
                list_push_back(&parent->children, &child->scope.link);
        if (child_is_refused(child, parent))
                return child;
        if (child->up == NULL)
                pipit__dispatch_add(leases->dispatch, done);
        else
                child_add(parent, done, false);
        return child;
}

/* Whether a scope, which may be none, is a child or is nested in it. */
static bool
child_is_within(const struct child *scope, const struct child *child)
{
        while (scope != NULL && scope != child)
                scope = scope->up;
        return scope != NULL;
}

bool
pipit__child_never_comes(const struct request *req, const struct list *busy_conns)
{
        const struct child *scope = pipit__child_scope(pipit__request_scope(req));
        const struct lease *lease = NULL;

        if (req->state == REQUEST_QUEUED && scope->lease->conn != NULL) {
                lease = scope->lease;
        } else if ((req->state == REQUEST_QUEUED || req->state == REQUEST_WAITING) &&
                   !list_empty(busy_conns)) {
                const struct conn *conn = container_of(list_first(busy_conns), struct conn, link);
                lease = conn->lease_ops != NULL ? conn->lease_arg : NULL;
        }
        for (const struct child *child = lease != NULL ? lease->active : NULL;
             child != NULL && !child_is_within(scope, child); child = child->up) {
                if ((child->body == NULL && !child->closing) || child->holds > 0)
                        return true;
        }
        return false;
}
