/*
 * Requests. See request.h.
 */
#include "request/request.h"

#include <assert.h>
#include <stdlib.h>

#include "base/cold.h"
#include "loop/hangup.h"
#include "loop/reactor.h"
#include "request/bound_stmt.h"
#include "request/request_int.h"
#include "request/requests.h"
#include "request/stmt_cache.h"
#include "result/result_error.h"

/* Of nearly all processors there are; on others it is a little slower. */
#define CACHE_LINE 64

/* ---- how a request is made */

struct request *
pipit__request_new(struct requests *requests, struct result_owner *owner, size_t bound_size,
                   pipit_cb cb, void *arg)
{
        struct pipit_result *res =
                pipit__result_new_with(owner, sizeof(struct request) + bound_size);

        if (res == NULL)
                return NULL;
        struct request *req = pipit__result_room(res);
        *req = (struct request){.requests = requests,
                                .owner = owner,
                                .res = res,
                                .deadline_ms = DEADLINE_NEVER,
                                .wait_until_ms = DEADLINE_NEVER,
                                .wait_ms = -1,
                                .first = {.cb = cb, .arg = arg}};
        list_init(&req->link);
        req->started_ms = pipit__reactor_start(requests->reactor);
        if (pipit__requests_add(requests, req) != 0) {
                pipit_result_unref(res);
                return NULL;
        }
        pipit__result_hold(res); /* the request lives in it */
        owner->n_requests++;
        return req;
}

struct request *
pipit__request_new_beside(const struct request *other, size_t bound_size)
{
        return pipit__request_new(other->requests, other->owner, bound_size, NULL, NULL);
}

void *
pipit__request_block(struct request *req)
{
        return req + 1;
}

void
pipit__request_set_stmt(struct request *req, struct bound_stmt *bound,
                        const struct request_traits *traits)
{
        req->bound = bound;
        req->is_read = traits->is_read;
        req->is_grouped = traits->is_grouped;
        req->is_coalesced = traits->is_coalesced;
        req->rule = traits->rule;
        req->key = traits->key;
}

void
pipit__request_set_read(struct request *req, bool is_read)
{
        req->is_read = is_read;
}

/* Forgets the bound statement, and frees its block if that is its own. */
static void
request_drop_bound(struct request *req)
{
        pipit__bound_stmt_fini(req->bound);
        if (req->owns_bound)
                free(req->bound);
}

void
pipit__request_replace_stmt(struct request *req, struct bound_stmt *bound)
{
        request_drop_bound(req);
        req->bound = bound;
        req->owns_bound = true;
}

void
pipit__request_set_subscope(struct request *req, struct subscope *subscope)
{
        req->kind = subscope != NULL ? REQUEST_SUBSCOPE : REQUEST_DRAIN;
        if (subscope != NULL)
                req->subscope = subscope;
}

void
pipit__request_set_times(struct request *req, int64_t timeout_ms, int64_t wait_ms)
{
        req->deadline_ms = pipit__deadline_after(req->started_ms, timeout_ms);
        req->wait_until_ms = pipit__deadline_after(req->started_ms, wait_ms);
        req->wait_ms = wait_ms <= INT32_MAX ? (int32_t)wait_ms : -1;
}

void
pipit__request_wait_from(struct request *req, int64_t now_ms, int64_t wait_ms)
{
        req->wait_until_ms = pipit__deadline_after(now_ms, wait_ms);
}

/* ---- holders and states */

/* Takes a request out of the list that it is in, if any: most are in none. */
static inline void
request_unlink(struct request *req)
{
        if (list_linked(&req->link))
                list_remove(&req->link);
}

void
pipit__request_enter(struct request *req, enum request_state state, const struct holder_ops *ops,
                     void *holder)
{
        if (req->ops != NULL && req->ops->leave != NULL)
                req->ops->leave(req);
        if (req->state == REQUEST_ENDING)
                req->requests->n_ending--;
        request_unlink(req);
        req->state = (uint8_t)state;
        req->ops = ops;
        req->holder = holder;
}

void
pipit__request_cancel(struct request *req, const char *reason)
{
        if (req->ops != NULL && req->ops->cancel != NULL)
                req->ops->cancel(req, reason);
}

void
pipit__request_arm(struct request *req)
{
        bool waits = req->state == REQUEST_WAITING && req->wait_until_ms < req->deadline_ms;

        pipit__deadline_set(&req->requests->deadlines, &req->deadline,
                            waits ? req->wait_until_ms : req->deadline_ms);
}

void
pipit__request_set_deadline(struct request *req, int64_t deadline_ms)
{
        if (req->state == REQUEST_ENDING || req->state == REQUEST_DONE)
                return;
        req->deadline_ms = deadline_ms;
        pipit__request_arm(req);
        if (req->ops != NULL && req->ops->reschedule != NULL)
                req->ops->reschedule(req);
}

/* No deadline is set any more. */
static void
request_disarm(struct request *req)
{
        pipit__deadline_set(&req->requests->deadlines, &req->deadline, DEADLINE_NEVER);
}

/* ---- lists */

struct request *
pipit__request_of(struct list *link)
{
        return container_of(link, struct request, link);
}

struct request *
pipit__request_first(const struct list *list)
{
        return container_of(list->next, struct request, link);
}

struct request *
pipit__request_after(const struct list *list, const struct request *req)
{
        return req->link.next != list ? container_of(req->link.next, struct request, link) : NULL;
}

