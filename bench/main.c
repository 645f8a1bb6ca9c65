/*
 * pipit-bench SUBJECT CONNECTIONS IN_FLIGHT REQUESTS: runs the workload on DATABASE_URL and prints
 * one JSON line.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static double
seconds(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double
cpu_seconds(void)
{
        struct rusage usage;

        getrusage(RUSAGE_SELF, &usage);
        return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int
main(int argc, char **argv)
{
        if (argc != 5) {
                fprintf(stderr, "usage: %s pipit|floor CONNECTIONS IN_FLIGHT REQUESTS\n", argv[0]);
                return EXIT_FAILURE;
        }
        struct bench bench = {.url = getenv("DATABASE_URL"),
                              .connections = atoi(argv[2]),
                              .in_flight = atoi(argv[3]),
                              .requests = atoi(argv[4])};
        double start = seconds();
        double cpu_start = cpu_seconds();
        if (strcmp(argv[1], "pipit") == 0)
                bench_run_pipit(&bench);
        else
                bench_run_floor(&bench);
        double wall = seconds() - start;
        double cpu = cpu_seconds() - cpu_start;
        printf("{\"workload\": \"select\", \"subject\": \"%s\", \"connections\": %d, "
               "\"in_flight\": %d, \"per_second\": %.0f, \"cpu_us_per_query\": %.3f}\n",
               argv[1], bench.connections, bench.in_flight, bench.requests / wall,
               cpu * 1e6 / bench.requests);
        return EXIT_SUCCESS;
}
