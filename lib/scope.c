/*
 * Scopes. See scope.h and <pipit/scope.h>.
 *
 * A scope's memory goes when it is closed, its last request is gone, and no function of pipit is on
 * the stack: the reactor tells the last.
 */
#include "scope.h"
#include "carrier.h"
#include "kept.h"
#include "lookup.h"
#include "options.h"
#include "reactor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Requests that one turn completes before others have theirs. */
#define SCOPE_BUDGET 64

static void
scope_destroy(void *arg)
{
        struct pipit *scope = arg;

        pipit__kept_free(scope->kept);
        pipit__requests_fini(&scope->requests);
        pipit__pool_fini(&scope->pool);
        pipit__lookups_free(scope->lookups);
        pipit__shapes_fini(&scope->shapes);
        pipit__conninfo_fini(&scope->info);
        pipit__options_fini(&scope->options);
        pipit__reactor_free(scope->reactor);
        pipit__owner_fini(&scope->owner);
        free(scope->error_text);
        free(scope->url);
        free(scope);
}

/* Whatever made the last request leave, the drain is over, or the scope can go. */
static void
scope_on_request_gone(void *arg)
{
        struct pipit *scope = arg;

        if (scope->state == SCOPE_CLOSED && scope->requests.n == 0)
                pipit__reactor_finish(scope->reactor, scope_destroy);
        if (scope->drain == NULL || scope->requests.n > 1)
                return;
        struct request *drain = scope->drain;
        scope->drain = NULL;
        pipit__pool_close(&scope->pool, "the database was drained", false);
        pipit__request_end(drain);
}

/* Gives up all requests but the drain's. */
static void
scope_cancel_all(struct pipit *scope, const char *reason)
{
        struct requests *requests = &scope->requests;

        for (uint32_t i = 0; i < requests->n_slots; i++) {
                if (requests->slots[i].request != NULL)
                        pipit__dispatch_cancel(&scope->dispatch, requests->slots[i].request,
                                               reason);
        }
}

static void
scope_end_drain(struct pipit *scope, enum pipit_code code, const char *text)
{
        struct request *drain = scope->drain;

        scope->drain = NULL;
        pipit__request_fail(drain, code, PIPIT_EXECUTED_NO, PIPIT_PHASE_WAIT, "%s", text);
}

static void
scope_on_expired(struct request *req, void *arg)
{
        struct pipit *scope = arg;

        if (req != scope->drain) {
                pipit__dispatch_expire(&scope->dispatch, req);
                return;
        }
        scope_cancel_all(scope, "the time to drain was over");
        pipit__pool_close(&scope->pool, "the time to drain was over", false);
        scope_end_drain(scope, PIPIT_ETIMEDOUT,
                        "requests were still outstanding at the end of the time to drain");
}

static void
scope_on_again(struct request *req, void *arg)
{
        struct pipit *scope = arg;

        pipit__dispatch_add_again(&scope->dispatch, req);
}

static const struct requests_ops scope_requests_ops = {scope_on_expired, scope_on_request_gone,
                                                       scope_on_again};

static void
scope_on_ready(void *arg)
{
        struct pipit *scope = arg;

        if (scope->dispatch.n > 0 || scope->pool.min > 0)
                pipit__reactor_schedule(scope->reactor);
}

static void
scope_on_refused(const struct attempt_failure *failure, void *arg)
{
        struct pipit *scope = arg;

        pipit__dispatch_refuse(&scope->dispatch, failure);
}

static const struct pool_ops scope_pool_ops = {scope_on_ready, scope_on_refused};

/* The end of a turn: what is to be sent goes first, then what ended without a server. */
static void
scope_on_turn(void *arg)
{
        struct pipit *scope = arg;

        if (scope->state == SCOPE_OPEN || scope->state == SCOPE_DRAINING)
                pipit__dispatch_turn(&scope->dispatch);
        pipit__requests_turn(&scope->requests, SCOPE_BUDGET);
}

void
pipit__scope_break(struct pipit *scope, enum pipit_code code, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        free(scope->error_text);
        if (vasprintf(&scope->error_text, format, args) < 0)
                scope->error_text = NULL;
        va_end(args);
        scope->state = SCOPE_BROKEN;
        scope->error = (struct pipit_error){
                .code = code,
                .phase = PIPIT_PHASE_START,
                .message = scope->error_text != NULL ? scope->error_text : pipit_code_text(code)};
}

