/*
 * The select module writes SELECT statements over one model.
 *
 * The module owns nothing: a statement grows in the caller's builder, whose values are borrowed
 * from the conditions. record/ runs them.
 */
#ifndef PIPIT_SELECT_INTERNAL_H
#define PIPIT_SELECT_INTERNAL_H

#include <pipit/model.h>

#include "sql/sql.h"

/* Appends the statement; select NULL means all rows. Every column is named, in the order of the
 * fields. */
void pipit__select_sql(const struct pipit_model *model, const struct pipit_select *select,
                       struct sql *sql);

#endif
