/*
 * The stack of this thread: which functions are being called.
 *
 * Nothing is kept. The frames are found by the unwind tables that compilers write for every
 * function, unless they are told not to; the search ends at a frame without one.
 */
#ifndef PIPIT_STACK_INTERNAL_H
#define PIPIT_STACK_INTERNAL_H

#include <stdint.h>

/* Returns how many calls of a function have not returned yet on this thread. */
int pipit__stack_count(uintptr_t function);

#endif
