#include <locale.h>
#include <math.h>
#include <pipit/error.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"
#include "value/codec.h"

enum { N_RANDOM = 5000 };

/* A small generator of its own, so that every run tests the same numbers. */
static uint64_t
next_random(uint64_t *state)
{
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        return *state;
}

/* The text of a value, measured and encoded; the caller frees it. */
static char *
encode(struct pipit_value value)
{
        size_t size = 0;

        ck_assert_int_eq(pipit__codec_measure(&value, &size), 0);
        ck_assert_uint_gt(size, 0);
        char *text = malloc(size);
        size_t length = pipit__codec_encode(&value, text);
        ck_assert_uint_lt(length, size);
        ck_assert_uint_eq(strlen(text), length);
        return text;
}

static void
encodes_to(struct pipit_value value, const char *expected)
{
        char *text = encode(value);

        ck_assert_str_eq(text, expected);
        free(text);
}

/* Copies text to the end of its own memory, so that reading beyond it is seen. */
static char *
exact(const char *text, size_t *ret_length)
{
        *ret_length = strlen(text);
        char *copy = malloc(*ret_length > 0 ? *ret_length : 1);
        memcpy(copy, text, *ret_length);
        return copy;
}

START_TEST(scalars_have_their_text)
{
        struct pipit_uuid uuid = {
                {0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 0, 1, 2, 3, 4, 5, 6, 0xff}};

        encodes_to(pipit_value_bool(true), "t");
        encodes_to(pipit_value_bool(false), "f");
        encodes_to(PIPIT_VALUE(0), "0");
        encodes_to(PIPIT_VALUE(-42), "-42");
        encodes_to(PIPIT_VALUE(INT64_MIN), "-9223372036854775808");
        encodes_to(PIPIT_VALUE(INT64_MAX), "9223372036854775807");
        encodes_to(PIPIT_VALUE(UINT64_MAX), "18446744073709551615");
        encodes_to(PIPIT_VALUE(uuid), "12345678-9abc-def0-0001-0203040506ff");
        encodes_to(PIPIT_VALUE("Peewee ü"), "Peewee ü");
        encodes_to(pipit_value_text_n("abc", 2), "ab");
        encodes_to(PIPIT_VALUE(""), "");
}
END_TEST

START_TEST(bytes_are_hexadecimal)
{
        struct pipit_bytes bytes = {"\0\x01\xfe'\\", 5};
        struct pipit_bytes none = {"", 0};

        encodes_to(PIPIT_VALUE(bytes), "\\x0001fe275c");
        encodes_to(PIPIT_VALUE(none), "\\x");
}
END_TEST

START_TEST(numbers_have_the_fewest_digits_that_are_read_back)
{
        encodes_to(PIPIT_VALUE(0.1), "0.1");
        encodes_to(PIPIT_VALUE(0.1f), "0.10000000149011612");
        encodes_to(PIPIT_VALUE(1e300), "1e+300");
        encodes_to(PIPIT_VALUE(-2.0), "-2");
        encodes_to(PIPIT_VALUE((double)NAN), "NaN");
        encodes_to(PIPIT_VALUE((double)INFINITY), "Infinity");
        encodes_to(PIPIT_VALUE(-INFINITY), "-Infinity");
}
END_TEST

START_TEST(null_needs_no_room)
{
        struct pipit_value null = pipit_value_null();
        size_t size = 99;

        ck_assert_int_eq(pipit__codec_measure(&null, &size), 0);
        ck_assert_uint_eq(size, 0);
}
END_TEST

START_TEST(what_has_no_text_is_refused)
{
        int number = 0;
        void *pointer = &number;
        size_t size = 99;
        struct pipit_bytes nowhere = {NULL, 3};
        struct pipit_bytes huge = {"", SIZE_MAX};
        struct pipit_value unknown = {.kind = (enum pipit_kind)77};
        struct pipit_value values[] = {PIPIT_VALUE(pointer), PIPIT_VALUE(nowhere), unknown};
        struct pipit_value unfit[] = {pipit_value_text_n("a\0b", 3), PIPIT_VALUE(huge)};

        for (size_t i = 0; i < 3; i++)
                ck_assert_int_eq(pipit__codec_measure(&values[i], &size), PIPIT_EINVAL);
        for (size_t i = 0; i < 2; i++)
                ck_assert_int_eq(pipit__codec_measure(&unfit[i], &size), PIPIT_ETYPE);
        ck_assert_uint_eq(size, 99);
}
END_TEST

