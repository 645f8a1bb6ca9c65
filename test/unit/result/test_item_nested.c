#include <pipit/error.h>
#include <pipit/item.h>
#include <string.h>

#include "oom.h"
#include "result/result.h"
#include "runner.h"
#include "value/oid.h"

enum { INT4_ARRAY = 1007, TEXT_ARRAY = 1009, INT4_RANGE = 3904, INT4_MULTIRANGE = 4451 };

#define NUMBER "\0\0\0\x17"
#define LETTER "\0\0\0\x19"

static struct result_owner owner;
static struct pipit_result *res;

static void
setup(void)
{
        pipit__result_owner_init(&owner, NULL);
        res = pipit__result_new(&owner);
        ck_assert_ptr_nonnull(res);
}

static void
teardown(void)
{
        res = pipit_result_unref(res);
        pipit__result_owner_fini(&owner);
}

static struct pipit_item
text(uint32_t type, const char *data)
{
        return (struct pipit_item){res, data, strlen(data), type, false};
}

/* Bytes of a literal, whose NUL is not part of them, but is behind them as in a result. */
#define BINARY(type, literal)                                                                      \
        (struct pipit_item)                                                                        \
        {                                                                                          \
                res, (literal), sizeof(literal) - 1, (type), true                                  \
        }

/* {{1,NULL},{3,4}} in both forms. */
static struct pipit_item
array_item(bool binary)
{
        if (!binary)
                return text(INT4_ARRAY, "[0:1][1:2]={{1,NULL},{3,4}}");
        return BINARY(INT4_ARRAY, "\0\0\0\2\0\0\0\1" NUMBER "\0\0\0\2\0\0\0\0\0\0\0\2\0\0\0\1"
                                  "\0\0\0\4\0\0\0\1\xff\xff\xff\xff\0\0\0\4\0\0\0\3"
                                  "\0\0\0\4\0\0\0\4");
}

START_TEST(an_array_is_read_from_both_forms)
{
        struct pipit_item item = array_item(_i == 1);
        struct pipit_array array;
        int32_t number = 7;

        ck_assert_int_eq(pipit_item_array(&item, &array), 0);
        ck_assert_int_eq(array.n_dimensions, 2);
        ck_assert_int_eq(array.lengths[0] == 2 && array.lengths[1] == 2, 1);
        ck_assert_int_eq(array.lower[0] == 0 && array.lower[1] == 1, 1);
        ck_assert_uint_eq(array.n, 4);
        ck_assert_uint_eq(array.items[0].type, OID_INT4);
        ck_assert_int_eq(pipit_item_int32(&array.items[0], &number), 0);
        ck_assert_int_eq(number, 1);
        ck_assert(pipit_item_null(&array.items[1]));
        ck_assert_int_eq(pipit_item_int32(&array.items[1], &number), PIPIT_ENOTFOUND);
        ck_assert_str_eq(pipit_item_text(&array.items[3]), "4");
}
END_TEST

START_TEST(a_range_is_read_from_both_forms)
{
        struct pipit_item item =
                _i == 1 ? BINARY(INT4_RANGE, "\x12\0\0\0\4\0\0\0\5") : text(INT4_RANGE, "[5,)");
        struct pipit_range range;
        int64_t number = 7;

        ck_assert_int_eq(pipit_item_range(&item, &range), 0);
        ck_assert_int_eq(range.lower_inclusive && range.upper_infinite, 1);
        ck_assert_int_eq(range.empty || range.lower_infinite || range.upper_inclusive, 0);
        ck_assert_int_eq(pipit_item_int64(&range.lower, &number), 0);
        ck_assert_int_eq(number, 5);
        ck_assert(pipit_item_null(&range.upper));
}
END_TEST

START_TEST(a_multirange_is_read_from_both_forms)
{
        struct pipit_item item =
                _i == 1 ? BINARY(INT4_MULTIRANGE, "\0\0\0\2\0\0\0\x11\2\0\0\0\4\0\0\0\1\0\0\0\4"
                                                  "\0\0\0\2\0\0\0\1\x18")
                        : text(INT4_MULTIRANGE, "{[1,2),(,)}");
        struct pipit_items ranges;
        struct pipit_range range;

        ck_assert_int_eq(pipit_item_multirange(&item, &ranges), 0);
        ck_assert_uint_eq(ranges.n, 2);
        ck_assert_uint_eq(ranges.items[0].type, INT4_RANGE);
        ck_assert_int_eq(pipit_item_range(&ranges.items[0], &range), 0);
        ck_assert_str_eq(pipit_item_text(&range.upper), "2");
        ck_assert_str_eq(pipit_item_text(&ranges.items[1]), "(,)");
}
END_TEST

START_TEST(a_composite_is_read_from_both_forms)
{
        struct pipit_item item =
                _i == 1 ? BINARY(OID_RECORD, "\0\0\0\3" NUMBER "\0\0\0\4\0\0\0\1" NUMBER
                                             "\xff\xff\xff\xff" LETTER "\0\0\0\3a,b")
                        : text(OID_RECORD, "(1,,\"a,b\")");
        struct pipit_items fields;

        ck_assert_int_eq(pipit_item_composite(&item, &fields), 0);
        ck_assert_uint_eq(fields.n, 3);
        ck_assert_str_eq(pipit_item_text(&fields.items[0]), "1");
        ck_assert_ptr_null(pipit_item_text(&fields.items[1]));
        ck_assert_str_eq(pipit_item_text(&fields.items[2]), "a,b");
}
END_TEST

