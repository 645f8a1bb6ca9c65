/*
 * Values in binary form: the same query in both formats gives the same, by every getter.
 */
#include <stdlib.h>
#include <string.h>

#include "agree.h"
#include "live.h"
#include "plain.h"
#include "value/binary.h"

static void
cells_agree(struct pipit_result *text, struct pipit_result *binary, int row, int column)
{
        struct pipit_item items[2];

        ck_assert_int_eq(pipit_result_item(text, row, column, &items[0]), 0);
        ck_assert_int_eq(pipit_result_item(binary, row, column, &items[1]), 0);
        ck_assert_int_eq(items[0].binary, false);
        ck_assert_int_eq(items[1].binary, true);
        const char *getter = items_differ(&items[0], &items[1]);
        ck_assert_msg(getter == NULL, "%s of %s, in binary %s", getter, pipit_item_text(&items[0]),
                      pipit_item_text(&items[1]));
        ck_assert_pstr_eq(pipit_result_text(text, row, column),
                          pipit_result_text(binary, row, column));
        ck_assert_uint_eq(pipit_result_length(text, row, column),
                          pipit_result_length(binary, row, column));
}

/* The whole result of a query, asked in both formats. */
static void
formats_agree(const char *sql)
{
        struct pipit_result *text = plain_query(sql, false);
        struct pipit_result *binary = plain_query(sql, true);

        ck_assert_int_gt(pipit_result_rows(text), 0);
        ck_assert_int_eq(pipit_result_rows(text), pipit_result_rows(binary));
        for (int row = 0; row < pipit_result_rows(text); row++) {
                for (int column = 0; column < pipit_result_columns(text); column++)
                        cells_agree(text, binary, row, column);
        }
}