static const struct {
        const char *text;
        int r16, r32, r64;
        int64_t number;
} integers[] = {
        {"0", 0, 0, 0, 0},
        {"-0", 0, 0, 0, 0},
        {"007", 0, 0, 0, 7},
        {"32767", 0, 0, 0, 32767},
        {"-32768", 0, 0, 0, -32768},
        {"32768", PIPIT_ETYPE, 0, 0, 32768},
        {"-32769", PIPIT_ETYPE, 0, 0, -32769},
        {"2147483647", PIPIT_ETYPE, 0, 0, 2147483647},
        {"-2147483648", PIPIT_ETYPE, 0, 0, INT32_MIN},
        {"2147483648", PIPIT_ETYPE, PIPIT_ETYPE, 0, 2147483648},
        {"9223372036854775807", PIPIT_ETYPE, PIPIT_ETYPE, 0, INT64_MAX},
        {"-9223372036854775808", PIPIT_ETYPE, PIPIT_ETYPE, 0, INT64_MIN},
        {"9223372036854775808", PIPIT_ETYPE, PIPIT_ETYPE, PIPIT_ETYPE, 0},
        {"-9223372036854775809", PIPIT_ETYPE, PIPIT_ETYPE, PIPIT_ETYPE, 0},
        {"18446744073709551616", PIPIT_ETYPE, PIPIT_ETYPE, PIPIT_ETYPE, 0},
        {"99999999999999999999", PIPIT_ETYPE, PIPIT_ETYPE, PIPIT_ETYPE, 0},
        {"", PIPIT_ETYPE, PIPIT_ETYPE, PIPIT_ETYPE, 0},
        {"-", PIPIT_ETYPE, PIPIT_ETYPE, PIPIT_ETYPE, 0},
        {"+1", PIPIT_ETYPE, PIPIT_ETYPE, PIPIT_ETYPE, 0},
        {" 1", PIPIT_ETYPE, PIPIT_ETYPE, PIPIT_ETYPE, 0},
        {"1 ", PIPIT_ETYPE, PIPIT_ETYPE, PIPIT_ETYPE, 0},
        {"1.0", PIPIT_ETYPE, PIPIT_ETYPE, PIPIT_ETYPE, 0},
        {"0x1", PIPIT_ETYPE, PIPIT_ETYPE, PIPIT_ETYPE, 0},
};

START_TEST(integers_are_read_only_when_they_fit)
{
        size_t length = 0;
        char *text = exact(integers[_i].text, &length);
        int16_t n16 = 0;
        int32_t n32 = 0;
        int64_t n64 = 0;

        ck_assert_int_eq(pipit__codec_read_int16(text, length, &n16), integers[_i].r16);
        ck_assert_int_eq(pipit__codec_read_int32(text, length, &n32), integers[_i].r32);
        ck_assert_int_eq(pipit__codec_read_int64(text, length, &n64), integers[_i].r64);
        ck_assert_int_eq(n64, integers[_i].number);
        if (integers[_i].r32 == 0)
                ck_assert_int_eq(n32, integers[_i].number);
        if (integers[_i].r16 == 0)
                ck_assert_int_eq(n16, integers[_i].number);
        free(text);
}
END_TEST

START_TEST(booleans_are_t_or_f)
{
        bool value = false;

        ck_assert_int_eq(pipit__codec_read_bool("t", 1, &value), 0);
        ck_assert(value);
        ck_assert_int_eq(pipit__codec_read_bool("f", 1, &value), 0);
        ck_assert(!value);
        ck_assert_int_eq(pipit__codec_read_bool("", 0, &value), PIPIT_ETYPE);
        ck_assert_int_eq(pipit__codec_read_bool("1", 1, &value), PIPIT_ETYPE);
        ck_assert_int_eq(pipit__codec_read_bool("true", 4, &value), PIPIT_ETYPE);
}
END_TEST

