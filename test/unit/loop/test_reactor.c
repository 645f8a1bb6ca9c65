#include <event2/event.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "bases.h"
#include "loop/reactor.h"
#include "runner.h"

#define HANDLERS 20

static struct event_base *base;
static struct reactor *reactor;
static int n_turns;
static int n_ready;
static int ready_at_turn;            /* how many handlers had run when the turn ended */
static int turns_left;               /* the turn asks for so many more */
static pipit__reactor_fn first_turn; /* what the first turn does besides */

static void
on_turn(void *arg)
{
        ck_assert_ptr_eq(arg, &base);
        n_turns++;
        ready_at_turn = n_ready;
        if (n_turns == 1 && first_turn != NULL)
                first_turn(NULL);
        if (turns_left-- > 0)
                pipit__reactor_schedule(reactor);
}

static void
setup_on(int kind)
{
        n_turns = n_ready = ready_at_turn = turns_left = 0;
        first_turn = NULL;
        base = base_new(kind);
        reactor = pipit__reactor_new(base, 0, on_turn, &base);
        ck_assert_ptr_nonnull(reactor);
}

static void
setup(void)
{
        setup_on(0);
}

static void
teardown(void)
{
        pipit__reactor_free(reactor);
        event_base_free(base);
}

/* Goes on with another kind of base. */
static void
change_base(int kind)
{
        teardown();
        setup_on(kind);
}

/* A pipe with one byte in it, watched. */
struct spring {
        int fds[2];
        struct watch *watch;
        unsigned ready;
};

static void
on_ready(unsigned ready, void *arg)
{
        struct spring *spring = arg;

        n_ready++;
        spring->ready = ready;
        ck_assert(pipit__reactor_is_entered(reactor));
        ck_assert_int_eq(pipit__watch_want(spring->watch, 0), 0);
        pipit__reactor_schedule(reactor);
}

static void
spring_open(struct spring *spring)
{
        ck_assert_int_eq(pipe(spring->fds), 0);
        ck_assert_int_eq(write(spring->fds[1], "x", 1), 1);
        spring->watch = pipit__watch_new(reactor, spring->fds[0], on_ready, spring);
        ck_assert_ptr_nonnull(spring->watch);
        ck_assert_int_eq(pipit__watch_want(spring->watch, WATCH_READ), 0);
}

static void
spring_close(struct spring *spring)
{
        pipit__watch_free(spring->watch);
        close(spring->fds[0]);
        close(spring->fds[1]);
}

static void
on_timer(void *arg)
{
        int *n = arg;

        ck_assert(pipit__reactor_is_entered(reactor));
        ++*n;
}

START_TEST(a_turn_that_was_asked_for_ends_once)
{
        pipit__reactor_schedule(reactor);
        pipit__reactor_schedule(reactor);
        ck_assert_int_eq(n_turns, 0);
        event_base_dispatch(base);
        ck_assert_int_eq(n_turns, 1);
}
END_TEST

START_TEST(a_turn_that_nobody_asked_for_does_not_end)
{
        event_base_dispatch(base);
        ck_assert_int_eq(n_turns, 0);
}
END_TEST

START_TEST(twenty_handlers_of_a_turn_have_one_end)
{
        struct spring springs[HANDLERS];

        for (int i = 0; i < HANDLERS; i++)
                spring_open(&springs[i]);
        event_base_dispatch(base);
        ck_assert_int_eq(n_ready, HANDLERS);
        ck_assert_int_eq(n_turns, 1);
        ck_assert_int_eq(ready_at_turn, HANDLERS);
        for (int i = 0; i < HANDLERS; i++)
                spring_close(&springs[i]);
}
END_TEST

static void
on_user_event(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        (void)arg;
        n_ready++;
        pipit__reactor_schedule(reactor);
}