static const struct {
        const char *type;
        const char *texts[40];
} edges[] = {
        {"bool", {"t", "f"}},
        {"int2", {"0", "1", "-1", "32767", "-32768"}},
        {"int4", {"0", "1", "-1", "32768", "2147483647", "-2147483648"}},
        {"int8", {"0", "-1", "4294967296", "9223372036854775807", "-9223372036854775808"}},
        {"oid", {"0", "1", "2147483648", "4294967295"}},
        {"xid", {"0", "3", "4294967295"}},
        {"cid", {"0", "4294967295"}},
        {"xid8", {"0", "9223372036854775807", "18446744073709551615"}},
        {"tid", {"(0,0)", "(0,1)", "(4294967295,65535)"}},
        {"pg_lsn", {"0/0", "16/B374D848", "FFFFFFFF/FFFFFFFF"}},
        {"float4",
         {"0",
          "-0",
          "1",
          "0.1",
          "1e-5",
          "0.0001",
          "123456",
          "1234567",
          "999999",
          "1e6",
          "1e-45",
          "3.4028235e38",
          "-3.4028235e38",
          "1.17549435e-38",
          "16777216",
          "NaN",
          "Infinity",
          "-Infinity",
          "0.3333333333",
          "8388608.5",
          "33554436",
          "9.8e-45",
          "5.9604645e-8"}},
        {"float8",
         {"0",
          "-0",
          "1",
          "0.1",
          "1e-5",
          "0.0001",
          "123456789012345",
          "1e15",
          "1e14",
          "1e22",
          "1e23",
          "5e-324",
          "1.7976931348623157e308",
          "2.2250738585072014e-308",
          "NaN",
          "Infinity",
          "-Infinity",
          "9007199254740993",
          "5.684341886080802e-14",
          "0.3",
          "2.5",
          "-12.5",
          "1e100",
          "9.5367431640625e-07",
          "8.41e21",
          "9.409340012568248e18",
          "1.2345e-10"}},
        {"text", {"", "a", "NULL", "Grüße, 世界", "it's \"quoted\" \\ and {braced}", " "}},
        {"varchar", {"", "abc", "{1,2}", "[1,2)", "(a,b)", "42", "2024-02-29", "\\x00ff", "t"}},
        {"char(5)", {"", "ab", "abcde"}},
        {"name", {"", "pg_class"}},
        {"\"char\"", {"", "a", "~"}},
        {"json", {"{}", "{\"a\": [1, 2.50, null]}", "\"text\""}},
        {"jsonb", {"{}", "{\"a\": [1, 2.50, null]}", "\"text\"", "12"}},
        {"jsonpath", {"$", "$.a[*] ? (@ > 1)"}},
        {"bytea", {"", "\\x00", "\\x00ff27225c", "abc"}},
        {"uuid", {"00000000-0000-0000-0000-000000000000", "123e4567-e89b-12d3-a456-426614174fff"}},
        {"date",
         {"1970-01-01", "2000-01-01", "1999-12-31", "2024-02-29", "0001-01-01", "0001-12-31 BC",
          "4714-11-24 BC", "5874897-12-31", "294247-01-09", "294247-01-11", "12345-06-07",
          "infinity", "-infinity"}},
        {"time",
         {"00:00", "23:59:59.999999", "24:00", "12:34:56.7", "01:02:03.000010", "00:00:00.1"}},
        {"timetz",
         {"00:00+00", "23:59:59.999999-15:59:59", "24:00+15:59", "12:34:56+02", "12:00-03:30",
          "12:00+05:30:15"}},
        {"timestamp",
         {"1970-01-01", "2000-01-01", "1999-12-31 23:59:59.999999", "2024-02-29 12:00:00.5",
          "0001-01-01", "0001-12-31 23:59:59 BC", "4714-11-24 BC", "294276-12-31 23:59:59.999999",
          "294247-01-10 04:00:54.775806", "294247-01-10 04:00:54.775807", "infinity", "-infinity"}},
        {"timestamptz",
         {"1970-01-01+00", "1999-12-31 23:59:59.999999+00", "2024-02-29 12:00:00.5+02",
          "0044-03-15 12:00+00 BC", "4714-11-24 00:00+00 BC", "294276-12-31 23:59:59.999999+00",
          "294247-01-10 04:00:54.775806+00", "infinity", "-infinity"}},
        {"interval",
         {"0",
          "1 year",
          "-1 year",
          "1 year -2 mons",
          "13 mons",
          "-13 mons",
          "1 day",
          "-1 day",
          "1 day -04:05:06.789",
          "00:00:00.000001",
          "-00:00:00.000001",
          "-00:00:01.5",
          "178956970 years 7 mons",
          "-178956970 years -8 mons",
          "2147483647 days",
          "-2147483648 days",
          "2562047788:00:54.775807",
          "-2562047788:00:54.775807",
          "1 year 2 mons 3 days 4 hours 5 min 6.7 sec",
          "00:01",
          "01:00",
          "59:59.999999",
          "100:00:00"}},
        {"numeric",
         {"0",
          "0.00",
          "1",
          "-1",
          "10",
          "9999",
          "10000",
          "10001",
          "100000000",
          "0.1",
          "0.0001",
          "0.00001",
          "-0.00000000001",
          "12.50",
          "12.500",
          "123456789012345678901234567890.123456789",
          "9223372036854775807",
          "-9223372036854775808",
          "9223372036854775808",
          "0.999999999",
          "92233720368547758.07",
          "NaN",
          "Infinity",
          "-Infinity",
          "1e100",
          "1e-100",
          "1e1000",
          "1e131071",
          "1e-16383",
          "10000.0000",
          "99999999.99999999",
          "1.000000000000000000"}},
        {"inet",
         {"0.0.0.0",
          "192.168.0.1",
          "192.168.0.1/24",
          "10.0.0.0/8",
          "1.2.3.4/0",
          "::",
          "::1",
          "::/0",
          "fe80::1",
          "fe80::1/64",
          "2001:db8::",
          "2001:db8:0:1::1",
          "::ffff:1.2.3.4",
          "::1.2.3.4",
          "1:0:0:2::3",
          "1:2:3:4:5:6:7:8",
          "0:1::",
          "::2:0:0:0",
          "1::",
          "ff02::1:ff00:0/104",
          "::ffff:0:0",
          "0:0:1::",
          "1:0:0:2:0:0:3:4",
          "0:0:1:0:0:1:1:1",
          "1:0:1:0:1:0:1:0",
          "::1:0",
          "::ffff",
          "0:0:0:0:0:1:0:0"}},
        {"cidr",
         {"0.0.0.0/0", "10.0.0.0/8", "192.168.0.1/32", "::/0", "fe80::/10", "::1/128",
          "::ffff:0:0/96", "2001:db8::/32"}},
        {"macaddr", {"00:00:00:00:00:00", "08:00:2b:01:02:ff"}},
        {"macaddr8", {"00:00:00:00:00:00:00:00", "08:00:2b:01:02:03:04:ff"}},
        {"bit(1)", {"0", "1"}},
        {"bit(12)", {"000000000000", "101010101011"}},
        {"varbit", {"", "1", "10101010", "101010101", "0000000000000001"}},
        {"point", {"(0,0)", "(1.5,-2)", "(1e300,NaN)", "(Infinity,-Infinity)"}},
        {"lseg", {"[(0,0),(1,1)]"}},
        {"box", {"(0,0),(1,1)", "(-1.5,2),(3,-4)"}},
        {"path", {"[(0,0),(1,1)]", "((0,0),(1,1),(2,0))", "(1,1)"}},
        {"polygon", {"((0,0),(1,1),(2,0))", "(0.1,1e20)"}},
        {"line", {"{1,-1,0}", "{0,1,2.5}"}},
        {"circle", {"<(0,0),1>", "<(0.1,-2),1e-5>"}},
        {"refcursor", {"", "c"}},
        {"int2vector", {"", "1", "1 -2 3"}},
        {"oidvector", {"", "1 4294967295"}},
        {"int4[]",
         {"{}", "{1}", "{1,NULL,-3}", "{{1,2},{3,4}}", "[0:1]={5,6}", "[2:2][-1:0]={{1,2}}",
          "{{{{{{1}}}}}}", "[2147483646:2147483646]={7}"}},
        {"text[]",
         {"{}", "{\"\"}", "{a,\"b c\",NULL,\"NULL\",\"null\"}", "{\"a\\\"b\",\"c\\\\d\"}",
          "{\"{\",\"}\",\",\",\" \"}", "{\"\t\",\"\n\",ä}", "{{a,NULL},{\"x,y\",\"\"}}",
          "{nullify,nul}"}},
        {"bool[]", {"{t,f,NULL}"}},
        {"bytea[]", {"{\"\\\\x00ff\",\"\",NULL}"}},
        {"float8[]", {"{1.5,NaN,-Infinity,1e300,NULL}"}},
        {"timestamptz[]", {"{2024-02-29 12:00:00+00,infinity,NULL}"}},
        {"interval[]", {"{1 day,NULL}"}},
        {"numeric[]", {"{1.50,NaN,NULL,1e30}"}},
        {"uuid[]", {"{123e4567-e89b-12d3-a456-426614174fff}"}},
        {"jsonb[]", {"{\"{\\\"a\\\": 1}\",\"\\\"x\\\"\",NULL}"}},
        {"box[]", {"{(0,0),(1,1);(2,2),(3,3)}", "{}"}},
        {"point[]", {"{\"(1,2)\",NULL}"}},
        {"inet[]", {"{1.2.3.4/8,::1}"}},
        {"varbit[]", {"{101,\"\"}"}},
        {"int2vector[]", {"{1 2,3}"}},
        {"int4range", {"empty", "[1,5)", "(,5)", "[1,)", "(,)", "[-3,-1]"}},
        {"int8range", {"[9223372036854775806,)", "empty"}},
        {"numrange", {"[1.5,2.50]", "(1,2)", "(,NaN]", "[-Infinity,Infinity)"}},
        {"tsrange", {"[2024-01-01,2024-02-01 12:00)", "(,infinity]", "empty", "[-infinity,)"}},
        {"tstzrange", {"[2024-01-01 00:00+00,)", "(-infinity,infinity)"}},
        {"daterange", {"[2024-01-01,2024-02-01)", "[0044-03-15 BC,)", "(,)"}},
        {"int4range[]", {"{\"[1,5)\",empty,NULL}"}},
        {"tsrange[]", {"{\"[2024-01-01,2024-02-01)\"}"}},
        {"int4multirange", {"{}", "{[1,2)}", "{[1,2),[4,)}", "{(,)}"}},
        {"tstzmultirange", {"{[2024-01-01 00:00+00,2024-01-02 00:00+00),[2024-03-01 00:00+00,)}"}},
        {"nummultirange", {"{(1,2),(3.5,4]}"}},
        {"datemultirange", {"{}", "{[2024-01-01,2024-01-05)}"}},
        {"int4multirange[]", {"{\"{[1,2),[4,5)}\",\"{}\",NULL}"}},
};

