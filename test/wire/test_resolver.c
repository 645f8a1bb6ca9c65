/*
 * Names: DNS queries against a name server that the test runs, or that is not there.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pipit/sync.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connect/conninfo.h"
#include "connect/resolver.h"
#include "loop/reactor.h"
#include "scope/database.h"
#include "wire.h"

#define TYPE_A    1
#define TYPE_AAAA 28

#define RCODE_SERVFAIL 2
#define RCODE_NXDOMAIN 3

/* A name server: it knows one machine, this one, by every name. */
enum dns_mode { DNS_SILENT, DNS_ANSWERS, DNS_IPV4_ONLY, DNS_NXDOMAIN, DNS_SERVFAIL, DNS_GARBAGE };

static struct dns {
        enum dns_mode mode;
        int fd;
        int port;
        struct event *event;
        int n_queries;
} dns;

/* The files that tell of it. */
static char folder[64];
static char resolv_conf[100];
static char hosts[100];
static const struct resolver_files own_files = {resolv_conf, hosts};

static struct reactor *reactor;

static void
file_write(const char *path, const char *text)
{
        FILE *file = fopen(path, "w");

        ck_assert_ptr_nonnull(file);
        fputs(text, file);
        ck_assert_int_eq(fclose(file), 0);
}

/* Puts the record that was asked for behind the question; its length. */
static size_t
dns_put_record(unsigned char *out, int type)
{
        static const unsigned char a[] = {0xc0, 12, 0, TYPE_A, 0,   1, 0, 0,
                                          0,    60, 0, 4,      127, 0, 0, 1};
        static const unsigned char aaaa[] = {0xc0, 12, 0, TYPE_AAAA, 0, 1, 0, 0, 0, 60,
                                             0,    16, 0, 0,         0, 0, 0, 0, 0, 0,
                                             0,    0,  0, 0,         0, 0, 0, 1};

        if (type == TYPE_A)
                memcpy(out, a, sizeof a);
        else
                memcpy(out, aaaa, sizeof aaaa);
        return type == TYPE_A ? sizeof a : sizeof aaaa;
}

/* Makes an answer of a question in place; its length. */
static size_t
dns_answer(unsigned char *packet, size_t n)
{
        size_t end = 12;

        while (end < n && packet[end] != 0)
                end += packet[end] + 1u;
        int type = packet[end + 2];
        bool known = dns.mode == DNS_ANSWERS || (dns.mode == DNS_IPV4_ONLY && type == TYPE_A);
        end += 5;
        packet[2] = 0x81;
        packet[3] = 0x80;
        if (dns.mode == DNS_NXDOMAIN)
                packet[3] |= RCODE_NXDOMAIN;
        if (dns.mode == DNS_SERVFAIL)
                packet[3] |= RCODE_SERVFAIL;
        memset(packet + 6, 0, 6);
        packet[7] = known;
        if (known)
                end += dns_put_record(packet + end, type);
        if (dns.mode == DNS_GARBAGE)
                memset(packet + 2, 0xff, end - 2);
        return end;
}

static void
dns_on_query(evutil_socket_t fd, short what, void *arg)
{
        unsigned char packet[600];
        struct sockaddr_in from;
        socklen_t length = sizeof from;

        (void)what;
        (void)arg;
        ssize_t n = recvfrom(fd, packet, 512, 0, (struct sockaddr *)&from, &length);
        if (n < 17)
                return;
        dns.n_queries++;
        if (dns.mode != DNS_SILENT)
                sendto(fd, packet, dns_answer(packet, (size_t)n), 0, (struct sockaddr *)&from,
                       length);
}

