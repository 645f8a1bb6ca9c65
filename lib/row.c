/*
 * Decoded rows. They are one block that belongs to their result: the row structs, and behind them
 * the bytes of their bytea members. Their text is the result's own.
 */
#include "row.h"

#include <pipit/error.h>
#include <pipit/record.h>
#include <stdint.h>

#include "model.h"
#include "result.h"

/* Rows on their way out of a result. */
struct decoder {
        struct pipit_result *res;
        char *rows;
        uint8_t *spare; /* for the next bytea; there is room for all of them */
};

/* The room for all bytes of a column, so much as pipit__field_read() wants. */
static size_t
column_measure(const struct pipit_result *res, int column)
{
        int n_rows = pipit_result_rows(res);
        size_t size = 0;

        for (int row = 0; row < n_rows; row++)
                size += pipit_result_length(res, row, column) / 2 + 1;
        return size;
}

static size_t
spare_measure(const struct pipit_result *res, const struct pipit_model *model)
{
        size_t size = 0;

        for (int i = 0; i < model->n_fields; i++) {
                const struct pipit_field *field = &model->fields[i];

                if (field->type == PIPIT_TYPE_bytea)
                        size += column_measure(res, pipit_column(res, pipit__field_column(field)));
        }
        return size;
}

static void
decode_fail(struct pipit_result *res, const struct pipit_field *field, const char *what)
{
        pipit__result_fail(res, PIPIT_ETYPE, PIPIT_EXECUTED_YES, PIPIT_PHASE_RESULT,
                           "column \"%s\" of \"%s\" %s", pipit__field_column(field),
                           pipit__model_table(field->model), what);
}

/* One value; false when the result has become a failure. */
static bool
cell_decode(struct decoder *decoder, const struct pipit_field *field, int row, int column)
{
        size_t length = 0;
        void *place = decoder->rows + (size_t)row * field->model->row_size;
        const char *text = pipit__result_cell(decoder->res, row, column, &length);

        if (!text && !field->nullable) {
                decode_fail(decoder->res, field, "is NULL, but not declared nullable");
                return false;
        }
        if (!text) {
                pipit__field_set_null(field, place);
                return true;
        }
        if (pipit__field_read(field, place, text, length, decoder->spare) != 0) {
                decode_fail(decoder->res, field, "has a value that does not fit its member");
                return false;
        }
        if (field->type == PIPIT_TYPE_bytea)
                decoder->spare += length / 2 + 1;
        return true;
}

static bool
column_decode(struct decoder *decoder, const struct pipit_field *field)
{
        int n_rows = pipit_result_rows(decoder->res);
        int column = pipit_column(decoder->res, pipit__field_column(field));

        if (column < 0) {
                decode_fail(decoder->res, field, "is missing in the result");
                return false;
        }
        for (int row = 0; row < n_rows; row++) {
                if (!cell_decode(decoder, field, row, column))
                        return false;
        }
        return true;
}

void
pipit__row_decode(struct pipit_result *res, const struct pipit_model *model)
{
        size_t n_rows = (size_t)pipit_result_rows(res);
        size_t spare = spare_measure(res, model);
        size_t size = 0;
        struct decoder decoder = {.res = res};

        if (n_rows == 0)
                return;
        if (n_rows <= (SIZE_MAX - spare) / model->row_size) {
                size = n_rows * model->row_size;
                decoder.rows = pipit__result_attach(res, size + spare, model);
        }
        if (!decoder.rows) {
                pipit__result_fail(res, PIPIT_ENOMEM, PIPIT_EXECUTED_YES, PIPIT_PHASE_RESULT,
                                   "out of memory for the rows of \"%s\"", model->name);
                return;
        }
        decoder.spare = (uint8_t *)decoder.rows + size;
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
        char *rows = model ? pipit__result_attached(res, model) : NULL;

        if (!rows || row < 0 || row >= pipit_result_rows(res))
                return NULL;
        return rows + (size_t)row * model->row_size;
}
