/*
 * Row structs of results in binary form, and of results that do not fit. The live tests show what
 * becomes of each type.
 */
#include <pipit/pipit.h>
#include <string.h>

#include "answers.h"
#include "oom.h"
#include "record/row.h"
#include "result/result.h"
#include "result/rows.h"
#include "runner.h"
#include "value/oid.h"

#define PAIR(FIELD) FIELD(text, name) FIELD(bytea, data)
PIPIT_MODEL(pair, PAIR);
PIPIT_MODEL_DEFINE(pair, PAIR);

#define OTHER(FIELD) FIELD(text, note, .nullable = true)
PIPIT_MODEL(other, OTHER);
PIPIT_MODEL_DEFINE(other, OTHER);

static struct result_owner owner;
static struct pipit_result *res;

/* One row: a number where the model has text, and text where it has bytes. */
static struct pg_result *
pair_answer(void)
{
        const struct answer_column columns[] = {{"name", OID_INT4, true}, {"data", OID_TEXT, true}};
        struct pg_result *answer = answer_new("SELECT 1", 2, columns);

        ANSWER_SET(answer, 0, 0, "\0\0\0\x2a");
        ANSWER_SET(answer, 0, 1, "\\x00ff");
        return answer;
}

static void
setup(void)
{
        pipit__result_owner_init(&owner, NULL);
        res = pipit__result_new(&owner);
        ck_assert_ptr_nonnull(res);
        pipit__rows_take(res, pair_answer(), PIPIT_EXECUTED_YES);
}

static void
teardown(void)
{
        res = pipit_result_unref(res);
        pipit__result_owner_fini(&owner);
}

START_TEST(a_row_is_read_from_binary_form)
{
        pipit__row_decode(res, &pair_model.model);
        ck_assert(!pipit_failed(res));
        ck_assert_str_eq(pair_row(res, 0)->name, "42");
        ck_assert_uint_eq(pair_row(res, 0)->data.length, 2);
        ck_assert_mem_eq(pair_row(res, 0)->data.data, "\0\xff", 2);
}
END_TEST

START_TEST(rows_without_memory_are_a_failure)
{
        for (int n = 0;; n++) {
                oom_after(n);
                pipit__row_decode(res, &pair_model.model);
                bool failed = oom_stop();
                ck_assert_int_eq(pipit_failed(res), failed);
                if (!failed)
                        break;
                ck_assert_int_eq(pipit_result_error(res)->code, PIPIT_ENOMEM);
                ck_assert_int_eq(pipit_result_error(res)->executed, PIPIT_EXECUTED_YES);
                teardown();
                setup();
        }
        ck_assert_str_eq(pair_row(res, 0)->name, "42");
}
END_TEST

START_TEST(a_result_without_rows_stays_as_it_is)
{
        pipit__rows_take(res, answer_new("SELECT 0", 0, NULL), PIPIT_EXECUTED_YES);
        pipit__row_decode(res, &pair_model.model);
        ck_assert(!pipit_failed(res));
        ck_assert_ptr_null(pair_row(res, 0));
}
END_TEST

START_TEST(a_row_is_there_by_its_number_and_model_only)
{
        ck_assert_ptr_null(pair_row(res, 0));
        pipit__row_decode(res, &pair_model.model);
        ck_assert_ptr_nonnull(pair_row(res, 0));
        ck_assert_ptr_null(pair_row(res, 1));
        ck_assert_ptr_null(pair_row(res, -1));
        ck_assert_ptr_null(other_row(res, 0));
        ck_assert_ptr_null(pipit_record_row(res, NULL, 0));
        ck_assert_ptr_null(pair_row(NULL, 0));
}
END_TEST

/* A result of one row that does not fit the model: a column, its value and its form. */
static const struct misfit {
        struct answer_column column;
        const char *bytes; /* NULL for SQL NULL */
        const char *said;
} misfits[] = {
        {{"named", OID_TEXT, false}, "x", "column \"name\" of \"pair\" is missing in the result"},
        {{"name", OID_TEXT, false},
         NULL,
         "column \"name\" of \"pair\" is NULL, but not declared nullable"},
        {{"name", OID_INT4, true},
         "bytes",
         "column \"name\" of \"pair\" has a value that does not fit its member"}};

START_TEST(a_row_that_does_not_fit_is_a_failure)
{
        const struct misfit *misfit = &misfits[_i];
        struct pg_result *answer = answer_new("SELECT 1", 1, &misfit->column);

        answer_set(answer, 0, 0, misfit->bytes,
                   misfit->bytes != NULL ? (int)strlen(misfit->bytes) : -1);
        pipit__rows_take(res, answer, PIPIT_EXECUTED_YES);
        pipit__row_decode(res, &pair_model.model);
        ck_assert(pipit_failed(res));
        ck_assert_int_eq(pipit_result_error(res)->code, PIPIT_ETYPE);
        ck_assert_int_eq(pipit_result_error(res)->executed, PIPIT_EXECUTED_YES);
        ck_assert_str_eq(pipit_error_text(res), misfit->said);
        ck_assert_ptr_null(pair_row(res, 0));
}
END_TEST

START_TEST(a_null_leaves_its_member_empty)
{
        const struct answer_column column = {"note", OID_TEXT, false};
        struct pg_result *answer = answer_new("SELECT 1", 1, &column);

        answer_set(answer, 0, 0, NULL, -1);
        pipit__rows_take(res, answer, PIPIT_EXECUTED_YES);
        pipit__row_decode(res, &other_model.model);
        ck_assert(!pipit_failed(res));
        ck_assert_ptr_null(other_row(res, 0)->note);
        ck_assert(other_row(res, 0)->null.note);
}
END_TEST

START_TEST(rows_with_texts_beyond_the_bound_are_a_failure_that_names_it)
{
        pipit_result_unref(res);
        pipit__result_owner_limit(&owner, 1);
        res = pipit__result_new(&owner);
        pipit__rows_take(res, pair_answer(), PIPIT_EXECUTED_YES);
        pipit__row_decode(res, &pair_model.model);
        ck_assert(pipit_failed(res));
        ck_assert_int_eq(pipit_result_error(res)->code, PIPIT_ELIMIT);
        ck_assert_int_eq(pipit_result_error(res)->executed, PIPIT_EXECUTED_YES);
        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), "\"name\""));
        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), "1 bytes"));
        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), "max_result_bytes"));
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("row");
        TCase *tcase = tcase_create("row");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, a_row_is_read_from_binary_form);
        tcase_add_test(tcase, rows_without_memory_are_a_failure);
        tcase_add_test(tcase, a_result_without_rows_stays_as_it_is);
        tcase_add_test(tcase, a_row_is_there_by_its_number_and_model_only);
        tcase_add_loop_test(tcase, a_row_that_does_not_fit_is_a_failure, 0,
                            sizeof misfits / sizeof *misfits);
        tcase_add_test(tcase, rows_with_texts_beyond_the_bound_are_a_failure_that_names_it);
        tcase_add_test(tcase, a_null_leaves_its_member_empty);
        suite_add_tcase(suite, tcase);
        return suite;
}
