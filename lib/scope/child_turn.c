/*
 * The turn of children. See child_turn.h.
 */
#include "scope/child_turn.h"

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
lease_on_lost(const struct attempt_failure *failure, void *arg)
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
        for (struct child *child = lease->active; child != NULL; child = child->up)
                pipit__child_doom(child, &cause, NULL);
        pipit__lease_schedule(lease);
}

static void
lease_on_ended(struct request *done, bool committed, void *arg)
{
        static const struct pipit_error rolled_back = {
                .code = PIPIT_EROLLBACK,
                .executed = PIPIT_EXECUTED_ROLLED_BACK,
                .message = "the server rolled it back instead: COMMIT was answered with ROLLBACK, "
                           "or skipped"};
        struct child *child = pipit__child_of(done);

        (void)arg;
        if (committed) {
                child->committed = true;
                child->doomed = false;
        } else if (pipit_failed(done->res)) {
                pipit__child_doom(child, pipit_result_error(done->res), NULL);
        } else {
                pipit__child_doom(child, &rolled_back, NULL);
        }
        done->state = REQUEST_HELD;
        done->conn = NULL;
        list_remove(&done->link);
        child->state = CHILD_RUNNING;
        pipit__lease_schedule(child->lease);
}

static void
lease_on_answered(struct request *req, bool skipped, void *arg)
{
        struct lease *lease = arg;
        struct child *child = pipit__child_scope(pipit__request_scope(req));

        if (req->may_fail || child->kind == CHILD_TEST)
                lease->stmt_savepoint_failed = true;
        else if (pipit_failed(req->res))
                pipit__child_doom(child, pipit_result_error(req->res), req->res);
        if (!pipit_failed(req->res) && skipped) {
                struct refusal refusal;
                pipit__child_refusal(child, PIPIT_EXECUTED_ROLLED_BACK, &refusal);
                refusal.error.phase = PIPIT_PHASE_EXECUTE;
                pipit__result_fail_like(req->res, &refusal.error);
        }
        pipit__request_end(req);
}

/* What it was part of may be committed. */
static void
lease_on_unasked(struct request *culprit, void *arg)
{
        const struct lease *lease = arg;

        for (struct child *child = lease->active; child != NULL; child = child->up) {
                if (pipit__child_is_transaction(child))
                        pipit__child_doom(child, pipit_result_error(culprit->res), culprit->res);
        }
}

static const struct lease_ops lease_conn_ops = {lease_on_ready, lease_on_answered, lease_on_ended,
                                                lease_on_unasked, lease_on_lost};

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
        const struct child *root = lease->root;
        struct request *done = root->done;
        int64_t now = pipit__reactor_now(lease->leases->reactor);

        lease->pauses = false;
        if (lease->conn != NULL)
                pipit__lease_schedule(lease);
        if (root->state != CHILD_WAITING || done->state != REQUEST_HELD)
                return;
        done->wait_until_ms = pipit__deadline_after(now, root->wait_ms);
        done->state = REQUEST_NEW;
        pipit__dispatch_add(lease->leases->dispatch, done);
}

