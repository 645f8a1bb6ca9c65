/*
 * Reading a connection: answers are matched to what was sent, and requests completed as they come.
 */
#ifndef PIPIT_CONN_READ_INTERNAL_H
#define PIPIT_CONN_READ_INTERNAL_H

#include <stdbool.h>

struct conn;

/* The socket is ready; a watcher's function. May close the connection. */
void pipit__conn_on_ready(unsigned ready, void *arg);
/* There is more to work off than the last turn's budget allowed; a timer's function. */
void pipit__conn_on_again(void *arg);

/* Looks for bad news on an idle connection, without a round trip; false when it was closed. */
bool pipit__conn_is_alive(struct conn *conn);

#endif
