/*
 * Reserved members of public structs. A program that has something in them was made for a later
 * version of pipit, in which it means something; so it is refused, and never ignored.
 */
#ifndef PIPIT_RESERVED_INTERNAL_H
#define PIPIT_RESERVED_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The end of an error that begins with "the reserved members of". */
#define RESERVED_PROBLEM "must be NULL: they are for later versions of pipit"

/* Whether a whole array of reserved members is empty. */
#define reserved_is_empty(array) reserved_is_null((array), sizeof(array) / sizeof *(array))

/* The loop has no way out in its middle, so that the compiler takes several members at once. */
static inline bool
reserved_is_null(void *const *reserved, size_t n)
{
        uintptr_t all = 0;

        for (size_t i = 0; i < n; i++)
                all |= (uintptr_t)reserved[i];
        return all == 0;
}

#endif
