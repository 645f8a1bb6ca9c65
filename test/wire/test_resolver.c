/*
 * Databases whose hosts have names.
 */
#include <pipit/sync.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "names.h"
#include "scope/database.h"

/* Opens live_db on a host of that name, with these times. */
static void
open_host(const char *host, int64_t connect_ms, int64_t acquire_ms)
{
        struct pipit_options options = wire_options();
        char url[200];

        options.connect_timeout_ms = connect_ms;
        options.acquire_timeout_ms = acquire_ms;
        pipit_close(live_db);
        snprintf(url, sizeof url, "postgresql://u@%s:%d/db?sslmode=disable", host,
                 wire_server->port);
        live_db = pipit_open(live_base, url, &options);
        ck_assert_ptr_nonnull(live_db);
        live_db->db->info.files = &own_files;
}

/* Two addresses are there, and at one of them nobody listens. */
START_TEST(a_database_is_found_by_its_name)
{
        dns.mode = DNS_ANSWERS;
        open_host("db.test", 5000, 5000);
        expect_service();
        ck_assert_int_ge(dns.n_queries, 1);
}
END_TEST

START_TEST(a_numeric_host_asks_no_name_server)
{
        dns.mode = DNS_ANSWERS;
        open_host("127.0.0.1", 5000, 5000);
        expect_service();
        ck_assert_int_eq(dns.n_queries, 0);
}
END_TEST

static int
events(void)
{
        return event_base_get_num_events(live_base,
                                         EVENT_BASE_COUNT_ADDED | EVENT_BASE_COUNT_ACTIVE);
}

START_TEST(an_idle_database_leaves_no_event_of_its_look_up)
{
        open_host("127.0.0.1", 5000, 5000);
        wire_connect();
        int without_name = events();
        dns.mode = DNS_ANSWERS;
        open_host("db.test", 5000, 5000);
        loop_until(&wire_server->n_closed, 1);
        wire_connect();
        ck_assert_int_eq(events(), without_name);
}
END_TEST

START_TEST(a_new_answer_is_used_at_the_next_connect)
{
        dns.mode = DNS_NXDOMAIN;
        open_host("db.test", 1000, 5000);
        struct calls calls = {0};
        pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, on_call, &calls);
        loop_until(&dns.n_queries, 2);
        dns.mode = DNS_IPV4_ONLY;
        expect_text(answer(&calls), 0, 0, "SELECT 1");
}
END_TEST

static void
expect_waited_in_vain(const char *why)
{
        const struct pipit_result *res = query("SELECT 1", PIPIT_NO_PARAMS);

        expect_error(res, PIPIT_ETIMEDOUT, "");
        if (strstr(pipit_error_text(res), why) == NULL)
                ck_abort_msg("no \"%s\" in: %s", why, pipit_error_text(res));
}

START_TEST(an_unknown_name_is_the_cause_that_is_told)
{
        dns.mode = DNS_NXDOMAIN;
        open_host("no.test", 1000, 100);
        expect_waited_in_vain("the name \"no.test\" has no address");
}
END_TEST

START_TEST(a_silent_name_server_costs_a_connect_timeout)
{
        open_host("db.test", 50, 400);
        expect_waited_in_vain("the name server did not answer in time");
        ck_assert_int_ge(dns.n_queries, 2);
}
END_TEST

START_TEST(no_name_server_is_told_as_well)
{
        unlink(resolv_conf);
        open_host("no.test", 100, 150);
        const struct pipit_result *res = query("SELECT 1", PIPIT_NO_PARAMS);
        expect_error(res, PIPIT_ETIMEDOUT, "");
        if (strstr(pipit_error_text(res), "no.test:") == NULL)
                ck_abort_msg("no host in: %s", pipit_error_text(res));
}
END_TEST

