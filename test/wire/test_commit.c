/*
 * COMMIT: what its answer says, what nobody knows when there is none, and what it waits for.
 */
#include <string.h>

#include "wire.h"

/* A transaction with one statement. */
struct one {
        struct calls done;
        struct calls calls;
        struct pipit *tx;
        int n_bodies;
};

static void
run_one(struct pipit *tx, void *arg)
{
        struct one *one = arg;

        one->tx = tx;
        one->n_bodies++;
        ask_on(tx, "SELECT 1", &one->calls);
}

/* How the server deals with COMMIT. */
static enum { COMMITS, ROLLS_BACK, GOES_AWAY, CONFLICTS } commits;

static int n_commits;

static void
answer_commit(struct session *session)
{
        n_commits++;
        switch (commits) {
        case COMMITS: session_complete(session, "COMMIT"); break;
        case ROLLS_BACK: session_complete(session, "ROLLBACK"); break;
        case GOES_AWAY: session_finish(session, SESSION_FIN); break;
        case CONFLICTS:
                session_error(session, "ERROR", "40001", "could not serialize access");
                commits = COMMITS;
                break;
        }
}

static void
on_statement(struct session *session, const char *sql, void *arg)
{
        if (strcmp(sql, "COMMIT") == 0)
                answer_commit(session);
        else if (strncmp(sql, "BEGIN", 5) == 0)
                session_complete(session, "BEGIN");
        else if (strcmp(sql, "ROLLBACK") == 0)
                session_complete(session, "ROLLBACK");
        else if (strncmp(sql, "ROLLBACK TO", 11) == 0)
                session_rollback_to(session);
        else
                server_echo(session, sql, arg);
}

static void
setup(void)
{
        wire_setup();
        wire_server->on_statement = on_statement;
        commits = COMMITS;
        n_commits = 0;
}

/* By itself, with COMMIT along. */
static void
run(int early, struct one *one)
{
        struct pipit_transaction options = {.commit_early = early == 1};

        ck_assert_uint_ne(pipit_atomic_with(live_db, &options, run_one, on_call, one), 0);
        answer(&one->done);
}

START_TEST(a_commit_that_is_answered_with_commit_succeeds)
{
        struct one one = {0};

        run(_i, &one);
        expect_ok(one.done.last);
        expect_ok(one.calls.last);
}
END_TEST

START_TEST(a_commit_that_is_answered_with_rollback_is_no_success)
{
        struct one one = {0};

        commits = ROLLS_BACK;
        run(_i, &one);
        expect_executed(one.done.last, PIPIT_EROLLBACK, PIPIT_EXECUTED_ROLLED_BACK);
}
END_TEST

START_TEST(a_lost_commit_is_unknown_and_the_body_does_not_run_again)
{
        struct one one = {0};

        commits = GOES_AWAY;
        run(_i, &one);
        expect_executed(one.done.last, PIPIT_ELOST, PIPIT_EXECUTED_UNKNOWN);
        ck_assert_int_eq(one.n_bodies, 1);
        ck_assert_int_eq(pipit_result_attempts(one.done.last), 1);
        expect_service();
}
END_TEST

START_TEST(a_commit_that_fails_to_serialize_has_the_body_run_again)
{
        struct one one = {0};

        commits = CONFLICTS;
        run(_i, &one);
        expect_ok(one.done.last);
        ck_assert_int_eq(one.n_bodies, 2);
        ck_assert_int_eq(pipit_result_attempts(one.done.last), 2);
}
END_TEST

