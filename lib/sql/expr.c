/*
 * An expression is rendered by recursion, node by node. See expr.h.
 *
 * An expression comes from the program's stack or arena and may be anything, so every node is
 * looked at before it is used. Nothing shows that the nodes make a tree: one may stand in it many
 * times, or even in itself. So the depth of the recursion is bounded, and so is the number of
 * operands, each of which counts as often as it is visited; and at the first error all stops.
 */
#include "sql/expr.h"

#include <pipit/error.h>
#include <stddef.h>

#include "base/reserved.h"
#include "sql/expr_int.h"
#include "sql/model.h"

/* A render is one expression on its way into a builder. */
struct render {
        const struct pipit_model *model;
        struct sql *sql;
        struct visit visit;
};

const struct pipit_expr pipit__expr_left_out = {.kind = PIPIT_EXPR_NONE};

static void render_node(struct render *render, const struct pipit_expr *expr);

static void
render_fail_too_much(struct render *render)
{
        pipit__sql_fail(render->sql, PIPIT_EINVAL,
                        "an expression is nested more than %d deep, or has more than %d operands",
                        PIPIT__EXPR_DEPTH_MAX, PIPIT__EXPR_OPERANDS_MAX);
}

static bool
expr_is_kind(const struct pipit_expr *expr, enum pipit_expr_kind kind)
{
        return expr != NULL && expr->kind == kind;
}

/* Whether a value is SQL NULL. A value with something in its reserved member is none, and is
 * refused as a parameter. */
static bool
expr_value_is_null(const struct pipit_value *value)
{
        return value->kind == PIPIT_KIND_NULL && value->reserved == 0;
}

static bool
expr_is_null(const struct pipit_expr *expr)
{
        return expr_is_kind(expr, PIPIT_EXPR_VALUE) && expr_value_is_null(&expr->as.value);
}

/* Whether a node has nothing in it that has no meaning there. */
static bool
expr_is_sane(const struct pipit_expr *expr)
{
        bool is_leaf = expr->op == PIPIT_OP_NONE && expr->n_args == 0 && expr->args == NULL;

        if (expr->flags != 0 || expr->reserved != NULL)
                return false;
        switch (expr->kind) {
        case PIPIT_EXPR_FIELD: return is_leaf && reserved_is_empty(expr->as.column.reserved);
        case PIPIT_EXPR_LIST: return is_leaf && reserved_is_empty(expr->as.list.reserved);
        case PIPIT_EXPR_VALUE: return is_leaf;
        case PIPIT_EXPR_NONE:
        case PIPIT_EXPR_OPERATOR:
        case PIPIT_EXPR_CALL:
        case PIPIT_EXPR_CASE:
        case PIPIT_EXPR_RAW:
        case PIPIT_EXPR_SELECT: break;
        }
        return true;
}

/* Whether a node can be rendered; else the builder fails. */
static bool
render_check(struct render *render, const struct pipit_expr *expr)
{
        if (expr != NULL && expr != &pipit__expr_left_out && expr_is_sane(expr))
                return true;
        if (expr == NULL)
                pipit__sql_fail(render->sql, PIPIT_EINVAL, "an expression is NULL");
        else if (expr == &pipit__expr_left_out)
                render_fail_too_much(render);
        else
                pipit__sql_fail(render->sql, PIPIT_EINVAL,
                                "the reserved members of an expression " RESERVED_PROBLEM);
        return false;
}

static void
render_field(struct render *render, const struct pipit_field *field)
{
        if (field == NULL || field->model == NULL)
                pipit__sql_fail(render->sql, PIPIT_EINVAL,
                                "an expression has no field, or one that no model defines");
        else if (field->model != render->model)
                pipit__sql_fail(render->sql, PIPIT_EINVAL,
                                "field \"%s\" of \"%s\" is no field of \"%s\"", field->name,
                                field->model->name, render->model->name);
        else
                pipit__field_sql(field, render->sql);
}

/* Renders an operand. An operator that brings no parentheses of its own is put into some. */
static void
render_operand(struct render *render, const struct pipit_expr *expr)
{
        bool is_bare = expr_is_kind(expr, PIPIT_EXPR_OPERATOR) && expr->op != PIPIT_OP_AND &&
                       expr->op != PIPIT_OP_OR && expr->op != PIPIT_OP_NOT;

        if (!is_bare) {
                render_node(render, expr);
                return;
        }
        pipit__sql_raw(render->sql, "(");
        render_node(render, expr);
        pipit__sql_raw(render->sql, ")");
}

