/*
 * Bound statements. See bound_stmt.h.
 *
 * The block: the struct, the values' addresses, and, where the types are known, their lengths and
 * formats; then the values.
 */
#include "request/bound_stmt.h"

#include <pipit/error.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cold.h"
#include "request/stmt.h"
#include "value/encode.h"

static COLD int
problem_set(struct stmt_problem *problem, int code, int parameter, const char *text)
{
        *problem = (struct stmt_problem){code, parameter, text};
        return code;
}

static COLD const char *
value_problem(const struct pipit_value *value, int code)
{
        if (value->reserved != 0)
                return "the reserved member of a value must be 0: it is for later versions of "
                       "pipit";
        if (code == PIPIT_ETYPE)
                return "a text value holds a zero byte, which PostgreSQL cannot store";
        return "a value of a type that PIPIT_PARAMS does not know";
}

int
pipit__bound_stmt_check(const char *sql, struct pipit_params params,
                        struct stmt_problem *ret_problem)
{
        if (sql == NULL || params.n < 0 || (params.n > 0 && params.values == NULL))
                return problem_set(ret_problem, PIPIT_EINVAL, 0,
                                   "pipit_query() needs an SQL text and its parameters");
        if (params.n > STMT_MAX_PARAMS)
                return problem_set(ret_problem, PIPIT_ELIMIT, 0,
                                   "a statement takes at most 65535 parameters");
        return 0;
}

/* The bytes in front of n values, which have formats where their types are known. */
static size_t
head_size(int n, bool has_formats)
{
        size_t size = sizeof(struct bound_stmt) + (size_t)n * sizeof(char *);

        return has_formats ? size + (size_t)n * 2 * sizeof(int) : size;
}

/* The type of parameter i; 0 while types is NULL, for they are not known. */
static uint32_t
param_type(const uint32_t *types, int i)
{
        return types != NULL ? types[i] : 0;
}

int
pipit__bound_stmt_measure(const struct stmt *stmt, struct pipit_params params, size_t *ret_size,
                          struct stmt_problem *ret_problem)
{
        const uint32_t *types = pipit__stmt_types(stmt, params.n);
        size_t size = head_size(params.n, types != NULL);

        for (int i = 0; i < params.n; i++) {
                size_t taken = 0;
                int code = pipit__encode_measure(&params.values[i], param_type(types, i), &taken);
                if (code != 0)
                        return problem_set(ret_problem, code, i + 1,
                                           value_problem(&params.values[i], code));
                if (taken > SIZE_MAX / 2 - size)
                        return problem_set(ret_problem, PIPIT_ELIMIT, i + 1, "too long");
                size += taken;
        }
        *ret_size = size;
        return 0;
}

/* The arrays of a block. */
struct arrays {
        const char **values;
        int *lengths; /* NULL while types are not known */
        int *formats; /* likewise */
};

/* Begins a block, whose values are still to be written. */
static struct arrays
bound_stmt_init(struct bound_stmt *bound, struct stmt *stmt, int n, bool has_formats)
{
        struct arrays arrays = {.values = (const char **)(void *)(bound + 1)};

        if (has_formats && n > 0) {
                arrays.lengths = (int *)(void *)(arrays.values + n);
                arrays.formats = arrays.lengths + n;
        }
        *bound = (struct bound_stmt){.stmt = stmt,
                                     .params = {.n = n,
                                                .values = arrays.values,
                                                .lengths = arrays.lengths,
                                                .formats = arrays.formats}};
        return arrays;
}

/* Ends a block, with so many bytes of values. */
static struct bound_stmt *
bound_stmt_finish(struct bound_stmt *bound, size_t bytes)
{
        bound->bytes = pipit__stmt_length(bound->stmt) + 1 + bytes;
        return bound;
}

struct bound_stmt *
pipit__bound_stmt_write(void *block, struct stmt *stmt, struct pipit_params params)
{
        const uint32_t *types = pipit__stmt_types(stmt, params.n);
        struct arrays arrays = bound_stmt_init(block, stmt, params.n, types != NULL);
        char *start = (char *)block + head_size(params.n, types != NULL);
        char *out = start;

        for (int i = 0; i < params.n; i++) {
                struct encoded encoded =
                        pipit__encode(&params.values[i], param_type(types, i), out);
                arrays.values[i] = encoded.taken > 0 ? out : NULL;
                if (arrays.lengths != NULL) {
                        arrays.lengths[i] = (int)encoded.length;
                        arrays.formats[i] = (int)encoded.format;
                }
                out += encoded.taken;
        }
        return bound_stmt_finish(block, (size_t)(out - start));
}

