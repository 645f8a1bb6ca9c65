/*
 * INSERT, UPDATE and DELETE of one row of a model.
 */
#include "write.h"

#include <pipit/error.h>

#include "model.h"

/* Whether an insert leaves a member to the server; see <pipit/record.h>. */
static bool
field_is_left_out(const struct pipit_field *field, const void *row)
{
        if (!pipit__field_is_zero(field, row))
                return false;
        if (pipit__field_is_generated(field))
                return true;
        return !field->nullable && pipit__field_has_default(field) &&
               (field->type == PIPIT_TYPE_varchar || field->type == PIPIT_TYPE_text ||
                field->type == PIPIT_TYPE_bytea);
}

static void
returning_sql(const struct pipit_model *model, struct sql *sql)
{
        pipit__sql_raw(sql, " RETURNING ");
        pipit__model_columns_sql(model, sql);
}

/* The condition that the row's primary key is this one's. */
static void
key_sql(const struct pipit_model *model, const void *row, struct sql *sql)
{
        const char *before = " WHERE ";

        if (!pipit__model_has_key(model))
                pipit__sql_fail(sql, PIPIT_EINVAL, "\"%s\" has no primary key to find a row by",
                                model->name);
        for (int i = 0; i < model->n_fields; i++) {
                const struct pipit_field *field = &model->fields[i];

                if (!field->primary_key)
                        continue;
                pipit__sql_raw(sql, before);
                pipit__field_sql(field, sql);
                pipit__sql_raw(sql, " = ");
                pipit__sql_param(sql, pipit__field_get(field, row));
                before = " AND ";
        }
}

void
pipit__write_insert(const struct pipit_model *model, const void *row, struct sql *sql)
{
        pipit__sql_raw(sql, "INSERT INTO ");
        pipit__model_sql(model, sql);
        for (int i = 0; i < model->n_fields; i++) {
                pipit__sql_raw(sql, i == 0 ? " (" : ", ");
                pipit__sql_ident(sql, pipit__field_column(&model->fields[i]));
        }
        for (int i = 0; i < model->n_fields; i++) {
                const struct pipit_field *field = &model->fields[i];

                pipit__sql_raw(sql, i == 0 ? ") VALUES (" : ", ");
                if (field_is_left_out(field, row))
                        pipit__sql_raw(sql, "DEFAULT");
                else
                        pipit__sql_param(sql, pipit__field_get(field, row));
        }
        pipit__sql_raw(sql, ")");
        returning_sql(model, sql);
}

/* The fields that are no key, with their values. */
static void
set_sql(const struct pipit_model *model, const void *row, struct sql *sql)
{
        int n_set = 0;

        for (int i = 0; i < model->n_fields; i++) {
                const struct pipit_field *field = &model->fields[i];

                if (field->primary_key)
                        continue;
                pipit__sql_raw(sql, n_set++ == 0 ? " SET " : ", ");
                pipit__sql_ident(sql, pipit__field_column(field));
                pipit__sql_raw(sql, " = ");
                pipit__sql_param(sql, pipit__field_get(field, row));
        }
        if (n_set == 0)
                pipit__sql_fail(sql, PIPIT_EINVAL, "\"%s\" has nothing to set beside its key",
                                model->name);
}

void
pipit__write_update(const struct pipit_model *model, const void *row, struct sql *sql)
{
        pipit__sql_raw(sql, "UPDATE ");
        pipit__model_sql(model, sql);
        set_sql(model, row, sql);
        key_sql(model, row, sql);
        returning_sql(model, sql);
}

void
pipit__write_delete(const struct pipit_model *model, const void *row, struct sql *sql)
{
        pipit__sql_raw(sql, "DELETE FROM ");
        pipit__model_sql(model, sql);
        key_sql(model, row, sql);
}
