/*
 * Prepared statements: in the flight of their first use, closed when they make room, and prepared
 * again when the server has lost them.
 */
#include <stdio.h>
#include <string.h>

#include "wire.h"

static struct tape tape;

static bool
on_message(struct session *session, const struct message *message, void *arg)
{
        (void)arg;
        tape_note(&tape, session, message);
        return false;
}

/* A connection that is idle, of which everything is noted from now on. */
static void
setup(void)
{
        wire_setup();
        wire_connect();
        wire_server->on_message = on_message;
        tape.n = 0;
        tape.kinds[0] = '\0';
}

static void
reopen_with(int max_prepared)
{
        struct pipit_options options = wire_options();

        options.max_prepared = max_prepared;
        wire_reopen(&options);
        wire_connect();
        tape.n = 0;
}

static void
run(const char *sql)
{
        expect_text(query(sql, PIPIT_PARAMS("value")), 0, 0, "value");
}

static void
expect_tape(const char *kinds)
{
        ck_assert_str_eq(tape.kinds, kinds);
        tape.n = 0;
}

START_TEST(a_statement_is_prepared_and_described_in_the_flight_of_its_first_use)
{
        struct calls calls = {0};

        wire_server->held = true;
        pipit_query(live_db, "SELECT $1 AS a", PIPIT_PARAMS("value"), on_call, &calls);
        loop_until(&wire_server->n_syncs, 2);
        expect_tape("PDBDES");
        ck_assert_int_eq(calls.n, 0);
        server_release(wire_server);
        expect_text(answer(&calls), 0, 0, "value");
}
END_TEST

START_TEST(the_next_use_only_names_it)
{
        run("SELECT $1 AS a");
        tape.n = 0;
        run("SELECT $1 AS a");
        expect_tape("BDES");
}
END_TEST

START_TEST(a_batch_of_one_text_prepares_it_once)
{
        struct batch batch = {.sql = "SELECT $1 AS a"};

        batch_start(&batch, 3);
        batch_wait(&batch);
        batch_expect_own(&batch, 0, 3);
        expect_tape("PDBDESBDESBDES");
}
END_TEST

/* Another connection can have found other types under the same names. */
START_TEST(each_connection_prepares_and_asks_for_itself)
{
        run("SELECT $1 AS a");
        server_end_all(wire_server, SESSION_FIN);
        loop_until(&wire_server->n_closed, 1);
        tape.n = 0;
        run("SELECT $1 AS a");
        expect_tape("PDBDES");
}
END_TEST

START_TEST(an_evicted_statement_is_closed_in_front_of_the_next_batch)
{
        reopen_with(1);
        run("SELECT $1 AS a");
        expect_tape("PDBDES");
        run("SELECT $1 AS b");
        expect_tape("CSPDBDES");
        run("SELECT $1 AS b");
        expect_tape("CSBDES");
        run("SELECT $1 AS b");
        expect_tape("BDES");
}
END_TEST

START_TEST(no_more_are_prepared_than_there_may_be)
{
        char sql[40];
        int n = 0;

        reopen_with(3);
        for (int i = 0; i < 20; i++) {
                snprintf(sql, sizeof sql, "SELECT $1 AS a%d", i);
                run(sql);
        }
        run(sql); /* the last one that was evicted is closed with it */
        for (const char *at = tape.kinds; *at != '\0'; at++)
                n += (*at == 'P') - (*at == 'C');
        ck_assert_int_eq(n, 2); /* besides the one of the connect */
}
END_TEST

START_TEST(without_prepared_statements_each_brings_its_text)
{
        reopen_with(-1);
        run("SELECT $1 AS a");
        expect_tape("PBDES");
        run("SELECT $1 AS a");
        expect_tape("PBDES");
}
END_TEST

/* Answers the Parse of a text with "bad" in it with an error. */
static bool
refuse_bad(struct session *session, const struct message *message, void *arg)
{
        (void)arg;
        tape_note(&tape, session, message);
        if (message->kind != MESSAGE_PARSE || session->failed)
                return false;
        if (strstr(message->body + strlen(message->body) + 1, "bad") == NULL)
                return false;
        session_error(session, "ERROR", "42601", "syntax error");
        return true;
}

START_TEST(a_statement_that_cannot_be_prepared_fails_with_the_servers_error)
{
        wire_server->on_message = refuse_bad;
        expect_error(query("bad", PIPIT_NO_PARAMS), PIPIT_ESERVER, "42601");
        expect_tape("PDBDES");
        expect_error(query("bad", PIPIT_NO_PARAMS), PIPIT_ESERVER, "42601");
        expect_tape("PDBDES"); /* it is not thought to be there */
        run("SELECT $1");
        ck_assert_int_eq(wire_server->n_accepted, 1);
}
END_TEST

