/*
 * A visit is a walk through an expression, and knows how far it may go.
 *
 * expr.c renders an expression so, and expr_keep.c copies one.
 */
#ifndef PIPIT_EXPR_INT_H
#define PIPIT_EXPR_INT_H

#include <pipit/expr.h>
#include <stdbool.h>

/*
 * An expression is walked by recursion, and a level of it takes about 200 bytes of the stack, so
 * its depth is bounded. So is the number of its operands; those of a node that stands in it several
 * times count each time. That many are enough for a statement whose every parameter is compared
 * with something.
 */
enum { PIPIT__EXPR_DEPTH_MAX = 1000, PIPIT__EXPR_OPERANDS_MAX = 200000 };

struct visit {
        int depth;      /* nodes with operands that the walk is in, at most PIPIT__EXPR_DEPTH_MAX */
        int n_operands; /* that the walk has come to, at most PIPIT__EXPR_OPERANDS_MAX */
};

/* This node stands in a copy for what was left out, because there was too much of it. */
extern const struct pipit_expr pipit__expr_left_out;

/* Goes on to a node's operands, of which there is at least one; false if they are too deep, or too
 * many. */
static inline bool
visit_enter(struct visit *visit, int n_operands)
{
        if (visit->depth == PIPIT__EXPR_DEPTH_MAX ||
            n_operands > PIPIT__EXPR_OPERANDS_MAX - visit->n_operands)
                return false;
        visit->depth++;
        visit->n_operands += n_operands;
        return true;
}

/* Comes back from a node's operands. */
static inline void
visit_leave(struct visit *visit)
{
        visit->depth--;
}

#endif
