/*
 * Transactions without BEGIN and COMMIT: what goes out, and what becomes of them.
 */
#include <stdio.h>
#include <string.h>

#include "wire.h"

/* A body of two statements, sent as a whole. */
struct two {
        struct calls done;
        struct calls calls[2];
        const char *second;
        int n_bodies;
};

static void
run_two(struct pipit *tx, void *arg)
{
        struct two *two = arg;

        two->n_bodies++;
        ask_on(tx, "SELECT 1", &two->calls[0]);
        ask_on(tx, two->second, &two->calls[1]);
}

static char seen[400]; /* the statements of the server, one behind the other */
static const char *sync_error;
static bool goes_away;
static bool divides; /* by zero */

static void
on_statement(struct session *session, const char *sql, void *arg)
{
        size_t length = strlen(seen);

        snprintf(seen + length, sizeof seen - length, "%s;", sql);
        if (strcmp(sql, "BEGIN") == 0 || strcmp(sql, "COMMIT") == 0 || strcmp(sql, "ROLLBACK") == 0)
                session_complete(session, sql);
        else if (strcmp(sql, "CALL p()") == 0)
                session_complete(session, "CALL");
        else if (strcmp(sql, "SELECT 1 / 0") == 0 && divides)
                session_error(session, "ERROR", "22012", "division by zero");
        else
                server_echo(session, sql, arg);
}

static bool
on_message(struct session *session, const struct message *message, void *arg)
{
        (void)arg;
        if (message->kind != MESSAGE_SYNC || !session->is_set_up)
                return false;
        if (goes_away) {
                session_finish(session, SESSION_FIN);
                return true;
        }
        if (sync_error != NULL)
                session_error(session, "ERROR", sync_error, "at the end");
        sync_error = NULL;
        return false;
}

/* Runs it, with COMMIT along if it can be. */
static struct pipit_result *
run(struct two *two)
{
        struct pipit_transaction options = {.commit_early = true};

        seen[0] = '\0';
        ck_assert_uint_ne(pipit_atomic_with(live_db, &options, run_two, on_call, two), 0);
        return answer(&two->done);
}

static void
expect_rolled_back(struct pipit_result *res, const char *sqlstate)
{
        expect_error(res, PIPIT_ESERVER, sqlstate);
        ck_assert_int_eq(pipit_result_error(res)->executed, PIPIT_EXECUTED_ROLLED_BACK);
}

/* Both statements are known behind it. */
static void
setup(void)
{
        struct two first = {.second = "SELECT 2"};

        wire_setup();
        wire_server->on_statement = on_statement;
        wire_server->on_message = on_message;
        sync_error = NULL;
        goes_away = divides = false;
        expect_ok(run(&first));
        ck_assert_str_eq(seen, "BEGIN;SELECT 1;SELECT 2;COMMIT;");
}

START_TEST(known_statements_go_without_begin_and_commit)
{
        struct two two = {.second = "SELECT 2"};

        expect_ok(run(&two));
        expect_ok(two.calls[0].last);
        expect_ok(two.calls[1].last);
        ck_assert_str_eq(seen, "SELECT 1;SELECT 2;");
}
END_TEST

START_TEST(a_statement_that_may_commit_by_itself_has_its_begin_each_time)
{
        for (int i = 0; i < 3; i++) {
                struct two two = {.second = "CALL p()"};
                expect_ok(run(&two));
                ck_assert_str_eq(seen, "BEGIN;SELECT 1;CALL p();COMMIT;");
        }
}
END_TEST

START_TEST(what_a_transaction_is_to_be_like_is_said_by_begin)
{
        static const struct pipit_transaction options[] = {
                {.commit_early = true, .isolation = PIPIT_SERIALIZABLE},
                {.commit_early = true, .read_only = true},
                {.commit_early = true, .deferrable = true},
                {.commit_early = true, .timeout_ms = 60000},
                {.commit_early = false}};
        struct two two = {.second = "SELECT 2"};

        seen[0] = '\0';
        ck_assert_uint_ne(pipit_atomic_with(live_db, &options[_i], run_two, on_call, &two), 0);
        expect_ok(answer(&two.done));
        ck_assert_int_eq(strncmp(seen, "BEGIN", 5), 0);
}
END_TEST

START_TEST(an_error_of_a_statement_is_the_transactions_and_nothing_is_left_to_roll_back)
{
        struct two known = {.second = "SELECT 1 / 0"};
        struct two two = {.second = "SELECT 1 / 0"};

        expect_ok(run(&known));
        divides = true;
        expect_rolled_back(run(&two), "22012");
        expect_error(two.calls[1].last, PIPIT_ESERVER, "22012");
        expect_service();
        ck_assert_ptr_null(strstr(seen, "ROLLBACK"));
}
END_TEST

START_TEST(an_error_at_the_sync_is_that_of_the_commit)
{
        struct two two = {.second = "SELECT 2"};

        sync_error = "23505";
        expect_rolled_back(run(&two), "23505");
        expect_ok(two.calls[0].last);
        expect_ok(two.calls[1].last);
        ck_assert_int_eq(two.n_bodies, 1);
        expect_service();
}
END_TEST

START_TEST(what_fails_to_serialize_at_the_sync_runs_again)
{
        struct two two = {.second = "SELECT 2"};

        sync_error = "40001";
        expect_ok(run(&two));
        ck_assert_int_eq(two.n_bodies, 2);
        ck_assert_int_eq(pipit_result_attempts(two.done.last), 2);
        ck_assert_str_eq(seen, "SELECT 1;SELECT 2;SELECT 1;SELECT 2;");
}
END_TEST

START_TEST(what_is_lost_before_its_sync_is_unknown)
{
        struct two two = {.second = "SELECT 2"};

        goes_away = true;
        expect_executed(run(&two), PIPIT_ELOST, PIPIT_EXECUTED_UNKNOWN);
        ck_assert_int_eq(two.n_bodies, 1);
        goes_away = false;
        expect_service();
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("implicit");
        TCase *tcase = tcase_create("implicit");

        tcase_add_checked_fixture(tcase, setup, wire_teardown);
        tcase_add_test(tcase, known_statements_go_without_begin_and_commit);
        tcase_add_test(tcase, a_statement_that_may_commit_by_itself_has_its_begin_each_time);
        tcase_add_loop_test(tcase, what_a_transaction_is_to_be_like_is_said_by_begin, 0, 5);
        tcase_add_test(
                tcase,
                an_error_of_a_statement_is_the_transactions_and_nothing_is_left_to_roll_back);
        tcase_add_test(tcase, an_error_at_the_sync_is_that_of_the_commit);
        tcase_add_test(tcase, what_fails_to_serialize_at_the_sync_runs_again);
        tcase_add_test(tcase, what_is_lost_before_its_sync_is_unknown);
        suite_add_tcase(suite, tcase);
        return suite;
}