START_TEST(twenty_handlers_of_the_user_have_one_end)
{
        struct event *events[HANDLERS];

        for (int i = 0; i < HANDLERS; i++) {
                events[i] = event_new(base, -1, 0, on_user_event, NULL);
                event_active(events[i], EV_TIMEOUT, 0);
        }
        event_base_dispatch(base);
        ck_assert_int_eq(n_turns, 1);
        ck_assert_int_eq(ready_at_turn, HANDLERS);
        for (int i = 0; i < HANDLERS; i++)
                event_free(events[i]);
}
END_TEST

START_TEST(a_less_urgent_end_of_turn_waits_for_urgent_handlers)
{
        teardown();
        base = event_base_new();
        ck_assert_int_eq(event_base_priority_init(base, 3), 0);
        reactor = pipit__reactor_new(base, 3, on_turn, &base);
        pipit__reactor_schedule(reactor);
        struct event *urgent = event_new(base, -1, 0, on_user_event, NULL);
        event_priority_set(urgent, 0);
        event_active(urgent, EV_TIMEOUT, 0);
        event_base_dispatch(base);
        ck_assert_int_eq(n_turns, 1);
        ck_assert_int_eq(ready_at_turn, 1);
        event_free(urgent);
}
END_TEST

static struct spring busy_spring;
static struct timer *busy_timer;
static int n_busy_timers;

/* A pipe becomes readable and a timer runs out while the turns go on. */
static void
make_work(void *arg)
{
        (void)arg;
        spring_open(&busy_spring);
        busy_timer = pipit__timer_new(reactor, on_timer, &n_busy_timers);
        ck_assert_int_eq(pipit__timer_set(busy_timer, 0), 0);
}

START_TEST(turns_that_ask_for_turns_starve_neither_pipes_nor_timers)
{
        n_busy_timers = 0;
        turns_left = 100000;
        first_turn = make_work;
        pipit__reactor_schedule(reactor);
        while (n_ready == 0 || n_busy_timers == 0)
                event_base_loop(base, EVLOOP_ONCE);
        ck_assert_int_le(n_turns, 10);
        turns_left = 0;
        event_base_dispatch(base);
        spring_close(&busy_spring);
        pipit__timer_free(busy_timer);
}
END_TEST

START_TEST(a_watcher_tells_for_what_its_descriptor_is_ready)
{
        struct spring spring;

        spring_open(&spring);
        ck_assert_int_eq(pipit__watch_want(spring.watch, 0), 0);
        pipit__watch_free(spring.watch);
        spring.watch = pipit__watch_new(reactor, spring.fds[1], on_ready, &spring);
        ck_assert_int_eq(pipit__watch_want(spring.watch, WATCH_WRITE), 0);
        event_base_dispatch(base);
        ck_assert_uint_eq(spring.ready, WATCH_WRITE);
        spring_close(&spring);
}
END_TEST

START_TEST(a_watcher_that_wants_nothing_keeps_no_loop_alive)
{
        struct spring spring;

        spring_open(&spring);
        ck_assert_int_eq(pipit__watch_want(spring.watch, 0), 0);
        event_base_dispatch(base);
        ck_assert_int_eq(n_ready, 0);
        spring_close(&spring);
}
END_TEST

START_TEST(a_timer_that_is_stopped_does_not_run)
{
        int n = 0;
        struct timer *timer = pipit__timer_new(reactor, on_timer, &n);

        ck_assert_int_eq(pipit__timer_set(timer, -5), 0); /* negative is at once */
        pipit__timer_stop(timer);
        event_base_dispatch(base);
        ck_assert_int_eq(n, 0);
        ck_assert_int_eq(pipit__timer_set(timer, -5), 0);
        event_base_dispatch(base);
        ck_assert_int_eq(n, 1);
        pipit__timer_free(timer);
}
END_TEST

/* Something that is freed later. */
struct litter {
        struct deferred deferred;
        int *n_freed;
};

static void
litter_free(struct deferred *deferred)
{
        struct litter *litter = container_of(deferred, struct litter, deferred);

        ++*litter->n_freed;
        free(litter);
}

static void
litter_drop(int *n_freed)
{
        struct litter *litter = calloc(1, sizeof *litter);

        litter->deferred.free = litter_free;
        litter->n_freed = n_freed;
        pipit__reactor_defer(reactor, &litter->deferred);
}

