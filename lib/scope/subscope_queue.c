/*
 * Subscopes, as scopes: how they take requests, hold them in their queue, and are closed.
 */
#include <stdio.h>

#include "pool/dispatch.h"
#include "request/request.h"
#include "scope/lease.h"
#include "scope/subscope_int.h"

/* ---- requests in the queue */

static const char *
queued_waits_for(const struct request *req)
{
        const struct subscope *subscope = pipit__request_holder(req);

        return pipit__subscope_is_transaction(subscope) ? "its turn in its transaction"
                                                        : "its turn in its session";
}

static void
queued_cancel(struct request *req, const char *reason)
{
        pipit__request_fail(req, PIPIT_ECANCELED, PIPIT_EXECUTED_NO, PIPIT_PHASE_WAIT,
                            "%s before it was sent", reason);
}

static void
queued_expire(struct request *req)
{
        pipit__request_fail(req, PIPIT_ETIMEDOUT, PIPIT_EXECUTED_NO, PIPIT_PHASE_WAIT,
                            "waited %.1f s for %s in vain",
                            (double)pipit__request_waited_ms(req) / 1000,
                            pipit__request_waits_for(req));
}

static struct dispatch *
subscope_dispatch(const struct subscope *subscope)
{
        return pipit__lease_leases(subscope->lease)->dispatch;
}

static void
queued_leave(struct request *req)
{
        pipit__dispatch_remove_queued(subscope_dispatch(pipit__request_holder(req)),
                                      pipit__request_bytes(req));
}

static const struct holder_ops queued_ops = {.waits_for = queued_waits_for,
                                             .cancel = queued_cancel,
                                             .expire = queued_expire,
                                             .leave = queued_leave};

void
pipit__subscope_queue(struct subscope *subscope, struct request *req, bool again)
{
        pipit__request_enter(req, REQUEST_QUEUED, &queued_ops, subscope);
        pipit__dispatch_add_queued(subscope_dispatch(subscope), pipit__request_bytes(req));
        pipit__request_drop_rule(req);
        /* A request that goes on with another statement keeps its place. */
        if (again || pipit__request_continues(req))
                pipit__request_prepend(req, &subscope->queue);
        else
                pipit__request_append(req, &subscope->queue);
        pipit__request_arm(req);
        pipit__lease_schedule(subscope->lease);
}

/* ---- statements that were sent */

static const char *
sent_waits_for(const struct request *req)
{
        (void)req;
        return "the server's answer";
}

static void
sent_cancel(struct request *req, const char *reason)
{
        pipit__subscope_abandon(pipit__subscope_of_request(req), req, PIPIT_ECANCELED, reason);
}

static void
sent_expire(struct request *req)
{
        char text[64];

        snprintf(text, sizeof text, "waited %.1f s", (double)pipit__request_waited_ms(req) / 1000);
        pipit__subscope_abandon(pipit__subscope_of_request(req), req, PIPIT_ETIMEDOUT, text);
}

const struct holder_ops pipit__subscope_sent_ops = {
        .waits_for = sent_waits_for, .cancel = sent_cancel, .expire = sent_expire};

/* ---- the scope */

static bool
subscope_refuse(struct pipit *scope, size_t bytes, struct refusal *ret)
{
        const struct subscope *subscope = pipit__subscope_of_scope(scope);
        const struct dispatch *dispatch = subscope_dispatch(subscope);
        int n_requests = pipit__scope_n_requests(scope);

        if (pipit__subscope_is_doomed(subscope)) {
                pipit__subscope_refusal(subscope, PIPIT_EXECUTED_NO, ret);
                return true;
        }
        if (n_requests < dispatch->max && pipit__dispatch_has_room_for(dispatch, bytes))
                return false;
        snprintf(ret->text, sizeof ret->text,
                 "%d requests wait already on this scope (max_waiting), statements of %zu bytes on "
                 "its database (max_waiting_bytes)",
                 n_requests, dispatch->bytes + dispatch->queued_bytes);
        ret->error = (struct pipit_error){
                .code = PIPIT_ELIMIT, .phase = PIPIT_PHASE_START, .message = ret->text};
        return true;
}

static void
subscope_add(struct pipit *scope, struct request *req, bool again)
{
        pipit__subscope_queue(pipit__subscope_of_scope(scope), req, again);
}

static void
subscope_on_gone(struct pipit *scope)
{
        struct subscope *subscope = pipit__subscope_of_scope(scope);

        if (pipit__scope_n_requests(scope) > 0)
                return;
        if (subscope->request == NULL)
                pipit__subscope_look_for_end(subscope);
        else if (subscope->state == SUBSCOPE_PARKED)
                pipit__subscope_try_end(subscope);
        else
                pipit__lease_schedule(subscope->lease);
}

/* Drops a forked child's copy: nothing of it is called, and its memory goes with its requests. */
static void
subscope_drop(struct subscope *subscope)
{
        struct reactor *reactor = pipit__lease_leases(subscope->lease)->reactor;

        pipit__reactor_enter(reactor);
        subscope->request = NULL;
        subscope->released = true;
        pipit__scope_detach(&subscope->scope);
        pipit__lease_drop(subscope->lease);
        pipit__scope_close_subscopes(&subscope->scope);
        pipit__subscope_look_for_end(subscope);
        pipit__reactor_leave(reactor);
}

static void
subscope_on_close(struct pipit *scope)
{
        struct subscope *subscope = pipit__subscope_of_scope(scope);
        int code = pipit__scope_check_owner(scope);

        if (code == PIPIT_EFORK)
                subscope_drop(subscope);
        if (code != 0)
                return;
        if (subscope->state == SUBSCOPE_ENDED) {
                pipit__subscope_release(subscope);
                return;
        }
        pipit__subscope_watch_loss(subscope, NULL, NULL);
        pipit__scope_detach(scope);
        pipit__scope_close_subscopes(scope);
        pipit__subscope_abort(subscope, PIPIT_ECANCELED, "the scope was closed");
        if (subscope->body == NULL)
                pipit__subscope_finish(subscope, NULL, NULL);
}

/* The user closes a subscope once more: it goes on to its end, and its memory goes with that. */
static void
subscope_on_release(struct pipit *scope)
{
        struct subscope *subscope = pipit__subscope_of_scope(scope);
        int code = pipit__scope_check_owner(scope);

        if (code == PIPIT_EFORK)
                subscope_drop(subscope);
        else if (code == 0)
                pipit__subscope_release(subscope);
}

static void
subscope_on_out_of_memory(struct pipit *scope)
{
        static const struct pipit_error cause = {
                .code = PIPIT_ENOMEM,
                .executed = PIPIT_EXECUTED_ROLLED_BACK,
                .phase = PIPIT_PHASE_START,
                .message = "one of its requests could not be started: out of memory"};
        struct subscope *subscope = pipit__subscope_of_scope(scope);

        if (pipit__subscope_is_transaction(subscope) && pipit__scope_is_open(scope))
                pipit__subscope_doom(subscope, &cause, NULL);
}

const struct scope_ops pipit__subscope_scope_ops = {.refuse = subscope_refuse,
                                                    .add = subscope_add,
                                                    .gone = subscope_on_gone,
                                                    .close = subscope_on_close,
                                                    .release = subscope_on_release,
                                                    .out_of_memory = subscope_on_out_of_memory,
                                                    .error = pipit__subscope_error};
