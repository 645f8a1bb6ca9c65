/*
 * The turn of children: what is begun, sent and ended at the end of a turn of the loop. Everything
 * else only notes what has happened, and has the lease looked at.
 */
#ifndef PIPIT_CHILD_TURN_INTERNAL_H
#define PIPIT_CHILD_TURN_INTERNAL_H

#include <stdbool.h>

#include "scope/child.h"

struct conn;

/* The frame of a child's own request: its argument is the child. */
void pipit__child_on_done(struct request *req, struct pipit_result *res, void *arg);

/* A connection was had for the outermost child. */
void pipit__child_leased(struct request *done, struct conn *conn);

/* Ends it if it is to end; false: there is nothing to do for the moment. */
bool pipit__child_try_end(struct child *child);

/* What has come to its turn, is to be sent, or to end, on all leases. */
void pipit__children_turn(struct leases *leases);

#endif
