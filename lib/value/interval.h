/*
 * The text of intervals, ISO 8601 as PostgreSQL writes it: P1Y2M3DT4H5M6.7S.
 */
#ifndef PIPIT_INTERVAL_INTERNAL_H
#define PIPIT_INTERVAL_INTERNAL_H

#include <pipit/value.h>
#include <stddef.h>

/* Room for the text of any interval, its NUL included. */
enum { PIPIT__INTERVAL_SIZE = 64 };

/* Whether it is one of the ends of all its parts together, which are infinity since PostgreSQL 17.
 */
bool pipit__interval_is_infinite(struct pipit_interval interval);

/* Writes an interval and returns the length. */
size_t pipit__interval_write(struct pipit_interval interval, char *out);

/* Reads what the server writes: 0, or PIPIT_ETYPE. */
int pipit__interval_read(const char *text, size_t length, struct pipit_interval *ret);

#endif
