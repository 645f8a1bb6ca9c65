#include <pipit/error.h>

#include "conn/prepared.h"
#include "oom.h"
#include "request/stmt_cache.h"
#include "request/stmt_int.h"
#include "request/stmt_types.h"
#include "runner.h"

#define SLOTS 2

static struct stmt_cache stmt_cache;
static struct prepared prepared;
static struct stmt *a;
static struct prepared_moment now;

static void
setup(void)
{
        ck_assert_int_eq(pipit__stmt_cache_init(&stmt_cache, SLOTS), 0);
        ck_assert_int_eq(pipit__prepared_init(&prepared, SLOTS), 0);
        a = pipit__stmt_cache_get(&stmt_cache, "a");
        now = (struct prepared_moment){.now_ms = 5000000, .schema = 7};
}

static void
teardown(void)
{
        pipit__stmt_unref(a);
        pipit__stmt_cache_fini(&stmt_cache);
        pipit__prepared_fini(&prepared);
}

static bool
has(const struct stmt *stmt)
{
        return pipit__prepared_find(&prepared, stmt, &now) != NULL;
}

/* Prepares it, which is answered at once; returns its place. */
static const struct prepared_slot *
add(const struct stmt *stmt)
{
        const struct prepared_slot *slot = pipit__prepared_add(&prepared, stmt, &now);

        pipit__prepared_describe(&prepared, stmt, NULL);
        return slot;
}

/* Nothing else is to be closed than the statement of that serial under that name. */
static void
expect_close(uint64_t serial, uint32_t name)
{
        struct prepared_close close;

        ck_assert(pipit__prepared_next_close(&prepared, &close));
        ck_assert_uint_eq(close.serial, serial);
        ck_assert_uint_eq(close.name, name);
        ck_assert(!pipit__prepared_next_close(&prepared, &close));
}

static void
expect_no_close(void)
{
        struct prepared_close close;

        ck_assert(!pipit__prepared_next_close(&prepared, &close));
}

/* A statement that has the same slot later. */
static struct stmt
successor(void)
{
        return (struct stmt){.slot = a->slot, .serial = a->serial + 1};
}

/* ---- places */

START_TEST(nothing_is_prepared_at_first)
{
        ck_assert(!has(a));
        expect_no_close();
}
END_TEST

START_TEST(what_was_added_is_there_and_nothing_is_closed_for_it)
{
        add(a);
        ck_assert(has(a));
        expect_no_close();
}
END_TEST

START_TEST(the_next_of_a_slot_has_the_last_one_closed)
{
        struct stmt next = successor();

        add(a);
        ck_assert(!has(&next));
        add(&next);
        expect_close(a->serial, 0);
        ck_assert(has(&next));
        ck_assert(!has(a));
}
END_TEST

START_TEST(what_the_server_lost_is_not_closed)
{
        add(a);
        pipit__prepared_drop(&prepared, a);
        ck_assert(!has(a));
        add(a);
        expect_no_close();
}
END_TEST

START_TEST(what_is_out_of_date_is_prepared_anew_under_another_name_and_then_closed)
{
        add(a);
        pipit__prepared_expire(&prepared, a);
        ck_assert(!has(a));
        expect_no_close();
        ck_assert_int_eq(add(a)->name, 1);
        ck_assert(has(a));
        expect_close(a->serial, 0);
}
END_TEST

/* A transaction can be long, and what it prepared is not closed within it. */
START_TEST(no_name_is_given_twice)
{
        for (uint32_t i = 0; i < 100000; i++)
                ck_assert_uint_eq(add(a)->name, i);
}
END_TEST

/* The server may have what failed under that name after all, from before. */
START_TEST(a_name_is_not_said_again_after_a_failure)
{
        pipit__prepared_add(&prepared, a, &now);
        pipit__prepared_fail(&prepared, a);
        pipit__prepared_describe(&prepared, a, NULL);
        ck_assert_int_eq(add(a)->name, 1);
}
END_TEST

/* An answer can be about a statement that has lost its slot since. */
START_TEST(the_end_of_the_last_one_does_not_touch_the_next)
{
        struct stmt next = successor();

        add(&next);
        pipit__prepared_drop(&prepared, a);
        pipit__prepared_expire(&prepared, a);
        pipit__prepared_fail(&prepared, a);
        ck_assert(has(&next));
}
END_TEST

