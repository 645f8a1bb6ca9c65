/*
 * The binary module knows which types are read in binary form, and makes the server's text of any
 * value that came so.
 *
 * The module owns nothing. request/, conn/ and pool/ ask about types, decode.c about values.
 */
#ifndef PIPIT_BINARY_INTERNAL_H
#define PIPIT_BINARY_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Whether values of this type can be read in binary form. */
bool pipit__binary_decodes(uint32_t oid);

/* Whether a result with these n columns should be asked for in binary form: all of them can be read
 * so, and at least one gains from that. */
bool pipit__binary_suits(const uint32_t *oids, int n);

/* Returns the text of a value whose binary form has it inside, borrowed from data; NULL if the text
 * has to be made, or the value is not good. */
const char *pipit__binary_inside(uint32_t oid, const char *data, size_t length, size_t *ret_length);

/* Returns the most bytes that the text of a value of that length may take. */
size_t pipit__binary_longest(size_t length);

/* Appends the text that the server would have sent. 0; PIPIT_ENOMEM; PIPIT_ETYPE if the bytes are
 * no such value or the type is unknown; PIPIT_ELIMIT if the text is longer than the value may have,
 * or than out takes. After a failure rubbish may have been appended. */
int pipit__binary_text(uint32_t oid, const char *data, size_t length, struct buf *out);

#endif
