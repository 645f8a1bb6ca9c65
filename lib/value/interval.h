/*
 * An interval is written and read as ISO 8601 the way PostgreSQL writes it: P1Y2M3DT4H5M6.7S.
 *
 * The module owns nothing. codec.c and binary_time.c write intervals, decode.c reads them.
 */
#ifndef PIPIT_INTERVAL_INTERNAL_H
#define PIPIT_INTERVAL_INTERNAL_H

#include <pipit/value.h>
#include <stddef.h>

/* The text of any interval fits into so many bytes, its NUL included. */
enum { PIPIT__INTERVAL_SIZE = 64 };

/* Whether an interval is infinite: since PostgreSQL 17 that is all three parts at their upper, or
 * all at their lower end. */
bool pipit__interval_is_infinite(struct pipit_interval interval);

/* Writes an interval and a NUL. Returns the length without the NUL. */
size_t pipit__interval_write(struct pipit_interval interval, char *out);

/* Reads an interval as the server writes it. 0 or PIPIT_ETYPE. */
int pipit__interval_read(const char *text, size_t length, struct pipit_interval *ret);

#endif
