/*
 * Connections and servers that go away, and come back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "witness.h"

static const char *const modes[] = {"fast", "immediate", "kill"};
#define N_MODES 3

#define SLEEPERS                                                                                   \
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(6%'"                    \
        " AND state = 'active' AND application_name = 'victim'"
#define KILL                                                                                       \
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"                            \
        " WHERE application_name = 'victim'"

/* What a connection is given at once. */
#define VICTIM_PIPELINE 64

/* Opens live_db on one connection that the witness knows as the victim. */
static void
open_victim(const char *url, int max_connections)
{
        struct pipit_options options = journal_options();

        options.max_connections = max_connections;
        options.max_pipeline = VICTIM_PIPELINE;
        live_open(url_with(url, "&application_name=victim"), &options);
}

/* How many rows the table has, and how many of them twice. */
static void
expect_rows(const char *url, int64_t least, int64_t most)
{
        int64_t n = ask(url, "SELECT count(*) FROM nonce");

        ck_assert_int_ge(n, least);
        ck_assert_int_le(n, most);
        ck_assert_int_eq(ask(url, "SELECT count(DISTINCT n) FROM nonce"), n);
}

/* A member's row is there if it succeeded, is not if it surely failed, and may be otherwise. */
static void
expect_told_the_truth(const char *url, const struct crowd *crowd)
{
        char sql[300];

        snprintf(sql, sizeof sql,
                 "SELECT string_agg(CASE WHEN n IS NULL THEN '-' ELSE '+' END, '' ORDER BY i)"
                 " FROM generate_series(0, %d) i LEFT JOIN nonce ON n = i",
                 crowd->n_started - 1);
        const char *there = ask_text(url, sql);
        for (int i = 0; i < crowd->n_started; i++) {
                const struct member *member = &crowd->members[i];
                if (member->code == PIPIT_OK)
                        ck_assert_int_eq(there[i], '+');
                else if (member->executed != PIPIT_EXECUTED_UNKNOWN)
                        ck_assert_int_eq(there[i], '-');
        }
}

START_TEST(the_loss_of_an_idle_connection_is_noticed_while_idle)
{
        open_victim(live_url(), 1);
        execute("SELECT 1");
        ck_assert_int_eq(ask(live_url(), KILL), 1);
        loop_until(&live_journal.n_lost, 1);
        ck_assert_ptr_nonnull(strstr(live_journal.last, "terminating connection"));
        execute("SELECT 1");
        ck_assert_int_eq(live_journal.n_up, 2);
}
END_TEST

START_TEST(the_loss_of_an_idle_connection_between_turns_reaches_no_user)
{
        open_victim(live_url(), 1);
        execute("SELECT 1");
        ck_assert_int_eq(ask(live_url(), KILL), 1);
        while (ask(live_url(), "SELECT count(*) FROM pg_stat_activity"
                               " WHERE application_name = 'victim'") != 0)
                continue;
        execute("SELECT 1"); /* the loop has not turned since */
        ck_assert_int_eq(live_journal.n_up, 2);
        ck_assert_int_eq(live_journal.n_lost, 1);
}
END_TEST

START_TEST(a_terminated_statement_is_lost_and_those_that_wait_go_elsewhere)
{
        struct crowd *crowd = crowd_new();

        open_victim(live_url(), 1);
        crowd_start(crowd, 1, "SELECT pg_sleep(60)");
        ask_until(live_url(), SLEEPERS, 1);
        crowd_start(crowd, 5, "SELECT $1::int");
        loop_for(10);
        ck_assert_int_eq(ask(live_url(), KILL), 1);
        crowd_join(crowd);
        ck_assert_int_eq(crowd->members[0].code, PIPIT_ELOST);
        ck_assert_str_eq(crowd->members[0].sqlstate, "57P01");
        ck_assert_int_eq(crowd->members[0].executed, PIPIT_EXECUTED_UNKNOWN);
        ck_assert_int_eq(crowd->n_ok, 5);
        ck_assert_ptr_nonnull(strstr(crowd->text, "nobody knows"));
        execute("SELECT 1");
        ck_assert_int_eq(live_journal.n_up, 2);
        crowd_free(crowd);
}
END_TEST

