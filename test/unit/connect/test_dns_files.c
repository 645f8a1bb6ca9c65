/*
 * What resolv.conf and the hosts file say.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "connect/dns_files.h"
#include "runner.h"

static char path[] = "/tmp/dns-files-XXXXXX";
static struct dns_config config;

static void
setup(void)
{
        strcpy(path, "/tmp/dns-files-XXXXXX");
        close(mkstemp(path));
}

static void
teardown(void)
{
        unlink(path);
}

static void
file_write(const char *text)
{
        FILE *file = fopen(path, "w");

        ck_assert_ptr_nonnull(file);
        fputs(text, file);
        fclose(file);
}

static void
read_config(const char *text)
{
        file_write(text);
        ck_assert_int_eq(pipit__dns_config_read(&config, path), 0);
}

/* A server as "address port". */
static const char *
server(int i)
{
        static char text[100];
        char address[INET6_ADDRSTRLEN];
        const struct sockaddr_in *in = (const void *)&config.servers[i];
        const struct sockaddr_in6 *in6 = (const void *)&config.servers[i];
        bool is_v4 = in->sin_family == AF_INET;

        inet_ntop(in->sin_family, is_v4 ? (const void *)&in->sin_addr : &in6->sin6_addr, address,
                  sizeof address);
        snprintf(text, sizeof text, "%s %d", address, ntohs(is_v4 ? in->sin_port : in6->sin6_port));
        return text;
}

START_TEST(name_servers_are_read_with_or_without_a_port)
{
        read_config("# nameserver 10.0.0.9\n"
                    "nameserver 10.0.0.1\n"
                    "nameserver\t10.0.0.2:5353\n"
                    "nameserver nonsense\n"
                    "  nameserver [2001:db8::1]:54\n"
                    "nameserver 10.0.0.4\n");
        ck_assert_int_eq(config.n_servers, 3);
        ck_assert_str_eq(server(0), "10.0.0.1 53");
        ck_assert_str_eq(server(1), "10.0.0.2 5353");
        ck_assert_str_eq(server(2), "2001:db8::1 54");
}
END_TEST

START_TEST(an_address_of_ipv6_needs_no_brackets)
{
        read_config("nameserver 2001:db8::5\nnameserver fe80::1%lo\n");
        ck_assert_int_eq(config.n_servers, 2);
        ck_assert_str_eq(server(0), "2001:db8::5 53");
        ck_assert_str_eq(server(1), "fe80::1 53");
        ck_assert_uint_ne(((const struct sockaddr_in6 *)(void *)&config.servers[1])->sin6_scope_id,
                          0);
}
END_TEST

static const char *const without_server[] = {"", "nameserver\n", "nameserver 10.0.0.1:0\n",
                                             "nameserver 10.0.0.1:70000\n", "nameserver [\n"};

START_TEST(without_a_name_server_this_machine_is_asked)
{
        read_config(without_server[_i]);
        ck_assert_int_eq(config.n_servers, 1);
        ck_assert_str_eq(server(0), "127.0.0.1 53");
}
END_TEST

START_TEST(without_a_file_all_is_as_by_default)
{
        ck_assert_int_eq(pipit__dns_config_read(&config, "/nonexistent"), 0);
        ck_assert_str_eq(server(0), "127.0.0.1 53");
        ck_assert_int_eq(config.ndots, 1);
        ck_assert_int_eq(config.attempts, 2);
        ck_assert_int_eq(config.timeout_ms, 5000);
}
END_TEST

START_TEST(options_are_read_within_bounds)
{
        read_config("options ndots:3 timeout:1 rotate attempts:4\n");
        ck_assert_int_eq(config.ndots, 3);
        ck_assert_int_eq(config.timeout_ms, 1000);
        ck_assert_int_eq(config.attempts, 4);
        read_config("options ndots:99 timeout:99 attempts:99\n");
        ck_assert_int_eq(config.ndots, 15);
        ck_assert_int_eq(config.timeout_ms, 30000);
        ck_assert_int_eq(config.attempts, 5);
        read_config("options attempts:0 ndots:-1\n");
        ck_assert_int_eq(config.ndots, 0);
        ck_assert_int_eq(config.attempts, 1);
}
END_TEST

