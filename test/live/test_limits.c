/*
 * Bounds: what is over one fails by itself, and nothing else is lost. Notices, notifications and
 * the settings of every session.
 */
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "witness.h"

#define LENGTH(array) ((int)(sizeof(array) / sizeof(array)[0]))
#define MEBIBYTE      ((size_t)1 << 20)

/* ---- the size of a result */

static const char *const too_large[] = {
        "SELECT repeat('x', 5000000)",
        "SELECT repeat('x', 1000) FROM generate_series(1, 5000)",
        "SELECT i FROM generate_series(1, 200000) AS i",
};

START_TEST(a_result_over_its_bound_fails_and_the_pool_recovers)
{
        live_reopen(&(struct pipit_options){.max_connections = 1, .max_result_bytes = MEBIBYTE});
        const struct pipit_result *res = query(too_large[_i], PIPIT_NO_PARAMS);

        expect_executed(res, PIPIT_ELIMIT, PIPIT_EXECUTED_YES);
        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), "max_result_bytes"));
        ck_assert_int_eq(pipit_result_rows(res), 0);
        expect_text(query("SELECT 'next'", PIPIT_NO_PARAMS), 0, 0, "next");
}
END_TEST

START_TEST(what_is_behind_a_large_result_on_its_connection_is_answered)
{
        struct calls calls[4] = {{0}};

        live_reopen(&(struct pipit_options){.max_connections = 1, .max_result_bytes = MEBIBYTE});
        const char *pid =
                pipit_result_text(query("SELECT pg_backend_pid()", PIPIT_NO_PARAMS), 0, 0);
        ask_on(live_db, "SELECT 'before'", &calls[0]);
        ask_on(live_db, too_large[_i], &calls[1]);
        ask_on(live_db, "SELECT 'behind'", &calls[2]);
        ask_on(live_db, "SELECT pg_backend_pid()", &calls[3]);
        expect_text(answer(&calls[0]), 0, 0, "before");
        expect_error(answer(&calls[1]), PIPIT_ELIMIT, "");
        expect_text(answer(&calls[2]), 0, 0, "behind");
        expect_text(answer(&calls[3]), 0, 0, pid);
}
END_TEST

START_TEST(a_result_without_end_is_stopped_and_what_is_behind_is_answered)
{
        struct calls calls[2] = {{0}};

        live_reopen(&(struct pipit_options){.max_connections = 1, .max_result_bytes = MEBIBYTE});
        execute("SELECT 1");
        ask_on(live_db, "SELECT repeat('x', 1000), generate_series(1, 2000000000)", &calls[0]);
        ask_on(live_db, "SELECT 'behind'", &calls[1]);
        expect_executed(answer(&calls[0]), PIPIT_ELIMIT, PIPIT_EXECUTED_ROLLED_BACK);
        ck_assert_ptr_nonnull(strstr(pipit_error_text(calls[0].last), "max_result_bytes"));
        expect_text(answer(&calls[1]), 0, 0, "behind");
}
END_TEST

#define N_INNOCENT 4000

/* Whether each is told of its own length, and how many are told that theirs is over the bound. */
struct innocents {
        int n;
        int n_right;
        int n_over;
        char wrong[300]; /* another error, if any */
};

static void
on_innocent(struct pipit_result *res, void *arg)
{
        struct innocents *innocents = arg;

        innocents->n++;
        if (!pipit_failed(res))
                innocents->n_right++;
        else if (pipit_result_error(res)->code == PIPIT_ELIMIT)
                innocents->n_over++;
        else
                snprintf(innocents->wrong, sizeof innocents->wrong, "%s", pipit_error_text(res));
}

static const int sizes_of_one[] = {2000000, 16000000, 20000000};

START_TEST(of_four_thousand_reads_only_the_one_that_is_too_large_fails)
{
        static const char sql[] = "SELECT repeat('x', $1::int)";
        struct innocents innocents = {0};

        live_reopen(&(struct pipit_options){.max_connections = 4, .max_result_bytes = MEBIBYTE});
        for (int i = 0; i < 4; i++)
                expect_ok(query(sql, PIPIT_PARAMS(1)));
        for (int i = 0; i < N_INNOCENT; i++) {
                int size = i == N_INNOCENT / 2 ? sizes_of_one[_i] : 100;
                ck_assert_uint_ne(
                        pipit_read(live_db, sql, PIPIT_PARAMS(size), on_innocent, &innocents), 0);
        }
        loop_until(&innocents.n, N_INNOCENT);
        ck_assert_str_eq(innocents.wrong, "");
        ck_assert_int_eq(innocents.n_over, 1);
        ck_assert_int_eq(innocents.n_right, N_INNOCENT - 1);
}
END_TEST

