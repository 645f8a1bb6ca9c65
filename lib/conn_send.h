/*
 * Sending on a connection: statements as segments, each prepared the first time it is sent there.
 */
#ifndef PIPIT_CONN_SEND_INTERNAL_H
#define PIPIT_CONN_SEND_INTERNAL_H

#include "segment.h"

struct conn;
struct list;

/*
 * Sends requests, a list of at least one, as one segment; what was sent is out of the list. Behind
 * the last segment comes pipit__conn_flush(). -1: the connection was closed, and what is left in
 * the list was not sent.
 */
int pipit__conn_send(struct conn *conn, enum segment_kind kind, struct list *requests);

#endif