/* The names of a host, each with a blank behind it. */
static const char *
names(const char *host)
{
        static char text[1000];
        char name[300];

        text[0] = '\0';
        for (int i = 0; pipit__dns_config_name(&config, host, i, name, sizeof name); i++) {
                strcat(text, name);
                strcat(text, " ");
        }
        return text;
}

START_TEST(names_are_searched_as_their_dots_say)
{
        read_config("domain old.test\nsearch a.test b.test\n");
        ck_assert_str_eq(names("db"), "db.a.test db.b.test db ");
        ck_assert_str_eq(names("db.x"), "db.x db.x.a.test db.x.b.test ");
        ck_assert_str_eq(names("db."), "db. ");
        read_config("search a.test\noptions ndots:2\n");
        ck_assert_str_eq(names("db.x"), "db.x.a.test db.x ");
        ck_assert_str_eq(names("db.x.y"), "db.x.y db.x.y.a.test ");
}
END_TEST

static const char *
found_in_hosts(const char *text, const char *name)
{
        static char all[500];
        struct dns_addresses addresses;

        file_write(text);
        ck_assert_int_eq(pipit__dns_hosts_find(path, name, &addresses), 0);
        all[0] = '\0';
        for (size_t i = 0; i < addresses.n; i++) {
                strcat(all, addresses.texts[i]);
                strcat(all, " ");
        }
        return all;
}

START_TEST(the_hosts_file_gives_all_addresses_of_a_name)
{
        static const char hosts[] = "127.0.0.1 localhost\n"
                                    "10.0.0.1\tdb.test DB alias # old.test\n"
                                    "#10.0.0.9 db.test\n"
                                    "nonsense db.test\n"
                                    "2001:db8::1 other db.test\n";

        ck_assert_str_eq(found_in_hosts(hosts, "db.test"), "10.0.0.1 2001:db8::1 ");
        ck_assert_str_eq(found_in_hosts(hosts, "ALIAS"), "10.0.0.1 ");
        ck_assert_str_eq(found_in_hosts(hosts, "old.test"), "");
        ck_assert_str_eq(found_in_hosts(hosts, "10.0.0.1"), "");
        ck_assert_str_eq(found_in_hosts("", "localhost"), "127.0.0.1 ::1 ");
}
END_TEST

START_TEST(without_a_descriptor_nothing_is_taken_for_missing)
{
        struct rlimit before;
        struct dns_addresses addresses;

        getrlimit(RLIMIT_NOFILE, &before);
        setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, before.rlim_max});
        int config_code = pipit__dns_config_read(&config, path);
        int hosts_code = pipit__dns_hosts_find(path, "db", &addresses);
        setrlimit(RLIMIT_NOFILE, &before);
        ck_assert_int_eq(config_code, -1);
        ck_assert_int_eq(hosts_code, -1);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("dns_files");
        TCase *tcase = tcase_create("dns_files");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, name_servers_are_read_with_or_without_a_port);
        tcase_add_test(tcase, an_address_of_ipv6_needs_no_brackets);
        tcase_add_loop_test(tcase, without_a_name_server_this_machine_is_asked, 0, 5);
        tcase_add_test(tcase, without_a_file_all_is_as_by_default);
        tcase_add_test(tcase, options_are_read_within_bounds);
        tcase_add_test(tcase, names_are_searched_as_their_dots_say);
        tcase_add_test(tcase, the_hosts_file_gives_all_addresses_of_a_name);
        tcase_add_test(tcase, without_a_descriptor_nothing_is_taken_for_missing);
        suite_add_tcase(suite, tcase);
        return suite;
}
