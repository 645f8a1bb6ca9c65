/*
 * Cargo. See cargo.h.
 */
#include "pool/cargo.h"

#include <limits.h>
#include <pipit/error.h>
#include <string.h>

#include "base/list.h"
#include "pq/pq.h"
#include "request/bound_stmt.h"
#include "request/request.h"
#include "request/stmt_cache.h"
#include "value/array.h"
#include "value/binary.h"
#include "value/binary_type.h"
#include "value/oid.h"

/* One parameter of all statements. */
struct column {
        const struct list *requests;
        int i;
        uint32_t element; /* the type in the array; 0: not known */
        struct buf *out;
};

/* One value; data NULL is SQL NULL. */
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
        const struct bound_stmt *bound = container_of(link, struct request, link)->bound;
        const struct pq_params *params = &bound->params;
        struct value value = {.data = params->values[column->i]};

        if (value.data == NULL)
                return value;
        value.binary = params->formats != NULL && params->formats[column->i] == 1;
        value.length = value.binary ? (size_t)params->lengths[column->i] : strlen(value.data);
        if (params->formats != NULL)
                value.type = bound->stmt->types[column->i];
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
column_write_text(const struct column *column)
{
        struct buf text;
        int code = 0;
        int n = 0;

        pipit__buf_init(&text);
        LIST_EACH(link, column->requests) {
                struct value value = column_value(column, link);
                if (value.data != NULL && value.binary) {
                        pipit__buf_clear(&text);
                        code = pipit__binary_text(value.type, value.data, value.length, &text);
                        value.data = pipit__buf_text(&text);
                }
                if (code != 0)
                        break;
                pipit__array_add_text(column->out, n++, value.data);
        }
        pipit__array_end_text(column->out);
        pipit__buf_fini(&text);
        return code;
}

/* What the arrays of a parameter are of; 0 when that is not known. */
static uint32_t
stmt_element(const struct stmt *stmt, int n_params, int i)
{
        const struct binary_type *type =
                stmt->n_types == n_params ? pipit__binary_type_find(stmt->types[i]) : NULL;

        return type != NULL && type->form == BINARY_ARRAY ? type->element : 0;
}

/* The addresses of what is complete now. */
static int
cargo_finish(struct cargo *cargo)
{
        const char *at = pipit__buf_text(&cargo->bytes);

        if (cargo->bytes.failed)
                return PIPIT_ENOMEM;
        for (int i = 0; i < cargo->n; i++) {
                cargo->values[i] = at;
                at += cargo->lengths[i] + 1;
        }
        return 0;
}

int
pipit__cargo_load(struct cargo *cargo, const struct list *requests, const struct stmt *stmt,
                  int n_params)
{
        cargo->n = n_params;
        pipit__buf_init(&cargo->bytes);
        for (int i = 0; i < n_params; i++) {
                struct column column = {.requests = requests,
                                        .i = i,
                                        .element = stmt_element(stmt, n_params, i),
                                        .out = &cargo->bytes};
                size_t start = cargo->bytes.length;
                bool has_null = false;
                int n = 0;
                int code = 0;
                cargo->formats[i] = column_is_binary(&column, &n, &has_null);
                if (cargo->formats[i] == 1)
                        column_write_binary(&column, n, has_null);
                else
                        code = column_write_text(&column);
                if (code != 0 || cargo->bytes.length - start > INT_MAX)
                        return code != 0 ? code : PIPIT_ELIMIT;
                cargo->lengths[i] = (int)(cargo->bytes.length - start);
                pipit__buf_add_char(&cargo->bytes, '\0');
        }
        return cargo_finish(cargo);
}

void
pipit__cargo_fini(struct cargo *cargo)
{
        pipit__buf_fini(&cargo->bytes);
}

struct pq_params
pipit__cargo_params(const struct cargo *cargo)
{
        return (struct pq_params){.n = cargo->n,
                                  .values = cargo->values,
                                  .lengths = cargo->lengths,
                                  .formats = cargo->formats};
}
