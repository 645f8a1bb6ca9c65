#include <pipit/error.h>

#include "conn/prepared.h"
#include "oom.h"
#include "request/stmt_cache.h"
#include "request/stmt_int.h"
#include "runner.h"

#define SLOTS 2

static struct stmt_cache stmt_cache;
static struct prepared prepared;
static struct stmt *a;

static void
setup(void)
{
        ck_assert_int_eq(pipit__stmt_cache_init(&stmt_cache, SLOTS), 0);
        ck_assert_int_eq(pipit__prepared_init(&prepared, SLOTS), 0);
        a = pipit__stmt_cache_get(&stmt_cache, "a");
}

static void
teardown(void)
{
        pipit__stmt_unref(a);
        pipit__stmt_cache_fini(&stmt_cache);
        pipit__prepared_fini(&prepared);
}

/* A statement that has the same slot later. */
static struct stmt
successor(void)
{
        return (struct stmt){.slot = a->slot, .serial = a->serial + 1};
}

START_TEST(nothing_is_prepared_at_first)
{
        ck_assert(!pipit__prepared_has(&prepared, a));
}
END_TEST

START_TEST(what_was_added_is_there_and_nothing_is_closed_for_it)
{
        ck_assert_uint_eq(pipit__prepared_add(&prepared, a), 0);
        ck_assert(pipit__prepared_has(&prepared, a));
}
END_TEST

START_TEST(the_next_of_a_slot_has_the_last_one_closed)
{
        struct stmt next = successor();

        pipit__prepared_add(&prepared, a);
        ck_assert(!pipit__prepared_has(&prepared, &next));
        ck_assert_uint_eq(pipit__prepared_add(&prepared, &next), a->serial);
        ck_assert(pipit__prepared_has(&prepared, &next));
        ck_assert(!pipit__prepared_has(&prepared, a));
}
END_TEST

START_TEST(what_the_server_lost_is_not_closed)
{
        pipit__prepared_add(&prepared, a);
        pipit__prepared_drop(&prepared, a);
        ck_assert(!pipit__prepared_has(&prepared, a));
        ck_assert_uint_eq(pipit__prepared_add(&prepared, a), 0);
}
END_TEST

START_TEST(what_is_of_no_use_any_more_is_closed_before_it_is_prepared_again)
{
        pipit__prepared_add(&prepared, a);
        pipit__prepared_expire(&prepared, a);
        ck_assert(!pipit__prepared_has(&prepared, a));
        ck_assert_uint_eq(pipit__prepared_add(&prepared, a), a->serial);
        ck_assert(pipit__prepared_has(&prepared, a));
}
END_TEST

/* An answer can be about a statement that has lost its slot since. */
START_TEST(the_end_of_the_last_one_does_not_touch_the_next)
{
        struct stmt next = successor();

        pipit__prepared_add(&prepared, &next);
        pipit__prepared_drop(&prepared, a);
        ck_assert(pipit__prepared_has(&prepared, &next));
        pipit__prepared_expire(&prepared, a);
        ck_assert(pipit__prepared_has(&prepared, &next));
}
END_TEST

START_TEST(a_statement_without_slot_is_never_prepared)
{
        struct stmt stranger = {.slot = -1, .serial = 99};

        ck_assert(!pipit__prepared_takes(&prepared, &stranger));
        ck_assert(!pipit__prepared_has(&prepared, &stranger));
        pipit__prepared_drop(&prepared, &stranger);
        pipit__prepared_expire(&prepared, &stranger);
}
END_TEST

START_TEST(nothing_is_taken_where_nothing_is_prepared)
{
        struct prepared none;

        ck_assert(pipit__prepared_takes(&prepared, a));
        ck_assert_int_eq(pipit__prepared_init(&none, 0), 0);
        ck_assert(!pipit__prepared_takes(&none, a));
        pipit__prepared_fini(&none);
}
END_TEST

START_TEST(what_nobody_knows_is_counted_until_the_server_has_nothing)
{
        pipit__prepared_add(&prepared, a);
        pipit__prepared_lose(&prepared);
        pipit__prepared_lose(&prepared);
        ck_assert_int_eq(pipit__prepared_n_lost(&prepared), 2);
        pipit__prepared_clear(&prepared);
        ck_assert_int_eq(pipit__prepared_n_lost(&prepared), 0);
        ck_assert(!pipit__prepared_has(&prepared, a));
}
END_TEST

START_TEST(without_memory_there_are_no_places)
{
        struct prepared other;

        oom_after(0);
        ck_assert_int_eq(pipit__prepared_init(&other, SLOTS), PIPIT_ENOMEM);
        ck_assert(oom_stop());
        pipit__prepared_fini(&other);
        ck_assert_int_eq(pipit__prepared_init(&other, 0), 0);
        ck_assert_ptr_null(other.slots);
        pipit__prepared_fini(&other);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("prepared");
        TCase *tcase = tcase_create("prepared");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, nothing_is_prepared_at_first);
        tcase_add_test(tcase, what_was_added_is_there_and_nothing_is_closed_for_it);
        tcase_add_test(tcase, the_next_of_a_slot_has_the_last_one_closed);
        tcase_add_test(tcase, what_the_server_lost_is_not_closed);
        tcase_add_test(tcase, what_is_of_no_use_any_more_is_closed_before_it_is_prepared_again);
        tcase_add_test(tcase, the_end_of_the_last_one_does_not_touch_the_next);
        tcase_add_test(tcase, a_statement_without_slot_is_never_prepared);
        tcase_add_test(tcase, nothing_is_taken_where_nothing_is_prepared);
        tcase_add_test(tcase, what_nobody_knows_is_counted_until_the_server_has_nothing);
        tcase_add_test(tcase, without_memory_there_are_no_places);
        suite_add_tcase(suite, tcase);
        return suite;
}
