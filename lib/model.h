/*
 * What the library does with models: names in SQL, and members in and out of row structs.
 */
#ifndef PIPIT_MODEL_INTERNAL_H
#define PIPIT_MODEL_INTERNAL_H

#include <pipit/model.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sql.h"

/* The table's own name. */
const char *pipit__model_table(const struct pipit_model *model);

/* The column's own name. */
const char *pipit__field_column(const struct pipit_field *field);

/* Appends the table, with its schema if it has one. */
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
 * Sets a member from the server's text. Text is borrowed, so it must be NUL-terminated and live as
 * long as the row; bytes are decoded to spare, which has room for length / 2 + 1 of them. 0 or
 * PIPIT_ETYPE.
 */
int pipit__field_read(const struct pipit_field *field, void *row, const char *text, size_t length,
                      uint8_t *spare);

/* The type's name in SQL. */
const char *pipit__field_type(const struct pipit_field *field);

#endif
