/*
 * Forked children: what is the parent's is refused there, and can be dropped without harm to it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live.h"

#define CHECK(condition)                                                                           \
        do {                                                                                       \
                if (!(condition))                                                                  \
                        return __LINE__ % 250 + 1;                                                 \
        } while (0)

/* Runs a function in a child. It returns 0, or says in which line of this file it went wrong. */
static void
in_child(int (*fn)(void *arg), void *arg)
{
        int status = -1;
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0)
                _exit(fn(arg));
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                ck_abort_msg("the child ended with 0x%x: line %d, mod 250", status,
                             WEXITSTATUS(status) - 1);
}

/* The process id of live_db's session, which has one connection. */
static const char *
session(void)
{
        return pipit_result_text(query("SELECT pg_backend_pid()", PIPIT_NO_PARAMS), 0, 0);
}

static void
setup(void)
{
        struct pipit_options options = {.max_connections = 1};

        live_setup();
        live_reopen(&options);
}

static void
on_wrong_call(struct pipit_result *res, void *arg)
{
        (void)res;
        (void)arg;
        _exit(99);
}

static int
child_starts(void *arg)
{
        pipit_request outstanding = *(pipit_request *)arg;
        struct pipit_params none = PIPIT_NO_PARAMS;

        CHECK(pipit_scope_error(live_db) != NULL);
        CHECK(pipit_scope_error(live_db)->code == PIPIT_EFORK);
        CHECK(pipit_query(live_db, "SELECT 1", none, on_wrong_call, NULL) == 0);
        CHECK(pipit_query(live_db, NULL, none, on_wrong_call, NULL) == 0);
        CHECK(pipit_drain(live_db, 0, on_wrong_call, NULL) == 0);
        CHECK(pipit_allow_sync(live_db) == NULL);
        CHECK(pipit_then(live_db, outstanding, on_wrong_call, NULL) != 0);
        pipit_cancel(live_db, outstanding);
        pipit_set_timeout(live_db, outstanding, 0);
        pipit_set_allow_sync(live_db, true);
        return 0;
}

START_TEST(a_child_is_refused_and_the_parent_goes_on)
{
        const char *before = session();
        struct calls calls = {0};
        pipit_request request = ask_on(live_db, "SELECT 'mine'", &calls);

        in_child(child_starts, &request);
        expect_text(answer(&calls), 0, 0, "mine");
        ck_assert_ptr_null(pipit_scope_error(live_db));
        ck_assert_str_eq(session(), before);
}
END_TEST

static int
child_ends(void *arg)
{
        (void)arg;
        return 0;
}

START_TEST(a_child_that_just_ends_does_no_harm)
{
        const char *before = session();
        struct calls calls = {0};

        ask_on(live_db, "SELECT 'mine'", &calls);
        in_child(child_ends, NULL);
        expect_text(answer(&calls), 0, 0, "mine");
        ck_assert_str_eq(session(), before);
}
END_TEST

static int
child_closes(void *arg)
{
        (void)arg;
        CHECK(event_reinit(live_base) == 0);
        pipit_close(live_db);
        CHECK(event_base_dispatch(live_base) == 1);
        event_base_free(live_base);
        return 0;
}

START_TEST(a_child_that_closes_leaves_an_idle_session_alone)
{
        const char *before = session();

        in_child(child_closes, NULL);
        ck_assert_str_eq(session(), before);
}
END_TEST

START_TEST(a_child_that_closes_calls_nobody_back_and_the_parent_gets_its_answers)
{
        struct pipit_options options = {.max_connections = 1, .max_pipeline = 1};
        struct calls calls[3] = {{0}};

        live_reopen(&options);
        const char *before = session();
        ask_on(live_db, "SELECT pg_sleep(0.5)", &calls[0]);
        ask_on(live_db, "SELECT 'waited'", &calls[1]);
        loop_for(5);
        ask_on(live_db, "SELECT 'fresh'", &calls[2]);
        ck_assert_int_eq(calls[0].n + calls[1].n, 0);
        in_child(child_closes, NULL);
        expect_ok(answer(&calls[0]));
        expect_text(answer(&calls[1]), 0, 0, "waited");
        expect_text(answer(&calls[2]), 0, 0, "fresh");
        ck_assert_str_eq(session(), before);
}
END_TEST

/* At any moment of it, and once more when all is ready to ask again. */
START_TEST(a_child_that_closes_leaves_a_cancel_alone)
{
        const char *before = session();

        for (int round = 0; round < 2; round++) {
                struct calls calls = {0};
                pipit_request request = ask_on(live_db, "SELECT pg_sleep(600)", &calls);
                loop_for(5);
                pipit_cancel(live_db, request);
                loop_for(_i);
                in_child(child_closes, NULL);
                expect_error(answer(&calls), PIPIT_ECANCELED, "");
                ck_assert_str_eq(session(), before);
        }
}
END_TEST

