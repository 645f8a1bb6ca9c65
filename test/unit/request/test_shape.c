#include <pipit/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oom.h"
#include "request/shape.h"
#include "runner.h"

#define SLOTS 4

static struct shapes shapes;

static void
setup(void)
{
        ck_assert_int_eq(pipit__shapes_init(&shapes, SLOTS), 0);
}

static void
teardown(void)
{
        pipit__shapes_fini(&shapes);
}

static struct shape *
get(const char *sql)
{
        struct shape *shape = pipit__shapes_get(&shapes, sql);

        ck_assert_ptr_nonnull(shape);
        return shape;
}

/* The serial of a text's shape, which nobody refers to afterwards. */
static uint64_t
visit(const char *sql)
{
        struct shape *shape = get(sql);
        uint64_t serial = shape->serial;

        pipit__shape_unref(shape);
        return serial;
}

START_TEST(one_text_is_one_shape)
{
        struct shape *shape = get("SELECT 1");

        ck_assert_ptr_eq(get("SELECT 1"), shape);
        ck_assert_str_eq(shape->sql, "SELECT 1");
        ck_assert_uint_eq(shape->length, 8);
        ck_assert_int_eq(shape->n_types, -1);
        ck_assert_uint_ne(visit("SELECT 2"), shape->serial);
        pipit__shape_unref(shape);
        pipit__shape_unref(shape);
}
END_TEST

START_TEST(a_shape_keeps_its_own_copy_of_the_text)
{
        char sql[] = "SELECT 1";
        struct shape *shape = get(sql);

        memset(sql, 'x', sizeof sql - 1);
        ck_assert_str_eq(shape->sql, "SELECT 1");
        pipit__shape_unref(shape);
}
END_TEST

/* The place of a text is known again: what stands there is looked at all the same. */
START_TEST(another_text_at_the_same_place_is_another_shape)
{
        char sql[] = "SELECT 1";
        struct shape *first = get(sql);

        sql[7] = '2';
        struct shape *second = get(sql);
        ck_assert_ptr_ne(first, second);
        ck_assert_str_eq(second->sql, "SELECT 2");
        sql[6] = '\0';
        struct shape *third = get(sql);
        ck_assert_str_eq(third->sql, "SELECT");
        pipit__shape_unref(first);
        pipit__shape_unref(second);
        pipit__shape_unref(third);
}
END_TEST

START_TEST(a_text_that_made_room_is_not_known_by_its_place)
{
        static const char a[] = "a";
        uint64_t serial = visit(a);

        visit("b");
        visit("c");
        visit("d");
        visit("e");
        ck_assert_uint_ne(visit(a), serial);
}
END_TEST

START_TEST(what_nobody_refers_to_is_still_known)
{
        uint64_t serial = visit("SELECT 1");

        ck_assert_uint_eq(visit("SELECT 1"), serial);
}
END_TEST

START_TEST(no_two_shapes_have_a_slot_together)
{
        static const char *const texts[SLOTS] = {"a", "b", "c", "d"};
        struct shape *all[SLOTS];
        bool taken[SLOTS] = {false};

        for (int i = 0; i < SLOTS; i++) {
                all[i] = get(texts[i]);
                ck_assert_int_ge(all[i]->slot, 0);
                ck_assert_int_lt(all[i]->slot, SLOTS);
                ck_assert(!taken[all[i]->slot]);
                taken[all[i]->slot] = true;
        }
        for (int i = 0; i < SLOTS; i++)
                pipit__shape_unref(all[i]);
}
END_TEST

START_TEST(the_one_that_was_used_longest_ago_makes_room)
{
        uint64_t a = visit("a");
        uint64_t b = visit("b");

        visit("c");
        visit("d");
        visit("a");
        visit("e");
        ck_assert_int_eq(shapes.n, SLOTS);
        ck_assert_uint_eq(visit("a"), a);
        ck_assert_uint_ne(visit("b"), b);
}
END_TEST

START_TEST(a_slot_that_was_given_back_is_given_out_under_another_serial)
{
        struct shape *a = get("a");
        int slot = a->slot;
        uint64_t serial = a->serial;

        pipit__shape_unref(a);
        visit("b");
        visit("c");
        visit("d");
        struct shape *e = get("e");
        ck_assert_int_eq(e->slot, slot);
        ck_assert_uint_ne(e->serial, serial);
        pipit__shape_unref(e);
}
END_TEST

