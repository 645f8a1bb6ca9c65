/*
 * The end of scopes: pipit_close() from wherever a program can stand, and what becomes of the
 * requests that were outstanding.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "live.h"

/* A database that looks at the server while live_db is busy, and is none of its own. */
static struct pipit *observer;
static char sleep_sql[100];

static void
setup(void)
{
        static int n_tests; /* what an earlier test left asleep on the server is none of ours */
        struct pipit_options options = {.max_connections = 2, .max_pipeline = 1};

        live_setup();
        live_reopen(&options);
        observer = pipit_open(live_base, live_url(), NULL);
        ck_assert_ptr_nonnull(observer);
        snprintf(sleep_sql, sizeof sleep_sql, "SELECT pg_sleep(20) /* %d of %d */", n_tests++,
                 (int)getpid());
}

static void
teardown(void)
{
        pipit_close(observer);
        live_teardown();
}

static void
close_live_db(void)
{
        pipit_close(live_db);
        live_db = NULL;
}

static void
on_call_close(struct pipit_result *res, void *arg)
{
        on_call(res, arg);
        close_live_db();
}

static void
on_call_close_scope(struct pipit_result *res, void *arg)
{
        on_call(res, arg);
        pipit_close(pipit_result_scope(res));
}

static void
on_timer_close(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        (*(int *)arg)++;
        close_live_db();
}

/* Waits until the server runs so many of our sleeping statements. */
static void
wait_for_sleepers(int n)
{
        char sql[300];
        char text[12];

        snprintf(sql, sizeof sql,
                 "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = '%s'",
                 sleep_sql);
        snprintf(text, sizeof text, "%d", n);
        wait_for_server_on(observer, sql, text);
}

/* Requests of every stage: both connections run one, and one more waits. */
struct scene {
        struct calls sent;
        struct calls sent_too;
        struct calls waiting;
};

static void
scene_start(struct scene *scene)
{
        ask_on(live_db, sleep_sql, &scene->sent);
        ask_on(live_db, sleep_sql, &scene->sent_too);
        wait_for_sleepers(2);
        ask_on(live_db, "SELECT 1", &scene->waiting);
        ck_assert_int_eq(scene->sent.n + scene->sent_too.n + scene->waiting.n, 0);
}

static void
expect_scene_canceled(struct scene *scene)
{
        expect_executed(answer(&scene->sent), PIPIT_ECANCELED, PIPIT_EXECUTED_UNKNOWN);
        expect_executed(answer(&scene->sent_too), PIPIT_ECANCELED, PIPIT_EXECUTED_UNKNOWN);
        expect_executed(answer(&scene->waiting), PIPIT_ECANCELED, PIPIT_EXECUTED_NO);
}

/* The loop ends by itself, and until then nobody is called a second time. */
static void
expect_the_loop_ends(void)
{
        pipit_close(observer);
        observer = NULL;
        ck_assert_int_ge(event_base_dispatch(live_base), 0);
        ck_assert_int_eq(event_base_get_num_events(live_base, EVENT_BASE_COUNT_ADDED |
                                                                      EVENT_BASE_COUNT_ACTIVE),
                         0);
}

static void
expect_scene_over(struct scene *scene)
{
        expect_scene_canceled(scene);
        expect_the_loop_ends();
        expect_scene_canceled(scene);
}

START_TEST(close_without_a_request_leaves_nothing_in_the_loop)
{
        close_live_db();
        expect_the_loop_ends();
}
END_TEST

START_TEST(close_before_any_turn_cancels_what_was_started)
{
        struct calls calls[3] = {{0}};

        for (int i = 0; i < 3; i++)
                ask_on(live_db, "SELECT 1", &calls[i]);
        close_live_db();
        for (int i = 0; i < 3; i++)
                ck_assert_int_eq(calls[i].n, 0);
        expect_the_loop_ends();
        for (int i = 0; i < 3; i++) {
                ck_assert_int_eq(calls[i].n, 1);
                expect_executed(calls[i].last, PIPIT_ECANCELED, PIPIT_EXECUTED_NO);
        }
}
END_TEST

START_TEST(close_outside_of_callbacks_cancels_sent_and_waiting_requests)
{
        struct scene scene = {.sent.n = 0};

        scene_start(&scene);
        close_live_db();
        ck_assert_int_eq(scene.sent.n + scene.sent_too.n + scene.waiting.n, 0);
        expect_scene_over(&scene);
}
END_TEST

