/*
 * Deadlines: a binary heap of points in time, and one timer for the earliest of them.
 */
#ifndef PIPIT_DEADLINE_INTERNAL_H
#define PIPIT_DEADLINE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEADLINE_NEVER INT64_MAX

struct reactor;
struct timer;

/* Embedded in what has a deadline; all zero when it is in no heap. */
struct deadline {
        int64_t at_ms;
        size_t place; /* in the heap, from 1; 0: not in it */
};

typedef void (*pipit__deadline_fn)(struct deadline *deadline, void *arg);

struct deadlines {
        struct reactor *reactor;
        struct timer *timer;
        bool held; /* the timer runs also without a deadline, so that setting it takes no memory */
        struct deadline **heap;
        size_t n;
        size_t capacity;
        pipit__deadline_fn fn;
        void *arg;
};

/* fn is called for each deadline that has passed; it is out of the heap then. 0 or PIPIT_ENOMEM. */
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

/* Puts a deadline in its place, also one that is in the heap already; DEADLINE_NEVER takes it out.
 */
void pipit__deadline_set(struct deadlines *deadlines, struct deadline *deadline, int64_t at_ms);

#endif
