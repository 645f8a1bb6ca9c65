/*
 * Transactions whose backend is lost: what became of them is told, at each point of their life.
 */
#include "bank.h"
#include "proxied.h"

/* A server of the test's own behind the fault proxy, and accounts in it. */
static void
fault_setup(void)
{
        struct pipit_options options = {.max_connections = 1, .timeout_ms = 10000};

        proxied_setup(&options);
        execute("CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL, mark int "
                "CONSTRAINT account_unique UNIQUE DEFERRABLE INITIALLY DEFERRED)");
        execute("INSERT INTO account VALUES (1, 100, 1), (2, 0, 2)");
}

/* Ends the backend, and waits until it is gone. */
static void
kill_backend(void)
{
        char sql[100];
        int pid = (int)proxy_backend(proxy, 0);

        snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%d)", pid);
        ck_assert_str_eq(ask_text(cluster.url, sql), "t");
        snprintf(sql, sizeof sql, "SELECT count(*) FROM pg_stat_activity WHERE pid = %d", pid);
        ask_until(cluster.url, sql, 0);
}

static void
expect_lost(const struct pipit_result *res, enum pipit_executed executed)
{
        expect_end(res, PIPIT_ELOST, executed);
}

/* ---- before COMMIT: surely rolled back */

static void
run_killed(struct pipit *scope, void *arg)
{
        kill_backend();
        run_script(scope, arg);
}

START_TEST(a_backend_that_is_killed_before_the_first_statement_rolls_back)
{
        struct script script = {.sql = {TAKE, GIVE}};

        ck_assert_uint_ne(pipit_atomic(live_db, run_killed, on_call, &script), 0);
        expect_lost(answer(&script.done), PIPIT_EXECUTED_ROLLED_BACK);
        ck_assert_int_eq(script.calls[0].n, 1);
        ck_assert_int_eq(pipit_result_error(script.calls[0].last)->code, PIPIT_ELOST);
        ck_assert_int_eq(script.calls[1].n, 1);
        ck_assert_int_eq(script.n_bodies, 1);
        expect_balances("100,0");
}
END_TEST

/* Cuts while a segment is out; a statement behind COMMIT's has no such cut. */
static const char *const early_cuts[] = {
        "connection=any,type=C,n=1,do=rst",    "connection=any,type=C,n=2,do=rst",
        "connection=any,type=C,n=3,do=fin",    "connection=any,type=Z,n=1,do=rst",
        "to=server,connection=any,n=1,do=rst", "to=server,connection=any,type=S,n=1,do=fin",
};

START_TEST(a_link_that_is_cut_in_the_segment_of_begin_rolls_back)
{
        struct script script = {.sql = {TAKE, GIVE}};

        rule(early_cuts[_i]);
        start_atomic(live_db, NULL, &script);
        expect_lost(answer(&script.done), PIPIT_EXECUTED_ROLLED_BACK);
        ck_assert_int_gt(proxy_n_acted_all(proxy), 0);
        for (int i = 0; i < 2; i++) {
                ck_assert_int_eq(script.calls[i].n, 1);
                if (pipit_failed(script.calls[i].last)) /* it was not answered in time */
                        expect_lost(script.calls[i].last, PIPIT_EXECUTED_ROLLED_BACK);
        }
        proxy_clear(proxy);
        expect_balances("100,0");
}
END_TEST

START_TEST(a_backend_that_is_killed_between_statements_rolls_back)
{
        struct calls calls[2] = {{0}};
        struct calls end = {0};
        struct pipit *tx = begin_on(live_db);

        expect_ok(run_on(tx, TAKE));
        kill_backend();
        if (_i == 0)
                loop_for(20); /* it is noticed */
        ask_on(tx, GIVE, &calls[0]);
        ck_assert_uint_ne(
                _i < 2 ? pipit_commit(tx, on_call, &end) : pipit_rollback(tx, on_call, &end), 0);
        loop_until(&end.n, 1);
        ck_assert(pipit_failed(answer(&calls[0])));
        if (_i < 2)
                expect_lost(end.last, PIPIT_EXECUTED_ROLLED_BACK);
        else
                expect_ok(end.last);
        expect_balances("100,0");
}
END_TEST

START_TEST(a_lost_transaction_takes_all_that_is_nested_in_it_along)
{
        struct calls calls[3] = {{0}};
        struct pipit *scopes[3];

        for (int i = 0; i < 3; i++) {
                scopes[i] = begin_on(i == 0 ? live_db : scopes[i - 1]);
                ask_on(scopes[i], TAKE, &calls[i]);
        }
        loop_until(&calls[2].n, 1);
        kill_backend();
        for (int i = 2; i >= 0; i--) {
                ck_assert_int_eq(pipit_result_error(run_on(scopes[i], GIVE))->code, PIPIT_ELOST);
                expect_lost(commit(scopes[i]), PIPIT_EXECUTED_ROLLED_BACK);
        }
        expect_balances("100,0");
}
END_TEST

START_TEST(what_is_started_on_a_lost_transaction_never_runs_elsewhere)
{
        struct pipit *tx = begin_on(live_db);

        expect_ok(run_on(tx, TAKE));
        kill_backend();
        ck_assert(pipit_failed(run_on(tx, GIVE)));
        expect_lost(run_on(tx, GIVE), PIPIT_EXECUTED_NO);
        execute("SELECT 1");
        expect_lost(run_on(tx, GIVE), PIPIT_EXECUTED_NO);
        pipit_close(tx);
        expect_balances("100,0");
}
END_TEST

/* ---- COMMIT is out: unknown */

