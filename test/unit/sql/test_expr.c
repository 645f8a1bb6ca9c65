#include <pipit/error.h>
#include <string.h>

#include "base/arena.h"
#include "models.h"
#include "oom.h"
#include "runner.h"
#include "sql/expr.h"

#define M page_block_model

static struct sql sql;

static void
set_up(void)
{
        pipit__sql_init(&sql);
}

static void
tear_down(void)
{
        pipit__sql_fini(&sql);
}

static void
renders(const struct pipit_expr *expr, const char *expected, int n_params)
{
        pipit__sql_fini(&sql);
        pipit__expr_sql(expr, &M.model, &sql);
        ck_assert_str_eq(pipit__sql_error_text(&sql), "");
        ck_assert_str_eq(pipit__sql_text(&sql), expected);
        ck_assert_int_eq(pipit__sql_params(&sql).n, n_params);
}

static void
fails(const struct pipit_expr *expr, const char *part)
{
        pipit__sql_fini(&sql);
        pipit__expr_sql(expr, &M.model, &sql);
        ck_assert_int_eq(pipit__sql_error(&sql), PIPIT_EINVAL);
        ck_assert_msg(strstr(pipit__sql_error_text(&sql), part), "\"%s\" is not about \"%s\"",
                      pipit__sql_error_text(&sql), part);
}

START_TEST(comparisons_have_their_operators)
{
        renders(pipit_eq(M.key, "title"), "\"page_block\".\"key\" = $1", 1);
        ck_assert_str_eq(pipit__sql_params(&sql).values[0].as.text, "title");
        renders(pipit_ne(M.id, 7), "\"page_block\".\"id\" <> $1", 1);
        renders(pipit_lt(M.id, 7), "\"page_block\".\"id\" < $1", 1);
        renders(pipit_le(M.id, 7), "\"page_block\".\"id\" <= $1", 1);
        renders(pipit_gt(M.id, 7), "\"page_block\".\"id\" > $1", 1);
        renders(pipit_ge(M.id, 7), "\"page_block\".\"id\" >= $1", 1);
        renders(pipit_like(M.key, "a%"), "\"page_block\".\"key\" LIKE $1", 1);
}
END_TEST

START_TEST(null_is_compared_by_is)
{
        const char *none = NULL;

        renders(pipit_eq(M.key, NULL), "\"page_block\".\"key\" IS NULL", 0);
        renders(pipit_ne(M.key, none), "\"page_block\".\"key\" IS NOT NULL", 0);
        renders(pipit_is_null(M.key), "\"page_block\".\"key\" IS NULL", 0);
        renders(pipit_is_not_null(M.key), "\"page_block\".\"key\" IS NOT NULL", 0);
}
END_TEST

START_TEST(a_list_becomes_in)
{
        renders(pipit_in(M.id, PIPIT_PARAMS(1, 2, 3)), "\"page_block\".\"id\" IN ($1, $2, $3)", 3);
        renders(pipit_in(M.id, PIPIT_NO_PARAMS), "FALSE", 0);
}
END_TEST

START_TEST(null_in_a_list_means_null)
{
        renders(pipit_in(M.key, PIPIT_PARAMS("a", NULL)),
                "(\"page_block\".\"key\" IN ($1) OR \"page_block\".\"key\" IS NULL)", 1);
        renders(pipit_in(M.key, PIPIT_PARAMS(NULL, NULL)), "\"page_block\".\"key\" IS NULL", 0);
}
END_TEST

START_TEST(conditions_are_joined_in_parentheses)
{
        renders(pipit_and(pipit_eq(M.key, "a"), pipit_or(pipit_gt(M.id, 1), pipit_lt(M.id, 0)),
                          pipit_not(pipit_eq(M.text, "b"))),
                "(\"page_block\".\"key\" = $1 AND (\"page_block\".\"id\" > $2 OR "
                "\"page_block\".\"id\" < $3) AND (NOT \"page_block\".\"text\" = $4))",
                4);
        renders(pipit_and(pipit_eq(M.id, 1)), "(\"page_block\".\"id\" = $1)", 1);
}
END_TEST

START_TEST(ill_formed_conditions_are_refused)
{
        const struct pipit_expr nothing = {.op = PIPIT_OP_NONE};
        const struct pipit_expr unknown = {.op = (enum pipit_op)99};
        const struct pipit_expr no_field = {.op = PIPIT_OP_EQ, .values = PIPIT_PARAMS(1)};
        const struct pipit_expr no_value = {.op = PIPIT_OP_LT, .field = &M.id};
        const struct pipit_expr no_list = {.op = PIPIT_OP_IN, .field = &M.id, .values = {NULL, 3}};
        const struct pipit_expr no_args = {.op = PIPIT_OP_AND};

        fails(NULL, "NULL");
        fails(&nothing, "unknown kind 0");
        fails(&unknown, "unknown kind 99");
        fails(&no_field, "no field");
        fails(&no_value, "needs one value");
        fails(&no_list, "list");
        fails(&no_args, "missing");
        fails(pipit_and(pipit_eq(M.id, 1), NULL), "NULL");
        fails(pipit_not(&nothing), "unknown kind");
}
END_TEST

START_TEST(a_field_of_another_model_is_refused_with_both_names)
{
        fails(pipit_eq(point_model.x, 1), "\"x\" of \"point\"");
        fails(pipit_is_null(point_model.x), "no field of \"page_block\"");
        fails(pipit_in(point_model.x, PIPIT_PARAMS(1)), "\"point\"");
}
END_TEST

