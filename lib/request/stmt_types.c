/*
 * Types of prepared statements. See stmt_types.h.
 */
#include "request/stmt_types.h"

#include <stdlib.h>
#include <string.h>

#include "pq/pq.h"

struct stmt_types *
pipit__stmt_types_new(int n_params, int n_columns)
{
        size_t n = (size_t)n_params + (size_t)n_columns;
        struct stmt_types *types = malloc(sizeof *types + n * sizeof types->params[0]);

        if (types == NULL)
                return NULL;
        *types = (struct stmt_types){.refs = 1, .n_params = n_params, .n_columns = n_columns};
        types->columns = types->params + n_params;
        return types;
}

struct stmt_types *
pipit__stmt_types_ref(struct stmt_types *types)
{
        if (types != NULL)
                types->refs++;
        return types;
}

void
pipit__stmt_types_unref(struct stmt_types *types)
{
        if (types != NULL && --types->refs == 0)
                free(types);
}

bool
pipit__stmt_types_equal(const struct stmt_types *a, const struct stmt_types *b)
{
        size_t n = (size_t)a->n_params + (size_t)a->n_columns;

        return a->n_params == b->n_params && a->n_columns == b->n_columns &&
               memcmp(a->params, b->params, n * sizeof a->params[0]) == 0;
}

bool
pipit__stmt_types_are_of(const struct stmt_types *types, const struct pg_result *answer)
{
        return pipit__pq_has_column_types(answer, types->n_columns, types->columns);
}
