/*
 * A text fits a type if the type keeps all of it: if what the server stores of it under that type
 * is what it would store under a wider one, or in a column of text.
 *
 * The type of a parameter, as a connection knows it, can be out of date. A text that fits is stored
 * the same either way, unless only the server can tell the difference; any other goes out without a
 * type, so that the server takes that of the column as it is now.
 *
 * The module owns nothing. encode.c asks when a value is bound, and request/ when it is sent.
 */
#ifndef PIPIT_FITS_INTERNAL_H
#define PIPIT_FITS_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether the type keeps all of the text, which need not have a NUL after it. Every text fits types
 * whose texts have many spellings, as jsonb and interval, and unknown ones. */
bool pipit__text_fits(uint32_t oid, const char *text, size_t length);

#endif
