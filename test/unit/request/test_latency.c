#include <stddef.h>

#include "request/latency.h"
#include "runner.h"

/* Uses of a statement, each fast or slow, each in a millisecond of its own. */
struct walk {
        struct latency latency;
        int64_t now_ms;
};

static void
use(struct walk *walk, int n, bool slow)
{
        for (int i = 0; i < n; i++)
                pipit__latency_answered(&walk->latency, 1, slow ? 50000 : 100, slow,
                                        ++walk->now_ms);
}

START_TEST(what_was_never_used_is_unknown)
{
        struct latency latency = {0};

        ck_assert_int_eq(pipit__latency_class(&latency), LATENCY_UNKNOWN);
}
END_TEST

static const struct {
        enum latency_class class, last;
        bool may;
} follows[] = {
        {LATENCY_FAST, LATENCY_FAST, true},       {LATENCY_ALONE, LATENCY_FAST, true},
        {LATENCY_UNKNOWN, LATENCY_FAST, true},    {LATENCY_SLOW, LATENCY_FAST, false},
        {LATENCY_FAST, LATENCY_ALONE, true},      {LATENCY_ALONE, LATENCY_ALONE, true},
        {LATENCY_UNKNOWN, LATENCY_ALONE, true},   {LATENCY_SLOW, LATENCY_ALONE, false},
        {LATENCY_FAST, LATENCY_UNKNOWN, false},   {LATENCY_ALONE, LATENCY_UNKNOWN, false},
        {LATENCY_UNKNOWN, LATENCY_UNKNOWN, true}, {LATENCY_SLOW, LATENCY_UNKNOWN, false},
        {LATENCY_FAST, LATENCY_SLOW, false},      {LATENCY_ALONE, LATENCY_SLOW, false},
        {LATENCY_UNKNOWN, LATENCY_SLOW, false},   {LATENCY_SLOW, LATENCY_SLOW, false},
};
#define N_FOLLOWS ((int)(sizeof follows / sizeof follows[0]))

START_TEST(nothing_fast_follows_what_may_be_slow_and_nothing_follows_or_is_slow)
{
        ck_assert_int_eq(pipit__latency_may_follow(follows[_i].class, follows[_i].last),
                         follows[_i].may);
}
END_TEST

START_TEST(three_fast_uses_make_a_statement_fast)
{
        struct walk walk = {0};

        use(&walk, 2, false);
        ck_assert_int_eq(pipit__latency_class(&walk.latency), LATENCY_UNKNOWN);
        use(&walk, 1, false);
        ck_assert_int_eq(pipit__latency_class(&walk.latency), LATENCY_FAST);
}
END_TEST

START_TEST(three_slow_uses_make_it_slow_be_it_known_or_not)
{
        struct walk walk = {0};

        use(&walk, 10 * _i, false);
        use(&walk, 2, true);
        ck_assert_int_ne(pipit__latency_class(&walk.latency), LATENCY_SLOW);
        use(&walk, 1, true);
        ck_assert_int_eq(pipit__latency_class(&walk.latency), LATENCY_SLOW);
}
END_TEST

START_TEST(a_slow_statement_that_is_fast_again_becomes_fast_in_time)
{
        struct walk walk = {0};

        use(&walk, 3, true);
        use(&walk, 100, false);
        ck_assert_int_eq(pipit__latency_class(&walk.latency), LATENCY_SLOW);
        use(&walk, 1000, false);
        ck_assert_int_eq(pipit__latency_class(&walk.latency), LATENCY_FAST);
}
END_TEST

/* One in a hundred, among fast ones: the mean says nothing of it. */
START_TEST(a_moody_statement_is_slow)
{
        struct walk walk = {0};

        for (int i = 0; i < 10; i++) {
                use(&walk, 99, false);
                use(&walk, 1, true);
        }
        ck_assert_int_eq(pipit__latency_class(&walk.latency), LATENCY_SLOW);
}
END_TEST

