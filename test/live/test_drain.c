/*
 * pipit_drain(): a database that ends gently.
 */
#include <stdio.h>
#include <unistd.h>

#include "live.h"

static pipit_request
drain(int64_t timeout_ms, struct calls *calls)
{
        pipit_request request = pipit_drain(live_db, timeout_ms, on_call, calls);

        ck_assert_uint_ne(request, 0);
        ck_assert_int_eq(calls->n, 0);
        return request;
}

START_TEST(a_drain_with_nothing_outstanding_succeeds)
{
        struct calls drained = {0};

        drain(_i == 0 ? -1 : 1000, &drained);
        expect_ok(answer(&drained));
        ck_assert_int_eq(pipit_result_rows(drained.last), 0);
        loop_until(NULL, 0); /* nothing is left in the loop, though it is not closed yet */
}
END_TEST

START_TEST(a_drain_waits_for_what_was_started)
{
        struct calls calls[3] = {{0}};
        struct calls drained = {0};

        for (int i = 0; i < 3; i++)
                ask_on(live_db, "SELECT pg_sleep(0.02)", &calls[i]);
        drain(-1, &drained);
        expect_ok(answer(&drained));
        for (int i = 0; i < 3; i++) {
                ck_assert_int_eq(calls[i].n, 1);
                expect_ok(calls[i].last);
        }
}
END_TEST

START_TEST(a_drain_is_over_only_when_more_requests_than_connections_are_answered)
{
        struct pipit_options options = {.max_connections = 1, .max_pipeline = 1};
        struct calls calls[20] = {{0}};
        struct calls drained = {0};

        live_reopen(&options);
        for (int i = 0; i < 20; i++)
                ask_on(live_db, "SELECT 1", &calls[i]);
        drain(-1, &drained);
        expect_ok(answer(&drained));
        for (int i = 0; i < 20; i++)
                expect_text(answer(&calls[i]), 0, 0, "1");
}
END_TEST

START_TEST(a_drained_connection_is_closed)
{
        struct pipit *observer = pipit_open(live_base, live_url(), NULL);
        struct calls drained = {0};
        char sql[100];
        const struct pipit_result *res = query("SELECT pg_backend_pid()", PIPIT_NO_PARAMS);

        snprintf(sql, sizeof sql, "SELECT count(*) FROM pg_stat_activity WHERE pid = %s",
                 pipit_result_text(res, 0, 0));
        wait_for_server_on(observer, sql, "1");
        drain(-1, &drained);
        expect_ok(answer(&drained));
        wait_for_server_on(observer, sql, "0");
        pipit_close(observer);
}
END_TEST

START_TEST(what_is_started_behind_a_drain_is_refused)
{
        struct calls before = {0};
        struct calls behind = {0};
        struct calls drained = {0};

        ask_on(live_db, "SELECT pg_sleep(0.02)", &before);
        drain(-1, &drained);
        ask_on(live_db, "SELECT 1", &behind);
        ck_assert_int_eq(behind.n, 0);
        expect_executed(answer(&behind), PIPIT_ECLOSED, PIPIT_EXECUTED_NO);
        expect_ok(answer(&drained));
        expect_ok(answer(&before));
}
END_TEST

START_TEST(what_is_started_after_a_drain_is_refused)
{
        struct calls drained = {0};

        drain(-1, &drained);
        expect_ok(answer(&drained));
        ck_assert_ptr_nonnull(pipit_scope_error(live_db));
        ck_assert_int_eq(pipit_scope_error(live_db)->code, PIPIT_ECLOSED);
        expect_executed(query("SELECT 1", PIPIT_NO_PARAMS), PIPIT_ECLOSED, PIPIT_EXECUTED_NO);
}
END_TEST

/* An answer whose callback goes on: the last link of a chain is refused, and the drain ends. */
static void
on_call_again(struct pipit_result *res, void *arg)
{
        struct calls *calls = arg;

        on_call(res, calls);
        if (!pipit_failed(res))
                pipit_query(pipit_result_scope(res), "SELECT 1", PIPIT_NO_PARAMS, on_call_again,
                            calls);
}

