#include <pipit/error.h>
#include <pipit/query.h>
#include <stdlib.h>
#include <string.h>

#include "request/bound_stmt.h"
#include "request/stmt_cache.h"
#include "request/stmt_types.h"
#include "runner.h"
#include "value/oid.h"

static struct stmt_problem problem;
static struct stmt_cache stmt_cache;

static void
setup(void)
{
        ck_assert_int_eq(pipit__stmt_cache_init(&stmt_cache, 0), 0);
}

static void
teardown(void)
{
        pipit__stmt_cache_fini(&stmt_cache);
}

/* In a block of exactly the measured size: the memory checkers watch its end. */
static struct bound_stmt *
bound(const char *sql, struct pipit_params params)
{
        struct bound_form form;

        struct stmt *stmt = pipit__stmt_cache_get(&stmt_cache, sql);
        ck_assert_int_eq(pipit__bound_stmt_measure(stmt, params, &form, &problem), 0);
        void *block = malloc(form.size);
        ck_assert_ptr_nonnull(block);
        return pipit__bound_stmt_write(block, stmt, params, &form);
}

static void
statement_free(struct bound_stmt *made)
{
        pipit__bound_stmt_fini(made);
        free(made);
}

static int
measure(const char *sql, const struct pipit_value *values, int n)
{
        struct pipit_params params = {values, n};
        struct bound_form form;
        int code = pipit__bound_stmt_check(sql, params, &problem);

        if (code == 0) {
                struct stmt *stmt = pipit__stmt_cache_get(&stmt_cache, sql);
                code = pipit__bound_stmt_measure(stmt, params, &form, &problem);
                pipit__stmt_unref(stmt);
        }
        return code;
}

START_TEST(a_statement_without_parameters_is_its_text)
{
        struct bound_stmt *made = bound("SELECT 1", (struct pipit_params){NULL, 0});

        ck_assert_str_eq(pipit__stmt_sql(made->stmt), "SELECT 1");
        ck_assert_int_eq(made->params.n, 0);
        ck_assert_uint_eq(made->bytes, 9);
        statement_free(made);
}
END_TEST

START_TEST(values_are_texts_in_their_order)
{
        const struct pipit_value values[] = {pipit_value_int(-42),   pipit_value_text("te'xt"),
                                             pipit_value_bool(true), pipit_value_text_n("cut", 2),
                                             pipit_value_null(),     pipit_value_text("")};
        struct bound_stmt *made = bound("SELECT $1", (struct pipit_params){values, 6});

        ck_assert_int_eq(made->params.n, 6);
        ck_assert_str_eq(made->params.values[0], "-42");
        ck_assert_str_eq(made->params.values[1], "te'xt");
        ck_assert_int_eq(made->params.values[2][0], 't');
        ck_assert_str_eq(made->params.values[3], "cu");
        ck_assert_ptr_null(made->params.values[4]);
        ck_assert_str_eq(made->params.values[5], "");
        ck_assert_str_eq(pipit__stmt_sql(made->stmt), "SELECT $1");
        statement_free(made);
}
END_TEST

START_TEST(nothing_is_borrowed)
{
        char sql[] = "SELECT $1";
        char text[] = "text";
        struct pipit_value values[] = {pipit_value_text(text)};
        struct bound_stmt *made = bound(sql, (struct pipit_params){values, 1});

        memset(sql, 'x', sizeof sql - 1);
        memset(text, 'x', sizeof text - 1);
        memset(values, 0, sizeof values);
        ck_assert_str_eq(pipit__stmt_sql(made->stmt), "SELECT $1");
        ck_assert_str_eq(made->params.values[0], "text");
        statement_free(made);
}
END_TEST

START_TEST(bytes_are_those_of_text_and_values)
{
        const struct pipit_value values[] = {pipit_value_text("12345"), pipit_value_null(),
                                             pipit_value_int(7)};
        struct bound_stmt *made = bound("$1", (struct pipit_params){values, 3});

        ck_assert_uint_eq(made->bytes, 3 + 6 + 2);
        statement_free(made);
}
END_TEST