size_t
pipit__bound_stmt_raw_size(const struct pq_params *params)
{
        size_t size = head_size(params->n, true);

        for (int i = 0; i < params->n; i++)
                size += (size_t)params->lengths[i] + 1;
        return size;
}

struct bound_stmt *
pipit__bound_stmt_write_raw(void *block, struct stmt *stmt, const struct pq_params *params)
{
        struct arrays arrays = bound_stmt_init(block, stmt, params->n, true);
        char *start = (char *)block + head_size(params->n, true);
        char *out = start;

        for (int i = 0; i < params->n; i++) {
                size_t length = (size_t)params->lengths[i];
                arrays.values[i] =
                        params->values[i] != NULL ? memcpy(out, params->values[i], length) : NULL;
                arrays.lengths[i] = params->lengths[i];
                arrays.formats[i] = params->formats[i];
                out[length] = '\0';
                out += length + 1;
        }
        return bound_stmt_finish(block, (size_t)(out - start));
}

uint32_t
pipit__bound_stmt_type(const struct bound_stmt *bound, int i)
{
        return param_type(pipit__stmt_types(bound->stmt, bound->params.n), i);
}

int
pipit__bound_stmt_send(const struct bound_stmt *bound, struct pg_conn *pq, bool by_name)
{
        return pipit__stmt_send(bound->stmt, pq, &bound->params, by_name);
}

/* ---- for another statement */

/* Appends a parameter as text, with a NUL after it; nothing for SQL NULL. 0 or PIPIT_ENOMEM. */
static int
param_text(const struct bound_stmt *bound, int i, struct buf *text)
{
        const struct pq_params *params = &bound->params;
        const char *value = params->values[i];
        int code = 0;

        if (value == NULL)
                return 0;
        if (params->formats == NULL || params->formats[i] == 0)
                pipit__buf_add_text(text, value);
        else
                code = pipit__encode_text(pipit__bound_stmt_type(bound, i), value,
                                          (size_t)params->lengths[i], text);
        pipit__buf_add_char(text, '\0');
        return text->failed ? PIPIT_ENOMEM : code;
}

/* Writes the texts of all values, one after the other, into a block of memory; NULL when there is
 * none. */
static struct bound_stmt *
bound_stmt_of_texts(const struct pq_params *params, struct stmt *stmt, const struct buf *text)
{
        bool has_formats = pipit__stmt_types(stmt, params->n) != NULL;
        size_t head = head_size(params->n, has_formats);
        struct bound_stmt *bound = malloc(head + text->length);

        if (bound == NULL)
                return NULL;
        struct arrays arrays = bound_stmt_init(bound, stmt, params->n, has_formats);
        char *out = (char *)bound + head;
        memcpy(out, pipit__buf_text(text), text->length);
        for (int i = 0; i < params->n; i++) {
                arrays.values[i] = params->values[i] != NULL ? out : NULL;
                if (params->values[i] != NULL)
                        out += strlen(out) + 1;
                if (arrays.lengths != NULL)
                        arrays.lengths[i] = arrays.formats[i] = 0;
        }
        return bound_stmt_finish(bound, text->length);
}

struct bound_stmt *
pipit__bound_stmt_rewrite(const struct bound_stmt *bound, struct stmt *stmt)
{
        struct bound_stmt *copy = NULL;
        struct buf text;
        int code = 0;

        pipit__buf_init(&text);
        for (int i = 0; i < bound->params.n && code == 0; i++)
                code = param_text(bound, i, &text);
        if (code == 0)
                copy = bound_stmt_of_texts(&bound->params, stmt, &text);
        pipit__buf_fini(&text);
        return copy;
}

void
pipit__bound_stmt_fini(struct bound_stmt *bound)
{
        if (bound != NULL)
                pipit__stmt_unref(bound->stmt);
}
