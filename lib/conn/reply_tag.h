/*
 * Command tags: what the tag of an answer says of the statement that was run.
 *
 * The tag is looked at before any later result is given out. libpq's transaction status does not
 * serve, because it says no more than "active" while segments are queued.
 */
#ifndef PIPIT_REPLY_TAG_INTERNAL_H
#define PIPIT_REPLY_TAG_INTERNAL_H

#include <stdbool.h>

/* Whether the statement was an INSERT, UPDATE or DELETE. With SELECT nearly all tags are of these,
 * and none is that follows here. */
bool pipit__tag_is_write(const char *tag);

/*
 * Whether the statement changes its session, or opens or ends a transaction: on a connection that
 * others share it would happen to them.
 */
bool pipit__tag_is_unshared(const char *tag);

/* Whether the transaction is not the one any more that pipit has begun. */
bool pipit__tag_ends_transaction(const char *tag);

/* Whether a statement of a transaction may have changed its session for longer than that. */
bool pipit__tag_is_dirty(const char *tag);

#endif
