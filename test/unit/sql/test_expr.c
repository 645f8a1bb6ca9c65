#include <pipit/error.h>
#include <string.h>

#include "base/arena.h"
#include "models.h"
#include "oom.h"
#include "runner.h"
#include "sql/expr.h"
#include "sql/expr_int.h"

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

START_TEST(a_comparison_takes_any_expression_on_either_side)
{
        const struct pipit_field copy = M.id;
        const struct pipit_field *chosen = &M.model.fields[3];

        renders(pipit_lt(M.visits, M.id), "\"page_block\".\"visits\" < \"page_block\".\"id\"", 0);
        renders(pipit_ge(7, M.id), "$1 >= \"page_block\".\"id\"", 1);
        renders(pipit_eq(NULL, M.key), "\"page_block\".\"key\" IS NULL", 0);
        renders(pipit_ne(copy, 7), "\"page_block\".\"id\" <> $1", 1);
        renders(pipit_eq(chosen, 7), "\"page_block\".\"visits\" = $1", 1);
        renders(pipit_eq(pipit_is_null(M.key), pipit_and(pipit_gt(M.id, 1))),
                "(\"page_block\".\"key\" IS NULL) = (\"page_block\".\"id\" > $1)", 1);
        renders(PIPIT_EXPR(M.key), "\"page_block\".\"key\"", 0);
}
END_TEST

/* Without values they are constant, in any place of a program. */
static const struct pipit_expr *const leaf = pipit_is_null(M.key);
static const struct pipit_expr *const constant =
        pipit_or(pipit_not(pipit_is_null(M.key)), pipit_is_not_null(M.id));

START_TEST(a_condition_without_values_may_stand_outside_of_functions)
{
        renders(constant,
                "((NOT \"page_block\".\"key\" IS NULL) OR \"page_block\".\"id\" IS NOT NULL)", 0);
}
END_TEST

static struct pipit_expr
operator_of(enum pipit_op op, const struct pipit_expr *const *args, int n_args)
{
        return (struct pipit_expr){
                .kind = PIPIT_EXPR_OPERATOR, .op = op, .args = args, .n_args = n_args};
}

START_TEST(ill_formed_conditions_are_refused)
{
        const struct pipit_expr *const args[] = {PIPIT_EXPR(M.id), PIPIT_EXPR(1), PIPIT_EXPR(2)};
        const struct pipit_expr nothing = {.kind = PIPIT_EXPR_NONE};
        const struct pipit_expr unknown = {.kind = (enum pipit_expr_kind)99};
        const struct pipit_expr no_operator = operator_of((enum pipit_op)98, args, 1);
        const struct pipit_expr no_field = pipit_expr_field(NULL);
        const struct pipit_expr no_args = {
                .kind = PIPIT_EXPR_OPERATOR, .op = PIPIT_OP_AND, .n_args = 2};

        fails(NULL, "NULL");
        fails(&nothing, "unknown kind 0");
        fails(&unknown, "unknown kind 99");
        fails(&no_operator, "unknown kind 98");
        fails(&no_field, "no field");
        fails(&no_args, "missing");
        fails(pipit_eq(&no_field, 1), "no field");
        fails(pipit_eq("title", "title"), "value on either side");
        fails(pipit_and(pipit_eq(M.id, 1), NULL), "NULL");
        fails(pipit_not(&nothing), "unknown kind");
        fails(pipit_eq(M.id, (const struct pipit_expr *)NULL), "unknown kind 0");
}
END_TEST

START_TEST(operators_need_their_operands)
{
        const struct pipit_expr *const args[] = {PIPIT_EXPR(M.id), PIPIT_EXPR(1), PIPIT_EXPR(2)};

        for (int op = PIPIT_OP_EQ; op <= PIPIT_OP_NOT; op++) {
                bool has_one =
                        op == PIPIT_OP_IS_NULL || op == PIPIT_OP_IS_NOT_NULL || op == PIPIT_OP_NOT;
                const struct pipit_expr few = operator_of((enum pipit_op)op, args, has_one ? 2 : 1);
                const struct pipit_expr many = operator_of((enum pipit_op)op, args, 3);

                if (op == PIPIT_OP_AND || op == PIPIT_OP_OR)
                        continue;
                fails(&few, has_one ? "needs 1 operands, not 2" : "needs 2 operands, not 1");
                fails(&many, "not 3");
        }
}
END_TEST

