/*
 * Transactions: what commits, what rolls back, and who is told.
 */
#include "scripts.h"

static pipit_request noted;

/* The same as run_script(), and keeps the number of the first statement. */
static void
note_script(struct pipit *scope, void *arg)
{
        struct script *script = arg;

        script->scope = scope;
        script->n_bodies++;
        noted = ask_on(scope, script->sql[0], &script->calls[0]);
        ask_on(scope, script->sql[1], &script->calls[1]);
}

START_TEST(a_transaction_commits_when_nothing_is_outstanding_on_it)
{
        struct script script = {.sql = {TAKE, GIVE}};

        expect_ok(atomic_on(live_db, &script));
        ck_assert_int_eq(pipit_result_attempts(script.done.last), 1);
        ck_assert_ptr_eq(pipit_result_scope(script.done.last), live_db);
        expect_ok(script.calls[0].last);
        expect_ok(script.calls[1].last);
        expect_balances("90,10");
}
END_TEST

START_TEST(an_error_dooms_the_transaction_and_its_cause_is_told)
{
        struct script script = {.sql = {TAKE, FAIL, GIVE}};

        expect_error(atomic_on(live_db, &script), PIPIT_ESERVER, "22012");
        ck_assert_int_eq(pipit_result_error(script.done.last)->executed,
                         PIPIT_EXECUTED_ROLLED_BACK);
        expect_ok(script.calls[0].last);
        expect_error(script.calls[1].last, PIPIT_ESERVER, "22012");
        expect_executed(script.calls[2].last, PIPIT_EROLLBACK, PIPIT_EXECUTED_ROLLED_BACK);
        expect_balances("100,0");
}
END_TEST

START_TEST(a_deferred_constraint_fails_the_commit)
{
        struct script script = {.sql = {TAKE, "UPDATE account SET mark = 2"}};

        expect_error(atomic_on(live_db, &script), PIPIT_ESERVER, "23505");
        expect_ok(script.calls[1].last);
        expect_balances("100,0");
}
END_TEST

START_TEST(a_transaction_by_hand_commits_and_rolls_back)
{
        struct calls calls = {0};
        struct calls end = {0};
        struct pipit *tx = pipit_begin(live_db, NULL);

        ask_on(tx, TAKE, &calls);
        ck_assert_uint_ne(
                _i == 0 ? pipit_commit(tx, on_call, &end) : pipit_rollback(tx, on_call, &end), 0);
        expect_ok(answer(&end));
        if (_i == 0)
                expect_ok(calls.last);
        else
                expect_executed(calls.last, PIPIT_EROLLBACK, PIPIT_EXECUTED_NO);
        expect_balances(_i == 0 ? "90,0" : "100,0");
}
END_TEST

START_TEST(a_commit_that_travels_along_leaves_no_open_transaction_behind)
{
        static const struct pipit_transaction early = {.commit_early = true};
        struct script script = {.sql = {TAKE, FAIL, GIVE}};

        live_reopen(&(struct pipit_options){.max_connections = 1});
        pipit_atomic_with(live_db, &early, run_script, on_call, &script);
        expect_error(answer(&script.done), PIPIT_ESERVER, "22012");
        /* Behind a transaction that is open there and has failed, this would fail too. */
        expect_balances("100,0");
}
END_TEST

START_TEST(a_raw_commit_in_a_body_is_refused_and_nothing_behind_it_is_reported_committed)
{
        struct script script = {.sql = {TAKE, "COMMIT", GIVE}};

        struct pipit_result *res = atomic_on(live_db, &script);
        ck_assert(pipit_failed(res));
        expect_ok(script.calls[0].last);
        expect_executed(script.calls[1].last, PIPIT_EUNSHARED, PIPIT_EXECUTED_UNKNOWN);
        ck_assert(pipit_failed(script.calls[2].last));
}
END_TEST

