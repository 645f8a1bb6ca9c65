#include "replies.h"

static const struct prepared_moment now;

static bool
has(const struct stmt *it)
{
        return pipit__prepared_find(&prepared, it, &now) != NULL;
}

/* A statement, and it was prepared and described. */
static void
push_prepared(void)
{
        pipit__prepared_add(&prepared, stmt, &now);
        push(&pipit__reply_prepare, requests[0]);
        push(&pipit__reply_describe, NULL);
        push_statement(requests[0]);
}

START_TEST(what_came_before_its_statement_does_not_complete_it)
{
        push_prepared();
        ck_assert_int_eq(replies.n_waiting, 1);
        for (int i = 0; i < 2; i++)
                hear_done("", REPLY_EVENT_MORE);
        ck_assert(!pipit__result_is_taken(requests[0]->res));
        hear_done("INSERT 0 1", REPLY_EVENT_MORE);
        ck_assert(pipit__result_is_taken(requests[0]->res));
        expect_settled(requests[0]);
}
END_TEST

START_TEST(a_prepare_that_is_answered_stays_prepared_and_its_types_are_known)
{
        push_prepared();
        for (int i = 0; i < 2; i++)
                hear_done("", REPLY_EVENT_MORE);
        const struct prepared_slot *slot = pipit__prepared_find(&prepared, stmt, &now);
        ck_assert_ptr_nonnull(slot);
        ck_assert_ptr_nonnull(slot->types);
        ck_assert_ptr_eq(slot->types, pipit__stmt_types(stmt, 0));
        ck_assert_int_eq(prepared.n_lost, 0);
}
END_TEST

START_TEST(a_skipped_prepare_is_not_prepared_and_nothing_is_learned)
{
        push_prepared();
        fail_segment();
        ck_assert_int_eq(hear(PGRES_PIPELINE_ABORTED, ""), REPLY_EVENT_MORE);
        ck_assert(has(stmt));
        ck_assert_int_eq(hear_end(), REPLY_EVENT_MORE);
        ck_assert(!has(stmt));
        hear_skipped();
        ck_assert_ptr_null(pipit__stmt_types(stmt, 0));
        ck_assert_int_eq(prepared.slots[stmt->slot].n_asked, 0);
}
END_TEST

/* The first one's answers come when the second one was sent already. */
START_TEST(a_skipped_prepare_leaves_the_one_behind_it)
{
        push_prepared();
        push_prepared();
        fail_segment();
        for (int i = 0; i < 3; i++)
                hear_skipped();
        hear_sync();
        settle();
        ck_assert(has(stmt));
        for (int i = 0; i < 2; i++)
                hear_done("", REPLY_EVENT_MORE);
        const struct prepared_slot *slot = pipit__prepared_find(&prepared, stmt, &now);
        ck_assert_ptr_nonnull(slot);
        ck_assert_int_eq(slot->name, 1);
        ck_assert_ptr_nonnull(slot->types);
}
END_TEST

START_TEST(a_skipped_close_leaves_a_statement_that_nobody_knows)
{
        push(&pipit__reply_close, NULL);
        push_sync(0);
        fail_segment();
        hear_skipped();
        ck_assert_int_eq(prepared.n_lost, 1);
}
END_TEST

static const struct reply_ops *const kinds[] = {&pipit__reply_close, &pipit__reply_prepare,
                                                &pipit__reply_describe};
#define N_KINDS ((int)(sizeof kinds / sizeof kinds[0]))

START_TEST(a_second_result_breaks)
{
        push(kinds[_i], NULL);
        push_statement(requests[0]);
        ck_assert_int_eq(hear(PGRES_COMMAND_OK, ""), REPLY_EVENT_MORE);
        ck_assert_int_eq(hear(PGRES_COMMAND_OK, ""), REPLY_EVENT_BROKEN);
}
END_TEST

START_TEST(giving_up_forgets_the_prepare_in_front_too)
{
        push(&pipit__reply_prepare, requests[0]);
        push_statement(requests[0]);
        ck_assert_int_eq(replies.n_waiting, 1);
        pipit__reply_queue_abandon(&replies, requests[0]);
        ck_assert_ptr_null(pipit__reply_queue_reader(&replies));
        ck_assert_int_eq(replies.n_abandoned, 1);
        ck_assert_int_eq(replies.n_waiting, 0);
}
END_TEST

START_TEST(a_prepare_is_no_reason_to_end_its_request_when_the_connection_is_lost)
{
        push(&pipit__reply_prepare, requests[0]);
        push_statement(NULL);
        lose();
        ck_assert_int_eq(requests[0]->state, REQUEST_NEW);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("reply_prepare");
        TCase *tcase = tcase_create("reply_prepare");

        tcase_add_checked_fixture(tcase, replies_setup, replies_teardown);
        tcase_add_test(tcase, what_came_before_its_statement_does_not_complete_it);
        tcase_add_test(tcase, a_prepare_that_is_answered_stays_prepared_and_its_types_are_known);
        tcase_add_test(tcase, a_skipped_prepare_is_not_prepared_and_nothing_is_learned);
        tcase_add_test(tcase, a_skipped_prepare_leaves_the_one_behind_it);
        tcase_add_test(tcase, a_skipped_close_leaves_a_statement_that_nobody_knows);
        tcase_add_loop_test(tcase, a_second_result_breaks, 0, N_KINDS);
        tcase_add_test(tcase, giving_up_forgets_the_prepare_in_front_too);
        tcase_add_test(tcase,
                       a_prepare_is_no_reason_to_end_its_request_when_the_connection_is_lost);
        suite_add_tcase(suite, tcase);
        return suite;
}
