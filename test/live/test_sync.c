/*
 * Blocking scopes: what pipit_wait() gives and runs, and when nobody may block.
 */
#include <stdio.h>
#include <string.h>

#include "witness.h"

#define LENGTH(array) ((int)(sizeof(array) / sizeof(array)[0]))

static struct pipit *sync_scope;

static void
sync_setup(void)
{
        live_setup();
        live_open(url_with(live_url(), "&application_name=pipit_sync"), NULL);
        sync_scope = pipit_allow_sync(live_db);
        ck_assert_ptr_nonnull(sync_scope);
        ck_assert_ptr_null(pipit_scope_error(sync_scope));
}

static void
sync_teardown(void)
{
        pipit_close(sync_scope);
        sync_scope = NULL;
        live_teardown();
}

/* Starts a statement without a callback. */
static pipit_request
start(struct pipit *scope, const char *sql)
{
        pipit_request request = pipit_query(scope, sql, PIPIT_NO_PARAMS, NULL, NULL);

        ck_assert_uint_ne(request, 0);
        return request;
}

static struct pipit_result *
run(struct pipit *scope, const char *sql)
{
        return pipit_wait(scope, start(scope, sql));
}

/* ---- waiting */

START_TEST(a_wait_gives_the_result_of_its_request)
{
        expect_text(run(sync_scope, "SELECT 'a'"), 0, 0, "a");
        expect_error(run(sync_scope, "SELECT 1/0"), PIPIT_ESERVER, "22012");
        expect_text(run(sync_scope, "SELECT 'b'"), 0, 0, "b");
}
END_TEST

START_TEST(requests_may_be_waited_for_in_any_order_and_again)
{
        pipit_request requests[20];
        const struct pipit_result *results[20];
        char number[16];

        for (int i = 0; i < LENGTH(requests); i++)
                requests[i] =
                        pipit_query(sync_scope, "SELECT $1::text", PIPIT_PARAMS(i), NULL, NULL);
        for (int i = LENGTH(requests) - 1; i >= 0; i--) {
                results[i] = pipit_wait(sync_scope, requests[i]);
                snprintf(number, sizeof number, "%d", i);
                expect_text(results[i], 0, 0, number);
        }
        for (int i = 0; i < LENGTH(requests); i++)
                ck_assert_ptr_eq(pipit_wait(sync_scope, requests[i]), results[i]);
}
END_TEST

/* ---- giving results back */

START_TEST(what_was_dropped_is_known_no_more)
{
        pipit_request request = start(sync_scope, "SELECT 'a'");
        pipit_request other = start(sync_scope, "SELECT 'b'");

        if (_i == 0)
                expect_ok(pipit_wait(sync_scope, request));
        pipit_wait_drop(sync_scope, request);
        pipit_wait_drop(sync_scope, request);
        expect_error(pipit_wait(sync_scope, request), PIPIT_EINVAL, "");
        expect_text(pipit_wait(sync_scope, other), 0, 0, "b");
        pipit_wait_drop(sync_scope, 0);
        pipit_wait_drop(live_db, other);
        pipit_wait_drop(NULL, other);
        expect_text(pipit_wait(sync_scope, other), 0, 0, "b");
}
END_TEST

START_TEST(a_dropped_request_still_calls_back)
{
        struct calls calls = {0};
        struct pipit *tx = pipit_begin(sync_scope, NULL);

        pipit_wait_drop(sync_scope, ask_on(_i == 0 ? sync_scope : tx, "SELECT 'a'", &calls));
        expect_ok(pipit_wait(sync_scope, pipit_commit(tx, NULL, NULL)));
        expect_ok(run(sync_scope, "SELECT 'b'"));
        ck_assert_int_eq(calls.n, 1);
        expect_text(calls.last, 0, 0, "a");
}
END_TEST

static void
on_drop(struct pipit_result *res, void *arg)
{
        const pipit_request *request = arg;

        expect_ok(res);
        pipit_wait_drop(sync_scope, *request);
}

START_TEST(a_wait_for_what_a_callback_drops_ends_with_an_error)
{
        pipit_request requests[2];

        pipit_query(sync_scope, "SELECT 1", PIPIT_NO_PARAMS, on_drop, &requests[_i]);
        requests[0] = start(sync_scope, "SELECT 2");
        requests[1] = pipit_query(sync_scope, "SELECT 3", PIPIT_NO_PARAMS, on_drop, &requests[1]);
        expect_error(pipit_wait(sync_scope, requests[_i]), PIPIT_EINVAL, "");
        expect_text(run(sync_scope, "SELECT 'b'"), 0, 0, "b");
}
END_TEST

