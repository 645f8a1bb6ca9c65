/* Whether look-ups leave a descriptor behind. Their answers are in the wire tests. */
#include <arpa/inet.h>
#include <dirent.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <pipit/pipit.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connect/resolver.h"
#include "loop/reactor.h"
#include "oom.h"
#include "runner.h"
#include "scope/database.h"

static struct event_base *base;
static struct reactor *reactor;
static int name_server; /* a socket that never answers */
static char resolv_conf[] = "/tmp/resolver-XXXXXX";
static const struct resolver_files files = {resolv_conf, "/nonexistent"};

static void
nothing(void *arg)
{
        (void)arg;
}

static void
setup(void)
{
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t length = sizeof address;
        FILE *file = fdopen(mkstemp(resolv_conf), "w");

        name_server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(name_server, (struct sockaddr *)&address, length), 0);
        ck_assert_int_eq(getsockname(name_server, (struct sockaddr *)&address, &length), 0);
        ck_assert_ptr_nonnull(file);
        fprintf(file, "nameserver 127.0.0.1:%d\n", ntohs(address.sin_port));
        ck_assert_int_eq(fclose(file), 0);
        base = event_base_new();
        reactor = pipit__reactor_new(base, 0, nothing, NULL);
}

/* What a look-up leaves goes when the loop turns. */
static void
teardown(void)
{
        event_base_dispatch(base);
        pipit__reactor_free(reactor);
        event_base_free(base);
        close(name_server);
        unlink(resolv_conf);
}

static int
open_descriptors(void)
{
        DIR *all = opendir("/proc/self/fd");
        int n = 0;

        ck_assert_ptr_nonnull(all);
        while (readdir(all) != NULL)
                n++;
        closedir(all);
        return n;
}

/* Turns the loop until the name server has been asked. */
static void
await_question(void)
{
        char byte;

        while (recv(name_server, &byte, 1, MSG_DONTWAIT) < 0)
                event_base_loop(base, EVLOOP_NONBLOCK);
}

static void
on_found(const struct dns_found *found, void *arg)
{
        (void)found;
        (void)arg;
        ck_abort_msg("a look-up that was cancelled has answered");
}

/* A program may be done then: its loop does not turn again. */
START_TEST(a_look_up_that_is_cancelled_leaves_no_descriptor)
{
        static const char *const hosts[] = {"db.test", "db.test", "localhost"};
        int before = open_descriptors();
        struct dns_query *query =
                pipit__dns_query_start(reactor, &files, hosts[_i], on_found, NULL);

        ck_assert_ptr_nonnull(query);
        if (_i == 0) {
                await_question();
                ck_assert_int_gt(open_descriptors(), before);
        }
        pipit__dns_query_cancel(query);
        ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

static void
on_end(struct pipit_result *res, void *arg)
{
        ck_assert_int_eq(pipit_result_error(res)->code, PIPIT_ECANCELED);
        ++*(int *)arg;
}

START_TEST(closing_amid_a_look_up_leaves_no_descriptor)
{
        int before = open_descriptors();
        int n = 0;
        struct pipit *db = pipit_open(base, "host=db.test", NULL);

        db->db->info.files = &files;
        pipit_query(db, "SELECT 1", PIPIT_NO_PARAMS, on_end, &n);
        await_question();
        ck_assert_int_gt(open_descriptors(), before);
        pipit_close(db);
        ck_assert_int_eq(open_descriptors(), before);
        event_base_dispatch(base);
        ck_assert_int_eq(n, 1);
}
END_TEST

static void
on_any(const struct dns_found *found, void *arg)
{
        if ((found->addresses.n == 0) != (found->problem != NULL))
                abort();
        ++*(int *)arg;
}

/* Nobody is at the name server's port any more, so that each look-up has an end at once. */
START_TEST(without_memory_on_its_way_a_look_up_answers_once)
{
        bool out;
        int after = 0;

        close(name_server);
        do {
                int n = 0;
                struct dns_query *query =
                        pipit__dns_query_start(reactor, &files, "db.test", on_any, &n);
                ck_assert_ptr_nonnull(query);
                oom_after(after++);
                event_base_dispatch(base);
                out = oom_stop();
                ck_assert_int_eq(n, 1);
        } while (out);
        ck_assert_int_gt(after, 1);
}
END_TEST

START_TEST(without_memory_no_look_up_starts)
{
        bool out;
        int after = 0;
        int n = 0;

        do {
                oom_after(after++);
                struct dns_query *query =
                        pipit__dns_query_start(reactor, &files, "db.test", on_any, &n);
                out = oom_stop();
                ck_assert_int_eq(query == NULL, out);
                pipit__dns_query_cancel(query);
        } while (out);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("resolver_sockets");
        TCase *tcase = tcase_create("resolver_sockets");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_loop_test(tcase, a_look_up_that_is_cancelled_leaves_no_descriptor, 0, 3);
        tcase_add_test(tcase, without_memory_on_its_way_a_look_up_answers_once);
        tcase_add_test(tcase, without_memory_no_look_up_starts);
        tcase_add_test(tcase, closing_amid_a_look_up_leaves_no_descriptor);
        suite_add_tcase(suite, tcase);
        return suite;
}
