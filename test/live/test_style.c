/*
 * One value has one text and one reading, ISO and in UTC, whatever its session has set: at the
 * first use of a statement there and at each later one.
 */
#include <string.h>

#include "live.h"

#define VALUES                                                                                     \
        "SELECT '2024-01-31 12:00:00+00'::timestamptz, '1 day -2 hours'::interval, "               \
        "'\\x41'::bytea, 0.1::float8 + 0.2::float8, '2024-01-31'::date"

static const char *const texts[] = {"2024-01-31 12:00:00+00", "P1DT-2H", "\\x41",
                                    "0.30000000000000004", "2024-01-31"};

/* Each is a way to have another style, as a statement. */
static const char *const settings[] = {
        "SET TIME ZONE 'Europe/Berlin'",
        "SET TimeZone = 'Asia/Tokyo'",
        "SET DateStyle = 'SQL, DMY'",
        "SET DateStyle TO German",
        "SET IntervalStyle = 'postgres'",
        "SET IntervalStyle = 'sql_standard'",
        "SET bytea_output = 'escape'",
        "SET extra_float_digits = 0",
        "/* its name */ set /* is behind this */ extra_float_digits to -5",
        "SELECT set_config('timezone', 'Asia/Tokyo', false)",
        "SELECT set_config('extra_float_digits', '0', false)",
        "SELECT pg_catalog.set_config($1::text, 'SQL', false) FROM (SELECT 'datestyle'::text) n",
};
enum { N_SETTINGS = sizeof settings / sizeof settings[0] };

/* In another zone a function sets what no text says. */
#define HIDDEN                                                                                     \
        "CREATE FUNCTION style_hidden() RETURNS text LANGUAGE sql AS "                             \
        "$$ SELECT set_config('TimeZone', 'Asia/Tokyo', false) $$"

static void
expect_texts(struct pipit_result *res)
{
        struct pipit_timestamp timestamp;
        double number = 0;

        expect_ok(res);
        for (int i = 0; i < 5; i++)
                expect_text(res, 0, i, texts[i]);
        ck_assert_int_eq(pipit_result_timestamp(res, 0, 0, &timestamp), 0);
        ck_assert_int_eq(timestamp.us, INT64_C(1706702400000000));
        ck_assert_int_eq(pipit_result_double(res, 0, 3, &number), 0);
        ck_assert(number == 0.1 + 0.2);
}

/* The first use, two later ones, and one under a text that nobody has used. */
static void
expect_one_text(struct pipit *scope, int i)
{
        char fresh[300];

        for (int use = 0; use < 3; use++)
                expect_texts(query_on(scope, VALUES, PIPIT_NO_PARAMS));
        snprintf(fresh, sizeof fresh, VALUES " -- %d", i);
        expect_texts(query_on(scope, fresh, PIPIT_NO_PARAMS));
}

static struct pipit_result *
set_style(struct pipit *scope, int i)
{
        if (strstr(settings[i], "$1") != NULL)
                return query_on(scope, settings[i], PIPIT_PARAMS("datestyle"));
        return query_on(scope, settings[i], PIPIT_NO_PARAMS);
}

START_TEST(a_session_that_has_set_a_style_reads_as_any_other)
{
        struct pipit *session = pipit_session_open(live_db);

        expect_ok(set_style(session, _i));
        expect_one_text(session, _i);
        pipit_close(session);
        expect_one_text(live_db, _i);
}
END_TEST

START_TEST(what_was_used_before_reads_the_same_afterwards)
{
        struct pipit *session = pipit_session_open(live_db);

        expect_one_text(session, _i);
        expect_ok(set_style(session, _i));
        expect_one_text(session, _i);
        pipit_close(session);
}
END_TEST

