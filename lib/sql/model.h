/*
 * The model module writes a model's names as SQL, and moves members in and out of row structs.
 *
 * The module owns nothing: models and fields are constants of the program, rows belong to who
 * passes them, and names are borrowed from the model. The other modules of sql/ and record/ call
 * it.
 */
#ifndef PIPIT_MODEL_INTERNAL_H
#define PIPIT_MODEL_INTERNAL_H

#include <pipit/item.h>
#include <pipit/model.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sql/sql.h"

/* Returns the table's own name. */
const char *pipit__model_table(const struct pipit_model *model);

/* Returns the column's own name. */
const char *pipit__field_column(const struct pipit_field *field);

/* Appends the table, with its schema if it has one. The builder fails for a model that has what
 * this version of pipit does not know; that is checked here because every statement names its
 * table. */
void pipit__model_sql(const struct pipit_model *model, struct sql *sql);

/* Appends a column, as "table"."column". */
void pipit__field_sql(const struct pipit_field *field, struct sql *sql);

/* Appends all columns in the order of the fields, with commas. */
void pipit__model_columns_sql(const struct pipit_model *model, struct sql *sql);

/* Whether a row came from the database. */
bool pipit__model_is_stored(const struct pipit_model *model, const void *row);
/* Notes that a row came from the database. */
void pipit__model_set_stored(const struct pipit_model *model, void *row);

/* Whether the model has a primary key. */
bool pipit__model_has_key(const struct pipit_model *model);

/* Whether a value of the field is in one row at most: the field is unique, or the whole primary
 * key. */
bool pipit__field_is_unique(const struct pipit_field *field);

/* Whether the server fills a column in when an insert leaves it out. */
bool pipit__field_has_default(const struct pipit_field *field);

/* Whether the server makes the keys of this column; a 0 in the row asks for a new one. */
bool pipit__field_is_generated(const struct pipit_field *field);

/* Returns what the row says of a field's member; a program may have set a number that is none of
 * the enum's. */
enum pipit_member pipit__field_member(const struct pipit_field *field, const void *row);

/* Whether a member is marked as unset, and nothing was assigned to it. */
bool pipit__field_is_unset(const struct pipit_field *field, const void *row);

/* Returns a member as a value; its text or bytes are borrowed from what the row points to. */
struct pipit_value pipit__field_get(const struct pipit_field *field, const void *row);

/* Whether a member has only zero bits; bytes are zero if they point nowhere. */
bool pipit__field_is_zero(const struct pipit_field *field, const void *row);

/* Sets a member to SQL NULL. */
void pipit__field_set_null(const struct pipit_field *field, void *row);

/*
 * Sets a member, other than text and bytes, from an item that is not NULL. 0, PIPIT_ETYPE,
 * PIPIT_ELIMIT or PIPIT_ENOMEM.
 */
int pipit__field_read(const struct pipit_field *field, void *row, const struct pipit_item *item);

/* Sets a member that is text, which is borrowed for as long as the row is used. */
void pipit__field_set_text(const struct pipit_field *field, void *row, const char *text);
/* Sets a member that is bytes, which are borrowed for as long as the row is used. */
void pipit__field_set_bytes(const struct pipit_field *field, void *row, struct pipit_bytes bytes);

/* Returns the OID of the type of the column's values; 0 if the type is not known. */
uint32_t pipit__field_oid(const struct pipit_field *field);

/* Returns the type's name in SQL; "" if the type is not known. */
const char *pipit__field_type(const struct pipit_field *field);

#endif