START_TEST(a_child_that_closes_leaves_a_connection_in_the_making_alone)
{
        struct calls calls = {0};

        ask_on(live_db, "SELECT 'mine'", &calls);
        /* As many turns as take it to its socket, and not to an answer. */
        for (int i = 0; i < 3; i++)
                ck_assert_int_ge(event_base_loop(live_base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
        ck_assert_int_eq(calls.n, 0);
        in_child(child_closes, NULL);
        expect_text(answer(&calls), 0, 0, "mine");
}
END_TEST

START_TEST(a_child_that_closes_leaves_a_drain_alone)
{
        struct calls calls = {0};
        struct calls drained = {0};

        ask_on(live_db, "SELECT pg_sleep(0.02)", &calls);
        ck_assert_uint_ne(pipit_drain(live_db, 10000, on_call, &drained), 0);
        in_child(child_closes, NULL);
        expect_ok(answer(&drained));
        expect_ok(answer(&calls));
}
END_TEST

static int
child_opens_its_own(void *arg)
{
        struct pipit_params none = PIPIT_NO_PARAMS;
        struct calls calls = {0};

        CHECK(event_reinit(live_base) == 0);
        pipit_close(live_db);
        struct pipit *db = pipit_open(live_base, live_url(), NULL);
        CHECK(pipit_scope_error(db) == NULL);
        CHECK(pipit_query(db, "SELECT pg_backend_pid()", none, on_call, &calls) != 0);
        while (calls.n == 0)
                CHECK(event_base_loop(live_base, EVLOOP_ONCE) == 0);
        CHECK(!pipit_failed(calls.last));
        CHECK(strcmp(pipit_result_text(calls.last, 0, 0), arg) != 0);
        pipit_close(db);
        CHECK(event_base_dispatch(live_base) == 1);
        return 0;
}

START_TEST(a_child_works_with_a_database_of_its_own)
{
        char before[20];

        snprintf(before, sizeof before, "%s", session());
        in_child(child_opens_its_own, before);
        ck_assert_str_eq(session(), before);
}
END_TEST

static int
child_waits_and_closes(void *arg)
{
        struct pipit *sync = arg;
        struct pipit_result *res = pipit_wait(sync, 1);

        CHECK(pipit_scope_error(sync)->code == PIPIT_EFORK);
        CHECK(pipit_result_error(res)->code == PIPIT_EFORK);
        CHECK(event_reinit(live_base) == 0);
        pipit_close(sync);
        pipit_close(live_db);
        CHECK(event_base_dispatch(live_base) == 1);
        return 0;
}

START_TEST(a_child_can_close_a_blocking_scope_and_its_database)
{
        struct pipit *sync = pipit_allow_sync(live_db);
        const char *sql = "SELECT pg_backend_pid()";
        struct calls calls[2] = {{0}};
        pipit_request before = ask_on(sync, sql, &calls[0]);

        expect_ok(pipit_wait(sync, before));
        pipit_request behind = ask_on(sync, sql, &calls[1]);
        in_child(child_waits_and_closes, sync);
        expect_text(pipit_wait(sync, behind), 0, 0, pipit_result_text(calls[0].last, 0, 0));
        pipit_close(sync);
}
END_TEST

START_TEST(a_child_that_closes_the_database_closes_its_blocking_scopes)
{
        struct pipit *sync = pipit_allow_sync(live_db);
        struct calls calls[2] = {{0}};

        expect_text(pipit_wait(sync, ask_on(sync, "SELECT 1", &calls[0])), 0, 0, "1");
        pipit_request request = ask_on(sync, "SELECT 2", &calls[1]);
        in_child(child_closes, NULL);
        expect_text(pipit_wait(sync, request), 0, 0, "2");
        pipit_close(sync);
}
END_TEST

static void
on_call_fork(struct pipit_result *res, void *arg)
{
        on_call(res, arg);
        in_child(child_starts, &(pipit_request){1});
        in_child(child_ends, NULL);
}

START_TEST(a_callback_may_fork)
{
        struct calls calls = {0};
        struct calls next = {0};

        pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, on_call_fork, &calls);
        ask_on(live_db, "SELECT 2", &next);
        expect_text(answer(&calls), 0, 0, "1");
        expect_text(answer(&next), 0, 0, "2");
}
END_TEST

/* The child goes on in the callback: it closes, and leaves through pipit. */
static void
on_call_fork_and_leave(struct pipit_result *res, void *arg)
{
        pid_t *child = arg;

        (void)res;
        *child = fork();
        if (*child == 0 && event_reinit(live_base) == 0)
                pipit_close(live_db);
}

START_TEST(a_child_may_close_in_the_callback_that_forked)
{
        struct calls next = {0};
        pid_t child = -1;
        int status = -1;

        pipit_request request =
                pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, on_call_fork_and_leave, &child);
        ck_assert_uint_ne(request, 0);
        ask_on(live_db, "SELECT 2", &next);
        while (child < 0)
                event_base_loop(live_base, EVLOOP_ONCE);
        if (child == 0)
                _exit(event_base_dispatch(live_base) == 1 && next.n == 0 ? 0 : 1);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
        expect_text(answer(&next), 0, 0, "2");
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("fork");
        TCase *tcase = tcase_create("fork");

        tcase_add_checked_fixture(tcase, setup, live_teardown);
        tcase_add_test(tcase, a_child_is_refused_and_the_parent_goes_on);
        tcase_add_test(tcase, a_child_that_just_ends_does_no_harm);
        tcase_add_test(tcase, a_child_that_closes_leaves_an_idle_session_alone);
        tcase_add_test(tcase,
                       a_child_that_closes_calls_nobody_back_and_the_parent_gets_its_answers);
        tcase_add_test(tcase, a_child_that_closes_leaves_a_connection_in_the_making_alone);
        tcase_add_loop_test(tcase, a_child_that_closes_leaves_a_cancel_alone, 0, 8);
        tcase_add_test(tcase, a_child_that_closes_leaves_a_drain_alone);
        tcase_add_test(tcase, a_child_works_with_a_database_of_its_own);
        tcase_add_test(tcase, a_child_can_close_a_blocking_scope_and_its_database);
        tcase_add_test(tcase, a_child_that_closes_the_database_closes_its_blocking_scopes);
        tcase_add_test(tcase, a_callback_may_fork);
        tcase_add_test(tcase, a_child_may_close_in_the_callback_that_forked);
        suite_add_tcase(suite, tcase);
        return suite;
}