/* Its statements are not waited for any longer than itself. */
START_TEST(a_cancel_or_the_time_ends_all_that_travels_with_a_commit)
{
        struct pipit_transaction options = {.commit_early = true};
        struct one first = {0};
        struct one one = {0};

        run(1, &first);
        wire_server->held = true;
        pipit_request number = pipit_atomic_with(live_db, &options, run_one, on_call, &one);
        ck_assert_uint_ne(number, 0);
        loop_until(&one.n_bodies, 1);
        ck_assert_int_eq(one.calls.n, 0);
        if (_i == 0)
                pipit_cancel(live_db, number);
        else
                pipit_set_timeout(live_db, number, 0);
        answer(&one.done);
        int code = _i == 0 ? PIPIT_ECANCELED : PIPIT_ETIMEDOUT;
        expect_executed(one.done.last, code, PIPIT_EXECUTED_UNKNOWN);
        ck_assert_int_eq(one.calls.n, 1);
        expect_executed(one.calls.last, code, PIPIT_EXECUTED_UNKNOWN);
        wire_server->held = false;
}
END_TEST

START_TEST(a_transaction_whose_commit_is_out_takes_no_close_any_more)
{
        struct pipit_transaction options = {.commit_early = true};
        struct one first = {0};
        struct one one = {0};

        run(1, &first);
        wire_server->held = true;
        ck_assert_uint_ne(pipit_atomic_with(live_db, &options, run_one, on_call, &one), 0);
        loop_until(&one.n_bodies, 1);
        pipit_close(one.tx);
        wire_server->held = false;
        server_release(wire_server);
        expect_ok(answer(&one.done));
        ck_assert_int_eq(one.calls.n, 1);
        expect_ok(one.calls.last);
}
END_TEST

/* The last Sync is answered, and behind that, in one piece, the session ends. */
static bool
end_behind_sync(struct session *session, const struct message *message, void *arg)
{
        const int *syncs = arg;

        if (message->kind != MESSAGE_SYNC || !session->is_set_up || wire_server->n_syncs < *syncs)
                return false;
        wire_server->held = true;
        server_default(session, message);
        session_error(session, "FATAL", "57P01", "terminating connection");
        session_flush(session);
        session_finish(session, SESSION_FIN);
        server_release(wire_server);
        return true;
}

START_TEST(what_is_committed_stays_so_when_the_connection_is_lost_behind_it)
{
        static int syncs;
        struct one first = {0};
        struct one one = {0};

        if (_i == 2) /* its statement is known then, and it goes without COMMIT */
                run(1, &first);
        syncs = wire_server->n_syncs + (_i == 0 ? 2 : 1);
        wire_server->arg = &syncs;
        wire_server->on_message = end_behind_sync;
        run(_i > 0, &one);
        expect_ok(one.done.last);
        wire_server->on_message = NULL;
}
END_TEST

/* Three statements, each started in the callback of the one before. The second cannot be sent. */
struct chain {
        struct calls done;
        struct calls last;
};

static void
on_refused(struct pipit_result *res, void *arg)
{
        struct chain *chain = arg;

        expect_error(res, PIPIT_ETYPE, "");
        ask_on(pipit_result_scope(res), "SELECT 2", &chain->last);
}

static void
on_first(struct pipit_result *res, void *arg)
{
        struct pipit_value zero = pipit_value_text_n("a\0b", 3);

        pipit_query(pipit_result_scope(res), "SELECT $1", (struct pipit_params){&zero, 1},
                    on_refused, arg);
}

static void
run_chain(struct pipit *tx, void *arg)
{
        pipit_query(tx, "SELECT 1", PIPIT_NO_PARAMS, on_first, arg);
}

START_TEST(a_statement_that_was_refused_is_waited_for_as_any_other)
{
        struct chain chain = {0};

        ck_assert_uint_ne(pipit_atomic(live_db, run_chain, on_call, &chain), 0);
        expect_ok(answer(&chain.done));
        expect_ok(chain.last.last);
}
END_TEST

/* ---- what fails besides the statements */

/* A kind of scope that a statement is skipped in, and whether its COMMIT is sent after that. */
enum skipped_in { IN_BODY, EARLY, MAY_FAIL, NESTED, BY_HAND, N_SKIPPED_IN };

