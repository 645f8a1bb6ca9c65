/*
 * In which order hosts are tried, as hosts fail and serve.
 */
#include <string.h>

#include "connect/host_order.h"
#include "oom.h"
#include "runner.h"

#define N 4

static struct host_order *order;

static void
setup(void)
{
        order = pipit__host_order_new(N, false);
}

static void
teardown(void)
{
        pipit__host_order_free(order);
}

/* The hosts, as digits, in the order to try them at a time. */
static const char *
hosts_at(int64_t now_ms)
{
        static char text[N + 1];
        int hosts[N];

        pipit__host_order_write(order, now_ms, N, hosts);
        for (int i = 0; i < N; i++)
                text[i] = (char)('0' + hosts[i]);
        return text;
}

START_TEST(hosts_are_tried_in_the_order_of_the_list)
{
        ck_assert_str_eq(hosts_at(0), "0123");
}
END_TEST

START_TEST(a_host_that_failed_is_tried_last_for_thirty_seconds)
{
        pipit__host_order_failed(order, 0, 1000);
        ck_assert_str_eq(hosts_at(1000), "1230");
        ck_assert_str_eq(hosts_at(30999), "1230");
        ck_assert_str_eq(hosts_at(31000), "0123");
}
END_TEST

START_TEST(hosts_that_failed_keep_their_order)
{
        pipit__host_order_failed(order, 2, 0);
        pipit__host_order_failed(order, 0, 10);
        ck_assert_str_eq(hosts_at(20), "1302");
        pipit__host_order_failed(order, 1, 20);
        pipit__host_order_failed(order, 3, 30);
        ck_assert_str_eq(hosts_at(30), "0123");
}
END_TEST

START_TEST(a_host_that_served_is_in_its_place)
{
        pipit__host_order_failed(order, 1, 0);
        ck_assert_str_eq(hosts_at(0), "0231");
        pipit__host_order_served(order, 1);
        ck_assert_str_eq(hosts_at(0), "0123");
}
END_TEST

START_TEST(no_order_is_that_of_the_list)
{
        pipit__host_order_free(order);
        order = NULL;
        pipit__host_order_failed(order, 1, 0);
        pipit__host_order_served(order, 1);
        ck_assert_str_eq(hosts_at(0), "0123");
}
END_TEST

START_TEST(a_balanced_load_begins_with_every_host)
{
        bool began[N] = {false};

        pipit__host_order_free(order);
        order = pipit__host_order_new(N, true);
        for (int i = 0; i < 1000; i++)
                began[hosts_at(0)[0] - '0'] = true;
        for (int i = 0; i < N; i++)
                ck_assert(began[i]);
}
END_TEST

START_TEST(a_balanced_load_tries_each_host_once_and_those_that_failed_last)
{
        pipit__host_order_free(order);
        order = pipit__host_order_new(N, true);
        pipit__host_order_failed(order, 2, 0);
        for (int i = 0; i < 100; i++) {
                const char *hosts = hosts_at(0);
                ck_assert_int_eq(hosts[N - 1], '2');
                for (char digit = '0'; digit < '0' + N; digit++)
                        ck_assert_ptr_nonnull(strchr(hosts, digit));
        }
}
END_TEST

START_TEST(addresses_are_in_any_order_only_if_the_load_is_balanced)
{
        bool moved = false;
        int places[2];

        pipit__host_order_write_addresses(order, 2, places);
        ck_assert_int_eq(places[0], 0);
        ck_assert_int_eq(places[1], 1);
        pipit__host_order_free(order);
        order = pipit__host_order_new(N, true);
        for (int i = 0; i < 1000; i++) {
                pipit__host_order_write_addresses(order, 2, places);
                moved = moved || places[0] == 1;
        }
        ck_assert(moved);
}
END_TEST

START_TEST(without_memory_there_is_no_order)
{
        oom_after(0);
        struct host_order *none = pipit__host_order_new(N, false);
        ck_assert(oom_stop());
        ck_assert_ptr_null(none);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("host_order");
        TCase *tcase = tcase_create("host_order");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, hosts_are_tried_in_the_order_of_the_list);
        tcase_add_test(tcase, a_host_that_failed_is_tried_last_for_thirty_seconds);
        tcase_add_test(tcase, hosts_that_failed_keep_their_order);
        tcase_add_test(tcase, a_host_that_served_is_in_its_place);
        tcase_add_test(tcase, no_order_is_that_of_the_list);
        tcase_add_test(tcase, a_balanced_load_begins_with_every_host);
        tcase_add_test(tcase, a_balanced_load_tries_each_host_once_and_those_that_failed_last);
        tcase_add_test(tcase, addresses_are_in_any_order_only_if_the_load_is_balanced);
        tcase_add_test(tcase, without_memory_there_is_no_order);
        suite_add_tcase(suite, tcase);
        return suite;
}
