/*
 * The reactor is pipit's side of a libevent base: watchers, timers, the end of a turn of the loop,
 * and frees that wait until no function of pipit is on the stack.
 *
 * A database has one reactor and a blocking scope another, on a base of its own. The reactor owns
 * its events, and a private base; the program's base is borrowed. No file above this one includes
 * libevent. What always holds:
 * 1. Every callback of the loop runs between pipit__reactor_enter() and pipit__reactor_leave().
 * 2. An object that is deferred is freed by the outermost leave, never earlier.
 * 3. A reactor without a waiting watcher, a running timer or a turn that was asked for keeps no
 *    loop running.
 * 4. Making an object may fail for want of memory; nothing is half made then.
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

/* The bits say what a descriptor is ready for, or is to be watched for. */
#define WATCH_READ  1u
#define WATCH_WRITE 2u

typedef void (*pipit__reactor_fn)(void *arg);
typedef void (*pipit__watch_fn)(unsigned ready, void *arg);

/* A deferred free is embedded in the object that it frees, once the stack has unwound. */
struct deferred {
        struct list link;
        void (*free)(struct deferred *deferred);
};

/*
 * Makes a reactor on a base, which is borrowed until the reactor is freed, or on a private base if
 * base is NULL. turn(arg) is called at the end of each turn of the loop for which
 * pipit__reactor_schedule() was called. NULL if memory ran out.
 *
 * priority: libevent's priority plus one; 0 leaves libevent's default.
 */
struct reactor *
pipit__reactor_new(struct event_base *base, int priority, pipit__reactor_fn turn, void *arg);
/* Frees a reactor, with a private base. NULL does nothing. */
void pipit__reactor_free(struct reactor *reactor);

/* Asks for the end of this turn; once asked, asking again does nothing. Called at an end of turn,
 * it asks for that of the next turn, after all I/O and timers. */
void pipit__reactor_schedule(struct reactor *reactor);

/* Takes a private base out of the parent's epoll, in a forked child. The program's base is left to
 * the program. */
void pipit__reactor_forked(struct reactor *reactor);

/* Turns a private base once; blocks until a callback has run. */
void pipit__reactor_run_once(struct reactor *reactor);

/* Whether the loop runs now, or has ever run since the reactor was made; or whether this thread is
 * inside of the loop of any other base, but for private ones. */
bool pipit__reactor_started(const struct reactor *reactor);

/* Whether the base has the priority that was asked for. */
bool pipit__reactor_has_priority(const struct reactor *reactor);

/* Returns the base, borrowed until the reactor is freed. */
struct event_base *pipit__reactor_base(const struct reactor *reactor);

/* Returns the milliseconds of the monotonic clock. */
int64_t pipit__reactor_now(const struct reactor *reactor);
/* Returns the milliseconds for something that begins now: the next tick of the coarse clock, by
 * which libevent's timers go, too. Looking at that clock takes next to no time, and nothing that is
 * counted from its next tick ends earlier than such a timer fires. */
int64_t pipit__reactor_start(const struct reactor *reactor);
/* Returns the microseconds of the monotonic clock. */
int64_t pipit__reactor_now_us(const struct reactor *reactor);

/*
 * Enter and leave stand around every path from libevent, or from a call of the program, into code
 * that can run callbacks; pairs may nest. The outermost leave frees what was deferred, and then
 * calls finish(arg) if that was set, which may free the reactor.
 */
void pipit__reactor_enter(struct reactor *reactor);
void pipit__reactor_leave(struct reactor *reactor);
/* Whether an enter has not had its leave. */
bool pipit__reactor_is_entered(const struct reactor *reactor);
/* Has an object freed by the outermost leave, in the order of these calls; between enter and leave
 * only. The object is in no list of deferred ones yet. */
void pipit__reactor_defer(struct reactor *reactor, struct deferred *deferred);
/* Sets what the outermost leave calls with the arg of pipit__reactor_new(); between enter and leave
 * only. */
void pipit__reactor_finish(struct reactor *reactor, pipit__reactor_fn finish);

/* Makes a watcher on a descriptor, which is borrowed until pipit__watch_free(). The watcher waits
 * for nothing until pipit__watch_want(). NULL if memory ran out. */
struct watch *pipit__watch_new(struct reactor *reactor, int fd, pipit__watch_fn fn, void *arg);
/* Has fn(WATCH_*, arg) called, from the loop, as long as the descriptor is ready for one of these
 * bits; 0 has it called no more. 0, or -1 if libevent refused, as without memory. */
int pipit__watch_want(struct watch *watch, unsigned ready);
/* Frees a watcher, also from inside its fn. NULL does nothing. */
void pipit__watch_free(struct watch *watch);

/* Makes a timer that does not run. NULL if memory ran out. */
struct timer *pipit__timer_new(struct reactor *reactor, pipit__reactor_fn fn, void *arg);
/* Has fn(arg) called once from the loop after that time, instead of at a time that was set before;
 * a negative delay counts as 0. 0, or -1 if memory ran out, and then the timer is as before. */
int pipit__timer_set(struct timer *timer, int64_t delay_ms);
/* Sets a timer; if memory runs out, its time is over at once, and it runs after the events of this
 * turn. */
void pipit__timer_set_or_now(struct timer *timer, int64_t delay_ms);
/* Stops a timer; does nothing if it does not run. */
void pipit__timer_stop(struct timer *timer);
/* Stops and frees a timer, also from inside its fn. NULL does nothing. */
void pipit__timer_free(struct timer *timer);

#endif
