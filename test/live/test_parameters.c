/*
 * Parameters in binary form: they mean to the server what their text means.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "live.h"
#include "plain.h"
#include "value/encode.h"
#include "value/oid.h"

static const uint32_t oids[] = {
        OID_BOOL,    OID_INT2, OID_INT4,     OID_INT8,  OID_OID,  OID_FLOAT4,    OID_FLOAT8,
        OID_TEXT,    OID_JSON, OID_JSONB,    OID_BYTEA, OID_DATE, OID_TIMESTAMP, OID_TIMESTAMPTZ,
        OID_NUMERIC, OID_UUID, OID_INTERVAL, OID_XID,   OID_TIME, OID_VARCHAR,   0};

/* What the server makes of a value that goes out so; the caller frees it. */
static char *
echo(const struct pipit_value *value, uint32_t oid, uint32_t as)
{
        size_t size = 0;
        bool fits;
        struct plain_param param = {.oid = oid};

        ck_assert_int_eq(pipit__encode_measure(value, as, &size, &fits), 0);
        char *out = malloc(size > 0 ? size : 1);
        ck_assert_ptr_nonnull(out);
        struct encoded encoded = pipit__encode(value, as, out);
        ck_assert_uint_le(encoded.taken, size);
        if (encoded.taken > 0)
                param.data = out;
        param.length = encoded.length;
        param.binary = encoded.format == ENCODING_BINARY;
        char *answer = plain_echo(&param);
        free(out);
        return answer;
}

/* To each type in the form that is chosen for it, and as text. */
static void
means_the_same(struct pipit_value value)
{
        for (size_t i = 0; i < sizeof oids / sizeof oids[0]; i++) {
                char *chosen = echo(&value, oids[i], oids[i]);
                char *text = echo(&value, oids[i], 0);

                ck_assert_msg(strcmp(chosen, text) == 0, "type %u: %s, in text %s", oids[i], chosen,
                              text);
                free(chosen);
                free(text);
        }
}

static const int64_t integers[] = {0,          1,          -1,         2,         INT16_MIN,
                                   INT16_MAX,  32768,      -32769,     INT32_MIN, INT32_MAX,
                                   2147483648, UINT32_MAX, 4294967296, INT64_MIN, INT64_MAX};

START_TEST(an_integer_means_the_same_in_text_and_binary)
{
        means_the_same(pipit_value_int(integers[_i]));
        means_the_same(pipit_value_uint((uint64_t)integers[_i]));
}
END_TEST

static const double numbers[] = {0.0,      -0.0,    1,   -1.5,     0.1,       1e15,
                                 FLT_MAX,  DBL_MAX, NAN, INFINITY, -INFINITY, DBL_TRUE_MIN,
                                 16777217, 1e-40,   2,   1e23,     FLT_MIN,   FLT_TRUE_MIN};

START_TEST(a_number_means_the_same_in_text_and_binary)
{
        means_the_same(pipit_value_double(numbers[_i]));
        means_the_same(pipit_value_float((float)numbers[_i]));
}
END_TEST

#define DAY (INT64_C(86400) * 1000000)

static const int64_t moments[] = {0,
                                  1,
                                  -1,
                                  DAY - 1,
                                  DAY,
                                  -DAY,
                                  -DAY - 1,
                                  10957 * DAY,
                                  10957 * DAY - 1,
                                  -62135596800 * 1000000 - 1,
                                  -2440588 * DAY,
                                  -2440588 * DAY - 1,
                                  -2440588 * DAY - DAY,
                                  INT64_MAX,
                                  INT64_MAX - 1,
                                  INT64_MIN,
                                  INT64_MIN + 1};

START_TEST(a_moment_means_the_same_in_text_and_binary)
{
        means_the_same(pipit_value_timestamp((struct pipit_timestamp){moments[_i]}));
}
END_TEST

static const struct pipit_interval intervals[] = {
        {0, 0, 0},
        {1, 2, 3},
        {-14, 3, -1},
        {13, -40, 3600000001},
        {0, 0, -500000},
        {INT32_MAX, 0, 0},
        {INT32_MIN, 0, 0},
        {0, INT32_MAX, 0},
        {0, INT32_MIN, 0},
        {0, 0, INT64_C(1) << 52},
        {INT32_MAX, INT32_MAX, INT64_MAX},
        {INT32_MIN, INT32_MIN, INT64_MIN},
};

