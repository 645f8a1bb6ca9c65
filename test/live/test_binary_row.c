/*
 * Rows of results in binary form: the same row structs as from text.
 */
#include <string.h>

#include "live.h"
#include "plain.h"
#include "record/row.h"

#define SAMPLE(FIELD)                                                                              \
        FIELD(boolean, b)                                                                          \
        FIELD(smallint, i2)                                                                        \
        FIELD(integer, i4)                                                                         \
        FIELD(bigint, i8)                                                                          \
        FIELD(real, f4)                                                                            \
        FIELD(double_precision, f8)                                                                \
        FIELD(varchar, name)                                                                       \
        FIELD(text, note, .nullable = true)                                                        \
        FIELD(bytea, data)                                                                         \
        FIELD(timestamp, at)                                                                       \
        FIELD(timestamptz, seen)                                                                   \
        FIELD(uuid, token)
PIPIT_MODEL(sample, SAMPLE);
PIPIT_MODEL_DEFINE(sample, SAMPLE);

static const char row_sql[] =
        "SELECT i % 2 = 0 AS b, (i * 7)::int2 AS i2, -i AS i4, i * 4294967296 AS i8,"
        " i::float4 / 3 AS f4, i::float8 / 7 AS f8, 'name ' || i AS name,"
        " CASE WHEN i % 3 > 0 THEN i END AS note, decode(md5(i::text), 'hex') AS data,"
        " '2024-02-29'::timestamp + i * interval '1 us' AS at, '2024-02-29 12:00+02'::timestamptz"
        " AS seen, md5(i::text)::uuid AS token FROM generate_series(1, 50) i";

static struct pipit_result *
rows_of(const char *sql, bool binary)
{
        struct pipit_result *res = plain_query(sql, binary);

        pipit__row_decode(res, &sample_model.model);
        return res;
}

static void
rows_agree(const struct sample *a, const struct sample *b)
{
        ck_assert_int_eq(a->b, b->b);
        ck_assert_int_eq(a->i2, b->i2);
        ck_assert_int_eq(a->i4, b->i4);
        ck_assert_int_eq(a->i8, b->i8);
        ck_assert_mem_eq(&a->f4, &b->f4, sizeof a->f4);
        ck_assert_mem_eq(&a->f8, &b->f8, sizeof a->f8);
        ck_assert_str_eq(a->name, b->name);
        ck_assert_pstr_eq(a->note, b->note);
        ck_assert_uint_eq(a->data.length, b->data.length);
        ck_assert_mem_eq(a->data.data, b->data.data, a->data.length);
        ck_assert_int_eq(a->at.us, b->at.us);
        ck_assert_int_eq(a->seen.us, b->seen.us);
        ck_assert_mem_eq(&a->token, &b->token, sizeof a->token);
        ck_assert_mem_eq(&a->null, &b->null, sizeof a->null);
}

START_TEST(rows_are_the_same_from_text_and_binary)
{
        struct pipit_result *text = rows_of(row_sql, false);
        struct pipit_result *binary = rows_of(row_sql, true);

        expect_ok(text);
        expect_ok(binary);
        for (int i = 0; i < 50; i++)
                rows_agree(sample_row(text, i), sample_row(binary, i));
        ck_assert(sample_row(binary, 2)->null.note);
        ck_assert_str_eq(sample_row(binary, 0)->note, "1");
}
END_TEST

/* A column whose type is another than the member's: what its text is decides. */
static const struct {
        const char *column; /* instead of the one of that name */
        int code;
} columns[] = {
        {"'t'::text AS b", 0},
        {"1 AS b", PIPIT_ETYPE},
        {"32767::int8 AS i2", 0},
        {"32768::int8 AS i2", PIPIT_ETYPE},
        {"2147483648 AS i4", PIPIT_ETYPE},
        {"42::numeric AS i4", 0},
        {"42.0::numeric AS i4", PIPIT_ETYPE},
        {"18446744073709551615::numeric AS i8", PIPIT_ETYPE},
        {"0.1::float8 AS f4", 0},
        {"1e300::float8 AS f4", PIPIT_ETYPE},
        {"1.5::numeric AS f8", 0},
        {"'{1,2}'::int4[] AS name", 0},
        {"NULL::text AS name", PIPIT_ETYPE},
        {"'{\"a\": 1}'::jsonb AS name", 0},
        {"'\\x0102'::text AS data", 0},
        {"'other'::text AS data", PIPIT_ETYPE},
        {"7 AS data", PIPIT_ETYPE},
        {"'2024-02-29'::date AS at", 0},
        {"'12:00'::time AS at", PIPIT_ETYPE},
        {"'123e4567-e89b-12d3-a456-426614174fff'::text AS token", 0},
        {"'x'::text AS token", PIPIT_ETYPE},
};

START_TEST(a_column_of_another_type_gives_the_same_from_text_and_binary)
{
        char sql[2000];

        /* Of two columns of a name the first counts. */
        snprintf(sql, sizeof sql, "SELECT %s, %s", columns[_i].column, row_sql + strlen("SELECT "));
        struct pipit_result *text = rows_of(sql, false);
        struct pipit_result *binary = rows_of(sql, true);
        ck_assert_int_eq(pipit_failed(text), columns[_i].code != 0);
        ck_assert_str_eq(pipit_error_text(text), pipit_error_text(binary));
        if (columns[_i].code == 0) {
                rows_agree(sample_row(text, 49), sample_row(binary, 49));
                return;
        }
        expect_error(text, columns[_i].code, "");
        expect_error(binary, columns[_i].code, "");
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

Suite *
test_suite(void)
{
        Suite *suite = suite_create("binary row");
        TCase *tcase = tcase_create("binary row");

        tcase_add_checked_fixture(tcase, plain_setup, plain_teardown);
        tcase_add_test(tcase, rows_are_the_same_from_text_and_binary);
        tcase_add_loop_test(tcase, a_column_of_another_type_gives_the_same_from_text_and_binary, 0,
                            COUNT(columns));
        suite_add_tcase(suite, tcase);
        return suite;
}
