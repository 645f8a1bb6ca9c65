/*
 * Selects on a real server: conditions, order, limit and offset.
 */
#include <string.h>

#include "live.h"

#define FRUIT(FIELD)                                                                               \
        FIELD(serial, id, .primary_key = true)                                                     \
        FIELD(text, name)                                                                          \
        FIELD(integer, price)                                                                      \
        FIELD(integer, stock, .nullable = true)                                                    \
        FIELD(boolean, ripe, .default_bool = true)
PIPIT_MODEL(fruit, FRUIT);
PIPIT_MODEL_DEFINE(fruit, FRUIT);

/* A model with the same fields, which its table has nothing to do with. */
PIPIT_MODEL(vegetable, FRUIT);
PIPIT_MODEL_DEFINE(vegetable, FRUIT);

#define M fruit_model

static void
setup(void)
{
        struct calls calls = {0};

        live_schema_setup();
        fruit_create_table(live_db, 0, on_call, &calls);
        expect_ok(answer(&calls));
        execute("INSERT INTO fruit (name, price, stock, ripe) VALUES ('apple', 3, 10, true), "
                "('banana', 2, NULL, true), ('cherry', 7, 0, false), ('date', 7, 5, true), "
                "('50%_off', 1, NULL, false)");
}

/* The names of the rows that were found, each with a blank behind it. */
static const char *
names(struct pipit_result *res)
{
        static char text[200];

        expect_ok(res);
        text[0] = '\0';
        for (int i = 0; i < pipit_result_rows(res); i++) {
                strncat(text, fruit_row(res, i)->name, 30);
                strcat(text, " ");
        }
        return text;
}

static struct pipit_result *
selected(const struct pipit_select *select)
{
        struct calls calls = {0};

        pipit_record_select(live_db, &M.model, select, on_call, &calls);
        return answer(&calls);
}

/* The names of those that fulfil a condition, in the order of their creation. */
static void
expect_where(const struct pipit_expr *where, const char *text)
{
        struct pipit_select select = {.where = where, .order_by = PIPIT_ORDER(pipit_asc(M.id))};

        ck_assert_str_eq(names(selected(&select)), text);
}

static void
expect_refused(const struct pipit_expr *where)
{
        struct pipit_select select = {.where = where};

        expect_executed(selected(&select), PIPIT_EINVAL, PIPIT_EXECUTED_NO);
}

START_TEST(without_a_clause_every_row_is_found)
{
        ck_assert_int_eq(pipit_result_rows(selected(NULL)), 5);
        ck_assert_int_eq(pipit_result_rows(selected(&(struct pipit_select){.limit = 0})), 5);
}
END_TEST

START_TEST(rows_that_were_found_are_whole)
{
        struct pipit_select select = {.where = pipit_eq(M.name, "cherry")};
        struct pipit_result *res = selected(&select);
        const struct fruit *fruit = fruit_row(res, 0);

        ck_assert_ptr_nonnull(fruit);
        ck_assert_int_gt(fruit->id, 0);
        ck_assert_int_eq(fruit->price, 7);
        ck_assert_int_eq(fruit->stock, 0);
        ck_assert(!fruit->null.stock);
        ck_assert(!fruit->ripe);
        ck_assert_ptr_null(fruit_row(res, 1));
}
END_TEST

START_TEST(comparisons_compare)
{
        expect_where(pipit_eq(M.price, 7), "cherry date ");
        expect_where(pipit_ne(M.price, 7), "apple banana 50%_off ");
        expect_where(pipit_lt(M.price, 3), "banana 50%_off ");
        expect_where(pipit_le(M.price, 3), "apple banana 50%_off ");
        expect_where(pipit_gt(M.price, 3), "cherry date ");
        expect_where(pipit_ge(M.price, 3), "apple cherry date ");
        expect_where(pipit_eq(M.ripe, true), "apple banana date ");
        expect_where(pipit_ne(M.ripe, true), "cherry 50%_off ");
        expect_where(pipit_lt(M.name, "b"), "apple 50%_off ");
}
END_TEST

