/*
 * Requests that end while their answers are still to come: their time is over, or the database is
 * closed. Each calls back once, at once, and what comes later is nobody's.
 */
#include "wire.h"

#define N_REQUESTS 20

START_TEST(an_answer_behind_its_deadline_is_nobodys)
{
        struct calls late = {0};

        wire_connect();
        wire_server->held = true;
        pipit_set_timeout(live_db, ask_on(live_db, "SELECT 'late'", &late), 20);
        expect_executed(answer(&late), PIPIT_ETIMEDOUT, PIPIT_EXECUTED_UNKNOWN);
        server_release(wire_server);
        expect_service();
        ck_assert_int_eq(late.n, 1);
}
END_TEST

/* Of as many as there are, a few are sent and the others wait. */
static void
open_narrow(void)
{
        struct pipit_options options = wire_options();

        options.max_pipeline = 4;
        wire_reopen(&options);
        wire_connect();
        wire_server->held = true;
}

START_TEST(a_close_calls_back_all_that_wait_in_one_turn)
{
        struct batch batch = {0};

        open_narrow();
        batch_start(&batch, N_REQUESTS);
        loop_until(&wire_server->n_statements, 1 + 4);
        ck_assert_int_eq(batch.n_calls, 0);
        pipit_close(live_db);
        live_db = NULL;
        ck_assert_int_eq(batch.n_calls, 0);
        event_base_loop(live_base, EVLOOP_ONCE);
        ck_assert_int_eq(batch.n_calls, N_REQUESTS);
        batch_expect_error(&batch, 0, 4, PIPIT_ECANCELED, PIPIT_EXECUTED_UNKNOWN);
        batch_expect_error(&batch, 4, N_REQUESTS, PIPIT_ECANCELED, PIPIT_EXECUTED_NO);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("flow_end");
        TCase *tcase = tcase_create("end");

        tcase_add_checked_fixture(tcase, wire_setup, wire_teardown);
        tcase_add_test(tcase, an_answer_behind_its_deadline_is_nobodys);
        tcase_add_test(tcase, a_close_calls_back_all_that_wait_in_one_turn);
        suite_add_tcase(suite, tcase);
        return suite;
}
