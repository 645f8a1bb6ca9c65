#include <event2/event.h>
#include <pipit/error.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "connect/conninfo.h"
#include "loop/reactor.h"
#include "oom.h"
#include "pool/pool.h"
#include "request/stmt_cache.h"
#include "runner.h"

/* A pool whose server does not exist: what works with one is in the live tests. */

static struct event_base *base;
static struct reactor *reactor;
static struct conninfo info;
static struct pool pool;
static struct log no_log;
static struct stmt_cache stmt_cache; /* nothing is prepared: they are only passed on */
static int n_ready;
static int n_refused;
static char described[1024];

static void
on_turn(void *arg)
{
        (void)arg;
}

static void
on_ready(void *arg)
{
        ck_assert_ptr_eq(arg, &pool);
        n_ready++;
}

static void
on_refused(const struct conn_error *failure, void *arg)
{
        ck_assert_ptr_eq(arg, &pool);
        ck_assert_ptr_nonnull(failure);
        n_refused++;
}

static int
on_prepare(struct conn_error *ret_failure, void *arg)
{
        (void)ret_failure;
        (void)arg;
        return 0;
}

static const struct pool_ops ops = {
        .ready = on_ready, .prepare = on_prepare, .refused = on_refused};

static const struct pipit_options options = {
        .max_connections = 8,
        .max_connecting = 3,
        .max_pipeline = 4,
        .connect_timeout_ms = 60000,
        .max_result_bytes = 1000,
        .idle_timeout_ms = 1000,
        .lifetime_ms = 1000,
        .search_path = "public",
};

/* What the pool, or another one, is made from. */
static struct pool_parts
parts_of(struct pool *made)
{
        return (struct pool_parts){.reactor = reactor,
                                   .info = &info,
                                   .log = &no_log,
                                   .stmt_cache = &stmt_cache,
                                   .ops = &ops,
                                   .arg = made};
}

static void
setup(void)
{
        char *problem = NULL;

        n_ready = n_refused = 0;
        base = event_base_new();
        reactor = pipit__reactor_new(base, 0, on_turn, NULL);
        ck_assert_int_eq(pipit__conninfo_init(&info, "host=/nonexistent user=u dbname=d", &options,
                                              &problem),
                         0);
        struct pool_parts parts = parts_of(&pool);
        ck_assert_int_eq(pipit__pool_init(&pool, &options, &parts), 0);
}

static void
close_pool(void)
{
        pipit__reactor_enter(reactor);
        pipit__pool_close(&pool, "the test is over", false);
        pipit__reactor_leave(reactor);
}

static void
teardown(void)
{
        close_pool();
        pipit__pool_fini(&pool);
        pipit__conninfo_fini(&info);
        pipit__reactor_free(reactor);
        event_base_free(base);
}

static void
want(int n_waiting)
{
        pipit__reactor_enter(reactor);
        pipit__pool_want(&pool, n_waiting);
        pipit__reactor_leave(reactor);
}

/* As the dispatcher does, who is told that there may be room. */
static void
until_failures(int n)
{
        while (pool.n_failures < n) {
                ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
                want(pool.n_waiting);
        }
}

START_TEST(nobody_waits_and_nothing_is_made)
{
        want(0);
        ck_assert_int_eq(pool.n_connecting, 0);
        event_base_dispatch(base);
        ck_assert_ptr_null(pipit__pool_take(&pool, false));
}
END_TEST

START_TEST(each_waiting_request_has_a_connection_made)
{
        want(2);
        ck_assert_int_eq(pool.n_connecting, 2);
        want(2);
        ck_assert_int_eq(pool.n_connecting, 2);
}
END_TEST

START_TEST(no_more_are_made_at_once_than_the_option_says)
{
        want(1000);
        ck_assert_int_eq(pool.n_connecting, 3);
}
END_TEST

START_TEST(there_are_never_more_than_the_maximum)
{
        pool.max = 2;
        want(1000);
        ck_assert_int_eq(pool.n_connecting, 2);
}
END_TEST

START_TEST(the_minimum_is_made_without_anybody_waiting)
{
        pool.min = 2;
        want(0);
        ck_assert_int_eq(pool.n_connecting, 2);
}
END_TEST

START_TEST(while_attempts_fail_there_is_one_prober)
{
        want(1000);
        until_failures(3); /* those that were made at once */
        while (pool.n_failures < 6) {
                ck_assert_int_le(pool.n_connecting, 1);
                event_base_loop(base, EVLOOP_ONCE);
                want(1000);
        }
        ck_assert_int_eq(n_refused, 0);
}
END_TEST

