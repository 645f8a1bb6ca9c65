/*
 * Requests. See request.h.
 */
#include "request/request.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/cold.h"
#include "loop/reactor.h"
#include "request/bound_stmt.h"

/* Of nearly all processors there are; on others it is a little slower. */
#define CACHE_LINE 64

static void
requests_on_deadline(struct deadline *deadline, void *arg)
{
        struct requests *requests = arg;

        requests->ops->expired(container_of(deadline, struct request, deadline), requests->arg);
}

int
pipit__requests_init(struct requests *requests, struct reactor *reactor,
                     const struct requests_ops *ops, void *arg)
{
        *requests = (struct requests){.reactor = reactor, .ops = ops, .arg = arg};
        list_init(&requests->ending);
        return pipit__deadlines_init(&requests->deadlines, reactor, requests_on_deadline, requests);
}

void
pipit__requests_fini(struct requests *requests)
{
        assert(requests->n == 0);
        if (requests->reactor == NULL)
                return;
        pipit__deadlines_fini(&requests->deadlines);
        free(requests->slots);
}

static COLD int
slots_grow(struct requests *requests)
{
        uint32_t n = requests->n_slots;
        uint32_t grown = n > 0 ? 2 * n : 16;

        if (grown > UINT32_MAX / 2)
                return PIPIT_ENOMEM;
        struct slot *slots = reallocarray(requests->slots, grown, sizeof *slots);
        if (slots == NULL)
                return PIPIT_ENOMEM;
        requests->slots = slots;
        for (uint32_t i = n; i < grown; i++)
                slots[i] = (struct slot){.generation = 1, .next_free = i + 2};
        slots[grown - 1].next_free = 0;
        requests->first_free = n + 1;
        requests->n_slots = grown;
        return 0;
}

/* Gives a request its number. */
static int
slot_take(struct requests *requests, struct request *req)
{
        if (requests->first_free == 0 && slots_grow(requests) != 0)
                return PIPIT_ENOMEM;
        uint32_t place = requests->first_free;
        struct slot *slot = &requests->slots[place - 1];
        requests->first_free = slot->next_free;
        slot->request = req;
        req->number = (pipit_request)slot->generation << 32 | place;
        return 0;
}

static void
slot_release(struct requests *requests, struct request *req)
{
        uint32_t place = (uint32_t)req->number;
        struct slot *slot = &requests->slots[place - 1];

        slot->request = NULL;
        slot->generation++;
        slot->next_free = requests->first_free;
        requests->first_free = place;
}

struct request *
pipit__requests_find(const struct requests *requests, pipit_request number)
{
        uint32_t place = (uint32_t)number;

        if (place == 0 || place > requests->n_slots)
                return NULL;
        const struct slot *slot = &requests->slots[place - 1];
        return slot->generation == (uint32_t)(number >> 32) ? slot->request : NULL;
}

/* Without requests nothing of theirs runs. */
static void
requests_rest(struct requests *requests)
{
        if (requests->n == 0)
                pipit__deadlines_release(&requests->deadlines);
}

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
                                .first = {.cb = cb, .arg = arg}};
        list_init(&req->link);
        req->started_ms = pipit__reactor_start(requests->reactor);
        if (pipit__deadlines_reserve(&requests->deadlines, (size_t)requests->n + 1) != 0 ||
            pipit__deadlines_hold(&requests->deadlines) != 0 || slot_take(requests, req) != 0) {
                pipit_result_unref(res);
                requests_rest(requests);
                return NULL;
        }
        req->block = pipit__result_hold(res);
        requests->n++;
        owner->n_requests++;
        return req;
}

void *
pipit__request_block(struct request *req)
{
        return req + 1;
}

pipit_request
pipit__request_number(const struct request *req)
{
        return req != NULL ? req->number : 0;
}

int
pipit__request_push(struct request *req, pipit__frame_fn fn, void *arg)
{
        if (req->n_frames == REQUEST_MAX_FRAMES)
                return PIPIT_ENOMEM;
        req->frames[req->n_frames++] = (struct frame){.fn = fn, .arg = arg};
        return 0;
}

int
pipit__request_then(struct request *req, pipit_cb cb, void *arg)
{
        struct completion *more = NULL;

        if (req->n_more < UINT16_MAX)
                more = reallocarray(req->more, (size_t)req->n_more + 1, sizeof *req->more);
        if (more == NULL)
                return PIPIT_ENOMEM;
        req->more = more;
        more[req->n_more++] = (struct completion){.cb = cb, .arg = arg};
        return 0;
}

