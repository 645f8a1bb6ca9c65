/*
 * The builder of SQL text: raw syntax, quoted identifiers, numbered parameters.
 *
 * The first error sticks; everything after it is ignored, so that callers build without looking and
 * ask once, at the end. Values are not copied: what they point to is borrowed until the statement
 * was handed to the query layer.
 */
#ifndef PIPIT_SQL_INTERNAL_H
#define PIPIT_SQL_INTERNAL_H

#include <pipit/export.h>
#include <pipit/value.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* What PostgreSQL takes: bytes of an identifier, parameters of a statement. */
enum { PIPIT__SQL_IDENT_MAX = 63, PIPIT__SQL_PARAMS_MAX = 65535 };

struct sql {
        struct buf text;
        struct pipit_value *values;
        int n_values;
        int capacity;
        int error;         /* 0 or PIPIT_E*; what is in text is not complete then */
        char message[200]; /* what the error is; "" without one */
};

void pipit__sql_init(struct sql *sql);
void pipit__sql_fini(struct sql *sql);

/* Syntax, as it stands. */
void pipit__sql_raw(struct sql *sql, const char *syntax);

/* An identifier, always quoted; PIPIT_EINVAL for what PostgreSQL would refuse or cut. */
void pipit__sql_ident(struct sql *sql, const char *name);

/* A string constant, for what cannot be a parameter. */
void pipit__sql_literal(struct sql *sql, const char *text);

/* A whole number, for what cannot be a parameter. */
void pipit__sql_number(struct sql *sql, int64_t number);

/* The next parameter, $n; PIPIT_ELIMIT when there are too many. */
void pipit__sql_param(struct sql *sql, struct pipit_value value);

/* Makes the builder fail, unless it has already; the message is cut if it is long. */
void pipit__sql_fail(struct sql *sql, int error, const char *format, ...) PIPIT_PRINTF(3, 4);

/* 0, or why there is no statement: PIPIT_ENOMEM, PIPIT_EINVAL or PIPIT_ELIMIT. */
int pipit__sql_error(const struct sql *sql);

/* The error in words, owned by the builder; "" without one. */
const char *pipit__sql_error_text(const struct sql *sql);

/* The statement so far, owned by the builder until its next change. */
const char *pipit__sql_text(const struct sql *sql);

/* Its parameters, owned by the builder until its next change. */
struct pipit_params pipit__sql_params(const struct sql *sql);

/* Whether text is well-formed UTF-8. */
bool pipit__sql_is_utf8(const char *text, size_t length);

#endif
