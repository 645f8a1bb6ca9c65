/*
 * Records: where models and requests meet. A statement is built and started, and a frame on its
 * request reads the answer. See <pipit/record.h>.
 */
#include <assert.h>
#include <pipit/error.h>
#include <pipit/model.h>
#include <pipit/record.h>
#include <stdint.h>
#include <stdlib.h>

#include "model.h"
#include "query.h"
#include "request.h"
#include "result.h"
#include "row.h"
#include "schema.h"
#include "select.h"
#include "sql.h"
#include "write.h"

/* What every start is given. */
struct call {
        struct pipit *scope;
        const struct pipit_model *model;
        pipit_cb cb;
        void *arg;
};

/* The statements that create a table, one after the other; owned by the frame. */
struct plan {
        const struct pipit_model *model;
        unsigned flags;
        int next;
        int n;
};

/* Frames have an argument without const. */
static void *
model_as_arg(const struct pipit_model *model)
{
        return (void *)(uintptr_t)model;
}

static void
fail_not_found(struct pipit_result *res, const struct pipit_model *model)
{
        pipit__result_fail(res, PIPIT_ENOTFOUND, PIPIT_EXECUTED_YES, PIPIT_PHASE_RESULT,
                           "no such row in \"%s\"", pipit__model_table(model));
}

/* A frame: any number of rows. */
static void
record_on_rows(struct request *req, struct pipit_result *res, void *arg)
{
        if (!pipit_failed(res))
                pipit__row_decode(res, arg);
        pipit__request_next(req, res);
}

/* A frame: no row is a failure. */
static void
record_on_row(struct request *req, struct pipit_result *res, void *arg)
{
        if (!pipit_failed(res) && pipit_result_rows(res) == 0)
                fail_not_found(res, arg);
        record_on_rows(req, res, arg);
}

/* A frame: the statement gives no rows, but must have touched one. */
static void
record_on_deleted(struct request *req, struct pipit_result *res, void *arg)
{
        if (!pipit_failed(res) && pipit_result_affected(res) == 0)
                fail_not_found(res, arg);
        pipit__request_next(req, res);
}

static struct request *
call_refuse(const struct call *call, int error, const char *text)
{
        return pipit__query_refuse(call->scope, (enum pipit_code)error, call->cb, call->arg, "%s",
                                   text);
}

/* Starts what was built, or a request that fails with why it could not be; fn NULL: no frame. NULL
 * when memory ran out. */
static struct request *
call_start(const struct call *call, struct sql *sql, pipit__frame_fn fn, void *arg)
{
        struct request *req = NULL;
        int error = pipit__sql_error(sql);

        if (error != 0 && error != PIPIT_ENOMEM)
                req = call_refuse(call, error, pipit__sql_error_text(sql));
        else if (error == 0)
                req = pipit__query_start(call->scope, pipit__sql_text(sql), pipit__sql_params(sql),
                                         call->cb, call->arg);
        if (req && fn) {
                int r = pipit__request_push(req, fn, arg);

                assert(r == 0); /* there is always room for the first */
                (void)r;
        }
        pipit__sql_fini(sql);
        return req;
}

/* A statement about one row: how it is built, and what reads its answer. */
static pipit_request
call_write(const struct call *call, const void *row,
           void (*build)(const struct pipit_model *model, const void *row, struct sql *sql),
           pipit__frame_fn fn)
{
        struct sql sql;

        if (!call->model || !row)
                return pipit__request_number(
                        call_refuse(call, PIPIT_EINVAL, "the model or the row is NULL"));
        pipit__sql_init(&sql);
        build(call->model, row, &sql);
        return pipit__request_number(call_start(call, &sql, fn, model_as_arg(call->model)));
}

static pipit_request
call_select(const struct call *call, const struct pipit_select *select, pipit__frame_fn fn)
{
        struct sql sql;

        if (!call->model)
                return pipit__request_number(call_refuse(call, PIPIT_EINVAL, "the model is NULL"));
        pipit__sql_init(&sql);
        pipit__select_sql(call->model, select, &sql);
        return pipit__request_number(call_start(call, &sql, fn, model_as_arg(call->model)));
}

/* One row by a condition: a missing one would find any. */
static pipit_request
call_get(const struct call *call, const struct pipit_expr *where, pipit__frame_fn fn)
{
        struct pipit_select select = {.where = where, .limit = 1};

        if (!where)
                return pipit__request_number(
                        call_refuse(call, PIPIT_EINVAL, "the condition is NULL"));
        return call_select(call, &select, fn);
}

