/*
 * Failures of one statement: what the error says, and that nobody else feels it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "live.h"

static char backend[32];

/* One connection only, whose backend is known. */
static void
one_connection_setup(void)
{
        live_setup();
        live_reopen(&(struct pipit_options){.max_connections = 1, .max_pipeline = 1000});
        snprintf(backend, sizeof backend, "%s",
                 pipit_result_text(query("SELECT pg_backend_pid()", PIPIT_NO_PARAMS), 0, 0));
}

static void
expect_same_connection(void)
{
        expect_text(query("SELECT pg_backend_pid()", PIPIT_NO_PARAMS), 0, 0, backend);
}

/* ---- bad input, refused on the spot */

static void
expect_not_sent(const struct pipit_result *res, int code)
{
        expect_error(res, code, "");
        ck_assert_int_eq(pipit_result_error(res)->executed, PIPIT_EXECUTED_NO);
        ck_assert_int_eq(pipit_result_error(res)->phase, PIPIT_PHASE_START);
        expect_same_connection();
}

START_TEST(a_zero_byte_in_a_text_is_refused_and_the_parameter_named)
{
        struct pipit_value cut = pipit_value_text_n("ab\0cd", 5);
        const struct pipit_result *res = query("SELECT $1::text, $2::text", PIPIT_PARAMS("x", cut));

        expect_not_sent(res, PIPIT_ETYPE);
        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), "$2"));
}
END_TEST

START_TEST(a_pointer_to_who_knows_what_is_refused_and_the_parameter_named)
{
        int thing = 1;
        const void *pointer = &thing;
        const struct pipit_result *res = query("SELECT $1", PIPIT_PARAMS(pointer));

        expect_not_sent(res, PIPIT_EINVAL);
        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), "$1"));
}
END_TEST

START_TEST(no_sql_text_is_a_bad_argument)
{
        expect_not_sent(query(NULL, PIPIT_NO_PARAMS), PIPIT_EINVAL);
}
END_TEST

START_TEST(a_count_without_values_is_a_bad_argument)
{
        expect_not_sent(query("SELECT $1", (struct pipit_params){NULL, 1}), PIPIT_EINVAL);
        expect_not_sent(query("SELECT 1", (struct pipit_params){NULL, -1}), PIPIT_EINVAL);
}
END_TEST

/* A statement of n parameters, all 1; their number comes back. */
static struct pipit_result *
count_parameters(int n)
{
        struct pipit_value *values = calloc((size_t)n, sizeof *values);
        char *sql = malloc((size_t)n * 8 + 100);
        char *end = sql;

        ck_assert_ptr_nonnull(values);
        ck_assert_ptr_nonnull(sql);
        end += sprintf(end, "SELECT cardinality(ARRAY[$1::int4");
        for (int i = 0; i < n; i++)
                values[i] = pipit_value_int(1);
        for (int i = 2; i <= n; i++)
                end += sprintf(end, ",$%d", i);
        sprintf(end, "])");
        struct pipit_result *res = query(sql, (struct pipit_params){values, n});
        free(values);
        free(sql);
        return res;
}

START_TEST(a_statement_takes_65535_parameters)
{
        expect_text(count_parameters(65535), 0, 0, "65535");
        expect_same_connection();
}
END_TEST

START_TEST(a_statement_of_65536_parameters_is_refused)
{
        expect_not_sent(count_parameters(65536), PIPIT_ELIMIT);
}
END_TEST

/* ---- errors of the server that leave the connection as it was */

static const struct {
        const char *sql;
        const char *value; /* of $1; NULL: none is given */
        const char *sqlstate;
} statements[] = {
        {"SELECT $1::int + $2::int", "1", "08P01"},
        {"SELECT 1", "1", "08P01"},
        {"SELECT $1::int", NULL, "08P01"},
        {"SELECT $1::int", "seven", "22P02"},
        {"SELECT $1::int2", "70000", "22003"},
        {"SELECT $1::uuid", "12", "22P02"},
        {"SELECT $1::timestamptz", "2024-02-30", "22008"},
        {"SELECT 1; SELECT 2", NULL, "42601"},
        {"SELECT 1; SELECT $1::int", "1", "42601"},
        {"SELECT $1::text", "a\xff", "22021"},
        {"SELECT '\xc3('", NULL, "22021"},
        {"SELEC 1", NULL, "42601"},
        {"SELECT 1/0", NULL, "22012"},
        {"SELECT * FROM no_such_table", NULL, "42P01"},
        {"SELECT no_such_function()", NULL, "42883"},
        {"VACUUM no_such_table", NULL, "42P01"},
        {"EXECUTE no_such_statement", NULL, "26000"},
        {"SAVEPOINT s", NULL, "25P01"},
        {"LOCK TABLE pg_class", NULL, "25P01"},
};

