/*
 * The text of a value in binary form is written by the form of its type. See binary.h.
 *
 * Scalars have their writers. Nested values are written here, each value inside with the quotes
 * that the server would have used.
 */
#include "value/binary.h"

#include <pipit/error.h>
#include <string.h>
#include <strings.h>

#include "value/binary_type.h"
#include "value/nested.h"
#include "value/number.h"
#include "value/oid.h"

/* Nested values in each other, composites as a rule: each is a call in a call here. */
enum { DEPTH_MAX = 16 };

/*
 * A text may take TEXT_BASE bytes and TEXT_FACTOR for each byte of its value, so that nobody makes
 * hundreds of megabytes of a few kilobytes. Two things make a text much longer than its value: the
 * zeros of a numeric, and quotes, which double with each level of nesting.
 *
 * TEXT_BASE is what one numeric of ten bytes can have: a sign, the most digits, a point and the
 * most scale; or a few quotes a dozen levels deep. TEXT_FACTOR is more than values need in bulk: 8
 * for bits, 2 for bytes, 4 for times, 22 for numerics that are as large as the greatest double, and
 * 2 for each level with nothing but quotes.
 */
enum {
        TEXT_BASE = 1 + 4 * 32768 + 1 + 16383,
        TEXT_FACTOR = 32,
        TEXT_MAX = (1 << 30) - 1, /* as in the server */
};

/* A quoting says when the text of an inner value needs quotes, and how a quote inside is written.
 */
struct quoting {
        const char *specials; /* characters that need quotes, besides white space */
        bool doubled;         /* a quote or backslash is doubled; else has a backslash in front */
};

static const struct quoting array_quoting = {"\"\\{},", false};
static const struct quoting box_array_quoting = {"\"\\{};", false};
static const struct quoting range_quoting = {"\"\\()[],", true};
static const struct quoting composite_quoting = {"\"\\(),", true};

static void binary_write_value(uint32_t oid, struct reader *in, struct buf *out, int depth);

static bool
quoting_escapes(char c)
{
        return c == '"' || c == '\\';
}

static bool
quoting_is_needed(const char *text, size_t length, const struct quoting *quoting)
{
        if (length == 0)
                return true;
        if (!quoting->doubled && length == 4 && strncasecmp(text, "NULL", 4) == 0)
                return true;
        for (size_t i = 0; i < length; i++) {
                if (strchr(quoting->specials, text[i]) != NULL ||
                    strchr(" \t\n\r\v\f", text[i]) != NULL)
                        return true;
        }
        return false;
}

/* Puts the text from start on into quotes, if it needs them. The text moves, so that is done from
 * its end on. */
static void
quoting_apply(struct buf *out, size_t start, const struct quoting *quoting)
{
        size_t from = out->length;

        if (out->failed || !quoting_is_needed(pipit__buf_text(out) + start, from - start, quoting))
                return;
        for (size_t i = start; i < from; i++) {
                if (quoting_escapes(out->data[i]))
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
                if (quoting_escapes(c))
                        *--to = quoting->doubled ? c : '\\';
        }
        *--to = '"';
}

/* Writes a value inside of another, in quotes if it needs them; rubbish stays as it is. */
static void
binary_write_inner(uint32_t oid, struct reader *in, struct buf *out, const struct quoting *quoting,
                   int depth)
{
        size_t start = out->length;

        binary_write_value(oid, in, out, depth + 1);
        if (reader_done(in))
                quoting_apply(out, start, quoting);
        else
                reader_fail(in);
}

static void
binary_write_int(struct buf *out, int64_t number)
{
        char text[PIPIT__NUMBER_SIZE];

        pipit__buf_add(out, text, pipit__number_write_int(number, text));
}

/* Writes the bounds of an array, as "[0:1][1:3]=", if a dimension does not begin at 1. */
static void
binary_write_bounds(const struct nested_array *array, struct buf *out)
{
        bool all_one = true;

        for (int i = 0; i < array->n_dimensions; i++)
                all_one = all_one && array->lower[i] == 1;
        if (all_one)
                return;
        for (int i = 0; i < array->n_dimensions; i++) {
                pipit__buf_add_char(out, '[');
                binary_write_int(out, array->lower[i]);
                pipit__buf_add_char(out, ':');
                binary_write_int(out, (int64_t)array->lower[i] + array->lengths[i] - 1);
                pipit__buf_add_char(out, ']');
        }
        pipit__buf_add_char(out, '=');
}

/* Returns how many dimensions begin at an element, and end in front of it. */
static int
binary_dimensions_at(const struct nested_array *array, size_t i)
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
binary_repeat(struct buf *out, char c, int n)
{
        for (; n > 0; n--)
                pipit__buf_add_char(out, c);
}

