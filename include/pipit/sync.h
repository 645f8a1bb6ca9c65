/*
 * Blocking scopes
 *
 * A blocking scope lets set-up code wait for its requests. pipit blocks on such a scope only, only
 * inside pipit_wait(), and only before the event loop runs, unless the program allows more.
 */
#ifndef PIPIT_SYNC_H
#define PIPIT_SYNC_H

#include <pipit/export.h>
#include <pipit/request.h>
#include <pipit/result.h>
#include <pipit/scope.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Opens a blocking scope: a database with one private connection on a private loop. Everything that
 * works on a database works on it, but its requests make progress only inside pipit_wait().
 *
 * Once the loop of @a db has started, this makes a scope on which every request fails with
 * PIPIT_EBLOCKING, unless pipit_set_allow_sync() has allowed it. So does a call from the loop of
 * any other base, which blocking would stop as well.
 *
 * @param db  the database whose URL and options the scope takes, but for min_connections,
 *            max_connections and event_priority. Any other scope makes one on which every request
 *            fails with PIPIT_EINVAL, and a database that was drained or closed one with
 *            PIPIT_ECLOSED; NULL returns NULL
 * @return a scope; the caller frees it with pipit_close(), which closes its connection, or by
 *         closing @a db. NULL if memory or file descriptors ran out, and on another thread
 */
PIPIT_API struct pipit *pipit_allow_sync(struct pipit *db);

/**
 * Allows or forbids that blocking scopes are opened while the loop runs. Scopes that are open
 * already go on.
 *
 * @param db       the database; NULL does nothing
 * @param allowed  true allows it always, from now on; false, as at first, only before the loop has
 *                 started
 */
PIPIT_API void pipit_set_allow_sync(struct pipit *db, bool allowed);

/**
 * Waits until a request has completed, at the latest until its deadline, and blocks the thread
 * meanwhile. Callbacks of this request and of others of the same scope run inside this call.
 * Requests may be waited for in any order, and more than once.
 *
 * A wait that cannot succeed returns a result with an error of its own:
 * - PIPIT_EINVAL: the number is 0 or is not of this scope, or the scope does not block;
 * - PIPIT_EBLOCKING: a callback of the same scope waits for a request that has not completed;
 * - PIPIT_EDEADLK: the request waits for the end of a session or a transaction that only the caller
 *   can end;
 * - PIPIT_ECLOSED: a callback has closed the scope meanwhile;
 * - PIPIT_ETHREAD, PIPIT_EFORK: the scope belongs to another thread, or to the parent process.
 *
 * @param sync     a blocking scope
 * @param request  a request that was started on it, or on a session or a transaction of it
 * @return the result, never NULL; owned by @a sync, as that of every request on it, until
 *         pipit_wait_drop() or pipit_close() frees it. pipit_result_ref() before that keeps it for
 *         longer
 */
PIPIT_API struct pipit_result *pipit_wait(struct pipit *sync, pipit_request request);

/**
 * Gives the result of a request back, which the scope would keep until it is closed: nobody waits
 * for that request any more. A loop that waits for many requests drops each when it has used it.
 * The request itself goes on, if it has not completed, and its callback runs as always.
 *
 * @param sync     a blocking scope; any other scope and NULL do nothing
 * @param request  a request that was started on it, or on a session or a transaction of it. Its
 *                 result is freed now, or once it has completed, unless pipit_result_ref() keeps
 *                 it. To wait for it afterwards is PIPIT_EINVAL, also for a pipit_wait() that is on
 *                 the stack. 0 and what was dropped before do nothing
 */
PIPIT_API void pipit_wait_drop(struct pipit *sync, pipit_request request);

#ifdef __cplusplus
}
#endif

#endif
