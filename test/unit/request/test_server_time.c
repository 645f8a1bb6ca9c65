#include "request/server_time.h"
#include "runner.h"

#define MS 1000

static struct server_pace pace;
static struct server_time of_text;
static struct server_time other;
static int64_t now_us;

static void
setup(void)
{
        pipit__server_pace_init(&pace);
        of_text = other = (struct server_time){0};
        now_us = 1000 * MS;
}

/* So many uses, one by one, of so long each. */
static void
use(struct server_time *of, int n, float us)
{
        for (int i = 0; i < n; i++) {
                struct server_lesson lesson = {
                        .us = us, .part = 1, .n = 1, .is_sure = true, .now_us = now_us};
                pipit__server_time_answered(of, &pace, &lesson);
        }
}

/* One that was odd. */
static void
use_odd(struct server_time *of, float us)
{
        struct server_lesson lesson = {
                .us = us, .part = 1, .n = 1, .is_sure = true, .is_odd = true, .now_us = now_us};

        pipit__server_time_answered(of, &pace, &lesson);
}

static float
foretold(const struct server_time *of)
{
        return pipit__server_time_foretell(of, &pace);
}

START_TEST(three_uses_make_a_statement_known)
{
        ck_assert_int_eq(of_text.class, SERVER_NEW);
        use(&of_text, 2, 10);
        ck_assert_int_eq(of_text.class, SERVER_NEW);
        ck_assert(!pipit__server_time_may_share(&of_text));
        use(&of_text, 1, 10);
        ck_assert_int_eq(of_text.class, SERVER_QUICK);
        ck_assert(pipit__server_time_may_share(&of_text));
        ck_assert_float_eq(foretold(&of_text), 10);
}
END_TEST

START_TEST(a_new_statement_takes_what_new_ones_took)
{
        ck_assert_float_eq(foretold(&of_text), 500);
        for (int i = 0; i < 30; i++) {
                other = (struct server_time){0};
                use(&other, 3, 20);
        }
        ck_assert_float_eq_tol(foretold(&of_text), 20, 2);
}
END_TEST

START_TEST(the_quickest_of_the_first_uses_counts)
{
        use(&of_text, 1, 900);
        use(&of_text, 1, 30);
        use(&of_text, 1, 600);
        ck_assert_float_eq(foretold(&of_text), 30);
}
END_TEST

START_TEST(nothing_takes_no_time)
{
        use(&of_text, 3, 0);
        ck_assert_float_gt(foretold(&of_text), 0);
}
END_TEST

START_TEST(an_estimate_follows_the_uses)
{
        use(&of_text, 3, 10);
        use(&of_text, 1, 90);
        ck_assert_float_eq(foretold(&of_text), 20);
        use(&of_text, 50, 90);
        ck_assert_float_eq_tol(foretold(&of_text), 90, 1);
        use(&of_text, 50, 10);
        ck_assert_float_eq_tol(foretold(&of_text), 10, 1);
}
END_TEST

START_TEST(a_part_of_a_segment_teaches_a_part)
{
        struct server_lesson lesson = {.us = 90, .part = 0.5F, .n = 1, .is_sure = true};

        use(&of_text, 3, 10);
        pipit__server_time_answered(&of_text, &pace, &lesson);
        ck_assert_float_eq(foretold(&of_text), 15);
}
END_TEST

START_TEST(a_use_that_is_slow_for_once_says_nothing_and_many_do)
{
        use(&of_text, 3, 10);
        use_odd(&of_text, 2000);
        ck_assert_float_eq(foretold(&of_text), 10);
        for (int i = 0; i < 60; i++)
                use_odd(&of_text, 2000);
        ck_assert_float_gt(foretold(&of_text), 1900);
        ck_assert_int_eq(of_text.class, SERVER_SLOW);
}
END_TEST

START_TEST(what_may_be_the_networks_teaches_only_if_nothing_else_does)
{
        struct server_lesson lesson = {.us = 90, .part = 1, .n = 1};

        use(&of_text, 4, 10);
        lesson.now_us = now_us + 100 * MS;
        pipit__server_time_answered(&of_text, &pace, &lesson);
        ck_assert_float_eq(foretold(&of_text), 10);
        lesson.now_us = now_us + 101 * MS;
        pipit__server_time_answered(&of_text, &pace, &lesson);
        ck_assert_float_eq(foretold(&of_text), 20);
}
END_TEST

START_TEST(slow_is_more_than_half_of_the_way)
{
        use(&of_text, 3, 900);
        ck_assert_int_eq(of_text.class, SERVER_SLOW);
        pipit__round_trip_learn(&pace.round_trip, 10 * MS, now_us);
        use(&of_text, 1, 900);
        ck_assert_int_eq(of_text.class, SERVER_QUICK);
        use(&of_text, 60, 5100);
        ck_assert_int_eq(of_text.class, SERVER_SLOW);
}
END_TEST

START_TEST(on_the_border_a_statement_stays_what_it_is)
{
        use(&of_text, 3, 510);
        ck_assert_int_eq(of_text.class, SERVER_SLOW);
        use(&of_text, 60, 400);
        ck_assert_int_eq(of_text.class, SERVER_SLOW);
        use(&of_text, 60, 300);
        ck_assert_int_eq(of_text.class, SERVER_QUICK);
}
END_TEST

