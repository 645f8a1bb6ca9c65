#include "conn/pooler.h"
#include "runner.h"

static struct pooler pooler;

START_TEST(a_pooler_that_is_seen_is_news_once_and_says_nothing_of_its_mode)
{
        pipit__pooler_init(&pooler, PIPIT_POOLER_AUTO);
        ck_assert(!pipit__pooler_is_asked(&pooler));
        ck_assert(pipit__pooler_see(&pooler));
        ck_assert(!pipit__pooler_see(&pooler));
        ck_assert(!pipit__pooler_is_shared(&pooler));
        ck_assert(pipit__pooler_is_asked(&pooler));
}
END_TEST

START_TEST(a_change_of_the_session_is_transaction_mode_from_then_on)
{
        pipit__pooler_init(&pooler, PIPIT_POOLER_AUTO);
        pipit__pooler_see(&pooler);
        ck_assert(pipit__pooler_see_change(&pooler));
        ck_assert(pipit__pooler_is_shared(&pooler));
        ck_assert(!pipit__pooler_is_asked(&pooler));
        ck_assert(!pipit__pooler_see_change(&pooler));
}
END_TEST

/* Without a pooler a session does not change; what looks like it is something else. */
START_TEST(a_change_without_a_pooler_says_nothing)
{
        pipit__pooler_init(&pooler, PIPIT_POOLER_AUTO);
        ck_assert(!pipit__pooler_see_change(&pooler));
        ck_assert(!pipit__pooler_is_shared(&pooler));
}
END_TEST

START_TEST(a_mode_that_is_set_is_not_found_out)
{
        enum pipit_pooler mode = _i == 0 ? PIPIT_POOLER_SESSION : PIPIT_POOLER_TRANSACTION;

        pipit__pooler_init(&pooler, mode);
        ck_assert(!pipit__pooler_see(&pooler));
        ck_assert(!pipit__pooler_is_asked(&pooler));
        ck_assert(!pipit__pooler_see_change(&pooler));
        ck_assert_int_eq(pipit__pooler_is_shared(&pooler), mode == PIPIT_POOLER_TRANSACTION);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("pooler");
        TCase *tcase = tcase_create("pooler");

        tcase_add_test(tcase, a_pooler_that_is_seen_is_news_once_and_says_nothing_of_its_mode);
        tcase_add_test(tcase, a_change_of_the_session_is_transaction_mode_from_then_on);
        tcase_add_test(tcase, a_change_without_a_pooler_says_nothing);
        tcase_add_loop_test(tcase, a_mode_that_is_set_is_not_found_out, 0, 2);
        suite_add_tcase(suite, tcase);
        return suite;
}