START_TEST(the_bound_is_of_one_result_and_not_of_all)
{
        struct calls calls[30] = {{0}};

        live_reopen(&(struct pipit_options){.max_connections = 1, .max_result_bytes = MEBIBYTE});
        for (int i = 0; i < LENGTH(calls); i++)
                ask_on(live_db, "SELECT repeat('x', 500000)", &calls[i]);
        for (int i = 0; i < LENGTH(calls); i++) {
                expect_ok(answer(&calls[i]));
                ck_assert_uint_eq(pipit_result_length(calls[i].last, 0, 0), 500000);
        }
}
END_TEST

START_TEST(small_results_that_arrive_together_are_below_the_bound_of_one)
{
        struct calls calls[200] = {{0}};

        live_reopen(&(struct pipit_options){
                .max_connections = 1, .max_pipeline = 1000, .max_result_bytes = 10000});
        execute("SELECT 1");
        for (int i = 0; i < LENGTH(calls); i++)
                ask_on(live_db, "SELECT repeat('x', 2000)", &calls[i]);
        for (int i = 0; i < LENGTH(calls); i++)
                expect_ok(answer(&calls[i]));
}
END_TEST

/* ---- what is sent and what waits */

START_TEST(a_request_over_its_bound_is_refused_and_its_neighbours_are_not)
{
        static char text[2000];
        struct calls calls[3] = {{0}};

        memset(text, 'x', sizeof text - 1);
        live_reopen(&(struct pipit_options){.max_request_bytes = 1000});
        ask_on(live_db, "SELECT 'one'", &calls[0]);
        pipit_query(live_db, "SELECT $1::text", PIPIT_PARAMS(text), on_call, &calls[1]);
        ask_on(live_db, "SELECT 'three'", &calls[2]);
        expect_text(answer(&calls[0]), 0, 0, "one");
        expect_error(answer(&calls[1]), PIPIT_ELIMIT, "");
        ck_assert_int_eq(pipit_result_error(calls[1].last)->executed, PIPIT_EXECUTED_NO);
        ck_assert_ptr_nonnull(strstr(pipit_error_text(calls[1].last), "max_request_bytes"));
        expect_text(answer(&calls[2]), 0, 0, "three");
}
END_TEST

START_TEST(a_long_sql_text_counts_as_well)
{
        static char sql[2000];

        memset(sql, ' ', sizeof sql - 1);
        memcpy(sql, "SELECT 1", 8);
        live_reopen(&(struct pipit_options){.max_request_bytes = 1000});
        expect_error(query(sql, PIPIT_NO_PARAMS), PIPIT_ELIMIT, "");
        expect_ok(query("SELECT 1", PIPIT_NO_PARAMS));
}
END_TEST

#define N_WAITING 50
#define N_ROOM    20

static void
waiting_start(struct calls *calls)
{
        for (int i = 0; i < N_WAITING; i++) {
                pipit_query(live_db, "SELECT $1::int", PIPIT_PARAMS(i), on_call, &calls[i]);
                ck_assert_int_eq(calls[i].n, 0);
        }
}

START_TEST(more_waiting_requests_than_allowed_are_refused_and_the_others_answered)
{
        struct calls calls[N_WAITING] = {{0}};
        char text[16];

        live_reopen(&(struct pipit_options){.max_waiting = N_ROOM});
        waiting_start(calls);
        for (int i = 0; i < N_WAITING; i++) {
                snprintf(text, sizeof text, "%d", i);
                if (i < N_ROOM)
                        expect_text(answer(&calls[i]), 0, 0, text);
                else
                        expect_error(answer(&calls[i]), PIPIT_ELIMIT, "");
        }
        ck_assert_ptr_nonnull(strstr(pipit_error_text(calls[N_ROOM].last), "max_waiting"));
        ck_assert_int_eq(pipit_result_error(calls[N_ROOM].last)->executed, PIPIT_EXECUTED_NO);
        execute("SELECT 1");
}
END_TEST

