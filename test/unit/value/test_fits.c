#include <stdlib.h>
#include <string.h>

#include "runner.h"
#include "value/encode.h"
#include "value/fits.h"
#include "value/oid.h"
#include "value/value.h"

struct text {
        uint32_t oid;
        const char *text;
};

/* What the server writes of a value of the type is what was said. */
static const struct text fit[] = {
        {OID_INT2, "0"},
        {OID_INT2, "-32768"},
        {OID_INT2, "32767"},
        {OID_INT4, "2147483647"},
        {OID_INT4, "-2147483648"},
        {OID_INT8, "9223372036854775807"},
        {OID_INT8, "-9223372036854775808"},
        {OID_OID, "4294967295"},
        {OID_NUMERIC, "0"},
        {OID_NUMERIC, "-12.50"},
        {OID_NUMERIC, "0.000"},
        {OID_NUMERIC, "12345678901234567890.12345"},
        {OID_NUMERIC, "NaN"},
        {OID_FLOAT4, "0.5"},
        {OID_FLOAT4, "-1.5"},
        {OID_FLOAT4, "0.10000000149011612"},
        {OID_FLOAT4, "16777216"},
        {OID_FLOAT4, "NaN"},
        {OID_FLOAT4, "Infinity"},
        {OID_FLOAT8, "0.1"},
        {OID_FLOAT8, "19.99"},
        {OID_FLOAT8, "900719925474099"},
        {OID_FLOAT8, "-Infinity"},
        {OID_BOOL, "true"},
        {OID_BOOL, "false"},
        {OID_DATE, "2024-02-29"},
        {OID_DATE, "infinity"},
        {OID_DATE, "-infinity"},
        {OID_TIME, "12:34:56"},
        {OID_TIME, "12:34:56.789012"},
        {OID_TIMETZ, "12:34:56+00"},
        {OID_TIMETZ, "12:34:56.5-03:30"},
        {OID_TIMESTAMP, "2024-01-01 12:34:56"},
        {OID_TIMESTAMP, "2024-01-01T12:34:56.000001"},
        {OID_TIMESTAMP, "infinity"},
        {OID_TIMESTAMPTZ, "2024-01-01 12:34:56+00"},
        {OID_TIMESTAMPTZ, "2024-01-01T12:34:56.5Z"},
        {OID_TIMESTAMPTZ, "2024-01-01 12:34:56+00:00"},
        {OID_TIMESTAMPTZ, "2024-01-01 12:34:56"},
        {OID_UUID, "01020304-0506-0708-090a-0b0c0d0e0f10"},
        {OID_NAME, "a"},
        {OID_NAME, "012345678901234567890123456789012345678901234567890123456789012"},
        {OID_CHAR, ""},
        {OID_CHAR, "x"},
        {OID_BPCHAR, ""},
        {OID_BPCHAR, "a b"},
        /* Every text fits these. */
        {OID_TEXT, " 007 "},
        {OID_VARCHAR, "trailing "},
        {OID_JSONB, "{\"b\": 1, \"a\": 2}"},
        {OID_JSON, ""},
        {OID_INTERVAL, "1 day"},
        {OID_BYTEA, "\\x00"},
        {99999, "anything"},
        {0, "anything"},
};

