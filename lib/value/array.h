/*
 * An array of one dimension is put together here, on its way to the server, from elements that are
 * in the form in which they travel.
 *
 * The module owns nothing: the array grows in a buf of the caller's. pool/coalesce_params.c sends
 * the parameters of coalesced requests so.
 */
#ifndef PIPIT_ARRAY_INTERNAL_H
#define PIPIT_ARRAY_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Begins an array in binary form, of that element type, with n elements, at least one. */
void pipit__array_begin_binary(struct buf *out, uint32_t element, int n, bool has_null);
/* Appends the next element in binary form; data NULL is SQL NULL. */
void pipit__array_add_binary(struct buf *out, const char *data, size_t length);

/* Appends the i-th element of an array in text form, from 0 on; the first one begins the array.
 * text is the element's own text, NULL is SQL NULL. */
void pipit__array_add_text(struct buf *out, int i, const char *text);
/* Ends an array in text form, which has at least one element. */
void pipit__array_end_text(struct buf *out);

#endif
