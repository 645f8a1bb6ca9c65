/*
 * The end of subscopes: COMMIT, another attempt, and the completion of their own requests.
 */
#include <assert.h>
#include <string.h>

#include "conn/conn.h"
#include "pool/dispatch.h"
#include "request/request.h"
#include "scope/lease.h"
#include "scope/subscope_int.h"
#include "scope/subscope_send.h"

/* ---- another attempt */

static bool
error_is_retryable(const struct pipit_error *error)
{
        return strcmp(error->sqlstate, "40001") == 0 || strcmp(error->sqlstate, "40P01") == 0;
}

/* Within a savepoint another attempt helps only if nothing but what was known of a statement was
 * wrong: a serialization failure is the whole transaction's. */
static bool
subscope_may_try_again(const struct subscope *subscope)
{
        bool helps = subscope->is_stale ||
                     (subscope->level == 0 && error_is_retryable(&subscope->cause));

        return helps && subscope->outcome == OUTCOME_DOOMED &&
               subscope->kind == SUBSCOPE_TRANSACTION && subscope->body != NULL &&
               subscope->attempt < subscope->options.max_attempts;
}

/* Whether the body runs once more after a pause; everything of the subscope is as at first then. */
static bool
subscope_tries_again(struct subscope *subscope)
{
        if (!subscope_may_try_again(subscope) ||
            pipit__lease_pause(subscope->lease, subscope->attempt) != 0)
                return false;
        pipit_result_unref(subscope->cause_owner);
        subscope->cause_owner = NULL;
        subscope->outcome = OUTCOME_OPEN;
        subscope->begun = subscope->closing = subscope->is_stale = false;
        pipit__subscope_watch_loss(subscope, NULL, NULL); /* the next attempt asks anew */
        pipit__scope_enter(&subscope->scope, SCOPE_OPEN);
        pipit__subscope_enter(subscope, SUBSCOPE_WAITING);
        if (subscope->level == 0)
                pipit__lease_forget_commands(subscope->lease);
        pipit__result_reset(pipit__request_result(subscope->request));
        return true;
}

/* ---- the end */

/* Gives the connection back; a session's is made as new before its next user has it. */
static void
subscope_give_back(struct subscope *subscope)
{
        pipit__lease_give_back(subscope->lease, subscope->kind == SUBSCOPE_SESSION);
}

/* Takes a subscope that ends out of its parent. One that its user has not ended by hand is closed
 * with the database at the latest, for the parent may be gone before. */
static void
subscope_leave_parent(struct subscope *subscope)
{
        struct pipit *scope = &subscope->scope;

        pipit__scope_detach(scope);
        if (!subscope->released)
                pipit__scope_attach_to_database(scope);
}

/* Ends the subscope: its request completes, and its parent goes on. */
static void
subscope_end(struct subscope *subscope)
{
        struct lease *lease = subscope->lease;
        struct pipit_result *res = pipit__request_result(subscope->request);

        pipit__subscope_enter(subscope, SUBSCOPE_ENDED);
        pipit__subscope_watch_loss(subscope, NULL, NULL);
        pipit__scope_enter(&subscope->scope, SCOPE_CLOSED);
        pipit__lease_end_pause(lease);
        subscope_leave_parent(subscope);
        if (pipit__lease_active(lease) == subscope)
                pipit__lease_set_active(lease, subscope->up);
        if (subscope->up == NULL)
                subscope_give_back(subscope);
        if (subscope->outcome == OUTCOME_DOOMED) {
                pipit__request_fail_like(subscope->request, &subscope->cause);
                return;
        }
        if (!pipit_failed(res))
                pipit__result_reset(res);
        pipit__request_end(subscope->request);
}

/* Whether the subscope is over. One that can only roll back does so at once, also while its user,
 * who opened it by hand, does not end it. */
