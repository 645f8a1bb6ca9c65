/*
 * Cancels: asking a server to stop what one connection executes, without blocking.
 *
 * With libpq 17 in a connection that libpq makes for it; else by the cancel connection. It has
 * ended when nothing of it is on its way any more: a signal that came later would hit the statement
 * behind the one that was meant.
 */
#ifndef PIPIT_CANCEL_INTERNAL_H
#define PIPIT_CANCEL_INTERNAL_H

#include <stdbool.h>

struct backend;
struct cancel;
struct cancel_conn;
struct pg_conn;

/* Called once, later, from the loop. ended: nothing of it is on its way; else nobody knows. */
typedef void (*pipit__cancel_fn)(bool ended, void *arg);

/* Starts one for a connection and its session, borrowed until fn. NULL when it cannot be had. */
struct cancel *pipit__cancel_start(struct cancel_conn *cancel_conn, struct pg_conn *pq,
                                   const struct backend *backend, pipit__cancel_fn fn, void *arg);
/* Drops it: fn is not called. NULL does nothing. in_child: without a word on a socket. */
void pipit__cancel_drop(struct cancel *cancel, bool in_child);

#endif
