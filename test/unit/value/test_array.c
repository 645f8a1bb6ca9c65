#include "oom.h"
#include "runner.h"
#include "value/array.h"
#include "value/binary.h"
#include "value/oid.h"

/* The numbers of the types int4[], text[]. */
enum { OID_INT4_ARRAY = 1007, OID_TEXT_ARRAY = 1009 };

static struct buf array;
static struct buf text;

static void
setup(void)
{
        pipit__buf_init(&array);
        pipit__buf_init(&text);
}

static void
teardown(void)
{
        pipit__buf_fini(&array);
        pipit__buf_fini(&text);
}

static void
is_array(uint32_t type, const char *expected)
{
        ck_assert_int_eq(pipit__binary_text(type, array.data, array.length, &text), 0);
        ck_assert_str_eq(pipit__buf_text(&text), expected);
}

START_TEST(a_binary_array_has_its_elements_in_their_order)
{
        pipit__array_begin_binary(&array, OID_INT4, 3, true);
        pipit__array_add_binary(&array, "\0\0\0\7", 4);
        pipit__array_add_binary(&array, NULL, 0);
        pipit__array_add_binary(&array, "\377\377\377\377", 4);
        is_array(OID_INT4_ARRAY, "{7,NULL,-1}");
}
END_TEST

START_TEST(an_empty_element_is_not_null)
{
        pipit__array_begin_binary(&array, OID_TEXT, 2, false);
        pipit__array_add_binary(&array, "", 0);
        pipit__array_add_binary(&array, "a", 1);
        is_array(OID_TEXT_ARRAY, "{\"\",a}");
}
END_TEST

START_TEST(in_text_every_element_is_quoted_but_null)
{
        static const char *const elements[] = {"a,b", "", NULL, "NULL", "\\\"{}", " 'x' "};

        for (int i = 0; i < 6; i++)
                pipit__array_add_text(&array, i, elements[i]);
        pipit__array_end_text(&array);
        ck_assert_str_eq(pipit__buf_text(&array),
                         "{\"a,b\",\"\",NULL,\"NULL\",\"\\\\\\\"{}\",\" 'x' \"}");
}
END_TEST

START_TEST(without_memory_the_buffer_says_so)
{
        oom_after(0);
        pipit__array_begin_binary(&array, OID_TEXT, 1, false);
        pipit__array_add_binary(&array, "a", 1);
        ck_assert(oom_stop());
        ck_assert(array.failed);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("array");
        TCase *tcase = tcase_create("array");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, a_binary_array_has_its_elements_in_their_order);
        tcase_add_test(tcase, an_empty_element_is_not_null);
        tcase_add_test(tcase, in_text_every_element_is_quoted_but_null);
        tcase_add_test(tcase, without_memory_the_buffer_says_so);
        suite_add_tcase(suite, tcase);
        return suite;
}
