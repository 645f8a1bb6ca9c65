/*
 * A timestamp is written and read as ISO 8601 the way PostgreSQL writes it, by the proleptic
 * Gregorian calendar.
 *
 * The module owns nothing. codec.c writes timestamps that go to the server and reads those that
 * come.
 */
#ifndef PIPIT_TIMESTAMP_INTERNAL_H
#define PIPIT_TIMESTAMP_INTERNAL_H

#include <pipit/value.h>
#include <stddef.h>

/* The text of any timestamp fits into so many bytes, its NUL included. */
enum { PIPIT__TIMESTAMP_SIZE = 64 };

/* Writes a timestamp in UTC, as "2024-02-29 12:00:00.000000+00", and a NUL. Returns the length
 * without the NUL. */
size_t pipit__timestamp_write(struct pipit_timestamp timestamp, char *out);

/*
 * Reads a date or a timestamp, with or without fraction and zone; without a zone it is UTC. 0, or
 * PIPIT_ETYPE if the text is none or does not fit into 64 bits of microseconds.
 */
int pipit__timestamp_read(const char *text, size_t length, struct pipit_timestamp *ret);

#endif
