/*
 * Conditions and orders as SQL.
 *
 * A tree comes from the user's stack or arena and may be anything, so every node is looked at
 * before it is used, and the depth of the recursion is bounded.
 */
#include "sql/expr.h"

#include <pipit/error.h>
#include <stddef.h>

#include "base/arena.h"
#include "sql/model.h"
#include "value/value.h"

static void expr_render(const struct pipit_expr *expr, const struct pipit_model *model,
                        struct sql *sql, int depth);

static void
field_render(const struct pipit_field *field, const struct pipit_model *model, struct sql *sql)
{
        if (!field || !field->model)
                pipit__sql_fail(sql, PIPIT_EINVAL, "a condition or an order has no field");
        else if (field->model != model)
                pipit__sql_fail(sql, PIPIT_EINVAL, "field \"%s\" of \"%s\" is no field of \"%s\"",
                                field->name, field->model->name, model->name);
        else
                pipit__field_sql(field, sql);
}

/* The operator between a field and its value; NULL for what is no comparison. */
static const char *
op_syntax(enum pipit_op op)
{
        switch (op) {
        case PIPIT_OP_EQ: return " = ";
        case PIPIT_OP_NE: return " <> ";
        case PIPIT_OP_LT: return " < ";
        case PIPIT_OP_LE: return " <= ";
        case PIPIT_OP_GT: return " > ";
        case PIPIT_OP_GE: return " >= ";
        case PIPIT_OP_LIKE: return " LIKE ";
        case PIPIT_OP_NONE:
        case PIPIT_OP_IN:
        case PIPIT_OP_IS_NULL:
        case PIPIT_OP_IS_NOT_NULL:
        case PIPIT_OP_AND:
        case PIPIT_OP_OR:
        case PIPIT_OP_NOT: break;
        }
        return NULL;
}

static void
compare_render(const struct pipit_expr *expr, const struct pipit_model *model, struct sql *sql)
{
        field_render(expr->field, model, sql);
        if (expr->values.n != 1 || !expr->values.values) {
                pipit__sql_fail(sql, PIPIT_EINVAL, "a comparison needs one value");
                return;
        }

        /* Nothing equals NULL in SQL, and nothing differs from it; here NULL means itself. */
        bool null = expr->values.values[0].kind == PIPIT_KIND_NULL;
        if (null && expr->op == PIPIT_OP_EQ) {
                pipit__sql_raw(sql, " IS NULL");
        } else if (null && expr->op == PIPIT_OP_NE) {
                pipit__sql_raw(sql, " IS NOT NULL");
        } else {
                pipit__sql_raw(sql, op_syntax(expr->op));
                pipit__sql_param(sql, expr->values.values[0]);
        }
}

static int
params_count_nulls(struct pipit_params params)
{
        int n = 0;

        for (int i = 0; i < params.n; i++)
                n += params.values[i].kind == PIPIT_KIND_NULL ? 1 : 0;
        return n;
}

/* The values of a list that are not NULL: there is at least one. */
static void
list_render(struct pipit_params params, struct sql *sql)
{
        const char *before = " IN (";

        for (int i = 0; i < params.n && pipit__sql_error(sql) == 0; i++) {
                if (params.values[i].kind == PIPIT_KIND_NULL)
                        continue;
                pipit__sql_raw(sql, before);
                pipit__sql_param(sql, params.values[i]);
                before = ", ";
        }
        pipit__sql_raw(sql, ")");
}

static void
in_render(const struct pipit_expr *expr, const struct pipit_model *model, struct sql *sql)
{
        struct pipit_params list = expr->values;

        if (list.n < 0 || (list.n > 0 && !list.values)) {
                pipit__sql_fail(sql, PIPIT_EINVAL, "a list of values is missing");
                return;
        }
        int n_nulls = params_count_nulls(list);
        bool both = n_nulls > 0 && n_nulls < list.n;
        pipit__sql_raw(sql, both ? "(" : "");
        field_render(expr->field, model, sql);
        if (n_nulls < list.n)
                list_render(list, sql);
        if (both) {
                pipit__sql_raw(sql, " OR ");
                field_render(expr->field, model, sql);
        }
        if (n_nulls > 0)
                pipit__sql_raw(sql, " IS NULL");
        pipit__sql_raw(sql, both ? ")" : "");
}

/* Stops at the first error: a tree that shares nodes could be endless otherwise. */
static void
join_render(const struct pipit_expr *expr, const struct pipit_model *model, struct sql *sql,
            int depth)
{
        bool not_and = expr->op == PIPIT_OP_NOT;

        if (expr->n_args < 1 || !expr->args || (not_and && expr->n_args != 1)) {
                pipit__sql_fail(sql, PIPIT_EINVAL, "and, or, not: a condition is missing");
                return;
        }
        pipit__sql_raw(sql, not_and ? "(NOT " : "(");
        for (int i = 0; i < expr->n_args && pipit__sql_error(sql) == 0; i++) {
                if (i > 0)
                        pipit__sql_raw(sql, expr->op == PIPIT_OP_AND ? " AND " : " OR ");
                expr_render(expr->args[i], model, sql, depth + 1);
        }
        pipit__sql_raw(sql, ")");
}

