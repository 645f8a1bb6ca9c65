/*
 * Values through a real server: what goes in with PIPIT_PARAMS comes out of the typed getters.
 */
#include <float.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "live.h"

/* ---- there and back */

START_TEST(a_bool_comes_back)
{
        bool in = _i == 1;
        bool out = !in;
        const struct pipit_result *res = query("SELECT $1::bool AS x", PIPIT_PARAMS(in));

        expect_text(res, 0, 0, in ? "t" : "f");
        ck_assert_int_eq(pipit_result_bool(res, 0, pipit_column(res, "x"), &out), 0);
        ck_assert_int_eq(out, in);
}
END_TEST

START_TEST(the_int_of_a_comparison_is_a_boolean_where_one_is_wanted)
{
        const struct pipit_result *res =
                query("SELECT $1::bool, $2::bool", PIPIT_PARAMS(1 < 2, 2 < 1));

        expect_text(res, 0, 0, "t");
        expect_text(res, 0, 1, "f");
}
END_TEST

START_TEST(the_least_of_each_signed_type_comes_back)
{
        signed char tiny = SCHAR_MIN;
        short small = SHRT_MIN;
        const struct pipit_result *res =
                query("SELECT $1::int2, $2::int2, $3::int4, $4::int8, $5::int8",
                      PIPIT_PARAMS(tiny, small, INT_MIN, LONG_MIN, LLONG_MIN));

        expect_text(res, 0, 0, "-128");
        expect_text(res, 0, 1, "-32768");
        expect_text(res, 0, 2, "-2147483648");
        expect_text(res, 0, 3, "-9223372036854775808");
        expect_text(res, 0, 4, "-9223372036854775808");
}
END_TEST

START_TEST(the_greatest_of_each_signed_type_comes_back)
{
        signed char tiny = SCHAR_MAX;
        short small = SHRT_MAX;
        const struct pipit_result *res =
                query("SELECT $1::int2, $2::int2, $3::int4, $4::int8, $5::int8",
                      PIPIT_PARAMS(tiny, small, INT_MAX, LONG_MAX, LLONG_MAX));

        expect_text(res, 0, 0, "127");
        expect_text(res, 0, 1, "32767");
        expect_text(res, 0, 2, "2147483647");
        expect_text(res, 0, 3, "9223372036854775807");
        expect_text(res, 0, 4, "9223372036854775807");
}
END_TEST

START_TEST(the_greatest_of_each_unsigned_type_comes_back)
{
        char plain = 'a';
        unsigned char tiny = UCHAR_MAX;
        unsigned short small = USHRT_MAX;
        const struct pipit_result *res =
                query("SELECT $1::int2, $2::int2, $3::int4, $4::int8, $5::numeric, $6::numeric",
                      PIPIT_PARAMS(plain, tiny, small, UINT_MAX, ULONG_MAX, ULLONG_MAX));

        expect_text(res, 0, 0, "97");
        expect_text(res, 0, 1, "255");
        expect_text(res, 0, 2, "65535");
        expect_text(res, 0, 3, "4294967295");
        expect_text(res, 0, 4, "18446744073709551615");
        expect_text(res, 0, 5, "18446744073709551615");
}
END_TEST

START_TEST(a_uint64_that_bigint_cannot_hold_is_refused_and_does_not_wrap)
{
        uint64_t x = (uint64_t)INT64_MAX + 1;

        expect_error(query("SELECT $1::int8", PIPIT_PARAMS(x)), PIPIT_ESERVER, "22003");
}
END_TEST

static const int64_t integers[] = {0,         1,         -1,        INT16_MIN, INT16_MAX, INT32_MIN,
                                   INT32_MAX, INT64_MIN, INT64_MAX, 1LL << 53, 10,        -100};

