/*
 * Plain SQL on a real server: who gets which answer, and what a shared connection does not take.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "live.h"

#define LENGTH(array) ((int)(sizeof(array) / sizeof(array)[0]))

/* ---- results */

START_TEST(a_query_gives_its_rows)
{
        const struct pipit_result *res = query("SELECT 1 AS one, 'two' AS two", PIPIT_NO_PARAMS);

        expect_text(res, 0, pipit_column(res, "one"), "1");
        expect_text(res, 0, pipit_column(res, "two"), "two");
        ck_assert_int_eq(pipit_result_rows(res), 1);
        ck_assert_int_eq(pipit_result_columns(res), 2);
        ck_assert_str_eq(pipit_result_tag(res), "SELECT 1");
}
END_TEST

START_TEST(a_syntax_error_is_the_servers_own)
{
        const struct pipit_result *res = query("SELEC 1", PIPIT_NO_PARAMS);

        expect_error(res, PIPIT_ESERVER, "42601");
        ck_assert_int_eq(pipit_result_error(res)->position, 1);
}
END_TEST

START_TEST(rows_come_in_the_servers_order)
{
        const struct pipit_result *res = query(
                "SELECT i FROM generate_series(1, 5000) AS i ORDER BY i DESC", PIPIT_NO_PARAMS);

        expect_ok(res);
        ck_assert_int_eq(pipit_result_rows(res), 5000);
        for (int i = 0; i < 5000; i++) {
                int32_t value = 0;
                ck_assert_int_eq(pipit_result_int32(res, i, 0, &value), 0);
                ck_assert_int_eq(value, 5000 - i);
        }
}
END_TEST

START_TEST(a_result_without_rows_still_has_columns)
{
        const struct pipit_result *res = query("SELECT 1 AS one WHERE false", PIPIT_NO_PARAMS);

        expect_ok(res);
        ck_assert_int_eq(pipit_result_rows(res), 0);
        ck_assert_int_eq(pipit_column(res, "one"), 0);
}
END_TEST

START_TEST(a_write_says_how_many_rows_it_touched)
{
        execute("DROP TABLE IF EXISTS query_touched");
        execute("CREATE TABLE query_touched AS SELECT i FROM generate_series(1, 7) AS i");
        const struct pipit_result *insert =
                query("INSERT INTO query_touched VALUES (8), (9)", PIPIT_NO_PARAMS);
        const struct pipit_result *update =
                query("UPDATE query_touched SET i = -i WHERE i > 6", PIPIT_NO_PARAMS);
        const struct pipit_result *drop = query("DROP TABLE query_touched", PIPIT_NO_PARAMS);

        ck_assert_int_eq(pipit_result_affected(insert), 2);
        ck_assert_str_eq(pipit_result_tag(insert), "INSERT 0 2");
        ck_assert_int_eq(pipit_result_affected(update), 3);
        ck_assert_str_eq(pipit_result_tag(drop), "DROP TABLE");
        ck_assert_int_eq(pipit_result_affected(drop), 0);
}
END_TEST

START_TEST(a_kept_result_outlives_its_database)
{
        struct calls calls = {0};

        ask_on(live_db, "SELECT 'kept' AS word, '\\x6162'::bytea", &calls);
        struct pipit_result *res = pipit_result_ref(answer(&calls));
        ck_assert_ptr_eq(pipit_result_scope(res), live_db);
        pipit_close(live_db);
        live_db = NULL;
        loop_until(NULL, 0);
        struct pipit_bytes bytes = {NULL, 0};
        ck_assert_ptr_null(pipit_result_scope(res));
        expect_text(res, 0, pipit_column(res, "word"), "kept");
        ck_assert_int_eq(pipit_result_bytes(res, 0, 1, &bytes), 0);
        ck_assert_mem_eq(bytes.data, "ab", 2);
        ck_assert_ptr_null(pipit_result_unref(res));
}
END_TEST

START_TEST(a_kept_error_outlives_its_database)
{
        struct pipit_result *res = query("SELECT 1/0", PIPIT_NO_PARAMS);

        pipit_close(live_db);
        live_db = NULL;
        loop_until(NULL, 0);
        ck_assert_ptr_null(pipit_result_scope(res));
        expect_error(res, PIPIT_ESERVER, "22012");
        ck_assert_str_ne(pipit_error_text(res), "");
}
END_TEST

/* ---- callbacks */

struct order {
        char letters[16];
        struct pipit_result *res;
        int n;
};

static void
order_note(struct order *order, struct pipit_result *res, char letter)
{
        if (order->n > 0)
                ck_assert_ptr_eq(order->res, res);
        order->res = res;
        order->letters[order->n++] = letter;
}

static void
on_a(struct pipit_result *res, void *arg)
{
        order_note(arg, res, 'a');
}

