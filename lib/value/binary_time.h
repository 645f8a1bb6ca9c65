/*
 * From the binary form of dates and times to the server's text, in the styles that every session
 * is set to (see session_settings.c), and to C values. See binary_scalar.h about writers.
 */
#ifndef PIPIT_BINARY_TIME_INTERNAL_H
#define PIPIT_BINARY_TIME_INTERNAL_H

#include <pipit/value.h>

#include "base/buf.h"
#include "value/reader.h"

void pipit__binary_write_date(struct reader *in, struct buf *out);
void pipit__binary_write_time(struct reader *in, struct buf *out);
void pipit__binary_write_timetz(struct reader *in, struct buf *out);
void pipit__binary_write_timestamp(struct reader *in, struct buf *out);
void pipit__binary_write_timestamptz(struct reader *in, struct buf *out);
void pipit__binary_write_interval(struct reader *in, struct buf *out);

/* The moments that a date, at midnight UTC, and a timestamp are; they fail what does not fit. */
struct pipit_timestamp pipit__binary_date(struct reader *in);
struct pipit_timestamp pipit__binary_timestamp(struct reader *in);

/*
 * The other way: whether the server can hold it. A moment becomes the day that it is in.
 */
bool pipit__binary_from_date(struct pipit_timestamp timestamp, int32_t *ret_days);
bool pipit__binary_from_timestamp(struct pipit_timestamp timestamp, int64_t *ret_us);

#endif
