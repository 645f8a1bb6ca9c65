/*
 * A bump allocator: many small allocations, one free.
 */
#ifndef PIPIT_ARENA_INTERNAL_H
#define PIPIT_ARENA_INTERNAL_H

#include <pipit/arena.h>
#include <stddef.h>

/* Zeroed memory, aligned for anything, that lives as long as the arena; NULL: no memory. */
void *pipit__arena_alloc(struct pipit_arena *arena, size_t size);

/* Zeroed memory for n things of a size each; NULL when there is not so much, or not at all. */
void *pipit__arena_array(struct pipit_arena *arena, size_t n, size_t size);

/* A copy of some bytes, with a NUL behind them; NULL: no memory. */
char *pipit__arena_copy(struct pipit_arena *arena, const void *data, size_t length);

#endif
