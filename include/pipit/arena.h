/*
 * Arenas
 *
 * An arena holds many small pieces of memory that are freed together. A condition made by the
 * macros of expr.h lives until the end of the block it stands in; pipit_expr_keep() copies one into
 * an arena, and the copy lives as long as the arena.
 */
#ifndef PIPIT_ARENA_H
#define PIPIT_ARENA_H

#include <pipit/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * An arena. The caller frees it with pipit_arena_free(). One thread at a time may use an arena;
 * nothing checks this.
 */
struct pipit_arena;

/**
 * Makes an arena.
 *
 * @return the arena; the caller frees it with pipit_arena_free(). NULL if memory ran out
 */
PIPIT_API struct pipit_arena *pipit_arena_new(void);

/**
 * Frees an arena and everything in it.
 *
 * @param arena  NULL does nothing
 * @return NULL, so that `arena = pipit_arena_free(arena)` leaves no pointer to freed memory
 */
PIPIT_API struct pipit_arena *pipit_arena_free(struct pipit_arena *arena);

#ifdef __cplusplus
}
#endif

#endif
