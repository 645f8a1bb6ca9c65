/*
 * Statements: a statement and its parameters, encoded, in one block of memory.
 */
#ifndef PIPIT_STATEMENT_INTERNAL_H
#define PIPIT_STATEMENT_INTERNAL_H

#include <pipit/value.h>
#include <stddef.h>

#include "pq/pq.h"

/* Most parameters that the protocol can count. */
#define STATEMENT_MAX_PARAMS 65535

struct stmt;

struct statement {
        struct stmt *stmt; /* a reference */
        size_t bytes;      /* of the text and the values */
        struct pq_params params;
};

/* Why a statement cannot be made. */
struct statement_problem {
        int code;
        int parameter; /* from 1; 0: it is about none of them */
        const char *text;
};

/* Whether there is a statement at all. 0, or a PIPIT_E code with a problem. */
int pipit__statement_check(const char *sql, struct pipit_params params,
                           struct statement_problem *ret_problem);

/*
 * What pipit__statement_write() needs: 0 and the bytes of the block, or a PIPIT_E code with a
 * problem with the parameter.
 */
int pipit__statement_measure(const struct stmt *stmt, struct pipit_params params, size_t *ret_size,
                             struct statement_problem *ret_problem);

/*
 * Writes the statement into a block of that size, aligned as malloc() does; nothing is borrowed but
 * the caller's reference to the statement, which it takes over. Values are in binary form where
 * that is better and the statement's types are known.
 */
struct statement *
pipit__statement_write(void *block, struct stmt *stmt, struct pipit_params params);

/* The bytes for a statement whose values are in wire form already, all of them with their length
 * and their format; and that statement, as above. */
size_t pipit__statement_raw_size(const struct pq_params *params);
struct statement *
pipit__statement_write_raw(void *block, struct stmt *stmt, const struct pq_params *params);

/* Makes another block of it, for the statement that is to be used instead; all values are text
 * there. Takes the reference over. NULL when memory ran out. */
struct statement *pipit__statement_rewrite(const struct statement *statement, struct stmt *stmt);

/* Gives its statement back; NULL does nothing. */
void pipit__statement_fini(struct statement *statement);

#endif
