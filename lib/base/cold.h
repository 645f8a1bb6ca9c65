/*
 * Functions that are called seldom, as for errors.
 *
 * The compiler puts them out of the way of the others, and those parts of the others that call
 * them. A query runs through libpq, the C library, pipit and its caller, and all of that should
 * stay in the instruction cache of a processor.
 */
#ifndef PIPIT_COLD_INTERNAL_H
#define PIPIT_COLD_INTERNAL_H

#define COLD __attribute__((cold))

#endif
