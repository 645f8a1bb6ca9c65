/*
 * Subscopes: their states, and what dooms them. See subscope.h and subscope_int.h.
 */
#include "scope/subscope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pool/refusal.h"
#include "request/request.h"
#include "scope/lease.h"
#include "scope/subscope_int.h"

void
pipit__subscope_enter(struct subscope *subscope, enum subscope_state state)
{
        subscope->state = state;
}

bool
pipit__subscope_is_transaction(const struct subscope *subscope)
{
        return subscope->kind != SUBSCOPE_SESSION;
}

struct subscope *
pipit__subscope_of_scope(struct pipit *scope)
{
        return scope != NULL && !pipit__scope_is_database(scope)
                       ? container_of(scope, struct subscope, scope)
                       : NULL;
}

struct subscope *
pipit__subscope_of(const struct request *req)
{
        return pipit__request_subscope(req);
}

struct subscope *
pipit__subscope_of_request(const struct request *req)
{
        return pipit__subscope_of_scope(pipit__request_scope(req));
}

struct pipit *
pipit__subscope_scope(struct subscope *subscope)
{
        return &subscope->scope;
}

struct request *
pipit__subscope_request(const struct subscope *subscope)
{
        return subscope->request;
}

/* ---- memory */

void
pipit__subscope_free(struct subscope *subscope)
{
        pipit_result_unref(subscope->cause_owner);
        list_remove(&subscope->lost_link);
        pipit__scope_fini(&subscope->scope);
        if (subscope->lease != NULL && pipit__lease_root(subscope->lease) == subscope)
                pipit__lease_set_root(subscope->lease, NULL);
        pipit__lease_unref(subscope->lease);
        free(subscope);
}

static void
subscope_free_deferred(struct deferred *deferred)
{
        pipit__subscope_free(container_of(deferred, struct subscope, deferred));
}

void
pipit__subscope_look_for_end(struct subscope *subscope)
{
        bool is_referred_to = subscope->request != NULL || !subscope->released ||
                              pipit__scope_n_requests(&subscope->scope) > 0;

        if (is_referred_to || subscope->deferred.free != NULL)
                return;
        pipit__scope_detach(&subscope->scope);
        subscope->deferred.free = subscope_free_deferred;
        pipit__reactor_defer(pipit__lease_leases(subscope->lease)->reactor, &subscope->deferred);
}

/* ---- outcome */

bool
pipit__subscope_is_doomed(const struct subscope *subscope)
{
        return subscope->outcome == OUTCOME_DOOMED || subscope->outcome == OUTCOME_TAKEN_BACK;
}

/* Whether it is not settled yet what the subscope's request ends with. */
static bool
subscope_is_undecided(const struct subscope *subscope)
{
        switch (subscope->state) {
        case SUBSCOPE_WAITING:
        case SUBSCOPE_RUNNING:
        case SUBSCOPE_ENDING: return true;
        case SUBSCOPE_PARKED:
        case SUBSCOPE_ENDED: break;
        }
        return false;
}

void
pipit__subscope_doom(struct subscope *subscope, const struct pipit_error *cause,
                     struct pipit_result *owner)
{
        if (subscope->outcome != OUTCOME_OPEN || !subscope_is_undecided(subscope))
                return;
        subscope->outcome = OUTCOME_DOOMED;
        subscope->cause = *cause;
        subscope->cause_owner = owner != NULL ? pipit_result_ref(owner) : NULL;
        pipit__lease_schedule(subscope->lease);
}

void
pipit__subscope_take_back(struct subscope *subscope)
{
        struct pipit_error cause = {.code = PIPIT_EROLLBACK,
                                    .executed = PIPIT_EXECUTED_ROLLED_BACK,
                                    .phase = PIPIT_PHASE_EXECUTE,
                                    .message = "pipit_rollback() was called"};

        pipit__subscope_doom(subscope, &cause, NULL);
        subscope->options.max_attempts = 1; /* whatever had doomed it before */
        /* The user who opened it by hand is told by this very call's callback. */
        if (subscope->body == NULL && subscope->outcome == OUTCOME_DOOMED)
                subscope->outcome = OUTCOME_TAKEN_BACK;
}

void
pipit__subscope_set_committed(struct subscope *subscope)
{
        subscope->outcome = OUTCOME_COMMITTED;
}

void
pipit__subscope_refusal(const struct subscope *subscope, enum pipit_executed executed,
                        struct refusal *ret)
{
        /* With its connection all is lost, and there is nothing to roll back. */
        bool gone = subscope->cause.code == PIPIT_ELOST || subscope->cause.code == PIPIT_ECONNECT ||
                    !pipit__subscope_is_transaction(subscope);
        const char *what = pipit__subscope_is_transaction(subscope)
                                   ? "transaction can only roll back"
                                   : "session is over";

        ret->error = (struct pipit_error){.code = gone ? subscope->cause.code : PIPIT_EROLLBACK,
                                          .executed = executed,
                                          .phase = PIPIT_PHASE_START,
                                          .host = subscope->cause.host,
                                          .message = ret->text};
        if (gone)
                memcpy(ret->error.sqlstate, subscope->cause.sqlstate, sizeof ret->error.sqlstate);
        snprintf(ret->text, sizeof ret->text, "the %s: %s", what, subscope->cause.message);
}

/* Fails what waits for its turn with an error, nested subscopes too. */
static void
subscope_fail_queue_like(struct subscope *subscope, const struct pipit_error *error)
{
        while (!list_empty(&subscope->queue))
                pipit__request_fail_like(pipit__request_first(&subscope->queue), error);
}

