/*
 * A row struct is known by the offsets of its members only. See model.h.
 *
 * Each member is read and written with its own C type, which the field's type tells.
 */
#include "sql/model.h"

#include <pipit/error.h>
#include <string.h>

#include "base/reserved.h"
#include "value/decode.h"
#include "value/oid.h"

struct type {
        const char *name; /* in SQL */
        size_t size;      /* in C */
        uint32_t oid;     /* of its values */
};

/* The types are indexed by enum pipit_type. */
static const struct type types[] = {
        [PIPIT_TYPE_serial] = {"serial", sizeof(int32_t), OID_INT4},
        [PIPIT_TYPE_bigserial] = {"bigserial", sizeof(int64_t), OID_INT8},
        [PIPIT_TYPE_boolean] = {"boolean", sizeof(bool), OID_BOOL},
        [PIPIT_TYPE_smallint] = {"smallint", sizeof(int16_t), OID_INT2},
        [PIPIT_TYPE_integer] = {"integer", sizeof(int32_t), OID_INT4},
        [PIPIT_TYPE_bigint] = {"bigint", sizeof(int64_t), OID_INT8},
        [PIPIT_TYPE_real] = {"real", sizeof(float), OID_FLOAT4},
        [PIPIT_TYPE_double_precision] = {"double precision", sizeof(double), OID_FLOAT8},
        [PIPIT_TYPE_varchar] = {"varchar", sizeof(const char *), OID_VARCHAR},
        [PIPIT_TYPE_text] = {"text", sizeof(const char *), OID_TEXT},
        [PIPIT_TYPE_bytea] = {"bytea", sizeof(struct pipit_bytes), OID_BYTEA},
        [PIPIT_TYPE_timestamp] = {"timestamp", sizeof(struct pipit_timestamp), OID_TIMESTAMP},
        [PIPIT_TYPE_timestamptz] = {"timestamptz", sizeof(struct pipit_timestamp), OID_TIMESTAMPTZ},
        [PIPIT_TYPE_uuid] = {"uuid", sizeof(struct pipit_uuid), OID_UUID},
};

/* Returns the type of a field. A model may come from a later version of pipit, with types that are
 * not known here: those have no bytes, and model_check() refuses them. */
static const struct type *
type_of(const struct pipit_field *field)
{
        static const struct type unknown = {"", 0, 0};

        return (size_t)field->type < sizeof types / sizeof *types ? &types[field->type] : &unknown;
}

const char *
pipit__model_table(const struct pipit_model *model)
{
        return model->table != NULL ? model->table : model->name;
}

const char *
pipit__field_column(const struct pipit_field *field)
{
        return field->column != NULL ? field->column : field->name;
}

const char *
pipit__field_type(const struct pipit_field *field)
{
        return type_of(field)->name;
}

uint32_t
pipit__field_oid(const struct pipit_field *field)
{
        return type_of(field)->oid;
}

static void
field_check(const struct pipit_field *field, struct sql *sql)
{
        if (type_of(field)->size == 0)
                pipit__sql_fail(sql, PIPIT_EINVAL, "the type %d of field \"%s\" is unknown",
                                (int)field->type, field->name);
        if (!reserved_is_empty(field->reserved))
                pipit__sql_fail(sql, PIPIT_EINVAL,
                                "the reserved members of field \"%s\" " RESERVED_PROBLEM,
                                field->name);
}

static void
model_check(const struct pipit_model *model, struct sql *sql)
{
        if (!reserved_is_empty(model->reserved))
                pipit__sql_fail(sql, PIPIT_EINVAL,
                                "the reserved members of model \"%s\" " RESERVED_PROBLEM,
                                model->name);
        for (int i = 0; i < model->n_fields; i++)
                field_check(&model->fields[i], sql);
}

void
pipit__model_sql(const struct pipit_model *model, struct sql *sql)
{
        model_check(model, sql);
        if (model->schema != NULL) {
                pipit__sql_ident(sql, model->schema);
                pipit__sql_raw(sql, ".");
        }
        pipit__sql_ident(sql, pipit__model_table(model));
}

