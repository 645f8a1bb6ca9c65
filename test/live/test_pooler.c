/*
 * PgBouncer in between, in transaction and in session mode: what programs see, and what is left in
 * the server's sessions.
 */
#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bouncer.h"
#include "live.h"
#include "witness.h"

#define MOMENT(FIELD) FIELD(integer, id, .primary_key = true) FIELD(timestamp, at)
PIPIT_MODEL(moment, MOMENT);
PIPIT_MODEL_DEFINE(moment, MOMENT);

static struct bouncer bouncer;
static char server[200]; /* the folder of the server's socket */
static int n_about_pooler;

static void
on_log(enum pipit_log_level level, const char *line, void *arg)
{
        (void)level;
        (void)arg;
        n_about_pooler += strstr(line, "PIPIT_POOLER_TRANSACTION") != NULL;
}

static struct pipit_options
options_of(enum pipit_pooler pooler)
{
        return (struct pipit_options){
                .max_connections = 4, .pooler = pooler, .timeout_ms = 20000, .log = on_log};
}

/* live_db goes through a pooler of that mode, which has n sessions. */
static void
pooled(const char *mode, int n, enum pipit_pooler pooler)
{
        struct pipit_options options = options_of(pooler);

        ck_assert(bouncer_create(&bouncer, getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp",
                                 server, mode, n));
        live_open(bouncer.url, &options);
}

static void
setup(void)
{
        live_setup();
        snprintf(server, sizeof server, "%s", ask_text(live_url(), "SHOW unix_socket_directories"));
        n_about_pooler = 0;
}

static void
teardown(void)
{
        live_teardown();
        bouncer_remove(&bouncer);
}

/* What sessions of the server have that pipit could have left. */
static void
expect_nothing_left(void)
{
        static const char *const questions[] = {
                "SELECT count(*) FROM pg_prepared_statements",
                "SELECT count(*) FROM pg_settings WHERE source = 'session' AND name NOT IN "
                "('client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings', "
                "'application_name')",
                "SELECT count(*) FROM pg_listening_channels()"};

        for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++)
                ck_assert_int_eq(ask(bouncer.url, questions[i]), 0);
}

/* Reads of a text that is known to be fast, many at once, each with its own answer. */
#define N_READS 60
static struct calls reads[N_READS];

static void
run_reads(void)
{
        for (int i = 0; i < N_READS; i++) {
                reads[i] = (struct calls){0};
                pipit_read(live_db, "SELECT $1::int, current_setting('transaction_read_only')",
                           PIPIT_PARAMS(i), on_call, &reads[i]);
        }
        for (int i = 0; i < N_READS; i++) {
                char number[12];
                snprintf(number, sizeof number, "%d", i);
                expect_text(answer(&reads[i]), 0, 0, number);
        }
}

/* How many of them ran where nothing can be written. */
static int
n_read_only(void)
{
        int n = 0;

        for (int i = 0; i < N_READS; i++)
                n += strcmp(pipit_result_text(reads[i].last, 0, 1), "on") == 0;
        return n;
}

START_TEST(in_transaction_mode_nothing_is_left_in_a_session)
{
        pooled("transaction", 1, PIPIT_POOLER_TRANSACTION);
        for (int i = 0; i < 4; i++)
                run_reads();
        ck_assert_int_gt(n_read_only(), 0);
        execute("CREATE TABLE pooled (n int)");
        execute("INSERT INTO pooled VALUES (1)");
        execute("DROP TABLE pooled");
        expect_nothing_left();
        ck_assert_int_eq(n_about_pooler, 0);
}
END_TEST

