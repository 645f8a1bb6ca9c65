#include <pipit/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oom.h"
#include "runner.h"
#include "urls.h"

/* Each URL gives these hosts, as "host|hostaddr|port" with spaces between. */
static const struct {
        const char *url;
        const char *hosts;
} hosts[] = {
        {NULL, "||5432"},
        {"", "||5432"},
        {"postgresql://db.example/x", "db.example||5432"},
        {"postgresql://a:1,b:2/x", "a||1 b||2"},
        {"postgresql://a,b/x", "a||5432 b||5432"},
        {"postgresql://[::1]:7/x", "::1||7"},
        {"postgresql://%2Frun%2Fpg/x", "/run/pg||5432"},
        {"postgresql:///x?host=/run/pg&port=6000", "/run/pg||6000"},
        {"host=a,b,c port=7", "a||7 b||7 c||7"},
        {"host=a,b,c port=1,,3", "a||1 b||5432 c||3"},
        {"host=a,,c", "a||5432 ||5432 c||5432"},
        {"host=a hostaddr=10.0.0.1", "a|10.0.0.1|5432"},
        {"host=a,b hostaddr=10.0.0.1,10.0.0.2 port=1,2", "a|10.0.0.1|1 b|10.0.0.2|2"},
        {"hostaddr=10.0.0.1,10.0.0.2", "|10.0.0.1|5432 |10.0.0.2|5432"},
        {"host=a,b hostaddr=,10.0.0.2", "a||5432 b|10.0.0.2|5432"},
        {"port=65535", "||65535"},
        {"port=''", "||5432"},
        {"host='' hostaddr=''", "||5432"},
};
#define N_HOSTS ((int)(sizeof hosts / sizeof hosts[0]))

START_TEST(lists_of_hosts_addresses_and_ports_belong_together)
{
        char text[256] = "";

        read_well(hosts[_i].url);
        for (int i = 0; i < info.n_hosts; i++) {
                size_t length = strlen(text);
                snprintf(text + length, sizeof text - length, "%s%s|%s|%s", i > 0 ? " " : "",
                         info.hosts[i].host, info.hosts[i].hostaddr, info.hosts[i].port);
        }
        ck_assert_str_eq(text, hosts[_i].hosts);
}
END_TEST

/* Each is wrong, and its problem has the word. */
static const struct {
        const char *url;
        const char *word;
} wrong[] = {
        {"postgresql://[::1/x", "]"},
        {"postgresql://h/x?nonsense=1", "nonsense"},
        {"nonsense=1", "nonsense"},
        {"nonsense", "nonsense"},
        {"host=a,b port=1,2,3", "2 hosts, but 3 ports"},
        {"host=a,b,c port=1,2", "3 hosts, but 2 ports"},
        {"host=a,b hostaddr=10.0.0.1", "2 hosts, but 1 addresses"},
        {"host=a hostaddr=10.0.0.1,10.0.0.2", "1 hosts, but 2 addresses"},
        {"hostaddr=10.0.0.1,10.0.0.2 port=1,2,3", "2 hosts, but 3 ports"},
        {"port=0", "\"0\""},
        {"port=-1", "\"-1\""},
        {"port=65536", "\"65536\""},
        {"port=abc", "\"abc\""},
        {"host=a,b port=1,2x", "\"2x\""},
        {"postgresql://h/x%00y", "%00"},
        {"port=5432x", "\"5432x\""},
        {"host=a,b port=,+", "\"+\""},
        {"postgresql://h/x?sslmode=", "sslmode"},
        {"sslmode=''", "sslmode"},
        {"channel_binding=''", "channel_binding"},
        {"gssencmode=''", "gssencmode"},
        {"target_session_attrs=''", "target_session_attrs"},
        {"service=''", "service"},
        {"connect_timeout=''", "connect_timeout is \"\""},
        {"connect_timeout=7s", "connect_timeout is \"7s\""},
        {"keepalives=yes", "keepalives is"},
        {"keepalives_idle=9999999999", "keepalives_idle is"},
        {"keepalives_interval=''", "keepalives_interval is"},
        {"keepalives_count='1 2'", "keepalives_count is"},
        {"tcp_user_timeout=0x10", "tcp_user_timeout is"},
};
#define N_WRONG ((int)(sizeof wrong / sizeof wrong[0]))

