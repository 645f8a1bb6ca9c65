/*
 * What is refused, and what frames make of answers. The live tests show the statements at work.
 */
#include <string.h>

#include "oom.h"
#include "quiet.h"
#include "runner.h"
#include "value/oid.h"

#define THING(FIELD) FIELD(serial, id, .primary_key = true) FIELD(text, name)
PIPIT_MODEL(thing, THING);
PIPIT_MODEL_DEFINE(thing, THING, .table = "things");

#define M (&thing_model.model)

static const struct thing row = {.id = 7, .name = "a"};

typedef pipit_request (*start_fn)(const struct pipit_model *model, const void *row);

#define START(name, call)                                                                          \
        static pipit_request start_##name(const struct pipit_model *model, const void *thing)      \
        {                                                                                          \
                (void)thing;                                                                       \
                return call;                                                                       \
        }

START(create, pipit_record_create(db, model, thing, on_done, NULL))
START(save, pipit_record_save(db, model, thing, on_done, NULL))
START(insert, pipit_record_insert(db, model, thing, on_done, NULL))
START(update, pipit_record_update(db, model, thing, on_done, NULL))
START(delete, pipit_record_delete(db, model, thing, on_done, NULL))
START(select, pipit_record_select(db, model, NULL, on_done, NULL))
START(get, pipit_record_get(db, model, pipit_eq(thing_model.id, 7), on_done, NULL))
START(get_or_none, pipit_record_get_or_none(db, model, pipit_eq(thing_model.id, 7), on_done, NULL))
START(get_by_name, pipit_record_get(db, model, pipit_eq(thing_model.name, "a"), on_done, NULL))

static const start_fn starts[] = {start_create, start_save,        start_insert,
                                  start_update, start_delete,      start_select,
                                  start_get,    start_get_or_none, start_get_by_name};
enum { N_STARTS = sizeof starts / sizeof *starts, N_WRITES = 5 };

/* Those whose answer has to have a row. */
static const start_fn needy[] = {start_create, start_insert, start_update, start_get};
enum { N_NEEDY = sizeof needy / sizeof *needy };

static struct pg_result *
things(int n)
{
        const struct answer_column columns[] = {{"id", OID_INT4, false}, {"name", OID_TEXT, false}};
        struct pg_result *answer = answer_new(n == 0 ? "SELECT 0" : "SELECT 1", 2, columns);

        for (int i = 0; i < n; i++) {
                ANSWER_SET(answer, i, 0, "7");
                ANSWER_SET(answer, i, 1, "a");
        }
        return answer;
}

static void
expect_failed(enum pipit_code code, const char *text)
{
        ck_assert_int_eq(n_called, 1);
        ck_assert(pipit_failed(result));
        ck_assert_int_eq(pipit_result_error(result)->code, code);
        ck_assert_str_eq(pipit_error_text(result), text);
}

START_TEST(what_cannot_be_built_fails_through_the_callback)
{
        bool writes = _i < N_WRITES;
        pipit_request number = starts[_i](NULL, &row);

        ck_assert_uint_ne(number, 0);
        ck_assert_int_eq(n_called, 0);
        quiet_close();
        expect_failed(PIPIT_EINVAL, writes ? "the model or the row is NULL" : "the model is NULL");
        ck_assert_int_eq(pipit_result_error(result)->executed, PIPIT_EXECUTED_NO);
}
END_TEST

START_TEST(no_row_to_write_fails_through_the_callback)
{
        ck_assert_uint_ne(starts[_i](M, NULL), 0);
        quiet_close();
        expect_failed(PIPIT_EINVAL, "the model or the row is NULL");
}
END_TEST

START_TEST(no_condition_fails_through_the_callback)
{
        ck_assert_uint_ne(pipit_record_get(db, M, NULL, on_done, NULL), 0);
        quiet_close();
        expect_failed(PIPIT_EINVAL, "the condition is NULL");
}
END_TEST

START_TEST(a_statement_that_is_no_good_fails_through_the_callback)
{
        const struct pipit_select select = {.limit = -1};

        ck_assert_uint_ne(pipit_record_select(db, M, &select, on_done, NULL), 0);
        quiet_close();
        ck_assert_int_eq(n_called, 1);
        ck_assert_int_eq(pipit_result_error(result)->code, PIPIT_EINVAL);
}
END_TEST

START_TEST(without_a_scope_nothing_starts)
{
        ck_assert_uint_eq(pipit_record_create(NULL, M, &row, on_done, NULL), 0);
        ck_assert_uint_eq(pipit_record_get(NULL, M, pipit_eq(thing_model.id, 7), on_done, NULL), 0);
        ck_assert_uint_eq(pipit_record_update(NULL, NULL, NULL, on_done, NULL), 0);
}
END_TEST

