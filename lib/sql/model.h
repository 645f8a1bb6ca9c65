/*
 * Models: their names in SQL, and members in and out of row structs.
 */
#ifndef PIPIT_MODEL_INTERNAL_H
#define PIPIT_MODEL_INTERNAL_H

#include <pipit/item.h>
#include <pipit/model.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sql/sql.h"

/* The table's own name. */
const char *pipit__model_table(const struct pipit_model *model);

/* The column's own name. */
const char *pipit__field_column(const struct pipit_field *field);

/* Appends the table, with its schema if it has one. Fails for a model that has what this version
 * does not know: every statement names its table. */
void pipit__model_sql(const struct pipit_model *model, struct sql *sql);

/* Appends a column, as "table"."column". */
void pipit__field_sql(const struct pipit_field *field, struct sql *sql);

/* Appends all columns in the order of the fields, with commas. */
void pipit__model_columns_sql(const struct pipit_model *model, struct sql *sql);

/* Whether the row came from the database. */
bool pipit__model_is_stored(const struct pipit_model *model, const void *row);
void pipit__model_set_stored(const struct pipit_model *model, void *row);

/* Whether the model has a primary key. */
bool pipit__model_has_key(const struct pipit_model *model);

/* Whether a value of the field is in one row at most: it is unique, or the whole primary key. */
bool pipit__field_is_unique(const struct pipit_field *field);

/* Whether the server fills a column in when an insert leaves it out. */
bool pipit__field_has_default(const struct pipit_field *field);

/* Whether the server makes the keys of this column: 0 asks for a new one. */
bool pipit__field_is_generated(const struct pipit_field *field);

/* A member as a value; text and bytes point to what the row points to. */
struct pipit_value pipit__field_get(const struct pipit_field *field, const void *row);

/* Whether a member has only zero bits, or for text and bytes: points nowhere. */
bool pipit__field_is_zero(const struct pipit_field *field, const void *row);

/* Sets a member to NULL. */
void pipit__field_set_null(const struct pipit_field *field, void *row);

/*
 * Sets a member from a value that is not NULL, other than text and bytes: 0, PIPIT_ETYPE or
 * PIPIT_ENOMEM.
 */
int pipit__field_read(const struct pipit_field *field, void *row, const struct pipit_item *item);

/* Set a member that is text or bytes; both are borrowed. */
void pipit__field_set_text(const struct pipit_field *field, void *row, const char *text);
void pipit__field_set_bytes(const struct pipit_field *field, void *row, struct pipit_bytes bytes);

/* The number of the type of the column's values. */
uint32_t pipit__field_oid(const struct pipit_field *field);

/* The type's name in SQL. */
const char *pipit__field_type(const struct pipit_field *field);

#endif