/* The parts that a wrong argument does not keep from existing. 0 or PIPIT_ENOMEM. */
static int
scope_init_parts(struct pipit *scope, struct event_base *base)
{
        struct pipit_options *options = &scope->options;

        scope->log = (struct log){.fn = options->log, .arg = options->log_arg};
        scope->reactor = pipit__reactor_new(base, options->event_priority, scope_on_turn, scope);
        if (scope->reactor == NULL)
                return PIPIT_ENOMEM;
        if (!pipit__reactor_has_priority(scope->reactor))
                pipit__scope_break(scope, PIPIT_EINVAL,
                                   "the options are wrong: the event base has no priority %d",
                                   options->event_priority - 1);
        int code = pipit__requests_init(&scope->requests, scope->reactor, scope,
                                        &scope_requests_ops, scope);
        if (code != 0)
                return code;
        struct pool_parts parts = {.reactor = scope->reactor,
                                   .info = &scope->info,
                                   .log = &scope->log,
                                   .shapes = &scope->shapes,
                                   .ops = &scope_pool_ops,
                                   .arg = scope};
        code = pipit__pool_init(&scope->pool, options, &parts);
        if (code == 0)
                code = pipit__shapes_init(&scope->shapes, scope->pool.config.max_prepared);
        scope->lookups = pipit__lookups_new(&scope->shapes);
        scope->coalesces = true;
        if (scope->lookups == NULL)
                return PIPIT_ENOMEM;
        pipit__dispatch_init(&scope->dispatch, options, scope->reactor, &scope->pool);
        return code;
}

/* Reads URL and options; what is wrong with them breaks the scope. 0 or PIPIT_ENOMEM. */
static int
scope_init(struct pipit *scope, struct event_base *base, const char *url,
           const struct pipit_options *options)
{
        const char *option_problem = NULL;
        char *url_problem = NULL;

        int options_code = pipit__options_init(&scope->options, options, &option_problem);
        if (options_code == PIPIT_ENOMEM)
                return PIPIT_ENOMEM;
        int code = pipit__conninfo_init(&scope->info, url, &scope->options, &url_problem);
        if (code == PIPIT_EINVAL)
                pipit__scope_break(scope, PIPIT_EINVAL, "the connection string is wrong: %s",
                                   url_problem != NULL ? url_problem : "");
        else if (code == 0 && option_problem != NULL)
                pipit__scope_break(scope, PIPIT_EINVAL, "the options are wrong: %s",
                                   option_problem);
        free(url_problem);
        if (code == PIPIT_ENOMEM) /* what was read so far has holes */
                return code;
        if (scope->options.connect_timeout_ms == 0)
                scope->options.connect_timeout_ms = pipit__conninfo_connect_timeout(&scope->info);
        if (scope->options.connect_timeout_ms == 0)
                scope->options.connect_timeout_ms = 10000;
        return scope_init_parts(scope, base);
}

struct pipit *
pipit__scope_new(struct event_base *base, const char *url, const struct pipit_options *options)
{
        struct pipit *scope = calloc(1, sizeof *scope);

        if (scope == NULL)
                return NULL;
        list_init(&scope->children);
        list_init(&scope->link);
        pipit__owner_init(&scope->owner);
        scope->url = strdup(url != NULL ? url : "");
        if (scope->url == NULL || scope_init(scope, base, url, options) != 0) {
                scope_destroy(scope);
                return NULL;
        }
        if (scope->options.min_connections > 0 && scope->state == SCOPE_OPEN)
                pipit__reactor_schedule(scope->reactor);
        return scope;
}

bool
pipit__scope_is_mine(const struct pipit *scope)
{
        return scope != NULL && pipit__owner_check(&scope->owner) == 0;
}

struct request *
pipit__scope_request(struct pipit *scope, size_t statement_size, pipit_cb cb, void *arg)
{
        struct request *req = pipit__request_new(&scope->requests, statement_size, cb, arg);

        if (req == NULL || scope->kept == NULL)
                return req;
        if (pipit__kept_add(scope->kept, req) == 0)
                return req;
        pipit__reactor_enter(scope->reactor);
        pipit__request_discard(req);
        pipit__reactor_leave(scope->reactor);
        return NULL;
}

struct pipit *
pipit_open(struct event_base *base, const char *url, const struct pipit_options *options)
{
        return base != NULL ? pipit__scope_new(base, url, options) : NULL;
}

/* In a forked child: no callback, and no word on the sockets, which are the parent's. */
static void
scope_drop(struct pipit *scope)
{
        scope->state = SCOPE_CLOSED;
        list_remove(&scope->link);
        while (!list_empty(&scope->children))
                scope_drop(container_of(list_first(&scope->children), struct pipit, link));
        pipit__reactor_forked(scope->reactor);
        pipit__reactor_enter(scope->reactor);
        pipit__pool_close(&scope->pool, "this is a forked child", true);
        scope->drain = NULL;
        pipit__requests_discard(&scope->requests);
        pipit__reactor_finish(scope->reactor, scope_destroy);
        pipit__reactor_leave(scope->reactor);
}

/* The callbacks of a blocking scope run in pipit_close() when no pipit_wait() is there for them. */
static void
scope_close_sync(struct pipit *scope)
{
        while (scope->requests.n_ending > 0)
                pipit__requests_turn(&scope->requests, SCOPE_BUDGET);
}

