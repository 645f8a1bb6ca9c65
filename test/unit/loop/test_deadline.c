#include <event2/event.h>
#include <pipit/error.h>
#include <stdlib.h>
#include <string.h>

#include "loop/deadline.h"
#include "loop/reactor.h"
#include "oom.h"
#include "runner.h"

#define ITEMS   64
#define FAR_MS  ((int64_t)1000000)
#define SPREAD  1000
#define AT_ONCE 8

/* How long a test waits for what never comes. */
#define PATIENCE_MS 2000

static struct event_base *base;
static struct reactor *reactor;
static struct deadlines deadlines;
static struct deadline items[ITEMS];
static int64_t fired_ms[ITEMS];
static int n_fired;

static void
on_turn(void *arg)
{
        (void)arg;
}

static void
on_deadline(struct deadline *deadline, void *arg)
{
        ck_assert_ptr_eq(arg, items);
        ck_assert_uint_eq(deadline->place, 0);
        ck_assert_int_ge(pipit__reactor_now(reactor), deadline->at_ms);
        fired_ms[n_fired++] = deadline->at_ms;
}

static void
start(pipit__deadline_fn fn)
{
        memset(items, 0, sizeof items);
        n_fired = 0;
        base = event_base_new();
        reactor = pipit__reactor_new(base, 0, on_turn, NULL);
        ck_assert_int_eq(pipit__deadlines_init(&deadlines, reactor, fn, items), 0);
        ck_assert_int_eq(pipit__deadlines_reserve(&deadlines, ITEMS), 0);
}

static void
stop(void)
{
        pipit__deadlines_fini(&deadlines);
        pipit__reactor_free(reactor);
        event_base_free(base);
}

static void
setup(void)
{
        start(on_deadline);
}

static int
n_timers(void)
{
        return event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED);
}

/* Turns the loop until so many were called; what is to be called is a few milliseconds away. */
static void
turn_until_fired(int n)
{
        int64_t until = pipit__reactor_now(reactor) + PATIENCE_MS;

        while (n_fired < n && pipit__reactor_now(reactor) < until)
                event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
        ck_assert_int_ge(n_fired, n);
}

/* The oracle is a plain array: what is set, at what time. */
static int64_t
earliest_of(const int64_t *oracle, size_t *ret_n)
{
        int64_t earliest = DEADLINE_NEVER;

        *ret_n = 0;
        for (int i = 0; i < ITEMS; i++) {
                *ret_n += oracle[i] != DEADLINE_NEVER;
                if (oracle[i] < earliest)
                        earliest = oracle[i];
        }
        return earliest;
}

static bool
is_set(const struct deadline *item)
{
        return item->place != 0 || (item->link.next != NULL && list_linked(&item->link));
}

static struct deadline *
item_of(struct list *link)
{
        return container_of(link, struct deadline, link);
}

/* The earliest of all that is set, and how many there are; NULL also when a lane is out of order.
 */
static struct deadline *
first_set(size_t *ret_n)
{
        struct deadline *first = deadlines.n > 0 ? deadlines.heap[1] : NULL;

        *ret_n = deadlines.n;
        for (int i = 0; i < DEADLINE_LANES; i++) {
                struct list *lane = &deadlines.lanes[i];
                LIST_EACH(link, lane) {
                        struct deadline *item = item_of(link);
                        ++*ret_n;
                        if (first == NULL || item->at_ms < first->at_ms)
                                first = item;
                        if (link->prev != lane && item_of(link->prev)->at_ms > item->at_ms)
                                return NULL;
                }
        }
        return first;
}

/* One assertion for all: Check is slow at counting them. */
static bool
agrees(const int64_t *oracle)
{
        size_t n;
        int64_t earliest = earliest_of(oracle, &n);
        size_t n_found;
        struct deadline *first = first_set(&n_found);
        bool right = n_found == n && (n == 0 || (first != NULL && first->at_ms == earliest));

        for (int i = 0; i < ITEMS && right; i++) {
                right = is_set(&items[i]) == (oracle[i] != DEADLINE_NEVER);
                if (right && is_set(&items[i]))
                        right = items[i].at_ms == oracle[i];
                if (right && items[i].place != 0)
                        right = deadlines.heap[items[i].place] == &items[i];
        }
        return right;
}