START_TEST(an_integer_comes_back_of_every_width_that_holds_it)
{
        int64_t in = integers[_i];
        int16_t narrow = 7;
        int32_t middle = 7;
        int64_t wide = 7;
        const struct pipit_result *res = query("SELECT $1::int8 AS x", PIPIT_PARAMS(in));
        int x = pipit_column(res, "x");
        bool fits16 = in >= INT16_MIN && in <= INT16_MAX;
        bool fits32 = in >= INT32_MIN && in <= INT32_MAX;

        ck_assert_int_eq(pipit_result_int64(res, 0, x, &wide), 0);
        ck_assert_int_eq(wide, in);
        ck_assert_int_eq(pipit_result_int32(res, 0, x, &middle), fits32 ? 0 : PIPIT_ETYPE);
        ck_assert_int_eq(middle, fits32 ? in : 7);
        ck_assert_int_eq(pipit_result_int16(res, 0, x, &narrow), fits16 ? 0 : PIPIT_ETYPE);
        ck_assert_int_eq(narrow, fits16 ? in : 7);
}
END_TEST

static const double doubles[] = {
        0.0,          -0.0,          1.0,      -1.5,      0.1,
        1.0 / 3,      DBL_MAX,       -DBL_MAX, DBL_MIN,   1e-310,
        DBL_TRUE_MIN, -DBL_TRUE_MIN, INFINITY, -INFINITY, 9007199254740993.0,
        1e22};

START_TEST(a_double_comes_back_bit_for_bit)
{
        double in = doubles[_i];
        double out = 7;
        const struct pipit_result *res = query("SELECT $1::float8 AS x", PIPIT_PARAMS(in));

        expect_ok(res);
        ck_assert_int_eq(pipit_result_double(res, 0, pipit_column(res, "x"), &out), 0);
        ck_assert_mem_eq(&out, &in, sizeof in);
}
END_TEST

static const float floats[] = {0.0F,     -0.0F,   1.0F,         0.1F,     1.0F / 3,  FLT_MAX,
                               -FLT_MAX, FLT_MIN, FLT_TRUE_MIN, INFINITY, -INFINITY, 16777217.0F};

START_TEST(a_float_comes_back_bit_for_bit)
{
        float in = floats[_i];
        float out = 7;
        const struct pipit_result *res = query("SELECT $1::float4 AS x", PIPIT_PARAMS(in));

        expect_ok(res);
        ck_assert_int_eq(pipit_result_float(res, 0, pipit_column(res, "x"), &out), 0);
        ck_assert_mem_eq(&out, &in, sizeof in);
}
END_TEST

START_TEST(not_a_number_comes_back)
{
        float narrow = 7;
        double wide = 7;
        const struct pipit_result *res =
                query("SELECT $1::float4, $2::float8", PIPIT_PARAMS(nanf(""), nan("")));

        expect_text(res, 0, 0, "NaN");
        ck_assert_int_eq(pipit_result_float(res, 0, 0, &narrow), 0);
        ck_assert_int_eq(pipit_result_double(res, 0, 1, &wide), 0);
        ck_assert_float_nan(narrow);
        ck_assert_double_nan(wide);
}
END_TEST

static const char *const texts[] = {
        "",
        " ",
        "plain",
        "it's; DROP TABLE \"x\" -- $1 \\ %s",
        "Grüße, 世界, 🐦",
        "\x7f\x01\t\r\n",
        "NULL",
        "\\x00",
        "{1,2}",
};

START_TEST(a_text_comes_back_byte_for_byte)
{
        const char *in = texts[_i];
        const struct pipit_result *res =
                query("SELECT $1::text, octet_length($1)", PIPIT_PARAMS(in));
        int32_t length = -1;

        expect_text(res, 0, 0, in);
        ck_assert_int_eq(pipit_result_null(res, 0, 0), false);
        ck_assert_uint_eq(pipit_result_length(res, 0, 0), strlen(in));
        ck_assert_int_eq(pipit_result_int32(res, 0, 1, &length), 0);
        ck_assert_uint_eq((size_t)length, strlen(in));
}
END_TEST

