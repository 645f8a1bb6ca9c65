#include <pipit/transaction.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "answers.h"
#include "oom.h"
#include "result/result.h"
#include "result/result_error.h"
#include "result/rows.h"
#include "runner.h"
#include "value/oid.h"

static long long place;
static struct pipit *const scope = (struct pipit *)(void *)&place; /* an address, and no more */
static struct result_owner owner;
static struct pipit_result *res;

static void
setup(void)
{
        pipit__result_owner_init(&owner, scope);
        res = pipit__result_new(&owner);
        ck_assert_ptr_nonnull(res);
}

static void
teardown(void)
{
        res = pipit_result_unref(res);
        pipit__result_owner_fini(&owner);
}

/* Makes a result show the only row of another. */
static void
show_part(struct pipit_result *part, struct pipit_result *whole)
{
        const struct answer_column column = {"n", OID_TEXT, false};
        struct pg_result *answer = answer_new("SELECT 1", 1, &column);

        ANSWER_SET(answer, 0, 0, "row");
        pipit__rows_take(whole, answer, PIPIT_EXECUTED_YES);
        pipit__rows_show(part, whole,
                         &(struct rows_part){.row = 0, .n_columns = 1, .tag = "SELECT 1"});
}

START_TEST(a_new_result_is_an_empty_success)
{
        ck_assert(!pipit_failed(res));
        ck_assert(!pipit__result_is_taken(res));
        ck_assert_int_eq(pipit_result_rows(res), 0);
        ck_assert_int_eq(pipit_result_columns(res), 0);
        ck_assert_ptr_null(pipit_result_error(res));
        ck_assert_str_eq(pipit_error_text(res), "");
        ck_assert_str_eq(pipit_result_tag(res), "");
        ck_assert_ptr_eq(pipit_result_scope(res), scope);
        ck_assert_int_eq(pipit_result_attempts(res), 0);
}
END_TEST

START_TEST(a_result_lives_as_long_as_a_reference)
{
        ck_assert_ptr_eq(pipit_result_ref(res), res);
        ck_assert_ptr_eq(pipit__result_hold(res), res);
        ck_assert_ptr_null(pipit_result_unref(res));
        ck_assert_ptr_null(pipit_result_unref(res));
        ck_assert_ptr_eq(pipit_result_scope(res), scope); /* else a use after free */
        ck_assert_ptr_null(pipit_result_ref(NULL));
        ck_assert_ptr_null(pipit_result_unref(NULL));
}
END_TEST

START_TEST(a_result_that_a_program_keeps_loses_its_scope)
{
        pipit_result_ref(res);
        pipit_result_ref(res);
        pipit__result_owner_fini(&owner);
        ck_assert_ptr_null(pipit_result_scope(res));
        ck_assert_ptr_eq(pipit_result_ref(res), res);
        for (int i = 0; i < 3; i++)
                pipit_result_unref(res);
        pipit__result_owner_init(&owner, scope);
}
END_TEST

START_TEST(an_owner_does_not_know_of_a_result_that_is_held_or_gone)
{
        pipit__result_hold(res);
        ck_assert(list_empty(&owner.results));
        pipit_result_ref(res);
        ck_assert(!list_empty(&owner.results));
        pipit_result_unref(res);
        pipit_result_unref(res);
        res = pipit_result_unref(res);
        ck_assert(list_empty(&owner.results));
}
END_TEST

START_TEST(the_room_of_a_result_is_found_from_either_side)
{
        struct pipit_result *with = pipit__result_new_with(&owner, 100);
        void *room = pipit__result_room(with);

        memset(room, 7, 100);
        ck_assert_uint_eq((uintptr_t)room % _Alignof(max_align_t), 0);
        ck_assert_ptr_eq(pipit__result_of_room(room), with);
        pipit_result_unref(with);
}
END_TEST

START_TEST(a_reset_empties_a_result)
{
        pipit__rows_take(res, answer_new("INSERT 0 1", 0, NULL), PIPIT_EXECUTED_YES);
        ck_assert(pipit__result_is_taken(res));
        ck_assert_ptr_nonnull(pipit__result_attach(res, 8, &owner));
        pipit__result_reset(res);
        ck_assert(!pipit__result_is_taken(res));
        ck_assert_ptr_null(pipit__result_attached(res, &owner));
        pipit__result_fail(res, PIPIT_EINVAL, PIPIT_EXECUTED_NO, PIPIT_PHASE_START, "wrong");
        pipit__result_reset(res);
        ck_assert(!pipit_failed(res));
}
END_TEST

START_TEST(attempts_stop_at_what_they_fit_in)
{
        pipit__result_set_attempts(res, 3);
        ck_assert_int_eq(pipit_result_attempts(res), 3);
        pipit__result_set_attempts(res, 100000);
        ck_assert_int_eq(pipit_result_attempts(res), UINT16_MAX);
        ck_assert_int_eq(pipit_result_attempts(NULL), 0);
}
END_TEST