START_TEST(they_agree_with_a_plain_array)
{
        int64_t oracle[ITEMS];
        int64_t now = pipit__reactor_now(reactor);
        unsigned seed = (unsigned)_i + 1;

        for (int i = 0; i < ITEMS; i++)
                oracle[i] = DEADLINE_NEVER;
        for (int step = 0; step < 2000; step++) {
                int i = rand_r(&seed) % ITEMS;
                bool take_out = rand_r(&seed) % 3 == 0;
                oracle[i] = take_out ? DEADLINE_NEVER : now + FAR_MS + rand_r(&seed) % SPREAD;
                pipit__deadline_set(&deadlines, &items[i], oracle[i]);
                if (!agrees(oracle))
                        ck_abort_msg("they differ after step %d", step);
        }
        ck_assert_int_eq(n_fired, 0);
}
END_TEST

START_TEST(deadlines_come_off_in_their_order)
{
        int64_t now = pipit__reactor_now(reactor);
        int64_t last = 0;
        unsigned seed = 7;
        size_t n;

        for (int i = 0; i < ITEMS; i++)
                pipit__deadline_set(&deadlines, &items[i], now + FAR_MS + rand_r(&seed) % SPREAD);
        for (struct deadline *first = first_set(&n); n > 0; first = first_set(&n)) {
                ck_assert_ptr_nonnull(first);
                ck_assert_int_ge(first->at_ms, last);
                last = first->at_ms;
                pipit__deadline_set(&deadlines, first, DEADLINE_NEVER);
        }
        ck_assert_int_gt(last, now);
}
END_TEST

START_TEST(what_has_passed_is_called_once_in_its_order_and_not_early)
{
        int64_t now = pipit__reactor_now(reactor);

        for (int i = 0; i < ITEMS; i++)
                pipit__deadline_set(&deadlines, &items[i], now + i * 37 % 23);
        turn_until_fired(ITEMS);
        ck_assert_int_eq(n_timers(), 0);
        ck_assert_int_eq(n_fired, ITEMS);
        for (int i = 1; i < ITEMS; i++)
                ck_assert_int_ge(fired_ms[i], fired_ms[i - 1]);
}
END_TEST

START_TEST(an_empty_heap_has_no_timer)
{
        int64_t now = pipit__reactor_now(reactor);

        event_base_loop(base, EVLOOP_NONBLOCK); /* what a reactor does first is over */
        pipit__deadline_set(&deadlines, &items[0], now + FAR_MS);
        ck_assert_int_eq(n_timers(), 1);
        pipit__deadline_set(&deadlines, &items[0], DEADLINE_NEVER);
        ck_assert_int_eq(n_timers(), 0);
        pipit__deadline_set(&deadlines, &items[0], DEADLINE_NEVER);
        ck_assert_int_eq(n_timers(), 0);
}
END_TEST

START_TEST(an_earlier_deadline_moves_the_timer)
{
        int64_t now = pipit__reactor_now(reactor);

        pipit__deadline_set(&deadlines, &items[0], now + FAR_MS);
        pipit__deadline_set(&deadlines, &items[1], now + 5);
        turn_until_fired(1);
        ck_assert_int_eq(fired_ms[0], now + 5);
        ck_assert(is_set(&items[0]) && !is_set(&items[1]));
}
END_TEST

START_TEST(a_deadline_that_moves_back_is_not_called_at_its_old_time)
{
        int64_t now = pipit__reactor_now(reactor);

        pipit__deadline_set(&deadlines, &items[0], now + 2);
        pipit__deadline_set(&deadlines, &items[0], now + FAR_MS);
        pipit__deadline_set(&deadlines, &items[1], now + 8);
        turn_until_fired(1);
        ck_assert_int_eq(n_fired, 1);
        ck_assert_int_eq(fired_ms[0], now + 8);
}
END_TEST

START_TEST(a_time_that_has_passed_already_is_called_from_the_loop)
{
        pipit__deadline_set(&deadlines, &items[0], pipit__reactor_now(reactor) - 1000);
        ck_assert_int_eq(n_fired, 0);
        turn_until_fired(1);
        ck_assert_int_eq(n_timers(), 0);
        ck_assert_int_eq(n_fired, 1);
}
END_TEST

/* Takes its sibling out, and sets a third one. */
static void
on_deadline_meddle(struct deadline *deadline, void *arg)
{
        n_fired++;
        if (deadline != &items[0])
                return;
        ck_assert_ptr_eq(arg, items);
        pipit__deadline_set(&deadlines, &items[1], DEADLINE_NEVER);
        pipit__deadline_set(&deadlines, &items[2], deadline->at_ms);
}