START_TEST(like_matches_patterns)
{
        expect_where(pipit_like(M.name, "%an%"), "banana ");
        expect_where(pipit_like(M.name, "_a%"), "banana date ");
        expect_where(pipit_like(M.name, "50\\%%"), "50%_off ");
        expect_where(pipit_like(M.name, "apple'"), "");
        expect_where(pipit_like(M.name, ""), "");
}
END_TEST

START_TEST(null_is_found_as_such)
{
        expect_where(pipit_is_null(M.stock), "banana 50%_off ");
        expect_where(pipit_is_not_null(M.stock), "apple cherry date ");
        expect_where(pipit_eq(M.stock, (const char *)NULL), "banana 50%_off ");
        expect_where(pipit_ne(M.stock, NULL), "apple cherry date ");
        expect_where(pipit_ne(M.stock, 0), "apple date ");
        expect_where(pipit_eq(M.stock, 0), "cherry ");
        expect_where(pipit_lt(M.stock, NULL), "");
}
END_TEST

START_TEST(a_list_contains)
{
        expect_where(pipit_in(M.price, PIPIT_PARAMS(1, 2)), "banana 50%_off ");
        expect_where(pipit_in(M.name, PIPIT_PARAMS("date", "apple", "none")), "apple date ");
        expect_where(pipit_in(M.name, PIPIT_PARAMS("apple")), "apple ");
        expect_where(pipit_in(M.stock, PIPIT_PARAMS(5, pipit_value_null())),
                     "banana date 50%_off ");
        expect_where(pipit_in(M.stock, PIPIT_PARAMS(pipit_value_null())), "banana 50%_off ");
}
END_TEST

START_TEST(an_empty_list_contains_nothing)
{
        expect_where(pipit_in(M.price, PIPIT_NO_PARAMS), "");
        expect_where(pipit_not(pipit_in(M.price, PIPIT_NO_PARAMS)),
                     "apple banana cherry date 50%_off ");
        expect_where(pipit_or(pipit_in(M.price, PIPIT_NO_PARAMS), pipit_eq(M.price, 1)),
                     "50%_off ");
}
END_TEST

START_TEST(conditions_are_joined_as_they_are_nested)
{
        expect_where(pipit_and(pipit_eq(M.price, 7), pipit_eq(M.ripe, true)), "date ");
        expect_where(pipit_or(pipit_eq(M.price, 2), pipit_eq(M.name, "date")), "banana date ");
        expect_where(pipit_not(pipit_eq(M.price, 7)), "apple banana 50%_off ");
        expect_where(
                pipit_and(pipit_or(pipit_eq(M.price, 7), pipit_eq(M.price, 3)),
                          pipit_not(pipit_or(pipit_eq(M.name, "date"), pipit_eq(M.name, "apple")))),
                "cherry ");
        expect_where(pipit_or(pipit_and(pipit_eq(M.price, 7), pipit_eq(M.ripe, true)),
                              pipit_and(pipit_eq(M.price, 1), pipit_eq(M.ripe, false))),
                     "date 50%_off ");
        expect_where(pipit_not(pipit_not(pipit_eq(M.price, 3))), "apple ");
        expect_where(pipit_and(pipit_eq(M.price, 3)), "apple ");
}
END_TEST

START_TEST(an_order_orders)
{
        struct pipit_select by_price = {
                .order_by = PIPIT_ORDER(pipit_desc(M.price), pipit_asc(M.name))};
        struct pipit_select by_stock = {
                .order_by = PIPIT_ORDER(pipit_asc(M.stock), pipit_desc(M.name))};
        struct pipit_select by_stock_desc = {
                .order_by = PIPIT_ORDER(pipit_desc(M.stock), pipit_desc(M.name))};

        ck_assert_str_eq(names(selected(&by_price)), "cherry date apple banana 50%_off ");
        ck_assert_str_eq(names(selected(&by_stock)), "cherry date apple banana 50%_off ");
        ck_assert_str_eq(names(selected(&by_stock_desc)), "banana 50%_off apple date cherry ");
}
END_TEST