START_TEST(what_is_deferred_is_freed_behind_the_outermost_call)
{
        int n_freed = 0;

        pipit__reactor_enter(reactor);
        pipit__reactor_enter(reactor);
        litter_drop(&n_freed);
        litter_drop(&n_freed);
        pipit__reactor_leave(reactor);
        ck_assert_int_eq(n_freed, 0);
        ck_assert(pipit__reactor_is_entered(reactor));
        pipit__reactor_leave(reactor);
        ck_assert_int_eq(n_freed, 2);
        ck_assert(!pipit__reactor_is_entered(reactor));
}
END_TEST

static void
litter_free_and_drop(struct deferred *deferred)
{
        struct litter *litter = container_of(deferred, struct litter, deferred);

        litter_drop(litter->n_freed);
        litter_free(deferred);
}

START_TEST(what_is_deferred_by_a_free_is_freed_too)
{
        int n_freed = 0;

        pipit__reactor_enter(reactor);
        litter_drop(&n_freed);
        struct litter *litter = calloc(1, sizeof *litter);
        *litter = (struct litter){{.free = litter_free_and_drop}, &n_freed};
        pipit__reactor_defer(reactor, &litter->deferred);
        pipit__reactor_leave(reactor);
        ck_assert_int_eq(n_freed, 3);
}
END_TEST

static void
on_finish(void *arg)
{
        ck_assert_ptr_eq(arg, &base);
        n_ready = 100;
        pipit__reactor_free(reactor);
        reactor = NULL;
}

START_TEST(the_finish_may_free_the_reactor)
{
        int n_freed = 0;

        pipit__reactor_enter(reactor);
        litter_drop(&n_freed);
        pipit__reactor_finish(reactor, on_finish);
        ck_assert_int_eq(n_ready, 0);
        pipit__reactor_leave(reactor);
        ck_assert_int_eq(n_ready, 100);
        ck_assert_int_eq(n_freed, 1);
        event_base_dispatch(base);
}
END_TEST

static void
on_event_look(evutil_socket_t fd, short what, void *arg)
{
        int *started = arg;

        (void)fd;
        (void)what;
        *started = pipit__reactor_started(reactor);
}

START_TEST(the_loop_has_not_started_before_its_first_turn)
{
        change_base(_i);
        ck_assert(!pipit__reactor_started(reactor));
        ck_assert(!pipit__reactor_started(reactor));
}
END_TEST

START_TEST(the_loop_has_started_in_any_handler_of_its_first_turn)
{
        int started = -1;

        change_base(_i);
        struct event *event = event_new(base, -1, 0, on_event_look, &started);
        event_active(event, EV_TIMEOUT, 0);
        event_base_dispatch(base);
        ck_assert_int_eq(started, true);
        event_free(event);
}
END_TEST

START_TEST(the_loop_has_started_in_a_handler_that_made_the_reactor)
{
        int started = -1;

        teardown();
        base = base_new(_i);
        struct event *event = event_new(base, -1, 0, on_event_look, &started);
        event_active(event, EV_TIMEOUT, 0); /* in front of what the reactor does first */
        reactor = pipit__reactor_new(base, 0, on_turn, &base);
        event_base_dispatch(base);
        ck_assert_int_eq(started, true);
        event_free(event);
}
END_TEST

START_TEST(the_loop_has_started_after_it)
{
        change_base(_i);
        event_base_loop(base, EVLOOP_NONBLOCK);
        ck_assert(pipit__reactor_started(reactor));
}
END_TEST

START_TEST(an_idle_reactor_has_no_event)
{
        event_base_loop(base, EVLOOP_NONBLOCK);
        ck_assert_int_eq(event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED), 0);
        ck_assert_int_eq(event_base_get_num_events(base, EVENT_BASE_COUNT_ACTIVE), 0);
}
END_TEST