static bool
is_zero(const unsigned char *bytes, size_t n)
{
        while (n > 0 && bytes[n - 1] == 0)
                n--;
        return n == 0;
}

START_TEST(what_is_allocated_in_a_result_is_zero)
{
        unsigned char *first = pipit__result_alloc(res, 5000);
        unsigned char *second = pipit__result_alloc(res, 1);

        ck_assert(is_zero(first, 5000));
        ck_assert_ptr_ne(first, second);
        ck_assert(is_zero(pipit__result_attach(res, 5000, &owner), 5000));
}
END_TEST

START_TEST(an_attached_block_is_its_owners_only)
{
        char *block = pipit__result_attach(res, 8, &owner);

        ck_assert_ptr_nonnull(block);
        ck_assert_ptr_eq(pipit__result_attached(res, &owner), block);
        ck_assert_ptr_null(pipit__result_attached(res, &res));
        ck_assert_ptr_null(pipit__result_attached(NULL, &owner));
        block = pipit__result_attach(res, 0, &res); /* a block of no bytes is one, too */
        ck_assert_ptr_nonnull(block);
        ck_assert_ptr_eq(pipit__result_attached(res, &res), block);
        ck_assert_ptr_null(pipit__result_attached(res, &owner));
}
END_TEST

START_TEST(what_is_attached_to_a_part_lives_as_long_as_the_part)
{
        struct pipit_result *whole = pipit__result_new(&owner);

        show_part(res, whole);
        char *block = pipit__result_attach(res, 8, &owner);
        ck_assert(is_zero((unsigned char *)block, 8));
        ck_assert_ptr_eq(pipit__result_attached(res, &owner), block);
        ck_assert_ptr_null(pipit__result_attached(whole, &owner));
        pipit_result_unref(whole);
        block[7] = 1; /* the part keeps the whole */
        ck_assert_str_eq(pipit_result_text(res, 0, 0), "row");
}
END_TEST

START_TEST(a_failure_takes_no_memory)
{
        pipit__result_attach(res, 8, &owner);
        pipit__result_fail(res, PIPIT_EINVAL, PIPIT_EXECUTED_NO, PIPIT_PHASE_START, "wrong");
        ck_assert_ptr_null(pipit__result_alloc(res, 8));
        ck_assert_ptr_null(pipit__result_attach(res, 8, &owner));
        ck_assert_ptr_null(pipit__result_attached(res, &owner));
}
END_TEST

START_TEST(without_memory_there_is_none_and_the_result_stays)
{
        for (int n = 0;; n++) {
                oom_after(n);
                struct pipit_result *with = pipit__result_new_with(&owner, 100);
                void *memory = with != NULL ? pipit__result_alloc(with, 5000) : NULL;
                void *block = memory != NULL ? pipit__result_attach(with, 8, &owner) : NULL;
                bool failed = oom_stop();
                ck_assert_int_eq(block == NULL, failed);
                if (with != NULL) {
                        ck_assert(!pipit_failed(with));
                        ck_assert_ptr_eq(pipit__result_attached(with, &owner), block);
                        ck_assert_ptr_nonnull(pipit__result_alloc(with, 1));
                }
                pipit_result_unref(with);
                if (!failed)
                        break;
        }
}
END_TEST

START_TEST(a_part_without_memory_has_nothing_attached)
{
        struct pipit_result *whole = pipit__result_new(&owner);

        show_part(res, whole);
        for (int n = 0;; n++) {
                oom_after(n);
                void *block = pipit__result_attach(res, 8, &owner);
                bool failed = oom_stop();
                ck_assert_int_eq(block == NULL, failed);
                ck_assert_ptr_eq(pipit__result_attached(res, &owner), block);
                if (!failed)
                        break;
        }
        pipit_result_unref(whole);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("result");
        TCase *tcase = tcase_create("result");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, a_new_result_is_an_empty_success);
        tcase_add_test(tcase, a_result_lives_as_long_as_a_reference);
        tcase_add_test(tcase, a_result_that_a_program_keeps_loses_its_scope);
        tcase_add_test(tcase, an_owner_does_not_know_of_a_result_that_is_held_or_gone);
        tcase_add_test(tcase, the_room_of_a_result_is_found_from_either_side);
        tcase_add_test(tcase, a_reset_empties_a_result);
        tcase_add_test(tcase, attempts_stop_at_what_they_fit_in);
        tcase_add_test(tcase, what_is_allocated_in_a_result_is_zero);
        tcase_add_test(tcase, an_attached_block_is_its_owners_only);
        tcase_add_test(tcase, what_is_attached_to_a_part_lives_as_long_as_the_part);
        tcase_add_test(tcase, a_failure_takes_no_memory);
        tcase_add_test(tcase, without_memory_there_is_none_and_the_result_stays);
        tcase_add_test(tcase, a_part_without_memory_has_nothing_attached);
        suite_add_tcase(suite, tcase);
        return suite;
}