START_TEST(what_is_wrong_with_a_url_is_said)
{
        ck_assert_int_eq(read_url(wrong[_i].url), PIPIT_EINVAL);
        ck_assert_ptr_nonnull(problem);
        ck_assert_msg(strstr(problem, wrong[_i].word) != NULL, "%s", problem);
}
END_TEST

/* Connection strings with "geheim" in a password, which nothing repeats. Where one is right, what
 * is known of it names the password nowhere else. */
static const char *const secrets[] = {
        "postgresql://u:geheim%zz@h/x",
        "postgresql://u:geheim%@h/x",
        "postgresql://u:geheim%0@h/x",
        "postgresql://u:a%00geheim@h/x",
        "postgresql://u:%zzgeheim@h,i/x?sslmode=require",
        "postgresql://u:geheim%zz/x",
        "postgresql://u:geheim/x",
        "postgresql://u:geheim",
        "postgresql://u:geheim/geheim@h/x",
        "postgresql://u:1/geheim@h/x",
        "postgresql://u:1@geheim@h/x",
        "postgresql://u:a@geheim:1/geheim@h/x",
        "postgresql://u:/geheim@h:2/x",
        "postgresql://u:1/a?geheim@h/x",
        "postgresql://u:1/a?b=c&geheim@h/x",
        "postgresql://u:geheim@[::1/x",
        "postgresql://u:geheim@[]/x",
        "postgresql://u:geheim@[::1]x/y",
        "postgresql://u:geheim@h:abc/x",
        "postgresql://u:geheim@h/x?nonsense=1",
        "postgresql://u:geheim@h/x?sslmode=nonsense",
        "postgresql://h/x?user=u&password=a&geheim=b",
        "postgresql://h/x?password=geheim=b",
        "postgresql://h/x?password=geheim%zz",
        "postgresql://h/x?PASSWORD=geheim",
        "postgresql://h/x?sslpassword=geheim&nonsense=1",
        "postgres+ssl://u:geheim@h/x",
        "mysql://u:geheim@h/x",
        "POSTGRESQL://u:geheim@h/x",
        " postgresql://u:geheim@h/x",
        "jdbc:postgresql://h/x?user=u&password=geheim",
        "://u:geheim@h",
        "u:geheim@h/x",
        "u:geheim",
        "password=a geheim",
        "password=a geheim=b",
        "password='geheim",
        "password=geheim host",
        "password='a'geheim'",
        "host=h password=a geheim port=1",
        "passwort=geheim",
        "Password=geheim",
        "password=geheim port=abc",
        "password=geheim connect_timeout=7s",
        "password=geheim sslmode=no",
        "host=a,b port=1,2,3 password=geheim",
        "service=none password=geheim",
};
#define N_SECRETS ((int)(sizeof secrets / sizeof secrets[0]))

START_TEST(no_password_of_a_url_is_in_what_is_wrong_with_it)
{
        ck_assert_int_eq(read_url(secrets[_i]), PIPIT_EINVAL);
        ck_assert_ptr_nonnull(problem);
        ck_assert_msg(strcasestr(problem, "geheim") == NULL, "%s", problem);
}
END_TEST