START_TEST(a_failed_attempt_is_put_off_and_not_repeated_at_once)
{
        pool.max_connecting = 1;
        want(1);
        until_failures(1);
        want(1);
        ck_assert_int_eq(pool.n_connecting, 0);
        ck_assert_int_eq(event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED), 1);
        until_failures(2);
        ck_assert_ptr_null(pipit__pool_refusal(&pool));
}
END_TEST

START_TEST(a_pool_that_nobody_waits_for_does_not_probe)
{
        pool.max_connecting = 1;
        want(1);
        until_failures(1);
        want(0);
        event_base_dispatch(base);
        ck_assert_int_eq(pool.n_failures, 1);
}
END_TEST

/* As if the last attempt had failed so, just now. */
static void
fail_with(const char *sqlstate)
{
        pool.n_failures = 1;
        pool.failed_ms = pipit__reactor_now(reactor);
        snprintf(pool.failure.sqlstate, sizeof pool.failure.sqlstate, "%s", sqlstate);
        snprintf(pool.failure.text, sizeof pool.failure.text, "no entry");
        snprintf(pool.failure.host, sizeof pool.failure.host, "db:1");
}

START_TEST(a_permanent_failure_refuses_and_another_does_not)
{
        ck_assert_ptr_null(pipit__pool_refusal(&pool));
        fail_with("53300");
        ck_assert_ptr_null(pipit__pool_refusal(&pool));
        fail_with("28P01");
        ck_assert_ptr_eq(pipit__pool_refusal(&pool), &pool.failure);
        pool.n_busy = 1; /* somebody is in */
        ck_assert_ptr_null(pipit__pool_refusal(&pool));
        pool.n_busy = 0;
}
END_TEST

START_TEST(after_a_permanent_failure_the_next_attempt_waits_long)
{
        fail_with("28P01");
        want(1);
        ck_assert_int_eq(pool.n_connecting, 0);
        pool.failed_ms -= 790; /* a second, less a fifth at most */
        want(1);
        ck_assert_int_eq(pool.n_connecting, 0);
        pool.failed_ms -= 300;
        ck_assert_ptr_null(pipit__pool_refusal(&pool));
        want(1);
        ck_assert_int_eq(pool.n_connecting, 1);
}
END_TEST

START_TEST(while_requests_wait_the_next_attempt_is_never_far)
{
        fail_with("");
        pool.n_failures = 1000;
        pool.failed_ms -= 150;
        want(1);
        ck_assert_int_eq(pool.n_connecting, 1);
}
END_TEST

START_TEST(while_nobody_waits_it_may_be_far)
{
        fail_with("");
        pool.n_failures = 1000;
        pool.min = 1;
        pool.failed_ms -= 3900; /* of 5000, less a fifth at most */
        want(0);
        ck_assert_int_eq(pool.n_connecting, 0);
        pool.failed_ms -= 1200;
        want(0);
        ck_assert_int_eq(pool.n_connecting, 1);
}
END_TEST

START_TEST(a_connection_is_given_its_share_of_those_who_wait)
{
        ck_assert_int_eq(pipit__pool_share(&pool, 64, 1), 8);
        ck_assert_int_eq(pipit__pool_share(&pool, 65, 1), 9);
        pool.n_busy = 6; /* two are free, or can be made; the others soon will be */
        ck_assert_int_eq(pipit__pool_share(&pool, 64, 1), 8);
        pool.n_busy = 7;
        ck_assert_int_eq(pipit__pool_share(&pool, 64, 1), 8);
        pool.n_busy = 0;
}
END_TEST

START_TEST(no_share_is_smaller_than_is_worth_a_batch)
{
        ck_assert_int_eq(pipit__pool_share(&pool, 64, 16), 16);
        ck_assert_int_eq(pipit__pool_share(&pool, 33, 16), 16);
        ck_assert_int_eq(pipit__pool_share(&pool, 15, 16), 15);
        ck_assert_int_eq(pipit__pool_share(&pool, 3, 16), 3);
        ck_assert_int_eq(pipit__pool_share(&pool, 640, 16), 80);
}
END_TEST