START_TEST(a_statement_without_slot_is_never_prepared)
{
        struct stmt stranger = {.slot = -1, .serial = 99};

        ck_assert(!pipit__prepared_takes(&prepared, &stranger));
        ck_assert(!has(&stranger));
        pipit__prepared_drop(&prepared, &stranger);
        pipit__prepared_expire(&prepared, &stranger);
        pipit__prepared_fail(&prepared, &stranger);
        pipit__prepared_describe(&prepared, &stranger, NULL);
}
END_TEST

START_TEST(nothing_is_taken_where_nothing_is_prepared)
{
        struct prepared none;

        ck_assert(pipit__prepared_takes(&prepared, a));
        ck_assert_int_eq(pipit__prepared_init(&none, 0), 0);
        ck_assert(!pipit__prepared_takes(&none, a));
        pipit__prepared_clear(&none);
        pipit__prepared_fini(&none);
}
END_TEST

/* ---- what is told, and what fails */

static struct stmt_types *
types_of(uint32_t oid)
{
        struct stmt_types *types = pipit__stmt_types_new(1, 0);

        ck_assert_ptr_nonnull(types);
        types->params[0] = oid;
        return types;
}

START_TEST(types_are_those_that_the_describe_told)
{
        struct stmt_types *types = types_of(23);
        const struct prepared_slot *slot = pipit__prepared_add(&prepared, a, &now);

        ck_assert_ptr_null(slot->types);
        pipit__prepared_describe(&prepared, a, types);
        ck_assert_ptr_eq(slot->types, types);
        ck_assert_int_eq(types->refs, 2);
        pipit__prepared_clear(&prepared);
        ck_assert_int_eq(types->refs, 1);
        pipit__stmt_types_unref(types);
}
END_TEST

START_TEST(any_number_of_describes_can_be_on_their_way)
{
        struct stmt_types *old = types_of(23);
        struct stmt_types *latest = types_of(20);
        const struct prepared_slot *slot = NULL;

        for (int i = 0; i < 1000; i++)
                slot = pipit__prepared_add(&prepared, a, &now);
        for (int i = 0; i < 999; i++)
                pipit__prepared_describe(&prepared, a, old);
        ck_assert_ptr_null(slot->types);
        pipit__prepared_describe(&prepared, a, latest);
        ck_assert_ptr_eq(slot->types, latest);
        pipit__stmt_types_unref(old);
        pipit__stmt_types_unref(latest);
}
END_TEST

START_TEST(the_describe_of_an_earlier_prepare_is_not_taken_for_the_later_one)
{
        struct stmt_types *old = types_of(23);
        struct stmt_types *now_types = types_of(20);
        const struct prepared_slot *slot;

        pipit__prepared_add(&prepared, a, &now);
        slot = pipit__prepared_add(&prepared, a, &now);
        pipit__prepared_describe(&prepared, a, old);
        ck_assert_ptr_null(slot->types);
        pipit__prepared_describe(&prepared, a, now_types);
        ck_assert_ptr_eq(slot->types, now_types);
        /* One that nobody asked for is not heard. */
        pipit__prepared_describe(&prepared, a, old);
        ck_assert_ptr_eq(slot->types, now_types);
        pipit__stmt_types_unref(old);
        pipit__stmt_types_unref(now_types);
}
END_TEST

START_TEST(types_are_forgotten_when_it_is_prepared_anew)
{
        struct stmt_types *types = types_of(23);

        pipit__prepared_add(&prepared, a, &now);
        pipit__prepared_describe(&prepared, a, types);
        ck_assert_ptr_null(pipit__prepared_add(&prepared, a, &now)->types);
        ck_assert_int_eq(types->refs, 1);
        pipit__stmt_types_unref(types);
}
END_TEST

START_TEST(a_prepare_that_failed_is_not_there_and_is_not_closed)
{
        pipit__prepared_add(&prepared, a, &now);
        pipit__prepared_fail(&prepared, a);
        pipit__prepared_describe(&prepared, a, NULL);
        ck_assert(!has(a));
        add(a);
        ck_assert(has(a));
        expect_no_close();
}
END_TEST

/* Whether it fails is told before the next one's answer: that one can still be made. */
START_TEST(an_earlier_prepare_that_failed_does_not_touch_the_later_one)
{
        pipit__prepared_add(&prepared, a, &now);
        pipit__prepared_add(&prepared, a, &now);
        pipit__prepared_fail(&prepared, a);
        pipit__prepared_describe(&prepared, a, NULL);
        ck_assert(has(a));
        pipit__prepared_fail(&prepared, a);
        pipit__prepared_describe(&prepared, a, NULL);
        ck_assert(!has(a));
}
END_TEST

