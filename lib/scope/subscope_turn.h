/*
 * The turn of subscopes: what is begun, sent and ended at the end of a turn of the loop. Everything
 * else only notes what has happened, and has the lease looked at.
 */
#ifndef PIPIT_SUBSCOPE_TURN_INTERNAL_H
#define PIPIT_SUBSCOPE_TURN_INTERNAL_H

#include <stdbool.h>

#include "scope/subscope.h"

struct conn;

/* The frame of a subscope's own request: its argument is the subscope. */
void pipit__subscope_on_done(struct request *req, struct pipit_result *res, void *arg);

/* A connection was had for the outermost subscope. */
void pipit__subscope_leased(struct request *request, struct conn *conn);

/* Ends it if it is to end; false: there is nothing to do for the moment. */
bool pipit__subscope_try_end(struct subscope *subscope);

/* What has come to its turn, is to be sent, or to end, on all leases. */
void pipit__subscopes_turn(struct leases *leases);

#endif
