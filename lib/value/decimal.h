/*
 * A decimal is an exact number, which this module writes and reads as text.
 *
 * The module owns nothing. codec.c writes decimals that go to the server, decode.c reads those that
 * come.
 */
#ifndef PIPIT_DECIMAL_INTERNAL_H
#define PIPIT_DECIMAL_INTERNAL_H

#include <pipit/value.h>
#include <stdbool.h>
#include <stddef.h>

/* The text of any decimal fits into so many bytes, its NUL included. */
enum { PIPIT__DECIMAL_SIZE = 64 };

/* Whether the scale of a decimal is from 0 to PIPIT_SCALE_MAX. */
bool pipit__decimal_is_good(struct pipit_decimal decimal);

/* Writes a good decimal, with as many digits behind the point as its scale says, and a NUL. Returns
 * the length without the NUL. */
size_t pipit__decimal_write(struct pipit_decimal decimal, char *out);

/* Reads digits with or without a point, to a good scale. 0, or PIPIT_ETYPE if the text is none, has
 * digits other than zeros behind the scale, or does not fit into 64 bits of units. */
int pipit__decimal_read(const char *text, size_t length, int scale, struct pipit_decimal *ret);

#endif
