/*
 * Sessions
 *
 * A session is a scope that has one connection to itself for a while. Run on it what leaves an
 * effect in its connection: settings, temporary tables, advisory locks, prepared statements with a
 * name, transactions in plain SQL.
 *
 * Queries, models and transactions work on a session as on a database. Its requests run on its
 * connection one after the other, in the order of the calls, and each is committed by itself. When
 * the session ends, the connection is cleaned (ROLLBACK if need be, then DISCARD ALL) before
 * anybody else gets it, or closed if that fails. When the connection is lost, the session is lost
 * with it: a request that is started on it afterwards fails, and never runs on another connection.
 *
 * A session holds one of max_connections until it ends.
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
 * A body: starts the requests of a session or a transaction. Callbacks of these requests may start
 * more. pipit calls a body from the loop, never inside the call that it was given to, and the body
 * may call any function of pipit.
 *
 * @param scope  the session or the transaction. The scope ends by itself when nothing is
 *               outstanding on it; pipit_close() abandons its work
 * @param arg    the pointer that the start was given; not touched
 */
typedef void (*pipit_body)(struct pipit *scope, void *arg);

/**
 * Runs a body on a session, as soon as a connection is free, and gives the connection back when
 * nothing is outstanding on the session any more.
 *
 * The option timeout_ms limits the session as a whole, its wait for a connection included, and
 * acquire_timeout_ms limits that wait.
 *
 * @param db    a database or a blocking scope; any other scope fails with PIPIT_EINVAL; NULL
 *              returns 0
 * @param body  called once when the connection is there; not called if none can be had. NULL fails
 *              with PIPIT_EINVAL
 * @param done  called once, after the last callback of the session's requests. Success says that
 *              the session came to its end, whatever became of its requests. PIPIT_ELOST says that
 *              its connection was lost; PIPIT_ECONNECT, PIPIT_ETIMEDOUT and PIPIT_ECANCELED are
 *              possible, too. The result's scope is @a db. May be NULL
 * @param arg   passed to both; not touched
 * @return the number of a request on @a db; to cancel it cancels the session's requests with it. 0
 *         if memory ran out, and then neither @a body nor @a done is called
 */
PIPIT_API pipit_request pipit_session(struct pipit *db, pipit_body body, pipit_cb done, void *arg);

/**
 * Opens a session by hand, for work that does not fit into one body. Requests that are started on
 * it wait for its connection. The session itself has no deadline; its requests have theirs.
 *
 * @param db  a database or a blocking scope; any other scope makes a session on which every request
 *            fails with PIPIT_EINVAL; NULL returns NULL
 * @return a scope; the caller ends it with pipit_close(), and requests that are outstanding then
 *         complete with PIPIT_ECANCELED. Closing @a db closes it, too. NULL if memory ran out and
 *         on another thread
 */
PIPIT_API struct pipit *pipit_session_open(struct pipit *db);

/**
 * Keeps a session or a transaction from ending by itself while nothing is outstanding on it, so
 * that it can wait for something that is no request, as a timer or the rest of an HTTP request.
 * Holds are counted: each needs its own pipit_release().
 *
 * The loss of its connection, a deadline, a cancel and pipit_close() end the scope in spite of its
 * holds: its done callback says so, and takes all holds away.
 *
 * @param scope  a session or a transaction that has a body; one that was opened by hand never ends
 *               by itself, so a hold does nothing there, and does not keep pipit_commit() back. Any
 *               other scope, one that has ended, and NULL do nothing
 */
PIPIT_API void pipit_hold(struct pipit *scope);

/**
 * Takes one pipit_hold() back.
 *
 * @param scope  as for pipit_hold(). After its done callback has returned, the scope must not be
 *               used any more, not even here, and a loss, a deadline or a cancel may have ended
 *               it meanwhile
 */
PIPIT_API void pipit_release(struct pipit *scope);

/**
 * A callback that is told that a session or a transaction has lost its connection.
 *
 * @param scope  the scope, on which nothing runs any more; pipit_scope_error() says why
 * @param error  why the connection is gone; borrowed until the callback returns
 * @param arg    the pointer that pipit_on_lost() was given; not touched
 */
typedef void (*pipit_lost_cb)(struct pipit *scope, const struct pipit_error *error, void *arg);

/**
 * Has a callback told when a session or a transaction loses its connection, and with that its
 * locks, its temporary tables and all that was not committed, also while nothing is outstanding on
 * the scope: a program that holds an advisory lock as a leader learns that it leads no more.
 *
 * pipit watches the connection while it is idle, too. When the server or the network ends it,
 * pipit_scope_error() says so from that moment on, and @a cb runs at the end of the same turn of
 * the loop, before the scope's done callback. A link that dies without a word is noticed by TCP, as
 * keepalives_idle and its like in the connection string say. On a scope of a blocking scope
 * pipit_wait() notices the loss, and runs @a cb.
 *
 * @param scope  a session, a transaction or a test scope
 * @param cb     called at most once, from the loop, and may call any function of pipit. Never
 *               called after the scope has ended, or after its user has ended it by pipit_close(),
 *               pipit_commit() or pipit_rollback(). Takes the place of the callback that was given
 *               before; NULL takes that back. A body that runs again asks again
 * @param arg    passed to @a cb; not touched
 * @return 0; PIPIT_ELOST if the connection is lost already, PIPIT_ECLOSED if the scope has ended
 *         otherwise, PIPIT_EINVAL for any other scope, for NULL and on another thread. @a cb is
 *         never called after anything but 0
 */
PIPIT_API int pipit_on_lost(struct pipit *scope, pipit_lost_cb cb, void *arg);

#ifdef __cplusplus
}
#endif

#endif
