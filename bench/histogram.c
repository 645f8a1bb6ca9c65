#include "histogram.h"

#include <math.h>

#define PRECISION_BITS 10
#define MAX_VALUE      ((UINT64_C(1) << 40) - 1)

static unsigned
bucket_of(uint64_t value)
{
        unsigned top = 63 - (unsigned)__builtin_clzll(value | 1);
        unsigned shift = top > PRECISION_BITS ? top - PRECISION_BITS : 0;

        return (shift << PRECISION_BITS) + (unsigned)(value >> shift);
}

/* The greatest value that goes into a bucket. */
static uint64_t
bucket_end(unsigned bucket)
{
        unsigned shift = bucket >> PRECISION_BITS;

        if (shift <= 1)
                return bucket; /* the first two powers are exact */
        shift--;
        return ((uint64_t)(bucket - (shift << PRECISION_BITS) + 1) << shift) - 1;
}

void
histogram_add(struct histogram *histogram, uint64_t ns)
{
        histogram->buckets[bucket_of(ns < MAX_VALUE ? ns : MAX_VALUE)]++;
        histogram->n++;
}

uint64_t
histogram_quantile(const struct histogram *histogram, double part)
{
        uint64_t wanted = (uint64_t)ceil(part * (double)histogram->n);
        uint64_t seen = 0;

        if (histogram->n == 0)
                return 0;
        for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
                seen += histogram->buckets[i];
                if (seen >= wanted && seen > 0)
                        return bucket_end(i);
        }
        return MAX_VALUE;
}
