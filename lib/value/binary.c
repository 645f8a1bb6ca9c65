/*
 * The text of values in binary form. Scalars have their writers; what holds other values is written
 * here, each value in it with the quotes that the server would have used.
 */
#include "value/binary.h"

#include <pipit/error.h>
#include <string.h>
#include <strings.h>

#include "value/binary_type.h"
#include "value/nested.h"
#include "value/number.h"
#include "value/oid.h"

enum {
        DEPTH_MAX = 16,           /* composites in composites */
        TEXT_MAX = (1 << 30) - 1, /* as in the server */
};

/* When the text of a value needs quotes, and what is in front of a quote in it. */
struct quoting {
        const char *specials; /* besides white space */
        bool doubled;         /* a quote is written twice; else behind a backslash */
};

static const struct quoting array_quoting = {"\"\\{},", false};
static const struct quoting box_array_quoting = {"\"\\{};", false};
static const struct quoting range_quoting = {"\"\\()[],", true};
static const struct quoting composite_quoting = {"\"\\(),", true};

static void value_write(uint32_t oid, struct reader *in, struct buf *out, int depth);

static bool
is_escaped(char c)
{
        return c == '"' || c == '\\';
}

static bool
quotes_needed(const char *text, size_t length, const struct quoting *quoting)
{
        if (length == 0)
                return true;
        if (!quoting->doubled && length == 4 && strncasecmp(text, "NULL", 4) == 0)
                return true;
        for (size_t i = 0; i < length; i++) {
                if (strchr(quoting->specials, text[i]) || strchr(" \t\n\r\v\f", text[i]))
                        return true;
        }
        return false;
}

/* Puts what stands behind start into quotes, if it needs them; from its end, so that it can move.
 */
static void
quote(struct buf *out, size_t start, const struct quoting *quoting)
{
        size_t from = out->length;

        if (out->failed || !quotes_needed(pipit__buf_text(out) + start, from - start, quoting))
                return;
        for (size_t i = start; i < from; i++) {
                if (is_escaped(out->data[i]))
                        pipit__buf_add_char(out, ' ');
                if (out->failed)
                        return;
        }
        pipit__buf_add_text(out, "  ");
        if (out->failed)
                return;
        char *to = out->data + out->length;
        *--to = '"';
        while (from > start) {
                char c = out->data[--from];

                *--to = c;
                if (is_escaped(c))
                        *--to = quoting->doubled ? c : '\\';
        }
        *--to = '"';
}

/* A value inside of another. */
static void
inner_write(uint32_t oid, struct reader *in, struct buf *out, const struct quoting *quoting,
            int depth)
{
        size_t start = out->length;

        value_write(oid, in, out, depth + 1);
        if (!in->failed && in->at != in->end)
                reader_fail(in);
        quote(out, start, quoting);
}

static void
int_write(struct buf *out, int64_t number)
{
        char text[PIPIT__NUMBER_SIZE];

        pipit__buf_add(out, text, pipit__number_write_int(number, text));
}

/* "[0:1][1:3]=", when a dimension does not begin at 1. */
static void
bounds_write(const struct nested_array *array, struct buf *out)
{
        bool all_one = true;

        for (int i = 0; i < array->n_dimensions; i++)
                all_one = all_one && array->lower[i] == 1;
        if (all_one)
                return;
        for (int i = 0; i < array->n_dimensions; i++) {
                pipit__buf_add_char(out, '[');
                int_write(out, array->lower[i]);
                pipit__buf_add_char(out, ':');
                int_write(out, (int64_t)array->lower[i] + array->lengths[i] - 1);
                pipit__buf_add_char(out, ']');
        }
        pipit__buf_add_char(out, '=');
}

/* How many dimensions begin at an element, and end before it. */
static int
dimensions_at(const struct nested_array *array, size_t i)
{
        size_t size = 1;
        int n = 0;

        for (int d = array->n_dimensions - 1; d >= 0; d--) {
                size *= (size_t)array->lengths[d];
                if (i % size != 0)
                        break;
                n++;
        }
        return n;
}

static void
repeat(struct buf *out, char c, int n)
{
        for (; n > 0; n--)
                pipit__buf_add_char(out, c);
}

static void
array_write(uint32_t element, struct reader *in, struct buf *out, int depth)
{
        struct nested_array array;
        struct reader value;

        if (!pipit__nested_array_read(in, element, &array))
                return;
        char delimiter = pipit__binary_type_delimiter(element);
        const struct quoting *quoting = delimiter == ';' ? &box_array_quoting : &array_quoting;
        bounds_write(&array, out);
        for (size_t i = 0; i < array.n && !in->failed; i++) {
                int n = dimensions_at(&array, i);

                if (i > 0) {
                        repeat(out, '}', n);
                        pipit__buf_add_char(out, delimiter);
                }
                repeat(out, '{', n);
                if (!reader_value(in, &value)) {
                        pipit__buf_add_text(out, "NULL");
                        continue;
                }
                inner_write(element, &value, out, quoting, depth);
                if (value.failed)
                        reader_fail(in);
        }
        if (array.n == 0)
                pipit__buf_add_char(out, '{');
        repeat(out, '}', array.n == 0 ? 1 : array.n_dimensions);
}

