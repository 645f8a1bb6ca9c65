/*
 * The shortest text of floating numbers, digit for digit as the server writes it.
 */
#ifndef PIPIT_SHORTEST_INTERNAL_H
#define PIPIT_SHORTEST_INTERNAL_H

#include <stddef.h>

/* Write a number into PIPIT__NUMBER_SIZE bytes, with a NUL behind it, and return the length. */
size_t pipit__shortest_float(float number, char *out);
size_t pipit__shortest_double(double number, char *out);

#endif