static const struct {
        const char *text;
        int r;
        double number;
} doubles[] = {
        {"0", 0, 0},
        {"-0", 0, -0.0},
        {"1.5", 0, 1.5},
        {"+1.5", 0, 1.5},
        {"-1.5e3", 0, -1500},
        {"1E-2", 0, 0.01},
        {".5", 0, 0.5},
        {"5.", 0, 5},
        {"1.7976931348623157e+308", 0, 1.7976931348623157e+308},
        {"5e-324", 0, 5e-324},
        {"Infinity", 0, INFINITY},
        {"-Infinity", 0, -INFINITY},
        {"1e309", PIPIT_ETYPE, 0},
        {"-1e309", PIPIT_ETYPE, 0},
        {"1e-400", PIPIT_ETYPE, 0},
        {"0e-400", 0, 0},
        {"", PIPIT_ETYPE, 0},
        {".", PIPIT_ETYPE, 0},
        {"e5", PIPIT_ETYPE, 0},
        {"1e", PIPIT_ETYPE, 0},
        {"1e+", PIPIT_ETYPE, 0},
        {"1,5", PIPIT_ETYPE, 0},
        {"1.5 ", PIPIT_ETYPE, 0},
        {" 1.5", PIPIT_ETYPE, 0},
        {"0x10", PIPIT_ETYPE, 0},
        {"inf", PIPIT_ETYPE, 0},
        {"nan", PIPIT_ETYPE, 0},
        {"infinity", PIPIT_ETYPE, 0},
        {"1.2.3", PIPIT_ETYPE, 0},
};

START_TEST(doubles_are_read_only_when_they_fit)
{
        size_t length = 0;
        char *text = exact(doubles[_i].text, &length);
        double number = 77;

        ck_assert_int_eq(pipit__codec_read_double(text, length, &number), doubles[_i].r);
        ck_assert(number == (doubles[_i].r == 0 ? doubles[_i].number : 77));
        free(text);
}
END_TEST

START_TEST(floats_know_their_own_range)
{
        float number = 77;

        ck_assert_int_eq(pipit__codec_read_float("3.4028235e38", 12, &number), 0);
        ck_assert_int_eq(pipit__codec_read_float("1e39", 4, &number), PIPIT_ETYPE);
        ck_assert_int_eq(pipit__codec_read_float("1e-60", 5, &number), PIPIT_ETYPE);
        ck_assert_int_eq(pipit__codec_read_float("NaN", 3, &number), 0);
        ck_assert(isnan(number));
}
END_TEST

START_TEST(a_number_of_any_length_is_read_or_refused)
{
        char text[3000];
        double number = 0;

        memset(text, '0', sizeof(text));
        text[1] = '.';
        text[500] = '1';
        ck_assert_int_eq(pipit__codec_read_double(text, 900, &number), PIPIT_ETYPE);
        text[300] = '1';
        ck_assert_int_eq(pipit__codec_read_double(text, 900, &number), 0);
        ck_assert(number > 0);
        ck_assert_int_eq(pipit__codec_read_double(text, sizeof(text), &number), PIPIT_ETYPE);
}
END_TEST

START_TEST(every_double_survives)
{
        uint64_t state = 88172645463325252u;

        for (int i = 0; i < N_RANDOM; i++) {
                uint64_t bits = next_random(&state);
                double number = 0;
                double back = 0;
                memcpy(&number, &bits, sizeof(number));
                char *text = encode(PIPIT_VALUE(number));
                ck_assert_int_eq(pipit__codec_read_double(text, strlen(text), &back), 0);
                ck_assert(isnan(number) ? isnan(back) : back == number);
                free(text);
        }
}
END_TEST

START_TEST(every_float_survives)
{
        uint64_t state = 88172645463325252u;

        for (int i = 0; i < N_RANDOM; i++) {
                uint32_t bits = (uint32_t)next_random(&state);
                float number = 0;
                float back = 0;
                memcpy(&number, &bits, sizeof(number));
                char *text = encode(PIPIT_VALUE(number));
                ck_assert_int_eq(pipit__codec_read_float(text, strlen(text), &back), 0);
                ck_assert(isnan(number) ? isnan(back) : back == number);
                free(text);
        }
}
END_TEST

