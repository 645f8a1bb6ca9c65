/*
 * COLD marks a function that is called seldom, for errors as a rule.
 *
 * The compiler puts such functions, and the branches that call them, away from the code that runs
 * for every query. A query runs through libpq, the C library, pipit and its caller, and all of that
 * should stay in the instruction cache of a processor.
 */
#ifndef PIPIT_COLD_INTERNAL_H
#define PIPIT_COLD_INTERNAL_H

#define COLD __attribute__((cold))

#endif
