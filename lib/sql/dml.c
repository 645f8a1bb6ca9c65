/*
 * INSERT, UPDATE and DELETE of one row of a model.
 */
#include "sql/dml.h"

#include <pipit/error.h>

#include "sql/model.h"

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
pipit__dml_insert(const struct pipit_model *model, const void *row, struct sql *sql)
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

uint64_t
pipit__dml_given(const struct pipit_model *model, const void *row)
{
        uint64_t given = 0;

        for (int i = 0; i < model->n_fields; i++)
                given |= (uint64_t)!field_is_left_out(&model->fields[i], row) << i;
        return given;
}

void
pipit__dml_values(const struct pipit_model *model, const void *row, struct sql *sql)
{
        for (int i = 0; i < model->n_fields; i++) {
                if (!field_is_left_out(&model->fields[i], row))
                        pipit__sql_param(sql, pipit__field_get(&model->fields[i], row));
        }
}

static bool
is_given(const struct pipit_field *field, uint64_t given)
{
        return given >> (field - field->model->fields) & 1;
}

/* Whether its values come from a sequence of the table's own, as far as the model knows. */
static bool
field_has_sequence(const struct pipit_field *field)
{
        return (field->type == PIPIT_TYPE_serial || field->type == PIPIT_TYPE_bigserial) &&
               !field->default_sql;
}

/* The key that a sequence makes; NULL when the key is given. */
static const struct pipit_field *
made_key(const struct pipit_model *model, uint64_t given)
{
        for (int i = 0; i < model->n_fields; i++) {
                if (model->fields[i].primary_key && !is_given(&model->fields[i], given))
                        return &model->fields[i];
        }
        return NULL;
}

bool
pipit__dml_can_group(const struct pipit_model *model, uint64_t given)
{
        const struct pipit_field *made = made_key(model, given);
        int n_keys = 0;

        for (int i = 0; i < model->n_fields; i++)
                n_keys += model->fields[i].primary_key;
        return given != 0 && n_keys > 0 && (!made || (n_keys == 1 && field_has_sequence(made)));
}

/*
 * The sequence whose values are the default of a key. A default of another sort must not be passed
 * over: then it is what is no sequence, and the statement fails.
 */
static void
sequence_sql(const struct pipit_field *key, struct sql *sql)
{
        struct sql table;

        pipit__sql_init(&table);
        pipit__model_sql(key->model, &table);
        pipit__sql_raw(sql, "COALESCE((SELECT s FROM (SELECT pg_get_serial_sequence(");
        pipit__sql_literal(sql, pipit__sql_text(&table));
        pipit__sql_raw(sql, ", ");
        pipit__sql_literal(sql, pipit__field_column(key));
        pipit__sql_raw(sql, ")::regclass AS s) AS q JOIN pg_attribute AS a ON a.attrelid = ");
        pipit__sql_literal(sql, pipit__sql_text(&table));
        pipit__sql_raw(sql, "::regclass AND a.attname = ");
        pipit__sql_literal(sql, pipit__field_column(key));
        pipit__sql_raw(sql, " LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = "
                            "a.attnum WHERE a.attidentity <> '' OR pg_get_expr(d.adbin, "
                            "d.adrelid) = format('nextval(%L::regclass)', s::text)), "
                            "'pg_class'::regclass)");
        if (pipit__sql_error(&table) != 0)
                pipit__sql_fail(sql, pipit__sql_error(&table), "%s", pipit__sql_error_text(&table));
        pipit__sql_fini(&table);
}

/* Something for each field that is given: "first1, first2 …". */
static void
given_sql(const struct pipit_model *model, uint64_t given, struct sql *sql,
          void (*one)(const struct pipit_field *field, int n, struct sql *sql))
{
        int n = 0;

        for (int i = 0; i < model->n_fields; i++) {
                if (!is_given(&model->fields[i], given))
                        continue;
                if (n++ > 0)
                        pipit__sql_raw(sql, ", ");
                one(&model->fields[i], n, sql);
        }
}

