/*
 * Statements: a statement and its parameters, encoded, in one block of memory.
 */
#ifndef PIPIT_BOUND_STMT_INTERNAL_H
#define PIPIT_BOUND_STMT_INTERNAL_H

#include <pipit/value.h>
#include <stddef.h>

#include "pq/pq.h"

/* Most parameters that the protocol can count. */
#define STMT_MAX_PARAMS 65535

struct stmt;

struct bound_stmt {
        struct stmt *stmt; /* a reference */
        size_t bytes;      /* of the text and the values */
        struct pq_params params;
};

/* Why a statement cannot be made. */
struct stmt_problem {
        int code;
        int parameter; /* from 1; 0: it is about none of them */
        const char *text;
};

/* Whether there is a statement at all. 0, or a PIPIT_E code with a problem. */
int pipit__bound_stmt_check(const char *sql, struct pipit_params params,
                            struct stmt_problem *ret_problem);

/*
 * What pipit__bound_stmt_write() needs: 0 and the bytes of the block, or a PIPIT_E code with a
 * problem with the parameter.
 */
int pipit__bound_stmt_measure(const struct stmt *stmt, struct pipit_params params, size_t *ret_size,
                              struct stmt_problem *ret_problem);

/*
 * Writes the statement into a block of that size, aligned as malloc() does; nothing is borrowed but
 * the caller's reference to the statement, which it takes over. Values are in binary form where
 * that is better and the statement's types are known.
 */
struct bound_stmt *
pipit__bound_stmt_write(void *block, struct stmt *stmt, struct pipit_params params);

/* The bytes for a statement whose values are in wire form already, all of them with their length
 * and their format; and that statement, as above. */
size_t pipit__bound_stmt_raw_size(const struct pq_params *params);
struct bound_stmt *
pipit__bound_stmt_write_raw(void *block, struct stmt *stmt, const struct pq_params *params);

/* Makes another block of it, for the statement that is to be used instead; all values are text
 * there. Takes the reference over. NULL when memory ran out. */
struct bound_stmt *pipit__bound_stmt_rewrite(const struct bound_stmt *bound, struct stmt *stmt);

/* Gives its statement back; NULL does nothing. */
void pipit__bound_stmt_fini(struct bound_stmt *bound);

#endif
