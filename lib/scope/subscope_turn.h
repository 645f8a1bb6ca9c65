/*
 * The turn of subscopes: what is begun, sent and ended at the end of a turn of the loop. Everything
 * else only notes what has happened, and has the lease looked at.
 */
#ifndef PIPIT_SUBSCOPE_TURN_INTERNAL_H
#define PIPIT_SUBSCOPE_TURN_INTERNAL_H

struct leases_ops;

/* Leases tell the subscopes on them by these: given to pipit__leases_init(). */
extern const struct leases_ops pipit__subscope_leases_ops;

#endif
