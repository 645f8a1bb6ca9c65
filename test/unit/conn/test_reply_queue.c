#include <stdlib.h>
#include <string.h>

#include "oom.h"
#include "replies.h"

START_TEST(a_statement_is_done_at_its_sync_and_not_before)
{
        push_statement(requests[0]);
        ck_assert_int_eq(hear(PGRES_TUPLES_OK, "SELECT 0"), REPLY_EVENT_MORE);
        ck_assert(pipit__result_is_taken(requests[0]->res));
        ck_assert_int_eq(hear_end(), REPLY_EVENT_MORE);
        expect_settled(requests[0]);
        ck_assert_int_eq(replies.n, 0);
}
END_TEST

START_TEST(an_empty_statement_is_answered_too)
{
        push_statement(requests[0]);
        ck_assert_int_eq(hear(PGRES_EMPTY_QUERY, ""), REPLY_EVENT_MORE);
        ck_assert_int_eq(hear_end(), REPLY_EVENT_MORE);
        hear_sync();
        ck_assert(!pipit_failed(requests[0]->res));
}
END_TEST

START_TEST(answers_go_to_requests_in_the_order_they_were_sent)
{
        for (int i = 0; i < CAPACITY; i++)
                push_statement(requests[i]);
        for (int i = 0; i < CAPACITY; i++) {
                ck_assert_int_eq(replies.n_waiting, CAPACITY - i);
                ck_assert_ptr_eq(pipit__reply_queue_reader(&replies), requests[i]);
                ck_assert(!pipit__result_is_taken(requests[i]->res));
                hear_done("INSERT 0 1", REPLY_EVENT_MORE);
                ck_assert(pipit__result_is_taken(requests[i]->res));
                expect_settled(requests[i]);
        }
        ck_assert_ptr_null(pipit__reply_queue_reader(&replies));
}
END_TEST

START_TEST(the_ring_goes_round)
{
        push_statement(requests[0]);
        for (int i = 1; i < 100; i++) {
                push_statement(requests[i % CAPACITY]);
                hear_done("INSERT 0 1", REPLY_EVENT_MORE);
                expect_settled(requests[(i - 1) % CAPACITY]);
                ck_assert_int_eq(replies.n_waiting, 1);
        }
        ck_assert_ptr_eq(pipit__reply_queue_reader(&replies), requests[99 % CAPACITY]);
}
END_TEST

START_TEST(what_is_not_answered_is_lost_with_its_connection)
{
        push_statement(requests[0]);
        push_statement(requests[1]);
        ck_assert_int_eq(hear(PGRES_COMMAND_OK, "INSERT 0 1"), REPLY_EVENT_MORE);
        lose();
        expect_lost(requests[0], PIPIT_EXECUTED_UNKNOWN);
        expect_lost(requests[1], PIPIT_EXECUTED_UNKNOWN);
        expect_again(0, NULL);
        ck_assert_int_eq(replies.n, 0);
        ck_assert_int_eq(replies.reading, 0);
        ck_assert_int_eq(replies.n_waiting, 0);
}
END_TEST

START_TEST(the_answer_of_one_that_was_given_up_goes_away)
{
        for (int i = 0; i < CAPACITY; i++)
                push_statement(requests[i]);
        pipit__reply_queue_abandon(&replies, requests[1]);
        ck_assert_int_eq(replies.n_abandoned, 1);
        hear_done("INSERT 0 1", REPLY_EVENT_MORE);
        expect_settled(requests[0]);
        ck_assert_ptr_null(pipit__reply_queue_reader(&replies));
        hear_done("INSERT 0 1", REPLY_EVENT_MORE);
        expect_settled(NULL);
        ck_assert(!pipit__result_is_taken(requests[1]->res));
        ck_assert_int_eq(replies.n_abandoned, 0);
        ck_assert_ptr_eq(pipit__reply_queue_reader(&replies), requests[2]);
}
END_TEST

