/*
 * The text of exact numbers.
 */
#ifndef PIPIT_DECIMAL_INTERNAL_H
#define PIPIT_DECIMAL_INTERNAL_H

#include <pipit/value.h>
#include <stdbool.h>
#include <stddef.h>

/* Room for the text of any decimal, its NUL included. */
enum { PIPIT__DECIMAL_SIZE = 64 };

/* Whether its scale is one. */
bool pipit__decimal_is_good(struct pipit_decimal decimal);

/* Writes a good decimal, with as many digits behind the point as it says; returns the length. */
size_t pipit__decimal_write(struct pipit_decimal decimal, char *out);

/* Reads digits with or without a point, to a good scale: 0, or PIPIT_ETYPE when it is no such text,
 * has other digits than zeros behind its scale, or does not fit. */
int pipit__decimal_read(const char *text, size_t length, int scale, struct pipit_decimal *ret);

#endif