START_TEST(a_kept_result_outlives_its_drop)
{
        pipit_request request = start(sync_scope, "SELECT 'kept'");
        struct pipit_result *res = pipit_result_ref(pipit_wait(sync_scope, request));

        pipit_wait_drop(sync_scope, request);
        expect_text(res, 0, 0, "kept");
        pipit_result_unref(res);
}
END_TEST

START_TEST(callbacks_run_inside_the_wait_and_once)
{
        struct calls calls[2] = {{0}};
        pipit_request first = ask_on(sync_scope, "SELECT 'first'", &calls[0]);
        pipit_request second = ask_on(sync_scope, "SELECT 'second'", &calls[1]);

        ck_assert_int_eq(calls[0].n + calls[1].n, 0);
        const struct pipit_result *res = pipit_wait(sync_scope, second);
        ck_assert_int_eq(calls[0].n, 1);
        ck_assert_int_eq(calls[1].n, 1);
        ck_assert_ptr_eq(res, calls[1].last);
        ck_assert_ptr_eq(pipit_wait(sync_scope, first), calls[0].last);
        expect_text(calls[0].last, 0, 0, "first");
        ck_assert_int_eq(calls[0].n + calls[1].n, 2);
}
END_TEST

START_TEST(a_completion_that_was_added_runs_inside_the_wait)
{
        struct calls calls[2] = {{0}};
        pipit_request request = ask_on(sync_scope, "SELECT 1", &calls[0]);

        ck_assert_int_eq(pipit_then(sync_scope, request, on_call, &calls[1]), 0);
        expect_ok(pipit_wait(sync_scope, request));
        pipit_close(sync_scope);
        sync_scope = NULL;
        ck_assert_int_eq(calls[0].n, 1);
        ck_assert_int_eq(calls[1].n, 1);
}
END_TEST

START_TEST(a_wait_for_nothing_gives_an_error_and_never_null)
{
        struct calls calls = {0};
        struct pipit *other = pipit_allow_sync(live_db);
        pipit_request of_db = ask_on(live_db, "SELECT 1", &calls);
        pipit_request mine = start(sync_scope, "SELECT 1");

        expect_error(pipit_wait(sync_scope, 0), PIPIT_EINVAL, "");
        expect_error(pipit_wait(sync_scope, mine + 1), PIPIT_EINVAL, "");
        expect_error(pipit_wait(sync_scope, UINT64_MAX), PIPIT_EINVAL, "");
        expect_error(pipit_wait(other, mine), PIPIT_EINVAL, "");
        expect_error(pipit_wait(NULL, mine), PIPIT_EINVAL, "");
        expect_error(pipit_wait(NULL, 0), PIPIT_EINVAL, "");
        expect_error(pipit_wait(live_db, of_db), PIPIT_EINVAL, "");
        ck_assert_str_ne(pipit_error_text(pipit_wait(NULL, 0)), "");
        expect_ok(pipit_wait(sync_scope, mine));
        expect_ok(answer(&calls));
}
END_TEST

START_TEST(a_kept_result_outlives_its_blocking_scope)
{
        struct pipit_result *res = pipit_result_ref(run(sync_scope, "SELECT 'kept'"));

        ck_assert_ptr_eq(pipit_result_scope(res), sync_scope);
        pipit_close(sync_scope);
        sync_scope = NULL;
        ck_assert_ptr_null(pipit_result_scope(res));
        expect_text(res, 0, 0, "kept");
        pipit_result_unref(res);
}
END_TEST

START_TEST(a_deadline_ends_a_wait)
{
        pipit_request request = start(sync_scope, "SELECT pg_sleep(60)");

        pipit_set_timeout(sync_scope, request, 50);
        expect_error(pipit_wait(sync_scope, request), PIPIT_ETIMEDOUT, "");
        expect_text(run(sync_scope, "SELECT 'next'"), 0, 0, "next");
}
END_TEST

START_TEST(a_cancelled_request_can_be_waited_for)
{
        struct calls calls = {0};
        pipit_request request = ask_on(sync_scope, "SELECT 1", &calls);

        pipit_cancel(sync_scope, request);
        ck_assert_int_eq(calls.n, 0);
        expect_error(pipit_wait(sync_scope, request), PIPIT_ECANCELED, "");
        ck_assert_int_eq(calls.n, 1);
}
END_TEST

