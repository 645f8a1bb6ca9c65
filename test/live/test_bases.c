/*
 * A database works on a base with any flags and any backend.
 */
#include "bases.h"
#include "live.h"

#define LENGTH(array) ((int)(sizeof(array) / sizeof(array)[0]))

START_TEST(reads_share_and_a_transaction_commits)
{
        static const char *const texts[] = {"one", "two", "three", "four"};
        struct calls calls[LENGTH(texts)] = {{0}};
        struct calls done = {0};

        live_setup_on(_i);
        for (int i = 0; i < LENGTH(texts); i++)
                pipit_read(live_db, "SELECT $1", PIPIT_PARAMS(texts[i]), on_call, &calls[i]);
        for (int i = 0; i < LENGTH(texts); i++)
                expect_text(answer(&calls[i]), 0, 0, texts[i]);
        struct pipit *tx = pipit_begin(live_db, NULL);
        expect_ok(query_on(tx, "SELECT 1", PIPIT_NO_PARAMS));
        pipit_commit(tx, on_call, &done);
        expect_ok(answer(&done));
        live_teardown();
}
END_TEST

START_TEST(a_cancel_and_a_deadline_stop_what_was_sent)
{
        struct calls cancelled = {0};
        struct calls late = {0};

        live_setup_on(_i);
        pipit_request first = ask_on(live_db, "SELECT pg_sleep(100)", &cancelled);
        pipit_set_timeout(live_db, ask_on(live_db, "SELECT pg_sleep(100)", &late), 50);
        expect_error(answer(&late), PIPIT_ETIMEDOUT, "");
        pipit_cancel(live_db, first);
        expect_error(answer(&cancelled), PIPIT_ECANCELED, "");
        execute("SELECT 1");
        live_teardown();
}
END_TEST

START_TEST(a_large_answer_comes_through_and_a_drain_ends)
{
        struct calls drained = {0};

        live_setup_on(_i);
        const struct pipit_result *res =
                query("SELECT repeat('x', 1000) FROM generate_series(1, 5000)", PIPIT_NO_PARAMS);
        ck_assert_int_eq(pipit_result_rows(res), 5000);
        pipit_drain(live_db, -1, on_call, &drained);
        expect_ok(answer(&drained));
        live_teardown();
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("bases");
        TCase *tcase = tcase_create("bases");

        tcase_add_loop_test(tcase, reads_share_and_a_transaction_commits, 0, N_BASES);
        tcase_add_loop_test(tcase, a_cancel_and_a_deadline_stop_what_was_sent, 0, N_BASES);
        tcase_add_loop_test(tcase, a_large_answer_comes_through_and_a_drain_ends, 0, N_BASES);
        suite_add_tcase(suite, tcase);
        return suite;
}
