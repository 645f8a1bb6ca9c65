/*
 * The number module writes and reads the text of whole numbers and reads that of floating ones, the
 * same in every locale. shortest.h writes them.
 *
 * The module owns nothing. The other modules of value/ call it.
 */
#ifndef PIPIT_NUMBER_INTERNAL_H
#define PIPIT_NUMBER_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

/* The text of any number fits into so many bytes, its NUL included. */
enum { PIPIT__NUMBER_SIZE = 64 };

/* Each writes a number with a NUL behind it and returns the length without the NUL. out has
 * PIPIT__NUMBER_SIZE bytes. */
size_t pipit__number_write_int(int64_t number, char *out);
size_t pipit__number_write_uint(uint64_t number, char *out);

/* Reads a whole number between min and max. 0 or PIPIT_ETYPE. */
int pipit__number_read_int(const char *text, size_t length, int64_t min, int64_t max, int64_t *ret);

/* Each reads a decimal number, NaN or Infinity. 0, or PIPIT_ETYPE if the text is none, or the
 * number is too large or so small that nothing is left of it. */
int pipit__number_read_float(const char *text, size_t length, float *ret);
int pipit__number_read_double(const char *text, size_t length, double *ret);

#endif
