#include <stdlib.h>
#include <string.h>

#include "oom.h"
#include "replies.h"

START_TEST(a_statement_is_done_at_its_sync_and_not_before)
{
        push_statement(&requests[0]);
        ck_assert_int_eq(hear(PGRES_TUPLES_OK, "SELECT 0"), REPLY_EVENT_MORE);
        ck_assert(pipit__result_is_taken(requests[0].res));
        ck_assert_int_eq(hear_end(), REPLY_EVENT_MORE);
        ck_assert_int_eq(hear(PGRES_PIPELINE_SYNC, ""), REPLY_EVENT_SYNC);
        expect_popped(&requests[0]);
        ck_assert_int_eq(replies.n, 0);
}
END_TEST

START_TEST(an_empty_statement_is_answered_too)
{
        push_statement(&requests[0]);
        ck_assert_int_eq(hear(PGRES_EMPTY_QUERY, ""), REPLY_EVENT_MORE);
        ck_assert_int_eq(hear_end(), REPLY_EVENT_MORE);
        ck_assert_int_eq(hear(PGRES_PIPELINE_SYNC, ""), REPLY_EVENT_SYNC);
        ck_assert(!pipit_failed(requests[0].res));
}
END_TEST

START_TEST(answers_go_to_requests_in_the_order_they_were_sent)
{
        for (int i = 0; i < CAPACITY; i++)
                push_statement(&requests[i]);
        for (int i = 0; i < CAPACITY; i++) {
                ck_assert_int_eq(replies.n_waiting, CAPACITY - i);
                ck_assert_ptr_eq(pipit__reply_queue_reading(&replies)->req, &requests[i]);
                ck_assert(!pipit__result_is_taken(requests[i].res));
                hear_statement();
                ck_assert(pipit__result_is_taken(requests[i].res));
                expect_popped(&requests[i]);
        }
        ck_assert_ptr_null(pipit__reply_queue_reading(&replies));
}
END_TEST

START_TEST(the_ring_goes_round)
{
        push_statement(&requests[0]);
        for (int i = 1; i < 100; i++) {
                push_statement(&requests[i % CAPACITY]);
                hear_statement();
                expect_popped(&requests[(i - 1) % CAPACITY]);
                ck_assert_int_eq(replies.n_waiting, 1);
        }
        ck_assert_ptr_eq(pipit__reply_queue_reading(&replies)->req, &requests[99 % CAPACITY]);
}
END_TEST

START_TEST(what_is_not_answered_can_be_popped)
{
        push_statement(&requests[0]);
        push_statement(&requests[1]);
        ck_assert_int_eq(hear(PGRES_COMMAND_OK, "INSERT 0 1"), REPLY_EVENT_MORE);
        expect_popped(&requests[0]);
        expect_popped(&requests[1]);
        ck_assert_int_eq(replies.n, 0);
        ck_assert_int_eq(replies.reading, 0);
}
END_TEST

START_TEST(a_statement_of_pipits_own_has_no_request)
{
        push(REPLY_OWN, SEGMENT_SINGLE, NULL);
        push(REPLY_SYNC, SEGMENT_SINGLE, NULL);
        ck_assert_int_eq(replies.n_waiting, 0);
        struct pg_result *own = answer(PGRES_TUPLES_OK, "SELECT 0");
        ck_assert_int_eq(pipit__reply_queue_read(&replies, own, &(struct request *){NULL}),
                         REPLY_EVENT_OWN);
        PQclear(own); /* it is the caller's */
        ck_assert_int_eq(hear_end(), REPLY_EVENT_MORE);
        ck_assert_int_eq(hear(PGRES_PIPELINE_SYNC, ""), REPLY_EVENT_SYNC);
        expect_popped(NULL);
}
END_TEST