START_TEST(numbers_do_not_depend_on_the_locale)
{
        static const char *const locales[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE",
                                              "ps_AF.UTF-8", "nl_NL.UTF-8", "C"};
        double number = 0;

        setlocale(LC_ALL, locales[_i]);
        encodes_to(PIPIT_VALUE(-1234567.5), "-1234567.5");
        ck_assert_int_eq(pipit__codec_read_double("-1234567.5e-1", 13, &number), 0);
        ck_assert_double_eq(number, -123456.75);
        ck_assert_int_eq(pipit__codec_read_double("1,5", 3, &number), PIPIT_ETYPE);
        setlocale(LC_ALL, "C");
}
END_TEST

START_TEST(every_integer_survives)
{
        uint64_t state = 1;

        for (int i = 0; i < N_RANDOM; i++) {
                int64_t number = (int64_t)(next_random(&state) >> (i % 64));
                int64_t back = 0;
                number = i % 2 ? -number : number;
                char *text = encode(PIPIT_VALUE(number));
                ck_assert_int_eq(pipit__codec_read_int64(text, strlen(text), &back), 0);
                ck_assert_int_eq(back, number);
                free(text);
        }
}
END_TEST

START_TEST(bytes_survive)
{
        unsigned char data[256];
        unsigned char back[256 + 1];
        size_t length = 0;

        for (int i = 0; i < 256; i++)
                data[i] = (unsigned char)i;
        struct pipit_bytes bytes = {data, sizeof(data)};
        char *text = encode(PIPIT_VALUE(bytes));
        ck_assert_int_eq(pipit__codec_read_bytes(text, strlen(text), back, &length), 0);
        ck_assert_uint_eq(length, sizeof(data));
        ck_assert_mem_eq(back, data, sizeof(data));
        free(text);
}
END_TEST

START_TEST(rubbish_is_no_bytes)
{
        static const char *const rubbish[] = {"", "\\", "\\x0", "\\x0g", "\\xg0", "x00", "\\y00"};
        unsigned char back[8];
        size_t size = 0;

        for (size_t i = 0; i < sizeof(rubbish) / sizeof(rubbish[0]); i++) {
                size_t length = 0;
                char *text = exact(rubbish[i], &length);
                ck_assert_int_eq(pipit__codec_read_bytes(text, length, back, &size), PIPIT_ETYPE);
                free(text);
        }
        ck_assert_int_eq(pipit__codec_read_bytes("\\xAbCd", 6, back, &size), 0);
        ck_assert_int_eq(back[1], 0xcd);
}
END_TEST

static const struct {
        const char *text;
        const char *bytes; /* NULL: it is rubbish */
        size_t length;
} escapes[] = {{"", "", 0},
               {"abc", "abc", 3},
               {"a\\\\b", "a\\b", 3},
               {"\\000\\377x", "\0\377x", 3},
               {"\\\\000", "\\000", 4},
               {"\\", NULL, 0},
               {"a\\", NULL, 0},
               {"\\00", NULL, 0},
               {"\\400", NULL, 0},
               {"\\080", NULL, 0},
               {"\\n00", NULL, 0}};

START_TEST(bytes_that_are_escaped_are_read)
{
        unsigned char back[8];
        size_t size = 77;
        size_t length = 0;
        char *text = exact(escapes[_i].text, &length);
        int code = pipit__codec_read_escaped(text, length, back, &size);

        ck_assert_int_eq(code, escapes[_i].bytes != NULL ? 0 : PIPIT_ETYPE);
        if (code == 0) {
                ck_assert_uint_eq(size, escapes[_i].length);
                ck_assert_mem_eq(back, escapes[_i].bytes, size);
        }
        free(text);
}
END_TEST

START_TEST(uuids_are_read_strictly)
{
        static const char *const rubbish[] = {
                "",
                "12345678-9abc-def0-0001-0203040506f",
                "12345678-9abc-def0-0001-0203040506fff",
                "12345678-9abc-def0-0001-0203040506fg",
                "12345678-9abc-def0-0001+0203040506ff",
                "123456789-abc-def0-0001-0203040506ff",
                "{2345678-9abc-def0-0001-0203040506f}",
        };
        struct pipit_uuid uuid = {{0}};

        for (size_t i = 0; i < sizeof(rubbish) / sizeof(rubbish[0]); i++) {
                size_t length = 0;
                char *text = exact(rubbish[i], &length);
                ck_assert_int_eq(pipit__codec_read_uuid(text, length, &uuid), PIPIT_ETYPE);
                free(text);
        }
        ck_assert_int_eq(pipit__codec_read_uuid("12345678-9ABC-def0-0001-0203040506ff", 36, &uuid),
                         0);
        encodes_to(PIPIT_VALUE(uuid), "12345678-9abc-def0-0001-0203040506ff");
}
END_TEST

