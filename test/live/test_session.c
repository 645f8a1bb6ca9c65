/*
 * Sessions: one connection for a while, which comes back clean.
 */
#include "bank.h"

/* ---- what is left behind */

/* A statement, and a query whose answer it changes in its session. */
static const struct {
        const char *leave;
        const char *probe;
} leftovers[] = {
        {"SET ROLE pg_monitor", "SELECT current_user"},
        {"SET SESSION AUTHORIZATION pg_monitor", "SELECT session_user"},
        {"SET search_path = pg_catalog", "SHOW search_path"},
        {"SET statement_timeout = 12345000", "SHOW statement_timeout"},
        {"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
         "SHOW default_transaction_read_only"},
        {"SELECT set_config('pipit.left', 'behind', false)",
         "SELECT coalesce(current_setting('pipit.left', true), '')"},
        {"CREATE TEMPORARY TABLE left_behind (x int)",
         "SELECT to_regclass('pg_temp.left_behind') IS NULL"},
        {"SELECT pg_advisory_lock(77, pg_backend_pid())",
         "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"},
        {"DO $$ BEGIN EXECUTE 'LISTEN left_behind'; END $$",
         "SELECT count(*) FROM pg_listening_channels()"},
        {"PREPARE left_behind AS SELECT 1",
         "SELECT count(*) FROM pg_prepared_statements WHERE name = 'left_behind'"},
        {"DECLARE left_behind CURSOR WITH HOLD FOR SELECT 1",
         "SELECT count(*) FROM pg_cursors WHERE name = 'left_behind'"},
};

#define N_LEFTOVERS ((int)(sizeof leftovers / sizeof *leftovers))

enum { ENDS_WELL, ENDS_BEHIND_A_FAILURE, ENDS_BY_CANCEL, ENDS_BY_CLOSE, N_ENDS };

/* Leaves it behind in a session that ends in one of the ways. */
static void
leave_behind(int what, int way)
{
        static const char *const last[] = {NULL, FAIL, SLEEP, SLEEP};
        struct script script = {.sql = {leftovers[what].leave, leftovers[what].probe, last[way]}};
        const char *before = value_on(live_db, leftovers[what].probe);
        struct pipit *session = way == ENDS_BY_CLOSE ? session_on(live_db) : NULL;
        pipit_request request = 0;

        if (session != NULL)
                run_script(session, &script);
        else
                request = start_session(live_db, &script);
        loop_until(&script.calls[1].n, 1);
        expect_ok(script.calls[1].last);
        ck_assert_str_ne(pipit_result_text(script.calls[1].last, 0, 0), before);
        if (way == ENDS_BY_CANCEL)
                pipit_cancel(live_db, request);
        pipit_close(session);
        if (way == ENDS_BY_CLOSE)
                expect_error(answer(&script.calls[2]), PIPIT_ECANCELED, "");
        else
                loop_until(&script.done.n, 1);
}

START_TEST(what_a_session_leaves_behind_reaches_nobody)
{
        int what = _i % N_LEFTOVERS;
        int way = _i / N_LEFTOVERS;
        const char *before = value_on(live_db, leftovers[what].probe);
        const char *pid = value_on(live_db, PID);

        leave_behind(what, way);
        ck_assert_str_eq(value_on(live_db, leftovers[what].probe), before);
        if (way < ENDS_BY_CANCEL)
                ck_assert_str_eq(value_on(live_db, PID), pid);
}
END_TEST

START_TEST(a_transaction_left_open_in_a_session_is_rolled_back)
{
        struct script script = {.sql = {"BEGIN", TAKE, _i == 0 ? NULL : FAIL}};
        const char *pid = value_on(live_db, PID);

        start_session(live_db, &script);
        expect_ok(answer(&script.done));
        expect_balances("100,0");
        ck_assert_str_eq(value_on(live_db, PID), pid);
}
END_TEST

