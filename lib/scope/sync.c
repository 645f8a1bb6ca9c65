/*
 * Blocking scopes. See <pipit/sync.h>.
 *
 * A blocking scope is a database with one connection on a loop of its own, which turns inside
 * pipit_wait() only: what runs on it is the asynchronous code.
 */
#include <pipit/sync.h>

#include "loop/reactor.h"
#include "result/result_error.h"
#include "scope/database.h"
#include "scope/subscope.h"
#include "scope/wait_results.h"

struct pipit *
pipit_allow_sync(struct pipit *db)
{
        if (!pipit__scope_is_mine(db))
                return NULL;
        struct database *parent = pipit__scope_db(db);
        struct pipit_options options = parent->options;
        options.min_connections = 0;
        options.max_connections = 1;
        options.event_priority = 0;
        struct database *sync = pipit__database_new(NULL, parent->url, &options);
        if (sync == NULL)
                return NULL;
        struct pipit *scope = &sync->scope;
        sync->wait_results = pipit__wait_results_new();
        pipit__scope_set_wait_results(scope, sync->wait_results);
        if (sync->wait_results == NULL) {
                pipit_close(scope);
                return NULL;
        }
        const struct pipit_error *error = pipit_scope_error(db);
        pipit__scope_attach(scope, db);
        if (pipit__scope_is_closed(db) || pipit__scope_is_draining(db))
                pipit__scope_break(scope, PIPIT_ECLOSED, "the database has ended, or ends");
        else if (pipit__scope_wait_results(db) != NULL || !pipit__scope_is_database(db))
                pipit__scope_break(scope, PIPIT_EINVAL,
                                   "pipit_allow_sync() takes a database, and no other scope");
        else if (error != NULL)
                pipit__scope_break(scope, error->code, "%s", error->message);
        else if (!parent->sync_allowed && pipit__reactor_started(parent->reactor))
                pipit__scope_break(scope, PIPIT_EBLOCKING,
                                   "the event loop has started, and blocking would stop it: use "
                                   "the database itself, or call pipit_set_allow_sync(db, true)");
        return scope;
}

void
pipit_set_allow_sync(struct pipit *db, bool allowed)
{
        if (pipit__scope_is_mine(db))
                pipit__scope_db(db)->sync_allowed = allowed;
}

static struct pipit_result *
sync_wait(struct database *sync, pipit_request request)
{
        struct pipit_result *res = NULL;

        sync->waiting = true;
        pipit__reactor_enter(sync->reactor);
        /* When a callback has closed the scope, this is the last to turn its loop. */
        while (pipit__wait_results_find(sync->wait_results, request, &res) &&
               (res == NULL ||
                (pipit__scope_is_closed(&sync->scope) && sync->requests.n_ending > 0)))
                pipit__reactor_run_once(sync->reactor);
        sync->waiting = false;
        /* When a callback has closed the scope, its results go with it. */
        if (pipit__scope_is_closed(&sync->scope))
                res = pipit__result_constant(PIPIT_ECLOSED);
        else if (res == NULL) /* a callback has dropped it */
                res = pipit__result_constant(PIPIT_EINVAL);
        pipit__reactor_leave(sync->reactor);
        return res;
}

struct pipit_result *
pipit_wait(struct pipit *sync, pipit_request request)
{
        struct pipit_result *res;
        struct wait_results *results = sync != NULL ? pipit__scope_wait_results(sync) : NULL;

        if (results == NULL || !pipit__scope_is_database(sync))
                return pipit__result_constant(PIPIT_EINVAL);
        int code = pipit__scope_check_owner(sync);
        if (code != 0)
                return pipit__result_constant((enum pipit_code)code);
        struct database *db = pipit__scope_db(sync);
        if (!pipit__wait_results_find(results, request, &res))
                return pipit__result_constant(PIPIT_EINVAL);
        if (res == NULL && db->waiting)
                return pipit__result_constant(PIPIT_EBLOCKING);
        const struct request *req = pipit__requests_find(&db->requests, request);
        if (res == NULL && req != NULL && pipit__subscope_never_comes(req, &db->pool))
                return pipit__result_constant(PIPIT_EDEADLK);
        return res != NULL ? res : sync_wait(db, request);
}

void
pipit_wait_drop(struct pipit *sync, pipit_request request)
{
        struct wait_results *results =
                pipit__scope_is_mine(sync) ? pipit__scope_wait_results(sync) : NULL;

        if (results != NULL && pipit__scope_is_database(sync))
                pipit__wait_results_drop(results, request);
}
