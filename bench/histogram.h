/*
 * Histograms of latencies, log-linear as HDR histograms are: 1,024 buckets for each power of two,
 * so that a value is off by less than 0.1 %, whatever its size.
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

/* Values up to 2^40 ns, some 18 minutes; longer ones count as that. */
#define HISTOGRAM_BUCKETS 32768

struct histogram {
        uint64_t n;
        uint32_t buckets[HISTOGRAM_BUCKETS];
};

/* An empty one is all zero. */
void histogram_add(struct histogram *histogram, uint64_t ns);
/* The least value that is not below this part of them, as 0.99; 0 when there are none. */
uint64_t histogram_quantile(const struct histogram *histogram, double part);

#endif
