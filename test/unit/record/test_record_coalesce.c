/*
 * Which gets and creates have a rule of coalescing.
 */
#include <string.h>

#include "oom.h"
#include "pool/coalesce_rule.h"
#include "quiet.h"
#include "record/record_coalesce.h"
#include "runner.h"
#include "value/oid.h"

#define THING(FIELD)                                                                               \
        FIELD(serial, id, .primary_key = true)                                                     \
        FIELD(varchar, name, .max_length = 40, .unique = true)                                     \
        FIELD(integer, size)                                                                       \
        FIELD(bigint, code, .unique = true)                                                        \
        FIELD(real, weight, .unique = true)
PIPIT_MODEL(thing, THING);
PIPIT_MODEL_DEFINE(thing, THING);

#define KEYLESS(FIELD) FIELD(text, note)
PIPIT_MODEL(keyless, KEYLESS);
PIPIT_MODEL_DEFINE(keyless, KEYLESS);

#define OTHER(FIELD) FIELD(integer, code, .unique = true)
PIPIT_MODEL(other, OTHER);
PIPIT_MODEL_DEFINE(other, OTHER);

#define M thing_model

static void
setup(void)
{
        quiet_setup();
        pipit_set_group_writes(db, true);
}

static struct coalesce_rule *
rule_of_get(const struct pipit_expr *where)
{
        const struct pipit_value *key = NULL;

        return pipit__record_coalesce_get(db, &M.model, where, &key);
}

static struct coalesce_rule *
rule_of_create(const struct thing *row)
{
        return pipit__record_coalesce_create(db, &M.model, row);
}

START_TEST(gets_by_one_unique_field_have_one_rule)
{
        struct coalesce_rule *by_id = rule_of_get(pipit_eq(M.id, 1));
        struct coalesce_rule *by_name = rule_of_get(pipit_eq(M.name, "a"));

        ck_assert_ptr_nonnull(by_id);
        ck_assert_ptr_nonnull(by_name);
        ck_assert_ptr_ne(by_id, by_name);
        ck_assert_ptr_eq(rule_of_get(pipit_eq(M.id, 2)), by_id);
        ck_assert_ptr_eq(rule_of_get(pipit_eq(M.name, "b")), by_name);
        ck_assert_ptr_nonnull(rule_of_get(pipit_eq(M.code, 3)));
}
END_TEST

START_TEST(the_rule_of_gets_knows_its_statements_and_its_key)
{
        const struct pipit_value *key = NULL;
        const struct coalesce_rule *rule =
                pipit__record_coalesce_get(db, &M.model, pipit_eq(M.name, "a"), &key);

        ck_assert_str_eq(key->as.text, "a");
        ck_assert_int_eq(rule->plan.key, COALESCE_TEXT);
        ck_assert_int_eq(rule->plan.column, 1);
        ck_assert_int_eq(rule->plan.n_columns, 5);
        ck_assert_int_eq(rule->plan.n_params, 1);
        ck_assert_ptr_null(rule->plan.types);
        ck_assert_str_eq(strstr(rule->plan.one, " WHERE "),
                         " WHERE \"thing\".\"name\" = $1 LIMIT 1");
        ck_assert_str_eq(strstr(rule->plan.many, " WHERE "), " WHERE \"thing\".\"name\" = ANY($1)");
        ck_assert_int_eq(rule_of_get(pipit_eq(M.id, 1))->plan.key, COALESCE_INT);
}
END_TEST

START_TEST(other_conditions_have_none)
{
        const struct pipit_value *key = NULL;

        ck_assert_ptr_null(rule_of_get(pipit_eq(M.size, 1)));
        ck_assert_ptr_null(rule_of_get(pipit_gt(M.id, 1)));
        ck_assert_ptr_null(rule_of_get(pipit_not(pipit_eq(M.id, 1))));
        ck_assert_ptr_null(rule_of_get(pipit_eq(M.id, "1")));
        ck_assert_ptr_null(rule_of_get(pipit_eq(M.name, 1)));
        ck_assert_ptr_null(rule_of_get(pipit_eq(M.weight, 1.5)));
        ck_assert_ptr_null(rule_of_get(pipit_eq(keyless_model.note, "a")));
        ck_assert_ptr_null(rule_of_get(pipit_eq(other_model.code, 1)));
        ck_assert_ptr_null(pipit__record_coalesce_get(db, NULL, pipit_eq(M.id, 1), &key));
        ck_assert_ptr_null(pipit__record_coalesce_get(NULL, &M.model, pipit_eq(M.id, 1), &key));
}
END_TEST

