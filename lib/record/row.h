/*
 * Rows of a result as row structs.
 */
#ifndef PIPIT_ROW_INTERNAL_H
#define PIPIT_ROW_INTERNAL_H

#include <pipit/model.h>
#include <pipit/result.h>

/*
 * Reads the rows of a successful result into row structs, which pipit_record_row() gives out. A
 * result that does not fit the model becomes a failure, PIPIT_ETYPE with the column's name.
 */
void pipit__row_decode(struct pipit_result *res, const struct pipit_model *model);

#endif
