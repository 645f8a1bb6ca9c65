/*
 * Plain SQL on a real server.
 */
#include "live.h"

START_TEST(a_query_gives_its_rows)
{
        const struct pipit_result *res = query("SELECT 1 AS one, 'two' AS two", PIPIT_NO_PARAMS);

        expect_text(res, 0, pipit_column(res, "one"), "1");
        expect_text(res, 0, pipit_column(res, "two"), "two");
        ck_assert_int_eq(pipit_result_rows(res), 1);
}
END_TEST

START_TEST(a_syntax_error_is_the_servers_own)
{
        const struct pipit_result *res = query("SELEC 1", PIPIT_NO_PARAMS);

        expect_error(res, PIPIT_ESERVER, "42601");
        ck_assert_int_eq(pipit_result_error(res)->position, 1);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("query");
        TCase *tcase = tcase_create("query");

        tcase_add_checked_fixture(tcase, live_setup, live_teardown);
        tcase_add_test(tcase, a_query_gives_its_rows);
        tcase_add_test(tcase, a_syntax_error_is_the_servers_own);
        suite_add_tcase(suite, tcase);
        return suite;
}