START_TEST(text_with_a_zero_byte_is_refused_by_its_number)
{
        const struct pipit_value values[] = {pipit_value_int(1), pipit_value_text_n("a\0b", 3)};

        ck_assert_int_eq(measure("SELECT $1, $2", values, 2), PIPIT_ETYPE);
        ck_assert_int_eq(problem.code, PIPIT_ETYPE);
        ck_assert_int_eq(problem.parameter, 2);
        ck_assert_ptr_nonnull(strstr(problem.text, "zero byte"));
}
END_TEST

START_TEST(a_value_of_no_kind_is_refused_by_its_number)
{
        struct pipit_value values[] = {pipit_value_int(1)};

        values[0].kind = (enum pipit_kind)999;
        ck_assert_int_eq(measure("SELECT $1", values, 1), PIPIT_EINVAL);
        ck_assert_int_eq(problem.parameter, 1);
}
END_TEST

START_TEST(a_value_with_something_reserved_in_it_is_refused_by_its_number)
{
        struct pipit_value values[] = {pipit_value_int(1), pipit_value_null()};

        values[1].reserved = 1;
        ck_assert_int_eq(measure("SELECT $1, $2", values, 2), PIPIT_EINVAL);
        ck_assert_int_eq(problem.parameter, 2);
        ck_assert_ptr_nonnull(strstr(problem.text, "reserved member"));
}
END_TEST

START_TEST(a_missing_text_or_missing_values_are_refused)
{
        const struct pipit_value value = pipit_value_int(1);

        ck_assert_int_eq(measure(NULL, NULL, 0), PIPIT_EINVAL);
        ck_assert_int_eq(measure("SELECT $1", NULL, 1), PIPIT_EINVAL);
        ck_assert_int_eq(measure("SELECT $1", &value, -1), PIPIT_EINVAL);
        ck_assert_str_ne(problem.text, "");
}
END_TEST

/* ---- types */

/* The statement of a text has these types now. */
static struct stmt_types *
learn(const char *sql, int n, const uint32_t *oids)
{
        struct stmt *stmt = pipit__stmt_cache_get(&stmt_cache, sql);
        struct stmt_types *types = pipit__stmt_types_new(n, 0);

        memcpy(types->params, oids, (size_t)n * sizeof oids[0]);
        types = pipit__stmt_learn(stmt, types);
        pipit__stmt_types_unref(types); /* the statement has one */
        pipit__stmt_unref(stmt);
        return types;
}

START_TEST(values_that_fit_are_written_by_the_types_that_the_statement_had_last)
{
        const struct pipit_value values[] = {pipit_value_int(1), pipit_value_text("12")};
        struct stmt_types *types = learn("s", 2, (const uint32_t[]){OID_INT8, OID_INT4});
        struct bound_stmt *made = bound("s", (struct pipit_params){values, 2});

        ck_assert_ptr_eq(made->types, types);
        ck_assert(!made->is_misfit);
        ck_assert_uint_eq(pipit__bound_stmt_type(made, 0), OID_INT8);
        ck_assert_int_eq(made->params.formats[0], 1);
        ck_assert_int_eq(made->params.lengths[0], 8);
        ck_assert_int_eq(made->params.formats[1], 0);
        ck_assert_str_eq(made->params.values[1], "12");
        statement_free(made);
}
END_TEST

