/*
 * The pool: how many connections there are, which one is used, and when they go.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "witness.h"

#define POOL  "&application_name=pool"
#define COUNT "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pool'"
#define PID   "SELECT pg_backend_pid()"

static void
open_pool(const struct pipit_options *options)
{
        live_open(url_with(live_url(), POOL), options);
}

static int64_t
connections(void)
{
        return ask(live_url(), COUNT);
}

/* How many events of the loop are pipit's. */
static int
events(void)
{
        return event_base_get_num_events(live_base,
                                         EVENT_BASE_COUNT_ADDED | EVENT_BASE_COUNT_ACTIVE);
}

/* Makes n connections: each is busy until all are. */
static void
grow_to(int n)
{
        struct crowd *crowd = crowd_new();
        struct gate gate;

        gate_shut(&gate, live_url(), 0);
        crowd_start(crowd, n, gate.sql);
        gate_await(&gate, n);
        ck_assert_int_eq(connections(), n);
        gate_open(&gate);
        crowd_join(crowd);
        ck_assert_int_eq(crowd->n_ok, n);
        crowd_free(crowd);
}

START_TEST(there_are_never_more_connections_than_the_maximum)
{
        struct pipit_options options = {.max_connections = 3, .max_connecting = 3};
        struct crowd *crowd = crowd_new();

        open_pool(&options);
        crowd_start(crowd, 60, COUNT " AND pg_sleep(0.01) IS NOT NULL");
        crowd_join(crowd);
        for (int i = 0; i < 60; i++) {
                ck_assert_int_eq(crowd->members[i].code, PIPIT_OK);
                ck_assert_int_ge(atoi(crowd->members[i].value), 1);
                ck_assert_int_le(atoi(crowd->members[i].value), 3);
        }
        ask_until(live_url(), COUNT, 3);
        crowd_free(crowd);
}
END_TEST

START_TEST(nothing_is_connected_before_the_first_request)
{
        open_pool(NULL);
        loop_for(50);
        ck_assert_int_eq(connections(), 0);
        ck_assert_int_eq(events(), 0);
        execute("SELECT 1");
        ck_assert_int_eq(connections(), 1);
}
END_TEST