START_TEST(many_slow_ones_in_one_moment_are_one_stall)
{
        struct latency latency = {0};

        for (int i = 0; i < 100; i++)
                pipit__latency_answered(&latency, 1, 50000, true, 7);
        ck_assert_int_eq(pipit__latency_class(&latency), LATENCY_FAST);
}
END_TEST

START_TEST(a_fast_statement_may_be_in_a_group_of_any_size)
{
        struct walk walk = {0};

        use(&walk, 10, false);
        ck_assert_int_ge(pipit__latency_group_limit(&walk.latency), 512);
}
END_TEST

START_TEST(the_slow_use_of_a_statement_bounds_its_groups)
{
        struct walk walk = {0};

        use(&walk, 10, false);
        use(&walk, 1, true);
        int one = pipit__latency_group_limit(&walk.latency);
        ck_assert_int_lt(one, 16);
        ck_assert_int_ge(one, 2);
        use(&walk, 1, true);
        ck_assert_int_lt(pipit__latency_group_limit(&walk.latency), one);
        use(&walk, 10000, false);
        ck_assert_int_ge(pipit__latency_group_limit(&walk.latency), 512);
}
END_TEST

START_TEST(where_those_who_wait_take_longer_than_a_slow_one_all_share)
{
        struct latency latency = {0};

        ck_assert(!pipit__latency_is_crowded(&latency, 1000));
        pipit__latency_took_alone(&latency, 100, 1000);
        pipit__latency_answered(&latency, 1, 3000, true, 1);
        ck_assert(!pipit__latency_is_crowded(&latency, 29));
        ck_assert(pipit__latency_is_crowded(&latency, 31));
}
END_TEST

/* What was learned while all was slow would keep them together for ever. */
START_TEST(what_one_takes_alone_is_tried_again_where_they_share)
{
        struct latency latency = {0};

        pipit__latency_took_alone(&latency, 900, 1000);
        pipit__latency_answered(&latency, 1, 3000, true, 1);
        ck_assert(pipit__latency_is_crowded(&latency, 8));
        for (int i = 0; i < 20; i++)
                pipit__latency_took_together(&latency, 64);
        ck_assert(!pipit__latency_is_crowded(&latency, 8));
}
END_TEST

/* Numbers that are too small take a processor a hundred times as long. */
START_TEST(what_was_long_ago_is_nothing_and_not_next_to_nothing)
{
        struct latency latency = {0};

        pipit__latency_took_alone(&latency, 900, 1000);
        pipit__latency_answered(&latency, 1, 3000, true, 1);
        for (int i = 0; i < 100000; i++) {
                pipit__latency_answered(&latency, 1, 100, false, 2);
                pipit__latency_took_together(&latency, 1);
        }
        ck_assert_float_eq(latency.slow, 0);
        ck_assert_float_eq(latency.single_us, 0);
}
END_TEST

/* One by one or at once: what is remembered is nearly the same. */
START_TEST(many_uses_at_once_count_as_many)
{
        struct walk one = {0};
        struct walk many = {0};

        use(&one, 3, true);
        use(&many, 3, true);
        use(&one, 64, false);
        pipit__latency_answered(&many.latency, 64, 100, false, 1000);
        ck_assert_float_eq_tol(many.latency.slow, one.latency.slow, 0.01F);
        pipit__latency_failed(&one.latency);
        pipit__latency_failed(&many.latency);
        unsigned alone = one.latency.alone;
        pipit__latency_answered(&many.latency, (int)alone - 1, 100, false, 1001);
        ck_assert_int_eq(pipit__latency_class(&many.latency), pipit__latency_class(&one.latency));
        ck_assert_uint_eq(many.latency.alone, 1);
        pipit__latency_answered(&many.latency, 100, 100, false, 1002);
        ck_assert_uint_eq(many.latency.alone, 0);
}
END_TEST

/* Else what was slow once, at the start, would keep gets in small groups for ever. */
START_TEST(what_runs_as_one_forgets_slow_uses_as_if_each_had_run)
{
        struct walk one = {0};
        struct walk many = {0};

        use(&one, 3, false);
        use(&one, 1, true);
        use(&many, 3, false);
        use(&many, 1, true);
        ck_assert_int_lt(pipit__latency_group_limit(&one.latency), 8);
        for (int i = 0; i < 200; i++) {
                use(&many, 1, false);
                int n = pipit__latency_group_limit(&one.latency);
                pipit__latency_coalesced(&one.latency, &many.latency, n < 64 ? n : 64);
        }
        ck_assert_int_ge(pipit__latency_group_limit(&one.latency), 64);
}
END_TEST

