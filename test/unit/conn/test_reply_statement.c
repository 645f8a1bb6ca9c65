#include <string.h>

#include "replies.h"
#include "request/latency.h"

START_TEST(a_read_of_a_group_is_complete_with_its_own_rows)
{
        push_group(&pipit__reply_read);
        for (int i = 0; i < CAPACITY; i++) {
                ck_assert_int_eq(hear(PGRES_TUPLES_OK, "SELECT 0"), REPLY_EVENT_MORE);
                ck_assert_int_eq(hear_end(), REPLY_EVENT_DONE);
                ck_assert_ptr_eq(done, requests[i]);
                ck_assert_int_eq(replies.n_waiting, CAPACITY - 1 - i);
        }
        hear_sync();
}
END_TEST

START_TEST(a_write_of_a_group_waits_for_the_sync)
{
        push_group(&pipit__reply_write);
        for (int i = 0; i < CAPACITY; i++) {
                ck_assert_int_eq(hear(PGRES_COMMAND_OK, "INSERT 0 1"), REPLY_EVENT_MORE);
                ck_assert_int_eq(hear_end(), REPLY_EVENT_MORE);
        }
        ck_assert_int_eq(replies.n_waiting, CAPACITY);
        hear_sync();
}
END_TEST

START_TEST(a_given_up_member_of_a_group_completes_nobody)
{
        push_group(&pipit__reply_read);
        pipit__reply_queue_abandon(&replies, requests[0]);
        ck_assert_int_eq(replies.n_waiting, CAPACITY - 1);
        ck_assert_int_eq(hear(PGRES_TUPLES_OK, "SELECT 0"), REPLY_EVENT_MORE);
        ck_assert_int_eq(hear_end(), REPLY_EVENT_MORE);
        ck_assert_int_eq(hear(PGRES_TUPLES_OK, "SELECT 0"), REPLY_EVENT_MORE);
        ck_assert_int_eq(hear_end(), REPLY_EVENT_DONE);
        ck_assert_ptr_eq(done, requests[1]);
}
END_TEST

START_TEST(behind_an_error_all_are_skipped_until_the_sync_and_run_again)
{
        push_group(&pipit__reply_read);
        fail_segment();
        for (int i = 0; i < CAPACITY; i++)
                hear_skipped();
        ck_assert_int_eq(replies.n_waiting, CAPACITY);
        hear_sync();
        settle();
        ck_assert_ptr_null(settlement.done);
        expect_again(CAPACITY, requests);
        ck_assert_int_eq(replies.n_waiting, 0);
}
END_TEST

START_TEST(the_culprit_among_reads_is_told_and_the_others_run_again)
{
        push_group(&pipit__reply_read);
        fail_request(requests[0], "22012");
        for (int i = 0; i < CAPACITY; i++)
                hear_skipped();
        hear_sync();
        settle();
        ck_assert_ptr_eq(settlement.done, requests[0]);
        expect_again(CAPACITY - 1, requests + 1);
        ck_assert_str_eq(pipit_result_error(requests[0]->res)->host, "somewhere");
}
END_TEST

START_TEST(after_a_failure_among_writes_all_run_again_alone)
{
        push_group(&pipit__reply_write);
        fail_request(requests[0], "23505");
        for (int i = 0; i < CAPACITY; i++)
                hear_skipped();
        hear_sync();
        settle();
        expect_again(CAPACITY, requests);
        for (int i = 0; i < CAPACITY; i++)
                ck_assert_int_eq(requests[i]->max_group, 1);
}
END_TEST

START_TEST(writes_that_were_committed_together_all_end_at_the_sync)
{
        push_group(&pipit__reply_write);
        for (int i = 0; i < CAPACITY; i++)
                hear_done("INSERT 0 1", REPLY_EVENT_MORE);
        for (int i = 0; i < CAPACITY; i++)
                ck_assert_int_eq(requests[i]->state, REQUEST_NEW);
        expect_settled(NULL);
        for (int i = 0; i < CAPACITY; i++)
                ck_assert_int_eq(requests[i]->state, REQUEST_ENDING);
}
END_TEST

START_TEST(a_result_of_what_was_skipped_breaks)
{
        push_group(&pipit__reply_read);
        fail_segment();
        ck_assert_int_eq(hear(PGRES_PIPELINE_ABORTED, ""), REPLY_EVENT_MORE);
        ck_assert_int_eq(hear(PGRES_TUPLES_OK, "SELECT 0"), REPLY_EVENT_BROKEN);
        ck_assert(!pipit__result_is_taken(requests[0]->res));
}
END_TEST

START_TEST(the_next_segment_has_not_failed)
{
        push(&pipit__reply_read, requests[0]);
        push_sync(1);
        push(&pipit__reply_read, requests[1]);
        fail_segment();
        hear_skipped();
        hear_sync();
        settle();
        expect_again(1, requests);
        hear_done("INSERT 0 1", REPLY_EVENT_DONE);
        ck_assert_ptr_eq(done, requests[1]);
}
END_TEST

