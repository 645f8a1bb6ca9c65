/*
 * A value of a result, in text or in binary form, is decoded here to a C value.
 *
 * The module owns nothing. sql/model.c and result/ call it. What always holds:
 * 1. The C value is the same from either form: where a C type does not belong to the value's type,
 *    the value's text is made and read.
 * 2. Each function returns 0 or PIPIT_ETYPE, or PIPIT_ELIMIT or PIPIT_ENOMEM if it needs a text
 * that pipit__binary_text() does not make, and writes nothing after a failure.
 * 3. The value is not NULL, and its result is not looked at.
 */
#ifndef PIPIT_DECODE_INTERNAL_H
#define PIPIT_DECODE_INTERNAL_H

#include <pipit/item.h>
#include <stddef.h>

#include "base/buf.h"

int pipit__decode_bool(const struct pipit_item *item, bool *ret);
int pipit__decode_int16(const struct pipit_item *item, int16_t *ret);
int pipit__decode_int32(const struct pipit_item *item, int32_t *ret);
int pipit__decode_int64(const struct pipit_item *item, int64_t *ret);
int pipit__decode_float(const struct pipit_item *item, float *ret);
int pipit__decode_double(const struct pipit_item *item, double *ret);
int pipit__decode_timestamp(const struct pipit_item *item, struct pipit_timestamp *ret);
int pipit__decode_uuid(const struct pipit_item *item, struct pipit_uuid *ret);
int pipit__decode_interval(const struct pipit_item *item, struct pipit_interval *ret);
int pipit__decode_decimal(const struct pipit_item *item, int scale, struct pipit_decimal *ret);

/* Returns the text of a value that has it inside, borrowed from the item's data; NULL if the text
 * has to be made. */
const char *pipit__decode_inside(const struct pipit_item *item, size_t *ret_length);

/* Appends the text of a value that does not have it inside. */
int pipit__decode_text(const struct pipit_item *item, struct buf *out);

/* Returns the bytes of a value that has them inside, borrowed from the item's data; NULL if they
 * have to be read from its text. */
const void *pipit__decode_inside_bytes(const struct pipit_item *item);

#endif
