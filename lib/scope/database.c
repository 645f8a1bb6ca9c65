/*
 * Databases. See database.h and <pipit/scope.h>.
 *
 * A database's memory goes when it is closed, the last request of it and of its subscopes is gone,
 * and no function of pipit is on the stack: the reactor tells the last.
 */
#include "scope/database.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wipe.h"
#include "loop/reactor.h"
#include "pool/coalesce_rule.h"
#include "pool/options.h"
#include "request/request.h"
#include "scope/subscope.h"
#include "scope/subscope_answers.h"
#include "scope/subscope_turn.h"
#include "scope/wait_results.h"

/* Requests that one turn completes before others have theirs. */
#define DATABASE_BUDGET 64

static void
database_destroy(void *arg)
{
        struct database *db = arg;

        pipit__wait_results_free(db->wait_results);
        pipit__requests_fini(&db->requests);
        pipit__pool_fini(&db->pool);
        pipit__coalesce_rules_free(db->rules);
        pipit__stmt_cache_fini(&db->stmt_cache);
        pipit__conninfo_fini(&db->info);
        pipit__options_fini(&db->options);
        pipit__reactor_free(db->reactor);
        pipit__owner_fini(&db->owner);
        pipit__scope_fini(&db->scope);
        pipit__wipe_free(db->url);
        free(db);
}

/* Whatever made the last request leave, the drain is over, or the database can go. */
void
pipit__database_look_for_end(struct database *db)
{
        if (pipit__scope_is_closed(&db->scope) && db->requests.n == 0)
                pipit__reactor_finish(db->reactor, database_destroy);
        struct request *drain = db->drain;
        if (drain == NULL || db->requests.n > 1)
                return;
        db->drain = NULL;
        pipit__pool_close(&db->pool, "the database was drained", false);
        pipit__request_end(drain);
}

void
pipit__database_cancel_all(struct database *db, const char *reason)
{
        struct request *req;

        for (uint32_t place = 0; (req = pipit__requests_each(&db->requests, &place)) != NULL;) {
                enum request_state state = pipit__request_state(req);
                if (state == REQUEST_WAITING || state == REQUEST_SENT)
                        pipit__request_cancel(req, reason);
        }
}

void
pipit__database_abort_subscopes(struct database *db, const char *reason)
{
        struct pipit *next;

        for (struct pipit *sub = pipit__scope_first_sub(&db->scope); sub != NULL; sub = next) {
                struct subscope *subscope = pipit__subscope_of_scope(sub);
                next = pipit__scope_next_sub(&db->scope, sub);
                if (subscope != NULL)
                        pipit__subscope_abort(subscope, PIPIT_ECANCELED, reason);
        }
}

static struct database *
database_of(struct pipit *scope)
{
        return container_of(scope, struct database, scope);
}

void
pipit__database_end_drain(struct database *db, enum pipit_code code, const char *text)
{
        struct request *drain = db->drain;

        db->drain = NULL;
        pipit__request_fail(drain, code, PIPIT_EXECUTED_NO, PIPIT_PHASE_WAIT, "%s", text);
}

/* ---- the scope */

static bool
database_refuse(struct pipit *scope, size_t bytes, struct refusal *ret)
{
        struct database *db = database_of(scope);
        const struct conn_error *failure = pipit__pool_refusal(&db->pool);

        if (failure != NULL) {
                pipit__dispatch_refusal(failure, ret);
                return true;
        }
        if (pipit__dispatch_has_room(&db->dispatch, bytes))
                return false;
        char pool[900];
        pipit__pool_describe(&db->pool, pool, sizeof pool);
        snprintf(ret->text, sizeof ret->text,
                 "%d requests of %zu bytes wait already (max_waiting, max_waiting_bytes): %s",
                 db->dispatch.n, db->dispatch.bytes + db->dispatch.queued_bytes, pool);
        ret->error = (struct pipit_error){
                .code = PIPIT_ELIMIT, .phase = PIPIT_PHASE_START, .message = ret->text};
        return true;
}

static void
database_add(struct pipit *scope, struct request *req, bool again)
{
        struct database *db = database_of(scope);

        if (again)
                pipit__dispatch_add_again(&db->dispatch, req);
        else
                pipit__dispatch_add(&db->dispatch, req);
}

static void
database_gone(struct pipit *scope)
{
        pipit__database_look_for_end(database_of(scope));
}

/* ---- what its parts tell */