START_TEST(a_lost_connection_is_replaced_inside_the_wait)
{
        const struct pipit_result *res =
                run(sync_scope, "SELECT pg_terminate_backend(pg_backend_pid())");

        ck_assert_int_eq(pipit_result_error(res)->code, PIPIT_ELOST);
        expect_text(run(sync_scope, "SELECT 'again'"), 0, 0, "again");
}
END_TEST

START_TEST(a_drain_can_be_waited_for)
{
        pipit_request request = start(sync_scope, "SELECT 'in time'");

        expect_ok(pipit_wait(sync_scope, pipit_drain(sync_scope, -1, NULL, NULL)));
        expect_text(pipit_wait(sync_scope, request), 0, 0, "in time");
        expect_error(run(sync_scope, "SELECT 'too late'"), PIPIT_ECLOSED, "");
}
END_TEST

/* ---- callbacks that wait and start */

struct nested {
        pipit_request done;    /* has completed */
        pipit_request pending; /* has not */
        pipit_request started; /* by the callback */
        struct pipit *other;
        int n;
};

static void
on_nested(struct pipit_result *res, void *arg)
{
        struct nested *nested = arg;
        struct pipit *scope = pipit_result_scope(res);

        nested->n++;
        expect_error(pipit_wait(scope, nested->pending), PIPIT_EBLOCKING, "");
        expect_text(pipit_wait(scope, nested->done), 0, 0, "done");
        expect_text(run(nested->other, "SELECT 'elsewhere'"), 0, 0, "elsewhere");
        nested->started = start(scope, "SELECT 'started'");
}

START_TEST(a_wait_inside_a_callback_of_its_scope_is_an_error_unless_it_is_over)
{
        struct nested nested = {.other = pipit_allow_sync(live_db)};

        nested.done = start(sync_scope, "SELECT 'done'");
        expect_ok(pipit_wait(sync_scope, nested.done));
        pipit_request outer =
                pipit_query(sync_scope, "SELECT 1", PIPIT_NO_PARAMS, on_nested, &nested);
        nested.pending = start(sync_scope, "SELECT 'pending'");
        expect_ok(pipit_wait(sync_scope, outer));
        ck_assert_int_eq(nested.n, 1);
        expect_text(pipit_wait(sync_scope, nested.pending), 0, 0, "pending");
        expect_text(pipit_wait(sync_scope, nested.started), 0, 0, "started");
}
END_TEST

/* ---- closing */

#define CONNECTIONS "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pipit_sync'"

START_TEST(closing_calls_back_what_is_outstanding_and_closes_the_connection)
{
        struct calls sent = {0};
        struct calls waiting = {0};

        expect_ok(run(sync_scope, "SELECT 1"));
        ask_until(live_url(), CONNECTIONS, 1);
        ask_on(sync_scope, "SELECT pg_sleep(60)", &sent);
        expect_error(pipit_wait(sync_scope, 0), PIPIT_EINVAL, "");
        ask_on(sync_scope, "SELECT 2", &waiting);
        pipit_close(sync_scope);
        sync_scope = NULL;
        ck_assert_int_eq(sent.n, 1);
        ck_assert_int_eq(waiting.n, 1);
        expect_error(sent.last, PIPIT_ECANCELED, "");
        expect_error(waiting.last, PIPIT_ECANCELED, "");
        ask_until(live_url(), CONNECTIONS, 0);
}
END_TEST

START_TEST(a_statement_that_was_sent_ends_as_unknown_when_its_scope_is_closed)
{
        struct calls calls = {0};

        /* The second is sent with the first, and the wait ends with the first's answer. */
        pipit_request first = start(sync_scope, "SELECT 1");
        ask_on(sync_scope, "SELECT pg_sleep(60)", &calls);
        expect_ok(pipit_wait(sync_scope, first));
        pipit_close(sync_scope);
        sync_scope = NULL;
        ck_assert_int_eq(calls.n, 1);
        expect_executed(calls.last, PIPIT_ECANCELED, PIPIT_EXECUTED_UNKNOWN);
}
END_TEST

static void
on_call_start_another(struct pipit_result *res, void *arg)
{
        ask_on(pipit_result_scope(res), "SELECT 1", arg);
}

