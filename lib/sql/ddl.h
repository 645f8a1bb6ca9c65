/*
 * The DDL of a model is CREATE TABLE, CREATE INDEX and DROP TABLE.
 *
 * The module owns nothing: a statement grows in the caller's builder. A request runs one statement,
 * so creating a table takes a numbered series of them: first the table with its constraints, then
 * each index that no constraint brings. record/ runs them.
 */
#ifndef PIPIT_DDL_INTERNAL_H
#define PIPIT_DDL_INTERNAL_H

#include <pipit/model.h>

#include "sql/sql.h"

/* Returns how many statements create the table: at least 1. */
int pipit__ddl_count(const struct pipit_model *model);

/* Appends one of them, from 0 on. The flags are those of pipit_record_create_table(); others make
 * the builder fail. */
void
pipit__ddl_create(const struct pipit_model *model, unsigned flags, int number, struct sql *sql);

/* Appends DROP TABLE. The flags are those of pipit_record_drop_table(); others make the builder
 * fail. */
void pipit__ddl_drop(const struct pipit_model *model, unsigned flags, struct sql *sql);

#endif