/* A condition of that depth, whose nodes and lists are the caller's. */
static const struct pipit_expr *
nest(struct pipit_expr *nodes, const struct pipit_expr **args, int depth)
{
        nodes[0] = *pipit_is_null(M.key);
        for (int i = 1; i < depth; i++) {
                args[i] = &nodes[i - 1];
                nodes[i] = (struct pipit_expr){.op = PIPIT_OP_NOT, .args = &args[i], .n_args = 1};
        }
        return &nodes[depth - 1];
}

START_TEST(depth_is_bounded)
{
        static struct pipit_expr nodes[PIPIT__EXPR_DEPTH_MAX + 1];
        static const struct pipit_expr *args[PIPIT__EXPR_DEPTH_MAX + 1];

        pipit__expr_sql(nest(nodes, args, PIPIT__EXPR_DEPTH_MAX), &M.model, &sql);
        ck_assert_int_eq(pipit__sql_error(&sql), 0);
        fails(nest(nodes, args, PIPIT__EXPR_DEPTH_MAX + 1), "more than 1000 deep");
}
END_TEST

START_TEST(orders_have_directions)
{
        pipit__orders_sql(PIPIT_ORDER(pipit_asc(M.key), pipit_desc(M.id)), &M.model, &sql);
        ck_assert_str_eq(pipit__sql_text(&sql),
                         "\"page_block\".\"key\" ASC, \"page_block\".\"id\" DESC");
}
END_TEST

START_TEST(bad_orders_are_refused)
{
        pipit__orders_sql((struct pipit_orders){NULL, 2}, &M.model, &sql);
        ck_assert_int_eq(pipit__sql_error(&sql), PIPIT_EINVAL);
        pipit__sql_fini(&sql);
        pipit__orders_sql(PIPIT_ORDER(pipit_asc(point_model.x)), &M.model, &sql);
        ck_assert_int_eq(pipit__sql_error(&sql), PIPIT_EINVAL);
}
END_TEST

START_TEST(a_kept_condition_outlives_its_block)
{
        struct pipit_arena *arena = pipit_arena_new();
        const struct pipit_expr *kept = NULL;
        {
                char key[] = "title";
                struct pipit_bytes bytes = {"\1\2", 2};

                kept = pipit_expr_keep(arena, pipit_and(pipit_eq(M.key, key),
                                                        pipit_not(pipit_eq(M.text, bytes)),
                                                        pipit_in(M.id, PIPIT_NO_PARAMS)));
                memset(key, 'x', sizeof(key));
        }
        renders(kept,
                "(\"page_block\".\"key\" = $1 AND (NOT \"page_block\".\"text\" = $2) AND FALSE)",
                2);
        ck_assert_str_eq(pipit__sql_params(&sql).values[0].as.text, "title");
        pipit_arena_free(arena);
}
END_TEST

START_TEST(keeping_nothing_gives_nothing)
{
        struct pipit_arena *arena = pipit_arena_new();

        ck_assert_ptr_null(pipit_expr_keep(arena, NULL));
        ck_assert_ptr_null(pipit_expr_keep(NULL, pipit_is_null(M.id)));
        pipit_arena_free(arena);
}
END_TEST

START_TEST(a_kept_condition_that_is_too_deep_is_refused_in_use)
{
        static struct pipit_expr nodes[PIPIT__EXPR_DEPTH_MAX + 1];
        static const struct pipit_expr *args[PIPIT__EXPR_DEPTH_MAX + 1];
        struct pipit_arena *arena = pipit_arena_new();

        fails(pipit_expr_keep(arena, nest(nodes, args, PIPIT__EXPR_DEPTH_MAX + 1)), "deep");
        pipit_arena_free(arena);
}
END_TEST

START_TEST(keeping_without_memory_gives_null)
{
        char text[1500] = {0};

        memset(text, 'x', sizeof(text) - 1);
        for (int n = 0;; n++) {
                struct pipit_arena *arena = pipit_arena_new();
                oom_after(n);
                const struct pipit_expr *kept = pipit_expr_keep(
                        arena, pipit_or(pipit_eq(M.key, text), pipit_eq(M.text, text)));
                bool failed = oom_stop();
                ck_assert_int_eq(kept == NULL, failed);
                pipit_arena_free(arena);
                if (!failed)
                        break;
        }
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("expr");
        TCase *tcase = tcase_create("expr");

        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_test(tcase, comparisons_have_their_operators);
        tcase_add_test(tcase, null_is_compared_by_is);
        tcase_add_test(tcase, a_list_becomes_in);
        tcase_add_test(tcase, null_in_a_list_means_null);
        tcase_add_test(tcase, conditions_are_joined_in_parentheses);
        tcase_add_test(tcase, ill_formed_conditions_are_refused);
        tcase_add_test(tcase, a_field_of_another_model_is_refused_with_both_names);
        tcase_add_test(tcase, depth_is_bounded);
        tcase_add_test(tcase, orders_have_directions);
        tcase_add_test(tcase, bad_orders_are_refused);
        tcase_add_test(tcase, a_kept_condition_outlives_its_block);
        tcase_add_test(tcase, keeping_nothing_gives_nothing);
        tcase_add_test(tcase, a_kept_condition_that_is_too_deep_is_refused_in_use);
        tcase_add_test(tcase, keeping_without_memory_gives_null);
        suite_add_tcase(suite, tcase);
        return suite;
}
