/*
 * The dispatcher. See dispatch.h.
 */
#include "pool/dispatch.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "conn/conn.h"
#include "conn/conn_cancel.h"
#include "conn/conn_send.h"
#include "pool/batch.h"
#include "pool/coalesce.h"
#include "pool/pool.h"
#include "request/bound_stmt.h"
#include "request/request.h"

void
pipit__dispatch_init(struct dispatch *dispatch, const struct pipit_options *options,
                     struct reactor *reactor, struct pool *pool)
{
        *dispatch = (struct dispatch){.max = options->max_waiting,
                                      .max_bytes = options->max_waiting_bytes,
                                      .max_batch = options->max_pipeline,
                                      .reactor = reactor,
                                      .pool = pool};
        list_init(&dispatch->reads);
        list_init(&dispatch->others);
        list_init(&dispatch->leases);
}

bool
pipit__dispatch_has_room(const struct dispatch *dispatch, size_t bytes)
{
        return dispatch->n < dispatch->max && dispatch->bytes <= dispatch->max_bytes &&
               bytes <= dispatch->max_bytes - dispatch->bytes;
}

static struct list *
dispatch_queue(struct dispatch *dispatch, const struct request *req)
{
        if (req->bound == NULL)
                return &dispatch->leases;
        return req->is_read ? &dispatch->reads : &dispatch->others;
}

static size_t
request_bytes(const struct request *req)
{
        return req->bound != NULL ? req->bound->bytes : 0;
}

/* It waits from now on. */
static void
dispatch_enter(struct dispatch *dispatch, struct request *req)
{
        assert(req->state == REQUEST_NEW);
        req->state = REQUEST_WAITING;
        dispatch->n++;
        dispatch->bytes += request_bytes(req);
        pipit__request_set_deadline(req, req->deadline_ms);
        pipit__reactor_schedule(dispatch->reactor);
}

void
pipit__dispatch_add(struct dispatch *dispatch, struct request *req)
{
        list_push_back(dispatch_queue(dispatch, req), &req->link);
        dispatch_enter(dispatch, req);
}

void
pipit__dispatch_add_again(struct dispatch *dispatch, struct request *req)
{
        list_push_front(dispatch_queue(dispatch, req), &req->link);
        dispatch_enter(dispatch, req);
}

/* It waits no longer. */
static void
dispatch_leave(struct dispatch *dispatch, const struct request *req)
{
        dispatch->n--;
        dispatch->bytes -= request_bytes(req);
}

/* The queue whose first request has waited longest; NULL when nobody waits. */
static struct list *
dispatch_oldest(struct dispatch *dispatch)
{
        struct list *queues[] = {&dispatch->reads, &dispatch->others, &dispatch->leases};
        struct list *oldest = NULL;
        int64_t since_ms = 0;

        for (size_t i = 0; i < sizeof queues / sizeof queues[0]; i++) {
                if (list_empty(queues[i]))
                        continue;
                const struct request *req =
                        container_of(list_first(queues[i]), struct request, link);
                if (oldest == NULL || req->started_ms < since_ms) {
                        oldest = queues[i];
                        since_ms = req->started_ms;
                }
        }
        return oldest;
}

/* Sends a batch: all of it as one segment, or each as its own. */
static void
dispatch_send(struct conn *conn, struct batch *batch)
{
        if (batch->kind != SEGMENT_SINGLE) {
                pipit__conn_send(conn, batch->kind, &batch->requests);
                return;
        }
        while (!list_empty(&batch->requests)) {
                struct list one;
                list_init(&one);
                list_push_back(&one, list_pop_first(&batch->requests));
                if (pipit__conn_send(conn, SEGMENT_SINGLE, &one) != 0) {
                        list_splice(&one, &batch->requests);
                        list_splice(&batch->requests, &one);
                        return;
                }
        }
}

/* Gives a connection its batch; what could not be sent waits on, in its place. */
static void
dispatch_deal(struct dispatch *dispatch, struct list *queue, struct conn *conn)
{
        /* A role is a setting of the session: behind a pooler, where nothing is prepared either, it
         * would be somebody else's. */
        bool may_read = queue != &dispatch->reads || conn->config->max_prepared > 0;
        bool shares = !conn->serializable && may_read;
        int least = shares ? pipit__batch_least(queue) : 1;
        int share = pipit__pool_share(dispatch->pool, dispatch->n, least);
        struct batch batch;

        pipit__batch_take(&batch, queue, share < dispatch->max_batch ? share : dispatch->max_batch,
                          shares);
        dispatch->n -= batch.n;
        dispatch->bytes -= batch.bytes;
        pipit__coalesce_pack(&batch);
        dispatch_send(conn, &batch);
        while (!list_empty(&batch.requests)) {
                struct list *link = batch.requests.prev;
                struct request *req = container_of(link, struct request, link);
                list_remove(link);
                req->state = REQUEST_NEW;
                pipit__dispatch_add_again(dispatch, req);
        }
        pipit__conn_flush(conn);
}

static void
dispatch_lease(struct dispatch *dispatch, struct conn *conn)
{
        struct list *link = list_pop_first(&dispatch->leases);
        struct request *req = container_of(link, struct request, link);

        dispatch_leave(dispatch, req);
        req->state = REQUEST_HELD;
        pipit__request_set_deadline(req, req->deadline_ms);
        dispatch->lease(req, conn);
}

