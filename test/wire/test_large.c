/*
 * Results over max_result_bytes: the statement that asked fails, and knows what became of it;
 * nobody else notices, wherever the two stand.
 */
#include <pipit/transaction.h>
#include <stdlib.h>
#include <string.h>

#include "wire.h"

#define N       8
#define CULPRIT 3
#define LIMIT   5000

#define LARGE "SELECT 'large'"
#define SMALL "SELECT 'small'"

static int n_large;            /* how often the culprit ran */
static const char *also_fails; /* the value of a statement that fails, too; NULL: none */
static const char *sync_error; /* SQLSTATE of an error in the place of the next Sync; NULL: none */
/* What is wrong with the culprit's result for libpq itself. */
static enum { WHOLE, TORN, NO_MESSAGE } form;

static bool
is_large(const struct session *session, const char *sql)
{
        return strcmp(sql, LARGE) == 0 ||
               (session->value != NULL && strcmp(session->value, "request 3") == 0);
}

static void
answer_largely(struct session *session)
{
        char *text = malloc(2 * LIMIT + 1);

        ck_assert_ptr_nonnull(text);
        memset(text, 'x', 2 * LIMIT);
        text[2 * LIMIT] = '\0';
        n_large++;
        session_columns(session, 1, &(const char *){"text"});
        session_row(session, form == TORN ? 2 : 1, (const char *const[]){text, text});
        if (form == NO_MESSAGE)
                session_raw(session, "?\x77\x35\x94\0", 5);
        session_complete(session, "SELECT 1");
        free(text);
}

static void
play(struct session *session, const char *sql, void *arg)
{
        static const char *const brackets[] = {"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT",
                                               "RELEASE"};

        if (strncmp(sql, "ROLLBACK TO", 11) == 0) {
                session_rollback_to(session);
                return;
        }
        for (size_t i = 0; i < sizeof brackets / sizeof brackets[0]; i++) {
                if (strncmp(sql, brackets[i], strlen(brackets[i])) == 0) {
                        session_complete(session, brackets[i]);
                        return;
                }
        }
        if (is_large(session, sql))
                answer_largely(session);
        else if (also_fails != NULL && session->value != NULL &&
                 strcmp(session->value, also_fails) == 0)
                session_error(session, "ERROR", "23505", "says no");
        else
                server_echo(session, sql, arg);
}

static bool
fail_sync(struct session *session, const struct message *message, void *arg)
{
        (void)arg;
        if (message->kind == MESSAGE_SYNC && sync_error != NULL && session->is_set_up &&
            !session->failed) {
                session_error(session, "ERROR", sync_error, "deferred");
                sync_error = NULL;
        }
        return false;
}

static void
setup(void)
{
        struct pipit_options options;

        wire_setup();
        options = wire_options();
        options.max_result_bytes = LIMIT;
        wire_reopen(&options);
        wire_know("SELECT $1");
        n_large = 0;
        also_fails = sync_error = NULL;
        form = WHOLE;
        wire_server->on_statement = play;
        wire_server->on_message = fail_sync;
}

/* All have their own answers but the culprit, on one connection. */
static void
expect_one_failure(const struct batch *batch, enum pipit_executed executed)
{
        int accepted = wire_server->n_accepted;

        batch_expect_own(batch, 0, CULPRIT);
        batch_expect_error(batch, CULPRIT, CULPRIT + 1, PIPIT_ELIMIT, executed);
        batch_expect_own(batch, CULPRIT + 1, N);
        ck_assert_int_eq(n_large, 1);
        expect_service();
        ck_assert_int_eq(wire_server->n_accepted, accepted);
}

START_TEST(of_reads_in_one_sync_one_fails)
{
        struct batch batch = {.reads = true};

        batch_start(&batch, N);
        batch_wait(&batch);
        expect_one_failure(&batch, PIPIT_EXECUTED_YES);
}
END_TEST

START_TEST(of_statements_in_their_own_syncs_one_fails)
{
        struct batch batch = {0};

        batch_start(&batch, N);
        batch_wait(&batch);
        expect_one_failure(&batch, PIPIT_EXECUTED_YES);
}
END_TEST

START_TEST(of_writes_in_one_sync_one_fails_and_all_are_committed)
{
        struct batch batch = {0};

        pipit_set_group_writes(live_db, true);
        batch_start(&batch, N);
        batch_wait(&batch);
        expect_one_failure(&batch, PIPIT_EXECUTED_YES);
}
END_TEST

START_TEST(of_writes_that_are_rolled_back_the_large_one_runs_no_second_time)
{
        struct batch batch = {0};

        also_fails = "request 5";
        pipit_set_group_writes(live_db, true);
        batch_start(&batch, N);
        batch_wait(&batch);
        batch_expect_own(&batch, 0, CULPRIT);
        batch_expect_error(&batch, CULPRIT, CULPRIT + 1, PIPIT_ELIMIT, PIPIT_EXECUTED_ROLLED_BACK);
        batch_expect_own(&batch, CULPRIT + 1, 5);
        batch_expect_error(&batch, 5, 6, PIPIT_ESERVER, PIPIT_EXECUTED_ROLLED_BACK);
        batch_expect_own(&batch, 6, N);
        ck_assert_int_eq(n_large, 1);
}
END_TEST

