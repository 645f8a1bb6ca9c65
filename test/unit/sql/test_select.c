#include <pipit/error.h>
#include <string.h>

#include "models.h"
#include "oom.h"
#include "runner.h"
#include "sql/select.h"

#define M page_block_model
#define HEAD                                                                                       \
        "SELECT \"page_block\".\"id\", \"page_block\".\"key\", \"page_block\".\"text\", "          \
        "\"page_block\".\"visits\" FROM \"page_block\""

static struct sql sql;

static void
set_up(void)
{
        pipit__sql_init(&sql);
}

static void
tear_down(void)
{
        pipit__sql_fini(&sql);
}

static void
selects(const struct pipit_select *select, const char *expected)
{
        pipit__select_sql(&M.model, select, &sql);
        ck_assert_str_eq(pipit__sql_error_text(&sql), "");
        ck_assert_str_eq(pipit__sql_text(&sql), expected);
}

START_TEST(without_clauses_all_rows_are_selected)
{
        selects(NULL, HEAD);
}
END_TEST

START_TEST(empty_clauses_are_no_clauses)
{
        selects(&(struct pipit_select){.limit = 0}, HEAD);
}
END_TEST

START_TEST(all_clauses_come_in_their_order)
{
        selects(&(struct pipit_select){.where = pipit_gt(M.id, 7),
                                       .order_by = PIPIT_ORDER(pipit_desc(M.key)),
                                       .limit = 10,
                                       .offset = 20},
                HEAD " WHERE \"page_block\".\"id\" > $1 ORDER BY \"page_block\".\"key\" DESC"
                     " LIMIT 10 OFFSET 20");
        ck_assert_int_eq(pipit__sql_params(&sql).values[0].as.int_value, 7);
}
END_TEST

START_TEST(a_schema_qualifies_the_table_only)
{
        pipit__select_sql(&token_model.model, NULL, &sql);
        ck_assert_str_eq(pipit__sql_text(&sql), "SELECT \"token\".\"id\" FROM \"token\"");
        pipit__sql_fini(&sql);
        pipit__select_sql(&point_model.model, NULL, &sql);
        ck_assert_ptr_nonnull(strstr(pipit__sql_text(&sql), " FROM \"geo\".\"Points\""));
}
END_TEST

START_TEST(negative_numbers_are_refused)
{
        pipit__select_sql(&M.model, &(struct pipit_select){.limit = -1}, &sql);
        ck_assert_int_eq(pipit__sql_error(&sql), PIPIT_EINVAL);
        ck_assert_str_eq(pipit__sql_error_text(&sql), "LIMIT is negative");
        pipit__sql_fini(&sql);
        pipit__select_sql(&M.model, &(struct pipit_select){.offset = INT64_MIN}, &sql);
        ck_assert_str_eq(pipit__sql_error_text(&sql), "OFFSET is negative");
}
END_TEST

START_TEST(a_bad_condition_fails_the_select)
{
        pipit__select_sql(&M.model, &(struct pipit_select){.where = pipit_eq(point_model.x, 1)},
                          &sql);
        ck_assert_int_eq(pipit__sql_error(&sql), PIPIT_EINVAL);
}
END_TEST

START_TEST(what_stands_in_reserved_members_is_refused)
{
        struct pipit_select select = {.limit = 1};

        select.reserved[_i] = &select;
        pipit__select_sql(&M.model, &select, &sql);
        ck_assert_int_eq(pipit__sql_error(&sql), PIPIT_EINVAL);
        ck_assert_str_eq(pipit__sql_error_text(&sql),
                         "the reserved members of a select must be NULL: they are for later "
                         "versions of pipit");
}
END_TEST

START_TEST(without_memory_a_select_fails)
{
        const struct pipit_select select = {.where = pipit_gt(M.id, 7), .limit = 1};

        for (int n = 0;; n++) {
                pipit__sql_init(&sql);
                oom_after(n);
                pipit__select_sql(&M.model, &select, &sql);
                bool failed = oom_stop();
                ck_assert_int_eq(pipit__sql_error(&sql), failed ? PIPIT_ENOMEM : 0);
                pipit__sql_fini(&sql);
                if (!failed)
                        break;
        }
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("select");
        TCase *tcase = tcase_create("select");

        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_test(tcase, without_clauses_all_rows_are_selected);
        tcase_add_test(tcase, empty_clauses_are_no_clauses);
        tcase_add_test(tcase, all_clauses_come_in_their_order);
        tcase_add_test(tcase, a_schema_qualifies_the_table_only);
        tcase_add_test(tcase, negative_numbers_are_refused);
        tcase_add_test(tcase, a_bad_condition_fails_the_select);
        tcase_add_loop_test(tcase, what_stands_in_reserved_members_is_refused, 0, 16);
        tcase_add_test(tcase, without_memory_a_select_fails);
        suite_add_tcase(suite, tcase);
        return suite;
}
