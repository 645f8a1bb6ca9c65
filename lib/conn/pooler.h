/*
 * A pooler is what may stand between a database's connections and its server; this is what is known
 * of it.
 *
 * In session mode a connection has a session of the server to itself, and is as without a pooler.
 * In transaction mode each transaction may run in another session, which others have before and
 * after it; conn_send.c and conn_state.c then leave nothing in one:
 * 1. One Sync is on its way at a time. A pooler may take the session for free at the first
 *    ReadyForQuery that it sees.
 * 2. Nothing is prepared by name, and nothing is set but for a transaction.
 *
 * The mode is what the options say, or is found out: the pooler has a key of its own for a
 * connection, and two sessions have answered one connection. A database has one of these, which
 * its pool owns.
 */
#ifndef PIPIT_POOLER_INTERNAL_H
#define PIPIT_POOLER_INTERNAL_H

#include <pipit/options.h>
#include <stdbool.h>

struct pooler {
        enum pipit_pooler mode; /* PIPIT_POOLER_AUTO: the options leave it open */
        bool is_seen;           /* a connection has a key that its session does not have */
        bool changes_session;   /* one connection was answered by two sessions */
};

void pipit__pooler_init(struct pooler *pooler, enum pipit_pooler mode);

/* Whether each transaction of a connection may run in another session. */
bool pipit__pooler_is_shared(const struct pooler *pooler);
/* Whether to ask which session answers, along with what is sent anyway. */
bool pipit__pooler_is_asked(const struct pooler *pooler);
/* Notes that a connection's key is not its session's; true the first time, if that is news. */
bool pipit__pooler_see(struct pooler *pooler);
/* Notes that another session has answered a connection; likewise. */
bool pipit__pooler_see_change(struct pooler *pooler);

#endif
