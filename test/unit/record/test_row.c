/*
 * Rows and texts of results in binary form, when memory runs out. What they are is the business of
 * the live tests.
 */
#include <libpq-fe.h>
#include <pipit/pipit.h>
#include <string.h>

#include "oom.h"
#include "record/row.h"
#include "result/result.h"
#include "result/rows.h"
#include "runner.h"
#include "value/oid.h"

#define PAIR(FIELD) FIELD(text, name) FIELD(bytea, data)
PIPIT_MODEL(pair, PAIR);
PIPIT_MODEL_DEFINE(pair, PAIR);

static struct result_owner owner;
static struct pipit_result *res;

/* One row: a number where the model has text, and text where it has bytes. */
static PGresult *
answer(void)
{
        PGresult *pg = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
        char name[] = "name";
        char data[] = "data";
        char number[] = "\0\0\0\x2a";
        char hex[] = "\\x00ff";
        PGresAttDesc columns[] = {{name, 0, 0, 1, OID_INT4, 4, -1},
                                  {data, 0, 0, 1, OID_TEXT, -1, -1}};

        ck_assert_int_eq(PQsetResultAttrs(pg, 2, columns), 1);
        ck_assert_int_eq(PQsetvalue(pg, 0, 0, number, 4), 1);
        ck_assert_int_eq(PQsetvalue(pg, 0, 1, hex, 6), 1);
        return pg;
}

static void
setup(void)
{
        pipit__result_owner_init(&owner, NULL);
        res = pipit__result_new(&owner);
        ck_assert_ptr_nonnull(res);
        pipit__rows_take(res, answer(), PIPIT_EXECUTED_YES);
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

START_TEST(rows_with_texts_beyond_the_bound_are_a_failure_that_names_it)
{
        pipit_result_unref(res);
        pipit__result_owner_limit(&owner, 1);
        res = pipit__result_new(&owner);
        pipit__rows_take(res, answer(), PIPIT_EXECUTED_YES);
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
        tcase_add_test(tcase, a_text_that_had_no_memory_is_made_later);
        tcase_add_test(tcase, rows_with_texts_beyond_the_bound_are_a_failure_that_names_it);
        suite_add_tcase(suite, tcase);
        return suite;
}
