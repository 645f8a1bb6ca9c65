#include <pipit/error.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"
#include "value/decimal.h"

static const struct {
        const char *text;
        int scale;
        int code;
        int64_t units;
} texts[] = {
        {"0", 0, 0, 0},
        {"12.5", 2, 0, 1250},
        {"-12.50", 2, 0, -1250},
        {"12.5000", 1, 0, 125},
        {"12", 3, 0, 12000},
        {".5", 1, 0, 5},
        {"5.", 1, 0, 50},
        {"9223372036854775807", 0, 0, INT64_MAX},
        {"-9223372036854775808", 0, 0, INT64_MIN},
        {"-9.223372036854775808", 18, 0, INT64_MIN},
        {"0.000000000000000000000000000000000001", PIPIT_SCALE_MAX, 0, 1},
        {"12.501", 2, PIPIT_ETYPE, 0},
        {"9223372036854775808", 0, PIPIT_ETYPE, 0},
        {"-9223372036854775809", 0, PIPIT_ETYPE, 0},
        {"922337203685477580.8", 1, PIPIT_ETYPE, 0},
        {"1", 19, PIPIT_ETYPE, 0},
        {"NaN", 2, PIPIT_ETYPE, 0},
        {"Infinity", 2, PIPIT_ETYPE, 0},
        {"1e3", 0, PIPIT_ETYPE, 0},
        {"+1", 0, PIPIT_ETYPE, 0},
        {"1.2.3", 4, PIPIT_ETYPE, 0},
        {"", 0, PIPIT_ETYPE, 0},
        {"-", 0, PIPIT_ETYPE, 0},
        {".", 0, PIPIT_ETYPE, 0},
        {" 1", 0, PIPIT_ETYPE, 0},
};

START_TEST(a_decimal_is_read_exactly_or_not_at_all)
{
        struct pipit_decimal decimal = {7, 7};
        int code = pipit__decimal_read(texts[_i].text, strlen(texts[_i].text), texts[_i].scale,
                                       &decimal);

        ck_assert_int_eq(code, texts[_i].code);
        ck_assert_int_eq(decimal.units, code == 0 ? texts[_i].units : 7);
        ck_assert_int_eq(decimal.scale, code == 0 ? texts[_i].scale : 7);
}
END_TEST

static const int64_t units[] = {0, 1, -1, 10, 99, -100, 12345, INT64_MAX, INT64_MIN, INT64_MIN + 1};

START_TEST(a_decimal_of_any_scale_survives)
{
        for (int scale = 0; scale <= PIPIT_SCALE_MAX; scale++) {
                struct pipit_decimal in = {units[_i], scale};
                struct pipit_decimal out = {7, 7};
                char text[PIPIT__DECIMAL_SIZE];
                size_t length = pipit__decimal_write(in, text);

                ck_assert_uint_lt(length, sizeof text);
                ck_assert_uint_eq(length, strlen(text));
                ck_assert_int_eq(pipit__decimal_read(text, length, scale, &out), 0);
                ck_assert_int_eq(out.units, in.units);
        }
}
END_TEST

START_TEST(a_scale_has_limits)
{
        ck_assert(pipit__decimal_is_good((struct pipit_decimal){1, 0}));
        ck_assert(pipit__decimal_is_good((struct pipit_decimal){1, PIPIT_SCALE_MAX}));
        ck_assert(!pipit__decimal_is_good((struct pipit_decimal){1, -1}));
        ck_assert(!pipit__decimal_is_good((struct pipit_decimal){1, PIPIT_SCALE_MAX + 1}));
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

Suite *
test_suite(void)
{
        Suite *suite = suite_create("decimal");
        TCase *tcase = tcase_create("decimal");

        tcase_add_loop_test(tcase, a_decimal_is_read_exactly_or_not_at_all, 0, COUNT(texts));
        tcase_add_loop_test(tcase, a_decimal_of_any_scale_survives, 0, COUNT(units));
        tcase_add_test(tcase, a_scale_has_limits);
        suite_add_tcase(suite, tcase);
        return suite;
}