START_TEST(giving_up_in_the_middle_of_an_answer_is_possible)
{
        push_statement(requests[0]);
        ck_assert_int_eq(hear(PGRES_TUPLES_OK, "SELECT 0"), REPLY_EVENT_MORE);
        pipit__reply_queue_abandon(&replies, requests[0]);
        ck_assert_int_eq(hear_end(), REPLY_EVENT_MORE);
        expect_settled(NULL);
}
END_TEST

START_TEST(giving_up_what_is_not_there_does_nothing)
{
        push_statement(requests[0]);
        pipit__reply_queue_abandon(&replies, requests[1]);
        ck_assert_int_eq(replies.n_abandoned, 0);
        ck_assert_ptr_eq(pipit__reply_queue_reader(&replies), requests[0]);
}
END_TEST

START_TEST(a_second_result_of_one_statement_breaks)
{
        push_statement(requests[0]);
        ck_assert_int_eq(hear(PGRES_TUPLES_OK, "SELECT 0"), REPLY_EVENT_MORE);
        ck_assert_int_eq(hear(PGRES_TUPLES_OK, "SELECT 0"), REPLY_EVENT_BROKEN);
}
END_TEST

START_TEST(fewer_rows_than_the_tag_says_break)
{
        push_statement(requests[0]);
        ck_assert_int_eq(hear(PGRES_TUPLES_OK, "SELECT 1"), REPLY_EVENT_BROKEN);
}
END_TEST

START_TEST(an_end_without_result_breaks)
{
        push_statement(requests[0]);
        ck_assert_int_eq(hear_end(), REPLY_EVENT_BROKEN);
}
END_TEST

START_TEST(an_end_where_the_sync_belongs_breaks)
{
        push_statement(requests[0]);
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
        push_statement(requests[0]);
        if (impossible[_i].at_sync) {
                ck_assert_int_eq(hear(PGRES_COMMAND_OK, "INSERT 0 1"), REPLY_EVENT_MORE);
                ck_assert_int_eq(hear_end(), REPLY_EVENT_MORE);
        }
        ck_assert_int_eq(hear(impossible[_i].status, ""), REPLY_EVENT_BROKEN);
}
END_TEST

START_TEST(there_is_as_much_room_as_was_asked_for)
{
        ck_assert_int_eq(pipit__reply_queue_reserve(&replies, 1000), 0);
        ck_assert_int_ge(replies.capacity, 1000);
        for (int i = 0; i < 500; i++)
                push_statement(requests[i % CAPACITY]);
        ck_assert_int_eq(pipit__reply_queue_reserve(&replies, 5000), 0);
        ck_assert_ptr_eq(pipit__reply_queue_reader(&replies), requests[0]);
        ck_assert_int_eq(replies.n, 1000);
}
END_TEST

START_TEST(without_memory_there_is_no_room_and_nothing_is_lost)
{
        push_statement(requests[0]);
        oom_after(0);
        ck_assert_int_eq(pipit__reply_queue_reserve(&replies, 1000), PIPIT_ENOMEM);
        ck_assert(oom_stop());
        ck_assert_ptr_eq(pipit__reply_queue_reader(&replies), requests[0]);
        hear_done("INSERT 0 1", REPLY_EVENT_MORE);
        expect_settled(requests[0]);
}
END_TEST

START_TEST(a_large_ring_that_is_empty_is_given_back)
{
        ck_assert_int_eq(pipit__reply_queue_reserve(&replies, 1000), 0);
        push_statement(requests[0]);
        hear_done("INSERT 0 1", REPLY_EVENT_MORE);
        expect_settled(requests[0]);
        ck_assert_int_eq(replies.capacity, 0);
        push_statement(requests[1]);
        ck_assert_ptr_eq(pipit__reply_queue_reader(&replies), requests[1]);
}
END_TEST

