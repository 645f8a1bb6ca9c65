/*
 * Parameters of coalesced statements. See coalesce_params.h.
 */
#include "pool/coalesce_params.h"

#include <limits.h>
#include <pipit/error.h>
#include <string.h>

#include "base/list.h"
#include "pq/pq.h"
#include "request/request.h"
#include "request/stmt.h"
#include "request/stmt_types.h"
#include "value/array.h"
#include "value/binary_type.h"
#include "value/encode.h"
#include "value/fits.h"
#include "value/oid.h"

/* A column is one parameter of all statements. */
struct column {
        const struct list *requests;
        int i;
        uint32_t element; /* the type in the array; 0: not known */
        bool is_misfit;   /* one of its texts does not fit that */
        struct buf *out;
};

/* A value; data NULL is SQL NULL. */
struct value {
        const char *data;
        size_t length;
        bool binary;
        uint32_t type; /* 0: not known */
};

static bool
type_is_text(uint32_t type)
{
        return type == OID_TEXT || type == OID_VARCHAR;
}

static struct value
column_value(const struct column *column, struct list *link)
{
        const struct bound_stmt *bound = pipit__request_bound(pipit__request_of(link));
        const struct pq_params *params = &bound->params;
        struct value value = {.data = params->values[column->i]};

        if (value.data == NULL)
                return value;
        value.binary = params->formats != NULL && params->formats[column->i] == 1;
        value.length = value.binary ? (size_t)params->lengths[column->i] : strlen(value.data);
        if (params->formats != NULL)
                value.type = pipit__bound_stmt_type(bound, column->i);
        return value;
}

/* Whether all values have the binary form of the element's type, and how many they are. */
static bool
column_is_binary(const struct column *column, int *ret_n, bool *ret_has_null)
{
        bool text = type_is_text(column->element);
        bool has_null = false;
        int n = 0;

        if (column->element == 0)
                return false;
        LIST_EACH(link, column->requests) {
                struct value value = column_value(column, link);
                n++;
                if (value.data == NULL)
                        has_null = true;
                else if (text ? value.binary && !type_is_text(value.type)
                              : !value.binary || value.type != column->element)
                        return false;
        }
        *ret_n = n;
        *ret_has_null = has_null;
        return true;
}

static void
column_write_binary(const struct column *column, int n, bool has_null)
{
        pipit__array_begin_binary(column->out, column->element, n, has_null);
        LIST_EACH(link, column->requests) {
                struct value value = column_value(column, link);
                pipit__array_add_binary(column->out, value.data, value.length);
        }
}

/* 0, or a PIPIT_E code. */
static int
column_write_text(struct column *column)
{
        struct buf text;
        int code = 0;
        int n = 0;

        pipit__buf_init(&text);
        LIST_EACH(link, column->requests) {
                struct value value = column_value(column, link);
                if (value.data != NULL && value.binary) {
                        pipit__buf_clear(&text);
                        code = pipit__encode_text(value.type, value.data, value.length, &text);
                        value.data = pipit__buf_text(&text);
                }
                if (code != 0)
                        break;
                if (value.data != NULL)
                        column->is_misfit |=
                                !pipit__text_fits(column->element, value.data, strlen(value.data));
                pipit__array_add_text(column->out, n++, value.data);
        }
        pipit__array_end_text(column->out);
        pipit__buf_fini(&text);
        return code;
}

/* The element type of a parameter's arrays; 0 when that is not known. */
static uint32_t
types_element(const struct stmt_types *types, int i)
{
        const struct binary_type *type =
                types != NULL ? pipit__binary_type_find(types->params[i]) : NULL;

        return type != NULL && type->form == BINARY_ARRAY ? type->element : 0;
}

/* The addresses of what is complete now. */
static int
coalesce_params_finish(struct coalesce_params *arrays)
{
        const char *at = pipit__buf_text(&arrays->bytes);

        if (arrays->bytes.failed)
                return PIPIT_ENOMEM;
        for (int i = 0; i < arrays->n; i++) {
                arrays->values[i] = at;
                at += arrays->lengths[i] + 1;
        }
        return 0;
}

int
pipit__coalesce_params_write(struct coalesce_params *arrays, const struct list *requests,
                             const struct stmt *stmt, int n_params)
{
        arrays->n = n_params;
        arrays->form = (struct bound_form){.types = pipit__stmt_types(stmt, n_params)};
        pipit__buf_init(&arrays->bytes);
        for (int i = 0; i < n_params; i++) {
                struct column column = {.requests = requests,
                                        .i = i,
                                        .element = types_element(arrays->form.types, i),
                                        .out = &arrays->bytes};
                size_t start = arrays->bytes.length;
                bool has_null = false;
                int n = 0;
                int code = 0;
                arrays->formats[i] = column_is_binary(&column, &n, &has_null);
                if (arrays->formats[i] == 1)
                        column_write_binary(&column, n, has_null);
                else
                        code = column_write_text(&column);
                arrays->form.is_misfit |= column.is_misfit;
                if (code != 0 || arrays->bytes.length - start > INT_MAX)
                        return code != 0 ? code : PIPIT_ELIMIT;
                arrays->lengths[i] = (int)(arrays->bytes.length - start);
                pipit__buf_add_char(&arrays->bytes, '\0');
        }
        return coalesce_params_finish(arrays);
}

void
pipit__coalesce_params_fini(struct coalesce_params *arrays)
{
        pipit__buf_fini(&arrays->bytes);
}

struct pq_params
pipit__coalesce_params_params(const struct coalesce_params *arrays)
{
        return (struct pq_params){.n = arrays->n,
                                  .values = arrays->values,
                                  .lengths = arrays->lengths,
                                  .formats = arrays->formats};
}
