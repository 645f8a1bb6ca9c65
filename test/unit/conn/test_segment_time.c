#include "conn/segment_time.h"
#include "request/latency.h"
#include "request/stmt_cache.h"
#include "request/stmt_int.h"
#include "runner.h"

static struct stmt_cache stmt_cache;
static struct latency_scale scale;
static struct stmt *one_stmt;
static struct stmt *other_stmt;

static void
setup(void)
{
        scale = (struct latency_scale){0};
        ck_assert_int_eq(pipit__stmt_cache_init(&stmt_cache, 2), 0);
        one_stmt = pipit__stmt_cache_get(&stmt_cache, "SELECT 1");
        other_stmt = pipit__stmt_cache_get(&stmt_cache, "SELECT 2");
}

static void
teardown(void)
{
        ck_assert_int_eq(one_stmt->refs, 1);
        ck_assert_int_eq(other_stmt->refs, 1);
        pipit__stmt_unref(one_stmt);
        pipit__stmt_unref(other_stmt);
        pipit__stmt_cache_fini(&stmt_cache);
}

/* The timing of a segment that is a flight of its own. */
static struct segment_timing
time_of(const struct sending *sync, int64_t read_us, int64_t now_us)
{
        return pipit__segment_time(&scale, sync, sync, true, read_us, now_us);
}

START_TEST(a_segment_takes_from_the_later_of_its_start_and_the_answer_before_it)
{
        struct sending sync = {.sent_us = 1000, .n_statements = 4};

        ck_assert_int_eq(time_of(&sync, 500, 1900).us, 900);
        ck_assert_int_eq(time_of(&sync, 1600, 1900).us, 300);
}
END_TEST

START_TEST(a_flight_is_shared_by_all_that_was_sent_with_it_once_all_is_answered)
{
        struct sending sync = {.sent_us = 1000, .n_statements = 1};
        struct sending flight = {.sent_us = 1000, .n_statements = 10};

        ck_assert(pipit__segment_time(&scale, &sync, &flight, false, 0, 1900).each_us <= 0);
        ck_assert_float_eq_tol(
                pipit__segment_time(&scale, &sync, &flight, true, 1900, 2000).each_us, 100, 1);
}
END_TEST

START_TEST(a_segment_of_pipits_own_does_not_say_what_is_usual)
{
        struct sending sync = {0}; /* of a set-up: nobody knows since when */

        ck_assert(!time_of(&sync, 0, 3600000000).slow);
        sync = (struct sending){.n_statements = 1, .sent_us = 1000};
        for (int i = 0; i < 10; i++)
                ck_assert(!time_of(&sync, 0, 1200).slow);
        ck_assert(time_of(&sync, 0, 11000).slow);
}
END_TEST

START_TEST(a_group_is_not_slow_for_being_large)
{
        struct sending one = {.n_statements = 1};
        struct sending many = {.n_statements = 100, .estimated_us = 2000};

        for (int i = 0; i < 100; i++)
                ck_assert(!time_of(&one, 0, 100).slow);
        ck_assert(!time_of(&many, 0, 3000).slow);
        ck_assert(time_of(&one, 0, 3000).slow);
        ck_assert(time_of(&many, 0, 50000).slow);
}
END_TEST

/* What is learned from these: n of one statement, one of the other, n of the first. */
static void
teach(int n, const struct segment_timing *timing, enum segment_sharing sharing)
{
        struct segment_lesson lesson = {.timing = timing};

        for (int i = 0; i < n; i++)
                pipit__segment_teach(&lesson, one_stmt, sharing);
        pipit__segment_teach(&lesson, other_stmt, sharing);
        for (int i = 0; i < n; i++)
                pipit__segment_teach(&lesson, one_stmt, sharing);
        pipit__segment_taught(&lesson);
        pipit__segment_taught(&lesson); /* nothing is left */
}

START_TEST(each_statement_of_a_segment_counts_as_a_use)
{
        struct segment_timing timing = {.now_ms = 1, .us = 100, .each_us = 50, .most_us = 1000};

        teach(1, &timing, SHARING_SYNC);
        ck_assert_uint_eq(one_stmt->latency.uses, 2);
        ck_assert_uint_eq(other_stmt->latency.uses, 1);
        ck_assert_float_eq(one_stmt->latency.best_us, 50);
}
END_TEST

START_TEST(many_of_one_statement_are_one_lesson)
{
        struct segment_timing slow = {.now_ms = 1, .us = 100000, .slow = true};

        teach(10, &slow, SHARING_SYNC);
        ck_assert_float_le(one_stmt->latency.slow, 1); /* twenty uses met one stall */
}
END_TEST

START_TEST(only_what_had_its_sync_to_itself_says_what_one_takes_alone)
{
        struct segment_timing timing = {.now_ms = 1, .us = 100, .each_us = 50, .most_us = 1000};

        teach(1, &timing, (enum segment_sharing)_i);
        if (_i == SHARING_NONE)
                ck_assert_float_eq(one_stmt->latency.single_us, 50);
        else
                ck_assert_float_eq(one_stmt->latency.single_us, 0);
}
END_TEST

START_TEST(what_took_how_long_is_not_known_before_all_of_a_flight_is_answered)
{
        struct segment_timing timing = {.now_ms = 1, .us = 100};

        teach(1, &timing, SHARING_NONE);
        ck_assert_uint_eq(one_stmt->latency.uses, 2);
        ck_assert_float_eq(one_stmt->latency.best_us, 0);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("segment_time");
        TCase *tcase = tcase_create("segment_time");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, a_segment_takes_from_the_later_of_its_start_and_the_answer_before_it);
        tcase_add_test(tcase, a_flight_is_shared_by_all_that_was_sent_with_it_once_all_is_answered);
        tcase_add_test(tcase, a_segment_of_pipits_own_does_not_say_what_is_usual);
        tcase_add_test(tcase, a_group_is_not_slow_for_being_large);
        tcase_add_test(tcase, each_statement_of_a_segment_counts_as_a_use);
        tcase_add_test(tcase, many_of_one_statement_are_one_lesson);
        tcase_add_loop_test(tcase, only_what_had_its_sync_to_itself_says_what_one_takes_alone,
                            SHARING_NONE, SHARING_LEASE + 1);
        tcase_add_test(tcase, what_took_how_long_is_not_known_before_all_of_a_flight_is_answered);
        suite_add_tcase(suite, tcase);
        return suite;
}
