/*
 * A cancel asks a server to stop what one connection executes, without blocking.
 *
 * With libpq 17 the cancel is a connection that libpq makes for it; else the cancel connection
 * (cancel_conn.h) asks. conn_cancel.c starts cancels, one at a time for each connection.
 *
 * 1. A cancel has ended when nothing of it is on its way any more: a signal that came later would
 *    hit the statement after the one that was meant.
 * 2. Every cancel ends within two seconds, or fails: then nobody knows whether it will come.
 */
#ifndef PIPIT_CANCEL_INTERNAL_H
#define PIPIT_CANCEL_INTERNAL_H

#include <stdbool.h>

struct backend;
struct cancel;
struct cancel_conn;
struct pg_conn;

/* Is called once, later, from the loop. ended: nothing of the cancel is on its way any more; else
 * nobody knows. */
typedef void (*pipit__cancel_fn)(bool ended, void *arg);

/* Starts a cancel for a connection and its session, which are borrowed until fn is called. NULL
 * when that cannot be had. */
struct cancel *pipit__cancel_start(struct cancel_conn *cancel_conn, struct pg_conn *pq,
                                   const struct backend *backend, pipit__cancel_fn fn, void *arg);
/* Drops a cancel, whose fn is not called. NULL does nothing. in_child: without a word on a socket.
 */
void pipit__cancel_drop(struct cancel *cancel, bool in_child);

#endif
