/*
 * Rows of results as row structs, from the inside. See pipit_record_row().
 */
#ifndef PIPIT_ROW_INTERNAL_H
#define PIPIT_ROW_INTERNAL_H

#include <pipit/model.h>
#include <pipit/result.h>

/*
 * Reads the rows of a successful result into row structs, which pipit_record_row() gives out. Where
 * a column is missing, or a value does not fit, the result becomes a failure: PIPIT_ETYPE, with the
 * column's name; PIPIT_ELIMIT for a text that is too long; without memory it becomes PIPIT_ENOMEM.
 */
void pipit__row_decode(struct pipit_result *res, const struct pipit_model *model);

#endif
