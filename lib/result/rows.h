/*
 * Rows are what a successful result holds: columns, values, a command tag. See <pipit/result.h>.
 *
 * Rows belong to their result. What always holds:
 * 1. Rows are never copied: libpq's are given to the result, or a part of another result's is
 *    shown.
 * 2. A value is handed on as an item, which points into the result and is good as long as that.
 * 3. A text that had to be made of a value in binary form is made once for pipit_result_text(), and
 *    stays where it is.
 *
 * conn/ gives answers to results, pool/coalesce.c deals out parts, record/row.c reads values, and
 * so do items and getters for the program.
 */
#ifndef PIPIT_ROWS_INTERNAL_H
#define PIPIT_ROWS_INTERNAL_H

#include <pipit/error.h>
#include <pipit/item.h>
#include <pipit/result.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cold.h"

struct pg_result;

/* Gives an answer of the server to a result, which owns it from then on and frees what it held. An
 * error makes the result a failure; executed says what became of its statement. */
void
pipit__rows_take(struct pipit_result *res, struct pg_result *answer, enum pipit_executed executed);

/* Notes that the server may have left digits out of floating numbers that came as text: they are
 * refused as numbers. */
COLD void pipit__rows_set_rounded(struct pipit_result *res);
/* Whether an item is such a number. */
bool pipit__rows_is_rounded(const struct pipit_item *item);
/* Whether an item came as text that a session can have in several styles: a time. */
COLD bool pipit__rows_has_style(const struct pipit_item *item);

/* A part of an answer is what belongs to one of the requests that it was given for. */
struct rows_part {
        int row;         /* number of the only row; -1: no row */
        int n_columns;   /* how many columns, the first ones, it has */
        const char *tag; /* command tag; a constant */
};

/* Makes a result show a part of another, which is a success and no part itself. The result frees
 * what it held, and keeps a reference to the other until it is reset or freed. */
void pipit__rows_show(struct pipit_result *res, struct pipit_result *whole,
                      const struct rows_part *part);

/* Fill in an item in two steps, for the many values of one column: the first sets what all of them
 * have in common, the second the bytes of one row's value. Row and column must be there. */
void pipit__rows_column(const struct pipit_result *res, int column, struct pipit_item *item);
void pipit__rows_cell(int row, int column, struct pipit_item *item);

/* Fills in an item for a value, which may be NULL; false if there is no such row or column. */
bool pipit__rows_item(const struct pipit_result *res, int row, int column, struct pipit_item *ret);

/* Returns the bytes of a value that is in binary form, of this type and of this size, else NULL. */
const void *
pipit__rows_plain(const struct pipit_result *res, int row, int column, uint32_t type, size_t size);

/* Copies a text into a result, with a NUL behind it, and counts its bytes. 0, PIPIT_ENOMEM, or
 * PIPIT_ELIMIT if the made texts of the result would have more than
 * pipit__result_max_text_bytes() in sum. */
int pipit__rows_add_text(struct pipit_result *res, const char *text, size_t length,
                         const char **ret_text);

/* Gives the text of a value that is not NULL, owned by its result. A text that is not in the value
 * itself is made anew by each call, and counted. 0, PIPIT_ETYPE if the bytes are no value of
 * their type, PIPIT_ELIMIT if the text is too long for its value or for the result, or
 * PIPIT_ENOMEM. */
int pipit__rows_text(const struct pipit_item *item, const char **ret_text, size_t *ret_length);

#endif
