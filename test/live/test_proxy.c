/*
 * A database behind the fault proxy, on a real server: what the proxy does is what pipit sees.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxied.h"

static void
proxy_setup(void)
{
        struct pipit_options options = {.max_connections = 1, .timeout_ms = 5000};

        proxied_setup(&options);
        execute("SELECT 1");
}

static void
expect_two(void)
{
        expect_text(query("SELECT 2", PIPIT_NO_PARAMS), 0, 0, "2");
}

/* A notice of the server, which may come at any time. */
#define NOTICE "bytes=4e0000001b534e4f5449434500433030303030004d6368616f730000"

/* What may happen to the bytes of a good session without anybody's notice. */
static const char *const harmless[] = {
        "n=0,do=pass",
        "connection=any,n=1,do=slice,k=1",
        "to=server,connection=any,n=1,do=slice,k=1",
        "connection=any,n=1,do=delay,k=20",
        "connection=any,n=1,do=coalesce,k=20",
        "connection=any,n=2,do=stop,k=20",
        "to=server,connection=any,n=1,do=stop,k=20",
        ("connection=any,type=Z,n=1,do=insert," NOTICE),
};

START_TEST(what_keeps_the_bytes_is_not_noticed)
{
        const char *backend = NULL;
        char before[40];

        backend = pipit_result_text(query("SELECT pg_backend_pid()", PIPIT_NO_PARAMS), 0, 0);
        snprintf(before, sizeof before, "%s", backend);
        rule(harmless[_i]);
        expect_text(query("SELECT repeat('x', 3)", PIPIT_NO_PARAMS), 0, 0, "xxx");
        expect_text(query("SELECT pg_backend_pid()", PIPIT_NO_PARAMS), 0, 0, before);
        ck_assert_int_gt(proxy_n_acted_all(proxy), 0);
}
END_TEST

/* What costs the link once the statement is with the server. */
static const char *const cuts[] = {
        "connection=any,type=Z,n=1,do=fin",
        "connection=any,type=Z,n=1,do=rst",
        "connection=any,type=C,n=1,do=truncate,k=3",
        "connection=any,type=Z,n=1,do=half-close",
        "connection=any,byte=7,do=rst",
};

START_TEST(a_write_whose_end_is_cut_off_is_unknown)
{
        execute("CREATE TABLE t (x int)");
        rule(cuts[_i]);
        expect_executed(query("INSERT INTO t VALUES (1)", PIPIT_NO_PARAMS), PIPIT_ELOST,
                        PIPIT_EXECUTED_UNKNOWN);
        proxy_clear(proxy);
        expect_two();
        ck_assert_int_eq(ask(cluster.url, "SELECT count(*) FROM t"), 1);
}
END_TEST

START_TEST(a_statement_that_never_arrives_is_unknown_at_its_deadline)
{
        struct calls calls = {0};

        rule("to=server,connection=any,n=1,do=drop");
        pipit_set_timeout(live_db, ask_on(live_db, "SELECT 1", &calls), 100);
        expect_executed(answer(&calls), PIPIT_ETIMEDOUT, PIPIT_EXECUTED_UNKNOWN);
        proxy_clear(proxy);
        expect_two();
}
END_TEST

/* What breaks the protocol. */
static const char *const breaches[] = {
        "connection=any,type=Z,n=1,do=corrupt",
        "connection=any,type=C,n=1,do=corrupt,k=1",
        "connection=any,type=D,n=1,do=swap",
        "connection=any,type=C,n=1,do=insert,bytes=00000000000000",
        "connection=any,type=2,n=1,do=duplicate",
};

START_TEST(a_breach_of_the_protocol_costs_the_connection_and_no_answer_is_wrong)
{
        struct pipit_result *res;

        rule(breaches[_i]);
        res = query("SELECT 7", PIPIT_NO_PARAMS);
        if (!pipit_failed(res))
                expect_text(res, 0, 0, "7"); /* what is broken may lie behind the answer */
        ck_assert_int_gt(proxy_n_acted_all(proxy), 0);
        proxy_clear(proxy);
        expect_two();
        expect_two();
}
END_TEST

START_TEST(a_server_process_is_known_by_its_session)
{
        int32_t pid = 0;

        ck_assert_int_eq(
                pipit_result_int32(query("SELECT pg_backend_pid()", PIPIT_NO_PARAMS), 0, 0, &pid),
                0);
        ck_assert_int_eq(proxy_backend(proxy, 0), pid);
}
END_TEST

START_TEST(a_proxy_that_refuses_is_waited_for)
{
        struct calls calls = {0};

        proxy_listen(proxy, false);
        proxy_end_all(proxy, PROXY_FIN);
        loop_for(20);
        ask_on(live_db, "SELECT 2", &calls);
        loop_for(50);
        ck_assert_int_eq(calls.n, 0);
        ck_assert(proxy_listen(proxy, true));
        expect_text(answer(&calls), 0, 0, "2");
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

Suite *
test_suite(void)
{
        Suite *suite = suite_create("proxy");
        TCase *tcase = tcase_create("proxy");

        tcase_add_checked_fixture(tcase, proxy_setup, proxied_teardown);
        tcase_add_loop_test(tcase, what_keeps_the_bytes_is_not_noticed, 0, COUNT(harmless));
        tcase_add_loop_test(tcase, a_write_whose_end_is_cut_off_is_unknown, 0, COUNT(cuts));
        tcase_add_test(tcase, a_statement_that_never_arrives_is_unknown_at_its_deadline);
        tcase_add_loop_test(tcase,
                            a_breach_of_the_protocol_costs_the_connection_and_no_answer_is_wrong, 0,
                            COUNT(breaches));
        tcase_add_test(tcase, a_server_process_is_known_by_its_session);
        tcase_add_test(tcase, a_proxy_that_refuses_is_waited_for);
        suite_add_tcase(suite, tcase);
        return suite;
}
