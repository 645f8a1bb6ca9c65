#include <pipit/item.h>
#include <string.h>

#include "answers.h"
#include "oom.h"
#include "result/result.h"
#include "result/result_error.h"
#include "result/rows.h"
#include "runner.h"
#include "value/oid.h"

/* One more than the columns whose types are remembered at once. */
enum { MANY = 9 };

static struct result_owner owner;
static struct pipit_result *res;

/* Two rows of a number in binary form and a text: 42, "a" and 43, NULL. */
static struct pg_result *
pairs(void)
{
        const struct answer_column columns[] = {{"number", OID_INT4, true},
                                                {"name", OID_TEXT, false}};
        struct pg_result *answer = answer_new("SELECT 2", 2, columns);

        ANSWER_SET(answer, 0, 0, "\0\0\0\x2a");
        ANSWER_SET(answer, 0, 1, "a");
        ANSWER_SET(answer, 1, 0, "\0\0\0\x2b");
        answer_set(answer, 1, 1, NULL, -1);
        return answer;
}

static void
setup(void)
{
        pipit__result_owner_init(&owner, NULL);
        res = pipit__result_new(&owner);
        ck_assert_ptr_nonnull(res);
        pipit__rows_take(res, pairs(), PIPIT_EXECUTED_YES);
}

static void
teardown(void)
{
        res = pipit_result_unref(res);
        pipit__result_owner_fini(&owner);
}

START_TEST(rows_are_counted_and_named)
{
        ck_assert(!pipit_failed(res));
        ck_assert_int_eq(pipit_result_rows(res), 2);
        ck_assert_int_eq(pipit_result_columns(res), 2);
        ck_assert_int_eq(pipit_result_affected(res), 2);
        ck_assert_str_eq(pipit_result_tag(res), "SELECT 2");
        ck_assert_str_eq(pipit_result_column_name(res, 1), "name");
        ck_assert_int_eq(pipit_column(res, "number"), 0);
        ck_assert_int_eq(pipit_column(res, "name"), 1);
}
END_TEST

START_TEST(values_are_read_from_both_forms)
{
        ck_assert_str_eq(pipit_result_text(res, 0, 0), "42");
        ck_assert_str_eq(pipit_result_text(res, 1, 0), "43");
        ck_assert_str_eq(pipit_result_text(res, 0, 1), "a");
        ck_assert_uint_eq(pipit_result_length(res, 1, 0), 2);
        ck_assert_uint_eq(pipit_result_length(res, 0, 1), 1);
        ck_assert_ptr_null(pipit_result_text(res, 1, 1));
        ck_assert_uint_eq(pipit_result_length(res, 1, 1), 0);
        ck_assert(pipit_result_null(res, 1, 1));
        ck_assert(!pipit_result_null(res, 0, 1));
}
END_TEST

START_TEST(a_text_is_made_once_and_stays)
{
        const char *first = pipit_result_text(res, 0, 0);
        const char *second = pipit_result_text(res, 1, 0);

        ck_assert_ptr_eq(pipit_result_text(res, 0, 0), first);
        ck_assert_ptr_eq(pipit_result_text(res, 1, 0), second);
        ck_assert_str_eq(first, "42");
}
END_TEST

static const int nowhere[][2] = {{-1, 0}, {2, 0}, {0, -1}, {0, 2}};

START_TEST(what_is_nowhere_is_null)
{
        int row = nowhere[_i][0];
        int column = nowhere[_i][1];
        struct pipit_item item;

        ck_assert_ptr_null(pipit_result_text(res, row, column));
        ck_assert_uint_eq(pipit_result_length(res, row, column), 0);
        ck_assert(pipit_result_null(res, row, column));
        ck_assert(!pipit__rows_item(res, row, column, &item));
        ck_assert_ptr_null(pipit__rows_plain(res, row, column, OID_INT4, 4));
        ck_assert_ptr_null(pipit_result_column_name(res, row == 0 ? column : -1));
        ck_assert_int_eq(pipit_column(res, "other"), -1);
        ck_assert_int_eq(pipit_column(res, NULL), -1);
}
END_TEST

START_TEST(no_result_has_no_rows)
{
        ck_assert_int_eq(pipit_result_rows(NULL), 0);
        ck_assert_int_eq(pipit_result_columns(NULL), 0);
        ck_assert_int_eq(pipit_result_affected(NULL), 0);
        ck_assert_str_eq(pipit_result_tag(NULL), "");
        ck_assert_int_eq(pipit_column(NULL, "name"), -1);
        ck_assert_ptr_null(pipit_result_column_name(NULL, 0));
        ck_assert_ptr_null(pipit_result_text(NULL, 0, 0));
        ck_assert(pipit_result_null(NULL, 0, 0));
}
END_TEST