START_TEST(what_a_callback_starts_while_its_scope_closes_fails_inside_the_close)
{
        struct calls late = {0};

        pipit_query(sync_scope, "SELECT 1", PIPIT_NO_PARAMS, on_call_start_another, &late);
        pipit_close(sync_scope);
        sync_scope = NULL;
        ck_assert_int_eq(late.n, 1);
        expect_error(late.last, PIPIT_ECLOSED, "");
}
END_TEST

static void
on_call_close(struct pipit_result *res, void *arg)
{
        struct pipit **scope = arg;

        (void)res;
        pipit_close(*scope);
        *scope = NULL;
}

/* One request whose callback closes a scope, with others before and behind it: each is called. */
static void
wait_through_close(struct pipit **closed, int waited)
{
        struct calls calls[3] = {{0}};
        pipit_request requests[3];

        requests[0] = ask_on(sync_scope, "SELECT 1", &calls[0]);
        requests[1] = ask_on(sync_scope, "SELECT 2", &calls[1]);
        ck_assert_int_eq(pipit_then(sync_scope, requests[1], on_call_close, closed), 0);
        requests[2] = ask_on(sync_scope, "SELECT pg_sleep(60)", &calls[2]);
        const struct pipit_result *res = pipit_wait(sync_scope, requests[waited]);
        sync_scope = NULL;
        ck_assert_ptr_nonnull(res);
        expect_error(res, PIPIT_ECLOSED, "");
        ck_assert_ptr_null(*closed);
        expect_ok(calls[0].last);
        expect_ok(calls[1].last);
        expect_error(calls[2].last, PIPIT_ECANCELED, "");
        ck_assert_int_eq(calls[0].n + calls[1].n + calls[2].n, 3);
}

/* More than one turn completes: none of them is forgotten when the wait ends. */
START_TEST(closing_inside_a_callback_calls_back_for_hundreds_of_others)
{
        struct calls first = {0};
        struct calls others = {0};

        pipit_request request = ask_on(sync_scope, "SELECT 1", &first);
        ck_assert_int_eq(pipit_then(sync_scope, request, on_call_close, &sync_scope), 0);
        for (int i = 0; i < 300; i++)
                ask_on(sync_scope, "SELECT 2", &others);
        pipit_wait(sync_scope, request);
        ck_assert_int_eq(first.n, 1);
        ck_assert_int_eq(others.n, 300);
        sync_scope = NULL;
}
END_TEST

START_TEST(closing_the_scope_inside_a_callback_ends_the_wait)
{
        wait_through_close(&sync_scope, _i);
}
END_TEST

START_TEST(closing_the_database_inside_a_callback_ends_the_wait)
{
        wait_through_close(&live_db, _i);
}
END_TEST

START_TEST(closing_the_database_closes_its_blocking_scopes)
{
        struct calls calls = {0};

        ask_on(sync_scope, "SELECT 1", &calls);
        pipit_close(live_db);
        live_db = NULL;
        sync_scope = NULL;
        ck_assert_int_eq(calls.n, 1);
        expect_error(calls.last, PIPIT_ECANCELED, "");
}
END_TEST

/* ---- the main loop meanwhile */

START_TEST(nothing_of_the_database_moves_during_a_wait)
{
        struct calls sent = {0};
        struct calls waiting = {0};

        execute("SELECT 1");
        ask_on(live_db, "SELECT 'meanwhile'", &sent);
        /* One turn: without ONCE it would go on while answers come. */
        event_base_loop(live_base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
        /* It was sent and is answered, and the answer lies in the socket. */
        while (!pipit_failed(run(sync_scope, "SELECT 1 / count(*) FROM pg_stat_activity WHERE "
                                             "state = 'active' AND query LIKE '%''meanwhile''' "
                                             "AND pid <> pg_backend_pid()")))
                continue;
        ask_on(live_db, "SELECT 'later'", &waiting);
        for (int i = 0; i < 20; i++)
                expect_ok(run(sync_scope, "SELECT 1"));
        ck_assert_int_eq(ask(live_url(), "SELECT count(*) FROM pg_stat_activity WHERE "
                                         "query LIKE '%''later''' AND pid <> pg_backend_pid()"),
                         0);
        ck_assert_int_eq(sent.n + waiting.n, 0);
        expect_text(answer(&sent), 0, 0, "meanwhile");
        expect_text(answer(&waiting), 0, 0, "later");
}
END_TEST

/* ---- what cannot be opened */

START_TEST(a_bad_url_tells_its_cause_through_wait)
{
        struct pipit *db = pipit_open(live_base, "postgresql://host:port:x/", NULL);
        struct pipit *sync = pipit_allow_sync(db);
        const struct pipit_result *res = run(sync, "SELECT 1");

        expect_error(res, PIPIT_EINVAL, "");
        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), "connection string"));
        ck_assert_str_eq(pipit_scope_error(sync)->message, pipit_error_text(res));
        pipit_close(sync);
        pipit_close(db);
}
END_TEST

