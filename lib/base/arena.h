/*
 * An arena makes many small allocations and frees them together.
 *
 * The arena owns its blocks of memory. What always holds:
 * 1. Memory of an arena is zeroed, aligned for any type, and stays where it is until
 *    pipit_arena_free().
 * 2. An arena whose allocation failed is as good as before, and may be asked again.
 *
 * result/ keeps what a result decodes in one, and value/ and sql/ copy values and conditions into
 * one.
 */
#ifndef PIPIT_ARENA_INTERNAL_H
#define PIPIT_ARENA_INTERNAL_H

#include <pipit/arena.h>
#include <stddef.h>

/* Returns zeroed memory, owned by the arena, or NULL if memory ran out. A size of 0 gives memory,
 * too. */
void *pipit__arena_alloc(struct pipit_arena *arena, size_t size);

/* Returns zeroed memory for n elements of that size, owned by the arena, or NULL if memory ran out
 * or their product is no size_t. */
void *pipit__arena_array(struct pipit_arena *arena, size_t n, size_t size);

/* Returns a copy of length bytes with a NUL behind them, owned by the arena, or NULL if memory ran
 * out. data may be NULL if length is 0. */
char *pipit__arena_copy(struct pipit_arena *arena, const void *data, size_t length);

#endif