START_TEST(a_loss_does_not_touch_other_connections)
{
        struct crowd *crowd = crowd_new();
        struct crowd *others = crowd_new();
        struct pipit_options options = {.max_connections = 4, .max_pipeline = 1};

        live_open(url_with(live_url(), "&application_name=victim"), &options);
        crowd_start(crowd, 1, "SELECT pg_sleep(60)");
        ask_until(live_url(), SLEEPERS, 1);
        crowd_start(others, 20, "SELECT $1::int FROM pg_sleep(0.02)");
        loop_until(&others->n, 1);
        ask(live_url(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE"
                        " application_name = 'victim' AND query LIKE '%pg_sleep(60)%'");
        crowd_join(crowd);
        crowd_join(others);
        ck_assert_int_eq(crowd_count(crowd, PIPIT_ELOST), 1);
        ck_assert_int_eq(others->n_ok, 20);
        crowd_free(crowd);
        crowd_free(others);
}
END_TEST

START_TEST(a_server_that_stops_while_all_is_idle_is_back_for_the_next_request)
{
        open_victim(live_cluster.url, 3);
        execute("SELECT 1");
        cluster_stop(&live_cluster, modes[_i]);
        loop_until(&live_journal.n_lost, 1);
        cluster_start(&live_cluster, "");
        execute("SELECT 1");
        ck_assert_int_eq(live_journal.n_up, 2);
}
END_TEST

START_TEST(a_server_that_restarts_between_two_turns_costs_no_user_an_error)
{
        struct crowd *crowd = crowd_new();
        struct gate gate;

        open_victim(live_cluster.url, 3);
        execute("CREATE TABLE nonce (n int)");
        gate_shut(&gate, live_cluster.url, 1);
        crowd_start(crowd, 3, gate.sql);
        gate_await(&gate, 3);
        gate_open(&gate);
        crowd_join(crowd);
        ck_assert_int_eq(live_journal.n_up, 3);
        memset(crowd, 0, sizeof *crowd);
        /* Half of it is started before, and is sent at the end of the turn, which comes after. */
        crowd_start(crowd, 20, "INSERT INTO nonce VALUES ($1)");
        own_restart(modes[_i], "");
        crowd_start(crowd, 20, "INSERT INTO nonce VALUES ($1)");
        crowd_join(crowd);
        if (crowd->n_ok != 40)
                ck_abort_msg("%d of 40: %s", crowd->n_ok, crowd->text);
        expect_rows(live_cluster.url, 40, 40);
        crowd_free(crowd);
}
END_TEST

START_TEST(a_server_that_stops_in_mid_query_loses_only_what_was_sent)
{
        struct crowd *slow = crowd_new();
        struct crowd *waiting = crowd_new();

        open_victim(live_cluster.url, 2);
        execute("CREATE TABLE nonce (n int)");
        crowd_start(slow, 2, "INSERT INTO nonce SELECT -1 - $1::int FROM pg_sleep(60)");
        ask_until(live_cluster.url, SLEEPERS, 2);
        cluster_stop(&live_cluster, modes[_i]);
        crowd_join(slow);
        ck_assert_int_eq(crowd_count(slow, PIPIT_ELOST), 2);
        ck_assert_int_eq(slow->members[0].executed, PIPIT_EXECUTED_UNKNOWN);
        crowd_start(waiting, 50, "INSERT INTO nonce VALUES ($1)");
        loop_for(100);
        ck_assert_int_eq(waiting->n, 0);
        cluster_start(&live_cluster, "");
        crowd_join(waiting);
        ck_assert_int_eq(waiting->n_ok, 50);
        expect_rows(live_cluster.url, 50, 50);
        crowd_free(slow);
        crowd_free(waiting);
}
END_TEST

START_TEST(a_server_that_stops_under_load_loses_and_doubles_nothing)
{
        struct crowd *crowd = crowd_new();

        open_victim(live_cluster.url, 4);
        execute("CREATE TABLE nonce (n int)");
        crowd_start(crowd, 600, "INSERT INTO nonce SELECT $1::int FROM pg_sleep(0.002)");
        loop_until(&crowd->n, 100);
        own_restart(modes[_i], "");
        crowd_join(crowd);
        int n_lost = crowd_count(crowd, PIPIT_ELOST);
        ck_assert_int_eq(crowd->n_ok + n_lost, 600);
        ck_assert_int_le(n_lost, 4 * VICTIM_PIPELINE); /* what may be on the connections at once */
        expect_rows(live_cluster.url, crowd->n_ok, crowd->n_ok + n_lost);
        expect_told_the_truth(live_cluster.url, crowd);
        crowd_free(crowd);
}
END_TEST

/* 1,000 requests wait while there is no server for so long. Gives how much later than the server
 * the first success was. */
static int64_t
stop_under_waiting_requests(int64_t ms)
{
        struct pipit_options options = {.timeout_ms = 120000, .acquire_timeout_ms = 120000};
        struct crowd *crowd = crowd_new();
        struct lookout lookout;

        live_open(live_cluster.url, &options);
        execute("CREATE TABLE IF NOT EXISTS nonce (n int)");
        execute("TRUNCATE nonce");
        cluster_stop(&live_cluster, "fast");
        lookout_start(&lookout, live_cluster.url);
        crowd_start(crowd, 1000, "INSERT INTO nonce VALUES ($1)");
        loop_for(ms);
        ck_assert_int_eq(crowd->n, 0);
        cluster_start_later(&live_cluster);
        crowd_join(crowd);
        int64_t late_ms = crowd->first_ok_ms - lookout_end(&lookout);
        if (getenv("PIPIT_TEST_FIGURES") != NULL)
                fprintf(stderr, "stopped for %lld ms: first success %lld ms after the server\n",
                        (long long)ms, (long long)late_ms);
        if (crowd->n_ok != 1000)
                ck_abort_msg("%d of 1000: %s", crowd->n_ok, crowd->text);
        expect_rows(live_cluster.url, 1000, 1000);
        crowd_free(crowd);
        return late_ms;
}

/* A busy machine may be late at any moment, but not each time: of three times one has to do. */
static void
expect_soon_back_after(int64_t ms)
{
        for (int i = 0; i < 3; i++) {
                if (stop_under_waiting_requests(ms) <= 200)
                        return;
        }
        ck_abort_msg("the first success was too late, each time");
}

START_TEST(waiting_requests_outlive_a_server_that_is_away_for_1_s)
{
        expect_soon_back_after(1000);
}
END_TEST

START_TEST(waiting_requests_outlive_a_server_that_is_away_for_30_s)
{
        expect_soon_back_after(30000);
}
END_TEST

START_TEST(many_losses_in_a_row_lose_and_double_nothing)
{
        struct crowd *crowd = crowd_new();

        open_victim(live_cluster.url, 4);
        execute("CREATE TABLE nonce (n int)");
        for (int i = 0; i < 20; i++) {
                crowd_start(crowd, 30, "INSERT INTO nonce VALUES ($1)");
                loop_until(&crowd->n, 30 * i + 5);
                ask(live_cluster.url, KILL);
        }
        crowd_join(crowd);
        ck_assert_int_eq(crowd->n_ok + crowd_count(crowd, PIPIT_ELOST), 600);
        expect_rows(live_cluster.url, crowd->n_ok, 600);
        execute("SELECT 1");
        crowd_free(crowd);
}
END_TEST

START_TEST(without_a_server_waiters_end_at_their_time_with_the_cause)
{
        struct pipit_options options = journal_options();
        struct crowd *crowd = crowd_new();

        options.acquire_timeout_ms = 1000;
        cluster_stop(&live_cluster, "fast");
        live_open(live_cluster.url, &options);
        crowd_start(crowd, 100, "SELECT $1::int");
        crowd_join(crowd);
        ck_assert_int_eq(crowd_count(crowd, PIPIT_ETIMEDOUT), 100);
        ck_assert_int_eq(crowd->members[0].executed, PIPIT_EXECUTED_NO);
        ck_assert_ptr_nonnull(strstr(crowd->text, "0 of 8 connections"));
        ck_assert_ptr_nonnull(strstr(crowd->text, "No such file or directory"));
        /* 50 ms, 100 ms, then 150 ms, each up to a fifth less. */
        ck_assert_int_ge(live_journal.n_failed, 2);
        ck_assert_int_le(live_journal.n_failed, 11);
        crowd_free(crowd);
}
END_TEST

START_TEST(a_request_that_comes_during_the_back_off_starts_an_attempt)
{
        struct pipit_options options = journal_options();
        struct calls calls = {0};

        options.min_connections = 1;
        cluster_stop(&live_cluster, "fast");
        live_open(live_cluster.url, &options);
        loop_until(&live_journal.n_failed, 6);
        int64_t before_ms = clock_ms(); /* the next attempt is more than 1,200 ms away */
        pipit_request number = pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, on_call, &calls);
        loop_until(&live_journal.n_failed, 7);
        ck_assert_int_lt(clock_ms() - before_ms, 1100);
        pipit_cancel(live_db, number);
        expect_error(answer(&calls), PIPIT_ECANCELED, "");
}
END_TEST

