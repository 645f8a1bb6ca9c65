#include "replies.h"

static struct pg_result *own;

static enum reply_event
hear_own(ExecStatusType status)
{
        own = answer(status, "SELECT 0");
        return pipit__reply_queue_read(&replies, own, pipit__pq_kind(own), &done);
}

START_TEST(the_answer_is_given_back)
{
        push(&pipit__reply_own, NULL);
        push_sync(0);
        ck_assert_int_eq(replies.n_waiting, 0);
        ck_assert_int_eq(hear_own(PGRES_TUPLES_OK), REPLY_EVENT_OWN);
        PQclear(own);
        ck_assert_int_eq(hear_end(), REPLY_EVENT_MORE);
        expect_settled(NULL);
}
END_TEST

START_TEST(a_second_answer_breaks)
{
        push(&pipit__reply_own, NULL);
        push_sync(0);
        ck_assert_int_eq(hear_own(PGRES_COMMAND_OK), REPLY_EVENT_OWN);
        PQclear(own);
        ck_assert_int_eq(hear(PGRES_COMMAND_OK, "SET"), REPLY_EVENT_BROKEN);
}
END_TEST

START_TEST(what_is_no_answer_breaks)
{
        push(&pipit__reply_own, NULL);
        push_sync(0);
        ck_assert_int_eq(hear(PGRES_PIPELINE_SYNC, ""), REPLY_EVENT_BROKEN);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("reply_own");
        TCase *tcase = tcase_create("reply_own");

        tcase_add_checked_fixture(tcase, replies_setup, replies_teardown);
        tcase_add_test(tcase, the_answer_is_given_back);
        tcase_add_test(tcase, a_second_answer_breaks);
        tcase_add_test(tcase, what_is_no_answer_breaks);
        suite_add_tcase(suite, tcase);
        return suite;
}
