/*
 * The reactor makes events of libevent and calls back between enter and leave. See reactor.h.
 *
 * The end-of-turn event is made active from outside its own callback, so that what one turn of the
 * loop produced travels together. From inside its callback it is armed by a zero timeout instead:
 * an event that makes itself active again starves all I/O and all timers.
 */
#include "loop/reactor.h"

#include <assert.h>
#include <event2/event.h>
#include <event2/util.h>
#include <stdlib.h>
#include <time.h>

#include "base/descriptor.h"
#include "base/stack.h"

/* A base of libevent has so many descriptors at most. */
#define REACTOR_DESCRIPTORS 6

struct reactor {
        struct event_base *base; /* the program's, borrowed; owned if private_base */
        bool private_base;
        bool started;             /* a callback of the loop has run */
        bool scheduled;           /* the end-of-turn event is active or armed */
        bool in_turn;             /* the end-of-turn callback is on the stack */
        int depth;                /* calls of pipit that are on the stack */
        int priority;             /* libevent's priority plus one; 0 is libevent's default */
        int64_t tick_ms;          /* between two changes of the coarse clock */
        struct event *turn;       /* the end-of-turn event */
        struct event *start;      /* runs once, first of all, and says that the loop has started */
        pipit__reactor_fn fn;     /* called at the end of a turn */
        pipit__reactor_fn finish; /* called when the stack has unwound; NULL until it was set */
        void *arg;                /* of fn and finish */
        struct list deferred;     /* of struct deferred.link, oldest first; empty at depth 0 */
};

struct watch {
        struct reactor *reactor;
        struct event *read;
        struct event *write;
        unsigned wanted; /* WATCH_* bits whose event is added */
        pipit__watch_fn fn;
        void *arg;
};

struct timer {
        struct reactor *reactor;
        struct event *event;
        bool runs; /* the event is added, or active */
        pipit__reactor_fn fn;
        void *arg;
};

static const struct timeval no_time;

/* The private bases that this thread turns at the moment, inside of each other. */
static _Thread_local int n_private_loops;

static void
reactor_on_start(evutil_socket_t fd, short what, void *arg)
{
        struct reactor *reactor = arg;

        (void)fd;
        (void)what;
        reactor->started = true;
}

static void
reactor_on_turn(evutil_socket_t fd, short what, void *arg)
{
        struct reactor *reactor = arg;

        (void)fd;
        (void)what;
        reactor->started = true;
        reactor->scheduled = false;
        reactor->in_turn = true;
        pipit__reactor_enter(reactor);
        reactor->fn(reactor->arg);
        reactor->in_turn = false;
        pipit__reactor_leave(reactor);
}

/* Makes an event with the priority that was asked for; NULL if memory ran out. */
static struct event *
reactor_event(struct reactor *reactor, int fd, short what, event_callback_fn fn, void *arg)
{
        struct event *event = event_new(reactor->base, fd, what, fn, arg);

        if (event != NULL && reactor->priority > 0)
                event_priority_set(event, reactor->priority - 1);
        return event;
}

static int
reactor_init(struct reactor *reactor)
{
        if (reactor->base == NULL)
                return -1;
        reactor->turn = reactor_event(reactor, -1, 0, reactor_on_turn, reactor);
        reactor->start = event_new(reactor->base, -1, 0, reactor_on_start, reactor);
        if (reactor->turn == NULL || reactor->start == NULL)
                return -1;
        /* The start event must run before any other handler of the first turn. */
        event_priority_set(reactor->start, 0);
        event_active(reactor->start, EV_TIMEOUT, 0);
        return 0;
}

void
pipit__reactor_forked(struct reactor *reactor)
{
        if (reactor->private_base)
                event_reinit(reactor->base);
}

void
pipit__reactor_run_once(struct reactor *reactor)
{
        n_private_loops++;
        event_base_loop(reactor->base, EVLOOP_ONCE);
        n_private_loops--;
}