START_TEST(a_text_of_a_length_needs_no_end)
{
        const char letters[] = {'a', 'b', 'c'};

        expect_text(query("SELECT $1::text", PIPIT_PARAMS(pipit_value_text_n(letters, 3))), 0, 0,
                    "abc");
        expect_text(query("SELECT $1::text", PIPIT_PARAMS(pipit_value_text_n(letters, 0))), 0, 0,
                    "");
}
END_TEST

START_TEST(values_are_copied_when_the_request_is_made)
{
        char text[] = "before";
        uint8_t byte = 1;
        struct calls calls = {0};

        pipit_query(live_db, "SELECT $1::text, $2::bytea",
                    PIPIT_PARAMS(text, ((struct pipit_bytes){&byte, 1})), on_call, &calls);
        memset(text, 'x', sizeof text - 1);
        byte = 2;
        expect_text(answer(&calls), 0, 0, "before");
        expect_text(calls.last, 0, 1, "\\x01");
}
END_TEST

static void
bytes_go_there_and_back(const uint8_t *data, size_t length)
{
        struct pipit_bytes out = {NULL, 0};
        struct pipit_result *res = query("SELECT $1::bytea AS x, length($1::bytea)",
                                         PIPIT_PARAMS(((struct pipit_bytes){data, length})));
        int32_t there = -1;

        expect_ok(res);
        ck_assert_int_eq(pipit_result_int32(res, 0, 1, &there), 0);
        ck_assert_uint_eq((size_t)there, length);
        ck_assert_int_eq(pipit_result_bytes(res, 0, pipit_column(res, "x"), &out), 0);
        ck_assert_uint_eq(out.length, length);
        ck_assert_ptr_nonnull(out.data);
        ck_assert_int_eq(memcmp(out.data, data, length), 0);
}

START_TEST(bytes_of_every_kind_come_back)
{
        uint8_t data[256];

        for (size_t i = 0; i < sizeof data; i++)
                data[i] = (uint8_t)i;
        bytes_go_there_and_back(data, sizeof data);
        bytes_go_there_and_back(data, 1);
        bytes_go_there_and_back(data, 0);
}
END_TEST

START_TEST(a_megabyte_of_bytes_comes_back)
{
        static uint8_t data[1 << 20];
        uint32_t state = 1;

        for (size_t i = 0; i < sizeof data; i++) {
                state = state * 1664525 + 1013904223;
                data[i] = (uint8_t)(state >> 24);
        }
        bytes_go_there_and_back(data, sizeof data);
}
END_TEST

START_TEST(every_null_is_null)
{
        const char *text = NULL;
        const void *pointer = NULL;
        struct pipit_bytes bytes = {NULL, 0};
        const struct pipit_result *res =
                query("SELECT $1::text, $2::int, $3::bytea, $4::uuid, $1 IS NULL AND $2 IS NULL "
                      "AND $3 IS NULL AND $4 IS NULL",
                      PIPIT_PARAMS(text, pointer, bytes, pipit_value_null()));

        expect_text(res, 0, 4, "t");
        for (int i = 0; i < 4; i++) {
                ck_assert_int_eq(pipit_result_null(res, 0, i), true);
                ck_assert_ptr_null(pipit_result_text(res, 0, i));
                ck_assert_uint_eq(pipit_result_length(res, 0, i), 0);
        }
}
END_TEST

#define SECOND INT64_C(1000000)

static const struct {
        int64_t us;
        const char *text;
} timestamps[] = {
        {0, "1970-01-01 00:00:00+00"},
        {1, "1970-01-01 00:00:00.000001+00"},
        {-1, "1969-12-31 23:59:59.999999+00"},
        {1709164799 * SECOND + 500000, "2024-02-28 23:59:59.5+00"},
        {1709251199 * SECOND + 999999, "2024-02-29 23:59:59.999999+00"},
        {-62135596800 * SECOND, "0001-01-01 00:00:00+00"},
        {-62135596800 * SECOND - 1, "0001-12-31 23:59:59.999999+00 BC"},
        {-210866803200 * SECOND, "4714-11-24 00:00:00+00 BC"},
        {253402300800 * SECOND, "10000-01-01 00:00:00+00"},
        {INT64_MAX / SECOND * SECOND, "294247-01-10 04:00:54+00"},
        {INT64_MAX, "infinity"},
        {INT64_MIN, "-infinity"},
};

