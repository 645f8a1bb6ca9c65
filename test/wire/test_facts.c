/*
 * Facts about libpq and the protocol that nobody would guess, and that pipit does the right thing
 * about each: those that no other test is about. doc/libpq-facts.md lists them all.
 */
#include <libpq-fe.h>
#include <pipit/transaction.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire.h"

#define MEGABYTE ((size_t)1 << 20)

/* What the client has said. */
static struct {
        int n_startups;
        int n_with_options;
        int n_cancels;
        int n_parsed;
        int n_named; /* statements and portals */
} heard;

static void
hear_startup(const struct message *message)
{
        const char *end = message->body + message->length;

        heard.n_startups++;
        for (const char *at = message->body; at < end && at[0] != '\0'; at += strlen(at) + 1) {
                heard.n_with_options += strcmp(at, "options") == 0;
                at += strlen(at) + 1; /* to its value */
        }
}

static bool
hear(struct session *session, const struct message *message, void *arg)
{
        (void)session;
        (void)arg;
        switch (message->kind) {
        case MESSAGE_STARTUP: hear_startup(message); break;
        case MESSAGE_CANCEL: heard.n_cancels++; break;
        case MESSAGE_PARSE:
                heard.n_parsed++;
                heard.n_named += message->body[0] != '\0';
                break;
        case MESSAGE_BIND:
                heard.n_named += message->body[0] != '\0' || message->body[1] != '\0';
                break;
        case MESSAGE_EXECUTE: heard.n_named += message->body[0] != '\0'; break;
        }
        return false;
}

/* The second statement of the first session is answered by this, and others by their text. */
static void
second_on_statement(struct session *session, const char *sql, void *arg)
{
        void (*const *send)(struct session * session) = arg;

        if (session->number == 1 && session->n_statements == 2)
                (*send)(session);
        else
                server_echo(session, sql, NULL);
}

/* Runs five statements at once on such a server. */
static void
second_batch(struct batch *batch, void (*send)(struct session *session))
{
        wire_server->on_statement = second_on_statement;
        wire_server->arg = &send;
        batch_start(batch, 5);
        batch_wait(batch);
        batch_expect_own(batch, 0, 1);
        expect_service();
}

START_TEST(every_statement_has_a_sync_of_its_own)
{
        struct batch batch = {0};

        batch_start(&batch, 20);
        batch_wait(&batch);
        ck_assert_int_eq(wire_server->n_statements, 20);
        ck_assert_int_eq(wire_server->n_syncs, 20);
}
END_TEST

/* Swallows each Sync from the second on. */
static bool
one_sync_on_message(struct session *session, const struct message *message, void *arg)
{
        (void)arg;
        return message->kind == MESSAGE_SYNC && session->n_statements > 1;
}

START_TEST(an_answer_does_not_wait_for_a_slow_statement_behind_it)
{
        struct batch batch = {0};

        wire_server->on_message = one_sync_on_message;
        batch_start(&batch, 3);
        loop_until(&batch.n_calls, 1);
        loop_for(20);
        ck_assert_int_eq(batch.n_calls, 1);
        batch_expect_own(&batch, 0, 1);
        server_end_all(wire_server, SESSION_FIN);
        batch_wait(&batch);
}
END_TEST

static void
send_error_without_sqlstate(struct session *session)
{
        session_error(session, "ERROR", NULL, "out of memory");
}

START_TEST(an_error_without_sqlstate_costs_the_connection)
{
        struct batch batch = {0};

        second_batch(&batch, send_error_without_sqlstate);
        batch_expect_error(&batch, 1, 5, PIPIT_ELOST, PIPIT_EXECUTED_UNKNOWN);
        ck_assert_int_eq(wire_server->n_accepted, 2);
}
END_TEST

static void
send_rollback(struct session *session)
{
        session_complete(session, "ROLLBACK");
}

START_TEST(a_commit_that_was_a_rollback_is_no_success)
{
        struct batch batch = {0};

        second_batch(&batch, send_rollback);
        batch_expect_error(&batch, 1, 2, PIPIT_EUNSHARED, PIPIT_EXECUTED_ROLLED_BACK);
        batch_expect_error(&batch, 2, 5, PIPIT_ELOST, PIPIT_EXECUTED_UNKNOWN);
        ck_assert_int_eq(wire_server->n_accepted, 2);
}
END_TEST

/* The transaction has failed, and nothing but the end of it says so. */
static void
rolled_back_on_statement(struct session *session, const char *sql, void *arg)
{
        (void)arg;
        if (strcmp(sql, "BEGIN") == 0)
                session_complete(session, "BEGIN");
        else if (strcmp(sql, "COMMIT") == 0)
                session_complete(session, "ROLLBACK");
        else
                session_complete(session, "UPDATE 1");
}

