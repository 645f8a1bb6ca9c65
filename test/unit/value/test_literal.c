#include <stdlib.h>
#include <string.h>

#include "runner.h"
#include "value/literal.h"

enum { ITEMS_MAX = 16 };

static char *copy;
static struct pipit_item items[ITEMS_MAX];

/* A copy to take apart, at the end of its own memory; its length. */
static size_t
copy_of(const char *text)
{
        free(copy);
        copy = strdup(text);
        ck_assert_ptr_nonnull(copy);
        ck_assert_uint_le(pipit__literal_most(text, strlen(text), ','), ITEMS_MAX);
        return strlen(text);
}

static void
teardown(void)
{
        free(copy);
        copy = NULL;
}

/* The items as one text, NULL as it is; NULL ends them. */
static void
items_are(size_t n, const char *const *texts)
{
        for (size_t i = 0; i < n; i++) {
                ck_assert_pstr_eq(items[i].data, texts[i]);
                ck_assert_uint_eq(items[i].length, texts[i] ? strlen(texts[i]) : 0);
        }
        ck_assert_ptr_null(n < 6 ? texts[n] : NULL);
}

static const struct {
        const char *text;
        int n_dimensions;
        int32_t lengths[3];
        int32_t lower[3];
        size_t n;
        const char *items[6];
} arrays[] = {
        {"{}", 0, {0}, {0}, 0, {NULL}},
        {"{1}", 1, {1}, {1}, 1, {"1"}},
        {"{1,NULL,-3}", 1, {3}, {1}, 3, {"1", NULL, "-3"}},
        {"{\"NULL\",\"\",nul}", 1, {3}, {1}, 3, {"NULL", "", "nul"}},
        {"{\"a\\\"b\",\"c\\\\d\",\"{,}\"}", 1, {3}, {1}, 3, {"a\"b", "c\\d", "{,}"}},
        {"{{1,2},{3,4}}", 2, {2, 2}, {1, 1}, 4, {"1", "2", "3", "4"}},
        {"{{{1},{2}}}", 3, {1, 2, 1}, {1, 1, 1}, 2, {"1", "2"}},
        {"[0:1]={5,6}", 1, {2}, {0}, 2, {"5", "6"}},
        {"[2:2][-1:0]={{1,2}}", 2, {1, 2}, {2, -1}, 2, {"1", "2"}},
        {"[2147483647:2147483647]={1}", 1, {1}, {INT32_MAX}, 1, {"1"}},
};

START_TEST(an_array_is_taken_apart)
{
        struct pipit_array array = {.n = 77};
        size_t length = copy_of(arrays[_i].text);

        ck_assert(pipit__literal_array(copy, length, ',', items, &array));
        ck_assert_int_eq(array.n_dimensions, arrays[_i].n_dimensions);
        ck_assert_mem_eq(array.lengths, arrays[_i].lengths, sizeof arrays[_i].lengths);
        ck_assert_mem_eq(array.lower, arrays[_i].lower, sizeof arrays[_i].lower);
        ck_assert_uint_eq(array.n, arrays[_i].n);
        items_are(array.n, arrays[_i].items);
}
END_TEST

START_TEST(boxes_have_another_delimiter)
{
        const char *const texts[] = {"(0,0),(1,1)", "(2,2),(3,3)", NULL};
        struct pipit_array array = {.n = 77};
        size_t length = copy_of("{(0,0),(1,1);(2,2),(3,3)}");

        ck_assert(pipit__literal_array(copy, length, ';', items, &array));
        ck_assert_uint_eq(array.n, 2);
        items_are(2, texts);
}
END_TEST

static const char *const no_arrays[] = {
        "",
        "1",
        "{",
        "}",
        "{1",
        "1}",
        "{1}}",
        "{{1}",
        "{1,}",
        "{,1}",
        "{,}",
        "{\"1}",
        "{\"1\"2}",
        "{1\"2\"}",
        "{a\\b}",
        "{\"a\\",
        "{{1,2},3}",
        "{1,{2}}",
        "{{1},{2,3}}",
        "{{}}",
        "{{1},{}}",
        "{}x",
        "{1}x",
        "[0:1]{1,2}",
        "[0:1]={1}",
        "[0:1]={1,2,3}",
        "[1:0]={}",
        "[0:=",
        "[a:b]={1}",
        "[1:1][1:1]={1}",
        "[0:2147483647]={1}",
        "[-2147483648:2147483647]={1}",
        "[1:99999999999]={1}",
        "{{{{{{{1}}}}}}}",
        "[1:1][1:1][1:1][1:1][1:1][1:1][1:1]={1}",
        "{\"a\"\"b\"}",
        "[",
        "[1",
        "[1:",
        "[1:1",
        "[1:1]",
        "[1:1]=",
};

START_TEST(what_is_no_array_is_refused)
{
        struct pipit_array array = {.n = 77};
        size_t length = copy_of(no_arrays[_i]);

        ck_assert(!pipit__literal_array(copy, length, ',', items, &array));
        ck_assert_uint_eq(array.n, 77);
}
END_TEST

static const struct {
        const char *text;
        struct pipit_range range; /* but for its items */
        const char *lower;
        const char *upper;
} ranges[] = {
        {"empty", {.empty = true}, NULL, NULL},
        {"[1,5)", {.lower_inclusive = true}, "1", "5"},
        {"(1,5]", {.upper_inclusive = true}, "1", "5"},
        {"(,)", {.lower_infinite = true, .upper_infinite = true}, NULL, NULL},
        {"[1,)", {.lower_inclusive = true, .upper_infinite = true}, "1", NULL},
        {"(\"a b\",\"x\"\"y\\\\z\")", {.empty = false}, "a b", "x\"y\\z"},
        {"(\"\",\"(\")", {.empty = false}, "", "("},
};