void
pipit__subscope_fail_queue(struct subscope *subscope)
{
        struct refusal refusal;

        pipit__subscope_refusal(subscope, PIPIT_EXECUTED_NO, &refusal);
        subscope_fail_queue_like(subscope, &refusal.error);
}

/* ---- requests that were sent */

void
pipit__subscope_abandon(struct subscope *subscope, struct request *req, enum pipit_code code,
                        const char *text)
{
        struct pipit_result *res = pipit__request_result(req);
        /* COMMIT may have travelled with it. */
        bool uncommitted = pipit__subscope_is_transaction(subscope) &&
                           subscope->state != SUBSCOPE_ENDING && pipit__subscope_of(req) == NULL;

        pipit__request_fail(req, code,
                            uncommitted ? PIPIT_EXECUTED_ROLLED_BACK : PIPIT_EXECUTED_UNKNOWN,
                            PIPIT_PHASE_EXECUTE, "%s before its answer came: %s", text,
                            uncommitted ? "its transaction rolls back"
                                        : "nobody knows whether the statement was executed");
        /* The statement's effect goes with its savepoint, if it has one. */
        if (uncommitted && pipit__lease_has_stmt_savepoint(subscope->lease))
                pipit__lease_fail_stmt_savepoint(subscope->lease);
        else if (uncommitted)
                pipit__subscope_doom(subscope, pipit_result_error(res), res);
        pipit__lease_abandon(subscope->lease, req);
}

/* The reason why statements are given up. */
struct abandoned {
        struct subscope *subscope;
        enum pipit_code code;
        const char *text;
};

/* Ends a statement if it was sent; arg is the reason. */
static void
request_abandon_sent(struct request *req, void *arg)
{
        const struct abandoned *abandoned = arg;

        if (pipit__request_state(req) == REQUEST_SENT)
                pipit__subscope_abandon(abandoned->subscope, req, abandoned->code, abandoned->text);
}

/* Ends the statements that were sent, for nobody waits for them any more. */
static void
subscope_abandon_sent(struct subscope *subscope, enum pipit_code code, const char *text)
{
        struct abandoned abandoned = {subscope, code, text};

        pipit__scope_each_request(&subscope->scope, request_abandon_sent, &abandoned);
}

void
pipit__subscope_abandon_commit(struct subscope *subscope, enum pipit_code code, const char *text)
{
        subscope_abandon_sent(subscope, code, text);
        pipit__subscope_abandon(subscope, subscope->request, code, text);
}

/* ---- abort */

static void
subscope_abort_one(struct subscope *subscope, const struct pipit_error *cause)
{
        struct pipit_error error = {
                .code = cause->code, .phase = PIPIT_PHASE_WAIT, .message = cause->message};

        pipit__subscope_doom(subscope, cause, NULL);
        subscope->options.max_attempts = subscope->attempt; /* whatever doomed it before */
        subscope->holds = 0;
        subscope_abandon_sent(subscope, cause->code, cause->message);
        subscope_fail_queue_like(subscope, &error);
}

void
pipit__subscope_abort(struct subscope *subscope, enum pipit_code code, const char *text)
{
        struct pipit_error cause = {.code = code,
                                    .executed = PIPIT_EXECUTED_ROLLED_BACK,
                                    .phase = PIPIT_PHASE_EXECUTE,
                                    .message = text};
        struct subscope *active = pipit__lease_active(subscope->lease);

        if (subscope->state == SUBSCOPE_ENDED)
                return;
        if (subscope->state == SUBSCOPE_RUNNING) {
                for (; active != NULL && active != subscope; active = active->up) {
                        active->closing = true;
                        pipit__scope_enter(&active->scope, SCOPE_CLOSED);
                        subscope_abort_one(active, &cause);
                }
        }
        subscope_abort_one(subscope, &cause);
        pipit__lease_schedule(subscope->lease);
}

/* ---- its own request */

static const char *
own_waits_for(const struct request *req)
{
        return pipit__subscope_is_transaction(pipit__subscope_of(req))
                       ? "the end of its transaction"
                       : "the end of its session";
}

/* Ends the subscope of a request that is given up, as far as it can still be ended. */
static void
own_end(struct request *req, enum pipit_code code, const char *commit_text, const char *abort_text)
{
        struct subscope *subscope = pipit__request_holder(req);

        switch (subscope->state) {
        case SUBSCOPE_ENDING:
                if (pipit__request_state(req) == REQUEST_SENT)
                        pipit__subscope_abandon_commit(subscope, code, commit_text);
                break;
        case SUBSCOPE_WAITING:
        case SUBSCOPE_RUNNING: pipit__subscope_abort(subscope, code, abort_text); break;
        case SUBSCOPE_PARKED:
        case SUBSCOPE_ENDED: break;
        }
}

static void
own_cancel(struct request *req, const char *reason)
{
        own_end(req, PIPIT_ECANCELED, reason, reason);
}

static void
own_expire(struct request *req)
{
        own_end(req, PIPIT_ETIMEDOUT, "the time was over",
                "the time for the transaction or the session was over");
}

const struct holder_ops pipit__subscope_own_ops = {
        .waits_for = own_waits_for, .cancel = own_cancel, .expire = own_expire};

void
pipit__subscope_hold_request(struct subscope *subscope)
{
        pipit__request_enter(subscope->request, REQUEST_HELD, &pipit__subscope_own_ops, subscope);
}
