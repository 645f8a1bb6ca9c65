/*
 * Records on a real server: what goes out, and what is an error.
 */
#include <stdlib.h>
#include <string.h>

#include "records.h"

/* Creates a row, and gives it as the table has it. */
static struct page *
created(const struct page *row)
{
        struct pipit_result *res = done(page_create(live_db, row, on_call, &calls));

        expect_ok(res);
        ck_assert_int_eq(pipit_result_rows(res), 1);
        return page_row(res, 0);
}

static struct page *
found(int32_t id)
{
        struct pipit_result *res =
                done(page_get(live_db, pipit_eq(page_model.id, id), on_call, &calls));

        expect_ok(res);
        return page_row(res, 0);
}

static void
expect_not_found(struct pipit_result *res, const char *table)
{
        expect_error(res, PIPIT_ENOTFOUND, "");
        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), table));
        ck_assert_int_eq(pipit_result_rows(res), 0);
}

/* ---- what goes out */

START_TEST(members_go_out_as_they_stand_whatever_the_defaults_are)
{
        struct page row = {.key = "k", .text = ""};
        struct page *page = created(&row);

        ck_assert(!page->shown);
        ck_assert_int_eq(page->rank, 0);
        ck_assert_double_eq(page->weight, 0);
        ck_assert_str_eq(page->text, "");
        ck_assert_int_eq(page->made.us, 0);
        expect_sql("SELECT shown::text || rank || weight || text || extract(epoch from made)::int "
                   "FROM page",
                   "false000");
}
END_TEST

START_TEST(init_fills_the_declared_defaults)
{
        struct page row;

        memset(&row, 0xff, sizeof row);
        page_init(&row);
        ck_assert(row.shown);
        ck_assert_int_eq(row.rank, 5);
        ck_assert_double_eq(row.weight, 0.5);
        ck_assert_str_eq(row.text, "empty");
        ck_assert_int_eq(row.id, 0);
        ck_assert_ptr_null(row.key);
        row.key = "k";
        ck_assert_int_eq(created(&row)->rank, 5);
        expect_sql("SELECT shown::text || rank || weight || text FROM page", "true50.5empty");
}
END_TEST

START_TEST(a_key_of_zero_is_made_by_the_server_and_comes_back)
{
        struct page row = {.key = "a"};
        int32_t first = created(&row)->id;

        row.key = "b";
        ck_assert_int_gt(first, 0);
        ck_assert_int_eq(created(&row)->id, first + 1);
        ck_assert_int_eq(row.id, 0);
}
END_TEST

START_TEST(a_key_that_is_set_goes_out)
{
        struct page row = {.id = 1000, .key = "a"};

        ck_assert_int_eq(created(&row)->id, 1000);
        expect_sql("SELECT id FROM page", "1000");
}
END_TEST

START_TEST(a_key_with_a_default_of_the_server_comes_back)
{
        static const struct pipit_uuid zero;
        struct token row = {.owner = "me"};
        struct pipit_result *res = done(token_create(live_db, &row, on_call, &calls));

        expect_ok(res);
        struct pipit_uuid id = token_row(res, 0)->id;
        ck_assert_mem_ne(&id, &zero, sizeof id);
        res = done(token_get(live_db, pipit_eq(token_model.id, id), on_call, &calls));
        expect_ok(res);
        ck_assert_str_eq(token_row(res, 0)->owner, "me");
}
END_TEST

START_TEST(a_null_pointer_gets_the_default_of_a_field_that_is_not_nullable)
{
        struct page row = {.key = "k"};
        struct page *page = created(&row);

        ck_assert_str_eq(page->text, "empty");
        ck_assert_uint_eq(page->data.length, 3);
        ck_assert_mem_eq(page->data.data, "\xc0\xff\xee", 3);
}
END_TEST

START_TEST(a_null_pointer_without_a_default_is_a_violation)
{
        struct page row = {.text = "x"};
        struct pipit_result *res = done(page_create(live_db, &row, on_call, &calls));

        expect_error(res, PIPIT_ESERVER, "23502");
        ck_assert_str_eq(pipit_result_error(res)->column, "key");
        ck_assert_str_eq(pipit_result_error(res)->table, "page");
        ck_assert_int_eq(pipit_result_error(res)->executed, PIPIT_EXECUTED_ROLLED_BACK);
}
END_TEST

