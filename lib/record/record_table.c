/*
 * Tables of models are created and dropped here. See <pipit/record.h>.
 *
 * A request runs one statement at a time, and creating a table takes several: the table, then each
 * index. The frame of the first sends the next on the same request, until the last is done.
 *
 * Always:
 * 1. A plan belongs to the frame as soon as there is a request. The frame frees it when the last
 *    statement is done, or when one has failed, for whatever reason.
 * 2. The frame is on the request while a statement of the plan runs.
 *
 * Programs call these functions, mostly through the typed ones of their models.
 */
#include <assert.h>
#include <pipit/error.h>
#include <pipit/model.h>
#include <pipit/record.h>
#include <stdbool.h>
#include <stdlib.h>

#include "record/record_call.h"
#include "request/request.h"
#include "result/result_error.h"
#include "scope/query.h"
#include "scope/scope.h"
#include "sql/ddl.h"
#include "sql/sql.h"

/* A plan is the series of statements that create a table, one after the other on one request. */
struct plan {
        const struct pipit_model *model;
        unsigned flags;
        int next; /* number of the statement to run next, from 0 */
        int n;
};

/* Runs the plan's next statement on its request. False if that could not be started, and then the
 * result is a failure. */
static bool
plan_continue(struct plan *plan, struct request *req, struct pipit_result *res)
{
        struct sql sql;

        pipit__sql_init(&sql);
        pipit__ddl_create(plan->model, plan->flags, plan->next++, &sql);
        if (pipit__sql_error(&sql) == 0 &&
            pipit__query_continue(req, &(struct query){.sql = pipit__sql_text(&sql),
                                                       .params = pipit__sql_params(&sql)}) == NULL)
                pipit__sql_fail(&sql, PIPIT_ENOMEM, "out of memory");
        int code = pipit__sql_error(&sql);
        if (code != 0)
                pipit__result_fail(res, (enum pipit_code)code, PIPIT_EXECUTED_NO, PIPIT_PHASE_START,
                                   "%s", pipit__sql_error_text(&sql));
        pipit__sql_fini(&sql);
        return code == 0;
}

/* Goes on with the plan, arg, until its last statement is done or one has failed. */
static void
plan_on_done(struct request *req, struct pipit_result *res, void *arg)
{
        struct plan *plan = arg;

        if (pipit_failed(res) || plan->next == plan->n) {
                free(plan);
                pipit__request_next(req, res);
                return;
        }
        /* The frame goes back first, because it frees the plan, whatever comes next. */
        int code = pipit__request_push(req, plan_on_done, plan);
        assert(code == 0); /* its own place is free */
        (void)code;
        if (!plan_continue(plan, req, res))
                pipit__request_next(req, res);
}

static struct request *
create_table_start(const struct record_call *call, unsigned flags)
{
        struct sql sql;

        if (call->model == NULL)
                return pipit__record_call_refuse(call, PIPIT_EINVAL, "the model is NULL");
        struct plan *plan = malloc(sizeof *plan);
        if (plan == NULL)
                return NULL;
        *plan = (struct plan){.model = call->model, .flags = flags, .next = 1};
        plan->n = pipit__ddl_count(call->model);
        pipit__sql_init(&sql);
        pipit__ddl_create(call->model, flags, 0, &sql);
        struct request *req =
                pipit__record_call_start(call, &sql, (struct query){0}, plan_on_done, plan);
        if (req == NULL)
                free(plan);
        return req;
}

static struct request *
drop_table_start(const struct record_call *call, unsigned flags)
{
        struct sql sql;

        if (call->model == NULL)
                return pipit__record_call_refuse(call, PIPIT_EINVAL, "the model is NULL");
        pipit__sql_init(&sql);
        pipit__ddl_drop(call->model, flags, &sql);
        return pipit__record_call_start(call, &sql, (struct query){0}, NULL, NULL);
}

pipit_request
pipit_record_create_table(struct pipit *scope, const struct pipit_model *model, unsigned flags,
                          pipit_cb cb, void *arg)
{
        struct record_call call = {scope, model, cb, arg};

        return pipit__scope_started(scope, create_table_start(&call, flags));
}

pipit_request
pipit_record_drop_table(struct pipit *scope, const struct pipit_model *model, unsigned flags,
                        pipit_cb cb, void *arg)
{
        struct record_call call = {scope, model, cb, arg};

        return pipit__scope_started(scope, drop_table_start(&call, flags));
}
