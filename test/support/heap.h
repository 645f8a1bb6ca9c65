/*
 * What the library itself allocates: how often, and how many bytes it holds. The program is linked
 * with --wrap for malloc and its like, so that the calls inside libpq, libevent and the C library,
 * which are shared, are not seen. Those of the test and of Check are: what is between two readings
 * must not assert anything.
 */
#ifndef TEST_HEAP_H
#define TEST_HEAP_H

#include <stddef.h>

/* Calls of malloc(), calloc(), realloc(), reallocarray() and strdup() since the start. */
long heap_calls(void);

/* Bytes of the blocks that are held now, as large as the allocator made them. */
size_t heap_bytes(void);

#endif