START_TEST(an_update_does_not_fall_back_to_defaults)
{
        struct page row = {.key = "k", .text = "x"};
        struct page *page = created(&row);

        page->text = NULL;
        expect_error(done(page_save(live_db, page, on_call, &calls)), PIPIT_ESERVER, "23502");
        expect_sql("SELECT text FROM page", "x");
}
END_TEST

START_TEST(the_null_of_a_member_goes_out_whatever_the_member_is)
{
        struct sample row = {.an_integer = 7, .a_text = "seven", .a_double = 1};

        row.null.an_integer = true;
        row.null.a_text = true;
        struct sample *sample = sample_created(&row);
        ck_assert(sample->null.an_integer);
        ck_assert(sample->null.a_text);
        ck_assert_int_eq(sample->an_integer, 0);
        ck_assert_ptr_null(sample->a_text);
        ck_assert(!sample->null.a_double);
        expect_sql("SELECT an_integer IS NULL AND a_text IS NULL AND a_double = 1 FROM sample",
                   "t");
}
END_TEST

START_TEST(a_null_can_be_taken_back)
{
        struct sample row = {.null.an_integer = true};
        struct sample *sample = sample_created(&row);

        ck_assert(sample->null.an_integer);
        sample->null.an_integer = false;
        sample->an_integer = 8;
        struct pipit_result *res = done(sample_save(live_db, sample, on_call, &calls));
        expect_ok(res);
        ck_assert(!sample_row(res, 0)->null.an_integer);
        ck_assert_int_eq(sample_row(res, 0)->an_integer, 8);
}
END_TEST

START_TEST(a_null_pointer_in_a_nullable_field_is_null_though_it_has_a_default)
{
        struct sample row = {.a_text = NULL};
        struct sample *sample = sample_created(&row);

        ck_assert_ptr_null(sample->a_text);
        ck_assert(sample->null.a_text);
        ck_assert(sample->null.a_varchar);
        ck_assert(sample->null.a_bytea);
        ck_assert(!sample->null.an_integer);
        ck_assert(!sample->null.a_uuid);
}
END_TEST

START_TEST(a_row_is_copied_by_the_call)
{
        struct page *row = calloc(1, sizeof *row);
        char *key = strdup("on the heap");

        ck_assert_ptr_nonnull(row);
        row->key = key;
        pipit_request request = page_create(live_db, row, on_call, &calls);
        memset(key, 'x', strlen(key));
        free(key);
        free(row);
        ck_assert_str_eq(page_row(done(request), 0)->key, "on the heap");
}
END_TEST

/* ---- save, insert, update, delete */

START_TEST(a_fresh_row_is_inserted_and_a_created_one_updated)
{
        struct page row = {.key = "k", .text = "first"};
        struct pipit_result *res = done(page_save(live_db, &row, on_call, &calls));

        expect_ok(res);
        struct page *page = page_row(res, 0);
        page->text = "second";
        page->rank = 0;
        res = done(page_save(live_db, page, on_call, &calls));
        expect_ok(res);
        ck_assert_str_eq(page_row(res, 0)->text, "second");
        ck_assert_int_eq(page_row(res, 0)->id, page->id);
        expect_sql("SELECT string_agg(text, ',') FROM page", "second");
}
END_TEST

START_TEST(a_row_with_a_key_of_text_can_be_saved_twice)
{
        struct setting row = {.name = "colour", .value = "red"};
        struct pipit_result *res = done(setting_save(live_db, &row, on_call, &calls));

        expect_ok(res);
        struct setting *setting = setting_row(res, 0);
        setting->value = "green";
        res = done(setting_save(live_db, setting, on_call, &calls));
        expect_ok(res);
        setting_row(res, 0)->value = "blue";
        expect_ok(done(setting_save(live_db, setting_row(res, 0), on_call, &calls)));
        expect_sql("SELECT string_agg(name || value, ',') FROM setting", "colourblue");
}
END_TEST

START_TEST(a_fresh_row_with_a_key_that_is_taken_is_no_update)
{
        struct setting row = {.name = "colour", .value = "red"};

        expect_ok(done(setting_save(live_db, &row, on_call, &calls)));
        row.value = "green";
        struct pipit_result *res = done(setting_save(live_db, &row, on_call, &calls));
        expect_error(res, PIPIT_ESERVER, "23505");
        expect_sql("SELECT value FROM setting", "red");
}
END_TEST