/* Each has an @ or a / where it is right. */
static const char *const unsuspicious[] = {
        "postgresql://u:p%40%2F@h/x",
        "postgresql://u:p@h/x%40y",
        "postgresql://@h/x",
        "postgresql://u@h:1/x",
        "postgresql://h/x?user=a@b",
        "postgresql://u:p@h/x?application_name=a@b/c",
        "host=@abstract dbname=x@y/z",
        "postgresql://u:p@h,i:2/x",
        "postgresql://u:p@%40abstract/x",
        "password=geheim@x/y host=h",
        "postgresql://u:p?q#r@h/x",
        "postgresql:///x?host=/run/a@b",
};
#define N_UNSUSPICIOUS ((int)(sizeof unsuspicious / sizeof unsuspicious[0]))

START_TEST(a_url_with_an_at_sign_in_its_place_is_read)
{
        ck_assert_msg(read_url(unsuspicious[_i]) == 0, "%s", problem);
}
END_TEST

START_TEST(an_endpoint_is_one_host_with_one_address)
{
        read_well("postgresql://u@a:1,b:2/x");
        connect_to(1, "10.0.0.2");
        ck_assert_str_eq(parameter("host"), "b");
        ck_assert_str_eq(parameter("hostaddr"), "10.0.0.2");
        ck_assert_str_eq(parameter("port"), "2");
        ck_assert_str_eq(parameter("user"), "u");
        ck_assert_str_eq(parameter("dbname"), "x");
        ck_assert_ptr_null(parameters.keys[parameters.n]);
        ck_assert_ptr_null(parameters.values[parameters.n]);
}
END_TEST

START_TEST(values_with_blanks_and_quotes_stay_values)
{
        read_well("postgresql://u%27%20host=evil@h/x%20host%3Devil?application_name=a%20b");
        connect_to(0, "10.0.0.1");
        ck_assert_str_eq(parameter("user"), "u' host=evil");
        ck_assert_str_eq(parameter("dbname"), "x host=evil");
        ck_assert_str_eq(parameter("application_name"), "a b");
        ck_assert_str_eq(parameter("host"), "h");
}
END_TEST

START_TEST(links_are_watched_and_named_unless_the_url_says_otherwise)
{
        read_well("host=a");
        connect_to(0, "10.0.0.1");
        ck_assert_str_eq(parameter("client_encoding"), "UTF8");
        ck_assert_str_eq(parameter("fallback_application_name"), "pipit");
        ck_assert_str_eq(parameter("keepalives_idle"), "10");
        /* It would end links to a server that waits for a lock. */
        ck_assert_ptr_null(parameter("tcp_user_timeout"));
        pipit__conninfo_fini(&info);
        read_well("host=a keepalives_idle=77 tcp_user_timeout=88 client_encoding=LATIN1");
        connect_to(0, "10.0.0.1");
        ck_assert_str_eq(parameter("keepalives_idle"), "77");
        ck_assert_str_eq(parameter("tcp_user_timeout"), "88");
        ck_assert_str_eq(parameter("client_encoding"), "UTF8");
}
END_TEST

START_TEST(prefer_standby_goes_round_twice)
{
        read_well("host=a,b target_session_attrs=prefer-standby");
        ck_assert(info.prefer_standby);
        struct endpoint endpoint = {&info.hosts[0], "10.0.0.1", true};
        pipit__conninfo_parameters(&info, &endpoint, &parameters);
        ck_assert_str_eq(parameter("target_session_attrs"), "standby");
        endpoint.standby = false;
        pipit__conninfo_parameters(&info, &endpoint, &parameters);
        ck_assert_str_eq(parameter("target_session_attrs"), "any");
}
END_TEST

START_TEST(other_roles_of_servers_are_libpqs_business)
{
        read_well("host=a target_session_attrs=read-write");
        ck_assert(!info.prefer_standby);
        connect_to(0, "10.0.0.1");
        ck_assert_str_eq(parameter("target_session_attrs"), "read-write");
}
END_TEST

