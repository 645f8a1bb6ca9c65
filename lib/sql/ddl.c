/*
 * The DDL of a model is written column by column, with what each field declares. See ddl.h.
 */
#include "sql/ddl.h"

#include <pipit/error.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "sql/model.h"
#include "value/codec.h"

static void
ddl_default_double(double number, struct sql *sql)
{
        char text[PIPIT__CODEC_SCALAR_SIZE];
        struct pipit_value value = pipit_value_double(number);

        pipit__codec_encode(&value, text);
        pipit__sql_literal(sql, text); /* a string, for the number may be NaN */
}

/* Whether a field's declared default is one that its type can have. */
static bool
ddl_default_fits(const struct pipit_field *field)
{
        bool is_int = field->type == PIPIT_TYPE_smallint || field->type == PIPIT_TYPE_integer ||
                      field->type == PIPIT_TYPE_bigint;
        bool is_text = field->type == PIPIT_TYPE_varchar || field->type == PIPIT_TYPE_text;
        bool is_double =
                field->type == PIPIT_TYPE_real || field->type == PIPIT_TYPE_double_precision;

        return (field->default_int == 0 || is_int) && (field->default_text == NULL || is_text) &&
               (field->default_double == 0 || is_double) &&
               (!field->default_bool || field->type == PIPIT_TYPE_boolean);
}

static void
ddl_default(const struct pipit_field *field, struct sql *sql)
{
        if (!ddl_default_fits(field))
                pipit__sql_fail(sql, PIPIT_EINVAL, "the default of \"%s\" in \"%s\" is no %s",
                                field->name, field->model->name, pipit__field_type(field));
        if (field->default_sql != NULL) {
                pipit__sql_raw(sql, " DEFAULT (");
                pipit__sql_raw(sql, field->default_sql);
                pipit__sql_raw(sql, ")");
        } else if (field->default_text != NULL) {
                pipit__sql_raw(sql, " DEFAULT ");
                pipit__sql_literal(sql, field->default_text);
        } else if (field->default_int != 0) {
                pipit__sql_raw(sql, " DEFAULT ");
                pipit__sql_number(sql, field->default_int);
        } else if (field->default_double != 0) {
                pipit__sql_raw(sql, " DEFAULT ");
                ddl_default_double(field->default_double, sql);
        } else if (field->default_bool) {
                pipit__sql_raw(sql, " DEFAULT TRUE");
        }
}

static void
ddl_column(const struct pipit_field *field, struct sql *sql)
{
        pipit__sql_ident(sql, pipit__field_column(field));
        pipit__sql_raw(sql, " ");
        pipit__sql_raw(sql, pipit__field_type(field));
        if (field->type == PIPIT_TYPE_varchar && field->max_length != 0) {
                pipit__sql_raw(sql, "(");
                pipit__sql_number(sql, field->max_length);
                pipit__sql_raw(sql, ")");
        }
        if (!field->nullable)
                pipit__sql_raw(sql, " NOT NULL");
        ddl_default(field, sql);
        if (field->unique)
                pipit__sql_raw(sql, " UNIQUE");
        if (field->check != NULL) {
                pipit__sql_raw(sql, " CHECK (");
                pipit__sql_raw(sql, field->check);
                pipit__sql_raw(sql, ")");
        }
}

static void
ddl_primary_key(const struct pipit_model *model, struct sql *sql)
{
        const char *before = ", PRIMARY KEY (";

        if (!pipit__model_has_key(model))
                return;
        for (int i = 0; i < model->n_fields; i++) {
                if (!model->fields[i].primary_key)
                        continue;
                pipit__sql_raw(sql, before);
                pipit__sql_ident(sql, pipit__field_column(&model->fields[i]));
                before = ", ";
        }
        pipit__sql_raw(sql, ")");
}

static void
ddl_table(const struct pipit_model *model, unsigned flags, struct sql *sql)
{
        pipit__sql_raw(sql, "CREATE TABLE ");
        if (flags & PIPIT_IF_NOT_EXISTS)
                pipit__sql_raw(sql, "IF NOT EXISTS ");
        pipit__model_sql(model, sql);
        for (int i = 0; i < model->n_fields; i++) {
                pipit__sql_raw(sql, i == 0 ? " (" : ", ");
                ddl_column(&model->fields[i], sql);
        }
        ddl_primary_key(model, sql);
        pipit__sql_raw(sql, ")");
}

