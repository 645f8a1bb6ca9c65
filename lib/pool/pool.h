/*
 * The pool: how many connections there are, and when one is made, replaced or closed.
 */
#ifndef PIPIT_POOL_INTERNAL_H
#define PIPIT_POOL_INTERNAL_H

#include <pipit/options.h>
#include <stdbool.h>

#include "base/cold.h"
#include "base/list.h"
#include "conn/cancel_conn.h"
#include "conn/conn.h"
#include "conn/pooler.h"
#include "conn/session_settings.h"

struct pool_ops {
        /* A connection is free, or can be made: call pipit__pool_take() at the turn's end. */
        void (*ready)(void *arg);
        /* A connection is about to be made. 0, or -1: none can be made now, *ret_failure says why.
         */
        int (*prepare)(struct conn_error *ret_failure, void *arg);
        /* No connection is there, and trying again does not help: whoever waits is to be told. */
        void (*refused)(const struct conn_error *failure, void *arg);
};

struct pool {
        struct conn_config config;
        struct refused_settings refused; /* settings that a host has refused */
        struct pooler pooler;
        char *local_search_path;        /* NULL where none is set */
        struct cancel_conn cancel_conn; /* not one of the connections that are counted */
        int min;
        int max;
        int max_connecting;
        int64_t idle_timeout_ms; /* -1: never */
        int64_t lifetime_ms;     /* -1: never */
        int64_t down_timeout_ms; /* -1: none */
        int64_t down_ms;         /* when the last open connection was closed */
        struct list connecting;  /* CONN_CONNECTING and CONN_SETTING_UP */
        struct list idle;        /* CONN_IDLE; the latest used first */
        struct list busy;        /* CONN_BUSY, and what a lease or a cancel keeps */
        int n_connecting;
        int n_idle;
        int n_busy;
        int n_waiting;     /* requests, as pipit__pool_want() was told */
        int n_failures;    /* attempts in a row that failed */
        int64_t failed_ms; /* when the last one did */
        unsigned jitter;   /* state of the jitter's generator */
        bool closed;
        bool idle_timer_runs;
        struct timer *retry;       /* runs while an attempt is put off */
        struct timer *down;        /* runs until somebody has waited for too long */
        struct timer *idle_end;    /* runs while more than min connections may be idle */
        struct conn_error failure; /* the last */
        const struct pool_ops *ops;
        void *arg;
};

/* The parts that a pool is made from; borrowed. */
struct pool_parts {
        struct reactor *reactor;
        const struct conninfo *info;
        struct log *log;
        struct stmt_cache *stmt_cache;
        const struct pool_ops *ops;
        void *arg;
};

/* No default is open in the options any more. 0 or PIPIT_ENOMEM. */
int pipit__pool_init(struct pool *pool, const struct pipit_options *options,
                     const struct pool_parts *parts);
void pipit__pool_fini(struct pool *pool);

/* A connection that is free, a reader or a writer if there is one; NULL when none is free. */
struct conn *pipit__pool_take(struct pool *pool, bool reader);

/* How many of so many waiting requests the next connection should be given, so that each that is
 * free, or will be soon, has its share, but no fewer than least, if there are so many. */
int pipit__pool_share(const struct pool *pool, int n_waiting, int least);

/* Makes connections for so many waiting requests, and for the minimum. */
void pipit__pool_want(struct pool *pool, int n_waiting);

/* The lease that has the first busy connection; NULL when no lease has it. */
void *pipit__pool_lease(const struct pool *pool);

/* Why a request need not wait at all; NULL when it should. */
const struct conn_error *pipit__pool_refusal(const struct pool *pool);

/* When who waits since then has waited for too long without any open connection; DEADLINE_NEVER
 * while one is open, or if there is no such limit. */
int64_t pipit__pool_give_up_ms(const struct pool *pool, int64_t since_ms);
/* Calls ready() at that time. */
void pipit__pool_call_at(struct pool *pool, int64_t at_ms);

/* The state of the pool in a phrase, for an error: how many connections, and what went wrong. */
COLD void pipit__pool_describe(const struct pool *pool, char *out, size_t size);

/* Closes all connections; none is made any more. in_child: without a word on the sockets. */
void pipit__pool_close(struct pool *pool, const char *reason, bool in_child);

#endif
