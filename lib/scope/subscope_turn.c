/*
 * The turn of subscopes. See subscope_turn.h.
 */
#include "scope/subscope_turn.h"

#include "pool/dispatch.h"
#include "request/request.h"
#include "scope/lease.h"
#include "scope/subscope_int.h"
#include "scope/subscope_send.h"

/* Starts a subscope whose turn has come. A session may be inside of a transaction in plain SQL:
 * BEGIN is only a warning there, and COMMIT would commit what is not its own. */
static void
subscope_start(struct subscope *subscope)
{
        static const struct pipit_error inside = {
                .code = PIPIT_EINVAL,
                .phase = PIPIT_PHASE_WAIT,
                .message = "the session is inside of a transaction in plain SQL: end that first"};

        pipit__lease_set_active(subscope->lease, subscope);
        pipit__subscope_enter(subscope, SUBSCOPE_RUNNING);
        if (subscope->up != NULL && subscope->level == 0 &&
            pipit__lease_in_transaction(subscope->lease)) {
                pipit__subscope_doom(subscope, &inside, NULL);
                return;
        }
        subscope->attempt++;
        if (subscope->body != NULL)
                subscope->body(&subscope->scope, subscope->arg);
}

/* The first that waits in the queue has its turn. */
static void
subscope_advance(struct subscope *subscope)
{
        struct request *first = pipit__request_first(&subscope->queue);
        struct subscope *nested = pipit__subscope_of(first);

        if (nested == NULL) {
                pipit__subscope_send(subscope);
                return;
        }
        pipit__subscope_hold_request(nested);
        subscope_start(nested);
}

/* Whether a subscope can start: it waits, and its connection is there. */
static bool
subscope_may_start(const struct subscope *subscope)
{
        return subscope->state == SUBSCOPE_WAITING && !pipit__subscope_is_doomed(subscope) &&
               pipit__lease_has_conn(subscope->lease) && !pipit__lease_pauses(subscope->lease);
}

/* Whether BEGIN was sent for a subscope, or for one that it is nested in. */
static bool
subscope_has_begun(const struct subscope *subscope)
{
        for (; subscope != NULL && pipit__subscope_is_transaction(subscope);
             subscope = subscope->up) {
                if (subscope->begun)
                        return true;
        }
        return false;
}

/* Compares what the server said last of a transaction with what is known of it: whatever failed or
 * ended it unseen, its COMMIT must not be sent. Returns whether that is news. */
static bool
subscope_hears_of_end(struct subscope *subscope)
{
        static const struct pipit_error failed = {
                .code = PIPIT_EROLLBACK,
                .executed = PIPIT_EXECUTED_ROLLED_BACK,
                .phase = PIPIT_PHASE_EXECUTE,
                .message = "the server says that the transaction has failed, and has told no "
                           "statement of it why: what was sent besides them has failed"};
        static const struct pipit_error ended = {
                .code = PIPIT_EROLLBACK,
                .executed = PIPIT_EXECUTED_UNKNOWN,
                .phase = PIPIT_PHASE_EXECUTE,
                .message = "the server says that the transaction is over, and nobody has ended it "
                           "here: a pooler may have another session at work"};
        struct lease *lease = subscope->lease;

        if (subscope->outcome != OUTCOME_OPEN || !pipit__lease_is_settled(lease) ||
            !subscope_has_begun(subscope))
                return false;
        bool has_failed = pipit__lease_in_failed_transaction(lease);
        if (!has_failed && pipit__lease_in_transaction(lease))
                return false;
        if (has_failed && pipit__lease_has_stmt_savepoint(lease))
                pipit__lease_fail_stmt_savepoint(lease);
        else
                pipit__subscope_doom(subscope, has_failed ? &failed : &ended, NULL);
        return true;
}

/* Takes one step of what is to be done on a lease; false when there is none for the moment. */
static bool
lease_step(struct lease *lease)
{
        struct subscope *subscope = pipit__lease_active(lease);

        if (pipit__subscope_tell_lost(lease))
                return true;
        if (subscope == NULL)
                subscope = pipit__lease_root(lease);
        if (subscope == NULL || subscope->state == SUBSCOPE_ENDED)
                return false;
        if (subscope_may_start(subscope)) {
                subscope_start(subscope);
                return true;
        }
        bool doomed = pipit__subscope_is_doomed(subscope);
        if (doomed)
                pipit__subscope_fail_queue(subscope);
        else if (subscope_hears_of_end(subscope))
                return true;
        /* A decided one needs no connection any more. */
        if (pipit__lease_is_busy(lease) && subscope->outcome == OUTCOME_OPEN)
                return false;
        if (pipit__lease_has_conn(lease) && pipit__lease_must_roll_back(lease) && !doomed) {
                pipit__lease_roll_back(lease);
                return true;
        }
        if (subscope->state == SUBSCOPE_WAITING && !doomed)
                return false;
        if (!list_empty(&subscope->queue) && pipit__lease_has_conn(lease)) {
                subscope_advance(subscope);
                return true;
        }
        return pipit__subscope_try_end(subscope);
}

/* The root's body may run again: its request waits for a connection once more. */
static void
lease_pause_over(struct lease *lease)
{
        struct subscope *root = pipit__lease_root(lease);

        if (pipit__lease_has_conn(lease))
                pipit__lease_schedule(lease);
        if (root->state != SUBSCOPE_WAITING || pipit__request_state(root->request) != REQUEST_HELD)
                return;
        pipit__request_wait_from(root->request, pipit__lease_now_ms(lease), root->wait_ms);
        pipit__dispatch_add(pipit__lease_leases(lease)->dispatch, root->request);
}

const struct leases_ops pipit__subscope_leases_ops = {.step = lease_step,
                                                      .pause_over = lease_pause_over};
