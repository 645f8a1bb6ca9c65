/*
 * Expressions and orders as SQL.
 *
 * An expression comes from the user's stack or arena and may be anything, so every node is looked
 * at before it is used. Nothing shows that the nodes make a tree: one may stand in it many times,
 * or even in itself. So the depth of the recursion is bounded, and so is the number of operands,
 * each of which counts as often as it is visited.
 */
#include "sql/expr.h"

#include <pipit/error.h>
#include <stddef.h>

#include "base/reserved.h"
#include "sql/expr_int.h"
#include "sql/model.h"

/* One expression on its way into a builder. */
struct render {
        const struct pipit_model *model;
        struct sql *sql;
        struct visit visit;
};

const struct pipit_expr pipit__expr_left_out = {.kind = PIPIT_EXPR_NONE};

static void node_render(struct render *render, const struct pipit_expr *expr);

static void
fail_too_much(struct render *render)
{
        pipit__sql_fail(render->sql, PIPIT_EINVAL,
                        "an expression is nested more than %d deep, or has more than %d operands",
                        PIPIT__EXPR_DEPTH_MAX, PIPIT__EXPR_OPERANDS_MAX);
}

static bool
is_kind(const struct pipit_expr *expr, enum pipit_expr_kind kind)
{
        return expr != NULL && expr->kind == kind;
}

/* A NULL with something in its reserved member is none: it becomes a parameter, and is refused as
 * one. */
static bool
value_is_null(const struct pipit_value *value)
{
        return value->kind == PIPIT_KIND_NULL && value->reserved == 0;
}

static bool
is_null_value(const struct pipit_expr *expr)
{
        return is_kind(expr, PIPIT_EXPR_VALUE) && value_is_null(&expr->as.value);
}

/* Whether there is nothing in a node that has no meaning there. */
static bool
node_is_sane(const struct pipit_expr *expr)
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

/* Whether there is a node to render. */
static bool
node_check(struct render *render, const struct pipit_expr *expr)
{
        if (expr != NULL && expr != &pipit__expr_left_out && node_is_sane(expr))
                return true;
        if (expr == NULL)
                pipit__sql_fail(render->sql, PIPIT_EINVAL, "an expression is NULL");
        else if (expr == &pipit__expr_left_out)
                fail_too_much(render);
        else
                pipit__sql_fail(render->sql, PIPIT_EINVAL,
                                "the reserved members of an expression " RESERVED_PROBLEM);
        return false;
}

static void
field_render(struct render *render, const struct pipit_field *field)
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

/* Puts an operand into parentheses, if it is an operator that has none of its own. */
static void
operand_render(struct render *render, const struct pipit_expr *expr)
{
        bool is_bare = is_kind(expr, PIPIT_EXPR_OPERATOR) && expr->op != PIPIT_OP_AND &&
                       expr->op != PIPIT_OP_OR && expr->op != PIPIT_OP_NOT;

        if (!is_bare) {
                node_render(render, expr);
                return;
        }
        pipit__sql_raw(render->sql, "(");
        node_render(render, expr);
        pipit__sql_raw(render->sql, ")");
}

/* Whether an operator has as many operands as it needs. */
static bool
operands_check(struct render *render, const struct pipit_expr *expr, int needed)
{
        if (expr->n_args != needed)
                pipit__sql_fail(render->sql, PIPIT_EINVAL, "an operator needs %d operands, not %d",
                                needed, expr->n_args);
        return expr->n_args == needed;
}

static void
null_test_render(struct render *render, const struct pipit_expr *operand, bool is_null)
{
        operand_render(render, operand);
        pipit__sql_raw(render->sql, is_null ? " IS NULL" : " IS NOT NULL");
}

static void
comparison_render(struct render *render, const struct pipit_expr *expr, const char *syntax)
{
        if (!operands_check(render, expr, 2))
                return;
        const struct pipit_expr *left = expr->args[0];
        const struct pipit_expr *right = expr->args[1];
        bool is_equality = expr->op == PIPIT_OP_EQ || expr->op == PIPIT_OP_NE;

        /* Nothing equals NULL in SQL, and nothing differs from it; here NULL means itself. */
        if (is_kind(left, PIPIT_EXPR_VALUE) && is_kind(right, PIPIT_EXPR_VALUE)) {
                pipit__sql_fail(render->sql, PIPIT_EINVAL,
                                "a comparison has a value on either side, and no field");
        } else if (is_equality && is_null_value(right)) {
                null_test_render(render, left, expr->op == PIPIT_OP_EQ);
        } else if (is_equality && is_null_value(left)) {
                null_test_render(render, right, expr->op == PIPIT_OP_EQ);
        } else {
                operand_render(render, left);
                pipit__sql_raw(render->sql, syntax);
                operand_render(render, right);
        }
}

static int
params_count_nulls(struct pipit_params params)
{
        int n = 0;

        for (int i = 0; i < params.n; i++)
                n += value_is_null(&params.values[i]) ? 1 : 0;
        return n;
}

/* The values of a list that are not NULL: there is at least one. */
static void
list_render(struct pipit_params params, struct sql *sql)
{
        const char *before = " IN (";

        for (int i = 0; i < params.n && pipit__sql_error(sql) == 0; i++) {
                if (value_is_null(&params.values[i]))
                        continue;
                pipit__sql_raw(sql, before);
                pipit__sql_param(sql, params.values[i]);
                before = ", ";
        }
        pipit__sql_raw(sql, ")");
}

