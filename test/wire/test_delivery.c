/*
 * How answers are delivered: in pieces, all at once, not to the end. Each request ends once, with
 * its own answer.
 */
#include <stdio.h>
#include <string.h>

#include "wire.h"

#define N_REQUESTS 20

/* The answers of a server that answers each Sync, but stops at the n-th. */
struct cut {
        int after;             /* statements that are answered whole */
        bool ready_is_missing; /* the next one is answered up to its ReadyForQuery */
        enum session_end end;
        int n_cut; /* times that it got there */
};

static bool
cut_on_message(struct session *session, const struct message *message, void *arg)
{
        struct cut *cut = arg;

        if (!session->is_set_up || session->number > 1 || message->kind != MESSAGE_SYNC ||
            session->n_statements <= cut->after)
                return false;
        if (cut->n_cut++ > 0)
                return true;
        if (cut->ready_is_missing)
                session_flush(session);
        if (cut->end != SESSION_GOES_ON)
                session_finish(session, cut->end);
        return true;
}

static void
cut_install(struct cut *cut)
{
        wire_server->on_message = cut_on_message;
        wire_server->arg = cut;
}

/* Bytes at a time; 0 is all at once. */
static const size_t slices[] = {1, 2, 3, 7, 0};

START_TEST(answers_in_slices_are_right_and_come_once)
{
        struct batch batch = {0};

        wire_server->slice = slices[_i];
        batch_start(&batch, N_REQUESTS);
        batch_wait(&batch);
        batch_expect_own(&batch, 0, N_REQUESTS);
        ck_assert_int_eq(wire_server->n_accepted, 1);
}
END_TEST

START_TEST(answers_in_one_piece_are_right_and_come_once)
{
        struct batch batch = {0};

        wire_connect();
        wire_server->held = true;
        batch_start(&batch, BATCH_MAX);
        loop_until(&wire_server->n_syncs, 1 + BATCH_MAX);
        ck_assert_int_eq(batch.n_calls, 0);
        server_release(wire_server);
        batch_wait(&batch);
        batch_expect_own(&batch, 0, BATCH_MAX);
}
END_TEST

START_TEST(a_cut_behind_slices_ends_only_what_was_not_answered)
{
        struct batch batch = {0};
        struct cut cut = {.after = 3, .end = SESSION_FIN};

        wire_server->slice = slices[_i];
        cut_install(&cut);
        batch_start(&batch, 5);
        batch_wait(&batch);
        batch_expect_own(&batch, 0, 3);
        batch_expect_error(&batch, 3, 5, PIPIT_ELOST, PIPIT_EXECUTED_UNKNOWN);
}
END_TEST

START_TEST(a_request_succeeds_at_its_sync_and_not_before)
{
        struct cut cut = {.after = 0, .ready_is_missing = true};
        struct calls calls = {0};

        cut_install(&cut);
        pipit_query(live_db, "INSERT", PIPIT_NO_PARAMS, on_call, &calls);
        loop_until(&cut.n_cut, 1);
        loop_for(20);
        ck_assert_int_eq(calls.n, 0);
        server_end_all(wire_server, SESSION_FIN);
        expect_error(answer(&calls), PIPIT_ELOST, "");
        ck_assert_int_eq(pipit_result_error(calls.last)->executed, PIPIT_EXECUTED_UNKNOWN);
}
END_TEST

START_TEST(a_loss_is_told_by_its_first_cause_in_whole_sentences)
{
        struct cut cut = {.after = 0, .ready_is_missing = true};
        struct calls calls = {0};

        cut_install(&cut);
        pipit_query(live_db, "INSERT", PIPIT_NO_PARAMS, on_call, &calls);
        loop_until(&cut.n_cut, 1);
        server_end_all(wire_server, SESSION_FIN);
        const char *text = pipit_error_text(answer(&calls));
        ck_assert_msg(strstr(text, "closed the connection unexpectedly") != NULL, "%s", text);
        ck_assert_msg(strstr(text, "invalid socket") == NULL, "%s", text);
        ck_assert_msg(strstr(text, " )") == NULL, "%s", text);
}
END_TEST

START_TEST(a_late_sync_completes_its_request)
{
        struct cut cut = {.after = 0, .ready_is_missing = true};
        struct calls calls = {0};

        cut_install(&cut);
        pipit_query(live_db, "INSERT", PIPIT_NO_PARAMS, on_call, &calls);
        loop_until(&cut.n_cut, 1);
        loop_for(20);
        ck_assert_int_eq(calls.n, 0);
        session_ready(wire_server->sessions);
        session_flush(wire_server->sessions);
        expect_text(answer(&calls), 0, 0, "INSERT");
}
END_TEST

/* Answers the second statement, and then refuses its commit. */
static bool
commit_fails(struct session *session, const struct message *message, void *arg)
{
        (void)arg;
        if (session->is_set_up && message->kind == MESSAGE_SYNC && session->n_statements == 2)
                session_error(session, "ERROR", "23503", "refused at commit");
        return false;
}

