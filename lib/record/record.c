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

#include "pool/coalesce_rule.h"
#include "record/row.h"
#include "request/request.h"
#include "result/result_error.h"
#include "scope/database.h"
#include "scope/query.h"
#include "scope/scope.h"
#include "sql/ddl.h"
#include "sql/dml.h"
#include "sql/expr.h"
#include "sql/model.h"
#include "sql/select.h"
#include "sql/sql.h"

/* What every start is given. */
struct call {
        struct pipit *scope;
        const struct pipit_model *model;
        pipit_cb cb;
        void *arg;
        bool is_read;
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

static void
request_push_first(struct request *req, pipit__frame_fn fn, void *arg)
{
        int r = pipit__request_push(req, fn, arg);

        assert(r == 0); /* there is always room for the first */
        (void)r;
}

/* Starts what was built, or the statement of a rule with its values; or a request that fails with
 * why it could not be built. fn NULL: no frame. NULL when memory ran out. */
static struct request *
call_start_as(const struct call *call, struct sql *sql, struct coalesce_rule *rule,
              pipit__frame_fn fn, void *arg)
{
        struct request *req = NULL;
        int error = pipit__sql_error(sql);

        if (error != 0 && error != PIPIT_ENOMEM)
                req = call_refuse(call, error, pipit__sql_error_text(sql));
        else if (error == 0)
                req = pipit__query_start(call->scope,
                                         &(struct query){.sql = pipit__sql_text(sql),
                                                         .params = pipit__sql_params(sql),
                                                         .is_read = call->is_read,
                                                         .rule = rule},
                                         call->cb, call->arg);
        if (req && fn)
                request_push_first(req, fn, arg);
        pipit__sql_fini(sql);
        return req;
}

static struct request *
call_start(const struct call *call, struct sql *sql, pipit__frame_fn fn, void *arg)
{
        return call_start_as(call, sql, NULL, fn, arg);
}

/* A statement about one row: how it is built, and what reads its answer. */
static pipit_request
call_write(const struct call *call, const void *row,
           void (*build)(const struct pipit_model *model, const void *row, struct sql *sql),
           pipit__frame_fn fn)
{
        struct sql sql;

        if (!call->model || !row)
                return pipit__scope_started(
                        call->scope,
                        call_refuse(call, PIPIT_EINVAL, "the model or the row is NULL"));
        pipit__sql_init(&sql);
        build(call->model, row, &sql);
        return pipit__scope_started(call->scope,
                                    call_start(call, &sql, fn, model_as_arg(call->model)));
}

static pipit_request
call_select(const struct call *call, const struct pipit_select *select, pipit__frame_fn fn)
{
        struct sql sql;

        if (!call->model)
                return pipit__scope_started(call->scope,
                                            call_refuse(call, PIPIT_EINVAL, "the model is NULL"));
        pipit__sql_init(&sql);
        pipit__select_sql(call->model, select, &sql);
        return pipit__scope_started(call->scope,
                                    call_start(call, &sql, fn, model_as_arg(call->model)));
}

static struct coalesce_id
coalesce_id(const void *what, uint64_t given)
{
        return (struct coalesce_id){.what = (uintptr_t)what, .given = given};
}

/* Whether the key of a rule can be by a field, compared with that value. */
static bool
field_is_key(const struct pipit_field *field, const struct pipit_value *value,
             enum coalesce_key *ret_key)
{
        bool is_text = field->type == PIPIT_TYPE_varchar || field->type == PIPIT_TYPE_text;
        bool is_int = field->type == PIPIT_TYPE_smallint || field->type == PIPIT_TYPE_integer ||
                      field->type == PIPIT_TYPE_bigint || field->type == PIPIT_TYPE_serial ||
                      field->type == PIPIT_TYPE_bigserial;