/* SQL's IN never finds NULL, so a NULL in the list is asked for by IS NULL. */
static void
in_list_render(struct render *render, const struct pipit_expr *operand, struct pipit_params list)
{
        int n_nulls = params_count_nulls(list);
        bool both = n_nulls > 0 && n_nulls < list.n;

        pipit__sql_raw(render->sql, both ? "(" : "");
        if (n_nulls < list.n) {
                operand_render(render, operand);
                list_render(list, render->sql);
        }
        pipit__sql_raw(render->sql, both ? " OR " : "");
        if (n_nulls > 0)
                null_test_render(render, operand, true);
        pipit__sql_raw(render->sql, both ? ")" : "");
}

static void
in_render(struct render *render, const struct pipit_expr *expr)
{
        if (!operands_check(render, expr, 2) || !node_check(render, expr->args[1]))
                return;
        const struct pipit_expr *right = expr->args[1];
        struct pipit_params list = right->as.list.values;

        if (right->kind != PIPIT_EXPR_LIST || list.n < 0 || (list.n > 0 && list.values == NULL))
                pipit__sql_fail(render->sql, PIPIT_EINVAL, "a list of values is missing");
        else if (list.n == 0)
                pipit__sql_raw(render->sql, "FALSE");
        else
                in_list_render(render, expr->args[0], list);
}

static void
join_render(struct render *render, const struct pipit_expr *expr, const char *between)
{
        pipit__sql_raw(render->sql, "(");
        for (int i = 0; i < expr->n_args && pipit__sql_error(render->sql) == 0; i++) {
                if (i > 0)
                        pipit__sql_raw(render->sql, between);
                node_render(render, expr->args[i]);
        }
        pipit__sql_raw(render->sql, ")");
}

static void
not_render(struct render *render, const struct pipit_expr *expr)
{
        if (!operands_check(render, expr, 1))
                return;
        pipit__sql_raw(render->sql, "(NOT ");
        node_render(render, expr->args[0]);
        pipit__sql_raw(render->sql, ")");
}

static void
operation_render(struct render *render, const struct pipit_expr *expr)
{
        switch (expr->op) {
        case PIPIT_OP_EQ: comparison_render(render, expr, " = "); return;
        case PIPIT_OP_NE: comparison_render(render, expr, " <> "); return;
        case PIPIT_OP_LT: comparison_render(render, expr, " < "); return;
        case PIPIT_OP_LE: comparison_render(render, expr, " <= "); return;
        case PIPIT_OP_GT: comparison_render(render, expr, " > "); return;
        case PIPIT_OP_GE: comparison_render(render, expr, " >= "); return;
        case PIPIT_OP_LIKE: comparison_render(render, expr, " LIKE "); return;
        case PIPIT_OP_IN: in_render(render, expr); return;
        case PIPIT_OP_IS_NULL:
        case PIPIT_OP_IS_NOT_NULL:
                if (operands_check(render, expr, 1))
                        null_test_render(render, expr->args[0], expr->op == PIPIT_OP_IS_NULL);
                return;
        case PIPIT_OP_AND: join_render(render, expr, " AND "); return;
        case PIPIT_OP_OR: join_render(render, expr, " OR "); return;
        case PIPIT_OP_NOT: not_render(render, expr); return;
        case PIPIT_OP_NONE: break;
        }
        pipit__sql_fail(render->sql, PIPIT_EINVAL, "an operator of unknown kind %d", (int)expr->op);
}

static void
operator_render(struct render *render, const struct pipit_expr *expr)
{
        if (expr->n_args < 1 || expr->args == NULL) {
                pipit__sql_fail(render->sql, PIPIT_EINVAL,
                                "the operands of an operator are missing");
        } else if (!visit_enter(&render->visit, expr->n_args)) {
                fail_too_much(render);
        } else {
                operation_render(render, expr);
                visit_leave(&render->visit);
        }
}

static void
node_render(struct render *render, const struct pipit_expr *expr)
{
        if (!node_check(render, expr))
                return;
        switch (expr->kind) {
        case PIPIT_EXPR_FIELD: field_render(render, expr->as.column.field); return;
        case PIPIT_EXPR_VALUE: pipit__sql_param(render->sql, expr->as.value); return;
        case PIPIT_EXPR_OPERATOR: operator_render(render, expr); return;
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

        node_render(&render, expr);
}

static void
order_render(struct render *render, const struct pipit_order *order)
{
        if (order->flags != 0 || !reserved_is_empty(order->reserved))
                pipit__sql_fail(render->sql, PIPIT_EINVAL,
                                "the reserved members of an order " RESERVED_PROBLEM);
        operand_render(render, order->expr);
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
                order_render(&render, &orders.items[i]);
        }
}

bool
pipit__expr_is_equality(const struct pipit_expr *expr, const struct pipit_field **ret_field,
                        const struct pipit_value **ret_value)
{
        if (!is_kind(expr, PIPIT_EXPR_OPERATOR) || expr->op != PIPIT_OP_EQ || expr->n_args != 2 ||
            expr->args == NULL || !node_is_sane(expr))
                return false;
        const struct pipit_expr *left = expr->args[0];
        const struct pipit_expr *right = expr->args[1];
        if (!is_kind(left, PIPIT_EXPR_FIELD) || !node_is_sane(left) ||
            left->as.column.field == NULL || !is_kind(right, PIPIT_EXPR_VALUE) ||
            !node_is_sane(right))
                return false;
        *ret_field = left->as.column.field;
        *ret_value = &right->as.value;
        return true;
}