START_TEST(a_timestamp_comes_back_to_the_microsecond)
{
        struct pipit_timestamp in = {timestamps[_i].us};
        struct pipit_timestamp out = {7};
        const struct pipit_result *res =
                query("SELECT $1::timestamptz AS x, $1::timestamptz AT TIME ZONE 'UTC' AS y",
                      PIPIT_PARAMS(in));

        expect_text(res, 0, 0, timestamps[_i].text);
        ck_assert_int_eq(pipit_result_timestamp(res, 0, pipit_column(res, "x"), &out), 0);
        ck_assert_int_eq(out.us, in.us);
        out.us = 7;
        ck_assert_int_eq(pipit_result_timestamp(res, 0, pipit_column(res, "y"), &out), 0);
        ck_assert_int_eq(out.us, in.us);
}
END_TEST

START_TEST(a_uuid_comes_back)
{
        struct pipit_uuid in = {{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa,
                                 0xbb, 0xcc, 0xdd, 0xee, 0xff}};
        struct pipit_uuid out = {{0}};
        const struct pipit_result *res = query("SELECT $1::uuid AS x", PIPIT_PARAMS(in));

        expect_text(res, 0, 0, "00112233-4455-6677-8899-aabbccddeeff");
        ck_assert_int_eq(pipit_result_uuid(res, 0, pipit_column(res, "x"), &out), 0);
        ck_assert_mem_eq(out.bytes, in.bytes, sizeof in.bytes);
}
END_TEST

START_TEST(values_stored_in_a_table_are_the_values_read)
{
        execute("DROP TABLE IF EXISTS values_stored");
        execute("CREATE TABLE values_stored (b bool, i int8, d float8, t text, x bytea, n int)");
        expect_ok(query("INSERT INTO values_stored VALUES ($1, $2, $3, $4, $5, $6)",
                        PIPIT_PARAMS(true, INT64_MIN, 0.1, "ä\n",
                                     ((struct pipit_bytes){"\0\xff", 2}), pipit_value_null())));
        const struct pipit_result *res =
                query("SELECT * FROM values_stored WHERE t = $1 AND d = $2 AND n IS NULL",
                      PIPIT_PARAMS("ä\n", 0.1));

        expect_text(res, 0, 0, "t");
        expect_text(res, 0, 1, "-9223372036854775808");
        expect_text(res, 0, 2, "0.1");
        expect_text(res, 0, 4, "\\x00ff");
        expect_text(res, 0, 5, NULL);
        execute("DROP TABLE values_stored");
}
END_TEST

/* ---- what getters refuse */

/* One of each getter on one value: none may write, and each gives this code. */
static void
every_getter_gives(struct pipit_result *res, int row, int column, int code)
{
        bool b = true;
        int16_t i16 = 7;
        int32_t i32 = 7;
        int64_t i64 = 7;
        float f = 7;
        double d = 7;
        struct pipit_bytes bytes = {"", 7};
        struct pipit_timestamp timestamp = {7};
        struct pipit_uuid uuid = {{7}};

        ck_assert_int_eq(pipit_result_bool(res, row, column, &b), code);
        ck_assert_int_eq(pipit_result_int16(res, row, column, &i16), code);
        ck_assert_int_eq(pipit_result_int32(res, row, column, &i32), code);
        ck_assert_int_eq(pipit_result_int64(res, row, column, &i64), code);
        ck_assert_int_eq(pipit_result_float(res, row, column, &f), code);
        ck_assert_int_eq(pipit_result_double(res, row, column, &d), code);
        ck_assert_int_eq(pipit_result_bytes(res, row, column, &bytes), code);
        ck_assert_int_eq(pipit_result_timestamp(res, row, column, &timestamp), code);
        ck_assert_int_eq(pipit_result_uuid(res, row, column, &uuid), code);
        ck_assert_int_eq(b && i16 == 7 && i32 == 7 && i64 == 7 && bytes.length == 7, 1);
        ck_assert_int_eq(f > 6 && d > 6 && timestamp.us == 7 && uuid.bytes[0] == 7, 1);
}

