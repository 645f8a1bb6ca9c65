/*
 * Records are rows of models, which are created, found, saved and deleted here. See
 * <pipit/record.h>.
 *
 * A public call goes down in three steps: it packs its arguments into a struct record_call;
 * <verb>_start() checks those it needs and builds the statement; pipit__record_call_start() makes
 * the request. The frame that is named there reads the answer before the callback runs.
 *
 * Always:
 * 1. A NULL model, row or condition is refused through the callback, before anything is built.
 * 2. A write of no row is a failure, PIPIT_ENOTFOUND, and never a silent success.
 * 3. Only finding is declared as a read.
 *
 * Programs call these functions, mostly through the typed ones of their models.
 */
#include <pipit/error.h>
#include <pipit/model.h>
#include <pipit/record.h>

#include "record/record_call.h"
#include "record/record_coalesce.h"
#include "record/row.h"
#include "request/request.h"
#include "result/result_error.h"
#include "scope/query.h"
#include "scope/scope.h"
#include "sql/dml.h"
#include "sql/model.h"
#include "sql/select.h"
#include "sql/sql.h"

/* ---- frames, which read answers */

static void
fail_not_found(struct pipit_result *res, const struct pipit_model *model)
{
        pipit__result_fail(res, PIPIT_ENOTFOUND, PIPIT_EXECUTED_YES, PIPIT_PHASE_RESULT,
                           "no such row in \"%s\"", pipit__model_table(model));
}

static void
fail_not_created(struct pipit_result *res, const struct pipit_model *model)
{
        pipit__result_fail(res, PIPIT_ENOTFOUND, PIPIT_EXECUTED_YES, PIPIT_PHASE_RESULT,
                           "the INSERT gave no row of \"%s\" back: a trigger, a rule or a policy "
                           "left the row out, or gave it another key",
                           pipit__model_table(model));
}

/* Reads any number of rows; arg is the model. */
static void
record_on_rows(struct request *req, struct pipit_result *res, void *arg)
{
        if (!pipit_failed(res))
                pipit__row_decode(res, arg);
        pipit__request_next(req, res);
}

/* Reads the row that there has to be; arg is the model. */
static void
record_on_row(struct request *req, struct pipit_result *res, void *arg)
{
        if (!pipit_failed(res) && pipit_result_rows(res) == 0)
                fail_not_found(res, arg);
        record_on_rows(req, res, arg);
}

/* Reads the row that was created; arg is the model. */
static void
record_on_created(struct request *req, struct pipit_result *res, void *arg)
{
        if (!pipit_failed(res) && pipit_result_rows(res) == 0)
                fail_not_created(res, arg);
        record_on_rows(req, res, arg);
}

/* Looks whether a statement without rows has touched one; arg is the model. */
static void
record_on_deleted(struct request *req, struct pipit_result *res, void *arg)
{
        if (!pipit_failed(res) && pipit_result_affected(res) == 0)
                fail_not_found(res, arg);
        pipit__request_next(req, res);
}

/* ---- rows: create, save, update and delete */

/* Starts a statement about one row. */
static struct request *
write_start(const struct record_call *call, const void *row,
            void (*build)(const struct pipit_model *model, const void *row, struct sql *sql),
            pipit__frame_fn fn)
{
        struct sql sql;

        if (call->model == NULL || row == NULL)
                return pipit__record_call_refuse(call, PIPIT_EINVAL,
                                                 "the model or the row is NULL");
        pipit__sql_init(&sql);
        build(call->model, row, &sql);
        return pipit__record_call_start(call, &sql, (struct query){0}, fn,
                                        pipit__record_call_model(call));
}

static struct request *
create_start(const struct record_call *call, const void *row)
{
        struct coalesce_rule *rule = pipit__record_coalesce_create(call->scope, call->model, row);
        struct sql sql;

        if (rule == NULL)
                return write_start(call, row, pipit__dml_insert, record_on_created);
        pipit__sql_init(&sql);
        pipit__dml_values(call->model, row, &sql); /* the rule has the text */
        return pipit__record_call_start(call, &sql, (struct query){.rule = rule}, record_on_created,
                                        pipit__record_call_model(call));
}

pipit_request
pipit_record_create(struct pipit *scope, const struct pipit_model *model, const void *row,
                    pipit_cb cb, void *arg)
{
        struct record_call call = {scope, model, cb, arg};

        return pipit__scope_started(scope, create_start(&call, row));
}

pipit_request
pipit_record_save(struct pipit *scope, const struct pipit_model *model, const void *row,
                  pipit_cb cb, void *arg)
{
        if (model != NULL && row != NULL && pipit__model_is_stored(model, row))
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
        struct record_call call = {scope, model, cb, arg};

        return pipit__scope_started(scope,
                                    write_start(&call, row, pipit__dml_update, record_on_row));
}

pipit_request
pipit_record_delete(struct pipit *scope, const struct pipit_model *model, const void *row,
                    pipit_cb cb, void *arg)
{
        struct record_call call = {scope, model, cb, arg};

        return pipit__scope_started(scope,
                                    write_start(&call, row, pipit__dml_delete, record_on_deleted));
}

/* ---- finding: select and get */

static struct request *
select_start(const struct record_call *call, const struct pipit_select *select, pipit__frame_fn fn)
{
        struct sql sql;

        if (call->model == NULL)
                return pipit__record_call_refuse(call, PIPIT_EINVAL, "the model is NULL");
        pipit__sql_init(&sql);
        pipit__select_sql(call->model, select, &sql);
        return pipit__record_call_start(call, &sql, (struct query){.is_read = true}, fn,
                                        pipit__record_call_model(call));
}

/* Starts a get that may run together with others, by their rule. */
static struct request *
get_start_by_rule(const struct record_call *call, struct coalesce_rule *rule,
                  const struct pipit_value *key, pipit__frame_fn fn)
{
        struct query query = {.params = {key, 1},
                              .is_read = true,
                              .rule = rule,
                              .key = key->kind == PIPIT_KIND_INT ? key->as.int_value : 0};

        return pipit__record_call_query(call, &query, fn, pipit__record_call_model(call));
}

/* Starts a get. A condition there must be: without one any row would do. */
static struct request *
get_start(const struct record_call *call, const struct pipit_expr *where, pipit__frame_fn fn)
{
        struct pipit_select select = {.where = where, .limit = 1};
        const struct pipit_value *key = NULL;

        if (where == NULL)
                return pipit__record_call_refuse(call, PIPIT_EINVAL, "the condition is NULL");
        struct coalesce_rule *rule =
                pipit__record_coalesce_get(call->scope, call->model, where, &key);
        return rule != NULL ? get_start_by_rule(call, rule, key, fn)
                            : select_start(call, &select, fn);
}

pipit_request
pipit_record_select(struct pipit *scope, const struct pipit_model *model,
                    const struct pipit_select *select, pipit_cb cb, void *arg)
{
        struct record_call call = {scope, model, cb, arg};

        return pipit__scope_started(scope, select_start(&call, select, record_on_rows));
}

pipit_request
pipit_record_get(struct pipit *scope, const struct pipit_model *model,
                 const struct pipit_expr *where, pipit_cb cb, void *arg)
{
        struct record_call call = {scope, model, cb, arg};

        return pipit__scope_started(scope, get_start(&call, where, record_on_row));
}

pipit_request
pipit_record_get_or_none(struct pipit *scope, const struct pipit_model *model,
                         const struct pipit_expr *where, pipit_cb cb, void *arg)
{
        struct record_call call = {scope, model, cb, arg};

        return pipit__scope_started(scope, get_start(&call, where, record_on_rows));
}