/* One session for all: what one client left there the other would have. */
START_TEST(a_read_that_failed_leaves_no_transaction_to_others)
{
        pooled("transaction", 1, PIPIT_POOLER_TRANSACTION);
        for (int i = 0; i < 4; i++)
                run_reads();
        for (int i = 0; i < N_READS; i++) {
                reads[i] = (struct calls){0};
                pipit_read(live_db, "SELECT $1::int, current_setting('transaction_read_only')",
                           PIPIT_PARAMS(i == 20 ? "none" : "7"), on_call, &reads[i]);
        }
        for (int i = 0; i < N_READS; i++) {
                answer(&reads[i]);
                if (i == 20)
                        expect_error(reads[i].last, PIPIT_ESERVER, "22P02");
                else
                        expect_text(reads[i].last, 0, 0, "7");
        }
        ck_assert_int_eq(ask(bouncer.url, "SELECT 5"), 5);
        expect_nothing_left();
}
END_TEST

static void
path_body(struct pipit *tx, void *arg)
{
        pipit_query(tx, "SHOW search_path", PIPIT_NO_PARAMS, on_call, arg);
}

static const char *const paths[] = {"\"Mine\", public", NULL};
static const char *const shown[] = {"\"Mine\", public", "public, pg_temp"};

START_TEST(a_search_path_holds_in_statements_reads_and_transactions)
{
        struct pipit_options options = options_of(PIPIT_POOLER_TRANSACTION);
        struct calls calls = {0};

        pooled("transaction", 1, PIPIT_POOLER_TRANSACTION);
        options.search_path = paths[_i];
        live_open(bouncer.url, &options);
        expect_text(query("SHOW search_path", PIPIT_NO_PARAMS), 0, 0, shown[_i]);
        pipit_atomic(live_db, path_body, NULL, &calls);
        expect_text(answer(&calls), 0, 0, shown[_i]);
        calls = (struct calls){0};
        struct pipit *tx = pipit_begin(live_db, NULL);
        expect_text(query_on(tx, "SHOW search_path", PIPIT_NO_PARAMS), 0, 0, shown[_i]);
        pipit_commit(tx, on_call, &calls);
        expect_ok(answer(&calls));
        ck_assert_str_eq(ask_text(bouncer.url, "SHOW search_path"), "\"$user\", public");
}
END_TEST

/* Another client has left these in the only session: the server writes accordingly. PgBouncer 1.18
 * puts back for each client what it knows of, as TimeZone; here it does not. */
static const char *const styles[] = {
        "SET intervalstyle = 'postgres'", "SET intervalstyle = 'postgres_verbose'",
        "SET intervalstyle = 'sql_standard'", "SET intervalstyle = 'iso_8601'",
        "SET bytea_output = 'escape'"};
#define N_STYLES ((int)(sizeof styles / sizeof styles[0]))

static const char values[] =
        "SELECT timestamptz '2024-02-29 12:00:00+05:30', '\\x00ff5c41'::bytea, i FROM (SELECT "
        "make_interval(months => m, days => d, secs => s) AS i FROM unnest('{0,1,-14,25}'::int[]) m, "
        "unnest('{0,3,-3}'::int[]) d, unnest('{0,0.5,-0.000001,-14706.7,100000}'::float8[]) s) t";

/* The values of a row, in one text. */
static const char *
row_text(struct pipit_result *res, int row)
{
        static char text[200];
        struct pipit_timestamp at = {0};
        struct pipit_bytes bytes = {NULL, 0};
        struct pipit_interval interval = {0};
        struct pipit_item item;

        ck_assert_int_eq(pipit_result_timestamp(res, row, 0, &at), 0);
        ck_assert_int_eq(pipit_result_bytes(res, row, 1, &bytes), 0);
        ck_assert_int_eq(pipit_result_item(res, row, 2, &item), 0);
        ck_assert_int_eq(pipit_item_interval(&item, &interval), 0);
        ck_assert_uint_eq(bytes.length, 4);
        ck_assert_mem_eq(bytes.data, "\0\377\\A", 4);
        snprintf(text, sizeof text, "%lld %d %d %lld", (long long)at.us, interval.months,
                 interval.days, (long long)interval.us);
        return text;
}