START_TEST(what_changes_its_session_is_noticed_but_in_a_session)
{
        push(_i == 0 ? &pipit__reply_single : &pipit__reply_session, requests[0]);
        push_sync(1);
        ck_assert_int_eq(hear(PGRES_COMMAND_OK, "SET"),
                         _i == 0 ? REPLY_EVENT_UNSHARED : REPLY_EVENT_MORE);
        ck_assert_ptr_eq(pipit__reply_queue_reader(&replies), requests[0]);
}
END_TEST

START_TEST(a_statement_that_was_hit_by_anothers_cancel_is_told_so)
{
        push_statement(requests[0]);
        fail_request(requests[0], "57014");
        hear_skipped();
        settlement.may_be_hit = true;
        expect_settled(requests[0]);
        settlement.may_be_hit = false;
        ck_assert_ptr_nonnull(strstr(pipit_error_text(requests[0]->res), "cancel of another"));
}
END_TEST

/* How many uses a statement has that was answered as one of these. */
static unsigned
uses_after(const struct reply_ops *ops)
{
        stmt->latency = (struct latency){0};
        push(ops, requests[0]);
        push_sync(1);
        hear_done("INSERT 0 1", ops == &pipit__reply_read ? REPLY_EVENT_DONE : REPLY_EVENT_MORE);
        hear_sync();
        settle();
        return stmt->latency.uses;
}

START_TEST(every_answer_teaches_its_statement_alone_or_among_others)
{
        ck_assert_uint_eq(uses_after(&pipit__reply_single), 1);
        ck_assert_float_gt(stmt->latency.single_us, 0);
        ck_assert_uint_eq(uses_after(&pipit__reply_read), 1);
        ck_assert_float_eq(stmt->latency.single_us, 0);
        ck_assert_uint_eq(uses_after(&pipit__reply_session), 1);
        ck_assert_float_eq(stmt->latency.single_us, 0);
        ck_assert_uint_eq(uses_after(&pipit__reply_write), 1);
}
END_TEST

START_TEST(a_failure_teaches_nothing)
{
        push_statement(requests[0]);
        fail_request(requests[0], "22012");
        hear_skipped();
        expect_settled(requests[0]);
        ck_assert_uint_eq(stmt->latency.uses, 0);
}
END_TEST

START_TEST(what_was_skipped_runs_elsewhere_when_the_connection_is_lost)
{
        push_group(&pipit__reply_write);
        fail_request(requests[0], "23505");
        for (int i = 0; i < CAPACITY - 1; i++)
                hear_skipped();
        lose();
        expect_again(CAPACITY - 1, requests);
        expect_lost(requests[CAPACITY - 1], PIPIT_EXECUTED_UNKNOWN);
}
END_TEST

START_TEST(an_error_that_is_here_already_outlives_the_connection)
{
        push_statement(requests[0]);
        fail_request(requests[0], "22012");
        hear_skipped();
        lose();
        ck_assert_int_eq(requests[0]->state, REQUEST_ENDING);
        ck_assert_str_eq(pipit_result_error(requests[0]->res)->sqlstate, "22012");
}
END_TEST

START_TEST(what_was_skipped_in_a_session_runs_nowhere_else)
{
        push(&pipit__reply_session, requests[0]);
        push_sync(1);
        fail_segment();
        hear_skipped();
        lose();
        expect_again(0, NULL);
        expect_lost(requests[0], PIPIT_EXECUTED_UNKNOWN);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("reply_statement");
        TCase *tcase = tcase_create("reply_statement");

        tcase_add_checked_fixture(tcase, replies_setup, replies_teardown);
        tcase_add_test(tcase, a_read_of_a_group_is_complete_with_its_own_rows);
        tcase_add_test(tcase, a_write_of_a_group_waits_for_the_sync);
        tcase_add_test(tcase, a_given_up_member_of_a_group_completes_nobody);
        tcase_add_test(tcase, behind_an_error_all_are_skipped_until_the_sync_and_run_again);
        tcase_add_test(tcase, the_culprit_among_reads_is_told_and_the_others_run_again);
        tcase_add_test(tcase, after_a_failure_among_writes_all_run_again_alone);
        tcase_add_test(tcase, writes_that_were_committed_together_all_end_at_the_sync);
        tcase_add_test(tcase, a_result_of_what_was_skipped_breaks);
        tcase_add_test(tcase, the_next_segment_has_not_failed);
        tcase_add_loop_test(tcase, what_changes_its_session_is_noticed_but_in_a_session, 0, 2);
        tcase_add_test(tcase, a_statement_that_was_hit_by_anothers_cancel_is_told_so);
        tcase_add_test(tcase, every_answer_teaches_its_statement_alone_or_among_others);
        tcase_add_test(tcase, a_failure_teaches_nothing);
        tcase_add_test(tcase, what_was_skipped_runs_elsewhere_when_the_connection_is_lost);
        tcase_add_test(tcase, an_error_that_is_here_already_outlives_the_connection);
        tcase_add_test(tcase, what_was_skipped_in_a_session_runs_nowhere_else);
        suite_add_tcase(suite, tcase);
        return suite;
}