START_TEST(transactions_in_plain_sql_are_for_sessions)
{
        struct script script = {.sql = {"BEGIN", TAKE, "COMMIT", "BEGIN", TAKE, "ROLLBACK", GIVE}};

        start_session(live_db, &script);
        expect_ok(answer(&script.done));
        expect_balances("90,10");
}
END_TEST

/* ---- its statements */

START_TEST(statements_of_a_session_run_on_one_connection_in_the_order_of_the_calls)
{
        struct script script = {.sql = {PID, "CREATE TEMPORARY SEQUENCE s", "SELECT nextval('s')",
                                        "SELECT nextval('s')", "SELECT nextval('s')", PID}};

        bank_reopen((struct pipit_options){.max_connections = 3});
        start_session(live_db, &script);
        expect_ok(answer(&script.done));
        ck_assert_ptr_eq(pipit_result_scope(script.done.last), live_db);
        expect_text(script.calls[2].last, 0, 0, "1");
        expect_text(script.calls[3].last, 0, 0, "2");
        expect_text(script.calls[4].last, 0, 0, "3");
        ck_assert_str_eq(pipit_result_text(script.calls[0].last, 0, 0),
                         pipit_result_text(script.calls[5].last, 0, 0));
}
END_TEST

START_TEST(each_statement_of_a_session_is_committed_by_itself)
{
        struct script script = {.sql = {TAKE, FAIL, GIVE}};

        start_session(live_db, &script);
        expect_ok(answer(&script.done));
        expect_error(script.calls[1].last, PIPIT_ESERVER, "22012");
        expect_ok(script.calls[2].last);
        expect_balances("90,10");
}
END_TEST

START_TEST(a_session_is_what_runs_a_statement_that_takes_no_transaction)
{
        struct script script = {.sql = {"VACUUM account"}};

        start_session(live_db, &script);
        expect_ok(answer(&script.done));
        expect_ok(script.calls[0].last);
}
END_TEST

START_TEST(a_statement_of_a_session_may_be_cancelled_alone)
{
        struct script script = {.sql = {SLEEP}};
        struct pipit *session = session_on(live_db);
        pipit_request sleeping = ask_on(session, SLEEP, &script.calls[0]);
        struct calls next = {0};

        loop_for(20);
        pipit_cancel(session, sleeping);
        ask_on(session, "SELECT 'next'", &next);
        expect_error(answer(&script.calls[0]), PIPIT_ECANCELED, "");
        expect_text(answer(&next), 0, 0, "next");
        pipit_close(session);
}
END_TEST

/* ---- its end */

/* Goes on from callback to callback. */
struct chain {
        struct calls done;
        struct calls last;
        struct pipit *scope;
        int left;
        int n_at_done; /* callbacks that had run when done was called */
        int n;
};

static void
on_link(struct pipit_result *res, void *arg)
{
        struct chain *chain = arg;

        expect_ok(res);
        ck_assert_ptr_eq(pipit_result_scope(res), chain->scope);
        ck_assert_int_eq(chain->done.n, 0);
        chain->n++;
        if (chain->left-- > 0)
                ck_assert_uint_ne(pipit_query(chain->scope, TAKE, PIPIT_NO_PARAMS, on_link, chain),
                                  0);
}

static void
run_chain(struct pipit *scope, void *arg)
{
        struct chain *chain = arg;

        chain->scope = scope;
        ck_assert_uint_ne(pipit_query(scope, "SELECT 1", PIPIT_NO_PARAMS, on_link, chain), 0);
}

START_TEST(a_session_goes_on_as_long_as_its_callbacks_start_more)
{
        struct chain chain = {.left = 10};

        ck_assert_uint_ne(pipit_session(live_db, run_chain, on_call, &chain), 0);
        expect_ok(answer(&chain.done));
        ck_assert_int_eq(chain.n, 11);
        expect_balances("0,0");
}
END_TEST