START_TEST(the_first_segment_is_known_once_its_sync_is_sent)
{
        push(&pipit__reply_single, requests[0]);
        ck_assert_ptr_null(pipit__reply_queue_first_segment(&replies));
        push_sync(7);
        push_statement(requests[1]);
        ck_assert_int_eq(pipit__reply_queue_first_segment(&replies)->n_statements, 7);
        hear_done("INSERT 0 1", REPLY_EVENT_MORE);
        ck_assert_int_eq(pipit__reply_queue_read_segment(&replies)->n_statements, 7);
        ck_assert(!pipit__reply_queue_is_at_last_sync(&replies));
        expect_settled(requests[0]);
        hear_done("INSERT 0 1", REPLY_EVENT_MORE);
        ck_assert(pipit__reply_queue_is_at_last_sync(&replies));
}
END_TEST

START_TEST(a_segment_is_abandoned_once_nobody_waits_for_any_of_it)
{
        push_group(&pipit__reply_write);
        for (int i = 0; i < CAPACITY; i++) {
                ck_assert(!pipit__reply_queue_is_abandoned(&replies));
                pipit__reply_queue_abandon(&replies, requests[i]);
        }
        ck_assert(pipit__reply_queue_is_abandoned(&replies));
}
END_TEST

START_TEST(a_segment_behind_is_no_reason_to_ask_about_the_first)
{
        push_statement(requests[0]);
        push_statement(requests[1]);
        pipit__reply_queue_abandon(&replies, requests[1]);
        ck_assert(!pipit__reply_queue_is_abandoned(&replies));
}
END_TEST

START_TEST(only_what_must_not_run_again_is_fragile)
{
        requests[0]->is_read = true;
        push_statement(requests[0]);
        ck_assert(!pipit__reply_queue_waits_for_fragile(&replies));
        push_statement(requests[1]);
        ck_assert(pipit__reply_queue_waits_for_fragile(&replies));
        pipit__reply_queue_abandon(&replies, requests[1]);
        ck_assert(!pipit__reply_queue_waits_for_fragile(&replies));
}
END_TEST

START_TEST(each_kind_has_a_name_for_the_log)
{
        push(&pipit__reply_prepare, requests[0]);
        ck_assert_str_eq(pipit__reply_queue_reading_name(&replies), "Prepare");
}
END_TEST

START_TEST(a_change_by_one_that_was_given_up_is_seen_too)
{
        push_statement(requests[0]);
        pipit__reply_queue_abandon(&replies, requests[0]);
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
        tcase_add_test(tcase, what_is_not_answered_is_lost_with_its_connection);
        tcase_add_test(tcase, the_answer_of_one_that_was_given_up_goes_away);
        tcase_add_test(tcase, giving_up_in_the_middle_of_an_answer_is_possible);
        tcase_add_test(tcase, giving_up_what_is_not_there_does_nothing);
        tcase_add_test(tcase, a_second_result_of_one_statement_breaks);
        tcase_add_test(tcase, fewer_rows_than_the_tag_says_break);
        tcase_add_test(tcase, an_end_without_result_breaks);
        tcase_add_test(tcase, an_end_where_the_sync_belongs_breaks);
        tcase_add_loop_test(tcase, what_cannot_be_the_answer_breaks, 0, N_IMPOSSIBLE);
        tcase_add_test(tcase, a_change_by_one_that_was_given_up_is_seen_too);
        tcase_add_test(tcase, there_is_as_much_room_as_was_asked_for);
        tcase_add_test(tcase, without_memory_there_is_no_room_and_nothing_is_lost);
        tcase_add_test(tcase, a_large_ring_that_is_empty_is_given_back);
        tcase_add_test(tcase, the_first_segment_is_known_once_its_sync_is_sent);
        tcase_add_test(tcase, a_segment_is_abandoned_once_nobody_waits_for_any_of_it);
        tcase_add_test(tcase, a_segment_behind_is_no_reason_to_ask_about_the_first);
        tcase_add_test(tcase, only_what_must_not_run_again_is_fragile);
        tcase_add_test(tcase, each_kind_has_a_name_for_the_log);
        suite_add_tcase(suite, tcase);
        return suite;
}