START_TEST(while_attempts_fail_only_what_is_there_counts_for_a_share)
{
        fail_with("53300");
        pool.n_idle = 2;
        pool.n_busy = 1;
        ck_assert_int_eq(pipit__pool_share(&pool, 64, 1), 22);
        pool.n_idle = 1;
        ck_assert_int_eq(pipit__pool_share(&pool, 64, 1), 32);
        pool.n_idle = pool.n_busy = 0;
}
END_TEST

START_TEST(a_pool_can_be_described)
{
        pool.n_idle = 1;
        pool.n_busy = 2;
        pipit__pool_describe(&pool, described, sizeof described);
        ck_assert_str_eq(described,
                         "3 of 8 connections are open, 2 of them busy, 0 are being made");
        fail_with("28P01");
        pipit__pool_describe(&pool, described, sizeof described);
        ck_assert_ptr_nonnull(strstr(described, "; the last of 1 attempts, to db:1, failed: no "
                                                "entry"));
        pipit__pool_describe(&pool, described, 10);
        ck_assert_str_eq(described, "3 of 8 co");
        pool.n_idle = pool.n_busy = 0;
}
END_TEST

START_TEST(a_closed_pool_makes_nothing_and_runs_no_timer)
{
        want(3);
        close_pool();
        ck_assert_int_eq(pool.n_connecting, 0);
        want(3);
        ck_assert_int_eq(pool.n_connecting, 0);
        event_base_dispatch(base);
        ck_assert_int_eq(pool.n_failures, 0);
}
END_TEST

START_TEST(a_pool_can_be_closed_while_it_waits_to_probe)
{
        pool.max_connecting = 1;
        want(1);
        until_failures(1);
        want(1);
        close_pool();
        event_base_dispatch(base);
        ck_assert_int_eq(pool.n_failures, 1);
}
END_TEST

START_TEST(without_memory_an_attempt_counts_as_failed_and_is_put_off)
{
        oom_after(0);
        want(1);
        ck_assert(oom_stop());
        ck_assert_int_eq(pool.n_failures, 1);
        ck_assert_int_eq(pool.n_connecting, 0);
        ck_assert_str_eq(pool.failure.text, "out of memory");
        until_failures(2);
}
END_TEST

START_TEST(without_memory_a_pool_is_not_half_made)
{
        bool failed;
        int n = 0;

        do {
                struct pool other;
                oom_after(n++);
                struct pool_parts parts = parts_of(&other);
                int code = pipit__pool_init(&other, &options, &parts);
                failed = oom_stop();
                ck_assert_int_eq(code, failed ? PIPIT_ENOMEM : 0);
                pipit__pool_fini(&other);
        } while (failed);
        ck_assert_int_eq(n, 6);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("pool");
        TCase *tcase = tcase_create("pool");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, nobody_waits_and_nothing_is_made);
        tcase_add_test(tcase, each_waiting_request_has_a_connection_made);
        tcase_add_test(tcase, no_more_are_made_at_once_than_the_option_says);
        tcase_add_test(tcase, there_are_never_more_than_the_maximum);
        tcase_add_test(tcase, the_minimum_is_made_without_anybody_waiting);
        tcase_add_test(tcase, while_attempts_fail_there_is_one_prober);
        tcase_add_test(tcase, a_failed_attempt_is_put_off_and_not_repeated_at_once);
        tcase_add_test(tcase, a_pool_that_nobody_waits_for_does_not_probe);
        tcase_add_test(tcase, a_permanent_failure_refuses_and_another_does_not);
        tcase_add_test(tcase, after_a_permanent_failure_the_next_attempt_waits_long);
        tcase_add_test(tcase, while_requests_wait_the_next_attempt_is_never_far);
        tcase_add_test(tcase, while_nobody_waits_it_may_be_far);
        tcase_add_test(tcase, a_connection_is_given_its_share_of_those_who_wait);
        tcase_add_test(tcase, no_share_is_smaller_than_is_worth_a_batch);
        tcase_add_test(tcase, while_attempts_fail_only_what_is_there_counts_for_a_share);
        tcase_add_test(tcase, a_pool_can_be_described);
        tcase_add_test(tcase, a_closed_pool_makes_nothing_and_runs_no_timer);
        tcase_add_test(tcase, a_pool_can_be_closed_while_it_waits_to_probe);
        tcase_add_test(tcase, without_memory_an_attempt_counts_as_failed_and_is_put_off);
        tcase_add_test(tcase, without_memory_a_pool_is_not_half_made);
        suite_add_tcase(suite, tcase);
        return suite;
}
