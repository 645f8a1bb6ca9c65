/*
 * INSERT, UPDATE and DELETE of one row of a model.
 *
 * The first two return the row as the table has it then, every column in field order. The values
 * of the builder point to what the row points to.
 */
#ifndef PIPIT_WRITE_INTERNAL_H
#define PIPIT_WRITE_INTERNAL_H

#include <pipit/model.h>

#include "sql.h"

void pipit__write_insert(const struct pipit_model *model, const void *row, struct sql *sql);

/* By primary key; PIPIT_EINVAL without one, or when there is nothing else to set. */
void pipit__write_update(const struct pipit_model *model, const void *row, struct sql *sql);

/* By primary key; PIPIT_EINVAL without one. Returns no row. */
void pipit__write_delete(const struct pipit_model *model, const void *row, struct sql *sql);

#endif
