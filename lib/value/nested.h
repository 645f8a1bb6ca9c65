/*
 * A nested value holds other values: an array, a range, a multirange, a composite. Its head, in
 * binary form, is read here; the values inside stay bytes.
 *
 * The module owns nothing. No count is taken that the bytes that are left could not hold. binary.c
 * writes nested values as text, result/ gives them to programs.
 */
#ifndef PIPIT_NESTED_INTERNAL_H
#define PIPIT_NESTED_INTERNAL_H

#include <pipit/item.h>
#include <stddef.h>

#include "value/reader.h"

/* An array's head has its dimensions. n values follow, row by row, for reader_value(). */
struct nested_array {
        int n_dimensions; /* 0 in an empty array */
        int32_t lengths[PIPIT_ARRAY_DIMENSIONS];
        int32_t lower[PIPIT_ARRAY_DIMENSIONS]; /* the lowest subscript of each dimension */
        size_t n;                              /* the product of the lengths */
};

/* A range's bounds are borrowed from the value. */
struct nested_range {
        bool empty;
        bool has_lower;
        bool has_upper;
        bool lower_inclusive;
        bool upper_inclusive;
        struct reader lower; /* all zero unless has_lower */
        struct reader upper; /* all zero unless has_upper */
};

/* Reads an array's head. False if that is not good, and the reader fails; an element type other
 * than the one that the array's own type says is not good either. */
bool pipit__nested_array_read(struct reader *in, uint32_t element, struct nested_array *ret);
/* Reads a range. False if that is not good, and the reader fails. */
bool pipit__nested_range_read(struct reader *in, struct nested_range *ret);

/* Reads how many ranges a multirange has; 0, and the reader fails, if there are not so many. */
size_t pipit__nested_ranges_count(struct reader *in);
/* Reads how many fields a composite has; 0, and the reader fails, if there are not so many. */
size_t pipit__nested_fields_count(struct reader *in);

/* Reads a field of a composite. False if the value is NULL, or the reader fails. */
bool pipit__nested_field_read(struct reader *in, uint32_t *ret_oid, struct reader *ret_value);

#endif