void
pipit__request_set_deadline(struct request *req, int64_t deadline_ms)
{
        bool waits = req->state == REQUEST_WAITING && req->wait_until_ms < deadline_ms;

        req->deadline_ms = deadline_ms;
        pipit__deadline_set(&req->requests->deadlines, &req->deadline,
                            waits ? req->wait_until_ms : deadline_ms);
}

void
pipit__request_join(struct request *req, struct request **place)
{
        list_remove(&req->link);
        req->state = REQUEST_SENT;
        req->conn = NULL;
        req->member = place;
        *place = req;
}

/* Whatever it does next, it is with nobody any more. */
static void
request_leave(struct request *req)
{
        if (req->member != NULL)
                *req->member = NULL;
        req->member = NULL;
        req->conn = NULL;
}

void
pipit__request_end(struct request *req)
{
        struct requests *requests = req->requests;

        assert(req->state != REQUEST_ENDING && req->state != REQUEST_DONE);
        req->state = REQUEST_ENDING;
        request_leave(req);
        list_remove(&req->link);
        list_push_back(&requests->ending, &req->link);
        requests->n_ending++;
        pipit__deadline_set(&requests->deadlines, &req->deadline, DEADLINE_NEVER);
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

static void
request_free(struct request *req)
{
        struct requests *requests = req->requests;
        struct result_owner *owner = req->owner;

        pipit__bound_stmt_fini(req->bound);
        pipit_result_unref(req->res);
        free(req->more_bound);
        free(req->more);
        pipit_result_unref(req->block);
        owner->n_requests--;
        requests->n--;
        requests_rest(requests);
        /* Nobody waits for another end. */
        if (owner->n_requests == 0 || requests->n <= 1)
                requests->ops->gone(owner->scope, requests->arg);
}

void
pipit__request_discard(struct request *req)
{
        request_leave(req);
        list_remove(&req->link);
        if (req->state == REQUEST_ENDING)
                req->requests->n_ending--;
        pipit__deadline_set(&req->requests->deadlines, &req->deadline, DEADLINE_NEVER);
        slot_release(req->requests, req);
        request_free(req);
}

void
pipit__requests_discard(struct requests *requests)
{
        /* First, because what carries others goes with its own request. */
        for (uint32_t i = 0; i < requests->n_slots; i++) {
                if (requests->slots[i].request != NULL)
                        request_leave(requests->slots[i].request);
        }
        for (uint32_t i = 0; i < requests->n_slots; i++) {
                if (requests->slots[i].request != NULL)
                        pipit__request_discard(requests->slots[i].request);
        }
}

/* The user's callbacks: the request's number names nothing any more. */
static void
request_call_back(struct request *req)
{
        struct pipit_result *res = req->res;

        slot_release(req->requests, req);
        if (req->first.cb != NULL)
                req->first.cb(res, req->first.arg);
        for (int i = 0; i < req->n_more; i++)
                req->more[i].cb(res, req->more[i].arg);
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
pipit__request_prefetch(const struct request *req)
{
        const char *start = (const char *)pipit__result_of_room(req);

        for (const char *line = start; line < (const char *)(req + 1); line += CACHE_LINE)
                __builtin_prefetch(line);
}

void
pipit__request_complete(struct request *req)
{
        list_remove(&req->link);
        pipit__deadline_set(&req->requests->deadlines, &req->deadline, DEADLINE_NEVER);
        req->state = REQUEST_DONE;
        request_leave(req);
        pipit__request_next(req, req->res);
}

int
pipit__request_again(struct request *req, void *block, struct bound_stmt *bound)
{
        struct pipit_result *res = pipit__result_new(req->owner);

        if (res == NULL)
                return PIPIT_ENOMEM;
        pipit__bound_stmt_fini(req->bound);
        pipit_result_unref(req->res);
        free(req->more_bound);
        req->res = res;
        req->more_bound = block;
        req->bound = bound;
        req->state = REQUEST_NEW;
        return 0;
}

void
pipit__requests_again(struct list *list)
{
        while (!list_empty(list)) {
                struct request *req = container_of(list->prev, struct request, link);
                list_remove(&req->link);
                pipit__result_reset(req->res);
                req->state = REQUEST_NEW;
                request_leave(req);
                req->wait_until_ms = DEADLINE_NEVER; /* it has had its connection */
                req->requests->ops->again(req, req->requests->arg);
        }
}

void
pipit__requests_turn(struct requests *requests, int budget)
{
        int n = requests->n_ending < budget ? requests->n_ending : budget;

        /* A callback can discard others of this turn: it closes the scope in a forked child. */
        while (n-- > 0 && !list_empty(&requests->ending)) {
                struct list *link = list_pop_first(&requests->ending);
                requests->n_ending--;
                pipit__request_complete(container_of(link, struct request, link));
        }
        if (requests->n_ending > 0)
                pipit__reactor_schedule(requests->reactor);
}
