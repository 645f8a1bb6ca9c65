/*
 * Decoded rows: every type there and back, and tables that are not what their model says.
 */
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "records.h"

START_TEST(rows_are_there_for_their_own_model_only)
{
        struct page row = {.key = "k"};
        struct pipit_result *res = done(page_create(live_db, &row, on_call, &calls));

        ck_assert_ptr_nonnull(page_row(res, 0));
        ck_assert_ptr_null(page_row(res, 1));
        ck_assert_ptr_null(page_row(res, -1));
        ck_assert_ptr_null(sample_row(res, 0));
        ck_assert_ptr_null(page_row(query("SELECT * FROM page", PIPIT_NO_PARAMS), 0));
}
END_TEST

/* The ends of every type's range, and what lies outside of the ordinary. */
static const struct sample samples[] = {
        {.a_boolean = true,
         .a_smallint = INT16_MAX,
         .an_integer = INT32_MAX,
         .a_bigint = INT64_MAX,
         .a_real = FLT_MAX,
         .a_double = DBL_MAX,
         .a_varchar = "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa6",
         .a_text = "a\tb\nc\\d'e\"f$1%s{}",
         .a_bytea = {"\0\1\xff\\x", 5},
         .a_timestamp = {253402300799999999},
         .a_timestamptz = {INT64_MAX},
         .a_uuid = {{0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xff}}},
        {.a_boolean = false,
         .a_smallint = INT16_MIN,
         .an_integer = INT32_MIN,
         .a_bigint = INT64_MIN,
         .a_real = FLT_MIN,
         .a_double = DBL_TRUE_MIN,
         .a_varchar = "",
         .a_text = "",
         .a_bytea = {"", 0},
         .a_timestamp = {-1},
         .a_timestamptz = {INT64_MIN},
         .a_uuid = {{0}}},
        {.a_real = 0.1F,
         .a_double = 0.1,
         .a_varchar = "'); DROP TABLE sample; --",
         .a_text = "' OR '1'='1",
         .a_bytea = {"'\0\"", 3},
         .a_timestamp = {1700000000123456},
         .a_timestamptz = {1700000000123456}},
        {.a_real = INFINITY,
         .a_double = -INFINITY,
         .a_varchar = "\\",
         .a_text = "$1 $$ \\x00 :name ?",
         .a_bytea = {"\\000", 4},
         .a_timestamp = {INT64_MIN},
         .a_timestamptz = {-62135596800000000}},
};

static void
expect_same_bytes(struct pipit_bytes a, struct pipit_bytes b)
{
        ck_assert_uint_eq(a.length, b.length);
        ck_assert_ptr_nonnull(a.data);
        ck_assert_int_eq(memcmp(a.data, b.data, a.length), 0);
}

static void
expect_same(const struct sample *a, const struct sample *b)
{
        ck_assert_int_eq(a->a_boolean, b->a_boolean);
        ck_assert_int_eq(a->a_smallint, b->a_smallint);
        ck_assert_int_eq(a->an_integer, b->an_integer);
        ck_assert_int_eq(a->a_bigint, b->a_bigint);
        ck_assert_mem_eq(&a->a_real, &b->a_real, sizeof a->a_real);
        ck_assert_mem_eq(&a->a_double, &b->a_double, sizeof a->a_double);
        ck_assert_str_eq(a->a_varchar, b->a_varchar);
        ck_assert_str_eq(a->a_text, b->a_text);
        expect_same_bytes(a->a_bytea, b->a_bytea);
        ck_assert_int_eq(a->a_timestamp.us, b->a_timestamp.us);
        ck_assert_int_eq(a->a_timestamptz.us, b->a_timestamptz.us);
        ck_assert_mem_eq(&a->a_uuid, &b->a_uuid, sizeof a->a_uuid);
        ck_assert_int_eq(a->null.an_integer, false);
}

START_TEST(every_type_comes_back_as_it_went_out)
{
        struct sample *sample = sample_created(&samples[_i]);

        expect_same(sample, &samples[_i]);
        struct pipit_result *res =
                done(sample_get(live_db, pipit_eq(sample_model.id, sample->id), on_call, &calls));
        expect_ok(res);
        expect_same(sample_row(res, 0), &samples[_i]);
        res = done(sample_save(live_db, sample_row(res, 0), on_call, &calls));
        expect_ok(res);
        expect_same(sample_row(res, 0), &samples[_i]);
        expect_sql("SELECT count(*) FROM sample", "1");
}
END_TEST

START_TEST(a_condition_finds_the_value_that_went_out)
{
        const struct sample *row = &samples[_i];
        const struct pipit_expr *where =
                pipit_and(pipit_eq(sample_model.a_boolean, row->a_boolean),
                          pipit_eq(sample_model.a_bigint, row->a_bigint),
                          pipit_eq(sample_model.a_real, row->a_real),
                          pipit_eq(sample_model.a_double, row->a_double),
                          pipit_eq(sample_model.a_varchar, row->a_varchar),
                          pipit_eq(sample_model.a_text, row->a_text),
                          pipit_eq(sample_model.a_bytea, row->a_bytea),
                          pipit_eq(sample_model.a_timestamp, row->a_timestamp),
                          pipit_eq(sample_model.a_timestamptz, row->a_timestamptz),
                          pipit_eq(sample_model.a_uuid, row->a_uuid));

        sample_created(row);
        expect_ok(done(sample_get(live_db, where, on_call, &calls)));
}
END_TEST

START_TEST(not_a_number_comes_back)
{
        struct sample row = {.a_real = NAN, .a_double = NAN};
        struct sample *sample = sample_created(&row);

        ck_assert_float_nan(sample->a_real);
        ck_assert_double_nan(sample->a_double);
}
END_TEST

