/*
 * The shortest text of a floating number is written digit for digit as the server writes it.
 *
 * The module owns nothing. binary_scalar.c calls it for numbers that came in binary form.
 */
#ifndef PIPIT_SHORTEST_INTERNAL_H
#define PIPIT_SHORTEST_INTERNAL_H

#include <stddef.h>

/* Each writes a number into PIPIT__NUMBER_SIZE bytes, with a NUL behind it, and returns the length
 * without the NUL. */
size_t pipit__shortest_float(float number, char *out);
size_t pipit__shortest_double(double number, char *out);

#endif
