/*
 * Queries. See query.h and <pipit/query.h>.
 */
#include "query.h"
#include "reactor.h"
#include "scope.h"
#include "statement.h"

#include <stdarg.h>
#include <stdlib.h>

/* Why a scope takes nothing now; NULL when it does. */
static const struct pipit_error *
scope_refusal(const struct pipit *scope)
{
        return scope->state == SCOPE_OPEN ? NULL : pipit_scope_error(scope);
}

/* A new request that has failed already, like this. */
static struct request *
query_fail_like(struct pipit *scope, const struct pipit_error *error, pipit_cb cb, void *arg)
{
        struct request *req = pipit__scope_request(scope, 0, cb, arg);

        if (req == NULL)
                return NULL;
        pipit__result_fail_like(req->res, error);
        pipit__request_end(req);
        return req;
}

struct request *
pipit__query_refuse(struct pipit *scope, enum pipit_code code, pipit_cb cb, void *arg,
                    const char *format, ...)
{
        va_list args;

        if (!pipit__scope_is_mine(scope))
                return NULL;
        struct request *req = pipit__scope_request(scope, 0, cb, arg);
        if (req == NULL)
                return NULL;
        va_start(args, format);
        pipit__result_vfail(req->res, code, PIPIT_EXECUTED_NO, PIPIT_PHASE_START, format, args);
        va_end(args);
        pipit__request_end(req);
        return req;
}

static int64_t
deadline_after(int64_t now, int64_t timeout_ms)
{
        return timeout_ms < 0 || timeout_ms > DEADLINE_NEVER - now ? DEADLINE_NEVER
                                                                   : now + timeout_ms;
}

/* Every check has passed but those that need memory. */
static struct request *
query_enqueue(struct pipit *scope, const char *sql, struct pipit_params params, size_t size,
              const struct completion *completion)
{
        const struct pipit_options *options = &scope->options;
        const struct attempt_failure *refusal = pipit__pool_refusal(&scope->pool);
        struct request *req = pipit__scope_request(scope, refusal == NULL ? size : 0,
                                                   completion->cb, completion->arg);

        if (req == NULL)
                return NULL;
        if (refusal != NULL) {
                pipit__dispatch_refuse_one(req, refusal);
                return req;
        }
        req->statement = pipit__statement_write(pipit__request_block(req), sql, params);
        req->deadline_ms = deadline_after(req->started_ms, options->timeout_ms);
        req->wait_until_ms = deadline_after(req->started_ms, options->acquire_timeout_ms);
        pipit__dispatch_add(&scope->dispatch, req);
        return req;
}

struct request *
pipit__query_start(struct pipit *scope, const char *sql, struct pipit_params params, pipit_cb cb,
                   void *arg)
{
        struct completion completion = {cb, arg};
        struct statement_problem problem;
        size_t size;

        if (!pipit__scope_is_mine(scope))
                return NULL;
        if (scope_refusal(scope) != NULL)
                return query_fail_like(scope, scope_refusal(scope), cb, arg);
        if (pipit__statement_measure(sql, params, &size, &problem) != 0)
                return pipit__query_refuse(scope, problem.code, cb, arg, "%s", problem.text);
        if (size > scope->options.max_request_bytes)
                return pipit__query_refuse(scope, PIPIT_ELIMIT, cb, arg,
                                           "the statement and its values take %zu bytes: "
                                           "max_request_bytes is %zu",
                                           size, scope->options.max_request_bytes);
        if (!pipit__dispatch_has_room(&scope->dispatch, size)) {
                char pool[900];
                pipit__pool_describe(&scope->pool, pool, sizeof pool);
                return pipit__query_refuse(scope, PIPIT_ELIMIT, cb, arg,
                                           "%d requests of %zu bytes wait already (max_waiting, "
                                           "max_waiting_bytes): %s",
                                           scope->dispatch.n, scope->dispatch.bytes, pool);
        }
        return query_enqueue(scope, sql, params, size, &completion);
}

struct request *
pipit__query_continue(struct request *req, const char *sql, struct pipit_params params)
{
        struct pipit *scope = req->requests->home.scope;
        struct statement_problem problem;
        size_t size;

        if (pipit__statement_measure(sql, params, &size, &problem) != 0)
                return NULL;
        void *block = malloc(size);
        if (block == NULL)
                return NULL;
        if (pipit__request_again(req, block, pipit__statement_write(block, sql, params)) != 0) {
                free(block);
                return NULL;
        }
        if (scope_refusal(scope) != NULL && scope->state != SCOPE_DRAINING) {
                pipit__result_fail_like(req->res, scope_refusal(scope));
                pipit__request_end(req);
        } else {
                req->wait_until_ms = deadline_after(pipit__reactor_now(scope->reactor),
                                                    scope->options.acquire_timeout_ms);
                pipit__dispatch_add(&scope->dispatch, req);
        }
        return req;
}

pipit_request
pipit_query(struct pipit *scope, const char *sql, struct pipit_params params, pipit_cb cb,
            void *arg)
{
        return pipit__request_number(pipit__query_start(scope, sql, params, cb, arg));
}