START_TEST(more_waiting_bytes_than_allowed_are_refused_and_the_others_answered)
{
        struct calls calls[N_WAITING] = {{0}};
        static char text[10000];
        int n_refused = 0;

        memset(text, 'x', sizeof text - 1);
        live_reopen(&(struct pipit_options){.max_waiting_bytes = N_ROOM * sizeof text});
        for (int i = 0; i < N_WAITING; i++)
                pipit_query(live_db, "SELECT $1::text", PIPIT_PARAMS(text), on_call, &calls[i]);
        for (int i = 0; i < N_WAITING; i++) {
                if (!pipit_failed(answer(&calls[i])))
                        continue;
                n_refused++;
                expect_error(calls[i].last, PIPIT_ELIMIT, "");
        }
        ck_assert_int_ge(n_refused, N_WAITING - N_ROOM);
        ck_assert_int_le(n_refused, N_WAITING - N_ROOM + 2);
        execute("SELECT 1");
}
END_TEST

/* ---- what the server says by itself */

struct lines {
        int n_notices;
        int n_warnings;
        char all[4096];
};

static void
on_line(enum pipit_log_level level, const char *line, void *arg)
{
        struct lines *lines = arg;
        size_t length = strlen(lines->all);

        if (level == PIPIT_LOG_DEBUG)
                return;
        for (const char *c = line; *c != '\0'; c++)
                ck_assert_int_ge((unsigned char)*c, ' ');
        lines->n_notices += level == PIPIT_LOG_NOTICE;
        lines->n_warnings += level == PIPIT_LOG_WARNING;
        snprintf(lines->all + length, sizeof lines->all - length, "%s|", line);
}

START_TEST(notices_go_to_the_log_by_their_level)
{
        struct lines lines = {0};

        live_reopen(&(struct pipit_options){.log = on_line, .log_arg = &lines});
        execute("DO $$ BEGIN RAISE NOTICE 'small %', chr(27) || chr(10) || 'talk';"
                " RAISE WARNING 'take care'; RAISE INFO 'by the way'; END $$");
        ck_assert_int_eq(lines.n_notices, 2);
        ck_assert_int_eq(lines.n_warnings, 1);
        ck_assert_ptr_nonnull(strstr(lines.all, "NOTICE: small \\x1b talk|"));
        ck_assert_ptr_nonnull(strstr(lines.all, "WARNING: take care|"));
        ck_assert_ptr_nonnull(strstr(lines.all, "INFO: by the way|"));
}
END_TEST

/* Counts what an option lets through. */
static void
on_any_line(enum pipit_log_level level, const char *line, void *arg)
{
        (void)line;
        ((int *)arg)[level]++;
}

START_TEST(the_log_tells_what_its_level_asks_for)
{
        int n[PIPIT_LOG_WARNING + 1] = {0};

        live_reopen(&(struct pipit_options){.log = on_any_line, .log_arg = n, .log_level = _i});
        execute("DO $$ BEGIN RAISE NOTICE 'small talk'; RAISE WARNING 'take care'; END $$");
        ck_assert_int_eq(n[PIPIT_LOG_DEBUG] > 0, _i == PIPIT_LOG_DEBUG + 1);
        ck_assert_int_eq(n[PIPIT_LOG_NOTICE], _i < PIPIT_LOG_WARNING + 1);
        ck_assert_int_eq(n[PIPIT_LOG_WARNING], 1);
}
END_TEST

START_TEST(a_flood_of_notices_is_bounded_in_the_log_and_told)
{
        struct lines lines = {0};

        live_reopen(&(struct pipit_options){.log = on_line, .log_arg = &lines});
        execute("DO $$ BEGIN FOR i IN 1..20000 LOOP RAISE NOTICE 'again'; END LOOP; END $$");
        /* 100 a second; it takes less than ten of them. */
        ck_assert_int_ge(lines.n_notices, 90);
        ck_assert_int_le(lines.n_notices, 1000);
}
END_TEST

/* Both outputs go into a file while something happens; its size. */
static off_t
printed_by(void (*happen)(void))
{
        FILE *file = tmpfile();
        int out = dup(STDOUT_FILENO);
        int err = dup(STDERR_FILENO);

        ck_assert_ptr_nonnull(file);
        fflush(NULL);
        dup2(fileno(file), STDOUT_FILENO);
        dup2(fileno(file), STDERR_FILENO);
        happen();
        fflush(NULL);
        off_t size = lseek(fileno(file), 0, SEEK_END);
        dup2(out, STDOUT_FILENO);
        dup2(err, STDERR_FILENO);
        close(out);
        close(err);
        fclose(file);
        return size;
}

static void
much_is_said(void)
{
        execute("DO $$ BEGIN RAISE NOTICE 'a'; RAISE WARNING 'b'; RAISE INFO 'c'; END $$");
        execute("DROP TABLE IF EXISTS limits_no_such_table");
        query("SELECT 1/0", PIPIT_NO_PARAMS);
        query("BEGIN", PIPIT_NO_PARAMS);
        query("SELECT pg_terminate_backend(pg_backend_pid())", PIPIT_NO_PARAMS);
        execute("SELECT 1");
}

