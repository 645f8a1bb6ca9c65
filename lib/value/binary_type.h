/*
 * A binary type is a built-in type whose binary form is known here.
 *
 * The module owns a table of constants. Columns of a type that is not in the table are asked for as
 * text: types that have no binary form (aclitem), whose binary form does not say what their text
 * does (money, xml, regclass and its like), that nobody selects (tsquery), and all that a database
 * defines itself. binary.c, result/ and pool/ look types up.
 */
#ifndef PIPIT_BINARY_TYPE_INTERNAL_H
#define PIPIT_BINARY_TYPE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "value/reader.h"

/* The form says how a value is built. */
enum binary_form {
        BINARY_SCALAR,
        BINARY_TEXT,      /* the binary form is the text */
        BINARY_VERSIONED, /* the text behind a byte that is 1 */
        BINARY_ARRAY,
        BINARY_VECTOR, /* an array of one dimension, whose text has spaces and no braces */
        BINARY_RANGE,
        BINARY_MULTIRANGE, /* a list of ranges */
        BINARY_COMPOSITE   /* a list of fields, each with its type */
};

struct binary_type {
        uint32_t oid;
        enum binary_form form;
        uint32_t element; /* type inside of an array, vector, range or multirange; else 0 */
        void (*write)(struct reader *in,
                      struct buf *out); /* NULL if element or fields are inside */
        bool gains; /* the binary form is smaller, or much faster to write or to read */
};

/* Returns the entry of a type, a constant; NULL if the type is not in the table. */
const struct binary_type *pipit__binary_type_find(uint32_t oid);

/* Returns the character between the elements of an array of that type, known or not. */
char pipit__binary_type_delimiter(uint32_t element);

#endif
