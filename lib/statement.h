/*
 * Statements: SQL text and its parameters, encoded, in one block of memory.
 */
#ifndef PIPIT_STATEMENT_INTERNAL_H
#define PIPIT_STATEMENT_INTERNAL_H

#include <pipit/value.h>
#include <stddef.h>

/* Most parameters that the protocol can count. */
#define STATEMENT_MAX_PARAMS 65535

struct statement {
        size_t bytes; /* of the text and the values */
        int n;
        const char *sql;
        const char **values; /* NULL for SQL NULL */
};

/* Why a statement cannot be made. */
struct statement_problem {
        int code;
        char text[96];
};

/*
 * What pipit__statement_write() needs: 0 and the bytes of the block, or a PIPIT_E code with a
 * problem that names the parameter.
 */
int pipit__statement_measure(const char *sql, struct pipit_params params, size_t *ret_size,
                             struct statement_problem *ret_problem);

/* Writes the statement into a block of that size, aligned as malloc() does; nothing is borrowed. */
struct statement *pipit__statement_write(void *block, const char *sql, struct pipit_params params);

#endif