static void
database_on_again(struct request *req, void *arg)
{
        (void)arg;
        pipit__scope_add_again(pipit__request_scope(req), req);
}

static void
database_on_gone(struct pipit *scope, void *arg)
{
        (void)arg;
        pipit__scope_gone(scope);
}

static const struct requests_ops database_requests_ops = {.gone = database_on_gone,
                                                          .again = database_on_again};

static void
database_on_ready(void *arg)
{
        struct database *db = arg;

        if (db->dealing)
                db->deals_again = true;
        else if (db->dispatch.n > 0 || db->pool.min > 0)
                pipit__reactor_schedule(db->reactor);
}

static void
database_on_refused(const struct conn_error *failure, void *arg)
{
        struct database *db = arg;

        pipit__dispatch_refuse(&db->dispatch, failure);
}

static const struct pool_ops database_pool_ops = {.ready = database_on_ready,
                                                  .prepare = pipit__database_on_prepare,
                                                  .refused = database_on_refused};
static const struct dispatch_ops database_dispatch_ops = {.lease = pipit__subscope_leased};

/* Sends what is to be sent. Returns whether a connection came free that somebody waits for. */
static bool
database_deal(struct database *db)
{
        db->dealing = true;
        db->deals_again = false;
        if (pipit__scope_may_continue(&db->scope))
                pipit__dispatch_turn(&db->dispatch);
        pipit__leases_turn(&db->leases);
        db->dealing = false;
        return db->deals_again && (db->dispatch.n > 0 || db->pool.min > 0);
}

/* The end of a turn: what is to be sent goes first, then what ended without a server. What a
 * transaction gives back goes to the next one in the same turn, for the server waits meanwhile. */
static void
database_on_turn(void *arg)
{
        struct database *db = arg;
        bool more = database_deal(db);

        if (more)
                more = database_deal(db);
        if (more)
                pipit__reactor_schedule(db->reactor);
        pipit__requests_turn(&db->requests, DATABASE_BUDGET);
}

/* The parts that a wrong argument does not keep from existing. 0 or PIPIT_ENOMEM. */
static int
database_init_parts(struct database *db, struct event_base *base)
{
        struct pipit_options *options = &db->options;

        db->log = (struct log){.fn = options->log,
                               .arg = options->log_arg,
                               .least = (enum pipit_log_level)(options->log_level - 1)};
        db->reactor = pipit__reactor_new(base, options->event_priority, database_on_turn, db);
        if (db->reactor == NULL)
                return PIPIT_ENOMEM;
        if (!pipit__reactor_has_priority(db->reactor))
                pipit__scope_break(&db->scope, PIPIT_EINVAL,
                                   "the options are wrong: the event base has no priority %d",
                                   options->event_priority - 1);
        int code = pipit__requests_init(&db->requests, db->reactor, &database_requests_ops, db);
        if (code != 0)
                return code;
        struct pool_parts parts = {.reactor = db->reactor,
                                   .info = &db->info,
                                   .log = &db->log,
                                   .stmt_cache = &db->stmt_cache,
                                   .ops = &database_pool_ops,
                                   .arg = db};
        code = pipit__pool_init(&db->pool, options, &parts);
        if (code == 0)
                code = pipit__stmt_cache_init(&db->stmt_cache, db->pool.config.max_prepared);
        db->rules = pipit__coalesce_rules_new(&db->stmt_cache);
        if (db->rules == NULL)
                return PIPIT_ENOMEM;
        pipit__dispatch_init(&db->dispatch, options, &database_dispatch_ops, db->reactor,
                             &db->pool);
        pipit__leases_init(&db->leases, &pipit__subscope_leases_ops, db->reactor, &db->dispatch,
                           options->max_pipeline);
        return code;
}

/* Reads URL and options; what is wrong with them breaks the scope. 0 or PIPIT_ENOMEM. */
static int
database_init(struct database *db, struct event_base *base, const struct pipit_options *options)
{
        const char *option_problem = NULL;
        char *url_problem = NULL;
        const char *want;

        int options_code = pipit__options_init(&db->options, options, &option_problem);
        if (options_code == PIPIT_ENOMEM)
                return PIPIT_ENOMEM;
        pipit__scope_limit_results(&db->scope, db->options.max_result_bytes);
        int code = pipit__database_read_url(db, &url_problem, &want);
        if (code == PIPIT_EINVAL)
                pipit__scope_break(&db->scope, PIPIT_EINVAL, "the connection string is wrong: %s",
                                   url_problem != NULL ? url_problem : "");
        else if (code != PIPIT_ENOMEM && option_problem != NULL)
                pipit__scope_break(&db->scope, PIPIT_EINVAL, "the options are wrong: %s",
                                   option_problem);
        free(url_problem);
        if (code == PIPIT_ENOMEM) /* the parts that were read so far have holes */
                return code;
        code = database_init_parts(db, base);
        pipit__database_set_connect_timeout(db);
        return code;
}

