/*
 * From the binary form of scalar values to the server's text: numbers, bytes, identifiers.
 *
 * Each writer takes its value out of a reader and appends the text. It fails the reader for what is
 * no such value; the caller looks whether all was read.
 */
#ifndef PIPIT_BINARY_SCALAR_INTERNAL_H
#define PIPIT_BINARY_SCALAR_INTERNAL_H

#include "base/buf.h"
#include "value/reader.h"

void pipit__binary_write_text(struct reader *in, struct buf *out);
/* Text behind a version byte, which is 1: jsonb, jsonpath. */
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

/* The numbers themselves. */
float pipit__binary_float4(struct reader *in);
double pipit__binary_float8(struct reader *in);

#endif