START_TEST(a_statement_without_rows_says_how_many_it_touched)
{
        pipit__rows_take(res, answer_new("UPDATE 7", 0, NULL), PIPIT_EXECUTED_YES);
        ck_assert_int_eq(pipit_result_rows(res), 0);
        ck_assert_int_eq(pipit_result_affected(res), 7);
        pipit__rows_take(res, answer_new("CREATE TABLE", 0, NULL), PIPIT_EXECUTED_YES);
        ck_assert_int_eq(pipit_result_affected(res), 0);
        ck_assert_str_eq(pipit_result_tag(res), "CREATE TABLE");
}
END_TEST

START_TEST(an_answer_takes_the_place_of_a_failure)
{
        pipit__result_fail(res, PIPIT_EINVAL, PIPIT_EXECUTED_NO, PIPIT_PHASE_START, "wrong");
        pipit__rows_take(res, pairs(), PIPIT_EXECUTED_YES);
        ck_assert(!pipit_failed(res));
        ck_assert_str_eq(pipit_result_text(res, 0, 0), "42");
}
END_TEST

/* The first and the last of them have one place for what is remembered. */
START_TEST(columns_keep_their_types_apart)
{
        struct answer_column columns[MANY];

        for (int i = 0; i < MANY; i++)
                columns[i] = (struct answer_column){"n", i % 2 ? OID_TEXT : OID_INT4, i % 2 == 0};
        columns[MANY - 1] = (struct answer_column){"last", OID_BOOL, false};
        struct pg_result *answer = answer_new("SELECT 1", MANY, columns);
        for (int i = 0; i < MANY; i++)
                ANSWER_SET(answer, 0, i, "\0\0\0\x2a");
        pipit__rows_take(res, answer, PIPIT_EXECUTED_YES);
        for (int turn = 0; turn < 2; turn++) {
                for (int i = 0; i < MANY; i++) {
                        struct pipit_item item;
                        ck_assert(pipit__rows_item(res, 0, i, &item));
                        ck_assert_uint_eq(item.type, columns[i].type);
                        ck_assert_int_eq(item.binary, columns[i].binary);
                }
        }
}
END_TEST

START_TEST(an_item_is_what_a_column_and_a_cell_make)
{
        struct pipit_item whole;
        struct pipit_item parts;

        pipit__rows_column(res, 1, &parts);
        for (int row = 0; row < 2; row++) {
                ck_assert(pipit__rows_item(res, row, 1, &whole));
                pipit__rows_cell(row, 1, &parts);
                ck_assert_ptr_eq(parts.result, res);
                ck_assert_ptr_eq(parts.data, whole.data);
                ck_assert_uint_eq(parts.length, whole.length);
                ck_assert_uint_eq(parts.type, whole.type);
        }
        ck_assert_ptr_null(whole.data);
}
END_TEST

START_TEST(a_value_of_no_bytes_is_not_null)
{
        const struct answer_column column = {"name", OID_TEXT, false};
        struct pg_result *answer = answer_new("SELECT 1", 1, &column);
        struct pipit_item item;

        ANSWER_SET(answer, 0, 0, "");
        pipit__rows_take(res, answer, PIPIT_EXECUTED_YES);
        ck_assert(pipit__rows_item(res, 0, 0, &item));
        ck_assert_ptr_nonnull(item.data);
        ck_assert_str_eq(pipit_result_text(res, 0, 0), "");
}
END_TEST

START_TEST(only_a_value_of_that_very_type_is_plain)
{
        ck_assert_mem_eq(pipit__rows_plain(res, 1, 0, OID_INT4, 4), "\0\0\0\x2b", 4);
        ck_assert_ptr_null(pipit__rows_plain(res, 1, 0, OID_INT8, 4));
        ck_assert_ptr_null(pipit__rows_plain(res, 1, 0, OID_INT4, 8));
        ck_assert_ptr_null(pipit__rows_plain(res, 0, 1, OID_TEXT, 1));
        ck_assert_ptr_null(pipit__rows_plain(res, 1, 1, OID_TEXT, 0));
        ck_assert_ptr_null(pipit__rows_plain(NULL, 0, 0, OID_INT4, 4));
}
END_TEST

static struct pipit_result *
part_of_res(int row, int n_columns, const char *tag)
{
        struct pipit_result *part = pipit__result_new(&owner);
        struct rows_part shown = {.row = row, .n_columns = n_columns, .tag = tag};

        ck_assert_ptr_nonnull(part);
        pipit__rows_show(part, res, &shown);
        return part;
}

