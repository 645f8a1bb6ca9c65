/*
 * The drain of a database: it takes nothing new, and its request, which the database holds,
 * completes when nothing else is outstanding, or when its time is over. See <pipit/scope.h>.
 */
#include "loop/deadline.h"
#include "loop/reactor.h"
#include "request/request.h"
#include "scope/database.h"

static const char *
drain_waits_for(const struct request *req)
{
        (void)req;
        return "the end of all other requests";
}

static void
drain_cancel(struct request *req, const char *reason)
{
        (void)reason;
        pipit__database_end_drain(pipit__request_holder(req), PIPIT_ECANCELED,
                                  "the drain was cancelled");
}

static void
drain_expire(struct request *req)
{
        static const char reason[] = "the time to drain was over";
        struct database *db = pipit__request_holder(req);

        pipit__database_abort_subscopes(db, reason);
        pipit__database_cancel_all(db, reason);
        pipit__pool_close(&db->pool, reason, false);
        pipit__database_end_drain(
                db, PIPIT_ETIMEDOUT,
                "requests were still outstanding at the end of the time to drain");
}

static const struct holder_ops drain_ops = {
        .waits_for = drain_waits_for, .cancel = drain_cancel, .expire = drain_expire};

static void
drain_start(struct database *db, struct request *req, int64_t timeout_ms)
{
        pipit__scope_enter(&db->scope, SCOPE_DRAINING);
        pipit__request_set_subscope(req, NULL);
        pipit__request_enter(req, REQUEST_HELD, &drain_ops, db);
        db->drain = req;
        pipit__request_set_deadline(
                req, pipit__deadline_after(pipit__reactor_now(db->reactor), timeout_ms));
        pipit__reactor_enter(db->reactor);
        pipit__database_look_for_end(db);
        pipit__reactor_leave(db->reactor);
}

pipit_request
pipit_drain(struct pipit *db, int64_t timeout_ms, pipit_cb cb, void *arg)
{
        if (!pipit__scope_is_mine(db))
                return 0;
        struct request *req = pipit__scope_request(db, 0, cb, arg);
        if (req == NULL)
                return 0;
        pipit_request number = pipit__request_number(req);
        if (!pipit__scope_is_database(db))
                pipit__request_fail(req, PIPIT_EINVAL, PIPIT_EXECUTED_NO, PIPIT_PHASE_START,
                                    "pipit_drain() takes a database");
        else if (timeout_ms < -1)
                pipit__request_fail(req, PIPIT_EINVAL, PIPIT_EXECUTED_NO, PIPIT_PHASE_START,
                                    "timeout_ms of pipit_drain() must be -1 or more");
        else if (pipit__scope_is_open(db))
                drain_start(pipit__scope_db(db), req, timeout_ms);
        else
                pipit__request_fail_like(req, pipit_scope_error(db));
        return number;
}