START_TEST(an_error_at_its_sync_is_told_instead)
{
        struct calls calls = {0};

        sync_error = "23505";
        ask_on(live_db, LARGE, &calls);
        expect_error(answer(&calls), PIPIT_ESERVER, "23505");
        ck_assert_int_eq(pipit_result_error(calls.last)->executed, PIPIT_EXECUTED_ROLLED_BACK);
        expect_service();
}
END_TEST

START_TEST(a_session_goes_on)
{
        struct pipit *session = pipit_session_open(live_db);
        struct calls calls[2] = {{0}};

        ask_on(session, LARGE, &calls[0]);
        ask_on(session, SMALL, &calls[1]);
        expect_executed(answer(&calls[0]), PIPIT_ELIMIT, PIPIT_EXECUTED_YES);
        expect_text(answer(&calls[1]), 0, 0, SMALL);
        pipit_close(session);
}
END_TEST

/* ---- transactions */

struct deed {
        struct calls done; /* first: body and done callback have one argument */
        struct calls large;
        struct calls small;
        bool may_fail;
};

static void
large_and_small(struct pipit *tx, void *arg)
{
        struct deed *deed = arg;
        pipit_request number = ask_on(tx, LARGE, &deed->large);

        if (deed->may_fail)
                pipit_may_fail(tx, number);
        ask_on(tx, SMALL, &deed->small);
}

static const struct pipit_result *
run(struct deed *deed, bool early)
{
        struct pipit_transaction options = {.commit_early = early};

        pipit_atomic_with(live_db, &options, large_and_small, on_call, deed);
        return answer(&deed->done);
}

START_TEST(it_dooms_its_transaction_and_no_connection)
{
        struct deed deed = {0};

        expect_executed(run(&deed, false), PIPIT_ELIMIT, PIPIT_EXECUTED_ROLLED_BACK);
        expect_executed(deed.large.last, PIPIT_ELIMIT, PIPIT_EXECUTED_ROLLED_BACK);
        expect_service();
        ck_assert_int_eq(wire_server->n_accepted, 1);
}
END_TEST

START_TEST(where_it_may_fail_the_transaction_commits)
{
        struct deed deed = {.may_fail = true};

        expect_ok(run(&deed, false));
        expect_executed(deed.large.last, PIPIT_ELIMIT, PIPIT_EXECUTED_ROLLED_BACK);
        expect_text(deed.small.last, 0, 0, SMALL);
}
END_TEST

START_TEST(behind_an_early_commit_it_is_known_to_be_committed)
{
        struct deed deed = {0};

        expect_ok(run(&deed, true));
        expect_executed(deed.large.last, PIPIT_ELIMIT, PIPIT_EXECUTED_YES);
        expect_text(deed.small.last, 0, 0, SMALL);
        expect_service();
        ck_assert_int_eq(wire_server->n_accepted, 1);
}
END_TEST

/* ---- what libpq cannot take */

START_TEST(a_result_that_libpq_cannot_take_has_its_own_error_once)
{
        struct calls calls = {0};

        form = _i / 2 == 0 ? TORN : NO_MESSAGE;
        if (_i % 2 == 0)
                ask_on(live_db, LARGE, &calls);
        else
                pipit_read(live_db, LARGE, PIPIT_NO_PARAMS, on_call, &calls);
        expect_executed(answer(&calls), PIPIT_ELOST, PIPIT_EXECUTED_UNKNOWN);
        ck_assert_ptr_nonnull(strstr(pipit_error_text(calls.last), "libpq could not take"));
        ck_assert_int_eq(n_large, 1);
        expect_service();
        ck_assert_int_eq(n_large, 1);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("large");
        TCase *tcase = tcase_create("large");

        tcase_add_checked_fixture(tcase, setup, wire_teardown);
        tcase_add_test(tcase, of_reads_in_one_sync_one_fails);
        tcase_add_test(tcase, of_statements_in_their_own_syncs_one_fails);
        tcase_add_test(tcase, of_writes_in_one_sync_one_fails_and_all_are_committed);
        tcase_add_test(tcase, of_writes_that_are_rolled_back_the_large_one_runs_no_second_time);
        tcase_add_test(tcase, an_error_at_its_sync_is_told_instead);
        tcase_add_test(tcase, a_session_goes_on);
        tcase_add_test(tcase, it_dooms_its_transaction_and_no_connection);
        tcase_add_test(tcase, where_it_may_fail_the_transaction_commits);
        tcase_add_test(tcase, behind_an_early_commit_it_is_known_to_be_committed);
        tcase_add_loop_test(tcase, a_result_that_libpq_cannot_take_has_its_own_error_once, 0, 4);
        suite_add_tcase(suite, tcase);
        return suite;
}
