/*
 * Arrays on their way to the server: of one dimension, from the wire forms of their elements.
 */
#ifndef PIPIT_ARRAY_INTERNAL_H
#define PIPIT_ARRAY_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Begins an array in binary form: of that element type, with n elements, at least one. */
void pipit__array_begin_binary(struct buf *out, uint32_t element, int n, bool has_null);
/* Its next element, in binary form; data NULL is SQL NULL. */
void pipit__array_add_binary(struct buf *out, const char *data, size_t length);

/* The same as text: the i-th element, which is text; NULL is SQL NULL. */
void pipit__array_add_text(struct buf *out, int i, const char *text);
void pipit__array_end_text(struct buf *out);

#endif
