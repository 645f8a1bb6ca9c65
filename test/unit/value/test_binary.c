#include <pipit/error.h>
#include <stdlib.h>
#include <string.h>

#include "oom.h"
#include "runner.h"
#include "value/binary.h"
#include "value/binary_type.h"
#include "value/oid.h"

enum {
        INT4_ARRAY = 1007,
        TEXT_ARRAY = 1009,
        NUMERIC_ARRAY = 1231,
        INT4_RANGE = 3904,
        INT4_MULTIRANGE = 4451
};

/* Bytes of a literal, without its NUL. */
#define BYTES(literal) literal, sizeof(literal) - 1

#define ONE    "\0\0\0\4\0\0\0\1"
#define NUMBER "\0\0\0\x17"

/* A good value of each kind. */
static const struct {
        uint32_t oid;
        const char *data;
        size_t length;
        const char *text;
        bool any_length; /* a shorter or longer one is good, too */
} values[] = {
        {OID_BOOL, BYTES("\1"), "t", false},
        {OID_INT2, BYTES("\xff\xfe"), "-2", false},
        {OID_INT4, BYTES("\x80\0\0\0"), "-2147483648", false},
        {OID_INT8, BYTES("\x80\0\0\0\0\0\0\0"), "-9223372036854775808", false},
        {OID_OID, BYTES("\xff\xff\xff\xff"), "4294967295", false},
        {OID_XID8, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"), "18446744073709551615", false},
        {OID_FLOAT4, BYTES("\x3f\xc0\0\0"), "1.5", false},
        {OID_FLOAT8, BYTES("\xbf\xf8\0\0\0\0\0\0"), "-1.5", false},
        {OID_CHAR, BYTES("a"), "a", false},
        {OID_TEXT, BYTES("ab"), "ab", true},
        {OID_JSONB, BYTES("\1{}"), "{}", true},
        {OID_BYTEA, BYTES("\0\xff"), "\\x00ff", true},
        {OID_UUID, BYTES("\x12\x34\x56\x78\x9a\xbc\xde\xf0\0\1\2\3\4\5\6\xff"),
         "12345678-9abc-def0-0001-0203040506ff", false},
        {OID_DATE, BYTES("\0\0\x22\x79"), "2024-02-29", false},
        {OID_TIME, BYTES("\0\0\0\0\0\x0f\x42\x41"), "00:00:01.000001", false},
        {OID_TIMETZ, BYTES("\0\0\0\0\0\0\0\0\xff\xff\xf1\xf0"), "00:00:00+01", false},
        {OID_TIMESTAMP, BYTES("\0\0\0\0\0\0\0\1"), "2000-01-01 00:00:00.000001", false},
        {OID_TIMESTAMPTZ, BYTES("\x7f\xff\xff\xff\xff\xff\xff\xff"), "infinity", false},
        {OID_INTERVAL, BYTES("\0\0\0\0\0\x0f\x42\x40\0\0\0\1\0\0\0\x0d"), "P1Y1M1DT1S", false},
        {OID_NUMERIC, BYTES("\0\2\0\0\x40\0\0\1\0\x0c\x13\x88"), "-12.5", false},
        {OID_INET, BYTES("\2\x18\0\4\x0a\1\2\3"), "10.1.2.3/24", false},
        {OID_CIDR, BYTES("\2\x20\1\4\x0a\1\2\3"), "10.1.2.3/32", false},
        {OID_MACADDR, BYTES("\1\2\3\4\5\xff"), "01:02:03:04:05:ff", false},
        {OID_VARBIT, BYTES("\0\0\0\x0a\xaa\x80"), "1010101010", false},
        {OID_POINT, BYTES("\0\0\0\0\0\0\0\0\xbf\xf8\0\0\0\0\0\0"), "(0,-1.5)", false},
        {INT4_ARRAY, BYTES("\0\0\0\1\0\0\0\0" NUMBER "\0\0\0\2\0\0\0\1" ONE "\xff\xff\xff\xff"),
         "{1,NULL}", false},
        {INT4_RANGE, BYTES("\2" ONE "\0\0\0\4\0\0\0\5"), "[1,5)", false},
        {INT4_MULTIRANGE, BYTES("\0\0\0\1\0\0\0\x11\2" ONE "\0\0\0\4\0\0\0\5"), "{[1,5)}", false},
        {OID_RECORD, BYTES("\0\0\0\2" NUMBER ONE "\0\0\0\x19\0\0\0\0"), "(1,\"\")", false},
};

/* The text of a value, from memory that ends where it ends; the caller frees it. */
static int
text_of(uint32_t oid, const char *data, size_t length, char **ret_text)
{
        struct buf out;
        char *exact = malloc(length > 0 ? length : 1);

        ck_assert_ptr_nonnull(exact);
        memcpy(exact, data, length);
        pipit__buf_init(&out);
        int code = pipit__binary_text(oid, exact, length, &out);
        *ret_text = pipit__buf_take(&out);
        free(exact);
        return code;
}

START_TEST(a_value_has_the_text_that_the_server_gives_it)
{
        char *text = NULL;

        ck_assert_int_eq(text_of(values[_i].oid, values[_i].data, values[_i].length, &text), 0);
        ck_assert_str_eq(text, values[_i].text);
        free(text);
}
END_TEST

START_TEST(a_value_that_is_cut_off_is_refused)
{
        for (size_t length = 0; length < values[_i].length; length++) {
                char *text = NULL;
                int code = text_of(values[_i].oid, values[_i].data, length, &text);

                if (!values[_i].any_length)
                        ck_assert_int_eq(code, PIPIT_ETYPE);
                free(text);
        }
}
END_TEST

START_TEST(a_value_with_a_byte_too_many_is_refused)
{
        char longer[100] = {0};
        char *text = NULL;

        memcpy(longer, values[_i].data, values[_i].length);
        longer[values[_i].length] = 'x';
        int code = text_of(values[_i].oid, longer, values[_i].length + 1, &text);
        ck_assert_int_eq(code, values[_i].any_length ? 0 : PIPIT_ETYPE);
        free(text);
}
END_TEST

/* Each byte in turn is made another: what comes out is a text or PIPIT_ETYPE, nothing else. */
START_TEST(no_byte_of_a_value_is_trusted)
{
        static const char others[] = {0, 1, 0x7f, (char)0x80, (char)0xff};
        char data[100];

        for (size_t at = 0; at < values[_i].length; at++) {
                for (size_t i = 0; i < sizeof others; i++) {
                        char *text = NULL;

                        memcpy(data, values[_i].data, values[_i].length);
                        data[at] = others[i];
                        int code = text_of(values[_i].oid, data, values[_i].length, &text);
                        ck_assert_int_eq(code == 0 || code == PIPIT_ETYPE, 1);
                        free(text);
                }
        }
}
END_TEST

START_TEST(without_memory_there_is_no_text)
{
        for (int n = 0;; n++) {
                struct buf out;

                pipit__buf_init(&out);
                oom_after(n);
                int code = pipit__binary_text(values[_i].oid, values[_i].data, values[_i].length,
                                              &out);
                bool failed = oom_stop();
                ck_assert_int_eq(code, failed ? PIPIT_ENOMEM : 0);
                pipit__buf_fini(&out);
                if (!failed)
                        break;
        }
}
END_TEST

/* What no server sends. */
static const struct {
        uint32_t oid;
        const char *data;
        size_t length;
} hostile[] = {
        {OID_TEXT, BYTES("a\0b")},
        {OID_JSONB, BYTES("\2{}")},
        {OID_TIME, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff")},
        {OID_TIME, BYTES("\0\0\0\x14\x1d\xd7\x60\1")},
        {OID_TIMETZ, BYTES("\0\0\0\0\0\0\0\0\0\0\xe1\0")},
        {OID_TIMETZ, BYTES("\0\0\0\0\0\0\0\0\x80\0\0\0")},
        /* A digit of 10000, a sign that is none, more digits shown than there can be. */
        {OID_NUMERIC, BYTES("\0\1\0\0\0\0\0\0\x27\x10")},
        {OID_NUMERIC, BYTES("\0\0\0\0\x12\x34\0\0")},
        {OID_NUMERIC, BYTES("\0\0\0\0\0\0\x40\0")},
        {OID_NUMERIC, BYTES("\xff\xff\0\0\0\0\0\0")},
        /* An unknown family, too many bits, an address of the wrong length. */
        {OID_INET, BYTES("\4\x18\0\4\x0a\1\2\3")},
        {OID_INET, BYTES("\2\x21\0\4\x0a\1\2\3")},
        {OID_INET, BYTES("\3\x20\0\4\x0a\1\2\3")},
        {OID_VARBIT, BYTES("\xff\xff\xff\xff\0")},
        {OID_PATH, BYTES("\1\xff\xff\xff\xff")},
        {OID_POLYGON, BYTES("\x10\0\0\0\0\0\0\0")},
        /* Seven dimensions, fewer than none, more elements than bytes, a product that wraps. */
        {INT4_ARRAY, BYTES("\0\0\0\7\0\0\0\0" NUMBER)},
        {INT4_ARRAY, BYTES("\xff\xff\xff\xff\0\0\0\0" NUMBER)},
        {INT4_ARRAY, BYTES("\0\0\0\1\0\0\0\0" NUMBER "\0\0\0\2\0\0\0\1" ONE)},
        {INT4_ARRAY, BYTES("\0\0\0\1\0\0\0\0" NUMBER "\xff\xff\xff\xff\0\0\0\1")},
        {INT4_ARRAY,
         BYTES("\0\0\0\2\0\0\0\0" NUMBER "\x7f\xff\xff\xff\0\0\0\1\x7f\xff\xff\xff\0\0\0\1")},
        /* A lower bound too high, an element of a negative length, and of another type. */
        {INT4_ARRAY, BYTES("\0\0\0\1\0\0\0\0" NUMBER "\0\0\0\2\x7f\xff\xff\xff" ONE ONE)},
        {INT4_ARRAY, BYTES("\0\0\0\1\0\0\0\0" NUMBER "\0\0\0\1\0\0\0\1\xff\xff\xff\xfe")},
        {INT4_ARRAY, BYTES("\0\0\0\1\0\0\0\0\xff\xff\xff\xff\0\0\0\1\0\0\0\1" ONE)},
        /* A bound that is NULL; more ranges and fields than bytes. */
        {INT4_RANGE, BYTES("\2\xff\xff\xff\xff" ONE)},
        {INT4_MULTIRANGE, BYTES("\xff\xff\xff\xff")},
        {INT4_MULTIRANGE, BYTES("\0\0\0\1\xff\xff\xff\xff")},
        {OID_RECORD, BYTES("\xff\xff\xff\xff")},
        {OID_RECORD, BYTES("\0\0\0\1\xff\xff\xff\xff\0\0\0\0")},
        {OID_INT2VECTOR, BYTES("\0\0\0\1\0\0\0\0\0\0\0\x15\0\0\0\1\0\0\0\0\xff\xff\xff\xff")},
        {0, BYTES("")},
        {1033, BYTES("x")},
};

START_TEST(what_no_server_sends_is_refused)
{
        char *text = NULL;

        ck_assert_int_eq(text_of(hostile[_i].oid, hostile[_i].data, hostile[_i].length, &text),
                         PIPIT_ETYPE);
        free(text);
}
END_TEST

/* Composites, each the only field of the one around it. */
static int
nested(int depth)
{
        char data[20 * 12 + 4] = {0};
        char *at = data;
        char *text = NULL;

        for (int i = depth - 1; i >= 0; i--) {
                const char head[12] = {0, 0,          0, 1, 0, 0,
                                       8, (char)0xc9, 0, 0, 0, (char)(4 + 12 * i)};
                memcpy(at, head, sizeof head);
                at += sizeof head;
        }
        int code = text_of(OID_RECORD, data, (size_t)(at - data) + 4, &text);
        free(text);
        return code;
}

START_TEST(composites_in_composites_have_an_end)
{
        ck_assert_int_eq(nested(1), 0);
        ck_assert_int_eq(nested(16), 0);
        ck_assert_int_eq(nested(17), PIPIT_ETYPE);
        ck_assert_int_eq(nested(20), PIPIT_ETYPE);
}
END_TEST

/* The longest numeric: 131,072 digits, of which the first says nothing, and 16,383 behind a point.
 */
#define LONGEST "\0\1\x7f\xff\x40\0\x3f\xff\x27\x0f"

START_TEST(the_longest_number_is_written)
{
        char *text = NULL;

        ck_assert_int_eq(text_of(OID_NUMERIC, BYTES(LONGEST), &text), 0);
        ck_assert_uint_eq(strlen(text), 1 + 131072 + 1 + 16383);
        ck_assert_uint_le(strlen(text), pipit__binary_longest(sizeof LONGEST - 1));
        free(text);
}
END_TEST

static void
add_uint32(struct buf *out, uint32_t number)
{
        const char bytes[] = {(char)(number >> 24), (char)(number >> 16), (char)(number >> 8),
                              (char)number};

        pipit__buf_add(out, bytes, sizeof bytes);
}

/* An array of n times the same numeric. */
static struct buf
array_of(int n, const char *numeric, size_t length)
{
        struct buf array;

        pipit__buf_init(&array);
        add_uint32(&array, 1);
        add_uint32(&array, 0);
        add_uint32(&array, OID_NUMERIC);
        add_uint32(&array, (uint32_t)n);
        add_uint32(&array, 1);
        for (int i = 0; i < n; i++) {
                add_uint32(&array, (uint32_t)length);
                pipit__buf_add(&array, numeric, length);
        }
        return array;
}

START_TEST(many_long_numbers_are_refused_before_they_take_memory)
{
        struct buf array = array_of(60, BYTES(LONGEST));
        struct buf out;

        pipit__buf_init(&out);
        ck_assert_int_eq(pipit__binary_text(NUMERIC_ARRAY, array.data, array.length, &out),
                         PIPIT_ELIMIT);
        ck_assert_uint_le(out.capacity, pipit__binary_longest(array.length) + 1);
        pipit__buf_fini(&out);
        pipit__buf_fini(&array);
}
END_TEST

/* 1.8e308 has 309 digits in 8 bytes and a group. */
START_TEST(any_number_of_numbers_as_large_as_a_double_is_written)
{
        struct buf array = array_of(10000, BYTES("\0\1\0\x4d\0\0\0\0\0\1"));
        char *text = NULL;

        ck_assert_int_eq(text_of(NUMERIC_ARRAY, array.data, array.length, &text), 0);
        ck_assert_uint_eq(strlen(text), 1 + 10000 * 310);
        free(text);
        pipit__buf_fini(&array);
}
END_TEST

/* A composite of n times the same field. */
static struct buf
composite_of(int n, uint32_t oid, const struct buf *field)
{
        struct buf composite;

        pipit__buf_init(&composite);
        add_uint32(&composite, (uint32_t)n);
        for (int i = 0; i < n; i++) {
                add_uint32(&composite, oid);
                add_uint32(&composite, (uint32_t)field->length);
                pipit__buf_add(&composite, field->data, field->length);
        }
        return composite;
}

/* Quotes, as many as there is room for, in so many composites. */
static int
quotes_nested(int depth, int n_quotes, size_t *ret_length)
{
        struct buf value;
        struct buf out;
        uint32_t oid = OID_TEXT;

        pipit__buf_init(&value);
        for (int i = 0; i < n_quotes; i++)
                pipit__buf_add_char(&value, '"');
        for (; depth > 0; depth--, oid = OID_RECORD) {
                struct buf around = composite_of(1, oid, &value);
                pipit__buf_fini(&value);
                value = around;
        }
        pipit__buf_init(&out);
        int code = pipit__binary_text(oid, value.data, value.length, &out);
        ck_assert_uint_le(out.capacity, pipit__binary_longest(value.length) + 1);
        *ret_length = out.length;
        pipit__buf_fini(&out);
        pipit__buf_fini(&value);
        return code;
}

START_TEST(quotes_that_double_at_each_level_are_refused_before_they_take_memory)
{
        size_t length = 0;

        ck_assert_int_eq(quotes_nested(4, 100000, &length), 0);
        ck_assert_uint_gt(length, 1600000);
        ck_assert_int_eq(quotes_nested(12, 20, &length), 0);
        ck_assert_int_eq(quotes_nested(16, 100, &length), PIPIT_ELIMIT);
        ck_assert_int_eq(quotes_nested(6, 100000, &length), PIPIT_ELIMIT);
}
END_TEST

START_TEST(a_text_takes_no_more_than_the_caller_has)
{
        struct buf out;

        pipit__buf_init(&out);
        size_t before = pipit__buf_limit(&out, 10);
        ck_assert_int_eq(pipit__binary_text(OID_INT8, BYTES("\x80\0\0\0\0\0\0\0"), &out),
                         PIPIT_ELIMIT);
        pipit__buf_clear(&out);
        ck_assert_int_eq(pipit__binary_text(OID_INT4, BYTES("\0\0\0\1"), &out), 0);
        ck_assert_uint_eq(out.max, 10);
        ck_assert_uint_gt(before, 10);
        pipit__buf_fini(&out);
}
END_TEST

START_TEST(the_table_is_in_order)
{
        const struct binary_type *last = NULL;
        int n = 0;

        for (uint32_t oid = 0; oid < 10000; oid++) {
                const struct binary_type *type = pipit__binary_type_find(oid);

                if (!type)
                        continue;
                ck_assert_uint_eq(type->oid, oid);
                ck_assert(!last || type == last + 1);
                ck_assert(type->element == 0 || pipit__binary_type_find(type->element));
                last = type;
                n++;
        }
        ck_assert_int_ge(n, 100);
}
END_TEST

START_TEST(a_result_is_asked_for_in_binary_when_all_can_and_one_gains)
{
        ck_assert(pipit__binary_suits((uint32_t[]){OID_INT4}, 1));
        ck_assert(pipit__binary_suits((uint32_t[]){OID_TEXT, OID_TIMESTAMPTZ}, 2));
        ck_assert(!pipit__binary_suits((uint32_t[]){OID_TEXT, OID_VARCHAR}, 2));
        ck_assert(!pipit__binary_suits((uint32_t[]){OID_INT4, 1033}, 2));
        ck_assert(!pipit__binary_suits((uint32_t[]){OID_INT4, 16384}, 2));
        ck_assert(!pipit__binary_suits((uint32_t[]){OID_INT4, OID_RECORD}, 2));
        ck_assert(!pipit__binary_suits(NULL, 0));
}
END_TEST

START_TEST(text_is_found_inside_of_a_value)
{
        size_t length = 0;

        ck_assert_str_eq(pipit__binary_inside(OID_TEXT, "abc", 3, &length), "abc");
        ck_assert_str_eq(pipit__binary_inside(OID_JSONB, "\1{}", 3, &length), "{}");
        ck_assert_uint_eq(length, 2);
        ck_assert_ptr_null(pipit__binary_inside(OID_JSONB, "", 0, &length));
        ck_assert_ptr_null(pipit__binary_inside(OID_JSONB, "\2{}", 3, &length));
        ck_assert_ptr_null(pipit__binary_inside(OID_TEXT, "a\0b", 3, &length));
        ck_assert_ptr_null(pipit__binary_inside(OID_INT4, "\0\0\0\1", 4, &length));
        ck_assert_ptr_null(pipit__binary_inside(16384, "abc", 3, &length));
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

Suite *
test_suite(void)
{
        Suite *suite = suite_create("binary");
        TCase *tcase = tcase_create("binary");

        tcase_add_loop_test(tcase, a_value_has_the_text_that_the_server_gives_it, 0, COUNT(values));
        tcase_add_loop_test(tcase, a_value_that_is_cut_off_is_refused, 0, COUNT(values));
        tcase_add_loop_test(tcase, a_value_with_a_byte_too_many_is_refused, 0, COUNT(values));
        tcase_add_loop_test(tcase, no_byte_of_a_value_is_trusted, 0, COUNT(values));
        tcase_add_loop_test(tcase, without_memory_there_is_no_text, 0, COUNT(values));
        tcase_add_loop_test(tcase, what_no_server_sends_is_refused, 0, COUNT(hostile));
        tcase_add_test(tcase, composites_in_composites_have_an_end);
        tcase_add_test(tcase, the_longest_number_is_written);
        tcase_add_test(tcase, many_long_numbers_are_refused_before_they_take_memory);
        tcase_add_test(tcase, any_number_of_numbers_as_large_as_a_double_is_written);
        tcase_add_test(tcase, quotes_that_double_at_each_level_are_refused_before_they_take_memory);
        tcase_add_test(tcase, a_text_takes_no_more_than_the_caller_has);
        tcase_add_test(tcase, the_table_is_in_order);
        tcase_add_test(tcase, a_result_is_asked_for_in_binary_when_all_can_and_one_gains);
        tcase_add_test(tcase, text_is_found_inside_of_a_value);
        suite_add_tcase(suite, tcase);
        return suite;
}
