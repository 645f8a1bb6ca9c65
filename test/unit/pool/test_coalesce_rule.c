#include <stdlib.h>
#include <string.h>

#include "oom.h"
#include "pool/coalesce_rule.h"
#include "request/bound_stmt.h"
#include "request/stmt_cache.h"
#include "request/stmt_int.h"
#include "request/stmt_types.h"
#include "runner.h"
#include "value/oid.h"

static struct stmt_cache stmt_cache;
static struct coalesce_rules *rules;

static const uint32_t types[] = {OID_INT4, OID_VARCHAR};
static const struct coalesce_id id = {.what = 7, .given = 3};
static const struct coalesce_plan plan = {.one = "one",
                                          .many = "many",
                                          .key = COALESCE_ORDINAL,
                                          .column = 2,
                                          .n_columns = 2,
                                          .n_params = 2,
                                          .types = types};

static void
setup(void)
{
        ck_assert_int_eq(pipit__stmt_cache_init(&stmt_cache, 4), 0);
        rules = pipit__coalesce_rules_new(&stmt_cache);
        ck_assert_ptr_nonnull(rules);
}

static void
teardown(void)
{
        pipit__coalesce_rules_free(rules);
        pipit__stmt_cache_fini(&stmt_cache);
}

/* A statement of one, bound by two types, which are those that its statement had last. */
struct one {
        struct bound_stmt bound;
        struct stmt *stmt;
};

static void
one_init(struct one *one, uint32_t a, uint32_t b)
{
        struct stmt_types *types_of_one = pipit__stmt_types_new(2, 0);

        types_of_one->params[0] = a;
        types_of_one->params[1] = b;
        struct stmt *stmt = calloc(1, sizeof *stmt);
        stmt->types = types_of_one;
        *one = (struct one){.stmt = stmt, .bound = {.stmt = stmt, .types = types_of_one}};
}

static void
one_fini(struct one *one)
{
        pipit__stmt_types_unref(one->bound.types);
        free(one->stmt);
}

/* Whether a statement of one, of these types, may join. */
static bool
joins(struct coalesce_rule *rule, uint32_t a, uint32_t b)
{
        struct one one;

        one_init(&one, a, b);
        bool may = pipit__coalesce_rule_may_join(rule, &one.bound);
        one_fini(&one);
        return may;
}

START_TEST(what_was_added_is_found_by_both_parts_of_its_name)
{
        struct coalesce_rule *rule = pipit__coalesce_rules_add(rules, id, &plan);

        ck_assert_ptr_nonnull(rule);
        ck_assert_ptr_eq(pipit__coalesce_rules_find(rules, id), rule);
        ck_assert_ptr_null(
                pipit__coalesce_rules_find(rules, (struct coalesce_id){.what = 7, .given = 1}));
        ck_assert_ptr_null(
                pipit__coalesce_rules_find(rules, (struct coalesce_id){.what = 8, .given = 3}));
}
END_TEST

START_TEST(its_statements_are_those_that_the_table_knows_at_the_time)
{
        const struct coalesce_rule *rule = pipit__coalesce_rules_add(rules, id, &plan);
        struct stmt *one = pipit__coalesce_rule_one(rule);
        struct stmt *many = pipit__coalesce_rule_many(rule);

        ck_assert_str_eq(one->sql, "one");
        ck_assert_str_eq(many->sql, "many");
        struct stmt *again = pipit__coalesce_rule_many(rule);
        ck_assert_ptr_eq(again, many);
        pipit__stmt_unref(again);
        uint64_t serial = many->serial;
        pipit__stmt_unref(one);
        pipit__stmt_unref(many);
        for (int i = 0; i < 4; i++) { /* it makes room for them */
                char sql[] = {(char)('a' + i), '\0'};
                pipit__stmt_unref(pipit__stmt_cache_get(&stmt_cache, sql));
        }
        again = pipit__coalesce_rule_many(rule);
        ck_assert_uint_ne(again->serial, serial);
        ck_assert_str_eq(again->sql, "many");
        pipit__stmt_unref(again);
}
END_TEST

START_TEST(it_holds_no_place_in_the_table_of_statements)
{
        for (uint64_t i = 0; i < 20; i++)
                ck_assert_ptr_nonnull(
                        pipit__coalesce_rules_add(rules, (struct coalesce_id){.what = i}, &plan));
        struct stmt *stmt = pipit__stmt_cache_get(&stmt_cache, "other");
        ck_assert_int_ge(pipit__stmt_slot(stmt), 0);
        pipit__stmt_unref(stmt);
}
END_TEST