START_TEST(the_answer_of_one_that_was_given_up_goes_away)
{
        for (int i = 0; i < CAPACITY; i++)
                push_statement(&requests[i]);
        pipit__reply_queue_abandon(&replies, &requests[1]);
        ck_assert_int_eq(replies.n_abandoned, 1);
        hear_statement();
        expect_popped(&requests[0]);
        ck_assert_ptr_null(pipit__reply_queue_reading(&replies)->req);
        hear_statement();
        expect_popped(NULL);
        ck_assert(!pipit__result_is_taken(requests[1].res));
        ck_assert_int_eq(replies.n_abandoned, 0);
        ck_assert_ptr_eq(pipit__reply_queue_reading(&replies)->req, &requests[2]);
}
END_TEST

START_TEST(giving_up_in_the_middle_of_an_answer_is_possible)
{
        push_statement(&requests[0]);
        ck_assert_int_eq(hear(PGRES_TUPLES_OK, "SELECT 0"), REPLY_EVENT_MORE);
        pipit__reply_queue_abandon(&replies, &requests[0]);
        ck_assert_int_eq(hear_end(), REPLY_EVENT_MORE);
        ck_assert_int_eq(hear(PGRES_PIPELINE_SYNC, ""), REPLY_EVENT_SYNC);
        expect_popped(NULL);
}
END_TEST

START_TEST(giving_up_what_is_not_there_does_nothing)
{
        push_statement(&requests[0]);
        pipit__reply_queue_abandon(&replies, &requests[1]);
        ck_assert_int_eq(replies.n_abandoned, 0);
        ck_assert_ptr_eq(pipit__reply_queue_reading(&replies)->req, &requests[0]);
}
END_TEST

START_TEST(a_second_result_of_one_statement_breaks)
{
        push_statement(&requests[0]);
        ck_assert_int_eq(hear(PGRES_TUPLES_OK, "SELECT 0"), REPLY_EVENT_MORE);
        ck_assert_int_eq(hear(PGRES_TUPLES_OK, "SELECT 0"), REPLY_EVENT_BROKEN);
}
END_TEST

START_TEST(fewer_rows_than_the_tag_says_break)
{
        push_statement(&requests[0]);
        ck_assert_int_eq(hear(PGRES_TUPLES_OK, "SELECT 1"), REPLY_EVENT_BROKEN);
}
END_TEST

START_TEST(an_end_without_result_breaks)
{
        push_statement(&requests[0]);
        ck_assert_int_eq(hear_end(), REPLY_EVENT_BROKEN);
}
END_TEST

START_TEST(an_end_where_the_sync_belongs_breaks)
{
        push_statement(&requests[0]);
        ck_assert_int_eq(hear(PGRES_COMMAND_OK, "INSERT 0 1"), REPLY_EVENT_MORE);
        ck_assert_int_eq(hear_end(), REPLY_EVENT_MORE);
        ck_assert_int_eq(hear_end(), REPLY_EVENT_BROKEN);
}
END_TEST

/* What cannot answer a statement, and what cannot answer a Sync. */
static const struct {
        ExecStatusType status;
        bool at_sync;
} impossible[] = {
        {PGRES_PIPELINE_SYNC, false},
        {PGRES_PIPELINE_ABORTED, false}, /* nothing has failed in front of it */
        {PGRES_COPY_IN, false},
        {PGRES_COPY_OUT, false},
        {PGRES_COPY_BOTH, false},
        {PGRES_SINGLE_TUPLE, false},
        {PGRES_BAD_RESPONSE, false},
        {PGRES_NONFATAL_ERROR, false},
        {PGRES_FATAL_ERROR, false}, /* without SQLSTATE: libpq's own */
        {PGRES_TUPLES_OK, true},
        {PGRES_COMMAND_OK, true},
        {PGRES_EMPTY_QUERY, true},
        {PGRES_PIPELINE_ABORTED, true},
        {PGRES_COPY_IN, true},
        {PGRES_FATAL_ERROR, true},
};
#define N_IMPOSSIBLE ((int)(sizeof impossible / sizeof impossible[0]))

START_TEST(what_cannot_be_the_answer_breaks)
{
        push_statement(&requests[0]);
        if (impossible[_i].at_sync) {
                ck_assert_int_eq(hear(PGRES_COMMAND_OK, "INSERT 0 1"), REPLY_EVENT_MORE);
                ck_assert_int_eq(hear_end(), REPLY_EVENT_MORE);
        }
        ck_assert_int_eq(hear(impossible[_i].status, ""), REPLY_EVENT_BROKEN);
}
END_TEST