/* Whether an operator has as many operands as it needs; else the builder fails. */
static bool
render_check_operands(struct render *render, const struct pipit_expr *expr, int needed)
{
        if (expr->n_args != needed)
                pipit__sql_fail(render->sql, PIPIT_EINVAL, "an operator needs %d operands, not %d",
                                needed, expr->n_args);
        return expr->n_args == needed;
}

static void
render_null_test(struct render *render, const struct pipit_expr *operand, bool is_null)
{
        render_operand(render, operand);
        pipit__sql_raw(render->sql, is_null ? " IS NULL" : " IS NOT NULL");
}

static void
render_comparison(struct render *render, const struct pipit_expr *expr, const char *syntax)
{
        if (!render_check_operands(render, expr, 2))
                return;
        const struct pipit_expr *left = expr->args[0];
        const struct pipit_expr *right = expr->args[1];
        bool is_equality = expr->op == PIPIT_OP_EQ || expr->op == PIPIT_OP_NE;

        /* Nothing equals NULL in SQL, and nothing differs from it; here NULL means itself. */
        if (expr_is_kind(left, PIPIT_EXPR_VALUE) && expr_is_kind(right, PIPIT_EXPR_VALUE)) {
                pipit__sql_fail(render->sql, PIPIT_EINVAL,
                                "a comparison has a value on either side, and no field");
        } else if (is_equality && expr_is_null(right)) {
                render_null_test(render, left, expr->op == PIPIT_OP_EQ);
        } else if (is_equality && expr_is_null(left)) {
                render_null_test(render, right, expr->op == PIPIT_OP_EQ);
        } else {
                render_operand(render, left);
                pipit__sql_raw(render->sql, syntax);
                render_operand(render, right);
        }
}

static int
expr_count_nulls(struct pipit_params params)
{
        int n = 0;

        for (int i = 0; i < params.n; i++)
                n += expr_value_is_null(&params.values[i]) ? 1 : 0;
        return n;
}

/* Renders the values of a list that are not NULL, of which there is at least one. */
static void
render_list(struct pipit_params params, struct sql *sql)
{
        const char *before = " IN (";

        for (int i = 0; i < params.n && pipit__sql_error(sql) == 0; i++) {
                if (expr_value_is_null(&params.values[i]))
                        continue;
                pipit__sql_raw(sql, before);
                pipit__sql_param(sql, params.values[i]);
                before = ", ";
        }
        pipit__sql_raw(sql, ")");
}

/* Renders IN with a list. SQL's IN never finds NULL, so a NULL in the list is asked for by IS NULL.
 */
static void
render_in_list(struct render *render, const struct pipit_expr *operand, struct pipit_params list)
{
        int n_nulls = expr_count_nulls(list);
        bool both = n_nulls > 0 && n_nulls < list.n;

        pipit__sql_raw(render->sql, both ? "(" : "");
        if (n_nulls < list.n) {
                render_operand(render, operand);
                render_list(list, render->sql);
        }
        pipit__sql_raw(render->sql, both ? " OR " : "");
        if (n_nulls > 0)
                render_null_test(render, operand, true);
        pipit__sql_raw(render->sql, both ? ")" : "");
}

static void
render_in(struct render *render, const struct pipit_expr *expr)
{
        if (!render_check_operands(render, expr, 2) || !render_check(render, expr->args[1]))
                return;
        const struct pipit_expr *right = expr->args[1];
        struct pipit_params list = right->as.list.values;

        if (right->kind != PIPIT_EXPR_LIST || list.n < 0 || (list.n > 0 && list.values == NULL))
                pipit__sql_fail(render->sql, PIPIT_EINVAL, "a list of values is missing");
        else if (list.n == 0)
                pipit__sql_raw(render->sql, "FALSE");
        else
                render_in_list(render, expr->args[0], list);
}

static void
render_join(struct render *render, const struct pipit_expr *expr, const char *between)
{
        pipit__sql_raw(render->sql, "(");
        for (int i = 0; i < expr->n_args && pipit__sql_error(render->sql) == 0; i++) {
                if (i > 0)
                        pipit__sql_raw(render->sql, between);
                render_node(render, expr->args[i]);
        }
        pipit__sql_raw(render->sql, ")");
}

static void
render_not(struct render *render, const struct pipit_expr *expr)
{
        if (!render_check_operands(render, expr, 1))
                return;
        pipit__sql_raw(render->sql, "(NOT ");
        render_node(render, expr->args[0]);
        pipit__sql_raw(render->sql, ")");
}

