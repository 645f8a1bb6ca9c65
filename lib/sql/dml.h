/*
 * The DML of a model is INSERT, UPDATE and DELETE of one row, and INSERT of many rows.
 *
 * The module owns nothing: a statement grows in the caller's builder, whose values point to what
 * the row points to. An insert or update returns the row as the table has it then, every column in
 * the order of the fields. record/ runs them.
 */
#ifndef PIPIT_DML_INTERNAL_H
#define PIPIT_DML_INTERNAL_H

#include <pipit/model.h>
#include <stdbool.h>
#include <stdint.h>

#include "sql/sql.h"

/* Appends the insert of a row; fields that the row leaves to the server are DEFAULT. */
void pipit__dml_insert(const struct pipit_model *model, const void *row, struct sql *sql);

/* Returns a bit for each field that an insert of the row gives, the first field lowest. Rows with
 * the same bits have the same statement. The model has at most 64 fields. */
uint64_t pipit__dml_given(const struct pipit_model *model, const void *row);

/* Appends the values of an insert of the row, as parameters; the text is no statement. */
void pipit__dml_values(const struct pipit_model *model, const void *row, struct sql *sql);

/*
 * Whether the inserts of many rows that give these fields can be one statement. Each row of the
 * answer must be known by its key, so the key is given, or is one that a sequence makes.
 */
bool pipit__dml_can_group(const struct pipit_model *model, uint64_t given);

/* Appends the insert of many rows that give these fields. Each parameter is an array with an
 * element for each row. The answer has one column more, at its end: the place of the row's values
 * in the arrays, from 1 on, or 0 if that is not known. */
void pipit__dml_insert_many(const struct pipit_model *model, uint64_t given, struct sql *sql);

/* Appends the update of a row by its primary key; PIPIT_EINVAL without one, or if there is nothing
 * else to set. */
void pipit__dml_update(const struct pipit_model *model, const void *row, struct sql *sql);

/* Appends the delete of a row by its primary key, which returns no row; PIPIT_EINVAL without one.
 */
void pipit__dml_delete(const struct pipit_model *model, const void *row, struct sql *sql);

#endif
