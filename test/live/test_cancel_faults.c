/*
 * Cancels where things go wrong: the server cannot be asked, or does not answer, or is asked too
 * late and stops the next statement. Behind the fault proxy, on a server of the test's own.
 */
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "cancels.h"
#include "conn/conn_int.h"
#include "pq/pq_cancel.h"
#include "proxied.h"
#include "scope/database.h"

/* Opens live_db through the proxy, and has one connection. */
static void
proxy_open(const char *user)
{
        struct pipit_options options = journal_options();
        char url[200];

        options.max_connections = 1;
        snprintf(url, sizeof url, "postgresql://%s@127.0.0.1:%d/postgres?sslmode=disable", user,
                 proxy_port(proxy));
        live_open(named_url(url), &options);
        execute("SELECT 1");
}

static void
proxy_setup(void)
{
        own_setup();
        proxied_start(live_cluster.folder);
        proxy_open("postgres");
}

static void
proxy_teardown(void)
{
        proxied_end();
        own_teardown();
}

/* Starts a statement that sleeps for long, and cancels it once it does. */
static void
cancel_a_sleep(struct calls *told)
{
        pipit_request number = start("SELECT pg_sleep(600)", told);

        wait_for_sleeping(live_cluster.url, 1);
        pipit_cancel(live_db, number);
}

START_TEST(without_a_connection_to_ask_by_the_connection_is_given_up)
{
        struct calls told = {0};

        ck_assert(proxy_listen(proxy, false));
        cancel_a_sleep(&told);
        expect_unknown(answer(&told), PIPIT_ECANCELED);
        loop_until(&live_journal.n_closed, 1);
        ck_assert(proxy_listen(proxy, true));
        execute("SELECT 1");
        ck_assert_int_eq(live_journal.n_up, 2);
        /* The server finds out by itself that nobody is there any more. */
        wait_for_sleeping(live_cluster.url, 0);
        ck_assert_int_eq(told.n, 1);
}
END_TEST

START_TEST(a_server_without_room_to_ask_it_costs_the_connection_and_no_more)
{
        struct calls told = {0};

        execute("CREATE ROLE limited LOGIN CONNECTION LIMIT 1");
        proxy_open("limited");
        int n_closed = live_journal.n_closed;
        cancel_a_sleep(&told);
        expect_unknown(answer(&told), PIPIT_ECANCELED);
        /* libpq's own cancels need no room; else its own end makes some. */
        while (ask(live_cluster.url, sleeping_sql()) > 0 && live_journal.n_closed == n_closed)
                loop_for(5);
        ask(live_cluster.url, "SELECT pg_terminate_backend(pid)::int FROM pg_stat_activity "
                              "WHERE wait_event = 'PgSleep'");
        execute("SELECT 1");
        ck_assert_int_eq(told.n, 1);
}
END_TEST

START_TEST(a_server_that_does_not_answer_is_waited_for_2_seconds)
{
        struct calls told = {0};

        rule("connection=2,to=server,n=1,do=drop"); /* nobody hears what is asked there */
        cancel_a_sleep(&told);
        expect_unknown(answer(&told), PIPIT_ECANCELED);
        ck_assert_int_eq(live_journal.n_closed, 0);
        int64_t since = clock_ms();
        loop_until(&live_journal.n_closed, 1);
        ck_assert_int_ge(clock_ms() - since, 1000);
        proxy_clear(proxy);
        execute("SELECT 1");
}
END_TEST

START_TEST(a_process_that_is_another_by_now_is_left_alone)
{
        struct calls told = {0};
        struct conn *conn = pipit__conn_of(list_first(&live_db->db->pool.idle));

        if (pipit__pq_can_cancel(conn->pq)) /* by a key, and not by the process */
                return;
        snprintf(conn->backend.began, sizeof conn->backend.began, "before");
        cancel_a_sleep(&told);
        expect_unknown(answer(&told), PIPIT_ECANCELED);
        loop_until(&live_journal.n_closed, 1);
        ck_assert_int_eq(own_log_count("canceling statement"), 0);
        execute("SELECT 1");
}
END_TEST