static void
on_b(struct pipit_result *res, void *arg)
{
        order_note(arg, res, 'b');
}

static void
on_c(struct pipit_result *res, void *arg)
{
        order_note(arg, res, 'c');
}

static const char *const answers[] = {"SELECT 1", "SELECT 1/0"};

START_TEST(completions_run_once_each_in_the_order_they_were_added)
{
        struct order order = {{0}, NULL, 0};
        pipit_request request = pipit_query(live_db, answers[_i], PIPIT_NO_PARAMS, on_a, &order);

        ck_assert_int_eq(pipit_then(live_db, request, on_b, &order), 0);
        ck_assert_int_eq(pipit_then(live_db, request, on_c, &order), 0);
        ck_assert_int_eq(pipit_then(live_db, request, on_b, &order), 0);
        loop_until(&order.n, 4);
        execute("SELECT 1");
        ck_assert_str_eq(order.letters, "abcb");
        ck_assert_int_eq(pipit_then(live_db, request, on_b, &order), PIPIT_EINVAL);
}
END_TEST

START_TEST(a_completion_can_be_added_to_a_request_without_callback)
{
        struct calls calls = {0};
        pipit_request request = pipit_query(live_db, "SELECT 'x'", PIPIT_NO_PARAMS, NULL, NULL);

        ck_assert_int_eq(pipit_then(live_db, request, NULL, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_then(live_db, request, on_call, &calls), 0);
        expect_text(answer(&calls), 0, 0, "x");
}
END_TEST

START_TEST(a_statement_without_callback_is_executed)
{
        execute("DROP TABLE IF EXISTS query_silent");
        execute("CREATE TABLE query_silent (i int)");
        ck_assert_uint_ne(pipit_query(live_db, "INSERT INTO query_silent VALUES (1)",
                                      PIPIT_NO_PARAMS, NULL, NULL),
                          0);
        ck_assert_uint_ne(pipit_query(live_db, "SELECT 1/0", PIPIT_NO_PARAMS, NULL, NULL), 0);
        wait_for_server("SELECT count(*) FROM query_silent", "1");
        execute("DROP TABLE query_silent");
}
END_TEST

/* ---- nonces: thousands of queries at once, each with its own number, columns and type */

#define N_NONCES 4000

static const struct {
        const char *sql;
        int columns;
        int column; /* where the nonce is */
        bool fails; /* with the nonce as the message */
} shapes[] = {
        {"SELECT $1::int8", 1, 0, false},
        {"SELECT 'x', $1::int4, NULL", 3, 1, false},
        {"SELECT $1::text, repeat('y', 3000)", 2, 0, false},
        {"SELECT 1, 2, 3, 4, $1::numeric FROM generate_series(1, 3)", 5, 4, false},
        {"SELECT ('nonce ' || $1::text)::int", 0, 0, true},
        {"SELECT md5($1::text), $1::float8", 2, 1, false},
};

struct nonce {
        int number;
        int calls;
        int *n_done;
};

static void
on_nonce(struct pipit_result *res, void *arg)
{
        struct nonce *nonce = arg;
        int shape = nonce->number % LENGTH(shapes);
        char text[16];

        snprintf(text, sizeof text, "%d", nonce->number);
        nonce->calls++;
        ++*nonce->n_done;
        if (shapes[shape].fails) {
                char quoted[32];
                snprintf(quoted, sizeof quoted, "nonce %s\"", text);
                expect_error(res, PIPIT_ESERVER, "22P02");
                ck_assert_ptr_nonnull(strstr(pipit_error_text(res), quoted));
                return;
        }
        expect_text(res, 0, shapes[shape].column, text);
        ck_assert_int_eq(pipit_result_columns(res), shapes[shape].columns);
}

START_TEST(each_of_thousands_of_queries_gets_its_own_answer)
{
        struct nonce *nonces = calloc(N_NONCES, sizeof *nonces);
        int n_done = 0;

        for (int i = 0; i < N_NONCES; i++) {
                nonces[i] = (struct nonce){.number = i, .n_done = &n_done};
                ck_assert_uint_ne(pipit_query(live_db, shapes[i % LENGTH(shapes)].sql,
                                              PIPIT_PARAMS(i), on_nonce, &nonces[i]),
                                  0);
        }
        loop_until(&n_done, N_NONCES);
        execute("SELECT 1");
        for (int i = 0; i < N_NONCES; i++)
                ck_assert_int_eq(nonces[i].calls, 1);
        free(nonces);
}
END_TEST

START_TEST(eight_queries_run_at_once)
{
        struct calls calls[8] = {{0}};
        struct pipit *other = pipit_open(live_base, live_url(), NULL);

        for (int i = 0; i < LENGTH(calls); i++)
                ask_on(live_db, "SELECT pg_sleep(60) -- query_asleep", &calls[i]);
        wait_for_server_on(other,
                           "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND "
                           "query LIKE 'SELECT pg_sleep%query_asleep'",
                           "8");
        expect_ok(query_on(other,
                           "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE "
                           "query LIKE 'SELECT pg_sleep%query_asleep'",
                           PIPIT_NO_PARAMS));
        for (int i = 0; i < LENGTH(calls); i++)
                expect_error(answer(&calls[i]), PIPIT_ESERVER, "57014");
        pipit_close(other);
}
END_TEST

/* ---- what a shared connection does not take */

/* One connection, and everything of one turn travels on it. */
static void
shared_setup(void)
{
        live_setup();
        live_reopen(&(struct pipit_options){.max_connections = 1, .max_pipeline = 1000});
        execute("DROP TABLE IF EXISTS query_shared");
        execute("CREATE TABLE query_shared (i int)");
}

static void
shared_teardown(void)
{
        execute("DROP TABLE query_shared");
        live_teardown();
}

static const struct {
        const char *sql;
        const char *word; /* that the message has */
} unshared[] = {
        {"BEGIN", "BEGIN"},
        {"START TRANSACTION READ ONLY", "START TRANSACTION"},
        {"COMMIT", "COMMIT"},
        {"ROLLBACK", "ROLLBACK"},
        {"SET work_mem = '1MB'", "SET"},
        {"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SET"},
        {"RESET ALL", "RESET"},
        {"LISTEN query_channel", "LISTEN"},
        {"UNLISTEN *", "UNLISTEN"},
        {"PREPARE query_statement AS SELECT 1", "PREPARE"},
        {"DEALLOCATE ALL", "DEALLOCATE"},
        {"DECLARE query_cursor CURSOR WITH HOLD FOR SELECT 1", "DECLARE"},
        {"CLOSE ALL", "CLOSE"},
        {"DISCARD ALL", "DISCARD"},
        {"COPY query_shared TO STDOUT", "COPY"},
        {"COPY query_shared FROM STDIN", "COPY"},
        {"COPY (SELECT 1 FROM generate_series(1, 100000)) TO STDOUT", "COPY"},
};

START_TEST(a_statement_for_a_connection_of_its_own_is_refused_and_the_next_one_works)
{
        struct pipit_result *before = query("SELECT pg_backend_pid()", PIPIT_NO_PARAMS);
        const struct pipit_result *res = query(unshared[_i].sql, PIPIT_NO_PARAMS);

        expect_error(res, PIPIT_EUNSHARED, "");
        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), unshared[_i].word));
        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), "connection of"));
        struct pipit_result *after = query("SELECT pg_backend_pid()", PIPIT_NO_PARAMS);
        expect_ok(after);
        ck_assert_str_ne(pipit_result_text(before, 0, 0), pipit_result_text(after, 0, 0));
}
END_TEST