START_TEST(a_list_stands_on_the_right_of_in)
{
        const struct pipit_expr list = {.kind = PIPIT_EXPR_LIST};
        const struct pipit_expr missing = {.kind = PIPIT_EXPR_LIST, .as.list.values = {NULL, 3}};
        const struct pipit_expr *const bad[] = {PIPIT_EXPR(M.id), &missing};
        const struct pipit_expr *const field[] = {PIPIT_EXPR(M.id), PIPIT_EXPR(M.id)};
        const struct pipit_expr *const null[] = {PIPIT_EXPR(M.id), NULL};
        const struct pipit_expr no_values = operator_of(PIPIT_OP_IN, bad, 2);
        const struct pipit_expr no_list = operator_of(PIPIT_OP_IN, field, 2);
        const struct pipit_expr nothing = operator_of(PIPIT_OP_IN, null, 2);

        fails(&list, "outside of IN");
        fails(pipit_eq(M.id, &list), "outside of IN");
        fails(&no_values, "list of values is missing");
        fails(&no_list, "list of values is missing");
        fails(&nothing, "NULL");
}
END_TEST

START_TEST(kinds_of_later_versions_are_refused)
{
        for (int kind = PIPIT_EXPR_CALL; kind <= PIPIT_EXPR_SELECT; kind++) {
                const struct pipit_expr expr = {.kind = (enum pipit_expr_kind)kind};

                fails(&expr, "later versions");
                fails(pipit_not(&expr), "later versions");
        }
}
END_TEST

static int something;

/* A node of a kind with something in one of the members that have no meaning in it. */
static struct pipit_expr
spoiled(const struct pipit_expr *sound, int member)
{
        struct pipit_expr expr = *sound;

        switch (member) {
        case 0: expr.flags = 1; break;
        case 1: expr.reserved = &something; break;
        case 2: expr.op = PIPIT_OP_NOT; break;
        case 3: expr.n_args = 1; break;
        case 4: expr.args = &leaf; break;
        case 5: expr.as.list.reserved[0] = &something; break;
        case 6: expr.as.list.reserved[1] = &something; break;
        default: expr.as.column.reserved[0] = &something; break;
        }
        return expr;
}

