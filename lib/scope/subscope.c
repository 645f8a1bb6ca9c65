/*
 * Subscopes: what they are, and what dooms them. See subscope.h.
 */
#include "scope/subscope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn/conn_cancel.h"
#include "pool/dispatch.h"

void
pipit__subscope_free(struct subscope *subscope)
{
        pipit_result_unref(subscope->cause_owner);
        pipit__scope_fini(&subscope->scope);
        if (subscope->up == NULL)
                pipit__lease_free(subscope->lease);
        free(subscope);
}

static void
subscope_free_deferred(struct deferred *deferred)
{
        pipit__subscope_free(container_of(deferred, struct subscope, deferred));
}

/* Nobody refers to it any more, but who is on the stack. */
void
pipit__subscope_look_for_end(struct subscope *subscope)
{
        if (subscope->request != NULL || subscope->scope.result_owner.n_requests > 0)
                return;
        list_remove(&subscope->scope.link);
        subscope->deferred.free = subscope_free_deferred;
        pipit__reactor_defer(subscope->lease->leases->reactor, &subscope->deferred);
}

struct subscope *
pipit__subscope_of_scope(struct pipit *scope)
{
        return scope != NULL && !pipit__scope_is_database(scope)
                       ? container_of(scope, struct subscope, scope)
                       : NULL;
}

struct subscope *
pipit__subscope_of(const struct request *request)
{
        return request->bound == NULL ? request->subscope : NULL;
}

void
pipit__subscope_doom(struct subscope *subscope, const struct pipit_error *cause,
                     struct pipit_result *owner)
{
        if (subscope->doomed || subscope->committed || subscope->state >= SUBSCOPE_PARKED)
                return;
        subscope->doomed = true;
        subscope->cause = *cause;
        subscope->cause_owner = owner != NULL ? pipit_result_ref(owner) : NULL;
        pipit__lease_schedule(subscope->lease);
}

bool
pipit__subscope_is_transaction(const struct subscope *subscope)
{
        return subscope->kind != SUBSCOPE_SESSION;
}

/* What a request gets that cannot be run any more. */
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

static void
request_fail_like(struct request *req, const struct pipit_error *error)
{
        if (!pipit_failed(req->res))
                pipit__result_fail_like(req->res, error);
        pipit__request_end(req);
}

/* What waits for its turn, nested subscopes too. */
static void
subscope_fail_queue_like(struct subscope *subscope, const struct pipit_error *error)
{
        while (!list_empty(&subscope->queue)) {
                struct list *link = list_first(&subscope->queue);
                request_fail_like(container_of(link, struct request, link), error);
        }
}

void
pipit__subscope_fail_queue(struct subscope *subscope)
{
        struct refusal refusal;

        pipit__subscope_refusal(subscope, PIPIT_EXECUTED_NO, &refusal);
        subscope_fail_queue_like(subscope, &refusal.error);
}

/* A statement, or a COMMIT, that was sent is not waited for any more. */
void
pipit__subscope_abandon(struct subscope *subscope, struct request *req, enum pipit_code code,
                        const char *text)
{
        struct conn *conn = req->conn;
        /* COMMIT may have travelled with it. */
        bool uncommitted = pipit__subscope_is_transaction(subscope) &&
                           subscope->state != SUBSCOPE_ENDING && pipit__subscope_of(req) == NULL;

        pipit__request_fail(req, code,
                            uncommitted ? PIPIT_EXECUTED_ROLLED_BACK : PIPIT_EXECUTED_UNKNOWN,
                            PIPIT_PHASE_EXECUTE, "%s before its answer came: %s", text,
                            uncommitted ? "its transaction rolls back"
                                        : "nobody knows whether the statement was executed");
        /* What it does goes with its savepoint, if it has one. */
        if (uncommitted && subscope->lease->stmt_savepoint > 0)
                subscope->lease->stmt_savepoint_failed = true;
        else if (uncommitted)
                pipit__subscope_doom(subscope, pipit_result_error(req->res), req->res);
        if (conn != NULL)
                pipit__conn_abandon(conn, req);
}

/* Nobody waits for its statements any more. */
static void
subscope_abandon_sent(struct subscope *subscope, enum pipit_code code, const char *text)
{
        struct requests *requests = subscope->scope.requests;

        for (uint32_t i = 0; i < requests->n_slots; i++) {
                struct request *req = requests->slots[i].request;
                if (req != NULL && req->owner == &subscope->scope.result_owner &&
                    req->state == REQUEST_SENT)
                        pipit__subscope_abandon(subscope, req, code, text);
        }
}

void
pipit__subscope_abandon_commit(struct subscope *subscope, enum pipit_code code, const char *text)
{
        subscope_abandon_sent(subscope, code, text);
        pipit__subscope_abandon(subscope, subscope->request, code, text);
}

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
        struct subscope *active = subscope->lease->active;

        if (subscope->state == SUBSCOPE_RUNNING) {
                for (; active != NULL && active != subscope; active = active->up) {
                        active->closing = true;
                        active->scope.state = SCOPE_CLOSED;
                        subscope_abort_one(active, &cause);
                }
        }
        subscope_abort_one(subscope, &cause);
        pipit__lease_schedule(subscope->lease);
}
