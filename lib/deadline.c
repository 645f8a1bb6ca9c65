/*
 * Deadlines. See deadline.h.
 *
 * The timer runs only while there is a deadline, or its place is held: an idle database has none.
 */
#include "deadline.h"
#include "reactor.h"

#include <assert.h>
#include <pipit/error.h>
#include <stdlib.h>

#define FAR_MS 3600000 /* an hour */

static void
heap_put(struct deadlines *deadlines, size_t place, struct deadline *deadline)
{
        deadlines->heap[place] = deadline;
        deadline->place = place;
}

static void
heap_up(struct deadlines *deadlines, size_t place, struct deadline *deadline)
{
        while (place > 1 && deadlines->heap[place / 2]->at_ms > deadline->at_ms) {
                heap_put(deadlines, place, deadlines->heap[place / 2]);
                place /= 2;
        }
        heap_put(deadlines, place, deadline);
}

static void
heap_down(struct deadlines *deadlines, size_t place, struct deadline *deadline)
{
        for (;;) {
                size_t child = 2 * place;
                if (child > deadlines->n)
                        break;
                if (child < deadlines->n &&
                    deadlines->heap[child + 1]->at_ms < deadlines->heap[child]->at_ms)
                        child++;
                if (deadlines->heap[child]->at_ms >= deadline->at_ms)
                        break;
                heap_put(deadlines, place, deadlines->heap[child]);
                place = child;
        }
        heap_put(deadlines, place, deadline);
}

static void
heap_remove(struct deadlines *deadlines, struct deadline *deadline)
{
        size_t place = deadline->place;
        struct deadline *last = deadlines->heap[deadlines->n--];

        deadline->place = 0;
        if (last == deadline)
                return;
        if (place > 1 && deadlines->heap[place / 2]->at_ms > last->at_ms)
                heap_up(deadlines, place, last);
        else
                heap_down(deadlines, place, last);
}

/* Sets the timer after the earliest deadline has changed from what it was. */
static void
deadlines_arm(struct deadlines *deadlines)
{
        int64_t delay = FAR_MS;

        if (deadlines->n == 0 && !deadlines->held) {
                pipit__timer_stop(deadlines->timer);
                return;
        }
        if (deadlines->n > 0)
                delay = deadlines->heap[1]->at_ms - pipit__reactor_now(deadlines->reactor);
        /* The loop's clock is coarse: what has passed already must not wait for its next tick. */
        if (delay > 0)
                delay++;
        pipit__timer_set(deadlines->timer, delay < FAR_MS ? delay : FAR_MS);
}

static void
deadlines_on_timer(void *arg)
{
        struct deadlines *deadlines = arg;
        int64_t now = pipit__reactor_now(deadlines->reactor);

        /* Before somebody else's timer takes its place. */
        if (deadlines->held)
                pipit__timer_set(deadlines->timer, FAR_MS);
        while (deadlines->n > 0 && deadlines->heap[1]->at_ms <= now) {
                struct deadline *deadline = deadlines->heap[1];
                heap_remove(deadlines, deadline);
                deadlines->fn(deadline, deadlines->arg);
        }
        deadlines_arm(deadlines);
}

int
pipit__deadlines_init(struct deadlines *deadlines, struct reactor *reactor, pipit__deadline_fn fn,
                      void *arg)
{
        *deadlines = (struct deadlines){.reactor = reactor, .fn = fn, .arg = arg};
        deadlines->timer = pipit__timer_new(reactor, deadlines_on_timer, deadlines);
        return deadlines->timer != NULL ? 0 : PIPIT_ENOMEM;
}

void
pipit__deadlines_fini(struct deadlines *deadlines)
{
        pipit__timer_free(deadlines->timer);
        free(deadlines->heap);
        *deadlines = (struct deadlines){0};
}

int
pipit__deadlines_reserve(struct deadlines *deadlines, size_t n)
{
        if (n < deadlines->capacity)
                return 0;
        size_t capacity = 2 * n + 16;
        struct deadline **heap = reallocarray(deadlines->heap, capacity, sizeof(*heap));
        if (heap == NULL)
                return PIPIT_ENOMEM;
        deadlines->heap = heap;
        deadlines->capacity = capacity;
        return 0;
}

int
pipit__deadlines_hold(struct deadlines *deadlines)
{
        if (!deadlines->held && deadlines->n == 0 &&
            pipit__timer_set(deadlines->timer, FAR_MS) != 0)
                return PIPIT_ENOMEM;
        deadlines->held = true;
        return 0;
}

void
pipit__deadlines_release(struct deadlines *deadlines)
{
        deadlines->held = false;
        if (deadlines->n == 0)
                pipit__timer_stop(deadlines->timer);
}

void
pipit__deadline_set(struct deadlines *deadlines, struct deadline *deadline, int64_t at_ms)
{
        bool was_empty = deadlines->n == 0;
        int64_t earliest_ms = was_empty ? DEADLINE_NEVER : deadlines->heap[1]->at_ms;

        if (deadline->place != 0)
                heap_remove(deadlines, deadline);
        if (at_ms != DEADLINE_NEVER) {
                assert(deadlines->n + 1 < deadlines->capacity);
                deadline->at_ms = at_ms;
                heap_up(deadlines, ++deadlines->n, deadline);
        }
        /* The timer may fire early, and then finds nothing; it must not fire late, nor for an empty
         * heap. */
        if (deadlines->n == 0 ? !was_empty : deadlines->heap[1]->at_ms < earliest_ms)
                deadlines_arm(deadlines);
}