START_TEST(a_null_of_every_type_comes_back)
{
        struct sample row = {.id = 0};

        memset(&row.null, true, sizeof row.null);
        struct sample *sample = sample_created(&row);
        ck_assert(sample->null.a_boolean && sample->null.a_smallint && sample->null.an_integer);
        ck_assert(sample->null.a_bigint && sample->null.a_real && sample->null.a_double);
        ck_assert(sample->null.a_varchar && sample->null.a_text && sample->null.a_bytea);
        ck_assert(sample->null.a_timestamp && sample->null.a_timestamptz && sample->null.a_uuid);
        ck_assert_ptr_null(sample->a_bytea.data);
        ck_assert_uint_eq(sample->a_bytea.length, 0);
        ck_assert(!sample->null.id);
}
END_TEST

START_TEST(a_long_text_comes_back_whole)
{
        size_t length = 3000000;
        char *text = malloc(length + 1);

        ck_assert_ptr_nonnull(text);
        memset(text, 'x', length);
        text[length - 1] = '!';
        text[length] = '\0';
        struct sample row = {.a_text = text, .a_bytea = {text, length}};
        const struct sample *sample = sample_created(&row);
        ck_assert_str_eq(sample->a_text, text);
        ck_assert_uint_eq(sample->a_bytea.length, length);
        ck_assert_int_eq(memcmp(sample->a_bytea.data, text, length), 0);
        free(text);
}
END_TEST

/* A table that is not what the model says. */
static const struct misfit {
        const char *sql;
        const char *column;
} misfits[] = {
        {"ALTER TABLE point ALTER x TYPE text USING 'abc'", "x"},
        {"ALTER TABLE point ALTER y TYPE bigint USING 1::bigint << 40", "y"},
        {"ALTER TABLE point ALTER y TYPE double precision USING 1.5", "y"},
        {"ALTER TABLE point ALTER y TYPE timestamptz USING now()", "y"},
};

START_TEST(a_column_of_another_type_is_an_error_that_names_it)
{
        struct point row = {.x = 1, .y = 2, .label = "a"};

        expect_ok(done(point_create(live_db, &row, on_call, &calls)));
        execute(misfits[_i].sql);
        struct pipit_result *res = done(pipit_select(live_db, point_model, on_call, &calls));
        expect_error(res, PIPIT_ETYPE, "");
        char name[20] = "\"";
        strcat(strcat(name, misfits[_i].column), "\"");
        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), name));
        ck_assert_ptr_null(point_row(res, 0));
}
END_TEST

START_TEST(a_null_in_a_column_that_is_not_nullable_is_an_error_that_names_it)
{
        execute("ALTER TABLE point ALTER label DROP NOT NULL");
        execute("INSERT INTO point VALUES (1, 2, NULL)");
        struct pipit_result *res = done(pipit_select(live_db, point_model, on_call, &calls));
        expect_error(res, PIPIT_ETYPE, "");
        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), "\"label\""));
}
END_TEST

START_TEST(a_column_that_is_missing_is_the_servers_error)
{
        execute("ALTER TABLE point DROP label");
        expect_error(done(pipit_select(live_db, point_model, on_call, &calls)), PIPIT_ESERVER,
                     "42703");
}
END_TEST

START_TEST(columns_may_stand_in_another_order_and_be_more)
{
        execute("DROP TABLE point");
        execute("CREATE TABLE point (more text, label text, y int, x int)");
        execute("INSERT INTO point VALUES ('m', 'l', 2, 1)");
        struct pipit_result *res = done(pipit_select(live_db, point_model, on_call, &calls));
        expect_ok(res);
        ck_assert_int_eq(point_row(res, 0)->x, 1);
        ck_assert_int_eq(point_row(res, 0)->y, 2);
        ck_assert_str_eq(point_row(res, 0)->label, "l");
}
END_TEST

START_TEST(rows_that_are_kept_outlive_their_database)
{
        struct page row = {.key = "k", .text = "still here"};
        struct pipit_result *res = done(page_create(live_db, &row, on_call, &calls));
        const struct page *page = page_row(res, 0);

        live_reopen(NULL);
        loop_for(1);
        ck_assert_str_eq(page->text, "still here");
        ck_assert_uint_eq(page->data.length, 3);
        ck_assert_mem_eq(page->data.data, "\xc0\xff\xee", 3);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("row");
        TCase *tcase = tcase_create("row");
        int n_samples = sizeof samples / sizeof *samples;

        tcase_add_checked_fixture(tcase, setup, live_schema_teardown);
        tcase_add_test(tcase, rows_are_there_for_their_own_model_only);
        tcase_add_loop_test(tcase, every_type_comes_back_as_it_went_out, 0, n_samples);
        tcase_add_loop_test(tcase, a_condition_finds_the_value_that_went_out, 0, n_samples);
        tcase_add_test(tcase, not_a_number_comes_back);
        tcase_add_test(tcase, a_null_of_every_type_comes_back);
        tcase_add_test(tcase, a_long_text_comes_back_whole);
        tcase_add_loop_test(tcase, a_column_of_another_type_is_an_error_that_names_it, 0,
                            sizeof misfits / sizeof *misfits);
        tcase_add_test(tcase, a_null_in_a_column_that_is_not_nullable_is_an_error_that_names_it);
        tcase_add_test(tcase, a_column_that_is_missing_is_the_servers_error);
        tcase_add_test(tcase, columns_may_stand_in_another_order_and_be_more);
        tcase_add_test(tcase, rows_that_are_kept_outlive_their_database);
        suite_add_tcase(suite, tcase);
        return suite;
}
