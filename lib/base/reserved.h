/*
 * A public struct that programs fill in has reserved members, which are empty in this version.
 *
 * A program that has something in them was made for a later version of pipit, in which that means
 * something; so the program is refused, and the member never ignored. sql/, request/ and those
 * above look.
 */
#ifndef PIPIT_RESERVED_INTERNAL_H
#define PIPIT_RESERVED_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The problem is told in words that go on from "the reserved members of ...". */
#define RESERVED_PROBLEM "must be NULL: they are for later versions of pipit"

/* Whether a whole array of reserved members is empty. */
#define reserved_is_empty(array) reserved_is_null((array), sizeof(array) / sizeof *(array))

/* Whether n reserved members are NULL. The loop has no way out, so that the compiler looks at
 * several members at once. */
static inline bool
reserved_is_null(void *const *reserved, size_t n)
{
        uintptr_t all = 0;

        for (size_t i = 0; i < n; i++)
                all |= (uintptr_t)reserved[i];
        return all == 0;
}

#endif