START_TEST(a_second_close_changes_nothing)
{
        struct scene scene = {.sent.n = 0};

        scene_start(&scene);
        pipit_close(live_db);
        close_live_db();
        expect_scene_over(&scene);
}
END_TEST

/* A server that accepts and never says a word: connecting takes as long as the test likes. */
struct mute {
        char folder[100];
        char path[120];
        char url[200];
        int fd;
};

static void
mute_open(struct mute *mute)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        const char *parent = getenv("TMPDIR");

        snprintf(mute->folder, sizeof mute->folder, "%s/pipit-XXXXXX",
                 parent != NULL && strlen(parent) < 60 ? parent : "/tmp");
        ck_assert_ptr_nonnull(mkdtemp(mute->folder));
        snprintf(mute->path, sizeof mute->path, "%s/.s.PGSQL.5432", mute->folder);
        snprintf(mute->url, sizeof mute->url, "postgresql:///x?host=%s", mute->folder);
        ck_assert_uint_lt(strlen(mute->path), sizeof address.sun_path);
        memcpy(address.sun_path, mute->path, strlen(mute->path) + 1);
        mute->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(mute->fd, (struct sockaddr *)&address, sizeof address), 0);
        ck_assert_int_eq(listen(mute->fd, 5), 0);
}

static void
mute_close(struct mute *mute)
{
        close(mute->fd);
        unlink(mute->path);
        rmdir(mute->folder);
}

static void
on_connected(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        (*(int *)arg)++;
}

START_TEST(close_while_connecting_cancels_what_waits)
{
        struct calls calls = {0};
        struct mute mute;
        int n_connected = 0;

        mute_open(&mute);
        struct event *accepting =
                event_new(live_base, mute.fd, EV_READ, on_connected, &n_connected);
        event_add(accepting, NULL);
        struct pipit *db = pipit_open(live_base, mute.url, NULL);
        ask_on(db, "SELECT 1", &calls);
        loop_until(&n_connected, 1);
        pipit_close(db);
        event_free(accepting);
        expect_executed(answer(&calls), PIPIT_ECANCELED, PIPIT_EXECUTED_NO);
        close_live_db();
        expect_the_loop_ends();
        ck_assert_int_eq(calls.n, 1);
        mute_close(&mute);
}
END_TEST

/* What closes the database in its callback: it ends on the one connection that is free. */
static const struct ender {
        const char *sql; /* NULL: a statement that is refused at once */
        int64_t timeout_ms;
        int code;
        const char *sqlstate;
} enders[] = {
        {"SELECT 1", -1, PIPIT_OK, ""},
        {"SELECT 1/0", -1, PIPIT_ESERVER, "22012"},
        {"SELECT pg_sleep(20)", 50, PIPIT_ETIMEDOUT, ""},
        {NULL, -1, PIPIT_EINVAL, ""},
};

START_TEST(close_in_a_callback_cancels_the_others)
{
        const struct ender *ender = &enders[_i];
        struct calls sent = {0};
        struct calls ending = {0};

        ask_on(live_db, sleep_sql, &sent);
        wait_for_sleepers(1);
        pipit_request request =
                pipit_query(live_db, ender->sql, PIPIT_NO_PARAMS, on_call_close, &ending);
        pipit_set_timeout(live_db, request, ender->timeout_ms);
        const struct pipit_result *res = answer(&ending);
        if (ender->code == PIPIT_OK)
                expect_ok(res);
        else
                expect_error(res, ender->code, ender->sqlstate);
        expect_executed(answer(&sent), PIPIT_ECANCELED, PIPIT_EXECUTED_UNKNOWN);
        expect_the_loop_ends();
        ck_assert_int_eq(sent.n, 1);
        ck_assert_int_eq(ending.n, 1);
}
END_TEST

START_TEST(close_in_the_callback_of_a_success_cancels_what_waits)
{
        struct calls ending = {0};
        struct calls waiting = {0};
        struct calls sent = {0};

        ask_on(live_db, sleep_sql, &sent);
        wait_for_sleepers(1);
        pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, on_call_close, &ending);
        ask_on(live_db, "SELECT 2", &waiting);
        expect_ok(answer(&ending));
        expect_executed(answer(&waiting), PIPIT_ECANCELED, PIPIT_EXECUTED_NO);
        expect_executed(answer(&sent), PIPIT_ECANCELED, PIPIT_EXECUTED_UNKNOWN);
}
END_TEST