START_TEST(what_is_in_use_does_not_make_room)
{
        static const char *const texts[SLOTS] = {"a", "b", "c", "d"};
        struct shape *all[SLOTS];

        for (int i = 0; i < SLOTS; i++)
                all[i] = get(texts[i]);
        struct shape *stranger = get("e");
        ck_assert_int_eq(stranger->slot, -1);
        ck_assert_int_eq(shapes.n, SLOTS);
        ck_assert_ptr_eq(get("a"), all[0]);
        pipit__shape_unref(stranger);
        pipit__shape_unref(all[0]);
        for (int i = 0; i < SLOTS; i++)
                pipit__shape_unref(all[i]);
}
END_TEST

START_TEST(a_text_that_is_too_long_is_never_prepared_and_drives_nobody_out)
{
        size_t length = 20000;
        char *sql = calloc(length + 1, 1);
        uint64_t a = visit("a");

        memset(sql, 'x', length);
        struct shape *shape = pipit__shapes_get(&shapes, sql);
        ck_assert_int_eq(shape->slot, -1);
        ck_assert_uint_eq(shape->length, length);
        ck_assert_int_eq(shapes.n, 1);
        pipit__shape_unref(shape);
        ck_assert_uint_eq(visit("a"), a);
        free(sql);
}
END_TEST

START_TEST(the_bytes_of_all_texts_are_bounded)
{
        char *sql = calloc(16001, 1);
        struct shapes many;

        ck_assert_int_eq(pipit__shapes_init(&many, 1000), 0);
        memset(sql, 'x', 16000);
        for (int i = 0; i < 200; i++) {
                sql[i] = 'y';
                pipit__shape_unref(pipit__shapes_get(&many, sql));
                ck_assert_uint_le(many.bytes, (size_t)1 << 20);
                ck_assert_uint_eq(many.bytes, (size_t)many.n * 16000);
        }
        ck_assert_int_ge(many.n, 60);
        pipit__shapes_fini(&many);
        free(sql);
}
END_TEST

START_TEST(without_slots_nothing_is_prepared_and_paces_are_still_kept)
{
        struct shapes none;

        ck_assert_int_eq(pipit__shapes_init(&none, 0), 0);
        struct shape *shape = pipit__shapes_get(&none, "a");
        ck_assert_int_eq(shape->slot, -1);
        ck_assert_ptr_eq(pipit__shapes_get(&none, "a"), shape);
        pipit__shape_unref(shape);
        pipit__shape_unref(shape);
        pipit__shapes_fini(&none);
}
END_TEST

START_TEST(a_shape_outlives_its_table)
{
        struct shapes other;

        ck_assert_int_eq(pipit__shapes_init(&other, SLOTS), 0);
        struct shape *shape = pipit__shapes_get(&other, "a");
        pipit__shapes_fini(&other);
        ck_assert_str_eq(shape->sql, "a");
        ck_assert_int_eq(shape->slot, -1);
        pipit__shape_unref(shape);
}
END_TEST

START_TEST(names_differ_between_shapes_and_between_programs)
{
        struct shape *a = get("a");
        struct shape *b = get("b");
        struct shapes other;

        ck_assert_str_ne(a->name, b->name);
        ck_assert_int_eq(pipit__shapes_init(&other, SLOTS), 0);
        struct shape *same = pipit__shapes_get(&other, "a");
        ck_assert_uint_eq(same->serial, a->serial);
        ck_assert_str_ne(same->name, a->name);
        pipit__shape_unref(same);
        pipit__shapes_fini(&other);
        pipit__shape_unref(a);
        pipit__shape_unref(b);
}
END_TEST

START_TEST(a_name_is_made_from_the_serial_alone)
{
        char name[SHAPE_NAME_SIZE];
        struct shape *shape = get("a");

        pipit__shapes_name(&shapes, shape->serial, name);
        ck_assert_str_eq(name, shape->name);
        pipit__shapes_name(&shapes, UINT64_MAX, name);
        ck_assert_uint_lt(strlen(name), SHAPE_NAME_SIZE - 1);
        pipit__shape_unref(shape);
}
END_TEST

START_TEST(types_are_learnt_once_and_never_change)
{
        const uint32_t types[] = {23, 25};
        const uint32_t others[] = {1, 2};
        struct shape *shape = get("a");

        pipit__shape_learn(shape, 2, types, true);
        pipit__shape_learn(shape, 2, others, false);
        ck_assert_int_eq(shape->n_types, 2);
        ck_assert_mem_eq(shape->types, types, sizeof types);
        ck_assert(shape->is_binary);
        pipit__shape_unref(shape);
}
END_TEST