START_TEST(a_session_that_does_nothing_succeeds)
{
        struct script script = {.n_bodies = 0};

        start_session(live_db, &script);
        expect_ok(answer(&script.done));
        ck_assert_int_eq(script.n_bodies, 1);
        ck_assert_int_eq(pipit_result_attempts(script.done.last), 0);
}
END_TEST

START_TEST(a_cancelled_session_takes_its_requests_along)
{
        struct script script = {.sql = {TAKE, SLEEP, GIVE}};
        pipit_request request = start_session(live_db, &script);

        loop_until(&script.calls[0].n, 1);
        pipit_cancel(live_db, request);
        expect_error(answer(&script.done), PIPIT_ECANCELED, "");
        for (int i = 1; i < 3; i++) {
                ck_assert_int_eq(script.calls[i].n, 1);
                expect_end(script.calls[i].last, PIPIT_ECANCELED, PIPIT_EXECUTED_UNKNOWN);
        }
}
END_TEST

START_TEST(a_session_that_is_cancelled_before_it_has_a_connection_runs_no_body)
{
        struct script script = {.sql = {TAKE}};

        pipit_cancel(live_db, start_session(live_db, &script));
        expect_executed(answer(&script.done), PIPIT_ECANCELED, PIPIT_EXECUTED_NO);
        ck_assert_int_eq(script.n_bodies, 0);
}
END_TEST

START_TEST(a_session_without_a_server_runs_no_body)
{
        struct script script = {.sql = {TAKE}};
        struct pipit *db = pipit_open(live_base, url_with(live_url(), "&dbname=nowhere"), NULL);

        start_session(db, &script);
        expect_error(answer(&script.done), PIPIT_ECONNECT, "3D000");
        ck_assert_int_eq(script.n_bodies, 0);
        pipit_close(db);
}
END_TEST

START_TEST(a_session_has_the_time_of_a_request)
{
        struct script script = {.sql = {SLEEP}};

        bank_reopen((struct pipit_options){.max_connections = 1, .timeout_ms = 200});
        start_session(live_db, &script);
        expect_error(answer(&script.done), PIPIT_ETIMEDOUT, "");
        ck_assert(pipit_failed(script.calls[0].last));
        ck_assert_int_eq(script.calls[0].n, 1);
}
END_TEST

START_TEST(a_session_waits_for_a_connection_no_longer_than_a_request)
{
        struct script script = {.sql = {TAKE}};

        bank_reopen((struct pipit_options){.max_connections = 1, .acquire_timeout_ms = 100});
        struct pipit *session = session_on(live_db);
        expect_ok(run_on(session, "SELECT 1"));
        start_session(live_db, &script);
        expect_executed(answer(&script.done), PIPIT_ETIMEDOUT, PIPIT_EXECUTED_NO);
        ck_assert_int_eq(script.n_bodies, 0);
        pipit_close(session);
        execute("SELECT 1");
}
END_TEST

START_TEST(a_lost_connection_takes_the_session_along)
{
        struct script script = {
                .sql = {TAKE, "SELECT pg_terminate_backend(pg_backend_pid())", GIVE}};

        start_session(live_db, &script);
        ck_assert_int_eq(pipit_result_error(answer(&script.done))->code, PIPIT_ELOST);
        ck_assert_ptr_eq(pipit_result_scope(script.done.last), live_db);
        ck_assert_int_eq(pipit_result_error(script.calls[1].last)->code, PIPIT_ELOST);
        ck_assert_int_eq(pipit_result_error(script.calls[2].last)->code, PIPIT_ELOST);
        expect_balances("90,0");
}
END_TEST

START_TEST(what_is_started_on_a_lost_session_never_runs)
{
        struct pipit *session = session_on(live_db);
        const char *pid = value_on(session, PID);

        char sql[80];
        snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%s)", pid);
        ck_assert_int_eq(pipit_result_error(run_on(session, sql))->code, PIPIT_ELOST);
        ck_assert_int_eq(pipit_result_error(run_on(session, TAKE))->code, PIPIT_ELOST);
        ck_assert_int_eq(pipit_result_error(run_on(session, TAKE))->executed, PIPIT_EXECUTED_NO);
        pipit_close(session);
        expect_balances("100,0");
}
END_TEST