START_TEST(what_runs_as_one_and_is_moody_has_small_groups)
{
        struct walk one = {0};
        struct walk many = {0};

        use(&one, 10, false);
        for (int i = 0; i < 1000; i++) {
                use(&many, 1, i % 12 == 0);
                pipit__latency_coalesced(&one.latency, &many.latency, 8);
        }
        ck_assert_int_le(pipit__latency_group_limit(&one.latency), 1);
}
END_TEST

/* Those who wait are mostly others. */
START_TEST(a_slow_use_does_not_make_a_crowd)
{
        struct latency latency = {0};

        for (int i = 0; i < 100; i++) {
                pipit__latency_took_alone(&latency, 100000, 1500);
                pipit__latency_answered(&latency, 1, 100000, true, i);
        }
        ck_assert(!pipit__latency_is_crowded(&latency, 60));
}
END_TEST

/* The others are slow because much runs at once. */
START_TEST(the_quickest_use_counts)
{
        struct latency latency = {0};

        pipit__latency_took(&latency, 1, 500);
        pipit__latency_took(&latency, 1, 100);
        for (int i = 0; i < 10; i++)
                pipit__latency_took(&latency, 1, 500);
        ck_assert_float_eq_tol(latency.best_us, 100, 5);
}
END_TEST

START_TEST(what_has_become_slower_is_known_in_time)
{
        struct latency latency = {0};

        pipit__latency_took(&latency, 1, 100);
        for (int i = 0; i < 10000; i++)
                pipit__latency_took(&latency, 1, 500);
        ck_assert_float_eq_tol(latency.best_us, 500, 5);
}
END_TEST

/* How many uses a statement has alone after a failure. */
static int
uses_alone(struct walk *walk)
{
        int n = 0;

        while (pipit__latency_class(&walk->latency) == LATENCY_ALONE) {
                use(walk, 1, false);
                n++;
        }
        return n;
}

START_TEST(a_statement_that_failed_in_a_group_is_alone_for_a_while)
{
        struct walk walk = {0};

        use(&walk, 10, false);
        pipit__latency_failed(&walk.latency);
        ck_assert_int_eq(pipit__latency_class(&walk.latency), LATENCY_ALONE);
        ck_assert_int_eq(uses_alone(&walk), 8);
        ck_assert_int_eq(pipit__latency_class(&walk.latency), LATENCY_FAST);
}
END_TEST

START_TEST(who_fails_again_is_alone_for_twice_as_long_up_to_a_bound)
{
        struct walk walk = {0};
        int last = 8;

        use(&walk, 10, false);
        pipit__latency_failed(&walk.latency);
        uses_alone(&walk);
        for (int i = 0; i < 20; i++) {
                pipit__latency_failed(&walk.latency);
                int n = uses_alone(&walk);
                ck_assert_int_eq(n, last < 1024 ? 2 * last : 1024);
                last = n;
        }
}
END_TEST

START_TEST(good_conduct_shortens_the_next_penalty)
{
        struct walk walk = {0};

        use(&walk, 10, false);
        for (int i = 0; i < 4; i++)
                pipit__latency_failed(&walk.latency);
        uses_alone(&walk);
        use(&walk, 1000, false);
        pipit__latency_failed(&walk.latency);
        ck_assert_int_eq(uses_alone(&walk), 8);
}
END_TEST

START_TEST(a_failure_of_an_unknown_statement_does_not_make_it_known)
{
        struct latency latency = {0};

        pipit__latency_failed(&latency);
        ck_assert_int_eq(pipit__latency_class(&latency), LATENCY_UNKNOWN);
}
END_TEST

