/*
 * Deadlines and cancels: whatever they hit ends once, and nobody else notices.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "witness.h"

/* Opens live_db on so many connections with one statement on each at a time. */
static void
open_narrow(int max_connections, int max_pipeline)
{
        struct pipit_options options = journal_options();

        options.max_connections = max_connections;
        options.max_pipeline = max_pipeline;
        live_open(live_url(), &options);
}

static pipit_request
start(const char *sql, struct calls *calls)
{
        pipit_request number = pipit_query(live_db, sql, PIPIT_NO_PARAMS, on_call, calls);

        ck_assert_uint_ne(number, 0);
        return number;
}

static void
expect_end(const struct pipit_result *res, int code, int executed, int phase)
{
        expect_error(res, code, "");
        ck_assert_int_eq(pipit_result_error(res)->executed, executed);
        ck_assert_int_eq(pipit_result_error(res)->phase, phase);
}

START_TEST(a_deadline_while_executing_is_unknown_and_costs_no_connection)
{
        struct calls calls = {0};
        struct gate gate;

        open_narrow(1, 16);
        execute("SELECT 1");
        gate_shut(&gate, live_url(), 1);
        pipit_request number = start(gate.sql, &calls);
        gate_await(&gate, 1);
        pipit_set_timeout(live_db, number, 100);
        expect_end(answer(&calls), PIPIT_ETIMEDOUT, PIPIT_EXECUTED_UNKNOWN, PIPIT_PHASE_EXECUTE);
        ck_assert_ptr_nonnull(strstr(pipit_error_text(calls.last), "no answer"));
        execute("SELECT 1");
        ck_assert_int_eq(live_journal.n_up, 1);
        ck_assert_int_eq(calls.n, 1);
        gate_open(&gate);
}
END_TEST

START_TEST(a_deadline_while_waiting_is_surely_not_executed)
{
        struct calls slow = {0};
        struct calls calls = {0};
        struct gate gate;

        open_narrow(1, 1);
        gate_shut(&gate, live_url(), 1);
        start(gate.sql, &slow);
        pipit_set_timeout(live_db, start("SELECT 1", &calls), 50);
        expect_end(answer(&calls), PIPIT_ETIMEDOUT, PIPIT_EXECUTED_NO, PIPIT_PHASE_WAIT);
        ck_assert_int_eq(slow.n, 0);
        gate_open(&gate);
        expect_ok(answer(&slow));
        ck_assert_int_eq(live_journal.n_up, 1);
}
END_TEST

START_TEST(a_wait_that_is_too_long_names_the_busy_connections)
{
        struct pipit_options options = journal_options();
        struct crowd *crowd = crowd_new();
        struct calls calls = {0};
        struct gate gate;

        options.min_connections = options.max_connections = 2;
        options.max_pipeline = 1;
        options.acquire_timeout_ms = 300;
        live_open(live_url(), &options);
        loop_until(&live_journal.n_up, 2);
        gate_shut(&gate, live_url(), 1);
        crowd_start(crowd, 2, gate.sql);
        gate_await(&gate, 2);
        start("SELECT 1", &calls);
        expect_end(answer(&calls), PIPIT_ETIMEDOUT, PIPIT_EXECUTED_NO, PIPIT_PHASE_WAIT);
        ck_assert_ptr_nonnull(strstr(pipit_error_text(calls.last), "2 of 2 connections"));
        ck_assert_ptr_nonnull(strstr(pipit_error_text(calls.last), "2 of them busy"));
        gate_open(&gate);
        crowd_join(crowd);
        ck_assert_int_eq(crowd->n_ok, 2); /* their time to wait was over too, but they were sent */
        crowd_free(crowd);
}
END_TEST

START_TEST(a_deadline_while_connecting_is_surely_not_executed)
{
        struct pipit_options options = journal_options();
        struct calls calls = {0};
        struct mute mute;

        mute_open(&mute, false);
        live_open(mute.url, &options);
        pipit_request number = start("SELECT 1", &calls);
        loop_until(&mute.n, 1);
        pipit_set_timeout(live_db, number, 100);
        expect_end(answer(&calls), PIPIT_ETIMEDOUT, PIPIT_EXECUTED_NO, PIPIT_PHASE_WAIT);
        ck_assert_ptr_nonnull(strstr(pipit_error_text(calls.last), "0 of 8 connections"));
        ck_assert_int_eq(mute.n, 1);
        mute_close(&mute);
}
END_TEST

START_TEST(the_time_of_the_options_is_every_requests)
{
        struct pipit_options options = journal_options();
        struct calls calls = {0};
        struct calls endless = {0};
        struct gate gate;

        options.timeout_ms = 400;
        options.min_connections = 2; /* to be made takes what it takes */
        live_open(live_url(), &options);
        loop_until(&live_journal.n_up, 2);
        gate_shut(&gate, live_url(), 1);
        pipit_set_timeout(live_db, start(gate.sql, &endless), -1);
        start(gate.sql, &calls);
        expect_end(answer(&calls), PIPIT_ETIMEDOUT, PIPIT_EXECUTED_UNKNOWN, PIPIT_PHASE_EXECUTE);
        ck_assert_int_eq(endless.n, 0);
        gate_open(&gate);
        expect_ok(answer(&endless));
}
END_TEST