START_TEST(a_private_base_turns_by_itself)
{
        int n = 0;
        struct reactor *own = pipit__reactor_new(NULL, 0, on_turn, &base);
        ck_assert_ptr_nonnull(own);
        struct timer *timer = pipit__timer_new(own, on_timer, &n);

        pipit__reactor_enter(reactor); /* on_timer looks at it */
        pipit__timer_set(timer, 1);
        while (n == 0)
                pipit__reactor_run_once(own);
        pipit__reactor_leave(reactor);
        ck_assert_ptr_ne(pipit__reactor_base(own), base);
        pipit__timer_free(timer);
        pipit__reactor_free(own);
}
END_TEST

START_TEST(time_does_not_go_back)
{
        int64_t before = pipit__reactor_now(reactor);

        ck_assert_int_ge(pipit__reactor_now(reactor), before);
        ck_assert_int_gt(before, 0);
}
END_TEST

static int64_t
monotonic_ms(void)
{
        struct timespec ts;

        ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
        return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

START_TEST(time_is_not_the_clock_on_the_wall)
{
        int64_t before = monotonic_ms();
        int64_t now = pipit__reactor_now(reactor);

        ck_assert_int_ge(now, before);
        ck_assert_int_le(now, monotonic_ms());
}
END_TEST

static int64_t
ticks_ms(void)
{
        struct timespec ts;

        ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC_COARSE, &ts), 0);
        return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

START_TEST(time_is_counted_from_the_next_tick_of_the_clock_that_libevent_uses)
{
        struct timespec tick;

        ck_assert_int_eq(clock_getres(CLOCK_MONOTONIC_COARSE, &tick), 0);
        int64_t tick_ms = (tick.tv_nsec + 999999) / 1000000;
        for (int i = 0; i < 100000; i++) {
                int64_t before = ticks_ms();
                int64_t start = pipit__reactor_start(reactor);
                ck_assert_int_ge(start, before + tick_ms);
                ck_assert_int_le(start, ticks_ms() + tick_ms);
        }
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("reactor");
        TCase *tcase = tcase_create("reactor");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, a_turn_that_was_asked_for_ends_once);
        tcase_add_test(tcase, a_turn_that_nobody_asked_for_does_not_end);
        tcase_add_test(tcase, twenty_handlers_of_a_turn_have_one_end);
        tcase_add_test(tcase, twenty_handlers_of_the_user_have_one_end);
        tcase_add_test(tcase, a_less_urgent_end_of_turn_waits_for_urgent_handlers);
        tcase_add_test(tcase, turns_that_ask_for_turns_starve_neither_pipes_nor_timers);
        tcase_add_test(tcase, a_watcher_tells_for_what_its_descriptor_is_ready);
        tcase_add_test(tcase, a_watcher_that_wants_nothing_keeps_no_loop_alive);
        tcase_add_test(tcase, a_timer_that_is_stopped_does_not_run);
        tcase_add_test(tcase, what_is_deferred_is_freed_behind_the_outermost_call);
        tcase_add_test(tcase, what_is_deferred_by_a_free_is_freed_too);
        tcase_add_test(tcase, the_finish_may_free_the_reactor);
        tcase_add_loop_test(tcase, the_loop_has_not_started_before_its_first_turn, 0, N_BASES);
        tcase_add_loop_test(tcase, the_loop_has_started_in_any_handler_of_its_first_turn, 0,
                            N_BASES);
        tcase_add_loop_test(tcase, the_loop_has_started_in_a_handler_that_made_the_reactor, 0,
                            N_BASES);
        tcase_add_loop_test(tcase, the_loop_has_started_after_it, 0, N_BASES);
        tcase_add_test(tcase, an_idle_reactor_has_no_event);
        tcase_add_test(tcase, a_private_base_turns_by_itself);
        tcase_add_test(tcase, time_does_not_go_back);
        tcase_add_test(tcase, time_is_not_the_clock_on_the_wall);
        tcase_add_test(tcase, time_is_counted_from_the_next_tick_of_the_clock_that_libevent_uses);
        suite_add_tcase(suite, tcase);
        return suite;
}
