/*
 * Outcomes: what is said of a statement that has failed, for each kind of error and wherever it
 * comes, and how often the server has run it.
 */
#include <stdio.h>
#include <string.h>

#include "wire.h"

/* Where an error comes. */
enum place {
        AT_STATEMENT, /* in place of the answer of a statement with its own Sync */
        AT_SYNC,      /* behind that, in front of the ReadyForQuery */
        IN_GROUP,     /* at one of three writes that are committed together */
        AT_GROUP,     /* where the three are committed */
        IN_BODY,      /* at a statement of a transaction */
        AT_COMMIT,    /* at its COMMIT */
        ALONG,        /* at a statement that its COMMIT travels with */
        IMPLICIT,     /* likewise, and the Sync commits */
        AT_IMPLICIT,  /* where that commits */
        N_PLACES
};

static const char *const states[] = {"22012", "23505", "40001", "40P01", "40003", "08000", "08003",
                                     "08006", "08P01", "57P01", "53300", "XX000", "25P04"};

#define N_STATES ((int)(sizeof states / sizeof states[0]))
#define N_ERRORS (4 * N_STATES)

/* An error, by the number of its test. */
static struct script {
        enum place place;
        const char *sqlstate;
        bool fatal;
        bool armed;
        bool at_next_sync; /* the culprit was run */
        int n_culprits;    /* how often the server has run it */
        int n_others;
        int n_begins;
        int n_commits; /* COMMITs that were answered, or failed */
} script;

static bool
leaves_doubt(void)
{
        return strncmp(script.sqlstate, "08", 2) == 0 || strcmp(script.sqlstate, "40003") == 0;
}

/* Whether nobody knows what became of what was to be committed. */
static bool
is_unknown(void)
{
        return script.fatal || leaves_doubt();
}

/* Whether the error comes in place of a statement's answer. */
static bool
fails_at_once(void)
{
        switch (script.place) {
        case AT_STATEMENT:
        case IN_GROUP:
        case IN_BODY:
        case ALONG:
        case IMPLICIT: return true;
        case AT_SYNC:
        case AT_GROUP:
        case AT_IMPLICIT:
        case AT_COMMIT:
        case N_PLACES: break;
        }
        return false;
}

/* Whether types that are out of date can have caused the error: it came in place of an answer, and
 * the text of ALONG is used for the first time. */
static bool
is_taken_for_stale(void)
{
        return !script.fatal && strcmp(script.sqlstate, "XX000") == 0 && fails_at_once() &&
               script.place != ALONG;
}

/* Whether the error is one after which the body of a transaction runs again. */
static bool
has_body_run_again(void)
{
        return is_taken_for_stale() ||
               (!script.fatal && strncmp(script.sqlstate, "40", 2) == 0 && !leaves_doubt());
}

static void
fail_now(struct session *session)
{
        session_error(session, script.fatal ? "FATAL" : "ERROR", script.sqlstate, "says no");
        if (!script.fatal)
                return;
        session_flush(session);
        session_finish(session, SESSION_FIN);
}

static void
on_commit(struct session *session)
{
        script.n_commits++;
        if (script.armed && script.place == AT_COMMIT)
                fail_now(session);
        else
                session_complete(session, "COMMIT");
}

static void
on_statement(struct session *session, const char *sql, void *arg)
{
        bool is_culprit = session->value != NULL && strcmp(session->value, "culprit") == 0;

        if (strcmp(sql, "COMMIT") == 0) {
                on_commit(session);
        } else if (strcmp(sql, "BEGIN") == 0 || strcmp(sql, "ROLLBACK") == 0) {
                script.n_begins += strcmp(sql, "BEGIN") == 0;
                session_complete(session, sql);
        } else if (!script.armed) {
                server_echo(session, sql, arg);
        } else {
                script.n_culprits += is_culprit;
                script.n_others += !is_culprit;
                script.at_next_sync |= is_culprit && !fails_at_once() && script.place != AT_COMMIT;
                if (is_culprit && fails_at_once())
                        fail_now(session);
                else
                        server_echo(session, sql, arg);
        }
}