START_TEST(an_unknown_database_tells_its_cause_through_wait)
{
        struct pipit *db =
                pipit_open(live_base, url_with(live_url(), "&dbname=sync_no_such"), NULL);
        const struct pipit_result *res = run(pipit_allow_sync(db), "SELECT 1");

        expect_error(res, PIPIT_ECONNECT, "3D000");
        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), "sync_no_such"));
        pipit_close(db);
}
END_TEST

START_TEST(a_server_that_is_not_there_tells_its_cause_through_wait)
{
        const struct pipit_options options = {.acquire_timeout_ms = 300};

        struct pipit *db = pipit_open(live_base, "postgresql:///x?host=/nowhere/at/all", &options);
        const struct pipit_result *res = run(pipit_allow_sync(db), "SELECT 1");

        expect_executed(res, PIPIT_ETIMEDOUT, PIPIT_EXECUTED_NO);
        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), "/nowhere/at/all"));
        pipit_close(db);
}
END_TEST

/* ---- suite */

static void
add_closing(TCase *tcase)
{
        tcase_add_test(tcase, closing_calls_back_what_is_outstanding_and_closes_the_connection);
        tcase_add_test(tcase, a_statement_that_was_sent_ends_as_unknown_when_its_scope_is_closed);
        tcase_add_test(tcase, what_a_callback_starts_while_its_scope_closes_fails_inside_the_close);
        tcase_add_test(tcase, closing_inside_a_callback_calls_back_for_hundreds_of_others);
        tcase_add_loop_test(tcase, closing_the_scope_inside_a_callback_ends_the_wait, 1, 3);
        tcase_add_loop_test(tcase, closing_the_database_inside_a_callback_ends_the_wait, 1, 3);
        tcase_add_test(tcase, closing_the_database_closes_its_blocking_scopes);
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("sync");
        TCase *tcase = tcase_create("sync");

        tcase_add_checked_fixture(tcase, sync_setup, sync_teardown);
        tcase_add_test(tcase, a_wait_gives_the_result_of_its_request);
        tcase_add_test(tcase, requests_may_be_waited_for_in_any_order_and_again);
        tcase_add_loop_test(tcase, what_was_dropped_is_known_no_more, 0, 2);
        tcase_add_loop_test(tcase, a_dropped_request_still_calls_back, 0, 2);
        tcase_add_loop_test(tcase, a_wait_for_what_a_callback_drops_ends_with_an_error, 0, 2);
        tcase_add_test(tcase, a_kept_result_outlives_its_drop);
        tcase_add_test(tcase, callbacks_run_inside_the_wait_and_once);
        tcase_add_test(tcase, a_completion_that_was_added_runs_inside_the_wait);
        tcase_add_test(tcase, a_wait_for_nothing_gives_an_error_and_never_null);
        tcase_add_test(tcase, a_kept_result_outlives_its_blocking_scope);
        tcase_add_test(tcase, a_deadline_ends_a_wait);
        tcase_add_test(tcase, a_cancelled_request_can_be_waited_for);
        tcase_add_test(tcase, a_lost_connection_is_replaced_inside_the_wait);
        tcase_add_test(tcase, a_drain_can_be_waited_for);
        tcase_add_test(tcase, a_wait_inside_a_callback_of_its_scope_is_an_error_unless_it_is_over);
        add_closing(tcase);
        tcase_add_test(tcase, nothing_of_the_database_moves_during_a_wait);
        tcase_add_test(tcase, a_bad_url_tells_its_cause_through_wait);
        tcase_add_test(tcase, an_unknown_database_tells_its_cause_through_wait);
        tcase_add_test(tcase, a_server_that_is_not_there_tells_its_cause_through_wait);
        suite_add_tcase(suite, tcase);
        return suite;
}
