/*
 * What the torture programs put pipit through: one run over everything that takes memory, and a
 * ledger of its requests that is checked at the end.
 */
#ifndef TEST_SCENARIO_H
#define TEST_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct server;

#define SCENARIO_MAX_TIMERS 64

/* A server process for scenario_run(); its URL is the server's. by_name: over TCP, its host a name
 * that is looked up; else over a Unix socket. */
struct server *scenario_server(struct event_base *base, bool by_name);

/* Runs it, between memory_start() and memory_stop(). n_timers: what the program has on the loop
 * besides; eight fill libevent's first heap, so that the next timer takes memory. What went wrong
 * is printed into problem, "" when nothing did. */
void scenario_run(const char *url, int n_timers, char *problem, size_t size);

#endif