START_TEST(an_idle_database_without_a_server_tries_ever_less_often)
{
        struct pipit_options options = journal_options();

        options.min_connections = 4;
        cluster_stop(&live_cluster, "fast");
        live_open(live_cluster.url, &options);
        loop_for(1500);
        /* 50, 100, 200, 400, 800 ms: one prober for all four. */
        ck_assert_int_ge(live_journal.n_failed, 3);
        ck_assert_int_le(live_journal.n_failed, 8);
        cluster_start(&live_cluster, "");
        execute("SELECT 1");
}
END_TEST

START_TEST(a_full_server_is_used_with_the_connections_there_are)
{
        struct crowd *crowd = crowd_new();
        void *held[3];

        own_restart("fast", "-c max_connections=5 -c superuser_reserved_connections=0");
        open_victim(live_cluster.url, 8);
        for (int i = 0; i < 3; i++)
                ck_assert_ptr_nonnull(held[i] = session_hold(live_cluster.url));
        int64_t before_ms = clock_ms();
        crowd_start(crowd, 100, "SELECT $1::int FROM pg_sleep(0.02)");
        crowd_join(crowd);
        ck_assert_int_eq(crowd->n_ok, 100);
        ck_assert_int_eq(live_journal.n_up, 2);
        ck_assert_int_ge(own_log_count("too many clients"), 1);
        /* Each refusal is followed by a pause of 40 ms and more. */
        ck_assert_int_le(own_log_count("too many clients"), (clock_ms() - before_ms) / 40 + 15);
        for (int i = 0; i < 3; i++)
                session_end(held[i]);
        crowd_free(crowd);
}
END_TEST