void
pipit__request_append(struct request *req, struct list *list)
{
        request_unlink(req);
        list_push_back(list, &req->link);
}

void
pipit__request_prepend(struct request *req, struct list *list)
{
        request_unlink(req);
        list_push_front(list, &req->link);
}

/* ---- frames and callbacks */

int
pipit__request_push(struct request *req, pipit__frame_fn fn, void *arg)
{
        if (req->n_frames == REQUEST_MAX_FRAMES)
                return PIPIT_ENOMEM;
        req->frames[req->n_frames++] = (struct frame){.fn = fn, .arg = arg};
        return 0;
}

/* Makes room for so many callbacks of pipit_then(). 0 or PIPIT_ENOMEM. */
static COLD int
request_reserve_more(struct request *req, int n)
{
        struct request_more *more =
                realloc(req->more, sizeof *more + (size_t)n * sizeof more->callbacks[0]);

        if (more == NULL)
                return PIPIT_ENOMEM;
        if (req->more == NULL)
                more->hangup = NULL;
        req->more = more;
        return 0;
}

int
pipit__request_then(struct request *req, pipit_cb cb, void *arg)
{
        if (req->n_more == UINT16_MAX || request_reserve_more(req, req->n_more + 1) != 0)
                return PIPIT_ENOMEM;
        req->more->callbacks[req->n_more++] = (struct completion){.cb = cb, .arg = arg};
        return 0;
}

int
pipit__request_set_hangup(struct request *req, struct hangup *hangup)
{
        if (request_reserve_more(req, req->n_more) != 0) {
                pipit__hangup_free(hangup);
                return PIPIT_ENOMEM;
        }
        pipit__hangup_free(req->more->hangup);
        req->more->hangup = hangup;
        return 0;
}

void
pipit__request_end_hangup(struct request *req)
{
        if (req->more == NULL)
                return;
        pipit__hangup_free(req->more->hangup);
        req->more->hangup = NULL;
}

void
pipit__request_set_callback(struct request *req, pipit_cb cb, void *arg)
{
        req->first = (struct completion){.cb = cb, .arg = arg};
}

void *
pipit__request_callback_arg(const struct request *req)
{
        return req->first.arg;
}

/* ---- ends */

void
pipit__request_end(struct request *req)
{
        struct requests *requests = req->requests;

        assert(req->state != REQUEST_ENDING && req->state != REQUEST_DONE);
        pipit__request_enter(req, REQUEST_ENDING, NULL, NULL);
        list_push_back(&requests->ending, &req->link);
        requests->n_ending++;
        request_disarm(req);
        pipit__reactor_schedule(requests->reactor);
}

void
pipit__request_fail(struct request *req, enum pipit_code code, enum pipit_executed executed,
                    enum pipit_phase phase, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        pipit__result_vfail(req->res, code, executed, phase, format, args);
        va_end(args);
        pipit__request_end(req);
}

void
pipit__request_fail_like(struct request *req, const struct pipit_error *error)
{
        if (!pipit_failed(req->res))
                pipit__result_fail_like(req->res, error);
        pipit__request_end(req);
}

static void
request_free(struct request *req)
{
        struct requests *requests = req->requests;
        struct result_owner *owner = req->owner;

        request_drop_bound(req);
        pipit_result_unref(req->res);
        free(req->more);
        pipit_result_unref((struct pipit_result *)(uintptr_t)pipit__result_of_room(req));
        pipit__requests_remove(requests, owner);
}

void
pipit__request_discard(struct request *req)
{
        pipit__request_enter(req, REQUEST_DONE, NULL, NULL);
        request_disarm(req);
        pipit__requests_release_slot(req->requests, req);
        request_free(req);
}

/* Calls the user back: the request's number names nothing any more. */
static void
request_call_back(struct request *req)
{
        struct pipit_result *res = req->res;

        pipit__requests_release_slot(req->requests, req);
        if (req->first.cb != NULL)
                req->first.cb(res, req->first.arg);
        for (int i = 0; i < req->n_more; i++)
                req->more->callbacks[i].cb(res, req->more->callbacks[i].arg);
        request_free(req);
}

void
pipit__request_next(struct request *req, struct pipit_result *res)
{
        assert(req->state == REQUEST_DONE && res == req->res);
        if (req->n_frames == 0) {
                request_call_back(req);
                return;
        }
        struct frame frame = req->frames[--req->n_frames];
        frame.fn(req, res, frame.arg);
}

void
pipit__request_complete(struct request *req)
{
        request_disarm(req);
        pipit__request_enter(req, REQUEST_DONE, NULL, NULL);
        pipit__request_next(req, req->res);
}

int
pipit__request_again(struct request *req, struct bound_stmt *bound)
{
        struct pipit_result *res = pipit__result_new(req->owner);

        if (res == NULL)
                return PIPIT_ENOMEM;
        pipit_result_unref(req->res);
        req->res = res;
        pipit__request_replace_stmt(req, bound);
        req->continues = true;
        pipit__request_enter(req, REQUEST_NEW, NULL, NULL);
        return 0;
}

void
pipit__request_prefetch(const struct request *req)
{
        const char *start = (const char *)pipit__result_of_room(req);

        for (const char *line = start; line < (const char *)(req + 1); line += CACHE_LINE)
                __builtin_prefetch(line);
}