static void
binary_write_array(uint32_t element, struct reader *in, struct buf *out, int depth)
{
        struct nested_array array;
        struct reader value;

        if (!pipit__nested_array_read(in, element, &array))
                return;
        char delimiter = pipit__binary_type_delimiter(element);
        const struct quoting *quoting = delimiter == ';' ? &box_array_quoting : &array_quoting;
        binary_write_bounds(&array, out);
        for (size_t i = 0; i < array.n && !in->failed; i++) {
                int n = binary_dimensions_at(&array, i);

                if (i > 0) {
                        binary_repeat(out, '}', n);
                        pipit__buf_add_char(out, delimiter);
                }
                binary_repeat(out, '{', n);
                if (!reader_value(in, &value)) {
                        pipit__buf_add_text(out, "NULL");
                        continue;
                }
                binary_write_inner(element, &value, out, quoting, depth);
                if (value.failed)
                        reader_fail(in);
        }
        if (array.n == 0)
                pipit__buf_add_char(out, '{');
        binary_repeat(out, '}', array.n == 0 ? 1 : array.n_dimensions);
}

/* Writes a vector: an array of one dimension without NULLs, whose text has no braces. */
static void
binary_write_vector(uint32_t element, struct reader *in, struct buf *out, int depth)
{
        struct nested_array array;
        struct reader value;

        if (!pipit__nested_array_read(in, element, &array))
                return;
        for (size_t i = 0; i < array.n && !in->failed; i++) {
                if (i > 0)
                        pipit__buf_add_char(out, ' ');
                if (reader_value(in, &value))
                        binary_write_value(element, &value, out, depth + 1);
                else
                        reader_fail(in);
                if (!in->failed && !reader_done(&value))
                        reader_fail(in);
        }
}

static void
binary_write_bound(uint32_t oid, struct reader *in, struct reader *bound, struct buf *out,
                   int depth)
{
        binary_write_inner(oid, bound, out, &range_quoting, depth);
        if (bound->failed)
                reader_fail(in);
}

static void
binary_write_range(uint32_t element, struct reader *in, struct buf *out, int depth)
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
                binary_write_bound(element, in, &range.lower, out, depth);
        pipit__buf_add_char(out, ',');
        if (range.has_upper)
                binary_write_bound(element, in, &range.upper, out, depth);
        pipit__buf_add_char(out, range.upper_inclusive ? ']' : ')');
}

static void
binary_write_multirange(uint32_t range, struct reader *in, struct buf *out, int depth)
{
        size_t n = pipit__nested_ranges_count(in);
        struct reader value;

        pipit__buf_add_char(out, '{');
        for (size_t i = 0; i < n && !in->failed; i++) {
                if (i > 0)
                        pipit__buf_add_char(out, ',');
                if (reader_value(in, &value))
                        binary_write_value(range, &value, out, depth + 1);
                else
                        reader_fail(in);
                if (!in->failed && !reader_done(&value))
                        reader_fail(in);
        }
        pipit__buf_add_char(out, '}');
}

/* Writes a composite. A field that is NULL is nothing at all, and an empty text is in quotes. */
static void
binary_write_composite(struct reader *in, struct buf *out, int depth)
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
                binary_write_inner(oid, &value, out, &composite_quoting, depth);
                if (value.failed)
                        reader_fail(in);
        }
        pipit__buf_add_char(out, ')');
}

static void
binary_write_value(uint32_t oid, struct reader *in, struct buf *out, int depth)
{
        const struct binary_type *type = pipit__binary_type_find(oid);

        if (type == NULL || depth > DEPTH_MAX || out->failed) {
                reader_fail(in);
                return;
        }
        switch (type->form) {
        case BINARY_SCALAR:
        case BINARY_TEXT:
        case BINARY_VERSIONED: type->write(in, out); break;
        case BINARY_ARRAY: binary_write_array(type->element, in, out, depth); break;
        case BINARY_VECTOR: binary_write_vector(type->element, in, out, depth); break;
        case BINARY_RANGE: binary_write_range(type->element, in, out, depth); break;
        case BINARY_MULTIRANGE: binary_write_multirange(type->element, in, out, depth); break;
        case BINARY_COMPOSITE: binary_write_composite(in, out, depth); break;
        }
}

/* A composite does not decode: it may hold types that are not known here, and the description of a
 * result does not tell. */
bool
pipit__binary_decodes(uint32_t oid)
{
        const struct binary_type *type = pipit__binary_type_find(oid);

        return type != NULL && type->form != BINARY_COMPOSITE;
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

        if (type == NULL || (type->form != BINARY_TEXT && type->form != BINARY_VERSIONED))
                return NULL;
        if (type->form == BINARY_VERSIONED)
                skip = 1;
        if (length < skip || (skip > 0 && data[0] != 1) ||
            memchr(data + skip, 0, length - skip) != NULL)
                return NULL;
        *ret_length = length - skip;
        return data + skip;
}

size_t
pipit__binary_longest(size_t length)
{
        return length < (TEXT_MAX - TEXT_BASE) / TEXT_FACTOR ? TEXT_BASE + TEXT_FACTOR * length
                                                             : TEXT_MAX;
}

int
pipit__binary_text(uint32_t oid, const char *data, size_t length, struct buf *out)
{
        struct reader in = reader_of(data, length);
        size_t end = out->length + pipit__binary_longest(length);
        size_t max = pipit__buf_limit(out, end);

        binary_write_value(oid, &in, out, 0);
        out->max = max;
        if (out->full || (!out->failed && out->length > end))
                return PIPIT_ELIMIT;
        if (out->failed)
                return PIPIT_ENOMEM;
        return reader_done(&in) ? 0 : PIPIT_ETYPE;
}