/* The server would keep something else, or has an error. */
static const struct text misfit[] = {
        {OID_INT2, "32768"},
        {OID_INT2, "-32769"},
        {OID_INT4, "3000000000"},
        {OID_INT4, "007"},
        {OID_INT4, "+7"},
        {OID_INT4, " 7"},
        {OID_INT4, "7 "},
        {OID_INT4, ""},
        {OID_INT4, "-"},
        {OID_INT4, "-0"},
        {OID_INT4, "1.0"},
        {OID_INT4, "1e3"},
        {OID_INT4, "0x10"},
        {OID_INT4, "1_000"},
        {OID_INT8, "9223372036854775808"},
        {OID_INT8, "-9223372036854775809"},
        {OID_INT8, "100000000000000000000000000"},
        {OID_OID, "-1"},
        {OID_OID, "4294967296"},
        {OID_NUMERIC, ""},
        {OID_NUMERIC, "007"},
        {OID_NUMERIC, ".5"},
        {OID_NUMERIC, "5."},
        {OID_NUMERIC, "-0"},
        {OID_NUMERIC, "1e3"},
        {OID_NUMERIC, "+1"},
        {OID_NUMERIC, "1.5 "},
        {OID_NUMERIC, "nan"},
        {OID_FLOAT4, "0.1"},
        {OID_FLOAT4, "16777217"},
        {OID_FLOAT4, "1e300"},
        {OID_FLOAT4, "1.50"},
        {OID_FLOAT8, "0.10"},
        {OID_FLOAT8, "9007199254740993"},
        {OID_FLOAT8, "1000000000000000"},
        {OID_FLOAT8, "1e400"},
        {OID_FLOAT8, "x"},
        {OID_FLOAT8, ""},
        {OID_BOOL, "t"},
        {OID_BOOL, "1"},
        {OID_BOOL, "TRUE"},
        {OID_BOOL, ""},
        {OID_DATE, "2024-01-01 12:34:56"},
        {OID_DATE, "2024-01-01 00:00:00+00"},
        {OID_DATE, "2024-1-1"},
        {OID_DATE, "today"},
        {OID_DATE, "01.02.2024"},
        {OID_DATE, ""},
        {OID_TIME, "12:34"},
        {OID_TIME, "12:34:56+00"},
        {OID_TIME, "2024-01-01 12:34:56"},
        {OID_TIME, "12:34:56.7890123"},
        {OID_TIME, "12:34:56."},
        {OID_TIMETZ, "12:34:56"},
        {OID_TIMESTAMP, "2024-01-01"},
        {OID_TIMESTAMP, "2024-01-01 12:34:56+00"},
        {OID_TIMESTAMP, "2024-01-01 12:34:56.1234567"},
        {OID_TIMESTAMP, "now"},
        {OID_TIMESTAMPTZ, "2024-01-01"},
        {OID_TIMESTAMPTZ, "2024-01-01 12:34:56+01"},
        {OID_TIMESTAMPTZ, "2024-01-01 12:34:56+00:30"},
        {OID_TIMESTAMPTZ, "2024-01-01 12:34:56 Europe/Berlin"},
        {OID_TIMESTAMPTZ, "tomorrow"},
        {OID_UUID, "01020304-0506-0708-090A-0b0c0d0e0f10"},
        {OID_UUID, "{01020304-0506-0708-090a-0b0c0d0e0f10}"},
        {OID_UUID, "0102030405060708090a0b0c0d0e0f10"},
        {OID_UUID, "01020304-0506-0708-090a-0b0c0d0e0f1"},
        {OID_UUID, ""},
        {OID_NAME, "0123456789012345678901234567890123456789012345678901234567890123"},
        {OID_CHAR, "xy"},
        {OID_BPCHAR, "a "},
        {OID_BPCHAR, " "},
};

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* In a block of exactly its size, without a NUL: the memory checkers watch its end. */
static bool
fits(const struct text *text)
{
        size_t length = strlen(text->text);
        char *copy = malloc(length > 0 ? length : 1);

        memcpy(copy, text->text, length);
        bool it_fits = pipit__text_fits(text->oid, copy, length);
        free(copy);
        return it_fits;
}

START_TEST(a_text_that_its_type_keeps_fits)
{
        ck_assert_msg(fits(&fit[_i]), "%u: '%s'", fit[_i].oid, fit[_i].text);
}
END_TEST

START_TEST(a_text_that_its_type_would_change_does_not_fit)
{
        ck_assert_msg(!fits(&misfit[_i]), "%u: '%s'", misfit[_i].oid, misfit[_i].text);
}
END_TEST

START_TEST(what_is_too_long_for_a_scalar_does_not_fit)
{
        char text[1000];

        memset(text, '1', sizeof text);
        ck_assert(!pipit__text_fits(OID_NUMERIC, text, sizeof text));
        ck_assert(pipit__text_fits(OID_TEXT, text, sizeof text));
        ck_assert(!pipit__text_fits(OID_NAME, text, sizeof text));
}
END_TEST

/* ---- values */

static bool
value_fits(struct pipit_value value, uint32_t oid)
{
        size_t size = 0;
        bool it_fits = false;

        ck_assert_int_eq(pipit__encode_measure(&value, oid, &size, &it_fits), 0);
        return it_fits;
}

