/*
 * Connections that are lost, and what of it runs again elsewhere: what was declared a read, and
 * what the server surely has not read.
 */
#include <stdio.h>
#include <string.h>

#include "scope/database.h"
#include "wire.h"

#define N 8

/* How a session ends. */
static const struct manner {
        enum session_end end;
        const char *sqlstate; /* that it says before; NULL: nothing */
} manners[] = {{SESSION_FIN, NULL},    {SESSION_RST, NULL},    {SESSION_FIN, "57P01"},
               {SESSION_FIN, "57P02"}, {SESSION_FIN, "40001"}, {SESSION_FIN, "08P01"},
               {SESSION_FIN, "25P04"}};

#define N_MANNERS ((int)(sizeof manners / sizeof manners[0]))

static struct script {
        const char *culprit;    /* the value of what ends its session, or fails */
        struct manner manner;   /* of the end */
        const char *conflict;   /* the SQLSTATE that it fails with instead; NULL: none */
        int times;              /* that it does; -1: always */
        int n_runs;             /* of the culprit */
        int n_others;           /* runs of others */
        int last_session;       /* that ran the culprit */
        const char *idle_state; /* that it is ended with before anything is read; NULL: it is not */
} script;

static void
end_session(struct session *session, const struct manner *manner)
{
        if (manner->sqlstate != NULL)
                session_error(session, "FATAL", manner->sqlstate, "says no");
        session_flush(session);
        session_finish(session, manner->end);
}

static void
on_statement(struct session *session, const char *sql, void *arg)
{
        bool is_culprit = script.culprit != NULL && session->value != NULL &&
                          strcmp(session->value, script.culprit) == 0;

        script.n_runs += is_culprit;
        script.n_others += !is_culprit;
        if (is_culprit)
                script.last_session = session->number;
        if (strcmp(sql, "BEGIN") == 0 || strcmp(sql, "ROLLBACK") == 0) {
                session_complete(session, sql);
        } else if (!is_culprit || script.times == 0) {
                server_echo(session, sql, arg);
        } else {
                script.times -= script.times > 0;
                if (script.conflict != NULL)
                        session_error(session, "ERROR", script.conflict, "conflict");
                else
                        end_session(session, &script.manner);
        }
}

/* Ends a session as one that was idle for too long: what it was sent is not looked at. */
static bool
on_message(struct session *session, const struct message *message, void *arg)
{
        struct manner idle = {SESSION_FIN, script.idle_state};

        (void)arg;
        if (session->end != SESSION_GOES_ON)
                return true;
        if (script.idle_state == NULL || script.times == 0 || !session->is_set_up ||
            message->kind == MESSAGE_TERMINATE)
                return false;
        script.times -= script.times > 0;
        end_session(session, &idle);
        return true;
}

static void
setup(void)
{
        wire_setup_tcp();
        wire_know("SELECT $1");
        memset(&script, 0, sizeof script);
        script.times = -1;
        wire_server->on_statement = on_statement;
        wire_server->on_message = on_message;
}

static void
run(struct batch *batch, int n)
{
        batch_start(batch, n);
        batch_wait(batch);
}

/* ---- reads */

START_TEST(a_read_whose_connection_is_lost_runs_again)
{
        struct batch batch = {.reads = true, .sql = _i % 2 == 0 ? "SELECT $1" : "SELECT $1 AS new"};

        script.culprit = "request 0";
        script.manner = manners[_i / 2];
        script.times = 2;
        run(&batch, 1);
        batch_expect_own(&batch, 0, 1);
        ck_assert_int_eq(script.n_runs, 3);
        ck_assert_int_eq(wire_server->n_accepted, 3);
        expect_service();
}
END_TEST

/* The groups of a text that is known, and the single ones of one that is not. */
START_TEST(a_read_that_ends_its_connections_ends_three_and_the_others_succeed)
{
        struct batch batch = {.reads = true, .sql = _i % 2 == 0 ? "SELECT $1" : "SELECT $1 AS new"};
        int culprit = _i / 2 % N;
        char value[16];

        snprintf(value, sizeof value, "request %d", culprit);
        script.culprit = value;
        script.manner = manners[_i / 2 / N];
        run(&batch, N);
        batch_expect_own(&batch, 0, culprit);
        batch_expect_error(&batch, culprit, culprit + 1, PIPIT_ELOST, PIPIT_EXECUTED_UNKNOWN);
        batch_expect_own(&batch, culprit + 1, N);
        ck_assert_int_eq(script.n_runs, 3);
        expect_service();
        ck_assert_int_eq(wire_server->n_accepted, 4);
}
END_TEST

/* A session or a transaction is tied to its connection. */
static void
run_read(struct pipit *scope, void *arg)
{
        pipit_read(scope, "SELECT $1", PIPIT_PARAMS("read"), on_call, arg);
}

