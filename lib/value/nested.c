/*
 * The head of a nested value is counts, flags and types. See nested.h.
 *
 * Every count is held against the bytes that are left, so that nobody can make us reserve more than
 * a few times what was sent.
 */
#include "value/nested.h"

enum {
        RANGE_EMPTY = 0x01,
        RANGE_LOWER_INCLUSIVE = 0x02,
        RANGE_UPPER_INCLUSIVE = 0x04,
        RANGE_LOWER_INFINITE = 0x08,
        RANGE_UPPER_INFINITE = 0x10,
        VALUE_SIZE = 4, /* bytes of a NULL, which is only a length */
        FIELD_SIZE = 8  /* bytes of a field that is NULL: its type and a length */
};

/* Multiplies the lengths; false if that is more than there can be values. */
static bool
nested_array_count(const struct nested_array *array, size_t most, size_t *ret_n)
{
        size_t n = 1;

        for (int i = 0; i < array->n_dimensions; i++) {
                size_t length = (size_t)array->lengths[i];

                if (length > 0 && n > most / length)
                        return false;
                n *= length;
        }
        *ret_n = array->n_dimensions > 0 ? n : 0;
        return true;
}

/* Reads the length and the lowest subscript of a dimension; false if no array can have them. */
static bool
nested_array_dimension(struct reader *in, int32_t *length, int32_t *lower)
{
        *length = reader_i32(in);
        *lower = reader_i32(in);
        return *length >= 0 && (*length == 0 || *lower <= INT32_MAX - (*length - 1));
}

bool
pipit__nested_array_read(struct reader *in, uint32_t element, struct nested_array *ret)
{
        struct nested_array array = {.n_dimensions = reader_i32(in)};
        bool good = array.n_dimensions >= 0 && array.n_dimensions <= PIPIT_ARRAY_DIMENSIONS;

        reader_u32(in); /* says whether there are NULLs, which their lengths say, too */
        good = good && reader_u32(in) == element;
        for (int i = 0; good && i < array.n_dimensions; i++)
                good = nested_array_dimension(in, &array.lengths[i], &array.lower[i]);
        if (!good || in->failed ||
            !nested_array_count(&array, reader_left(in) / VALUE_SIZE, &array.n)) {
                reader_fail(in);
                return false;
        }
        if (array.n == 0)
                array.n_dimensions = 0;
        *ret = array;
        return true;
}

bool
pipit__nested_range_read(struct reader *in, struct nested_range *ret)
{
        uint8_t flags = reader_u8(in);
        struct nested_range range = {
                .empty = (flags & RANGE_EMPTY) != 0,
                .lower_inclusive = (flags & RANGE_LOWER_INCLUSIVE) != 0,
                .upper_inclusive = (flags & RANGE_UPPER_INCLUSIVE) != 0,
        };

        range.has_lower = !range.empty && (flags & RANGE_LOWER_INFINITE) == 0;
        range.has_upper = !range.empty && (flags & RANGE_UPPER_INFINITE) == 0;
        /* A bound is never NULL. */
        if ((range.has_lower && !reader_value(in, &range.lower)) ||
            (range.has_upper && !reader_value(in, &range.upper)))
                reader_fail(in);
        *ret = range;
        return !in->failed;
}

/* Reads how many values follow that have that many bytes each, at least. */
static size_t
nested_values_count(struct reader *in, size_t least)
{
        uint32_t n = reader_u32(in);

        if (n <= reader_left(in) / least)
                return n;
        reader_fail(in);
        return 0;
}

size_t
pipit__nested_ranges_count(struct reader *in)
{
        return nested_values_count(in, VALUE_SIZE);
}

size_t
pipit__nested_fields_count(struct reader *in)
{
        return nested_values_count(in, FIELD_SIZE);
}

bool
pipit__nested_field_read(struct reader *in, uint32_t *ret_oid, struct reader *ret_value)
{
        *ret_oid = reader_u32(in);
        return reader_value(in, ret_value);
}