static void
a_line_is_printed(void)
{
        fputs("line\n", stderr);
}

START_TEST(nothing_is_ever_printed)
{
        ck_assert_int_eq(printed_by(a_line_is_printed), 5);
        ck_assert_int_eq(printed_by(much_is_said), 0);
}
END_TEST

/* Of ASan's run time, which has an allocator of its own. */
extern size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t
allocated(void)
{
        if (__sanitizer_get_current_allocated_bytes != NULL)
                return __sanitizer_get_current_allocated_bytes();
        struct mallinfo2 info = mallinfo2();
        return info.uordblks + info.hblkhd;
}

static void
send_notifications(void)
{
        execute("SELECT count(pg_notify('limits_channel', 'number ' || i))"
                " FROM generate_series(1, 200000) AS i");
        /* All are with the listener's server process; its next answer comes behind them. */
        wait_for_server("SELECT pg_notification_queue_usage()", "0");
}

START_TEST(two_hundred_thousand_notifications_take_no_memory)
{
        struct pipit *listener =
                pipit_open(live_base, live_url(), &(struct pipit_options){.max_connections = 1});
        const char listening[] = "SELECT pg_listening_channels()";

        expect_ok(query_on(listener, "DO $$ BEGIN EXECUTE 'LISTEN limits_channel'; END $$",
                           PIPIT_NO_PARAMS));
        execute("SELECT 1");
        expect_text(query_on(listener, listening, PIPIT_NO_PARAMS), 0, 0, "limits_channel");
        size_t before = allocated();
        send_notifications();
        expect_text(query_on(listener, listening, PIPIT_NO_PARAMS), 0, 0, "limits_channel");
        ck_assert_uint_lt(allocated(), before + 4 * MEBIBYTE);
        pipit_close(listener);
}
END_TEST

/* ---- the settings of every session */

#define PINNED                                                                                     \
        "SELECT current_setting('DateStyle'), current_setting('TimeZone'),"                        \
        " current_setting('standard_conforming_strings'), current_setting('client_encoding'),"     \
        " current_setting('bytea_output'), current_setting('extra_float_digits'),"                 \
        " current_setting('IntervalStyle'), current_setting('search_path')"

static void
expect_pinned(struct pipit *scope, const char *search_path)
{
        static const char *const values[] = {"ISO, YMD", "UTC", "on",      "UTF8",
                                             "hex",      "1",   "iso_8601"};
        const struct pipit_result *res = query_on(scope, PINNED, PIPIT_NO_PARAMS);

        for (int i = 0; i < LENGTH(values); i++)
                expect_text(res, 0, i, values[i]);
        expect_text(res, 0, LENGTH(values), search_path);
}

START_TEST(the_settings_that_pipit_relies_on_are_pinned)
{
        expect_pinned(live_db, "public, pg_temp");
}
END_TEST

START_TEST(the_search_path_is_an_option_and_not_sql)
{
        live_reopen(&(struct pipit_options){.search_path = "pg_catalog, \"it's\""});
        expect_pinned(live_db, "pg_catalog, \"it's\"");
}
END_TEST

START_TEST(an_empty_search_path_leaves_the_servers)
{
        live_reopen(&(struct pipit_options){.search_path = ""});
        expect_text(query("SELECT current_setting('search_path') = reset_val FROM pg_settings"
                          " WHERE name = 'search_path'",
                          PIPIT_NO_PARAMS),
                    0, 0, "t");
}
END_TEST

/* Of the database, and of the role in it; both go with the database. */
static const char *const alterations[] = {
        "ALTER DATABASE limits_other SET DateStyle = 'German'",
        "ALTER DATABASE limits_other SET TimeZone = 'Asia/Tokyo'",
        "ALTER DATABASE limits_other SET bytea_output = 'escape'",
        "ALTER DATABASE limits_other SET search_path = 'nowhere'",
        "ALTER DATABASE limits_other SET client_encoding = 'LATIN1'",
        "ALTER ROLE CURRENT_USER IN DATABASE limits_other SET standard_conforming_strings = off",
        "ALTER ROLE CURRENT_USER IN DATABASE limits_other SET extra_float_digits = -15",
        "ALTER ROLE CURRENT_USER IN DATABASE limits_other SET IntervalStyle = 'sql_standard'",
        "ALTER ROLE CURRENT_USER IN DATABASE limits_other SET TimeZone = 'America/New_York'",
};

