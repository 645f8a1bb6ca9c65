#include <pipit/error.h>
#include <string.h>

#include "runner.h"
#include "value/interval.h"

#define SECOND INT64_C(1000000)

static const struct {
        struct pipit_interval interval;
        const char *text;
} intervals[] = {
        {{0, 0, 0}, "PT0S"},
        {{12, 0, 0}, "P1Y"},
        {{-13, 0, 0}, "P-1Y-1M"},
        {{11, 3, 0}, "P11M3D"},
        {{0, -1, SECOND}, "P-1DT1S"},
        {{0, 0, 3661 * SECOND}, "PT1H1M1S"},
        {{0, 0, 60 * SECOND}, "PT1M"},
        {{0, 0, 1}, "PT0.000001S"},
        {{0, 0, -500000}, "PT-0.5S"},
        {{0, 0, -3661 * SECOND - 120000}, "PT-1H-1M-1.12S"},
        {{1, 2, 360000 * SECOND}, "P1M2DT100H"},
        {{INT32_MAX, INT32_MIN, 0}, "P178956970Y7M-2147483648D"},
        {{INT32_MIN, INT32_MAX, INT64_MIN}, "P-178956970Y-8M2147483647DT-2562047788H-54.775808S"},
        {{0, 0, INT64_MAX}, "PT2562047788H54.775807S"},
        {{INT32_MAX, INT32_MAX, INT64_MAX}, "infinity"},
        {{INT32_MIN, INT32_MIN, INT64_MIN}, "-infinity"},
};

START_TEST(an_interval_is_written_and_read)
{
        struct pipit_interval out = {7, 7, 7};
        char text[PIPIT__INTERVAL_SIZE];
        size_t length = pipit__interval_write(intervals[_i].interval, text);

        ck_assert_str_eq(text, intervals[_i].text);
        ck_assert_uint_eq(length, strlen(text));
        ck_assert_int_eq(pipit__interval_read(text, length, &out), 0);
        ck_assert_mem_eq(&out, &intervals[_i].interval, sizeof out);
}
END_TEST

static const char *const rubbish[] = {
        "",
        "P",
        "PT",
        "P1",
        "P1S",
        "PT1Y",
        "P1D1Y",
        "P1Y1Y",
        "PT1.S",
        "PT.5S",
        "PT1.5M",
        "PT1.1234567S",
        "P1YT",
        "P+1Y",
        "P--1Y",
        "P1.5D",
        "PT1S ",
        "infinit",
        "+infinity",
        "PT2562047788H54.775808S",
        "P178956971Y",
        "P2147483648D",
        "PT9223372036854775808S",
        "P9223372036854775807Y",
        "p1y",
};

START_TEST(what_is_no_interval_is_refused)
{
        struct pipit_interval out = {7, 7, 7};

        ck_assert_int_eq(pipit__interval_read(rubbish[_i], strlen(rubbish[_i]), &out), PIPIT_ETYPE);
        ck_assert_int_eq(out.months == 7 && out.days == 7 && out.us == 7, 1);
}
END_TEST

START_TEST(only_all_ends_together_are_infinite)
{
        ck_assert(pipit__interval_is_infinite(
                (struct pipit_interval){INT32_MAX, INT32_MAX, INT64_MAX}));
        ck_assert(!pipit__interval_is_infinite(
                (struct pipit_interval){INT32_MAX, INT32_MIN, INT64_MAX}));
        ck_assert(!pipit__interval_is_infinite((struct pipit_interval){INT32_MIN, 0, INT64_MIN}));
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

Suite *
test_suite(void)
{
        Suite *suite = suite_create("interval");
        TCase *tcase = tcase_create("interval");

        tcase_add_loop_test(tcase, an_interval_is_written_and_read, 0, COUNT(intervals));
        tcase_add_loop_test(tcase, what_is_no_interval_is_refused, 0, COUNT(rubbish));
        tcase_add_test(tcase, only_all_ends_together_are_infinite);
        suite_add_tcase(suite, tcase);
        return suite;
}
