/*
 * Transactions that are sent without BEGIN and COMMIT, on a real server: nothing of them may differ
 * from others. See also wire_implicit, where it is seen what is sent.
 */
#include "bank.h"

#define MARK "UPDATE account SET mark = 2 WHERE id = 1"

static const struct pipit_transaction early = {.commit_early = true};

static struct pipit_result *
run(struct script *script)
{
        ck_assert_uint_ne(start_atomic(live_db, &early, script), 0);
        return answer(&script->done);
}

/* Has statements be known: they run, and are rolled back. */
static void
know(const struct script *script)
{
        struct pipit *tx = begin_on(live_db);

        for (int i = 0; i < SCRIPT_MAX && script->sql[i] != NULL; i++)
                expect_ok(run_on(tx, script->sql[i]));
        expect_ok(roll_back(tx));
}

static void
setup(void)
{
        bank_setup();
        execute("CREATE PROCEDURE keep() LANGUAGE plpgsql AS 'BEGIN COMMIT; END'");
        execute("CREATE FUNCTION fails(boolean) RETURNS int LANGUAGE sql AS"
                " 'SELECT 1 / CASE WHEN $1 THEN 0 ELSE 1 END'");
        execute("CREATE TABLE switch AS SELECT false AS is_on");
}

START_TEST(all_of_it_is_committed_together)
{
        struct script script = {.sql = {TAKE, GIVE}};

        know(&script);
        expect_ok(run(&script));
        expect_balances("90,10");
}
END_TEST

START_TEST(all_of_it_is_one_transaction)
{
        static const char id[] = "SELECT pg_current_xact_id()::text";
        static const char now[] = "SELECT now()::text";
        struct script script = {.sql = {id, TAKE, id, now, GIVE, now}};

        know(&script);
        expect_ok(run(&script));
        ck_assert_str_eq(pipit_result_text(script.calls[0].last, 0, 0),
                         pipit_result_text(script.calls[2].last, 0, 0));
        ck_assert_str_eq(pipit_result_text(script.calls[3].last, 0, 0),
                         pipit_result_text(script.calls[5].last, 0, 0));
}
END_TEST

START_TEST(one_failure_undoes_all_of_it_and_the_connection_goes_on)
{
        struct script script = {.sql = {TAKE, "SELECT fails(is_on) FROM switch", GIVE}};
        struct script again = script;

        know(&script);
        execute("UPDATE switch SET is_on = true");
        expect_error(run(&script), PIPIT_ESERVER, "22012");
        expect_error(script.calls[1].last, PIPIT_ESERVER, "22012");
        expect_executed(script.calls[2].last, PIPIT_EROLLBACK, PIPIT_EXECUTED_ROLLED_BACK);
        expect_balances("100,0");
        execute("UPDATE switch SET is_on = false");
        expect_ok(run(&again));
        expect_balances("90,10");
}
END_TEST

START_TEST(a_deferred_constraint_fails_the_commit)
{
        struct script script = {.sql = {TAKE, MARK}};

        know(&script);
        expect_error(run(&script), PIPIT_ESERVER, "23505");
        ck_assert_int_eq(pipit_result_error(script.done.last)->executed,
                         PIPIT_EXECUTED_ROLLED_BACK);
        expect_ok(script.calls[1].last);
        expect_balances("100,0");
}
END_TEST

/* Where there is no BEGIN a procedure may commit what is in front of it. */
START_TEST(a_procedure_cannot_commit_a_part_of_it)
{
        for (int i = 0; i < 2; i++) {
                struct script script = {.sql = {TAKE, "CALL keep()", GIVE}};
                expect_error(run(&script), PIPIT_ESERVER, "2D000");
                expect_balances("100,0");
        }
}
END_TEST

START_TEST(what_sets_something_is_undone_with_it)
{
        static const char set[] = "SELECT set_config('application_name', 'mine', true)";
        struct script script = {.sql = {TAKE, set}};

        know(&script);
        expect_ok(run(&script));
        expect_text(run_on(live_db, "SELECT current_setting('application_name') = 'mine'"), 0, 0,
                    "f");
}
END_TEST

START_TEST(on_a_session_it_works_as_well_and_fails_as_well)
{
        struct script good = {.sql = {TAKE, GIVE}};
        struct script bad = {.sql = {TAKE, MARK}};

        know(&good);
        know(&bad);
        struct pipit *session = session_on(live_db);
        ck_assert_uint_ne(start_atomic(session, &early, &bad), 0);
        expect_error(answer(&bad.done), PIPIT_ESERVER, "23505");
        ck_assert_uint_ne(start_atomic(session, &early, &good), 0);
        expect_ok(answer(&good.done));
        pipit_close(session);
        expect_balances("90,10");
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("implicit");
        TCase *tcase = tcase_create("implicit");

        tcase_add_checked_fixture(tcase, setup, bank_teardown);
        tcase_add_test(tcase, all_of_it_is_committed_together);
        tcase_add_test(tcase, all_of_it_is_one_transaction);
        tcase_add_test(tcase, one_failure_undoes_all_of_it_and_the_connection_goes_on);
        tcase_add_test(tcase, a_deferred_constraint_fails_the_commit);
        tcase_add_test(tcase, a_procedure_cannot_commit_a_part_of_it);
        tcase_add_test(tcase, what_sets_something_is_undone_with_it);
        tcase_add_test(tcase, on_a_session_it_works_as_well_and_fails_as_well);
        suite_add_tcase(suite, tcase);
        return suite;
}