START_TEST(an_interval_means_the_same_in_text_and_binary)
{
        means_the_same(pipit_value_interval(intervals[_i]));
}
END_TEST

START_TEST(other_values_mean_the_same_in_text_and_binary)
{
        struct pipit_uuid uuid = {{0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 1}};
        struct pipit_bytes bytes = {"\0\xff'\\x", 5};
        struct pipit_bytes none = {"", 0};

        means_the_same(pipit_value_bool(true));
        means_the_same(pipit_value_bool(false));
        means_the_same(PIPIT_VALUE(uuid));
        means_the_same(PIPIT_VALUE(bytes));
        means_the_same(PIPIT_VALUE(none));
        means_the_same(PIPIT_VALUE("12"));
        means_the_same(PIPIT_VALUE(""));
        means_the_same(pipit_value_null());
}
END_TEST

static const struct {
        struct pipit_decimal decimal;
        const char *text;
} decimals[] = {
        {{1250, 2}, "12.50"},
        {{-1250, 2}, "-12.50"},
        {{5, 3}, "0.005"},
        {{-5, 1}, "-0.5"},
        {{0, 2}, "0.00"},
        {{42, 0}, "42"},
        {{INT64_MAX, 0}, "9223372036854775807"},
        {{INT64_MIN, 19}, "-0.9223372036854775808"},
        {{INT64_MIN, 18}, "-9.223372036854775808"},
        {{1, PIPIT_SCALE_MAX}, "0.000000000000000000000000000000000001"},
};

START_TEST(a_decimal_comes_back_exactly)
{
        struct pipit_decimal out = {0, 0};
        struct pipit_item item;
        struct pipit_result *res = query("SELECT $1::numeric", PIPIT_PARAMS(decimals[_i].decimal));

        expect_text(res, 0, 0, decimals[_i].text);
        ck_assert_int_eq(pipit_result_item(res, 0, 0, &item), 0);
        ck_assert_int_eq(pipit_item_decimal(&item, decimals[_i].decimal.scale, &out), 0);
        ck_assert_int_eq(out.units, decimals[_i].decimal.units);
        ck_assert_int_eq(out.scale, decimals[_i].decimal.scale);
}
END_TEST

START_TEST(an_interval_comes_back_exactly)
{
        struct pipit_interval in = {-14, 3, 3600000001};
        struct pipit_interval out = {0, 0, 0};
        struct pipit_item item;
        struct pipit_result *res = query("SELECT $1::interval", PIPIT_PARAMS(in));

        expect_text(res, 0, 0, "P-1Y-2M3DT1H0.000001S");
        ck_assert_int_eq(pipit_result_item(res, 0, 0, &item), 0);
        ck_assert_int_eq(pipit_item_interval(&item, &out), 0);
        ck_assert_mem_eq(&out, &in, sizeof in);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

Suite *
test_suite(void)
{
        Suite *suite = suite_create("parameters");
        TCase *tcase = tcase_create("formats");

        tcase_add_checked_fixture(tcase, plain_setup, plain_teardown);
        tcase_add_loop_test(tcase, an_integer_means_the_same_in_text_and_binary, 0,
                            COUNT(integers));
        tcase_add_loop_test(tcase, a_number_means_the_same_in_text_and_binary, 0, COUNT(numbers));
        tcase_add_loop_test(tcase, a_moment_means_the_same_in_text_and_binary, 0, COUNT(moments));
        tcase_add_loop_test(tcase, an_interval_means_the_same_in_text_and_binary, 0,
                            COUNT(intervals));
        tcase_add_test(tcase, other_values_mean_the_same_in_text_and_binary);
        suite_add_tcase(suite, tcase);
        tcase = tcase_create("there and back");
        tcase_add_checked_fixture(tcase, live_setup, live_teardown);
        tcase_add_loop_test(tcase, a_decimal_comes_back_exactly, 0, COUNT(decimals));
        tcase_add_test(tcase, an_interval_comes_back_exactly);
        suite_add_tcase(suite, tcase);
        return suite;
}
