/*
 * From the binary form of network addresses to the server's text. See binary_scalar.h about
 * writers.
 */
#ifndef PIPIT_BINARY_INET_INTERNAL_H
#define PIPIT_BINARY_INET_INTERNAL_H

#include "base/buf.h"
#include "value/reader.h"

/* inet, and cidr, which always says how many bits count. */
void pipit__binary_write_inet(struct reader *in, struct buf *out);
/* Of 6 and of 8 bytes. */
void pipit__binary_write_macaddr(struct reader *in, struct buf *out);
void pipit__binary_write_macaddr8(struct reader *in, struct buf *out);

#endif