static const struct {
        const char *tag;
        bool unshared;
} tags[] = {
        {"BEGIN", true},
        {"START TRANSACTION", true},
        {"COMMIT", true},
        {"ROLLBACK", true},
        {"SAVEPOINT", true},
        {"RELEASE", true},
        {"PREPARE", true},
        {"PREPARE TRANSACTION", true},
        {"DEALLOCATE", true},
        {"DEALLOCATE ALL", true},
        {"SET", true},
        {"SET CONSTRAINTS", true},
        {"RESET", true},
        {"LISTEN", true},
        {"UNLISTEN", true},
        {"DISCARD ALL", true},
        {"DISCARD TEMP", true},
        {"DECLARE CURSOR", true},
        {"CLOSE CURSOR", true},
        {"CLOSE CURSOR ALL", true},
        {"FETCH 1", true},
        {"MOVE 1", true},
        {"LOAD", true},
        {"LOCK TABLE", true},
        {"SELECT 1", false},
        {"INSERT 0 1", false},
        {"UPDATE 1", false},
        {"DELETE 1", false},
        {"MERGE 1", false},
        {"NOTIFY", false},
        {"CREATE TABLE", false},
        {"DROP TABLE", false},
        {"SETTLE", false},
        {"COMMIT PREPARED", false},
        {"ROLLBACK PREPARED", false},
        {"", false},
};
#define N_TAGS ((int)(sizeof tags / sizeof tags[0]))

START_TEST(what_changes_a_session_is_known_by_its_tag)
{
        struct request *culprit;

        push_statement(&requests[0]);
        enum reply_event event =
                pipit__reply_queue_read(&replies, answer(PGRES_COMMAND_OK, tags[_i].tag), &culprit);
        ck_assert_msg((event == REPLY_EVENT_UNSHARED) == tags[_i].unshared, "%s", tags[_i].tag);
        if (event == REPLY_EVENT_UNSHARED)
                ck_assert_ptr_eq(culprit, &requests[0]);
}
END_TEST

START_TEST(a_change_by_one_that_was_given_up_is_seen_too)
{
        push_statement(&requests[0]);
        pipit__reply_queue_abandon(&replies, &requests[0]);
        ck_assert_int_eq(hear(PGRES_COMMAND_OK, "BEGIN"), REPLY_EVENT_UNSHARED);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("reply_queue");
        TCase *tcase = tcase_create("reply_queue");

        tcase_add_checked_fixture(tcase, replies_setup, replies_teardown);
        tcase_add_test(tcase, a_statement_is_done_at_its_sync_and_not_before);
        tcase_add_test(tcase, an_empty_statement_is_answered_too);
        tcase_add_test(tcase, answers_go_to_requests_in_the_order_they_were_sent);
        tcase_add_test(tcase, the_ring_goes_round);
        tcase_add_test(tcase, what_is_not_answered_can_be_popped);
        tcase_add_test(tcase, a_statement_of_pipits_own_has_no_request);
        tcase_add_test(tcase, the_answer_of_one_that_was_given_up_goes_away);
        tcase_add_test(tcase, giving_up_in_the_middle_of_an_answer_is_possible);
        tcase_add_test(tcase, giving_up_what_is_not_there_does_nothing);
        tcase_add_test(tcase, a_second_result_of_one_statement_breaks);
        tcase_add_test(tcase, fewer_rows_than_the_tag_says_break);
        tcase_add_test(tcase, an_end_without_result_breaks);
        tcase_add_test(tcase, an_end_where_the_sync_belongs_breaks);
        tcase_add_loop_test(tcase, what_cannot_be_the_answer_breaks, 0, N_IMPOSSIBLE);
        tcase_add_loop_test(tcase, what_changes_a_session_is_known_by_its_tag, 0, N_TAGS);
        tcase_add_test(tcase, a_change_by_one_that_was_given_up_is_seen_too);
        suite_add_tcase(suite, tcase);
        return suite;
}
