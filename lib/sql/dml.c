/*
 * The DML of a model is written field by field. See dml.h.
 *
 * An insert of many rows is one statement in two parts: pipit_given numbers the values of each row
 * and makes its key where a sequence does; pipit_made inserts them in that order. The answer is
 * pipit_made, with the place of each row's values.
 */
#include "sql/dml.h"

#include <pipit/error.h>

#include "sql/model.h"

static bool
dml_knows_byte(const struct pipit_field *field, const void *row)
{
        switch (pipit__field_member(field, row)) {
        case PIPIT_MEMBER_VALUE:
        case PIPIT_MEMBER_NULL:
        case PIPIT_MEMBER_UNSET: return true;
        }
        return false;
}

/* Whether an insert leaves a field to the server; see <pipit/record.h>. */
static bool
dml_leaves_out(const struct pipit_field *field, const void *row)
{
        if (pipit__field_is_unset(field, row))
                return true;
        if (!pipit__field_is_zero(field, row) || !dml_knows_byte(field, row))
                return false;
        if (pipit__field_is_generated(field))
                return true;
        return !field->nullable && pipit__field_has_default(field) &&
               (field->type == PIPIT_TYPE_varchar || field->type == PIPIT_TYPE_text ||
                field->type == PIPIT_TYPE_bytea);
}

/* Appends a member as a parameter. */
static void
dml_param(const struct pipit_field *field, const void *row, struct sql *sql)
{
        if (!dml_knows_byte(field, row))
                pipit__sql_fail(sql, PIPIT_EINVAL,
                                "null.%s of a row of \"%s\" is %d, which is none of enum "
                                "pipit_member: begin with %s_init() or {0}",
                                field->name, field->model->name,
                                (int)pipit__field_member(field, row), field->model->name);
        pipit__sql_param(sql, pipit__field_get(field, row));
}

static void
dml_returning(const struct pipit_model *model, struct sql *sql)
{
        pipit__sql_raw(sql, " RETURNING ");
        pipit__model_columns_sql(model, sql);
}

/* Appends the condition that finds a row by its primary key. */
static void
dml_key(const struct pipit_model *model, const void *row, struct sql *sql)
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
                dml_param(field, row, sql);
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
                if (dml_leaves_out(field, row))
                        pipit__sql_raw(sql, "DEFAULT");
                else
                        dml_param(field, row, sql);
        }
        pipit__sql_raw(sql, ")");
        dml_returning(model, sql);
}

uint64_t
pipit__dml_given(const struct pipit_model *model, const void *row)
{
        uint64_t given = 0;

        for (int i = 0; i < model->n_fields; i++)
                given |= (uint64_t)!dml_leaves_out(&model->fields[i], row) << i;
        return given;
}

void
pipit__dml_values(const struct pipit_model *model, const void *row, struct sql *sql)
{
        for (int i = 0; i < model->n_fields; i++) {
                if (!dml_leaves_out(&model->fields[i], row))
                        dml_param(&model->fields[i], row, sql);
        }
}

static bool
dml_is_given(const struct pipit_field *field, uint64_t given)
{
        return given >> (field - field->model->fields) & 1;
}

/* Whether a field's values come from a sequence of the table's own, as far as the model knows. */
static bool
dml_has_sequence(const struct pipit_field *field)
{
        return (field->type == PIPIT_TYPE_serial || field->type == PIPIT_TYPE_bigserial) &&
               field->default_sql == NULL;
}

/* Returns the first field of the key that is not given; NULL if the whole key is given. */
static const struct pipit_field *
dml_made_key(const struct pipit_model *model, uint64_t given)
{
        for (int i = 0; i < model->n_fields; i++) {
                if (model->fields[i].primary_key && !dml_is_given(&model->fields[i], given))
                        return &model->fields[i];
        }
        return NULL;
}

bool
pipit__dml_can_group(const struct pipit_model *model, uint64_t given)
{
        const struct pipit_field *made = dml_made_key(model, given);
        int n_keys = 0;

        for (int i = 0; i < model->n_fields; i++)
                n_keys += model->fields[i].primary_key;
        return given != 0 && n_keys > 0 &&
               (made == NULL || (n_keys == 1 && dml_has_sequence(made)));
}

/*
 * Appends the sequence whose values are the default of a key. A default of another sort must not be
 * passed over, so a relation that is no sequence stands for it, and the statement fails.
 */
static void
dml_sequence(const struct pipit_field *key, struct sql *sql)
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

/* Appends a list with commas of something for each field that is given; n counts from 1. */
static void
dml_given_list(const struct pipit_model *model, uint64_t given, struct sql *sql,
               void (*one)(const struct pipit_field *field, int n, struct sql *sql))
{
        int n = 0;

        for (int i = 0; i < model->n_fields; i++) {
                if (!dml_is_given(&model->fields[i], given))
                        continue;
                if (n++ > 0)
                        pipit__sql_raw(sql, ", ");
                one(&model->fields[i], n, sql);
        }
}

