/*
 * SELECT statements over one model.
 */
#ifndef PIPIT_SELECT_INTERNAL_H
#define PIPIT_SELECT_INTERNAL_H

#include <pipit/model.h>

#include "sql/sql.h"

/* Appends the statement; select NULL means all rows. Every column is named, in field order. */
void pipit__select_sql(const struct pipit_model *model, const struct pipit_select *select,
                       struct sql *sql);

#endif
