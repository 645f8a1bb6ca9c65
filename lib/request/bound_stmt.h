/*
 * A bound statement is a statement with its values, encoded, in one block of memory.
 *
 * A query writes one into its request's block, by the types that the statement had last; the
 * connection sends it, and has it written anew as text where it knows other types.
 *
 * 1. A bound statement borrows nothing of its caller's, and has one reference to its statement, and
 *    to the types by which it was written.
 * 2. The values have lengths and formats if, and only if, they were written by types.
 * 3. A type by which values were written keeps all of each (value/fits.h). One that does not fit
 *    makes all of them text.
 */
#ifndef PIPIT_BOUND_STMT_INTERNAL_H
#define PIPIT_BOUND_STMT_INTERNAL_H

#include <pipit/value.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cold.h"
#include "pq/pq.h"

/* The protocol can count so many parameters. */
#define STMT_MAX_PARAMS 65535

struct stmt;
struct stmt_types;

struct bound_stmt {
        struct stmt *stmt;        /* a reference */
        struct stmt_types *types; /* a reference; NULL: all values are text */
        uint32_t bytes;           /* of the text and the values, as it was written first: bounds
                                     count it by that. More than fit, which libpq cannot send, are
                                     counted as UINT32_MAX */
        bool is_misfit;           /* a value did not fit the types that the statement had */
        struct pq_params params;
};

/* Why values cannot be bound. */
struct stmt_problem {
        int code;
        int parameter; /* from 1; 0: the problem is with none of them */
        const char *text;
};

/* Checks that there is a statement at all. 0, or a PIPIT_E code with a problem. */
int pipit__bound_stmt_check(const char *sql, struct pipit_params params,
                            struct stmt_problem *ret_problem);

/* How values are to be written, as they were measured. */
struct bound_form {
        size_t size;              /* of the block */
        struct stmt_types *types; /* by which they are written; borrowed. NULL: as text */
        bool is_misfit;           /* a value does not fit the types that are known */
};

/* Tells how pipit__bound_stmt_write() is to write values, and how large a block it needs: 0, or a
 * PIPIT_E code with the problem of a parameter. */
int pipit__bound_stmt_measure(const struct stmt *stmt, struct pipit_params params,
                              struct bound_form *ret_form, struct stmt_problem *ret_problem);

/* Writes a bound statement into a block of the form's size, aligned as malloc() does, and takes the
 * caller's reference to the statement over. Values are in binary form where that is better. */
struct bound_stmt *
pipit__bound_stmt_write(void *block, struct stmt *stmt, struct pipit_params params,
                        const struct bound_form *form);

/* Tells how large a block is for values in wire form, all with their length and their format. */
size_t pipit__bound_stmt_raw_size(const struct pq_params *params);
/* Writes a bound statement of such values into that block, likewise: the form says by which types
 * they were made. */
struct bound_stmt *
pipit__bound_stmt_write_raw(void *block, struct stmt *stmt, const struct pq_params *params,
                            const struct bound_form *form);

/* The type by which a parameter was written, by its place from 0; 0: by none. */
uint32_t pipit__bound_stmt_type(const struct bound_stmt *bound, int i);

/* Whether each value, and all of them are text, fits these types. */
COLD bool pipit__bound_stmt_fits(const struct bound_stmt *bound, const struct stmt_types *types);

/* Makes another block with the same values, all of them as text, and with a reference of its own to
 * the statement. The caller frees the block, after pipit__bound_stmt_fini(). NULL when memory ran
 * out. */
COLD struct bound_stmt *pipit__bound_stmt_rewrite(const struct bound_stmt *bound);

/* Gives the references back; NULL does nothing. */
void pipit__bound_stmt_fini(struct bound_stmt *bound);

#endif