START_TEST(a_time_of_0_ends_a_request_before_it_is_sent)
{
        struct calls calls = {0};

        open_narrow(1, 1);
        execute("SELECT 1");
        pipit_set_timeout(live_db, start("SELECT pg_sleep(30)", &calls), 0);
        ck_assert_int_eq(calls.n, 0);
        expect_error(answer(&calls), PIPIT_ETIMEDOUT, "");
        execute("SELECT 1");
}
END_TEST

START_TEST(a_time_can_be_set_again_and_taken_away)
{
        struct calls calls = {0};
        struct gate gate;

        open_narrow(1, 1);
        execute("SELECT 1");
        gate_shut(&gate, live_url(), 1);
        pipit_request number = start(gate.sql, &calls);
        pipit_set_timeout(live_db, number, 10000);
        gate_await(&gate, 1);
        pipit_set_timeout(live_db, number, INT64_MAX);
        pipit_set_timeout(live_db, number, 100);
        pipit_set_timeout(live_db, number, -1);
        loop_for(150);
        ck_assert_int_eq(calls.n, 0);
        gate_open(&gate);
        expect_ok(answer(&calls));
        pipit_set_timeout(live_db, number, 0); /* names nothing any more */
        pipit_cancel(live_db, number);
        execute("SELECT 1");
        ck_assert_int_eq(calls.n, 1);
}
END_TEST

START_TEST(neighbours_of_a_deadline_get_their_own_answers)
{
        struct calls calls = {0};
        struct crowd *crowd = crowd_new();
        struct gate gate;

        open_narrow(1, 16);
        execute("SELECT 1");
        gate_shut(&gate, live_url(), 1);
        pipit_request number = start(gate.sql, &calls);
        crowd_start(crowd, 8, "SELECT $1::int");
        gate_await(&gate, 1);
        pipit_set_timeout(live_db, number, 50);
        expect_end(answer(&calls), PIPIT_ETIMEDOUT, PIPIT_EXECUTED_UNKNOWN, PIPIT_PHASE_EXECUTE);
        ck_assert_int_eq(crowd->n, 0);
        gate_open(&gate);
        crowd_join(crowd);
        for (int i = 0; i < 8; i++)
                ck_assert_int_eq(atoi(crowd->members[i].value), i);
        ck_assert_int_eq(crowd->n_ok, 8);
        ck_assert_int_eq(live_journal.n_up, 1); /* it was answered, and the answer went away */
        ck_assert_int_eq(calls.n, 1);
        crowd_free(crowd);
}
END_TEST

START_TEST(many_deadlines_end_each_request_once)
{
        struct crowd *crowd = crowd_new();

        open_narrow(4, 4);
        execute("SELECT 1");
        for (int i = 0; i < 200; i++) {
                crowd_start(crowd, 1, "SELECT $1::int FROM pg_sleep(0.01)");
                pipit_set_timeout(live_db, crowd->members[i].number, (i * 7919) % 300);
        }
        crowd_join(crowd);
        ck_assert_int_eq(crowd->n_ok + crowd_count(crowd, PIPIT_ETIMEDOUT), 200);
        ck_assert_int_ge(crowd_count(crowd, PIPIT_ETIMEDOUT), 1);
        ck_assert_int_ge(crowd->n_ok, 1);
        for (int i = 0; i < 200; i++) {
                if (crowd->members[i].code == PIPIT_OK)
                        ck_assert_int_eq(atoi(crowd->members[i].value), i);
        }
        execute("SELECT 1");
        crowd_free(crowd);
}
END_TEST

START_TEST(a_cancelled_request_that_was_not_sent_is_surely_not_executed)
{
        struct calls calls = {0};

        open_narrow(1, 1);
        execute("CREATE TEMPORARY SEQUENCE seq");
        pipit_cancel(live_db, start("SELECT nextval('seq')", &calls));
        ck_assert_int_eq(calls.n, 0);
        expect_end(answer(&calls), PIPIT_ECANCELED, PIPIT_EXECUTED_NO, PIPIT_PHASE_WAIT);
        expect_text(query("SELECT nextval('seq')", PIPIT_NO_PARAMS), 0, 0, "1");
}
END_TEST

START_TEST(a_cancelled_request_that_was_sent_is_unknown_and_its_answer_goes_away)
{
        struct calls calls = {0};
        struct gate gate;
        char sql[120];

        open_narrow(1, 16);
        execute("CREATE TEMPORARY SEQUENCE seq");
        gate_shut(&gate, live_url(), 1);
        snprintf(sql, sizeof sql, "SELECT nextval('seq') FROM %s", gate.from);
        pipit_request number = start(sql, &calls);
        gate_await(&gate, 1);
        pipit_cancel(live_db, number);
        pipit_cancel(live_db, number);
        expect_end(answer(&calls), PIPIT_ECANCELED, PIPIT_EXECUTED_UNKNOWN, PIPIT_PHASE_EXECUTE);
        execute("SELECT nextval('seq')"); /* on the same connection, whose sequence that is */
        gate_open(&gate);
        ck_assert_int_eq(calls.n, 1);
        ck_assert_int_eq(live_journal.n_up, 1);
}
END_TEST

