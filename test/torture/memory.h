/*
 * Memory of the whole process that runs out on purpose: what pipit, libevent, libpq and the C
 * library allocate is counted, and from the n-th allocation on it can fail. The program's own
 * malloc() and its like stand in front of the C library's, or of those of the address sanitizer.
 *
 * Nothing is counted outside memory_start() ... memory_stop(). memory_pause() is for what the test
 * itself allocates in between.
 */
#ifndef TEST_MEMORY_H
#define TEST_MEMORY_H

#include <stdbool.h>

enum memory_mode {
        MEMORY_ONCE,   /* one allocation fails */
        MEMORY_FROM_ON /* so do all after it */
};

/* Starts to count; allocation number point, from 0, fails, none for -1. */
void memory_start(long point, enum memory_mode mode);
void memory_stop(void);
/* Stops failing, and starts again; what is allocated and freed counts for the balance only. */
void memory_pause(void);
void memory_resume(void);

/* Since memory_start(): allocations tried; whether one has failed; blocks that are not freed. */
long memory_tried(void);
bool memory_failed(void);
long memory_balance(void);
/* Where the first of them failed: return addresses, for a debugger; how many there are. */
int memory_where(void **ret_addresses, int max);

#endif