START_TEST(a_service_file_is_read_when_the_database_is_opened)
{
        char path[128];

        write_file("service", "[mine]\nhost=svc.example\nport=6000\nsslmode=verify-ca\n");
        snprintf(path, sizeof path, "%s/service", folder);
        setenv("PGSERVICEFILE", path, 1);
        read_well("service=mine");
        ck_assert_int_eq(info.n_hosts, 1);
        ck_assert_str_eq(info.hosts[0].host, "svc.example");
        ck_assert_str_eq(info.hosts[0].port, "6000");
        connect_to(0, "10.0.0.1");
        ck_assert_str_eq(parameter("sslmode"), "verify-ca");
}
END_TEST

START_TEST(a_service_that_is_not_there_is_told)
{
        setenv("PGSERVICEFILE", "/nonexistent/service", 1);
        ck_assert_int_eq(read_url("service=mine host=a"), PIPIT_EINVAL);
        ck_assert_ptr_nonnull(strstr(problem, "/nonexistent/service"));
        free(problem);
        pipit__conninfo_fini(&info);
        setenv("PGSERVICE", "mine", 1);
        ck_assert_int_eq(read_url("host=a"), PIPIT_EINVAL);
}
END_TEST

START_TEST(what_the_environment_has_wrong_is_told)
{
        setenv("PGSSLMODE", _i == 0 ? "" : "bogus", 1);
        ck_assert_int_eq(read_url("host=a"), PIPIT_EINVAL);
        ck_assert_ptr_nonnull(strstr(problem, "sslmode"));
        free(problem);
        problem = NULL;
        pipit__conninfo_fini(&info);
        read_well("host=a sslmode=require");
}
END_TEST

START_TEST(what_is_given_as_empty_is_not_the_environment_s)
{
        setenv("PGHOST", "evil.example", 1);
        setenv("PGHOSTADDR", "10.6.6.6", 1);
        setenv("PGPASSWORD", "evil", 1);
        setenv("PGOPTIONS", "evil", 1);
        read_well("host='' hostaddr='' password='' options=''");
        connect_to(0, "");
        static const char *const keys[] = {"host", "hostaddr", "password", "options"};
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
                int at = 0;
                while (at < parameters.n && strcmp(parameters.keys[at], keys[i]) != 0)
                        at++;
                ck_assert_int_lt(at, parameters.n);
                ck_assert_str_eq(parameters.values[at], "");
        }
}
END_TEST

START_TEST(a_hostile_environment_changes_nothing_that_is_given)
{
        setenv("PGHOST", "evil.example", 1);
        setenv("PGPORT", "666", 1);
        setenv("PGUSER", "evil", 1);
        setenv("PGDATABASE", "evil", 1);
        setenv("PGCLIENTENCODING", "SJIS", 1);
        setenv("PGTARGETSESSIONATTRS", "any", 1);
        read_well("host=a port=5 user=u dbname=d target_session_attrs=read-write");
        connect_to(0, "10.0.0.1");
        ck_assert_str_eq(parameter("host"), "a");
        ck_assert_str_eq(parameter("port"), "5");
        ck_assert_str_eq(parameter("user"), "u");
        ck_assert_str_eq(parameter("dbname"), "d");
        ck_assert_str_eq(parameter("client_encoding"), "UTF8");
        ck_assert_str_eq(parameter("target_session_attrs"), "read-write");
        ck_assert_str_eq(parameter("sslmode"), "verify-full");
}
END_TEST

START_TEST(an_environment_that_changes_later_changes_nothing)
{
        read_well("host=a user=u dbname=d");
        setenv("PGSSLMODE", "disable", 1);
        setenv("PGPORT", "666", 1);
        connect_to(0, "10.0.0.1");
        ck_assert_str_eq(parameter("sslmode"), "verify-full");
        ck_assert_str_eq(parameter("port"), "5432");
}
END_TEST

START_TEST(an_address_from_the_environment_is_not_this_machine)
{
        setenv("PGHOSTADDR", "10.6.6.6", 1);
        read_well("host=localhost");
        ck_assert_str_eq(info.hosts[0].hostaddr, "10.6.6.6");
        connect_to(0, info.hosts[0].hostaddr);
        ck_assert_str_eq(parameter("sslmode"), "verify-full");
}
END_TEST

