/*
 * A walk through an expression goes only so far, whether it writes or copies the expression.
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

/* The place of a walk through an expression. */
struct visit {
        int depth;      /* 0 at the root, at most PIPIT__EXPR_DEPTH_MAX */
        int n_operands; /* operands so far, at most PIPIT__EXPR_OPERANDS_MAX */
};

/* This node stands in a copy for the nodes that were left out, because there were too many. */
extern const struct pipit_expr pipit__expr_left_out;

/* Goes on to a node's operands, of which there is at least one; false when they are too deep, or
 * too many. */
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

static inline void
visit_leave(struct visit *visit)
{
        visit->depth--;
}

#endif