START_TEST(a_found_row_is_updated_by_save)
{
        struct page row = {.key = "k", .text = "first"};
        struct page *page = found(created(&row)->id);

        page->text = "second";
        expect_ok(done(page_save(live_db, page, on_call, &calls)));
        expect_sql("SELECT string_agg(text, ',') FROM page", "second");
}
END_TEST

START_TEST(a_copy_of_a_found_row_is_updated_by_save_too)
{
        struct page row = {.key = "k", .text = "first"};
        struct page copy = *created(&row);

        copy.text = "second";
        expect_ok(done(page_save(live_db, &copy, on_call, &calls)));
        expect_sql("SELECT string_agg(text, ',') FROM page", "second");
}
END_TEST

START_TEST(insert_inserts_a_row_that_came_from_the_database)
{
        struct page row = {.key = "k"};
        struct page copy = *created(&row);

        expect_error(done(page_insert(live_db, &copy, on_call, &calls)), PIPIT_ESERVER, "23505");
        copy.id = 0;
        copy.key = "other";
        struct pipit_result *res = done(page_insert(live_db, &copy, on_call, &calls));
        expect_ok(res);
        ck_assert_int_gt(page_row(res, 0)->id, 0);
        expect_sql("SELECT count(*) FROM page", "2");
}
END_TEST

START_TEST(update_updates_a_row_that_is_fresh)
{
        struct page row = {.key = "k", .text = "first"};
        struct page fresh = {
                .id = created(&row)->id, .key = "new", .text = "second", .data = {"", 0}};
        struct pipit_result *res = done(page_update(live_db, &fresh, on_call, &calls));

        expect_ok(res);
        ck_assert_str_eq(page_row(res, 0)->key, "new");
        expect_sql("SELECT string_agg(key || text, ',') FROM page", "newsecond");
}
END_TEST

START_TEST(an_update_changes_the_row_of_its_key_only)
{
        struct page a = {.key = "a", .text = "1"};
        struct page b = {.key = "b", .text = "1"};
        struct page *page = created(&a);

        created(&b);
        page->text = "2";
        expect_ok(done(page_save(live_db, page, on_call, &calls)));
        expect_sql("SELECT string_agg(key || text, ',' ORDER BY key) FROM page", "a2,b1");
}
END_TEST

START_TEST(an_update_of_no_row_is_not_found)
{
        struct page row = {.id = 77, .key = "k"};
        struct pipit_result *res = done(page_update(live_db, &row, on_call, &calls));

        expect_not_found(res, "page");
        ck_assert_ptr_null(page_row(res, 0));
        expect_sql("SELECT count(*) FROM page", "0");
}
END_TEST

START_TEST(a_save_of_a_row_that_was_deleted_is_not_found)
{
        struct page row = {.key = "k"};
        struct page *page = created(&row);

        expect_ok(done(page_delete(live_db, page, on_call, &calls)));
        expect_not_found(done(page_save(live_db, page, on_call, &calls)), "page");
        expect_sql("SELECT count(*) FROM page", "0");
}
END_TEST

START_TEST(a_delete_deletes_the_row_of_its_key_only_and_once)
{
        struct page a = {.key = "a"};
        struct page b = {.key = "b"};
        struct page *page = created(&a);

        created(&b);
        struct pipit_result *res = done(page_delete(live_db, page, on_call, &calls));
        expect_ok(res);
        ck_assert_int_eq(pipit_result_rows(res), 0);
        ck_assert_int_eq(pipit_result_affected(res), 1);
        expect_not_found(done(page_delete(live_db, page, on_call, &calls)), "page");
        expect_sql("SELECT string_agg(key, ',') FROM page", "b");
}
END_TEST

START_TEST(a_unique_violation_names_its_constraint)
{
        struct page row = {.key = "k"};

        created(&row);
        struct pipit_result *res = done(page_create(live_db, &row, on_call, &calls));
        expect_error(res, PIPIT_ESERVER, "23505");
        ck_assert_str_eq(pipit_result_error(res)->constraint, "page_key_key");
        ck_assert_str_eq(pipit_result_error(res)->table, "page");
        ck_assert_ptr_null(page_row(res, 0));
}
END_TEST