/* Appends the n-th parameter as an array of the field's type. */
static void
dml_array(const struct pipit_field *field, int n, struct sql *sql)
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

/* Appends the name of a value in pipit_given. The name is not the column's, so that neither hides
 * the other. */
static void
dml_value(const struct pipit_field *field, int n, struct sql *sql)
{
        (void)field;
        pipit__sql_raw(sql, "c");
        pipit__sql_number(sql, n);
}

static void
dml_column(const struct pipit_field *field, int n, struct sql *sql)
{
        (void)n;
        pipit__sql_ident(sql, pipit__field_column(field));
}

/* Appends the condition that finds the values of a row that was made, by its key. */
static void
dml_match(const struct pipit_model *model, uint64_t given, struct sql *sql)
{
        const char *before = " WHERE ";
        int n = 0;

        for (int i = 0; i < model->n_fields; i++) {
                const struct pipit_field *field = &model->fields[i];

                n += dml_is_given(field, given);
                if (!field->primary_key)
                        continue;
                pipit__sql_raw(sql, before);
                pipit__sql_raw(sql, "pipit_made.");
                dml_column(field, n, sql);
                pipit__sql_raw(sql, " = pipit_given.");
                if (dml_is_given(field, given))
                        dml_value(field, n, sql);
                else
                        pipit__sql_raw(sql, "k");
                before = " AND ";
        }
}

/* Appends pipit_given: the values with their place, and with the key if a sequence makes that. */
static void
dml_with_values(const struct pipit_model *model, uint64_t given, struct sql *sql)
{
        const struct pipit_field *made = dml_made_key(model, given);

        pipit__sql_raw(sql, "WITH pipit_given AS (SELECT o, ");
        if (made != NULL) {
                pipit__sql_raw(sql, "nextval(");
                dml_sequence(made, sql);
                pipit__sql_raw(sql, ") AS k, ");
        }
        dml_given_list(model, given, sql, dml_value);
        pipit__sql_raw(sql, " FROM unnest(");
        dml_given_list(model, given, sql, dml_array);
        pipit__sql_raw(sql, ") WITH ORDINALITY AS u(");
        dml_given_list(model, given, sql, dml_value);
        pipit__sql_raw(sql, ", o))");
}

/* Appends the place of the values that a row was made of, from 1. Rows are made, and come back, in
 * the order of their values, so that a key that the server stores otherwise than it was given does
 * not matter. Only where a trigger has left rows out do the others find their values by the key; a
 * row that does not find them has a place of 0. */
static void
dml_place(const struct pipit_model *model, uint64_t given, struct sql *sql)
{
        pipit__sql_raw(sql, "CASE WHEN count(*) OVER () = (SELECT count(*) FROM pipit_given) THEN "
                            "row_number() OVER () ELSE COALESCE((SELECT min(o) FROM pipit_given");
        dml_match(model, given, sql);
        pipit__sql_raw(sql, "), 0) END");
}

void
pipit__dml_insert_many(const struct pipit_model *model, uint64_t given, struct sql *sql)
{
        const struct pipit_field *made = dml_made_key(model, given);

        dml_with_values(model, given, sql);
        pipit__sql_raw(sql, ", pipit_made AS (INSERT INTO ");
        pipit__model_sql(model, sql);
        pipit__sql_raw(sql, " (");
        if (made != NULL) {
                dml_column(made, 0, sql);
                pipit__sql_raw(sql, ", ");
        }
        dml_given_list(model, given, sql, dml_column);
        /* A key that the server alone may make is allowed here, because its sequence has made it.
         */
        pipit__sql_raw(sql, made != NULL ? ") OVERRIDING SYSTEM VALUE SELECT k, " : ") SELECT ");
        dml_given_list(model, given, sql, dml_value);
        pipit__sql_raw(sql, " FROM pipit_given ORDER BY o");
        dml_returning(model, sql);
        pipit__sql_raw(sql, ") SELECT pipit_made.*, ");
        dml_place(model, given, sql);
        pipit__sql_raw(sql, " FROM pipit_made");
}

/* Appends the fields that are no key, with their values, or the default for what is unset. */
static void
dml_set(const struct pipit_model *model, const void *row, struct sql *sql)
{
        int n_set = 0;

        for (int i = 0; i < model->n_fields; i++) {
                const struct pipit_field *field = &model->fields[i];

                if (field->primary_key)
                        continue;
                pipit__sql_raw(sql, n_set++ == 0 ? " SET " : ", ");
                pipit__sql_ident(sql, pipit__field_column(field));
                if (pipit__field_is_unset(field, row)) {
                        pipit__sql_raw(sql, " = DEFAULT");
                        continue;
                }
                pipit__sql_raw(sql, " = ");
                dml_param(field, row, sql);
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
        dml_set(model, row, sql);
        dml_key(model, row, sql);
        dml_returning(model, sql);
}

void
pipit__dml_delete(const struct pipit_model *model, const void *row, struct sql *sql)
{
        pipit__sql_raw(sql, "DELETE FROM ");
        pipit__model_sql(model, sql);
        dml_key(model, row, sql);
}
