/* What is read out of libpq's messages is private to connect_attempt.c: the test is a part of it.
 */
#include <event2/event.h>
#include <pipit/error.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connect/connect_attempt.c"
#include "oom.h"
#include "runner.h"

static const struct {
        const char *message;
        const char *sqlstate;
        const char *text;
} messages[] = {
        {"connection to server at \"10.0.0.1\", port 5432 failed: FATAL:  28P01: password "
         "authentication failed for user \"u\"\nLOCATION:  auth_failed, auth.c:338\n",
         "28P01",
         "connection to server at \"10.0.0.1\", port 5432 failed: FATAL:  password authentication "
         "failed for user \"u\""},
        {"connection to server on socket \"/tmp/.s.PGSQL.1\" failed: No such file or directory\n\t"
         "Is the server running locally?\n",
         "",
         "connection to server on socket \"/tmp/.s.PGSQL.1\" failed: No such file or directory"},
        {"FATAL:  3D000: database \"x\" does not exist\n", "3D000",
         "FATAL:  database \"x\" does not exist"},
        {"ВАЖНО:  28000: нет\n", "28000", "ВАЖНО:  нет"},
        /* A name that looks like one stands in front of the true one. */
        {"server at \":  28P01: x\" failed: FATAL:  53300: too many\n", "53300",
         "server at \":  28P01: x\" failed: FATAL:  too many"},
        {"FATAL:  28P0: no\n", "", "FATAL:  28P0: no"},
        {"FATAL:  28p01: no\n", "", "FATAL:  28p01: no"},
        {"FATAL:  28P01 no\n", "", "FATAL:  28P01 no"},
        {"FATAL:  28P01:no\n", "", "FATAL:  28P01:no"},
        {"FATAL:  28P01: \x1b[2Jred\n", "28P01", "FATAL:  \\x1b[2Jred"},
        {"", "", ""},
        {":  ", "", ":  "},
        {"\n", "", ""},
};
#define N_MESSAGES ((int)(sizeof messages / sizeof messages[0]))

START_TEST(a_message_is_one_line_and_its_sqlstate_apart)
{
        struct conn_error failure = {.sqlstate = "ZZZ00"};

        conn_error_read(&failure, messages[_i].message);
        ck_assert_str_eq(failure.sqlstate, messages[_i].sqlstate);
        ck_assert_str_eq(failure.text, messages[_i].text);
}
END_TEST

START_TEST(a_long_message_is_cut)
{
        struct conn_error failure;
        char message[5000];

        memset(message, 'x', sizeof message);
        snprintf(message, 20, "FATAL:  28P01: y");
        message[16] = 'x';
        message[sizeof message - 1] = '\0';
        conn_error_read(&failure, message);
        ck_assert_str_eq(failure.sqlstate, "28P01");
        ck_assert_uint_lt(strlen(failure.text), sizeof failure.text);
        ck_assert_uint_gt(strlen(failure.text), sizeof failure.text - 10);
}
END_TEST

static const struct {
        struct conninfo_host host;
        const char *text;
} places[] = {
        {{(char[]){"db.example"}, (char[]){""}, (char[]){"5432"}}, "db.example:5432"},
        {{(char[]){"db.example"}, (char[]){"10.0.0.1"}, (char[]){"7"}}, "db.example:7"},
        {{(char[]){""}, (char[]){"10.0.0.1"}, (char[]){"7"}}, "10.0.0.1:7"},
        {{(char[]){"/run/pg"}, (char[]){""}, (char[]){"7"}}, "/run/pg/.s.PGSQL.7"},
        {{(char[]){"@pg"}, (char[]){""}, (char[]){"7"}}, "@pg/.s.PGSQL.7"},
        {{(char[]){""}, (char[]){""}, (char[]){"5432"}}, "local socket, port 5432"},
};
#define N_PLACES ((int)(sizeof places / sizeof places[0]))

START_TEST(a_place_has_a_name_for_people)
{
        struct conn_error failure;

        conn_error_set_host(&failure, &places[_i].host);
        ck_assert_str_eq(failure.host, places[_i].text);
}
END_TEST

