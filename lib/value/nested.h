/*
 * The binary form of what holds other values: arrays, ranges, composites. What is read here are the
 * frames; the values in them stay bytes.
 */
#ifndef PIPIT_NESTED_INTERNAL_H
#define PIPIT_NESTED_INTERNAL_H

#include <pipit/item.h>
#include <stddef.h>

#include "value/reader.h"

/* An array's head. n reader_value() follow, row by row. */
struct nested_array {
        int n_dimensions; /* 0 when it is empty */
        int32_t lengths[PIPIT_ARRAY_DIMENSIONS];
        int32_t lower[PIPIT_ARRAY_DIMENSIONS];
        size_t n;
};

/* A range; lower and upper are empty where there is no such bound. */
struct nested_range {
        bool empty;
        bool has_lower;
        bool has_upper;
        bool lower_inclusive;
        bool upper_inclusive;
        struct reader lower;
        struct reader upper;
};

/* Each reads a frame: whether it was good; else the reader has failed. An array's elements must be
 * of the type that its own type says. */
bool pipit__nested_array_read(struct reader *in, uint32_t element, struct nested_array *ret);
bool pipit__nested_range_read(struct reader *in, struct nested_range *ret);

/* How many ranges a multirange has, or fields a composite; 0 when the reader has failed. */
size_t pipit__nested_ranges_count(struct reader *in);
size_t pipit__nested_fields_count(struct reader *in);

/* A field of a composite: whether it is not NULL. */
bool pipit__nested_field_read(struct reader *in, uint32_t *ret_oid, struct reader *ret_value);

#endif
