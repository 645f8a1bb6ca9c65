/*
 * Scalar values are written here as the server's text from their binary form: numbers, bytes,
 * identifiers.
 *
 * The module owns nothing. Each writer takes its value out of a reader and appends the text to a
 * buf. A writer fails the reader for a value that is none; the caller looks whether all was read.
 * binary_type.c lists the writers; decode.c reads floating numbers as such.
 */
#ifndef PIPIT_BINARY_SCALAR_INTERNAL_H
#define PIPIT_BINARY_SCALAR_INTERNAL_H

#include "base/buf.h"
#include "value/reader.h"

void pipit__binary_write_text(struct reader *in, struct buf *out);
/* Writes the text that stands behind a version byte, which is 1: jsonb, jsonpath. */
void pipit__binary_write_versioned(struct reader *in, struct buf *out);
void pipit__binary_write_void(struct reader *in, struct buf *out);
void pipit__binary_write_bool(struct reader *in, struct buf *out);
void pipit__binary_write_char(struct reader *in, struct buf *out);
void pipit__binary_write_bytea(struct reader *in, struct buf *out);
void pipit__binary_write_int2(struct reader *in, struct buf *out);
void pipit__binary_write_int4(struct reader *in, struct buf *out);
void pipit__binary_write_int8(struct reader *in, struct buf *out);
void pipit__binary_write_uint4(struct reader *in, struct buf *out);
void pipit__binary_write_uint8(struct reader *in, struct buf *out);
void pipit__binary_write_float4(struct reader *in, struct buf *out);
void pipit__binary_write_float8(struct reader *in, struct buf *out);
void pipit__binary_write_tid(struct reader *in, struct buf *out);
void pipit__binary_write_lsn(struct reader *in, struct buf *out);
void pipit__binary_write_uuid(struct reader *in, struct buf *out);
void pipit__binary_write_bits(struct reader *in, struct buf *out);

/* Each reads the number itself. */
float pipit__binary_float4(struct reader *in);
double pipit__binary_float8(struct reader *in);

#endif
