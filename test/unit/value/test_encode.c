#include <pipit/error.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"
#include "value/codec.h"
#include "value/encode.h"
#include "value/oid.h"

/* In a block of exactly the measured size: the memory checkers watch its end. */
static void
goes_out_as(struct pipit_value value, uint32_t oid, enum encoding_format format, const char *data,
            size_t length)
{
        size_t size = 0;
        bool fits = false;

        ck_assert_int_eq(pipit__encode_measure(&value, oid, &size, &fits), 0);
        if (format == ENCODING_BINARY || oid == 0)
                ck_assert(fits);
        char *out = malloc(size);
        ck_assert_ptr_nonnull(out);
        struct encoded encoded = pipit__encode(&value, oid, out);
        ck_assert_int_eq(encoded.format, format);
        ck_assert_uint_eq(encoded.length, length);
        ck_assert_uint_le(encoded.taken, size);
        ck_assert_mem_eq(out, data, length);
        free(out);
}

#define BINARY(value, oid, literal)                                                                \
        goes_out_as((value), (oid), ENCODING_BINARY, (literal), sizeof(literal) - 1)
#define TEXT(value, oid, literal)                                                                  \
        goes_out_as((value), (oid), ENCODING_TEXT, (literal), sizeof(literal) - 1)

START_TEST(an_integer_has_the_width_of_its_type)
{
        BINARY(PIPIT_VALUE(-2), OID_INT2, "\xff\xfe");
        BINARY(PIPIT_VALUE(-2), OID_INT4, "\xff\xff\xff\xfe");
        BINARY(PIPIT_VALUE(-2), OID_INT8, "\xff\xff\xff\xff\xff\xff\xff\xfe");
        BINARY(PIPIT_VALUE(UINT32_MAX), OID_OID, "\xff\xff\xff\xff");
        BINARY(PIPIT_VALUE(1), OID_BOOL, "\1");
        TEXT(PIPIT_VALUE(42), OID_NUMERIC, "42");
        TEXT(PIPIT_VALUE(42), OID_FLOAT8, "42");
        TEXT(PIPIT_VALUE(42), OID_TEXT, "42");
        TEXT(PIPIT_VALUE(42), 0, "42");
}
END_TEST

START_TEST(an_integer_that_does_not_fit_is_left_to_the_server)
{
        TEXT(PIPIT_VALUE(32768), OID_INT2, "32768");
        TEXT(PIPIT_VALUE(-32769), OID_INT2, "-32769");
        TEXT(PIPIT_VALUE(2147483648), OID_INT4, "2147483648");
        TEXT(PIPIT_VALUE(INT64_MIN), OID_INT4, "-9223372036854775808");
        TEXT(PIPIT_VALUE(UINT64_MAX), OID_INT8, "18446744073709551615");
        TEXT(PIPIT_VALUE(-1), OID_OID, "-1");
        TEXT(PIPIT_VALUE(4294967296), OID_OID, "4294967296");
        TEXT(PIPIT_VALUE(2), OID_BOOL, "2");
}
END_TEST

START_TEST(a_number_goes_out_as_it_is_or_as_text)
{
        BINARY(PIPIT_VALUE(-1.5), OID_FLOAT8, "\xbf\xf8\0\0\0\0\0\0");
        BINARY(PIPIT_VALUE(1.5), OID_FLOAT4, "\x3f\xc0\0\0");
        BINARY(PIPIT_VALUE(1.5f), OID_FLOAT4, "\x3f\xc0\0\0");
        TEXT(PIPIT_VALUE(0.1), OID_FLOAT4, "0.1");
        BINARY(PIPIT_VALUE(0.1f), OID_FLOAT8, "\x3f\xb9\x99\x99\xa0\0\0\0");
        TEXT(PIPIT_VALUE(0.1f), OID_NUMERIC, "0.10000000149011612");
        TEXT(PIPIT_VALUE(1.5), OID_NUMERIC, "1.5");
}
END_TEST

