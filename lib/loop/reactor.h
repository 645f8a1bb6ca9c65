/*
 * The reactor: pipit's side of the user's event_base. Watchers, timers, the end of the turn, and
 * what must wait until no function of pipit is on the stack any more.
 *
 * Nothing above this file includes libevent, but for the resolver.
 */
#ifndef PIPIT_REACTOR_INTERNAL_H
#define PIPIT_REACTOR_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct event_base;
struct reactor;
struct timer;
struct watch;

/* What a descriptor is, or is to be, ready for. */
#define WATCH_READ  1u
#define WATCH_WRITE 2u

typedef void (*pipit__reactor_fn)(void *arg);
typedef void (*pipit__watch_fn)(unsigned ready, void *arg);

/* Something that is freed once the stack has unwound: embedded in what it frees. */
struct deferred {
        struct list link;
        void (*free)(struct deferred *deferred);
};

/*
 * A reactor on a base, or on a private one when base is NULL. At the end of each turn of the loop
 * that pipit__reactor_schedule() asked for, turn(arg) runs. NULL when memory ran out.
 *
 * priority: libevent's priority plus one; 0 leaves libevent's default.
 */
struct reactor *
pipit__reactor_new(struct event_base *base, int priority, pipit__reactor_fn turn, void *arg);
/* Frees it, or lets the last guest do so. A private base is turned until its guests have left. */
void pipit__reactor_free(struct reactor *reactor);

/* A guest is something on the base that takes some turns to leave, as a cancelled look-up. */
void pipit__reactor_guest_came(struct reactor *reactor);
void pipit__reactor_guest_left(struct reactor *reactor);

/* Asks for an end of turn. From inside one, that is in the next turn, behind all I/O and timers. */
void pipit__reactor_schedule(struct reactor *reactor);

/* In a forked child: takes a private base out of the parent's epoll; the user's is the user's. */
void pipit__reactor_forked(struct reactor *reactor);

/* Turns a private base once; blocks until something happened. */
void pipit__reactor_run_once(struct reactor *reactor);

/* Whether the loop runs now, or has ever run since the reactor was made. */
bool pipit__reactor_started(const struct reactor *reactor);

/* Whether the base has the priority that was asked for. */
bool pipit__reactor_has_priority(const struct reactor *reactor);

struct event_base *pipit__reactor_base(const struct reactor *reactor);

/* Milliseconds, and microseconds, of the monotonic clock. */
int64_t pipit__reactor_now(const struct reactor *reactor);
/* The same for what begins now: the next tick of the clock that libevent's timers go by, since it
 * takes no time to look at that. So nothing is over earlier than such a timer would be. */
int64_t pipit__reactor_start(const struct reactor *reactor);
int64_t pipit__reactor_now_us(const struct reactor *reactor);

/*
 * Every path from libevent, or from a user's call, into code that can run callbacks goes between
 * these two. Behind the outermost one what was deferred is freed, and then finish() runs, once, if
 * it was set; it may free the reactor.
 */
void pipit__reactor_enter(struct reactor *reactor);
void pipit__reactor_leave(struct reactor *reactor);
bool pipit__reactor_is_entered(const struct reactor *reactor);
void pipit__reactor_defer(struct reactor *reactor, struct deferred *deferred);
void pipit__reactor_finish(struct reactor *reactor, pipit__reactor_fn finish);

/* A watcher on a descriptor; it waits for nothing until pipit__watch_want(). */
struct watch *pipit__watch_new(struct reactor *reactor, int fd, pipit__watch_fn fn, void *arg);
int pipit__watch_want(struct watch *watch, unsigned ready);
void pipit__watch_free(struct watch *watch);

struct timer *pipit__timer_new(struct reactor *reactor, pipit__reactor_fn fn, void *arg);
int pipit__timer_set(struct timer *timer, int64_t delay_ms);
/* The same; without memory for it, its time is over at once: it runs, behind this turn's events. */
void pipit__timer_set_or_now(struct timer *timer, int64_t delay_ms);
void pipit__timer_stop(struct timer *timer);
void pipit__timer_free(struct timer *timer);

#endif
