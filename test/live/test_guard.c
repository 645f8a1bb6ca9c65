/*
 * The guard: before the loop has started anybody may block, afterwards nobody by accident.
 */
#include <arpa/inet.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bases.h"
#include "live.h"

/* How many callbacks have tried to block. */
static int n_tries;

/* A fixture for each kind of base, by whose flags libevent tells time and by whose backend it
 * waits.
 */
#define SETUP_ON(kind)                                                                             \
        static void setup_on_##kind(void)                                                          \
        {                                                                                          \
                live_setup_on(kind);                                                               \
                n_tries = 0;                                                                       \
        }
SETUP_ON(0)
SETUP_ON(1)
SETUP_ON(2)
SETUP_ON(3)
SETUP_ON(4)
SETUP_ON(5)
SETUP_ON(6)
SETUP_ON(7)
SETUP_ON(8)

static const SFun setups[N_BASES] = {setup_on_0, setup_on_1, setup_on_2, setup_on_3, setup_on_4,
                                     setup_on_5, setup_on_6, setup_on_7, setup_on_8};

static struct pipit_result *
run(struct pipit *scope, const char *sql)
{
        return pipit_wait(scope, pipit_query(scope, sql, PIPIT_NO_PARAMS, NULL, NULL));
}

static void
expect_refused(struct pipit *db)
{
        struct pipit *sync = pipit_allow_sync(db);
        const struct pipit_result *res = run(sync, "SELECT 1");

        ck_assert_ptr_nonnull(sync);
        expect_error(res, PIPIT_EBLOCKING, "");
        ck_assert_int_eq(pipit_result_error(res)->executed, PIPIT_EXECUTED_NO);
        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), "pipit_set_allow_sync"));
        ck_assert_int_eq(pipit_scope_error(sync)->code, PIPIT_EBLOCKING);
        pipit_close(sync);
        n_tries++;
}

static void
expect_allowed(struct pipit *db)
{
        struct pipit *sync = pipit_allow_sync(db);

        ck_assert_ptr_null(pipit_scope_error(sync));
        expect_text(run(sync, "SELECT 'allowed'"), 0, 0, "allowed");
        pipit_close(sync);
        n_tries++;
}

/* Runs a function once from the loop, from a timer; arg is the function. */
struct once {
        void (*fn)(struct pipit *db);
};

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
        const struct once *once = arg;

        (void)fd;
        (void)what;
        once->fn(live_db);
}

static void
in_a_timer(void (*fn)(struct pipit *db))
{
        struct once once = {fn};
        const struct timeval soon = {0, 1000};
        int before = n_tries;

        ck_assert_int_eq(event_base_once(live_base, -1, EV_TIMEOUT, on_timer, &once, &soon), 0);
        loop_until(&n_tries, before + 1);
}

/* ---- allowed */

START_TEST(before_the_loop_runs_blocking_is_allowed)
{
        expect_allowed(live_db);
        expect_allowed(live_db);
}
END_TEST

START_TEST(before_the_loop_runs_a_second_database_may_block_as_well)
{
        struct pipit *other = pipit_open(live_base, live_url(), NULL);

        expect_allowed(live_db);
        expect_allowed(other);
        pipit_close(other);
}
END_TEST

START_TEST(inside_callbacks_blocking_is_allowed_once_the_program_has_said_so)
{
        pipit_set_allow_sync(live_db, true);
        in_a_timer(expect_allowed);
        expect_allowed(live_db);
        pipit_set_allow_sync(live_db, false);
        in_a_timer(expect_refused);
        expect_refused(live_db);
}
END_TEST

static void
on_result_block(struct pipit_result *res, void *arg)
{
        (void)arg;
        expect_ok(res);
        expect_allowed(pipit_result_scope(res));
}

START_TEST(inside_a_callback_of_its_own_the_database_may_block_when_allowed)
{
        pipit_set_allow_sync(live_db, true);
        pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, on_result_block, NULL);
        loop_until(&n_tries, 1);
}
END_TEST

static struct pipit *opened_before;

static void
use_opened_before(struct pipit *db)
{
        (void)db;
        expect_text(run(opened_before, "SELECT 'goes on'"), 0, 0, "goes on");
        n_tries++;
}