void
pipit__reactor_free(struct reactor *reactor)
{
        if (reactor == NULL)
                return;
        assert(list_empty(&reactor->deferred));
        if (reactor->turn != NULL)
                event_free(reactor->turn);
        if (reactor->start != NULL)
                event_free(reactor->start);
        if (reactor->private_base && reactor->base != NULL)
                event_base_free(reactor->base);
        free(reactor);
}

struct reactor *
pipit__reactor_new(struct event_base *base, int priority, pipit__reactor_fn turn, void *arg)
{
        struct reactor *reactor = calloc(1, sizeof *reactor);
        struct timespec tick;

        if (reactor == NULL)
                return NULL;
        list_init(&reactor->deferred);
        reactor->private_base = base == NULL;
        /* libevent ends the program when it has no descriptors for a base. */
        if (base == NULL && pipit__descriptor_problem(REACTOR_DESCRIPTORS) == NULL)
                base = event_base_new();
        reactor->base = base;
        reactor->priority = priority;
        reactor->fn = turn;
        reactor->arg = arg;
        clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
        reactor->tick_ms = (tick.tv_nsec + 999999) / 1000000;
        if (reactor_init(reactor) != 0) {
                pipit__reactor_free(reactor);
                return NULL;
        }
        return reactor;
}

void
pipit__reactor_schedule(struct reactor *reactor)
{
        if (reactor->scheduled)
                return;
        reactor->scheduled = true;
        /* Arming the event cannot fail for want of room. If it should, activating never fails. */
        if (!reactor->in_turn || event_add(reactor->turn, &no_time) != 0)
                event_active(reactor->turn, EV_TIMEOUT, 0);
}

static int64_t
reactor_cached_us(const struct reactor *reactor)
{
        struct timeval tv;

        event_base_gettimeofday_cached(reactor->base, &tv);
        return (int64_t)tv.tv_sec * 1000000 + tv.tv_usec;
}

static int64_t
reactor_clock_ns(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Whether libevent's cached time stands still, which it does only while callbacks run. Two looks
 * that are 5 µs apart tell. */
static bool
reactor_time_stands_still(const struct reactor *reactor)
{
        int64_t before = reactor_cached_us(reactor);
        int64_t until = reactor_clock_ns() + 5000;

        while (reactor_clock_ns() < until)
                continue;
        return reactor_cached_us(reactor) == before;
}

bool
pipit__reactor_started(const struct reactor *reactor)
{
        /* With EVENT_BASE_FLAG_NO_CACHE_TIME the time never stands still. */
        return reactor->started || reactor_time_stands_still(reactor) ||
               pipit__stack_count((uintptr_t)event_base_loop) > n_private_loops;
}

bool
pipit__reactor_has_priority(const struct reactor *reactor)
{
        return reactor->priority <= event_base_get_npriorities(reactor->base);
}

struct event_base *
pipit__reactor_base(const struct reactor *reactor)
{
        return reactor->base;
}

int64_t
pipit__reactor_now(const struct reactor *reactor)
{
        (void)reactor;
        return reactor_clock_ns() / 1000000;
}

int64_t
pipit__reactor_start(const struct reactor *reactor)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
        return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 + reactor->tick_ms;
}

int64_t
pipit__reactor_now_us(const struct reactor *reactor)
{
        (void)reactor;
        return reactor_clock_ns() / 1000;
}

void
pipit__reactor_enter(struct reactor *reactor)
{
        reactor->depth++;
}

bool
pipit__reactor_is_entered(const struct reactor *reactor)
{
        return reactor->depth > 0;
}

void
pipit__reactor_leave(struct reactor *reactor)
{
        if (reactor->depth > 1) {
                reactor->depth--;
                return;
        }
        while (!list_empty(&reactor->deferred)) {
                struct list *link = list_pop_first(&reactor->deferred);
                struct deferred *deferred = container_of(link, struct deferred, link);
                deferred->free(deferred);
        }
        reactor->depth--;
        if (reactor->finish != NULL)
                reactor->finish(reactor->arg);
}

void
pipit__reactor_defer(struct reactor *reactor, struct deferred *deferred)
{
        assert(reactor->depth > 0);
        list_push_back(&reactor->deferred, &deferred->link);
}

