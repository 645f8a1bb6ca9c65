/*
 * The turn of subscopes. See subscope_turn.h.
 */
#include "scope/subscope_turn.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "conn/conn.h"
#include "conn/conn_lease.h"
#include "pool/dispatch.h"
#include "request/bound_stmt.h"
#include "request/stmt_cache.h"

/* The pause in front of another attempt: twice as long each time, less up to a half. */
#define PAUSE_FIRST_MS 10
#define PAUSE_MAX_MS   1000

/* How much later than here a deadline passes on the server, which is asked to cancel first. */
#define SERVER_SLACK_MS 1000

/* ---- the lease of a connection */

static void
lease_on_ready(void *arg)
{
        pipit__lease_schedule(arg);
}

static void
lease_on_lost(const struct conn_error *failure, void *arg)
{
        struct lease *lease = arg;
        struct pipit_error cause = {.code = PIPIT_ELOST,
                                    .executed = PIPIT_EXECUTED_ROLLED_BACK,
                                    .phase = PIPIT_PHASE_EXECUTE,
                                    .host = lease->lost.host,
                                    .message = lease->lost.text};

        lease->lost = *failure;
        memcpy(cause.sqlstate, failure->sqlstate, sizeof cause.sqlstate);
        lease->conn = NULL;
        for (struct subscope *subscope = lease->active; subscope != NULL; subscope = subscope->up)
                pipit__subscope_doom(subscope, &cause, NULL);
        pipit__lease_schedule(lease);
}

static void
lease_on_ended(struct request *request, bool committed, void *arg)
{
        static const struct pipit_error rolled_back = {
                .code = PIPIT_EROLLBACK,
                .executed = PIPIT_EXECUTED_ROLLED_BACK,
                .message = "the server rolled it back instead: COMMIT was answered with ROLLBACK, "
                           "or skipped"};
        struct subscope *subscope = pipit__subscope_of(request);

        (void)arg;
        if (committed) {
                subscope->committed = true;
                subscope->doomed = false;
        } else if (pipit_failed(request->res)) {
                pipit__subscope_doom(subscope, pipit_result_error(request->res), NULL);
        } else {
                pipit__subscope_doom(subscope, &rolled_back, NULL);
        }
        request->state = REQUEST_HELD;
        request->conn = NULL;
        list_remove(&request->link);
        subscope->state = SUBSCOPE_RUNNING;
        pipit__lease_schedule(subscope->lease);
}

static void
lease_on_answered(struct request *req, bool skipped, void *arg)
{
        struct lease *lease = arg;
        struct subscope *subscope = pipit__subscope_of_scope(pipit__request_scope(req));

        if (req->may_fail || subscope->kind == SUBSCOPE_TEST)
                lease->stmt_savepoint_failed = true;
        else if (pipit_failed(req->res))
                pipit__subscope_doom(subscope, pipit_result_error(req->res), req->res);
        if (!pipit_failed(req->res) && skipped) {
                struct refusal refusal;
                pipit__subscope_refusal(subscope, PIPIT_EXECUTED_ROLLED_BACK, &refusal);
                refusal.error.phase = PIPIT_PHASE_EXECUTE;
                pipit__result_fail_like(req->res, &refusal.error);
        }
        pipit__request_end(req);
}

/* What it was part of may be committed. */
static void
lease_on_tx_ended_by_user(struct request *culprit, void *arg)
{
        const struct lease *lease = arg;

        for (struct subscope *subscope = lease->active; subscope != NULL; subscope = subscope->up) {
                if (pipit__subscope_is_transaction(subscope))
                        pipit__subscope_doom(subscope, pipit_result_error(culprit->res),
                                             culprit->res);
        }
}

static const struct lease_ops lease_conn_ops = {lease_on_ready, lease_on_answered, lease_on_ended,
                                                lease_on_tx_ended_by_user, lease_on_lost};

/* ---- its end */

static bool
error_is_retryable(const struct pipit_error *error)
{
        return strcmp(error->sqlstate, "40001") == 0 || strcmp(error->sqlstate, "40P01") == 0;
}

static void
lease_on_pause_over(void *arg)
{
        struct lease *lease = arg;
        const struct subscope *root = lease->root;
        struct request *request = root->request;
        int64_t now = pipit__reactor_now(lease->leases->reactor);

        lease->pauses = false;
        if (lease->conn != NULL)
                pipit__lease_schedule(lease);
        if (root->state != SUBSCOPE_WAITING || request->state != REQUEST_HELD)
                return;
        request->wait_until_ms = pipit__deadline_after(now, root->wait_ms);
        request->state = REQUEST_NEW;
        pipit__dispatch_add(lease->leases->dispatch, request);
}

