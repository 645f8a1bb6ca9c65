/*
 * The world around the library: its clock, its memory, its events and what it holds of libpq. Its
 * sockets are in net.h.
 *
 * The program's own clock_gettime() stands in front of the C library's, for libevent as well: while
 * a run is on, time stands still until world_advance(). The rest is linked with --wrap, so that
 * only what the library itself calls is counted and can be made to fail.
 */
#ifndef SCHEDULE_WORLD_H
#define SCHEDULE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

struct event_base;

struct world {
        struct event_base *base; /* lives over all runs of a process */
        bool running;            /* a run is on: the clock is the world's */
        int64_t now_ms;
        int inside;       /* how many starting calls of the library are on the stack */
        bool turning;     /* the loop turns */
        int n_blocks;     /* blocks of memory that the library holds */
        int n_results;    /* PGresults that it holds */
        int n_links;      /* PGconns that it holds */
        int n_links_most; /* the most it held at once since this was set to 0 */
        bool harnessing;  /* the harness runs, not the library: nothing is counted */
        bool tracing;     /* each step is told on standard error */
        uint64_t digest;  /* of everything that world_note() was told */
};

extern struct world world;

/* Who is told that something is wrong; must not return. */
typedef void (*world_broken_fn)(const char *text);
void world_on_broken(world_broken_fn fn);
/* Something is wrong. */
_Noreturn void broken(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A step, for people; costs nothing when nobody looks. */
void trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What happened, for the digest: two runs of a schedule have the same. */
void world_note(uint64_t what);

void world_start(void);
/* Checks that the library has left nothing behind. */
void world_end(void);

/* Turns the loop until it has nothing to do, or once. */
void world_turn(void);
void world_turn_once(void);
/* How often it was turned. */
int64_t world_turns(void);

void world_advance(int64_t ms);
/* To the moment for which something was armed, when there is one within a day; false if not. */
bool world_advance_to_timer(void);

/* Makes an allocation of the library fail, the next one for 0; sticky: all from then on. */
void world_fail_memory(int n, bool sticky);
/* Makes libevent refuse an event, the same way. */
void world_fail_event(int n);
void world_heal(void);
/* Whether an allocation is to fail, or something has been refused since the start. */
bool world_memory_fails(void);
bool world_memory_failed(void);

#endif
