/*
 * Counterparts of the seed's test_common.py, by the same names: see test/seed-tests.txt.
 */
#include <string.h>

#include "seed.h"
#include "witness.h"

/* A model whose key is two columns. */
START_TEST(test_composite_key)
{
        struct compositetestmodel row = {.task_id = 5, .product_type = "boots"};
        struct calls calls = {0};
        struct pipit_result *res =
                seed_done(compositetestmodel_create(live_db, &row, on_call, &calls), &calls);

        expect_ok(res);
        ck_assert_int_eq(compositetestmodel_row(res, 0)->task_id, 5);
        ck_assert_str_eq(compositetestmodel_row(res, 0)->product_type, "boots");
        struct calls again = {0};
        row.product_type = "shoes";
        expect_ok(seed_done(compositetestmodel_create(live_db, &row, on_call, &again), &again));
        expect_sql("SELECT string_agg(task_id || product_type, ',' ORDER BY product_type)"
                   " FROM compositetestmodel",
                   "5boots,5shoes");
}
END_TEST

/* Two rows, and all rows in the order of their keys. */
static struct pipit_result *
two_rows(void)
{
        struct calls calls[3] = {0};
        struct testmodel row = {.text = "first"};

        expect_ok(seed_done(testmodel_create(live_db, &row, on_call, &calls[0]), &calls[0]));
        row.text = "second";
        expect_ok(seed_done(testmodel_create(live_db, &row, on_call, &calls[1]), &calls[1]));
        struct pipit_result *res =
                seed_done(pipit_select(live_db, testmodel_model, on_call, &calls[2],
                                       .order_by = PIPIT_ORDER(pipit_asc(testmodel_model.id))),
                          &calls[2]);
        expect_ok(res);
        ck_assert_int_eq(pipit_result_rows(res), 2);
        ck_assert_int_eq(testmodel_row(res, 0)->id, testmodel_row(calls[0].last, 0)->id);
        ck_assert_int_eq(testmodel_row(res, 1)->id, testmodel_row(calls[1].last, 0)->id);
        return res;
}

/* The rows of a select can be gone through as often as one likes. */
START_TEST(test_multiple_iterate_over_result)
{
        static const char *const texts[] = {"first", "second"};
        struct pipit_result *res = two_rows();

        for (int round = 0; round < 2; round++)
                for (int i = 0; i < 2; i++)
                        ck_assert_str_eq(testmodel_row(res, i)->text, texts[i]);
}
END_TEST

/* Any row of a result can be had without those before it. */
START_TEST(test_indexing_result)
{
        struct pipit_result *res = two_rows();

        ck_assert_str_eq(testmodel_row(res, 1)->text, "second");
        ck_assert_ptr_null(testmodel_row(res, 2));
}
END_TEST

/* A model is declared before any database is there; the scope is named when something runs: each of
 * the four kinds will do. */
static struct pipit *
scope_of_kind(int kind)
{
        pipit_set_allow_sync(live_db, true);
        return kind == 0   ? live_db
               : kind == 1 ? pipit_session_open(live_db)
               : kind == 2 ? pipit_begin(live_db, NULL)
                           : pipit_allow_sync(live_db);
}

START_TEST(test_proxy_database)
{
        struct calls calls[2] = {0};
        struct testmodel row = {.text = "later"};
        struct pipit *scope = scope_of_kind(_i);
        pipit_request create = testmodel_create(scope, &row, on_call, &calls[0]);

        if (_i == 3)
                pipit_wait(scope, create);
        expect_ok(answer(&calls[0]));
        pipit_request get =
                testmodel_get(scope, pipit_eq(testmodel_model.text, "later"), on_call, &calls[1]);
        if (_i == 3)
                pipit_wait(scope, get);
        expect_ok(answer(&calls[1]));
        ck_assert_int_eq(testmodel_row(calls[1].last, 0)->id, testmodel_row(calls[0].last, 0)->id);
        if (_i > 0)
                pipit_close(scope);
}
END_TEST