START_TEST(settings_of_a_database_and_of_a_role_change_nothing)
{
        execute("DROP DATABASE IF EXISTS limits_other");
        execute("CREATE DATABASE limits_other");
        for (int i = 0; i < LENGTH(alterations); i++)
                execute(alterations[i]);
        struct pipit *other =
                pipit_open(live_base, url_with(live_url(), "&dbname=limits_other"), NULL);
        expect_pinned(other, "public, pg_temp");
        expect_text(query_on(other, "SELECT 'a\\b'::text, '1.1'::float8, '\\x00'::bytea",
                             PIPIT_NO_PARAMS),
                    0, 0, "a\\b");
        pipit_close(other);
        wait_for_server("SELECT count(*) FROM pg_stat_activity WHERE datname = 'limits_other'",
                        "0");
        execute("DROP DATABASE limits_other");
}
END_TEST

/* ---- suite */

static TCase *
bounds(void)
{
        TCase *tcase = tcase_create("bounds");

        tcase_add_checked_fixture(tcase, live_setup, live_teardown);
        tcase_add_loop_test(tcase, a_result_over_its_bound_fails_and_the_pool_recovers, 0,
                            LENGTH(too_large));
        tcase_add_loop_test(tcase, what_is_behind_a_large_result_on_its_connection_is_answered, 0,
                            LENGTH(too_large));
        tcase_add_test(tcase, a_result_without_end_is_stopped_and_what_is_behind_is_answered);
        tcase_add_loop_test(tcase, of_four_thousand_reads_only_the_one_that_is_too_large_fails, 0,
                            LENGTH(sizes_of_one));
        tcase_add_test(tcase, the_bound_is_of_one_result_and_not_of_all);
        tcase_add_test(tcase, small_results_that_arrive_together_are_below_the_bound_of_one);
        tcase_add_test(tcase, a_request_over_its_bound_is_refused_and_its_neighbours_are_not);
        tcase_add_test(tcase, a_long_sql_text_counts_as_well);
        tcase_add_test(tcase,
                       more_waiting_requests_than_allowed_are_refused_and_the_others_answered);
        tcase_add_test(tcase, more_waiting_bytes_than_allowed_are_refused_and_the_others_answered);
        return tcase;
}

static TCase *
messages(void)
{
        TCase *tcase = tcase_create("messages");

        tcase_add_checked_fixture(tcase, live_setup, live_teardown);
        tcase_add_test(tcase, notices_go_to_the_log_by_their_level);
        tcase_add_loop_test(tcase, the_log_tells_what_its_level_asks_for, 0, PIPIT_LOG_WARNING + 2);
        tcase_add_test(tcase, a_flood_of_notices_is_bounded_in_the_log_and_told);
        tcase_add_test(tcase, nothing_is_ever_printed);
        tcase_add_test(tcase, two_hundred_thousand_notifications_take_no_memory);
        return tcase;
}

/* The base of the fixture has one priority. */
START_TEST(a_priority_that_the_base_does_not_have_is_refused)
{
        struct pipit_options options = {.event_priority = 2};

        live_reopen(&options);
        ck_assert_ptr_nonnull(pipit_scope_error(live_db));
        ck_assert_ptr_nonnull(strstr(pipit_scope_error(live_db)->message, "priority 1"));
        expect_error(query("SELECT 1", PIPIT_NO_PARAMS), PIPIT_EINVAL, "");
}
END_TEST

START_TEST(an_sslmode_that_does_not_exist_is_refused)
{
        struct pipit_options options = {.sslmode = "bogus"};

        live_reopen(&options);
        expect_error(query("SELECT 1", PIPIT_NO_PARAMS), PIPIT_EINVAL, "");
}
END_TEST

static TCase *
settings(void)
{
        TCase *tcase = tcase_create("settings");

        tcase_add_checked_fixture(tcase, live_setup, live_teardown);
        tcase_add_test(tcase, the_settings_that_pipit_relies_on_are_pinned);
        tcase_add_test(tcase, the_search_path_is_an_option_and_not_sql);
        tcase_add_test(tcase, an_empty_search_path_leaves_the_servers);
        tcase_add_test(tcase, settings_of_a_database_and_of_a_role_change_nothing);
        tcase_add_test(tcase, a_priority_that_the_base_does_not_have_is_refused);
        tcase_add_test(tcase, an_sslmode_that_does_not_exist_is_refused);
        return tcase;
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("limits");

        suite_add_tcase(suite, bounds());
        suite_add_tcase(suite, messages());
        suite_add_tcase(suite, settings());
        return suite;
}
