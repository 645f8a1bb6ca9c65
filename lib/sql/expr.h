/*
 * The expr module renders expressions and orders as SQL.
 *
 * The module owns nothing: the text grows in the caller's builder, and values stay borrowed from
 * the expression. An expression that is ill-formed makes the builder fail with PIPIT_EINVAL.
 * select.c renders conditions and orders, record/ looks for conditions that coalesce.
 */
#ifndef PIPIT_EXPR_INTERNAL_H
#define PIPIT_EXPR_INTERNAL_H

#include <pipit/expr.h>
#include <stdbool.h>

#include "sql/sql.h"

struct pipit_model;

/* Appends an expression, in parentheses where it needs them. Its fields must be those of the model.
 */
void
pipit__expr_sql(const struct pipit_expr *expr, const struct pipit_model *model, struct sql *sql);

/* Appends the keys of an order, with commas. */
void
pipit__orders_sql(struct pipit_orders orders, const struct pipit_model *model, struct sql *sql);

/* Whether an expression says that a field, on its left, equals a value. Both are borrowed from the
 * expression. */
bool pipit__expr_is_equality(const struct pipit_expr *expr, const struct pipit_field **ret_field,
                             const struct pipit_value **ret_value);

#endif
