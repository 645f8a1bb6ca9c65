/*
 * Blocking, for set-up code: only on a scope that says so, and only until the loop runs.
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
 * Opens a blocking scope: a private connection on a private loop. Everything that works on a
 * database works on it; requests make progress only inside pipit_wait().
 *
 * @param db  the database whose URL and options it takes, but for min_connections, max_connections
 *            and event_priority; NULL returns NULL
 * @return a scope, caller frees with pipit_close(), which closes its connection, or by closing
 *         @a db; NULL when memory ran out and on another thread. Once the loop of @a db has started
 *         it is a scope on which every request fails with PIPIT_EBLOCKING, unless
 *         pipit_set_allow_sync() has allowed it. (Where @a db was opened by the very callback that
 *         asks, a base with EVENT_BASE_FLAG_NO_CACHE_TIME does not tell that its loop runs.)
 */
PIPIT_API struct pipit *pipit_allow_sync(struct pipit *db);

/**
 * Says whether blocking scopes may be opened while the loop runs.
 *
 * @param db       the database; NULL does nothing
 * @param allowed  true: from now on always; false: only before the loop has started, as at first.
 *                 Scopes that are open already go on
 */
PIPIT_API void pipit_set_allow_sync(struct pipit *db, bool allowed);

/**
 * Blocks until a request has completed, at the latest until its deadline. Callbacks of this and of
 * other requests of the same scope run inside. Requests may be waited for in any order, and more
 * than once.
 *
 * @param sync     a blocking scope
 * @param request  a request that was started on it, or on a session or a transaction of it; one
 *                 that waits behind what only the caller could end gives PIPIT_EDEADLK
 * @return its result, owned by @a sync, like that of every request on it, until that is closed:
 *         pipit_close() frees it at once, and pipit_result_ref() before that keeps it longer.
 *         Never NULL: a 0, a number that is not of this scope, and a scope that does not block give
 *         a result with PIPIT_EINVAL; another thread's scope PIPIT_ETHREAD, in a forked child
 *         PIPIT_EFORK; waiting inside a callback of the same scope for what has not completed,
 *         PIPIT_EBLOCKING; when a callback closed the scope meanwhile, PIPIT_ECLOSED
 */
PIPIT_API struct pipit_result *pipit_wait(struct pipit *sync, pipit_request request);

#ifdef __cplusplus
}
#endif

#endif