/* Whether the body may run once more; then everything of it is as at first. */
static bool
subscope_tries_again(struct subscope *subscope)
{
        struct lease *lease = subscope->lease;
        struct leases *leases = lease->leases;
        int64_t pause_ms = (int64_t)PAUSE_FIRST_MS
                           << (subscope->attempt < 8 ? subscope->attempt : 8);

        if (subscope->level > 0 || subscope->kind != SUBSCOPE_TRANSACTION ||
            subscope->body == NULL || subscope->asked || !error_is_retryable(&subscope->cause) ||
            subscope->attempt >= subscope->options.max_attempts)
                return false;
        if (lease->pause == NULL)
                lease->pause = pipit__timer_new(leases->reactor, lease_on_pause_over, lease);
        if (pause_ms > PAUSE_MAX_MS)
                pause_ms = PAUSE_MAX_MS;
        pause_ms = pause_ms / 2 + rand_r(&leases->jitter) % (pause_ms / 2 + 1);
        if (lease->pause == NULL || pipit__timer_set(lease->pause, pause_ms) != 0)
                return false;
        pipit_result_unref(subscope->cause_owner);
        subscope->cause_owner = NULL;
        subscope->doomed = subscope->begun = subscope->closing = false;
        subscope->scope.state = SCOPE_OPEN;
        subscope->state = SUBSCOPE_WAITING;
        lease->pauses = true;
        lease->n_commands = lease->stmt_savepoint = 0;
        pipit__result_reset(subscope->request->res);
        return true;
}

/* The connection goes back, or is gone already. */
static void
lease_give_back(struct lease *lease, bool renew)
{
        struct conn *conn = lease->conn;

        lease->conn = NULL;
        if (conn != NULL)
                pipit__conn_release(conn, renew);
}

/* It has come to its end: its request completes, its parent goes on. */
static void
subscope_end(struct subscope *subscope)
{
        struct lease *lease = subscope->lease;
        struct request *request = subscope->request;

        subscope->state = SUBSCOPE_ENDED;
        subscope->scope.state = SCOPE_CLOSED;
        lease->pauses = false;
        list_remove(&subscope->scope.link);
        if (lease->active == subscope)
                lease->active = subscope->up;
        if (subscope->up == NULL)
                lease_give_back(lease, subscope->kind == SUBSCOPE_SESSION);
        if (request->state == REQUEST_WAITING)
                pipit__dispatch_withdraw(lease->leases->dispatch, request);
        bool failed = subscope->doomed && !subscope->asked;
        if (failed && !pipit_failed(request->res))
                pipit__result_fail_like(request->res, &subscope->cause);
        if (!failed && !pipit_failed(request->res))
                pipit__result_reset(request->res);
        pipit__request_end(request);
}

/* The savepoint of a statement that might have failed goes. */
static void
lease_end_stmt_savepoint(struct lease *lease)
{
        if (lease->stmt_savepoint > 0)
                pipit__lease_end_savepoint(lease, lease->stmt_savepoint,
                                           lease->stmt_savepoint_failed);
        lease->stmt_savepoint = 0;
        lease->stmt_savepoint_failed = false;
}

/* Whether it is over. What can only roll back does so at once, also while its user, who opened it
 * by hand, does not end it. */
static bool
subscope_is_over(struct subscope *subscope)
{
        bool by_hand = subscope->body == NULL && !subscope->closing;
        bool ends_already = subscope->request->state == REQUEST_ENDING ||
                            subscope->state == SUBSCOPE_ENDING || subscope->state == SUBSCOPE_ENDED;

        if (subscope->scope.result_owner.n_requests > 0 || subscope->holds > 0 || ends_already)
                return false;
        if (by_hand && subscope->doomed && subscope->up == NULL)
                lease_give_back(subscope->lease, subscope->kind == SUBSCOPE_SESSION);
        return !by_hand;
}

/* The transaction commits with what is sent now. Where that fails it has not been: its connection
 * is lost, and what comes of that is its end. */
static void
subscope_send_commit(struct subscope *subscope, struct list *requests, bool implicit)
{
        subscope->state = SUBSCOPE_ENDING;
        subscope->scope.state = SCOPE_CLOSED;
        pipit__lease_send(subscope->lease, requests, subscope->request, implicit);
        if (subscope->request->state == REQUEST_HELD)
                subscope->state = SUBSCOPE_RUNNING;
}