START_TEST(a_number_that_its_type_would_change_does_not_fit)
{
        ck_assert(value_fits(PIPIT_VALUE(7), OID_INT4));
        ck_assert(!value_fits(PIPIT_VALUE(INT64_C(3000000000)), OID_INT4));
        ck_assert(!value_fits(PIPIT_VALUE(UINT64_MAX), OID_INT8));
        ck_assert(value_fits(PIPIT_VALUE(UINT64_MAX), OID_NUMERIC));
        ck_assert(!value_fits(PIPIT_VALUE(2), OID_BOOL));
        ck_assert(value_fits(PIPIT_VALUE(0.5), OID_FLOAT4));
        ck_assert(!value_fits(PIPIT_VALUE(0.1), OID_FLOAT4));
        ck_assert(value_fits(PIPIT_VALUE(0.1F), OID_FLOAT4));
        ck_assert(value_fits(PIPIT_VALUE(0.1), OID_FLOAT8));
        ck_assert(value_fits(PIPIT_VALUE(0.1), OID_NUMERIC));
        ck_assert(!value_fits(PIPIT_VALUE(0.5), OID_INT4));
        ck_assert(value_fits(PIPIT_VALUE(INT64_C(9007199254740993)), OID_INT8));
        ck_assert(!value_fits(PIPIT_VALUE(INT64_C(9007199254740993)), OID_FLOAT8));
        ck_assert(!value_fits(PIPIT_VALUE(16777217), OID_FLOAT4));
        ck_assert(value_fits(PIPIT_VALUE(0.1), OID_TEXT));
}
END_TEST

START_TEST(a_moment_fits_a_date_only_at_midnight)
{
        struct pipit_timestamp midnight = {INT64_C(1704067200000000)};
        struct pipit_timestamp noon = {INT64_C(1704112496000000)};

        ck_assert(value_fits(PIPIT_VALUE(midnight), OID_DATE));
        ck_assert(!value_fits(PIPIT_VALUE(noon), OID_DATE));
        ck_assert(value_fits(PIPIT_VALUE(noon), OID_TIMESTAMP));
        ck_assert(value_fits(PIPIT_VALUE(noon), OID_TIMESTAMPTZ));
        ck_assert(!value_fits(PIPIT_VALUE(noon), OID_TIME));
}
END_TEST

START_TEST(null_and_bytes_fit_everything)
{
        struct pipit_bytes bytes = {"\0 ", 2};

        ck_assert(value_fits(pipit_value_null(), OID_INT4));
        ck_assert(value_fits(PIPIT_VALUE(bytes), OID_BYTEA));
        ck_assert(value_fits(PIPIT_VALUE(bytes), OID_TEXT));
}
END_TEST

START_TEST(a_text_fits_as_it_is_said)
{
        ck_assert(value_fits(PIPIT_VALUE("12"), OID_INT4));
        ck_assert(!value_fits(PIPIT_VALUE("007"), OID_INT4));
        ck_assert(value_fits(PIPIT_VALUE("007"), OID_TEXT));
        ck_assert(value_fits(pipit_value_text_n("12 ", 2), OID_INT4));
        ck_assert(!value_fits(pipit_value_text_n("12 ", 3), OID_INT4));
        ck_assert(!value_fits(PIPIT_VALUE("ab "), OID_BPCHAR));
}
END_TEST

START_TEST(everything_fits_what_is_not_known)
{
        ck_assert(value_fits(PIPIT_VALUE(0.1), 0));
        ck_assert(value_fits(PIPIT_VALUE("007"), 0));
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("fits");
        TCase *tcase = tcase_create("fits");

        tcase_add_loop_test(tcase, a_text_that_its_type_keeps_fits, 0, COUNT(fit));
        tcase_add_loop_test(tcase, a_text_that_its_type_would_change_does_not_fit, 0,
                            COUNT(misfit));
        tcase_add_test(tcase, what_is_too_long_for_a_scalar_does_not_fit);
        tcase_add_test(tcase, a_number_that_its_type_would_change_does_not_fit);
        tcase_add_test(tcase, a_moment_fits_a_date_only_at_midnight);
        tcase_add_test(tcase, null_and_bytes_fit_everything);
        tcase_add_test(tcase, a_text_fits_as_it_is_said);
        tcase_add_test(tcase, everything_fits_what_is_not_known);
        suite_add_tcase(suite, tcase);
        return suite;
}