START_TEST(each_of_a_batch_that_cannot_be_prepared_gets_the_servers_error)
{
        struct batch batch = {.sql = "bad $1"};

        wire_server->on_message = refuse_bad;
        batch_start(&batch, 20);
        batch_wait(&batch);
        for (int i = 0; i < 20; i++)
                ck_assert_str_eq(batch.entries[i].error.sqlstate, "42601");
        ck_assert_int_eq(wire_server->n_accepted, 1);
}
END_TEST

START_TEST(what_the_server_forgot_is_prepared_again_and_nobody_is_told)
{
        struct batch batch = {.reads = _i == 1};

        wire_know("SELECT $1");
        session_forget(wire_server->sessions);
        batch_start(&batch, 8);
        batch_wait(&batch);
        batch_expect_own(&batch, 0, 8);
        run("SELECT $1");
        tape.n = 0;
        run("SELECT $1");
        expect_tape("BDES");
        ck_assert_int_eq(wire_server->n_accepted, 1);
}
END_TEST

/* Answers the next Bind of a name as after a change of the table. */
static bool
find_it_stale(struct session *session, const struct message *message, void *arg)
{
        int *n = arg;

        tape_note(&tape, session, message);
        if (message->kind != MESSAGE_BIND || session->failed || *n == 0)
                return false;
        if (message->body[strlen(message->body) + 1] == '\0') /* it has no name */
                return false;
        --*n;
        session_error_from(session, (const char *const[]){"ERROR", "0A000", "le plan a changé",
                                                          "RevalidateCachedQuery"});
        return true;
}

START_TEST(a_plan_that_is_out_of_date_is_replaced_and_nobody_is_told)
{
        struct batch batch = {.reads = _i == 1};
        int n = 1;

        wire_know("SELECT $1");
        wire_server->on_message = find_it_stale;
        wire_server->arg = &n;
        batch_start(&batch, 8);
        batch_wait(&batch);
        batch_expect_own(&batch, 0, 8);
        ck_assert_int_eq(n, 0);
        ck_assert_int_eq(wire_server->n_accepted, 1);
        tape.n = 0;
        run("SELECT $1");
        /* Reads that were only skipped have prepared it anew; a reader becomes a writer first. */
        expect_tape(_i == 1 ? "CSPBDESBDES" : "PDBDES");
        run("SELECT $1");
        expect_tape(_i == 1 ? "BDES" : "CSBDES");
}
END_TEST

/* A link that ends behind the error, before the Sync is answered. */
static bool
forget_and_end(struct session *session, const struct message *message, void *arg)
{
        (void)arg;
        if (message->kind != MESSAGE_SYNC || !session->failed)
                return false;
        session_flush(session);
        session_finish(session, SESSION_FIN);
        return true;
}

START_TEST(what_did_not_run_runs_elsewhere_when_the_link_is_lost_behind_the_error)
{
        wire_know("SELECT $1");
        session_forget(wire_server->sessions);
        wire_server->on_message = forget_and_end;
        run("SELECT $1");
        ck_assert_int_eq(wire_server->n_accepted, 2);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("statements");
        TCase *tcase = tcase_create("statements");

        tcase_add_checked_fixture(tcase, setup, wire_teardown);
        tcase_add_test(tcase, a_statement_is_prepared_and_described_in_the_flight_of_its_first_use);
        tcase_add_test(tcase, the_next_use_only_names_it);
        tcase_add_test(tcase, a_batch_of_one_text_prepares_it_once);
        tcase_add_test(tcase, each_connection_prepares_and_asks_for_itself);
        tcase_add_test(tcase, an_evicted_statement_is_closed_in_front_of_the_next_batch);
        tcase_add_test(tcase, no_more_are_prepared_than_there_may_be);
        tcase_add_test(tcase, without_prepared_statements_each_brings_its_text);
        tcase_add_test(tcase, a_statement_that_cannot_be_prepared_fails_with_the_servers_error);
        tcase_add_test(tcase, each_of_a_batch_that_cannot_be_prepared_gets_the_servers_error);
        tcase_add_loop_test(tcase, what_the_server_forgot_is_prepared_again_and_nobody_is_told, 0,
                            2);
        tcase_add_loop_test(tcase, a_plan_that_is_out_of_date_is_replaced_and_nobody_is_told, 0, 2);
        tcase_add_test(tcase,
                       what_did_not_run_runs_elsewhere_when_the_link_is_lost_behind_the_error);
        suite_add_tcase(suite, tcase);
        return suite;
}
