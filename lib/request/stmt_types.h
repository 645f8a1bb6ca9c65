/*
 * The types of a prepared statement: those of its parameters and of its result's columns, as the
 * server described them once. They are never changed.
 *
 * Types belong to what one connection has prepared, since another connection can have prepared the
 * same text before a table was changed, or with another search_path. Connections that were told the
 * same share one object, so that two addresses say whether types are the same.
 */
#ifndef PIPIT_STMT_TYPES_INTERNAL_H
#define PIPIT_STMT_TYPES_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

struct pg_result;

struct stmt_types {
        int refs;
        int n_params;
        int n_columns;
        bool is_binary;    /* all columns can be read in binary form, and some better so */
        uint32_t *columns; /* after params */
        uint32_t params[];
};

/* Makes types with room for so many, to be filled in by the caller, who has the one reference. NULL
 * when memory ran out. */
struct stmt_types *pipit__stmt_types_new(int n_params, int n_columns);

/* Returns the types, with one more reference; NULL stays NULL. */
struct stmt_types *pipit__stmt_types_ref(struct stmt_types *types);
/* Gives a reference back; NULL does nothing. */
void pipit__stmt_types_unref(struct stmt_types *types);

/* Whether two objects say the same. */
bool pipit__stmt_types_equal(const struct stmt_types *a, const struct stmt_types *b);

/* Whether an answer with rows has these types in its columns. */
bool pipit__stmt_types_are_of(const struct stmt_types *types, const struct pg_result *answer);

#endif