/* The errors of statements behind a Prepare that is still to be answered are about an earlier one.
 */
START_TEST(what_is_found_wrong_with_an_earlier_one_does_not_touch_the_later_one)
{
        add(a);
        pipit__prepared_add(&prepared, a, &now);
        pipit__prepared_drop(&prepared, a);
        pipit__prepared_expire(&prepared, a);
        ck_assert(has(a));
}
END_TEST

/* ---- what is of no use any more */

START_TEST(so_many_are_closed_and_more_are_lost)
{
        int n = 0;
        struct prepared_close close;

        add(a);
        for (int i = 0; i < PREPARED_MAX_CLOSING + 3; i++)
                add(a);
        ck_assert_int_eq(prepared.n_closing, PREPARED_MAX_CLOSING);
        ck_assert_int_eq(pipit__prepared_n_lost(&prepared), 3);
        while (pipit__prepared_next_close(&prepared, &close))
                n++;
        ck_assert_int_eq(n, PREPARED_MAX_CLOSING);
}
END_TEST

START_TEST(what_nobody_knows_is_counted_until_the_server_has_nothing)
{
        add(a);
        add(a);
        pipit__prepared_lose(&prepared);
        pipit__prepared_lose(&prepared);
        ck_assert_int_eq(pipit__prepared_n_lost(&prepared), 2);
        pipit__prepared_clear(&prepared);
        ck_assert_int_eq(pipit__prepared_n_lost(&prepared), 0);
        ck_assert(!has(a));
        expect_no_close();
}
END_TEST

START_TEST(without_memory_there_are_no_places)
{
        struct prepared other;

        for (int i = 0; i < 2; i++) {
                oom_after(i);
                ck_assert_int_eq(pipit__prepared_init(&other, SLOTS), PIPIT_ENOMEM);
                ck_assert(oom_stop());
                pipit__prepared_fini(&other);
        }
        ck_assert_int_eq(pipit__prepared_init(&other, 0), 0);
        ck_assert_ptr_null(other.slots);
        pipit__prepared_fini(&other);
}
END_TEST

static TCase *
add_tcase(Suite *suite, const char *name)
{
        TCase *tcase = tcase_create(name);

        tcase_add_checked_fixture(tcase, setup, teardown);
        suite_add_tcase(suite, tcase);
        return tcase;
}

static void
add_places(TCase *tcase)
{
        tcase_add_test(tcase, nothing_is_prepared_at_first);
        tcase_add_test(tcase, what_was_added_is_there_and_nothing_is_closed_for_it);
        tcase_add_test(tcase, the_next_of_a_slot_has_the_last_one_closed);
        tcase_add_test(tcase, what_the_server_lost_is_not_closed);
        tcase_add_test(tcase,
                       what_is_out_of_date_is_prepared_anew_under_another_name_and_then_closed);
        tcase_add_test(tcase, no_name_is_given_twice);
        tcase_add_test(tcase, a_name_is_not_said_again_after_a_failure);
        tcase_add_test(tcase, the_end_of_the_last_one_does_not_touch_the_next);
        tcase_add_test(tcase, a_statement_without_slot_is_never_prepared);
        tcase_add_test(tcase, nothing_is_taken_where_nothing_is_prepared);
        tcase_add_test(tcase, without_memory_there_are_no_places);
        tcase_add_test(tcase, so_many_are_closed_and_more_are_lost);
        tcase_add_test(tcase, what_nobody_knows_is_counted_until_the_server_has_nothing);
}

static void
add_answers(TCase *tcase)
{
        tcase_add_test(tcase, types_are_those_that_the_describe_told);
        tcase_add_test(tcase, any_number_of_describes_can_be_on_their_way);
        tcase_add_test(tcase, the_describe_of_an_earlier_prepare_is_not_taken_for_the_later_one);
        tcase_add_test(tcase, types_are_forgotten_when_it_is_prepared_anew);
        tcase_add_test(tcase, a_prepare_that_failed_is_not_there_and_is_not_closed);
        tcase_add_test(tcase, an_earlier_prepare_that_failed_does_not_touch_the_later_one);
        tcase_add_test(tcase, what_is_found_wrong_with_an_earlier_one_does_not_touch_the_later_one);
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("prepared");

        add_places(add_tcase(suite, "places"));
        add_answers(add_tcase(suite, "answers"));
        return suite;
}
