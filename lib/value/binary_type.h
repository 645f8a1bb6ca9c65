/*
 * The built-in types whose binary form is known here.
 *
 * What is not in the table is asked for as text: types that have no binary form (aclitem), whose
 * binary form does not say what their text does (money, xml, regclass and its like), that nobody
 * selects (tsquery), and all that a database defines itself.
 */
#ifndef PIPIT_BINARY_TYPE_INTERNAL_H
#define PIPIT_BINARY_TYPE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "value/reader.h"

/* How a value is built. */
enum binary_form {
        BINARY_SCALAR,
        BINARY_TEXT,      /* its binary form is its text */
        BINARY_VERSIONED, /* its text behind a byte that is 1 */
        BINARY_ARRAY,
        BINARY_VECTOR, /* an array in one dimension, written with spaces */
        BINARY_RANGE,
        BINARY_MULTIRANGE, /* of element, which is the range */
        BINARY_COMPOSITE   /* its fields say what they are */
};

struct binary_type {
        uint32_t oid;
        enum binary_form form;
        uint32_t element; /* of arrays, vectors, ranges and multiranges */
        void (*write)(struct reader *in, struct buf *out); /* of scalars */
        bool gains; /* smaller, or much faster to write or to read than its text */
};

/* NULL for what is not in the table. */
const struct binary_type *pipit__binary_type_find(uint32_t oid);

/* What stands between the elements of an array of that type, or of what is no known type. */
char pipit__binary_type_delimiter(uint32_t element);

#endif
