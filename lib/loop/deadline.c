/*
 * The deadlines are a few sorted lists and a binary heap. See deadline.h.
 *
 * A new deadline goes to the end of a lane whose last one is a little earlier, else to an empty
 * lane, else into the heap. The earliest of all is the first of a lane or the top of the heap.
 */
#include "loop/deadline.h"

#include <assert.h>
#include <pipit/error.h>
#include <stdlib.h>

#include "base/cold.h"
#include "loop/reactor.h"

#define FAR_MS      3600000 /* an hour */
#define LANE_GAP_MS 2000

int64_t
pipit__deadline_after(int64_t now, int64_t timeout_ms)
{
        return timeout_ms < 0 || now > DEADLINE_NEVER - timeout_ms ? DEADLINE_NEVER
                                                                   : now + timeout_ms;
}

/* Puts a deadline at an index of the heap. */
static COLD void
deadlines_put(struct deadlines *deadlines, size_t place, struct deadline *deadline)
{
        deadlines->heap[place] = deadline;
        deadline->place = place;
}

/* Finds the index for a deadline that may be too early for that one, and puts it there. */
static COLD void
deadlines_up(struct deadlines *deadlines, size_t place, struct deadline *deadline)
{
        while (place > 1 && deadlines->heap[place / 2]->at_ms > deadline->at_ms) {
                deadlines_put(deadlines, place, deadlines->heap[place / 2]);
                place /= 2;
        }
        deadlines_put(deadlines, place, deadline);
}

/* Finds the index for a deadline that may be too late for that one, and puts it there. */
static COLD void
deadlines_down(struct deadlines *deadlines, size_t place, struct deadline *deadline)
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
                deadlines_put(deadlines, place, deadlines->heap[child]);
                place = child;
        }
        deadlines_put(deadlines, place, deadline);
}

/* Takes a deadline out of the heap; the last one fills its index. */
static COLD void
deadlines_take(struct deadlines *deadlines, struct deadline *deadline)
{
        size_t place = deadline->place;
        struct deadline *last = deadlines->heap[deadlines->n--];

        deadline->place = 0;
        if (last == deadline)
                return;
        if (place > 1 && deadlines->heap[place / 2]->at_ms > last->at_ms)
                deadlines_up(deadlines, place, last);
        else
                deadlines_down(deadlines, place, last);
}

static struct deadline *
deadline_of(struct list *link)
{
        return container_of(link, struct deadline, link);
}

/* Returns the earliest deadline, or NULL if none is set. */
static struct deadline *
deadlines_first(const struct deadlines *deadlines)
{
        struct deadline *first = deadlines->n > 0 ? deadlines->heap[1] : NULL;

        for (int i = 0; i < DEADLINE_LANES; i++) {
                struct list *link = list_first(&deadlines->lanes[i]);
                if (link != NULL && (first == NULL || deadline_of(link)->at_ms < first->at_ms))
                        first = deadline_of(link);
        }
        return first;
}

/* Returns a lane whose last deadline is at most LANE_GAP_MS earlier, else an empty lane, else NULL.
 */
static struct list *
deadlines_lane(struct deadlines *deadlines, int64_t at_ms)
{
        struct list *empty = NULL;

        for (int i = 0; i < DEADLINE_LANES; i++) {
                struct list *lane = &deadlines->lanes[i];
                if (list_empty(lane)) {
                        empty = lane;
                        continue;
                }
                int64_t last_ms = deadline_of(lane->prev)->at_ms;
                if (at_ms >= last_ms && at_ms - last_ms <= LANE_GAP_MS)
                        return lane;
        }
        return empty;
}

static void
deadline_remove(struct deadlines *deadlines, struct deadline *deadline)
{
        if (deadline->place != 0)
                deadlines_take(deadlines, deadline);
        else if (deadline->link.next != NULL)
                list_remove(&deadline->link);
}

static void
deadline_insert(struct deadlines *deadlines, struct deadline *deadline)
{
        struct list *lane = deadlines_lane(deadlines, deadline->at_ms);

        if (lane != NULL) {
                list_push_back(lane, &deadline->link);
        } else {
                assert(deadlines->n + 1 < deadlines->capacity);
                deadlines_up(deadlines, ++deadlines->n, deadline);
        }
}

/* Puts a deadline behind an earlier one in a lane; false if there is no such lane. The timer needs
 * no change then, because it is set for the earlier one or before. */
