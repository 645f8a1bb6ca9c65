/*
 * The reactor without memory.
 */
#include <event2/event.h>
#include <stdlib.h>

#include "loop/reactor.h"
#include "oom.h"
#include "runner.h"

static struct event_base *base;
static struct reactor *reactor;

static void
on_turn(void *arg)
{
        (void)arg;
}

static void
setup(void)
{
        base = event_base_new();
        reactor = pipit__reactor_new(base, 0, on_turn, NULL);
        ck_assert_ptr_nonnull(reactor);
        event_base_loop(base, EVLOOP_NONBLOCK); /* what a reactor does first is over */
}

static void
teardown(void)
{
        pipit__reactor_free(reactor);
        event_base_free(base);
}

/* libevent's memory is the test's, too: here malloc() is oom.c's. */
static void
setup_libevent(void)
{
        event_set_mem_functions(malloc, realloc, free);
        setup();
}

static void
teardown_libevent(void)
{
        teardown();
        event_set_mem_functions(NULL, NULL, NULL);
}

static void
on_ready(unsigned ready, void *arg)
{
        (void)ready;
        (void)arg;
}

static void
on_timer(void *arg)
{
        int *n = arg;

        ck_assert_int_eq(pipit__reactor_is_entered(reactor), true);
        ++*n;
}

static bool
make_all(void)
{
        struct reactor *one = pipit__reactor_new(base, 0, on_turn, NULL);
        struct watch *watch = one != NULL ? pipit__watch_new(one, 0, on_ready, NULL) : NULL;
        struct timer *timer = one != NULL ? pipit__timer_new(one, on_timer, NULL) : NULL;
        bool made = one != NULL && watch != NULL && timer != NULL;

        pipit__timer_free(timer);
        pipit__watch_free(watch);
        pipit__reactor_free(one);
        return made;
}

/* How many allocations there are: each in turn fails, and then nothing is made. */
static int
count_allocations(bool (*make)(void))
{
        for (int n = 0;; n++) {
                oom_after(n);
                bool made = make();
                bool failed = oom_stop();
                ck_assert_int_eq(made, !failed);
                if (!failed)
                        return n;
        }
}

START_TEST(without_memory_nothing_is_half_made)
{
        ck_assert_int_eq(count_allocations(make_all), 3);
}
END_TEST

START_TEST(without_memory_in_libevent_nothing_is_half_made)
{
        ck_assert_int_eq(count_allocations(make_all), 3 + 5); /* and five events */
}
END_TEST

START_TEST(without_memory_for_a_private_base_there_is_no_reactor)
{
        oom_after(1); /* the reactor itself is the first */
        struct reactor *own = pipit__reactor_new(NULL, 0, on_turn, NULL);
        ck_assert_int_eq(oom_stop(), true);
        ck_assert_ptr_null(own);
}
END_TEST

START_TEST(a_timer_with_memory_waits_for_its_time)
{
        int n = 0;
        struct timer *timer = pipit__timer_new(reactor, on_timer, &n);

        pipit__timer_set_or_now(timer, 1000000);
        event_base_loop(base, EVLOOP_NONBLOCK);
        ck_assert_int_eq(n, 0);
        ck_assert_int_eq(event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED), 1);
        pipit__timer_set_or_now(timer, 1);
        event_base_dispatch(base);
        ck_assert_int_eq(n, 1);
        pipit__timer_free(timer);
}
END_TEST

/* Two handlers of one turn, the first of which sets a timer for which there is no memory. */
struct poor {
        struct timer *timer;
        int n_handled;
        int handled_at_timer; /* -1: the timer has not run */
};

static void
on_poor_timer(void *arg)
{
        struct poor *poor = arg;

        ck_assert_int_eq(poor->handled_at_timer, -1);
        poor->handled_at_timer = poor->n_handled;
}

static void
on_poor_event(evutil_socket_t fd, short what, void *arg)
{
        struct poor *poor = arg;

        (void)fd;
        (void)what;
        if (poor->n_handled++ > 0)
                return;
        oom_after(0);
        pipit__timer_set_or_now(poor->timer, 1000000);
        ck_assert_int_eq(oom_stop(), true);
        ck_assert_int_eq(poor->handled_at_timer, -1);
}

START_TEST(a_timer_without_memory_runs_at_once_behind_the_turns_events)
{
        struct event *events[2];
        struct poor poor = {.handled_at_timer = -1};

        poor.timer = pipit__timer_new(reactor, on_poor_timer, &poor);
        for (int i = 0; i < 2; i++) {
                events[i] = event_new(base, -1, 0, on_poor_event, &poor);
                event_active(events[i], EV_TIMEOUT, 0);
        }
        event_base_dispatch(base);
        ck_assert_int_eq(poor.handled_at_timer, 2);
        for (int i = 0; i < 2; i++)
                event_free(events[i]);
        pipit__timer_free(poor.timer);
}
END_TEST

START_TEST(a_timer_without_memory_can_be_stopped)
{
        int n = 0;
        struct timer *timer = pipit__timer_new(reactor, on_timer, &n);

        oom_after(0);
        pipit__timer_set_or_now(timer, 1000000);
        ck_assert_int_eq(oom_stop(), true);
        pipit__timer_stop(timer);
        event_base_dispatch(base);
        ck_assert_int_eq(n, 0);
        oom_after(0);
        ck_assert_int_ne(pipit__timer_set(timer, 1000000), 0);
        ck_assert_int_eq(oom_stop(), true);
        pipit__timer_free(timer);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("reactor_memory");
        TCase *own = tcase_create("own");
        TCase *libevent = tcase_create("libevent");

        tcase_add_checked_fixture(own, setup, teardown);
        tcase_add_test(own, without_memory_nothing_is_half_made);
        suite_add_tcase(suite, own);
        tcase_add_checked_fixture(libevent, setup_libevent, teardown_libevent);
        tcase_add_test(libevent, without_memory_in_libevent_nothing_is_half_made);
        tcase_add_test(libevent, without_memory_for_a_private_base_there_is_no_reactor);
        tcase_add_test(libevent, a_timer_with_memory_waits_for_its_time);
        tcase_add_test(libevent, a_timer_without_memory_runs_at_once_behind_the_turns_events);
        tcase_add_test(libevent, a_timer_without_memory_can_be_stopped);
        suite_add_tcase(suite, libevent);
        return suite;
}
