/*
 * Reading a connection: answers are matched to what was sent, and requests completed as they come.
 */
#ifndef PIPIT_CONN_READ_INTERNAL_H
#define PIPIT_CONN_READ_INTERNAL_H

#include <stdbool.h>

struct conn;

/* Takes what the socket has, and works it off. It may close the connection. */
void pipit__conn_read(struct conn *conn);

/* Works answers off that libpq has, and asks for another turn for what its budget leaves. */
void pipit__conn_work(struct conn *conn);

/* Looks for bad news on an idle connection, without a round trip; false when it was closed. */
bool pipit__conn_is_alive(struct conn *conn);

#endif