bool
pipit__subscope_try_end(struct subscope *subscope)
{
        struct lease *lease = subscope->lease;
        bool in_vain = subscope->state == SUBSCOPE_PARKED || lease->conn == NULL;

        if (!subscope_is_over(subscope))
                return false;
        if (subscope->doomed && subscope->level == 0 && !in_vain &&
            subscope_tries_again(subscope)) {
                lease->rolls_back = subscope->up != NULL;
                if (subscope->up == NULL)
                        lease_give_back(lease, false);
                return true;
        }
        if (subscope->kind != SUBSCOPE_TRANSACTION || !subscope->begun || in_vain) {
                subscope_end(subscope);
                return true;
        }
        if (subscope->level > 0) {
                lease_end_stmt_savepoint(lease);
                pipit__lease_end_savepoint(lease, subscope->level, subscope->doomed);
        } else if (!subscope->doomed && !subscope->committed) {
                struct list none;
                list_init(&none);
                lease_end_stmt_savepoint(lease);
                subscope_send_commit(subscope, &none, false);
                return true;
        }
        lease->rolls_back = subscope->level == 0 && subscope->doomed;
        subscope_end(subscope);
        return true;
}

void
pipit__subscope_on_done(struct request *req, struct pipit_result *res, void *arg)
{
        struct subscope *subscope = arg;

        if (subscope->state != SUBSCOPE_ENDED) {
                /* It could not even begin, or its COMMIT was abandoned: what waits on it, and who
                 * opened it by hand, have their turn first. */
                bool has_failed = pipit_failed(res);
                int r = pipit__request_push(req, pipit__subscope_on_done, subscope);
                assert(r == 0); /* its own place is free */
                (void)r;
                if (has_failed)
                        pipit__subscope_doom(subscope, pipit_result_error(res), res);
                pipit__subscope_fail_queue(subscope);
                subscope->state = SUBSCOPE_PARKED;
                req->state = REQUEST_HELD;
                pipit__subscope_try_end(subscope);
                return;
        }
        if (subscope->kind == SUBSCOPE_TRANSACTION)
                pipit__result_set_attempts(res, subscope->attempt);
        pipit__request_next(req, res);
        subscope->request = NULL;
        pipit__subscope_look_for_end(subscope);
}

/* ---- the turn */

/* Its turn has come. A session may be inside of a transaction in plain SQL: BEGIN is only a warning
 * there, and COMMIT would commit what is not its own. */
static void
subscope_start(struct subscope *subscope)
{
        static const struct pipit_error inside = {
                .code = PIPIT_EINVAL,
                .phase = PIPIT_PHASE_WAIT,
                .message = "the session is inside of a transaction in plain SQL: end that first"};

        subscope->lease->active = subscope;
        subscope->state = SUBSCOPE_RUNNING;
        if (subscope->up != NULL && subscope->level == 0 &&
            pipit__pq_in_transaction(subscope->lease->conn->pq)) {
                pipit__subscope_doom(subscope, &inside, NULL);
                return;
        }
        subscope->attempt++;
        if (subscope->body != NULL)
                subscope->body(&subscope->scope, subscope->arg);
}

void
pipit__subscope_leased(struct request *request, struct conn *conn)
{
        struct subscope *subscope = pipit__subscope_of(request);
        struct lease *lease = subscope->lease;

        if (pipit__conn_lease(conn, &lease_conn_ops, lease) != 0) {
                request->state = REQUEST_NEW;
                pipit__dispatch_add(lease->leases->dispatch, request);
                return;
        }
        lease->conn = conn;
        lease->active = subscope;
        pipit__lease_schedule(lease);
}

/* Milliseconds after which the server is to end a statement by itself; 0: never. */
static int64_t
subscope_server_timeout(const struct subscope *subscope)
{
        int64_t all_ms = subscope->options.timeout_ms;
        int64_t left_ms = subscope->request->deadline_ms -
                          pipit__reactor_now(subscope->lease->leases->reactor);

        if (all_ms <= 0)
                return 0;
        if (left_ms > all_ms) /* it begins with the next tick of a clock */
                left_ms = all_ms;
        left_ms += SERVER_SLACK_MS;
        return left_ms < INT32_MAX ? left_ms : INT32_MAX;
}

/* Begins what is not begun yet, from the outermost subscope on. */
static void
subscope_begin(struct subscope *subscope)
{
        struct lease *lease = subscope->lease;

        if (subscope->up != NULL && pipit__subscope_is_transaction(subscope->up))
                subscope_begin(subscope->up);
        if (subscope->begun)
                return;
        subscope->begun = true;
        if (subscope->level > 0) {
                pipit__lease_command(lease, "SAVEPOINT pipit_%d", subscope->level);
                return;
        }
        pipit__lease_begin(lease, &subscope->options, subscope_server_timeout(subscope));
}

/* Takes the statements that can travel together off the queue. */
static void
subscope_take(struct subscope *subscope, struct list *requests)
{
        int room = subscope->lease->leases->max_batch;

        for (; room > 0 && !list_empty(&subscope->queue); room--) {
                struct list *link = list_first(&subscope->queue);
                struct request *req = container_of(link, struct request, link);
                bool alone = req->may_fail || subscope->kind == SUBSCOPE_TEST;
                if (pipit__subscope_of(req) != NULL || (alone && !list_empty(requests)))
                        return;
                list_remove(link);
                list_push_back(requests, link);
                if (alone) {
                        subscope->lease->stmt_savepoint = subscope->level + 1;
                        return;
                }
        }
}

