/*
 * Cancels that reach the server: what nobody waits for stops there, and nobody else notices.
 */
#include "cancels.h"

START_TEST(a_cancelled_statement_stops_on_the_server_and_its_connection_goes_on)
{
        struct calls calls = {0};

        open_connections(1);
        int pid = backend();
        pipit_request number = start("SELECT pg_sleep(60)", &calls);
        wait_for_sleeping(live_url(), 1);
        pipit_cancel(live_db, number);
        expect_unknown(answer(&calls), PIPIT_ECANCELED);
        wait_for_sleeping(live_url(), 0);
        ck_assert_int_eq(backend(), pid);
        ck_assert_int_eq(calls.n, 1);
}
END_TEST

START_TEST(a_deadline_stops_the_statement_and_its_connection_goes_on)
{
        struct calls calls = {0};

        open_connections(1);
        int pid = backend();
        pipit_set_timeout(live_db, start("SELECT pg_sleep(60)", &calls), 50);
        expect_unknown(answer(&calls), PIPIT_ETIMEDOUT);
        wait_for_sleeping(live_url(), 0);
        ck_assert_int_eq(backend(), pid);
        ck_assert_int_eq(live_journal.n_up, 1);
}
END_TEST

START_TEST(one_sent_behind_another_ends_at_once_and_stops_when_it_is_its_turn)
{
        struct calls first = {0};
        struct calls second = {0};

        open_connections(1);
        int pid = backend();
        start("SELECT 7 FROM pg_sleep(0.3)", &first);
        pipit_request number = start("SELECT pg_sleep(60)", &second);
        wait_for_sleeping(live_url(), 1);
        pipit_cancel(live_db, number);
        expect_unknown(answer(&second), PIPIT_ECANCELED);
        ck_assert_int_eq(first.n, 0);
        expect_text(answer(&first), 0, 0, "7");
        ck_assert_int_eq(backend(), pid);
        ck_assert_int_eq(live_journal.n_up, 1);
}
END_TEST

START_TEST(one_that_is_cancelled_in_vain_has_its_answer)
{
        struct calls calls = {0};

        open_connections(1);
        pipit_request number = start("SELECT 7", &calls);
        expect_text(answer(&calls), 0, 0, "7");
        pipit_cancel(live_db, number);
        execute("SELECT 1");
        ck_assert_int_eq(calls.n, 1);
}
END_TEST

START_TEST(one_that_waits_for_a_connection_never_reaches_the_server)
{
        struct calls slow = {0};
        struct calls calls = {0};

        open_connections(1);
        start("SELECT 7 FROM pg_sleep(0.2)", &slow);
        wait_for_sleeping(live_url(), 1);
        pipit_cancel(live_db, start("SELECT pg_sleep(60)", &calls));
        expect_error(answer(&calls), PIPIT_ECANCELED, "");
        ck_assert_int_eq(pipit_result_error(calls.last)->executed, PIPIT_EXECUTED_NO);
        expect_text(answer(&slow), 0, 0, "7");
        execute("SELECT 1");
}
END_TEST

START_TEST(the_statement_behind_a_cancel_is_not_hit)
{
        open_connections(1);
        int pid = backend();
        for (int i = 0; i < 40; i++) {
                struct calls calls = {0};
                pipit_request number = start("SELECT pg_sleep(60)", &calls);
                loop_for(i % 8);
                pipit_cancel(live_db, number);
                expect_error(answer(&calls), PIPIT_ECANCELED, "");
                expect_text(query("SELECT 7 FROM pg_sleep(0.002)", PIPIT_NO_PARAMS), 0, 0, "7");
        }
        ck_assert_int_eq(backend(), pid);
}
END_TEST

START_TEST(a_deadline_in_the_moment_of_the_answer_ends_it_once)
{
        int n_ended = 0;

        open_connections(1);
        for (int i = 0; i < 40; i++) {
                struct calls calls = {0};
                pipit_set_timeout(live_db, start("SELECT pg_sleep(0.01)", &calls), 8 + i % 6);
                struct pipit_result *res = answer(&calls);
                if (pipit_failed(res))
                        expect_unknown(res, PIPIT_ETIMEDOUT);
                expect_text(query("SELECT 7", PIPIT_NO_PARAMS), 0, 0, "7");
                n_ended += calls.n;
        }
        ck_assert_int_eq(n_ended, 40);
        ck_assert_int_eq(live_journal.n_up, 1);
}
END_TEST

START_TEST(many_at_once_are_stopped_with_one_more_connection)
{
        struct calls calls[4] = {0};
        pipit_request numbers[4];
        char sql[200];

        open_connections(4);
        for (int i = 0; i < 4; i++)
                numbers[i] = start("SELECT pg_sleep(60)", &calls[i]);
        wait_for_sleeping(live_url(), 4);
        for (int i = 0; i < 4; i++)
                pipit_cancel(live_db, numbers[i]);
        for (int i = 0; i < 4; i++)
                expect_error(answer(&calls[i]), PIPIT_ECANCELED, "");
        wait_for_sleeping(live_url(), 0);
        execute("SELECT 1");
        snprintf(sql, sizeof sql,
                 "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'cancels_%d'",
                 (int)getpid());
        ck_assert_int_le(ask(live_url(), sql), 5);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("cancel");
        TCase *states = tcase_create("states");

        tcase_add_checked_fixture(states, live_setup, live_teardown);
        tcase_add_test(states,
                       a_cancelled_statement_stops_on_the_server_and_its_connection_goes_on);
        tcase_add_test(states, a_deadline_stops_the_statement_and_its_connection_goes_on);
        tcase_add_test(states, one_sent_behind_another_ends_at_once_and_stops_when_it_is_its_turn);
        tcase_add_test(states, one_that_is_cancelled_in_vain_has_its_answer);
        tcase_add_test(states, one_that_waits_for_a_connection_never_reaches_the_server);
        tcase_add_test(states, the_statement_behind_a_cancel_is_not_hit);
        tcase_add_test(states, a_deadline_in_the_moment_of_the_answer_ends_it_once);
        tcase_add_test(states, many_at_once_are_stopped_with_one_more_connection);
        suite_add_tcase(suite, states);
        return suite;
}