/* Its argument begins with what is called when the transaction has ended. */
struct update {
        struct calls done;
        struct calls calls;
};

static void
run_update(struct pipit *tx, void *arg)
{
        struct update *update = arg;

        ask_on(tx, "UPDATE t SET x = 1", &update->calls);
}

START_TEST(a_transaction_whose_commit_was_a_rollback_is_no_success)
{
        const struct pipit_transaction options = {.commit_early = _i == 1};
        struct update update = {0};

        wire_server->on_statement = rolled_back_on_statement;
        ck_assert_uint_ne(pipit_atomic_with(live_db, &options, run_update, on_call, &update), 0);
        expect_executed(answer(&update.done), PIPIT_EROLLBACK, PIPIT_EXECUTED_ROLLED_BACK);
        expect_ok(update.calls.last);
        ck_assert_int_eq(update.calls.n, 1);
}
END_TEST

static void
send_cancelled(struct session *session)
{
        session_error(session, "ERROR", "57014", "canceling statement due to user request");
}

START_TEST(a_statement_that_somebody_else_cancelled_is_rolled_back_and_no_other)
{
        struct batch batch = {0};

        second_batch(&batch, send_cancelled);
        batch_expect_error(&batch, 1, 2, PIPIT_ESERVER, PIPIT_EXECUTED_ROLLED_BACK);
        ck_assert_str_eq(batch.entries[1].error.sqlstate, "57014");
        batch_expect_own(&batch, 2, 5);
        ck_assert_int_eq(wire_server->n_accepted, 1);
}
END_TEST

START_TEST(a_cancel_of_what_is_not_executed_asks_nothing_of_the_server)
{
        struct batch batch = {0};

        wire_connect();
        wire_server->held = true;
        batch_start(&batch, 3);
        loop_until(&wire_server->n_syncs, 1 + 3);
        pipit_cancel(live_db, batch.entries[1].number);
        loop_until(&batch.n_calls, 1);
        server_release(wire_server);
        batch_wait(&batch);
        expect_service();
        ck_assert_int_eq(heard.n_cancels, 0);
        ck_assert_int_eq(wire_server->n_accepted, 1);
}
END_TEST

START_TEST(a_startup_packet_has_no_options)
{
        expect_service();
        ck_assert_int_eq(heard.n_startups, 1);
        ck_assert_int_eq(heard.n_with_options, 0);
}
END_TEST

/* Announces a row of 32 MB, for which libpq gets memory at once, and begins with it. */
static void
send_huge_row(struct session *session)
{
        char *bytes = calloc(1, 4 * MEGABYTE);

        ck_assert_ptr_nonnull(bytes);
        session_columns(session, 1, &(const char *){"text"});
        session_raw(session, "D\x02\0\0\0\0\1\x01\xff\xff\xf6", 11);
        session_raw(session, bytes, 4 * MEGABYTE);
        session_flush(session);
        free(bytes);
}

START_TEST(a_huge_row_that_is_only_announced_is_not_waited_for)
{
        struct pipit_options options = wire_options();
        struct batch batch = {0};

        options.max_result_bytes = MEGABYTE;
        wire_reopen(&options);
        second_batch(&batch, send_huge_row);
        batch_expect_error(&batch, 1, 2, PIPIT_ELIMIT, PIPIT_EXECUTED_UNKNOWN);
        batch_expect_error(&batch, 2, 5, PIPIT_ELOST, PIPIT_EXECUTED_UNKNOWN);
        /* libpq 17 asks for the cancel by a connection of its own. */
        ck_assert_int_eq(wire_server->n_accepted, PQlibVersion() >= 170000 ? 3 : 2);
}
END_TEST

static void
hearing_setup(void)
{
        wire_setup();
        memset(&heard, 0, sizeof heard);
        wire_server->on_message = hear;
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("facts");
        TCase *tcase = tcase_create("facts");

        tcase_add_checked_fixture(tcase, hearing_setup, wire_teardown);
        tcase_add_test(tcase, every_statement_has_a_sync_of_its_own);
        tcase_add_test(tcase, an_answer_does_not_wait_for_a_slow_statement_behind_it);
        tcase_add_test(tcase, an_error_without_sqlstate_costs_the_connection);
        tcase_add_test(tcase, a_commit_that_was_a_rollback_is_no_success);
        tcase_add_loop_test(tcase, a_transaction_whose_commit_was_a_rollback_is_no_success, 0, 2);
        tcase_add_test(tcase, a_statement_that_somebody_else_cancelled_is_rolled_back_and_no_other);
        tcase_add_test(tcase, a_cancel_of_what_is_not_executed_asks_nothing_of_the_server);
        tcase_add_test(tcase, a_startup_packet_has_no_options);
        tcase_add_test(tcase, a_huge_row_that_is_only_announced_is_not_waited_for);
        suite_add_tcase(suite, tcase);
        return suite;
}
