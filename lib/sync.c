/*
 * Blocking scopes. See sync.h and <pipit/sync.h>.
 *
 * A blocking scope is a database with one connection on a loop of its own, which turns inside
 * pipit_wait() only: what runs on it is the asynchronous code.
 */
#include "sync.h"
#include "reactor.h"
#include "request.h"
#include "scope.h"

#include <pipit/sync.h>
#include <stdlib.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* The result of one request, from its start until the scope is closed. */
struct kept {
        pipit_request number;
        struct pipit_result *res; /* NULL until it has completed */
        UT_hash_handle hh;
};

struct sync {
        struct kept *kept;
        bool waiting; /* a pipit_wait() is on the stack */
};

struct sync *
pipit__sync_new(void)
{
        return calloc(1, sizeof(struct sync));
}

static void
kept_free(struct sync *sync, struct kept *kept)
{
        HASH_DEL(sync->kept, kept);
        pipit_result_unref(kept->res);
        free(kept);
}

void
pipit__sync_free(struct sync *sync)
{
        if (sync == NULL)
                return;
        while (sync->kept != NULL)
                kept_free(sync, sync->kept);
        free(sync);
}

static void
kept_on_result(struct request *req, struct pipit_result *res, void *arg)
{
        struct kept *kept = arg;

        kept->res = pipit_result_ref(res);
        pipit__request_next(req, res);
}

int
pipit__sync_keep(struct sync *sync, struct request *req)
{
        struct kept *kept = calloc(1, sizeof *kept);

        if (kept == NULL)
                return PIPIT_ENOMEM;
        kept->number = pipit__request_number(req);
        HASH_ADD(hh, sync->kept, number, sizeof kept->number, kept);
        if (kept->hh.tbl == NULL) {
                free(kept);
                return PIPIT_ENOMEM;
        }
        return pipit__request_push(req, kept_on_result, kept);
}

struct pipit *
pipit_allow_sync(struct pipit *db)
{
        if (!pipit__scope_is_mine(db))
                return NULL;
        struct pipit_options options = db->options;
        options.min_connections = 0;
        options.max_connections = 1;
        options.event_priority = 0;
        struct pipit *scope = pipit__scope_new(NULL, db->url, &options);
        if (scope == NULL)
                return NULL;
        scope->sync = pipit__sync_new();
        if (scope->sync == NULL) {
                pipit_close(scope);
                return NULL;
        }
        if (db->state != SCOPE_CLOSED)
                list_push_back(&db->children, &scope->link);
        if (db->state == SCOPE_DRAINING || db->state == SCOPE_CLOSED)
                pipit__scope_break(scope, PIPIT_ECLOSED, "the database has ended, or ends");
        else if (db->sync != NULL)
                pipit__scope_break(scope, PIPIT_EINVAL,
                                   "pipit_allow_sync() takes a database, not a blocking scope");
        else if (!db->sync_allowed && pipit__reactor_started(db->reactor))
                pipit__scope_break(scope, PIPIT_EBLOCKING,
                                   "the event loop has started, and blocking would stop it: use "
                                   "the database itself, or call pipit_set_allow_sync(db, true)");
        return scope;
}

void
pipit_set_allow_sync(struct pipit *db, bool allowed)
{
        if (pipit__scope_is_mine(db))
                db->sync_allowed = allowed;
}

static struct pipit_result *
sync_wait(struct pipit *scope, const struct kept *kept)
{
        struct pipit_result *res;

        scope->sync->waiting = true;
        pipit__reactor_enter(scope->reactor);
        while (kept->res == NULL)
                pipit__reactor_run_once(scope->reactor);
        scope->sync->waiting = false;
        /* When a callback has closed the scope, its results go with it. */
        res = scope->state == SCOPE_CLOSED ? pipit__result_constant(PIPIT_ECLOSED) : kept->res;
        pipit__reactor_leave(scope->reactor);
        return res;
}

struct pipit_result *
pipit_wait(struct pipit *sync, pipit_request request)
{
        const struct kept *kept = NULL;

        if (!pipit__scope_is_mine(sync) || sync->sync == NULL)
                return pipit__result_constant(PIPIT_EINVAL);
        HASH_FIND(hh, sync->sync->kept, &request, sizeof request, kept);
        if (kept == NULL)
                return pipit__result_constant(PIPIT_EINVAL);
        if (kept->res == NULL && sync->sync->waiting)
                return pipit__result_constant(PIPIT_EBLOCKING);
        return kept->res != NULL ? kept->res : sync_wait(sync, kept);
}
