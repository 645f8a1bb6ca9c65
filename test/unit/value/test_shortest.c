#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
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
        {-NAN, "NaN"},
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

/* Numbers of three sorts in turn: any bits, a few decimal digits, a whole number. Those up to 2^53
 * have no neighbour with a middle that is a short text. */
static double
random_double(uint64_t *state, int i)
{
        uint64_t bits = next_random(state);
        double number;

        if (i % 3 == 1)
                return (double)(bits >> 40) / 1000;
        if (i % 3 == 2)
                return (double)(bits >> (11 + bits % 50));
        memcpy(&number, &bits, sizeof number);
        return number;
}

static float
random_float(uint64_t *state, int i)
{
        uint32_t bits = (uint32_t)next_random(state);
        float number;

        if (i % 3 == 1)
                return (float)(bits >> 14) / 100;
        if (i % 3 == 2)
                return (float)(bits >> (8 + bits % 20));
        memcpy(&number, &bits, sizeof number);
        return number;
}

/* The digits of a text, without zeros at their ends. */
static void
digits_of(const char *text, char digits[PIPIT__NUMBER_SIZE])
{
        size_t n = 0;

        for (; *text != '\0' && *text != 'e'; text++) {
                if ((*text >= '1' && *text <= '9') || (*text == '0' && n > 0))
                        digits[n++] = *text;
        }
        while (n > 0 && digits[n - 1] == '0')
                n--;
        digits[n] = '\0';
}

/* Whether a number is in the middle between a float and one of its neighbours. */
static bool
is_middle(double middle, float number)
{
        return middle == ((double)number + (double)nextafterf(number, INFINITY)) / 2 ||
               middle == ((double)number + (double)nextafterf(number, -INFINITY)) / 2;
}

/* A middle is read back by chance, so the server does not write one. */
static bool
is_read_back(const char *text, double number, bool single)
{
        if (!single)
                return strtod(text, NULL) == number;
        return strtof(text, NULL) == (float)number && !is_middle(strtod(text, NULL), (float)number);
}

/* What printf() writes with the fewest digits with which the number is read back. */
static void
digits_needed(double number, bool single, char digits[PIPIT__NUMBER_SIZE])
{
        char text[PIPIT__NUMBER_SIZE];
        int n = 0;

        do
                snprintf(text, sizeof text, "%.*e", n, number);
        while (!is_read_back(text, number, single) && ++n < 17);
        digits_of(text, digits);
}

static void
is_shortest(const char *text, double number, bool single)
{
        char written[PIPIT__NUMBER_SIZE];
        char needed[PIPIT__NUMBER_SIZE];

        digits_of(text, written);
        digits_needed(number, single, needed);
        ck_assert_str_eq(written, needed);
}

START_TEST(every_double_is_read_back_and_no_shorter_text_would_be)
{
        uint64_t state = 88172645463325252u;

        for (int i = 0; i < N_RANDOM; i++) {
                double number = random_double(&state, i);
                char text[PIPIT__NUMBER_SIZE];
                double back = 0;

                size_t length = pipit__shortest_double(number, text);
                ck_assert_uint_lt(length, sizeof text);
                ck_assert_int_eq(pipit__number_read_double(text, length, &back), 0);
                ck_assert(isnan(number) ? isnan(back) : memcmp(&back, &number, sizeof back) == 0);
                if (isfinite(number))
                        is_shortest(text, number, false);
        }
}
END_TEST

START_TEST(every_float_is_read_back_and_no_shorter_text_would_be)
{
        uint64_t state = 5432167890u;

        for (int i = 0; i < N_RANDOM; i++) {
                float number = random_float(&state, i);
                char text[PIPIT__NUMBER_SIZE];
                float back = 0;

                size_t length = pipit__shortest_float(number, text);
                ck_assert_int_eq(pipit__number_read_float(text, length, &back), 0);
                ck_assert(isnan(number) ? isnan(back) : memcmp(&back, &number, sizeof back) == 0);
                if (isfinite(number))
                        is_shortest(text, (double)number, true);
        }
}
END_TEST

/* The gap below a power of two is half of that above it. */
START_TEST(every_power_of_two_and_its_neighbours_are_read_back)
{
        for (int exponent = -1074; exponent < 1024; exponent++) {
                double power = ldexp(1, exponent);
                double numbers[] = {nextafter(power, 0), power, nextafter(power, INFINITY)};

                for (int i = 0; i < 3; i++) {
                        char text[PIPIT__NUMBER_SIZE];
                        char digits[2][PIPIT__NUMBER_SIZE];

                        pipit__shortest_double(numbers[i], text);
                        ck_assert_double_eq(strtod(text, NULL), numbers[i]);
                        digits_of(text, digits[0]);
                        digits_needed(numbers[i], false, digits[1]);
                        ck_assert_uint_le(strlen(digits[0]), strlen(digits[1]));
                }
        }
}
END_TEST

static const struct {
        double number;
        const char *text;
} params[] = {
        {19.99, "19.99"},
        {0.1F, "0.10000000149011612"},
        {1e14, "100000000000000"},
        {1e15, "1000000000000000"},
        {-1700000000123456, "-1700000000123456"},
        {9007199254740993.0, "9007199254740992"},
        {9999999999999998, "9999999999999998"},
        {1234567890123456.5, "1234567890123456.5"},
        {1e16, "1e+16"},
        {123456789012345680, "1.2345678901234568e+17"},
        {1e22, "1e+22"},
        {0.00001, "1e-05"},
        {-0.0, "-0"},
        {NAN, "NaN"},
};

START_TEST(a_parameter_is_a_whole_number_without_an_exponent_below_1e16)
{
        char text[PIPIT__NUMBER_SIZE];
        size_t length = pipit__shortest_param(params[_i].number, text);

        ck_assert_str_eq(text, params[_i].text);
        ck_assert_uint_eq(length, strlen(text));
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
        tcase_add_loop_test(tcase, a_parameter_is_a_whole_number_without_an_exponent_below_1e16, 0,
                            COUNT(params));
        tcase_add_test(tcase, every_double_is_read_back_and_no_shorter_text_would_be);
        tcase_add_test(tcase, every_float_is_read_back_and_no_shorter_text_would_be);
        tcase_add_test(tcase, every_power_of_two_and_its_neighbours_are_read_back);
        tcase_add_test(tcase, no_locale_changes_a_number);
        suite_add_tcase(suite, tcase);
        return suite;
}
