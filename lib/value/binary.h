/*
 * Values in binary form, as a whole: which types, and the server's text of any of them.
 */
#ifndef PIPIT_BINARY_INTERNAL_H
#define PIPIT_BINARY_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Whether values of this type can be read in binary form. */
bool pipit__binary_decodes(uint32_t oid);

/* Whether a result with these columns should be asked for in binary form: all of them can be read
 * so, and at least one gains from it. */
bool pipit__binary_suits(const uint32_t *oids, int n);

/* The text inside of a value, where it has it; NULL when the text has to be made. Such a value that
 * is not good has none. */
const char *pipit__binary_inside(uint32_t oid, const char *data, size_t length, size_t *ret_length);

/* Appends the text that the server would have sent: 0, PIPIT_ENOMEM, or PIPIT_ETYPE when the bytes
 * are no such value, or the type is unknown; then what was appended is rubbish. */
int pipit__binary_text(uint32_t oid, const char *data, size_t length, struct buf *out);

#endif
