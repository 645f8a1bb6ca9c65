/*
 * The dispatcher. See dispatch.h.
 */
#include "pool/dispatch.h"

#include <stdio.h>
#include <string.h>

#include "conn/conn.h"
#include "loop/deadline.h"
#include "loop/reactor.h"
#include "pool/batch.h"
#include "pool/coalesce.h"
#include "pool/pool.h"
#include "pool/sent.h"
#include "request/request.h"

void
pipit__dispatch_init(struct dispatch *dispatch, const struct pipit_options *options,
                     const struct dispatch_ops *ops, struct reactor *reactor, struct pool *pool)
{
        *dispatch = (struct dispatch){.max = options->max_waiting,
                                      .max_bytes = options->max_waiting_bytes,
                                      .max_batch = options->max_pipeline,
                                      .reactor = reactor,
                                      .pool = pool,
                                      .ops = ops};
        list_init(&dispatch->reads);
        list_init(&dispatch->others);
        list_init(&dispatch->lease_queue);
}

bool
pipit__dispatch_has_room(const struct dispatch *dispatch, size_t bytes)
{
        return dispatch->n < dispatch->max && pipit__dispatch_has_room_for(dispatch, bytes);
}

bool
pipit__dispatch_has_room_for(const struct dispatch *dispatch, size_t bytes)
{
        size_t waiting = dispatch->bytes + dispatch->queued_bytes;

        return waiting <= dispatch->max_bytes && bytes <= dispatch->max_bytes - waiting;
}

void
pipit__dispatch_add_queued(struct dispatch *dispatch, size_t bytes)
{
        dispatch->queued_bytes += bytes;
}

void
pipit__dispatch_remove_queued(struct dispatch *dispatch, size_t bytes)
{
        dispatch->queued_bytes -= bytes;
}

/* ---- requests that wait for a connection */

static const char *
waiting_waits_for(const struct request *req)
{
        (void)req;
        return "a connection";
}

static void
waiting_leave(struct request *req)
{
        struct dispatch *dispatch = pipit__request_holder(req);

        dispatch->n--;
        dispatch->bytes -= pipit__request_bytes(req);
}

/* A request that waits was not executed, but a read may have run on a connection that was lost. */
static enum pipit_executed
waiting_executed(const struct request *req)
{
        return pipit__request_is_read(req) && pipit__request_losses(req) > 0
                       ? PIPIT_EXECUTED_UNKNOWN
                       : PIPIT_EXECUTED_NO;
}

static void
waiting_cancel(struct request *req, const char *reason)
{
        pipit__request_fail(req, PIPIT_ECANCELED, waiting_executed(req), PIPIT_PHASE_WAIT,
                            "%s before it was sent", reason);
}

static void
waiting_expire(struct request *req)
{
        struct dispatch *dispatch = pipit__request_holder(req);
        char pool[900];

        pipit__pool_describe(dispatch->pool, pool, sizeof pool);
        pipit__request_fail(req, PIPIT_ETIMEDOUT, waiting_executed(req), PIPIT_PHASE_WAIT,
                            "waited %.1f s for %s in vain: %s",
                            (double)pipit__request_waited_ms(req) / 1000,
                            pipit__request_waits_for(req), pool);
}

static const struct holder_ops waiting_ops = {.waits_for = waiting_waits_for,
                                              .cancel = waiting_cancel,
                                              .expire = waiting_expire,
                                              .leave = waiting_leave};

static struct list *
dispatch_queue(struct dispatch *dispatch, const struct request *req)
{
        if (pipit__request_kind(req) == REQUEST_SUBSCOPE)
                return &dispatch->lease_queue;
        return pipit__request_is_read(req) ? &dispatch->reads : &dispatch->others;
}

static void
dispatch_enter(struct dispatch *dispatch, struct request *req)
{
        pipit__request_enter(req, REQUEST_WAITING, &waiting_ops, dispatch);
        dispatch->n++;
        dispatch->bytes += pipit__request_bytes(req);
        pipit__request_arm(req);
        pipit__reactor_schedule(dispatch->reactor);
}

void
pipit__dispatch_add(struct dispatch *dispatch, struct request *req)
{
        dispatch_enter(dispatch, req);
        pipit__request_append(req, dispatch_queue(dispatch, req));
}

void
pipit__dispatch_add_again(struct dispatch *dispatch, struct request *req)
{
        dispatch_enter(dispatch, req);
        pipit__request_prepend(req, dispatch_queue(dispatch, req));
}

/* ---- requests that were sent */

static const char *
sent_waits_for(const struct request *req)
{
        (void)req;
        return "the server's answer";
}

/* The connection goes on without the caller of a request: the server is asked to stop it. */
static void
sent_cancel(struct request *req, const char *reason)
{
        struct conn *conn = pipit__request_holder(req);

        pipit__sent_cancel(req, reason);
        pipit__conn_abandon(conn, req);
}

