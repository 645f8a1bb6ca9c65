/*
 * Sessions and transactions, as programs call them. See <pipit/session.h> and
 * <pipit/transaction.h>.
 */
#include <pipit/transaction.h>

#include "pool/refusal.h"
#include "request/request.h"
#include "scope/database.h"
#include "scope/lease.h"
#include "scope/query.h"
#include "scope/subscope_int.h"

/* Why no session can be had through the pooler of a database; NULL: it can. */
static const char *
session_problem(const struct pipit *db)
{
        return pipit__scope_is_pooled(db)
                       ? "the pooler lends a session for one transaction, so that nothing of it "
                         "stays for the next: use a transaction, or a database on the server itself"
                       : NULL;
}

/* Opens a subscope; *ret_number is that of its own request, 0 when memory ran out. */
static struct subscope *
subscope_open(struct pipit *scope, const struct subscope_plan *plan, pipit_request *ret_number)
{
        struct subscope *subscope = NULL;

        if (pipit__scope_is_mine(scope))
                subscope = pipit__subscope_open(scope, &pipit__scope_db(scope)->leases, plan);
        *ret_number = pipit__scope_started(scope, subscope != NULL ? subscope->request : NULL);
        return subscope;
}

/* Begins a plan: its times are the database's, unless the options say otherwise. */
static struct subscope_plan
plan_for(const struct pipit *scope, enum subscope_kind kind,
         const struct pipit_transaction *options)
{
        struct subscope_plan plan = {
                .kind = kind, .options = options, .timeout_ms = -1, .wait_ms = -1};

        if (!pipit__scope_is_mine(scope))
                return plan;
        plan.timeout_ms = pipit__scope_options(scope)->timeout_ms;
        plan.wait_ms = pipit__scope_options(scope)->acquire_timeout_ms;
        if (options != NULL && options->timeout_ms != 0)
                plan.timeout_ms = options->timeout_ms;
        return plan;
}

pipit_request
pipit_session(struct pipit *db, pipit_body body, pipit_cb done, void *arg)
{
        struct subscope_plan plan = plan_for(db, SUBSCOPE_SESSION, NULL);
        pipit_request number;

        if (body == NULL || (db != NULL && pipit__subscope_of_scope(db) != NULL))
                return pipit__scope_started(
                        db, pipit__query_refuse(db, PIPIT_EINVAL, done, arg,
                                                "a session needs a body, and a database to be on"));
        if (session_problem(db) != NULL)
                return pipit__scope_started(db, pipit__query_refuse(db, PIPIT_EUNSHARED, done, arg,
                                                                    "%s", session_problem(db)));
        plan.body = body;
        plan.done = done;
        plan.arg = arg;
        subscope_open(db, &plan, &number);
        return number;
}

/* Opens a subscope by hand; its problem, if any, makes all that is tried on it fail. */
static struct pipit *
open_by_hand(struct pipit *scope, struct subscope_plan *plan, enum pipit_code code,
             const char *problem)
{
        pipit_request number;

        struct subscope *subscope = subscope_open(scope, plan, &number);
        if (subscope == NULL)
                return NULL;
        if (problem != NULL && pipit__scope_is_open(&subscope->scope)) {
                pipit__subscope_abort(subscope, code, problem);
                pipit__scope_break(&subscope->scope, code, "%s", problem);
        }
        return &subscope->scope;
}

struct pipit *
pipit_session_open(struct pipit *db)
{
        struct subscope_plan plan = plan_for(db, SUBSCOPE_SESSION, NULL);
        bool nested = db != NULL && pipit__subscope_of_scope(db) != NULL;

        plan.timeout_ms = -1;
        if (nested)
                return open_by_hand(db, &plan, PIPIT_EINVAL, "a session is opened on a database");
        return open_by_hand(db, &plan, PIPIT_EUNSHARED, session_problem(db));
}

struct pipit *
pipit_test_scope(struct pipit *db)
{
        struct subscope_plan plan = plan_for(db, SUBSCOPE_TEST, NULL);
        bool nested = db != NULL && pipit__subscope_of_scope(db) != NULL;

        plan.timeout_ms = -1;
        return open_by_hand(db, &plan, PIPIT_EINVAL,
                            nested ? "a test scope is opened on a database" : NULL);
}

pipit_request
pipit_atomic_with(struct pipit *scope, const struct pipit_transaction *options, pipit_body body,
                  pipit_cb done, void *arg)
{
        struct subscope_plan plan = plan_for(scope, SUBSCOPE_TRANSACTION, options);
        pipit_request number;

        if (body == NULL)
                return pipit__scope_started(scope,
                                            pipit__query_refuse(scope, PIPIT_EINVAL, done, arg,
                                                                "the transaction has no body"));
        plan.body = body;
        plan.done = done;
        plan.arg = arg;
        subscope_open(scope, &plan, &number);
        return number;
}

pipit_request
pipit_atomic(struct pipit *scope, pipit_body body, pipit_cb done, void *arg)
{
        return pipit_atomic_with(scope, NULL, body, done, arg);
}