START_TEST(a_full_server_is_waited_for_and_named)
{
        struct pipit_options options = journal_options();
        struct calls calls = {0};
        void *held[4];

        options.acquire_timeout_ms = 2000;
        own_restart("fast", "-c max_connections=4 -c superuser_reserved_connections=0");
        live_open(live_cluster.url, &options);
        for (int i = 0; i < 4; i++)
                ck_assert_ptr_nonnull(held[i] = session_hold(live_cluster.url));
        const struct pipit_result *res = query("SELECT 1", PIPIT_NO_PARAMS);
        expect_error(res, PIPIT_ETIMEDOUT, "");
        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), "0 of 8 connections"));
        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), "too many clients"));
        ck_assert_int_le(live_journal.n_failed, 24);
        pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, on_call, &calls);
        loop_for(50);
        ck_assert_int_eq(calls.n, 0);
        for (int i = 0; i < 4; i++)
                session_end(held[i]);
        expect_ok(answer(&calls));
}
END_TEST

/* The sessions of the test before may still be about to end. */
static void
victim_setup(void)
{
        live_setup();
        ask_until(live_url(),
                  "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'victim'", 0);
}

static TCase *
case_add(Suite *suite, const char *name, SFun setup, SFun teardown, double timeout)
{
        TCase *tcase = tcase_create(name);

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_set_timeout(tcase, timeout);
        suite_add_tcase(suite, tcase);
        return tcase;
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("reconnect");
        TCase *shared = case_add(suite, "connection", victim_setup, live_teardown, 60);
        TCase *own = case_add(suite, "server", own_setup, own_teardown, 60);
        TCase *away = case_add(suite, "away", own_setup, own_teardown, 180);

        tcase_add_test(shared, the_loss_of_an_idle_connection_is_noticed_while_idle);
        tcase_add_test(shared, the_loss_of_an_idle_connection_between_turns_reaches_no_user);
        tcase_add_test(shared, a_terminated_statement_is_lost_and_those_that_wait_go_elsewhere);
        tcase_add_test(shared, a_loss_does_not_touch_other_connections);
        tcase_add_loop_test(own, a_server_that_stops_while_all_is_idle_is_back_for_the_next_request,
                            0, N_MODES);
        tcase_add_loop_test(own, a_server_that_restarts_between_two_turns_costs_no_user_an_error, 0,
                            N_MODES);
        tcase_add_loop_test(own, a_server_that_stops_in_mid_query_loses_only_what_was_sent, 0,
                            N_MODES);
        tcase_add_loop_test(own, a_server_that_stops_under_load_loses_and_doubles_nothing, 0,
                            N_MODES);
        tcase_add_test(own, many_losses_in_a_row_lose_and_double_nothing);
        tcase_add_test(own, without_a_server_waiters_end_at_their_time_with_the_cause);
        tcase_add_test(own, a_request_that_comes_during_the_back_off_starts_an_attempt);
        tcase_add_test(own, an_idle_database_without_a_server_tries_ever_less_often);
        tcase_add_test(own, a_full_server_is_used_with_the_connections_there_are);
        tcase_add_test(own, a_full_server_is_waited_for_and_named);
        tcase_add_test(away, waiting_requests_outlive_a_server_that_is_away_for_1_s);
        tcase_add_test(away, waiting_requests_outlive_a_server_that_is_away_for_30_s);
        return suite;
}
