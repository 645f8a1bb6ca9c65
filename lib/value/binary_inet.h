/*
 * Network addresses are written here as the server's text from their binary form.
 *
 * The module owns nothing. See binary_scalar.h about writers; binary_type.c lists these.
 */
#ifndef PIPIT_BINARY_INET_INTERNAL_H
#define PIPIT_BINARY_INET_INTERNAL_H

#include "base/buf.h"
#include "value/reader.h"

/* Writes an inet, or a cidr, which always says how many bits count. */
void pipit__binary_write_inet(struct reader *in, struct buf *out);
/* Writes a macaddr, which has 6 bytes. */
void pipit__binary_write_macaddr(struct reader *in, struct buf *out);
/* Writes a macaddr8, which has 8 bytes. */
void pipit__binary_write_macaddr8(struct reader *in, struct buf *out);

#endif