START_TEST(close_in_the_callback_of_a_cancelled_request_cancels_the_others)
{
        struct scene scene = {.sent.n = 0};
        struct calls ending = {0};

        scene_start(&scene);
        pipit_cancel(live_db,
                     pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, on_call_close, &ending));
        ck_assert_int_eq(ending.n, 0);
        expect_executed(answer(&ending), PIPIT_ECANCELED, PIPIT_EXECUTED_NO);
        expect_scene_over(&scene);
        ck_assert_int_eq(ending.n, 1);
}
END_TEST

START_TEST(close_in_the_callback_of_another_database_cancels_all)
{
        struct scene scene = {.sent.n = 0};
        struct calls ending = {0};

        scene_start(&scene);
        pipit_query(observer, "SELECT 1", PIPIT_NO_PARAMS, on_call_close, &ending);
        expect_ok(answer(&ending));
        expect_scene_over(&scene);
}
END_TEST

START_TEST(close_in_a_timer_cancels_all)
{
        struct scene scene = {.sent.n = 0};
        struct timeval soon = {0, 1000};
        int n = 0;

        scene_start(&scene);
        event_base_once(live_base, -1, EV_TIMEOUT, on_timer_close, &n, &soon);
        loop_until(&n, 1);
        expect_scene_over(&scene);
}
END_TEST

START_TEST(close_in_the_callback_of_a_drain_leaves_nothing)
{
        struct scene scene = {.sent.n = 0};
        struct calls drained = {0};

        scene_start(&scene);
        ck_assert_uint_ne(pipit_drain(live_db, 0, on_call_close, &drained), 0);
        expect_error(answer(&drained), PIPIT_ETIMEDOUT, "");
        expect_scene_over(&scene);
        ck_assert_int_eq(drained.n, 1);
}
END_TEST

/* A callback of a closing database: closes it again, asks what is wrong, and starts once more. */
struct last_call {
        struct calls calls;
        struct calls again;
        int scope_code;
};

static void
on_last_call(struct pipit_result *res, void *arg)
{
        struct last_call *last = arg;
        struct pipit *db = pipit_result_scope(res);

        on_call(res, &last->calls);
        last->scope_code = (int)pipit_scope_error(db)->code;
        ask_on(db, "SELECT 1", &last->again);
        pipit_close(db);
        ck_assert_int_eq(last->again.n, 0);
}

START_TEST(a_closed_scope_can_be_used_in_its_last_callbacks_and_refuses)
{
        struct last_call last = {.calls = {0}};

        pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, on_last_call, &last);
        close_live_db();
        expect_executed(answer(&last.calls), PIPIT_ECANCELED, PIPIT_EXECUTED_NO);
        expect_executed(answer(&last.again), PIPIT_ECLOSED, PIPIT_EXECUTED_NO);
        ck_assert_int_eq(last.scope_code, PIPIT_ECLOSED);
        expect_the_loop_ends();
        ck_assert_int_eq(last.calls.n + last.again.n, 2);
}
END_TEST

START_TEST(a_start_behind_close_is_refused_through_its_callback)
{
        struct calls before = {0};
        struct calls behind = {0};

        ask_on(live_db, "SELECT 1", &before);
        pipit_close(live_db);
        ask_on(live_db, "SELECT 1", &behind); /* its memory waits for the first callback */
        live_db = NULL;
        ck_assert_int_eq(behind.n, 0);
        expect_executed(answer(&behind), PIPIT_ECLOSED, PIPIT_EXECUTED_NO);
        expect_executed(answer(&before), PIPIT_ECANCELED, PIPIT_EXECUTED_NO);
}
END_TEST

START_TEST(a_result_that_was_kept_outlives_its_database)
{
        struct pipit_result *res = query("SELECT 'still here'", PIPIT_NO_PARAMS);

        ck_assert_ptr_eq(pipit_result_scope(res), live_db);
        close_live_db();
        expect_the_loop_ends();
        expect_text(res, 0, 0, "still here");
        ck_assert_ptr_null(pipit_result_scope(res));
}
END_TEST

