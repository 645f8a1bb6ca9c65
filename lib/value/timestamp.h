/*
 * The text of timestamps, ISO 8601 as PostgreSQL writes it, by the proleptic Gregorian calendar.
 */
#ifndef PIPIT_TIMESTAMP_INTERNAL_H
#define PIPIT_TIMESTAMP_INTERNAL_H

#include <pipit/value.h>
#include <stddef.h>

/* Room for the text of any timestamp, its NUL included. */
enum { PIPIT__TIMESTAMP_SIZE = 64 };

/* Writes a timestamp in UTC, as "2024-02-29 12:00:00.000000+00"; returns the length. */
size_t pipit__timestamp_write(struct pipit_timestamp timestamp, char *out);

/*
 * Reads a date or a timestamp, with or without fraction and zone; without a zone it is UTC. Returns
 * 0, or PIPIT_ETYPE when it is none or does not fit into 64 bits of microseconds.
 */
int pipit__timestamp_read(const char *text, size_t length, struct pipit_timestamp *ret);

#endif
