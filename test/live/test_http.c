/*
 * A server made with evhttp, whose queries end when their clients hang up.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <pipit/evhttp.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cancels.h"

/* What is asked for with each HTTP request, and how that ended. */
static struct site {
        struct evhttp *http;
        int port;
        const char *sql;
        int n_queries; /* for each HTTP request */
        int n_begun;
        int n_ended; /* queries */
        int n_cancelled;
} site;

/* One HTTP request, until all its queries have ended. */
struct visit {
        struct evhttp_request *http;
        int n_left;
};

static void
on_queried(struct pipit_result *res, void *arg)
{
        struct visit *visit = arg;

        site.n_ended++;
        site.n_cancelled += pipit_failed(res) && pipit_result_error(res)->code == PIPIT_ECANCELED;
        if (--visit->n_left > 0)
                return;
        evhttp_send_reply(visit->http, pipit_failed(res) ? 500 : 200, NULL, NULL);
        free(visit);
}

static void
on_visit(struct evhttp_request *http, void *arg)
{
        struct visit *visit = calloc(1, sizeof *visit);

        (void)arg;
        ck_assert_ptr_nonnull(visit);
        *visit = (struct visit){http, site.n_queries};
        site.n_begun++;
        for (int i = 0; i < site.n_queries; i++) {
                pipit_request number =
                        pipit_query(live_db, site.sql, PIPIT_NO_PARAMS, on_queried, visit);
                ck_assert_int_eq(pipit_cancel_on_close(live_db, number, http), 0);
        }
}

static void
site_setup(void)
{
        live_setup();
        signal(SIGPIPE, SIG_IGN); /* as servers do: clients hang up */
        open_connections(4);
        site = (struct site){.sql = "SELECT pg_sleep(600)", .n_queries = 1};
        site.http = evhttp_new(live_base);
        ck_assert_ptr_nonnull(site.http);
        struct evhttp_bound_socket *bound =
                evhttp_bind_socket_with_handle(site.http, "127.0.0.1", 0);
        ck_assert_ptr_nonnull(bound);
        struct sockaddr_in address;
        socklen_t length = sizeof address;
        ck_assert_int_eq(getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&address,
                                     &length),
                         0);
        site.port = ntohs(address.sin_port);
        evhttp_set_gencb(site.http, on_visit, NULL);
}

static void
site_teardown(void)
{
        evhttp_free(site.http);
        live_teardown();
}

static int
client_connect(void)
{
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                      .sin_port = htons((uint16_t)site.port)};
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
        return fd;
}