/* Whether there is a node to render, and not too deep. */
static bool
expr_check(const struct pipit_expr *expr, struct sql *sql, int depth)
{
        if (depth > PIPIT__EXPR_DEPTH_MAX)
                pipit__sql_fail(sql, PIPIT_EINVAL, "a condition is nested more than %d deep",
                                PIPIT__EXPR_DEPTH_MAX);
        else if (!expr)
                pipit__sql_fail(sql, PIPIT_EINVAL, "a condition is NULL");
        return pipit__sql_error(sql) == 0;
}

static void
expr_render(const struct pipit_expr *expr, const struct pipit_model *model, struct sql *sql,
            int depth)
{
        if (!expr_check(expr, sql, depth))
                return;
        switch (expr->op) {
        case PIPIT_OP_EQ:
        case PIPIT_OP_NE:
        case PIPIT_OP_LT:
        case PIPIT_OP_LE:
        case PIPIT_OP_GT:
        case PIPIT_OP_GE:
        case PIPIT_OP_LIKE: compare_render(expr, model, sql); return;
        case PIPIT_OP_IN:
                if (expr->values.n == 0)
                        pipit__sql_raw(sql, "FALSE");
                else
                        in_render(expr, model, sql);
                return;
        case PIPIT_OP_IS_NULL:
        case PIPIT_OP_IS_NOT_NULL:
                field_render(expr->field, model, sql);
                pipit__sql_raw(sql, expr->op == PIPIT_OP_IS_NULL ? " IS NULL" : " IS NOT NULL");
                return;
        case PIPIT_OP_AND:
        case PIPIT_OP_OR:
        case PIPIT_OP_NOT: join_render(expr, model, sql, depth); return;
        case PIPIT_OP_NONE: break;
        }
        pipit__sql_fail(sql, PIPIT_EINVAL, "a condition of unknown kind %d", (int)expr->op);
}

void
pipit__expr_sql(const struct pipit_expr *expr, const struct pipit_model *model, struct sql *sql)
{
        expr_render(expr, model, sql, 1);
}

void
pipit__orders_sql(struct pipit_orders orders, const struct pipit_model *model, struct sql *sql)
{
        if (orders.n < 0 || (orders.n > 0 && !orders.items)) {
                pipit__sql_fail(sql, PIPIT_EINVAL, "the keys of an order are missing");
                return;
        }
        for (int i = 0; i < orders.n && pipit__sql_error(sql) == 0; i++) {
                if (i > 0)
                        pipit__sql_raw(sql, ", ");
                field_render(orders.items[i].field, model, sql);
                pipit__sql_raw(sql, orders.items[i].descending ? " DESC" : " ASC");
        }
}

static int expr_copy(struct pipit_arena *arena, const struct pipit_expr *expr, int depth,
                     const struct pipit_expr **ret_copy);

static int
args_copy(struct pipit_arena *arena, struct pipit_expr *copy, int depth)
{
        const struct pipit_expr **args = NULL;

        if (copy->n_args <= 0 || !copy->args)
                return 0;
        args = pipit__arena_array(arena, (size_t)copy->n_args, sizeof(const struct pipit_expr *));
        if (!args)
                return PIPIT_ENOMEM;
        for (int i = 0; i < copy->n_args; i++) {
                int r = expr_copy(arena, copy->args[i], depth + 1, &args[i]);

                if (r != 0)
                        return r;
        }
        copy->args = args;
        return 0;
}

/* What is nested too deep becomes NULL, which is refused when the copy is used. */
static int
expr_copy(struct pipit_arena *arena, const struct pipit_expr *expr, int depth,
          const struct pipit_expr **ret_copy)
{
        struct pipit_expr *copy = NULL;

        if (!expr || depth > PIPIT__EXPR_DEPTH_MAX) {
                *ret_copy = NULL;
                return 0;
        }
        copy = pipit__arena_alloc(arena, sizeof(*copy));
        if (!copy)
                return PIPIT_ENOMEM;
        *copy = *expr;
        int r = pipit__value_keep(arena, expr->values, &copy->values);
        if (r != 0)
                return r;
        *ret_copy = copy;
        return args_copy(arena, copy, depth);
}

const struct pipit_expr *
pipit_expr_keep(struct pipit_arena *arena, const struct pipit_expr *expr)
{
        const struct pipit_expr *copy = NULL;

        return arena && expr_copy(arena, expr, 1, &copy) == 0 ? copy : NULL;
}
