/*
 * Servers that become something else than target_session_attrs asks for.
 */
#include <stdio.h>
#include <string.h>

#include "wire.h"

/* The server that takes over; wire_server is the first. */
static struct server *other;

/* What is wrong with the first server, once it is. */
static const char *parameter;
static const char *value;
static bool refuses; /* to write */
static const char *refuser;
static int n_refused;

static void
answer_statement(struct session *session, const char *sql, void *arg)
{
        if (parameter != NULL && session->server == wire_server)
                session_parameter(session, parameter, value);
        if (refuses && session->server == wire_server && strncmp(sql, "INSERT", 6) == 0) {
                const char *texts[] = {"ERROR", "25006", "cannot execute INSERT", refuser};
                n_refused++;
                session_error_from(session, texts);
                return;
        }
        server_echo(session, sql, arg);
}

static void
setup(void)
{
        parameter = value = NULL;
        refuses = false;
        refuser = "PreventCommandIfReadOnly";
        n_refused = 0;
        wire_setup_tcp();
        other = server_new(live_base, SERVER_TCP);
        wire_server->on_statement = other->on_statement = answer_statement;
        wire_server->in_hot_standby = other->in_hot_standby = "off";
        wire_server->read_only = other->read_only = "off";
}

static void
teardown(void)
{
        pipit_close(live_db);
        live_db = NULL;
        server_free(other);
        wire_teardown();
}

/* Opens live_db on both, with so many connections to the first, which is in front. */
static void
open_both(const char *attrs, int n)
{
        struct pipit_options options = wire_options();
        struct calls calls[4] = {{0}};
        char url[300];

        options.max_connections = options.max_connecting = n;
        pipit_close(live_db);
        snprintf(url, sizeof url,
                 "host=127.0.0.1,127.0.0.1 port=%d,%d user=u dbname=db sslmode=disable "
                 "target_session_attrs=%s",
                 wire_server->port, other->port, attrs);
        live_db = pipit_open(live_base, url, &options);
        wire_server->held = true;
        for (int i = 0; i < n; i++)
                ask_on(live_db, "SELECT 1", &calls[i]);
        loop_until(&wire_server->n_accepted, n);
        server_release(wire_server);
        for (int i = 0; i < n; i++)
                expect_ok(answer(&calls[i]));
        ck_assert_int_eq(other->n_accepted, 0);
}

static const struct {
        const char *attrs;
        const char *before; /* in_hot_standby of both */
        const char *name;
        const char *value;
} changes[] = {
        {"read-write", "off", "in_hot_standby", "on"},
        {"read-write", "off", "default_transaction_read_only", "on"},
        {"primary", "off", "in_hot_standby", "on"},
        {"standby", "on", "in_hot_standby", "off"},
        {"read-only", "on", "in_hot_standby", "off"},
};

START_TEST(a_server_that_says_it_has_changed_is_left)
{
        wire_server->in_hot_standby = other->in_hot_standby = changes[_i].before;
        open_both(changes[_i].attrs, 1);
        parameter = changes[_i].name;
        value = changes[_i].value;
        wire_server->in_hot_standby = "off"; /* and is not taken again */
        if (strcmp(changes[_i].before, "off") == 0)
                wire_server->in_hot_standby = "on";
        expect_ok(query("SELECT 1", PIPIT_NO_PARAMS));
        loop_until(&wire_server->n_closed, 1);
        expect_ok(query("SELECT 2", PIPIT_NO_PARAMS));
        ck_assert_int_eq(other->n_accepted, 1);
}
END_TEST

static const struct {
        const char *attrs;
        const char *before;
        const char *name;
        const char *value;
} others[] = {
        {"any", "off", "in_hot_standby", "on"},
        {"any", "off", "default_transaction_read_only", "on"},
        {"primary", "off", "default_transaction_read_only", "on"},
        {"prefer-standby", "on", "in_hot_standby", "off"},
};

START_TEST(a_server_of_which_nothing_else_was_asked_is_kept)
{
        wire_server->in_hot_standby = other->in_hot_standby = others[_i].before;
        open_both(others[_i].attrs, 1);
        parameter = others[_i].name;
        value = others[_i].value;
        expect_ok(query("SELECT 1", PIPIT_NO_PARAMS));
        expect_ok(query("SELECT 2", PIPIT_NO_PARAMS));
        ck_assert_int_eq(wire_server->n_closed, 0);
}
END_TEST

START_TEST(what_pipit_sets_itself_does_not_count)
{
        struct batch batch = {.reads = true, .sql = "SELECT $1"};

        open_both("read-write", 1);
        wire_know("SELECT $1");
        for (int i = 0; i < 2; i++) {
                batch.n_calls = 0;
                batch_start(&batch, 4);
                batch_wait(&batch);
        }
        ck_assert_int_eq(wire_server->sessions->reader, true);
        ck_assert_int_eq(wire_server->n_closed, 0);
        expect_ok(query("INSERT INTO t VALUES (1)", PIPIT_NO_PARAMS));
        ck_assert_int_eq(wire_server->n_closed, 0);
}
END_TEST

START_TEST(a_statement_that_is_refused_goes_elsewhere)
{
        open_both(_i == 0 ? "read-write" : "primary", 3);
        refuses = true;
        wire_server->in_hot_standby = "on";
        expect_ok(query("INSERT INTO t VALUES (1)", PIPIT_NO_PARAMS));
        ck_assert_int_eq(n_refused, 1);
        expect_ok(query("INSERT INTO t VALUES (2)", PIPIT_NO_PARAMS));
        ck_assert_int_eq(n_refused, 1);
}
END_TEST

START_TEST(a_refusal_is_told_where_nothing_was_asked_for)
{
        open_both("any", 1);
        refuses = true;
        expect_error(query("INSERT INTO t VALUES (1)", PIPIT_NO_PARAMS), PIPIT_ESERVER, "25006");
        ck_assert_int_eq(wire_server->n_closed, 0);
}
END_TEST

START_TEST(an_error_that_a_function_raises_is_no_refusal)
{
        open_both("read-write", 1);
        refuses = true;
        refuser = "exec_stmt_raise";
        expect_error(query("INSERT INTO t VALUES (1)", PIPIT_NO_PARAMS), PIPIT_ESERVER, "25006");
        ck_assert_int_eq(wire_server->n_closed, 0);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("role");
        TCase *tcase = tcase_create("role");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_loop_test(tcase, a_server_that_says_it_has_changed_is_left, 0,
                            (int)(sizeof changes / sizeof changes[0]));
        tcase_add_loop_test(tcase, a_server_of_which_nothing_else_was_asked_is_kept, 0,
                            (int)(sizeof others / sizeof others[0]));
        tcase_add_test(tcase, what_pipit_sets_itself_does_not_count);
        tcase_add_loop_test(tcase, a_statement_that_is_refused_goes_elsewhere, 0, 2);
        tcase_add_test(tcase, a_refusal_is_told_where_nothing_was_asked_for);
        tcase_add_test(tcase, an_error_that_a_function_raises_is_no_refusal);
        suite_add_tcase(suite, tcase);
        return suite;
}