/* ---- those behind it */

/* A statement that the server has answered, and whose answer comes late, is cancelled: the one
 * behind it is hit. */
static void
hit_the_next(bool reads, struct calls *first, struct calls *second)
{
        pipit_request (*run)(struct pipit *, const char *, struct pipit_params, pipit_cb, void *) =
                reads ? pipit_read : pipit_query;

        rule("connection=1,n=1,do=delay,k=400");
        pipit_request number = run(live_db, "SELECT 1 AS one", PIPIT_NO_PARAMS, on_call, first);
        run(live_db, "SELECT 7 FROM pg_sleep(0.8)", PIPIT_NO_PARAMS, on_call, second);
        wait_for_sleeping(live_cluster.url, 1);
        pipit_cancel(live_db, number);
        expect_unknown(answer(first), PIPIT_ECANCELED);
}

START_TEST(a_read_that_is_hit_in_the_place_of_another_runs_again)
{
        struct calls first = {0};
        struct calls second = {0};

        hit_the_next(true, &first, &second);
        wait_for_sleeping(live_cluster.url, 0); /* long before its time */
        ck_assert_int_eq(second.n, 0);
        expect_text(answer(&second), 0, 0, "7");
        ck_assert_int_eq(live_journal.n_up, 1);
}
END_TEST

START_TEST(what_must_not_run_again_is_told_that_it_was_hit)
{
        struct calls first = {0};
        struct calls second = {0};

        hit_the_next(false, &first, &second);
        expect_error(answer(&second), PIPIT_ESERVER, "57014");
        ck_assert_int_eq(pipit_result_error(second.last)->executed, PIPIT_EXECUTED_ROLLED_BACK);
        ck_assert_ptr_nonnull(strstr(pipit_error_text(second.last), "cancel of another"));
        execute("SELECT 1");
        ck_assert_int_eq(live_journal.n_up, 1);
}
END_TEST

START_TEST(a_cancel_that_nobody_here_asked_for_is_an_error_like_any)
{
        struct calls told = {0};

        start("SELECT pg_sleep(600)", &told);
        wait_for_sleeping(live_cluster.url, 1);
        ask(live_cluster.url, "SELECT pg_cancel_backend(pid)::int FROM pg_stat_activity "
                              "WHERE wait_event = 'PgSleep'");
        expect_error(answer(&told), PIPIT_ESERVER, "57014");
        ck_assert_ptr_null(strstr(pipit_error_text(told.last), "of another"));
}
END_TEST

/* ---- the loop */

/* How late a timer of 1 ms was at most, but for the time that others had the processor. */
struct ticker {
        struct event *event;
        struct timespec due;
        double others_ms;
        double worst_ms;
};

/* How long this process has been ready to run, and did not, as the kernel says. */
static double
waited_for_others_ms(void)
{
        FILE *file = fopen("/proc/self/schedstat", "r");
        unsigned long long ran_ns;
        unsigned long long waited_ns = 0;

        if (file == NULL)
                return 0;
        if (fscanf(file, "%llu %llu", &ran_ns, &waited_ns) != 2)
                waited_ns = 0;
        fclose(file);
        return (double)waited_ns / 1000000;
}

static double
ms_since(const struct timespec *then)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)(now.tv_sec - then->tv_sec) * 1000 +
               (double)(now.tv_nsec - then->tv_nsec) / 1000000;
}

static void
on_tick(int fd, short what, void *arg)
{
        struct ticker *ticker = arg;
        double others_ms = waited_for_others_ms();
        double late_ms = ms_since(&ticker->due) - 1 - (others_ms - ticker->others_ms);

        (void)fd;
        (void)what;
        if (late_ms > ticker->worst_ms)
                ticker->worst_ms = late_ms;
        ticker->others_ms = others_ms;
        clock_gettime(CLOCK_MONOTONIC, &ticker->due);
        event_add(ticker->event, &(struct timeval){0, 1000});
}

