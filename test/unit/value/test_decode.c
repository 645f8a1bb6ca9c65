#include <math.h>
#include <pipit/error.h>
#include <string.h>

#include "oom.h"
#include "runner.h"
#include "value/decode.h"
#include "value/oid.h"

/* Bytes of a literal, without its NUL. */
#define BINARY(type, literal) binary((type), (literal), sizeof(literal) - 1)

static struct pipit_item
binary(uint32_t type, const char *data, size_t length)
{
        return (struct pipit_item){NULL, data, length, type, true};
}

static struct pipit_item
text(uint32_t type, const char *data)
{
        return (struct pipit_item){NULL, data, strlen(data), type, false};
}

/* An integer of any type as each C type: its value where it fits, else PIPIT_ETYPE. */
static void
is_integer(struct pipit_item item, int64_t number)
{
        int16_t narrow = 7;
        int32_t middle = 7;
        int64_t wide = 7;
        bool fits16 = number >= INT16_MIN && number <= INT16_MAX;
        bool fits32 = number >= INT32_MIN && number <= INT32_MAX;

        ck_assert_int_eq(pipit__decode_int64(&item, &wide), 0);
        ck_assert_int_eq(wide, number);
        ck_assert_int_eq(pipit__decode_int32(&item, &middle), fits32 ? 0 : PIPIT_ETYPE);
        ck_assert_int_eq(middle, fits32 ? number : 7);
        ck_assert_int_eq(pipit__decode_int16(&item, &narrow), fits16 ? 0 : PIPIT_ETYPE);
        ck_assert_int_eq(narrow, fits16 ? number : 7);
}

START_TEST(an_integer_that_does_not_fit_is_an_error_and_does_not_wrap)
{
        is_integer(BINARY(OID_INT2, "\x80\0"), INT16_MIN);
        is_integer(BINARY(OID_INT4, "\0\0\x80\0"), 32768);
        is_integer(BINARY(OID_INT4, "\xff\xff\x7f\xff"), INT16_MIN - 1);
        is_integer(BINARY(OID_INT8, "\0\0\0\0\x80\0\0\0"), 2147483648);
        is_integer(BINARY(OID_INT8, "\xff\xff\xff\xff\x7f\xff\xff\xff"), (int64_t)INT32_MIN - 1);
        is_integer(BINARY(OID_INT8, "\x80\0\0\0\0\0\0\0"), INT64_MIN);
        is_integer(BINARY(OID_OID, "\xff\xff\xff\xff"), UINT32_MAX);
        is_integer(BINARY(OID_NUMERIC, "\0\1\0\0\0\0\0\0\0\x2a"), 42);
        is_integer(BINARY(OID_FLOAT8, "\x40\x45\0\0\0\0\0\0"), 42);
        is_integer(text(OID_INT4, "42"), 42);
        is_integer(text(0, "-1"), -1);
}
END_TEST

START_TEST(an_unsigned_number_beyond_int64_is_an_error)
{
        struct pipit_item item = BINARY(OID_XID8, "\x80\0\0\0\0\0\0\0");
        int64_t number = 7;

        ck_assert_int_eq(pipit__decode_int64(&item, &number), PIPIT_ETYPE);
        ck_assert_int_eq(number, 7);
}
END_TEST

/* Nothing is written by any of them. */
static void
nothing_reads(struct pipit_item item)
{
        bool b = true;
        int64_t number = 7;
        float f = 7;
        double d = 7;
        struct pipit_timestamp timestamp = {7};
        struct pipit_uuid uuid = {{7}};
        struct pipit_interval interval = {7, 7, 7};
        struct pipit_decimal decimal = {7, 7};

        ck_assert_int_eq(pipit__decode_bool(&item, &b), PIPIT_ETYPE);
        ck_assert_int_eq(pipit__decode_int64(&item, &number), PIPIT_ETYPE);
        ck_assert_int_eq(pipit__decode_float(&item, &f), PIPIT_ETYPE);
        ck_assert_int_eq(pipit__decode_double(&item, &d), PIPIT_ETYPE);
        ck_assert_int_eq(pipit__decode_timestamp(&item, &timestamp), PIPIT_ETYPE);
        ck_assert_int_eq(pipit__decode_uuid(&item, &uuid), PIPIT_ETYPE);
        ck_assert_int_eq(pipit__decode_interval(&item, &interval), PIPIT_ETYPE);
        ck_assert_int_eq(pipit__decode_decimal(&item, 2, &decimal), PIPIT_ETYPE);
        ck_assert_int_eq(b && number == 7 && f > 6 && d > 6 && timestamp.us == 7, 1);
        ck_assert_int_eq(uuid.bytes[0] == 7 && interval.us == 7 && decimal.units == 7, 1);
}

static const uint32_t types[] = {
        OID_BOOL,    OID_INT2, OID_INT4,      OID_INT8,        OID_FLOAT4,
        OID_FLOAT8,  OID_DATE, OID_TIMESTAMP, OID_TIMESTAMPTZ, OID_INTERVAL,
        OID_NUMERIC, OID_UUID, OID_TEXT,      OID_JSONB,       1007,
        OID_RECORD,  0,        99999};