/* Whether the body may run once more; then everything of it is as at first. */
static bool
child_tries_again(struct child *child)
{
        struct lease *lease = child->lease;
        struct leases *leases = lease->leases;
        int64_t pause_ms = (int64_t)PAUSE_FIRST_MS << (child->attempt < 8 ? child->attempt : 8);

        if (child->level > 0 || child->kind != CHILD_TRANSACTION || child->body == NULL ||
            child->asked || !error_is_retryable(&child->cause) ||
            child->attempt >= child->options.max_attempts)
                return false;
        if (lease->pause == NULL)
                lease->pause = pipit__timer_new(leases->reactor, lease_on_pause_over, lease);
        if (pause_ms > PAUSE_MAX_MS)
                pause_ms = PAUSE_MAX_MS;
        pause_ms = pause_ms / 2 + rand_r(&leases->jitter) % (pause_ms / 2 + 1);
        if (lease->pause == NULL || pipit__timer_set(lease->pause, pause_ms) != 0)
                return false;
        pipit_result_unref(child->cause_owner);
        child->cause_owner = NULL;
        child->doomed = child->begun = child->closing = false;
        child->scope.state = SCOPE_OPEN;
        child->state = CHILD_WAITING;
        lease->pauses = true;
        lease->n_commands = lease->stmt_savepoint = 0;
        pipit__result_reset(child->done->res);
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
child_end(struct child *child)
{
        struct lease *lease = child->lease;
        struct request *done = child->done;

        child->state = CHILD_ENDED;
        child->scope.state = SCOPE_CLOSED;
        lease->pauses = false;
        list_remove(&child->scope.link);
        if (lease->active == child)
                lease->active = child->up;
        if (child->up == NULL)
                lease_give_back(lease, child->kind == CHILD_SESSION);
        if (done->state == REQUEST_WAITING)
                pipit__dispatch_withdraw(lease->leases->dispatch, done);
        bool failed = child->doomed && !child->asked;
        if (failed && !pipit_failed(done->res))
                pipit__result_fail_like(done->res, &child->cause);
        if (!failed && !pipit_failed(done->res))
                pipit__result_reset(done->res);
        pipit__request_end(done);
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
child_is_over(struct child *child)
{
        bool by_hand = child->body == NULL && !child->closing;
        bool ends_already = child->done->state == REQUEST_ENDING || child->state == CHILD_ENDING ||
                            child->state == CHILD_ENDED;

        if (child->scope.home.n_requests > 0 || child->holds > 0 || ends_already)
                return false;
        if (by_hand && child->doomed && child->up == NULL)
                lease_give_back(child->lease, child->kind == CHILD_SESSION);
        return !by_hand;
}

/* The transaction commits with what is sent now. Where that fails it has not been: its connection
 * is lost, and what comes of that is its end. */
static void
child_send_commit(struct child *child, struct list *requests, bool implicit)
{
        child->state = CHILD_ENDING;
        child->scope.state = SCOPE_CLOSED;
        pipit__lease_send(child->lease, requests, child->done, implicit);
        if (child->done->state == REQUEST_HELD)
                child->state = CHILD_RUNNING;
}

bool
pipit__child_try_end(struct child *child)
{
        struct lease *lease = child->lease;
        bool in_vain = child->state == CHILD_PARKED || lease->conn == NULL;

        if (!child_is_over(child))
                return false;
        if (child->doomed && child->level == 0 && !in_vain && child_tries_again(child)) {
                lease->rolls_back = child->up != NULL;
                if (child->up == NULL)
                        lease_give_back(lease, false);
                return true;
        }
        if (child->kind != CHILD_TRANSACTION || !child->begun || in_vain) {
                child_end(child);
                return true;
        }
        if (child->level > 0) {
                lease_end_stmt_savepoint(lease);
                pipit__lease_end_savepoint(lease, child->level, child->doomed);
        } else if (!child->doomed && !child->committed) {
                struct list none;
                list_init(&none);
                lease_end_stmt_savepoint(lease);
                child_send_commit(child, &none, false);
                return true;
        }
        lease->rolls_back = child->level == 0 && child->doomed;
        child_end(child);
        return true;
}

void
pipit__child_on_done(struct request *req, struct pipit_result *res, void *arg)
{
        struct child *child = arg;

        if (child->state != CHILD_ENDED) {
                /* It could not even begin, or its COMMIT was given up: what waits on it, and who
                 * opened it by hand, have their turn first. */
                bool has_failed = pipit_failed(res);
                int r = pipit__request_push(req, pipit__child_on_done, child);
                assert(r == 0); /* its own place is free */
                (void)r;
                if (has_failed)
                        pipit__child_doom(child, pipit_result_error(res), res);
                pipit__child_fail_queue(child);
                child->state = CHILD_PARKED;
                req->state = REQUEST_HELD;
                pipit__child_try_end(child);
                return;
        }
        if (child->kind == CHILD_TRANSACTION)
                pipit__result_set_attempts(res, child->attempt);
        pipit__request_next(req, res);
        child->done = NULL;
        pipit__child_look_for_end(child);
}

/* ---- the turn */

/* Its turn has come. A session may be inside of a transaction in plain SQL: BEGIN is only a warning
 * there, and COMMIT would commit what is not its own. */
static void
child_start(struct child *child)
{
        static const struct pipit_error inside = {
                .code = PIPIT_EINVAL,
                .phase = PIPIT_PHASE_WAIT,
                .message = "the session is inside of a transaction in plain SQL: end that first"};

        child->lease->active = child;
        child->state = CHILD_RUNNING;
        if (child->up != NULL && child->level == 0 &&
            pipit__pq_in_transaction(child->lease->conn->pq)) {
                pipit__child_doom(child, &inside, NULL);
                return;
        }
        child->attempt++;
        if (child->body != NULL)
                child->body(&child->scope, child->arg);
}

void
pipit__child_leased(struct request *done, struct conn *conn)
{
        struct child *child = pipit__child_of(done);
        struct lease *lease = child->lease;

        if (pipit__conn_lease(conn, &lease_conn_ops, lease) != 0) {
                done->state = REQUEST_NEW;
                pipit__dispatch_add(lease->leases->dispatch, done);
                return;
        }
        lease->conn = conn;
        lease->active = child;
        pipit__lease_schedule(lease);
}

/* Milliseconds after which the server is to end a statement by itself; 0: never. */
static int64_t
child_server_timeout(const struct child *child)
{
        int64_t all_ms = child->options.timeout_ms;
        int64_t left_ms =
                child->done->deadline_ms - pipit__reactor_now(child->lease->leases->reactor);

        if (all_ms <= 0)
                return 0;
        if (left_ms > all_ms) /* it begins with the next tick of a clock */
                left_ms = all_ms;
        left_ms += SERVER_SLACK_MS;
        return left_ms < INT32_MAX ? left_ms : INT32_MAX;
}

/* Begins what is not begun yet, from the outermost child on. */
static void
child_begin(struct child *child)
{
        struct lease *lease = child->lease;

        if (child->up != NULL && pipit__child_is_transaction(child->up))
                child_begin(child->up);
        if (child->begun)
                return;
        child->begun = true;
        if (child->level > 0) {
                pipit__lease_command(lease, "SAVEPOINT pipit_%d", child->level);
                return;
        }
        pipit__lease_begin(lease, &child->options, child_server_timeout(child));
}

/* Takes the statements that can travel together off the queue. */
static void
child_take(struct child *child, struct list *requests)
{
        int room = child->lease->leases->max_batch;

        for (; room > 0 && !list_empty(&child->queue); room--) {
                struct list *link = list_first(&child->queue);
                struct request *req = container_of(link, struct request, link);
                bool alone = req->may_fail || child->kind == CHILD_TEST;
                if (pipit__child_of(req) != NULL || (alone && !list_empty(requests)))
                        return;
                list_remove(link);
                list_push_back(requests, link);
                if (alone) {
                        child->lease->stmt_savepoint = child->level + 1;
                        return;
                }
        }
}

/* Whether COMMIT can go along with what is sent now. */
static bool
child_commits_along(const struct child *child, const struct list *requests)
{
        int n = 0;

        LIST_EACH(link, requests)
                n++;
        return child->options.commit_early && child->body != NULL && child->level == 0 &&
               child->holds == 0 && child->lease->stmt_savepoint == 0 &&
               list_empty(&child->queue) && n == child->scope.home.n_requests;
}

/*
 * Whether BEGIN and COMMIT can be left out of a transaction that is sent as a whole: what lies
 * between two Syncs is committed together. Only statements that are known to have no say in that
 * themselves: CALL may commit, VACUUM wants to be alone, LOCK TABLE wants to be told of BEGIN.
 */
static bool
child_is_implicit(const struct child *child, const struct list *requests)
{
        const struct pipit_transaction *options = &child->options;

        if (child->begun || child->lease->n_commands > 0 || options->timeout_ms > 0 ||
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
child_send_bracket(struct child *child, struct list *requests)
{
        struct lease *lease = child->lease;

        lease_end_stmt_savepoint(lease);
        child_take(child, requests);
        bool commits = child_commits_along(child, requests);
        bool implicit = commits && child_is_implicit(child, requests);
        if (!implicit)
                child_begin(child);
        if (lease->stmt_savepoint > 0)
                pipit__lease_command(lease, "SAVEPOINT pipit_%d", lease->stmt_savepoint);
        if (commits)
                child_send_commit(child, requests, implicit);
        else
                pipit__lease_send(lease, requests, NULL, false);
}

static void
child_send(struct child *child)
{
        struct list requests;

        list_init(&requests);
        if (child->kind == CHILD_SESSION) {
                child_take(child, &requests);
                pipit__lease_send_singles(child->lease, &requests);
        } else {
                child_send_bracket(child, &requests);
        }
        /* The connection was lost: they are told at the child's end. */
        list_splice(&requests, &child->queue);
        list_splice(&child->queue, &requests);
}

/* Its first that waits has its turn. */
static void
child_advance(struct child *child)
{
        struct list *link = list_first(&child->queue);
        struct request *first = container_of(link, struct request, link);
        struct child *nested = pipit__child_of(first);

        if (nested == NULL) {
                child_send(child);
                return;
        }
        list_remove(link);
        first->state = REQUEST_HELD;
        child_start(nested);
}

/* One step; false when there is none for the moment. */
static bool
lease_step(struct lease *lease)
{
        struct child *child = lease->active != NULL ? lease->active : lease->root;

        if (child->state == CHILD_ENDED)
                return false;
        if (child->state == CHILD_WAITING && lease->conn != NULL && !child->doomed &&
            !lease->pauses) {
                child_start(child);
                return true;
        }
        if (child->doomed)
                pipit__child_fail_queue(child);
        bool is_over = child->doomed || child->committed; /* that needs no connection any more */
        if (lease->conn != NULL && pipit__lease_is_busy(lease) && !is_over)
                return false;
        if (lease->conn != NULL && lease->rolls_back && !child->doomed) {
                pipit__lease_roll_back(lease);
                return true;
        }
        if (child->state == CHILD_WAITING && !child->doomed)
                return false;
        if (!list_empty(&child->queue) && lease->conn != NULL) {
                child_advance(child);
                return true;
        }
        return pipit__child_try_end(child);
}

void
pipit__children_turn(struct leases *leases)
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