START_TEST(an_error_of_the_server_leaves_the_connection_usable)
{
        const char *value = statements[_i].value;
        struct pipit_params params = value != NULL ? PIPIT_PARAMS(value) : PIPIT_NO_PARAMS;
        const struct pipit_result *res = query(statements[_i].sql, params);

        expect_error(res, PIPIT_ESERVER, statements[_i].sqlstate);
        ck_assert_str_eq(pipit_result_error(res)->severity, "ERROR");
        ck_assert_int_eq(pipit_result_error(res)->executed, PIPIT_EXECUTED_ROLLED_BACK);
        expect_same_connection();
}
END_TEST

static const char *const empties[] = {"", " \n", "-- only a comment", "/* another */", ";", ";;"};

START_TEST(a_statement_of_nothing_succeeds_without_rows)
{
        const struct pipit_result *res = query(empties[_i], PIPIT_NO_PARAMS);

        expect_ok(res);
        ck_assert_int_eq(pipit_result_rows(res), 0);
        ck_assert_int_eq(pipit_result_columns(res), 0);
        ck_assert_str_eq(pipit_result_tag(res), "");
        expect_same_connection();
}
END_TEST

/* ---- what an error says */

START_TEST(a_position_counts_characters)
{
        const struct pipit_result *res = query("SELECT 'ä', nope", PIPIT_NO_PARAMS);

        expect_error(res, PIPIT_ESERVER, "42703");
        ck_assert_int_eq(pipit_result_error(res)->position, 13);
}
END_TEST

START_TEST(an_error_without_position_has_0)
{
        const struct pipit_error *error = pipit_result_error(query("SELECT 1/0", PIPIT_NO_PARAMS));

        ck_assert_int_eq(error->position, 0);
        ck_assert_ptr_null(error->table);
        ck_assert_ptr_null(error->hint);
}
END_TEST

static void
tables_setup(void)
{
        one_connection_setup();
        execute("DROP SCHEMA IF EXISTS errors_s CASCADE");
        execute("CREATE SCHEMA errors_s");
        execute("CREATE TABLE errors_s.t (id int CONSTRAINT t_is_unique UNIQUE,"
                " name text NOT NULL DEFAULT '', CONSTRAINT t_is_small CHECK (id < 100))");
        execute("CREATE TABLE errors_s.late (id int,"
                " CONSTRAINT late_is_unique UNIQUE (id) DEFERRABLE INITIALLY DEFERRED)");
}

static void
tables_teardown(void)
{
        execute("DROP SCHEMA errors_s CASCADE");
        live_teardown();
}

START_TEST(a_unique_violation_has_every_field)
{
        execute("INSERT INTO errors_s.t VALUES (7)");
        const struct pipit_result *res =
                query("INSERT INTO errors_s.t VALUES ($1)", PIPIT_PARAMS(7));
        const struct pipit_error *error = pipit_result_error(res);

        expect_error(res, PIPIT_ESERVER, "23505");
        ck_assert_str_eq(error->schema, "errors_s");
        ck_assert_str_eq(error->table, "t");
        ck_assert_str_eq(error->constraint, "t_is_unique");
        ck_assert_ptr_nonnull(strstr(error->detail, "(id)=(7)"));
        ck_assert_ptr_null(error->column);
        ck_assert_int_eq(error->phase, PIPIT_PHASE_EXECUTE);
        ck_assert_str_eq(error->message, pipit_error_text(res));
        ck_assert_str_ne(error->message, "");
}
END_TEST

START_TEST(a_not_null_violation_names_its_column)
{
        const struct pipit_result *res =
                query("INSERT INTO errors_s.t VALUES (1, $1)", PIPIT_PARAMS(pipit_value_null()));

        expect_error(res, PIPIT_ESERVER, "23502");
        ck_assert_str_eq(pipit_result_error(res)->column, "name");
        ck_assert_str_eq(pipit_result_error(res)->table, "t");
}
END_TEST

