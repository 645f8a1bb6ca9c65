/*
 * The meter: what a run costs, read at the start and at the end of the time that counts.
 */
#ifndef BENCH_METER_H
#define BENCH_METER_H

#include <stdbool.h>
#include <stdint.h>

#define METER_MAX_PROCESSES 256

/* Each is a sum since some time in the past: what counts is the difference of two. */
struct sample {
        uint64_t ns;              /* the clock */
        uint64_t client_cpu_ns;   /* of this process, in user and kernel mode */
        uint64_t server_cpu_ns;   /* of the server's processes that were found */
        uint64_t allocations;     /* of the whole process; 0 in a program that does not count */
        uint64_t own_allocations; /* those of pipit's and the benchmark's own code */
};

/* The server's processes. */
struct server {
        int n;
        int pids[METER_MAX_PROCESSES];
};

/* The clock all times are read from. */
uint64_t meter_ns(void);
/* Asks the server for its processes, on a connection of its own, and blocks meanwhile. Finds none
 * when the server is on another machine. */
void meter_find_server(struct server *server, const char *url);
/* A process of the server that has ended makes it unknown: server->n becomes 0. */
void meter_take(struct sample *sample, struct server *server);
/* The most memory that the process has had so far. */
uint64_t meter_peak_kib(void);

#endif