START_TEST(an_answer_is_read_into_row_structs)
{
        quiet_answer(starts[_i](M, &row), things(1));
        ck_assert_int_eq(n_called, 1);
        ck_assert(!pipit_failed(result));
        ck_assert_int_eq(thing_row(result, 0)->id, 7);
        ck_assert_str_eq(thing_row(result, 0)->name, "a");
}
END_TEST

START_TEST(no_row_where_one_has_to_be_is_not_found)
{
        bool creates = needy[_i] == start_create || needy[_i] == start_insert;

        quiet_answer(needy[_i](M, &row), things(0));
        expect_failed(PIPIT_ENOTFOUND,
                      creates ? "the INSERT gave no row of \"things\" back: a trigger, a rule or a "
                                "policy left the row out, or gave it another key"
                              : "no such row in \"things\"");
        ck_assert_int_eq(pipit_result_error(result)->executed, PIPIT_EXECUTED_YES);
}
END_TEST

START_TEST(no_row_where_none_may_be_is_a_success)
{
        quiet_answer(_i == 0 ? start_select(M, &row) : start_get_or_none(M, &row), things(0));
        ck_assert_int_eq(n_called, 1);
        ck_assert(!pipit_failed(result));
        ck_assert_int_eq(pipit_result_rows(result), 0);
}
END_TEST

START_TEST(a_delete_has_to_have_touched_a_row)
{
        quiet_answer(start_delete(M, &row), answer_new("DELETE 1", 0, NULL));
        ck_assert(!pipit_failed(result));
        quiet_answer(start_delete(M, &row), answer_new("DELETE 0", 0, NULL));
        ck_assert_int_eq(pipit_result_error(result)->code, PIPIT_ENOTFOUND);
        ck_assert_str_eq(pipit_error_text(result), "no such row in \"things\"");
}
END_TEST

START_TEST(a_failure_is_handed_on_as_it_is)
{
        quiet_fail(starts[_i](M, &row));
        expect_failed(PIPIT_ESERVER, "broken");
}
END_TEST

START_TEST(a_row_from_the_database_is_updated_and_any_other_inserted)
{
        pipit_request number = start_save(M, &row);

        ck_assert_int_eq(strncmp(quiet_text(number), "INSERT", 6), 0);
        quiet_answer(number, things(1));
        number = start_save(M, thing_row(result, 0));
        ck_assert_int_eq(strncmp(quiet_text(number), "UPDATE", 6), 0);
}
END_TEST

START_TEST(a_start_without_memory_calls_nobody)
{
        for (int n = 0;; n++) {
                oom_after(n);
                pipit_request number = starts[_i](M, &row);
                bool failed = oom_stop();
                if (!failed) {
                        ck_assert_uint_ne(number, 0);
                        break;
                }
                if (number != 0) /* what failed was not needed */
                        quiet_answer(number, things(1));
                ck_assert_int_eq(n_called, number != 0);
                n_called = 0;
        }
        quiet_close();
        ck_assert_int_eq(n_called, 1);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("record");
        TCase *tcase = tcase_create("record");

        tcase_add_checked_fixture(tcase, quiet_setup, quiet_teardown);
        tcase_add_loop_test(tcase, what_cannot_be_built_fails_through_the_callback, 0, N_STARTS);
        tcase_add_loop_test(tcase, no_row_to_write_fails_through_the_callback, 0, N_WRITES);
        tcase_add_test(tcase, no_condition_fails_through_the_callback);
        tcase_add_test(tcase, a_statement_that_is_no_good_fails_through_the_callback);
        tcase_add_test(tcase, without_a_scope_nothing_starts);
        tcase_add_loop_test(tcase, an_answer_is_read_into_row_structs, N_WRITES, N_STARTS);
        tcase_add_loop_test(tcase, no_row_where_one_has_to_be_is_not_found, 0, N_NEEDY);
        tcase_add_loop_test(tcase, no_row_where_none_may_be_is_a_success, 0, 2);
        tcase_add_test(tcase, a_delete_has_to_have_touched_a_row);
        tcase_add_loop_test(tcase, a_failure_is_handed_on_as_it_is, 0, N_STARTS);
        tcase_add_test(tcase, a_row_from_the_database_is_updated_and_any_other_inserted);
        tcase_add_loop_test(tcase, a_start_without_memory_calls_nobody, 0, N_STARTS);
        suite_add_tcase(suite, tcase);
        return suite;
}