/* Whether a field needs an index; a constraint brings its own. */
static bool
ddl_field_has_index(const struct pipit_field *field)
{
        return field->index && !field->unique && !field->primary_key;
}

/* Hashes a name by FNV-1a, which gives the same number everywhere, so that an index keeps its name.
 */
static uint32_t
ddl_name_hash(const char *name)
{
        uint32_t hash = 2166136261u;

        for (; *name; name++)
                hash = (hash ^ (unsigned char)*name) * 16777619u;
        return hash;
}

/*
 * Appends the name of an index, <table>_<column>_idx. A name that PostgreSQL would cut, and so
 * might make equal to another one, has a hash of the whole in place of its middle. Table and column
 * were checked when the table was created.
 */
static void
ddl_index_name(const struct pipit_field *field, struct sql *sql)
{
        char name[2 * (size_t)PIPIT__SQL_IDENT_MAX + sizeof("__idx")];
        int length = snprintf(name, sizeof name, "%s_%s_idx", pipit__model_table(field->model),
                              pipit__field_column(field));

        if (length < 0 || (size_t)length >= sizeof name) {
                pipit__sql_fail(sql, PIPIT_EINVAL, "the index of \"%s\" has too long a name",
                                field->name);
                return;
        }
        if (length > PIPIT__SQL_IDENT_MAX) {
                size_t keep = PIPIT__SQL_IDENT_MAX - strlen("_01234567_idx");
                uint32_t hash = ddl_name_hash(name);

                /* The name is not cut in the middle of a character. */
                while (keep > 0 && ((unsigned char)name[keep] & 0xc0) == 0x80)
                        keep--;
                snprintf(name + keep, sizeof name - keep, "_%08x_idx", (unsigned)hash);
        }
        pipit__sql_ident(sql, name);
}

static void
ddl_index(const struct pipit_field *field, unsigned flags, struct sql *sql)
{
        pipit__sql_raw(sql, "CREATE INDEX ");
        if (flags & PIPIT_IF_NOT_EXISTS)
                pipit__sql_raw(sql, "IF NOT EXISTS ");
        ddl_index_name(field, sql);
        pipit__sql_raw(sql, " ON ");
        pipit__model_sql(field->model, sql);
        pipit__sql_raw(sql, " (");
        pipit__sql_ident(sql, pipit__field_column(field));
        pipit__sql_raw(sql, ")");
}

static void
ddl_check_flags(unsigned flags, unsigned allowed, struct sql *sql)
{
        if (flags & ~allowed)
                pipit__sql_fail(sql, PIPIT_EINVAL, "flags 0x%x have no meaning here",
                                flags & ~allowed);
}

int
pipit__ddl_count(const struct pipit_model *model)
{
        int n = 1;

        for (int i = 0; i < model->n_fields; i++)
                n += ddl_field_has_index(&model->fields[i]) ? 1 : 0;
        return n;
}

void
pipit__ddl_create(const struct pipit_model *model, unsigned flags, int number, struct sql *sql)
{
        ddl_check_flags(flags, PIPIT_IF_NOT_EXISTS, sql);
        if (number == 0) {
                ddl_table(model, flags, sql);
                return;
        }
        for (int i = 0; i < model->n_fields; i++) {
                const struct pipit_field *field = &model->fields[i];

                if (ddl_field_has_index(field) && --number == 0)
                        ddl_index(field, flags, sql);
        }
}

void
pipit__ddl_drop(const struct pipit_model *model, unsigned flags, struct sql *sql)
{
        ddl_check_flags(flags, PIPIT_IF_EXISTS | PIPIT_CASCADE, sql);
        pipit__sql_raw(sql, "DROP TABLE ");
        if (flags & PIPIT_IF_EXISTS)
                pipit__sql_raw(sql, "IF EXISTS ");
        pipit__model_sql(model, sql);
        if (flags & PIPIT_CASCADE)
                pipit__sql_raw(sql, " CASCADE");
}
