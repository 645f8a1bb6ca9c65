/*
 * The workload on pipit.
 */
#include "bench.h"

#include <event2/event.h>
#include <pipit/pipit.h>
#include <stdio.h>
#include <stdlib.h>

struct run {
        const struct bench *bench;
        struct pipit *db;
        int started;
        int done;
};

static void on_row(struct pipit_result *res, void *arg);

static void
run_start_one(struct run *run)
{
        int id = run->started++ % BENCH_IDS;

        pipit_query(run->db, BENCH_SQL, PIPIT_PARAMS(id), on_row, run);
}

static void
on_row(struct pipit_result *res, void *arg)
{
        struct run *run = arg;

        if (pipit_failed(res) || pipit_result_rows(res) != 1) {
                fprintf(stderr, "pipit: %s\n", pipit_error_text(res));
                exit(EXIT_FAILURE);
        }
        run->done++;
        if (run->started < run->bench->requests)
                run_start_one(run);
        else if (run->done == run->bench->requests)
                pipit_close(run->db);
}

void
bench_run_pipit(const struct bench *bench)
{
        struct event_base *base = event_base_new();
        struct pipit_options options = {.max_connections = bench->connections,
                                        .max_connecting = bench->connections,
                                        .max_pipeline = bench->in_flight / bench->connections + 1};
        struct run run = {.bench = bench, .db = pipit_open(base, bench->url, &options)};

        for (int i = 0; i < bench->in_flight; i++)
                run_start_one(&run);
        event_base_dispatch(base);
        event_base_free(base);
}