/* The pid of the server itself. */
static pid_t
postmaster(void)
{
        char path[200];
        int pid = 0;

        snprintf(path, sizeof path, "%s/data/postmaster.pid", live_cluster.folder);
        FILE *file = fopen(path, "r");
        ck_assert_ptr_nonnull(file);
        ck_assert_int_eq(fscanf(file, "%d", &pid), 1);
        fclose(file);
        return pid;
}

static void
ticker_start(struct ticker *ticker)
{
        *ticker = (struct ticker){.event = evtimer_new(live_base, on_tick, ticker)};
        ticker->others_ms = waited_for_others_ms();
        clock_gettime(CLOCK_MONOTONIC, &ticker->due);
        event_add(ticker->event, &(struct timeval){0, 1000});
}

/* How late the loop is when it has nothing to do, at worst: that is the machine. */
static double
quiet_ms(void)
{
        struct ticker ticker;

        ticker_start(&ticker);
        loop_for(2000);
        event_free(ticker.event);
        return ticker.worst_ms;
}

/* Cancels while the server takes no connections; how late the loop was meanwhile, at worst. */
static double
cancel_while_stopped(void)
{
        struct ticker ticker;
        struct calls told = {0};
        int n_closed = live_journal.n_closed;
        pipit_request number = start("SELECT pg_sleep(600)", &told);

        wait_for_sleeping(live_cluster.url, 1);
        kill(postmaster(), SIGSTOP);
        ticker_start(&ticker);
        pipit_cancel(live_db, number);
        expect_unknown(answer(&told), PIPIT_ECANCELED);
        loop_until(&live_journal.n_closed, n_closed + 1);
        event_free(ticker.event);
        kill(postmaster(), SIGCONT);
        execute("SELECT 1");
        ask(live_cluster.url, "SELECT pg_terminate_backend(pid)::int FROM pg_stat_activity "
                              "WHERE wait_event = 'PgSleep'");
        return ticker.worst_ms;
}

START_TEST(the_loop_goes_on_while_a_stopped_server_is_asked)
{
        struct pipit_options options = journal_options();
        double worst_ms = 5;

        options.max_connections = 1;
        live_open(named_url(live_cluster.url), &options);
        execute("SELECT 1");
        /* The machine may be busy, but a library that blocks does so each time. */
        for (int i = 0; i < 4 && worst_ms >= 5; i++) {
                worst_ms = cancel_while_stopped();
                if (worst_ms >= 5)
                        worst_ms -= quiet_ms();
        }
        if (worst_ms >= 5)
                ck_abort_msg("a timer was late by %.1f ms", worst_ms);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("cancel_faults");
        TCase *server = tcase_create("server");
        TCase *neighbours = tcase_create("neighbours");
        TCase *loop = tcase_create("loop");

        tcase_add_checked_fixture(server, proxy_setup, proxy_teardown);
        tcase_add_test(server, without_a_connection_to_ask_by_the_connection_is_given_up);
        tcase_add_test(server, a_server_without_room_to_ask_it_costs_the_connection_and_no_more);
        tcase_add_test(server, a_server_that_does_not_answer_is_waited_for_2_seconds);
        tcase_add_test(server, a_process_that_is_another_by_now_is_left_alone);
        suite_add_tcase(suite, server);
        tcase_add_checked_fixture(neighbours, proxy_setup, proxy_teardown);
        tcase_add_test(neighbours, a_read_that_is_hit_in_the_place_of_another_runs_again);
        tcase_add_test(neighbours, what_must_not_run_again_is_told_that_it_was_hit);
        tcase_add_test(neighbours, a_cancel_that_nobody_here_asked_for_is_an_error_like_any);
        suite_add_tcase(suite, neighbours);
        tcase_add_checked_fixture(loop, own_setup, own_teardown);
        tcase_add_test(loop, the_loop_goes_on_while_a_stopped_server_is_asked);
        suite_add_tcase(suite, loop);
        return suite;
}