void
pipit__dispatch_turn(struct dispatch *dispatch)
{
        while (dispatch->n > 0) {
                struct list *queue = dispatch_oldest(dispatch);
                struct conn *conn = pipit__pool_take(dispatch->pool, queue == &dispatch->reads);
                /* Taking may have closed connections, and so have refused all who waited. */
                if (conn == NULL || dispatch->n == 0)
                        break;
                queue = dispatch_oldest(dispatch);
                if (queue == &dispatch->leases)
                        dispatch_lease(dispatch, conn);
                else
                        dispatch_deal(dispatch, queue, conn);
        }
        pipit__pool_want(dispatch->pool, dispatch->n);
}

void
pipit__dispatch_withdraw(struct dispatch *dispatch, struct request *req)
{
        dispatch_leave(dispatch, req);
        list_remove(&req->link);
        req->state = REQUEST_HELD;
}

static void
dispatch_expire_waiting(struct dispatch *dispatch, struct request *req, int64_t waited_ms)
{
        char pool[900];

        pipit__pool_describe(dispatch->pool, pool, sizeof pool);
        dispatch_leave(dispatch, req);
        pipit__request_fail(req, PIPIT_ETIMEDOUT, PIPIT_EXECUTED_NO, PIPIT_PHASE_WAIT,
                            "waited %.1f s for a connection in vain: %s", (double)waited_ms / 1000,
                            pool);
}

/* Ends one that was sent, for its caller: like this, and the server is asked to stop it. */
static void
dispatch_abandon(struct dispatch *dispatch, struct request *req, const struct pipit_error *error)
{
        struct conn *conn = req->conn;
        struct request *shared = pipit__coalesced_of_last(req);

        pipit__result_fail_like(req->res, error);
        pipit__request_end(req);
        if (conn != NULL)
                pipit__conn_abandon(conn, req);
        else if (shared != NULL)
                pipit__dispatch_cancel(dispatch, shared, "all that it carries have ended");
}

static void
dispatch_expire_sent(struct dispatch *dispatch, struct request *req, int64_t waited_ms)
{
        const struct conn *conn = req->conn;
        char text[300];
        struct pipit_error error = {.code = PIPIT_ETIMEDOUT,
                                    .executed = PIPIT_EXECUTED_UNKNOWN,
                                    .phase = PIPIT_PHASE_EXECUTE,
                                    .message = text};

        snprintf(text, sizeof text,
                 "no answer from %s after %.1f s, so the server is asked to stop: nobody knows "
                 "whether the statement was executed",
                 conn != NULL ? conn->host : "the server", (double)waited_ms / 1000);
        dispatch_abandon(dispatch, req, &error);
}

void
pipit__dispatch_expire(struct dispatch *dispatch, struct request *req)
{
        int64_t now = pipit__reactor_now(dispatch->reactor);

        if (req->state == REQUEST_WAITING) {
                dispatch_expire_waiting(dispatch, req, now - req->started_ms);
                return;
        }
        if (req->deadline_ms > now) { /* only its time to wait was over, and it was sent in time */
                pipit__request_set_deadline(req, req->deadline_ms);
                return;
        }
        dispatch_expire_sent(dispatch, req, now - req->started_ms);
}

static void
dispatch_cancel_sent(struct dispatch *dispatch, struct request *req, const char *reason)
{
        char text[200];
        struct pipit_error error = {.code = PIPIT_ECANCELED,
                                    .executed = PIPIT_EXECUTED_UNKNOWN,
                                    .phase = PIPIT_PHASE_EXECUTE,
                                    .message = text};

        snprintf(text, sizeof text,
                 "%s before its answer came: nobody knows whether the statement was executed",
                 reason);
        dispatch_abandon(dispatch, req, &error);
}

void
pipit__dispatch_cancel(struct dispatch *dispatch, struct request *req, const char *reason)
{
        if (req->state == REQUEST_WAITING) {
                dispatch_leave(dispatch, req);
                pipit__request_fail(req, PIPIT_ECANCELED, PIPIT_EXECUTED_NO, PIPIT_PHASE_WAIT,
                                    "%s before it was sent", reason);
        } else if (req->state == REQUEST_SENT) {
                dispatch_cancel_sent(dispatch, req, reason);
        }
}

void
pipit__dispatch_refusal(const struct conn_error *failure, struct refusal *ret)
{
        ret->error = (struct pipit_error){.code = PIPIT_ECONNECT,
                                          .executed = PIPIT_EXECUTED_NO,
                                          .phase = PIPIT_PHASE_WAIT,
                                          .host = failure->host,
                                          .message = ret->text};
        snprintf(ret->text, sizeof ret->text, "no connection to %s: %s", failure->host,
                 failure->text);
        memcpy(ret->error.sqlstate, failure->sqlstate, sizeof ret->error.sqlstate);
}

void
pipit__dispatch_refuse(struct dispatch *dispatch, const struct conn_error *failure)
{
        struct refusal refusal;

        pipit__dispatch_refusal(failure, &refusal);
        for (struct list *queue; (queue = dispatch_oldest(dispatch)) != NULL;) {
                struct request *req = container_of(list_first(queue), struct request, link);
                dispatch_leave(dispatch, req);
                pipit__result_fail_like(req->res, &refusal.error);
                pipit__request_end(req);
        }
}