START_TEST(a_check_violation_names_its_constraint)
{
        const struct pipit_result *res =
                query("INSERT INTO errors_s.t VALUES ($1)", PIPIT_PARAMS(100));

        expect_error(res, PIPIT_ESERVER, "23514");
        ck_assert_str_eq(pipit_result_error(res)->constraint, "t_is_small");
}
END_TEST

START_TEST(a_hint_of_the_server_is_there)
{
        const struct pipit_result *res = query("SELECT nam FROM errors_s.t", PIPIT_NO_PARAMS);

        expect_error(res, PIPIT_ESERVER, "42703");
        ck_assert_ptr_nonnull(pipit_result_error(res)->hint);
        ck_assert_ptr_nonnull(strstr(pipit_result_error(res)->hint, "t.name"));
}
END_TEST

START_TEST(an_error_raised_by_a_function_has_all_that_it_says)
{
        const struct pipit_result *res =
                query("DO $$ BEGIN RAISE EXCEPTION 'no tea' USING ERRCODE = 'PT418',"
                      " DETAIL = 'a pot', HINT = 'coffee', SCHEMA = 's', TABLE = 't',"
                      " COLUMN = 'c', DATATYPE = 'd', CONSTRAINT = 'k'; END $$",
                      PIPIT_NO_PARAMS);
        const struct pipit_error *error = pipit_result_error(res);

        expect_error(res, PIPIT_ESERVER, "PT418");
        ck_assert_str_eq(error->message, "no tea");
        ck_assert_str_eq(error->detail, "a pot");
        ck_assert_str_eq(error->hint, "coffee");
        ck_assert_str_eq(error->schema, "s");
        ck_assert_str_eq(error->table, "t");
        ck_assert_str_eq(error->column, "c");
        ck_assert_str_eq(error->type, "d");
        ck_assert_str_eq(error->constraint, "k");
        ck_assert_ptr_nonnull(strstr(error->context, "inline_code_block"));
        expect_same_connection();
}
END_TEST

START_TEST(an_error_inside_a_function_has_the_statement_that_failed)
{
        const struct pipit_result *res =
                query("DO $$ BEGIN EXECUTE 'SELECT ''ä'', nope'; END $$", PIPIT_NO_PARAMS);
        const struct pipit_error *error = pipit_result_error(res);

        expect_error(res, PIPIT_ESERVER, "42703");
        ck_assert_str_eq(error->internal_query, "SELECT 'ä', nope");
        ck_assert_int_eq(error->internal_position, 13);
        ck_assert_int_eq(error->position, 0);
        ck_assert_ptr_nonnull(strstr(error->context, "inline_code_block"));
        ck_assert_ptr_nonnull(error->source_file);
        ck_assert_ptr_nonnull(error->source_line);
        ck_assert_ptr_nonnull(error->source_function);
}
END_TEST

/* ---- who gets an error */

START_TEST(a_deferred_constraint_fails_the_insert_that_broke_it)
{
        execute("INSERT INTO errors_s.late VALUES (1)");
        const struct pipit_result *res =
                query("INSERT INTO errors_s.late VALUES (1)", PIPIT_NO_PARAMS);

        expect_error(res, PIPIT_ESERVER, "23505");
        ck_assert_str_eq(pipit_result_error(res)->constraint, "late_is_unique");
        ck_assert_int_eq(pipit_result_error(res)->executed, PIPIT_EXECUTED_ROLLED_BACK);
        expect_text(query("SELECT count(*) FROM errors_s.late", PIPIT_NO_PARAMS), 0, 0, "1");
        expect_same_connection();
}
END_TEST

#define N_NEIGHBOURS 40

/* The i-th of a pipeline: every fourth breaks the deferred constraint, every eighth divides by 0.
 */
static bool
is_late(int i)
{
        return i % 4 == 1;
}

static bool
is_division(int i)
{
        return i % 8 == 3;
}

static void
neighbour_start(int i, struct calls *calls)
{
        if (is_late(i))
                pipit_query(live_db, "INSERT INTO errors_s.late VALUES (1) RETURNING id",
                            PIPIT_NO_PARAMS, on_call, calls);
        else if (is_division(i))
                pipit_query(live_db, "SELECT 1 / ($1::int - $1::int)", PIPIT_PARAMS(i), on_call,
                            calls);
        else
                pipit_query(live_db, "SELECT $1::text, pg_backend_pid()", PIPIT_PARAMS(i), on_call,
                            calls);
}

