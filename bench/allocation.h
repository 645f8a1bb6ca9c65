/*
 * How often memory was allocated. There are two of these: allocation_count.c counts, in the program
 * pipit-bench-count, and is slow; allocation_none.c does not, in pipit-bench.
 */
#ifndef BENCH_ALLOCATION_H
#define BENCH_ALLOCATION_H

#include <stdbool.h>
#include <stdint.h>

/* Whether this program counts at all. */
bool allocation_is_counted(void);
/* Calls of malloc(), calloc() and realloc() since the start, by anyone, and by code of this
 * program, which pipit is linked into; the others are libpq's, libevent's and the C library's. */
void allocation_count(uint64_t *ret_all, uint64_t *ret_own);

#endif
