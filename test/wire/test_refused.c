/*
 * Settings that the server refuses: they are left out, and keep nobody from connecting.
 */
#include <stdio.h>
#include <string.h>

#include "wire.h"

#define CHECK "client_connection_check_interval"
#define IDLE  "idle_in_transaction_session_timeout"

/* What a server says that lacks some settings. */
struct refusal {
        const char *lacks[3]; /* up to the first NULL */
        const char *sqlstate;
        const char *text;
        bool names; /* the setting stands behind the text */
};

/* Such a server. */
struct poor {
        const struct refusal *refusal;
        bool once;  /* then it has what it lacks */
        bool later; /* it has that until its sessions are set up */
        int n_refused;
        char settings[3000]; /* the last that were granted */
};

static void
poor_refuse(struct poor *poor, struct session *session, const char *name)
{
        char text[200];

        poor->n_refused++;
        snprintf(text, sizeof text, "%s%s", poor->refusal->text, poor->refusal->names ? name : "");
        session_error(session, "ERROR", poor->refusal->sqlstate, text);
}

/* Whether a text of settings asks for what the server lacks, and says so. */
static bool
poor_refuses(struct poor *poor, struct session *session)
{
        const char *const *lacks = poor->refusal->lacks;

        if (session->is_set_up != poor->later || (poor->once && poor->n_refused > 0))
                return false;
        for (; *lacks != NULL; lacks++) {
                if (strstr(session->sql, *lacks) != NULL) {
                        poor_refuse(poor, session, *lacks);
                        return true;
                }
        }
        return false;
}

static bool
poor_on_message(struct session *session, const struct message *message, void *arg)
{
        struct poor *poor = arg;

        if (message->kind != MESSAGE_EXECUTE || session->failed || session->sql == NULL)
                return false;
        if (strcmp(session->sql, "DISCARD ALL") == 0)
                session_forget(session);
        if (strstr(session->sql, "set_config('DateStyle'") == NULL)
                return false;
        if (poor_refuses(poor, session))
                return true;
        snprintf(poor->settings, sizeof poor->settings, "%s", session->sql);
        return false;
}

static void
poor_install(struct poor *poor)
{
        wire_server->on_message = poor_on_message;
        wire_server->arg = poor;
        struct pipit_options options = wire_options();
        wire_reopen(&options);
}

static void
connect_anew(void)
{
        int closed = wire_server->n_closed;

        server_end_all(wire_server, SESSION_FIN);
        loop_until(&wire_server->n_closed, closed + 1);
        expect_service();
}

static const struct refusal refusals[] = {
        {{CHECK}, "22023", "this platform wants 0 for ", true},
        {{CHECK}, "42704", "unrecognized configuration parameter ", true},
        {{IDLE}, "42704", "unrecognized configuration parameter ", true},
        {{IDLE, CHECK}, "42704", "unrecognized configuration parameter ", true},
        {{CHECK}, "42501", "no names are told", false},
        {{IDLE}, "0A000", "no names are told", false},
};
#define N_NAMED 3

START_TEST(what_the_server_refuses_is_left_out)
{
        struct poor poor = {.refusal = &refusals[_i]};

        poor_install(&poor);
        expect_service();
        ck_assert_int_eq(wire_server->n_accepted, 1);
        ck_assert_int_gt(poor.n_refused, 0);
        for (int i = 0; refusals[_i].lacks[i] != NULL; i++)
                ck_assert_ptr_null(strstr(poor.settings, refusals[_i].lacks[i]));
        ck_assert_ptr_nonnull(strstr(poor.settings, "bytea_output"));
}
END_TEST

START_TEST(what_is_named_alone_is_left_out)
{
        struct poor poor = {.refusal = &refusals[_i]};

        poor_install(&poor);
        expect_service();
        ck_assert_int_eq(poor.n_refused, 1);
        ck_assert_ptr_nonnull(
                strstr(poor.settings, strcmp(refusals[_i].lacks[0], IDLE) == 0 ? CHECK : IDLE));
}
END_TEST

START_TEST(a_later_connect_does_without_at_once)
{
        struct poor poor = {.refusal = &refusals[_i]};

        poor_install(&poor);
        expect_service();
        int n = poor.n_refused;
        connect_anew();
        connect_anew();
        ck_assert_int_eq(poor.n_refused, n);
        ck_assert_int_eq(wire_server->n_accepted, 3);
}
END_TEST

/* Such an error says nothing of a setting, and the next connect asks for all again. */
static const struct refusal failures[] = {
        {{CHECK}, "53200", "out of memory", false},
        {{CHECK}, "57014", "canceling statement due to statement timeout", false},
        {{CHECK}, "XX000", "internal error", false},
};

START_TEST(an_error_that_is_no_refusal_leaves_nothing_out)
{
        struct poor poor = {.refusal = &failures[_i], .once = true};

        poor_install(&poor);
        expect_service();
        ck_assert_int_eq(poor.n_refused, 1);
        ck_assert_int_eq(wire_server->n_accepted, 2);
        ck_assert_ptr_nonnull(strstr(poor.settings, CHECK));
        ck_assert_ptr_nonnull(strstr(poor.settings, IDLE));
}
END_TEST

static void
set_something(struct pipit *session, void *arg)
{
        ask_on(session, "SELECT 'it'", arg);
}

START_TEST(what_is_refused_when_a_session_is_cleaned_is_left_out_as_well)
{
        struct poor poor = {.refusal = &refusals[1], .later = true};
        struct calls calls = {0};

        poor_install(&poor);
        expect_service();
        pipit_session(live_db, set_something, NULL, &calls);
        expect_ok(answer(&calls));
        expect_service();
        ck_assert_int_eq(poor.n_refused, 1);
        ck_assert_ptr_null(strstr(poor.settings, CHECK));
        ck_assert_int_eq(wire_server->n_accepted, 1);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("refused");
        TCase *tcase = tcase_create("refused");

        tcase_add_checked_fixture(tcase, wire_setup, wire_teardown);
        tcase_add_loop_test(tcase, what_the_server_refuses_is_left_out, 0, 6);
        tcase_add_loop_test(tcase, what_is_named_alone_is_left_out, 0, N_NAMED);
        tcase_add_loop_test(tcase, a_later_connect_does_without_at_once, 0, 6);
        tcase_add_loop_test(tcase, an_error_that_is_no_refusal_leaves_nothing_out, 0, 3);
        tcase_add_test(tcase, what_is_refused_when_a_session_is_cleaned_is_left_out_as_well);
        suite_add_tcase(suite, tcase);
        return suite;
}