START_TEST(a_part_shows_one_row_of_the_first_columns)
{
        struct pipit_result *part = part_of_res(1, 1, "SELECT 1");

        ck_assert_int_eq(pipit_result_rows(part), 1);
        ck_assert_int_eq(pipit_result_columns(part), 1);
        ck_assert_int_eq(pipit_result_affected(part), 1);
        ck_assert_str_eq(pipit_result_tag(part), "SELECT 1");
        ck_assert_str_eq(pipit_result_text(part, 0, 0), "43");
        ck_assert_mem_eq(pipit__rows_plain(part, 0, 0, OID_INT4, 4), "\0\0\0\x2b", 4);
        ck_assert_ptr_null(pipit_result_text(part, 1, 0));
        ck_assert_ptr_null(pipit_result_text(part, 0, 1));
        ck_assert(!pipit_result_null(part, 0, 0));
        ck_assert_int_eq(pipit_column(part, "name"), -1);
        pipit_result_unref(part);
}
END_TEST

START_TEST(nulls_of_a_part_are_those_of_its_row)
{
        struct pipit_result *first = part_of_res(0, 2, "SELECT 1");
        struct pipit_result *second = part_of_res(1, 2, "SELECT 1");

        ck_assert(!pipit_result_null(first, 0, 1));
        ck_assert(pipit_result_null(second, 0, 1));
        ck_assert_str_eq(pipit_result_text(first, 0, 1), "a");
        ck_assert_ptr_null(pipit_result_text(second, 0, 1));
        pipit_result_unref(first);
        pipit_result_unref(second);
}
END_TEST

START_TEST(a_part_may_have_no_row)
{
        struct pipit_result *part = part_of_res(-1, 1, "SELECT 0");

        ck_assert(!pipit_failed(part));
        ck_assert_int_eq(pipit_result_rows(part), 0);
        ck_assert_int_eq(pipit_result_columns(part), 1);
        ck_assert_int_eq(pipit_result_affected(part), 0);
        ck_assert_ptr_null(pipit_result_text(part, 0, 0));
        pipit_result_unref(part);
}
END_TEST

START_TEST(a_part_outlives_the_others)
{
        struct pipit_result *part = part_of_res(0, 1, "SELECT 1");

        res = pipit_result_unref(res);
        ck_assert_str_eq(pipit_result_text(part, 0, 0), "42");
        pipit__rows_take(part, pairs(), PIPIT_EXECUTED_YES);
        ck_assert_int_eq(pipit_result_rows(part), 2);
        res = part;
}
END_TEST

START_TEST(a_text_that_had_no_memory_is_made_later)
{
        for (int n = 0;; n++) {
                oom_after(n);
                const char *text = pipit_result_text(res, 0, 0);
                bool failed = oom_stop();
                ck_assert_pstr_eq(text, failed ? NULL : "42");
                if (!failed)
                        break;
                ck_assert(!pipit_result_null(res, 0, 0));
        }
        ck_assert_uint_eq(pipit_result_length(res, 0, 0), 2);
}
END_TEST

START_TEST(the_text_of_an_item_says_why_there_is_none)
{
        struct pipit_item item;
        struct pipit_item broken = {
                .result = res, .data = "123", .length = 3, .type = OID_INT4, .binary = true};
        const char *text = NULL;
        size_t length = 0;

        ck_assert(pipit__rows_item(res, 0, 0, &item));
        ck_assert_int_eq(pipit__rows_text(&broken, &text, &length), PIPIT_ETYPE);
        for (int n = 0;; n++) {
                oom_after(n);
                int code = pipit__rows_text(&item, &text, &length);
                bool failed = oom_stop();
                ck_assert_int_eq(code, failed ? PIPIT_ENOMEM : 0);
                if (!failed)
                        break;
        }
        ck_assert_str_eq(text, "42");
        ck_assert_uint_eq(length, 2);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("rows");
        TCase *tcase = tcase_create("rows");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, rows_are_counted_and_named);
        tcase_add_test(tcase, values_are_read_from_both_forms);
        tcase_add_test(tcase, a_text_is_made_once_and_stays);
        tcase_add_loop_test(tcase, what_is_nowhere_is_null, 0, sizeof nowhere / sizeof *nowhere);
        tcase_add_test(tcase, no_result_has_no_rows);
        tcase_add_test(tcase, a_statement_without_rows_says_how_many_it_touched);
        tcase_add_test(tcase, an_answer_takes_the_place_of_a_failure);
        tcase_add_test(tcase, columns_keep_their_types_apart);
        tcase_add_test(tcase, an_item_is_what_a_column_and_a_cell_make);
        tcase_add_test(tcase, a_value_of_no_bytes_is_not_null);
        tcase_add_test(tcase, only_a_value_of_that_very_type_is_plain);
        tcase_add_test(tcase, a_part_shows_one_row_of_the_first_columns);
        tcase_add_test(tcase, nulls_of_a_part_are_those_of_its_row);
        tcase_add_test(tcase, a_part_may_have_no_row);
        tcase_add_test(tcase, a_part_outlives_the_others);
        tcase_add_test(tcase, a_text_that_had_no_memory_is_made_later);
        tcase_add_test(tcase, the_text_of_an_item_says_why_there_is_none);
        suite_add_tcase(suite, tcase);
        return suite;
}