START_TEST(a_call_may_take_others_out_and_put_others_in)
{
        start(on_deadline_meddle);
        int64_t now = pipit__reactor_now(reactor);
        pipit__deadline_set(&deadlines, &items[0], now);
        pipit__deadline_set(&deadlines, &items[1], now + 1);
        event_base_dispatch(base);
        ck_assert_int_eq(n_fired, 2); /* items 0 and 2 */
        ck_assert(!is_set(&items[0]) && !is_set(&items[1]) && !is_set(&items[2]));
        stop();
}
END_TEST

START_TEST(without_memory_for_more_the_deadlines_stay)
{
        int64_t now = pipit__reactor_now(reactor);

        pipit__deadline_set(&deadlines, &items[0], now + FAR_MS);
        oom_after(0);
        ck_assert_int_eq(pipit__deadlines_reserve(&deadlines, 10000), PIPIT_ENOMEM);
        ck_assert(oom_stop());
        ck_assert(is_set(&items[0]));
        ck_assert_int_eq(pipit__deadlines_reserve(&deadlines, 10000), 0);
        size_t n;
        ck_assert_ptr_eq(first_set(&n), &items[0]);
}
END_TEST

/* libevent's memory is the test's: here malloc() is oom.c's. A base has room for eight timers. */
#define ROOM 8

static struct event *others[ROOM];

static void
on_other(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        (void)arg;
}

/* Whether a timer of the program's own got in. */
static bool
other_add(struct event *other)
{
        static const struct timeval far = {FAR_MS / 1000, 0};

        return event_add(other, &far) == 0;
}

/* With the one of the deadlines, no room is left. */
static void
others_fill(void)
{
        for (int i = 0; i < ROOM - 1; i++)
                ck_assert_int_eq(other_add(others[i]), true);
}

static void
setup_memory(void)
{
        event_set_mem_functions(malloc, realloc, free);
        setup();
        event_base_loop(base, EVLOOP_NONBLOCK); /* what a reactor does first is over */
        for (int i = 0; i < ROOM; i++) {
                others[i] = event_new(base, -1, 0, on_other, NULL);
                ck_assert_ptr_nonnull(others[i]);
        }
}

static void
teardown_memory(void)
{
        for (int i = 0; i < ROOM; i++)
                event_free(others[i]);
        stop();
        event_set_mem_functions(NULL, NULL, NULL);
}

/* Check's own memory is oom.c's, too: nothing is asserted until oom_stop(). */
START_TEST(a_hold_without_memory_fails_and_holds_nothing)
{
        oom_after(0);
        int r = pipit__deadlines_hold(&deadlines);
        ck_assert_int_eq(oom_stop(), true);
        ck_assert_int_eq(r, PIPIT_ENOMEM);
        ck_assert_int_eq(deadlines.held, false);
        ck_assert_int_eq(n_timers(), 0);
        ck_assert_int_eq(pipit__deadlines_hold(&deadlines), 0);
        ck_assert_int_eq(n_timers(), 1);
}
END_TEST

START_TEST(a_hold_lasts_until_it_is_released_and_counts_once)
{
        ck_assert_int_eq(pipit__deadlines_hold(&deadlines), 0);
        ck_assert_int_eq(pipit__deadlines_hold(&deadlines), 0);
        pipit__deadline_set(&deadlines, &items[0], pipit__reactor_now(reactor) + FAR_MS);
        pipit__deadline_set(&deadlines, &items[0], DEADLINE_NEVER);
        ck_assert_int_eq(n_timers(), 1);
        pipit__deadlines_release(&deadlines);
        ck_assert_int_eq(n_timers(), 0);
}
END_TEST

START_TEST(a_release_leaves_the_deadlines_their_timer)
{
        ck_assert_int_eq(pipit__deadlines_hold(&deadlines), 0);
        pipit__deadline_set(&deadlines, &items[0], pipit__reactor_now(reactor) + 2);
        pipit__deadlines_release(&deadlines);
        ck_assert_int_eq(n_timers(), 1);
        turn_until_fired(1);
        ck_assert_int_eq(n_timers(), 0);
}
END_TEST

START_TEST(a_hold_beside_a_deadline_takes_no_memory)
{
        pipit__deadline_set(&deadlines, &items[0], pipit__reactor_now(reactor) + FAR_MS);
        others_fill();
        oom_after(0);
        int r = pipit__deadlines_hold(&deadlines);
        pipit__deadline_set(&deadlines, &items[0], DEADLINE_NEVER);
        ck_assert_int_eq(oom_stop(), false);
        ck_assert_int_eq(r, 0);
        ck_assert_int_eq(n_timers(), ROOM);
}
END_TEST