START_TEST(a_chain_ends_when_its_database_is_drained)
{
        struct calls chain = {0};
        struct calls drained = {0};

        pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, on_call_again, &chain);
        loop_until(&chain.n, 5);
        drain(-1, &drained);
        expect_ok(answer(&drained));
        expect_error(chain.last, PIPIT_ECLOSED, "");
}
END_TEST

START_TEST(the_time_of_a_drain_cuts_off_what_is_left)
{
        struct pipit_options options = {.max_connections = 1, .max_pipeline = 1};
        struct calls sent = {0};
        struct calls waiting = {0};
        struct calls drained = {0};

        live_reopen(&options);
        execute("SELECT 1");
        ask_on(live_db, "SELECT pg_sleep(20)", &sent);
        ask_on(live_db, "SELECT 1", &waiting);
        drain(50, &drained);
        expect_error(answer(&drained), PIPIT_ETIMEDOUT, "");
        expect_executed(answer(&sent), PIPIT_ECANCELED, PIPIT_EXECUTED_UNKNOWN);
        expect_executed(answer(&waiting), PIPIT_ECANCELED, PIPIT_EXECUTED_NO);
        loop_until(NULL, 0);
}
END_TEST

START_TEST(a_drain_without_any_time_cuts_off_at_once)
{
        struct calls calls = {0};
        struct calls drained = {0};

        ask_on(live_db, "SELECT pg_sleep(20)", &calls);
        drain(0, &drained);
        expect_error(answer(&drained), PIPIT_ETIMEDOUT, "");
        expect_error(answer(&calls), PIPIT_ECANCELED, "");
}
END_TEST

START_TEST(a_second_drain_is_refused_and_the_first_goes_on)
{
        struct calls calls = {0};
        struct calls first = {0};
        struct calls second = {0};
        struct calls third = {0};

        ask_on(live_db, "SELECT pg_sleep(0.02)", &calls);
        drain(-1, &first);
        drain(-1, &second);
        expect_executed(answer(&second), PIPIT_ECLOSED, PIPIT_EXECUTED_NO);
        expect_ok(answer(&first));
        expect_ok(answer(&calls));
        drain(0, &third);
        expect_executed(answer(&third), PIPIT_ECLOSED, PIPIT_EXECUTED_NO);
}
END_TEST

START_TEST(a_cancelled_drain_calls_back_once_and_what_was_started_goes_on)
{
        struct calls calls = {0};
        struct calls drained = {0};

        ask_on(live_db, "SELECT pg_sleep(0.02)", &calls);
        pipit_request request = drain(1000, &drained);
        pipit_cancel(live_db, request);
        pipit_cancel(live_db, request);
        ck_assert_int_eq(drained.n, 0);
        expect_executed(answer(&drained), PIPIT_ECANCELED, PIPIT_EXECUTED_NO);
        expect_ok(answer(&calls));
        ck_assert_int_eq(drained.n, 1);
}
END_TEST

START_TEST(close_during_a_drain_cancels_both)
{
        struct calls calls = {0};
        struct calls drained = {0};

        ask_on(live_db, "SELECT pg_sleep(20)", &calls);
        drain(20000, &drained);
        loop_for(5);
        pipit_close(live_db);
        live_db = NULL;
        ck_assert_int_eq(drained.n + calls.n, 0);
        expect_executed(answer(&drained), PIPIT_ECANCELED, PIPIT_EXECUTED_NO);
        expect_error(answer(&calls), PIPIT_ECANCELED, "");
        loop_until(NULL, 0);
        ck_assert_int_eq(drained.n, 1);
        ck_assert_int_eq(calls.n, 1);
}
END_TEST

START_TEST(a_drain_of_a_closed_database_is_refused)
{
        struct calls calls = {0};
        struct calls drained = {0};

        ask_on(live_db, "SELECT 1", &calls);
        pipit_close(live_db);
        drain(-1, &drained);
        live_db = NULL;
        expect_executed(answer(&drained), PIPIT_ECLOSED, PIPIT_EXECUTED_NO);
        expect_error(answer(&calls), PIPIT_ECANCELED, "");
}
END_TEST

START_TEST(a_drain_of_a_broken_database_says_what_is_wrong_with_it)
{
        struct calls drained = {0};

        pipit_close(live_db);
        live_db = pipit_open(live_base, "postgresql://%zz", NULL);
        drain(-1, &drained);
        expect_executed(answer(&drained), PIPIT_EINVAL, PIPIT_EXECUTED_NO);
}
END_TEST

