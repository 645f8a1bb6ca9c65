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
 * @param db  the database whose URL and options it takes; NULL returns NULL
 * @return a scope, to be closed with pipit_close(), which closes its connection; NULL only when
 *         memory ran out. Once the loop of @a db has started it is a scope on which every request
 *         fails with PIPIT_EBLOCKING, unless pipit_set_allow_sync() has allowed it
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
 * Blocks until a request has completed. Callbacks of this and of other requests of the same scope
 * run inside; a request without a callback keeps its result until somebody waits for it, in any
 * order.
 *
 * @param sync     a blocking scope
 * @param request  a request that was started on it
 * @return its result, owned by @a sync until that is closed; never NULL. A 0, a number that is not
 *         of this scope, or a scope that does not block gives a result with that error
 */
PIPIT_API struct pipit_result *pipit_wait(struct pipit *sync, pipit_request request);

#ifdef __cplusplus
}
#endif

#endif