/* More gets at once than there may be connections. */
START_TEST(test_many_requests)
{
        struct calls calls[2 * SEED_CONNECTIONS] = {0};
        int n = sizeof calls / sizeof *calls;

        seed_foo();
        pipit_set_coalesce(live_db, false);
        for (int i = 0; i < n; i++)
                ck_assert_uint_ne(testmodel_get(live_db, pipit_eq(testmodel_model.text, "FOO"),
                                                on_call, &calls[i]),
                                  0);
        for (int i = 0; i < n; i++) {
                expect_ok(answer(&calls[i]));
                ck_assert_str_eq(testmodel_row(calls[i].last, 0)->text, "FOO");
        }
        expect_nothing_acquired(SEED_CONNECTIONS);
}
END_TEST

/* Where blocking is allowed a row is created, others see it, and its connection is closed behind.
 */
START_TEST(test_allow_sync)
{
        struct testmodel row = {.text = "text"};
        char gone[120];

        pipit_set_allow_sync(live_db, true);
        struct pipit *sync = pipit_allow_sync(live_db);
        expect_ok(pipit_wait(sync, testmodel_create(sync, &row, NULL, NULL)));
        struct pipit_result *res = pipit_wait(
                sync, pipit_query(sync, "SELECT pg_backend_pid()", PIPIT_NO_PARAMS, NULL, NULL));
        expect_ok(res);
        snprintf(gone, sizeof gone, "SELECT count(*) FROM pg_stat_activity WHERE pid = %s",
                 pipit_result_text(res, 0, 0));
        expect_sql("SELECT text FROM testmodel", "text");
        expect_sql(gone, "1");
        pipit_close(sync);
        wait_for_server(gone, "0");
}
END_TEST

/* An error while it is allowed leaves the guard shut again behind it. */
START_TEST(test_allow_sync_is_reverted_for_exc)
{
        struct testmodel row = {.text = "FOO"};

        seed_foo();
        pipit_set_allow_sync(live_db, true);
        struct pipit *sync = pipit_allow_sync(live_db);
        pipit_set_allow_sync(live_db, false);
        expect_error(pipit_wait(sync, testmodel_create(sync, &row, NULL, NULL)), PIPIT_ESERVER,
                     "23505");
        pipit_close(sync);

        sync = pipit_allow_sync(live_db);
        ck_assert_ptr_nonnull(pipit_scope_error(sync));
        ck_assert_int_eq((int)pipit_scope_error(sync)->code, PIPIT_EBLOCKING);
        expect_error(pipit_wait(sync, testmodel_create(sync, &row, NULL, NULL)), PIPIT_EBLOCKING,
                     "");
        pipit_close(sync);
        expect_sql(COUNT, "1");
}
END_TEST

/* What a log callback is given, one line after the other. */
static void
append_line(enum pipit_log_level level, const char *line, void *arg)
{
        char *log = arg;

        if (level == PIPIT_LOG_DEBUG)
                snprintf(log + strlen(log), 4000 - strlen(log), "%s\n", line);
}

/* At the level of debugging the log tells what a create does: of statements pipit logs what they do
 * to their connection, and never the values that are theirs. */
START_TEST(test_logging)
{
        char log[4000] = "";
        struct calls calls = {0};
        struct testmodel row = {.text = "a secret"};

        seed_options.log = append_line;
        seed_options.log_arg = log;
        seed_options.log_level = PIPIT_LOG_DEBUG + 1;
        live_reopen(&seed_options);
        expect_ok(seed_done(testmodel_create(live_db, &row, on_call, &calls), &calls));
        pipit_close(live_db);
        live_db = NULL;
        ck_assert_ptr_nonnull(strstr(log, "idle -> busy"));
        ck_assert_ptr_nonnull(strstr(log, "-> closed"));
        ck_assert_ptr_null(strstr(log, "a secret"));
        seed_options.log = NULL;
        seed_options.log_level = 0;
        live_reopen(&seed_options);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("seed_common");
        TCase *tcase = tcase_create("common");

        tcase_add_checked_fixture(tcase, seed_setup, seed_teardown);
        tcase_add_test(tcase, test_composite_key);
        tcase_add_test(tcase, test_multiple_iterate_over_result);
        tcase_add_test(tcase, test_indexing_result);
        tcase_add_loop_test(tcase, test_proxy_database, 0, 4);
        tcase_add_test(tcase, test_many_requests);
        tcase_add_test(tcase, test_allow_sync);
        tcase_add_test(tcase, test_allow_sync_is_reverted_for_exc);
        tcase_add_test(tcase, test_logging);
        suite_add_tcase(suite, tcase);
        return suite;
}
