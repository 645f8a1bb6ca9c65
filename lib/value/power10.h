/*
 * A power of ten is known to 128 bits, for numbers that are written in decimal digits.
 *
 * The module owns nothing but constants. shortest.c calls it.
 */
#ifndef PIPIT_POWER10_INTERNAL_H
#define PIPIT_POWER10_INTERNAL_H

#include <stdint.h>

/* The powers that numbers need: 10 to one of these is near enough to any double. */
enum { PIPIT__POWER10_MIN = -292, PIPIT__POWER10_MAX = 324 };

/* A power is its mantissa, of 127 or 128 bits in two words, times 2 to the power of exponent. The
 * mantissa is more than the exact one, by 2 at most. */
struct power10 {
        uint64_t high;
        uint64_t low;
        int exponent;
};

/* Returns 10 to the power of n, which is between the two ends. */
struct power10 pipit__power10(int n);

/* An exact product of two words. */
struct wide {
        uint64_t high;
        uint64_t low;
};

/* Multiplies two words; in halves, because a type of 128 bits is not in every compiler. */
static inline struct wide
wide_multiply(uint64_t a, uint64_t b)
{
        uint64_t a_low = a & UINT32_MAX;
        uint64_t b_low = b & UINT32_MAX;
        uint64_t cross = (a >> 32) * b_low + (a_low * b_low >> 32);
        uint64_t other = a_low * (b >> 32) + (cross & UINT32_MAX);

        return (struct wide){(a >> 32) * (b >> 32) + (cross >> 32) + (other >> 32), a * b};
}

#endif