static bool
subscope_is_over(struct subscope *subscope)
{
        bool by_hand = subscope->body == NULL && !subscope->closing;
        bool ends_already = pipit__request_state(subscope->request) == REQUEST_ENDING ||
                            subscope->state == SUBSCOPE_ENDING || subscope->state == SUBSCOPE_ENDED;

        if (pipit__scope_n_requests(&subscope->scope) > 0 || subscope->holds > 0 || ends_already)
                return false;
        if (by_hand && pipit__subscope_is_doomed(subscope) && subscope->up == NULL)
                subscope_give_back(subscope);
        return !by_hand;
}

/* Ends a doomed subscope for now, and has its body run again later. */
static void
subscope_start_over(struct subscope *subscope)
{
        struct lease *lease = subscope->lease;

        if (subscope->level > 0) {
                pipit__lease_end_stmt_savepoint(lease);
                pipit__lease_end_savepoint(lease, subscope->level, true);
        } else if (subscope->up == NULL) {
                pipit__lease_give_back(lease, false);
        } else {
                pipit__lease_roll_back_next(lease);
        }
}

bool
pipit__subscope_try_end(struct subscope *subscope)
{
        struct lease *lease = subscope->lease;
        bool in_vain = subscope->state == SUBSCOPE_PARKED || !pipit__lease_has_conn(lease);
        bool doomed = pipit__subscope_is_doomed(subscope);

        if (!subscope_is_over(subscope))
                return false;
        if (doomed && !in_vain && subscope_tries_again(subscope)) {
                subscope_start_over(subscope);
                return true;
        }
        if (subscope->kind != SUBSCOPE_TRANSACTION || !subscope->begun || in_vain) {
                subscope_end(subscope);
                return true;
        }
        if (subscope->level > 0) {
                pipit__lease_end_stmt_savepoint(lease);
                pipit__lease_end_savepoint(lease, subscope->level, doomed);
        } else if (subscope->outcome == OUTCOME_OPEN) {
                pipit__lease_end_stmt_savepoint(lease);
                pipit__subscope_send_commit(subscope, NULL, false);
                return true;
        } else if (doomed) {
                pipit__lease_roll_back_next(lease);
        }
        subscope_end(subscope);
        return true;
}

void
pipit__subscope_finish(struct subscope *subscope, pipit_cb cb, void *arg)
{
        subscope->closing = subscope->released = true;
        pipit__subscope_watch_loss(subscope, NULL, NULL);
        pipit__scope_enter(&subscope->scope, SCOPE_CLOSED);
        if (cb != NULL)
                pipit__request_set_callback(subscope->request, cb, arg);
        if (subscope->state == SUBSCOPE_PARKED)
                pipit__subscope_try_end(subscope);
        else
                pipit__lease_schedule(subscope->lease);
}

void
pipit__subscope_release(struct subscope *subscope)
{
        struct reactor *reactor = pipit__lease_leases(subscope->lease)->reactor;

        subscope->released = true;
        pipit__reactor_enter(reactor);
        pipit__subscope_look_for_end(subscope);
        pipit__reactor_leave(reactor);
}

/* Parks a subscope whose request has ended before it: it could not even begin, or its COMMIT was
 * abandoned. What waits on it, and who opened it by hand, have their turn first. */
static void
subscope_park(struct subscope *subscope, struct pipit_result *res)
{
        struct request *req = subscope->request;
        int r = pipit__request_push(req, pipit__subscope_on_done, subscope);

        assert(r == 0); /* its own place is free */
        (void)r;
        if (pipit_failed(res))
                pipit__subscope_doom(subscope, pipit_result_error(res), res);
        pipit__subscope_fail_queue(subscope);
        pipit__subscope_enter(subscope, SUBSCOPE_PARKED);
        pipit__subscope_hold_request(subscope);
        pipit__subscope_try_end(subscope);
}

void
pipit__subscope_on_done(struct request *req, struct pipit_result *res, void *arg)
{
        struct subscope *subscope = arg;

        if (subscope->state != SUBSCOPE_ENDED) {
                subscope_park(subscope, res);
                return;
        }
        if (subscope->kind == SUBSCOPE_TRANSACTION)
                pipit__result_set_attempts(res, subscope->attempt);
        pipit__request_next(req, res);
        subscope->request = NULL;
        pipit__subscope_look_for_end(subscope);
}
