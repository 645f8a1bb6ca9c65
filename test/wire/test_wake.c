/*
 * Who waits for a connection is told when one is free, however it came to be so.
 */
#include "wire.h"

/* Three results each, more than a connection works off at a time, and all in one read of libpq's:
 * it becomes free without having been read. */
#define N 200

START_TEST(one_that_waits_is_sent_when_what_a_budget_left_over_is_worked_off)
{
        struct pipit_options options = wire_options();
        struct calls before = {0};
        struct calls last = {0};

        options.max_pipeline = N;
        wire_reopen(&options);
        wire_know("SELECT $1");
        wire_server->held = true;
        for (int i = 0; i < N; i++)
                pipit_query(live_db, "SELECT $1", PIPIT_PARAMS("1"), on_call, &before);
        pipit_query(live_db, "SELECT $1", PIPIT_PARAMS("2"), on_call, &last);
        loop_until(&wire_server->n_syncs, 3 + N);
        server_release(wire_server);
        expect_text(answer(&last), 0, 0, "2");
        ck_assert_int_eq(before.n, N);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("wake");
        TCase *tcase = tcase_create("wake");

        tcase_add_checked_fixture(tcase, wire_setup, wire_teardown);
        tcase_add_test(tcase, one_that_waits_is_sent_when_what_a_budget_left_over_is_worked_off);
        suite_add_tcase(suite, tcase);
        return suite;
}