void
pipit__reactor_finish(struct reactor *reactor, pipit__reactor_fn finish)
{
        assert(reactor->depth > 0);
        reactor->finish = finish;
}

static void
watch_on_event(evutil_socket_t fd, short what, void *arg)
{
        struct watch *watch = arg;
        struct reactor *reactor = watch->reactor;

        (void)fd;
        reactor->started = true;
        pipit__reactor_enter(reactor);
        watch->fn((what & EV_WRITE) != 0 ? WATCH_WRITE : WATCH_READ, watch->arg);
        pipit__reactor_leave(reactor);
}

struct watch *
pipit__watch_new(struct reactor *reactor, int fd, pipit__watch_fn fn, void *arg)
{
        struct watch *watch = calloc(1, sizeof *watch);

        if (watch == NULL)
                return NULL;
        *watch = (struct watch){.reactor = reactor, .fn = fn, .arg = arg};
        watch->read = reactor_event(reactor, fd, EV_READ | EV_PERSIST, watch_on_event, watch);
        watch->write = reactor_event(reactor, fd, EV_WRITE | EV_PERSIST, watch_on_event, watch);
        if (watch->read == NULL || watch->write == NULL) {
                pipit__watch_free(watch);
                return NULL;
        }
        return watch;
}

/* Adds or deletes an event. 0 or -1. */
static int
watch_turn(struct event *event, bool on)
{
        return on ? event_add(event, NULL) : event_del(event);
}

int
pipit__watch_want(struct watch *watch, unsigned ready)
{
        unsigned changed = watch->wanted ^ ready;
        int r = 0;

        if (changed & WATCH_READ)
                r |= watch_turn(watch->read, (ready & WATCH_READ) != 0);
        if (changed & WATCH_WRITE)
                r |= watch_turn(watch->write, (ready & WATCH_WRITE) != 0);
        watch->wanted = ready;
        return r == 0 ? 0 : -1;
}

void
pipit__watch_free(struct watch *watch)
{
        if (watch == NULL)
                return;
        if (watch->read != NULL)
                event_free(watch->read);
        if (watch->write != NULL)
                event_free(watch->write);
        free(watch);
}

static void
timer_on_event(evutil_socket_t fd, short what, void *arg)
{
        struct timer *timer = arg;
        struct reactor *reactor = timer->reactor;

        (void)fd;
        (void)what;
        reactor->started = true;
        timer->runs = false;
        pipit__reactor_enter(reactor);
        timer->fn(timer->arg);
        pipit__reactor_leave(reactor);
}

struct timer *
pipit__timer_new(struct reactor *reactor, pipit__reactor_fn fn, void *arg)
{
        struct timer *timer = calloc(1, sizeof *timer);

        if (timer == NULL)
                return NULL;
        *timer = (struct timer){.reactor = reactor, .fn = fn, .arg = arg};
        timer->event = reactor_event(reactor, -1, 0, timer_on_event, timer);
        if (timer->event == NULL) {
                free(timer);
                return NULL;
        }
        return timer;
}

int
pipit__timer_set(struct timer *timer, int64_t delay_ms)
{
        int64_t delay = delay_ms > 0 ? delay_ms : 0;
        struct timeval tv = {.tv_sec = (time_t)(delay / 1000),
                             .tv_usec = (suseconds_t)(delay % 1000 * 1000)};

        int r = event_add(timer->event, &tv);
        timer->runs = timer->runs || r == 0;
        return r;
}

void
pipit__timer_set_or_now(struct timer *timer, int64_t delay_ms)
{
        if (pipit__timer_set(timer, delay_ms) == 0)
                return;
        timer->runs = true;
        event_active(timer->event, EV_TIMEOUT, 0);
}

void
pipit__timer_stop(struct timer *timer)
{
        if (timer->runs)
                event_del(timer->event);
        timer->runs = false;
}

void
pipit__timer_free(struct timer *timer)
{
        if (timer == NULL)
                return;
        event_free(timer->event);
        free(timer);
}
