/*
 * A connect attempt is one try to get a connection, over all hosts and all their addresses, in
 * bounded time. It is a race: of the candidates that are under way together one wins.
 *
 * The attempt belongs to itself: it is freed when it has called back or was cancelled, and owns the
 * connection until then. conn_open.c and cancel_conn.c start attempts. What always holds:
 * 1. fn is called exactly once, unless the attempt is cancelled; never from inside the start.
 * 2. An attempt ends within its timeout, which the endpoints share: one that does not answer takes
 *    its share and not all of it.
 * 3. A host is tried beside the one before when that has failed, or was not taken within 1 s. Of
 *    those that are taken the earlier wins while it is open; what is not taken yet loses.
 */
#ifndef PIPIT_CONNECT_ATTEMPT_INTERNAL_H
#define PIPIT_CONNECT_ATTEMPT_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "connect/conn_error.h"

struct connect_attempt;
struct conninfo;
struct pg_conn;
struct reactor;

/* Is called with either pq, which the callee owns from then on, or failure. host says where pq
 * goes. host and failure are borrowed until the call returns. */
typedef void (*pipit__connect_attempt_fn)(struct pg_conn *pq, const char *host,
                                          const struct conn_error *failure, void *arg);

/*
 * Starts an attempt. info and reactor are borrowed until fn is called or the attempt cancelled.
 * NULL if memory ran out.
 */
struct connect_attempt *
pipit__connect_attempt_start(struct reactor *reactor, const struct conninfo *info,
                             int64_t timeout_ms, pipit__connect_attempt_fn fn, void *arg);
/* Ends an attempt before fn was called; fn is not called any more. NULL does nothing.
 * in_child: nothing is sent on a socket that the parent of a fork shares. */
void pipit__connect_attempt_cancel(struct connect_attempt *attempt, bool in_child);

#endif