START_TEST(the_minimum_is_opened_without_a_request_and_kept)
{
        struct pipit_options options = journal_options();

        options.min_connections = 3;
        open_pool(&options);
        loop_until(&live_journal.n_up, 3);
        loop_for(50);
        ck_assert_int_eq(connections(), 3);
        ask(live_url(), "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                        " WHERE application_name = 'pool'");
        loop_until(&live_journal.n_up, 6);
        ask_until(live_url(), COUNT, 3);
}
END_TEST

START_TEST(so_many_connections_are_made_at_once_and_no_more)
{
        struct pipit_options options = {.max_connecting = 3};
        struct crowd *crowd = crowd_new();
        struct mute mute;

        mute_open(&mute, false);
        live_open(mute.url, &options);
        crowd_start(crowd, 20, "SELECT $1::int");
        loop_until(&mute.n, 3);
        for (int i = 0; i < 20; i++)
                pipit_set_timeout(live_db, crowd->members[i].number, 50);
        crowd_join(crowd);
        ck_assert_int_eq(mute.n, 3);
        ck_assert_ptr_nonnull(strstr(crowd->text, "3 are being made"));
        mute_close(&mute);
        crowd_free(crowd);
}
END_TEST

START_TEST(no_more_connections_are_made_than_requests_wait)
{
        struct pipit_options options = {.max_connecting = 8};

        open_pool(&options);
        grow_to(2);
        loop_for(20);
        ck_assert_int_eq(connections(), 2);
}
END_TEST

START_TEST(an_idle_connection_is_used_before_a_new_one_is_made)
{
        open_pool(NULL);
        for (int i = 0; i < 20; i++)
                execute("SELECT 1");
        ck_assert_int_eq(connections(), 1);
}
END_TEST

START_TEST(the_connection_that_was_used_last_is_used_next)
{
        struct calls calls[3] = {{0}, {0}, {0}};
        struct gate gates[3];

        open_pool(NULL);
        grow_to(3);
        for (int i = 0; i < 3; i++) {
                gate_shut(&gates[i], live_url(), i);
                ask_on(live_db, gates[i].sql, &calls[i]);
        }
        for (int i = 0; i < 3; i++) { /* all are sent before the first is answered */
                gate_await(&gates[i], 1);
        }
        for (int i = 0; i < 3; i++) {
                int next = (int[]){0, 2, 1}[i];
                gate_open(&gates[next]);
                expect_ok(answer(&calls[next]));
        }
        for (int i = 0; i < 5; i++)
                expect_text(query(PID, PIPIT_NO_PARAMS), 0, 0,
                            pipit_result_text(calls[1].last, 0, 0));
}
END_TEST

START_TEST(a_slow_query_does_not_delay_others_while_there_may_be_more_connections)
{
        struct pipit_options options = {.max_connections = 2};
        struct calls slow = {0};

        open_pool(&options);
        execute("SELECT 1");
        pipit_request number =
                pipit_query(live_db, "SELECT pg_sleep(30)", PIPIT_NO_PARAMS, on_call, &slow);
        for (int i = 0; i < 20; i++)
                execute("SELECT 1");
        ck_assert_int_eq(slow.n, 0);
        ck_assert_int_eq(connections(), 2);
        pipit_cancel(live_db, number);
        expect_error(answer(&slow), PIPIT_ECANCELED, "");
        /* The server would go on with it, and the next test wait for its session's end. */
        ask(live_url(), "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                        " WHERE application_name = 'pool'");
}
END_TEST

START_TEST(idle_connections_go_until_nothing_is_left)
{
        struct pipit_options options = {.idle_timeout_ms = 100};

        open_pool(&options);
        grow_to(4);
        loop_until(NULL, 0); /* the loop ends by itself */
        ck_assert_int_eq(events(), 0);
        ask_until(live_url(), COUNT, 0);
        execute("SELECT 1");
}
END_TEST

START_TEST(idle_connections_go_down_to_the_minimum_which_needs_no_timer)
{
        struct pipit_options options = journal_options();

        options.min_connections = 2;
        options.idle_timeout_ms = 100;
        open_pool(&options);
        grow_to(5);
        loop_until(&live_journal.n_closed, 3);
        ask_until(live_url(), COUNT, 2);
        loop_for(150);
        ck_assert_int_eq(connections(), 2);
        ck_assert_int_eq(live_journal.n_up, 5);
        ck_assert_int_eq(events(), 2); /* the sockets, and no timer */
}
END_TEST

START_TEST(a_connection_that_is_used_is_not_idle)
{
        struct pipit_options options = journal_options();

        options.idle_timeout_ms = 150;
        open_pool(&options);
        for (int i = 0; i < 10; i++)
                execute("SELECT pg_sleep(0.03)");
        ck_assert_int_eq(live_journal.n_up, 1);
}
END_TEST

START_TEST(an_old_connection_is_replaced_when_it_is_idle)
{
        struct pipit_options options = journal_options();
        struct calls calls = {0};

        options.lifetime_ms = 200;
        options.max_connections = 1;
        open_pool(&options);
        /* It grows old while it is busy, and goes only then. */
        ask_on(live_db, "SELECT pg_sleep(0.3)", &calls);
        expect_ok(answer(&calls));
        ck_assert_int_eq(live_journal.n_up, 1);
        loop_until(&live_journal.n_closed, 1);
        execute("SELECT 1");
        loop_for(250);
        execute("SELECT 1"); /* this one grew old while it was idle */
        ck_assert_int_eq(live_journal.n_up, 3);
        ck_assert_int_eq(live_journal.n_failed, 0);
}
END_TEST

START_TEST(lifetimes_that_end_under_load_lose_nothing)
{
        struct pipit_options options = journal_options();
        struct crowd *crowd = crowd_new();

        options.lifetime_ms = 50;
        options.max_connections = 3;
        open_pool(&options);
        for (int i = 0; i < 40; i++) {
                crowd_start(crowd, 5, "SELECT $1::int FROM pg_sleep(0.003)");
                loop_until(&crowd->n, 5 * i + 1);
        }
        crowd_join(crowd);
        ck_assert_int_eq(crowd->n_ok, 200);
        ck_assert_int_ge(live_journal.n_up, 4);
        crowd_free(crowd);
}
END_TEST

struct order {
        int n;
        int numbers[50];
};

static void
on_ordered(struct pipit_result *res, void *arg)
{
        struct order *order = arg;
        int32_t number = -1;

        ck_assert_int_eq(pipit_result_int32(res, 0, 0, &number), 0);
        order->numbers[order->n++] = number;
}

START_TEST(who_waits_first_is_served_first)
{
        struct pipit_options options = {.max_connections = 1};
        struct order order = {0};

        for (options.max_pipeline = 1; options.max_pipeline < 20; options.max_pipeline += 7) {
                order.n = 0;
                open_pool(&options);
                for (int i = 0; i < 50; i++)
                        pipit_query(live_db, "SELECT $1::int", PIPIT_PARAMS(i), on_ordered, &order);
                loop_until(&order.n, 50);
                for (int i = 0; i < 50; i++)
                        ck_assert_int_eq(order.numbers[i], i);
        }
}
END_TEST

START_TEST(too_many_waiting_requests_are_refused_and_the_limit_is_named)
{
        struct pipit_options options = {.max_connections = 1, .max_pipeline = 1, .max_waiting = 5};
        struct crowd *crowd = crowd_new();
        struct calls calls = {0};

        open_pool(&options);
        crowd_start(crowd, 5, "SELECT $1::int");
        pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, on_call, &calls);
        expect_error(answer(&calls), PIPIT_ELIMIT, "");
        ck_assert_int_eq(pipit_result_error(calls.last)->executed, PIPIT_EXECUTED_NO);
        ck_assert_int_eq(pipit_result_error(calls.last)->phase, PIPIT_PHASE_START);
        ck_assert_ptr_nonnull(strstr(pipit_error_text(calls.last), "5 requests"));
        ck_assert_ptr_nonnull(strstr(pipit_error_text(calls.last), "max_waiting"));
        ck_assert_ptr_nonnull(strstr(pipit_error_text(calls.last), "of 1 connections"));
        crowd_join(crowd);
        ck_assert_int_eq(crowd->n_ok, 5);
        execute("SELECT 1");
        crowd_free(crowd);
}
END_TEST

START_TEST(too_many_waiting_bytes_are_refused)
{
        struct pipit_options options = {.max_waiting_bytes = 4000};
        struct calls calls[2] = {{0}, {0}};
        char big[3000];

        memset(big, 'x', sizeof big - 1);
        big[sizeof big - 1] = '\0';
        open_pool(&options);
        for (int i = 0; i < 2; i++)
                pipit_query(live_db, "SELECT length($1)", PIPIT_PARAMS((const char *)big), on_call,
                            &calls[i]);
        expect_text(answer(&calls[0]), 0, 0, "2999");
        expect_error(answer(&calls[1]), PIPIT_ELIMIT, "");
        ck_assert_ptr_nonnull(strstr(pipit_error_text(calls[1].last), "max_waiting_bytes"));
        expect_text(query("SELECT length($1)", PIPIT_PARAMS((const char *)big)), 0, 0, "2999");
}
END_TEST

static const struct pipit_options wrong[] = {
        {.min_connections = -1},    {.max_connections = -1}, {.min_connections = 9},
        {.max_connecting = -1},     {.max_pipeline = -1},    {.max_pipeline = 10001},
        {.max_waiting = -1},        {.timeout_ms = -2},      {.acquire_timeout_ms = -2},
        {.connect_timeout_ms = -1}, {.idle_timeout_ms = -2}, {.lifetime_ms = -2},
};

START_TEST(wrong_options_fail_every_request_and_are_told_at_once)
{
        open_pool(&wrong[_i]);
        ck_assert_ptr_nonnull(pipit_scope_error(live_db));
        ck_assert_int_eq(pipit_scope_error(live_db)->code, PIPIT_EINVAL);
        const struct pipit_result *res = query("SELECT 1", PIPIT_NO_PARAMS);
        expect_error(res, PIPIT_EINVAL, "");
        ck_assert_str_eq(pipit_error_text(res), pipit_scope_error(live_db)->message);
        ck_assert_int_eq(pipit_result_error(res)->executed, PIPIT_EXECUTED_NO);
}
END_TEST

/* ---- several hosts */

START_TEST(a_second_host_serves_when_the_first_one_refuses)
{
        char url[300];

        snprintf(url, sizeof url,
                 "host=127.0.0.1,/no/such/folder,%s port=1,5432,5432 user=postgres dbname=postgres",
                 live_cluster.folder);
        live_open(url, NULL);
        execute("SELECT 1");
}
END_TEST

START_TEST(a_second_host_serves_when_the_first_one_says_nothing)
{
        struct pipit_options options = journal_options();
        struct mute mute;
        char url[300];

        options.connect_timeout_ms = 2000;
        mute_open(&mute, _i == 1);
        snprintf(url, sizeof url, "host=127.0.0.1,%s port=%d,5432 user=postgres dbname=postgres",
                 live_cluster.folder, mute.port);
        live_open(url, &options);
        execute("SELECT 1");
        ck_assert_int_eq(live_journal.n_up, 1);
        ck_assert_int_eq(live_journal.n_failed, 0); /* all of it was one attempt */
        mute_close(&mute);
}
END_TEST

START_TEST(hosts_that_all_say_nothing_end_at_the_connect_timeout)
{
        struct pipit_options options = journal_options();
        struct calls calls = {0};
        struct mute mute;
        char url[300];

        options.connect_timeout_ms = 1000;
        mute_open(&mute, false);
        snprintf(url, sizeof url, "host=127.0.0.1,127.0.0.1 port=%d user=postgres dbname=postgres",
                 mute.port);
        live_open(url, &options);
        pipit_request number = pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, on_call, &calls);
        loop_until(&live_journal.n_failed, 1);
        ck_assert_ptr_nonnull(strstr(live_journal.last, "did not answer in time"));
        ck_assert_int_eq(mute.n, 2);
        pipit_cancel(live_db, number);
        expect_error(answer(&calls), PIPIT_ECANCELED, "");
        mute_close(&mute);
}
END_TEST