START_TEST(a_blocking_scope_that_is_open_already_goes_on)
{
        opened_before = pipit_allow_sync(live_db);
        in_a_timer(use_opened_before);
        expect_refused(live_db);
        use_opened_before(live_db);
        pipit_close(opened_before);
}
END_TEST

/* ---- refused */

static void
on_result_refused(struct pipit_result *res, void *arg)
{
        (void)arg;
        expect_refused(pipit_result_scope(res));
}

START_TEST(in_a_callback_of_the_database_it_is_refused)
{
        pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, on_result_refused, NULL);
        loop_until(&n_tries, 1);
}
END_TEST

START_TEST(in_a_timer_it_is_refused)
{
        in_a_timer(expect_refused);
}
END_TEST

START_TEST(after_the_loop_has_ended_it_is_refused)
{
        struct timeval now = {0, 0};

        event_base_loopexit(live_base, &now);
        event_base_dispatch(live_base);
        expect_refused(live_db);
}
END_TEST

START_TEST(after_a_loop_without_events_has_ended_it_is_refused)
{
        event_base_dispatch(live_base);
        expect_refused(live_db);
}
END_TEST

static void
on_http(struct evhttp_request *request, void *arg)
{
        (void)arg;
        expect_refused(live_db);
        evhttp_send_reply(request, 200, "OK", NULL);
}

/* A client that has sent its request before the loop runs. */
static int
http_client(struct evhttp_bound_socket *bound)
{
        static const char text[] = "GET / HTTP/1.0\r\n\r\n";
        struct sockaddr_in address;
        socklen_t length = sizeof address;
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        ck_assert_int_eq(getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&address,
                                     &length),
                         0);
        ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, length), 0);
        ck_assert_int_eq(write(fd, text, sizeof text - 1), sizeof text - 1);
        return fd;
}

START_TEST(in_an_http_handler_of_the_first_turn_it_is_refused)
{
        struct evhttp *http = evhttp_new(live_base);
        struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);

        ck_assert_ptr_nonnull(bound);
        evhttp_set_gencb(http, on_http, NULL);
        int fd = http_client(bound);
        loop_until(&n_tries, 1);
        close(fd);
        evhttp_free(http);
}
END_TEST

static void
on_deferred(struct bufferevent *end, void *arg)
{
        (void)end;
        (void)arg;
        expect_refused(live_db);
}

/* Two ends, one of which has something to read; its callback waits for the loop. */
static void
deferred_start(struct bufferevent *ends[2])
{
        ck_assert_int_eq(bufferevent_pair_new(live_base, BEV_OPT_DEFER_CALLBACKS, ends), 0);
        bufferevent_setcb(ends[1], on_deferred, NULL, NULL, NULL);
        bufferevent_enable(ends[0], EV_READ | EV_WRITE);
        bufferevent_enable(ends[1], EV_READ | EV_WRITE);
        bufferevent_write(ends[0], "x", 1);
}

static void
deferred_end(struct bufferevent *ends[2])
{
        bufferevent_free(ends[0]);
        bufferevent_free(ends[1]);
        /* Their memory goes by way of the loop. */
        event_base_loop(live_base, EVLOOP_NONBLOCK);
}

START_TEST(in_a_deferred_callback_of_the_first_turn_it_is_refused)
{
        struct bufferevent *ends[2];

        deferred_start(ends);
        loop_until(&n_tries, 1);
        deferred_end(ends);
}
END_TEST

START_TEST(in_a_deferred_callback_from_before_the_open_it_is_refused)
{
        struct bufferevent *ends[2];

        pipit_close(live_db);
        deferred_start(ends);
        live_db = pipit_open(live_base, live_url(), NULL);
        loop_until(&n_tries, 1);
        deferred_end(ends);
}
END_TEST

static void
open_and_block(struct pipit *db)
{
        struct pipit *young = pipit_open(live_base, live_url(), NULL);

        (void)db;
        expect_refused(young);
        pipit_close(young);
}

START_TEST(a_database_opened_inside_a_callback_is_refused_at_once)
{
        in_a_timer(open_and_block);
}
END_TEST

static void
open_and_allow(struct pipit *db)
{
        struct pipit *young = pipit_open(live_base, live_url(), NULL);

        (void)db;
        pipit_set_allow_sync(young, true);
        expect_allowed(young);
        pipit_close(young);
}

