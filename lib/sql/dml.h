/*
 * INSERT, UPDATE and DELETE of one row of a model.
 *
 * The first two return the row as the table has it then, every column in field order. The values
 * of the builder point to what the row points to.
 */
#ifndef PIPIT_DML_INTERNAL_H
#define PIPIT_DML_INTERNAL_H

#include <pipit/model.h>
#include <stdbool.h>
#include <stdint.h>

#include "sql/sql.h"

void pipit__dml_insert(const struct pipit_model *model, const void *row, struct sql *sql);

/* The fields that an insert of this row gives, a bit each: two rows with the same have the same
 * statement. Of a model with at most 64 fields. */
uint64_t pipit__dml_given(const struct pipit_model *model, const void *row);

/* The values of that statement alone; the text is none. */
void pipit__dml_values(const struct pipit_model *model, const void *row, struct sql *sql);

/*
 * Whether many such inserts can be one statement: each row of the answer is known by its key, which
 * is given, or is one that a sequence makes.
 */
bool pipit__dml_can_group(const struct pipit_model *model, uint64_t given);

/* That statement, whose parameters are arrays. Its answer has one column more: the place of the
 * row's values in them, from 1. */
void pipit__dml_insert_many(const struct pipit_model *model, uint64_t given, struct sql *sql);

/* By primary key; PIPIT_EINVAL without one, or when there is nothing else to set. */
void pipit__dml_update(const struct pipit_model *model, const void *row, struct sql *sql);

/* By primary key; PIPIT_EINVAL without one. Returns no row. */
void pipit__dml_delete(const struct pipit_model *model, const void *row, struct sql *sql);

#endif
