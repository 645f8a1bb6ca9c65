/*
 * Look-ups of names at a name server that the test runs, or that is not there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "connect/address.h"
#include "names.h"

static const char *const addresses[] = {"127.0.0.1",   "10.0.0.1", "::1",  "fe80::1",
                                        "2001:db8::1", "",         "/tmp", "@abstract"};
static const char *const names[] = {"localhost", "db.test", "127.0.0.1.test", "1.2.3.4.5", "::g"};

START_TEST(an_address_needs_no_look_up)
{
        ck_assert_int_eq(pipit__address_is_one(addresses[_i]), true);
}
END_TEST

START_TEST(a_name_needs_a_look_up)
{
        ck_assert_int_eq(pipit__address_is_one(names[_i]), false);
}
END_TEST

START_TEST(localhost_is_in_the_hosts_file)
{
        struct found found = look_up("localhost");

        ck_assert_int_eq(found_has(&found, "127.0.0.1"), true);
        ck_assert_int_eq(dns.n_queries, 0);
}
END_TEST

START_TEST(localhost_is_known_without_any_file)
{
        unlink(hosts);
        unlink(resolv_conf);
        struct found found = look_up("localhost");
        ck_assert_int_eq(found_has(&found, "127.0.0.1"), true);
}
END_TEST

START_TEST(the_hosts_file_serves_without_resolv_conf)
{
        unlink(resolv_conf);
        struct found found = look_up("here.test");
        ck_assert_int_eq(found_has(&found, "127.0.0.1"), true);
}
END_TEST

START_TEST(the_hosts_file_serves_with_an_empty_resolv_conf)
{
        file_write(resolv_conf, "");
        struct found found = look_up("six.test");
        ck_assert_int_eq(found_has(&found, "::1"), true);
}
END_TEST

START_TEST(a_name_server_gives_both_families)
{
        dns.mode = DNS_ANSWERS;
        struct found found = look_up("db.test");
        ck_assert_uint_eq(found.n, 2);
        ck_assert_int_eq(found_has(&found, "127.0.0.1"), true);
        ck_assert_int_eq(found_has(&found, "::1"), true);
}
END_TEST

START_TEST(one_family_is_enough)
{
        dns.mode = DNS_IPV4_ONLY;
        struct found found = look_up("db.test");
        ck_assert_uint_eq(found.n, 1);
        ck_assert_str_eq(found.addresses[0], "127.0.0.1");
}
END_TEST

START_TEST(a_name_that_nobody_knows_is_told)
{
        dns.mode = DNS_NXDOMAIN;
        struct found found = look_up("no.test");
        ck_assert_uint_eq(found.n, 0);
        ck_assert_str_ne(found.problem, "");
}
END_TEST

START_TEST(the_second_name_server_answers_when_the_first_is_dead)
{
        dns.mode = DNS_IPV4_ONLY;
        dns_put_in_front(_i == 0);
        struct found found = look_up("db.test");
        ck_assert_uint_eq(found.n, 1);
        ck_assert_str_eq(found.addresses[0], "127.0.0.1");
}
END_TEST

START_TEST(an_answer_that_was_cut_is_asked_for_by_tcp)
{
        dns.mode = _i == 0 ? DNS_CUT : DNS_CUT_SOME;
        dns_open_tcp();
        struct found found = look_up("db.test");
        ck_assert_uint_eq(found.n, DNS_MAX_ADDRESSES);
        ck_assert_int_ge(dns.n_tcp, 1);
}
END_TEST

START_TEST(without_tcp_the_addresses_of_a_cut_answer_must_do)
{
        dns.mode = DNS_CUT_SOME;
        struct found found = look_up("db.test");
        ck_assert_uint_eq(found.n, 2);
}
END_TEST

START_TEST(an_answer_that_is_too_long_is_told_with_the_way_out)
{
        dns.mode = DNS_CUT;
        struct found found = look_up("db.test");
        ck_assert_uint_eq(found.n, 0);
        ck_assert_ptr_nonnull(strstr(found.problem, "hostaddr"));
}
END_TEST

START_TEST(a_look_up_that_fails_prints_nothing)
{
        static const enum dns_mode modes[] = {DNS_NXDOMAIN, DNS_SERVFAIL, DNS_CUT, DNS_ANSWERS};
        char path[] = "/tmp/pipit-wire-XXXXXX";
        int printed = mkstemp(path);

        ck_assert_int_eq(dup2(printed, STDERR_FILENO), STDERR_FILENO);
        ck_assert_int_eq(dup2(printed, STDOUT_FILENO), STDOUT_FILENO);
        dns.mode = modes[_i];
        if (dns.mode == DNS_ANSWERS)
                dns_put_in_front(false);
        look_up("db.test");
        ck_assert_int_eq(lseek(printed, 0, SEEK_END), 0);
        close(printed);
        unlink(path);
}
END_TEST

START_TEST(without_a_descriptor_a_look_up_says_so)
{
        struct rlimit before;
        struct found found = {0};

        dns_query_start("db.test", &found);
        getrlimit(RLIMIT_NOFILE, &before);
        setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, before.rlim_max});
        event_base_loop(live_base, EVLOOP_ONCE);
        setrlimit(RLIMIT_NOFILE, &before);
        ck_assert_int_eq(found.n_calls, 1);
        ck_assert_ptr_nonnull(strstr(found.problem, "descriptor"));
}
END_TEST

static const enum dns_mode unhelpful[] = {DNS_SILENT, DNS_SERVFAIL, DNS_GARBAGE};

START_TEST(a_look_up_is_cancelled_in_flight)
{
        struct found found = {0};

        dns.mode = unhelpful[_i];
        struct dns_query *query = dns_query_start("db.test", &found);
        loop_until(&dns.n_queries, 1);
        pipit__dns_query_cancel(query);
        loop_for(5);
        ck_assert_int_eq(found.n_calls, 0);
}
END_TEST

START_TEST(a_look_up_is_cancelled_in_the_turn_of_its_start)
{
        static const char *const hosts_to_ask[] = {"db.test", "localhost"};
        struct found found = {0};

        dns.mode = DNS_ANSWERS;
        pipit__dns_query_cancel(dns_query_start(hosts_to_ask[_i], &found));
        loop_for(5);
        ck_assert_int_eq(found.n_calls, 0);
}
END_TEST

START_TEST(many_look_ups_at_once_do_not_mix)
{
        struct found found[20] = {{0}};

        dns.mode = DNS_IPV4_ONLY;
        for (int i = 0; i < 20; i++)
                dns_query_start(i % 2 == 0 ? "db.test" : "six.test", &found[i]);
        for (int i = 0; i < 20; i++) {
                loop_until(&found[i].n_calls, 1);
                ck_assert_str_eq(found[i].addresses[0], i % 2 == 0 ? "127.0.0.1" : "::1");
        }
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof(table)[0]))

static void
add_look_ups(TCase *tcase)
{
        tcase_add_loop_test(tcase, an_address_needs_no_look_up, 0, COUNT(addresses));
        tcase_add_loop_test(tcase, a_name_needs_a_look_up, 0, COUNT(names));
        tcase_add_test(tcase, localhost_is_in_the_hosts_file);
        tcase_add_test(tcase, localhost_is_known_without_any_file);
        tcase_add_test(tcase, the_hosts_file_serves_without_resolv_conf);
        tcase_add_test(tcase, the_hosts_file_serves_with_an_empty_resolv_conf);
        tcase_add_test(tcase, a_name_server_gives_both_families);
        tcase_add_test(tcase, one_family_is_enough);
        tcase_add_test(tcase, a_name_that_nobody_knows_is_told);
        tcase_add_loop_test(tcase, the_second_name_server_answers_when_the_first_is_dead, 0, 2);
        tcase_add_loop_test(tcase, an_answer_that_was_cut_is_asked_for_by_tcp, 0, 2);
        tcase_add_test(tcase, without_tcp_the_addresses_of_a_cut_answer_must_do);
        tcase_add_test(tcase, an_answer_that_is_too_long_is_told_with_the_way_out);
        tcase_add_loop_test(tcase, a_look_up_that_fails_prints_nothing, 0, 4);
        tcase_add_test(tcase, without_a_descriptor_a_look_up_says_so);
        tcase_add_loop_test(tcase, a_look_up_is_cancelled_in_flight, 0, COUNT(unhelpful));
        tcase_add_loop_test(tcase, a_look_up_is_cancelled_in_the_turn_of_its_start, 0, 2);
        tcase_add_test(tcase, many_look_ups_at_once_do_not_mix);
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("look_up");
        TCase *tcase = tcase_create("look_up");

        tcase_add_checked_fixture(tcase, names_setup, names_teardown);
        add_look_ups(tcase);
        suite_add_tcase(suite, tcase);
        return suite;
}
