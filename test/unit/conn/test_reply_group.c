/*
 * Segments of several statements, and what was prepared in front of them.
 */
#include "oom.h"
#include "replies.h"

START_TEST(a_read_of_a_group_is_complete_with_its_own_rows)
{
        struct request *req;

        push_group(SEGMENT_READS);
        for (int i = 0; i < CAPACITY; i++) {
                ck_assert_int_eq(hear(PGRES_TUPLES_OK, "SELECT 0"), REPLY_EVENT_MORE);
                ck_assert_int_eq(pipit__reply_queue_read(&replies, NULL, &req), REPLY_EVENT_READ);
                ck_assert_ptr_eq(req, &requests[i]);
                ck_assert_int_eq(replies.n_waiting, CAPACITY - 1 - i);
        }
        ck_assert_int_eq(hear(PGRES_PIPELINE_SYNC, ""), REPLY_EVENT_SYNC);
}
END_TEST

START_TEST(a_write_of_a_group_waits_for_the_sync)
{
        push_group(SEGMENT_WRITES);
        for (int i = 0; i < CAPACITY; i++) {
                ck_assert_int_eq(hear(PGRES_COMMAND_OK, "INSERT 0 1"), REPLY_EVENT_MORE);
                ck_assert_int_eq(hear_end(), REPLY_EVENT_MORE);
        }
        ck_assert_int_eq(replies.n_waiting, CAPACITY);
        ck_assert_int_eq(hear(PGRES_PIPELINE_SYNC, ""), REPLY_EVENT_SYNC);
}
END_TEST

START_TEST(a_given_up_member_of_a_group_completes_nobody)
{
        struct request *req;

        push_group(SEGMENT_READS);
        pipit__reply_queue_abandon(&replies, &requests[0]);
        ck_assert_int_eq(replies.n_waiting, CAPACITY - 1);
        ck_assert_int_eq(hear(PGRES_TUPLES_OK, "SELECT 0"), REPLY_EVENT_MORE);
        ck_assert_int_eq(hear_end(), REPLY_EVENT_MORE);
        ck_assert_int_eq(hear(PGRES_TUPLES_OK, "SELECT 0"), REPLY_EVENT_MORE);
        ck_assert_int_eq(pipit__reply_queue_read(&replies, NULL, &req), REPLY_EVENT_READ);
        ck_assert_ptr_eq(req, &requests[1]);
}
END_TEST

START_TEST(giving_up_forgets_the_prepare_in_front_too)
{
        push(REPLY_PREPARE, SEGMENT_SINGLE, &requests[0]);
        push_statement(&requests[0]);
        ck_assert_int_eq(replies.n_waiting, 1);
        pipit__reply_queue_abandon(&replies, &requests[0]);
        ck_assert_ptr_null(pipit__reply_queue_reading(&replies)->req);
        ck_assert_int_eq(replies.n_abandoned, 1);
        ck_assert_int_eq(replies.n_waiting, 0);
}
END_TEST

START_TEST(what_came_before_its_statement_does_not_complete_it)
{
        struct request *req;

        push(REPLY_CLOSE, SEGMENT_READS, NULL);
        push(REPLY_PREPARE, SEGMENT_READS, &requests[0]);
        push(REPLY_STATEMENT, SEGMENT_READS, &requests[0]);
        for (int i = 0; i < 2; i++) {
                ck_assert_int_eq(hear(PGRES_COMMAND_OK, ""), REPLY_EVENT_MORE);
                ck_assert_int_eq(hear_end(), REPLY_EVENT_MORE);
        }
        ck_assert(!pipit__result_is_taken(requests[0].res));
        ck_assert_int_eq(hear(PGRES_TUPLES_OK, "SELECT 0"), REPLY_EVENT_MORE);
        ck_assert_int_eq(pipit__reply_queue_read(&replies, NULL, &req), REPLY_EVENT_READ);
        ck_assert_ptr_eq(req, &requests[0]);
}
END_TEST

START_TEST(a_prepare_that_is_answered_stays_prepared)
{
        pipit__prepared_add(&prepared, stmt);
        push(REPLY_PREPARE, SEGMENT_SINGLE, &requests[0]);
        push_statement(&requests[0]);
        ck_assert_int_eq(hear(PGRES_COMMAND_OK, ""), REPLY_EVENT_MORE);
        ck_assert_int_eq(hear_end(), REPLY_EVENT_MORE);
        ck_assert(pipit__prepared_has(&prepared, stmt));
}
END_TEST

/* As if a statement in front had failed. */
static void
fail_segment(void)
{
        replies.failed = true;
}

START_TEST(behind_an_error_all_are_skipped_until_the_sync)
{
        push_group(SEGMENT_READS);
        fail_segment();
        for (int i = 0; i < CAPACITY; i++) {
                ck_assert_int_eq(hear(PGRES_PIPELINE_ABORTED, ""), REPLY_EVENT_MORE);
                ck_assert_int_eq(hear_end(), REPLY_EVENT_MORE);
        }
        ck_assert_int_eq(replies.n_waiting, CAPACITY);
        ck_assert_int_eq(hear(PGRES_PIPELINE_SYNC, ""), REPLY_EVENT_SYNC);
        for (int i = 0; i < CAPACITY; i++) {
                struct reply popped;
                ck_assert(pipit__reply_queue_pop(&replies, &popped));
                ck_assert(popped.skipped);
                ck_assert_ptr_eq(popped.req, &requests[i]);
                pipit__stmt_unref(popped.stmt);
        }
}
END_TEST