struct pipit *
pipit_begin(struct pipit *scope, const struct pipit_transaction *options)
{
        struct subscope_plan plan = plan_for(scope, SUBSCOPE_TRANSACTION, options);

        return open_by_hand(scope, &plan, 0, NULL);
}

/* Whether a transaction that was begun by hand has ended without its user: with the one around it,
 * whose time was over or that was cancelled. */
static bool
ended_without_user(const struct pipit *tx, const struct subscope *subscope)
{
        return subscope != NULL && subscope->kind == SUBSCOPE_TRANSACTION && !subscope->released &&
               pipit__scope_is_closed(tx);
}

/* Ends such a transaction for its user, who learns what became of it. */
static pipit_request
end_for_user(struct pipit *tx, struct subscope *subscope, bool rolls_back, pipit_cb cb, void *arg)
{
        struct request *req = pipit__scope_request(tx, 0, cb, arg);
        pipit_request number = pipit__request_number(req);
        struct refusal refusal;

        pipit__subscope_refusal(subscope, PIPIT_EXECUTED_ROLLED_BACK, &refusal);
        if (req != NULL && rolls_back)
                pipit__request_end(req);
        else if (req != NULL)
                pipit__request_fail_like(req, &refusal.error);
        pipit__subscope_release(subscope);
        return number;
}

/* Why a transaction cannot be ended by this call: a request that fails with it; else NULL. */
static struct request *
end_problem(struct pipit *tx, const struct subscope *subscope, pipit_cb cb, void *arg)
{
        if (subscope == NULL || subscope->kind != SUBSCOPE_TRANSACTION)
                return pipit__query_refuse(tx, PIPIT_EINVAL, cb, arg, "this is no transaction");
        if (pipit__scope_is_closed(tx))
                return pipit__query_refuse(tx, PIPIT_ECLOSED, cb, arg,
                                           "the transaction has ended already");
        return NULL;
}

pipit_request
pipit_commit(struct pipit *tx, pipit_cb cb, void *arg)
{
        if (!pipit__scope_is_mine(tx))
                return 0;
        struct subscope *subscope = pipit__subscope_of_scope(tx);
        bool over = subscope == NULL || subscope->kind != SUBSCOPE_TRANSACTION ||
                    pipit__scope_is_closed(tx);
        if (ended_without_user(tx, subscope))
                return end_for_user(tx, subscope, false, cb, arg);
        if (over)
                return pipit__scope_started(tx, end_problem(tx, subscope, cb, arg));
        if (subscope->body != NULL)
                return pipit__scope_started(
                        tx, pipit__query_refuse(tx, PIPIT_EINVAL, cb, arg,
                                                "this transaction commits by itself, when nothing "
                                                "is outstanding on it"));
        pipit__subscope_finish(subscope, cb, arg);
        return pipit__request_number(subscope->request);
}

pipit_request
pipit_rollback(struct pipit *tx, pipit_cb cb, void *arg)
{
        if (!pipit__scope_is_mine(tx))
                return 0;
        struct subscope *subscope = pipit__subscope_of_scope(tx);
        bool over = subscope == NULL || subscope->kind != SUBSCOPE_TRANSACTION ||
                    pipit__scope_is_closed(tx);
        if (ended_without_user(tx, subscope))
                return end_for_user(tx, subscope, true, cb, arg);
        if (over)
                return pipit__scope_started(tx, end_problem(tx, subscope, cb, arg));
        pipit__subscope_take_back(subscope);
        if (subscope->body == NULL) {
                pipit__subscope_finish(subscope, cb, arg);
                return pipit__request_number(subscope->request);
        }
        struct request *req = pipit__scope_request(tx, 0, cb, arg);
        if (req != NULL)
                pipit__request_end(req);
        return pipit__request_number(req);
}

int
pipit_may_fail(struct pipit *tx, pipit_request request)
{
        struct subscope *subscope = pipit__scope_is_mine(tx) ? pipit__subscope_of_scope(tx) : NULL;
        struct request *req = subscope != NULL ? pipit__scope_find(tx, request) : NULL;

        if (req == NULL || subscope->kind == SUBSCOPE_SESSION ||
            pipit__request_state(req) != REQUEST_QUEUED || pipit__subscope_of(req) != NULL)
                return PIPIT_EINVAL;
        pipit__request_set_may_fail(req);
        return 0;
}

void
pipit_hold(struct pipit *scope)
{
        struct subscope *subscope =
                pipit__scope_is_mine(scope) ? pipit__subscope_of_scope(scope) : NULL;

        if (subscope != NULL && subscope->body != NULL && pipit__scope_is_open(scope))
                subscope->holds++;
}

void
pipit_release(struct pipit *scope)
{
        struct subscope *subscope =
                pipit__scope_is_mine(scope) ? pipit__subscope_of_scope(scope) : NULL;

        if (subscope == NULL || subscope->holds == 0)
                return;
        subscope->holds--;
        pipit__lease_schedule(subscope->lease);
}

int
pipit_attempt(const struct pipit *tx)
{
        const struct subscope *subscope = (const struct subscope *)tx; /* its first member */

        return tx != NULL && !pipit__scope_is_database(tx) && subscope->kind == SUBSCOPE_TRANSACTION
                       ? subscope->attempt
                       : 0;
}