static bool
on_message(struct session *session, const struct message *message, void *arg)
{
        (void)arg;
        if (message->kind != MESSAGE_SYNC || !script.at_next_sync)
                return false;
        script.at_next_sync = false;
        fail_now(session);
        return script.fatal;
}

static void
setup(void)
{
        wire_setup();
        wire_know("SELECT $1");
        wire_server->on_statement = on_statement;
        wire_server->on_message = on_message;
}

/* The error is that of the test's number, at this place. */
static void
arm(enum place place, int i)
{
        script = (struct script){
                .place = place, .sqlstate = states[i / 4], .fatal = i % 2 == 1, .armed = true};
        wire_server->bare = i / 2 % 2 == 1;
}

static void
expect_outcome(struct pipit_result *res, int code, enum pipit_executed executed)
{
        const struct pipit_error *error = pipit_result_error(res);

        ck_assert_ptr_nonnull(error);
        ck_assert_int_eq(error->code, code);
        ck_assert_int_eq(error->executed, executed);
}

/* What is to be said of what has failed: of a statement without a transaction around it. */
static void
expect_failed(struct pipit_result *res)
{
        int code = script.fatal ? PIPIT_ELOST : PIPIT_ESERVER;

        expect_outcome(res, code,
                       is_unknown() ? PIPIT_EXECUTED_UNKNOWN : PIPIT_EXECUTED_ROLLED_BACK);
        ck_assert_str_eq(pipit_result_error(res)->sqlstate, script.sqlstate);
        if (!script.fatal)
                ck_assert_ptr_nonnull(strstr(pipit_error_text(res), "says no"));
}

/* The same of one that was skipped. */
static void
expect_fate(struct pipit_result *res)
{
        const struct pipit_error *error = pipit_result_error(res);

        ck_assert_ptr_nonnull(error);
        ck_assert_int_eq(error->executed,
                         is_unknown() ? PIPIT_EXECUTED_UNKNOWN : PIPIT_EXECUTED_ROLLED_BACK);
}

/* The database goes on, nothing is left open, and no COMMIT was sent in vain. */
static void
expect_goes_on(void)
{
        script.armed = false;
        expect_service();
        ck_assert_int_eq(wire_server->n_failed_commits, 0);
        for (struct session *session = wire_server->sessions; session != NULL;
             session = session->next)
                ck_assert_int_eq(session->status, 'I');
}

static void
ask(struct pipit *scope, const char *value, struct calls *calls)
{
        /* Of this text nobody knows whether it has a say in its commit. */
        const char *sql = script.place == ALONG ? "SELECT $1 AS along" : "SELECT $1";

        ck_assert_uint_ne(pipit_query(scope, sql, PIPIT_PARAMS(value), on_call, calls), 0);
}

static void
expect_single(enum place place, int i)
{
        struct calls calls = {0};

        arm(place, i);
        ask(live_db, "culprit", &calls);
        expect_failed(answer(&calls));
        ck_assert_int_eq(script.n_culprits, is_taken_for_stale() ? 2 : 1);
        expect_goes_on();
}

START_TEST(a_statement_that_fails_is_told_once_what_became_of_it)
{
        expect_single(AT_STATEMENT, _i);
}
END_TEST

START_TEST(a_statement_whose_commit_fails_is_told_once_what_became_of_it)
{
        expect_single(AT_SYNC, _i);
}
END_TEST

/* ---- groups of writes */

static void
run_group(struct calls *calls)
{
        pipit_set_group_writes(live_db, true);
        ask(live_db, "other", &calls[0]);
        ask(live_db, "culprit", &calls[1]);
        ask(live_db, "other", &calls[2]);
        for (int k = 0; k < 3; k++)
                answer(&calls[k]);
        expect_failed(calls[1].last);
        for (int k = 0; k < 3; k += 2) {
                if (is_unknown())
                        expect_outcome(calls[k].last, script.fatal ? PIPIT_ELOST : PIPIT_ESERVER,
                                       PIPIT_EXECUTED_UNKNOWN);
                else
                        expect_text(calls[k].last, 0, 0, "other");
        }
}