START_TEST(a_database_opened_inside_a_callback_may_block_when_allowed)
{
        in_a_timer(open_and_allow);
}
END_TEST

/* A handler of another loop on this thread blocks that one. */
static void
on_foreign_timer(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        (void)arg;
        expect_refused(live_db);
}

START_TEST(in_the_loop_of_another_base_it_is_refused)
{
        struct event_base *other = base_new(0);

        event_base_once(other, -1, EV_TIMEOUT, on_foreign_timer, NULL, NULL);
        event_base_dispatch(other);
        ck_assert_int_eq(n_tries, 1);
        event_base_free(other);
        expect_allowed(live_db);
}
END_TEST

static void
on_result_block_once_more(struct pipit_result *res, void *arg)
{
        expect_ok(res);
        expect_allowed(arg);
}

START_TEST(in_the_callback_of_a_blocking_scope_it_is_allowed_as_before)
{
        struct pipit *sync = pipit_allow_sync(live_db);

        expect_ok(pipit_wait(sync, pipit_query(sync, "SELECT 1", PIPIT_NO_PARAMS,
                                               on_result_block_once_more, live_db)));
        ck_assert_int_eq(n_tries, 1);
        pipit_close(sync);
}
END_TEST

START_TEST(a_refused_scope_calls_back_inside_its_close)
{
        struct calls calls = {0};

        event_base_dispatch(live_base);
        struct pipit *sync = pipit_allow_sync(live_db);
        ask_on(sync, "SELECT 1", &calls);
        ck_assert_int_eq(calls.n, 0);
        pipit_close(sync);
        ck_assert_int_eq(calls.n, 1);
        expect_error(calls.last, PIPIT_EBLOCKING, "");
}
END_TEST

START_TEST(a_blocking_scope_is_no_database_to_block_on)
{
        struct pipit *sync = pipit_allow_sync(live_db);
        struct pipit *second = pipit_allow_sync(sync);

        expect_error(run(second, "SELECT 1"), PIPIT_EINVAL, "");
        ck_assert_ptr_null(pipit_allow_sync(NULL));
        pipit_set_allow_sync(NULL, true);
        pipit_close(sync);
}
END_TEST

/* All of it, on a kind of base. */
static TCase *
guard_on(int kind)
{
        TCase *tcase = tcase_create(base_name(kind));

        tcase_add_checked_fixture(tcase, setups[kind], live_teardown);
        tcase_add_test(tcase, before_the_loop_runs_blocking_is_allowed);
        tcase_add_test(tcase, before_the_loop_runs_a_second_database_may_block_as_well);
        tcase_add_test(tcase, inside_callbacks_blocking_is_allowed_once_the_program_has_said_so);
        tcase_add_test(tcase, inside_a_callback_of_its_own_the_database_may_block_when_allowed);
        tcase_add_test(tcase, a_blocking_scope_that_is_open_already_goes_on);
        tcase_add_test(tcase, in_a_callback_of_the_database_it_is_refused);
        tcase_add_test(tcase, in_a_timer_it_is_refused);
        tcase_add_test(tcase, after_the_loop_has_ended_it_is_refused);
        tcase_add_test(tcase, after_a_loop_without_events_has_ended_it_is_refused);
        tcase_add_test(tcase, in_an_http_handler_of_the_first_turn_it_is_refused);
        tcase_add_test(tcase, in_a_deferred_callback_of_the_first_turn_it_is_refused);
        tcase_add_test(tcase, in_a_deferred_callback_from_before_the_open_it_is_refused);
        tcase_add_test(tcase, a_database_opened_inside_a_callback_is_refused_at_once);
        tcase_add_test(tcase, a_database_opened_inside_a_callback_may_block_when_allowed);
        tcase_add_test(tcase, in_the_loop_of_another_base_it_is_refused);
        tcase_add_test(tcase, in_the_callback_of_a_blocking_scope_it_is_allowed_as_before);
        tcase_add_test(tcase, a_refused_scope_calls_back_inside_its_close);
        tcase_add_test(tcase, a_blocking_scope_is_no_database_to_block_on);
        return tcase;
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("guard");

        for (int kind = 0; kind < N_BASES; kind++)
                suite_add_tcase(suite, guard_on(kind));
        return suite;
}
