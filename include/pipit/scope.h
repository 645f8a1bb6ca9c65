/*
 * Scopes
 *
 * A scope is a place where requests run. One type, struct pipit, serves for all of them: a database
 * (pipit_open()), a blocking scope (sync.h), a session (session.h), a transaction or a test scope
 * (transaction.h). A function that starts a request takes any of them, unless its comment names
 * fewer.
 *
 * A scope belongs to the thread that called pipit_open(). On any other thread, and in a child
 * process after fork(), a start returns 0, every other call changes nothing, and
 * pipit_scope_error() says why; release builds check this, too. A forked child that wants to drop
 * its copies calls event_reinit() on its base and then pipit_close(): the child's sockets are
 * closed without a word to the server, no callback runs, and the parent's connections go on.
 */
#ifndef PIPIT_SCOPE_H
#define PIPIT_SCOPE_H

#include <pipit/error.h>
#include <pipit/export.h>
#include <pipit/options.h>
#include <pipit/request.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

struct event_base;

/**
 * A scope. The caller that opens one frees it with pipit_close(); a session or a transaction that
 * has a body ends by itself. Only the thread that called pipit_open() may use it.
 */
struct pipit;

/**
 * Opens a database: a pool of connections that are made when requests need them, and made again
 * when they are lost.
 *
 * Nothing connects before the first request, unless min_connections asks for it. Host names are
 * looked up without blocking; ~/.pgpass, the service file and certificates are read as libpq reads
 * them.
 *
 * @param base     the loop that everything runs on; borrowed until the scope's memory is freed, so
 *                 free it after pipit_close() and after the last callback. NULL returns NULL
 * @param url      a connection string as libpq takes it: a postgresql:// URI or "host=… dbname=…";
 *                 NULL or "" leaves all to PGHOST and the other variables; copied
 * @param options  NULL for the defaults; copied, with its strings
 * @return a scope; the caller frees it with pipit_close(). NULL only if memory ran out or @a base
 *         is NULL. Any other mistake, a malformed URL for example, makes a scope on which every
 *         request fails with that cause, and pipit_scope_error() tells it at once
 */
PIPIT_API struct pipit *
pipit_open(struct event_base *base, const char *url, const struct pipit_options *options);

/**
 * Closes a scope, and everything that was opened on it. Any code may call this, callbacks included.
 *
 * Every outstanding request completes with PIPIT_ECANCELED. The callbacks run from the loop, so the
 * loop must go on turning until they have run; those of a blocking scope run inside this call, or
 * inside the pipit_wait() that is on the stack. A database's connections are closed at once. The
 * scope's memory is freed after the last of these callbacks, or at once if there is none. Until
 * then the scope may be used, and every start on it fails with PIPIT_ECLOSED. Results that
 * pipit_result_ref() keeps outlive the scope.
 *
 * @param scope  NULL does nothing; a scope that is closed already does nothing while its memory is
 *               there
 */
PIPIT_API void pipit_close(struct pipit *scope);

/**
 * Drains a database: requests that were started go on, and requests that are started from now on
 * fail with PIPIT_ECLOSED. When nothing is outstanding any more, the connections are closed.
 *
 * The database must still be closed with pipit_close(), which @a cb may do. The request that this
 * returns fails with pipit_scope_error() if the database has been drained before, is being drained,
 * or could not be opened.
 *
 * @param db          a database or a blocking scope; any other scope fails with PIPIT_EINVAL; NULL
 *                    returns 0
 * @param timeout_ms  milliseconds until the requests that are left complete with PIPIT_ECANCELED;
 *                    -1 waits for all of them, each until its own deadline. With any other negative
 *                    number the request fails with PIPIT_EINVAL, and the database goes on
 * @param cb          called once: with success if every request ended by itself, otherwise with
 *                    PIPIT_ETIMEDOUT. With PIPIT_ECANCELED if the scope was closed meanwhile, or if
 *                    the drain itself was cancelled; after such a cancel the requests that were
 *                    started go on, and new ones still fail. May be NULL
 * @param arg         passed to @a cb; not touched
 * @return the request's number; 0 if memory ran out, and then nothing has changed
 */
PIPIT_API pipit_request pipit_drain(struct pipit *db, int64_t timeout_ms, pipit_cb cb, void *arg);

/**
 * Allows or forbids that gets coalesce. Gets by the same primary key or unique field that wait at
 * the same moment become one statement, and each request has its own row and its own end. A scope
 * allows this until the program forbids it; the gets of a session, a transaction or a test scope
 * never coalesce.
 *
 * @param scope     requests that are started on it from now on; NULL does nothing
 * @param coalesce  false makes each get a statement of its own
 */
PIPIT_API void pipit_set_coalesce(struct pipit *scope, bool coalesce);

/**
 * Allows or forbids that writes are grouped, and so share what is set for a transaction. Statements
 * that are not declared reads and that wait at the same moment then share one transaction: one
 * commit, and one flush to disk, serves all of them. A scope forbids this until the program allows
 * it.
 *
 * A statement that sets something for its transaction, as set_config(…, true) does for row
 * security, sets it for all that come after it in the same group. So one whose text has set_config
 * in it, or begins with SET or RESET, is never grouped. pipit cannot see what a function sets that
 * a statement calls: programs that have such functions must not allow this.
 *
 * Grouped statements see one now(), hold their locks to the common end, and complete when all of
 * them are committed. If one fails, all are rolled back and run again one by one, so that only that
 * one fails. If the connection is lost while they run, nobody knows what became of any of them
 * (PIPIT_EXECUTED_UNKNOWN). Statements that cannot run inside a transaction, as VACUUM, must not be
 * started on such a scope.
 *
 * Creates of one model that give the same members become one INSERT of many rows, if the primary
 * key is given, or is one serial column that is not given. Triggers for each statement then run
 * once for all of them, and sequences advance even if the INSERT fails. Each request gets the row
 * that has its key; if a trigger leaves a row out, or changes its key, that create fails with
 * PIPIT_ENOTFOUND, as a single create does whose INSERT returns no row.
 *
 * @param scope  requests that are started on it from now on; NULL does nothing
 * @param group  true allows grouping
 */
PIPIT_API void pipit_set_group_writes(struct pipit *scope, bool group);

/**
 * Tells why a scope cannot be used: it has ended, could not be opened, or is a session or a
 * transaction that has lost its connection or can only roll back.
 *
 * @param scope  any scope whose memory is still there; may be asked on any thread and in a forked
 *               child, and the answer there is PIPIT_ETHREAD or PIPIT_EFORK
 * @return the error, owned by @a scope; NULL if the scope can be used, and for NULL
 */
PIPIT_API const struct pipit_error *pipit_scope_error(const struct pipit *scope);

#ifdef __cplusplus
}
#endif

#endif
