/*
 * Subscopes hear of their connection here: of answers, the end of a transaction, the loss of the
 * link. Nothing is started in here, but noted for the end of the turn.
 */
#include "scope/subscope_answers.h"

#include "base/cold.h"
#include "conn/conn.h"
#include "conn/retry.h"
#include "pool/dispatch.h"
#include "request/request.h"
#include "request/requests.h"
#include "result/result_error.h"
#include "scope/lease.h"
#include "scope/subscope_int.h"

static void
on_ready(void *arg)
{
        pipit__lease_schedule(arg);
}

static COLD void
on_lost(const struct conn_error *failure, void *arg)
{
        pipit__subscope_lose_all(arg, failure);
}

/* COMMIT was answered. */
static void
on_ended(struct request *request, bool committed, void *arg)
{
        static const struct pipit_error rolled_back = {
                .code = PIPIT_EROLLBACK,
                .executed = PIPIT_EXECUTED_ROLLED_BACK,
                .message = "the server rolled it back instead: COMMIT was answered with ROLLBACK, "
                           "or skipped"};
        struct subscope *subscope = pipit__subscope_of(request);
        struct pipit_result *res = pipit__request_result(request);

        (void)arg;
        if (committed)
                pipit__subscope_set_committed(subscope);
        else
                pipit__subscope_doom(
                        subscope, pipit_failed(res) ? pipit_result_error(res) : &rolled_back, NULL);
        pipit__subscope_hold_request(subscope);
        pipit__subscope_enter(subscope, SUBSCOPE_RUNNING);
        pipit__lease_schedule(subscope->lease);
}

/* Fails a statement that was skipped. Of a transaction that is doomed its cause is known; any other
 * was skipped for an error of pipit's own, which nobody was told. */
static COLD void
fail_skipped(struct subscope *subscope, struct request *req, const struct segment_error *error)
{
        struct refusal refusal;

        if (!pipit__subscope_is_doomed(subscope) || error->leaves_doubt) {
                pipit__retry_fail_skipped(req, error);
                return;
        }
        pipit__subscope_refusal(subscope, PIPIT_EXECUTED_ROLLED_BACK, &refusal);
        refusal.error.phase = PIPIT_PHASE_EXECUTE;
        pipit__result_fail_like(pipit__request_result(req), &refusal.error);
}

/* A statement has failed, and with it its transaction. If only what was known of it was out of
 * date, the next attempt finds it as it is now. */
static void
doom_by_stmt(struct subscope *subscope, struct pipit_result *res, bool stale)
{
        bool was_open = subscope->outcome == OUTCOME_OPEN;

        pipit__subscope_doom(subscope, pipit_result_error(res), res);
        if (was_open && subscope->outcome == OUTCOME_DOOMED)
                subscope->is_stale = stale;
}

/* Has a statement run again, in its place: its savepoint undoes what has failed of it. */
static void
run_again(struct request *req)
{
        struct list again;

        list_init(&again);
        pipit__request_append(req, &again);
        pipit__requests_again(&again);
}

/* A statement has failed, or was skipped. */
static void
on_answered(struct request *req, const struct segment_error *skipped_for, bool stale, void *arg)
{
        struct subscope *subscope = pipit__subscope_of_request(req);
        struct pipit_result *res = pipit__request_result(req);
        bool has_savepoint = pipit__request_may_fail(req) || subscope->kind == SUBSCOPE_TEST;

        if (!pipit_failed(res) && skipped_for != NULL)
                fail_skipped(subscope, req, skipped_for);
        if (has_savepoint)
                pipit__lease_fail_stmt_savepoint(arg);
        else if (pipit_failed(res))
                doom_by_stmt(subscope, res, stale);
        if (has_savepoint && stale)
                run_again(req);
        else
                pipit__request_end(req);
}

/* A statement has ended the transaction by itself: what it was part of may be committed. */
static void
on_tx_ended_by_user(struct request *culprit, void *arg)
{
        struct pipit_result *res = pipit__request_result(culprit);

        for (struct subscope *subscope = pipit__lease_active(arg); subscope != NULL;
             subscope = subscope->up) {
                if (pipit__subscope_is_transaction(subscope))
                        pipit__subscope_doom(subscope, pipit_result_error(res), res);
        }
}

static const struct lease_ops conn_ops = {.ready = on_ready,
                                          .answered = on_answered,
                                          .ended = on_ended,
                                          .tx_ended_by_user = on_tx_ended_by_user,
                                          .lost = on_lost};

void
pipit__subscope_leased(struct request *request, struct conn *conn)
{
        struct subscope *subscope = pipit__subscope_of(request);
        struct lease *lease = subscope->lease;

        pipit__subscope_hold_request(subscope);
        pipit__request_arm(request);
        if (pipit__lease_take(lease, conn, &conn_ops) != 0) {
                pipit__dispatch_add(pipit__lease_leases(lease)->dispatch, request);
                return;
        }
        pipit__lease_set_active(lease, subscope);
        pipit__lease_schedule(lease);
}
