/*
 * Scopes. See scope.h and <pipit/scope.h>.
 */
#include "scope/scope.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/owner.h"
#include "loop/deadline.h"
#include "loop/hangup.h"
#include "loop/reactor.h"
#include "request/request.h"
#include "request/requests.h"
#include "scope/scope_int.h"
#include "scope/wait_results.h"

/* ---- how a scope is made */

static void
scope_init(struct pipit *scope, const struct scope_ops *ops)
{
        scope->ops = ops;
        scope->coalesces = true;
        list_init(&scope->subscopes);
        list_init(&scope->link);
        pipit__result_owner_init(&scope->result_owner, scope);
}

void
pipit__scope_init_database(struct pipit *scope, const struct scope_ops *ops, struct database *db,
                           struct owner *owner, struct requests *requests)
{
        scope_init(scope, ops);
        scope->db = db;
        scope->owner = owner;
        scope->requests = requests;
}

void
pipit__scope_init_on(struct pipit *scope, const struct scope_ops *ops, const struct pipit *parent)
{
        scope_init(scope, ops);
        scope->db = parent->db;
        scope->owner = parent->owner;
        scope->requests = parent->requests;
        scope->wait_results = parent->wait_results;
        pipit__result_owner_limit(&scope->result_owner, parent->result_owner.max_text_bytes);
}

void
pipit__scope_fini(struct pipit *scope)
{
        pipit__result_owner_fini(&scope->result_owner);
        list_remove(&scope->link);
        free(scope->error_text);
}

void
pipit__scope_limit_results(struct pipit *scope, size_t max_bytes)
{
        pipit__result_owner_limit(&scope->result_owner, max_bytes);
}

void
pipit__scope_enter(struct pipit *scope, enum scope_state state)
{
        scope->state = state;
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
        pipit__scope_enter(scope, SCOPE_BROKEN);
        scope->error = (struct pipit_error){
                .code = code,
                .phase = PIPIT_PHASE_START,
                .message = scope->error_text != NULL ? scope->error_text : pipit_code_text(code)};
}

/* ---- what a scope is */

bool
pipit__scope_is_database(const struct pipit *scope)
{
        return (const void *)scope->db == scope; /* the scope is its first member */
}

bool
pipit__scope_is_mine(const struct pipit *scope)
{
        return scope != NULL && pipit__owner_check(scope->owner) == 0;
}

int
pipit__scope_check_owner(const struct pipit *scope)
{
        return pipit__owner_check(scope->owner);
}

bool
pipit__scope_is_open(const struct pipit *scope)
{
        return scope->state == SCOPE_OPEN;
}

bool
pipit__scope_is_closed(const struct pipit *scope)
{
        return scope->state == SCOPE_CLOSED;
}

bool
pipit__scope_is_draining(const struct pipit *scope)
{
        return scope->state == SCOPE_DRAINING;
}

bool
pipit__scope_may_continue(const struct pipit *scope)
{
        return scope->state == SCOPE_OPEN || scope->state == SCOPE_DRAINING;
}

struct database *
pipit__scope_db(const struct pipit *scope)
{
        return scope->db;
}

void
pipit__scope_each_request(struct pipit *scope, void (*fn)(struct request *req, void *arg),
                          void *arg)
{
        pipit__requests_each_of(&scope->result_owner, fn, arg);
}

struct wait_results *
pipit__scope_wait_results(const struct pipit *scope)
{
        return scope->wait_results;
}

void
pipit__scope_set_wait_results(struct pipit *scope, struct wait_results *wait_results)
{
        scope->wait_results = wait_results;
}

int64_t
pipit__scope_now_ms(const struct pipit *scope)
{
        return pipit__reactor_now(scope->requests->reactor);
}

bool
pipit__scope_groups_writes(const struct pipit *scope)
{
        return scope->groups_writes;
}

bool
pipit__scope_coalesces(const struct pipit *scope)
{
        return scope->coalesces;
}

/* ---- requests */

bool
pipit__scope_has(const struct pipit *scope, const struct request *req)
{
        return pipit__request_scope(req) == scope;
}

struct request *
pipit__scope_find(const struct pipit *scope, pipit_request number)
{
        struct request *req = pipit__requests_find(scope->requests, number);

        return req != NULL && pipit__scope_has(scope, req) ? req : NULL;
}

/* Keeps the result of a request for pipit_wait(). NULL when memory ran out. */
static COLD struct request *
scope_keep_result(struct pipit *scope, struct request *req)
{
        struct reactor *reactor = scope->requests->reactor;

        if (req == NULL || pipit__wait_results_add(scope->wait_results, req) == 0)
                return req;
        pipit__reactor_enter(reactor);
        pipit__request_discard(req);
        pipit__reactor_leave(reactor);
        return NULL;
}