START_TEST(what_stands_in_reserved_members_is_refused)
{
        const struct pipit_expr list = {.kind = PIPIT_EXPR_LIST};
        const struct pipit_expr bad_field = spoiled(PIPIT_EXPR(M.id), _i);
        const struct pipit_expr bad_value = spoiled(PIPIT_EXPR(1), _i % 5);
        const struct pipit_expr bad_operator = spoiled(pipit_is_null(M.id), _i % 2);
        const struct pipit_expr bad_list = spoiled(&list, _i % 7);
        const struct pipit_expr *const in[] = {PIPIT_EXPR(M.id), &bad_list};
        const struct pipit_expr bad_in = operator_of(PIPIT_OP_IN, in, 2);

        fails(&bad_field, "reserved members of an expression");
        fails(pipit_eq(&bad_field, 1), "reserved members of an expression");
        fails(pipit_eq(M.id, &bad_value), "reserved members of an expression");
        fails(&bad_operator, "reserved members of an expression");
        fails(&bad_in, "reserved members of an expression");
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
        nodes[0] = *leaf;
        for (int i = 1; i < depth; i++) {
                args[i] = &nodes[i - 1];
                nodes[i] = operator_of(PIPIT_OP_NOT, &args[i], 1);
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

enum { N_SHARED = 60 };

/* A condition of n nodes, each of which but the first has the one before it in itself twice. */
static const struct pipit_expr *
share(struct pipit_expr *nodes, const struct pipit_expr *(*args)[2], int n)
{
        nodes[0] = *PIPIT_EXPR(M.key);
        for (int i = 1; i < n; i++) {
                args[i][0] = &nodes[i - 1];
                args[i][1] = &nodes[i - 1];
                nodes[i] = operator_of(PIPIT_OP_AND, args[i], 2);
        }
        return &nodes[n - 1];
}

START_TEST(a_null_with_something_reserved_in_it_is_no_null)
{
        struct pipit_value odd = {.kind = PIPIT_KIND_NULL, .reserved = 1};

        renders(pipit_eq(M.key, odd), "\"page_block\".\"key\" = $1", 1);
        renders(pipit_in(M.key, PIPIT_PARAMS(odd, NULL)),
                "(\"page_block\".\"key\" IN ($1) OR \"page_block\".\"key\" IS NULL)", 1);
}
END_TEST

START_TEST(nodes_that_are_shared_count_each_time)
{
        struct pipit_expr nodes[N_SHARED];
        const struct pipit_expr *args[N_SHARED][2];

        pipit__expr_sql(share(nodes, args, 17), &M.model, &sql);
        ck_assert_int_eq(pipit__sql_error(&sql), 0);
        fails(share(nodes, args, 18), "more than 200000 operands");
        fails(share(nodes, args, N_SHARED), "more than 200000 operands");
}
END_TEST

START_TEST(an_operator_that_is_its_own_operand_is_refused)
{
        const struct pipit_expr *args[1];
        const struct pipit_expr ring = operator_of(PIPIT_OP_NOT, args, 1);

        args[0] = &ring;
        fails(&ring, "more than 1000 deep");
}
END_TEST

START_TEST(the_operands_of_in_count_as_often_as_they_are_written)
{
        struct pipit_value values[] = {pipit_value_null(), pipit_value_int(1)};
        const struct pipit_expr list = {.kind = PIPIT_EXPR_LIST, .as.list.values = {values, 2}};
        struct pipit_expr nodes[N_SHARED] = {*PIPIT_EXPR(M.id)};
        const struct pipit_expr *args[N_SHARED][2];

        for (int i = 1; i < N_SHARED; i++) {
                args[i][0] = &nodes[i - 1];
                args[i][1] = &list;
                nodes[i] = operator_of(PIPIT_OP_IN, args[i], 2);
        }
        pipit__expr_sql(&nodes[N_SHARED - 1], &M.model, &sql);
        ck_assert_int_ne(pipit__sql_error(&sql), 0);
}
END_TEST

START_TEST(as_many_operands_as_a_statement_has_parameters_are_enough)
{
        static const struct pipit_expr *args[PIPIT__SQL_PARAMS_MAX];
        const struct pipit_expr all = operator_of(PIPIT_OP_OR, args, PIPIT__SQL_PARAMS_MAX);
        const struct pipit_expr *one = pipit_eq(M.id, 1);

        for (int i = 0; i < PIPIT__SQL_PARAMS_MAX; i++)
                args[i] = one;
        pipit__expr_sql(&all, &M.model, &sql);
        ck_assert_str_eq(pipit__sql_error_text(&sql), "");
        ck_assert_int_eq(pipit__sql_params(&sql).n, PIPIT__SQL_PARAMS_MAX);
}
END_TEST

START_TEST(an_equality_of_a_field_and_a_value_is_known)
{
        const struct pipit_field *field = NULL;
        const struct pipit_value *value = NULL;
        const struct pipit_expr no_field = pipit_expr_field(NULL);
        const struct pipit_expr bad_value = spoiled(PIPIT_EXPR(1), 0);
        const struct pipit_expr *const others[] = {pipit_ne(M.id, 7),
                                                   pipit_eq(7, M.id),
                                                   pipit_eq(M.id, M.visits),
                                                   pipit_eq(&no_field, 7),
                                                   pipit_eq(M.id, &bad_value),
                                                   pipit_is_null(M.id),
                                                   PIPIT_EXPR(7),
                                                   NULL};

        ck_assert(pipit__expr_is_equality(pipit_eq(M.id, 7), &field, &value));
        ck_assert_ptr_eq(field, &M.id);
        ck_assert_int_eq(value->as.int_value, 7);
        for (size_t i = 0; i < sizeof others / sizeof *others; i++)
                ck_assert(!pipit__expr_is_equality(others[i], &field, &value));
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
        pipit__sql_fini(&sql);
        pipit__orders_sql(PIPIT_ORDER(((struct pipit_order){.descending = true})), &M.model, &sql);
        ck_assert_str_eq(pipit__sql_error_text(&sql), "an expression is NULL");
}
END_TEST

START_TEST(what_stands_in_reserved_members_of_an_order_is_refused)
{
        struct pipit_order order = pipit_asc(M.key);

        if (_i == 2)
                order.flags = 1;
        else
                order.reserved[_i] = &something;
        pipit__orders_sql(PIPIT_ORDER(order), &M.model, &sql);
        ck_assert_ptr_nonnull(strstr(pipit__sql_error_text(&sql), "reserved members of an order"));
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

START_TEST(a_kept_condition_may_be_wider_than_it_may_be_deep)
{
        static const struct pipit_expr *args[PIPIT__EXPR_DEPTH_MAX + 1];
        const struct pipit_expr all = operator_of(PIPIT_OP_OR, args, PIPIT__EXPR_DEPTH_MAX + 1);
        struct pipit_arena *arena = pipit_arena_new();

        for (int i = 0; i <= PIPIT__EXPR_DEPTH_MAX; i++)
                args[i] = leaf;
        pipit__expr_sql(pipit_expr_keep(arena, &all), &M.model, &sql);
        ck_assert_str_eq(pipit__sql_error_text(&sql), "");
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

START_TEST(a_kept_condition_that_shares_nodes_takes_no_more_than_may_be_used)
{
        struct pipit_expr nodes[N_SHARED];
        const struct pipit_expr *args[N_SHARED][2];
        struct pipit_arena *arena = pipit_arena_new();

        const struct pipit_expr *kept = pipit_expr_keep(arena, share(nodes, args, N_SHARED));
        fails(kept, "more than 200000 operands");
        fails(pipit_expr_keep(arena, kept), "more than 200000 operands");
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
                const struct pipit_expr *kept =
                        pipit_expr_keep(arena, pipit_or(pipit_eq(M.key, text),
                                                        pipit_in(M.text, PIPIT_PARAMS(text))));
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
        tcase_add_test(tcase, a_comparison_takes_any_expression_on_either_side);
        tcase_add_test(tcase, a_condition_without_values_may_stand_outside_of_functions);
        tcase_add_test(tcase, ill_formed_conditions_are_refused);
        tcase_add_test(tcase, operators_need_their_operands);
        tcase_add_test(tcase, a_list_stands_on_the_right_of_in);
        tcase_add_test(tcase, kinds_of_later_versions_are_refused);
        tcase_add_loop_test(tcase, what_stands_in_reserved_members_is_refused, 0, 8);
        tcase_add_test(tcase, a_field_of_another_model_is_refused_with_both_names);
        tcase_add_test(tcase, depth_is_bounded);
        tcase_add_test(tcase, a_null_with_something_reserved_in_it_is_no_null);
        tcase_add_test(tcase, nodes_that_are_shared_count_each_time);
        tcase_add_test(tcase, an_operator_that_is_its_own_operand_is_refused);
        tcase_add_test(tcase, the_operands_of_in_count_as_often_as_they_are_written);
        tcase_add_test(tcase, as_many_operands_as_a_statement_has_parameters_are_enough);
        tcase_add_test(tcase, an_equality_of_a_field_and_a_value_is_known);
        tcase_add_test(tcase, orders_have_directions);
        tcase_add_test(tcase, bad_orders_are_refused);
        tcase_add_loop_test(tcase, what_stands_in_reserved_members_of_an_order_is_refused, 0, 3);
        tcase_add_test(tcase, a_kept_condition_outlives_its_block);
        tcase_add_test(tcase, a_kept_condition_may_be_wider_than_it_may_be_deep);
        tcase_add_test(tcase, keeping_nothing_gives_nothing);
        tcase_add_test(tcase, a_kept_condition_that_is_too_deep_is_refused_in_use);
        tcase_add_test(tcase, a_kept_condition_that_shares_nodes_takes_no_more_than_may_be_used);
        tcase_add_test(tcase, keeping_without_memory_gives_null);
        suite_add_tcase(suite, tcase);
        return suite;
}