#define SECOND INT64_C(1000000)
#define DAY    (86400 * SECOND)

/* As the server writes them; the second text is ours, NULL when it is the same. */
static const struct {
        const char *text;
        const char *ours;
        int64_t us;
} timestamps[] = {
        {"1970-01-01 00:00:00.000000+00", NULL, 0},
        {"1970-01-01", "1970-01-01 00:00:00.000000+00", 0},
        {"1970-01-01 00:00", "1970-01-01 00:00:00.000000+00", 0},
        {"1970-01-01 00:00:01", "1970-01-01 00:00:01.000000+00", SECOND},
        {"1970-01-01T00:00:01Z", "1970-01-01 00:00:01.000000+00", SECOND},
        {"1969-12-31 23:59:59.999999+00", NULL, -1},
        {"1970-01-01 00:00:00.5", "1970-01-01 00:00:00.500000+00", SECOND / 2},
        {"1970-01-01 02:00:00+02", "1970-01-01 00:00:00.000000+00", 0},
        {"1969-12-31 20:30:00-03:30", "1970-01-01 00:00:00.000000+00", 0},
        {"1970-01-01 05:30:15+05:30:15", "1970-01-01 00:00:00.000000+00", 0},
        {"2000-02-29 12:00:00.000001+00", NULL, 11016 * DAY + 43200 * SECOND + 1},
        {"2024-02-29 00:00:00.000000+00", NULL, 19782 * DAY},
        {"1900-03-01 00:00:00.000000+00", NULL, -25508 * DAY},
        {"0001-01-01 00:00:00.000000+00", NULL, -719162 * DAY},
        {"0001-12-31 00:00:00.000000+00 BC", NULL, -719163 * DAY},
        {"0001-02-29 BC", "0001-02-29 00:00:00.000000+00 BC", -719469 * DAY},
        {"0044-03-15 12:00:00+00 BC", "0044-03-15 12:00:00.000000+00 BC",
         -735160 * DAY + 43200 * SECOND},
        {"4713-01-01 00:00:00.000000+00 BC", NULL, -2440550 * DAY + 0},
        {"12345-06-07 00:00:00.000000+00", NULL, 3789548 * DAY},
        {"294247-01-10 04:00:54.775806+00", NULL, INT64_MAX - 1},
        {"290309-12-21 19:59:05.224193+00 BC", NULL, INT64_MIN + 1},
        {"infinity", NULL, INT64_MAX},
        {"-infinity", NULL, INT64_MIN},
};

START_TEST(timestamps_are_read_and_written)
{
        size_t length = 0;
        char *text = exact(timestamps[_i].text, &length);
        struct pipit_timestamp timestamp = {7};

        ck_assert_int_eq(pipit__codec_read_timestamp(text, length, &timestamp), 0);
        ck_assert_int_eq(timestamp.us, timestamps[_i].us);
        encodes_to(PIPIT_VALUE(timestamp),
                   timestamps[_i].ours ? timestamps[_i].ours : timestamps[_i].text);
        free(text);
}
END_TEST

