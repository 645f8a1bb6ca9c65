/*
 * The statements that create and drop a table, one after the other on one request.
 */
#include <string.h>

#include "oom.h"
#include "quiet.h"
#include "runner.h"

#define LEAF(FIELD)                                                                                \
        FIELD(serial, id, .primary_key = true)                                                     \
        FIELD(text, name, .index = true)                                                           \
        FIELD(integer, size, .index = true)
PIPIT_MODEL(leaf, LEAF);
PIPIT_MODEL_DEFINE(leaf, LEAF);

#define M (&leaf_model.model)

static struct pg_result *
done(const char *tag)
{
        return answer_new(tag, 0, NULL);
}

static void
expect_text(pipit_request number, const char *start)
{
        const char *text = quiet_text(number);

        ck_assert_ptr_nonnull(text);
        ck_assert_msg(strncmp(text, start, strlen(start)) == 0, "%s: %s", start, text);
}

START_TEST(a_table_is_created_and_then_its_indexes)
{
        pipit_request number = pipit_record_create_table(db, M, 0, on_done, NULL);

        expect_text(number, "CREATE TABLE");
        quiet_answer(number, done("CREATE TABLE"));
        expect_text(number, "CREATE INDEX");
        quiet_answer(number, done("CREATE INDEX"));
        expect_text(number, "CREATE INDEX");
        ck_assert_int_eq(n_called, 0);
        quiet_answer(number, done("CREATE INDEX"));
        ck_assert_int_eq(n_called, 1);
        ck_assert(!pipit_failed(result));
        ck_assert_ptr_null(quiet_text(number));
}
END_TEST

START_TEST(the_first_failure_ends_it)
{
        pipit_request number = pipit_record_create_table(db, M, 0, on_done, NULL);

        for (int i = 0; i < _i; i++)
                quiet_answer(number, done("CREATE"));
        quiet_fail(number);
        ck_assert_int_eq(n_called, 1);
        ck_assert_str_eq(pipit_error_text(result), "broken");
        ck_assert_ptr_null(quiet_text(number));
}
END_TEST

START_TEST(the_end_of_the_scope_ends_it)
{
        pipit_request number = pipit_record_create_table(db, M, 0, on_done, NULL);

        if (_i == 1)
                quiet_answer(number, done("CREATE TABLE"));
        quiet_close();
        ck_assert_int_eq(n_called, 1);
        ck_assert(pipit_failed(result));
        ck_assert_int_eq(pipit_result_error(result)->executed, PIPIT_EXECUTED_NO);
}
END_TEST

START_TEST(no_model_fails_through_the_callback)
{
        pipit_request number = _i == 0 ? pipit_record_create_table(db, NULL, 0, on_done, NULL)
                                       : pipit_record_drop_table(db, NULL, 0, on_done, NULL);

        ck_assert_uint_ne(number, 0);
        quiet_close();
        ck_assert_int_eq(n_called, 1);
        ck_assert_int_eq(pipit_result_error(result)->code, PIPIT_EINVAL);
        ck_assert_str_eq(pipit_error_text(result), "the model is NULL");
}
END_TEST

START_TEST(wrong_flags_fail_through_the_callback)
{
        pipit_request number =
                _i == 0 ? pipit_record_create_table(db, M, PIPIT_CASCADE, on_done, NULL)
                        : pipit_record_drop_table(db, M, PIPIT_IF_NOT_EXISTS, on_done, NULL);

        ck_assert_uint_ne(number, 0);
        quiet_close();
        ck_assert_int_eq(n_called, 1);
        ck_assert_int_eq(pipit_result_error(result)->code, PIPIT_EINVAL);
}
END_TEST

START_TEST(a_table_is_dropped_by_one_statement)
{
        pipit_request number = pipit_record_drop_table(db, M, PIPIT_IF_EXISTS, on_done, NULL);

        expect_text(number, "DROP TABLE IF EXISTS");
        quiet_answer(number, done("DROP TABLE"));
        ck_assert_int_eq(n_called, 1);
        ck_assert(!pipit_failed(result));
}
END_TEST

START_TEST(a_start_without_memory_calls_nobody)
{
        for (int n = 0;; n++) {
                oom_after(n);
                pipit_request number = pipit_record_create_table(db, M, 0, on_done, NULL);
                bool failed = oom_stop();
                if (number != 0)
                        quiet_fail(number);
                ck_assert_int_eq(n_called, number != 0);
                n_called = 0;
                if (!failed)
                        break;
        }
}
END_TEST

START_TEST(a_statement_in_between_without_memory_fails_the_request)
{
        for (int n = 0;; n++) {
                pipit_request number = pipit_record_create_table(db, M, 0, on_done, NULL);
                struct pg_result *created = done("CREATE TABLE");
                n_called = 0;
                oom_after(n);
                quiet_answer(number, created);
                bool failed = oom_stop();
                if (n_called == 0) { /* what failed was not needed */
                        expect_text(number, "CREATE INDEX");
                        quiet_fail(number);
                } else {
                        ck_assert(failed);
                        ck_assert_int_eq(pipit_result_error(result)->code, PIPIT_ENOMEM);
                        ck_assert_int_eq(pipit_result_error(result)->executed, PIPIT_EXECUTED_NO);
                }
                ck_assert_int_eq(n_called, 1);
                if (!failed)
                        break;
        }
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("record_table");
        TCase *tcase = tcase_create("record_table");

        tcase_add_checked_fixture(tcase, quiet_setup, quiet_teardown);
        tcase_add_test(tcase, a_table_is_created_and_then_its_indexes);
        tcase_add_loop_test(tcase, the_first_failure_ends_it, 0, 3);
        tcase_add_loop_test(tcase, the_end_of_the_scope_ends_it, 0, 2);
        tcase_add_loop_test(tcase, no_model_fails_through_the_callback, 0, 2);
        tcase_add_loop_test(tcase, wrong_flags_fail_through_the_callback, 0, 2);
        tcase_add_test(tcase, a_table_is_dropped_by_one_statement);
        tcase_add_test(tcase, a_start_without_memory_calls_nobody);
        tcase_add_test(tcase, a_statement_in_between_without_memory_fails_the_request);
        suite_add_tcase(suite, tcase);
        return suite;
}