        *ret_key = is_text ? COALESCE_TEXT : COALESCE_INT;
        return (is_text && value->kind == PIPIT_KIND_TEXT) ||
               (is_int && value->kind == PIPIT_KIND_INT);
}

/* A statement that gets rows by one field; NULL when memory ran out, or it cannot be built. */
static const char *
rule_sql(const struct pipit_field *field, const char *condition, struct sql *sql)
{
        pipit__sql_init(sql);
        pipit__select_sql(field->model, NULL, sql);
        pipit__sql_raw(sql, " WHERE ");
        pipit__field_sql(field, sql);
        pipit__sql_raw(sql, condition);
        return pipit__sql_error(sql) == 0 ? pipit__sql_text(sql) : NULL;
}

static struct coalesce_rule *
rule_add(struct pipit *scope, const struct pipit_field *field, enum coalesce_key key)
{
        struct sql one;
        struct sql many;
        struct coalesce_plan plan = {.one = rule_sql(field, " = $1 LIMIT 1", &one),
                                     .many = rule_sql(field, " = ANY($1)", &many),
                                     .key = key,
                                     .column = (int)(field - field->model->fields),
                                     .n_columns = field->model->n_fields,
                                     .n_params = 1};
        struct coalesce_rule *rule = NULL;

        if (plan.one && plan.many)
                rule = pipit__coalesce_rules_add(pipit__scope_coalesce_rules(scope),
                                                 coalesce_id(field, 0), &plan);
        pipit__sql_fini(&one);
        pipit__sql_fini(&many);
        return rule;
}

/* What a condition looks up, when it is a unique field that equals *ret_value; else NULL. */
static struct coalesce_rule *
call_rule(const struct call *call, const struct pipit_expr *where,
          const struct pipit_value **ret_value)
{
        const struct pipit_field *field = NULL;
        enum coalesce_key key;

        if (!pipit__expr_is_equality(where, &field, ret_value) || call->model == NULL ||
            field->model != call->model || !pipit__scope_is_mine(call->scope) ||
            !pipit__field_is_unique(field) || !field_is_key(field, *ret_value, &key))
                return NULL;
        struct coalesce_rules *rules = pipit__scope_coalesce_rules(call->scope);
        struct coalesce_rule *rule = pipit__coalesce_rules_find(rules, coalesce_id(field, 0));
        if (rule || !pipit__coalesce_rules_has_room(rules))
                return rule;
        return rule_add(call->scope, field, key);
}

static struct request *
call_start_by_rule(const struct call *call, struct coalesce_rule *rule, struct pipit_params params)
{
        struct query query = {
                .params = params,
                .is_read = true,
                .rule = rule,
                .key = params.values[0].kind == PIPIT_KIND_INT ? params.values[0].as.int_value : 0};

        return pipit__query_start(call->scope, &query, call->cb, call->arg);
}

/* One row by a condition: a missing one would find any. */
static pipit_request
call_get(const struct call *call, const struct pipit_expr *where, pipit__frame_fn fn)
{
        struct pipit_select select = {.where = where, .limit = 1};

        if (!where)
                return pipit__scope_started(
                        call->scope, call_refuse(call, PIPIT_EINVAL, "the condition is NULL"));
        const struct pipit_value *value = NULL;
        struct coalesce_rule *rule = call_rule(call, where, &value);
        if (!rule)
                return call_select(call, &select, fn);
        struct request *req = call_start_by_rule(call, rule, (struct pipit_params){value, 1});
        if (req)
                request_push_first(req, fn, model_as_arg(call->model));
        return pipit__scope_started(call->scope, req);
}

/* For the creates of a model that give these fields; NULL when memory ran out, or the statement
 * cannot be built. */
static struct coalesce_rule *
creates_add(struct coalesce_rules *rules, const struct pipit_model *model, const void *row,
            uint64_t given)
{
        struct sql one;
        struct sql many;
        uint32_t types[COALESCE_MAX_PARAMS];
        struct coalesce_plan plan = {.key = COALESCE_ORDINAL,
                                     .column = model->n_fields,
                                     .n_columns = model->n_fields,
                                     .types = types};
        struct coalesce_rule *rule = NULL;

        for (int i = 0; i < model->n_fields; i++) {
                if (given >> i & 1)
                        types[plan.n_params++] = pipit__field_oid(&model->fields[i]);
        }
        pipit__sql_init(&one);
        pipit__sql_init(&many);
        pipit__dml_insert(model, row, &one);
        pipit__dml_insert_many(model, given, &many);
        plan.one = pipit__sql_text(&one);
        plan.many = pipit__sql_text(&many);
        if (pipit__sql_error(&one) == 0 && pipit__sql_error(&many) == 0)
                rule = pipit__coalesce_rules_add(rules, coalesce_id(model, given), &plan);
        pipit__sql_fini(&one);
        pipit__sql_fini(&many);
        return rule;
}

/* What a create can be carried by; NULL when it runs by itself. */
static struct coalesce_rule *
call_creates(const struct call *call, const void *row)
{
        const struct pipit_model *model = call->model;

        if (!model || !row || model->n_fields > COALESCE_MAX_PARAMS ||
            !pipit__scope_is_mine(call->scope) || !pipit__scope_groups_writes(call->scope))
                return NULL;
        struct coalesce_rules *rules = pipit__scope_coalesce_rules(call->scope);
        uint64_t given = pipit__dml_given(model, row);
        struct coalesce_rule *rule = pipit__coalesce_rules_find(rules, coalesce_id(model, given));
        if (rule || !pipit__coalesce_rules_has_room(rules) || !pipit__dml_can_group(model, given))
                return rule;
        return creates_add(rules, model, row, given);
}

static pipit_request
call_create(const struct call *call, const void *row)
{
        struct coalesce_rule *rule = call_creates(call, row);
        struct sql sql;

        if (!rule)
                return call_write(call, row, pipit__dml_insert, record_on_row);
        pipit__sql_init(&sql);
        pipit__dml_values(call->model, row, &sql);
        return pipit__scope_started(call->scope, call_start_as(call, &sql, rule, record_on_row,
                                                               model_as_arg(call->model)));
}

/* Runs the plan's next statement on the same request; false: res is a failure instead. */
static bool
plan_continue(struct plan *plan, struct request *req, struct pipit_result *res)
{
        struct sql sql;

        pipit__sql_init(&sql);
        pipit__ddl_create(plan->model, plan->flags, plan->next++, &sql);
        if (pipit__sql_error(&sql) == 0 &&
            !pipit__query_continue(req, &(struct query){.sql = pipit__sql_text(&sql),
                                                        .params = pipit__sql_params(&sql)}))
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
                return pipit__scope_started(call->scope, NULL);
        *plan = (struct plan){.model = call->model, .flags = flags, .next = 1};
        plan->n = pipit__ddl_count(call->model);
        pipit__sql_init(&sql);
        pipit__ddl_create(call->model, flags, 0, &sql);
        req = call_start(call, &sql, plan_on_done, plan);
        if (!req)
                free(plan);
        return pipit__scope_started(call->scope, req);
}

pipit_request
pipit_record_create(struct pipit *scope, const struct pipit_model *model, const void *row,
                    pipit_cb cb, void *arg)
{
        struct call call = {scope, model, cb, arg, false};

        return call_create(&call, row);
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
        struct call call = {scope, model, cb, arg, false};

        return call_write(&call, row, pipit__dml_update, record_on_row);
}

pipit_request
pipit_record_delete(struct pipit *scope, const struct pipit_model *model, const void *row,
                    pipit_cb cb, void *arg)
{
        struct call call = {scope, model, cb, arg, false};

        return call_write(&call, row, pipit__dml_delete, record_on_deleted);
}

pipit_request
pipit_record_select(struct pipit *scope, const struct pipit_model *model,
                    const struct pipit_select *select, pipit_cb cb, void *arg)
{
        struct call call = {scope, model, cb, arg, true};

        return call_select(&call, select, record_on_rows);
}

pipit_request
pipit_record_get(struct pipit *scope, const struct pipit_model *model,
                 const struct pipit_expr *where, pipit_cb cb, void *arg)
{
        struct call call = {scope, model, cb, arg, true};

        return call_get(&call, where, record_on_row);
}

pipit_request
pipit_record_get_or_none(struct pipit *scope, const struct pipit_model *model,
                         const struct pipit_expr *where, pipit_cb cb, void *arg)
{
        struct call call = {scope, model, cb, arg, true};

        return call_get(&call, where, record_on_rows);
}

pipit_request
pipit_record_create_table(struct pipit *scope, const struct pipit_model *model, unsigned flags,
                          pipit_cb cb, void *arg)
{
        struct call call = {scope, model, cb, arg, false};

        if (!model)
                return pipit__scope_started(scope,
                                            call_refuse(&call, PIPIT_EINVAL, "the model is NULL"));
        return call_create_table(&call, flags);
}

pipit_request
pipit_record_drop_table(struct pipit *scope, const struct pipit_model *model, unsigned flags,
                        pipit_cb cb, void *arg)
{
        struct call call = {scope, model, cb, arg, false};
        struct sql sql;

        if (!model)
                return pipit__scope_started(scope,
                                            call_refuse(&call, PIPIT_EINVAL, "the model is NULL"));
        pipit__sql_init(&sql);
        pipit__ddl_drop(model, flags, &sql);
        return pipit__scope_started(scope, call_start(&call, &sql, NULL, NULL));
}
