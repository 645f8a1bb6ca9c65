/*
 * CREATE TABLE, CREATE INDEX and DROP TABLE of a model.
 *
 * A request runs one statement, so what creates a table is a numbered series of them: first the
 * table with its constraints, then each index that is not one.
 */
#ifndef PIPIT_DDL_INTERNAL_H
#define PIPIT_DDL_INTERNAL_H

#include <pipit/model.h>

#include "sql/sql.h"

/* How many statements create the table: at least 1. */
int pipit__ddl_count(const struct pipit_model *model);

/* Appends one of them, from 0. The flags are those of pipit_record_create_table(). */
void
pipit__ddl_create(const struct pipit_model *model, unsigned flags, int number, struct sql *sql);

/* Appends DROP TABLE. */
void pipit__ddl_drop(const struct pipit_model *model, unsigned flags, struct sql *sql);

#endif
