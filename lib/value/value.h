/*
 * The value module copies values that outlive what they were made from.
 *
 * The module owns nothing: the copies belong to an arena. sql/ keeps the values of a condition so.
 */
#ifndef PIPIT_VALUE_INTERNAL_H
#define PIPIT_VALUE_INTERNAL_H

#include <pipit/arena.h>
#include <pipit/value.h>

/* Copies a list of values and what they point to into an arena, which owns the copies. 0 or
 * PIPIT_ENOMEM. */
int pipit__value_keep(struct pipit_arena *arena, struct pipit_params params,
                      struct pipit_params *ret_params);

#endif
