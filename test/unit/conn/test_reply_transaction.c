#include "replies.h"

/* BEGIN and two statements, which go on or are sent together with their COMMIT. */
static void
push_transaction(const struct reply_ops *ops)
{
        push(&pipit__reply_tx_command, requests[0]);
        push(ops, requests[0]);
        push(ops, requests[1]);
}

START_TEST(statements_are_complete_as_they_are_answered)
{
        push_transaction(&pipit__reply_tx_statement);
        push_sync(0);
        hear_done("BEGIN", REPLY_EVENT_MORE);
        ck_assert(!pipit__result_is_taken(requests[0]->res));
        for (int i = 0; i < 2; i++) {
                hear_done("INSERT 0 1", REPLY_EVENT_DONE);
                ck_assert_ptr_eq(done, requests[i]);
        }
        expect_settled(NULL);
        ck_assert_ptr_null(told.answered);
}
END_TEST

START_TEST(the_lease_is_told_of_a_failure_and_of_what_was_skipped)
{
        push_transaction(&pipit__reply_tx_statement);
        push_sync(0);
        hear_done("BEGIN", REPLY_EVENT_MORE);
        hear_done("INSERT 0 1", REPLY_EVENT_DONE);
        fail_segment();
        hear_skipped();
        expect_settled(NULL);
        ck_assert_ptr_eq(told.answered, requests[1]);
        ck_assert(told.skipped);
        ck_assert_int_eq(requests[1]->state, REQUEST_NEW); /* it is for the lease to end it */
}
END_TEST

START_TEST(the_host_of_a_failure_is_told)
{
        push_transaction(&pipit__reply_tx_statement);
        push_sync(0);
        fail_request(requests[0], "22012");
        for (int i = 0; i < 3; i++)
                hear_skipped();
        expect_settled(NULL);
        ck_assert_str_eq(pipit_result_error(requests[0]->res)->host, "somewhere");
}
END_TEST

START_TEST(a_statement_that_ends_the_transaction_is_noticed)
{
        push_transaction(&pipit__reply_tx_statement);
        push_sync(0);
        hear_done("BEGIN", REPLY_EVENT_MORE);
        ck_assert_int_eq(hear(PGRES_COMMAND_OK, "COMMIT"), REPLY_EVENT_UNSHARED);
}
END_TEST

START_TEST(a_statement_that_outlives_the_transaction_makes_the_session_dirty)
{
        push_transaction(&pipit__reply_tx_statement);
        push_sync(0);
        hear_done("BEGIN", REPLY_EVENT_MORE);
        hear_done("INSERT 0 1", REPLY_EVENT_DONE);
        ck_assert(!replies.dirty);
        hear_done("SET", REPLY_EVENT_DONE);
        ck_assert(replies.dirty);
}
END_TEST

START_TEST(what_is_not_committed_yet_is_rolled_back_with_its_connection)
{
        push_transaction(&pipit__reply_tx_statement);
        push_sync(0);
        lose();
        expect_lost(requests[0], PIPIT_EXECUTED_ROLLED_BACK);
        expect_lost(requests[1], PIPIT_EXECUTED_ROLLED_BACK);
}
END_TEST

START_TEST(what_its_statement_may_have_committed_is_unknown)
{
        push_transaction(&pipit__reply_tx_statement);
        push_sync(0);
        pipit__reply_queue_may_be_done(&replies);
        lose();
        expect_lost(requests[0], PIPIT_EXECUTED_UNKNOWN);
}
END_TEST

START_TEST(what_was_sent_with_its_commit_is_unknown)
{
        push_transaction(&pipit__reply_tx_committed);
        push(&pipit__reply_commit, requests[2]);
        push_sync(0);
        lose();
        for (int i = 0; i < CAPACITY; i++)
                expect_lost(requests[i], PIPIT_EXECUTED_UNKNOWN);
        ck_assert_ptr_null(told.ended);
}
END_TEST

START_TEST(one_that_was_given_up_leaves_its_whole_segment_to_nothing)
{
        push_transaction(&pipit__reply_tx_statement);
        push_sync(0);
        ck_assert(!pipit__reply_queue_is_abandoned(&replies));
        pipit__reply_queue_abandon(&replies, requests[1]);
        ck_assert(pipit__reply_queue_is_abandoned(&replies));
}
END_TEST

/* ---- COMMIT */

static const struct {
        const char *tag;
        bool committed;
} tags[] = {{"COMMIT", true}, {"ROLLBACK", false}, {"", false}};
#define N_TAGS ((int)(sizeof tags / sizeof tags[0]))

