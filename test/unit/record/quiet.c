/*
 * A database that sends nothing. See quiet.h.
 */
#include "quiet.h"

#include <check.h>
#include <event2/event.h>
#include <stdlib.h>

#include "loop/reactor.h"
#include "request/request_int.h"
#include "request/requests.h"
#include "request/stmt.h"
#include "result/result_error.h"
#include "result/rows.h"
#include "scope/scope.h"

struct pipit *db;
int n_called;
struct pipit_result *result;

static struct event_base *base;

void
quiet_setup(void)
{
        n_called = 0;
        result = NULL;
        base = event_base_new();
        db = pipit_open(base, "postgresql:///none?host=/nowhere", NULL);
        ck_assert_ptr_nonnull(db);
}

void
quiet_close(void)
{
        pipit_close(db);
        db = NULL;
        event_base_loop(base, EVLOOP_NONBLOCK);
}

void
quiet_teardown(void)
{
        result = pipit_result_unref(result);
        if (db != NULL)
                quiet_close();
        event_base_free(base);
}

void
on_done(struct pipit_result *res, void *arg)
{
        (void)arg;
        n_called++;
        pipit_result_unref(result);
        result = pipit_result_ref(res);
}

/* Memory may be about to run out on purpose, and an assertion of Check takes some. */
static struct request *
outstanding(pipit_request number)
{
        struct request *req = pipit__scope_find(db, number);

        if (req == NULL)
                abort();
        return req;
}

static void
complete(struct request *req)
{
        struct reactor *reactor = req->requests->reactor;

        pipit__reactor_enter(reactor);
        pipit__request_complete(req);
        pipit__reactor_leave(reactor);
}

void
quiet_answer(pipit_request number, struct pg_result *answer)
{
        struct request *req = outstanding(number);

        pipit__rows_take(pipit__request_result(req), answer, PIPIT_EXECUTED_YES);
        complete(req);
}

void
quiet_fail(pipit_request number)
{
        struct request *req = outstanding(number);

        pipit__result_fail(pipit__request_result(req), PIPIT_ESERVER, PIPIT_EXECUTED_ROLLED_BACK,
                           PIPIT_PHASE_EXECUTE, "broken");
        complete(req);
}

const char *
quiet_text(pipit_request number)
{
        const struct request *req = pipit__scope_find(db, number);

        return req != NULL ? pipit__stmt_sql(pipit__request_stmt(req)) : NULL;
}
