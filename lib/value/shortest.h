/*
 * The shortest text of a floating number has the fewest digits that are read back as the number.
 *
 * The module owns nothing. binary_scalar.c calls it for numbers that came in binary form, codec.c
 * for those that go out.
 */
#ifndef PIPIT_SHORTEST_INTERNAL_H
#define PIPIT_SHORTEST_INTERNAL_H

#include <stddef.h>

/* Each writes a number into PIPIT__NUMBER_SIZE bytes, with a NUL behind it, and returns the length
 * without the NUL. The text is the server's own, NaN and Infinity included. */
size_t pipit__shortest_float(float number, char *out);
size_t pipit__shortest_double(double number, char *out);

/* Writes a number that goes to the server and says no type: as above, but without an exponent below
 * 10^16, so that a whole number is one for the integer types too. */
size_t pipit__shortest_param(double number, char *out);

#endif
