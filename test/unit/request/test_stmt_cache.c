#include <pipit/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oom.h"
#include "request/stmt_cache.h"
#include "request/stmt_int.h"
#include "request/stmt_text.h"
#include "runner.h"

#define SLOTS 4

static struct stmt_cache stmt_cache;

static void
setup(void)
{
        ck_assert_int_eq(pipit__stmt_cache_init(&stmt_cache, SLOTS), 0);
}

static void
teardown(void)
{
        pipit__stmt_cache_fini(&stmt_cache);
}

static struct stmt *
get(const char *sql)
{
        struct stmt *stmt = pipit__stmt_cache_get(&stmt_cache, sql);

        ck_assert_ptr_nonnull(stmt);
        return stmt;
}

/* The serial of a text's statement, which nobody refers to afterwards. */
static uint64_t
visit(const char *sql)
{
        struct stmt *stmt = get(sql);
        uint64_t serial = stmt->serial;

        pipit__stmt_unref(stmt);
        return serial;
}

START_TEST(one_text_is_one_statement)
{
        struct stmt *stmt = get("SELECT 1");

        ck_assert_ptr_eq(get("SELECT 1"), stmt);
        ck_assert_str_eq(stmt->sql, "SELECT 1");
        ck_assert_uint_eq(stmt->length, 8);
        ck_assert_ptr_null(pipit__stmt_types(stmt, 0));
        ck_assert_uint_ne(visit("SELECT 2"), stmt->serial);
        pipit__stmt_unref(stmt);
        pipit__stmt_unref(stmt);
}
END_TEST

START_TEST(a_statement_keeps_its_own_copy_of_the_text)
{
        char sql[] = "SELECT 1";
        struct stmt *stmt = get(sql);

        memset(sql, 'x', sizeof sql - 1);
        ck_assert_str_eq(stmt->sql, "SELECT 1");
        pipit__stmt_unref(stmt);
}
END_TEST