/* In a forked child: no callback, and no word on the sockets, which are the parent's. */
static void
database_drop(struct database *db)
{
        pipit__scope_enter(&db->scope, SCOPE_CLOSED);
        pipit__scope_detach(&db->scope);
        pipit__scope_close_subscopes(&db->scope);
        pipit__reactor_forked(db->reactor);
        pipit__reactor_enter(db->reactor);
        pipit__pool_close(&db->pool, "this is a forked child", true);
        db->drain = NULL;
        pipit__requests_discard(&db->requests);
        pipit__reactor_finish(db->reactor, database_destroy);
        pipit__reactor_leave(db->reactor);
}

/* The callbacks of a blocking scope run in pipit_close() when no pipit_wait() is there for them. */
static void
database_close_sync(struct database *db)
{
        while (db->requests.n_ending > 0 || pipit__leases_are_ready(&db->leases)) {
                pipit__leases_turn(&db->leases);
                pipit__requests_turn(&db->requests, DATABASE_BUDGET);
        }
}

static void
database_end(struct database *db)
{
        bool outermost = !pipit__reactor_is_entered(db->reactor);

        pipit__reactor_enter(db->reactor);
        pipit__scope_enter(&db->scope, SCOPE_CLOSED);
        pipit__scope_detach(&db->scope);
        pipit__scope_close_subscopes(&db->scope);
        pipit__database_cancel_all(db, "the scope was closed");
        if (db->drain != NULL)
                pipit__database_end_drain(db, PIPIT_ECANCELED,
                                          "the scope was closed while it was drained");
        pipit__pool_close(&db->pool, "the scope was closed", false);
        if (db->wait_results != NULL && outermost)
                database_close_sync(db);
        if (db->requests.n == 0)
                pipit__reactor_finish(db->reactor, database_destroy);
        pipit__reactor_leave(db->reactor);
}

static void
database_close(struct pipit *scope)
{
        struct database *db = database_of(scope);
        int code = pipit__owner_check(&db->owner);

        if (code == 0)
                database_end(db);
        else if (code == PIPIT_EFORK)
                database_drop(db);
}

static const struct scope_ops database_ops = {.refuse = database_refuse,
                                              .add = database_add,
                                              .gone = database_gone,
                                              .close = database_close};

struct database *
pipit__database_new(struct event_base *base, const char *url, const struct pipit_options *options)
{
        struct database *db = calloc(1, sizeof *db);

        if (db == NULL)
                return NULL;
        pipit__scope_init_database(&db->scope, &database_ops, db, &db->owner, &db->requests);
        pipit__owner_init(&db->owner);
        db->url = strdup(url != NULL ? url : "");
        if (db->url == NULL || database_init(db, base, options) != 0) {
                database_destroy(db);
                return NULL;
        }
        if (db->options.min_connections > 0 && pipit__scope_is_open(&db->scope))
                pipit__reactor_schedule(db->reactor);
        return db;
}

struct pipit *
pipit_open(struct event_base *base, const char *url, const struct pipit_options *options)
{
        struct database *db = base != NULL ? pipit__database_new(base, url, options) : NULL;

        return db != NULL ? &db->scope : NULL;
}

/* ---- what scopes ask of their database */

void
pipit__scope_attach_to_database(struct pipit *scope)
{
        pipit__scope_attach(scope, &pipit__scope_db(scope)->scope);
}

const struct pipit_options *
pipit__scope_options(const struct pipit *scope)
{
        return &pipit__scope_db(scope)->options;
}

bool
pipit__scope_is_pooled(const struct pipit *scope)
{
        return pipit__scope_is_mine(scope) &&
               pipit__pooler_is_shared(&pipit__scope_db(scope)->pool.pooler);
}

struct stmt *
pipit__scope_stmt(struct pipit *scope, const char *sql)
{
        return pipit__stmt_cache_get(&pipit__scope_db(scope)->stmt_cache, sql);
}

struct coalesce_rules *
pipit__scope_coalesce_rules(const struct pipit *scope)
{
        return pipit__scope_db(scope)->rules;
}