static struct skipped {
        enum skipped_in in;
        struct calls done;
        struct calls calls;
        int n_nested;
        struct pipit *tx;
} skipped;

static bool fails_to_describe; /* the next prepared statement that is described */

/* Fails the question for the types of a prepared statement, as where a pooler has given it to
 * another session. */
static bool
fail_describe(struct session *session, const struct message *message, void *arg)
{
        bool asks = message->kind == MESSAGE_DESCRIBE && message->body[0] == 'S';

        (void)arg;
        if (!fails_to_describe || !asks || session->failed)
                return false;
        fails_to_describe = false;
        session_error(session, "ERROR", "26000", "no such prepared statement");
        return true;
}

static void
ask_new(struct pipit *scope, void *arg)
{
        (void)arg;
        pipit_request number =
                pipit_query(scope, "SELECT $1 AS b", PIPIT_PARAMS("x"), on_call, &skipped.calls);
        ck_assert_uint_ne(number, 0);
        if (skipped.in == MAY_FAIL)
                pipit_may_fail(scope, number);
}

static void
on_known(struct pipit_result *res, void *arg)
{
        ask_new(pipit_result_scope(res), arg);
}

static void
on_nested(struct pipit_result *res, void *arg)
{
        (void)arg;
        expect_error(res, PIPIT_ESERVER, "26000");
        skipped.n_nested++;
}

/* Alone, or behind a statement that has succeeded. */
static void
run_skipped(struct pipit *tx, void *arg)
{
        skipped.tx = tx;
        switch (skipped.in) {
        case IN_BODY: pipit_query(tx, "SELECT $1 AS c", PIPIT_PARAMS("x"), on_known, NULL); break;
        case NESTED:
                pipit_query(tx, "SELECT $1 AS c", PIPIT_PARAMS("x"), NULL, NULL);
                pipit_atomic(tx, ask_new, on_nested, NULL);
                break;
        case EARLY:
        case MAY_FAIL:
        case BY_HAND:
        case N_SKIPPED_IN: ask_new(tx, arg); break;
        }
}

static void
start_skipped(void)
{
        struct pipit_transaction options = {.commit_early = skipped.in == EARLY};

        if (skipped.in == BY_HAND) {
                run_skipped(pipit_begin(live_db, NULL), NULL);
                pipit_commit(skipped.tx, on_call, &skipped.done);
        } else {
                pipit_atomic_with(live_db, &options, run_skipped, on_call, &skipped.done);
        }
        answer(&skipped.done);
}

/* The savepoint of a statement, or of a nested transaction, is what the failure goes with. */
static void
expect_skipped(void)
{
        bool heals = skipped.in == MAY_FAIL || skipped.in == NESTED;

        expect_error(skipped.calls.last, PIPIT_ESERVER, "26000");
        ck_assert_int_eq(pipit_result_error(skipped.calls.last)->executed,
                         PIPIT_EXECUTED_ROLLED_BACK);
        ck_assert_ptr_nonnull(strstr(pipit_error_text(skipped.calls.last), "no such prepared"));
        if (heals)
                expect_ok(skipped.done.last);
        else
                expect_error(skipped.done.last, PIPIT_ESERVER, "26000");
        ck_assert_int_eq(skipped.n_nested, skipped.in == NESTED);
        ck_assert_int_eq(n_commits, heals);
        ck_assert_int_eq(wire_server->sessions->status, 'I');
}

START_TEST(a_statement_that_is_skipped_dooms_what_it_is_in)
{
        struct pipit_options options = wire_options();

        options.max_prepared = 2;
        wire_reopen(&options);
        expect_ok(query("SELECT $1 AS a", PIPIT_PARAMS("x")));
        expect_ok(query("SELECT $1 AS c", PIPIT_PARAMS("x")));
        skipped = (struct skipped){.in = (enum skipped_in)_i};
        wire_server->on_message = fail_describe;
        wire_server->commits_anyway = true; /* as pgpool says it */
        fails_to_describe = true;
        start_skipped();
        ck_assert(!fails_to_describe);
        expect_service();
        expect_skipped();
}
END_TEST