static const struct {
        const char *url;
        int64_t timeout_ms;
} timeouts[] = {
        {"", 0},
        {"connect_timeout=7", 7000},
        {"connect_timeout=0", 0},
        {"connect_timeout=-3", 0},
        {"connect_timeout=' +7\t'", 7000},
        {"connect_timeout=2147483647", INT64_C(2147483647000)},
};
#define N_TIMEOUTS ((int)(sizeof timeouts / sizeof timeouts[0]))

START_TEST(a_url_may_have_a_timeout_in_seconds)
{
        read_well(timeouts[_i].url);
        ck_assert_int_eq(pipit__conninfo_connect_timeout(&info), timeouts[_i].timeout_ms);
}
END_TEST

START_TEST(without_memory_nothing_is_half_read)
{
        bool failed;
        int n = 0;

        options.sslmode = "require";
        do {
                oom_after(n++);
                int code = read_url("postgresql://u:p@a:1,b:2/x?connect_timeout=7");
                failed = oom_stop();
                ck_assert_int_eq(code, failed ? PIPIT_ENOMEM : 0);
                ck_assert_ptr_null(problem);
                pipit__conninfo_fini(&info);
        } while (failed);
        ck_assert_int_gt(n, 10);
}
END_TEST

START_TEST(without_memory_a_problem_is_not_half_said)
{
        bool failed;
        int n = 0;

        do {
                oom_after(n++);
                int code = read_url("host=a,b port=1,2,3");
                failed = oom_stop();
                ck_assert_int_eq(code, failed ? PIPIT_ENOMEM : PIPIT_EINVAL);
                ck_assert_int_eq(problem != NULL, !failed);
                pipit__conninfo_fini(&info);
        } while (failed);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("conninfo");
        TCase *tcase = tcase_create("conninfo");

        tcase_add_checked_fixture(tcase, urls_setup, urls_teardown);
        tcase_add_loop_test(tcase, lists_of_hosts_addresses_and_ports_belong_together, 0, N_HOSTS);
        tcase_add_loop_test(tcase, what_is_wrong_with_a_url_is_said, 0, N_WRONG);
        tcase_add_loop_test(tcase, no_password_of_a_url_is_in_what_is_wrong_with_it, 0, N_SECRETS);
        tcase_add_loop_test(tcase, a_url_with_an_at_sign_in_its_place_is_read, 0, N_UNSUSPICIOUS);
        tcase_add_test(tcase, an_endpoint_is_one_host_with_one_address);
        tcase_add_test(tcase, values_with_blanks_and_quotes_stay_values);
        tcase_add_test(tcase, links_are_watched_and_named_unless_the_url_says_otherwise);
        tcase_add_test(tcase, prefer_standby_goes_round_twice);
        tcase_add_test(tcase, other_roles_of_servers_are_libpqs_business);
        tcase_add_test(tcase, a_service_file_is_read_when_the_database_is_opened);
        tcase_add_test(tcase, a_service_that_is_not_there_is_told);
        tcase_add_loop_test(tcase, what_the_environment_has_wrong_is_told, 0, 2);
        tcase_add_test(tcase, what_is_given_as_empty_is_not_the_environment_s);
        tcase_add_test(tcase, a_hostile_environment_changes_nothing_that_is_given);
        tcase_add_test(tcase, an_environment_that_changes_later_changes_nothing);
        tcase_add_test(tcase, an_address_from_the_environment_is_not_this_machine);
        tcase_add_loop_test(tcase, a_url_may_have_a_timeout_in_seconds, 0, N_TIMEOUTS);
        tcase_add_test(tcase, without_memory_nothing_is_half_read);
        tcase_add_test(tcase, without_memory_a_problem_is_not_half_said);
        suite_add_tcase(suite, tcase);
        return suite;
}