START_TEST(a_silent_name_server_stalls_nobody_else)
{
        struct pipit *other = pipit_open(live_base, wire_server->url, NULL);
        struct calls calls = {0};

        open_host("db.test", 5000, 5000);
        pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, on_call, &calls);
        loop_until(&dns.n_queries, 1);
        for (int i = 0; i < 10; i++)
                expect_ok(query_on(other, "SELECT 1", PIPIT_NO_PARAMS));
        ck_assert_int_eq(calls.n, 0);
        pipit_close(other);
        pipit_close(live_db);
        live_db = NULL;
        expect_error(answer(&calls), PIPIT_ECANCELED, "");
}
END_TEST

START_TEST(a_request_is_cancelled_amid_its_look_up)
{
        struct calls calls = {0};

        open_host("db.test", 5000, 5000);
        pipit_request request = pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, on_call, &calls);
        loop_until(&dns.n_queries, 1);
        pipit_cancel(live_db, request);
        expect_error(answer(&calls), PIPIT_ECANCELED, "");
        ck_assert_int_eq(pipit_result_error(calls.last)->executed, PIPIT_EXECUTED_NO);
}
END_TEST

/* A blocking scope on the same host; its loop is its own. */
static struct pipit *
open_sync(void)
{
        pipit_set_allow_sync(live_db, true);
        struct pipit *sync = pipit_allow_sync(live_db);
        ck_assert_ptr_nonnull(sync);
        ck_assert_ptr_null(pipit_scope_error(sync));
        sync->db->info.files = &own_files;
        return sync;
}

START_TEST(a_blocking_scope_gives_up_a_silent_name_server)
{
        open_host("db.test", 50, 200);
        struct pipit *sync = open_sync();
        const struct pipit_result *res =
                pipit_wait(sync, pipit_query(sync, "SELECT 1", PIPIT_NO_PARAMS, NULL, NULL));
        expect_error(res, PIPIT_ETIMEDOUT, "");
        pipit_close(sync);
}
END_TEST

START_TEST(a_blocking_scope_is_closed_amid_its_look_up)
{
        struct calls calls = {0};

        open_host("db.test", 5000, 20);
        struct pipit *sync = open_sync();
        pipit_request request = pipit_query(sync, "SELECT 1", PIPIT_NO_PARAMS, on_call, &calls);
        pipit_wait(sync, request);
        ck_assert_int_eq(calls.n, 1);
        expect_error(calls.last, PIPIT_ETIMEDOUT, "");
        pipit_close(sync);
}
END_TEST

START_TEST(a_blocking_scope_finds_its_host_by_name)
{
        server_fork(wire_server);
        open_host("here.test", 5000, 5000);
        struct pipit *sync = open_sync();
        const struct pipit_result *res =
                pipit_wait(sync, pipit_query(sync, "SELECT 1", PIPIT_NO_PARAMS, NULL, NULL));
        expect_text(res, 0, 0, "SELECT 1");
        pipit_close(sync);
}
END_TEST

static void
add_databases(TCase *tcase)
{
        tcase_add_test(tcase, a_database_is_found_by_its_name);
        tcase_add_test(tcase, a_numeric_host_asks_no_name_server);
        tcase_add_test(tcase, an_idle_database_leaves_no_event_of_its_look_up);
        tcase_add_test(tcase, a_new_answer_is_used_at_the_next_connect);
        tcase_add_test(tcase, an_unknown_name_is_the_cause_that_is_told);
        tcase_add_test(tcase, a_silent_name_server_costs_a_connect_timeout);
        tcase_add_test(tcase, no_name_server_is_told_as_well);
        tcase_add_test(tcase, a_silent_name_server_stalls_nobody_else);
        tcase_add_test(tcase, a_request_is_cancelled_amid_its_look_up);
        tcase_add_test(tcase, a_blocking_scope_gives_up_a_silent_name_server);
        tcase_add_test(tcase, a_blocking_scope_is_closed_amid_its_look_up);
        tcase_add_test(tcase, a_blocking_scope_finds_its_host_by_name);
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("resolver");
        TCase *tcase = tcase_create("resolver");

        tcase_add_checked_fixture(tcase, names_setup, names_teardown);
        add_databases(tcase);
        suite_add_tcase(suite, tcase);
        return suite;
}