static void
client_ask(int fd)
{
        static const char text[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

        ck_assert_int_eq(write(fd, text, sizeof text - 1), (ssize_t)sizeof text - 1);
}

/* Hangs up, with a word or without. */
static void
client_leave(int fd, bool reset)
{
        struct linger linger = {.l_onoff = reset, .l_linger = 0};

        ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
        close(fd);
}

static int
count_files(void)
{
        DIR *folder = opendir("/proc/self/fd");
        int n = 0;

        ck_assert_ptr_nonnull(folder);
        while (readdir(folder) != NULL)
                n++;
        closedir(folder);
        return n;
}

START_TEST(a_client_that_hangs_up_cancels_its_query)
{
        int fd = client_connect();

        client_ask(fd);
        loop_until(&site.n_begun, 1);
        wait_for_sleeping(live_url(), 1);
        ck_assert_int_eq(site.n_ended, 0);
        client_leave(fd, _i == 1);
        loop_until(&site.n_cancelled, 1);
        wait_for_sleeping(live_url(), 0);
        ck_assert_int_eq(site.n_ended, 1);
}
END_TEST

START_TEST(all_queries_of_a_client_that_hangs_up_are_cancelled)
{
        int fd = client_connect();

        site.n_queries = 3;
        client_ask(fd);
        loop_until(&site.n_begun, 1);
        client_leave(fd, false);
        loop_until(&site.n_cancelled, 3);
        ck_assert_int_eq(site.n_ended, 3);
}
END_TEST

START_TEST(what_has_completed_is_not_watched_any_more)
{
        int fd = client_connect();

        site.sql = "SELECT 1";
        client_ask(fd);
        loop_until(&site.n_ended, 1);
        int n_files = count_files();
        for (int i = 2; i < 20; i++) { /* on the same connection */
                client_ask(fd);
                loop_until(&site.n_ended, i);
        }
        ck_assert_int_eq(count_files(), n_files);
        client_leave(fd, false);
        loop_for(10);
        ck_assert_int_eq(site.n_cancelled, 0);
}
END_TEST

START_TEST(a_client_that_asks_again_before_its_answer_is_not_gone)
{
        int fd = client_connect();

        site.sql = "SELECT pg_sleep(0.1)";
        client_ask(fd);
        loop_until(&site.n_begun, 1);
        client_ask(fd);
        loop_until(&site.n_ended, 2);
        ck_assert_int_eq(site.n_cancelled, 0);
        site.sql = "SELECT pg_sleep(600)";
        client_ask(fd);
        loop_until(&site.n_begun, 3);
        client_ask(fd); /* which nobody reads any more */
        loop_for(10);
        ck_assert_int_eq(site.n_cancelled, 0);
        client_leave(fd, _i == 1);
        loop_until(&site.n_cancelled, 1);
}
END_TEST

START_TEST(a_client_cancels_nobody_elses_query)
{
        struct calls told = {0};
        int first = client_connect();
        int second = client_connect();

        client_ask(first);
        client_ask(second);
        loop_until(&site.n_begun, 2);
        pipit_request number = start("SELECT pg_sleep(600)", &told);
        wait_for_sleeping(live_url(), 3);
        client_leave(first, true);
        loop_until(&site.n_cancelled, 1);
        wait_for_sleeping(live_url(), 2);
        ck_assert_int_eq(site.n_ended, 1);
        ck_assert_int_eq(told.n, 0);
        client_leave(second, false);
        loop_until(&site.n_cancelled, 2);
        pipit_cancel(live_db, number);
        expect_error(answer(&told), PIPIT_ECANCELED, "");
}
END_TEST

START_TEST(a_server_that_ends_first_leaves_nothing_behind)
{
        int n_files = count_files();
        int fd = client_connect();

        site.n_queries = 2;
        client_ask(fd);
        loop_until(&site.n_begun, 1);
        pipit_close(live_db); /* with all that is out, while the client waits */
        live_db = NULL;
        loop_until(&site.n_cancelled, 2);
        client_leave(fd, false);
        loop_for(10);
        ck_assert_int_le(count_files(), n_files);
}
END_TEST

START_TEST(the_client_of_any_descriptor_cancels_its_request)
{
        struct pipit *tx = pipit_begin(live_db, NULL);
        struct pipit *scope = _i == 0 ? live_db : tx;
        struct calls told = {0};
        int pair[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        pipit_request number = ask_on(scope, "SELECT pg_sleep(600)", &told);
        ck_assert_int_eq(pipit_cancel_on_close_fd(scope, number, pair[0]), 0);
        ck_assert_int_eq(pipit_cancel_on_close_fd(scope, number, pair[0]), 0);
        wait_for_sleeping(live_url(), 1);
        close(pair[1]);
        expect_error(answer(&told), PIPIT_ECANCELED, "");
        ck_assert_ptr_nonnull(strstr(pipit_error_text(told.last), "its client went away"));
        ck_assert_int_eq(pipit_cancel_on_close_fd(scope, number, pair[0]), PIPIT_EINVAL);
        close(pair[0]);
        pipit_close(tx);
}
END_TEST

START_TEST(what_cannot_hang_up_is_refused)
{
        struct calls told = {0};
        pipit_request number = start("SELECT 1", &told);

        ck_assert_int_eq(pipit_cancel_on_close_fd(live_db, number, -1), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_cancel_on_close_fd(live_db, 0, site.port), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_cancel_on_close_fd(NULL, number, 0), PIPIT_EINVAL);
        expect_ok(answer(&told));
}
END_TEST

START_TEST(what_names_no_request_is_refused)
{
        struct evhttp_request *http = evhttp_request_new(NULL, NULL);

        ck_assert_int_eq(pipit_cancel_on_close(live_db, 0, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_cancel_on_close(NULL, 0, http), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_cancel_on_close(live_db, 0, http), 0); /* it has no client */
        evhttp_request_free(http);
}
END_TEST

START_TEST(without_a_client_the_query_is_cancelled_at_once)
{
        struct evhttp_request *http = evhttp_request_new(NULL, NULL);
        struct calls told = {0};

        pipit_request number = start("SELECT 1", &told);
        ck_assert_int_eq(pipit_cancel_on_close(live_db, number, http), 0);
        expect_error(answer(&told), PIPIT_ECANCELED, "");
        evhttp_request_free(http);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("http");
        TCase *tcase = tcase_create("http");

        tcase_add_checked_fixture(tcase, site_setup, site_teardown);
        tcase_add_loop_test(tcase, a_client_that_hangs_up_cancels_its_query, 0, 2);
        tcase_add_test(tcase, all_queries_of_a_client_that_hangs_up_are_cancelled);
        tcase_add_test(tcase, what_has_completed_is_not_watched_any_more);
        tcase_add_loop_test(tcase, a_client_that_asks_again_before_its_answer_is_not_gone, 0, 2);
        tcase_add_test(tcase, a_client_cancels_nobody_elses_query);
        tcase_add_test(tcase, a_server_that_ends_first_leaves_nothing_behind);
        tcase_add_loop_test(tcase, the_client_of_any_descriptor_cancels_its_request, 0, 2);
        tcase_add_test(tcase, what_cannot_hang_up_is_refused);
        tcase_add_test(tcase, what_names_no_request_is_refused);
        tcase_add_test(tcase, without_a_client_the_query_is_cancelled_at_once);
        suite_add_tcase(suite, tcase);
        return suite;
}
