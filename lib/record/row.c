/*
 * The row structs of a result are one block, which is attached to it and marked with the model. See
 * row.h.
 *
 * Rows are decoded column by column, because a column's type and its member are found once then.
 */
#include "record/row.h"

#include <pipit/error.h>
#include <pipit/record.h>
#include <stdint.h>

#include "result/result.h"
#include "result/result_error.h"
#include "result/rows.h"
#include "sql/model.h"

/* A decoder has a result that is being decoded, and its block of row structs. */
struct decoder {
        struct pipit_result *res;
        char *rows;
};

static void
decode_fail(struct pipit_result *res, const struct pipit_field *field, const char *what)
{
        pipit__result_fail(res, PIPIT_ETYPE, PIPIT_EXECUTED_YES, PIPIT_PHASE_RESULT,
                           "column \"%s\" of \"%s\" %s", pipit__field_column(field),
                           pipit__model_table(field->model), what);
}

static void
memory_fail(struct pipit_result *res, const struct pipit_model *model)
{
        pipit__result_fail(res, PIPIT_ENOMEM, PIPIT_EXECUTED_YES, PIPIT_PHASE_RESULT,
                           "out of memory for the rows of \"%s\"", model->name);
}

static void
limit_fail(struct pipit_result *res, const struct pipit_field *field)
{
        pipit__result_fail(res, PIPIT_ELIMIT, PIPIT_EXECUTED_YES, PIPIT_PHASE_RESULT,
                           "column \"%s\" of \"%s\" has a text with which those of the result "
                           "have more than %zu bytes, or that is many times its value: raise "
                           "max_result_bytes, ask for fewer rows, or have the server make the text",
                           pipit__field_column(field), pipit__model_table(field->model),
                           pipit__result_max_text_bytes(res));
}

static int
text_decode(const struct pipit_field *field, void *place, const struct pipit_item *item)
{
        const char *text = NULL;
        size_t length = 0;
        int code = pipit__rows_text(item, &text, &length);

        if (code == 0)
                pipit__field_set_text(field, place, text);
        return code;
}

static int
bytes_decode(const struct pipit_field *field, void *place, const struct pipit_item *item)
{
        struct pipit_bytes bytes = {NULL, 0};
        int code = pipit_item_bytes(item, &bytes);

        if (code == 0)
                pipit__field_set_bytes(field, place, bytes);
        return code;
}

/* Says why a value cannot be its member's: by name, where its session has another style. */
static COLD const char *
misfit_text(const struct pipit_item *item)
{
        if (pipit__rows_is_rounded(item))
                return "came as text with fewer digits than it has: extra_float_digits was set, and "
                       "pipit reads floating numbers as they come with 1";
        if (pipit__rows_has_style(item))
                return "has a value that does not fit its member; as text it is read in DateStyle "
                       "ISO only";
        return "has a value that does not fit its member";
}

/* Decodes a value that is not NULL into its member. 0, PIPIT_ETYPE, PIPIT_ELIMIT or PIPIT_ENOMEM.
 */
static int
value_decode(const struct pipit_field *field, void *place, const struct pipit_item *item)
{
        if (pipit__rows_is_rounded(item))
                return PIPIT_ETYPE;
        if (field->type == PIPIT_TYPE_text || field->type == PIPIT_TYPE_varchar)
                return text_decode(field, place, item);
        if (field->type == PIPIT_TYPE_bytea)
                return bytes_decode(field, place, item);
        return pipit__field_read(field, place, item);
}

/* Decodes a value into its member; false when the result has become a failure. */
static bool
cell_decode(const struct pipit_field *field, void *place, const struct pipit_item *item)
{
        if (item->data == NULL && !field->nullable) {
                decode_fail(item->result, field, "is NULL, but not declared nullable");
                return false;
        }
        if (item->data == NULL) {
                pipit__field_set_null(field, place);
                return true;
        }
        int code = value_decode(field, place, item);
        if (code == PIPIT_ENOMEM)
                memory_fail(item->result, field->model);
        else if (code == PIPIT_ELIMIT)
                limit_fail(item->result, field);
        else if (code != 0)
                decode_fail(item->result, field, misfit_text(item));
        return code == 0;
}

/* Decodes a column of all rows; false when the result has become a failure. */
static bool
column_decode(struct decoder *decoder, const struct pipit_field *field)
{
        int n_rows = pipit_result_rows(decoder->res);
        int column = pipit_column(decoder->res, pipit__field_column(field));
        char *place = decoder->rows;

        if (column < 0) {
                decode_fail(decoder->res, field, "is missing in the result");
                return false;
        }
        struct pipit_item item;
        pipit__rows_column(decoder->res, column, &item);
        for (int row = 0; row < n_rows; row++, place += field->model->row_size) {
                pipit__rows_cell(row, column, &item);
                if (!cell_decode(field, place, &item))
                        return false;
        }
        return true;
}

void
pipit__row_decode(struct pipit_result *res, const struct pipit_model *model)
{
        size_t n_rows = (size_t)pipit_result_rows(res);
        struct decoder decoder = {.res = res};

        if (n_rows == 0)
                return;
        if (n_rows <= SIZE_MAX / model->row_size)
                decoder.rows = pipit__result_attach(res, n_rows * model->row_size, model);
        if (decoder.rows == NULL) {
                memory_fail(res, model);
                return;
        }
        for (int i = 0; i < model->n_fields; i++) {
                if (!column_decode(&decoder, &model->fields[i]))
                        return;
        }
        for (size_t row = 0; row < n_rows; row++)
                pipit__model_set_stored(model, decoder.rows + row * model->row_size);
}

void *
pipit_record_row(struct pipit_result *res, const struct pipit_model *model, int row)
{
        char *rows = model != NULL ? pipit__result_attached(res, model) : NULL;

        if (rows == NULL || row < 0 || row >= pipit_result_rows(res))
                return NULL;
        return rows + (size_t)row * model->row_size;
}
