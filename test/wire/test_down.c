/*
 * What is told while no connection can be made: for want of a server, or of descriptors.
 */
#include <pipit/sync.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

#include "wire.h"

static void
reopen_with_down_timeout(int64_t down_ms)
{
        struct pipit_options options = wire_options();

        options.acquire_timeout_ms = -1;
        options.timeout_ms = -1;
        options.down_timeout_ms = down_ms;
        wire_reopen(&options);
}

static bool
full(struct session *session, const struct message *message, void *arg)
{
        (void)arg;
        if (message->kind != MESSAGE_STARTUP)
                return false;
        session_error(session, "FATAL", "53300", "too many clients");
        session_flush(session);
        session_finish(session, SESSION_FIN);
        return true;
}

START_TEST(who_waits_while_no_connection_is_open_is_told_in_time)
{
        wire_server->on_message = full;
        reopen_with_down_timeout(100);
        const struct pipit_result *res = query("SELECT 1", PIPIT_NO_PARAMS);
        expect_executed(res, PIPIT_ECONNECT, PIPIT_EXECUTED_NO);
        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), "down_timeout_ms"));
        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), "too many clients"));
        /* The server comes back, and nothing is left of that. */
        wire_server->on_message = NULL;
        expect_service();
}
END_TEST

static bool
silent(struct session *session, const struct message *message, void *arg)
{
        (void)session;
        (void)message;
        (void)arg;
        return true;
}

START_TEST(who_waits_for_a_silent_server_is_told_in_time)
{
        wire_server->on_message = silent;
        reopen_with_down_timeout(50);
        expect_error(query("SELECT 1", PIPIT_NO_PARAMS), PIPIT_ECONNECT, "");
}
END_TEST

/* Answers nothing but what sets the session up. */
static bool
silent_once_set_up(struct session *session, const struct message *message, void *arg)
{
        (void)arg;
        return session->is_set_up && message->kind == MESSAGE_SYNC;
}

START_TEST(who_waits_for_a_busy_connection_is_not_told)
{
        struct calls calls[2] = {{0}};

        wire_server->on_message = silent_once_set_up;
        reopen_with_down_timeout(150);
        ask_on(live_db, "SELECT 1", &calls[0]);
        loop_until(&wire_server->n_statements, 1);
        ask_on(live_db, "SELECT 2", &calls[1]);
        loop_for(200);
        ck_assert_int_eq(calls[0].n + calls[1].n, 0);
        pipit_close(live_db);
        live_db = NULL;
        loop_until(&calls[0].n, 1);
        loop_until(&calls[1].n, 1);
}
END_TEST

/* The set-up of a session goes wrong. */
static bool
refuse_set_up(struct session *session, const struct message *message, void *arg)
{
        const char *severity = arg;

        if (session->is_set_up || message->kind != MESSAGE_EXECUTE)
                return false;
        session_error(session, severity, "42501", "no settings for you");
        return true;
}

START_TEST(refused_settings_are_told_at_once)
{
        wire_server->on_message = refuse_set_up;
        wire_server->arg = (void *)(uintptr_t)(_i == 0 ? "ERROR" : "FATAL");
        const struct pipit_result *res = query("SELECT 1", PIPIT_NO_PARAMS);
        expect_error(res, PIPIT_ECONNECT, "42501");
        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), "no settings for you"));
}
END_TEST

/* Takes all descriptors away, but those that are open, and gives them back. */
static struct rlimit descriptors;

static void
descriptors_take(void)
{
        getrlimit(RLIMIT_NOFILE, &descriptors);
        setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, descriptors.rlim_max});
}

static void
descriptors_give(void)
{
        setrlimit(RLIMIT_NOFILE, &descriptors);
}

START_TEST(a_moment_without_descriptors_breaks_no_scope)
{
        struct pipit_options options = wire_options();
        struct calls calls = {0};

        pipit_close(live_db);
        descriptors_take();
        live_db = pipit_open(live_base, wire_server->url, &options);
        const struct pipit_error *error = pipit_scope_error(live_db);
        pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, on_call, &calls);
        event_base_loop(live_base, EVLOOP_NONBLOCK);
        int n_calls = calls.n;
        descriptors_give();
        ck_assert_ptr_null(error);
        ck_assert_int_eq(n_calls, 0);
        expect_text(answer(&calls), 0, 0, "SELECT 1");
}
END_TEST

START_TEST(a_want_of_descriptors_has_words_of_its_own)
{
        struct pipit_options options = wire_options();
        struct calls calls = {0};

        options.acquire_timeout_ms = 120;
        wire_reopen(&options);
        descriptors_take();
        pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, on_call, &calls);
        while (calls.n == 0)
                event_base_loop(live_base, EVLOOP_ONCE);
        descriptors_give();
        expect_error(calls.last, PIPIT_ETIMEDOUT, "");
        ck_assert_ptr_nonnull(strstr(pipit_error_text(calls.last), "no file descriptor free"));
        expect_service();
}
END_TEST

START_TEST(a_wrong_url_is_told_though_it_was_read_late)
{
        pipit_close(live_db);
        descriptors_take();
        live_db = pipit_open(live_base, "postgresql://u@127.0.0.1/db?sslmode=wrong", NULL);
        descriptors_give();
        const struct pipit_result *res = query("SELECT 1", PIPIT_NO_PARAMS);
        expect_error(res, PIPIT_ECONNECT, "");
        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), "the connection string is wrong"));
}
END_TEST

START_TEST(without_descriptors_there_is_no_blocking_scope_and_no_harm)
{
        descriptors_take();
        struct pipit *sync = pipit_allow_sync(live_db);
        descriptors_give();
        ck_assert_ptr_null(sync);
        expect_service();
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("down");
        TCase *tcase = tcase_create("down");

        tcase_add_checked_fixture(tcase, wire_setup, wire_teardown);
        tcase_add_test(tcase, who_waits_while_no_connection_is_open_is_told_in_time);
        tcase_add_test(tcase, who_waits_for_a_silent_server_is_told_in_time);
        tcase_add_test(tcase, who_waits_for_a_busy_connection_is_not_told);
        tcase_add_test(tcase, a_moment_without_descriptors_breaks_no_scope);
        tcase_add_test(tcase, a_want_of_descriptors_has_words_of_its_own);
        tcase_add_test(tcase, a_wrong_url_is_told_though_it_was_read_late);
        tcase_add_test(tcase, without_descriptors_there_is_no_blocking_scope_and_no_harm);
        tcase_add_loop_test(tcase, refused_settings_are_told_at_once, 0, 2);
        suite_add_tcase(suite, tcase);
        return suite;
}
