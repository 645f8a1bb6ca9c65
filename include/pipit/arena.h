/*
 * Arenas: memory for many small things that are freed together.
 *
 * Conditions made by the macros of expr.h live until the end of their block; pipit_expr_keep()
 * copies one into an arena, where it lives as long as that.
 */
#ifndef PIPIT_ARENA_H
#define PIPIT_ARENA_H

#include <pipit/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An arena; the caller frees it with pipit_arena_free(). Belongs to one thread at a time. */
struct pipit_arena;

/**
 * Makes an arena.
 *
 * @return caller frees with pipit_arena_free(); NULL when memory ran out
 */
PIPIT_API struct pipit_arena *pipit_arena_new(void);

/**
 * Frees an arena with everything in it.
 *
 * @param arena  NULL does nothing
 * @return NULL, so that `arena = pipit_arena_free(arena)` leaves nothing behind
 */
PIPIT_API struct pipit_arena *pipit_arena_free(struct pipit_arena *arena);

#ifdef __cplusplus
}
#endif

#endif
