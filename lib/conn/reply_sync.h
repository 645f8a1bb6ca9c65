/*
 * The replies to Syncs, which end their segments. An error that comes where a Sync is to come, as
 * of a deferred constraint, is the whole segment's.
 */
#ifndef PIPIT_REPLY_SYNC_INTERNAL_H
#define PIPIT_REPLY_SYNC_INTERNAL_H

#include "conn/reply_queue.h"

/* A Sync's error goes to the request of the command in front of it. */
extern const struct reply_ops pipit__reply_sync;
/* A Sync that commits the transaction in front of it, which had no BEGIN: its request waits for
 * what becomes of that. */
extern const struct reply_ops pipit__reply_sync_commit;

#endif
