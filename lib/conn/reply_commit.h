/*
 * The reply to a COMMIT, which ends a transaction. It has succeeded only if its tag says COMMIT and
 * its Sync is answered: the server answers ROLLBACK where the transaction had failed.
 */
#ifndef PIPIT_REPLY_COMMIT_INTERNAL_H
#define PIPIT_REPLY_COMMIT_INTERNAL_H

#include "conn/reply_queue.h"

extern const struct reply_ops pipit__reply_commit;

#endif