START_TEST(a_server_that_only_reads_is_passed_over_when_one_that_writes_is_wanted)
{
        struct pipit_options options = {.acquire_timeout_ms = 400};

        ask(live_cluster.url, "ALTER SYSTEM SET default_transaction_read_only = on");
        ask(live_cluster.url, "SELECT pg_reload_conf()");
        live_open(url_with(live_cluster.url, "&target_session_attrs=read-write"), &options);
        const struct pipit_result *res = query("SELECT 1", PIPIT_NO_PARAMS);
        expect_error(res, PIPIT_ETIMEDOUT, "");
        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), "session is read-only"));
        live_open(url_with(live_cluster.url, "&target_session_attrs=standby"), &options);
        res = query("SELECT 1", PIPIT_NO_PARAMS);
        expect_error(res, PIPIT_ETIMEDOUT, "");
        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), "not in hot standby mode"));
        live_open(url_with(live_cluster.url, "&target_session_attrs=prefer-standby"), &options);
        execute("SELECT 1");
}
END_TEST

/* The sessions of the test before may still be about to end. */
static void
pool_setup(void)
{
        live_setup();
        ask_until(live_url(), COUNT, 0);
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("pool");
        TCase *size = tcase_create("size");
        TCase *hosts = tcase_create("hosts");

        tcase_add_checked_fixture(size, pool_setup, live_teardown);
        tcase_add_test(size, there_are_never_more_connections_than_the_maximum);
        tcase_add_test(size, nothing_is_connected_before_the_first_request);
        tcase_add_test(size, the_minimum_is_opened_without_a_request_and_kept);
        tcase_add_test(size, so_many_connections_are_made_at_once_and_no_more);
        tcase_add_test(size, no_more_connections_are_made_than_requests_wait);
        tcase_add_test(size, an_idle_connection_is_used_before_a_new_one_is_made);
        tcase_add_test(size, the_connection_that_was_used_last_is_used_next);
        tcase_add_test(size,
                       a_slow_query_does_not_delay_others_while_there_may_be_more_connections);
        tcase_add_test(size, idle_connections_go_until_nothing_is_left);
        tcase_add_test(size, idle_connections_go_down_to_the_minimum_which_needs_no_timer);
        tcase_add_test(size, a_connection_that_is_used_is_not_idle);
        tcase_add_test(size, an_old_connection_is_replaced_when_it_is_idle);
        tcase_add_test(size, lifetimes_that_end_under_load_lose_nothing);
        tcase_add_test(size, who_waits_first_is_served_first);
        tcase_add_test(size, too_many_waiting_requests_are_refused_and_the_limit_is_named);
        tcase_add_test(size, too_many_waiting_bytes_are_refused);
        tcase_add_loop_test(size, wrong_options_fail_every_request_and_are_told_at_once, 0,
                            (int)(sizeof wrong / sizeof wrong[0]));
        suite_add_tcase(suite, size);
        tcase_add_checked_fixture(hosts, own_setup, own_teardown);
        tcase_add_test(hosts, a_second_host_serves_when_the_first_one_refuses);
        tcase_add_loop_test(hosts, a_second_host_serves_when_the_first_one_says_nothing, 0, 2);
        tcase_add_test(hosts, hosts_that_all_say_nothing_end_at_the_connect_timeout);
        tcase_add_test(hosts,
                       a_server_that_only_reads_is_passed_over_when_one_that_writes_is_wanted);
        suite_add_tcase(suite, hosts);
        return suite;
}
