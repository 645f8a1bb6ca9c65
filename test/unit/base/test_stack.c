#include <search.h>

#include "base/stack.h"
#include "runner.h"

static int n_found;

static int deep(int n);

/* The compiler does not know which function this is, and makes no loop of the calls. */
static int (*volatile again)(int n) = deep;

/* Calls itself so often, and counts its own calls from the innermost one. */
static __attribute__((noinline)) int
deep(int n)
{
        if (n == 0)
                n_found = pipit__stack_count((uintptr_t)deep);
        return n == 0 ? 0 : again(n - 1) + 1;
}

static int
compare(const void *a, const void *b)
{
        n_found = pipit__stack_count((uintptr_t)lfind);
        return *(const char *)a - *(const char *)b;
}

START_TEST(each_call_of_a_function_is_counted)
{
        deep(_i);
        ck_assert_int_eq(n_found, _i + 1);
        ck_assert_int_eq(pipit__stack_count((uintptr_t)deep), 0);
}
END_TEST

START_TEST(a_function_of_another_library_is_found_through_its_own_frames)
{
        char text[] = "a";
        size_t n = 1;

        lfind(text, text, &n, 1, compare);
        ck_assert_int_eq(n_found, 1);
        ck_assert_int_eq(pipit__stack_count((uintptr_t)lfind), 0);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("stack");
        TCase *tcase = tcase_create("stack");

        tcase_add_loop_test(tcase, each_call_of_a_function_is_counted, 0, 3);
        tcase_add_test(tcase, a_function_of_another_library_is_found_through_its_own_frames);
        suite_add_tcase(suite, tcase);
        return suite;
}