static void
render_operation(struct render *render, const struct pipit_expr *expr)
{
        switch (expr->op) {
        case PIPIT_OP_EQ: render_comparison(render, expr, " = "); return;
        case PIPIT_OP_NE: render_comparison(render, expr, " <> "); return;
        case PIPIT_OP_LT: render_comparison(render, expr, " < "); return;
        case PIPIT_OP_LE: render_comparison(render, expr, " <= "); return;
        case PIPIT_OP_GT: render_comparison(render, expr, " > "); return;
        case PIPIT_OP_GE: render_comparison(render, expr, " >= "); return;
        case PIPIT_OP_LIKE: render_comparison(render, expr, " LIKE "); return;
        case PIPIT_OP_IN: render_in(render, expr); return;
        case PIPIT_OP_IS_NULL:
        case PIPIT_OP_IS_NOT_NULL:
                if (render_check_operands(render, expr, 1))
                        render_null_test(render, expr->args[0], expr->op == PIPIT_OP_IS_NULL);
                return;
        case PIPIT_OP_AND: render_join(render, expr, " AND "); return;
        case PIPIT_OP_OR: render_join(render, expr, " OR "); return;
        case PIPIT_OP_NOT: render_not(render, expr); return;
        case PIPIT_OP_NONE: break;
        }
        pipit__sql_fail(render->sql, PIPIT_EINVAL, "an operator of unknown kind %d", (int)expr->op);
}

static void
render_operator(struct render *render, const struct pipit_expr *expr)
{
        if (expr->n_args < 1 || expr->args == NULL) {
                pipit__sql_fail(render->sql, PIPIT_EINVAL,
                                "the operands of an operator are missing");
        } else if (!visit_enter(&render->visit, expr->n_args)) {
                render_fail_too_much(render);
        } else {
                render_operation(render, expr);
                visit_leave(&render->visit);
        }
}

static void
render_node(struct render *render, const struct pipit_expr *expr)
{
        if (!render_check(render, expr))
                return;
        switch (expr->kind) {
        case PIPIT_EXPR_FIELD: render_field(render, expr->as.column.field); return;
        case PIPIT_EXPR_VALUE: pipit__sql_param(render->sql, expr->as.value); return;
        case PIPIT_EXPR_OPERATOR: render_operator(render, expr); return;
        case PIPIT_EXPR_LIST:
                pipit__sql_fail(render->sql, PIPIT_EINVAL, "a list of values stands outside of IN");
                return;
        case PIPIT_EXPR_CALL:
        case PIPIT_EXPR_CASE:
        case PIPIT_EXPR_RAW:
        case PIPIT_EXPR_SELECT:
                pipit__sql_fail(render->sql, PIPIT_EINVAL,
                                "functions, CASE, raw text and selects in an expression are for "
                                "later versions of pipit");
                return;
        case PIPIT_EXPR_NONE: break;
        }
        pipit__sql_fail(render->sql, PIPIT_EINVAL, "an expression of unknown kind %d",
                        (int)expr->kind);
}

void
pipit__expr_sql(const struct pipit_expr *expr, const struct pipit_model *model, struct sql *sql)
{
        struct render render = {.model = model, .sql = sql};

        render_node(&render, expr);
}

static void
render_order(struct render *render, const struct pipit_order *order)
{
        if (order->flags != 0 || !reserved_is_empty(order->reserved))
                pipit__sql_fail(render->sql, PIPIT_EINVAL,
                                "the reserved members of an order " RESERVED_PROBLEM);
        render_operand(render, order->expr);
        pipit__sql_raw(render->sql, order->descending ? " DESC" : " ASC");
}

void
pipit__orders_sql(struct pipit_orders orders, const struct pipit_model *model, struct sql *sql)
{
        struct render render = {.model = model, .sql = sql};

        if (orders.n < 0 || (orders.n > 0 && orders.items == NULL)) {
                pipit__sql_fail(sql, PIPIT_EINVAL, "the keys of an order are missing");
                return;
        }
        for (int i = 0; i < orders.n && pipit__sql_error(sql) == 0; i++) {
                if (i > 0)
                        pipit__sql_raw(sql, ", ");
                render_order(&render, &orders.items[i]);
        }
}

bool
pipit__expr_is_equality(const struct pipit_expr *expr, const struct pipit_field **ret_field,
                        const struct pipit_value **ret_value)
{
        if (!expr_is_kind(expr, PIPIT_EXPR_OPERATOR) || expr->op != PIPIT_OP_EQ ||
            expr->n_args != 2 || expr->args == NULL || !expr_is_sane(expr))
                return false;
        const struct pipit_expr *left = expr->args[0];
        const struct pipit_expr *right = expr->args[1];
        if (!expr_is_kind(left, PIPIT_EXPR_FIELD) || !expr_is_sane(left) ||
            left->as.column.field == NULL || !expr_is_kind(right, PIPIT_EXPR_VALUE) ||
            !expr_is_sane(right))
                return false;
        *ret_field = left->as.column.field;
        *ret_value = &right->as.value;
        return true;
}
