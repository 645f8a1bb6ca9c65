/*
 * The replies to what goes in front of a statement so that it can be run by its name: the end of an
 * older prepared statement, the Prepare, and the description of its types.
 *
 * Each connection knows what is prepared on it from what was sent; these replies take that back
 * when the server says otherwise.
 */
#ifndef PIPIT_REPLY_PREPARE_INTERNAL_H
#define PIPIT_REPLY_PREPARE_INTERNAL_H

#include "conn/reply_queue.h"

extern const struct reply_ops pipit__reply_close;
/* A Prepare's error goes to the first request that runs the statement. */
extern const struct reply_ops pipit__reply_prepare;
extern const struct reply_ops pipit__reply_describe;

/* A Describe for which a request waits, of a session or of a transaction: with the answer it is run
 * again, in its place, and it has the Prepare's error. */
extern const struct reply_ops pipit__reply_session_types;
extern const struct reply_ops pipit__reply_tx_types;

#endif