/* ---- by hand */

START_TEST(what_is_started_on_a_session_by_hand_waits_for_its_connection)
{
        struct script script = {.sql = {PID}};
        struct pipit *first = session_on(live_db);
        struct pipit *second = session_on(live_db);

        run_script(second, &script);
        expect_ok(run_on(first, "SELECT 1"));
        ck_assert_int_eq(script.calls[0].n, 0);
        pipit_close(first);
        expect_ok(answer(&script.calls[0]));
        pipit_close(second);
}
END_TEST

START_TEST(a_closed_session_takes_nothing_and_cancels_what_is_outstanding)
{
        struct calls calls[3] = {{0}};
        struct pipit *session = session_on(live_db);

        expect_ok(run_on(session, "SELECT 1"));
        ask_on(session, SLEEP, &calls[0]);
        ask_on(session, TAKE, &calls[1]);
        pipit_close(session);
        ask_on(session, TAKE, &calls[2]);
        expect_error(answer(&calls[0]), PIPIT_ECANCELED, "");
        expect_end(answer(&calls[1]), PIPIT_ECANCELED, PIPIT_EXECUTED_NO);
        expect_executed(answer(&calls[2]), PIPIT_ECLOSED, PIPIT_EXECUTED_NO);
        expect_balances("100,0");
}
END_TEST

START_TEST(a_session_by_hand_has_no_deadline)
{
        bank_reopen((struct pipit_options){.max_connections = 1, .timeout_ms = 100});
        struct pipit *session = session_on(live_db);
        expect_ok(run_on(session, "SELECT 1"));
        loop_for(150);
        expect_ok(run_on(session, "SELECT 1"));
        pipit_close(session);
}
END_TEST

START_TEST(a_database_closes_its_sessions)
{
        struct calls calls[2] = {{0}};
        struct script script = {.sql = {SLEEP}};

        bank_reopen((struct pipit_options){.max_connections = 2});
        struct pipit *session = session_on(live_db);
        expect_ok(run_on(session, "SELECT 1"));
        ask_on(session, SLEEP, &calls[0]);
        start_session(live_db, &script);
        loop_until(&script.n_bodies, 1);
        pipit_close(live_db);
        live_db = NULL;
        expect_error(answer(&calls[0]), PIPIT_ECANCELED, "");
        expect_error(answer(&script.calls[0]), PIPIT_ECANCELED, "");
        expect_error(answer(&script.done), PIPIT_ECANCELED, "");
        live_db = pipit_open(live_base, live_url(), NULL);
}
END_TEST

START_TEST(what_is_no_session_is_refused)
{
        struct calls calls = {0};
        struct pipit *session = session_on(live_db);
        struct pipit *nested = pipit_session_open(session);

        ck_assert_uint_ne(pipit_session(live_db, NULL, on_call, &calls), 0);
        expect_executed(answer(&calls), PIPIT_EINVAL, PIPIT_EXECUTED_NO);
        calls.n = 0;
        ck_assert_uint_ne(pipit_session(session, run_script, on_call, &calls), 0);
        expect_executed(answer(&calls), PIPIT_EINVAL, PIPIT_EXECUTED_NO);
        ck_assert_ptr_nonnull(nested);
        expect_error(run_on(nested, "SELECT 1"), PIPIT_EINVAL, "");
        pipit_close(nested);
        ck_assert_uint_eq(pipit_session(NULL, run_script, on_call, &calls), 0);
        ck_assert_ptr_null(pipit_session_open(NULL));
        pipit_close(session);
}
END_TEST

/* ---- holds */

static void
run_held(struct pipit *scope, void *arg)
{
        pipit_hold(scope);
        pipit_hold(scope);
        run_script(scope, arg);
}