static const char *const no_timestamps[] = {
        "",
        "infinit",
        "+infinity",
        "now",
        "0000-01-01",
        "999-01-01",
        "2024-00-01",
        "2024-13-01",
        "2024-01-00",
        "2024-01-32",
        "2023-02-29",
        "1900-02-29",
        "2024-1-1",
        "2024-01-01x",
        "2024-01-01 ",
        "2024-01-01 24:00:00",
        "2024-01-01 23:60:00",
        "2024-01-01 23:59:60",
        "2024-01-01 23:59:5",
        "2024-01-01 23:59:59.",
        "2024-01-01 23:59:59.1234567",
        "2024-01-01 23:59:59+",
        "2024-01-01 23:59:59+1",
        "2024-01-01 23:59:59+16",
        "2024-01-01 23:59:59+01:",
        "2024-01-01 23:59:59+01:60",
        "2024-01-01 23:59:59 AD",
        "2024-01-01 23:59:59 BC ",
        "2024-01-01  BC",
        "01/02/2024",
        "294247-01-10 04:00:54.775807+00",
        "294276-12-31 23:59:59.999999+00",
        "9999999-12-31",
        "290309-12-21 19:59:05.224192+00 BC",
        "9999999-12-31 BC",
        "99999999-12-31",
};

START_TEST(what_is_no_timestamp_is_refused)
{
        size_t length = 0;
        char *text = exact(no_timestamps[_i], &length);
        struct pipit_timestamp timestamp = {7};

        ck_assert_int_eq(pipit__codec_read_timestamp(text, length, &timestamp), PIPIT_ETYPE);
        ck_assert_int_eq(timestamp.us, 7);
        free(text);
}
END_TEST

START_TEST(every_timestamp_survives)
{
        uint64_t state = 12345;

        for (int i = 0; i < N_RANDOM; i++) {
                struct pipit_timestamp timestamp = {(int64_t)(next_random(&state) >> (i % 60))};
                struct pipit_timestamp back = {0};
                timestamp.us = i % 2 ? -timestamp.us : timestamp.us;
                char *text = encode(PIPIT_VALUE(timestamp));
                ck_assert_int_eq(pipit__codec_read_timestamp(text, strlen(text), &back), 0);
                ck_assert_int_eq(back.us, timestamp.us);
                free(text);
        }
}
END_TEST

START_TEST(days_of_eight_centuries_survive)
{
        for (int64_t day = -150000; day < 150000; day += 37) {
                char *text = encode(pipit_value_timestamp((struct pipit_timestamp){day * DAY}));
                struct pipit_timestamp back = {0};
                ck_assert_int_eq(pipit__codec_read_timestamp(text, 10, &back), 0);
                ck_assert_int_eq(back.us, day * DAY);
                free(text);
        }
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

Suite *
test_suite(void)
{
        Suite *suite = suite_create("codec");
        TCase *tcase = tcase_create("encode");

        tcase_add_test(tcase, scalars_have_their_text);
        tcase_add_test(tcase, bytes_are_hexadecimal);
        tcase_add_test(tcase, numbers_have_the_fewest_digits_that_are_read_back);
        tcase_add_test(tcase, null_needs_no_room);
        tcase_add_test(tcase, what_has_no_text_is_refused);
        suite_add_tcase(suite, tcase);
        tcase = tcase_create("read");
        tcase_add_loop_test(tcase, integers_are_read_only_when_they_fit, 0, COUNT(integers));
        tcase_add_test(tcase, booleans_are_t_or_f);
        tcase_add_loop_test(tcase, doubles_are_read_only_when_they_fit, 0, COUNT(doubles));
        tcase_add_test(tcase, floats_know_their_own_range);
        tcase_add_test(tcase, a_number_of_any_length_is_read_or_refused);
        tcase_add_loop_test(tcase, numbers_do_not_depend_on_the_locale, 0, 6);
        tcase_add_test(tcase, rubbish_is_no_bytes);
        tcase_add_loop_test(tcase, bytes_that_are_escaped_are_read, 0, COUNT(escapes));
        tcase_add_test(tcase, uuids_are_read_strictly);
        tcase_add_loop_test(tcase, timestamps_are_read_and_written, 0, COUNT(timestamps));
        tcase_add_loop_test(tcase, what_is_no_timestamp_is_refused, 0, COUNT(no_timestamps));
        suite_add_tcase(suite, tcase);
        tcase = tcase_create("both ways");
        tcase_add_test(tcase, every_double_survives);
        tcase_add_test(tcase, every_float_survives);
        tcase_add_test(tcase, every_integer_survives);
        tcase_add_test(tcase, every_timestamp_survives);
        tcase_add_test(tcase, days_of_eight_centuries_survive);
        tcase_add_test(tcase, bytes_survive);
        suite_add_tcase(suite, tcase);
        return suite;
}
