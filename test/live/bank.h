/*
 * Accounts in a schema of the test's own, so that programs can run at the same time; and verbs for
 * sessions and transactions that are opened by hand.
 */
#ifndef TEST_LIVE_BANK_H
#define TEST_LIVE_BANK_H

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scripts.h"
#include "witness.h"

#define SLEEP "SELECT pg_sleep(600)"
#define PID   "SELECT pg_backend_pid()"
/* Any error that the server has, as the body of a statement. */
#define RAISE(state) "DO 'BEGIN RAISE SQLSTATE ''" state "''; END'"

/* Opens live_db again, with these options; what they do not say is the default. */
static inline void
bank_reopen(struct pipit_options options)
{
        char path[40];

        snprintf(path, sizeof path, "pipit_%d", (int)getpid());
        options.search_path = path;
        live_reopen(&options);
}

/* Fixtures: two accounts, as in scripts.h, and one connection. */
static inline void
bank_setup(void)
{
        live_schema_setup();
        execute("CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL, mark int, "
                "CONSTRAINT account_positive CHECK (balance >= 0), "
                "CONSTRAINT account_unique UNIQUE (mark) DEFERRABLE INITIALLY DEFERRED)");
        execute("INSERT INTO account VALUES (1, 100, 1), (2, 0, 2)");
        bank_reopen((struct pipit_options){.max_connections = 1});
}

/* What was closed in the middle of a statement may be at it still, and hold its locks. */
static inline void
bank_teardown(void)
{
        char sql[400];

        snprintf(sql, sizeof sql,
                 "SET client_min_messages = error; "
                 "SELECT count(pg_terminate_backend(l.pid)) FROM pg_locks l, pg_class c"
                 " WHERE c.oid = l.relation AND c.relnamespace ="
                 " (SELECT oid FROM pg_namespace WHERE nspname = 'pipit_%d')",
                 (int)getpid());
        ask(live_url(), sql);
        live_schema_teardown();
}

static inline struct pipit_result *
run_on(struct pipit *scope, const char *sql)
{
        return query_on(scope, sql, PIPIT_NO_PARAMS);
}

/* The first value; lives until the test's end. */
static inline const char *
value_on(struct pipit *scope, const char *sql)
{
        struct pipit_result *res = run_on(scope, sql);

        expect_ok(res);
        return pipit_result_text(res, 0, 0);
}

static inline struct pipit *
session_on(struct pipit *db)
{
        struct pipit *session = pipit_session_open(db);

        ck_assert_ptr_nonnull(session);
        return session;
}

static inline struct pipit *
begin_on(struct pipit *scope)
{
        struct pipit *tx = pipit_begin(scope, NULL);

        ck_assert_ptr_nonnull(tx);
        return tx;
}

static inline struct pipit_result *
commit(struct pipit *tx)
{
        struct calls calls = {0};

        ck_assert_uint_ne(pipit_commit(tx, on_call, &calls), 0);
        ck_assert_int_eq(calls.n, 0);
        return answer(&calls);
}

static inline struct pipit_result *
roll_back(struct pipit *tx)
{
        struct calls calls = {0};

        ck_assert_uint_ne(pipit_rollback(tx, on_call, &calls), 0);
        ck_assert_int_eq(calls.n, 0);
        return answer(&calls);
}

/* Starts a script's transaction. */
static inline pipit_request
start_atomic(struct pipit *scope, const struct pipit_transaction *options, struct script *script)
{
        pipit_request request = pipit_atomic_with(scope, options, run_script, on_call, script);

        ck_assert_uint_ne(request, 0);
        ck_assert_int_eq(script->n_bodies, 0);
        return request;
}

static inline struct pipit_result *
atomic_with(const struct pipit_transaction *options, struct script *script)
{
        start_atomic(live_db, options, script);
        return answer(&script->done);
}

/* Starts a script on a session. */
static inline pipit_request
start_session(struct pipit *db, struct script *script)
{
        pipit_request request = pipit_session(db, run_script, on_call, script);

        ck_assert_uint_ne(request, 0);
        ck_assert_int_eq(script->n_bodies, 0);
        return request;
}

/* Whether an error says this. */
static inline void
expect_message(const struct pipit_result *res, const char *part)
{
        ck_assert(pipit_failed(res));
        if (strstr(pipit_error_text(res), part) == NULL)
                ck_abort_msg("no '%s' in: %s", part, pipit_error_text(res));
}

/* What became of what failed. */
static inline void
expect_end(const struct pipit_result *res, int code, enum pipit_executed executed)
{
        const struct pipit_error *error = pipit_result_error(res);

        ck_assert_ptr_nonnull(error);
        if (error->code != (enum pipit_code)code || error->executed != executed)
                ck_abort_msg("%s, executed %d: %s", pipit_code_name((int)error->code),
                             (int)error->executed, error->message);
}

#endif