START_TEST(an_error_at_the_sync_is_of_the_statement_before_it)
{
        struct batch batch = {0};

        wire_server->on_message = commit_fails;
        wire_server->slice = slices[_i];
        batch_start(&batch, 4);
        batch_wait(&batch);
        batch_expect_own(&batch, 0, 1);
        batch_expect_error(&batch, 1, 2, PIPIT_ESERVER, PIPIT_EXECUTED_ROLLED_BACK);
        ck_assert_str_eq(batch.entries[1].error.sqlstate, "23503");
        batch_expect_own(&batch, 2, 4);
        ck_assert_int_eq(wire_server->n_accepted, 1);
}
END_TEST

/* The even ones are FINs, the odd ones RSTs; each after half as many answers. */
static void
cut_after(int i)
{
        struct batch batch = {0};
        struct cut cut = {.after = i / 2, .end = i % 2 == 0 ? SESSION_FIN : SESSION_RST};

        cut_install(&cut);
        batch_start(&batch, 8);
        batch_wait(&batch);
        batch_expect_own(&batch, 0, cut.after);
        batch_expect_error(&batch, cut.after, 8, PIPIT_ELOST, PIPIT_EXECUTED_UNKNOWN);
        expect_service();
        ck_assert_int_eq(wire_server->n_accepted, 2);
        ck_assert_int_eq(batch.n_calls, 8);
}

START_TEST(a_cut_link_ends_only_what_was_not_answered)
{
        cut_after(_i);
}
END_TEST

START_TEST(a_cut_tcp_link_ends_only_what_was_not_answered)
{
        cut_after(_i);
}
END_TEST

/* What a callback in the middle of a batch does. */
static void
close_at_third(struct batch_entry *entry, void *arg)
{
        (void)arg;
        if (entry == &entry->batch->entries[2]) {
                pipit_close(live_db);
                live_db = NULL;
        }
}

START_TEST(a_callback_closes_the_database_amid_the_answers)
{
        struct batch batch = {.then = close_at_third};

        wire_connect();
        wire_server->held = true;
        batch_start(&batch, N_REQUESTS);
        loop_until(&wire_server->n_syncs, 1 + N_REQUESTS);
        server_release(wire_server);
        batch_wait(&batch);
        batch_expect_own(&batch, 0, 3);
        batch_expect_error(&batch, 3, N_REQUESTS, PIPIT_ECANCELED, PIPIT_EXECUTED_UNKNOWN);
}
END_TEST

static void
cancel_fifth_at_third(struct batch_entry *entry, void *arg)
{
        (void)arg;
        if (entry == &entry->batch->entries[2]) {
                pipit_cancel(live_db, entry->batch->entries[4].number);
                pipit_cancel(live_db, entry->number);
        }
}

START_TEST(a_cancel_amid_the_answers_ends_one_and_moves_none)
{
        struct batch batch = {.then = cancel_fifth_at_third};

        wire_connect();
        wire_server->held = true;
        batch_start(&batch, N_REQUESTS);
        loop_until(&wire_server->n_syncs, 1 + N_REQUESTS);
        server_release(wire_server);
        batch_wait(&batch);
        batch_expect_own(&batch, 0, 4);
        batch_expect_error(&batch, 4, 5, PIPIT_ECANCELED, PIPIT_EXECUTED_UNKNOWN);
        batch_expect_own(&batch, 5, N_REQUESTS);
        expect_service();
        ck_assert_int_eq(wire_server->n_accepted, 1);
}
END_TEST

START_TEST(a_callback_starts_a_request_amid_the_answers)
{
        struct batch batch = {0};
        struct calls calls = {0};

        wire_connect();
        batch_start(&batch, 3);
        pipit_then(live_db, batch.entries[1].number, on_call, &calls);
        loop_until(&calls.n, 1);
        expect_service();
        batch_wait(&batch);
        batch_expect_own(&batch, 0, 3);
}
END_TEST

static TCase *
case_of(const char *name, void (*setup)(void))
{
        TCase *tcase = tcase_create(name);

        tcase_add_checked_fixture(tcase, setup, wire_teardown);
        return tcase;
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("delivery");
        TCase *tcase = case_of("unix", wire_setup);
        TCase *tcp = case_of("tcp", wire_setup_tcp);
        int n_slices = sizeof slices / sizeof slices[0];

        tcase_add_loop_test(tcase, answers_in_slices_are_right_and_come_once, 0, n_slices);
        tcase_add_test(tcase, answers_in_one_piece_are_right_and_come_once);
        tcase_add_loop_test(tcase, a_cut_behind_slices_ends_only_what_was_not_answered, 0,
                            n_slices);
        tcase_add_test(tcase, a_request_succeeds_at_its_sync_and_not_before);
        tcase_add_test(tcase, a_loss_is_told_by_its_first_cause_in_whole_sentences);
        tcase_add_test(tcase, a_late_sync_completes_its_request);
        tcase_add_loop_test(tcase, an_error_at_the_sync_is_of_the_statement_before_it, 0, n_slices);
        tcase_add_loop_test(tcase, a_cut_link_ends_only_what_was_not_answered, 0, 16);
        tcase_add_loop_test(tcp, a_cut_tcp_link_ends_only_what_was_not_answered, 0, 16);
        tcase_add_test(tcase, a_callback_closes_the_database_amid_the_answers);
        tcase_add_test(tcase, a_cancel_amid_the_answers_ends_one_and_moves_none);
        tcase_add_test(tcase, a_callback_starts_a_request_amid_the_answers);
        suite_add_tcase(suite, tcase);
        suite_add_tcase(suite, tcp);
        return suite;
}