START_TEST(a_result_of_what_was_skipped_breaks)
{
        push_group(SEGMENT_READS);
        fail_segment();
        ck_assert_int_eq(hear(PGRES_PIPELINE_ABORTED, ""), REPLY_EVENT_MORE);
        ck_assert_int_eq(hear(PGRES_TUPLES_OK, "SELECT 0"), REPLY_EVENT_BROKEN);
        ck_assert(!pipit__result_is_taken(requests[0].res));
}
END_TEST

START_TEST(a_second_result_of_a_prepare_breaks)
{
        push(REPLY_PREPARE, SEGMENT_SINGLE, &requests[0]);
        push_statement(&requests[0]);
        ck_assert_int_eq(hear(PGRES_COMMAND_OK, ""), REPLY_EVENT_MORE);
        ck_assert_int_eq(hear(PGRES_COMMAND_OK, ""), REPLY_EVENT_BROKEN);
}
END_TEST

START_TEST(a_skipped_prepare_is_not_prepared)
{
        pipit__prepared_add(&prepared, stmt);
        push(REPLY_PREPARE, SEGMENT_READS, &requests[0]);
        push(REPLY_STATEMENT, SEGMENT_READS, &requests[0]);
        fail_segment();
        ck_assert_int_eq(hear(PGRES_PIPELINE_ABORTED, ""), REPLY_EVENT_MORE);
        ck_assert(pipit__prepared_has(&prepared, stmt));
        ck_assert_int_eq(hear_end(), REPLY_EVENT_MORE);
        ck_assert(!pipit__prepared_has(&prepared, stmt));
}
END_TEST

START_TEST(a_skipped_close_leaves_a_statement_that_nobody_knows)
{
        push(REPLY_CLOSE, SEGMENT_READS, NULL);
        push_statement(&requests[0]);
        fail_segment();
        ck_assert_int_eq(hear(PGRES_PIPELINE_ABORTED, ""), REPLY_EVENT_MORE);
        ck_assert_int_eq(hear_end(), REPLY_EVENT_MORE);
        ck_assert_int_eq(prepared.n_lost, 1);
}
END_TEST

START_TEST(the_next_segment_has_not_failed)
{
        struct request *req;

        push(REPLY_STATEMENT, SEGMENT_READS, &requests[0]);
        push(REPLY_SYNC, SEGMENT_READS, NULL);
        push(REPLY_STATEMENT, SEGMENT_READS, &requests[1]);
        fail_segment();
        ck_assert_int_eq(hear(PGRES_PIPELINE_ABORTED, ""), REPLY_EVENT_MORE);
        ck_assert_int_eq(hear_end(), REPLY_EVENT_MORE);
        ck_assert_int_eq(hear(PGRES_PIPELINE_SYNC, ""), REPLY_EVENT_SYNC);
        expect_popped(&requests[0]);
        ck_assert_int_eq(hear(PGRES_TUPLES_OK, "SELECT 0"), REPLY_EVENT_MORE);
        ck_assert_int_eq(pipit__reply_queue_read(&replies, NULL, &req), REPLY_EVENT_READ);
}
END_TEST

START_TEST(there_is_as_much_room_as_was_asked_for)
{
        ck_assert_int_eq(pipit__reply_queue_reserve(&replies, 1000), 0);
        ck_assert_int_ge(replies.capacity, 1000);
        for (int i = 0; i < 500; i++)
                push_statement(&requests[i % CAPACITY]);
        ck_assert_int_eq(pipit__reply_queue_reserve(&replies, 5000), 0);
        ck_assert_ptr_eq(pipit__reply_queue_reading(&replies)->req, &requests[0]);
        ck_assert_int_eq(replies.n, 1000);
}
END_TEST

START_TEST(without_memory_there_is_no_room_and_nothing_is_lost)
{
        push_statement(&requests[0]);
        oom_after(0);
        ck_assert_int_eq(pipit__reply_queue_reserve(&replies, 1000), PIPIT_ENOMEM);
        ck_assert(oom_stop());
        ck_assert_ptr_eq(pipit__reply_queue_reading(&replies)->req, &requests[0]);
        hear_statement();
        expect_popped(&requests[0]);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("reply_group");
        TCase *tcase = tcase_create("reply_group");

        tcase_add_checked_fixture(tcase, replies_setup, replies_teardown);
        tcase_add_test(tcase, a_read_of_a_group_is_complete_with_its_own_rows);
        tcase_add_test(tcase, a_write_of_a_group_waits_for_the_sync);
        tcase_add_test(tcase, a_given_up_member_of_a_group_completes_nobody);
        tcase_add_test(tcase, giving_up_forgets_the_prepare_in_front_too);
        tcase_add_test(tcase, what_came_before_its_statement_does_not_complete_it);
        tcase_add_test(tcase, a_prepare_that_is_answered_stays_prepared);
        tcase_add_test(tcase, behind_an_error_all_are_skipped_until_the_sync);
        tcase_add_test(tcase, a_result_of_what_was_skipped_breaks);
        tcase_add_test(tcase, a_second_result_of_a_prepare_breaks);
        tcase_add_test(tcase, a_skipped_prepare_is_not_prepared);
        tcase_add_test(tcase, a_skipped_close_leaves_a_statement_that_nobody_knows);
        tcase_add_test(tcase, the_next_segment_has_not_failed);
        tcase_add_test(tcase, there_is_as_much_room_as_was_asked_for);
        tcase_add_test(tcase, without_memory_there_is_no_room_and_nothing_is_lost);
        suite_add_tcase(suite, tcase);
        return suite;
}
