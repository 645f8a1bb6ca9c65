#include <pipit/error.h>
#include <string.h>

#include "oom.h"
#include "runner.h"
#include "sql/sql.h"

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

START_TEST(a_statement_is_put_together)
{
        pipit__sql_raw(&sql, "SELECT ");
        pipit__sql_ident(&sql, "key");
        pipit__sql_raw(&sql, " LIMIT ");
        pipit__sql_number(&sql, -12);
        ck_assert_str_eq(pipit__sql_text(&sql), "SELECT \"key\" LIMIT -12");
        ck_assert_int_eq(pipit__sql_error(&sql), 0);
        ck_assert_str_eq(pipit__sql_error_text(&sql), "");
}
END_TEST

START_TEST(parameters_are_numbered_and_kept)
{
        pipit__sql_param(&sql, PIPIT_VALUE("a"));
        pipit__sql_raw(&sql, ", ");
        pipit__sql_param(&sql, PIPIT_VALUE(7));
        ck_assert_str_eq(pipit__sql_text(&sql), "$1, $2");
        struct pipit_params params = pipit__sql_params(&sql);
        ck_assert_int_eq(params.n, 2);
        ck_assert_int_eq(params.values[0].kind, PIPIT_KIND_TEXT);
        ck_assert_int_eq(params.values[1].as.int_value, 7);
}
END_TEST

static const struct {
        const char *name;
        const char *quoted; /* NULL: refused */
} idents[] = {
        {"a", "\"a\""},
        {"A b", "\"A b\""},
        {"select", "\"select\""},
        {"a\"b", "\"a\"\"b\""},
        {"\"; DROP TABLE x; --", "\"\"\"; DROP TABLE x; --\""},
        {"naïve", "\"naïve\""},
        {"\xf0\x9f\x90\xa6", "\"\xf0\x9f\x90\xa6\""},
        {"123456789012345678901234567890123456789012345678901234567890123",
         "\"123456789012345678901234567890123456789012345678901234567890123\""},
        {"1234567890123456789012345678901234567890123456789012345678901234", NULL},
        {"", NULL},
        {NULL, NULL},
        {"\x80", NULL},
        {"\xc3", NULL},
        {"\xc3(", NULL},
        {"\xc0\x80", NULL},
        {"\xe0\x80\x80", NULL},
        {"\xed\xa0\x80", NULL},
        {"\xf4\x90\x80\x80", NULL},
        {"\xf8\x80\x80\x80", NULL},
        {"\xf0\x9f\x90", NULL},
};

START_TEST(identifiers_are_quoted_or_refused)
{
        pipit__sql_ident(&sql, idents[_i].name);
        if (idents[_i].quoted) {
                ck_assert_int_eq(pipit__sql_error(&sql), 0);
                ck_assert_str_eq(pipit__sql_text(&sql), idents[_i].quoted);
        } else {
                ck_assert_int_eq(pipit__sql_error(&sql), PIPIT_EINVAL);
                ck_assert_str_ne(pipit__sql_error_text(&sql), "");
                const char *text = pipit__sql_error_text(&sql);
                ck_assert(pipit__sql_is_utf8(text, strlen(text)));
        }
}
END_TEST

START_TEST(a_refused_identifier_is_named)
{
        pipit__sql_ident(&sql, idents[8].name);
        ck_assert_ptr_nonnull(strstr(pipit__sql_error_text(&sql), idents[8].name));
}
END_TEST

START_TEST(a_long_message_is_cut_between_characters)
{
        for (int n = 64; n < 400; n++) {
                char name[401] = "";
                for (int i = 0; i < n; i++)
                        memcpy(name + i, i % 2 == 0 ? "\xc3" : "\xbc", 2);
                name[n - n % 2] = '\0';
                pipit__sql_fini(&sql);
                pipit__sql_ident(&sql, name);
                const char *text = pipit__sql_error_text(&sql);
                ck_assert(pipit__sql_is_utf8(text, strlen(text)));
        }
}
END_TEST

START_TEST(literals_double_their_quotes)
{
        pipit__sql_literal(&sql, "it's \\ \"so\"");
        ck_assert_str_eq(pipit__sql_text(&sql), "'it''s \\ \"so\"'");
}
END_TEST

START_TEST(literals_that_are_not_utf8_are_refused)
{
        pipit__sql_literal(&sql, "\xff");
        ck_assert_int_eq(pipit__sql_error(&sql), PIPIT_EINVAL);
}
END_TEST

START_TEST(the_first_error_sticks)
{
        pipit__sql_raw(&sql, "SELECT");
        pipit__sql_fail(&sql, PIPIT_EINVAL, "number %d", 1);
        pipit__sql_fail(&sql, PIPIT_ELIMIT, "number %d", 2);
        pipit__sql_raw(&sql, " 1");
        pipit__sql_param(&sql, PIPIT_VALUE(1));
        pipit__sql_ident(&sql, "");
        pipit__sql_literal(&sql, "x");
        ck_assert_int_eq(pipit__sql_error(&sql), PIPIT_EINVAL);
        ck_assert_str_eq(pipit__sql_error_text(&sql), "number 1");
        ck_assert_str_eq(pipit__sql_text(&sql), "SELECT");
        ck_assert_int_eq(pipit__sql_params(&sql).n, 0);
}
END_TEST

START_TEST(parameters_are_limited_to_what_the_server_takes)
{
        for (int i = 0; i < PIPIT__SQL_PARAMS_MAX; i++)
                pipit__sql_param(&sql, PIPIT_VALUE(i));
        ck_assert_int_eq(pipit__sql_error(&sql), 0);
        pipit__sql_param(&sql, PIPIT_VALUE(0));
        ck_assert_int_eq(pipit__sql_error(&sql), PIPIT_ELIMIT);
        ck_assert_ptr_nonnull(strstr(pipit__sql_error_text(&sql), "65535"));
}
END_TEST

START_TEST(without_memory_a_statement_fails)
{
        for (int n = 0;; n++) {
                pipit__sql_init(&sql);
                oom_after(n);
                for (int i = 0; i < 100; i++)
                        pipit__sql_param(&sql, PIPIT_VALUE(i));
                bool failed = oom_stop();
                ck_assert_int_eq(pipit__sql_error(&sql), failed ? PIPIT_ENOMEM : 0);
                ck_assert_str_eq(pipit__sql_error_text(&sql), failed ? "out of memory" : "");
                pipit__sql_fini(&sql);
                if (!failed)
                        break;
        }
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("sql");
        TCase *tcase = tcase_create("sql");
        int n_idents = (int)(sizeof(idents) / sizeof(idents[0]));

        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_test(tcase, a_statement_is_put_together);
        tcase_add_test(tcase, parameters_are_numbered_and_kept);
        tcase_add_loop_test(tcase, identifiers_are_quoted_or_refused, 0, n_idents);
        tcase_add_test(tcase, a_refused_identifier_is_named);
        tcase_add_test(tcase, a_long_message_is_cut_between_characters);
        tcase_add_test(tcase, literals_double_their_quotes);
        tcase_add_test(tcase, literals_that_are_not_utf8_are_refused);
        tcase_add_test(tcase, the_first_error_sticks);
        tcase_add_test(tcase, parameters_are_limited_to_what_the_server_takes);
        tcase_add_test(tcase, without_memory_a_statement_fails);
        suite_add_tcase(suite, tcase);
        return suite;
}
