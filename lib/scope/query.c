/*
 * Queries. See query.h and <pipit/query.h>.
 */
#include "scope/query.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cold.h"
#include "pool/coalesce_rule.h"
#include "pool/refusal.h"
#include "request/bound_stmt.h"
#include "request/request.h"
#include "request/stmt_cache.h"
#include "request/stmt_text.h"
#include "result/result_error.h"
#include "scope/scope.h"

/* The first callback of a request, on its way through the checks. */
struct completion {
        pipit_cb cb;
        void *arg;
};

/* Why a scope takes nothing now; NULL when it does. */
static const struct pipit_error *
scope_refusal(const struct pipit *scope)
{
        return pipit__scope_is_open(scope) ? NULL : pipit_scope_error(scope);
}

/* A new request that has failed already, like this. */
static COLD struct request *
query_fail_like(struct pipit *scope, const struct pipit_error *error, pipit_cb cb, void *arg)
{
        struct request *req = pipit__scope_request(scope, 0, cb, arg);

        if (req == NULL)
                return NULL;
        pipit__request_fail_like(req, error);
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
        pipit__result_vfail(pipit__request_result(req), code, PIPIT_EXECUTED_NO, PIPIT_PHASE_START,
                            format, args);
        va_end(args);
        pipit__request_end(req);
        return req;
}

/* Refuses LISTEN on a session or a transaction, where it would succeed, and tell nobody of
 * anything. (On a database its tag ends the connection.) */
static COLD struct request *
query_refuse_listen(struct pipit *scope, pipit_cb cb, void *arg)
{
        return pipit__query_refuse(
                scope, PIPIT_EUNSHARED, cb, arg,
                "LISTEN is not supported: pipit has nobody to give notifications "
                "to, and they would be lost; listen with a connection of the "
                "program's own");
}

static COLD struct request *
query_refuse_problem(struct pipit *scope, const struct stmt_problem *problem,
                     const struct completion *completion)
{
        if (problem->parameter == 0)
                return pipit__query_refuse(scope, problem->code, completion->cb, completion->arg,
                                           "%s", problem->text);
        return pipit__query_refuse(scope, problem->code, completion->cb, completion->arg,
                                   "parameter $%d: %s", problem->parameter, problem->text);
}

/* Makes the request, now that every check has passed; takes *stmt over. NULL when memory ran
 * out. */
static struct request *
query_enqueue(struct pipit *scope, const struct query *query, struct stmt **stmt,
              const struct bound_form *form, const struct completion *completion)
{
        const struct pipit_options *options = pipit__scope_options(scope);
        /* A procedure may commit in its middle, and a setting would be seen by the others. */
        bool is_alone = (pipit__stmt_traits(*stmt) & (STMT_CALLS | STMT_SETS)) != 0;
        bool is_read = query->is_read && !is_alone;
        bool is_grouped = !query->is_read && !is_alone && pipit__scope_groups_writes(scope);
        bool coalesces = is_grouped || (is_read && pipit__scope_coalesces(scope));
        struct request_traits traits = {.is_read = is_read,
                                        .is_grouped = is_grouped,
                                        .rule = coalesces ? query->rule : NULL,
                                        .key = query->key};
        struct request *req =
                pipit__scope_request(scope, form->size, completion->cb, completion->arg);

        if (req == NULL)
                return NULL;
        pipit__request_set_stmt(
                req, pipit__bound_stmt_write(pipit__request_block(req), *stmt, query->params, form),
                &traits);
        *stmt = NULL;
        pipit__request_set_times(req, options->timeout_ms, options->acquire_timeout_ms);
        pipit__scope_add(scope, req);
        return req;
}

static COLD struct request *
query_refuse_size(struct pipit *scope, size_t bytes, const struct completion *completion)
{
        return pipit__query_refuse(scope, PIPIT_ELIMIT, completion->cb, completion->arg,
                                   "the statement and its values take %zu bytes: "
                                   "max_request_bytes is %zu",
                                   bytes, pipit__scope_options(scope)->max_request_bytes);
}

/* The checks that depend on its values; the statement goes on to the request, or *statement is
 * left. */