START_TEST(a_statement_without_parameters_is_learnt_too)
{
        struct shape *shape = get("a");

        pipit__shape_learn(shape, 0, (const uint32_t[]){0}, false);
        ck_assert_int_eq(shape->n_types, 0);
        ck_assert(!shape->is_binary);
        pipit__shape_unref(shape);
}
END_TEST

START_TEST(a_renewed_shape_is_another_of_which_nothing_is_known)
{
        struct shape *old = get("a");

        pipit__shape_learn(old, 1, (const uint32_t[]){23}, true);
        old->pace.uses = 3;
        struct shape *fresh = pipit__shape_renew(old);
        ck_assert_ptr_ne(fresh, old);
        ck_assert(pipit__shape_is_known(fresh));
        ck_assert(!pipit__shape_is_known(old));
        ck_assert_str_eq(fresh->sql, "a");
        ck_assert_uint_ne(fresh->serial, old->serial);
        ck_assert_int_eq(fresh->n_types, -1);
        ck_assert_uint_eq(visit("a"), fresh->serial);
        pipit__shape_unref(old);
        pipit__shape_unref(fresh);
}
END_TEST

START_TEST(all_who_renew_a_shape_get_the_same)
{
        struct shape *old = pipit__shape_ref(get("a"));
        struct shape *first = pipit__shape_renew(old);
        struct shape *second = pipit__shape_renew(old);

        ck_assert_ptr_eq(first, second);
        pipit__shape_unref(first);
        pipit__shape_unref(second);
        pipit__shape_unref(old);
        pipit__shape_unref(old);
}
END_TEST

START_TEST(without_memory_types_stay_unknown)
{
        const uint32_t types[] = {23};
        struct shape *shape = get("a");

        oom_after(0);
        pipit__shape_learn(shape, 1, types, true);
        ck_assert(oom_stop());
        ck_assert_int_eq(shape->n_types, -1);
        ck_assert(!shape->is_binary);
        pipit__shape_unref(shape);
}
END_TEST

START_TEST(without_memory_there_is_no_half_shape)
{
        struct shape *shape;
        bool failed;
        int n = 0;

        do {
                oom_after(n++);
                shape = pipit__shapes_get(&shapes, "a");
                failed = oom_stop();
                ck_assert_int_eq(shape == NULL, failed);
                ck_assert_int_eq(shapes.n, !failed);
        } while (failed);
        ck_assert_int_ge(n, 3);
        ck_assert_int_ge(shape->slot, 0);
        pipit__shape_unref(shape);
}
END_TEST

START_TEST(without_memory_there_is_no_table)
{
        struct shapes other;

        oom_after(0);
        ck_assert_int_eq(pipit__shapes_init(&other, SLOTS), PIPIT_ENOMEM);
        ck_assert(oom_stop());
        pipit__shapes_fini(&other);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("shape");
        TCase *tcase = tcase_create("shape");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, one_text_is_one_shape);
        tcase_add_test(tcase, a_shape_keeps_its_own_copy_of_the_text);
        tcase_add_test(tcase, another_text_at_the_same_place_is_another_shape);
        tcase_add_test(tcase, a_text_that_made_room_is_not_known_by_its_place);
        tcase_add_test(tcase, what_nobody_refers_to_is_still_known);
        tcase_add_test(tcase, no_two_shapes_have_a_slot_together);
        tcase_add_test(tcase, the_one_that_was_used_longest_ago_makes_room);
        tcase_add_test(tcase, a_slot_that_was_given_back_is_given_out_under_another_serial);
        tcase_add_test(tcase, what_is_in_use_does_not_make_room);
        tcase_add_test(tcase, a_text_that_is_too_long_is_never_prepared_and_drives_nobody_out);
        tcase_add_test(tcase, the_bytes_of_all_texts_are_bounded);
        tcase_add_test(tcase, without_slots_nothing_is_prepared_and_paces_are_still_kept);
        tcase_add_test(tcase, a_shape_outlives_its_table);
        tcase_add_test(tcase, names_differ_between_shapes_and_between_programs);
        tcase_add_test(tcase, a_name_is_made_from_the_serial_alone);
        tcase_add_test(tcase, types_are_learnt_once_and_never_change);
        tcase_add_test(tcase, a_statement_without_parameters_is_learnt_too);
        tcase_add_test(tcase, a_renewed_shape_is_another_of_which_nothing_is_known);
        tcase_add_test(tcase, all_who_renew_a_shape_get_the_same);
        tcase_add_test(tcase, without_memory_types_stay_unknown);
        tcase_add_test(tcase, without_memory_there_is_no_half_shape);
        tcase_add_test(tcase, without_memory_there_is_no_table);
        suite_add_tcase(suite, tcase);
        return suite;
}