void
pipit__field_sql(const struct pipit_field *field, struct sql *sql)
{
        pipit__sql_ident(sql, pipit__model_table(field->model));
        pipit__sql_raw(sql, ".");
        pipit__sql_ident(sql, pipit__field_column(field));
}

void
pipit__model_columns_sql(const struct pipit_model *model, struct sql *sql)
{
        for (int i = 0; i < model->n_fields; i++) {
                if (i > 0)
                        pipit__sql_raw(sql, ", ");
                pipit__field_sql(&model->fields[i], sql);
        }
}

static const void *
model_row_at(const void *row, size_t offset)
{
        return (const char *)row + offset;
}

static void *
model_row_place(void *row, size_t offset)
{
        return (char *)row + offset;
}

bool
pipit__model_is_stored(const struct pipit_model *model, const void *row)
{
        const bool *stored = model_row_at(row, model->stored_offset);

        return *stored;
}

void
pipit__model_set_stored(const struct pipit_model *model, void *row)
{
        bool *stored = model_row_place(row, model->stored_offset);

        *stored = true;
}

bool
pipit__model_has_key(const struct pipit_model *model)
{
        for (int i = 0; i < model->n_fields; i++) {
                if (model->fields[i].primary_key)
                        return true;
        }
        return false;
}

static bool
field_is_serial(const struct pipit_field *field)
{
        return field->type == PIPIT_TYPE_serial || field->type == PIPIT_TYPE_bigserial;
}

bool
pipit__field_is_unique(const struct pipit_field *field)
{
        int n_keys = 0;

        for (int i = 0; i < field->model->n_fields; i++)
                n_keys += field->model->fields[i].primary_key;
        return field->unique || (field->primary_key && n_keys == 1);
}

bool
pipit__field_has_default(const struct pipit_field *field)
{
        return field->default_sql != NULL || field->default_text != NULL || field->default_bool ||
               field->default_int != 0 || field->default_double != 0 || field_is_serial(field);
}

bool
pipit__field_is_generated(const struct pipit_field *field)
{
        return field_is_serial(field) || (field->primary_key && field->default_sql != NULL);
}

/* Returns the offset of the field's byte in `null`. */
static size_t
field_null_offset(const struct pipit_field *field)
{
        return field->model->null_offset + (size_t)(field - field->model->fields);
}

static void
field_mark(const struct pipit_field *field, void *row, enum pipit_member member)
{
        unsigned char *null = model_row_place(row, field_null_offset(field));

        *null = (unsigned char)member;
}

enum pipit_member
pipit__field_member(const struct pipit_field *field, const void *row)
{
        const unsigned char *null = model_row_at(row, field_null_offset(field));

        return (enum pipit_member) * null;
}

bool
pipit__field_is_zero(const struct pipit_field *field, const void *row)
{
        static const char zeros[sizeof(struct pipit_uuid)];

        /* Bytes are zero only if they point nowhere, whatever their length says. */
        if (field->type == PIPIT_TYPE_bytea)
                return ((const struct pipit_bytes *)model_row_at(row, field->offset))->data == NULL;
        return memcmp(model_row_at(row, field->offset), zeros, type_of(field)->size) == 0;
}

bool
pipit__field_is_unset(const struct pipit_field *field, const void *row)
{
        return pipit__field_member(field, row) == PIPIT_MEMBER_UNSET &&
               pipit__field_is_zero(field, row);
}

struct pipit_value
pipit__field_get(const struct pipit_field *field, const void *row)
{
        const void *at = model_row_at(row, field->offset);

        if (pipit__field_member(field, row) == PIPIT_MEMBER_NULL)
                return pipit_value_null();
        switch (field->type) {
        case PIPIT_TYPE_boolean: return pipit_value_bool(*(const bool *)at);
        case PIPIT_TYPE_smallint: return pipit_value_int(*(const int16_t *)at);
        case PIPIT_TYPE_serial:
        case PIPIT_TYPE_integer: return pipit_value_int(*(const int32_t *)at);
        case PIPIT_TYPE_bigserial:
        case PIPIT_TYPE_bigint: return pipit_value_int(*(const int64_t *)at);
        case PIPIT_TYPE_real: return pipit_value_float(*(const float *)at);
        case PIPIT_TYPE_double_precision: return pipit_value_double(*(const double *)at);
        case PIPIT_TYPE_varchar:
        case PIPIT_TYPE_text: return pipit_value_text(*(const char *const *)at);
        case PIPIT_TYPE_bytea: return pipit_value_bytes(*(const struct pipit_bytes *)at);
        case PIPIT_TYPE_timestamp:
        case PIPIT_TYPE_timestamptz:
                return pipit_value_timestamp(*(const struct pipit_timestamp *)at);
        case PIPIT_TYPE_uuid: return pipit_value_uuid(*(const struct pipit_uuid *)at);
        }
        return pipit_value_null();
}

