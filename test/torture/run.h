/*
 * A run of the scenario: its requests, each with a ticket.
 */
#ifndef TEST_TORTURE_RUN_H
#define TEST_TORTURE_RUN_H

#include <pipit/pipit.h>

#include "scenario.h"

#define MAX_TICKETS 160

/* One request, as its caller sees it. */
struct ticket {
        struct run *run;
        const char *what;
        bool accepted;
        int n_calls;
        const char *own; /* the text that is its answer and nobody else's; NULL: any */
};

struct run {
        struct event_base *base;
        struct pipit *db;
        int n;
        int n_timers; /* the program's own */
        struct event *timers[SCENARIO_MAX_TIMERS];
        int n_open;  /* accepted and not called back */
        bool inside; /* a call of pipit's that starts something is on the stack */
        char *problem;
        size_t size;
        struct ticket tickets[MAX_TICKETS];
};

/* The first problem is the one to look at. */
__attribute__((format(printf, 2, 3))) void run_blame(struct run *run, const char *format, ...);
/* Turns the loop until every request has ended; a loop that ends before has lost one. */
void run_join(struct run *run);

/* A request is about to be started: its callback is ticket_on_end(), or calls that. */
struct ticket *ticket_new(struct run *run, const char *what, const char *own);
/* What a start has returned. */
pipit_request ticket_take(struct ticket *ticket, pipit_request request);
void ticket_on_end(struct pipit_result *res, void *arg);

/* Transfers, in transactions of all forms. */
void run_transactions(struct run *run);

#endif
