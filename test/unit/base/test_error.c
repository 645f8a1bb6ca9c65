#include <pipit/error.h>
#include <string.h>

#include "runner.h"

static const int codes[] = {
#define CODE(name, value, text) name,
        PIPIT_ERROR_MAP(CODE)
#undef CODE
};

enum { N_CODES = sizeof(codes) / sizeof(codes[0]) };

START_TEST(every_code_is_negative_and_has_a_name_and_a_text)
{
        ck_assert_int_lt(codes[_i], 0);
        ck_assert_int_eq(strncmp(pipit_code_name(codes[_i]), "PIPIT_E", 7), 0);
        ck_assert_str_ne(pipit_code_name(codes[_i]), "PIPIT_E?");
        ck_assert_str_ne(pipit_code_text(codes[_i]), "unknown error");
}
END_TEST

START_TEST(no_two_codes_are_equal)
{
        for (int i = 0; i < _i; i++) {
                ck_assert_int_ne(codes[i], codes[_i]);
                ck_assert_str_ne(pipit_code_name(codes[i]), pipit_code_name(codes[_i]));
                ck_assert_str_ne(pipit_code_text(codes[i]), pipit_code_text(codes[_i]));
        }
}
END_TEST

START_TEST(success_has_a_name_too)
{
        ck_assert_str_eq(pipit_code_name(PIPIT_OK), "PIPIT_OK");
        ck_assert_str_eq(pipit_code_text(PIPIT_OK), "success");
}
END_TEST

START_TEST(a_number_that_is_no_code_is_told_as_such)
{
        ck_assert_str_eq(pipit_code_name(1), "PIPIT_E?");
        ck_assert_str_eq(pipit_code_name(-10000), "PIPIT_E?");
        ck_assert_str_eq(pipit_code_text(12345), "unknown error");
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("error");
        TCase *tcase = tcase_create("error");

        tcase_add_loop_test(tcase, every_code_is_negative_and_has_a_name_and_a_text, 0, N_CODES);
        tcase_add_loop_test(tcase, no_two_codes_are_equal, 0, N_CODES);
        tcase_add_test(tcase, success_has_a_name_too);
        tcase_add_test(tcase, a_number_that_is_no_code_is_told_as_such);
        suite_add_tcase(suite, tcase);
        return suite;
}