/* Whether COMMIT can go along with what is sent now. */
static bool
subscope_commits_along(const struct subscope *subscope, const struct list *requests)
{
        int n = 0;

        LIST_EACH(link, requests)
                n++;
        return subscope->options.commit_early && subscope->body != NULL && subscope->level == 0 &&
               subscope->holds == 0 && subscope->lease->stmt_savepoint == 0 &&
               list_empty(&subscope->queue) && n == subscope->scope.result_owner.n_requests;
}

/*
 * Whether BEGIN and COMMIT can be left out of a transaction that is sent as a whole: what lies
 * between two Syncs is committed together. Only statements that are known to have no say in that
 * themselves: CALL may commit, VACUUM wants to be alone, LOCK TABLE wants to be told of BEGIN.
 */
static bool
subscope_is_implicit(const struct subscope *subscope, const struct list *requests)
{
        const struct pipit_transaction *options = &subscope->options;

        if (subscope->begun || subscope->lease->n_commands > 0 || options->timeout_ms > 0 ||
            options->isolation != PIPIT_ISOLATION_DEFAULT || options->read_only ||
            options->deferrable)
                return false;
        LIST_EACH(link, requests) {
                const struct request *req = container_of(link, struct request, link);
                if (!req->bound->stmt->is_plain)
                        return false;
        }
        return true;
}

/* Sends the next statements of a transaction, and what goes around them. */
static void
subscope_send_bracket(struct subscope *subscope, struct list *requests)
{
        struct lease *lease = subscope->lease;

        lease_end_stmt_savepoint(lease);
        subscope_take(subscope, requests);
        bool commits = subscope_commits_along(subscope, requests);
        bool implicit = commits && subscope_is_implicit(subscope, requests);
        if (!implicit)
                subscope_begin(subscope);
        if (lease->stmt_savepoint > 0)
                pipit__lease_command(lease, "SAVEPOINT pipit_%d", lease->stmt_savepoint);
        if (commits)
                subscope_send_commit(subscope, requests, implicit);
        else
                pipit__lease_send(lease, requests, NULL, false);
}

static void
subscope_send(struct subscope *subscope)
{
        struct list requests;

        list_init(&requests);
        if (subscope->kind == SUBSCOPE_SESSION) {
                subscope_take(subscope, &requests);
                pipit__lease_send_singles(subscope->lease, &requests);
        } else {
                subscope_send_bracket(subscope, &requests);
        }
        /* The connection was lost: they are told at the subscope's end. */
        list_splice(&requests, &subscope->queue);
        list_splice(&subscope->queue, &requests);
}

/* Its first that waits has its turn. */
static void
subscope_advance(struct subscope *subscope)
{
        struct list *link = list_first(&subscope->queue);
        struct request *first = container_of(link, struct request, link);
        struct subscope *nested = pipit__subscope_of(first);

        if (nested == NULL) {
                subscope_send(subscope);
                return;
        }
        list_remove(link);
        first->state = REQUEST_HELD;
        subscope_start(nested);
}

/* One step; false when there is none for the moment. */
static bool
lease_step(struct lease *lease)
{
        struct subscope *subscope = lease->active != NULL ? lease->active : lease->root;

        if (subscope->state == SUBSCOPE_ENDED)
                return false;
        if (subscope->state == SUBSCOPE_WAITING && lease->conn != NULL && !subscope->doomed &&
            !lease->pauses) {
                subscope_start(subscope);
                return true;
        }
        if (subscope->doomed)
                pipit__subscope_fail_queue(subscope);
        bool is_over =
                subscope->doomed || subscope->committed; /* that needs no connection any more */
        if (lease->conn != NULL && pipit__lease_is_busy(lease) && !is_over)
                return false;
        if (lease->conn != NULL && lease->rolls_back && !subscope->doomed) {
                pipit__lease_roll_back(lease);
                return true;
        }
        if (subscope->state == SUBSCOPE_WAITING && !subscope->doomed)
                return false;
        if (!list_empty(&subscope->queue) && lease->conn != NULL) {
                subscope_advance(subscope);
                return true;
        }
        return pipit__subscope_try_end(subscope);
}

void
pipit__subscopes_turn(struct leases *leases)
{
        struct list ready;

        /* What becomes ready meanwhile has the next turn. */
        list_init(&ready);
        list_splice(&ready, &leases->ready);
        while (!list_empty(&ready)) {
                struct list *link = list_pop_first(&ready);
                struct lease *lease = container_of(link, struct lease, link);
                while (lease_step(lease))
                        ;
        }
}