/* Keeps so many requests going, some of which are cancelled at a random time. */
struct fury {
        int n_started;
        int n_ended;
        int n_ok;
        int n_cancelled;
        unsigned seed;
        struct rage {
                struct fury *fury;
                pipit_request number;
                int nonce;
        } rages[64];
};

#define FURY_TOTAL 6000

static void fury_start(struct rage *rage);

static void
fury_on_call(struct pipit_result *res, void *arg)
{
        struct rage *rage = arg;
        struct fury *fury = rage->fury;
        int32_t nonce = -1;

        fury->n_ended++;
        if (pipit_failed(res)) {
                ck_assert_int_eq(pipit_result_error(res)->code, PIPIT_ECANCELED);
                fury->n_cancelled++;
        } else {
                ck_assert_int_eq(pipit_result_int32(res, 0, 0, &nonce), 0);
                ck_assert_int_eq(nonce, rage->nonce);
                fury->n_ok++;
        }
        rage->number = 0;
        int victim = rand_r(&fury->seed) % 64;
        if (rand_r(&fury->seed) % 3 == 0)
                pipit_cancel(live_db, fury->rages[victim].number);
        fury_start(rage);
}

static void
fury_start(struct rage *rage)
{
        struct fury *fury = rage->fury;

        if (fury->n_started == FURY_TOTAL)
                return;
        rage->nonce = fury->n_started++;
        rage->number = pipit_query(live_db, "SELECT $1::int", PIPIT_PARAMS(rage->nonce),
                                   fury_on_call, rage);
        ck_assert_uint_ne(rage->number, 0);
}

START_TEST(no_answer_reaches_a_foreign_request_among_thousands_of_cancels)
{
        struct fury fury = {.seed = 4711};

        open_narrow(3, 8);
        for (int i = 0; i < 64; i++) {
                fury.rages[i].fury = &fury;
                fury_start(&fury.rages[i]);
        }
        loop_until(&fury.n_ended, FURY_TOTAL);
        ck_assert_int_eq(fury.n_ended, FURY_TOTAL);
        ck_assert_int_ge(fury.n_cancelled, 1000);
        ck_assert_int_ge(fury.n_ok, 1000);
        ck_assert_int_le(live_journal.n_up, 3); /* none was lost, and made anew */
        execute("SELECT 1");
        ck_assert_int_eq(fury.n_ended, FURY_TOTAL);
}
END_TEST

START_TEST(a_request_can_be_cancelled_while_there_is_no_connection_yet)
{
        struct crowd *crowd = crowd_new();

        crowd_start(crowd, 10, "SELECT $1::int");
        for (int i = 0; i < 10; i += 2)
                pipit_cancel(live_db, crowd->members[i].number);
        crowd_join(crowd);
        ck_assert_int_eq(crowd_count(crowd, PIPIT_ECANCELED), 5);
        ck_assert_int_eq(crowd->n_ok, 5);
        crowd_free(crowd);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("deadline");
        TCase *deadline = tcase_create("deadline");
        TCase *cancel = tcase_create("cancel");

        tcase_add_checked_fixture(deadline, live_setup, live_teardown);
        tcase_add_test(deadline, a_deadline_while_executing_is_unknown_and_costs_no_connection);
        tcase_add_test(deadline, a_deadline_while_waiting_is_surely_not_executed);
        tcase_add_test(deadline, a_wait_that_is_too_long_names_the_busy_connections);
        tcase_add_test(deadline, a_deadline_while_connecting_is_surely_not_executed);
        tcase_add_test(deadline, the_time_of_the_options_is_every_requests);
        tcase_add_test(deadline, a_time_of_0_ends_a_request_before_it_is_sent);
        tcase_add_test(deadline, a_time_can_be_set_again_and_taken_away);
        tcase_add_test(deadline, neighbours_of_a_deadline_get_their_own_answers);
        tcase_add_test(deadline, many_deadlines_end_each_request_once);
        suite_add_tcase(suite, deadline);
        tcase_add_checked_fixture(cancel, live_setup, live_teardown);
        tcase_add_test(cancel, a_cancelled_request_that_was_not_sent_is_surely_not_executed);
        tcase_add_test(cancel,
                       a_cancelled_request_that_was_sent_is_unknown_and_its_answer_goes_away);
        tcase_add_test(cancel, no_answer_reaches_a_foreign_request_among_thousands_of_cancels);
        tcase_add_test(cancel, a_request_can_be_cancelled_while_there_is_no_connection_yet);
        suite_add_tcase(suite, cancel);
        return suite;
}
