/*
 * Event bases of every kind: with the flags and the backends that a program may choose.
 */
#ifndef TEST_BASES_H
#define TEST_BASES_H

struct event_base;

#define N_BASES 9

/* Makes a base of a kind, from 0 to N_BASES - 1; 0 is libevent's default. */
struct event_base *base_new(int kind);
/* Its name, for a message. */
const char *base_name(int kind);

#endif
