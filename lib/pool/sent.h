/*
 * The end of a request of a database that was sent, for its caller: what is told when the request
 * is cancelled or out of time before its answer came.
 */
#ifndef PIPIT_SENT_INTERNAL_H
#define PIPIT_SENT_INTERNAL_H

#include "base/cold.h"

struct request;

/* Ends a sent request whose time is over; host is where it was sent, NULL when nobody knows. */
COLD void pipit__sent_expire(struct request *req, const char *host);
/* Ends a sent request that its caller gives up, for a reason given as a clause. */
COLD void pipit__sent_cancel(struct request *req, const char *reason);

#endif
