/*
 * The replies to what runs inside of a transaction: its statements, and the BEGIN, savepoints and
 * the like around them. They are told to the lease that has the connection.
 */
#ifndef PIPIT_REPLY_TRANSACTION_INTERNAL_H
#define PIPIT_REPLY_TRANSACTION_INTERNAL_H

#include "conn/reply_queue.h"

/* BEGIN, SAVEPOINT and the like. Its error goes to the first request after it, whose statement the
 * server skips. */
extern const struct reply_ops pipit__reply_tx_command;
/* A statement of a transaction that goes on: without an answer it was rolled back. */
extern const struct reply_ops pipit__reply_tx_statement;
/* A statement that is sent together with the COMMIT of its transaction. */
extern const struct reply_ops pipit__reply_tx_committed;

#endif
