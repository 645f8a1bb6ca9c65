/*
 * From the binary form of numeric to the server's text, exactly. See binary_scalar.h about writers.
 */
#ifndef PIPIT_BINARY_NUMERIC_INTERNAL_H
#define PIPIT_BINARY_NUMERIC_INTERNAL_H

#include "base/buf.h"
#include "value/reader.h"

void pipit__binary_write_numeric(struct reader *in, struct buf *out);

#endif
