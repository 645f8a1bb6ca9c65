/*
 * A literal is the text of a nested value: an array, a range, a multirange, a composite.
 *
 * The module owns nothing: a literal is taken apart in place, in a text of the caller's that may be
 * written to. Quotes go, and each value inside gets a NUL behind it. result/item.c reads nested
 * values that came as text so.
 */
#ifndef PIPIT_LITERAL_INTERNAL_H
#define PIPIT_LITERAL_INTERNAL_H

#include <pipit/item.h>
#include <stdbool.h>
#include <stddef.h>

/* Returns how many values a text can hold at most. */
size_t pipit__literal_most(const char *text, size_t length, char delimiter);

/*
 * Each takes a text apart, which has a NUL behind it. Of each value inside it sets the item's data,
 * borrowed from the text, and length, NULL and 0 for a NULL, and nothing else. items has room for
 * pipit__literal_most() of them. False if the text is not good; text and items are rubbish then.
 */
bool pipit__literal_array(char *text, size_t length, char delimiter, struct pipit_item *items,
                          struct pipit_array *ret);
bool pipit__literal_range(char *text, size_t length, struct pipit_range *ret);
bool pipit__literal_multirange(char *text, size_t length, struct pipit_item *items, size_t *ret_n);
bool pipit__literal_composite(char *text, size_t length, struct pipit_item *items, size_t *ret_n);

#endif