static void
run_counted(struct pipit *scope, void *arg)
{
        /* What comes next on this link is COMMIT and its answer. */
        static const char *const cuts[] = {
                "connection=any,type=C,n=1,do=rst", "connection=any,type=Z,n=1,do=rst",
                "to=server,connection=any,n=1,do=rst", "to=server,connection=any,n=1,do=drop"};
        struct script *script = arg;

        run_script(scope, arg);
        script->sql[SCRIPT_MAX - 1] = cuts[script->attempts[SCRIPT_MAX - 1]];
}

/* The last statement's callback: COMMIT is what is sent behind it. */
static void
on_last(struct pipit_result *res, void *arg)
{
        expect_ok(res);
        rule(((const struct script *)arg)->sql[SCRIPT_MAX - 1]);
}

static void
run_to_commit(struct pipit *scope, void *arg)
{
        run_counted(scope, arg);
        ck_assert_uint_ne(pipit_query(scope, GIVE, PIPIT_NO_PARAMS, on_last, arg), 0);
}

START_TEST(a_link_that_is_lost_while_commit_is_out_leaves_it_unknown)
{
        struct script script = {.sql = {TAKE}};
        struct pipit_transaction options = {.timeout_ms = _i == 3 ? 300 : 0};

        script.attempts[SCRIPT_MAX - 1] = _i;
        ck_assert_uint_ne(pipit_atomic_with(live_db, &options, run_to_commit, on_call, &script), 0);
        expect_end(answer(&script.done), _i == 3 ? PIPIT_ETIMEDOUT : PIPIT_ELOST,
                   PIPIT_EXECUTED_UNKNOWN);
        ck_assert_int_eq(script.n_bodies, 1);
        expect_ok(script.calls[0].last);
        proxy_clear(proxy);
        ck_assert_int_eq(ask(cluster.url, "SELECT sum(balance) FROM account"), 100);
        ask_until(cluster.url, "SELECT count(*) FROM account WHERE id = 1 AND balance IN (90, 100)",
                  1);
        execute("SELECT 1");
}
END_TEST

START_TEST(an_early_commit_whose_answer_is_lost_is_unknown)
{
        static const char *const cuts[] = {"connection=any,type=C,n=1,do=rst",
                                           "connection=any,type=C,n=4,do=rst",
                                           "connection=any,type=Z,n=1,do=fin"};
        struct pipit_transaction options = {.commit_early = true};
        struct script script = {.sql = {TAKE, GIVE}};

        rule(cuts[_i]);
        expect_end(atomic_with(&options, &script), PIPIT_ELOST, PIPIT_EXECUTED_UNKNOWN);
        ck_assert_int_eq(script.n_bodies, 1);
        proxy_clear(proxy);
        ck_assert_int_eq(ask(cluster.url, "SELECT sum(balance) FROM account"), 100);
}
END_TEST

/* ---- how much travels */

/* Syncs that go to the server from now on. */
static void
count_syncs(void)
{
        rule("to=server,connection=any,type=S,n=0,do=delay,k=0");
}

static int
syncs(void)
{
        return (int)proxy_n_acted(proxy, PROXY_DELAY);
}

START_TEST(an_early_commit_is_one_round_trip_and_another_transaction_two)
{
        struct pipit_transaction options = {.commit_early = _i == 0};
        struct script script = {.sql = {TAKE, GIVE, TAKE, GIVE}};

        execute("SELECT 1");
        count_syncs();
        expect_ok(atomic_with(&options, &script));
        ck_assert_int_eq(syncs(), _i == 0 ? 1 : 2);
        expect_balances("80,20");
}
END_TEST

START_TEST(a_transaction_that_fails_costs_one_rollback)
{
        struct pipit_transaction options = {.commit_early = _i == 0};
        struct script script = {.sql = {TAKE, FAIL, GIVE}};

        execute("SELECT 1");
        count_syncs();
        expect_error(atomic_with(&options, &script), PIPIT_ESERVER, "22012");
        expect_balances("100,0");
        ck_assert_int_eq(syncs(), 3);
}
END_TEST

START_TEST(a_body_that_starts_nothing_sends_nothing)
{
        struct script script = {.n_bodies = 0};

        execute("SELECT 1");
        count_syncs();
        expect_ok(atomic_on(live_db, &script));
        struct pipit *tx = begin_on(live_db);
        expect_ok(commit(tx));
        expect_ok(roll_back(begin_on(live_db)));
        ck_assert_int_eq(syncs(), 0);
        execute("SELECT 1");
        ck_assert_int_eq(syncs(), 1);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("transaction_fault");
        TCase *tcase = tcase_create("transaction_fault");

        tcase_add_checked_fixture(tcase, fault_setup, proxied_teardown);
        tcase_add_test(tcase, a_backend_that_is_killed_before_the_first_statement_rolls_back);
        tcase_add_loop_test(tcase, a_link_that_is_cut_in_the_segment_of_begin_rolls_back, 0, 6);
        tcase_add_loop_test(tcase, a_backend_that_is_killed_between_statements_rolls_back, 0, 3);
        tcase_add_test(tcase, a_lost_transaction_takes_all_that_is_nested_in_it_along);
        tcase_add_test(tcase, what_is_started_on_a_lost_transaction_never_runs_elsewhere);
        tcase_add_loop_test(tcase, a_link_that_is_lost_while_commit_is_out_leaves_it_unknown, 0, 4);
        tcase_add_loop_test(tcase, an_early_commit_whose_answer_is_lost_is_unknown, 0, 3);
        tcase_add_loop_test(tcase, an_early_commit_is_one_round_trip_and_another_transaction_two, 0,
                            2);
        tcase_add_loop_test(tcase, a_transaction_that_fails_costs_one_rollback, 0, 2);
        tcase_add_test(tcase, a_body_that_starts_nothing_sends_nothing);
        suite_add_tcase(suite, tcase);
        return suite;
}
