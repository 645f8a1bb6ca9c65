/*
 * A connection of a floor: libpq by hand, without blocking, on epoll.
 *
 * Its asks are a ring in the order in which they were made: first those that were answered and are
 * not over, as their Sync has not come, then those without an answer, then those not sent.
 */
#ifndef BENCH_LINK_H
#define BENCH_LINK_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "run.h"

struct floor;

struct link {
        struct floor *floor;
        PGconn *pq;
        struct ask **ring;
        unsigned mask;
        unsigned head; /* the first that is not over */
        unsigned got;  /* the first without an answer */
        unsigned sent; /* the first that was not sent */
        unsigned end;
        int step;     /* answers to the first without an answer, when it takes several */
        int syncs;    /* sent and not answered */
        bool writing; /* the socket took not all: wait until it takes more */
};

/* How a floor uses its connections. */
struct form {
        bool pipelined;
        /* Sends of what is due as much as the form allows, and flushes once. */
        void (*send)(struct link *link);
        /* Takes one result that is no error. */
        void (*take)(struct link *link, const PGresult *result);
};

struct floor {
        struct run *run;
        const struct form *form;
        int epoll;
        int n_links;
        struct link *links;
        void *extra; /* the form's own; freed with free() */
};

/* The parts of a subject. */
void floor_open(struct run *run, const struct form *form);
void floor_ask(struct ask *ask);
void floor_loop(struct run *run);
void floor_close(struct run *run);

/* For forms. */
void link_fail(const struct link *link, const char *what);
/* Prepares a statement, blocking: for the start. A type of 0 is the server's to infer. */
void
link_prepare(struct link *link, const char *name, const char *sql, int n_params, unsigned type);
void link_send_next(struct link *link);
/* Values go in binary form; at most two. */
void link_send_prepared(struct link *link, const char *name, int n_params, const int32_t *values);
/* In pipeline mode, behind what was sent. Without PQsendPipelineSync() it flushes, too. */
void link_send_sync(struct link *link);
void link_flush(struct link *link);
/* An integer in binary form. */
int32_t link_int(const PGresult *result, int row, int column);
/* The usual way to take a result: it is the next ask's. */
void link_take_one(struct link *link, const PGresult *result);

#endif
