/*
 * Workloads: what is asked of a database, and what must come back.
 */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ask;
struct pair;
struct task;

/* What of pipit runs a statement; floors run its SQL. */
enum call {
        CALL_QUERY,
        CALL_READ,       /* a query declared as a read */
        CALL_GET,        /* the model's get by primary key */
        CALL_CREATE,     /* the model's create */
        CALL_CONNECT,    /* a query on a database that is opened for it and closed behind it */
        CALL_TRANSACTION /* twice the statement, between BEGIN and COMMIT */
};

struct statement {
        const char *name; /* as a prepared statement */
        const char *sql;  /* parameters are integers */
        enum call call;
        int n_params;
        bool returns; /* rows of two integers; else only how many rows were touched */
        bool writes;  /* has succeeded when its Sync is answered, not before */
        bool alone;   /* never shares a Sync: rows that it locks would be locked too long */
};

/* The statement with something in its text that makes no difference but makes it new. */
void statement_fresh_sql(const struct statement *statement, uint32_t fresh, char *sql, size_t size);

#define WORKLOAD_MAX_STATEMENTS 3

struct workload {
        const char *name;
        const char *unit; /* what per_second counts */
        int units;        /* of them in a task */
        int queries;      /* in a task */
        int width;        /* asks of a task at once at most */
        const struct statement *statements[WORKLOAD_MAX_STATEMENTS + 1]; /* NULL behind the last */
        const char *reset[4]; /* SQL before each run; NULL behind the last */
        bool single_gets;     /* pipit is told not to make one statement of several gets */
        bool group_writes;    /* pipit is told that writes may share a commit */
        void (*begin)(struct task *task);
        /* One ask has its answer; starts the next or ends the task. */
        void (*answered)(struct ask *ask, const struct pair *rows);
};

/* NULL when there is no such one. */
const struct workload *workload_find(const char *name);
/* Makes the tables what a run wants to find. Blocks. */
void workload_reset(const struct workload *workload, const char *url);

#endif
