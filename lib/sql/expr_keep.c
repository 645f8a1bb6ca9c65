/*
 * Copies of expressions that outlive what they were made from.
 *
 * A copy is a tree, also where the original shares nodes. It has no more nodes than an expression
 * may have; the rest is left out, and then the copy is refused when it is used, as the original is.
 */
#include <pipit/error.h>
#include <pipit/expr.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "sql/expr_int.h"
#include "value/value.h"

static int expr_copy(struct pipit_arena *arena, const struct pipit_expr *expr, struct visit *visit,
                     const struct pipit_expr **ret_copy);

static int
args_copy(struct pipit_arena *arena, struct pipit_expr *copy, struct visit *visit)
{
        const struct pipit_expr **args = NULL;

        args = pipit__arena_array(arena, (size_t)copy->n_args, sizeof(const struct pipit_expr *));
        if (args == NULL)
                return PIPIT_ENOMEM;
        for (int i = 0; i < copy->n_args; i++) {
                int code = expr_copy(arena, copy->args[i], visit, &args[i]);

                if (code != 0)
                        return code;
        }
        copy->args = args;
        return 0;
}

static int
value_copy(struct pipit_arena *arena, struct pipit_value *value)
{
        struct pipit_params kept;
        int code = pipit__value_keep(arena, (struct pipit_params){value, 1}, &kept);

        if (code == 0)
                *value = kept.values[0];
        return code;
}

/* Copies the values of a node. */
static int
node_copy(struct pipit_arena *arena, struct pipit_expr *copy)
{
        struct pipit_params *list = &copy->as.list.values;

        if (copy->kind == PIPIT_EXPR_VALUE)
                return value_copy(arena, &copy->as.value);
        return copy->kind == PIPIT_EXPR_LIST ? pipit__value_keep(arena, *list, list) : 0;
}

/* A node that is left out is refused when the copy is used. */
static int
expr_copy(struct pipit_arena *arena, const struct pipit_expr *expr, struct visit *visit,
          const struct pipit_expr **ret_copy)
{
        bool has_args = expr != NULL && expr->n_args > 0 && expr->args != NULL;

        if (expr == NULL || expr == &pipit__expr_left_out ||
            (has_args && !visit_enter(visit, expr->n_args))) {
                *ret_copy = expr != NULL ? &pipit__expr_left_out : NULL;
                return 0;
        }
        struct pipit_expr *copy = pipit__arena_alloc(arena, sizeof *copy);
        if (copy == NULL)
                return PIPIT_ENOMEM;
        *copy = *expr;
        int code = node_copy(arena, copy);
        if (code == 0 && has_args) {
                code = args_copy(arena, copy, visit);
                visit_leave(visit);
        }
        *ret_copy = copy;
        return code;
}

const struct pipit_expr *
pipit_expr_keep(struct pipit_arena *arena, const struct pipit_expr *expr)
{
        const struct pipit_expr *copy = NULL;
        struct visit visit = {0};

        return arena != NULL && expr_copy(arena, expr, &visit, &copy) == 0 ? copy : NULL;
}