static void
dns_open(void)
{
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t length = sizeof address;

        dns = (struct dns){.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
        ck_assert_int_eq(bind(dns.fd, (struct sockaddr *)&address, length), 0);
        ck_assert_int_eq(getsockname(dns.fd, (struct sockaddr *)&address, &length), 0);
        dns.port = ntohs(address.sin_port);
        dns.event = event_new(live_base, dns.fd, EV_READ | EV_PERSIST, dns_on_query, NULL);
        ck_assert_int_eq(event_add(dns.event, NULL), 0);
}

static void
nothing(void *arg)
{
        (void)arg;
}

static void
resolver_setup(void)
{
        char text[64];

        wire_setup_tcp();
        dns_open();
        snprintf(folder, sizeof folder, "/tmp/pipit-wire-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(folder));
        snprintf(resolv_conf, sizeof resolv_conf, "%s/resolv.conf", folder);
        snprintf(hosts, sizeof hosts, "%s/hosts", folder);
        snprintf(text, sizeof text, "nameserver 127.0.0.1:%d\n", dns.port);
        file_write(resolv_conf, text);
        file_write(hosts, "127.0.0.1 localhost here.test\n::1 six.test\n");
        reactor = pipit__reactor_new(live_base, 0, nothing, NULL);
        ck_assert_ptr_nonnull(reactor);
}

static void
resolver_teardown(void)
{
        pipit_close(live_db);
        live_db = NULL;
        event_free(dns.event);
        close(dns.fd);
        unlink(resolv_conf);
        unlink(hosts);
        rmdir(folder);
        server_free(wire_server);
        wire_server = NULL;
        /* A DNS query that was cancelled takes a turn to leave; then nothing of evdns is there. */
        loop_until(NULL, 0);
        pipit__reactor_free(reactor);
        wire_teardown();
}

/* What came of a DNS query. */
struct found {
        int n_calls;
        size_t n;
        char addresses[4][64];
        char problem[128];
};

static void
on_found(const char *const *addresses, size_t n, const char *problem, void *arg)
{
        struct found *found = arg;

        found->n_calls++;
        found->n = n;
        for (size_t i = 0; i < n && i < 4; i++)
                snprintf(found->addresses[i], sizeof found->addresses[i], "%s", addresses[i]);
        snprintf(found->problem, sizeof found->problem, "%s", problem);
}

static struct dns_query *
dns_query_start(const char *host, struct found *found)
{
        struct dns_query *query =
                pipit__dns_query_start(reactor, &own_files, host, on_found, found);

        ck_assert_ptr_nonnull(query);
        ck_assert_int_eq(found->n_calls, 0);
        return query;
}

/* Looks a name up. */
static struct found
look_up(const char *host)
{
        struct found found = {0};

        dns_query_start(host, &found);
        loop_until(&found.n_calls, 1);
        ck_assert_int_eq(found.n_calls, 1);
        return found;
}

static bool
found_has(const struct found *found, const char *address)
{
        for (size_t i = 0; i < found->n; i++) {
                if (strcmp(found->addresses[i], address) == 0)
                        return true;
        }
        return false;
}

static const char *const addresses[] = {"127.0.0.1",   "10.0.0.1", "::1",  "fe80::1",
                                        "2001:db8::1", "",         "/tmp", "@abstract"};
static const char *const names[] = {"localhost", "db.test", "127.0.0.1.test", "1.2.3.4.5", "::g"};

START_TEST(an_address_needs_no_look_up)
{
        ck_assert_int_eq(pipit__resolver_is_address(addresses[_i]), true);
}
END_TEST

START_TEST(a_name_needs_a_look_up)
{
        ck_assert_int_eq(pipit__resolver_is_address(names[_i]), false);
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
        tcase_add_loop_test(tcase, a_look_up_is_cancelled_in_flight, 0, COUNT(unhelpful));
        tcase_add_loop_test(tcase, a_look_up_is_cancelled_in_the_turn_of_its_start, 0, 2);
        tcase_add_test(tcase, many_look_ups_at_once_do_not_mix);
}

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

        tcase_add_checked_fixture(tcase, resolver_setup, resolver_teardown);
        add_look_ups(tcase);
        add_databases(tcase);
        suite_add_tcase(suite, tcase);
        return suite;
}
