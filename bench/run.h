/*
 * A run: one workload, done by one subject, with so many tasks in flight.
 *
 * The loop is closed: a task that has ended starts the next one in its place. A task is what a user
 * waits for, one statement or many; an ask is one statement of a task that is under way. The
 * workload says what to ask and whether the answer is right, the subject asks: both are the same
 * for pipit and for the floors, so that what differs is the client alone.
 */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "histogram.h"
#include "meter.h"

struct run;
struct statement;
struct subject;
struct task;
struct workload;

struct options {
        const char *workload;
        const char *subject;
        const char *url;
        int connections;
        int in_flight;  /* tasks at once, over all connections */
        int burst;      /* statements that share a Sync at most; 0 for all that are due */
        double warm_up; /* seconds before what counts */
        double seconds; /* that count */
        uint64_t tasks; /* end after so many, without a warm-up; 0 to go by time */
};

struct pair {
        int32_t id;
        int32_t value;
};

struct ask {
        struct task *task;
        const struct statement *statement;
        int32_t values[4]; /* its parameters */
        uint32_t fresh;    /* not 0: makes its text one that was never used before */
        struct pair row;   /* the answer's first row */
        int n_rows;        /* that were returned, or touched */
};

struct task {
        struct run *run;
        uint64_t start_ns;
        int place; /* of the tasks in flight, from 0 */
        int open;  /* asks without an answer */
        int step;
        bool apart;        /* its latency is counted apart: it is slow on purpose */
        struct ask asks[]; /* as many as the workload is wide */
};

enum phase {
        PHASE_WARM,   /* connections are made, caches filled */
        PHASE_SETTLE, /* the server's processes were asked for: once more quietly */
        PHASE_COUNT,  /* what is measured */
        PHASE_END     /* nothing is started any more */
};

/* Rows of one answer at most. */
#define RUN_MAX_ROWS 1000

struct run {
        const struct options *options;
        const struct workload *workload;
        const struct subject *subject;
        void *state;         /* the subject's */
        struct task **tasks; /* as many as are in flight */
        int active;          /* tasks that have not ended */
        enum phase phase;
        uint64_t phase_end_ns;
        uint64_t n_warm; /* tasks that ended before it counted */
        uint64_t n_done; /* tasks that ended while it counted */
        uint64_t n_apart;
        uint32_t random; /* never 0 */
        uint32_t fresh;  /* texts that were used once */
        struct server server;
        struct sample before;
        struct sample after;
        struct histogram latencies;
        struct histogram apart;
        struct pair rows[RUN_MAX_ROWS]; /* where a subject puts an answer's rows */
};

/* What does the work. */
struct subject {
        const char *name;
        bool (*serves)(const struct workload *workload); /* NULL: all of them */
        void (*open)(struct run *run);
        /* Starts a statement; ask_answered() or run_fail() is called later, never at once. */
        void (*ask)(struct ask *ask);
        /* Works until no task is active. */
        void (*loop)(struct run *run);
        void (*close)(struct run *run);
};

/* pipit, or one of the floors, which do not use it. NULL when there is no such one for that. */
const struct subject *subject_find(const char *name, const struct workload *workload);

/* Does it, from the first connection to the last answer. */
void run_go(struct run *run, const struct options *options);
void run_free(struct run *run);
/* Ends the program: an answer that is wrong or does not come is never a result. */
void run_fail(const struct run *run, const char *what, const char *why);

/* A number from 1 to n. */
int32_t run_random(struct run *run, int32_t n);

/* For workloads: starts a statement. */
void task_ask(struct task *task, int place, const struct statement *statement, int32_t first,
              int32_t second);
/* For workloads: the task has what it wanted. */
void task_end(struct task *task);
/* For subjects: the answer has come, n rows that were returned or touched. */
void ask_answered(struct ask *ask, const struct pair *rows, int n);

#endif