START_TEST(bytes_take_half_of_their_text)
{
        struct pipit_bytes bytes = {"\0\xff", 2};
        struct pipit_bytes none = {"", 0};

        BINARY(PIPIT_VALUE(bytes), OID_BYTEA, "\0\xff");
        BINARY(PIPIT_VALUE(none), OID_BYTEA, "");
        TEXT(PIPIT_VALUE(bytes), OID_TEXT, "\\x00ff");
}
END_TEST

START_TEST(other_values_have_the_form_of_their_type)
{
        struct pipit_uuid uuid = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
        struct pipit_timestamp midnight = {946684800000000};
        struct pipit_timestamp moment = {946684800000001};
        struct pipit_interval interval = {1, 2, 3};
        struct pipit_decimal decimal = {1250, 2};

        BINARY(pipit_value_bool(true), OID_BOOL, "\1");
        BINARY(PIPIT_VALUE(uuid), OID_UUID, "\x1\x2\x3\x4\x5\x6\x7\x8\x9\xa\xb\xc\xd\xe\xf\x10");
        BINARY(PIPIT_VALUE(moment), OID_TIMESTAMPTZ, "\0\0\0\0\0\0\0\1");
        BINARY(PIPIT_VALUE(midnight), OID_DATE, "\0\0\0\0");
        TEXT(PIPIT_VALUE(moment), OID_DATE, "2000-01-01 00:00:00.000001+00");
        BINARY(PIPIT_VALUE(interval), OID_INTERVAL, "\0\0\0\0\0\0\0\3\0\0\0\2\0\0\0\1");
        TEXT(PIPIT_VALUE(uuid), OID_TEXT, "01020304-0506-0708-090a-0b0c0d0e0f10");
        TEXT(PIPIT_VALUE(decimal), OID_NUMERIC, "12.50");
        TEXT(PIPIT_VALUE("12"), OID_INT4, "12");
        TEXT(PIPIT_VALUE("{}"), OID_JSONB, "{}");
}
END_TEST

START_TEST(infinity_goes_out_as_infinity)
{
        struct pipit_timestamp ends[] = {{INT64_MAX}, {INT64_MIN}, {INT64_MIN + 1}};
        struct pipit_interval interval = {INT32_MAX, INT32_MAX, INT64_MAX};

        BINARY(PIPIT_VALUE(ends[0]), OID_TIMESTAMP, "\x7f\xff\xff\xff\xff\xff\xff\xff");
        BINARY(PIPIT_VALUE(ends[1]), OID_TIMESTAMP, "\x80\0\0\0\0\0\0\0");
        BINARY(PIPIT_VALUE(ends[0]), OID_DATE, "\x7f\xff\xff\xff");
        BINARY(PIPIT_VALUE(ends[1]), OID_DATE, "\x80\0\0\0");
        TEXT(PIPIT_VALUE(ends[2]), OID_TIMESTAMP, "290309-12-21 19:59:05.224193+00 BC");
        TEXT(PIPIT_VALUE(interval), OID_INTERVAL, "infinity");
}
END_TEST

/* The server's first day is 4714-11-24 BC; the last moments that we know are long before its end.
 */
START_TEST(a_moment_that_the_server_does_not_have_is_left_to_it)
{
        struct pipit_timestamp first = {-210866803200000000};
        struct pipit_timestamp before = {-210866803200000001};

        BINARY(PIPIT_VALUE(first), OID_TIMESTAMP, "\xfd\x0f\x7c\xc1\x41\x1f\xa0\x00");
        BINARY(PIPIT_VALUE(first), OID_DATE, "\xff\xda\x97\xa7");
        TEXT(PIPIT_VALUE(before), OID_TIMESTAMP, "4714-11-23 23:59:59.999999+00 BC");
        TEXT(PIPIT_VALUE(before), OID_DATE, "4714-11-23 23:59:59.999999+00 BC");
}
END_TEST