START_TEST(no_write_of_a_group_runs_again_unless_the_group_was_undone)
{
        struct calls calls[3] = {{0}};

        arm(IN_GROUP, _i);
        run_group(calls);
        ck_assert_int_eq(script.n_culprits, is_unknown() ? 1 : 2);
        ck_assert_int_eq(script.n_others, is_unknown() ? 1 : 3);
        expect_goes_on();
}
END_TEST

START_TEST(the_same_holds_where_a_group_is_committed)
{
        struct calls calls[3] = {{0}};

        arm(AT_GROUP, _i);
        run_group(calls);
        ck_assert_int_eq(script.n_culprits, is_unknown() ? 1 : 2);
        ck_assert_int_eq(script.n_others, is_unknown() ? 2 : 4);
        expect_goes_on();
}
END_TEST

/* ---- transactions */

struct transfer {
        struct calls done;
        struct calls calls;
        struct calls after;
        int n_bodies;
};

static void
run_transfer(struct pipit *tx, void *arg)
{
        struct transfer *transfer = arg;

        transfer->n_bodies++;
        transfer->calls.n = 0;
        ask(tx, "culprit", &transfer->calls);
        ask(tx, "other", &transfer->after);
}

static void
transfer_wait(struct transfer *transfer, bool early)
{
        struct pipit_transaction options = {.max_attempts = 2, .commit_early = early};

        ck_assert_uint_ne(pipit_atomic_with(live_db, &options, run_transfer, on_call, transfer), 0);
        answer(&transfer->done);
        ck_assert_int_eq(transfer->n_bodies, has_body_run_again() ? 2 : 1);
}

START_TEST(a_transaction_whose_statement_fails_sends_no_commit)
{
        struct transfer transfer = {0};

        arm(IN_BODY, _i);
        transfer_wait(&transfer, false);
        int code = script.fatal ? PIPIT_ELOST : PIPIT_ESERVER;
        enum pipit_executed executed =
                leaves_doubt() ? PIPIT_EXECUTED_UNKNOWN : PIPIT_EXECUTED_ROLLED_BACK;
        expect_outcome(transfer.calls.last, code, executed);
        expect_outcome(transfer.done.last, code, executed);
        ck_assert_int_eq(pipit_result_error(transfer.after.last)->executed, executed);
        ck_assert_int_eq(script.n_culprits, transfer.n_bodies);
        ck_assert_int_eq(script.n_commits, 0);
        expect_goes_on();
}
END_TEST

START_TEST(a_commit_that_fails_is_sent_once_an_attempt)
{
        struct transfer transfer = {0};

        arm(AT_COMMIT, _i);
        transfer_wait(&transfer, false);
        expect_failed(transfer.done.last);
        expect_text(transfer.calls.last, 0, 0, "culprit");
        ck_assert_int_eq(script.n_culprits, transfer.n_bodies);
        ck_assert_int_eq(script.n_commits, transfer.n_bodies);
        expect_goes_on();
}
END_TEST

static void
expect_early(enum place place, int i)
{
        struct transfer transfer = {0};

        arm(place, i);
        transfer_wait(&transfer, true);
        expect_failed(transfer.done.last);
        ck_assert_int_eq(script.n_culprits, transfer.n_bodies);
        ck_assert_int_eq(script.n_begins, place == ALONG ? transfer.n_bodies : 0);
        ck_assert_int_eq(script.n_commits, 0);
        if (place != AT_IMPLICIT) {
                expect_failed(transfer.calls.last);
                expect_fate(transfer.after.last);
        }
        expect_goes_on();
}

START_TEST(a_commit_along_with_what_fails_is_not_sent_again)
{
        expect_early(ALONG, _i);
}
END_TEST

START_TEST(a_sync_that_was_to_commit_what_fails_is_not_sent_again)
{
        expect_early(IMPLICIT, _i);
}
END_TEST

START_TEST(a_sync_that_fails_to_commit_is_not_sent_again)
{
        expect_early(AT_IMPLICIT, _i);
}
END_TEST

/* ---- what is left open */