struct request *
pipit__scope_request(struct pipit *scope, size_t bound_size, pipit_cb cb, void *arg)
{
        struct request *req =
                pipit__request_new(scope->requests, &scope->result_owner, bound_size, cb, arg);

        return scope->wait_results == NULL ? req : scope_keep_result(scope, req);
}

pipit_request
pipit__scope_started(struct pipit *scope, const struct request *req)
{
        if (req == NULL && pipit__scope_is_mine(scope) && scope->ops->out_of_memory != NULL)
                scope->ops->out_of_memory(scope);
        return pipit__request_number(req);
}

bool
pipit__scope_refuses(struct pipit *scope, size_t bytes, struct refusal *ret)
{
        return scope->ops->refuse(scope, bytes, ret);
}

void
pipit__scope_add(struct pipit *scope, struct request *req)
{
        scope->ops->add(scope, req, false);
}

void
pipit__scope_add_again(struct pipit *scope, struct request *req)
{
        scope->ops->add(scope, req, true);
}

int
pipit__scope_n_requests(const struct pipit *scope)
{
        return scope->result_owner.n_requests;
}

void
pipit__scope_gone(struct pipit *scope)
{
        scope->ops->gone(scope);
}

/* ---- scopes on scopes */

void
pipit__scope_attach(struct pipit *scope, struct pipit *parent)
{
        if (parent->state != SCOPE_CLOSED)
                list_push_back(&parent->subscopes, &scope->link);
}

void
pipit__scope_detach(struct pipit *scope)
{
        list_remove(&scope->link);
}

struct pipit *
pipit__scope_first_sub(const struct pipit *scope)
{
        struct list *link = list_first(&scope->subscopes);

        return link != NULL ? container_of(link, struct pipit, link) : NULL;
}

struct pipit *
pipit__scope_next_sub(const struct pipit *scope, const struct pipit *sub)
{
        return sub->link.next != &scope->subscopes
                       ? container_of(sub->link.next, struct pipit, link)
                       : NULL;
}

void
pipit__scope_close_subscopes(struct pipit *scope)
{
        while (!list_empty(&scope->subscopes)) {
                struct pipit *subscope =
                        container_of(list_pop_first(&scope->subscopes), struct pipit, link);
                /* A subscope that its user has ended may still be at work. */
                subscope->ops->close(subscope);
        }
}

void
pipit_cancel(struct pipit *scope, pipit_request request)
{
        struct request *req = NULL;

        if (pipit__scope_is_mine(scope))
                req = pipit__scope_find(scope, request);
        if (req != NULL)
                pipit__request_cancel(req, "it was cancelled");
}

/* The client of a request has gone. */
static void
scope_on_hangup(void *arg)
{
        struct request *req = arg;

        if (pipit__scope_is_mine(pipit__request_scope(req)))
                pipit__request_cancel(req, "its client went away");
}

int
pipit_cancel_on_close_fd(struct pipit *scope, pipit_request request, int fd)
{
        if (!pipit__scope_is_mine(scope))
                return PIPIT_EINVAL;
        struct request *req = pipit__scope_find(scope, request);
        if (req == NULL)
                return PIPIT_EINVAL;
        int code;
        struct hangup *hangup =
                pipit__hangup_new(scope->requests->reactor, fd, scope_on_hangup, req, &code);
        return hangup != NULL ? pipit__request_set_hangup(req, hangup) : code;
}

void
pipit_set_timeout(struct pipit *scope, pipit_request request, int64_t timeout_ms)
{
        if (!pipit__scope_is_mine(scope))
                return;
        struct request *req = pipit__scope_find(scope, request);
        if (req != NULL)
                pipit__request_set_deadline(
                        req, pipit__deadline_after(pipit__scope_now_ms(scope), timeout_ms));
}

int
pipit_then(struct pipit *scope, pipit_request request, pipit_cb cb, void *arg)
{
        if (!pipit__scope_is_mine(scope) || cb == NULL)
                return PIPIT_EINVAL;
        struct request *req = pipit__scope_find(scope, request);
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

void
pipit_close(struct pipit *scope)
{
        if (scope == NULL)
                return;
        if (scope->state != SCOPE_CLOSED)
                scope->ops->close(scope);
        else if (scope->ops->release != NULL)
                scope->ops->release(scope);
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
        int code = pipit__owner_check(scope->owner);
        if (code != 0)
                return code == PIPIT_EFORK ? &fork : &thread;
        const struct pipit_error *error =
                scope->ops->error != NULL ? scope->ops->error(scope) : NULL;
        if (error != NULL)
                return error;
        switch (scope->state) {
        case SCOPE_OPEN: return NULL;
        case SCOPE_BROKEN: return &scope->error;
        case SCOPE_DRAINING:
        case SCOPE_CLOSED: break;
        }
        return &closed;
}