static void
sent_expire(struct request *req)
{
        struct conn *conn = pipit__request_holder(req);

        pipit__sent_expire(req, pipit__conn_host(conn));
        pipit__conn_abandon(conn, req);
}

static const struct holder_ops sent_ops = {
        .waits_for = sent_waits_for, .cancel = sent_cancel, .expire = sent_expire};

/* ---- the turn */

/* The queue whose first request has waited longest; NULL when nobody waits. */
static struct list *
dispatch_oldest(struct dispatch *dispatch)
{
        struct list *queues[] = {&dispatch->reads, &dispatch->others, &dispatch->lease_queue};
        struct list *oldest = NULL;
        int64_t since_ms = 0;

        for (size_t i = 0; i < sizeof queues / sizeof queues[0]; i++) {
                if (list_empty(queues[i]))
                        continue;
                int64_t started_ms = pipit__request_started_ms(pipit__request_first(queues[i]));
                if (oldest == NULL || started_ms < since_ms) {
                        oldest = queues[i];
                        since_ms = started_ms;
                }
        }
        return oldest;
}

/* Sends a batch: all of it as one segment, or each as its own. */
static void
dispatch_send(struct conn *conn, struct batch *batch)
{
        if (batch->kind != SEGMENT_SINGLE) {
                pipit__conn_send(conn, batch->kind, &batch->requests, &sent_ops);
                return;
        }
        while (!list_empty(&batch->requests)) {
                struct list one;
                list_init(&one);
                list_push_back(&one, list_pop_first(&batch->requests));
                if (pipit__conn_send(conn, SEGMENT_SINGLE, &one, &sent_ops) != 0) {
                        list_splice(&one, &batch->requests);
                        list_splice(&batch->requests, &one);
                        return;
                }
        }
}

/* Gives a connection its batch; requests that could not be sent wait on, in their place. */
static void
dispatch_deal(struct dispatch *dispatch, struct list *queue, struct conn *conn)
{
        struct batch_limits limits = {
                .shares = pipit__conn_may_share(conn, queue == &dispatch->reads),
                .one_sync = pipit__conn_has_one_sync(conn)};
        int least = limits.shares ? pipit__batch_least(queue) : 1;
        struct batch batch;

        limits.max = pipit__pool_share(dispatch->pool, dispatch->n, least);
        if (limits.max > dispatch->max_batch)
                limits.max = dispatch->max_batch;
        pipit__batch_take(&batch, queue, &limits);
        pipit__coalesce_pack(&batch);
        dispatch_send(conn, &batch);
        while (!list_empty(&batch.requests))
                pipit__dispatch_add_again(dispatch, pipit__request_of(batch.requests.prev));
        pipit__conn_flush(conn);
}

/* When the request that has waited longest has done so for too long without an open connection. */
static int64_t
dispatch_give_up_ms(struct dispatch *dispatch)
{
        const struct list *oldest = dispatch_oldest(dispatch);

        if (oldest == NULL)
                return DEADLINE_NEVER;
        return pipit__pool_give_up_ms(dispatch->pool,
                                      pipit__request_started_ms(pipit__request_first(oldest)));
}

/* Fails the requests for which nobody has a connection for too long. */
static void
dispatch_give_up(struct dispatch *dispatch)
{
        char pool[900];

        while (dispatch_give_up_ms(dispatch) <= pipit__reactor_now(dispatch->reactor)) {
                struct request *req = pipit__request_first(dispatch_oldest(dispatch));
                pipit__pool_describe(dispatch->pool, pool, sizeof pool);
                pipit__request_fail(req, PIPIT_ECONNECT, PIPIT_EXECUTED_NO, PIPIT_PHASE_WAIT,
                                    "no connection was open for %.1f s (down_timeout_ms): %s",
                                    (double)dispatch->pool->down_timeout_ms / 1000, pool);
        }
}

void
pipit__dispatch_turn(struct dispatch *dispatch)
{
        dispatch_give_up(dispatch);
        while (dispatch->n > 0) {
                struct list *queue = dispatch_oldest(dispatch);
                struct conn *conn = pipit__pool_take(dispatch->pool, queue == &dispatch->reads);
                /* Taking may have closed connections, and so have refused all who waited. */
                if (conn == NULL || dispatch->n == 0)
                        break;
                queue = dispatch_oldest(dispatch);
                if (queue == &dispatch->lease_queue)
                        dispatch->ops->lease(pipit__request_first(queue), conn);
                else
                        dispatch_deal(dispatch, queue, conn);
        }
        pipit__pool_want(dispatch->pool, dispatch->n);
        pipit__pool_call_at(dispatch->pool, dispatch_give_up_ms(dispatch));
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
                struct request *req = pipit__request_first(queue);
                refusal.error.executed = waiting_executed(req);
                pipit__request_fail_like(req, &refusal.error);
        }
}