START_TEST(a_hold_keeps_a_session_and_holds_are_counted)
{
        struct script script = {.sql = {PID}};

        ck_assert_uint_ne(pipit_session(live_db, run_held, on_call, &script), 0);
        loop_until(&script.calls[0].n, 1);
        pipit_release(script.scope);
        loop_for(20);
        ck_assert_int_eq(script.done.n, 0);
        ck_assert_str_eq(value_on(script.scope, PID),
                         pipit_result_text(script.calls[0].last, 0, 0));
        pipit_release(script.scope);
        expect_ok(answer(&script.done));
}
END_TEST

START_TEST(a_cancel_and_a_deadline_end_a_session_in_spite_of_its_holds)
{
        struct script script = {.sql = {PID}};
        pipit_request request = pipit_session(live_db, run_held, on_call, &script);

        ck_assert_uint_ne(request, 0);
        loop_until(&script.calls[0].n, 1);
        if (_i == 0)
                pipit_cancel(live_db, request);
        else
                pipit_set_timeout(live_db, request, 10);
        expect_error(answer(&script.done), _i == 0 ? PIPIT_ECANCELED : PIPIT_ETIMEDOUT, "");
        execute("SELECT 1");
}
END_TEST

START_TEST(holds_of_other_scopes_do_nothing)
{
        pipit_hold(NULL);
        pipit_release(NULL);
        pipit_hold(live_db);
        pipit_release(live_db);
        struct pipit *session = session_on(live_db);
        pipit_release(session);
        expect_ok(run_on(session, "SELECT 1"));
        pipit_close(session);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("session");
        TCase *tcase = tcase_create("session");

        tcase_add_checked_fixture(tcase, bank_setup, bank_teardown);
        tcase_add_loop_test(tcase, what_a_session_leaves_behind_reaches_nobody, 0,
                            N_LEFTOVERS * N_ENDS);
        tcase_add_loop_test(tcase, a_transaction_left_open_in_a_session_is_rolled_back, 0, 2);
        tcase_add_test(tcase, transactions_in_plain_sql_are_for_sessions);
        tcase_add_test(tcase,
                       statements_of_a_session_run_on_one_connection_in_the_order_of_the_calls);
        tcase_add_test(tcase, each_statement_of_a_session_is_committed_by_itself);
        tcase_add_test(tcase, a_session_is_what_runs_a_statement_that_takes_no_transaction);
        tcase_add_test(tcase, a_statement_of_a_session_may_be_cancelled_alone);
        tcase_add_test(tcase, a_session_goes_on_as_long_as_its_callbacks_start_more);
        tcase_add_test(tcase, a_session_that_does_nothing_succeeds);
        tcase_add_test(tcase, a_cancelled_session_takes_its_requests_along);
        tcase_add_test(tcase, a_session_that_is_cancelled_before_it_has_a_connection_runs_no_body);
        tcase_add_test(tcase, a_session_without_a_server_runs_no_body);
        tcase_add_test(tcase, a_session_has_the_time_of_a_request);
        tcase_add_test(tcase, a_session_waits_for_a_connection_no_longer_than_a_request);
        tcase_add_test(tcase, a_lost_connection_takes_the_session_along);
        tcase_add_test(tcase, what_is_started_on_a_lost_session_never_runs);
        tcase_add_test(tcase, what_is_started_on_a_session_by_hand_waits_for_its_connection);
        tcase_add_test(tcase, a_closed_session_takes_nothing_and_cancels_what_is_outstanding);
        tcase_add_test(tcase, a_session_by_hand_has_no_deadline);
        tcase_add_test(tcase, a_database_closes_its_sessions);
        tcase_add_test(tcase, what_is_no_session_is_refused);
        tcase_add_test(tcase, a_hold_keeps_a_session_and_holds_are_counted);
        tcase_add_loop_test(tcase, a_cancel_and_a_deadline_end_a_session_in_spite_of_its_holds, 0,
                            2);
        tcase_add_test(tcase, holds_of_other_scopes_do_nothing);
        suite_add_tcase(suite, tcase);
        return suite;
}