START_TEST(null_is_not_found)
{
        every_getter_gives(query("SELECT NULL", PIPIT_NO_PARAMS), 0, 0, PIPIT_ENOTFOUND);
}
END_TEST

START_TEST(a_text_that_is_no_such_value_is_a_type_error)
{
        every_getter_gives(query("SELECT 'other'::text", PIPIT_NO_PARAMS), 0, 0, PIPIT_ETYPE);
        every_getter_gives(query("SELECT ''::text", PIPIT_NO_PARAMS), 0, 0, PIPIT_ETYPE);
}
END_TEST

static const int absent[][2] = {{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {INT_MAX, 0}, {0, INT_MIN}};

START_TEST(a_row_or_column_that_is_not_there_is_a_bad_argument)
{
        struct pipit_result *res = query("SELECT 1 AS one", PIPIT_NO_PARAMS);
        int row = absent[_i][0];
        int column = absent[_i][1];

        every_getter_gives(res, row, column, PIPIT_EINVAL);
        ck_assert_int_eq(pipit_result_null(res, row, column), true);
        ck_assert_ptr_null(pipit_result_text(res, row, column));
        ck_assert_uint_eq(pipit_result_length(res, row, column), 0);
}
END_TEST

START_TEST(a_name_that_no_column_has_is_refused_by_every_getter)
{
        struct pipit_result *res = query("SELECT 1 AS one", PIPIT_NO_PARAMS);

        ck_assert_int_eq(pipit_column(res, "One"), -1);
        ck_assert_int_eq(pipit_column(res, NULL), -1);
        every_getter_gives(res, 0, pipit_column(res, "two"), PIPIT_EINVAL);
        ck_assert_ptr_null(pipit_result_column_name(res, 1));
        ck_assert_str_eq(pipit_result_column_name(res, 0), "one");
}
END_TEST

START_TEST(a_failed_request_has_no_rows_to_get)
{
        struct pipit_result *res = query("SELECT 1/0", PIPIT_NO_PARAMS);

        every_getter_gives(res, 0, 0, PIPIT_EINVAL);
        every_getter_gives(NULL, 0, 0, PIPIT_EINVAL);
        ck_assert_int_eq(pipit_result_rows(res), 0);
        ck_assert_int_eq(pipit_result_columns(res), 0);
        ck_assert_int_eq(pipit_result_affected(res), 0);
        ck_assert_str_eq(pipit_result_tag(res), "");
}
END_TEST

enum getter { INT16, INT32, INT64, FLOAT, DOUBLE, TIMESTAMP };

static const struct {
        const char *sql;
        enum getter getter;
} out_of_range[] = {
        {"SELECT 32768", INT16},
        {"SELECT -32769", INT16},
        {"SELECT 2147483648", INT32},
        {"SELECT -2147483649", INT32},
        {"SELECT 9223372036854775808::numeric", INT64},
        {"SELECT -9223372036854775809::numeric", INT64},
        {"SELECT 1e40::float8", FLOAT},
        {"SELECT '1e400'::numeric", DOUBLE},
        {"SELECT 1.5", INT32},
        {"SELECT 'infinity'::float8", INT64},
        {"SELECT '294276-12-31 23:59:59+00'::timestamptz", TIMESTAMP},
};

START_TEST(a_value_out_of_range_is_a_type_error_and_is_not_cut)
{
        const struct pipit_result *res = query(out_of_range[_i].sql, PIPIT_NO_PARAMS);
        union {
                int16_t i16;
                int32_t i32;
                int64_t i64;
                float f;
                double d;
                struct pipit_timestamp t;
        } out = {.i64 = 7};
        int code = 0;

        expect_ok(res);
        switch (out_of_range[_i].getter) {
        case INT16: code = pipit_result_int16(res, 0, 0, &out.i16); break;
        case INT32: code = pipit_result_int32(res, 0, 0, &out.i32); break;
        case INT64: code = pipit_result_int64(res, 0, 0, &out.i64); break;
        case FLOAT: code = pipit_result_float(res, 0, 0, &out.f); break;
        case DOUBLE: code = pipit_result_double(res, 0, 0, &out.d); break;
        case TIMESTAMP: code = pipit_result_timestamp(res, 0, 0, &out.t); break;
        }
        ck_assert_int_eq(code, PIPIT_ETYPE);
        ck_assert_int_eq(out.i64, 7);
}
END_TEST

#define LENGTH(array) ((int)(sizeof(array) / sizeof(array)[0]))

static TCase *
round_trips(void)
{
        TCase *tcase = tcase_create("round trips");

        tcase_add_checked_fixture(tcase, live_setup, live_teardown);
        tcase_add_loop_test(tcase, a_bool_comes_back, 0, 2);
        tcase_add_test(tcase, the_int_of_a_comparison_is_a_boolean_where_one_is_wanted);
        tcase_add_test(tcase, the_least_of_each_signed_type_comes_back);
        tcase_add_test(tcase, the_greatest_of_each_signed_type_comes_back);
        tcase_add_test(tcase, the_greatest_of_each_unsigned_type_comes_back);
        tcase_add_test(tcase, a_uint64_that_bigint_cannot_hold_is_refused_and_does_not_wrap);
        tcase_add_loop_test(tcase, an_integer_comes_back_of_every_width_that_holds_it, 0,
                            LENGTH(integers));
        tcase_add_loop_test(tcase, a_double_comes_back_bit_for_bit, 0, LENGTH(doubles));
        tcase_add_loop_test(tcase, a_float_comes_back_bit_for_bit, 0, LENGTH(floats));
        tcase_add_test(tcase, not_a_number_comes_back);
        tcase_add_loop_test(tcase, a_text_comes_back_byte_for_byte, 0, LENGTH(texts));
        tcase_add_test(tcase, a_text_of_a_length_needs_no_end);
        tcase_add_test(tcase, values_are_copied_when_the_request_is_made);
        tcase_add_test(tcase, bytes_of_every_kind_come_back);
        tcase_add_test(tcase, a_megabyte_of_bytes_comes_back);
        tcase_add_test(tcase, every_null_is_null);
        tcase_add_loop_test(tcase, a_timestamp_comes_back_to_the_microsecond, 0,
                            LENGTH(timestamps));
        tcase_add_test(tcase, a_uuid_comes_back);
        tcase_add_test(tcase, values_stored_in_a_table_are_the_values_read);
        return tcase;
}

static TCase *
getters(void)
{
        TCase *tcase = tcase_create("getters");

        tcase_add_checked_fixture(tcase, live_setup, live_teardown);
        tcase_add_test(tcase, null_is_not_found);
        tcase_add_test(tcase, a_text_that_is_no_such_value_is_a_type_error);
        tcase_add_loop_test(tcase, a_row_or_column_that_is_not_there_is_a_bad_argument, 0,
                            LENGTH(absent));
        tcase_add_test(tcase, a_name_that_no_column_has_is_refused_by_every_getter);
        tcase_add_test(tcase, a_failed_request_has_no_rows_to_get);
        tcase_add_loop_test(tcase, a_value_out_of_range_is_a_type_error_and_is_not_cut, 0,
                            LENGTH(out_of_range));
        return tcase;
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("values");

        suite_add_tcase(suite, round_trips());
        suite_add_tcase(suite, getters());
        return suite;
}
