/*
 * An expression is copied here into an arena, which owns the copy, so that it outlives what it was
 * made from.
 *
 * A copy is a tree, also where the original shares nodes. As much is copied as may be rendered, and
 * the rest is left out; so the copy is refused when it is used, as the original is.
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
expr_copy_args(struct pipit_arena *arena, struct pipit_expr *copy, struct visit *visit)
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
expr_copy_value(struct pipit_arena *arena, struct pipit_value *value)
{
        struct pipit_params kept;
        int code = pipit__value_keep(arena, (struct pipit_params){value, 1}, &kept);

        if (code == 0)
                *value = kept.values[0];
        return code;
}

/* Copies what a node has besides its operands. 0 or PIPIT_ENOMEM. */
static int
expr_copy_node(struct pipit_arena *arena, struct pipit_expr *copy)
{
        struct pipit_params *list = &copy->as.list.values;

        if (copy->kind == PIPIT_EXPR_VALUE)
                return expr_copy_value(arena, &copy->as.value);
        return copy->kind == PIPIT_EXPR_LIST ? pipit__value_keep(arena, *list, list) : 0;
}

/* Copies a node and all below it; a node that is too much is left out. 0 or PIPIT_ENOMEM. */
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
        int code = expr_copy_node(arena, copy);
        if (code == 0 && has_args) {
                code = expr_copy_args(arena, copy, visit);
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