START_TEST(a_read_of_a_session_or_a_transaction_does_not_run_elsewhere)
{
        struct calls calls = {0};

        script.culprit = "read";
        if (_i == 0)
                pipit_session(live_db, run_read, on_call, &calls);
        else
                pipit_atomic(live_db, run_read, on_call, &calls);
        loop_until(&calls.n, 2);
        expect_error(calls.last, PIPIT_ELOST, "");
        ck_assert_int_eq(script.n_runs, 1);
}
END_TEST

static const char *const conflicts[] = {"40001", "40P01"};

START_TEST(a_read_that_is_in_conflict_runs_again_twice)
{
        struct batch batch = {.reads = true};
        int times = 1 + _i / 2 % 3;
        int n = _i < 6 ? 1 : N;

        script.culprit = "request 0";
        script.conflict = conflicts[_i % 2];
        script.times = times;
        run(&batch, n);
        if (times < 3)
                batch_expect_own(&batch, 0, 1);
        else
                batch_expect_error(&batch, 0, 1, PIPIT_ESERVER, PIPIT_EXECUTED_ROLLED_BACK);
        batch_expect_own(&batch, 1, n);
        ck_assert_int_eq(script.n_runs, times < 3 ? times + 1 : 3);
        ck_assert_int_eq(wire_server->n_accepted, 1);
}
END_TEST

START_TEST(a_write_and_a_read_of_a_session_keep_their_conflict)
{
        struct calls calls = {0};

        script.culprit = "read";
        script.conflict = conflicts[_i / 2];
        if (_i % 2 == 0)
                pipit_session(live_db, run_read, NULL, &calls);
        else
                pipit_query(live_db, "SELECT $1", PIPIT_PARAMS("read"), on_call, &calls);
        expect_error(answer(&calls), PIPIT_ESERVER, script.conflict);
        ck_assert_int_eq(script.n_runs, 1);
}
END_TEST

START_TEST(a_read_that_runs_again_still_has_its_deadline)
{
        struct calls calls = {0};

        script.culprit = "read";
        server_stop_listening(wire_server);
        pipit_request number =
                pipit_read(live_db, "SELECT $1", PIPIT_PARAMS("read"), on_call, &calls);
        loop_until(&wire_server->n_closed, 1);
        if (_i == 0)
                pipit_set_timeout(live_db, number, 0);
        else
                pipit_cancel(live_db, number);
        expect_executed(answer(&calls), _i == 0 ? PIPIT_ETIMEDOUT : PIPIT_ECANCELED,
                        PIPIT_EXECUTED_UNKNOWN);
        ck_assert_int_eq(script.n_runs, 1);
}
END_TEST

/* A crash has the server end all its sessions: one that has not heard of that is none to use. */
START_TEST(after_a_crash_a_read_waits_for_a_new_connection)
{
        struct pipit_options options = wire_options();
        struct calls calls = {0};

        options.max_connections = options.min_connections = 2;
        wire_reopen(&options);
        loop_until(&live_db->db->pool.n_idle, 2);
        int before = wire_server->n_accepted;
        script.culprit = "read";
        script.manner = (struct manner){SESSION_FIN, "57P02"};
        script.times = 1;
        pipit_read(live_db, "SELECT $1", PIPIT_PARAMS("read"), on_call, &calls);
        expect_text(answer(&calls), 0, 0, "read");
        ck_assert_int_gt(script.last_session, before);
}
END_TEST

/* ---- sessions that were idle for too long */

static const char *const idle_states[] = {"57P05", "25P03"};

/* A single statement, used for the first time or not; reads and writes that share a Sync. */
START_TEST(what_the_server_has_not_read_runs_elsewhere)
{
        struct batch batch = {.reads = _i / 2 == 2,
                              .sql = _i / 2 == 1 ? "SELECT $1 AS new" : "SELECT $1"};
        int n = _i / 2 < 2 ? 1 : 4;

        pipit_set_group_writes(live_db, _i / 2 == 3);
        script.idle_state = idle_states[_i % 2];
        script.times = 1;
        run(&batch, n);
        batch_expect_own(&batch, 0, n);
        ck_assert_int_eq(script.n_others, n);
        ck_assert_int_eq(wire_server->n_accepted, 2);
}
END_TEST

START_TEST(what_is_never_read_fails_in_the_end_as_not_executed)
{
        struct calls calls = {0};

        script.idle_state = idle_states[_i];
        pipit_query(live_db, "SELECT $1", PIPIT_PARAMS("write"), on_call, &calls);
        expect_error(answer(&calls), PIPIT_ELOST, idle_states[_i]);
        ck_assert_int_eq(pipit_result_error(calls.last)->executed, PIPIT_EXECUTED_NO);
        ck_assert_int_eq(script.n_others, 0);
        ck_assert_int_eq(wire_server->n_accepted, 3);
}
END_TEST