static void
scope_close(struct pipit *scope)
{
        bool outermost = !pipit__reactor_is_entered(scope->reactor);

        pipit__reactor_enter(scope->reactor);
        scope->state = SCOPE_CLOSED;
        list_remove(&scope->link);
        while (!list_empty(&scope->children))
                pipit_close(container_of(list_first(&scope->children), struct pipit, link));
        scope_cancel_all(scope, "the scope was closed");
        if (scope->drain != NULL)
                scope_end_drain(scope, PIPIT_ECANCELED,
                                "the scope was closed while it was drained");
        pipit__pool_close(&scope->pool, "the scope was closed", false);
        if (scope->kept != NULL && outermost)
                scope_close_sync(scope);
        if (scope->requests.n == 0)
                pipit__reactor_finish(scope->reactor, scope_destroy);
        pipit__reactor_leave(scope->reactor);
}

void
pipit_close(struct pipit *scope)
{
        if (scope == NULL || scope->state == SCOPE_CLOSED)
                return;
        int code = pipit__owner_check(&scope->owner);
        if (code == 0)
                scope_close(scope);
        else if (code == PIPIT_EFORK)
                scope_drop(scope);
}

static void
drain_start(struct pipit *db, struct request *req, int64_t timeout_ms)
{
        db->state = SCOPE_DRAINING;
        req->state = REQUEST_HELD;
        db->drain = req;
        if (timeout_ms >= 0)
                pipit__request_set_deadline(req, pipit__reactor_now(db->reactor) + timeout_ms);
        pipit__reactor_enter(db->reactor);
        scope_on_request_gone(db);
        pipit__reactor_leave(db->reactor);
}

pipit_request
pipit_drain(struct pipit *db, int64_t timeout_ms, pipit_cb cb, void *arg)
{
        if (!pipit__scope_is_mine(db))
                return 0;
        struct request *req = pipit__scope_request(db, 0, cb, arg);
        if (req == NULL)
                return 0;
        pipit_request number = pipit__request_number(req);
        if (db->state == SCOPE_OPEN) {
                drain_start(db, req, timeout_ms);
        } else {
                pipit__result_fail_like(req->res, pipit_scope_error(db));
                pipit__request_end(req);
        }
        return number;
}

void
pipit_cancel(struct pipit *scope, pipit_request request)
{
        if (!pipit__scope_is_mine(scope))
                return;
        struct request *req = pipit__requests_find(&scope->requests, request);
        if (req != NULL && req == scope->drain)
                scope_end_drain(scope, PIPIT_ECANCELED, "the drain was cancelled");
        else if (req != NULL)
                pipit__dispatch_cancel(&scope->dispatch, req, "it was cancelled");
}

void
pipit_set_timeout(struct pipit *scope, pipit_request request, int64_t timeout_ms)
{
        if (!pipit__scope_is_mine(scope))
                return;
        struct request *req = pipit__requests_find(&scope->requests, request);
        if (req == NULL || req->state == REQUEST_ENDING || req->state == REQUEST_DONE)
                return;
        int64_t now = pipit__reactor_now(scope->reactor);
        bool endless = timeout_ms < 0 || timeout_ms > DEADLINE_NEVER - now;
        pipit__request_set_deadline(req, endless ? DEADLINE_NEVER : now + timeout_ms);
        pipit__carrier_prolong(req);
}

int
pipit_then(struct pipit *scope, pipit_request request, pipit_cb cb, void *arg)
{
        if (!pipit__scope_is_mine(scope) || cb == NULL)
                return PIPIT_EINVAL;
        struct request *req = pipit__requests_find(&scope->requests, request);
        return req != NULL ? pipit__request_then(req, cb, arg) : PIPIT_EINVAL;
}

void
pipit_set_coalesce(struct pipit *scope, bool coalesce)
{
        if (pipit__scope_is_mine(scope))
                scope->coalesces = coalesce;
}

void
pipit_set_group_writes(struct pipit *scope, bool group)
{
        if (pipit__scope_is_mine(scope))
                scope->groups_writes = group;
}

const struct pipit_error *
pipit_scope_error(const struct pipit *scope)
{
        static const struct pipit_error thread = {
                .code = PIPIT_ETHREAD,
                .message = "the scope belongs to another thread: give each thread its own"};
        static const struct pipit_error fork = {
                .code = PIPIT_EFORK,
                .message = "the scope belongs to the parent process: call event_reinit() and "
                           "pipit_close(), and open another"};
        static const struct pipit_error closed = {.code = PIPIT_ECLOSED,
                                                  .message = "the scope has ended"};

        if (scope == NULL)
                return NULL;
        int code = pipit__owner_check(&scope->owner);
        if (code != 0)
                return code == PIPIT_EFORK ? &fork : &thread;
        switch (scope->state) {
        case SCOPE_OPEN: return NULL;
        case SCOPE_BROKEN: return &scope->error;
        case SCOPE_DRAINING:
        case SCOPE_CLOSED: break;
        }
        return &closed;
}
