/*
 * What the tests of sessions and transactions share: a table of accounts, and bodies that run some
 * statements.
 */
#ifndef TEST_LIVE_SCRIPTS_H
#define TEST_LIVE_SCRIPTS_H

#include <pipit/transaction.h>

#include "live.h"

#define SCRIPT_MAX 8

/* What a body runs, and what became of it. */
struct script {
        struct calls done;           /* first: body and done callback have one argument */
        const char *sql[SCRIPT_MAX]; /* up to the first NULL */
        struct calls calls[SCRIPT_MAX];
        struct pipit *scope; /* that the body ran on */
        int n_bodies;
        int attempts[SCRIPT_MAX]; /* what pipit_attempt() said, in each run */
};

/* A body; its argument is a script. */
static inline void
run_script(struct pipit *scope, void *arg)
{
        struct script *script = arg;

        script->scope = scope;
        if (script->n_bodies < SCRIPT_MAX)
                script->attempts[script->n_bodies] = pipit_attempt(scope);
        script->n_bodies++;
        for (int i = 0; i < SCRIPT_MAX && script->sql[i] != NULL; i++)
                ask_on(scope, script->sql[i], &script->calls[i]);
}

/* Runs a script in a transaction, and gives what its done callback got. */
static inline struct pipit_result *
atomic_on(struct pipit *scope, struct script *script)
{
        ck_assert_uint_ne(pipit_atomic(scope, run_script, on_call, script), 0);
        ck_assert_int_eq(script->n_bodies, 0);
        return answer(&script->done);
}

/* Fixtures: account has 100 in 1 and nothing in 2, never less than nothing, and account_unique is
 * checked at COMMIT. */
static inline void
accounts_setup(void)
{
        live_setup();
        execute("DROP TABLE IF EXISTS account");
        execute("CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL, mark int, "
                "CONSTRAINT account_positive CHECK (balance >= 0), "
                "CONSTRAINT account_unique UNIQUE (mark) DEFERRABLE INITIALLY DEFERRED)");
        execute("INSERT INTO account VALUES (1, 100, 1), (2, 0, 2)");
}

static inline void
accounts_teardown(void)
{
        live_teardown();
        live_setup();
        execute("DROP TABLE account");
        live_teardown();
}

/* The balances in the order of their ids, as seen from outside. */
static inline void
expect_balances(const char *balances)
{
        struct pipit_result *res = query(
                "SELECT string_agg(balance::text, ',' ORDER BY id) FROM account", PIPIT_NO_PARAMS);

        expect_text(res, 0, 0, balances);
}

#define TAKE "UPDATE account SET balance = balance - 10 WHERE id = 1"
#define GIVE "UPDATE account SET balance = balance + 10 WHERE id = 2"
#define FAIL "SELECT 1 / 0"

#endif