START_TEST(limit_and_offset_cut_a_piece_out)
{
        struct pipit_select select = {.order_by = PIPIT_ORDER(pipit_asc(M.id)), .limit = 2};

        ck_assert_str_eq(names(selected(&select)), "apple banana ");
        select.offset = 1;
        ck_assert_str_eq(names(selected(&select)), "banana cherry ");
        select.limit = 0;
        ck_assert_str_eq(names(selected(&select)), "banana cherry date 50%_off ");
        select.offset = 5;
        ck_assert_str_eq(names(selected(&select)), "");
        select.limit = INT64_MAX;
        select.offset = 4;
        ck_assert_str_eq(names(selected(&select)), "50%_off ");
}
END_TEST

START_TEST(clauses_can_be_written_in_the_call)
{
        struct calls calls = {0};
        pipit_request request = pipit_select(
                live_db, fruit_model, on_call, &calls, .where = pipit_gt(fruit_model.price, 1),
                .order_by = PIPIT_ORDER(pipit_desc(fruit_model.name)), .limit = 2, .offset = 1);

        ck_assert_uint_ne(request, 0);
        ck_assert_str_eq(names(answer(&calls)), "cherry banana ");
}
END_TEST

START_TEST(a_condition_in_an_arena_outlives_its_block_and_its_values)
{
        struct pipit_arena *arena = pipit_arena_new();
        const struct pipit_expr *where = NULL;
        char name[] = "date";

        if (arena != NULL)
                where = pipit_expr_keep(arena, pipit_and(pipit_eq(M.name, name),
                                                         pipit_in(M.price, PIPIT_PARAMS(6, 7, 8)),
                                                         pipit_not(pipit_is_null(M.stock))));
        memset(name, 'x', sizeof name);
        ck_assert_ptr_nonnull(where);
        expect_where(where, "date ");
        expect_where(pipit_or(where, pipit_eq(M.price, 3)), "apple date ");
        pipit_arena_free(arena);
}
END_TEST

START_TEST(a_condition_is_copied_by_the_call)
{
        struct calls calls = {0};
        char name[] = "date";

        pipit_select(live_db, fruit_model, on_call, &calls, .where = pipit_eq(M.name, name));
        memset(name, 'x', sizeof name);
        ck_assert_str_eq(names(answer(&calls)), "date ");
}
END_TEST

START_TEST(values_never_become_sql)
{
        expect_where(pipit_eq(M.name, "' OR '1'='1"), "");
        expect_where(pipit_eq(M.name, "apple' --"), "");
        expect_where(pipit_in(M.name, PIPIT_PARAMS("x') OR ('a'='a", "\\'; DROP TABLE fruit; --")),
                     "");
        execute("INSERT INTO fruit (name, price) VALUES ('''; DROP TABLE fruit; --', 4)");
        expect_where(pipit_eq(M.name, "'; DROP TABLE fruit; --"), "'; DROP TABLE fruit; -- ");
        ck_assert_int_eq(pipit_result_rows(selected(NULL)), 6);
}
END_TEST

START_TEST(a_value_that_is_no_value_of_the_field_is_an_error)
{
        struct pipit_select select = {.where = pipit_eq(M.price, "many")};
        const struct pipit_result *res = selected(&select);

        ck_assert(pipit_failed(res));
        ck_assert_int_ne(pipit_result_error(res)->executed, PIPIT_EXECUTED_UNKNOWN);
        execute("SELECT 1");
}
END_TEST

START_TEST(fields_of_another_model_are_refused)
{
        expect_refused(pipit_eq(vegetable_model.name, "leek"));
        expect_refused(pipit_and(pipit_eq(M.price, 1), pipit_is_null(vegetable_model.stock)));
        struct pipit_select select = {.order_by = PIPIT_ORDER(pipit_asc(vegetable_model.name))};
        expect_executed(selected(&select), PIPIT_EINVAL, PIPIT_EXECUTED_NO);
}
END_TEST

