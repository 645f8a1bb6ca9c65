/*
 * Floating numbers as parameters: to every type they are the number with the fewest digits that are
 * read back, at the first use of a statement and at later ones.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "live.h"

enum { USES = 3, N_RANDOM = 300 };

static const double doubles[] = {
        0.0,
        -0.0,
        1,
        -1.5,
        0.1,
        19.99,
        0.3,
        1.0 / 3,
        1e-5,
        0.0001,
        123456.789,
        1e14,
        1e16,
        1e22,
        1e23,
        123456789e11,
        36028797018963968.0,
        123456789012345680.0,
        9007199254740991.0 * 1024,
        5e-324,
        DBL_MIN,
        1e-310,
        DBL_MAX,
        -DBL_MAX,
        NAN,
        INFINITY,
        -INFINITY,
};

static const float floats[] = {0.0F,    -0.0F,        0.1F,        0.3F,     19.99F,
                               1.5F,    1e10F,        16777216.0F, 1.0F / 3, FLT_MAX,
                               FLT_MIN, FLT_TRUE_MIN, 1e-40F,      NAN,      -INFINITY};

static const char *const targets[] = {"numeric", "numeric(10,2)",    "numeric(40,20)", "text",
                                      "varchar", "varchar(8)",       "json",           "jsonb",
                                      "real",    "double precision", "bigint",         "integer"};

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* The first value's text, or the SQLSTATE of a failure; NULL for no text. */
static const char *
outcome(struct pipit_result *res)
{
        return pipit_failed(res) ? pipit_result_error(res)->sqlstate : pipit_result_text(res, 0, 0);
}

/* What the server itself makes of a double that it is told with all its digits, by way of its own
 * text. */
static const char *
outcome_of_text(double number, const char *target)
{
        char sql[200];

        snprintf(sql, sizeof sql, "SELECT '%.17g'::float8::text::%s", number, target);
        return outcome(query(sql, PIPIT_NO_PARAMS));
}

/* To each target, at each use, the same as by the server's own text. */
static void
is_one_number(struct pipit_value value, double number)
{
        for (int i = 0; i < COUNT(targets); i++) {
                const char *expected = outcome_of_text(number, targets[i]);
                char sql[100];

                snprintf(sql, sizeof sql, "SELECT $1::%s", targets[i]);
                for (int use = 0; use < USES; use++) {
                        const char *text = outcome(query(sql, PIPIT_PARAMS(value)));
                        ck_assert_msg(strcmp(text, expected) == 0,
                                      "%.17g to %s, use %d: %s, not %s", number, targets[i], use,
                                      text, expected);
                }
        }
}

START_TEST(a_double_is_one_number_to_every_type_at_every_use)
{
        is_one_number(pipit_value_double(doubles[_i]), doubles[_i]);
}
END_TEST

/* Of the double that it is. */
START_TEST(a_float_is_one_number_to_every_type_at_every_use)
{
        is_one_number(pipit_value_float(floats[_i]), (double)floats[_i]);
}
END_TEST

/* The server's text has an exponent from 1e15 on, which no integer type reads. */
START_TEST(a_whole_number_below_1e16_is_one_for_the_integer_types_too)
{
        static const char *const types[] = {"bigint", "numeric", "text", "json"};

        for (int i = 0; i < COUNT(types); i++) {
                char sql[100];

                snprintf(sql, sizeof sql, "SELECT $1::%s", types[i]);
                for (int use = 0; use < USES; use++) {
                        expect_text(query(sql, PIPIT_PARAMS(1e15)), 0, 0, "1000000000000000");
                        expect_text(query(sql, PIPIT_PARAMS(-1700000000123456.0)), 0, 0,
                                    "-1700000000123456");
                        expect_text(query(sql, PIPIT_PARAMS(9999999999999998.0)), 0, 0,
                                    "9999999999999998");
                }
        }
}
END_TEST

START_TEST(a_number_is_found_by_what_a_person_would_write)
{
        execute("CREATE TABLE numbers_found (p numeric(10,2), t text, d double precision, r real)");
        for (int use = 0; use < USES; use++) {
                expect_ok(query("INSERT INTO numbers_found VALUES ($1, $2, $3, $4)",
                                PIPIT_PARAMS(19.99, 19.99, 19.99, 19.99)));
                expect_text(query("SELECT count(*) FROM numbers_found WHERE p = $1 AND d = $2 AND "
                                  "r = $3::real AND t = $4",
                                  PIPIT_PARAMS(19.99, 19.99, 19.99F, 19.99)),
                            0, 0,
                            use == 0   ? "1"
                            : use == 1 ? "2"
                                       : "3");
        }
        execute("DROP TABLE numbers_found");
}
END_TEST

/* A small generator of its own, so that every run tests the same numbers. */
static uint64_t
next_random(uint64_t *state)
{
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        return *state;
}

static double
random_double(uint64_t *state, int i)
{
        uint64_t bits = next_random(state);
        double number;

        if (i % 2 == 1)
                return (double)(bits >> 40) / 1000;
        memcpy(&number, &bits, sizeof number);
        return isfinite(number) ? number : 0.5;
}

static float
random_float(uint64_t *state, int i)
{
        uint32_t bits = (uint32_t)next_random(state);
        float number;

        if (i % 2 == 1)
                return (float)(bits >> 16) / 100;
        memcpy(&number, &bits, sizeof number);
        return isfinite(number) ? number : 0.5F;
}

/* The session's extra_float_digits is 1: the server's text is its shortest. */
START_TEST(a_random_number_has_the_digits_of_the_servers_text)
{
        uint64_t state = 1234567;

        for (int i = 0; i < N_RANDOM; i++) {
                double number = random_double(&state, i);
                float narrow = random_float(&state, i);
                struct pipit_result *res =
                        query("SELECT $1::text::numeric = $2::float8::text::numeric, "
                              "$3::text::numeric = $4::float8::text::numeric, "
                              "$3::text::real::text = $5::real::text",
                              PIPIT_PARAMS(number, number, narrow, (double)narrow, narrow));
                expect_text(res, 0, 0, "t");
                expect_text(res, 0, 1, "t");
                expect_text(res, 0, 2, "t");
        }
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("numbers");
        TCase *tcase = tcase_create("one by one");

        tcase_add_checked_fixture(tcase, live_setup, live_teardown);
        tcase_add_loop_test(tcase, a_double_is_one_number_to_every_type_at_every_use, 0,
                            COUNT(doubles));
        tcase_add_loop_test(tcase, a_float_is_one_number_to_every_type_at_every_use, 0,
                            COUNT(floats));
        tcase_add_test(tcase, a_whole_number_below_1e16_is_one_for_the_integer_types_too);
        tcase_add_test(tcase, a_number_is_found_by_what_a_person_would_write);
        tcase_add_test(tcase, a_random_number_has_the_digits_of_the_servers_text);
        suite_add_tcase(suite, tcase);
        return suite;
}
