#include <pipit/error.h>

#include "oom.h"
#include "runner.h"
#include "value/value.h"

START_TEST(every_integer_type_has_a_kind)
{
        signed char sc = -1;
        short s = -2;
        long l = -3;
        long long ll = -4;
        unsigned char uc = 1;
        unsigned short us = 2;
        unsigned long ul = 3;
        const struct pipit_value values[] = {PIPIT_VALUE(sc), PIPIT_VALUE(s), PIPIT_VALUE(l),
                                             PIPIT_VALUE(ll)};
        const struct pipit_value others[] = {PIPIT_VALUE(uc), PIPIT_VALUE(us), PIPIT_VALUE(ul),
                                             PIPIT_VALUE(4ULL)};

        for (int i = 0; i < 4; i++) {
                ck_assert_int_eq(values[i].kind, PIPIT_KIND_INT);
                ck_assert_int_eq(values[i].as.int_value, -1 - i);
                ck_assert_int_eq(others[i].kind, PIPIT_KIND_UINT);
                ck_assert_uint_eq(others[i].as.uint_value, (unsigned)(i + 1));
        }
}
END_TEST

START_TEST(a_char_is_a_small_integer)
{
        char c = 'a';

        ck_assert_int_eq(PIPIT_VALUE(c).kind, PIPIT_KIND_INT);
        ck_assert_int_eq(PIPIT_VALUE(c).as.int_value, 'a');
}
END_TEST

START_TEST(bool_and_floating_types_have_kinds)
{
        bool b = true;

        ck_assert_int_eq(PIPIT_VALUE(b).kind, PIPIT_KIND_BOOL);
        ck_assert(PIPIT_VALUE(b).as.bool_value);
        ck_assert_int_eq(PIPIT_VALUE(1.5f).kind, PIPIT_KIND_FLOAT);
        ck_assert_int_eq(PIPIT_VALUE(1.5).kind, PIPIT_KIND_DOUBLE);
        ck_assert_double_eq(PIPIT_VALUE(1.5).as.double_value, 1.5);
}
END_TEST

START_TEST(text_carries_its_length)
{
        char array[] = "abc";

        ck_assert_int_eq(PIPIT_VALUE("title").kind, PIPIT_KIND_TEXT);
        ck_assert_uint_eq(PIPIT_VALUE("title").length, 5);
        ck_assert_ptr_eq(PIPIT_VALUE(array).as.text, array);
        ck_assert_uint_eq(pipit_value_text_n("abcdef", 2).length, 2);
}
END_TEST

START_TEST(a_null_pointer_becomes_sql_null)
{
        const char *text = NULL;
        const struct pipit_bytes bytes = {NULL, 0};

        ck_assert_int_eq(PIPIT_VALUE(text).kind, PIPIT_KIND_NULL);
        ck_assert_int_eq(PIPIT_VALUE(NULL).kind, PIPIT_KIND_NULL);
        ck_assert_int_eq(PIPIT_VALUE(bytes).kind, PIPIT_KIND_NULL);
        ck_assert_int_eq(pipit_value_text_n(NULL, 3).kind, PIPIT_KIND_NULL);
}
END_TEST

START_TEST(a_pointer_to_who_knows_what_keeps_being_one)
{
        int number = 0;
        void *pointer = &number;

        ck_assert_int_eq(PIPIT_VALUE(pointer).kind, PIPIT_KIND_POINTER);
}
END_TEST

START_TEST(structs_and_values_pass_through)
{
        struct pipit_timestamp timestamp = {17};
        struct pipit_uuid uuid = {{1, 2, 3}};
        struct pipit_bytes bytes = {"ab", 2};

        ck_assert_int_eq(PIPIT_VALUE(timestamp).as.timestamp.us, 17);
        ck_assert_int_eq(PIPIT_VALUE(uuid).as.uuid.bytes[2], 3);
        ck_assert_uint_eq(PIPIT_VALUE(bytes).length, 2);
        ck_assert_int_eq(PIPIT_VALUE(PIPIT_VALUE(7)).as.int_value, 7);
}
END_TEST

START_TEST(params_count_their_values)
{
        struct pipit_params three = PIPIT_PARAMS("a", 2, NULL);
        struct pipit_params many =
                PIPIT_PARAMS(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
                             21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32);

        ck_assert_int_eq(three.n, 3);
        ck_assert_int_eq(three.values[1].as.int_value, 2);
        ck_assert_int_eq(PIPIT_PARAMS(1).n, 1);
        ck_assert_int_eq(PIPIT_NO_PARAMS.n, 0);
        ck_assert_int_eq(many.n, 32);
        for (int i = 0; i < many.n; i++)
                ck_assert_int_eq(many.values[i].as.int_value, i + 1);
}
END_TEST

START_TEST(kept_values_own_what_they_point_to)
{
        struct pipit_arena *arena = pipit_arena_new();
        char text[] = "text";
        char data[] = {1, 2};
        struct pipit_params kept = PIPIT_NO_PARAMS;
        struct pipit_bytes bytes = {data, sizeof(data)};

        ck_assert_int_eq(pipit__value_keep(arena, PIPIT_PARAMS(text, bytes, 7, NULL), &kept), 0);
        text[0] = 'x';
        data[0] = 9;
        ck_assert_int_eq(kept.n, 4);
        ck_assert_str_eq(kept.values[0].as.text, "text");
        ck_assert_int_eq(((const char *)kept.values[1].as.bytes)[0], 1);
        ck_assert_int_eq(kept.values[2].as.int_value, 7);
        pipit_arena_free(arena);
}
END_TEST

START_TEST(keeping_values_without_memory_fails)
{
        struct pipit_bytes bytes = {"", 0};
        char text[2000] = {0};

        memset(text, 'x', sizeof(text) - 1);
        for (int n = 0;; n++) {
                struct pipit_arena *arena = pipit_arena_new();
                struct pipit_params kept = PIPIT_NO_PARAMS;
                oom_after(n);
                int r = pipit__value_keep(arena, PIPIT_PARAMS(text, bytes), &kept);
                bool failed = oom_stop();
                ck_assert_int_eq(r, failed ? PIPIT_ENOMEM : 0);
                ck_assert_int_eq(kept.n, failed ? 0 : 2);
                pipit_arena_free(arena);
                if (!failed)
                        break;
        }
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("value");
        TCase *tcase = tcase_create("value");

        tcase_add_test(tcase, every_integer_type_has_a_kind);
        tcase_add_test(tcase, a_char_is_a_small_integer);
        tcase_add_test(tcase, bool_and_floating_types_have_kinds);
        tcase_add_test(tcase, text_carries_its_length);
        tcase_add_test(tcase, a_null_pointer_becomes_sql_null);
        tcase_add_test(tcase, a_pointer_to_who_knows_what_keeps_being_one);
        tcase_add_test(tcase, structs_and_values_pass_through);
        tcase_add_test(tcase, params_count_their_values);
        tcase_add_test(tcase, kept_values_own_what_they_point_to);
        tcase_add_test(tcase, keeping_values_without_memory_fails);
        suite_add_tcase(suite, tcase);
        return suite;
}
