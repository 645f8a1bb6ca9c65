#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"
#include "value/number.h"
#include "value/shortest.h"

enum { N_RANDOM = 3000 };

static uint64_t
next_random(uint64_t *state)
{
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        return *state;
}

static const struct {
        double number;
        const char *text;
} doubles[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {-12.5, "-12.5"},
        {0.1, "0.1"},
        {0.0001, "0.0001"},
        {0.00001, "1e-05"},
        {123456789012345, "123456789012345"},
        {1e14, "100000000000000"},
        {1e15, "1e+15"},
        {1.5e300, "1.5e+300"},
        {DBL_TRUE_MIN, "5e-324"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {9007199254740993.0, "9.007199254740992e+15"},
        /* In the middle between two numbers: not the shorter text. */
        {9.999999999999999e22, "9.999999999999999e+22"},
        {NAN, "NaN"},
        {INFINITY, "Infinity"},
        {-INFINITY, "-Infinity"},
};

START_TEST(a_double_has_the_text_that_the_server_gives_it)
{
        char text[PIPIT__NUMBER_SIZE];
        size_t length = pipit__shortest_double(doubles[_i].number, text);

        ck_assert_str_eq(text, doubles[_i].text);
        ck_assert_uint_eq(length, strlen(text));
}
END_TEST

static const struct {
        float number;
        const char *text;
} floats[] = {
        {0.1F, "0.1"},           {123456, "123456"},         {1e6F, "1e+06"},
        {FLT_TRUE_MIN, "1e-45"}, {FLT_MAX, "3.4028235e+38"}, {16777216, "1.6777216e+07"},
        {-0.0F, "-0"},
};

START_TEST(a_float_has_the_text_that_the_server_gives_it)
{
        char text[PIPIT__NUMBER_SIZE];

        ck_assert_uint_eq(pipit__shortest_float(floats[_i].number, text), strlen(floats[_i].text));
        ck_assert_str_eq(text, floats[_i].text);
}
END_TEST

START_TEST(every_text_is_read_as_its_number)
{
        uint64_t state = 88172645463325252u;

        for (int i = 0; i < N_RANDOM; i++) {
                char text[PIPIT__NUMBER_SIZE];
                uint64_t bits = next_random(&state);
                double number;
                double back = 0;

                memcpy(&number, &bits, sizeof number);
                size_t length = pipit__shortest_double(number, text);
                ck_assert_uint_lt(length, sizeof text);
                ck_assert_int_eq(pipit__number_read_double(text, length, &back), 0);
                ck_assert(isnan(number) ? isnan(back) : memcmp(&back, &number, sizeof back) == 0);
        }
}
END_TEST

START_TEST(no_locale_changes_a_number)
{
        char text[PIPIT__NUMBER_SIZE];

        setlocale(LC_ALL, "de_DE.UTF-8");
        pipit__shortest_double(-1234.5, text);
        setlocale(LC_ALL, "C");
        ck_assert_str_eq(text, "-1234.5");
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

Suite *
test_suite(void)
{
        Suite *suite = suite_create("shortest");
        TCase *tcase = tcase_create("shortest");

        tcase_add_loop_test(tcase, a_double_has_the_text_that_the_server_gives_it, 0,
                            COUNT(doubles));
        tcase_add_loop_test(tcase, a_float_has_the_text_that_the_server_gives_it, 0, COUNT(floats));
        tcase_add_test(tcase, every_text_is_read_as_its_number);
        tcase_add_test(tcase, no_locale_changes_a_number);
        suite_add_tcase(suite, tcase);
        return suite;
}
