/*
 * A descriptor is what sockets and open files take, and of which a process has so many and no more.
 *
 * Libraries tell of a want of descriptors in their own words, or of something else that came of it.
 * Whoever has to know asks here.
 */
#ifndef PIPIT_DESCRIPTOR_INTERNAL_H
#define PIPIT_DESCRIPTOR_INTERNAL_H

/* Whether n descriptors more can be opened now. NULL, or a text that says why not and what helps.
 */
const char *pipit__descriptor_problem(int n);

#endif