START_TEST(a_deadline_in_a_held_place_takes_no_memory)
{
        ck_assert_int_eq(pipit__deadlines_hold(&deadlines), 0);
        others_fill();
        oom_after(0);
        pipit__deadline_set(&deadlines, &items[0], pipit__reactor_now(reactor) + 2);
        ck_assert_int_eq(oom_stop(), false);
        turn_until_fired(1);
        ck_assert_int_eq(n_timers(), ROOM);
}
END_TEST

/* What a call sees: whether the program's timer got in, and whether a deadline took memory. */
static bool let_in;
static bool took_memory;

static void
on_deadline_crowd(struct deadline *deadline, void *arg)
{
        (void)arg;
        n_fired++;
        if (deadline != &items[0])
                return;
        oom_after(0);
        let_in = other_add(others[ROOM - 1]);
        oom_after(0);
        pipit__deadline_set(&deadlines, &items[1], pipit__reactor_now(reactor) + 2);
        took_memory = oom_stop();
}

START_TEST(nobody_takes_a_held_place_while_deadlines_are_called)
{
        let_in = took_memory = true;
        deadlines.fn = on_deadline_crowd;
        ck_assert_int_eq(pipit__deadlines_hold(&deadlines), 0);
        others_fill();
        pipit__deadline_set(&deadlines, &items[0], pipit__reactor_now(reactor));
        turn_until_fired(2);
        ck_assert_int_eq(let_in, false);
        ck_assert_int_eq(took_memory, false);
        ck_assert_int_eq(n_timers(), ROOM);
}
END_TEST

static TCase *
memory(void)
{
        TCase *tcase = tcase_create("memory");

        tcase_add_checked_fixture(tcase, setup_memory, teardown_memory);
        tcase_add_test(tcase, a_hold_without_memory_fails_and_holds_nothing);
        tcase_add_test(tcase, a_hold_lasts_until_it_is_released_and_counts_once);
        tcase_add_test(tcase, a_release_leaves_the_deadlines_their_timer);
        tcase_add_test(tcase, a_hold_beside_a_deadline_takes_no_memory);
        tcase_add_test(tcase, a_deadline_in_a_held_place_takes_no_memory);
        tcase_add_test(tcase, nobody_takes_a_held_place_while_deadlines_are_called);
        return tcase;
}

static const struct {
        int64_t now;
        int64_t timeout_ms;
        int64_t at_ms;
} sums[] = {
        {0, 0, 0},
        {5, 7, 12},
        {5, -1, DEADLINE_NEVER},
        {5, INT64_MIN, DEADLINE_NEVER},
        {5, INT64_MAX, DEADLINE_NEVER},
        {5, INT64_MAX - 5, INT64_MAX},
        {5, INT64_MAX - 6, INT64_MAX - 1},
        {INT64_MAX, 1, DEADLINE_NEVER},
        {INT64_MAX, INT64_MAX, DEADLINE_NEVER},
        {-5, INT64_MAX, INT64_MAX - 5}, /* a duration may be over */
        {-5, 7, 2},
};

START_TEST(no_sum_of_a_time_and_a_duration_wraps)
{
        ck_assert_int_eq(pipit__deadline_after(sums[_i].now, sums[_i].timeout_ms), sums[_i].at_ms);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("deadline");
        TCase *tcase = tcase_create("heap");

        tcase_add_checked_fixture(tcase, setup, stop);
        tcase_add_loop_test(tcase, they_agree_with_a_plain_array, 0, AT_ONCE);
        tcase_add_loop_test(tcase, no_sum_of_a_time_and_a_duration_wraps, 0,
                            (int)(sizeof sums / sizeof sums[0]));
        tcase_add_test(tcase, deadlines_come_off_in_their_order);
        tcase_add_test(tcase, what_has_passed_is_called_once_in_its_order_and_not_early);
        tcase_add_test(tcase, an_empty_heap_has_no_timer);
        tcase_add_test(tcase, an_earlier_deadline_moves_the_timer);
        tcase_add_test(tcase, a_deadline_that_moves_back_is_not_called_at_its_old_time);
        tcase_add_test(tcase, a_time_that_has_passed_already_is_called_from_the_loop);
        tcase_add_test(tcase, without_memory_for_more_the_deadlines_stay);
        suite_add_tcase(suite, tcase);
        tcase = tcase_create("calls");
        tcase_add_test(tcase, a_call_may_take_others_out_and_put_others_in);
        suite_add_tcase(suite, tcase);
        suite_add_tcase(suite, memory());
        return suite;
}
