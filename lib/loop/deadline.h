/*
 * Deadlines: points in time, and one timer for the earliest of them.
 *
 * Nearly all are one of a few times from now, so those of each are set in the order in which they
 * pass: each has a lane, and costs the same however many there are. The others are a binary heap.
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

/* Embedded in what has a deadline; starts as all zero. */
struct deadline {
        int64_t at_ms;
        struct list link; /* in a lane; NULL pointers: never in one */
        size_t place;     /* in the heap, from 1; 0: not in it */
};

/* The point in time that is so many milliseconds away; less than none: never. */
int64_t pipit__deadline_after(int64_t now, int64_t timeout_ms);

typedef void (*pipit__deadline_fn)(struct deadline *deadline, void *arg);

struct deadlines {
        struct reactor *reactor;
        struct timer *timer;
        int64_t armed_ms; /* when the timer fires; -1: it does not run, or nobody knows */
        bool held; /* the timer runs also without a deadline, so that setting it takes no memory */
        struct list lanes[DEADLINE_LANES]; /* in each the earliest first */
        struct deadline **heap;
        size_t n; /* in the heap */
        size_t capacity;
        pipit__deadline_fn fn;
        void *arg;
};

/* fn is called for each deadline that has passed; it is set no more then. 0 or PIPIT_ENOMEM. */
int pipit__deadlines_init(struct deadlines *deadlines, struct reactor *reactor,
                          pipit__deadline_fn fn, void *arg);
void pipit__deadlines_fini(struct deadlines *deadlines);

/* Makes room for n deadlines in all, so that setting one cannot fail. 0 or PIPIT_ENOMEM. */
int pipit__deadlines_reserve(struct deadlines *deadlines, size_t n);

/* Holds the timer's place in the loop, which takes memory, while there is anything that could have
 * a deadline: else the timer cannot be relied on. 0 or PIPIT_ENOMEM. */
int pipit__deadlines_hold(struct deadlines *deadlines);
/* Gives it back. */
void pipit__deadlines_release(struct deadlines *deadlines);

/* Sets a deadline, also one that is set already; DEADLINE_NEVER takes it back. */
void pipit__deadline_set(struct deadlines *deadlines, struct deadline *deadline, int64_t at_ms);

#endif
