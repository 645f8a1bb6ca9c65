/*
 * A struct sql builds the text of a statement: raw syntax, quoted identifiers, numbered parameters.
 *
 * The builder owns its text and its list of values, but not what the values point to: that is
 * borrowed until the statement was handed to the query layer. What always holds:
 * 1. The first error sticks, and everything after it is ignored. So callers build without looking
 *    and ask once, at the end: pipit__sql_error().
 * 2. This is the only place where identifiers and strings are quoted.
 *
 * The modules of sql/ append to one; record/ makes it and hands it on.
 */
#ifndef PIPIT_SQL_INTERNAL_H
#define PIPIT_SQL_INTERNAL_H

#include <pipit/export.h>
#include <pipit/value.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* PostgreSQL takes so many bytes of an identifier, and so many parameters of a statement. */
enum { PIPIT__SQL_IDENT_MAX = 63, PIPIT__SQL_PARAMS_MAX = 65535 };

struct sql {
        struct buf text;
        struct pipit_value *values; /* of the parameters, in their order; NULL until there is one */
        int n_values;
        int capacity;      /* values that there is room for */
        int error;         /* 0 or a PIPIT_E code; the text is not complete then */
        char message[200]; /* the error in words, UTF-8; "" without one */
};

/* Makes an empty builder. */
void pipit__sql_init(struct sql *sql);
/* Frees what a builder owns; the builder is empty then. */
void pipit__sql_fini(struct sql *sql);

/* Appends syntax as it stands. */
void pipit__sql_raw(struct sql *sql, const char *syntax);

/* Appends an identifier, always quoted; PIPIT_EINVAL for one that PostgreSQL would refuse or cut.
 */
void pipit__sql_ident(struct sql *sql, const char *name);

/* Appends a string constant, where a parameter cannot stand. */
void pipit__sql_literal(struct sql *sql, const char *text);

/* Appends a whole number, where a parameter cannot stand. */
void pipit__sql_number(struct sql *sql, int64_t number);

/* Appends the next parameter, $n; PIPIT_ELIMIT if there are too many. The value is copied, but what
 * it points to is borrowed. */
void pipit__sql_param(struct sql *sql, struct pipit_value value);

/* Makes the builder fail, unless it has failed already; a long message is cut. */
void pipit__sql_fail(struct sql *sql, int code, const char *format, ...) PIPIT_PRINTF(3, 4);

/* Returns 0, or why there is no statement: PIPIT_ENOMEM, PIPIT_EINVAL or PIPIT_ELIMIT. */
int pipit__sql_error(const struct sql *sql);

/* Returns the error in words, "" without one; borrowed from the builder. */
const char *pipit__sql_error_text(const struct sql *sql);

/* Returns the text so far; borrowed until the builder's next change. */
const char *pipit__sql_text(const struct sql *sql);

/* Returns the parameters so far; borrowed until the builder's next change. */
struct pipit_params pipit__sql_params(const struct sql *sql);

/* Whether a text is well-formed UTF-8. */
bool pipit__sql_is_utf8(const char *text, size_t length);

#endif