/* The place of a text is known again: what stands there is looked at all the same. */
START_TEST(another_text_at_the_same_place_is_another_statement)
{
        char sql[] = "SELECT 1";
        struct stmt *first = get(sql);

        sql[7] = '2';
        struct stmt *second = get(sql);
        ck_assert_ptr_ne(first, second);
        ck_assert_str_eq(second->sql, "SELECT 2");
        sql[6] = '\0';
        struct stmt *third = get(sql);
        ck_assert_str_eq(third->sql, "SELECT");
        pipit__stmt_unref(first);
        pipit__stmt_unref(second);
        pipit__stmt_unref(third);
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

START_TEST(no_two_statements_have_a_slot_together)
{
        static const char *const texts[SLOTS] = {"a", "b", "c", "d"};
        struct stmt *all[SLOTS];
        bool taken[SLOTS] = {false};

        for (int i = 0; i < SLOTS; i++) {
                all[i] = get(texts[i]);
                ck_assert_int_ge(all[i]->slot, 0);
                ck_assert_int_lt(all[i]->slot, SLOTS);
                ck_assert(!taken[all[i]->slot]);
                taken[all[i]->slot] = true;
        }
        for (int i = 0; i < SLOTS; i++)
                pipit__stmt_unref(all[i]);
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
        ck_assert_int_eq(stmt_cache.n, SLOTS);
        ck_assert_uint_eq(visit("a"), a);
        ck_assert_uint_ne(visit("b"), b);
}
END_TEST

START_TEST(a_slot_that_was_given_back_is_given_out_under_another_serial)
{
        struct stmt *a = get("a");
        int slot = a->slot;
        uint64_t serial = a->serial;

        pipit__stmt_unref(a);
        visit("b");
        visit("c");
        visit("d");
        struct stmt *e = get("e");
        ck_assert_int_eq(e->slot, slot);
        ck_assert_uint_ne(e->serial, serial);
        pipit__stmt_unref(e);
}
END_TEST

START_TEST(what_is_in_use_does_not_make_room)
{
        static const char *const texts[SLOTS] = {"a", "b", "c", "d"};
        struct stmt *all[SLOTS];

        for (int i = 0; i < SLOTS; i++)
                all[i] = get(texts[i]);
        struct stmt *stranger = get("e");
        ck_assert_int_eq(stranger->slot, -1);
        ck_assert_int_eq(stmt_cache.n, SLOTS);
        ck_assert_ptr_eq(get("a"), all[0]);
        pipit__stmt_unref(stranger);
        pipit__stmt_unref(all[0]);
        for (int i = 0; i < SLOTS; i++)
                pipit__stmt_unref(all[i]);
}
END_TEST

START_TEST(a_text_that_is_too_long_is_never_prepared_and_drives_nobody_out)
{
        size_t length = 20000;
        char *sql = calloc(length + 1, 1);
        uint64_t a = visit("a");

        memset(sql, 'x', length);
        struct stmt *stmt = pipit__stmt_cache_get(&stmt_cache, sql);
        ck_assert_int_eq(stmt->slot, -1);
        ck_assert_uint_eq(stmt->length, length);
        ck_assert_int_eq(stmt_cache.n, 1);
        pipit__stmt_unref(stmt);
        ck_assert_uint_eq(visit("a"), a);
        free(sql);
}
END_TEST

START_TEST(the_bytes_of_all_texts_are_bounded)
{
        char *sql = calloc(16001, 1);
        struct stmt_cache many;

        ck_assert_int_eq(pipit__stmt_cache_init(&many, 1000), 0);
        memset(sql, 'x', 16000);
        for (int i = 0; i < 200; i++) {
                sql[i] = 'y';
                pipit__stmt_unref(pipit__stmt_cache_get(&many, sql));
                ck_assert_uint_le(many.bytes, (size_t)1 << 20);
                ck_assert_uint_eq(many.bytes, (size_t)many.n * 16000);
        }
        ck_assert_int_ge(many.n, 60);
        pipit__stmt_cache_fini(&many);
        free(sql);
}
END_TEST

START_TEST(without_slots_nothing_is_prepared_and_latencies_are_still_kept)
{
        struct stmt_cache none;

        ck_assert_int_eq(pipit__stmt_cache_init(&none, 0), 0);
        struct stmt *stmt = pipit__stmt_cache_get(&none, "a");
        ck_assert_int_eq(stmt->slot, -1);
        ck_assert_ptr_eq(pipit__stmt_cache_get(&none, "a"), stmt);
        pipit__stmt_unref(stmt);
        pipit__stmt_unref(stmt);
        pipit__stmt_cache_fini(&none);
}
END_TEST

START_TEST(a_statement_outlives_its_table)
{
        struct stmt_cache other;

        ck_assert_int_eq(pipit__stmt_cache_init(&other, SLOTS), 0);
        struct stmt *stmt = pipit__stmt_cache_get(&other, "a");
        pipit__stmt_cache_fini(&other);
        ck_assert_str_eq(stmt->sql, "a");
        ck_assert_int_eq(stmt->slot, -1);
        pipit__stmt_unref(stmt);
}
END_TEST

static const uint32_t names[] = {0, 1, 9, 10, 15, 16, 255, 256, 4096, 0x10000000, UINT32_MAX};
#define N_NAMES (sizeof names / sizeof names[0])

/* One of the names that a statement is prepared under. */
static const char *
name_of(const struct stmt_cache *cache, const struct stmt *stmt, uint32_t name)
{
        static char out[2][STMT_NAME_SIZE];
        static int i;

        i = 1 - i;
        pipit__stmt_cache_name(cache, stmt->serial, name, out[i]);
        return out[i];
}

START_TEST(names_differ_between_statements_and_between_programs)
{
        struct stmt *a = get("a");
        struct stmt *b = get("b");
        struct stmt_cache other;

        ck_assert_str_ne(name_of(&stmt_cache, a, 0), name_of(&stmt_cache, b, 0));
        ck_assert_int_eq(pipit__stmt_cache_init(&other, SLOTS), 0);
        struct stmt *same = pipit__stmt_cache_get(&other, "a");
        ck_assert_uint_eq(same->serial, a->serial);
        ck_assert_str_ne(name_of(&other, same, 0), name_of(&stmt_cache, a, 0));
        pipit__stmt_unref(same);
        pipit__stmt_cache_fini(&other);
        pipit__stmt_unref(a);
        pipit__stmt_unref(b);
}
END_TEST

START_TEST(all_names_of_a_statement_differ)
{
        struct stmt *stmt = get("a");

        for (size_t i = 0; i < N_NAMES; i++) {
                for (size_t j = 0; j < i; j++)
                        ck_assert_str_ne(name_of(&stmt_cache, stmt, names[i]),
                                         name_of(&stmt_cache, stmt, names[j]));
        }
        pipit__stmt_unref(stmt);
}
END_TEST

START_TEST(a_name_is_made_from_the_serial_alone)
{
        char name[STMT_NAME_SIZE];
        char same[STMT_NAME_SIZE];
        struct stmt *stmt = get("a");

        for (size_t i = 0; i < N_NAMES; i++) {
                pipit__stmt_cache_name(&stmt_cache, stmt->serial, names[i], name);
                pipit__stmt_name(stmt->name, names[i], same);
                ck_assert_str_eq(name, same);
        }
        pipit__stmt_cache_name(&stmt_cache, UINT64_MAX, UINT32_MAX, name);
        ck_assert_uint_lt(strlen(name), STMT_NAME_SIZE - 1);
        pipit__stmt_unref(stmt);
}
END_TEST

START_TEST(a_statement_knows_each_of_its_names_in_a_text)
{
        struct stmt *stmt = get("a");
        struct stmt *other = get("b");
        char text[100];

        for (size_t i = 0; i < N_NAMES; i++) {
                snprintf(text, sizeof text, "prepared statement \"%s\" does not exist",
                         name_of(&stmt_cache, stmt, names[i]));
                ck_assert(pipit__stmt_is_named_in(stmt, text));
                ck_assert(!pipit__stmt_is_named_in(other, text));
        }
        pipit__stmt_unref(stmt);
        pipit__stmt_unref(other);
}
END_TEST

START_TEST(a_statement_has_the_traits_of_its_text)
{
        struct stmt *call = get("CALL p()");
        struct stmt *plain = get("SELECT 1");

        ck_assert_uint_eq(pipit__stmt_traits(call), STMT_CALLS);
        ck_assert_uint_eq(pipit__stmt_traits(plain), 0);
        pipit__stmt_unref(call);
        pipit__stmt_unref(plain);
}
END_TEST

START_TEST(each_change_of_the_schema_is_another_version)
{
        uint32_t version = pipit__stmt_cache_schema(&stmt_cache);

        pipit__stmt_cache_change_schema(&stmt_cache);
        ck_assert_uint_ne(pipit__stmt_cache_schema(&stmt_cache), version);
}
END_TEST

START_TEST(without_memory_there_is_no_half_statement)
{
        struct stmt *stmt;
        bool failed;
        int n = 0;

        do {
                oom_after(n++);
                stmt = pipit__stmt_cache_get(&stmt_cache, "a");
                failed = oom_stop();
                ck_assert_int_eq(stmt == NULL, failed);
                ck_assert_int_eq(stmt_cache.n, !failed);
        } while (failed);
        ck_assert_int_ge(n, 3);
        ck_assert_int_ge(stmt->slot, 0);
        pipit__stmt_unref(stmt);
}
END_TEST

START_TEST(without_memory_there_is_no_table)
{
        struct stmt_cache other;

        oom_after(0);
        ck_assert_int_eq(pipit__stmt_cache_init(&other, SLOTS), PIPIT_ENOMEM);
        ck_assert(oom_stop());
        pipit__stmt_cache_fini(&other);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("stmt_cache");
        TCase *tcase = tcase_create("stmt_cache");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, one_text_is_one_statement);
        tcase_add_test(tcase, a_statement_keeps_its_own_copy_of_the_text);
        tcase_add_test(tcase, another_text_at_the_same_place_is_another_statement);
        tcase_add_test(tcase, a_text_that_made_room_is_not_known_by_its_place);
        tcase_add_test(tcase, what_nobody_refers_to_is_still_known);
        tcase_add_test(tcase, no_two_statements_have_a_slot_together);
        tcase_add_test(tcase, the_one_that_was_used_longest_ago_makes_room);
        tcase_add_test(tcase, a_slot_that_was_given_back_is_given_out_under_another_serial);
        tcase_add_test(tcase, what_is_in_use_does_not_make_room);
        tcase_add_test(tcase, a_text_that_is_too_long_is_never_prepared_and_drives_nobody_out);
        tcase_add_test(tcase, the_bytes_of_all_texts_are_bounded);
        tcase_add_test(tcase, without_slots_nothing_is_prepared_and_latencies_are_still_kept);
        tcase_add_test(tcase, a_statement_outlives_its_table);
        tcase_add_test(tcase, names_differ_between_statements_and_between_programs);
        tcase_add_test(tcase, a_name_is_made_from_the_serial_alone);
        tcase_add_test(tcase, all_names_of_a_statement_differ);
        tcase_add_test(tcase, a_statement_knows_each_of_its_names_in_a_text);
        tcase_add_test(tcase, a_statement_has_the_traits_of_its_text);
        tcase_add_test(tcase, each_change_of_the_schema_is_another_version);
        tcase_add_test(tcase, without_memory_there_is_no_half_statement);
        tcase_add_test(tcase, without_memory_there_is_no_table);
        suite_add_tcase(suite, tcase);
        return suite;
}