START_TEST(values_are_read_in_the_style_that_another_client_has_left)
{
        struct pipit_options options = {0};
        char expected[60][100];

        live_open(live_url(), &options);
        struct pipit_result *res = query(values, PIPIT_NO_PARAMS);
        ck_assert_int_eq(pipit_result_rows(res), 60);
        for (int i = 0; i < 60; i++)
                snprintf(expected[i], sizeof expected[i], "%s", row_text(res, i));
        pooled("transaction", 1, PIPIT_POOLER_TRANSACTION);
        execute("SELECT 1"); /* it listens */
        ask(bouncer.url, styles[_i]);
        ask(bouncer.url, "SET timezone = 'Asia/Kathmandu'");
        res = query(values, PIPIT_NO_PARAMS);
        for (int i = 0; i < 60; i++)
                ck_assert_str_eq(row_text(res, i), expected[i]);
}
END_TEST

/* What a style does not tell is not guessed: of 01/02/2024 nobody knows the month. */
START_TEST(a_time_in_another_style_than_iso_is_refused)
{
        struct pipit_timestamp at = {0};
        struct calls calls = {0};

        pooled("transaction", 1, PIPIT_POOLER_TRANSACTION);
        struct pipit *tx = pipit_begin(live_db, NULL);
        expect_ok(query_on(tx, "SET LOCAL datestyle = 'SQL, DMY'", PIPIT_NO_PARAMS));
        struct pipit_result *res = query_on(tx, "SELECT date '2024-02-01'", PIPIT_NO_PARAMS);
        expect_text(res, 0, 0, "01/02/2024");
        ck_assert_int_eq(pipit_result_timestamp(res, 0, 0, &at), PIPIT_ETYPE);
        expect_ok(query_on(tx,
                           "CREATE TABLE moment AS SELECT 1 AS id, timestamp '2024-02-01' AS at",
                           PIPIT_NO_PARAMS));
        moment_get(tx, pipit_eq(moment_model.id, 1), on_call, &calls);
        expect_error(answer(&calls), PIPIT_ETYPE, "");
        ck_assert_ptr_nonnull(strstr(pipit_error_text(calls.last), "DateStyle"));
        pipit_close(tx);
}
END_TEST

static const struct {
        const char *mode;
        enum pipit_pooler pooler;
} kinds[] = {{"session", PIPIT_POOLER_AUTO},
             {"session", PIPIT_POOLER_SESSION},
             {"transaction", PIPIT_POOLER_TRANSACTION}};

static const char sleepers[] = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE "
                               "'SELECT pg_sleep(100)%' AND wait_event = 'PgSleep'";

/* An older libpq cannot ask without blocking: then the connection is closed, and the server goes on
 * until it looks whether its client is there. */
START_TEST(a_cancel_ends_its_own_statement_and_no_other)
{
        pooled(kinds[_i].mode, 4, kinds[_i].pooler);
        for (int i = 0; i < 5; i++) {
                struct calls slow = {0};
                struct calls quick = {0};
                pipit_request request = ask_on(live_db, "SELECT pg_sleep(100)", &slow);
                ask_until(live_url(), sleepers, 1);
                pipit_cancel(live_db, request);
                ask_on(live_db, "SELECT 1", &quick);
                expect_error(answer(&slow), PIPIT_ECANCELED, "");
                expect_text(answer(&quick), 0, 0, "1");
                if (PQlibVersion() < 170000)
                        ask(live_url(),
                            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query "
                            "LIKE 'SELECT pg_sleep(100)%' AND wait_event = 'PgSleep'");
                ask_until(live_url(), sleepers, 0);
        }
}
END_TEST

