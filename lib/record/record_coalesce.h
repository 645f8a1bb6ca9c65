/*
 * A rule of coalescing says which gets of a model, and which creates, may run as one.
 *
 * Rules belong to the database of a scope and live as long as it. What always holds:
 * 1. A rule is a favour: without one a record is got or created by itself. So nothing here fails,
 *    and a statement that cannot be built fails where it runs.
 * 2. A rule stands for all statements of its sort, whatever their values: a get's is known by the
 *    field, a create's by the model and the fields that it gives.
 *
 * record.c asks for the rule of each get and each create; pool/coalesce.c runs by it.
 */
#ifndef PIPIT_RECORD_COALESCE_INTERNAL_H
#define PIPIT_RECORD_COALESCE_INTERNAL_H

#include <pipit/expr.h>
#include <pipit/model.h>

struct coalesce_rule;
struct pipit;

/*
 * Finds the rule of a get, or adds it: gets coalesce when their condition is that a unique field
 * equals a value. *ret_key is then that value, borrowed from the condition, and the only parameter.
 * NULL if the get runs by itself, be it that memory ran out. Scope and model may be NULL.
 */
struct coalesce_rule *
pipit__record_coalesce_get(struct pipit *scope, const struct pipit_model *model,
                           const struct pipit_expr *where, const struct pipit_value **ret_key);

/*
 * Finds the rule of a create, or adds it: creates coalesce when their scope groups writes, and when
 * they give the same fields. The parameters are what pipit__dml_values() makes of the row. NULL if
 * the create runs by itself, be it that memory ran out. Scope, model and row may be NULL.
 */
struct coalesce_rule *
pipit__record_coalesce_create(struct pipit *scope, const struct pipit_model *model,
                              const void *row);

#endif
