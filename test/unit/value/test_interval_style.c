#include <pipit/error.h>
#include <string.h>

#include "runner.h"
#include "value/interval.h"

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)

static const struct {
        const char *text;
        struct pipit_interval interval;
} intervals[] = {
        /* postgres */
        {"00:00:00", {0, 0, 0}},
        {"1 year", {12, 0, 0}},
        {"1 year 2 mons -3 days +04:05:06.7",
         {14, -3, 4 * HOUR + 5 * MINUTE + 6 * SECOND + 700000}},
        {"-1 years -1 mons +1 day -00:00:00.000001", {-13, 1, -1}},
        {"1 mon 1 day 100:00:00", {1, 1, 100 * HOUR}},
        {"-1 days", {0, -1, 0}},
        {"-2147483648 days", {0, INT32_MIN, 0}},
        {"178956970 years 7 mons", {INT32_MAX, 0, 0}},
        {"2562047788:00:54.775807", {0, 0, INT64_MAX}},
        {"-2562047788:00:54.775808", {0, 0, INT64_MIN}},
        /* postgres_verbose */
        {"@ 0", {0, 0, 0}},
        {"@ 1 year 2 mons -3 days 4 hours 5 mins 6.7 secs",
         {14, -3, 4 * HOUR + 5 * MINUTE + 6 * SECOND + 700000}},
        {"@ 1 mon -1 days 1 sec ago", {-1, 1, -SECOND}},
        {"@ 1 hour 1 min", {0, 0, HOUR + MINUTE}},
        {"@ 0.5 secs ago", {0, 0, -500000}},
        {"@ 1 day -0.5 secs", {0, 1, -500000}},
        {"@ 1 day ago", {0, -1, 0}},
        /* sql_standard */
        {"0", {0, 0, 0}},
        {"1-2", {14, 0, 0}},
        {"-1-2", {-14, 0, 0}},
        {"3 4:05:06.7", {0, 3, 4 * HOUR + 5 * MINUTE + 6 * SECOND + 700000}},
        {"-3 4:05:06", {0, -3, -(4 * HOUR + 5 * MINUTE + 6 * SECOND)}},
        {"-3 0:00:00", {0, -3, 0}},
        {"-0:00:00.5", {0, 0, -500000}},
        {"+1-2 -3 +4:05:06", {14, -3, 4 * HOUR + 5 * MINUTE + 6 * SECOND}},
        {"-0-1 +0 -0:00:01", {-1, 0, -SECOND}},
};

START_TEST(an_interval_is_read_in_every_style)
{
        struct pipit_interval out = {7, 7, 7};
        const char *text = intervals[_i].text;

        ck_assert_int_eq(pipit__interval_read(text, strlen(text), &out), 0);
        ck_assert_int_eq(out.months, intervals[_i].interval.months);
        ck_assert_int_eq(out.days, intervals[_i].interval.days);
        ck_assert_int_eq(out.us, intervals[_i].interval.us);
}
END_TEST

static const char *const rubbish[] = {
        "@",
        "@ ",
        "@1 day",
        "@ ago",
        "1 day ago",
        "@ 1 day ago 1 day",
        "1 week",
        "1 days ",
        " 1 day",
        "1  day",
        "1 day 1:60:00",
        "1 day 1:00:60",
        "1 day 1:00",
        "1:00:00.",
        "1:00:00.1234567",
        "1-12",
        "1-",
        "1.5",
        "1.5 days",
        "1.5 mins",
        "--1 day",
        "+-1 day",
        "-",
        "d",
        "1 d",
        "1 day x",
        "2147483648 days",
        "178956970 years 8 mons",
        "2562047788:00:54.775808",
        "9223372036854775808 secs",
        "@ -2147483648 days ago",
};

START_TEST(what_no_style_has_is_refused)
{
        struct pipit_interval out = {7, 7, 7};

        ck_assert_int_eq(pipit__interval_read(rubbish[_i], strlen(rubbish[_i]), &out), PIPIT_ETYPE);
        ck_assert_int_eq(out.months == 7 && out.days == 7 && out.us == 7, 1);
}
END_TEST

/* The text of a result is not the end of its memory. */
START_TEST(nothing_is_read_after_the_end)
{
        struct pipit_interval out;

        ck_assert_int_eq(pipit__interval_read("1 day 04:05:06", 5, &out), 0);
        ck_assert_int_eq(out.us, 0);
        ck_assert_int_eq(pipit__interval_read("1 day", 2, &out), PIPIT_ETYPE);
        ck_assert_int_eq(pipit__interval_read("1-2", 1, &out), 0);
        ck_assert_int_eq(out.days, 1);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("interval_style");
        TCase *tcase = tcase_create("interval_style");

        tcase_add_loop_test(tcase, an_interval_is_read_in_every_style, 0,
                            (int)(sizeof intervals / sizeof intervals[0]));
        tcase_add_loop_test(tcase, what_no_style_has_is_refused, 0,
                            (int)(sizeof rubbish / sizeof rubbish[0]));
        tcase_add_test(tcase, nothing_is_read_after_the_end);
        suite_add_tcase(suite, tcase);
        return suite;
}