void
pipit__field_set_null(const struct pipit_field *field, void *row)
{
        memset(model_row_place(row, field->offset), 0, type_of(field)->size);
        field_mark(field, row, PIPIT_MEMBER_NULL);
}

int
pipit__field_read(const struct pipit_field *field, void *row, const struct pipit_item *item)
{
        void *at = model_row_place(row, field->offset);

        switch (field->type) {
        case PIPIT_TYPE_boolean: return pipit__decode_bool(item, at);
        case PIPIT_TYPE_smallint: return pipit__decode_int16(item, at);
        case PIPIT_TYPE_serial:
        case PIPIT_TYPE_integer: return pipit__decode_int32(item, at);
        case PIPIT_TYPE_bigserial:
        case PIPIT_TYPE_bigint: return pipit__decode_int64(item, at);
        case PIPIT_TYPE_real: return pipit__decode_float(item, at);
        case PIPIT_TYPE_double_precision: return pipit__decode_double(item, at);
        case PIPIT_TYPE_timestamp:
        case PIPIT_TYPE_timestamptz: return pipit__decode_timestamp(item, at);
        case PIPIT_TYPE_uuid: return pipit__decode_uuid(item, at);
        case PIPIT_TYPE_varchar:
        case PIPIT_TYPE_text:
        case PIPIT_TYPE_bytea: break;
        }
        return PIPIT_ETYPE;
}

void
pipit__field_set_text(const struct pipit_field *field, void *row, const char *text)
{
        *(const char **)model_row_place(row, field->offset) = text;
}

void
pipit__field_set_bytes(const struct pipit_field *field, void *row, struct pipit_bytes bytes)
{
        *(struct pipit_bytes *)model_row_place(row, field->offset) = bytes;
}

/* Sets a member to its declared default, if the field has one that C can know. */
static void
field_init(const struct pipit_field *field, void *row)
{
        void *at = model_row_place(row, field->offset);

        switch (field->type) {
        case PIPIT_TYPE_boolean: *(bool *)at = field->default_bool; break;
        case PIPIT_TYPE_smallint: *(int16_t *)at = (int16_t)field->default_int; break;
        case PIPIT_TYPE_integer: *(int32_t *)at = (int32_t)field->default_int; break;
        case PIPIT_TYPE_bigint: *(int64_t *)at = field->default_int; break;
        case PIPIT_TYPE_real: *(float *)at = (float)field->default_double; break;
        case PIPIT_TYPE_double_precision: *(double *)at = field->default_double; break;
        case PIPIT_TYPE_varchar:
        case PIPIT_TYPE_text: *(const char **)at = field->default_text; break;
        case PIPIT_TYPE_serial:
        case PIPIT_TYPE_bigserial:
        case PIPIT_TYPE_bytea:
        case PIPIT_TYPE_timestamp:
        case PIPIT_TYPE_timestamptz:
        case PIPIT_TYPE_uuid: break;
        }
}

void
pipit_record_init(const struct pipit_model *model, void *row)
{
        if (model == NULL || row == NULL)
                return;
        memset(row, 0, model->row_size);
        for (int i = 0; i < model->n_fields; i++) {
                const struct pipit_field *field = &model->fields[i];

                field_init(field, row);
                if (field->default_sql != NULL ||
                    (field->nullable && !pipit__field_has_default(field)))
                        field_mark(field, row, PIPIT_MEMBER_UNSET);
        }
}