/* The text of a value, as if its type had not been known, and that of the value in binary form. */
static void
has_one_text(struct pipit_value value, uint32_t oid, const char *text)
{
        char out[PIPIT__CODEC_SCALAR_SIZE];
        struct buf again;

        goes_out_as(value, 0, ENCODING_TEXT, text, strlen(text));
        struct encoded encoded = pipit__encode(&value, oid, out);
        ck_assert_int_eq(encoded.format, ENCODING_BINARY);
        pipit__buf_init(&again);
        ck_assert_int_eq(pipit__encode_text(oid, out, encoded.length, &again), 0);
        ck_assert_str_eq(pipit__buf_text(&again), text);
        pipit__buf_fini(&again);
}

START_TEST(a_value_in_binary_form_has_the_text_that_it_would_have_had)
{
        has_one_text(PIPIT_VALUE(0.1F), OID_FLOAT4, "0.10000000149011612");
        has_one_text(PIPIT_VALUE(0.1F), OID_FLOAT8, "0.10000000149011612");
        has_one_text(PIPIT_VALUE(19.99), OID_FLOAT8, "19.99");
        has_one_text(PIPIT_VALUE(1.5), OID_FLOAT4, "1.5");
        has_one_text(PIPIT_VALUE(1e15), OID_FLOAT8, "1000000000000000");
        has_one_text(PIPIT_VALUE(-42), OID_INT8, "-42");
}
END_TEST

START_TEST(null_needs_no_room)
{
        struct pipit_value null = pipit_value_null();
        size_t size = 77;
        bool fits = false;

        ck_assert_int_eq(pipit__encode_measure(&null, OID_INT4, &size, &fits), 0);
        ck_assert_uint_eq(size, 0);
        ck_assert(fits);
        struct encoded encoded = pipit__encode(&null, OID_INT4, NULL);
        ck_assert_uint_eq(encoded.taken, 0);
        ck_assert_int_eq(encoded.format, ENCODING_TEXT);
}
END_TEST

START_TEST(what_stands_in_the_reserved_member_is_refused_for_every_type)
{
        struct pipit_value value = PIPIT_VALUE(7);
        size_t size = 0;
        bool fits;

        value.reserved = 1;
        ck_assert_int_eq(pipit__encode_measure(&value, OID_INT4, &size, &fits), PIPIT_EINVAL);
        ck_assert_int_eq(pipit__encode_measure(&value, 0, &size, &fits), PIPIT_EINVAL);
}
END_TEST

START_TEST(what_has_no_text_is_refused_for_every_type)
{
        static const uint32_t oids[] = {0, OID_INT4, OID_BYTEA, OID_TEXT, OID_NUMERIC};
        struct pipit_bytes nowhere = {NULL, 3};
        struct pipit_decimal decimal = {1, -1};
        size_t size = 77;
        bool fits;
        struct pipit_value values[] = {PIPIT_VALUE((const void *)oids), PIPIT_VALUE(nowhere),
                                       PIPIT_VALUE(decimal), pipit_value_text_n("a\0b", 3)};

        for (size_t i = 0; i < 4 * 5; i++) {
                int code = pipit__encode_measure(&values[i / 5], oids[i % 5], &size, &fits);
                ck_assert_int_eq(code, i / 5 == 3 ? PIPIT_ETYPE : PIPIT_EINVAL);
        }
        ck_assert_uint_eq(size, 77);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("encode");
        TCase *tcase = tcase_create("encode");

        tcase_add_test(tcase, an_integer_has_the_width_of_its_type);
        tcase_add_test(tcase, an_integer_that_does_not_fit_is_left_to_the_server);
        tcase_add_test(tcase, a_number_goes_out_as_it_is_or_as_text);
        tcase_add_test(tcase, bytes_take_half_of_their_text);
        tcase_add_test(tcase, other_values_have_the_form_of_their_type);
        tcase_add_test(tcase, infinity_goes_out_as_infinity);
        tcase_add_test(tcase, a_moment_that_the_server_does_not_have_is_left_to_it);
        tcase_add_test(tcase, a_value_in_binary_form_has_the_text_that_it_would_have_had);
        tcase_add_test(tcase, null_needs_no_room);
        tcase_add_test(tcase, what_stands_in_the_reserved_member_is_refused_for_every_type);
        tcase_add_test(tcase, what_has_no_text_is_refused_for_every_type);
        suite_add_tcase(suite, tcase);
        return suite;
}