/* How the ReadyForQuery in front of COMMIT differs from what was answered. */
static enum { FAILS_UNSEEN, ENDS_UNSEEN } unseen;

static bool
change_status(struct session *session, const struct message *message, void *arg)
{
        (void)arg;
        if (message->kind != MESSAGE_SYNC || session->status != 'T')
                return false;
        if (unseen == FAILS_UNSEEN)
                session_error(session, "ERROR", "XX000", "it was nobody's");
        else
                session->status = 'I';
        return false;
}

START_TEST(no_commit_is_sent_where_the_transaction_has_failed_or_ended_unseen)
{
        struct one one = {0};

        unseen = _i == 0 ? FAILS_UNSEEN : ENDS_UNSEEN;
        wire_server->on_message = change_status;
        wire_server->commits_anyway = true;
        run(0, &one);
        expect_executed(one.done.last, PIPIT_EROLLBACK,
                        _i == 0 ? PIPIT_EXECUTED_ROLLED_BACK : PIPIT_EXECUTED_UNKNOWN);
        expect_ok(one.calls.last);
        ck_assert_int_eq(n_commits, 0);
        wire_server->on_message = NULL;
        expect_service();
        ck_assert_int_eq(wire_server->sessions->status, 'I');
}
END_TEST

/* A statement that may fail has a savepoint of its own, which heals what failed unseen. */
static void
run_may_fail(struct pipit *tx, void *arg)
{
        struct one *one = arg;

        pipit_may_fail(tx, ask_on(tx, "SELECT 1", &one->calls));
}

START_TEST(what_fails_unseen_beside_a_statement_that_may_fail_goes_with_its_savepoint)
{
        struct one one = {0};

        unseen = FAILS_UNSEEN;
        wire_server->on_message = change_status;
        pipit_atomic(live_db, run_may_fail, on_call, &one);
        loop_until(&one.calls.n, 1);
        wire_server->on_message = NULL;
        expect_ok(answer(&one.done));
        ck_assert_int_eq(n_commits, 1);
        ck_assert_int_eq(wire_server->n_failed_commits, 0);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("commit");
        TCase *tcase = tcase_create("commit");

        tcase_add_checked_fixture(tcase, setup, wire_teardown);
        tcase_add_loop_test(tcase, a_commit_that_is_answered_with_commit_succeeds, 0, 2);
        tcase_add_loop_test(tcase, a_commit_that_is_answered_with_rollback_is_no_success, 0, 2);
        tcase_add_loop_test(tcase, a_lost_commit_is_unknown_and_the_body_does_not_run_again, 0, 2);
        tcase_add_loop_test(tcase, a_commit_that_fails_to_serialize_has_the_body_run_again, 0, 2);
        tcase_add_loop_test(tcase, what_is_committed_stays_so_when_the_connection_is_lost_behind_it,
                            0, 3);
        tcase_add_loop_test(tcase, a_cancel_or_the_time_ends_all_that_travels_with_a_commit, 0, 2);
        tcase_add_test(tcase, a_transaction_whose_commit_is_out_takes_no_close_any_more);
        tcase_add_test(tcase, a_statement_that_was_refused_is_waited_for_as_any_other);
        tcase_add_loop_test(tcase, a_statement_that_is_skipped_dooms_what_it_is_in, 0,
                            N_SKIPPED_IN);
        tcase_add_loop_test(
                tcase, no_commit_is_sent_where_the_transaction_has_failed_or_ended_unseen, 0, 2);
        tcase_add_test(tcase,
                       what_fails_unseen_beside_a_statement_that_may_fail_goes_with_its_savepoint);
        suite_add_tcase(suite, tcase);
        return suite;
}
