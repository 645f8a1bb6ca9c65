/*
 * The load of chaos-ddl: what it has out, and what came of it so far. See ddl.c.
 */
#ifndef TEST_DDL_H
#define TEST_DDL_H

#include "chaos.h"
#include "schema.h"

#define N_JOBS   24
#define N_RECENT 64

enum job_kind {
        JOB_WRITE,       /* a row into the altered table */
        JOB_WRITE_ANEW,  /* a row into the other */
        JOB_READ,        /* a row that is there, from the altered table */
        JOB_READ_ANEW,   /* whatever is there, from the other */
        JOB_TRANSACTION, /* a row, and read again */
        JOB_SESSION,     /* another search path, then a temporary table */
        JOB_MODEL        /* a record, and got again */
};
#define N_KINDS 7

struct load_ddl;

struct job {
        struct load_ddl *load;
        enum job_kind kind;
        enum table table;
        int64_t op;
        int64_t nonce;
        struct values values;
        int64_t started_ms;
        struct pipit *session;
        bool wide; /* the type of the temporary table's column */
        bool open;
};

struct load_ddl {
        struct event_base *base;
        struct event *tick;
        struct pipit *db;
        struct dice dice;
        struct ledger ledger;
        struct history history;
        int64_t ends_ms;
        bool fresh;
        int n_open;
        int64_t recent[N_RECENT]; /* operations whose rows are in the altered table */
        int n_recent;
        int64_t n_requests;
        int64_t n_ok;
        int64_t n_unfit;
        int64_t n_missing;
        int64_t n_ended;
        int64_t n_wrong;
        int64_t n_failed;
        int64_t n_doubled;        /* callbacks that came again */
        int64_t n_kinds[N_KINDS]; /* failed, of each kind */
        struct job jobs[N_JOBS];
};

/* ---- ddl_job.c */

/* Starts a job that has its kind and its values; 0: memory ran out. */
pipit_request job_send(struct job *job);
const char *job_kind_name(enum job_kind kind);

/* ---- ddl.c */

/* Starts jobs where there is room for them. */
void load_fill(struct load_ddl *load);

#endif
