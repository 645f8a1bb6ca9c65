#include <stdlib.h>
#include <string.h>

#include "oom.h"
#include "pool/search_path.h"
#include "runner.h"

#define NAME_63 "a12345678901234567890123456789012345678901234567890123456789012"

static const struct {
        const char *list;
        const char *names; /* as the command has them */
} lists[] = {
        {"public, pg_temp", "\"public\", \"pg_temp\""},
        {" Mine ,\t\"Mine\"\n", "\"mine\", \"Mine\""},
        {"\"$user\",public", "\"$user\", \"public\""},
        {"\"a \"\"b\"\", c\"", "\"a \"\"b\"\", c\""},
        {"user", "\"user\""},
        {"a'; DROP", NULL},
        {"a';DROP", "\"a';drop\""},
        {"''", "\"''\""},
        {NAME_63, "\"" NAME_63 "\""},
        {NAME_63 "b", NULL},
        {"\"" NAME_63 "b\"", NULL},
        {"a b", NULL},
        {"a,", NULL},
        {",a", NULL},
        {"a,,b", NULL},
        {"\"a", NULL},
        {"\"\"", NULL},
        {"\"a\"b", NULL},
        {"a\"b\"", NULL},
        {" ", NULL},
};
#define N_LISTS ((int)(sizeof lists / sizeof lists[0]))

START_TEST(each_name_of_a_list_is_quoted_and_nothing_else_is_a_list)
{
        static const char command[] = "SET LOCAL search_path = ";
        const char *names = lists[_i].names;

        ck_assert_int_eq(pipit__search_path_is_list(lists[_i].list), names != NULL);
        if (names == NULL)
                return;
        char *text = pipit__search_path_command(lists[_i].list);
        ck_assert_ptr_nonnull(text);
        ck_assert_int_eq(strncmp(text, command, strlen(command)), 0);
        ck_assert_str_eq(text + strlen(command), names);
        free(text);
}
END_TEST

START_TEST(no_list_at_all_is_one)
{
        ck_assert(pipit__search_path_is_list(""));
}
END_TEST

START_TEST(without_memory_there_is_no_command)
{
        char *text = NULL;

        for (int n = 0; text == NULL; n++) {
                oom_after(n);
                text = pipit__search_path_command("public, pg_temp");
                ck_assert_int_eq(oom_stop(), text == NULL);
        }
        ck_assert_str_eq(text, "SET LOCAL search_path = \"public\", \"pg_temp\"");
        free(text);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("search_path");
        TCase *tcase = tcase_create("search_path");

        tcase_add_loop_test(tcase, each_name_of_a_list_is_quoted_and_nothing_else_is_a_list, 0,
                            N_LISTS);
        tcase_add_test(tcase, no_list_at_all_is_one);
        tcase_add_test(tcase, without_memory_there_is_no_command);
        suite_add_tcase(suite, tcase);
        return suite;
}