START_TEST(two_databases_on_one_base_end_one_by_one)
{
        struct calls mine = {0};
        struct calls other = {0};

        ask_on(live_db, sleep_sql, &mine);
        wait_for_sleepers(1);
        ask_on(observer, "SELECT 2", &other);
        close_live_db();
        expect_executed(answer(&mine), PIPIT_ECANCELED, PIPIT_EXECUTED_UNKNOWN);
        expect_text(answer(&other), 0, 0, "2");
        expect_text(query_on(observer, "SELECT 3", PIPIT_NO_PARAMS), 0, 0, "3");
        expect_the_loop_ends();
}
END_TEST

START_TEST(databases_on_two_bases_turn_each_on_its_own)
{
        struct event_base *base = event_base_new();
        struct pipit *db = pipit_open(base, live_url(), NULL);
        struct calls there = {0};
        struct calls here = {0};

        ask_on(db, "SELECT 1", &there);
        ask_on(live_db, "SELECT 2", &here);
        expect_text(answer(&here), 0, 0, "2");
        ck_assert_int_eq(there.n, 0);
        while (there.n == 0)
                ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
        expect_text(there.last, 0, 0, "1");
        pipit_close(db);
        ck_assert_int_ge(event_base_dispatch(base), 0);
        event_base_free(base);
}
END_TEST

START_TEST(close_takes_the_blocking_scopes_with_it)
{
        struct calls calls = {0};
        struct pipit *sync = pipit_allow_sync(live_db);

        ck_assert_ptr_null(pipit_scope_error(sync));
        ask_on(sync, "SELECT 1", &calls);
        close_live_db();
        ck_assert_int_eq(calls.n, 1);
        expect_executed(calls.last, PIPIT_ECANCELED, PIPIT_EXECUTED_NO);
        expect_the_loop_ends();
}
END_TEST

START_TEST(a_blocking_scope_may_be_closed_in_its_own_callback)
{
        struct pipit *sync = pipit_allow_sync(live_db);
        struct calls waiting = {0};
        struct calls ending = {0};

        pipit_request first =
                pipit_query(sync, "SELECT 1", PIPIT_NO_PARAMS, on_call_close_scope, &ending);
        ask_on(sync, "SELECT pg_sleep(20)", &waiting);
        expect_error(pipit_wait(sync, first), PIPIT_ECLOSED, "");
        expect_ok(answer(&ending));
        expect_error(answer(&waiting), PIPIT_ECANCELED, "");
        expect_text(query("SELECT 3", PIPIT_NO_PARAMS), 0, 0, "3");
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("lifetime");
        TCase *tcase = tcase_create("close");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, close_without_a_request_leaves_nothing_in_the_loop);
        tcase_add_test(tcase, close_before_any_turn_cancels_what_was_started);
        tcase_add_test(tcase, close_outside_of_callbacks_cancels_sent_and_waiting_requests);
        tcase_add_test(tcase, a_second_close_changes_nothing);
        tcase_add_test(tcase, close_while_connecting_cancels_what_waits);
        tcase_add_loop_test(tcase, close_in_a_callback_cancels_the_others, 0,
                            sizeof enders / sizeof *enders);
        tcase_add_test(tcase, close_in_the_callback_of_a_success_cancels_what_waits);
        tcase_add_test(tcase, close_in_the_callback_of_a_cancelled_request_cancels_the_others);
        tcase_add_test(tcase, close_in_the_callback_of_another_database_cancels_all);
        tcase_add_test(tcase, close_in_a_timer_cancels_all);
        tcase_add_test(tcase, close_in_the_callback_of_a_drain_leaves_nothing);
        tcase_add_test(tcase, a_closed_scope_can_be_used_in_its_last_callbacks_and_refuses);
        tcase_add_test(tcase, a_start_behind_close_is_refused_through_its_callback);
        tcase_add_test(tcase, a_result_that_was_kept_outlives_its_database);
        tcase_add_test(tcase, two_databases_on_one_base_end_one_by_one);
        tcase_add_test(tcase, databases_on_two_bases_turn_each_on_its_own);
        tcase_add_test(tcase, close_takes_the_blocking_scopes_with_it);
        tcase_add_test(tcase, a_blocking_scope_may_be_closed_in_its_own_callback);
        suite_add_tcase(suite, tcase);
        return suite;
}