START_TEST(conditions_that_make_no_sense_are_refused)
{
        const struct pipit_expr empty = {.kind = PIPIT_EXPR_NONE};
        const struct pipit_expr argless = {.kind = PIPIT_EXPR_OPERATOR, .op = PIPIT_OP_OR};

        expect_refused(&empty);
        expect_refused(pipit_eq("apple", "apple"));
        expect_refused(&argless);
        expect_refused(pipit_not(&empty));
        expect_refused(pipit_and(pipit_eq(M.price, 1), NULL));
        struct pipit_select negative = {.limit = -1};
        expect_executed(selected(&negative), PIPIT_EINVAL, PIPIT_EXECUTED_NO);
        negative = (struct pipit_select){.offset = -1};
        expect_executed(selected(&negative), PIPIT_EINVAL, PIPIT_EXECUTED_NO);
}
END_TEST

START_TEST(a_long_list_and_a_deep_condition_are_answered_or_refused)
{
        static struct pipit_value values[1000];
        const struct pipit_expr *deep = pipit_eq(M.price, 3);
        struct pipit_expr nots[1000];

        for (int i = 0; i < 1000; i++)
                values[i] = pipit_value_int(i + 3);
        expect_where(pipit_in(M.price, ((struct pipit_params){values, 1000})),
                     "apple cherry date ");
        for (int i = 0; i < 1000; i++) {
                nots[i] = (struct pipit_expr){.kind = PIPIT_EXPR_OPERATOR,
                                              .op = PIPIT_OP_NOT,
                                              .args = i == 0 ? &deep : NULL,
                                              .n_args = 1};
        }
        const struct pipit_expr *last[1000];
        for (int i = 1; i < 1000; i++) {
                last[i - 1] = &nots[i - 1];
                nots[i].args = &last[i - 1];
        }
        expect_refused(&nots[999]);
}
END_TEST

START_TEST(a_thousand_rows_come_back_in_order)
{
        execute("INSERT INTO fruit (name, price) SELECT 'f' || n, n FROM generate_series(1, 1000) n");
        struct pipit_select select = {.where = pipit_like(M.name, "f%"),
                                      .order_by = PIPIT_ORDER(pipit_asc(M.price))};
        struct pipit_result *res = selected(&select);

        expect_ok(res);
        ck_assert_int_eq(pipit_result_rows(res), 1000);
        for (int i = 0; i < 1000; i++)
                ck_assert_int_eq(fruit_row(res, i)->price, i + 1);
        ck_assert_str_eq(fruit_row(res, 999)->name, "f1000");
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("select");
        TCase *tcase = tcase_create("select");

        tcase_add_checked_fixture(tcase, setup, live_schema_teardown);
        tcase_add_test(tcase, without_a_clause_every_row_is_found);
        tcase_add_test(tcase, rows_that_were_found_are_whole);
        tcase_add_test(tcase, comparisons_compare);
        tcase_add_test(tcase, like_matches_patterns);
        tcase_add_test(tcase, null_is_found_as_such);
        tcase_add_test(tcase, a_list_contains);
        tcase_add_test(tcase, an_empty_list_contains_nothing);
        tcase_add_test(tcase, conditions_are_joined_as_they_are_nested);
        tcase_add_test(tcase, an_order_orders);
        tcase_add_test(tcase, limit_and_offset_cut_a_piece_out);
        tcase_add_test(tcase, clauses_can_be_written_in_the_call);
        tcase_add_test(tcase, a_condition_in_an_arena_outlives_its_block_and_its_values);
        tcase_add_test(tcase, a_condition_is_copied_by_the_call);
        tcase_add_test(tcase, values_never_become_sql);
        tcase_add_test(tcase, a_value_that_is_no_value_of_the_field_is_an_error);
        tcase_add_test(tcase, fields_of_another_model_are_refused);
        tcase_add_test(tcase, conditions_that_make_no_sense_are_refused);
        tcase_add_test(tcase, a_long_list_and_a_deep_condition_are_answered_or_refused);
        tcase_add_test(tcase, a_thousand_rows_come_back_in_order);
        suite_add_tcase(suite, tcase);
        return suite;
}
