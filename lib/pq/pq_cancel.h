/*
 * The cancels of libpq 17: a connection of their own, which does not block, to the same address and
 * as encrypted as the one whose statement they are about. An older libpq has none of them.
 */
#ifndef PIPIT_PQ_CANCEL_INTERNAL_H
#define PIPIT_PQ_CANCEL_INTERNAL_H

#include <stdbool.h>

#include "pq/pq.h"

struct pg_cancel_conn;

/* Whether this libpq can ask the server of that connection so. */
bool pipit__pq_can_cancel(const struct pg_conn *pq);

/* Starts to ask the server to cancel what that connection executes. NULL when memory ran out; every
 * other failure is told by the first poll. */
struct pg_cancel_conn *pipit__pq_cancel_start(struct pg_conn *pq);
/* PQ_POLL_DONE: the server has closed the connection, and so has done what it was asked. */
enum pq_poll pipit__pq_cancel_poll(struct pg_cancel_conn *cancel);
int pipit__pq_cancel_socket(const struct pg_cancel_conn *cancel);
/* Of the last failure; borrowed until the next call. */
const char *pipit__pq_cancel_message(const struct pg_cancel_conn *cancel);
/* Ends it; NULL does nothing. in_child: nothing is sent on a socket that the parent shares. */
void pipit__pq_cancel_finish(struct pg_cancel_conn *cancel, bool in_child);

/* Where a connection goes: the name or folder, the address, the port, "" for what there is none of.
 * Borrowed from it. */
const char *pipit__pq_host(const struct pg_conn *pq);
const char *pipit__pq_address(const struct pg_conn *pq);
const char *pipit__pq_port(const struct pg_conn *pq);
/* The number of its server process, as that, or a pooler, says. */
int pipit__pq_backend_pid(const struct pg_conn *pq);

#endif
