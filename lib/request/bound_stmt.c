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
#include "request/stmt.h"
#include "request/stmt_types.h"
#include "value/encode.h"
#include "value/fits.h"

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
param_type(const struct stmt_types *types, int i)
{
        return types != NULL ? types->params[i] : 0;
}

/* Measures values as the form's types say, up to the first that does not fit. */
static int
bound_stmt_measure_as(struct pipit_params params, struct bound_form *form,
                      struct stmt_problem *ret_problem)
{
        bool fits = true;

        form->size = head_size(params.n, form->types != NULL);
        for (int i = 0; i < params.n && fits; i++) {
                size_t taken = 0;
                int code = pipit__encode_measure(&params.values[i], param_type(form->types, i),
                                                 &taken, &fits);
                if (code != 0)
                        return problem_set(ret_problem, code, i + 1,
                                           value_problem(&params.values[i], code));
                if (taken > SIZE_MAX / 2 - form->size)
                        return problem_set(ret_problem, PIPIT_ELIMIT, i + 1, "too long");
                form->size += taken;
        }
        form->is_misfit |= !fits;
        return 0;
}

int
pipit__bound_stmt_measure(const struct stmt *stmt, struct pipit_params params,
                          struct bound_form *ret_form, struct stmt_problem *ret_problem)
{
        *ret_form = (struct bound_form){.types = pipit__stmt_types(stmt, params.n)};
        int code = bound_stmt_measure_as(params, ret_form, ret_problem);

        if (code != 0 || !ret_form->is_misfit)
                return code;
        ret_form->types = NULL;
        return bound_stmt_measure_as(params, ret_form, ret_problem);
}

/* The arrays of a block. */
struct arrays {
        const char **values;
        int *lengths; /* NULL while types are not known */
        int *formats; /* likewise */
};

/* Begins a block of n values, which are still to be written as the form says. Values that are raw
 * have formats in any form. */
static struct arrays
bound_stmt_init(struct bound_stmt *bound, struct stmt *stmt, int n, const struct bound_form *form,
                bool is_raw)
{
        struct arrays arrays = {.values = (const char **)(void *)(bound + 1)};

        if ((form->types != NULL || is_raw) && n > 0) {
                arrays.lengths = (int *)(void *)(arrays.values + n);
                arrays.formats = arrays.lengths + n;
        }
        *bound = (struct bound_stmt){.stmt = stmt,
                                     .types = pipit__stmt_types_ref(form->types),
                                     .is_misfit = form->is_misfit,
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
        size_t all = pipit__stmt_length(bound->stmt) + 1 + bytes;

        bound->bytes = all < UINT32_MAX ? (uint32_t)all : UINT32_MAX;
        return bound;
}

struct bound_stmt *
pipit__bound_stmt_write(void *block, struct stmt *stmt, struct pipit_params params,
                        const struct bound_form *form)
{
        struct arrays arrays = bound_stmt_init(block, stmt, params.n, form, false);
        char *start = (char *)block + head_size(params.n, form->types != NULL);
        char *out = start;

        for (int i = 0; i < params.n; i++) {
                struct encoded encoded =
                        pipit__encode(&params.values[i], param_type(form->types, i), out);
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
pipit__bound_stmt_write_raw(void *block, struct stmt *stmt, const struct pq_params *params,
                            const struct bound_form *form)
{
        struct arrays arrays = bound_stmt_init(block, stmt, params->n, form, true);
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
        return param_type(bound->types, i);
}

/* ---- for other types */

bool
pipit__bound_stmt_fits(const struct bound_stmt *bound, const struct stmt_types *types)
{
        const struct pq_params *params = &bound->params;

        if (types->n_params != params->n)
                return false; /* the server has an error for this */
        for (int i = 0; i < params->n; i++) {
                const char *value = params->values[i];
                if (value != NULL && !pipit__text_fits(types->params[i], value, strlen(value)))
                        return false;
        }
        return true;
}

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
bound_stmt_of_texts(const struct bound_stmt *old, const struct buf *text)
{
        const struct pq_params *params = &old->params;
        struct bound_form form = {.size = head_size(params->n, false) + text->length,
                                  .is_misfit = old->is_misfit};
        struct bound_stmt *bound = malloc(form.size);

        if (bound == NULL)
                return NULL;
        struct arrays arrays =
                bound_stmt_init(bound, pipit__stmt_ref(old->stmt), params->n, &form, false);
        char *out = (char *)bound + head_size(params->n, false);
        memcpy(out, pipit__buf_text(text), text->length);
        for (int i = 0; i < params->n; i++) {
                arrays.values[i] = params->values[i] != NULL ? out : NULL;
                if (params->values[i] != NULL)
                        out += strlen(out) + 1;
        }
        bound->bytes = old->bytes;
        return bound;
}

struct bound_stmt *
pipit__bound_stmt_rewrite(const struct bound_stmt *bound)
{
        struct bound_stmt *copy = NULL;
        struct buf text;
        int code = 0;

        pipit__buf_init(&text);
        for (int i = 0; i < bound->params.n && code == 0; i++)
                code = param_text(bound, i, &text);
        if (code == 0)
                copy = bound_stmt_of_texts(bound, &text);
        pipit__buf_fini(&text);
        return copy;
}

void
pipit__bound_stmt_fini(struct bound_stmt *bound)
{
        if (bound == NULL)
                return;
        pipit__stmt_types_unref(bound->types);
        pipit__stmt_unref(bound->stmt);
}
