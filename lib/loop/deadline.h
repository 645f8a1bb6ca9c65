/*
 * Deadlines are points in time that share one timer of the loop.
 *
 * A struct deadlines owns the timer and the heap; each deadline is a member of what has it.
 * request/ has one for all requests of a database. What always holds:
 * 1. A deadline that is set is in one lane, or else in the heap.
 * 2. A lane has its earliest deadline first. Nearly all deadlines are one of a few timeouts from
 *    now, so those of one timeout are set in the order in which they pass. They have a lane, and
 *    setting one costs the same however many there are. The others are in the heap.
 * 3. The timer runs only while a deadline is set or the timer is held: an idle database has none.
 *    The timer fires at the earliest deadline, or before it and then finds nothing.
 */
#ifndef PIPIT_DEADLINE_INTERNAL_H
#define PIPIT_DEADLINE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

#define DEADLINE_NEVER INT64_MAX
#define DEADLINE_LANES 4

struct reactor;
struct timer;

/* A deadline is embedded in what has it, starts as all zero, and is taken back before that is
 * freed. */
struct deadline {
        int64_t at_ms;    /* by pipit__reactor_now(); meaningless while the deadline is not set */
        struct list link; /* in a lane; its pointers are NULL until the deadline was in one */
        size_t place;     /* in the heap, from 1 on; 0 while the deadline is not in there */
};

/* Returns the time that is timeout_ms after now, a time or a duration; DEADLINE_NEVER if timeout_ms
 * is negative, or so long that no number says when it ends. Each sum with an option or an argument
 * of a call goes through this function. */
int64_t pipit__deadline_after(int64_t now, int64_t timeout_ms);

/* Is called from the loop for a deadline that has passed and is set no more. The call may set and
 * take back any deadline, and free what has this one. */
typedef void (*pipit__deadline_fn)(struct deadline *deadline, void *arg);

struct deadlines {
        struct reactor *reactor; /* borrowed; lives longer */
        struct timer *timer;
        int64_t armed_ms; /* when the timer fires; -1 while it does not run, or could not be set */
        bool held;        /* the timer runs without a deadline, too: setting it takes no memory */
        struct list lanes[DEADLINE_LANES]; /* of struct deadline.link */
        struct deadline **heap;            /* a binary heap from index 1 on; NULL until reserved */
        size_t n;                          /* deadlines in the heap */
        size_t capacity;                   /* elements that heap has room for */
        pipit__deadline_fn fn;
        void *arg;
};

/* Makes a struct deadlines whose fn is called for each deadline that has passed. reactor is
 * borrowed until pipit__deadlines_fini(). 0, or PIPIT_ENOMEM with nothing left to free. */
int pipit__deadlines_init(struct deadlines *deadlines, struct reactor *reactor,
                          pipit__deadline_fn fn, void *arg);
/* Frees the timer and the heap; deadlines that are set are forgotten. */
void pipit__deadlines_fini(struct deadlines *deadlines);

/* Makes room for n deadlines in all, so that setting one cannot fail. 0 or PIPIT_ENOMEM. */
int pipit__deadlines_reserve(struct deadlines *deadlines, size_t n);

/* Holds the timer's place in the loop while there is anything that could have a deadline. A place
 * takes memory, and a timer that finds none when a deadline is set cannot be relied on. 0 or
 * PIPIT_ENOMEM. */
int pipit__deadlines_hold(struct deadlines *deadlines);
/* Gives the place back, unless a deadline is set; a later change of the deadlines gives it back
 * then. */
void pipit__deadlines_release(struct deadlines *deadlines);

/* Sets a deadline or moves one that is set; DEADLINE_NEVER takes it back. The caller has reserved
 * room for it. */
void pipit__deadline_set(struct deadlines *deadlines, struct deadline *deadline, int64_t at_ms);

#endif
