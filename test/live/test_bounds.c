/*
 * Every bound holds on every kind of scope.
 */
#include <stdlib.h>
#include <string.h>

#include "live.h"

enum { ON_DATABASE, ON_SESSION, ON_TRANSACTION, ON_NESTED, ON_TEST_SCOPE, N_KINDS };

#define VALUE_SIZE 100000
#define ROOM       5 /* statements with such a value that may wait */
#define MOST       20

static char value[VALUE_SIZE + 1];
static struct pipit *outer;
static struct pipit *scope;

static void
open_scope(int kind, const struct pipit_options *options)
{
        live_reopen(options);
        memset(value, 'x', VALUE_SIZE);
        outer = NULL;
        switch (kind) {
        case ON_DATABASE: scope = live_db; break;
        case ON_SESSION: scope = pipit_session_open(live_db); break;
        case ON_TRANSACTION: scope = pipit_begin(live_db, NULL); break;
        case ON_NESTED:
                outer = pipit_begin(live_db, NULL);
                scope = pipit_begin(outer, NULL);
                break;
        case ON_TEST_SCOPE: scope = pipit_test_scope(live_db); break;
        default: ck_abort_msg("no such kind");
        }
        ck_assert_ptr_nonnull(scope);
}

static void
close_scope(void)
{
        if (scope != live_db)
                pipit_close(scope);
        if (outer != NULL)
                pipit_close(outer);
}

/* Starts so many at once; returns how many were refused, each by that bound. */
static int
refused_of(int n, const char *text, const char *bound)
{
        struct calls calls[MOST] = {{0}};
        int refused = 0;

        for (int i = 0; i < n; i++)
                ck_assert_uint_ne(pipit_query(scope, "SELECT length($1)", PIPIT_PARAMS(text),
                                              on_call, &calls[i]),
                                  0);
        for (int i = 0; i < n; i++) {
                const struct pipit_result *res = answer(&calls[i]);
                if (!pipit_failed(res))
                        continue;
                expect_executed(res, PIPIT_ELIMIT, PIPIT_EXECUTED_NO);
                ck_assert_ptr_nonnull(strstr(pipit_error_text(res), bound));
                refused++;
        }
        return refused;
}

START_TEST(the_bytes_that_wait_are_bounded)
{
        open_scope(_i, &(struct pipit_options){.max_connections = 1,
                                               .max_waiting_bytes = ROOM * (VALUE_SIZE + 1000)});
        ck_assert_int_eq(refused_of(MOST, value, "max_waiting_bytes"), MOST - ROOM);
        /* Answered requests take no room any more. */
        ck_assert_int_eq(refused_of(ROOM, value, "max_waiting_bytes"), 0);
        close_scope();
}
END_TEST

START_TEST(the_number_of_those_that_wait_is_bounded)
{
        open_scope(_i, &(struct pipit_options){.max_connections = 1, .max_waiting = ROOM});
        ck_assert_int_ge(refused_of(MOST, "x", "max_waiting"), MOST - ROOM - 1);
        ck_assert_int_eq(refused_of(ROOM, "x", "max_waiting"), 0);
        close_scope();
}
END_TEST

START_TEST(the_bytes_of_one_request_are_bounded)
{
        open_scope(_i, &(struct pipit_options){.max_request_bytes = VALUE_SIZE});
        ck_assert_int_eq(refused_of(1, value, "max_request_bytes"), 1);
        ck_assert_int_eq(refused_of(1, "x", "max_request_bytes"), 0);
        close_scope();
}
END_TEST

START_TEST(the_bytes_of_a_result_are_bounded)
{
        struct calls calls = {0};

        open_scope(_i, &(struct pipit_options){.max_result_bytes = VALUE_SIZE});
        ask_on(scope, "SELECT repeat('x', 20000000)", &calls);
        expect_error(answer(&calls), PIPIT_ELIMIT, "");
        ck_assert_ptr_nonnull(strstr(pipit_error_text(calls.last), "max_result_bytes"));
        close_scope();
}
END_TEST

/* 1e131071 takes ten bytes in binary form, and has 131,072 digits. */
START_TEST(the_texts_that_are_made_of_a_result_are_bounded)
{
        static const char sql[] = "SELECT 1, '1e131071'::numeric FROM generate_series(1, $1)";
        struct pipit_item item;
        struct pipit_bytes bytes;

        open_scope(_i, &(struct pipit_options){.max_connections = 1, .max_result_bytes = 400000});
        expect_ok(query_on(scope, sql, PIPIT_PARAMS(1)));
        struct pipit_result *res = query_on(scope, sql, PIPIT_PARAMS(3000));
        expect_ok(res);
        ck_assert_int_eq(pipit_result_item(res, 0, 1, &item), 0);
        ck_assert(item.binary);
        for (int row = 0; row < pipit_result_rows(res); row++)
                ck_assert_uint_eq(pipit_result_length(res, row, 1), row < 3 ? 131072 : 0);
        ck_assert(!pipit_result_null(res, 3, 1));
        ck_assert_ptr_null(pipit_result_text(res, 3, 1));
        ck_assert_int_eq(pipit_result_bytes(res, 3, 1, &bytes), PIPIT_ELIMIT);
        ck_assert_str_eq(pipit_result_text(res, 2999, 0), "1");
        close_scope();
}
END_TEST

START_TEST(what_is_given_up_while_it_waits_takes_no_room_any_more)
{
        struct calls calls[ROOM] = {{0}};
        pipit_request requests[ROOM];

        open_scope(_i, &(struct pipit_options){.max_connections = 1,
                                               .max_waiting_bytes = ROOM * (VALUE_SIZE + 1000)});
        for (int i = 0; i < ROOM; i++)
                requests[i] = pipit_query(scope, "SELECT length($1)", PIPIT_PARAMS(value), on_call,
                                          &calls[i]);
        for (int i = 0; i < ROOM; i++)
                pipit_cancel(scope, requests[i]);
        ck_assert_int_eq(refused_of(ROOM, value, "max_waiting_bytes"), 0);
        for (int i = 0; i < ROOM; i++)
                expect_executed(answer(&calls[i]), PIPIT_ECANCELED, PIPIT_EXECUTED_NO);
        close_scope();
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("bounds");
        TCase *tcase = tcase_create("bounds");

        tcase_add_checked_fixture(tcase, live_setup, live_teardown);
        tcase_add_loop_test(tcase, the_bytes_that_wait_are_bounded, 0, N_KINDS);
        tcase_add_loop_test(tcase, the_number_of_those_that_wait_is_bounded, 0, N_KINDS);
        tcase_add_loop_test(tcase, the_bytes_of_one_request_are_bounded, 0, N_KINDS);
        tcase_add_loop_test(tcase, the_bytes_of_a_result_are_bounded, 0, N_KINDS);
        tcase_add_loop_test(tcase, the_texts_that_are_made_of_a_result_are_bounded, 0, N_KINDS);
        tcase_add_loop_test(tcase, what_is_given_up_while_it_waits_takes_no_room_any_more, 0,
                            N_KINDS);
        suite_add_tcase(suite, tcase);
        return suite;
}
