/*
 * What the library does with values besides sending them.
 */
#ifndef PIPIT_VALUE_INTERNAL_H
#define PIPIT_VALUE_INTERNAL_H

#include <pipit/arena.h>
#include <pipit/value.h>

/* Copies what values point to into an arena, and the list itself; 0 or PIPIT_ENOMEM. */
int pipit__value_keep(struct pipit_arena *arena, struct pipit_params params,
                      struct pipit_params *ret_params);

#endif
