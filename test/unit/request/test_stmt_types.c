#include <libpq-fe.h>

#include "oom.h"
#include "pq/pq.h"
#include "request/stmt_cache.h"
#include "request/stmt_types.h"
#include "runner.h"
#include "value/oid.h"

static struct stmt_cache stmt_cache;
static struct stmt *stmt;

static void
setup(void)
{
        ck_assert_int_eq(pipit__stmt_cache_init(&stmt_cache, 2), 0);
        stmt = pipit__stmt_cache_get(&stmt_cache, "s");
}

static void
teardown(void)
{
        pipit__stmt_unref(stmt);
        pipit__stmt_cache_fini(&stmt_cache);
}

static struct stmt_types *
types_of(int n_params, int n_columns, const uint32_t *oids)
{
        struct stmt_types *types = pipit__stmt_types_new(n_params, n_columns);

        ck_assert_ptr_nonnull(types);
        for (int i = 0; i < n_params; i++)
                types->params[i] = oids[i];
        for (int i = 0; i < n_columns; i++)
                types->columns[i] = oids[n_params + i];
        return types;
}

static const uint32_t oids[] = {OID_INT4, OID_TEXT, OID_INT8};

START_TEST(types_are_freed_with_the_last_reference)
{
        struct stmt_types *types = types_of(1, 2, oids);

        ck_assert_ptr_eq(pipit__stmt_types_ref(types), types);
        pipit__stmt_types_unref(types);
        ck_assert_uint_eq(types->columns[1], OID_INT8);
        pipit__stmt_types_unref(types);
        ck_assert_ptr_null(pipit__stmt_types_ref(NULL));
        pipit__stmt_types_unref(NULL);
}
END_TEST

START_TEST(they_are_equal_if_all_of_them_are)
{
        static const uint32_t others[] = {OID_INT4, OID_TEXT, OID_INT4};
        struct stmt_types *a = types_of(1, 2, oids);
        struct stmt_types *same = types_of(1, 2, oids);
        struct stmt_types *different[] = {types_of(1, 2, others), types_of(2, 1, oids),
                                          types_of(1, 1, oids), types_of(0, 2, oids)};

        ck_assert(pipit__stmt_types_equal(a, same));
        for (size_t i = 0; i < sizeof different / sizeof different[0]; i++) {
                ck_assert(!pipit__stmt_types_equal(a, different[i]));
                pipit__stmt_types_unref(different[i]);
        }
        pipit__stmt_types_unref(a);
        pipit__stmt_types_unref(same);
}
END_TEST

/* An answer with columns of these types, and no row. */
static struct pg_result *
answer_of(int n, const uint32_t *columns)
{
        static char name[] = "c";
        PGresAttDesc attributes[3] = {{0}};
        PGresult *answer = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);

        for (int i = 0; i < n; i++) {
                attributes[i].name = name;
                attributes[i].typid = columns[i];
        }
        ck_assert_int_ne(PQsetResultAttrs(answer, n, attributes), 0);
        return answer;
}

START_TEST(an_answer_has_them_if_each_column_has)
{
        static const uint32_t others[] = {OID_INT4, OID_INT8};
        struct stmt_types *types = types_of(1, 2, oids);
        struct pg_result *same = answer_of(2, oids + 1);
        struct pg_result *other = answer_of(2, others);
        struct pg_result *more = answer_of(3, oids);

        ck_assert(pipit__stmt_types_are_of(types, same));
        ck_assert(!pipit__stmt_types_are_of(types, other));
        ck_assert(!pipit__stmt_types_are_of(types, more));
        pipit__pq_clear(same);
        pipit__pq_clear(other);
        pipit__pq_clear(more);
        pipit__stmt_types_unref(types);
}
END_TEST

/* ---- of a statement */

static struct stmt_types *
learn(int n_params, int n_columns, const uint32_t *from)
{
        return pipit__stmt_learn(stmt, types_of(n_params, n_columns, from));
}