START_TEST(a_transaction_that_has_set_a_style_reads_as_any_other)
{
        struct pipit *tx = pipit_begin(live_db, NULL);
        struct pipit *nested = NULL;

        expect_ok(set_style(tx, _i));
        expect_one_text(tx, _i);
        nested = pipit_begin(tx, NULL);
        expect_one_text(nested, _i + 100);
        pipit_rollback(nested, NULL, NULL);
        pipit_rollback(tx, NULL, NULL);
        expect_one_text(live_db, _i);
}
END_TEST

START_TEST(a_test_scope_that_has_set_a_style_reads_as_any_other)
{
        struct pipit *scope = pipit_test_scope(live_db);

        expect_ok(set_style(scope, _i));
        expect_one_text(scope, _i);
        pipit_close(scope);
}
END_TEST

/* ---- in one flight */

static struct calls calls[4];

static void
set_and_ask(struct pipit *tx, void *arg)
{
        (void)arg;
        memset(calls, 0, sizeof calls);
        ask_on(tx, "SET LOCAL TIME ZONE 'Europe/Berlin'", &calls[0]);
        ask_on(tx, VALUES, &calls[1]);
        ask_on(tx, VALUES, &calls[2]);
}

START_TEST(what_is_started_behind_the_setting_reads_so_too)
{
        struct calls done = {0};

        pipit_atomic(live_db, set_and_ask, on_call, &done);
        expect_ok(answer(&done));
        expect_texts(calls[1].last);
        expect_texts(calls[2].last);
}
END_TEST

START_TEST(a_style_that_a_function_has_set_is_seen)
{
        struct pipit *session = pipit_session_open(live_db);

        expect_ok(query_on(session, HIDDEN, PIPIT_NO_PARAMS));
        expect_ok(query_on(session, "SELECT style_hidden()", PIPIT_NO_PARAMS));
        expect_one_text(session, 0);
        pipit_close(session);
}
END_TEST

/* ---- failures */

START_TEST(a_statement_that_cannot_be_prepared_has_its_own_error)
{
        struct pipit *tx = pipit_begin(live_db, NULL);

        expect_ok(query_on(tx, "SET LOCAL DateStyle = 'SQL'", PIPIT_NO_PARAMS));
        expect_error(query_on(tx, "SELECT no_such_column", PIPIT_NO_PARAMS), PIPIT_ESERVER,
                     "42703");
        expect_error(query_on(tx, VALUES, PIPIT_NO_PARAMS), PIPIT_EROLLBACK, "");
        pipit_rollback(tx, NULL, NULL);
}
END_TEST

START_TEST(a_session_goes_on_after_what_cannot_be_prepared)
{
        struct pipit *session = pipit_session_open(live_db);

        expect_ok(query_on(session, "SET DateStyle = 'SQL'", PIPIT_NO_PARAMS));
        for (int i = 0; i < 2; i++)
                expect_error(query_on(session, "SELECT no_such_column", PIPIT_NO_PARAMS),
                             PIPIT_ESERVER, "42703");
        expect_one_text(session, 0);
        pipit_close(session);
}
END_TEST

START_TEST(what_may_fail_is_undone_alone)
{
        struct pipit *scope = pipit_test_scope(live_db);

        expect_ok(query_on(scope, "SET LOCAL DateStyle = 'SQL'", PIPIT_NO_PARAMS));
        expect_error(query_on(scope, "SELECT no_such_column", PIPIT_NO_PARAMS), PIPIT_ESERVER,
                     "42703");
        expect_one_text(scope, 0);
        pipit_close(scope);
}
END_TEST