static const struct {
        const char *sqlstate;
        bool permanent;
} states[] = {
        {"28P01", true},  {"28000", true},  {"3D000", true},  {"", false},      {"53300", false},
        {"57P03", false}, {"08006", false}, {"3D001", false}, {"42501", false},
};
#define N_STATES ((int)(sizeof states / sizeof states[0]))

START_TEST(only_what_somebody_must_change_is_permanent)
{
        struct conn_error failure = {0};

        snprintf(failure.sqlstate, sizeof failure.sqlstate, "%s", states[_i].sqlstate);
        ck_assert_int_eq(pipit__conn_error_is_permanent(&failure), states[_i].permanent);
}
END_TEST

/* From here on attempts are made, to sockets that do not exist. */

/* How deep the stack was when libpq was given an endpoint. */
static struct depths {
        int n;
        const char *least;
        const char *most;
} depths;

struct pg_conn *__real_pipit__pq_start(const char *const *keys, const char *const *values);
struct pg_conn *__wrap_pipit__pq_start(const char *const *keys, const char *const *values);

struct pg_conn *
__wrap_pipit__pq_start(const char *const *keys, const char *const *values)
{
        const char *here = __builtin_frame_address(0);

        if (depths.n == 0 || here < depths.least)
                depths.least = here;
        if (depths.n == 0 || here > depths.most)
                depths.most = here;
        depths.n++;
        return __real_pipit__pq_start(keys, values);
}

static struct event_base *base;
static struct reactor *reactor;
static struct conninfo info;
static struct conn_error failed;
static int n_failed;

static void
on_turn(void *arg)
{
        (void)arg;
}

/* No assertions: they take memory, which may be what there is none of. */
static void
on_attempt(struct pg_conn *pq, const char *host, const struct conn_error *failure, void *arg)
{
        if (pq != NULL || arg != &info || strcmp(host, failure->host) != 0)
                abort();
        failed = *failure;
        n_failed++;
}

static void
setup(void)
{
        static const struct pipit_options options;
        char *problem = NULL;

        n_failed = 0;
        base = event_base_new();
        reactor = pipit__reactor_new(base, 0, on_turn, NULL);
        ck_assert_int_eq(pipit__conninfo_init(&info,
                                              "host=/nonexistent/a,/nonexistent/b port=1,2 user=u "
                                              "dbname=d",
                                              &options, &problem),
                         0);
}

static void
teardown(void)
{
        pipit__conninfo_fini(&info);
        pipit__reactor_free(reactor);
        event_base_free(base);
}

START_TEST(an_attempt_fails_from_the_loop_with_its_last_host)
{
        ck_assert_ptr_nonnull(
                pipit__connect_attempt_start(reactor, &info, 60000, on_attempt, &info));
        ck_assert_int_eq(n_failed, 0);
        event_base_dispatch(base);
        ck_assert_int_eq(n_failed, 1);
        ck_assert_str_eq(failed.host, "/nonexistent/b/.s.PGSQL.2");
        ck_assert_str_eq(failed.sqlstate, "");
        ck_assert_ptr_nonnull(strstr(failed.text, "/nonexistent/b"));
}
END_TEST

START_TEST(an_attempt_that_is_cancelled_says_nothing)
{
        struct connect_attempt *attempt =
                pipit__connect_attempt_start(reactor, &info, 60000, on_attempt, &info);

        ck_assert_ptr_nonnull(attempt);
        pipit__connect_attempt_cancel(attempt, false);
        pipit__connect_attempt_cancel(NULL, false);
        event_base_dispatch(base);
        ck_assert_int_eq(n_failed, 0);
}
END_TEST

START_TEST(prefer_standby_tries_every_host_twice)
{
        info.prefer_standby = true;
        struct connect_attempt *attempt =
                pipit__connect_attempt_start(reactor, &info, 60000, on_attempt, &info);
        for (int i = 0; i < attempt->n_targets; i++)
                target_resolve(&attempt->targets[i]);
        for (int left = 4; left > 0; left--) {
                ck_assert(attempt_advance(attempt));
                ck_assert_int_eq(attempt_endpoints_left(attempt), left);
                ck_assert_int_eq(attempt->round, left > 2 ? 0 : 1);
                attempt->address++;
        }
        ck_assert(!attempt_advance(attempt));
        pipit__connect_attempt_cancel(attempt, false);
}
END_TEST