START_TEST(edge_values_are_the_same_in_text_and_binary)
{
        char *sql = plain_cast(edges[_i].type, edges[_i].texts);

        formats_agree(sql);
        free(sql);
}
END_TEST

START_TEST(every_type_that_is_compared_is_asked_for_in_binary)
{
        char *sql = plain_cast(edges[_i].type, edges[_i].texts);
        struct pipit_item item;

        ck_assert_int_eq(pipit_result_item(plain_query(sql, false), 0, 0, &item), 0);
        ck_assert_int_eq(pipit__binary_decodes(item.type), true);
        free(sql);
}
END_TEST

/* Of each type a NULL, and an array with the edge values. */
START_TEST(nulls_and_arrays_of_edge_values_are_the_same)
{
        char sql[12000];
        char *cast = plain_cast(edges[_i].type, edges[_i].texts);

        snprintf(sql, sizeof sql, "SELECT NULL::%s", edges[_i].type);
        formats_agree(sql);
        if (!strstr(edges[_i].type, "[]")) {
                snprintf(sql, sizeof sql, "SELECT ARRAY(%s)", cast);
                formats_agree(sql);
        }
        free(cast);
}
END_TEST

/* Random values, the same in both queries. */
static const char *const random_values[] = {
        "SELECT ('x' || substr(md5(i::text), 1, 16))::bit(64)::int8 FROM generate_series(1, 500) i",
        "SELECT (('x' || substr(md5(i::text), 1, 16))::bit(64)::int8 >> (i % 64))::float8"
        " FROM generate_series(1, 1000) i",
        "SELECT (('x' || substr(md5(i::text), 1, 14))::bit(56)::int8::text || 'e' || (i % 620 - "
        "320))::float8 FROM generate_series(1, 2000) i WHERE i % 620 - 320 < 290",
        "SELECT (('x' || substr(md5(i::text), 1, 7))::bit(28)::int4::text || 'e' || (i % 70 - "
        "45))::float4 FROM generate_series(1, 2000) i WHERE i % 70 - 45 < 28",
        "SELECT power(2::float8, i) FROM generate_series(-1022, 1023) i",
        "SELECT power(2::float8, i)::float4 FROM generate_series(-126, 127) i",
        "SELECT 5e-324::float8 * i FROM generate_series(1, 100) i",
        "SELECT 1e-45::float4 * i::float4 FROM generate_series(1, 100) i",
        "SELECT (('x' || substr(md5(i::text), 1, 16))::bit(64)::int8 * power(10::numeric, i % 60 - "
        "30))::numeric(200,60) FROM generate_series(1, 500) i",
        "SELECT trim_scale(('x' || substr(md5(i::text), 1, 16))::bit(64)::int8 / power(10::numeric,"
        " i % 40)) FROM generate_series(1, 500) i",
        "SELECT '2000-01-01'::timestamp + ('x' || substr(md5(i::text), 1, 15))::bit(60)::int8 / 8 "
        "* interval '1 us' FROM generate_series(1, 500) i",
        "SELECT '4714-11-24 BC'::date + i * 12345 FROM generate_series(0, 1000) i",
        "SELECT make_interval(years => i % 77 - 30, months => i % 5 - 2, days => i % 11 - 5, "
        "secs => (i - 250) * 1234.567891) FROM generate_series(1, 500) i",
        "SELECT '::'::inet + ('x' || substr(md5(i::text), 1, 15))::bit(60)::int8 FROM "
        "generate_series(1, 300) i",
        "SELECT substr(decode(repeat(md5('b'), 20), 'hex'), 1, i) FROM generate_series(0, 300) i",
        "SELECT ('x' || repeat(md5(i::text), 2))::varbit::bit(64)::varbit(64) FROM "
        "generate_series(1, 3) i",
};

