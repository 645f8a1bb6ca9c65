/*
 * A numeric is written here as the server's text from its binary form, exactly.
 *
 * The module owns nothing. See binary_scalar.h about writers; binary_type.c lists this one.
 */
#ifndef PIPIT_BINARY_NUMERIC_INTERNAL_H
#define PIPIT_BINARY_NUMERIC_INTERNAL_H

#include "base/buf.h"
#include "value/reader.h"

void pipit__binary_write_numeric(struct reader *in, struct buf *out);

#endif
