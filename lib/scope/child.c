/*
 * Children: what they are, and what dooms them. See child.h.
 */
#include "scope/child.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn/conn_cancel.h"
#include "pool/dispatch.h"

void
pipit__child_free(struct child *child)
{
        pipit_result_unref(child->cause_owner);
        pipit__scope_fini(&child->scope);
        if (child->up == NULL)
                pipit__lease_free(child->lease);
        free(child);
}

static void
child_free_deferred(struct deferred *deferred)
{
        pipit__child_free(container_of(deferred, struct child, deferred));
}

/* Nobody refers to it any more, but who is on the stack. */
void
pipit__child_look_for_end(struct child *child)
{
        if (child->done != NULL || child->scope.home.n_requests > 0)
                return;
        list_remove(&child->scope.link);
        child->deferred.free = child_free_deferred;
        pipit__reactor_defer(child->lease->leases->reactor, &child->deferred);
}

struct child *
pipit__child_scope(struct pipit *scope)
{
        return scope != NULL && !pipit__scope_is_database(scope)
                       ? container_of(scope, struct child, scope)
                       : NULL;
}

struct child *
pipit__child_of(const struct request *done)
{
        return done->bound == NULL ? done->child : NULL;
}

void
pipit__child_doom(struct child *child, const struct pipit_error *cause, struct pipit_result *owner)
{
        if (child->doomed || child->committed || child->state >= CHILD_PARKED)
                return;
        child->doomed = true;
        child->cause = *cause;
        child->cause_owner = owner != NULL ? pipit_result_ref(owner) : NULL;
        pipit__lease_schedule(child->lease);
}

bool
pipit__child_is_transaction(const struct child *child)
{
        return child->kind != CHILD_SESSION;
}

/* What a request gets that cannot be run any more. */
void
pipit__child_refusal(const struct child *child, enum pipit_executed executed, struct refusal *ret)
{
        /* With its connection all is lost, and there is nothing to roll back. */
        bool gone = child->cause.code == PIPIT_ELOST || child->cause.code == PIPIT_ECONNECT ||
                    !pipit__child_is_transaction(child);
        const char *what = pipit__child_is_transaction(child) ? "transaction can only roll back"
                                                              : "session is over";

        ret->error = (struct pipit_error){.code = gone ? child->cause.code : PIPIT_EROLLBACK,
                                          .executed = executed,
                                          .phase = PIPIT_PHASE_START,
                                          .host = child->cause.host,
                                          .message = ret->text};
        if (gone)
                memcpy(ret->error.sqlstate, child->cause.sqlstate, sizeof ret->error.sqlstate);
        snprintf(ret->text, sizeof ret->text, "the %s: %s", what, child->cause.message);
}

static void
request_fail_like(struct request *req, const struct pipit_error *error)
{
        if (!pipit_failed(req->res))
                pipit__result_fail_like(req->res, error);
        pipit__request_end(req);
}

/* What waits for its turn, nested children too. */
static void
child_fail_queue_like(struct child *child, const struct pipit_error *error)
{
        while (!list_empty(&child->queue)) {
                struct list *link = list_first(&child->queue);
                request_fail_like(container_of(link, struct request, link), error);
        }
}

void
pipit__child_fail_queue(struct child *child)
{
        struct refusal refusal;

        pipit__child_refusal(child, PIPIT_EXECUTED_NO, &refusal);
        child_fail_queue_like(child, &refusal.error);
}

/* A statement, or a COMMIT, that was sent is not waited for any more. */
void
pipit__child_give_up(struct child *child, struct request *req, enum pipit_code code,
                     const char *text)
{
        struct conn *conn = req->conn;
        /* COMMIT may have travelled with it. */
        bool undone = pipit__child_is_transaction(child) && child->state != CHILD_ENDING &&
                      pipit__child_of(req) == NULL;

        pipit__request_fail(req, code, undone ? PIPIT_EXECUTED_ROLLED_BACK : PIPIT_EXECUTED_UNKNOWN,
                            PIPIT_PHASE_EXECUTE, "%s before its answer came: %s", text,
                            undone ? "its transaction rolls back"
                                   : "nobody knows whether the statement was executed");
        /* What it does goes with its savepoint, if it has one. */
        if (undone && child->lease->stmt_savepoint > 0)
                child->lease->stmt_savepoint_failed = true;
        else if (undone)
                pipit__child_doom(child, pipit_result_error(req->res), req->res);
        if (conn != NULL)
                pipit__conn_give_up(conn, req);
}

/* Nobody waits for its statements any more. */
static void
child_give_up_sent(struct child *child, enum pipit_code code, const char *text)
{
        struct requests *requests = child->scope.requests;

        for (uint32_t i = 0; i < requests->n_slots; i++) {
                struct request *req = requests->slots[i].request;
                if (req != NULL && req->home == &child->scope.home && req->state == REQUEST_SENT)
                        pipit__child_give_up(child, req, code, text);
        }
}

void
pipit__child_give_up_commit(struct child *child, enum pipit_code code, const char *text)
{
        child_give_up_sent(child, code, text);
        pipit__child_give_up(child, child->done, code, text);
}

static void
child_abort_one(struct child *child, const struct pipit_error *cause)
{
        struct pipit_error error = {
                .code = cause->code, .phase = PIPIT_PHASE_WAIT, .message = cause->message};

        pipit__child_doom(child, cause, NULL);
        child->options.max_attempts = child->attempt; /* whatever doomed it before */
        child->holds = 0;
        child_give_up_sent(child, cause->code, cause->message);
        child_fail_queue_like(child, &error);
}

void
pipit__child_abort(struct child *child, enum pipit_code code, const char *text)
{
        struct pipit_error cause = {.code = code,
                                    .executed = PIPIT_EXECUTED_ROLLED_BACK,
                                    .phase = PIPIT_PHASE_EXECUTE,
                                    .message = text};
        struct child *active = child->lease->active;

        if (child->state == CHILD_RUNNING) {
                for (; active != NULL && active != child; active = active->up) {
                        active->closing = true;
                        active->scope.state = SCOPE_CLOSED;
                        child_abort_one(active, &cause);
                }
        }
        child_abort_one(child, &cause);
        pipit__lease_schedule(child->lease);
}