START_TEST(a_range_is_taken_apart)
{
        struct pipit_range range;
        size_t length = copy_of(ranges[_i].text);

        ck_assert(pipit__literal_range(copy, length, &range));
        ck_assert_int_eq(range.empty, ranges[_i].range.empty);
        ck_assert_int_eq(range.lower_infinite, ranges[_i].range.lower_infinite);
        ck_assert_int_eq(range.upper_infinite, ranges[_i].range.upper_infinite);
        ck_assert_int_eq(range.lower_inclusive, ranges[_i].range.lower_inclusive);
        ck_assert_int_eq(range.upper_inclusive, ranges[_i].range.upper_inclusive);
        ck_assert_pstr_eq(range.lower.data, ranges[_i].lower);
        ck_assert_pstr_eq(range.upper.data, ranges[_i].upper);
}
END_TEST

static const char *const no_ranges[] = {
        "",    "empt",   "empty ",  "[",       "[1",         "[1,",        "[1,2",    "1,2)",
        "[1)", "[1,2)x", "[1,2,3)", "[\"1,2)", "[1\"2\",3)", "[\"1\"2,3)", "[1\\,2)",
};

START_TEST(what_is_no_range_is_refused)
{
        struct pipit_range range;

        size_t length = copy_of(no_ranges[_i]);

        ck_assert(!pipit__literal_range(copy, length, &range));
}
END_TEST

static const struct {
        const char *text;
        size_t n;
        const char *items[6];
} multiranges[] = {
        {"{}", 0, {NULL}},
        {"{[1,2)}", 1, {"[1,2)"}},
        {"{[1,2),(4,)}", 2, {"[1,2)", "(4,)"}},
        {"{empty,[1,2)}", 2, {"empty", "[1,2)"}},
        {"{[\"a)\",\"]\"),(,)}", 2, {"[\"a)\",\"]\")", "(,)"}},
};

START_TEST(a_multirange_is_taken_apart)
{
        size_t n = 77;
        size_t length = copy_of(multiranges[_i].text);

        ck_assert(pipit__literal_multirange(copy, length, items, &n));
        ck_assert_uint_eq(n, multiranges[_i].n);
        items_are(n, multiranges[_i].items);
}
END_TEST

static const char *const no_multiranges[] = {"",         "{",        "{[1,2)",   "[1,2)",
                                             "{1,2}",    "{[1,2),}", "{[1,2}",   "{}x",
                                             "{[1,2)}x", "{,}",      "{emptyx}", "{empt"};

START_TEST(what_is_no_multirange_is_refused)
{
        size_t n = 77;
        size_t length = copy_of(no_multiranges[_i]);

        ck_assert(!pipit__literal_multirange(copy, length, items, &n));
}
END_TEST

static const struct {
        const char *text;
        size_t n;
        const char *items[6];
} composites[] = {
        {"()", 1, {NULL}},
        {"(,)", 2, {NULL, NULL}},
        {"(1,a,,\"\")", 4, {"1", "a", NULL, ""}},
        {"(\"a b\",\"x\"\"y\",\"\\\\\",\"(,)\")", 4, {"a b", "x\"y", "\\", "(,)"}},
        {"(NULL)", 1, {"NULL"}},
};

START_TEST(a_composite_is_taken_apart)
{
        size_t n = 77;
        size_t length = copy_of(composites[_i].text);

        ck_assert(pipit__literal_composite(copy, length, items, &n));
        ck_assert_uint_eq(n, composites[_i].n);
        items_are(n, composites[_i].items);
}
END_TEST

static const char *const no_composites[] = {"",      "(",        "(1",       "1)",     "(1)x",
                                            "(\"1)", "(a\"b\")", "(\"a\"b)", "(\"a\\", "{1}"};

START_TEST(what_is_no_composite_is_refused)
{
        size_t n = 77;
        size_t length = copy_of(no_composites[_i]);

        ck_assert(!pipit__literal_composite(copy, length, items, &n));
        ck_assert_uint_eq(n, 77);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

Suite *
test_suite(void)
{
        Suite *suite = suite_create("literal");
        TCase *tcase = tcase_create("literal");

        tcase_add_checked_fixture(tcase, NULL, teardown);
        tcase_add_loop_test(tcase, an_array_is_taken_apart, 0, COUNT(arrays));
        tcase_add_test(tcase, boxes_have_another_delimiter);
        tcase_add_loop_test(tcase, what_is_no_array_is_refused, 0, COUNT(no_arrays));
        tcase_add_loop_test(tcase, a_range_is_taken_apart, 0, COUNT(ranges));
        tcase_add_loop_test(tcase, what_is_no_range_is_refused, 0, COUNT(no_ranges));
        tcase_add_loop_test(tcase, a_multirange_is_taken_apart, 0, COUNT(multiranges));
        tcase_add_loop_test(tcase, what_is_no_multirange_is_refused, 0, COUNT(no_multiranges));
        tcase_add_loop_test(tcase, a_composite_is_taken_apart, 0, COUNT(composites));
        tcase_add_loop_test(tcase, what_is_no_composite_is_refused, 0, COUNT(no_composites));
        suite_add_tcase(suite, tcase);
        return suite;
}
