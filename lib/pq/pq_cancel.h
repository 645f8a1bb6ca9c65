/*
 * A cancel asks the server to stop what another connection executes, by libpq 17's functions.
 *
 * The cancel is a connection of its own, to the same address and as encrypted as the one whose
 * statement it is about, and does not block. The caller owns it and drives it like a connect. An
 * older libpq has none of these functions: pipit__pq_can_cancel() says so, and nothing else here
 * may be called then. conn/ cancels, and asks where a connection goes and what serves it.
 */
#ifndef PIPIT_PQ_CANCEL_INTERNAL_H
#define PIPIT_PQ_CANCEL_INTERNAL_H

#include <stdbool.h>

#include "pq/pq.h"

struct pg_cancel_conn;

/* Whether this libpq can ask the server of that connection for a cancel. */
bool pipit__pq_can_cancel(const struct pg_conn *pq);

/* Starts to ask the server to cancel what that connection executes; pq is not needed afterwards.
 * NULL if memory ran out; the first poll tells every other failure. */
struct pg_cancel_conn *pipit__pq_cancel_start(struct pg_conn *pq);
/* Goes on with a cancel. PQ_POLL_DONE says that the server has closed the connection, and so has
 * done what it was asked. The socket may be another one afterwards. */
enum pq_poll pipit__pq_cancel_poll(struct pg_cancel_conn *cancel);
/* Returns the socket; -1 if there is none. */
int pipit__pq_cancel_socket(const struct pg_cancel_conn *cancel);
/* Returns the text of the last failure, borrowed until the next call. */
const char *pipit__pq_cancel_message(const struct pg_cancel_conn *cancel);
/* Ends and frees a cancel; NULL does nothing. in_child: nothing is sent on a socket that the parent
 * of a fork shares. */
void pipit__pq_cancel_finish(struct pg_cancel_conn *cancel, bool in_child);

/* Returns the name of the host that a connection goes to, or the folder of its socket; "" if there
 * is none. Borrowed from the connection. */
const char *pipit__pq_host(const struct pg_conn *pq);
/* Returns the numeric address, "" if there is none; borrowed from the connection. */
const char *pipit__pq_address(const struct pg_conn *pq);
/* Returns the port, "" if there is none; borrowed from the connection. */
const char *pipit__pq_port(const struct pg_conn *pq);
/* Returns the number of the process that serves a connection, as the server, or a pooler in front
 * of it, says. */
int pipit__pq_backend_pid(const struct pg_conn *pq);

#endif
