/*
 * The text of what holds other values: arrays, ranges, multiranges, composites. It is taken apart
 * in place: quotes go, and behind each value inside there is a NUL.
 */
#ifndef PIPIT_LITERAL_INTERNAL_H
#define PIPIT_LITERAL_INTERNAL_H

#include <pipit/item.h>
#include <stdbool.h>
#include <stddef.h>

/* The most values that a text of that length can hold. */
size_t pipit__literal_most(const char *text, size_t length, char delimiter);

/*
 * Each takes a text apart that may be written to, with a NUL behind it. It sets data and length of
 * the items it finds, NULL and 0 for a NULL, and nothing else of them; there is room for
 * pipit__literal_most(). Whether it was good; if not, text and items are rubbish.
 */
bool pipit__literal_array(char *text, size_t length, char delimiter, struct pipit_item *items,
                          struct pipit_array *ret);
bool pipit__literal_range(char *text, size_t length, struct pipit_range *ret);
bool pipit__literal_multirange(char *text, size_t length, struct pipit_item *items, size_t *ret_n);
bool pipit__literal_composite(char *text, size_t length, struct pipit_item *items, size_t *ret_n);

#endif
