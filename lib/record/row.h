/*
 * A row struct is a row of a result as the program's own struct. See pipit_record_row().
 *
 * Row structs belong to their result. What always holds:
 * 1. A result has all of its rows as structs, or it is a failure: what does not fit the model is
 *    never left out.
 * 2. Columns are found by their names, so their order does not matter, and others may be there.
 *
 * Frames of record.c have rows decoded, before the callback; the program takes them one by one.
 */
#ifndef PIPIT_ROW_INTERNAL_H
#define PIPIT_ROW_INTERNAL_H

#include <pipit/model.h>
#include <pipit/result.h>

/*
 * Reads the rows of a successful result into row structs, which pipit_record_row() gives out. If a
 * column is missing or a value does not fit, the result becomes a failure: PIPIT_ETYPE with the
 * column's name, PIPIT_ELIMIT for a text that is too long, and PIPIT_ENOMEM without memory.
 */
void pipit__row_decode(struct pipit_result *res, const struct pipit_model *model);

#endif