START_TEST(one_value_that_does_not_fit_makes_all_of_them_text)
{
        const struct pipit_value values[] = {pipit_value_int(1), pipit_value_double(0.1),
                                             pipit_value_null()};

        learn("s", 3, (const uint32_t[]){OID_INT8, OID_FLOAT4, OID_INT4});
        struct bound_stmt *made = bound("s", (struct pipit_params){values, 3});
        ck_assert(made->is_misfit);
        ck_assert_ptr_null(made->types);
        ck_assert_ptr_null(made->params.formats);
        ck_assert_uint_eq(pipit__bound_stmt_type(made, 0), 0);
        ck_assert_str_eq(made->params.values[0], "1");
        ck_assert_str_eq(made->params.values[1], "0.1");
        ck_assert_ptr_null(made->params.values[2]);
        statement_free(made);
}
END_TEST

START_TEST(types_of_another_number_of_parameters_say_nothing)
{
        const struct pipit_value values[] = {pipit_value_double(0.1)};

        learn("s", 2, (const uint32_t[]){OID_FLOAT4, OID_INT4});
        struct bound_stmt *made = bound("s", (struct pipit_params){values, 1});
        ck_assert(!made->is_misfit);
        ck_assert_ptr_null(made->types);
        statement_free(made);
}
END_TEST

START_TEST(types_stay_as_long_as_values_were_written_by_them)
{
        const struct pipit_value values[] = {pipit_value_int(1)};
        struct stmt_types *types = learn("s", 1, (const uint32_t[]){OID_INT4});
        struct bound_stmt *made = bound("s", (struct pipit_params){values, 1});

        ck_assert_ptr_ne(learn("s", 1, (const uint32_t[]){OID_INT8}), types);
        ck_assert_ptr_eq(made->types, types);
        ck_assert_int_eq(types->refs, 1);
        ck_assert_uint_eq(types->params[0], OID_INT4);
        statement_free(made);
}
END_TEST

START_TEST(a_number_keeps_its_text_when_it_is_written_anew)
{
        const struct pipit_value values[] = {pipit_value_float(0.1F), pipit_value_double(1e15),
                                             pipit_value_text("x"), pipit_value_null()};

        learn("s", 4, (const uint32_t[]){OID_FLOAT4, OID_FLOAT8, OID_TEXT, OID_INT4});
        struct bound_stmt *made = bound("s", (struct pipit_params){values, 4});
        ck_assert_int_eq(made->params.formats[0] + made->params.formats[1], 2);
        struct bound_stmt *anew = pipit__bound_stmt_rewrite(made);
        ck_assert_ptr_nonnull(anew);
        ck_assert_ptr_eq(anew->stmt, made->stmt);
        ck_assert_ptr_null(anew->types);
        ck_assert_ptr_null(anew->params.formats);
        ck_assert_str_eq(anew->params.values[0], "0.10000000149011612");
        ck_assert_str_eq(anew->params.values[1], "1000000000000000");
        ck_assert_str_eq(anew->params.values[2], "x");
        ck_assert_ptr_null(anew->params.values[3]);
        statement_free(made);
        ck_assert_str_eq(pipit__stmt_sql(anew->stmt), "s");
        statement_free(anew);
}
END_TEST

/* A request is counted by them while it waits, and is written anew on its way out. */
START_TEST(the_bytes_stay_when_it_is_written_anew)
{
        const struct pipit_value values[] = {pipit_value_int(1)};

        learn("s", 1, (const uint32_t[]){OID_INT8});
        struct bound_stmt *made = bound("s", (struct pipit_params){values, 1});
        struct bound_stmt *anew = pipit__bound_stmt_rewrite(made);
        ck_assert_uint_eq(made->bytes, 2 + 8);
        ck_assert_uint_eq(anew->bytes, made->bytes);
        statement_free(made);
        statement_free(anew);
}
END_TEST

START_TEST(a_misfit_stays_one_when_it_is_written_anew)
{
        const struct pipit_value values[] = {pipit_value_double(0.1)};

        learn("s", 1, (const uint32_t[]){OID_FLOAT4});
        struct bound_stmt *made = bound("s", (struct pipit_params){values, 1});
        struct bound_stmt *anew = pipit__bound_stmt_rewrite(made);
        ck_assert(anew->is_misfit);
        statement_free(made);
        statement_free(anew);
}
END_TEST