/* Runs the plan's next statement on the same request; false: res is a failure instead. */
static bool
plan_continue(struct plan *plan, struct request *req, struct pipit_result *res)
{
        struct sql sql;

        pipit__sql_init(&sql);
        pipit__schema_create(plan->model, plan->flags, plan->next++, &sql);
        if (pipit__sql_error(&sql) == 0 &&
            !pipit__query_continue(req, pipit__sql_text(&sql), pipit__sql_params(&sql)))
                pipit__sql_fail(&sql, PIPIT_ENOMEM, "out of memory");
        int error = pipit__sql_error(&sql);
        if (error != 0)
                pipit__result_fail(res, (enum pipit_code)error, PIPIT_EXECUTED_NO,
                                   PIPIT_PHASE_START, "%s", pipit__sql_error_text(&sql));
        pipit__sql_fini(&sql);
        return error == 0;
}

/* A frame: one statement of a plan is done. */
static void
plan_on_done(struct request *req, struct pipit_result *res, void *arg)
{
        struct plan *plan = arg;

        if (pipit_failed(res) || plan->next == plan->n) {
                free(plan);
                pipit__request_next(req, res);
                return;
        }
        /* Back on the chain before anything can fail: it frees the plan, then and in the end. */
        int r = pipit__request_push(req, plan_on_done, plan);
        assert(r == 0); /* its own place is free */
        (void)r;
        if (!plan_continue(plan, req, res))
                pipit__request_next(req, res);
}

static pipit_request
call_create_table(const struct call *call, unsigned flags)
{
        struct sql sql;
        struct request *req = NULL;
        struct plan *plan = malloc(sizeof(*plan));

        if (!plan)
                return 0;
        *plan = (struct plan){.model = call->model, .flags = flags, .next = 1};
        plan->n = pipit__schema_count(call->model);
        pipit__sql_init(&sql);
        pipit__schema_create(call->model, flags, 0, &sql);
        req = call_start(call, &sql, plan_on_done, plan);
        if (!req)
                free(plan);
        return pipit__request_number(req);
}

pipit_request
pipit_record_create(struct pipit *scope, const struct pipit_model *model, const void *row,
                    pipit_cb cb, void *arg)
{
        struct call call = {scope, model, cb, arg};

        return call_write(&call, row, pipit__write_insert, record_on_row);
}

pipit_request
pipit_record_save(struct pipit *scope, const struct pipit_model *model, const void *row,
                  pipit_cb cb, void *arg)
{
        if (model && row && pipit__model_is_stored(model, row))
                return pipit_record_update(scope, model, row, cb, arg);
        return pipit_record_insert(scope, model, row, cb, arg);
}

pipit_request
pipit_record_insert(struct pipit *scope, const struct pipit_model *model, const void *row,
                    pipit_cb cb, void *arg)
{
        return pipit_record_create(scope, model, row, cb, arg);
}

pipit_request
pipit_record_update(struct pipit *scope, const struct pipit_model *model, const void *row,
                    pipit_cb cb, void *arg)
{
        struct call call = {scope, model, cb, arg};

        return call_write(&call, row, pipit__write_update, record_on_row);
}

pipit_request
pipit_record_delete(struct pipit *scope, const struct pipit_model *model, const void *row,
                    pipit_cb cb, void *arg)
{
        struct call call = {scope, model, cb, arg};

        return call_write(&call, row, pipit__write_delete, record_on_deleted);
}

pipit_request
pipit_record_select(struct pipit *scope, const struct pipit_model *model,
                    const struct pipit_select *select, pipit_cb cb, void *arg)
{
        struct call call = {scope, model, cb, arg};

        return call_select(&call, select, record_on_rows);
}

pipit_request
pipit_record_get(struct pipit *scope, const struct pipit_model *model,
                 const struct pipit_expr *where, pipit_cb cb, void *arg)
{
        struct call call = {scope, model, cb, arg};

        return call_get(&call, where, record_on_row);
}

pipit_request
pipit_record_get_or_none(struct pipit *scope, const struct pipit_model *model,
                         const struct pipit_expr *where, pipit_cb cb, void *arg)
{
        struct call call = {scope, model, cb, arg};

        return call_get(&call, where, record_on_rows);
}

pipit_request
pipit_record_create_table(struct pipit *scope, const struct pipit_model *model, unsigned flags,
                          pipit_cb cb, void *arg)
{
        struct call call = {scope, model, cb, arg};

        if (!model)
                return pipit__request_number(call_refuse(&call, PIPIT_EINVAL, "the model is NULL"));
        return call_create_table(&call, flags);
}

pipit_request
pipit_record_drop_table(struct pipit *scope, const struct pipit_model *model, unsigned flags,
                        pipit_cb cb, void *arg)
{
        struct call call = {scope, model, cb, arg};
        struct sql sql;

        if (!model)
                return pipit__request_number(call_refuse(&call, PIPIT_EINVAL, "the model is NULL"));
        pipit__sql_init(&sql);
        pipit__schema_drop(model, flags, &sql);
        return pipit__request_number(call_start(&call, &sql, NULL, NULL));
}