static struct request *
query_admit(struct pipit *scope, const struct query *query, struct stmt **stmt,
            const struct completion *completion)
{
        struct stmt_problem problem;
        struct bound_form form;
        struct refusal refusal;

        if (pipit__bound_stmt_measure(*stmt, query->params, &form, &problem) != 0)
                return query_refuse_problem(scope, &problem, completion);
        size_t bytes = form.size + pipit__stmt_length(*stmt);
        if (bytes > pipit__scope_options(scope)->max_request_bytes)
                return query_refuse_size(scope, bytes, completion);
        if (pipit__scope_refuses(scope, bytes, &refusal))
                return query_fail_like(scope, &refusal.error, completion->cb, completion->arg);
        return query_enqueue(scope, query, stmt, &form, completion);
}

/* Whether a statement is a LISTEN in a session that others have next: its notifications would be
 * theirs. That must not be found out from its tag, once the session listens. */
static bool
query_listens_for_others(const struct pipit *scope, const struct query *query)
{
        return query->sql != NULL && pipit__scope_is_pooled(scope) &&
               pipit__stmt_text_listens(query->sql);
}

static struct stmt *
query_stmt(struct pipit *scope, const struct query *query)
{
        if (query->rule != NULL)
                return pipit__coalesce_rule_one(query->rule);
        return pipit__scope_stmt(scope, query->sql);
}

struct request *
pipit__query_start(struct pipit *scope, const struct query *query, pipit_cb cb, void *arg)
{
        struct completion completion = {cb, arg};
        struct stmt_problem problem;

        if (!pipit__scope_is_mine(scope))
                return NULL;
        if (scope_refusal(scope) != NULL)
                return query_fail_like(scope, scope_refusal(scope), cb, arg);
        if (query->rule == NULL &&
            pipit__bound_stmt_check(query->sql, query->params, &problem) != 0)
                return query_refuse_problem(scope, &problem, &completion);
        if (query_listens_for_others(scope, query))
                return pipit__query_refuse(scope, PIPIT_EUNSHARED, cb, arg,
                                           "LISTEN cannot go through a pooler that lends sessions "
                                           "for transactions: listen on the server itself");
        if (query->sql != NULL && !pipit__scope_is_database(scope) &&
            pipit__stmt_text_listens(query->sql))
                return query_refuse_listen(scope, cb, arg);
        struct stmt *stmt = query_stmt(scope, query);
        if (stmt == NULL)
                return NULL;
        struct request *req = query_admit(scope, query, &stmt, &completion);
        pipit__stmt_unref(stmt);
        return req;
}

/* Gives a request another statement. 0, or why not. */
static int
query_replace(struct request *req, const struct query *query)
{
        struct pipit *scope = pipit__request_scope(req);
        struct stmt *stmt = pipit__scope_stmt(scope, query->sql);
        struct stmt_problem problem;
        struct bound_form form;
        void *block = NULL;

        if (stmt != NULL && pipit__bound_stmt_measure(stmt, query->params, &form, &problem) == 0)
                block = malloc(form.size);
        if (block == NULL) {
                pipit__stmt_unref(stmt);
                return PIPIT_ENOMEM;
        }
        struct bound_stmt *bound = pipit__bound_stmt_write(block, stmt, query->params, &form);
        if (pipit__request_again(req, bound) != 0) {
                pipit__bound_stmt_fini(bound);
                free(block);
                return PIPIT_ENOMEM;
        }
        pipit__request_set_read(req, query->is_read);
        return 0;
}

struct request *
pipit__query_continue(struct request *req, const struct query *query)
{
        struct pipit *scope = pipit__request_scope(req);

        if (query_replace(req, query) != 0)
                return NULL;
        if (!pipit__scope_may_continue(scope)) {
                pipit__request_fail_like(req, pipit_scope_error(scope));
        } else {
                pipit__request_wait_from(req, pipit__scope_now_ms(scope),
                                         pipit__scope_options(scope)->acquire_timeout_ms);
                pipit__scope_add(scope, req);
        }
        return req;
}

pipit_request
pipit_query(struct pipit *scope, const char *sql, struct pipit_params params, pipit_cb cb,
            void *arg)
{
        struct query query = {.sql = sql, .params = params};

        return pipit__scope_started(scope, pipit__query_start(scope, &query, cb, arg));
}

pipit_request
pipit_read(struct pipit *scope, const char *sql, struct pipit_params params, pipit_cb cb, void *arg)
{
        struct query query = {.sql = sql, .params = params, .is_read = true};

        return pipit__scope_started(scope, pipit__query_start(scope, &query, cb, arg));
}