START_TEST(session_mode_is_logged_once_and_is_as_without_a_pooler)
{
        pooled("session", 8, PIPIT_POOLER_AUTO);
        for (int i = 0; i < 6; i++)
                run_reads();
        ck_assert_int_gt(n_read_only(), 0);
        struct pipit *session = pipit_session_open(live_db);
        expect_ok(query_on(session, "SET work_mem = '3MB'", PIPIT_NO_PARAMS));
        expect_text(query_on(session, "SHOW work_mem", PIPIT_NO_PARAMS), 0, 0, "3MB");
        pipit_close(session);
        execute("SELECT 1");
        expect_text(query("SELECT current_setting('DateStyle')", PIPIT_NO_PARAMS), 0, 0,
                    "ISO, YMD");
        ck_assert_int_eq(n_about_pooler, 1);
}
END_TEST

static void
count_one(struct pipit_result *res, void *arg)
{
        (void)res;
        ++*(int *)arg;
}

/* Until it is known, statements may fail: what one session has prepared another has not. */
START_TEST(transaction_mode_is_found_out_when_two_sessions_answer)
{
        struct pipit_options options = options_of(PIPIT_POOLER_AUTO);

        pooled("transaction", 2, PIPIT_POOLER_AUTO);
        options.max_connections = 2;
        live_open(bouncer.url, &options);
        n_about_pooler = 0;
        for (int i = 0; i < 500 && n_about_pooler < 2; i++) {
                int n = 0;
                pipit_query(live_db, "SELECT pg_sleep(0.002)", PIPIT_NO_PARAMS, count_one, &n);
                for (int k = 0; k < 20; k++)
                        pipit_read(live_db, "SELECT 1", PIPIT_NO_PARAMS, count_one, &n);
                loop_until(&n, 21);
        }
        ck_assert_int_eq(n_about_pooler, 2);
        struct pipit *session = pipit_session_open(live_db);
        expect_error(query_on(session, "SELECT 1", PIPIT_NO_PARAMS), PIPIT_EUNSHARED, "");
        pipit_close(session);
        run_reads();
        ck_assert_int_eq(n_about_pooler, 2);
}
END_TEST

START_TEST(requests_wait_for_a_pooler_that_pauses_or_restarts)
{
        struct calls calls = {0};

        pooled(kinds[_i].mode, 4, kinds[_i].pooler);
        execute("SELECT 1");
        bouncer_signal(&bouncer, SIGTERM);
        while (!bouncer_has_ended(&bouncer))
                loop_for(5);
        ask_on(live_db, "SELECT 2", &calls);
        loop_for(20);
        ck_assert_int_eq(calls.n, 0);
        ck_assert(bouncer_start(&bouncer));
        expect_text(answer(&calls), 0, 0, "2");
}
END_TEST

int
main(void)
{
        if (live_url() == NULL || !bouncer_is_here()) {
                puts("1..0 # SKIP no PIPIT_TEST_URL or no PgBouncer: test/support/setup.sh pooler");
                return EXIT_SUCCESS;
        }
        return run_tests();
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("pooler");
        TCase *tcase = tcase_create("pooler");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, in_transaction_mode_nothing_is_left_in_a_session);
        tcase_add_test(tcase, a_read_that_failed_leaves_no_transaction_to_others);
        tcase_add_loop_test(tcase, a_search_path_holds_in_statements_reads_and_transactions, 0, 2);
        tcase_add_loop_test(tcase, values_are_read_in_the_style_that_another_client_has_left, 0,
                            N_STYLES);
        tcase_add_test(tcase, a_time_in_another_style_than_iso_is_refused);
        tcase_add_loop_test(tcase, a_cancel_ends_its_own_statement_and_no_other, 0, 3);
        tcase_add_test(tcase, session_mode_is_logged_once_and_is_as_without_a_pooler);
        tcase_add_test(tcase, transaction_mode_is_found_out_when_two_sessions_answer);
        tcase_add_loop_test(tcase, requests_wait_for_a_pooler_that_pauses_or_restarts, 0, 3);
        suite_add_tcase(suite, tcase);
        return suite;
}
