/*
 * Attempts that are made for true, to sockets that do not exist.
 */
#include <event2/event.h>
#include <fcntl.h>
#include <pipit/error.h>
#include <pipit/options.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connect/connect_attempt.h"
#include "connect/conninfo.h"
#include "loop/reactor.h"
#include "oom.h"
#include "runner.h"

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
        depths = (struct depths){0};
        pipit__connect_attempt_start(reactor, &info, 60000, on_attempt, &info);
        event_base_dispatch(base);
        ck_assert_int_eq(n_failed, 1);
        ck_assert_int_eq(depths.n, 4);
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
        ck_assert_int_eq(n, 4);
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
        Suite *suite = suite_create("connect_attempt");
        TCase *tcase = tcase_create("attempts");

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
