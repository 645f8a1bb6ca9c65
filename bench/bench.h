/*
 * The benchmark: one workload, point selects, run by pipit or by a hand-written libpq program, the
 * floor that pipit is measured against.
 */
#ifndef BENCH_H
#define BENCH_H

struct bench {
        const char *url;
        int connections;
        int in_flight; /* requests at once, over all connections */
        int requests;  /* in all */
};

#define BENCH_SQL "SELECT id, value FROM bench WHERE id = $1"
#define BENCH_IDS 1000

/* Each runs the workload and exits the program when something fails. */
void bench_run_pipit(const struct bench *bench);
/* A Sync behind each statement, in pipeline mode. */
void bench_run_floor(const struct bench *bench);

#endif