/* Of what was answered in part nobody knows: a server says nothing of the kind then. */
START_TEST(what_was_answered_in_part_was_read)
{
        struct calls calls = {0};

        script.culprit = "write";
        script.manner = (struct manner){SESSION_FIN, idle_states[_i]};
        pipit_query(live_db, "SELECT $1 AS new", PIPIT_PARAMS("write"), on_call, &calls);
        expect_error(answer(&calls), PIPIT_ELOST, idle_states[_i]);
        ck_assert_int_eq(pipit_result_error(calls.last)->executed, PIPIT_EXECUTED_UNKNOWN);
        ck_assert_int_eq(script.n_runs, 1);
}
END_TEST

/* What becomes of a scope's statement, and of the scope. */
struct ends {
        struct calls done;
        struct calls calls;
};

static void
run_write(struct pipit *scope, void *arg)
{
        struct ends *ends = arg;

        pipit_query(scope, "SELECT $1", PIPIT_PARAMS("write"), on_call, &ends->calls);
}

START_TEST(a_statement_of_a_session_or_a_transaction_that_was_not_read_is_told_so)
{
        struct pipit_transaction early = {.commit_early = true};
        struct ends ends = {0};

        script.idle_state = idle_states[_i % 2];
        script.times = 1;
        if (_i / 2 == 0)
                pipit_session(live_db, run_write, on_call, &ends);
        else if (_i / 2 == 1)
                pipit_atomic(live_db, run_write, on_call, &ends);
        else
                pipit_atomic_with(live_db, &early, run_write, on_call, &ends);
        expect_error(answer(&ends.done), PIPIT_ELOST, idle_states[_i % 2]);
        ck_assert_int_ne(pipit_result_error(ends.done.last)->executed, PIPIT_EXECUTED_UNKNOWN);
        expect_error(ends.calls.last, PIPIT_ELOST, idle_states[_i % 2]);
        ck_assert_int_eq(pipit_result_error(ends.calls.last)->executed, PIPIT_EXECUTED_NO);
        ck_assert_int_eq(script.n_others, 0);
}
END_TEST

/* Ends the session when COMMIT comes. */
static bool
end_at_commit(struct session *session, const struct message *message, void *arg)
{
        struct manner idle = {SESSION_FIN, arg};

        if (session->end != SESSION_GOES_ON)
                return true;
        if (message->kind != MESSAGE_PARSE || strcmp(message->body + 1, "COMMIT") != 0)
                return false;
        end_session(session, &idle);
        return true;
}

START_TEST(a_transaction_that_was_idle_for_too_long_is_rolled_back_though_its_commit_is_out)
{
        char sqlstate[6];
        struct ends ends = {0};

        snprintf(sqlstate, sizeof sqlstate, "%s", idle_states[_i]);
        wire_server->on_message = end_at_commit;
        wire_server->arg = sqlstate;
        pipit_atomic(live_db, run_write, on_call, &ends);
        expect_error(answer(&ends.done), PIPIT_ELOST, sqlstate);
        ck_assert_int_eq(pipit_result_error(ends.done.last)->executed, PIPIT_EXECUTED_ROLLED_BACK);
        expect_text(ends.calls.last, 0, 0, "write");
}
END_TEST

static void
add_idle(Suite *suite)
{
        TCase *tcase = tcase_create("idle");

        tcase_add_checked_fixture(tcase, setup, wire_teardown);
        tcase_add_loop_test(tcase, what_the_server_has_not_read_runs_elsewhere, 0, 8);
        tcase_add_loop_test(tcase, what_is_never_read_fails_in_the_end_as_not_executed, 0, 2);
        tcase_add_loop_test(tcase, what_was_answered_in_part_was_read, 0, 2);
        tcase_add_loop_test(tcase,
                            a_statement_of_a_session_or_a_transaction_that_was_not_read_is_told_so,
                            0, 6);
        tcase_add_loop_test(
                tcase,
                a_transaction_that_was_idle_for_too_long_is_rolled_back_though_its_commit_is_out, 0,
                2);
        suite_add_tcase(suite, tcase);
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("lost");
        TCase *tcase = tcase_create("reads");

        tcase_add_checked_fixture(tcase, setup, wire_teardown);
        tcase_add_loop_test(tcase, a_read_whose_connection_is_lost_runs_again, 0, 2 * N_MANNERS);
        tcase_add_loop_test(tcase,
                            a_read_that_ends_its_connections_ends_three_and_the_others_succeed, 0,
                            2 * N * N_MANNERS);
        tcase_add_loop_test(tcase, a_read_of_a_session_or_a_transaction_does_not_run_elsewhere, 0,
                            2);
        tcase_add_loop_test(tcase, a_read_that_is_in_conflict_runs_again_twice, 0, 12);
        tcase_add_loop_test(tcase, a_write_and_a_read_of_a_session_keep_their_conflict, 0, 4);
        tcase_add_loop_test(tcase, a_read_that_runs_again_still_has_its_deadline, 0, 2);
        tcase_add_test(tcase, after_a_crash_a_read_waits_for_a_new_connection);
        suite_add_tcase(suite, tcase);
        add_idle(suite);
        return suite;
}
