/*
 * The workloads on pipit, as a program that uses pipit would do them.
 */
#include "subject_pipit.h"

#include <event2/event.h>
#include <pipit/pipit.h>
#include <stdlib.h>

#include "workload.h"

#define BENCH_READ(FIELD)                                                                          \
        FIELD(integer, id, .primary_key = true)                                                    \
        FIELD(integer, value)
PIPIT_MODEL(bench_read, BENCH_READ);
PIPIT_MODEL_DEFINE(bench_read, BENCH_READ);

#define BENCH_WRITE(FIELD)                                                                         \
        FIELD(serial, id, .primary_key = true)                                                     \
        FIELD(integer, value)
PIPIT_MODEL(bench_write, BENCH_WRITE);
PIPIT_MODEL_DEFINE(bench_write, BENCH_WRITE);

/* Of a statement's text, with what makes it a new one. */
#define MAX_SQL 256

struct state {
        struct event_base *base;
        struct pipit *db; /* NULL for the workload that opens one for each task */
};

/* ---- what pipit can be told; each of these is here once */

/* A query that is declared as a read. */
static pipit_request
start_read(struct pipit *db, const char *sql, struct pipit_params params, pipit_cb cb, void *arg)
{
        return pipit_read(db, sql, params, cb, arg);
}

/* Whether several gets may become one statement. */
static void
set_coalesce(struct pipit *db, bool coalesce)
{
        pipit_set_coalesce(db, coalesce);
}

/* Whether writes may share a commit. */
static void
set_group_writes(struct pipit *db, bool group_writes)
{
        pipit_set_group_writes(db, group_writes);
}

/* As many connections as the floors have; else the defaults. */
static struct pipit *
open_database(struct event_base *base, const char *url, int connections)
{
        struct pipit_options options = {.min_connections = connections,
                                        .max_connections = connections,
                                        .max_connecting = connections};

        return pipit_open(base, url, &options);
}

/* ---- answers */

static void
take_row(struct pipit_result *res, int row, struct pair *pair)
{
        if (pipit_result_int32(res, row, 0, &pair->id) != 0 ||
            pipit_result_int32(res, row, 1, &pair->value) != 0)
                pair->id = 0; /* no table has this key, so the answer is a wrong one */
}

static void
take_rows(const struct ask *ask, struct pipit_result *res, struct pair *rows, int n)
{
        const struct bench_read *read;
        const struct bench_write *written;

        switch (ask->statement->call) {
        case CALL_QUERY:
        case CALL_READ:
        case CALL_CONNECT:
        case CALL_TRANSACTION:
                for (int i = 0; i < n; i++)
                        take_row(res, i, &rows[i]);
                break;
        case CALL_GET:
                read = bench_read_row(res, 0);
                rows[0] = (struct pair){.id = read->id, .value = read->value};
                break;
        case CALL_CREATE:
                written = bench_write_row(res, 0);
                rows[0] = (struct pair){.id = written->id, .value = written->value};
                break;
        }
}

static void
on_answer(struct pipit_result *res, void *arg)
{
        struct ask *ask = arg;
        struct run *run = ask->task->run;
        struct state *state = run->state;
        int n = pipit_result_rows(res);

        if (pipit_failed(res))
                run_fail(run, ask->statement->name, pipit_error_text(res));
        if (n > RUN_MAX_ROWS)
                run_fail(run, ask->statement->name, "too many rows");
        if (ask->statement->returns)
                take_rows(ask, res, run->rows, n);
        else
                n = (int)pipit_result_affected(res);
        if (ask->statement->call == CALL_CONNECT)
                pipit_close(pipit_result_scope(res));
        ask_answered(ask, run->rows, n);
        if (run->active == 0)
                pipit_close(state->db);
}

/* ---- statements */

static pipit_request
start_fresh(struct pipit *db, struct ask *ask)
{
        char sql[MAX_SQL];

        statement_fresh_sql(ask->statement, ask->fresh, sql, sizeof sql);
        return start_read(db, sql, PIPIT_PARAMS(ask->values[0]), on_answer, ask);
}

