/*
 * Test scopes: everything that runs on them is gone behind them, and code under test cannot tell.
 */
#include "bank.h"

#define NOTE(FIELD)                                                                                \
        FIELD(serial, id, .primary_key = true)                                                     \
        FIELD(varchar, key, .max_length = 40, .unique = true)
PIPIT_MODEL(note, NOTE);
PIPIT_MODEL_DEFINE(note, NOTE);

static struct pipit *scope;

static void
scope_setup(void)
{
        bank_setup();
        execute("CREATE TABLE note (id serial PRIMARY KEY, key varchar(40) UNIQUE NOT NULL)");
        scope = pipit_test_scope(live_db);
        ck_assert_ptr_nonnull(scope);
}

static void
scope_teardown(void)
{
        pipit_close(scope);
        scope = NULL;
        bank_teardown();
}

static void
close_scope(void)
{
        pipit_close(scope);
        scope = NULL;
}

START_TEST(everything_is_rolled_back_when_it_is_closed)
{
        struct script script = {.sql = {TAKE, GIVE}};

        expect_ok(run_on(scope, TAKE));
        expect_ok(atomic_on(scope, &script));
        struct pipit *tx = begin_on(scope);
        expect_ok(run_on(tx, GIVE));
        expect_ok(commit(tx));
        ck_assert_str_eq(value_on(scope, "SELECT string_agg(balance::text, ',' ORDER BY id)"
                                         " FROM account"),
                         "80,20");
        close_scope();
        expect_balances("100,0");
}
END_TEST

START_TEST(an_error_harms_no_other_statement)
{
        struct calls calls[5] = {{0}};
        static const char *const sql[] = {TAKE, FAIL, "INSERT INTO account VALUES (1, 0, 3)",
                                          "SELEC", TAKE};

        for (int i = 0; i < 5; i++)
                ask_on(scope, sql[i], &calls[i]);
        for (int i = 0; i < 5; i++)
                ck_assert_int_eq(pipit_failed(answer(&calls[i])), i > 0 && i < 4);
        ck_assert_str_eq(value_on(scope, "SELECT balance::text FROM account WHERE id = 1"), "80");
}
END_TEST

START_TEST(a_transaction_in_it_fails_by_itself)
{
        struct script script = {.sql = {TAKE, FAIL}};

        expect_ok(run_on(scope, GIVE));
        expect_error(atomic_on(scope, &script), PIPIT_ESERVER, "22012");
        struct pipit *tx = begin_on(scope);
        expect_ok(run_on(tx, GIVE));
        expect_ok(roll_back(tx));
        ck_assert_str_eq(value_on(scope, "SELECT string_agg(balance::text, ',' ORDER BY id)"
                                         " FROM account"),
                         "100,10");
}
END_TEST

START_TEST(a_cancelled_statement_harms_no_other)
{
        struct calls calls = {0};

        expect_ok(run_on(scope, TAKE));
        pipit_request request = ask_on(scope, SLEEP, &calls);
        if (_i == 1)
                loop_for(20);
        if (_i == 2)
                pipit_set_timeout(scope, request, 20);
        else
                pipit_cancel(scope, request);
        expect_error(answer(&calls), _i == 2 ? PIPIT_ETIMEDOUT : PIPIT_ECANCELED, "");
        ck_assert_str_eq(value_on(scope, "SELECT balance::text FROM account WHERE id = 1"), "90");
}
END_TEST

START_TEST(deferred_constraints_are_not_checked_and_now_stands_still)
{
        expect_ok(run_on(scope, "UPDATE account SET mark = 2"));
        const char *then = value_on(scope, "SELECT now()");
        loop_for(5);
        ck_assert_str_eq(value_on(scope, "SELECT now()"), then);
}
END_TEST

START_TEST(rows_are_created_found_saved_and_deleted_in_it)
{
        struct calls calls = {0};
        struct note note = {.key = "a"};

        ck_assert_uint_ne(note_create(scope, &note, on_call, &calls), 0);
        expect_ok(answer(&calls));
        calls.n = 0;
        ck_assert_uint_ne(note_create(scope, &note, on_call, &calls), 0);
        expect_error(answer(&calls), PIPIT_ESERVER, "23505");
        calls.n = 0;
        note_get(scope, pipit_eq(note_model.key, "a"), on_call, &calls);
        expect_ok(answer(&calls));
        ck_assert_str_eq(note_row(calls.last, 0)->key, "a");
        close_scope();
        calls.n = 0;
        note_get(live_db, pipit_eq(note_model.key, "a"), on_call, &calls);
        expect_error(answer(&calls), PIPIT_ENOTFOUND, "");
}
END_TEST

START_TEST(it_has_no_deadline_and_its_statements_have)
{
        struct calls calls = {0};

        close_scope();
        bank_reopen((struct pipit_options){.max_connections = 1, .timeout_ms = 100});
        scope = pipit_test_scope(live_db);
        expect_ok(run_on(scope, TAKE));
        loop_for(120);
        expect_ok(run_on(scope, TAKE));
        ask_on(scope, SLEEP, &calls);
        expect_error(answer(&calls), PIPIT_ETIMEDOUT, "");
        ck_assert_str_eq(value_on(scope, "SELECT balance::text FROM account WHERE id = 1"), "80");
}
END_TEST

START_TEST(it_takes_no_commit_and_is_opened_on_databases_only)
{
        struct calls calls = {0};
        struct pipit *nested = pipit_test_scope(scope);

        expect_error(run_on(nested, "SELECT 1"), PIPIT_EINVAL, "");
        pipit_close(nested);
        ck_assert_uint_ne(pipit_commit(scope, on_call, &calls), 0);
        expect_executed(answer(&calls), PIPIT_EINVAL, PIPIT_EXECUTED_NO);
        ck_assert_int_eq(pipit_attempt(scope), 0);
}
END_TEST

START_TEST(it_works_on_a_blocking_scope)
{
        pipit_set_allow_sync(live_db, true);
        struct pipit *sync = pipit_allow_sync(live_db);
        struct pipit *blocked = pipit_test_scope(sync);
        struct pipit_params none = PIPIT_NO_PARAMS;

        ck_assert(pipit_failed(pipit_wait(sync, pipit_query(blocked, FAIL, none, NULL, NULL))));
        expect_ok(pipit_wait(sync, pipit_query(blocked, TAKE, none, NULL, NULL)));
        if (_i == 0)
                pipit_close(blocked);
        pipit_close(sync);
        close_scope();
        expect_balances("100,0");
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("test_scope");
        TCase *tcase = tcase_create("test_scope");

        tcase_add_checked_fixture(tcase, scope_setup, scope_teardown);
        tcase_add_test(tcase, everything_is_rolled_back_when_it_is_closed);
        tcase_add_test(tcase, an_error_harms_no_other_statement);
        tcase_add_test(tcase, a_transaction_in_it_fails_by_itself);
        tcase_add_loop_test(tcase, a_cancelled_statement_harms_no_other, 0, 3);
        tcase_add_test(tcase, deferred_constraints_are_not_checked_and_now_stands_still);
        tcase_add_test(tcase, rows_are_created_found_saved_and_deleted_in_it);
        tcase_add_test(tcase, it_has_no_deadline_and_its_statements_have);
        tcase_add_test(tcase, it_takes_no_commit_and_is_opened_on_databases_only);
        tcase_add_loop_test(tcase, it_works_on_a_blocking_scope, 0, 2);
        suite_add_tcase(suite, tcase);
        return suite;
}