static void
array_sql(const struct pipit_field *field, int n, struct sql *sql)
{
        bool is_serial = field->type == PIPIT_TYPE_serial;
        bool is_bigserial = field->type == PIPIT_TYPE_bigserial;

        pipit__sql_raw(sql, "$");
        pipit__sql_number(sql, n);
        pipit__sql_raw(sql, "::");
        pipit__sql_raw(sql, is_serial      ? "integer"
                            : is_bigserial ? "bigint"
                                           : pipit__field_type(field));
        pipit__sql_raw(sql, "[]");
}

/* The name of a value in what is given: no column's, so that neither hides the other. */
static void
value_sql(const struct pipit_field *field, int n, struct sql *sql)
{
        (void)field;
        pipit__sql_raw(sql, "c");
        pipit__sql_number(sql, n);
}

static void
column_sql(const struct pipit_field *field, int n, struct sql *sql)
{
        (void)n;
        pipit__sql_ident(sql, pipit__field_column(field));
}

/* How the rows that were made are told apart. */
static void
match_sql(const struct pipit_model *model, uint64_t given, struct sql *sql)
{
        const char *before = " ON ";
        int n = 0;

        for (int i = 0; i < model->n_fields; i++) {
                const struct pipit_field *field = &model->fields[i];

                n += is_given(field, given);
                if (!field->primary_key)
                        continue;
                pipit__sql_raw(sql, before);
                pipit__sql_raw(sql, "pipit_made.");
                column_sql(field, n, sql);
                pipit__sql_raw(sql, " = pipit_given.");
                if (is_given(field, given))
                        value_sql(field, n, sql);
                else
                        pipit__sql_raw(sql, "k");
                before = " AND ";
        }
}

/* The values, with their place, and with the key that they will have. */
static void
values_sql(const struct pipit_model *model, uint64_t given, struct sql *sql)
{
        const struct pipit_field *made = made_key(model, given);

        pipit__sql_raw(sql, "WITH pipit_given AS (SELECT o, ");
        if (made) {
                pipit__sql_raw(sql, "nextval(");
                sequence_sql(made, sql);
                pipit__sql_raw(sql, ") AS k, ");
        }
        given_sql(model, given, sql, value_sql);
        pipit__sql_raw(sql, " FROM unnest(");
        given_sql(model, given, sql, array_sql);
        pipit__sql_raw(sql, ") WITH ORDINALITY AS u(");
        given_sql(model, given, sql, value_sql);
        pipit__sql_raw(sql, ", o))");
}

void
pipit__dml_insert_many(const struct pipit_model *model, uint64_t given, struct sql *sql)
{
        const struct pipit_field *made = made_key(model, given);

        values_sql(model, given, sql);
        pipit__sql_raw(sql, ", pipit_made AS (INSERT INTO ");
        pipit__model_sql(model, sql);
        pipit__sql_raw(sql, " (");
        if (made) {
                column_sql(made, 0, sql);
                pipit__sql_raw(sql, ", ");
        }
        given_sql(model, given, sql, column_sql);
        /* A key that the server alone may make was made by its sequence. */
        pipit__sql_raw(sql, made ? ") OVERRIDING SYSTEM VALUE SELECT k, " : ") SELECT ");
        given_sql(model, given, sql, value_sql);
        pipit__sql_raw(sql, " FROM pipit_given");
        returning_sql(model, sql);
        pipit__sql_raw(sql,
                       ") SELECT pipit_made.*, pipit_given.o FROM pipit_given JOIN pipit_made");
        match_sql(model, given, sql);
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
pipit__dml_update(const struct pipit_model *model, const void *row, struct sql *sql)
{
        pipit__sql_raw(sql, "UPDATE ");
        pipit__model_sql(model, sql);
        set_sql(model, row, sql);
        key_sql(model, row, sql);
        returning_sql(model, sql);
}

void
pipit__dml_delete(const struct pipit_model *model, const void *row, struct sql *sql)
{
        pipit__sql_raw(sql, "DELETE FROM ");
        pipit__model_sql(model, sql);
        key_sql(model, row, sql);
}