START_TEST(a_commit_has_succeeded_only_if_its_tag_says_so)
{
        push(&pipit__reply_commit, requests[2]);
        push_sync(0);
        hear_done(tags[_i].tag, REPLY_EVENT_MORE);
        ck_assert_ptr_null(told.ended);
        expect_settled(NULL);
        ck_assert_ptr_eq(told.ended, requests[2]);
        ck_assert_int_eq(told.committed, tags[_i].committed);
}
END_TEST

START_TEST(a_commit_that_fails_at_its_sync_has_not_committed)
{
        push(&pipit__reply_commit, requests[2]);
        push_sync(0);
        hear_done("COMMIT", REPLY_EVENT_MORE);
        fail_request(requests[2], "23505");
        expect_settled(NULL);
        ck_assert_ptr_eq(told.ended, requests[2]);
        ck_assert(!told.committed);
}
END_TEST

START_TEST(a_commit_that_was_given_up_is_told_to_nobody)
{
        push(&pipit__reply_commit, requests[2]);
        push_sync(0);
        pipit__reply_queue_abandon(&replies, requests[2]);
        hear_done("COMMIT", REPLY_EVENT_MORE);
        expect_settled(NULL);
        ck_assert_ptr_null(told.ended);
}
END_TEST

START_TEST(a_sync_that_commits_has_done_so_unless_its_segment_failed)
{
        push(&pipit__reply_tx_committed, requests[0]);
        push_commit_by_sync(requests[2]);
        ck_assert_int_eq(replies.n_waiting, 2);
        hear_done("INSERT 0 1", REPLY_EVENT_DONE);
        ck_assert_ptr_eq(pipit__reply_queue_reader(&replies), requests[2]);
        if (_i > 0)
                fail_segment();
        expect_settled(NULL);
        ck_assert_ptr_eq(told.ended, requests[2]);
        ck_assert_int_eq(told.committed, _i == 0);
        ck_assert_int_eq(replies.n_waiting, 0);
}
END_TEST

START_TEST(a_sync_that_commits_is_waited_for_until_it_is_given_up)
{
        push(&pipit__reply_tx_committed, NULL);
        push_commit_by_sync(requests[2]);
        ck_assert(!pipit__reply_queue_is_abandoned(&replies));
        pipit__reply_queue_abandon(&replies, requests[2]);
        ck_assert_int_eq(replies.n_abandoned, 1);
        ck_assert(pipit__reply_queue_is_abandoned(&replies));
        hear_done("INSERT 0 1", REPLY_EVENT_MORE);
        expect_settled(NULL);
        ck_assert_ptr_null(told.ended);
        ck_assert_int_eq(replies.n_abandoned, 0);
}
END_TEST

START_TEST(a_sync_that_commits_is_unknown_when_the_connection_is_lost)
{
        push(&pipit__reply_tx_committed, NULL);
        push_commit_by_sync(requests[2]);
        lose();
        expect_lost(requests[2], PIPIT_EXECUTED_UNKNOWN);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("reply_transaction");
        TCase *inside = tcase_create("statements");
        TCase *commit = tcase_create("commit");

        tcase_add_checked_fixture(inside, replies_setup, replies_teardown);
        tcase_add_test(inside, statements_are_complete_as_they_are_answered);
        tcase_add_test(inside, the_lease_is_told_of_a_failure_and_of_what_was_skipped);
        tcase_add_test(inside, the_host_of_a_failure_is_told);
        tcase_add_test(inside, a_statement_that_ends_the_transaction_is_noticed);
        tcase_add_test(inside, a_statement_that_outlives_the_transaction_makes_the_session_dirty);
        tcase_add_test(inside, what_is_not_committed_yet_is_rolled_back_with_its_connection);
        tcase_add_test(inside, what_its_statement_may_have_committed_is_unknown);
        tcase_add_test(inside, what_was_sent_with_its_commit_is_unknown);
        tcase_add_test(inside, one_that_was_given_up_leaves_its_whole_segment_to_nothing);
        suite_add_tcase(suite, inside);
        tcase_add_checked_fixture(commit, replies_setup, replies_teardown);
        tcase_add_loop_test(commit, a_commit_has_succeeded_only_if_its_tag_says_so, 0, N_TAGS);
        tcase_add_test(commit, a_commit_that_fails_at_its_sync_has_not_committed);
        tcase_add_test(commit, a_commit_that_was_given_up_is_told_to_nobody);
        tcase_add_loop_test(commit, a_sync_that_commits_has_done_so_unless_its_segment_failed, 0,
                            2);
        tcase_add_test(commit, a_sync_that_commits_is_waited_for_until_it_is_given_up);
        tcase_add_test(commit, a_sync_that_commits_is_unknown_when_the_connection_is_lost);
        suite_add_tcase(suite, commit);
        return suite;
}