START_TEST(a_drain_without_a_callback_works)
{
        struct calls calls = {0};

        ask_on(live_db, "SELECT 1", &calls);
        ck_assert_uint_ne(pipit_drain(live_db, -1, NULL, NULL), 0);
        expect_ok(answer(&calls));
        loop_until(NULL, 0);
}
END_TEST

static void
on_call_drain(struct pipit_result *res, void *arg)
{
        struct calls *calls = arg; /* of the query, and behind it of the drain */

        on_call(res, &calls[0]);
        drain(-1, &calls[1]);
}

START_TEST(a_drain_may_be_started_in_a_callback)
{
        struct calls calls[2] = {{0}};

        pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, on_call_drain, calls);
        expect_ok(answer(&calls[1]));
        expect_ok(answer(&calls[0]));
}
END_TEST

START_TEST(a_completion_of_a_drain_is_called_behind_it)
{
        struct calls drained = {0};
        struct calls then = {0};
        pipit_request request = drain(-1, &drained);

        ck_assert_int_eq(pipit_then(live_db, request, on_call, &then), 0);
        ck_assert_ptr_eq(answer(&then), answer(&drained));
}
END_TEST

START_TEST(a_drain_can_be_given_a_deadline_later)
{
        struct calls calls = {0};
        struct calls drained = {0};

        ask_on(live_db, "SELECT pg_sleep(20)", &calls);
        pipit_set_timeout(live_db, drain(-1, &drained), 20);
        expect_error(answer(&drained), PIPIT_ETIMEDOUT, "");
        expect_error(answer(&calls), PIPIT_ECANCELED, "");
}
END_TEST

START_TEST(a_blocking_scope_is_drained_inside_wait)
{
        struct pipit *sync = pipit_allow_sync(live_db);
        struct calls calls = {0};

        pipit_request asked = ask_on(sync, "SELECT 1", &calls);
        pipit_request drained = pipit_drain(sync, -1, NULL, NULL);
        expect_ok(pipit_wait(sync, drained));
        expect_text(pipit_wait(sync, asked), 0, 0, "1");
        pipit_close(sync);
}
END_TEST

static TCase *
end_tcase(void)
{
        TCase *tcase = tcase_create("end");

        tcase_add_checked_fixture(tcase, live_setup, live_teardown);
        tcase_add_test(tcase, the_time_of_a_drain_cuts_off_what_is_left);
        tcase_add_test(tcase, a_drain_without_any_time_cuts_off_at_once);
        tcase_add_test(tcase, a_second_drain_is_refused_and_the_first_goes_on);
        tcase_add_test(tcase, a_cancelled_drain_calls_back_once_and_what_was_started_goes_on);
        tcase_add_test(tcase, close_during_a_drain_cancels_both);
        tcase_add_test(tcase, a_drain_of_a_closed_database_is_refused);
        tcase_add_test(tcase, a_drain_of_a_broken_database_says_what_is_wrong_with_it);
        tcase_add_test(tcase, a_drain_can_be_given_a_deadline_later);
        return tcase;
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("drain");
        TCase *tcase = tcase_create("drain");

        tcase_add_checked_fixture(tcase, live_setup, live_teardown);
        tcase_add_loop_test(tcase, a_drain_with_nothing_outstanding_succeeds, 0, 2);
        tcase_add_test(tcase, a_drain_waits_for_what_was_started);
        tcase_add_test(tcase,
                       a_drain_is_over_only_when_more_requests_than_connections_are_answered);
        tcase_add_test(tcase, a_drained_connection_is_closed);
        tcase_add_test(tcase, what_is_started_behind_a_drain_is_refused);
        tcase_add_test(tcase, what_is_started_after_a_drain_is_refused);
        tcase_add_test(tcase, a_chain_ends_when_its_database_is_drained);
        tcase_add_test(tcase, a_drain_without_a_callback_works);
        tcase_add_test(tcase, a_drain_may_be_started_in_a_callback);
        tcase_add_test(tcase, a_completion_of_a_drain_is_called_behind_it);
        tcase_add_test(tcase, a_blocking_scope_is_drained_inside_wait);
        suite_add_tcase(suite, tcase);
        suite_add_tcase(suite, end_tcase());
        return suite;
}
