#include "request/round_trip.h"
#include "runner.h"

#define MS 1000

static struct round_trip round_trip;

static void
setup(void)
{
        round_trip = (struct round_trip){0};
}

START_TEST(the_set_up_is_the_first_ping_and_only_the_first)
{
        pipit__round_trip_guess(&round_trip, 2 * MS, 1000 * MS);
        ck_assert_float_eq(round_trip.least_us, 2 * MS);
        ck_assert_float_eq(round_trip.most_us, 2 * MS);
        ck_assert(!pipit__round_trip_is_due(&round_trip, 1000 * MS));
        pipit__round_trip_guess(&round_trip, 9 * MS, 1000 * MS);
        ck_assert_float_eq(round_trip.most_us, 2 * MS);
}
END_TEST

START_TEST(one_ping_says_that_the_way_has_become_shorter)
{
        pipit__round_trip_learn(&round_trip, 50 * MS, 1000 * MS);
        pipit__round_trip_learn(&round_trip, 1 * MS, 1001 * MS);
        ck_assert_float_eq(round_trip.least_us, 1 * MS);
        ck_assert_float_eq(round_trip.most_us, 50 * MS);
}
END_TEST

START_TEST(one_ping_says_that_the_way_has_become_longer)
{
        for (int i = 0; i < 20; i++)
                pipit__round_trip_learn(&round_trip, 1 * MS, (1000 + i) * MS);
        pipit__round_trip_learn(&round_trip, 50 * MS, 1021 * MS);
        ck_assert_float_eq(round_trip.most_us, 50 * MS);
        ck_assert_float_eq(round_trip.least_us, 1 * MS);
        ck_assert_float_eq_tol(round_trip.mean_us, (7.0F + 50) / 8 * MS, 1);
}
END_TEST

START_TEST(a_way_that_was_longer_is_forgotten_in_time)
{
        pipit__round_trip_learn(&round_trip, 50 * MS, 1000 * MS);
        pipit__round_trip_learn(&round_trip, 1 * MS, 1500 * MS);
        ck_assert_float_eq(round_trip.most_us, 50 * MS);
        pipit__round_trip_learn(&round_trip, 1 * MS, 1520 * MS);
        ck_assert_float_eq(round_trip.most_us, 1 * MS);
        ck_assert_float_eq(round_trip.mean_us, 1 * MS);
}
END_TEST

START_TEST(far_away_pings_count_for_some_flights)
{
        pipit__round_trip_learn(&round_trip, 50 * MS, 1000 * MS);
        pipit__round_trip_learn(&round_trip, 100 * MS, 2900 * MS);
        ck_assert_float_eq(round_trip.least_us, 50 * MS);
        pipit__round_trip_learn(&round_trip, 100 * MS, 3200 * MS);
        ck_assert_float_eq(round_trip.least_us, 100 * MS);
}
END_TEST

START_TEST(a_ping_is_due_from_time_to_time_and_old_later)
{
        pipit__round_trip_learn(&round_trip, 1 * MS, 1000 * MS);
        round_trip.asked_us = 1000 * MS;
        ck_assert(!pipit__round_trip_is_due(&round_trip, 1009 * MS));
        ck_assert(pipit__round_trip_is_due(&round_trip, 1010 * MS));
        ck_assert(!pipit__round_trip_is_old(&round_trip, 1116 * MS));
        ck_assert(pipit__round_trip_is_old(&round_trip, 1117 * MS));
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("round_trip");
        TCase *tcase = tcase_create("round_trip");

        tcase_add_checked_fixture(tcase, setup, NULL);
        tcase_add_test(tcase, the_set_up_is_the_first_ping_and_only_the_first);
        tcase_add_test(tcase, one_ping_says_that_the_way_has_become_shorter);
        tcase_add_test(tcase, one_ping_says_that_the_way_has_become_longer);
        tcase_add_test(tcase, a_way_that_was_longer_is_forgotten_in_time);
        tcase_add_test(tcase, far_away_pings_count_for_some_flights);
        tcase_add_test(tcase, a_ping_is_due_from_time_to_time_and_old_later);
        suite_add_tcase(suite, tcase);
        return suite;
}
