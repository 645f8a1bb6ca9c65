/*
 * Dates and times are written here as the server's text from their binary form, and converted to
 * and from C values.
 *
 * The module owns nothing. The text is in the styles that every session is set to (see
 * session_settings.c). See binary_scalar.h about writers. binary_type.c lists them, decode.c and
 * encode.c convert.
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

/* Reads a date as the moment of its midnight in UTC; the reader fails if that does not fit. */
struct pipit_timestamp pipit__binary_date(struct reader *in);
/* Reads a timestamp; the reader fails if the moment does not fit. */
struct pipit_timestamp pipit__binary_timestamp(struct reader *in);

/* Converts the first moment of a day to the server's count of days; false for any other moment, and
 * if the server has no such date. */
bool pipit__binary_from_date(struct pipit_timestamp timestamp, int32_t *ret_days);
/* Converts a moment to the server's count of microseconds; false if the server has no such
 * timestamp.
 */
bool pipit__binary_from_timestamp(struct pipit_timestamp timestamp, int64_t *ret_us);

#endif