START_TEST(a_refused_copy_says_the_way_out)
{
        const struct pipit_result *res = query("COPY query_shared FROM STDIN", PIPIT_NO_PARAMS);

        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), "INSERT"));
        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), "SELECT"));
        ck_assert_int_eq(pipit_result_error(res)->executed, PIPIT_EXECUTED_UNKNOWN);
}
END_TEST

START_TEST(a_refused_copy_says_what_was_closed_with_its_connection)
{
        struct pipit *scope = _i == 0   ? live_db
                              : _i == 1 ? pipit_session_open(live_db)
                                        : pipit_begin(live_db, NULL);
        struct calls calls = {0};

        ask_on(scope, "COPY query_shared TO STDOUT", &calls);
        expect_error(answer(&calls), PIPIT_EUNSHARED, "");
        const char *text = pipit_error_text(calls.last);
        ck_assert_ptr_nonnull(strstr(text, "INSERT"));
        ck_assert_int_eq(strstr(text, "other requests share") != NULL, _i == 0);
        ck_assert_int_eq(strstr(text, "session or the transaction") != NULL, _i > 0);
        if (_i > 0)
                pipit_close(scope);
}
END_TEST

#define N_INSERTS 100

START_TEST(behind_a_raw_begin_no_insert_is_reported_committed)
{
        struct calls begin = {0};
        struct calls inserts[N_INSERTS] = {{0}};

        ask_on(live_db, "BEGIN", &begin);
        for (int i = 0; i < N_INSERTS; i++)
                ask_on(live_db, "INSERT INTO query_shared VALUES (1)", &inserts[i]);
        expect_error(answer(&begin), PIPIT_EUNSHARED, "");
        for (int i = 0; i < N_INSERTS; i++) {
                ck_assert_int_eq(pipit_failed(answer(&inserts[i])), true);
                ck_assert_int_eq(pipit_result_error(inserts[i].last)->executed,
                                 PIPIT_EXECUTED_UNKNOWN);
        }
        expect_text(query("SELECT count(*) FROM query_shared", PIPIT_NO_PARAMS), 0, 0, "0");
}
END_TEST

