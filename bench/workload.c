#include "workload.h"

#include <libpq-fe.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "run.h"

#define N_KEYS 10000
/* TechEmpower's "updates" at its largest. */
#define N_UPDATES 20
#define N_CHAIN   100
/* Of so many tasks of "mixed" one uses a statement that nobody has used before. */
#define FRESH_EVERY 1000
#define SLOW_EVERY  100

static const struct statement point = {.name = "point",
                                       .sql = "SELECT id, value FROM bench_read WHERE id = $1",
                                       .call = CALL_READ,
                                       .n_params = 1,
                                       .returns = true};

static const struct statement get = {.name = "get",
                                     .sql = "SELECT id, value FROM bench_read WHERE id = $1",
                                     .call = CALL_GET,
                                     .n_params = 1,
                                     .returns = true};

static const struct statement all_rows = {.name = "rows",
                                          .sql = "SELECT id, value FROM bench_rows",
                                          .call = CALL_READ,
                                          .n_params = 0,
                                          .returns = true};

static const struct statement insert = {.name = "insert",
                                        .sql = "INSERT INTO bench_write (value) VALUES ($1)",
                                        .call = CALL_QUERY,
                                        .n_params = 1,
                                        .writes = true};

static const struct statement create = {
        .name = "create",
        .sql = "INSERT INTO bench_write (value) VALUES ($1) RETURNING id, value",
        .call = CALL_CREATE,
        .n_params = 1,
        .returns = true,
        .writes = true};

static const struct statement update_read = {
        .name = "update_read",
        .sql = "SELECT id, value FROM bench_update WHERE id = $1",
        .call = CALL_READ,
        .n_params = 1,
        .returns = true};

static const struct statement update_write = {
        .name = "update_write",
        .sql = "UPDATE bench_update SET value = $2 WHERE id = $1",
        .call = CALL_QUERY,
        .n_params = 2,
        .writes = true,
        .alone = true};

static const struct statement mixed = {
        .name = "mixed",
        .sql = "SELECT id, value FROM bench_mixed"
               " WHERE id = $1 AND (pause = 0 OR pg_sleep(pause) IS NOT NULL)",
        .call = CALL_READ,
        .n_params = 1,
        .returns = true};

static const struct statement hello = {.name = "hello",
                                       .sql = "SELECT id, value FROM bench_read WHERE id = $1",
                                       .call = CALL_CONNECT,
                                       .n_params = 1,
                                       .returns = true};

/* Floors prepare BEGIN and COMMIT by these names as well. */
static const struct statement transaction = {
        .name = "transaction",
        .sql = "UPDATE bench_update SET value = $2 WHERE id = $1",
        .call = CALL_TRANSACTION,
        .n_params = 2,
        .writes = true,
        .alone = true};
static const struct statement begin = {.name = "begin", .sql = "BEGIN"};
static const struct statement commit = {.name = "commit", .sql = "COMMIT"};

static void
check(const struct ask *ask, bool right)
{
        if (!right)
                run_fail(ask->task->run, ask->statement->name, "a wrong answer");
}

/* In all tables that are only read, a value is seven times its key. */
static void
check_point(const struct ask *ask)
{
        check(ask, ask->n_rows == 1 && ask->row.id == ask->values[0] &&
                           ask->row.value == ask->row.id * 7);
}

static void
begin_point(struct task *task)
{
        task_ask(task, 0, task->run->workload->statements[0], run_random(task->run, N_KEYS), 0);
}

static void
answered_point(struct ask *ask, const struct pair *rows)
{
        (void)rows;
        check_point(ask);
        task_end(ask->task);
}

static void
answered_insert(struct ask *ask, const struct pair *rows)
{
        (void)rows;
        check(ask, ask->n_rows == 1);
        task_end(ask->task);
}

static void
answered_create(struct ask *ask, const struct pair *rows)
{
        (void)rows;
        check(ask, ask->n_rows == 1 && ask->row.id > 0 && ask->row.value == ask->values[0]);
        task_end(ask->task);
}

static void
answered_rows(struct ask *ask, const struct pair *rows)
{
        int32_t sum = 0;

        check(ask, ask->n_rows == RUN_MAX_ROWS);
        for (int i = 0; i < RUN_MAX_ROWS; i++)
                sum += rows[i].value - 6 * rows[i].id;
        check(ask, sum == RUN_MAX_ROWS * (RUN_MAX_ROWS + 1) / 2);
        task_end(ask->task);
}

static void
begin_update(struct task *task)
{
        for (int i = 0; i < N_UPDATES; i++)
                task_ask(task, i, &update_read, run_random(task->run, N_KEYS), 0);
}

static void
answered_update(struct ask *ask, const struct pair *rows)
{
        struct task *task = ask->task;

        (void)rows;
        check(ask, ask->n_rows == 1);
        if (ask->statement == &update_read)
                check(ask, ask->row.id == ask->values[0] && ask->row.value >= 1 &&
                                   ask->row.value <= N_KEYS);
        if (task->open > 0)
                return;
        if (task->step++ > 0) {
                task_end(task);
                return;
        }
        for (int i = 0; i < N_UPDATES; i++)
                task_ask(task, i, &update_write, task->asks[i].row.id,
                         run_random(task->run, N_KEYS));
}