static void
neighbour_check(int i, struct calls *calls)
{
        char number[16];

        snprintf(number, sizeof number, "%d", i);
        if (is_late(i)) {
                expect_error(answer(calls), PIPIT_ESERVER, "23505");
        } else if (is_division(i)) {
                expect_error(answer(calls), PIPIT_ESERVER, "22012");
        } else {
                expect_text(answer(calls), 0, 0, number);
                expect_text(calls->last, 0, 1, backend);
        }
}

START_TEST(the_neighbours_of_failures_in_a_pipeline_get_their_own_answers)
{
        struct calls calls[N_NEIGHBOURS] = {{0}};

        execute("INSERT INTO errors_s.late VALUES (1)");
        for (int i = 0; i < N_NEIGHBOURS; i++)
                neighbour_start(i, &calls[i]);
        for (int i = 0; i < N_NEIGHBOURS; i++)
                neighbour_check(i, &calls[i]);
        expect_text(query("SELECT count(*) FROM errors_s.late", PIPIT_NO_PARAMS), 0, 0, "1");
        expect_same_connection();
}
END_TEST

START_TEST(a_failure_rolls_back_its_own_statement_only)
{
        struct calls calls[3] = {{0}};

        ask_on(live_db, "INSERT INTO errors_s.t VALUES (1)", &calls[0]);
        ask_on(live_db, "INSERT INTO errors_s.t VALUES (2), (1000)", &calls[1]);
        ask_on(live_db, "INSERT INTO errors_s.t VALUES (3)", &calls[2]);
        expect_ok(answer(&calls[0]));
        expect_error(answer(&calls[1]), PIPIT_ESERVER, "23514");
        expect_ok(answer(&calls[2]));
        expect_text(query("SELECT array_agg(id ORDER BY id) FROM errors_s.t", PIPIT_NO_PARAMS), 0,
                    0, "{1,3}");
}
END_TEST

#define LENGTH(array) ((int)(sizeof(array) / sizeof(array)[0]))

static TCase *
bad_input(void)
{
        TCase *tcase = tcase_create("bad input");

        tcase_add_checked_fixture(tcase, one_connection_setup, live_teardown);
        tcase_add_test(tcase, a_zero_byte_in_a_text_is_refused_and_the_parameter_named);
        tcase_add_test(tcase, a_pointer_to_who_knows_what_is_refused_and_the_parameter_named);
        tcase_add_test(tcase, no_sql_text_is_a_bad_argument);
        tcase_add_test(tcase, a_count_without_values_is_a_bad_argument);
        tcase_add_test(tcase, a_statement_takes_65535_parameters);
        tcase_add_test(tcase, a_statement_of_65536_parameters_is_refused);
        tcase_add_loop_test(tcase, an_error_of_the_server_leaves_the_connection_usable, 0,
                            LENGTH(statements));
        tcase_add_loop_test(tcase, a_statement_of_nothing_succeeds_without_rows, 0,
                            LENGTH(empties));
        tcase_add_test(tcase, a_position_counts_characters);
        tcase_add_test(tcase, an_error_without_position_has_0);
        tcase_add_test(tcase, an_error_inside_a_function_has_the_statement_that_failed);
        return tcase;
}

static TCase *
tables(void)
{
        TCase *tcase = tcase_create("tables");

        tcase_add_checked_fixture(tcase, tables_setup, tables_teardown);
        tcase_add_test(tcase, a_unique_violation_has_every_field);
        tcase_add_test(tcase, a_not_null_violation_names_its_column);
        tcase_add_test(tcase, a_check_violation_names_its_constraint);
        tcase_add_test(tcase, a_hint_of_the_server_is_there);
        tcase_add_test(tcase, an_error_raised_by_a_function_has_all_that_it_says);
        tcase_add_test(tcase, a_deferred_constraint_fails_the_insert_that_broke_it);
        tcase_add_test(tcase, the_neighbours_of_failures_in_a_pipeline_get_their_own_answers);
        tcase_add_test(tcase, a_failure_rolls_back_its_own_statement_only);
        return tcase;
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("errors");

        suite_add_tcase(suite, bad_input());
        suite_add_tcase(suite, tables());
        return suite;
}
