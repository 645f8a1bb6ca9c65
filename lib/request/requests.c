/*
 * The table of requests. See requests.h.
 */
#include "request/requests.h"

#include <assert.h>
#include <pipit/error.h>
#include <stdlib.h>

#include "base/cold.h"
#include "loop/reactor.h"
#include "request/request_int.h"

/* A request's deadline has passed. Where only its time to wait was over and it was sent in time,
 * the end of its whole time is still to come. */
static void
requests_on_deadline(struct deadline *deadline, void *arg)
{
        struct request *req = container_of(deadline, struct request, deadline);
        struct requests *requests = arg;

        if (req->state != REQUEST_WAITING &&
            req->deadline_ms > pipit__reactor_now(requests->reactor))
                pipit__request_arm(req);
        else if (req->ops != NULL && req->ops->expire != NULL)
                req->ops->expire(req);
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

/* ---- slots */

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

int
pipit__requests_take_slot(struct requests *requests, struct request *req)
{
        if (requests->first_free == 0 && slots_grow(requests) != 0)
                return PIPIT_ENOMEM;
        uint32_t place = requests->first_free;
        struct slot *slot = &requests->slots[place - 1];
        requests->first_free = slot->next_free;
        slot->request = req;
        req->number = (pipit_request)slot->generation << 32 | place;
        list_push_back(&req->owner->requests, &req->scope_link);
        return 0;
}

void
pipit__requests_release_slot(struct requests *requests, struct request *req)
{
        uint32_t place = (uint32_t)req->number;
        struct slot *slot = &requests->slots[place - 1];

        slot->request = NULL;
        slot->generation++;
        slot->next_free = requests->first_free;
        requests->first_free = place;
        list_remove(&req->scope_link);
        if (req->more != NULL)
                pipit__request_end_hangup(req);
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

struct request *
pipit__requests_each(const struct requests *requests, uint32_t *place)
{
        while (*place < requests->n_slots) {
                struct request *req = requests->slots[(*place)++].request;
                if (req != NULL)
                        return req;
        }
        return NULL;
}

/* A request that ends is unlinked from either list, so the one being walked is popped. */
void
pipit__requests_each_of(struct result_owner *owner, void (*fn)(struct request *req, void *arg),
                        void *arg)
{
        struct list seen;

        list_init(&seen);
        while (!list_empty(&owner->requests)) {
                struct list *link = list_pop_first(&owner->requests);
                list_push_back(&seen, link);
                fn(container_of(link, struct request, scope_link), arg);
        }
        list_splice(&owner->requests, &seen);
}

/* ---- how many there are */

/* Without requests the timer of the deadlines does not hold its place in the loop. */
static void
requests_release_timer(struct requests *requests)
{
        if (requests->n == 0)
                pipit__deadlines_release(&requests->deadlines);
}

int
pipit__requests_add(struct requests *requests, struct request *req)
{
        if (pipit__deadlines_reserve(&requests->deadlines, (size_t)requests->n + 1) != 0 ||
            pipit__deadlines_hold(&requests->deadlines) != 0 ||
            pipit__requests_take_slot(requests, req) != 0) {
                requests_release_timer(requests);
                return PIPIT_ENOMEM;
        }
        requests->n++;
        return 0;
}

void
pipit__requests_remove(struct requests *requests, struct result_owner *owner)
{
        owner->n_requests--;
        requests->n--;
        requests_release_timer(requests);
        /* Nobody waits for another end. */
        if (owner->n_requests == 0 || requests->n <= 1)
                requests->ops->gone(owner->scope, requests->arg);
}

void
pipit__requests_discard(struct requests *requests)
{
        struct request *req;

        /* Every request leaves its holder first, because a coalesced statement, which holds its
         * members, goes with its own request. */
        for (uint32_t place = 0; (req = pipit__requests_each(requests, &place)) != NULL;)
                pipit__request_enter(req, REQUEST_DONE, NULL, NULL);
        for (uint32_t place = 0; (req = pipit__requests_each(requests, &place)) != NULL;)
                pipit__request_discard(req);
}

/* ---- turns */

/* A request that runs again has had its connection, and waits for another as long as it takes; one
 * whose connection was lost waits anew. */
static COLD void
request_wait_anew(struct request *req)
{
        if (req->n_losses > 0)
                pipit__request_wait_from(req, pipit__reactor_now(req->requests->reactor),
                                         req->wait_ms);
        else
                req->wait_until_ms = DEADLINE_NEVER;
}

void
pipit__requests_again(struct list *list)
{
        while (!list_empty(list)) {
                struct request *req = container_of(list->prev, struct request, link);
                pipit__request_enter(req, REQUEST_NEW, NULL, NULL);
                pipit__result_reset(req->res);
                request_wait_anew(req);
                req->requests->ops->again(req, req->requests->arg);
        }
}

void
pipit__requests_turn(struct requests *requests, int budget)
{
        int n = requests->n_ending < budget ? requests->n_ending : budget;

        /* A callback can discard others of this turn: it closes the scope in a forked child. */
        while (n-- > 0 && !list_empty(&requests->ending)) {
                struct list *link = list_first(&requests->ending);
                pipit__request_complete(container_of(link, struct request, link));
        }
        if (requests->n_ending > 0)
                pipit__reactor_schedule(requests->reactor);
}