START_TEST(writes_of_other_types_than_the_model_s_are_not_coalesced)
{
        struct coalesce_rule *rule = pipit__coalesce_rules_add(rules, id, &plan);
        struct stmt stmt = {.types = NULL};
        struct bound_stmt unknown = {.stmt = &stmt};

        ck_assert(joins(rule, OID_INT4, OID_VARCHAR));
        ck_assert(joins(rule, OID_INT4, OID_TEXT));
        ck_assert(!joins(rule, OID_NUMERIC, OID_VARCHAR));
        ck_assert(!pipit__coalesce_rule_may_join(rule, &unknown));
}
END_TEST

/* For the server to find the types of now. */
START_TEST(a_value_that_does_not_fit_is_not_coalesced)
{
        struct coalesce_plan reads = plan;
        reads.types = NULL;
        struct coalesce_rule *all[] = {
                pipit__coalesce_rules_add(rules, id, &plan),
                pipit__coalesce_rules_add(rules, (struct coalesce_id){.what = 8}, &reads)};
        struct one one;

        one_init(&one, OID_INT4, OID_VARCHAR);
        for (int i = 0; i < 2; i++) {
                one.bound.is_misfit = false;
                ck_assert(pipit__coalesce_rule_may_join(all[i], &one.bound));
                one.bound.is_misfit = true;
                ck_assert(!pipit__coalesce_rule_may_join(all[i], &one.bound));
        }
        one_fini(&one);
}
END_TEST

START_TEST(a_write_by_types_that_are_others_by_now_is_not_coalesced)
{
        struct coalesce_rule *rule = pipit__coalesce_rules_add(rules, id, &plan);
        struct one one;
        struct one later;

        one_init(&one, OID_INT4, OID_VARCHAR);
        one_init(&later, OID_INT4, OID_VARCHAR);
        one.stmt->types = later.bound.types;
        ck_assert(!pipit__coalesce_rule_may_join(rule, &one.bound));
        one_fini(&one);
        one_fini(&later);
}
END_TEST

START_TEST(after_three_failures_in_a_row_it_rests_for_a_thousand_uses)
{
        struct coalesce_rule *rule = pipit__coalesce_rules_add(rules, id, &plan);

        for (int i = 0; i < 6; i++) {
                pipit__coalesce_rule_done(rule, i % 3 != 2); /* never three in a row */
                ck_assert(joins(rule, OID_INT4, OID_VARCHAR));
        }
        for (int i = 0; i < 3; i++)
                pipit__coalesce_rule_done(rule, true);
        for (int i = 0; i < 1000; i++)
                ck_assert(!joins(rule, OID_INT4, OID_VARCHAR));
        ck_assert(joins(rule, OID_INT4, OID_VARCHAR));
        pipit__coalesce_rule_done(rule, true);
        ck_assert(joins(rule, OID_INT4, OID_VARCHAR));
}
END_TEST

START_TEST(there_is_an_end_to_their_number)
{
        uint64_t n = 0;

        while (pipit__coalesce_rules_has_room(rules)) {
                ck_assert_uint_lt(n, 10000);
                ck_assert_ptr_nonnull(
                        pipit__coalesce_rules_add(rules, (struct coalesce_id){.what = n++}, &plan));
        }
        ck_assert_uint_gt(n, 100);
}
END_TEST

START_TEST(without_memory_nothing_is_half_added)
{
        bool failed = true;

        for (int n = 0; failed; n++) {
                oom_after(n);
                struct coalesce_rule *rule = pipit__coalesce_rules_add(rules, id, &plan);
                failed = oom_stop();
                if (failed)
                        ck_assert_ptr_null(rule);
                ck_assert_ptr_eq(pipit__coalesce_rules_find(rules, id), rule);
        }
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("coalesce_rule");
        TCase *tcase = tcase_create("coalesce_rule");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, what_was_added_is_found_by_both_parts_of_its_name);
        tcase_add_test(tcase, its_statements_are_those_that_the_table_knows_at_the_time);
        tcase_add_test(tcase, it_holds_no_place_in_the_table_of_statements);
        tcase_add_test(tcase, writes_of_other_types_than_the_model_s_are_not_coalesced);
        tcase_add_test(tcase, a_value_that_does_not_fit_is_not_coalesced);
        tcase_add_test(tcase, a_write_by_types_that_are_others_by_now_is_not_coalesced);
        tcase_add_test(tcase, after_three_failures_in_a_row_it_rests_for_a_thousand_uses);
        tcase_add_test(tcase, there_is_an_end_to_their_number);
        tcase_add_test(tcase, without_memory_nothing_is_half_added);
        suite_add_tcase(suite, tcase);
        return suite;
}