START_TEST(a_statement_that_waits_for_its_types_can_be_cancelled)
{
        struct pipit *tx = pipit_begin(live_db, NULL);
        struct calls cancelled = {0};

        expect_ok(query_on(tx, "SET LOCAL DateStyle = 'SQL'", PIPIT_NO_PARAMS));
        pipit_request request = ask_on(tx, VALUES " -- cancelled", &cancelled);
        event_base_loop(live_base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
        pipit_cancel(tx, request);
        expect_error(answer(&cancelled), PIPIT_ECANCELED, "");
        pipit_rollback(tx, NULL, NULL);
        expect_one_text(live_db, 0);
}
END_TEST

/* ---- what must stay text */

/* money has no binary form that pipit reads, so that the whole row is text. */
START_TEST(a_number_that_may_lack_digits_is_refused)
{
        struct pipit *session = pipit_session_open(live_db);
        struct pipit_decimal decimal;
        double number = 0;
        float narrow = 0;

        expect_ok(query_on(session, "SET extra_float_digits = 0", PIPIT_NO_PARAMS));
        struct pipit_result *res = query_on(
                session, "SELECT 0.1::float8 + 0.2::float8, 1::money, 5::int4, 0.1::float4",
                PIPIT_NO_PARAMS);
        expect_ok(res);
        ck_assert_int_eq(pipit_result_double(res, 0, 0, &number), PIPIT_ETYPE);
        ck_assert_int_eq(pipit_result_float(res, 0, 3, &narrow), PIPIT_ETYPE);
        struct pipit_item item;
        ck_assert_int_eq(pipit_result_item(res, 0, 0, &item), 0);
        ck_assert_int_eq(pipit_item_decimal(&item, 2, &decimal), PIPIT_ETYPE);
        int32_t whole = 0;
        ck_assert_int_eq(pipit_result_int32(res, 0, 2, &whole), 0);
        ck_assert_int_eq(whole, 5);
        pipit_close(session);
}
END_TEST

/* An interval is not: its styles do not contradict each other. */
START_TEST(a_time_in_another_style_is_refused)
{
        struct pipit *session = pipit_session_open(live_db);
        struct pipit_timestamp timestamp;
        struct pipit_interval interval;
        struct pipit_item item;

        expect_ok(query_on(session, "SET DateStyle = 'SQL, DMY'", PIPIT_NO_PARAMS));
        expect_ok(query_on(session, "SET IntervalStyle = 'postgres'", PIPIT_NO_PARAMS));
        struct pipit_result *res =
                query_on(session, "SELECT '2024-03-01'::date, '1 day 2 hours'::interval, 1::money",
                         PIPIT_NO_PARAMS);
        expect_ok(res);
        ck_assert_int_eq(pipit_result_timestamp(res, 0, 0, &timestamp), PIPIT_ETYPE);
        ck_assert_int_eq(pipit_result_item(res, 0, 1, &item), 0);
        ck_assert_int_eq(pipit_item_interval(&item, &interval), 0);
        ck_assert_int_eq(interval.days, 1);
        ck_assert_int_eq(interval.us, INT64_C(7200000000));
        pipit_close(session);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("live/style");
        TCase *tcase = tcase_create("style");

        tcase_add_checked_fixture(tcase, live_setup, live_teardown);
        tcase_add_loop_test(tcase, a_session_that_has_set_a_style_reads_as_any_other, 0,
                            N_SETTINGS);
        tcase_add_loop_test(tcase, what_was_used_before_reads_the_same_afterwards, 0, N_SETTINGS);
        tcase_add_loop_test(tcase, a_transaction_that_has_set_a_style_reads_as_any_other, 0,
                            N_SETTINGS);
        tcase_add_loop_test(tcase, a_test_scope_that_has_set_a_style_reads_as_any_other, 0,
                            N_SETTINGS);
        tcase_add_test(tcase, what_is_started_behind_the_setting_reads_so_too);
        tcase_add_test(tcase, a_style_that_a_function_has_set_is_seen);
        tcase_add_test(tcase, a_statement_that_cannot_be_prepared_has_its_own_error);
        tcase_add_test(tcase, a_session_goes_on_after_what_cannot_be_prepared);
        tcase_add_test(tcase, what_may_fail_is_undone_alone);
        tcase_add_test(tcase, a_statement_that_waits_for_its_types_can_be_cancelled);
        tcase_add_test(tcase, a_number_that_may_lack_digits_is_refused);
        tcase_add_test(tcase, a_time_in_another_style_is_refused);
        suite_add_tcase(suite, tcase);
        return suite;
}
