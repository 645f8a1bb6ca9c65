/*
 * Scopes: the places where requests run. A database is one; a blocking scope (sync.h) is another.
 *
 * One thread: every function that takes a scope belongs to the thread that called pipit_open().
 * From any other thread, and in a child after fork(), a start returns 0, every other call changes
 * nothing, and pipit_scope_error() says why. A child that wants rid of its copies calls
 * event_reinit() on its base and then pipit_close(): the sockets are closed there without a word to
 * the server, no callback runs, and the parent goes on unharmed.
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
 * Opens a database: a pool of connections that makes and replaces them by itself.
 *
 * Nothing is connected before the first request, unless min_connections says so. Names are looked
 * up without blocking; ~/.pgpass, the service file and certificates are read as libpq does.
 *
 * @param base     the loop that everything runs on; borrowed until the scope's memory is gone: free
 *                 it after pipit_close() and after its last callback. NULL returns NULL
 * @param url      what libpq takes: a postgresql:// URI or "host=… dbname=…"; NULL or "" leaves all
 *                 to PGHOST and the like; copied
 * @param options  NULL for the defaults; copied, texts included
 * @return a scope, caller frees with pipit_close(); NULL only when memory ran out or @a base is
 *         NULL. Whatever else is wrong, a bad URL for one, makes a scope on which every request
 *         fails with that, and pipit_scope_error() tells it at once
 */
PIPIT_API struct pipit *
pipit_open(struct event_base *base, const char *url, const struct pipit_options *options);

/**
 * Closes a scope, and what was opened on it, from anywhere, callbacks included.
 *
 * Every outstanding request completes with PIPIT_ECANCELED, from the loop: it must go on turning
 * until the callbacks have run. Those of a blocking scope run inside this call, or inside the
 * pipit_wait() that this is called from. Connections are closed at once. The scope's memory goes
 * behind the last of these callbacks, or at once when there is none; until then it may be used, and
 * every start on it fails with PIPIT_ECLOSED. Results that were kept with pipit_result_ref() live
 * on.
 *
 * @param scope  NULL does nothing; so does one that is closed already, while its memory is there
 */
PIPIT_API void pipit_close(struct pipit *scope);

/**
 * Ends a database gently: what was started goes on, what is started from now on fails with
 * PIPIT_ECLOSED. Then its connections are closed. pipit_close() is still needed, and may be called
 * in @a cb. A database that is drained, drains or could not be opened fails this with
 * its pipit_scope_error().
 *
 * @param db          a database or a blocking scope; NULL returns 0
 * @param timeout_ms  milliseconds until what is left completes with PIPIT_ECANCELED; -1 waits for
 *                    all of it, each request to its own deadline
 * @param cb          called once: success when all had ended by itself, else PIPIT_ETIMEDOUT;
 *                    PIPIT_ECANCELED when the scope was closed meanwhile, or the drain cancelled:
 *                    what was started goes on then, and still nothing new is taken. May be NULL
 * @param arg         passed to @a cb; not touched
 * @return the request's number; 0 when memory ran out, then nothing has changed
 */
PIPIT_API pipit_request pipit_drain(struct pipit *db, int64_t timeout_ms, pipit_cb cb, void *arg);

/**
 * Whether gets by the same primary key or unique field that wait at the same moment may become one
 * statement, each with its own row and its own end. They may, unless this says otherwise.
 *
 * @param scope     what is started on it from now on; NULL does nothing
 * @param coalesce  false has each get run as a statement of its own
 */
PIPIT_API void pipit_set_coalesce(struct pipit *scope, bool coalesce);

/**
 * Whether statements that are no reads may share a transaction with others that wait at the same
 * moment: one commit, and one flush to disk, for all of them. They may not, unless this allows it.
 *
 * What changes for them: they see one now(); locks are held to the common end; they complete when
 * all are committed. When one fails all are rolled back and run again one by one, so that only that
 * one fails; and when the connection is lost the fate of all is unknown. Statements that must run
 * outside a transaction, as VACUUM, are not for such a scope.
 *
 * Creates of one model that give the same members become one INSERT of many rows, when its primary
 * key is given, or is one serial column that is not: triggers for each statement run once for all
 * of them, and sequences count on also where it fails. Each gets the row that has its key. So one
 * whose row a trigger leaves out, or gives another key, fails with PIPIT_ENOTFOUND, as a single one
 * does that returns no row.
 *
 * @param scope  what is started on it from now on; NULL does nothing
 * @param group  true allows it
 */
PIPIT_API void pipit_set_group_writes(struct pipit *scope, bool group);

/**
 * Why a scope cannot be used.
 *
 * @param scope  any scope that was not freed; asked from another thread or a forked child, that is
 *               the answer: PIPIT_ETHREAD or PIPIT_EFORK
 * @return NULL when it can be used, or for NULL; else the error, owned by @a scope
 */
PIPIT_API const struct pipit_error *pipit_scope_error(const struct pipit *scope);

#ifdef __cplusplus
}
#endif

#endif