START_TEST(a_statement_has_the_types_that_were_told_last)
{
        ck_assert_ptr_null(pipit__stmt_types(stmt, 1));
        struct stmt_types *first = learn(1, 2, oids);
        ck_assert_ptr_eq(pipit__stmt_types(stmt, 1), first);
        struct stmt_types *second = learn(1, 1, oids);
        ck_assert_ptr_ne(second, first);
        ck_assert_ptr_eq(pipit__stmt_types(stmt, 1), second);
        ck_assert_uint_eq(first->columns[1], OID_INT8);
        pipit__stmt_types_unref(first);
        pipit__stmt_types_unref(second);
}
END_TEST

START_TEST(all_who_are_told_the_same_have_the_same)
{
        struct stmt_types *first = learn(1, 2, oids);
        struct stmt_types *second = learn(1, 2, oids);

        ck_assert_ptr_eq(first, second);
        ck_assert_int_eq(first->refs, 3);
        pipit__stmt_types_unref(first);
        pipit__stmt_types_unref(second);
}
END_TEST

START_TEST(types_of_another_number_of_parameters_are_none)
{
        pipit__stmt_types_unref(learn(2, 1, oids));
        ck_assert_ptr_null(pipit__stmt_types(stmt, 1));
        ck_assert_ptr_null(pipit__stmt_types(stmt, 3));
        ck_assert_ptr_nonnull(pipit__stmt_types(stmt, 2));
        pipit__stmt_types_unref(learn(0, 1, oids));
        ck_assert_ptr_nonnull(pipit__stmt_types(stmt, 0));
}
END_TEST

START_TEST(the_result_is_binary_if_all_columns_can_be_read_so)
{
        static const uint32_t unknown[] = {OID_INT4, 99999};
        struct stmt_types *known = learn(1, 2, oids);
        ck_assert(known->is_binary);
        struct stmt_types *other = learn(0, 2, unknown);
        ck_assert(!other->is_binary);
        struct stmt_types *none = learn(1, 0, oids);
        ck_assert(!none->is_binary);
        pipit__stmt_types_unref(known);
        pipit__stmt_types_unref(other);
        pipit__stmt_types_unref(none);
}
END_TEST

START_TEST(types_outlive_their_statement)
{
        struct stmt_cache other;

        ck_assert_int_eq(pipit__stmt_cache_init(&other, 2), 0);
        struct stmt *short_lived = pipit__stmt_cache_get(&other, "s");
        struct stmt_types *types = pipit__stmt_learn(short_lived, types_of(1, 2, oids));
        pipit__stmt_unref(short_lived);
        pipit__stmt_cache_fini(&other);
        ck_assert_int_eq(types->refs, 1);
        ck_assert_uint_eq(types->params[0], OID_INT4);
        pipit__stmt_types_unref(types);
}
END_TEST

START_TEST(without_memory_there_are_none)
{
        oom_after(0);
        ck_assert_ptr_null(pipit__stmt_types_new(1, 1));
        ck_assert(oom_stop());
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("stmt_types");
        TCase *tcase = tcase_create("stmt_types");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, types_are_freed_with_the_last_reference);
        tcase_add_test(tcase, they_are_equal_if_all_of_them_are);
        tcase_add_test(tcase, an_answer_has_them_if_each_column_has);
        tcase_add_test(tcase, a_statement_has_the_types_that_were_told_last);
        tcase_add_test(tcase, all_who_are_told_the_same_have_the_same);
        tcase_add_test(tcase, types_of_another_number_of_parameters_are_none);
        tcase_add_test(tcase, the_result_is_binary_if_all_columns_can_be_read_so);
        tcase_add_test(tcase, types_outlive_their_statement);
        tcase_add_test(tcase, without_memory_there_are_none);
        suite_add_tcase(suite, tcase);
        return suite;
}