START_TEST(a_statement_that_is_given_up_while_commit_travels_with_it_is_unknown)
{
        struct pipit_transaction early = {.commit_early = true};
        struct script script = {.sql = {TAKE, GIVE}};

        ck_assert_uint_ne(pipit_atomic_with(live_db, &early, note_script, on_call, &script), 0);
        loop_until(&script.n_bodies, 1);
        pipit_cancel(script.scope, noted);
        struct pipit_result *res = answer(&script.done);
        expect_executed(script.calls[0].last, PIPIT_ECANCELED, PIPIT_EXECUTED_UNKNOWN);
        expect_balances(pipit_failed(res) ? "100,0" : "90,10");
}
END_TEST

/* A transaction with another in its middle. */
struct nested {
        struct calls done;
        struct calls before;
        struct calls after;
        struct script inner;
};

static void
run_nested(struct pipit *tx, void *arg)
{
        struct nested *nested = arg;

        ask_on(tx, TAKE, &nested->before);
        ck_assert_uint_ne(pipit_atomic(tx, run_script, on_call, &nested->inner), 0);
        ask_on(tx, GIVE, &nested->after);
}

START_TEST(a_nested_transaction_that_fails_leaves_the_outer_one_to_go_on)
{
        struct nested nested = {.inner = {.sql = {TAKE, FAIL}}};

        ck_assert_uint_ne(pipit_atomic(live_db, run_nested, on_call, &nested), 0);
        expect_ok(answer(&nested.done));
        expect_error(nested.inner.done.last, PIPIT_ESERVER, "22012");
        expect_ok(nested.after.last);
        expect_balances("90,10");
}
END_TEST

START_TEST(a_nested_transaction_that_succeeds_is_committed_with_the_outer_one)
{
        struct nested nested = {.inner = {.sql = {TAKE, GIVE}}};

        ck_assert_uint_ne(pipit_atomic(live_db, run_nested, on_call, &nested), 0);
        expect_ok(answer(&nested.done));
        expect_ok(nested.inner.done.last);
        expect_balances("80,20");
}
END_TEST

START_TEST(a_transaction_on_a_session_that_is_in_one_of_plain_sql_is_refused)
{
        struct script script = {.sql = {GIVE}};
        struct pipit *session = pipit_session_open(live_db);

        expect_ok(query_on(session, "BEGIN", PIPIT_NO_PARAMS));
        expect_ok(query_on(session, TAKE, PIPIT_NO_PARAMS));
        expect_executed(atomic_on(session, &script), PIPIT_EINVAL, PIPIT_EXECUTED_NO);
        ck_assert_int_eq(script.n_bodies, 0);
        expect_ok(query_on(session, "ROLLBACK", PIPIT_NO_PARAMS));
        pipit_close(session);
        expect_balances("100,0");
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("transaction");
        TCase *tcase = tcase_create("transaction");

        tcase_add_checked_fixture(tcase, accounts_setup, accounts_teardown);
        tcase_add_test(tcase, a_transaction_commits_when_nothing_is_outstanding_on_it);
        tcase_add_test(tcase, a_statement_that_is_given_up_while_commit_travels_with_it_is_unknown);
        tcase_add_test(tcase, an_error_dooms_the_transaction_and_its_cause_is_told);
        tcase_add_test(tcase, a_deferred_constraint_fails_the_commit);
        tcase_add_test(tcase, a_commit_that_travels_along_leaves_no_open_transaction_behind);
        tcase_add_test(
                tcase,
                a_raw_commit_in_a_body_is_refused_and_nothing_behind_it_is_reported_committed);
        tcase_add_loop_test(tcase, a_transaction_by_hand_commits_and_rolls_back, 0, 2);
        tcase_add_test(tcase, a_nested_transaction_that_fails_leaves_the_outer_one_to_go_on);
        tcase_add_test(tcase, a_nested_transaction_that_succeeds_is_committed_with_the_outer_one);
        tcase_add_test(tcase, a_transaction_on_a_session_that_is_in_one_of_plain_sql_is_refused);
        suite_add_tcase(suite, tcase);
        return suite;
}