/* The text of the first is not ended by what comes next, that of the second is the array's end. */
START_TEST(the_text_of_an_element_ends)
{
        struct pipit_item item = BINARY(TEXT_ARRAY, "\0\0\0\1\0\0\0\0" LETTER "\0\0\0\3\0\0\0\1"
                                                    "\0\0\0\1a\xff\xff\xff\xff\0\0\0\2bc");
        struct pipit_array array;

        ck_assert_int_eq(pipit_item_array(&item, &array), 0);
        ck_assert_str_eq(pipit_item_text(&array.items[0]), "a");
        ck_assert_ptr_ne(pipit_item_text(&array.items[0]), array.items[0].data);
        ck_assert_ptr_null(pipit_item_text(&array.items[1]));
        ck_assert_ptr_eq(pipit_item_text(&array.items[2]), array.items[2].data);
}
END_TEST

START_TEST(a_value_of_another_statement_is_no_array)
{
        struct pipit_item number = BINARY(OID_INT8, "\0\0\0\0\0\0\0\0");
        struct pipit_item vector = BINARY(OID_INT2VECTOR, "\0\0\0\0\0\0\0\0\0\0\0\x15");
        struct pipit_item string = BINARY(OID_TEXT, "{1,2}");
        struct pipit_array array;
        struct pipit_range range;

        ck_assert_int_eq(pipit_item_array(&number, &array), PIPIT_ETYPE);
        ck_assert_int_eq(pipit_item_range(&number, &range), PIPIT_ETYPE);
        ck_assert_int_eq(pipit_item_array(&vector, &array), PIPIT_ETYPE);
        ck_assert_int_eq(pipit_item_array(&string, &array), 0);
        ck_assert_str_eq(pipit_item_text(&array.items[1]), "2");
}
END_TEST

/* No memory is asked for on the word of a count: it would fail. */
START_TEST(a_count_without_values_takes_no_memory)
{
        struct pipit_item array =
                BINARY(INT4_ARRAY, "\0\0\0\1\0\0\0\0" NUMBER "\0\0\3\xe8\0\0\0\1\0\0\0\0");
        struct pipit_item ranges = BINARY(INT4_MULTIRANGE, "\0\0\3\xe8\0\0\0\1\1");
        struct pipit_item fields = BINARY(OID_RECORD, "\0\0\3\xe8\0\0\0\x17\0\0\0\0");
        struct pipit_array ret_array;
        struct pipit_items items;

        pipit__result_alloc(res, 1);
        oom_after(0);
        int codes[] = {pipit_item_array(&array, &ret_array), pipit_item_multirange(&ranges, &items),
                       pipit_item_composite(&fields, &items)};
        oom_stop();
        ck_assert_int_eq(codes[0], PIPIT_ETYPE);
        ck_assert_int_eq(codes[1], PIPIT_ETYPE);
        ck_assert_int_eq(codes[2], PIPIT_ETYPE);
}
END_TEST

START_TEST(an_array_without_memory_fails)
{
        for (int n = 0;; n++) {
                struct pipit_item item = array_item(_i == 1);
                struct pipit_array array = {.n = 77};
                oom_after(n);
                int code = pipit_item_array(&item, &array);
                const char *first = code == 0 ? pipit_item_text(&array.items[0]) : NULL;
                bool failed = oom_stop();
                ck_assert_int_eq(code == 0 && first, !failed);
                ck_assert_int_eq(code == 0 || code == PIPIT_ENOMEM, 1);
                ck_assert_uint_eq(array.n, code == 0 ? 4 : 77);
                if (!failed)
                        break;
                teardown();
                setup();
        }
}
END_TEST

/* Its values take a block of their own. */
START_TEST(a_long_array_without_memory_fails)
{
        enum { N = 200 };
        char digits[2 * N + 2] = "{";
        struct pipit_array array = {.n = 77};

        for (size_t i = 0; i < N; i++)
                memcpy(digits + 1 + 2 * i, i < N - 1 ? "1," : "1}", 3);
        for (int n = 0;; n++) {
                struct pipit_item item = text(INT4_ARRAY, digits);
                oom_after(n);
                int code = pipit_item_array(&item, &array);
                bool failed = oom_stop();
                ck_assert_int_eq(code, failed ? PIPIT_ENOMEM : 0);
                ck_assert_uint_eq(array.n, failed ? 77 : N);
                if (!failed)
                        break;
                teardown();
                setup();
        }
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("item_nested");
        TCase *tcase = tcase_create("item_nested");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_loop_test(tcase, an_array_is_read_from_both_forms, 0, 2);
        tcase_add_loop_test(tcase, a_range_is_read_from_both_forms, 0, 2);
        tcase_add_loop_test(tcase, a_multirange_is_read_from_both_forms, 0, 2);
        tcase_add_loop_test(tcase, a_composite_is_read_from_both_forms, 0, 2);
        tcase_add_test(tcase, the_text_of_an_element_ends);
        tcase_add_test(tcase, a_value_of_another_statement_is_no_array);
        tcase_add_test(tcase, a_count_without_values_takes_no_memory);
        tcase_add_loop_test(tcase, an_array_without_memory_fails, 0, 2);
        tcase_add_test(tcase, a_long_array_without_memory_fails);
        suite_add_tcase(suite, tcase);
        return suite;
}