/* Opens a transaction with the next statement: a pooler's doing. */
static void
open_transaction(struct session *session, const char *sql, void *arg)
{
        int *n = arg;

        if (session->value != NULL && --*n == 0)
                session->status = 'T';
        server_echo(session, sql, NULL);
}

/* A single statement, writes that share a Sync, and reads, which have their rows before. */
START_TEST(a_transaction_that_is_open_behind_a_statement_makes_that_unknown)
{
        struct batch batch = {.reads = _i == 2};
        int n = _i == 0 ? 1 : 3;
        int countdown = n;

        pipit_set_group_writes(live_db, _i == 1);
        wire_server->on_statement = open_transaction;
        wire_server->arg = &countdown;
        batch_start(&batch, n);
        batch_wait(&batch);
        if (_i == 2)
                batch_expect_own(&batch, 0, n);
        else
                batch_expect_error(&batch, 0, n, PIPIT_EUNSHARED, PIPIT_EXECUTED_UNKNOWN);
        ck_assert_int_eq(countdown, 0);
        expect_service();
        ck_assert_int_eq(wire_server->n_accepted, 2);
        ck_assert_int_eq(wire_server->sessions->status, 'I');
}
END_TEST

static const char *const setting_texts[] = {"SELECT set_config('app.user', $1, true)",
                                            "WITH s AS (SELECT SET_CONFIG('a.b', $1, true)) "
                                            "INSERT INTO t SELECT * FROM s",
                                            " set local app.user = $1"};

static int n_shared; /* statements that came without a Sync since the last */
static int n_most;

static bool
count_shared(struct session *session, const struct message *message, void *arg)
{
        (void)arg;
        n_shared += session->is_set_up && message->kind == MESSAGE_EXECUTE;
        n_most = n_shared > n_most ? n_shared : n_most;
        if (message->kind == MESSAGE_SYNC)
                n_shared = 0;
        return false;
}

START_TEST(a_statement_that_sets_something_is_not_grouped)
{
        struct batch batch = {.sql = setting_texts[_i]};
        struct batch others = {0};

        wire_know(batch.sql);
        wire_server->on_message = count_shared;
        n_shared = n_most = 0;
        pipit_set_group_writes(live_db, true);
        batch_start(&batch, 4);
        batch_wait(&batch);
        ck_assert_int_eq(n_most, 1);
        batch_start(&others, 4);
        batch_wait(&others);
        ck_assert_int_eq(n_most, 4);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("outcome");
        TCase *tcase = tcase_create("outcome");

        tcase_add_checked_fixture(tcase, setup, wire_teardown);
        tcase_add_loop_test(tcase, a_statement_that_fails_is_told_once_what_became_of_it, 0,
                            N_ERRORS);
        tcase_add_loop_test(tcase, a_statement_whose_commit_fails_is_told_once_what_became_of_it, 0,
                            N_ERRORS);
        tcase_add_loop_test(tcase, no_write_of_a_group_runs_again_unless_the_group_was_undone, 0,
                            N_ERRORS);
        tcase_add_loop_test(tcase, the_same_holds_where_a_group_is_committed, 0, N_ERRORS);
        tcase_add_loop_test(tcase, a_transaction_whose_statement_fails_sends_no_commit, 0,
                            N_ERRORS);
        tcase_add_loop_test(tcase, a_commit_that_fails_is_sent_once_an_attempt, 0, N_ERRORS);
        tcase_add_loop_test(tcase, a_commit_along_with_what_fails_is_not_sent_again, 0, N_ERRORS);
        tcase_add_loop_test(tcase, a_sync_that_was_to_commit_what_fails_is_not_sent_again, 0,
                            N_ERRORS);
        tcase_add_loop_test(tcase, a_sync_that_fails_to_commit_is_not_sent_again, 0, N_ERRORS);
        tcase_add_loop_test(tcase, a_transaction_that_is_open_behind_a_statement_makes_that_unknown,
                            0, 3);
        tcase_add_loop_test(tcase, a_statement_that_sets_something_is_not_grouped, 0, 3);
        suite_add_tcase(suite, tcase);
        return suite;
}
