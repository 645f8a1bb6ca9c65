/*
 * Sessions: one connection for a while, for what leaves something behind in it: settings, temporary
 * tables, advisory locks, prepared statements by name, transactions in plain SQL.
 *
 * A session is a scope: everything that works on a database works on it. Its requests run one after
 * the other on its connection, in the order of the calls; each is committed by itself. At its end
 * the connection is cleaned (ROLLBACK if need be, DISCARD ALL) before anybody else gets it, or
 * closed when that fails. When the connection is lost, so is the session: what is started on it
 * from then on fails, and never runs elsewhere.
 */
#ifndef PIPIT_SESSION_H
#define PIPIT_SESSION_H

#include <pipit/export.h>
#include <pipit/request.h>
#include <pipit/scope.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What is to be done on a scope: starts requests on it, and may start more in their callbacks.
 * Called from the loop, never inside the call that named it. It may call any function of pipit.
 *
 * @param scope  the session or the transaction; ends by itself, and must not be closed with
 *               pipit_close() unless its work is to be given up
 * @param arg    what the start was given
 */
typedef void (*pipit_body)(struct pipit *scope, void *arg);

/**
 * Runs a body with a connection of its own, as soon as one is free, and gives the connection back
 * when nothing is outstanding on the session any more.
 *
 * @param db    a database or a blocking scope; NULL returns 0
 * @param body  called once when the connection is there; not called when none can be had
 * @param done  called once, behind the last callback of the session's requests: success when it
 *              came to its end, whatever became of its requests; PIPIT_ELOST when its connection
 *              was lost; PIPIT_ECONNECT, PIPIT_ETIMEDOUT (timeout_ms of the options holds for all
 *              of it) or PIPIT_ECANCELED. Its result belongs to @a db. May be NULL
 * @param arg   passed to both; not touched
 * @return the request's number, on @a db: cancelled, it takes the session's requests along; 0 when
 *         memory ran out, then nothing is called
 */
PIPIT_API pipit_request pipit_session(struct pipit *db, pipit_body body, pipit_cb done, void *arg);

/**
 * Opens a session by hand, for what has no one body. What is started on it waits for its
 * connection.
 *
 * @param db  a database or a blocking scope; NULL returns NULL
 * @return a scope, to be ended with pipit_close(): what is outstanding then fails with
 *         PIPIT_ECANCELED. Closing @a db closes it. It has no deadline of its own. NULL when memory
 *         ran out and on another thread
 */
PIPIT_API struct pipit *pipit_session_open(struct pipit *db);

/**
 * Keeps a session or a transaction from ending by itself while nothing is outstanding on it: for
 * something that is no request, as a timer or the body of an HTTP request. Holds are counted.
 *
 * @param scope  a session or a transaction; anything else, one that has ended, and NULL do nothing
 */
PIPIT_API void pipit_hold(struct pipit *scope);

/**
 * Takes one pipit_hold() back.
 *
 * @param scope  as above. When the done callback of @a scope has returned, it must not be used any
 *               more, not even here: a deadline and a cancel end it in spite of its holds
 */
PIPIT_API void pipit_release(struct pipit *scope);

#ifdef __cplusplus
}
#endif

#endif
