/*
 * Scopes. See scope.h and <pipit/scope.h>.
 */
#include "scope/scope.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/owner.h"
#include "loop/reactor.h"
#include "pool/coalesce.h"
#include "scope/wait_results.h"

void
pipit__scope_init(struct pipit *scope, const struct scope_ops *ops)
{
        scope->ops = ops;
        scope->coalesces = true;
        list_init(&scope->subscopes);
        list_init(&scope->link);
        pipit__result_owner_init(&scope->result_owner, scope);
}

void
pipit__scope_fini(struct pipit *scope)
{
        pipit__result_owner_fini(&scope->result_owner);
        list_remove(&scope->link);
        free(scope->error_text);
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

bool
pipit__scope_is_database(const struct pipit *scope)
{
        return (const void *)scope->db == scope; /* it is its first member */
}

bool
pipit__scope_is_mine(const struct pipit *scope)
{
        return scope != NULL && pipit__owner_check(scope->owner) == 0;
}

struct pipit *
pipit__request_scope(const struct request *req)
{
        return req->owner->scope;
}

struct request *
pipit__scope_find(const struct pipit *scope, pipit_request number)
{
        struct request *req = pipit__requests_find(scope->requests, number);

        return req != NULL && req->owner == &scope->result_owner ? req : NULL;
}

struct request *
pipit__scope_request(struct pipit *scope, size_t bound_size, pipit_cb cb, void *arg)
{
        struct requests *requests = scope->requests;
        struct request *req =
                pipit__request_new(requests, &scope->result_owner, bound_size, cb, arg);

        if (req == NULL || scope->wait_results == NULL)
                return req;
        if (pipit__wait_results_add(scope->wait_results, req) == 0)
                return req;
        pipit__reactor_enter(requests->reactor);
        pipit__request_discard(req);
        pipit__reactor_leave(requests->reactor);
        return NULL;
}

pipit_request
pipit__scope_started(struct pipit *scope, const struct request *req)
{
        if (req == NULL && pipit__scope_is_mine(scope) && scope->ops->out_of_memory != NULL)
                scope->ops->out_of_memory(scope);
        return pipit__request_number(req);
}

void
pipit__scope_close_subscopes(struct pipit *scope)
{
        while (!list_empty(&scope->subscopes)) {
                struct pipit *subscope =
                        container_of(list_pop_first(&scope->subscopes), struct pipit, link);
                /* What its user has ended may still be at it. */
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
                scope->ops->cancel(scope, req, "it was cancelled");
}

void
pipit_set_timeout(struct pipit *scope, pipit_request request, int64_t timeout_ms)
{
        if (!pipit__scope_is_mine(scope))
                return;
        struct request *req = pipit__scope_find(scope, request);
        if (req == NULL || req->state == REQUEST_ENDING || req->state == REQUEST_DONE)
                return;
        int64_t now = pipit__reactor_now(scope->requests->reactor);
        pipit__request_set_deadline(req, pipit__deadline_after(now, timeout_ms));
        pipit__coalesced_prolong(req);
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
        if (scope != NULL && scope->state != SCOPE_CLOSED)
                scope->ops->close(scope);
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
        switch (scope->state) {
        case SCOPE_OPEN: return NULL;
        case SCOPE_BROKEN: return &scope->error;
        case SCOPE_DRAINING:
        case SCOPE_CLOSED: break;
        }
        return &closed;
}