START_TEST(behind_a_raw_begin_what_is_reported_committed_is_there)
{
        struct calls begin = {0};
        struct calls inserts[N_INSERTS] = {{0}};
        int n_reported = 0;
        char reported[16];

        live_reopen(&(struct pipit_options){.max_connections = 2, .max_pipeline = 16});
        ask_on(live_db, "BEGIN", &begin);
        for (int i = 0; i < N_INSERTS; i++)
                ask_on(live_db, "INSERT INTO query_shared VALUES (1)", &inserts[i]);
        for (int i = 0; i < N_INSERTS; i++)
                n_reported += pipit_failed(answer(&inserts[i])) ? 0 : 1;
        ck_assert_int_eq(pipit_failed(answer(&begin)), true);
        snprintf(reported, sizeof reported, "%d", n_reported);
        expect_text(query("SELECT count(*) FROM query_shared", PIPIT_NO_PARAMS), 0, 0, reported);
}
END_TEST

START_TEST(what_was_answered_in_front_of_a_refused_statement_stands)
{
        struct calls calls[3] = {{0}};

        ask_on(live_db, "INSERT INTO query_shared VALUES (1)", &calls[0]);
        ask_on(live_db, "SET work_mem = '1MB'", &calls[1]);
        ask_on(live_db, "INSERT INTO query_shared VALUES (2)", &calls[2]);
        expect_ok(answer(&calls[0]));
        expect_error(answer(&calls[1]), PIPIT_EUNSHARED, "");
        expect_error(answer(&calls[2]), PIPIT_ELOST, "");
        ck_assert_int_eq(pipit_result_error(calls[2].last)->executed, PIPIT_EXECUTED_UNKNOWN);
        expect_text(query("SELECT count(*) FROM query_shared WHERE i = 1", PIPIT_NO_PARAMS), 0, 0,
                    "1");
}
END_TEST

START_TEST(a_refused_setting_is_on_no_connection_afterwards)
{
        expect_error(query("SET application_name = 'query_leak'", PIPIT_NO_PARAMS), PIPIT_EUNSHARED,
                     "");
        expect_text(
                query("SELECT current_setting('application_name') = 'query_leak'", PIPIT_NO_PARAMS),
                0, 0, "f");
}
END_TEST

/* ---- suite */

static TCase *
results(void)
{
        TCase *tcase = tcase_create("results");

        tcase_add_checked_fixture(tcase, live_setup, live_teardown);
        tcase_add_test(tcase, a_query_gives_its_rows);
        tcase_add_test(tcase, a_syntax_error_is_the_servers_own);
        tcase_add_test(tcase, rows_come_in_the_servers_order);
        tcase_add_test(tcase, a_result_without_rows_still_has_columns);
        tcase_add_test(tcase, a_write_says_how_many_rows_it_touched);
        tcase_add_test(tcase, a_kept_result_outlives_its_database);
        tcase_add_test(tcase, a_kept_error_outlives_its_database);
        tcase_add_loop_test(tcase, completions_run_once_each_in_the_order_they_were_added, 0,
                            LENGTH(answers));
        tcase_add_test(tcase, a_completion_can_be_added_to_a_request_without_callback);
        tcase_add_test(tcase, a_statement_without_callback_is_executed);
        tcase_add_test(tcase, each_of_thousands_of_queries_gets_its_own_answer);
        tcase_add_test(tcase, eight_queries_run_at_once);
        return tcase;
}

static TCase *
shared(void)
{
        TCase *tcase = tcase_create("shared");

        tcase_add_checked_fixture(tcase, shared_setup, shared_teardown);
        tcase_add_loop_test(
                tcase, a_statement_for_a_connection_of_its_own_is_refused_and_the_next_one_works, 0,
                LENGTH(unshared));
        tcase_add_test(tcase, a_refused_copy_says_the_way_out);
        tcase_add_loop_test(tcase, a_refused_copy_says_what_was_closed_with_its_connection, 0, 3);
        tcase_add_test(tcase, behind_a_raw_begin_no_insert_is_reported_committed);
        tcase_add_test(tcase, behind_a_raw_begin_what_is_reported_committed_is_there);
        tcase_add_test(tcase, what_was_answered_in_front_of_a_refused_statement_stands);
        tcase_add_test(tcase, a_refused_setting_is_on_no_connection_afterwards);
        return tcase;
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("query");

        suite_add_tcase(suite, results());
        suite_add_tcase(suite, shared());
        return suite;
}
