/*
 * Geometric values are written here as the server's text from their binary form.
 *
 * The module owns nothing. See binary_scalar.h about writers; binary_type.c lists these.
 */
#ifndef PIPIT_BINARY_GEOMETRY_INTERNAL_H
#define PIPIT_BINARY_GEOMETRY_INTERNAL_H

#include "base/buf.h"
#include "value/reader.h"

void pipit__binary_write_point(struct reader *in, struct buf *out);
void pipit__binary_write_lseg(struct reader *in, struct buf *out);
void pipit__binary_write_path(struct reader *in, struct buf *out);
void pipit__binary_write_box(struct reader *in, struct buf *out);
void pipit__binary_write_polygon(struct reader *in, struct buf *out);
void pipit__binary_write_line(struct reader *in, struct buf *out);
void pipit__binary_write_circle(struct reader *in, struct buf *out);

#endif