/* An array of one dimension without NULLs, which has no braces. */
static void
vector_write(uint32_t element, struct reader *in, struct buf *out, int depth)
{
        struct nested_array array;
        struct reader value;

        if (!pipit__nested_array_read(in, element, &array))
                return;
        for (size_t i = 0; i < array.n && !in->failed; i++) {
                if (i > 0)
                        pipit__buf_add_char(out, ' ');
                if (reader_value(in, &value))
                        value_write(element, &value, out, depth + 1);
                else
                        reader_fail(in);
                if (!in->failed && !reader_done(&value))
                        reader_fail(in);
        }
}

static void
bound_write(uint32_t oid, struct reader *in, struct reader *bound, struct buf *out, int depth)
{
        inner_write(oid, bound, out, &range_quoting, depth);
        if (bound->failed)
                reader_fail(in);
}

static void
range_write(uint32_t element, struct reader *in, struct buf *out, int depth)
{
        struct nested_range range;

        if (!pipit__nested_range_read(in, &range))
                return;
        if (range.empty) {
                pipit__buf_add_text(out, "empty");
                return;
        }
        pipit__buf_add_char(out, range.lower_inclusive ? '[' : '(');
        if (range.has_lower)
                bound_write(element, in, &range.lower, out, depth);
        pipit__buf_add_char(out, ',');
        if (range.has_upper)
                bound_write(element, in, &range.upper, out, depth);
        pipit__buf_add_char(out, range.upper_inclusive ? ']' : ')');
}

static void
multirange_write(uint32_t range, struct reader *in, struct buf *out, int depth)
{
        size_t n = pipit__nested_ranges_count(in);
        struct reader value;

        pipit__buf_add_char(out, '{');
        for (size_t i = 0; i < n && !in->failed; i++) {
                if (i > 0)
                        pipit__buf_add_char(out, ',');
                if (reader_value(in, &value))
                        value_write(range, &value, out, depth + 1);
                else
                        reader_fail(in);
                if (!in->failed && !reader_done(&value))
                        reader_fail(in);
        }
        pipit__buf_add_char(out, '}');
}

/* NULL is nothing at all, and an empty text is in quotes. */
static void
composite_write(struct reader *in, struct buf *out, int depth)
{
        size_t n = pipit__nested_fields_count(in);
        struct reader value;
        uint32_t oid = 0;

        pipit__buf_add_char(out, '(');
        for (size_t i = 0; i < n && !in->failed; i++) {
                if (i > 0)
                        pipit__buf_add_char(out, ',');
                if (!pipit__nested_field_read(in, &oid, &value))
                        continue;
                inner_write(oid, &value, out, &composite_quoting, depth);
                if (value.failed)
                        reader_fail(in);
        }
        pipit__buf_add_char(out, ')');
}

static void
value_write(uint32_t oid, struct reader *in, struct buf *out, int depth)
{
        const struct binary_type *type = pipit__binary_type_find(oid);

        if (!type || depth > DEPTH_MAX || out->length > TEXT_MAX) {
                reader_fail(in);
                return;
        }
        switch (type->form) {
        case BINARY_SCALAR:
        case BINARY_TEXT:
        case BINARY_VERSIONED: type->write(in, out); break;
        case BINARY_ARRAY: array_write(type->element, in, out, depth); break;
        case BINARY_VECTOR: vector_write(type->element, in, out, depth); break;
        case BINARY_RANGE: range_write(type->element, in, out, depth); break;
        case BINARY_MULTIRANGE: multirange_write(type->element, in, out, depth); break;
        case BINARY_COMPOSITE: composite_write(in, out, depth); break;
        }
}

/* A composite may hold what we do not know; the description of a result does not tell. */
bool
pipit__binary_decodes(uint32_t oid)
{
        const struct binary_type *type = pipit__binary_type_find(oid);

        return type && type->form != BINARY_COMPOSITE;
}

bool
pipit__binary_suits(const uint32_t *oids, int n)
{
        bool gains = false;

        for (int i = 0; i < n; i++) {
                if (!pipit__binary_decodes(oids[i]))
                        return false;
                gains = gains || pipit__binary_type_find(oids[i])->gains;
        }
        return gains;
}

const char *
pipit__binary_inside(uint32_t oid, const char *data, size_t length, size_t *ret_length)
{
        const struct binary_type *type = pipit__binary_type_find(oid);
        size_t skip = 0;

        if (!type || (type->form != BINARY_TEXT && type->form != BINARY_VERSIONED))
                return NULL;
        if (type->form == BINARY_VERSIONED)
                skip = 1;
        if (length < skip || (skip > 0 && data[0] != 1) || memchr(data + skip, 0, length - skip))
                return NULL;
        *ret_length = length - skip;
        return data + skip;
}

int
pipit__binary_text(uint32_t oid, const char *data, size_t length, struct buf *out)
{
        struct reader in = reader_of(data, length);

        value_write(oid, &in, out, 0);
        if (!reader_done(&in) || (!out->failed && out->length > TEXT_MAX))
                return PIPIT_ETYPE;
        return out->failed ? PIPIT_ENOMEM : 0;
}