START_TEST(texts_fit_other_types_or_do_not)
{
        const struct pipit_value values[] = {pipit_value_text("1"), pipit_value_double(0.1),
                                             pipit_value_null()};
        struct bound_stmt *made = bound("s", (struct pipit_params){values, 3});
        struct stmt_types *good = learn("t", 3, (const uint32_t[]){OID_INT4, OID_FLOAT8, OID_UUID});
        struct stmt_types *bad = learn("u", 3, (const uint32_t[]){OID_INT4, OID_FLOAT4, OID_UUID});
        struct stmt_types *less = learn("v", 2, (const uint32_t[]){OID_INT4, OID_FLOAT8});

        ck_assert(pipit__bound_stmt_fits(made, good));
        ck_assert(!pipit__bound_stmt_fits(made, bad));
        ck_assert(!pipit__bound_stmt_fits(made, less));
        statement_free(made);
}
END_TEST

/* ---- bounds */

START_TEST(the_most_parameters_of_the_protocol_are_taken_and_not_one_more)
{
        struct pipit_value *values = calloc(STMT_MAX_PARAMS + 1, sizeof *values);

        for (int i = 0; i <= STMT_MAX_PARAMS; i++)
                values[i] = pipit_value_int(i);
        ck_assert_int_eq(measure("", values, STMT_MAX_PARAMS + 1), PIPIT_ELIMIT);
        ck_assert_ptr_nonnull(strstr(problem.text, "65535"));
        struct bound_stmt *made = bound("", (struct pipit_params){values, STMT_MAX_PARAMS});
        ck_assert_str_eq(made->params.values[STMT_MAX_PARAMS - 1], "65534");
        statement_free(made);
        free(values);
}
END_TEST

START_TEST(sizes_that_no_memory_has_are_refused)
{
        struct pipit_value values[] = {pipit_value_text_n("x", 1)};

        values[0] = pipit_value_bytes((struct pipit_bytes){"x", SIZE_MAX / 2});
        int code = measure("SELECT $1", values, 1);
        ck_assert(code == PIPIT_ELIMIT || code == PIPIT_ETYPE);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("bound_stmt");
        TCase *tcase = tcase_create("bound_stmt");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, a_statement_without_parameters_is_its_text);
        tcase_add_test(tcase, values_are_texts_in_their_order);
        tcase_add_test(tcase, nothing_is_borrowed);
        tcase_add_test(tcase, bytes_are_those_of_text_and_values);
        tcase_add_test(tcase, text_with_a_zero_byte_is_refused_by_its_number);
        tcase_add_test(tcase, a_value_of_no_kind_is_refused_by_its_number);
        tcase_add_test(tcase, a_value_with_something_reserved_in_it_is_refused_by_its_number);
        tcase_add_test(tcase, a_missing_text_or_missing_values_are_refused);
        tcase_add_test(tcase, values_that_fit_are_written_by_the_types_that_the_statement_had_last);
        tcase_add_test(tcase, one_value_that_does_not_fit_makes_all_of_them_text);
        tcase_add_test(tcase, types_of_another_number_of_parameters_say_nothing);
        tcase_add_test(tcase, types_stay_as_long_as_values_were_written_by_them);
        tcase_add_test(tcase, a_number_keeps_its_text_when_it_is_written_anew);
        tcase_add_test(tcase, the_bytes_stay_when_it_is_written_anew);
        tcase_add_test(tcase, a_misfit_stays_one_when_it_is_written_anew);
        tcase_add_test(tcase, texts_fit_other_types_or_do_not);
        tcase_add_test(tcase, the_most_parameters_of_the_protocol_are_taken_and_not_one_more);
        tcase_add_test(tcase, sizes_that_no_memory_has_are_refused);
        suite_add_tcase(suite, tcase);
        return suite;
}