START_TEST(the_stack_does_not_grow_with_the_hosts_that_are_dead)
{
        char url[1000] = "user=u dbname=d host=/nonexistent";
        static const struct pipit_options options;
        char *problem = NULL;

        for (int i = 1; i < 60; i++)
                strcat(url, ",/nonexistent");
        pipit__conninfo_fini(&info);
        ck_assert_int_eq(pipit__conninfo_init(&info, url, &options, &problem), 0);
        depths = (struct depths){0};
        ck_assert_ptr_nonnull(
                pipit__connect_attempt_start(reactor, &info, 60000, on_attempt, &info));
        event_base_dispatch(base);
        ck_assert_int_eq(n_failed, 1);
        ck_assert_int_eq(depths.n, 60);
        ck_assert_ptr_eq(depths.least, depths.most);
}
END_TEST

/* What libpq has to say of a password file is for the log. */
START_TEST(an_attempt_prints_nothing)
{
        char path[] = "/tmp/attempt-XXXXXX";
        char url[200];
        static const struct pipit_options options;
        char *problem = NULL;
        int fd = mkstemp(path);

        ck_assert_int_eq(fchmod(fd, 0644), 0);
        snprintf(url, sizeof url, "host=/nonexistent user=u dbname=d passfile=%s", path);
        ck_assert_int_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
        pipit__conninfo_fini(&info);
        ck_assert_int_eq(pipit__conninfo_init(&info, url, &options, &problem), 0);
        pipit__connect_attempt_start(reactor, &info, 60000, on_attempt, &info);
        event_base_dispatch(base);
        ck_assert_int_eq(n_failed, 1);
        ck_assert_int_eq(lseek(fd, 0, SEEK_END), 0);
        close(fd);
        unlink(path);
}
END_TEST

START_TEST(without_memory_an_attempt_does_not_start)
{
        bool out;
        int n = 0;

        do {
                oom_after(n++);
                struct connect_attempt *attempt =
                        pipit__connect_attempt_start(reactor, &info, 60000, on_attempt, &info);
                out = oom_stop();
                ck_assert_int_eq(attempt == NULL, out);
                pipit__connect_attempt_cancel(attempt, false);
        } while (out);
        ck_assert_int_eq(n, 3);
}
END_TEST

START_TEST(without_memory_on_its_way_an_attempt_fails_once)
{
        bool out;
        int n = 0;

        do {
                n_failed = 0;
                ck_assert_ptr_nonnull(
                        pipit__connect_attempt_start(reactor, &info, 60000, on_attempt, &info));
                oom_after(n++);
                event_base_dispatch(base);
                out = oom_stop();
                ck_assert_int_eq(n_failed, 1);
        } while (out);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("attempt_text");
        TCase *tcase = tcase_create("text");

        tcase_add_loop_test(tcase, a_message_is_one_line_and_its_sqlstate_apart, 0, N_MESSAGES);
        tcase_add_test(tcase, a_long_message_is_cut);
        tcase_add_loop_test(tcase, a_place_has_a_name_for_people, 0, N_PLACES);
        tcase_add_loop_test(tcase, only_what_somebody_must_change_is_permanent, 0, N_STATES);
        suite_add_tcase(suite, tcase);
        tcase = tcase_create("attempts");
        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, an_attempt_fails_from_the_loop_with_its_last_host);
        tcase_add_test(tcase, an_attempt_that_is_cancelled_says_nothing);
        tcase_add_test(tcase, prefer_standby_tries_every_host_twice);
        tcase_add_test(tcase, the_stack_does_not_grow_with_the_hosts_that_are_dead);
        tcase_add_test(tcase, an_attempt_prints_nothing);
        tcase_add_test(tcase, without_memory_an_attempt_does_not_start);
        tcase_add_test(tcase, without_memory_on_its_way_an_attempt_fails_once);
        suite_add_tcase(suite, tcase);
        return suite;
}
