#include "connect/address.h"
#include "runner.h"

/* What needs no DNS query, and what is this machine. DNS queries themselves are in the wire tests.
 */
static const struct {
        const char *host;
        bool is_address;
        bool is_local;
} names[] = {
        {"", true, true},
        {"/run/postgresql", true, true},
        {"@abstract", true, true},
        {"127.0.0.1", true, true},
        {"127.255.3.4", true, true},
        {"::1", true, true},
        {"localhost", false, true},
        {"0.0.0.0", true, false},
        {"126.255.255.255", true, false},
        {"128.0.0.1", true, false},
        {"10.0.0.1", true, false},
        {"::", true, false},
        {"2001:db8::1", true, false},
        {"fe80::1%lo", true, false},
        {"db.example", false, false},
        {"db%lo.example", false, false},
        {"127.0.0.1.example", false, false},
        {"127.example", false, false},
        {"localhost.example", false, false},
        {"1.2.3", false, false},
        {"1.2.3.4.5", false, false},
        {"1.2.3.4:5432", false, false},
        {"[::1]", false, false},
        {"run/postgresql", false, false},
};
#define N_NAMES ((int)(sizeof names / sizeof names[0]))

START_TEST(addresses_and_sockets_need_no_look_up)
{
        ck_assert_msg(pipit__address_is_one(names[_i].host) == names[_i].is_address, "%s",
                      names[_i].host);
}
END_TEST

START_TEST(only_sockets_and_loopback_are_this_machine)
{
        ck_assert_msg(pipit__address_is_local(names[_i].host) == names[_i].is_local, "%s",
                      names[_i].host);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("address");
        TCase *tcase = tcase_create("address");

        tcase_add_loop_test(tcase, addresses_and_sockets_need_no_look_up, 0, N_NAMES);
        tcase_add_loop_test(tcase, only_sockets_and_loopback_are_this_machine, 0, N_NAMES);
        suite_add_tcase(suite, tcase);
        return suite;
}
