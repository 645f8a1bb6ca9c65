/*
 * The replies to statements of requests that have no transaction around them. They differ in what
 * they share: the connection, the Sync, or nothing.
 */
#ifndef PIPIT_REPLY_STATEMENT_INTERNAL_H
#define PIPIT_REPLY_STATEMENT_INTERNAL_H

#include "conn/reply_queue.h"

/* A statement with a Sync to itself: it commits by itself, and is done when that is answered. */
extern const struct reply_ops pipit__reply_single;
/* A declared read that shares its Sync: it is done with its rows. */
extern const struct reply_ops pipit__reply_read;
/* A write that shares its Sync: all are committed together, and done then. */
extern const struct reply_ops pipit__reply_write;
/* A statement of a session, with a Sync to itself: it may change its session. */
extern const struct reply_ops pipit__reply_session;

#endif
