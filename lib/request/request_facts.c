/*
 * Facts about requests: what others ask of one, and what they note about it. See request.h.
 */
#include "loop/reactor.h"
#include "request/bound_stmt.h"
#include "request/request_int.h"
#include "request/requests.h"
#include "request/stmt.h"

pipit_request
pipit__request_number(const struct request *req)
{
        return req != NULL ? req->number : 0;
}

enum request_kind
pipit__request_kind(const struct request *req)
{
        return req->kind;
}

enum request_state
pipit__request_state(const struct request *req)
{
        return req->state;
}

struct subscope *
pipit__request_subscope(const struct request *req)
{
        return req->kind == REQUEST_SUBSCOPE ? req->subscope : NULL;
}

struct pipit *
pipit__request_scope(const struct request *req)
{
        return req->owner->scope;
}

struct pipit_result *
pipit__request_result(const struct request *req)
{
        return req->res;
}

struct bound_stmt *
pipit__request_bound(const struct request *req)
{
        return req->bound;
}

struct stmt *
pipit__request_stmt(const struct request *req)
{
        return req->bound->stmt;
}

struct latency *
pipit__request_latency(const struct request *req)
{
        return pipit__stmt_latency(req->bound->stmt);
}

size_t
pipit__request_bytes(const struct request *req)
{
        return req->bound != NULL ? req->bound->bytes : 0;
}

bool
pipit__request_is_read(const struct request *req)
{
        return req->is_read;
}

bool
pipit__request_is_grouped(const struct request *req)
{
        return req->is_grouped;
}

bool
pipit__request_is_coalesced(const struct request *req)
{
        return req->is_coalesced;
}

bool
pipit__request_may_share(const struct request *req)
{
        return req->is_read || req->is_grouped;
}

bool
pipit__request_continues(const struct request *req)
{
        return req->continues;
}

int64_t
pipit__request_started_ms(const struct request *req)
{
        return req->started_ms;
}

int64_t
pipit__request_waited_ms(const struct request *req)
{
        return pipit__reactor_now(req->requests->reactor) - req->started_ms;
}

int64_t
pipit__request_deadline_ms(const struct request *req)
{
        return req->deadline_ms;
}

void *
pipit__request_holder(const struct request *req)
{
        return req->holder;
}

const struct holder_ops *
pipit__request_holder_ops(const struct request *req)
{
        return req->ops;
}

const char *
pipit__request_waits_for(const struct request *req)
{
        return req->ops != NULL && req->ops->waits_for != NULL ? req->ops->waits_for(req)
                                                               : "nothing";
}

/* ---- sharing a Sync */

void
pipit__request_set_group(struct request *req, int n)
{
        req->group = (uint16_t)n;
}

int
pipit__request_max_group(const struct request *req)
{
        return req->max_group;
}

void
pipit__request_run_alone(struct request *req)
{
        req->max_group = 1;
}

void
pipit__request_skipped(struct request *req)
{
        uint16_t half = req->group / 2;

        req->n_skips++;
        if (req->n_skips == 2 && half > 1)
                req->max_group = half;
        else if (req->n_skips >= 2)
                req->max_group = 1;
}

int
pipit__request_add_loss(struct request *req)
{
        return ++req->n_losses;
}

int
pipit__request_losses(const struct request *req)
{
        return req->n_losses;
}

void
pipit__request_isolate(struct request *req)
{
        req->is_isolated = true;
        pipit__request_run_alone(req);
        pipit__request_drop_rule(req);
}

bool
pipit__request_is_isolated(const struct request *req)
{
        return req->is_isolated;
}

int
pipit__request_reprepares(const struct request *req)
{
        return req->n_reprepares;
}

void
pipit__request_add_reprepare(struct request *req)
{
        req->n_reprepares++;
}

/* ---- a request that may fail */

bool
pipit__request_may_fail(const struct request *req)
{
        return req->may_fail;
}

void
pipit__request_set_may_fail(struct request *req)
{
        req->may_fail = true;
}

/* ---- coalescing */

struct coalesce_rule *
pipit__request_rule(const struct request *req)
{
        return req->rule;
}

void
pipit__request_drop_rule(struct request *req)
{
        req->rule = NULL;
}

int64_t
pipit__request_key(const struct request *req)
{
        return req->key;
}