/* Two rows that no other task in flight touches: locks are not what is measured. */
static void
begin_transaction(struct task *task)
{
        struct run *run = task->run;
        int in_flight = run->options->in_flight;
        int half = N_KEYS / in_flight / 2;
        int32_t *values = task->asks[0].values;
        int32_t first = 1 + task->place + in_flight * (run_random(run, half) - 1);

        values[2] = 1 + task->place + in_flight * (half + run_random(run, half) - 1);
        values[3] = run_random(run, N_KEYS);
        task_ask(task, 0, run->workload->statements[0], first, run_random(run, N_KEYS));
}

static void
answered_transaction(struct ask *ask, const struct pair *rows)
{
        (void)rows;
        check(ask, ask->n_rows == 2);
        task_end(ask->task);
}

/* The step of a chain is its number of answers; the next key comes from the last value. */
static void
answered_chain(struct ask *ask, const struct pair *rows)
{
        struct task *task = ask->task;

        (void)rows;
        check_point(ask);
        if (++task->step == N_CHAIN)
                task_end(task);
        else
                task_ask(task, 0, &point, 1 + (ask->row.value + task->step) % N_KEYS, 0);
}

/* A key, slow or fast. What is used for the first time is counted apart, as what is slow. */
static void
begin_mixed_key(struct task *task, int32_t key)
{
        struct run *run = task->run;
        bool fresh = run_random(run, FRESH_EVERY) == 1;

        task->apart = fresh || key % SLOW_EVERY == 0;
        task->asks[0].fresh = fresh ? ++run->fresh : 0;
        task_ask(task, 0, &mixed, key, 0);
}

static void
begin_mixed(struct task *task)
{
        begin_mixed_key(task, run_random(task->run, N_KEYS));
}

static void
begin_mixed_base(struct task *task)
{
        int32_t key = run_random(task->run, N_KEYS);

        begin_mixed_key(task, key % SLOW_EVERY == 0 ? key - 1 : key);
}

#define RESET_WRITE                                                                                \
        {                                                                                          \
                "TRUNCATE bench_write RESTART IDENTITY", "CHECKPOINT"                              \
        }

/* One statement a task. */
#define SINGLE .unit = "queries", .units = 1, .queries = 1, .width = 1

static const struct workload workloads[] = {
        {.name = "select",
         SINGLE,
         .statements = {&point},
         .begin = begin_point,
         .answered = answered_point},
        {.name = "get",
         SINGLE,
         .statements = {&get},
         .begin = begin_point,
         .answered = answered_point},
        {.name = "get-single",
         SINGLE,
         .statements = {&get},
         .single_gets = true,
         .begin = begin_point,
         .answered = answered_point},
        {.name = "insert",
         SINGLE,
         .statements = {&insert},
         .reset = RESET_WRITE,
         .begin = begin_point,
         .answered = answered_insert},
        {.name = "insert-grouped",
         SINGLE,
         .statements = {&insert},
         .reset = RESET_WRITE,
         .group_writes = true,
         .begin = begin_point,
         .answered = answered_insert},
        {.name = "create-grouped",
         SINGLE,
         .statements = {&create},
         .reset = RESET_WRITE,
         .group_writes = true,
         .begin = begin_point,
         .answered = answered_create},
        {.name = "rows",
         .unit = "rows",
         .units = RUN_MAX_ROWS,
         .queries = 1,
         .width = 1,
         .statements = {&all_rows},
         .begin = begin_point,
         .answered = answered_rows},
        {.name = "update",
         .unit = "queries",
         .units = 2 * N_UPDATES,
         .queries = 2 * N_UPDATES,
         .width = N_UPDATES,
         .statements = {&update_read, &update_write},
         .reset = {"VACUUM bench_update", "CHECKPOINT"},
         .begin = begin_update,
         .answered = answered_update},
        {.name = "transaction",
         .unit = "transactions",
         .units = 1,
         .queries = 1,
         .width = 1,
         .statements = {&transaction, &begin, &commit},
         .reset = {"VACUUM bench_update", "CHECKPOINT"},
         .begin = begin_transaction,
         .answered = answered_transaction},
        {.name = "mixed",
         SINGLE,
         .statements = {&mixed},
         .begin = begin_mixed,
         .answered = answered_point},
        {.name = "mixed-base",
         SINGLE,
         .statements = {&mixed},
         .begin = begin_mixed_base,
         .answered = answered_point},
        {.name = "chain",
         .unit = "queries",
         .units = N_CHAIN,
         .queries = N_CHAIN,
         .width = 1,
         .statements = {&point},
         .begin = begin_point,
         .answered = answered_chain},
        {.name = "connect",
         .unit = "connects",
         .units = 1,
         .queries = 1,
         .width = 1,
         .statements = {&hello},
         .begin = begin_point,
         .answered = answered_point},
};

void
statement_fresh_sql(const struct statement *statement, uint32_t fresh, char *sql, size_t size)
{
        snprintf(sql, size, "%s AND %u > 0", statement->sql, fresh);
}

const struct workload *
workload_find(const char *name)
{
        for (size_t i = 0; i < sizeof workloads / sizeof workloads[0]; i++) {
                if (strcmp(workloads[i].name, name) == 0)
                        return &workloads[i];
        }
        return NULL;
}

void
workload_reset(const struct workload *workload, const char *url)
{
        if (workload->reset[0] == NULL)
                return;
        PGconn *pq = PQconnectdb(url);
        for (int i = 0; workload->reset[i] != NULL; i++)
                PQclear(PQexec(pq, workload->reset[i]));
        PQfinish(pq);
}