START_TEST(each_change_of_a_class_is_counted)
{
        use(&of_text, 3, 10);
        ck_assert_uint_eq(pace.n_changes, 1);
        use(&of_text, 10, 10);
        ck_assert_uint_eq(pace.n_changes, 1);
        use(&of_text, 60, 5000);
        ck_assert_uint_eq(pace.n_changes, 2);
}
END_TEST

START_TEST(new_statements_are_slow_where_new_ones_are)
{
        ck_assert(!pipit__server_time_is_slow(&of_text, &pace));
        use(&other, 3, 4000);
        ck_assert(pipit__server_time_is_slow(&of_text, &pace));
}
END_TEST

START_TEST(much_quicker_ones_that_came_lately_are_known)
{
        use(&of_text, 3, 2000);
        ck_assert(!pipit__server_time_has_quicker(&of_text, &pace, now_us));
        use(&other, 3, 10);
        ck_assert(pipit__server_time_has_quicker(&of_text, &pace, now_us));
        ck_assert(!pipit__server_time_has_quicker(&other, &pace, now_us));
        now_us += 3000 * MS;
        ck_assert(!pipit__server_time_has_quicker(&of_text, &pace, now_us));
}
END_TEST

START_TEST(a_statement_is_not_quicker_than_itself)
{
        use(&of_text, 3, 10);
        use(&of_text, 60, 5000);
        ck_assert_int_eq(of_text.class, SERVER_SLOW);
        ck_assert(!pipit__server_time_has_quicker(&of_text, &pace, now_us));
}
END_TEST

START_TEST(a_statement_that_failed_in_a_group_is_alone_for_a_while)
{
        use(&of_text, 3, 10);
        pipit__server_time_failed(&of_text);
        ck_assert(!pipit__server_time_may_share(&of_text));
        use(&of_text, 7, 10);
        ck_assert(!pipit__server_time_may_share(&of_text));
        use(&of_text, 1, 10);
        ck_assert(pipit__server_time_may_share(&of_text));
}
END_TEST

START_TEST(who_fails_again_is_alone_for_twice_as_long_up_to_a_bound)
{
        use(&of_text, 3, 10);
        for (int i = 0; i < 20; i++)
                pipit__server_time_failed(&of_text);
        use(&of_text, 1023, 10);
        ck_assert(!pipit__server_time_may_share(&of_text));
        use(&of_text, 1, 10);
        ck_assert(pipit__server_time_may_share(&of_text));
}
END_TEST

START_TEST(good_conduct_shortens_the_next_penalty)
{
        use(&of_text, 3, 10);
        pipit__server_time_failed(&of_text);
        pipit__server_time_failed(&of_text);
        use(&of_text, 16 + 100, 10);
        pipit__server_time_failed(&of_text);
        use(&of_text, 8, 10);
        ck_assert(pipit__server_time_may_share(&of_text));
}
END_TEST

START_TEST(what_runs_as_one_takes_each_its_part)
{
        use(&of_text, 3, 80);
        use(&other, 3, 100);
        for (int i = 0; i < 60; i++)
                pipit__server_time_coalesced(&of_text, &other, 10);
        ck_assert_float_eq_tol(foretold(&of_text), 10, 1);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("server_time");
        TCase *tcase = tcase_create("server_time");

        tcase_add_checked_fixture(tcase, setup, NULL);
        tcase_add_test(tcase, three_uses_make_a_statement_known);
        tcase_add_test(tcase, a_new_statement_takes_what_new_ones_took);
        tcase_add_test(tcase, the_quickest_of_the_first_uses_counts);
        tcase_add_test(tcase, nothing_takes_no_time);
        tcase_add_test(tcase, an_estimate_follows_the_uses);
        tcase_add_test(tcase, a_part_of_a_segment_teaches_a_part);
        tcase_add_test(tcase, a_use_that_is_slow_for_once_says_nothing_and_many_do);
        tcase_add_test(tcase, what_may_be_the_networks_teaches_only_if_nothing_else_does);
        tcase_add_test(tcase, slow_is_more_than_half_of_the_way);
        tcase_add_test(tcase, on_the_border_a_statement_stays_what_it_is);
        tcase_add_test(tcase, each_change_of_a_class_is_counted);
        tcase_add_test(tcase, new_statements_are_slow_where_new_ones_are);
        tcase_add_test(tcase, much_quicker_ones_that_came_lately_are_known);
        tcase_add_test(tcase, a_statement_is_not_quicker_than_itself);
        tcase_add_test(tcase, a_statement_that_failed_in_a_group_is_alone_for_a_while);
        tcase_add_test(tcase, who_fails_again_is_alone_for_twice_as_long_up_to_a_bound);
        tcase_add_test(tcase, good_conduct_shortens_the_next_penalty);
        tcase_add_test(tcase, what_runs_as_one_takes_each_its_part);
        suite_add_tcase(suite, tcase);
        return suite;
}