START_TEST(random_values_are_the_same_in_text_and_binary)
{
        formats_agree(random_values[_i]);
}
END_TEST

/* Rows in a column are asked for as text, since their fields may be of any type; but they could. */
static const char *const composites[] = {
        "SELECT ROW(1, 'a'::text, NULL::int, ''::text, 'x,y'::text, '\"\\'::text, 1.5::float8)",
        "SELECT ROW(ROW(1, 'a b'::text), ARRAY[1, 2], '[1,2)'::int4range, 'NULL'::text)",
        "SELECT ROW(NULL::int)",
        "SELECT ROW('('::text, ')'::text, ' '::text, '2024-01-01'::date, true)",
};

START_TEST(composites_are_the_same_in_text_and_binary)
{
        formats_agree(composites[_i]);
}
END_TEST

/* The types that have no good binary form: asking for them so fails, or says something else. */
START_TEST(what_is_not_known_is_asked_for_in_text)
{
        static const char *const others[] = {"aclitem", "money",     "regclass", "tsvector",
                                             "tsquery", "regtype[]", "xml",      "pg_snapshot"};
        char sql[200];
        struct pipit_item item;

        for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
                snprintf(sql, sizeof sql, "SELECT NULL::%s", others[i]);
                ck_assert_int_eq(pipit_result_item(plain_query(sql, false), 0, 0, &item), 0);
                ck_assert_int_eq(pipit__binary_decodes(item.type), false);
        }
}
END_TEST