START_TEST(creates_that_give_the_same_fields_have_one_rule)
{
        struct thing made = {.name = "a", .size = 1};
        struct thing given = {.id = 7, .name = "a"};
        struct coalesce_rule *rule = rule_of_create(&made);

        ck_assert_ptr_nonnull(rule);
        ck_assert_ptr_eq(rule_of_create(&(struct thing){.name = "b", .size = 2}), rule);
        ck_assert_ptr_nonnull(rule_of_create(&given));
        ck_assert_ptr_ne(rule_of_create(&given), rule);
}
END_TEST

START_TEST(the_rule_of_creates_knows_the_types_that_are_given)
{
        static const uint32_t types[] = {OID_VARCHAR, OID_INT4, OID_INT8, OID_FLOAT4};
        const struct coalesce_rule *rule = rule_of_create(&(struct thing){.name = "a"});

        ck_assert_int_eq(rule->plan.key, COALESCE_ORDINAL);
        ck_assert_int_eq(rule->plan.column, 5);
        ck_assert_int_eq(rule->plan.n_columns, 5);
        ck_assert_int_eq(rule->plan.n_params, 4);
        ck_assert_mem_eq(rule->plan.types, types, sizeof types);
        ck_assert_str_ne(rule->plan.one, rule->plan.many);
}
END_TEST

START_TEST(creates_run_by_themselves_unless_writes_are_grouped)
{
        const struct thing row = {.name = "a"};
        const struct keyless keyless = {.note = "a"};

        ck_assert_ptr_null(pipit__record_coalesce_create(db, &keyless_model.model, &keyless));
        ck_assert_ptr_null(pipit__record_coalesce_create(db, NULL, &row));
        ck_assert_ptr_null(pipit__record_coalesce_create(db, &M.model, NULL));
        ck_assert_ptr_null(pipit__record_coalesce_create(NULL, &M.model, &row));
        pipit_set_group_writes(db, false);
        ck_assert_ptr_null(rule_of_create(&row));
}
END_TEST

static struct coalesce_rule *
rule_of_either(int which)
{
        return which == 0 ? rule_of_get(pipit_eq(M.name, "a"))
                          : rule_of_create(&(struct thing){.name = "a"});
}

START_TEST(a_rule_that_had_no_memory_is_made_later)
{
        for (int n = 0;; n++) {
                oom_after(n);
                struct coalesce_rule *rule = rule_of_either(_i);
                bool failed = oom_stop();
                ck_assert_int_eq(rule == NULL, failed);
                if (!failed)
                        break;
        }
        ck_assert_ptr_nonnull(rule_of_either(_i));
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("record_coalesce");
        TCase *tcase = tcase_create("record_coalesce");

        tcase_add_checked_fixture(tcase, setup, quiet_teardown);
        tcase_add_test(tcase, gets_by_one_unique_field_have_one_rule);
        tcase_add_test(tcase, the_rule_of_gets_knows_its_statements_and_its_key);
        tcase_add_test(tcase, other_conditions_have_none);
        tcase_add_test(tcase, creates_that_give_the_same_fields_have_one_rule);
        tcase_add_test(tcase, the_rule_of_creates_knows_the_types_that_are_given);
        tcase_add_test(tcase, creates_run_by_themselves_unless_writes_are_grouped);
        tcase_add_loop_test(tcase, a_rule_that_had_no_memory_is_made_later, 0, 2);
        suite_add_tcase(suite, tcase);
        return suite;
}