static bool
deadline_follows(struct deadlines *deadlines, struct deadline *deadline, int64_t at_ms)
{
        struct list *lane = deadlines_lane(deadlines, at_ms);

        if (lane == NULL || list_empty(lane))
                return false;
        deadline->at_ms = at_ms;
        list_push_back(lane, &deadline->link);
        return true;
}

static int
deadlines_start(struct deadlines *deadlines, int64_t delay_ms)
{
        int r = pipit__timer_set(deadlines->timer, delay_ms);

        deadlines->armed_ms = r == 0 ? pipit__reactor_now(deadlines->reactor) + delay_ms : -1;
        return r;
}

static void
deadlines_stop(struct deadlines *deadlines)
{
        pipit__timer_stop(deadlines->timer);
        deadlines->armed_ms = -1;
}

/* Sets the timer after the earliest deadline has changed. A timer that fires early enough stays as
 * it is, even if no deadline has passed then. */
static void
deadlines_arm(struct deadlines *deadlines)
{
        const struct deadline *first = deadlines_first(deadlines);
        int64_t delay = FAR_MS;

        if (first == NULL && !deadlines->held) {
                deadlines_stop(deadlines);
                return;
        }
        if (deadlines->armed_ms >= 0 && (first == NULL || deadlines->armed_ms <= first->at_ms))
                return;
        if (first != NULL)
                delay = first->at_ms - pipit__reactor_now(deadlines->reactor);
        /* The loop's clock is coarse: a millisecond more, and the deadline has passed when the
         * timer fires. A deadline that has passed already must not wait for the next tick. */
        if (delay > 0)
                delay++;
        deadlines_start(deadlines, delay < FAR_MS ? delay : FAR_MS);
}

static void
deadlines_on_timer(void *arg)
{
        struct deadlines *deadlines = arg;
        int64_t now = pipit__reactor_now(deadlines->reactor);
        struct deadline *first;

        deadlines->armed_ms = -1;
        /* The timer starts again before a deadline is called: somebody else's timer, made in that
         * call, could take its place. */
        if (deadlines->held)
                deadlines_start(deadlines, FAR_MS);
        while ((first = deadlines_first(deadlines)) != NULL && first->at_ms <= now) {
                deadline_remove(deadlines, first);
                deadlines->fn(first, deadlines->arg);
        }
        deadlines_arm(deadlines);
}

int
pipit__deadlines_init(struct deadlines *deadlines, struct reactor *reactor, pipit__deadline_fn fn,
                      void *arg)
{
        *deadlines = (struct deadlines){.reactor = reactor, .armed_ms = -1, .fn = fn, .arg = arg};
        for (int i = 0; i < DEADLINE_LANES; i++)
                list_init(&deadlines->lanes[i]);
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
        struct deadline **heap = reallocarray(deadlines->heap, capacity, sizeof *heap);
        if (heap == NULL)
                return PIPIT_ENOMEM;
        deadlines->heap = heap;
        deadlines->capacity = capacity;
        return 0;
}

int
pipit__deadlines_hold(struct deadlines *deadlines)
{
        if (!deadlines->held && deadlines_first(deadlines) == NULL &&
            deadlines_start(deadlines, FAR_MS) != 0)
                return PIPIT_ENOMEM;
        deadlines->held = true;
        return 0;
}

void
pipit__deadlines_release(struct deadlines *deadlines)
{
        deadlines->held = false;
        if (deadlines_first(deadlines) == NULL)
                deadlines_stop(deadlines);
}

void
pipit__deadline_set(struct deadlines *deadlines, struct deadline *deadline, int64_t at_ms)
{
        const struct deadline *first = NULL;
        int64_t earliest_ms;

        deadline_remove(deadlines, deadline);
        /* A timer that is held may fire for nothing: it stays as it is. */
        if (at_ms == DEADLINE_NEVER && deadlines->held)
                return;
        if (at_ms != DEADLINE_NEVER && deadline_follows(deadlines, deadline, at_ms))
                return;
        first = deadlines_first(deadlines);
        earliest_ms = first != NULL ? first->at_ms : DEADLINE_NEVER;
        if (at_ms != DEADLINE_NEVER) {
                deadline->at_ms = at_ms;
                deadline_insert(deadlines, deadline);
        }
        if (at_ms < earliest_ms || first == NULL)
                deadlines_arm(deadlines);
}
