/*
 * What the counterparts of the seed's tests share: its models, a database like that of its own
 * tests, and a body with another in its middle.
 */
#ifndef TEST_LIVE_SEED_H
#define TEST_LIVE_SEED_H

#include <stdio.h>
#include <unistd.h>

#include "scripts.h"

#define TESTMODEL(FIELD)                                                                           \
        FIELD(serial, id, .primary_key = true)                                                     \
        FIELD(varchar, text, .max_length = 100, .unique = true)                                    \
        FIELD(text, data, .default_sql = "''")
PIPIT_MODEL(testmodel, TESTMODEL);
PIPIT_MODEL_DEFINE(testmodel, TESTMODEL);

#define COMPOSITETESTMODEL(FIELD)                                                                  \
        FIELD(integer, task_id, .primary_key = true)                                               \
        FIELD(varchar, product_type, .primary_key = true, .max_length = 20)
PIPIT_MODEL(compositetestmodel, COMPOSITETESTMODEL);
PIPIT_MODEL_DEFINE(compositetestmodel, COMPOSITETESTMODEL);

/* It has no primary key. */
#define INTEGERTESTMODEL(FIELD) FIELD(integer, num)
PIPIT_MODEL(integertestmodel, INTEGERTESTMODEL);
PIPIT_MODEL_DEFINE(integertestmodel, INTEGERTESTMODEL);

#define SEED_CONNECTIONS 3
#define FOO              "INSERT INTO testmodel (text) VALUES ('FOO')"
#define BAR              "INSERT INTO testmodel (text) VALUES ('BAR')"
#define COUNT            "SELECT count(*) FROM testmodel"

/* Of the database: its tables are in a schema of their own. */
static char seed_path[40];
static struct pipit_options seed_options;

static inline struct pipit_result *
seed_done(pipit_request request, struct calls *calls)
{
        ck_assert_uint_ne(request, 0);
        ck_assert_int_eq(calls->n, 0);
        return answer(calls);
}

static inline void
seed_create_table(const struct pipit_model *model)
{
        struct calls calls = {0};

        expect_ok(seed_done(pipit_record_create_table(live_db, model, 0, on_call, &calls), &calls));
}

/* Fixtures. */
static inline void
seed_setup(void)
{
        live_schema_setup();
        snprintf(seed_path, sizeof seed_path, "pipit_%d", (int)getpid());
        seed_options = (struct pipit_options){.search_path = seed_path,
                                              .max_connections = SEED_CONNECTIONS,
                                              .acquire_timeout_ms = 10000};
        live_reopen(&seed_options);
        seed_create_table(&testmodel_model.model);
        seed_create_table(&compositetestmodel_model.model);
        seed_create_table(&integertestmodel_model.model);
}

static inline void
seed_teardown(void)
{
        live_schema_teardown();
}

/* What a statement without parameters gives, as seen from outside. */
static inline void
expect_sql(const char *sql, const char *text)
{
        expect_text(query(sql, PIPIT_NO_PARAMS), 0, 0, text);
}

/* Every connection that live_db may have can be had, and is in no transaction. */
static inline void
expect_nothing_acquired(int max_connections)
{
        struct pipit *sessions[SEED_CONNECTIONS];
        struct calls calls[SEED_CONNECTIONS] = {0};

        ck_assert_int_le(max_connections, SEED_CONNECTIONS);
        for (int i = 0; i < max_connections; i++) {
                sessions[i] = pipit_session_open(live_db);
                ask_on(sessions[i],
                       "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid()"
                       " AND mode = 'RowExclusiveLock'",
                       &calls[i]);
        }
        for (int i = 0; i < max_connections; i++)
                expect_text(answer(&calls[i]), 0, 0, "0");
        for (int i = 0; i < max_connections; i++)
                pipit_close(sessions[i]);
}

/* A row that is there before the test begins. */
static inline void
seed_foo(void)
{
        struct calls calls = {0};
        struct testmodel row = {.text = "FOO"};

        expect_ok(seed_done(testmodel_create(live_db, &row, on_call, &calls), &calls));
}

/* A body that runs a statement, a script in a nested transaction, and a statement behind it; what
 * is NULL is left out. */
struct nesting {
        struct calls done; /* first: body and done callback have one argument */
        const char *before;
        const char *after;
        struct calls calls[2];
        struct script inner;
};

static inline void
run_nesting(struct pipit *tx, void *arg)
{
        struct nesting *nesting = arg;

        if (nesting->before != NULL)
                ask_on(tx, nesting->before, &nesting->calls[0]);
        ck_assert_uint_ne(pipit_atomic(tx, run_script, on_call, &nesting->inner), 0);
        if (nesting->after != NULL)
                ask_on(tx, nesting->after, &nesting->calls[1]);
}

/* Ends a transaction that was begun by hand. */
static inline struct pipit_result *
committed(struct pipit *tx)
{
        struct calls calls = {0};

        return seed_done(pipit_commit(tx, on_call, &calls), &calls);
}

static inline struct pipit_result *
rolled_back(struct pipit *tx)
{
        struct calls calls = {0};

        return seed_done(pipit_rollback(tx, on_call, &calls), &calls);
}

#endif