START_TEST(bytes_that_are_no_value_of_their_type_are_refused)
{
        nothing_reads(binary(types[_i], "", 0));
        nothing_reads(binary(types[_i], "\x2\x2\x2", 3));
        nothing_reads(binary(types[_i], "\x2\x2\x2\x2\x2\x2\x2\x2\x2\x2\x2\x2\x2", 13));
        nothing_reads(binary(types[_i], "\x2\x2\x2\x2\x2\x2\x2\x2\x2\x2\x2\x2\x2\x2\x2\x2\x2", 17));
}
END_TEST

static const struct {
        struct pipit_item item;
        int code;
        int64_t us;
} moments[] = {
        {{NULL, "\0\0\0\0", 4, OID_DATE, true}, 0, 946684800000000},
        {{NULL, "\x7f\xff\xff\xff", 4, OID_DATE, true}, 0, INT64_MAX},
        {{NULL, "\x80\0\0\0", 4, OID_DATE, true}, 0, INT64_MIN},
        {{NULL, "\x7f\xff\xff\xfe", 4, OID_DATE, true}, PIPIT_ETYPE, 7},
        {{NULL, "\0\0\0\0\0\0\0\0", 8, OID_TIMESTAMP, true}, 0, 946684800000000},
        {{NULL, "\x7f\xff\xff\xff\xff\xff\xff\xff", 8, OID_TIMESTAMPTZ, true}, 0, INT64_MAX},
        {{NULL, "\x80\0\0\0\0\0\0\0", 8, OID_TIMESTAMPTZ, true}, 0, INT64_MIN},
        {{NULL, "\x7f\xff\xff\xff\xff\xff\xff\xfe", 8, OID_TIMESTAMPTZ, true}, PIPIT_ETYPE, 7},
        {{NULL, "\x7f\xfc\xa2\xfe\xc4\xc8\x20\x00", 8, OID_TIMESTAMP, true}, PIPIT_ETYPE, 7},
        {{NULL, "\x7f\xfc\xa2\xfe\xc4\xc8\x1f\xfe", 8, OID_TIMESTAMP, true}, 0, INT64_MAX - 1},
        {{NULL, "\x7f\xfc\xa2\xfe\xc4\xc8\x1f\xff", 8, OID_TIMESTAMP, true}, PIPIT_ETYPE, 7},
};

START_TEST(a_finite_moment_never_becomes_infinite)
{
        struct pipit_timestamp timestamp = {7};

        ck_assert_int_eq(pipit__decode_timestamp(&moments[_i].item, &timestamp), moments[_i].code);
        ck_assert_int_eq(timestamp.us, moments[_i].us);
}
END_TEST

START_TEST(a_float_keeps_its_short_text_as_a_double)
{
        struct pipit_item tenth = BINARY(OID_FLOAT4, "\x3d\xcc\xcc\xcd");
        struct pipit_item none = BINARY(OID_FLOAT8, "\xff\xf8\0\0\0\0\0\1");
        double number = 7;

        ck_assert_int_eq(pipit__decode_double(&tenth, &number), 0);
        ck_assert_double_eq(number, 0.1);
        ck_assert_int_eq(pipit__decode_double(&none, &number), 0);
        ck_assert_int_eq(isnan(number) && !signbit(number), 1);
}
END_TEST

START_TEST(without_memory_what_needs_text_fails)
{
        struct pipit_item item = BINARY(OID_NUMERIC, "\0\1\0\0\0\0\0\0\0\x2a");

        for (int n = 0;; n++) {
                int64_t number = 7;
                struct pipit_decimal decimal = {7, 7};

                oom_after(n);
                int code = pipit__decode_int64(&item, &number);
                int exact = pipit__decode_decimal(&item, 1, &decimal);
                bool failed = oom_stop();
                ck_assert_int_eq(code, number == 42 ? 0 : PIPIT_ENOMEM);
                ck_assert_int_eq(exact, decimal.units == 420 ? 0 : PIPIT_ENOMEM);
                ck_assert_int_eq(code != 0 || exact != 0, failed);
                if (!failed)
                        break;
        }
}
END_TEST

START_TEST(bytes_are_inside_of_a_bytea_only)
{
        struct pipit_item bytes = BINARY(OID_BYTEA, "\0\1");
        struct pipit_item string = BINARY(OID_TEXT, "\\x00");
        struct pipit_item hex = text(OID_BYTEA, "\\x00");

        ck_assert_ptr_eq(pipit__decode_inside_bytes(&bytes), bytes.data);
        ck_assert_ptr_null(pipit__decode_inside_bytes(&string));
        ck_assert_ptr_null(pipit__decode_inside_bytes(&hex));
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

Suite *
test_suite(void)
{
        Suite *suite = suite_create("decode");
        TCase *tcase = tcase_create("decode");

        tcase_add_test(tcase, an_integer_that_does_not_fit_is_an_error_and_does_not_wrap);
        tcase_add_test(tcase, an_unsigned_number_beyond_int64_is_an_error);
        tcase_add_loop_test(tcase, bytes_that_are_no_value_of_their_type_are_refused, 0,
                            COUNT(types));
        tcase_add_loop_test(tcase, a_finite_moment_never_becomes_infinite, 0, COUNT(moments));
        tcase_add_test(tcase, a_float_keeps_its_short_text_as_a_double);
        tcase_add_test(tcase, without_memory_what_needs_text_fails);
        tcase_add_test(tcase, bytes_are_inside_of_a_bytea_only);
        suite_add_tcase(suite, tcase);
        return suite;
}