START_TEST(the_text_of_a_binary_value_is_made_once)
{
        struct pipit_result *res = plain_query("SELECT 12345, 67890::int8", true);
        const char *text = pipit_result_text(res, 0, 0);

        ck_assert_str_eq(text, "12345");
        ck_assert_str_eq(pipit_result_text(res, 0, 1), "67890");
        ck_assert_ptr_eq(pipit_result_text(res, 0, 0), text);
        ck_assert_uint_eq(pipit_result_length(res, 0, 0), 5);
}
END_TEST

START_TEST(the_text_of_a_text_is_not_copied)
{
        struct pipit_result *res = plain_query("SELECT 'abc'::text, '{}'::jsonb", true);
        struct pipit_item item;

        ck_assert_int_eq(pipit_result_item(res, 0, 0, &item), 0);
        ck_assert_ptr_eq(pipit_result_text(res, 0, 0), item.data);
        ck_assert_int_eq(pipit_result_item(res, 0, 1, &item), 0);
        ck_assert_ptr_eq(pipit_result_text(res, 0, 1), item.data + 1);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

Suite *
test_suite(void)
{
        Suite *suite = suite_create("binary");
        TCase *tcase = tcase_create("binary");

        tcase_add_checked_fixture(tcase, plain_setup, plain_teardown);
        tcase_add_loop_test(tcase, edge_values_are_the_same_in_text_and_binary, 0, COUNT(edges));
        tcase_add_loop_test(tcase, every_type_that_is_compared_is_asked_for_in_binary, 0,
                            COUNT(edges));
        tcase_add_loop_test(tcase, nulls_and_arrays_of_edge_values_are_the_same, 0, COUNT(edges));
        tcase_add_loop_test(tcase, random_values_are_the_same_in_text_and_binary, 0,
                            COUNT(random_values));
        tcase_add_loop_test(tcase, composites_are_the_same_in_text_and_binary, 0,
                            COUNT(composites));
        tcase_add_test(tcase, what_is_not_known_is_asked_for_in_text);
        tcase_add_test(tcase, the_text_of_a_binary_value_is_made_once);
        tcase_add_test(tcase, the_text_of_a_text_is_not_copied);
        suite_add_tcase(suite, tcase);
        return suite;
}