START_TEST(a_key_of_two_columns_finds_updates_and_deletes_one_row)
{
        struct point rows[] = {{1, 1, "a", {0}, 0}, {1, 2, "b", {0}, 0}, {2, 1, "c", {0}, 0}};

        for (int i = 0; i < 3; i++)
                expect_ok(done(point_create(live_db, &rows[i], on_call, &calls)));
        expect_error(done(point_create(live_db, &rows[0], on_call, &calls)), PIPIT_ESERVER,
                     "23505");
        rows[1].label = "B";
        expect_ok(done(point_update(live_db, &rows[1], on_call, &calls)));
        expect_ok(done(point_delete(live_db, &rows[2], on_call, &calls)));
        expect_sql("SELECT string_agg(x || ':' || y || label, ',' ORDER BY x, y) FROM point",
                   "1:1a,1:2B");
}
END_TEST

START_TEST(a_key_of_zeros_is_a_key_when_nothing_generates_it)
{
        struct point row = {.label = "origin"};

        expect_ok(done(point_create(live_db, &row, on_call, &calls)));
        row.label = "Origin";
        expect_ok(done(point_update(live_db, &row, on_call, &calls)));
        expect_sql("SELECT x || label || y FROM point", "0Origin0");
}
END_TEST

START_TEST(without_a_primary_key_rows_can_be_created_and_found_only)
{
        struct line row = {.what = "x"};

        expect_ok(done(line_create(live_db, &row, on_call, &calls)));
        struct pipit_result *res =
                done(line_get(live_db, pipit_eq(line_model.what, "x"), on_call, &calls));
        expect_ok(res);
        struct line *line = line_row(res, 0);
        expect_executed(done(line_save(live_db, line, on_call, &calls)), PIPIT_EINVAL,
                        PIPIT_EXECUTED_NO);
        expect_error(done(line_update(live_db, line, on_call, &calls)), PIPIT_EINVAL, "");
        expect_error(done(line_delete(live_db, line, on_call, &calls)), PIPIT_EINVAL, "");
        expect_sql("SELECT count(*) FROM line", "1");
}
END_TEST

/* ---- get */

START_TEST(get_of_none_is_not_found_and_names_the_table)
{
        struct pipit_result *res =
                done(page_get(live_db, pipit_eq(page_model.key, "nobody"), on_call, &calls));

        expect_not_found(res, "page");
        ck_assert_ptr_null(page_row(res, 0));
}
END_TEST

START_TEST(get_or_none_of_none_succeeds_without_rows)
{
        struct pipit_result *res = done(
                page_get_or_none(live_db, pipit_eq(page_model.key, "nobody"), on_call, &calls));

        expect_ok(res);
        ck_assert_int_eq(pipit_result_rows(res), 0);
        ck_assert_ptr_null(page_row(res, 0));
}
END_TEST

START_TEST(get_or_none_finds_what_is_there)
{
        struct page row = {.key = "k"};

        created(&row);
        struct pipit_result *res =
                done(page_get_or_none(live_db, pipit_eq(page_model.key, "k"), on_call, &calls));
        expect_ok(res);
        ck_assert_int_eq(pipit_result_rows(res), 1);
        ck_assert_str_eq(page_row(res, 0)->key, "k");
}
END_TEST

START_TEST(get_takes_one_of_many)
{
        struct page a = {.key = "a"};
        struct page b = {.key = "b"};

        created(&a);
        created(&b);
        struct pipit_result *res =
                done(page_get(live_db, pipit_gt(page_model.id, 0), on_call, &calls));
        expect_ok(res);
        ck_assert_int_eq(pipit_result_rows(res), 1);
}
END_TEST

/* ---- a blocking scope */