static pipit_request
start_create(struct pipit *db, struct ask *ask)
{
        struct bench_write row = {.value = ask->values[0]};

        return bench_write_create(db, &row, on_answer, ask);
}

static pipit_request
start_connect(struct state *state, struct ask *ask)
{
        struct pipit *db = open_database(state->base, ask->task->run->options->url, 1);

        return start_read(db, ask->statement->sql, PIPIT_PARAMS(ask->values[0]), on_answer, ask);
}

static void
on_update(struct pipit_result *res, void *arg)
{
        struct ask *ask = arg;

        ask->n_rows += (int)pipit_result_affected(res);
}

static void
on_committed(struct pipit_result *res, void *arg)
{
        struct ask *ask = arg;
        struct run *run = ask->task->run;
        struct state *state = run->state;

        if (pipit_failed(res))
                run_fail(run, ask->statement->name, pipit_error_text(res));
        ask_answered(ask, run->rows, ask->n_rows);
        if (run->active == 0)
                pipit_close(state->db);
}

static void
transaction_body(struct pipit *tx, void *arg)
{
        struct ask *ask = arg;
        const char *sql = ask->statement->sql;
        const int32_t *values = ask->values;

        ask->n_rows = 0;
        pipit_query(tx, sql, PIPIT_PARAMS(values[0], values[1]), on_update, ask);
        pipit_query(tx, sql, PIPIT_PARAMS(values[2], values[3]), on_update, ask);
}

static pipit_request
start_transaction(struct pipit *db, struct ask *ask)
{
        struct pipit_transaction options = {.commit_early = true};

        return pipit_atomic_with(db, &options, transaction_body, on_committed, ask);
}

static struct pipit_params
ask_params(const struct ask *ask, struct pipit_value *values)
{
        int n = ask->statement->n_params;

        for (int i = 0; i < n; i++)
                values[i] = pipit_value_int(ask->values[i]);
        return (struct pipit_params){.values = values, .n = n};
}

static pipit_request
ask_start(struct state *state, struct ask *ask)
{
        const struct statement *statement = ask->statement;
        struct pipit_value values[2];
        struct pipit_params params = ask_params(ask, values);

        switch (statement->call) {
        case CALL_QUERY: return pipit_query(state->db, statement->sql, params, on_answer, ask);
        case CALL_READ:
                if (ask->fresh != 0)
                        return start_fresh(state->db, ask);
                return start_read(state->db, statement->sql, params, on_answer, ask);
        case CALL_GET:
                return bench_read_get(state->db, pipit_eq(bench_read_model.id, ask->values[0]),
                                      on_answer, ask);
        case CALL_CREATE: return start_create(state->db, ask);
        case CALL_CONNECT: return start_connect(state, ask);
        case CALL_TRANSACTION: return start_transaction(state->db, ask);
        }
        return 0;
}

static void
pipit_ask(struct ask *ask)
{
        struct run *run = ask->task->run;

        if (ask_start(run->state, ask) == 0)
                run_fail(run, ask->statement->name, "not started: out of memory");
}

/* ---- the run */

static void
pipit_open_run(struct run *run)
{
        const struct options *options = run->options;
        const struct workload *workload = run->workload;
        struct state *state = calloc(1, sizeof *state);

        if (state == NULL)
                run_fail(run, "start", "out of memory");
        run->state = state;
        state->base = event_base_new();
        if (workload->statements[0]->call == CALL_CONNECT)
                return;
        state->db = open_database(state->base, options->url, options->connections);
        set_coalesce(state->db, !workload->single_gets);
        set_group_writes(state->db, workload->group_writes);
}

/* It ends by itself when the database was closed. */
static void
pipit_loop(struct run *run)
{
        struct state *state = run->state;

        event_base_dispatch(state->base);
        if (run->active > 0)
                run_fail(run, "loop", "it ended before the tasks did");
}

static void
pipit_close_run(struct run *run)
{
        struct state *state = run->state;

        event_base_free(state->base);
        free(state);
}

const struct subject subject_pipit = {.name = "pipit",
                                      .open = pipit_open_run,
                                      .ask = pipit_ask,
                                      .loop = pipit_loop,
                                      .close = pipit_close_run};