START_TEST(what_takes_much_longer_than_usual_is_slow)
{
        struct latency_scale scale = {0};

        for (int i = 0; i < 100; i++)
                pipit__latency_learn(&scale, 100, 0);
        ck_assert(!pipit__latency_is_slow(&scale, 500, 0));
        ck_assert(pipit__latency_is_slow(&scale, 5000, 0));
}
END_TEST

START_TEST(where_everything_takes_long_nothing_is_slow)
{
        struct latency_scale scale = {0};

        for (int i = 0; i < 100; i++)
                pipit__latency_learn(&scale, 20000, 0);
        ck_assert(!pipit__latency_is_slow(&scale, 50000, 0));
        ck_assert(pipit__latency_is_slow(&scale, 500000, 0));
}
END_TEST

START_TEST(what_was_foretold_is_not_slow)
{
        struct latency_scale scale = {0};

        for (int i = 0; i < 100; i++)
                pipit__latency_learn(&scale, 100, 0);
        for (int i = 0; i < 100; i++)
                ck_assert(!pipit__latency_is_slow(&scale, 3100, 3000));
        ck_assert(pipit__latency_is_slow(&scale, 100000, 3000));
}
END_TEST

START_TEST(one_that_is_slow_does_not_change_what_is_usual)
{
        struct latency_scale scale = {0};

        for (int i = 0; i < 100; i++)
                pipit__latency_learn(&scale, 100, 0);
        ck_assert(pipit__latency_is_slow(&scale, 10000000, 0));
        pipit__latency_learn(&scale, 10000000, 0);
        ck_assert(pipit__latency_is_slow(&scale, 5000, 0));
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("latency");
        TCase *tcase = tcase_create("latency");

        tcase_add_test(tcase, what_was_never_used_is_unknown);
        tcase_add_loop_test(tcase,
                            nothing_fast_follows_what_may_be_slow_and_nothing_follows_or_is_slow, 0,
                            N_FOLLOWS);
        tcase_add_test(tcase, three_fast_uses_make_a_statement_fast);
        tcase_add_loop_test(tcase, three_slow_uses_make_it_slow_be_it_known_or_not, 0, 2);
        tcase_add_test(tcase, a_slow_statement_that_is_fast_again_becomes_fast_in_time);
        tcase_add_test(tcase, a_moody_statement_is_slow);
        tcase_add_test(tcase, many_slow_ones_in_one_moment_are_one_stall);
        tcase_add_test(tcase, a_fast_statement_may_be_in_a_group_of_any_size);
        tcase_add_test(tcase, the_slow_use_of_a_statement_bounds_its_groups);
        tcase_add_test(tcase, where_those_who_wait_take_longer_than_a_slow_one_all_share);
        tcase_add_test(tcase, what_one_takes_alone_is_tried_again_where_they_share);
        tcase_add_test(tcase, what_was_long_ago_is_nothing_and_not_next_to_nothing);
        tcase_add_test(tcase, many_uses_at_once_count_as_many);
        tcase_add_test(tcase, what_runs_as_one_forgets_slow_uses_as_if_each_had_run);
        tcase_add_test(tcase, what_runs_as_one_and_is_moody_has_small_groups);
        tcase_add_test(tcase, a_slow_use_does_not_make_a_crowd);
        tcase_add_test(tcase, the_quickest_use_counts);
        tcase_add_test(tcase, what_has_become_slower_is_known_in_time);
        tcase_add_test(tcase, a_statement_that_failed_in_a_group_is_alone_for_a_while);
        tcase_add_test(tcase, who_fails_again_is_alone_for_twice_as_long_up_to_a_bound);
        tcase_add_test(tcase, good_conduct_shortens_the_next_penalty);
        tcase_add_test(tcase, a_failure_of_an_unknown_statement_does_not_make_it_known);
        tcase_add_test(tcase, what_takes_much_longer_than_usual_is_slow);
        tcase_add_test(tcase, where_everything_takes_long_nothing_is_slow);
        tcase_add_test(tcase, what_was_foretold_is_not_slow);
        tcase_add_test(tcase, one_that_is_slow_does_not_change_what_is_usual);
        suite_add_tcase(suite, tcase);
        return suite;
}