START_TEST(records_work_on_a_blocking_scope)
{
        struct page row = {.key = "k", .text = "first"};

        pipit_set_allow_sync(live_db, true);
        struct pipit *sync = pipit_allow_sync(live_db);
        struct pipit_result *res = pipit_wait(sync, page_create(sync, &row, NULL, NULL));
        expect_ok(res);
        struct page *page = page_row(res, 0);
        page->text = "second";
        expect_ok(pipit_wait(sync, page_save(sync, page, NULL, NULL)));
        res = pipit_wait(sync, page_get(sync, pipit_eq(page_model.key, "k"), NULL, NULL));
        expect_ok(res);
        ck_assert_str_eq(page_row(res, 0)->text, "second");
        res = pipit_wait(sync, pipit_select(sync, page_model, NULL, NULL));
        ck_assert_int_eq(pipit_result_rows(res), 1);
        expect_ok(pipit_wait(sync, page_delete(sync, page, NULL, NULL)));
        res = pipit_wait(sync, page_delete(sync, page, NULL, NULL));
        expect_not_found(res, "page");
        expect_ok(pipit_wait(sync, page_drop_table(sync, 0, NULL, NULL)));
        expect_ok(pipit_wait(sync, page_create_table(sync, 0, NULL, NULL)));
        pipit_close(sync);
        expect_sql("SELECT count(*) FROM page", "0");
}
END_TEST

static TCase *
write_tcase(void)
{
        TCase *tcase = tcase_create("write");

        tcase_add_checked_fixture(tcase, setup, live_schema_teardown);
        tcase_add_test(tcase, a_fresh_row_is_inserted_and_a_created_one_updated);
        tcase_add_test(tcase, a_row_with_a_key_of_text_can_be_saved_twice);
        tcase_add_test(tcase, a_fresh_row_with_a_key_that_is_taken_is_no_update);
        tcase_add_test(tcase, a_found_row_is_updated_by_save);
        tcase_add_test(tcase, a_copy_of_a_found_row_is_updated_by_save_too);
        tcase_add_test(tcase, insert_inserts_a_row_that_came_from_the_database);
        tcase_add_test(tcase, update_updates_a_row_that_is_fresh);
        tcase_add_test(tcase, an_update_changes_the_row_of_its_key_only);
        tcase_add_test(tcase, an_update_of_no_row_is_not_found);
        tcase_add_test(tcase, a_save_of_a_row_that_was_deleted_is_not_found);
        tcase_add_test(tcase, a_delete_deletes_the_row_of_its_key_only_and_once);
        tcase_add_test(tcase, a_unique_violation_names_its_constraint);
        tcase_add_test(tcase, a_key_of_two_columns_finds_updates_and_deletes_one_row);
        tcase_add_test(tcase, a_key_of_zeros_is_a_key_when_nothing_generates_it);
        tcase_add_test(tcase, without_a_primary_key_rows_can_be_created_and_found_only);
        return tcase;
}

static TCase *
out_tcase(void)
{
        TCase *tcase = tcase_create("out");

        tcase_add_checked_fixture(tcase, setup, live_schema_teardown);
        tcase_add_test(tcase, members_go_out_as_they_stand_whatever_the_defaults_are);
        tcase_add_test(tcase, init_fills_the_declared_defaults);
        tcase_add_test(tcase, a_key_of_zero_is_made_by_the_server_and_comes_back);
        tcase_add_test(tcase, a_key_that_is_set_goes_out);
        tcase_add_test(tcase, a_key_with_a_default_of_the_server_comes_back);
        tcase_add_test(tcase, a_null_pointer_gets_the_default_of_a_field_that_is_not_nullable);
        tcase_add_test(tcase, a_null_pointer_without_a_default_is_a_violation);
        tcase_add_test(tcase, an_update_does_not_fall_back_to_defaults);
        tcase_add_test(tcase, the_null_of_a_member_goes_out_whatever_the_member_is);
        tcase_add_test(tcase, a_null_can_be_taken_back);
        tcase_add_test(tcase, a_null_pointer_in_a_nullable_field_is_null_though_it_has_a_default);
        tcase_add_test(tcase, a_row_is_copied_by_the_call);
        return tcase;
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("record");
        TCase *tcase = tcase_create("get");

        tcase_add_checked_fixture(tcase, setup, live_schema_teardown);
        tcase_add_test(tcase, get_of_none_is_not_found_and_names_the_table);
        tcase_add_test(tcase, get_or_none_of_none_succeeds_without_rows);
        tcase_add_test(tcase, get_or_none_finds_what_is_there);
        tcase_add_test(tcase, get_takes_one_of_many);
        tcase_add_test(tcase, records_work_on_a_blocking_scope);
        suite_add_tcase(suite, out_tcase());
        suite_add_tcase(suite, write_tcase());
        suite_add_tcase(suite, tcase);
        return suite;
}
