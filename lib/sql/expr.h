/*
 * Conditions and orders as SQL.
 */
#ifndef PIPIT_EXPR_INTERNAL_H
#define PIPIT_EXPR_INTERNAL_H

#include <pipit/expr.h>

#include "sql/sql.h"

struct pipit_model;

/* How deep a condition may be nested: it is walked by recursion. */
enum { PIPIT__EXPR_DEPTH_MAX = 1000 };

/*
 * Appends a condition, in parentheses where it needs them. Its fields must be those of the model;
 * what is ill-formed makes the builder fail with PIPIT_EINVAL.
 */
void
pipit__expr_sql(const struct pipit_expr *expr, const struct pipit_model *model, struct sql *sql);

/* Appends the keys of an order, with commas. */
void
pipit__orders_sql(struct pipit_orders orders, const struct pipit_model *model, struct sql *sql);

#endif
