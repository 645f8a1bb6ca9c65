/*
 * The dispatcher. See dispatch.h.
 */
#include "dispatch.h"
#include "conn.h"
#include "pool.h"
#include "request.h"
#include "statement.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void
pipit__dispatch_init(struct dispatch *dispatch, const struct pipit_options *options,
                     struct reactor *reactor, struct pool *pool)
{
        *dispatch = (struct dispatch){.max = options->max_waiting,
                                      .max_bytes = options->max_waiting_bytes,
                                      .reactor = reactor,
                                      .pool = pool};
        list_init(&dispatch->queue);
}

bool
pipit__dispatch_has_room(const struct dispatch *dispatch, size_t bytes)
{
        return dispatch->n < dispatch->max && dispatch->bytes <= dispatch->max_bytes &&
               bytes <= dispatch->max_bytes - dispatch->bytes;
}

void
pipit__dispatch_add(struct dispatch *dispatch, struct request *req)
{
        assert(req->state == REQUEST_NEW);
        req->state = REQUEST_WAITING;
        list_push_back(&dispatch->queue, &req->link);
        dispatch->n++;
        dispatch->bytes += req->statement->bytes;
        pipit__request_set_deadline(req, req->deadline_ms);
        pipit__reactor_schedule(dispatch->reactor);
}

/* It waits no longer. */
static void
dispatch_leave(struct dispatch *dispatch, const struct request *req)
{
        dispatch->n--;
        dispatch->bytes -= req->statement->bytes;
}

void
pipit__dispatch_turn(struct dispatch *dispatch)
{
        while (dispatch->n > 0) {
                struct conn *conn = pipit__pool_take(dispatch->pool, dispatch->n);
                /* Taking may have closed connections, and so have refused all who waited. */
                if (conn == NULL || dispatch->n == 0)
                        break;
                struct list *link = list_first(&dispatch->queue);
                struct request *req = container_of(link, struct request, link);
                if (pipit__conn_send(conn, req) == 0)
                        dispatch_leave(dispatch, req);
        }
        pipit__pool_want(dispatch->pool, dispatch->n);
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

void
pipit__dispatch_expire(struct dispatch *dispatch, struct request *req)
{
        int64_t now = pipit__reactor_now(dispatch->reactor);
        struct conn *conn = req->conn;

        if (req->state == REQUEST_WAITING) {
                dispatch_expire_waiting(dispatch, req, now - req->started_ms);
                return;
        }
        if (req->deadline_ms > now) { /* only its time to wait was over, and it was sent in time */
                pipit__request_set_deadline(req, req->deadline_ms);
                return;
        }
        pipit__request_fail(req, PIPIT_ETIMEDOUT, PIPIT_EXECUTED_UNKNOWN, PIPIT_PHASE_EXECUTE,
                            "no answer from %s after %.1f s: nobody knows whether the statement "
                            "was executed",
                            conn->ending.host, (double)(now - req->started_ms) / 1000);
        pipit__conn_give_up(conn, req, true);
}

void
pipit__dispatch_cancel(struct dispatch *dispatch, struct request *req, const char *reason)
{
        struct conn *conn = req->conn;

        if (req->state == REQUEST_WAITING) {
                dispatch_leave(dispatch, req);
                pipit__request_fail(req, PIPIT_ECANCELED, PIPIT_EXECUTED_NO, PIPIT_PHASE_WAIT,
                                    "%s before it was sent", reason);
        } else if (req->state == REQUEST_SENT) {
                pipit__request_fail(req, PIPIT_ECANCELED, PIPIT_EXECUTED_UNKNOWN,
                                    PIPIT_PHASE_EXECUTE,
                                    "%s before its answer came: nobody knows whether the "
                                    "statement was executed",
                                    reason);
                pipit__conn_give_up(conn, req, false);
        }
}

void
pipit__dispatch_refuse_one(struct request *req, const struct attempt_failure *failure)
{
        char text[sizeof failure->text + sizeof failure->host + 32];
        struct pipit_error error = {.code = PIPIT_ECONNECT,
                                    .executed = PIPIT_EXECUTED_NO,
                                    .phase = PIPIT_PHASE_WAIT,
                                    .host = failure->host,
                                    .message = text};

        snprintf(text, sizeof text, "no connection to %s: %s", failure->host, failure->text);
        memcpy(error.sqlstate, failure->sqlstate, sizeof error.sqlstate);
        pipit__result_fail_like(req->res, &error);
        pipit__request_end(req);
}

void
pipit__dispatch_refuse(struct dispatch *dispatch, const struct attempt_failure *failure)
{
        while (dispatch->n > 0) {
                struct list *link = list_first(&dispatch->queue);
                struct request *req = container_of(link, struct request, link);
                dispatch_leave(dispatch, req);
                pipit__dispatch_refuse_one(req, failure);
        }
}
