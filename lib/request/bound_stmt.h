/*
 * A bound statement is a statement with its values, encoded, in one block of memory.
 *
 * A query writes one into its request's block; the connection sends it, and it is written anew for
 * another statement where what was known of its own is out of date.
 *
 * 1. A bound statement borrows nothing of its caller's, and has one reference to its statement.
 * 2. The values have lengths and formats if, and only if, the types of the statement's parameters
 *    were known when it was written, or its values came in wire form.
 */
#ifndef PIPIT_BOUND_STMT_INTERNAL_H
#define PIPIT_BOUND_STMT_INTERNAL_H

#include <pipit/value.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pq/pq.h"

/* The protocol can count so many parameters. */
#define STMT_MAX_PARAMS 65535

struct stmt;

struct bound_stmt {
        struct stmt *stmt; /* a reference */
        size_t bytes;      /* of the text and the values */
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

/* Tells how large a block pipit__bound_stmt_write() needs: 0 and the bytes, or a PIPIT_E code with
 * the problem of a parameter. */
int pipit__bound_stmt_measure(const struct stmt *stmt, struct pipit_params params, size_t *ret_size,
                              struct stmt_problem *ret_problem);

/* Writes a bound statement into a block of that size, aligned as malloc() does, and takes the
 * caller's reference to the statement over. Values are in binary form where that is better and the
 * statement's types are known. */
struct bound_stmt *
pipit__bound_stmt_write(void *block, struct stmt *stmt, struct pipit_params params);

/* Tells how large a block is for values in wire form, all with their length and their format. */
size_t pipit__bound_stmt_raw_size(const struct pq_params *params);
/* Writes a bound statement of such values into that block, likewise. */
struct bound_stmt *
pipit__bound_stmt_write_raw(void *block, struct stmt *stmt, const struct pq_params *params);

/* The type of a parameter, by its place from 0; 0 while it is not known. */
uint32_t pipit__bound_stmt_type(const struct bound_stmt *bound, int i);

/* Sends the statement with its values: by the name that it was prepared under, or with its text. 0,
 * or -1. */
int pipit__bound_stmt_send(const struct bound_stmt *bound, struct pg_conn *pq, bool by_name);

/* Makes another block with the same values, all of them as text, for the statement that is to be
 * used instead. Takes the reference to that over. The caller frees the block, after
 * pipit__bound_stmt_fini(). NULL when memory ran out. */
struct bound_stmt *pipit__bound_stmt_rewrite(const struct bound_stmt *bound, struct stmt *stmt);

/* Gives the reference to the statement back; NULL does nothing. */
void pipit__bound_stmt_fini(struct bound_stmt *bound);

#endif
