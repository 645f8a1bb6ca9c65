#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "oom.h"
#include "runner.h"

START_TEST(an_empty_buffer_is_an_empty_text)
{
        struct buf buf;

        pipit__buf_init(&buf);
        ck_assert_str_eq(pipit__buf_text(&buf), "");
        pipit__buf_fini(&buf);
}
END_TEST

START_TEST(pieces_are_put_together)
{
        struct buf buf;

        pipit__buf_init(&buf);
        pipit__buf_add_text(&buf, "SELECT");
        pipit__buf_add_char(&buf, ' ');
        pipit__buf_add(&buf, "12345", 2);
        pipit__buf_add_text(&buf, "");
        ck_assert_str_eq(pipit__buf_text(&buf), "SELECT 12");
        ck_assert_uint_eq(buf.length, 9);
        pipit__buf_fini(&buf);
}
END_TEST

START_TEST(a_buffer_grows_over_any_size)
{
        struct buf buf;

        pipit__buf_init(&buf);
        for (int i = 0; i < 5000; i++)
                pipit__buf_add_char(&buf, (char)('a' + i % 26));
        ck_assert_uint_eq(strlen(pipit__buf_text(&buf)), 5000);
        ck_assert_int_eq(pipit__buf_text(&buf)[4999], 'a' + 4999 % 26);
        pipit__buf_fini(&buf);
}
END_TEST

START_TEST(a_cleared_buffer_is_empty_and_usable)
{
        struct buf buf;

        pipit__buf_init(&buf);
        pipit__buf_add_text(&buf, "one");
        pipit__buf_clear(&buf);
        ck_assert_str_eq(pipit__buf_text(&buf), "");
        pipit__buf_add_text(&buf, "two");
        ck_assert_str_eq(pipit__buf_text(&buf), "two");
        pipit__buf_fini(&buf);
}
END_TEST

START_TEST(a_taken_text_belongs_to_the_caller)
{
        struct buf buf;

        pipit__buf_init(&buf);
        pipit__buf_add_text(&buf, "text");
        char *text = pipit__buf_take(&buf);
        ck_assert_str_eq(text, "text");
        ck_assert_str_eq(pipit__buf_text(&buf), "");
        free(text);
        text = pipit__buf_take(&buf);
        ck_assert_str_eq(text, "");
        free(text);
}
END_TEST

START_TEST(an_impossible_size_is_a_failure)
{
        struct buf buf;

        pipit__buf_init(&buf);
        pipit__buf_add_text(&buf, "x");
        pipit__buf_add(&buf, "", SIZE_MAX - 1);
        ck_assert(buf.failed);
        ck_assert_str_eq(pipit__buf_text(&buf), "x");
        pipit__buf_fini(&buf);
}
END_TEST

START_TEST(a_buffer_takes_no_more_than_its_max)
{
        struct buf buf;

        pipit__buf_init(&buf);
        size_t before = pipit__buf_limit(&buf, 1000);
        ck_assert_uint_eq(pipit__buf_limit(&buf, 2000), 1000);
        for (int i = 0; i < 1000; i++)
                pipit__buf_add_char(&buf, 'x');
        ck_assert(!buf.failed && !buf.full);
        ck_assert_uint_eq(buf.capacity, 1001);
        pipit__buf_add_char(&buf, 'y');
        ck_assert(buf.failed && buf.full);
        ck_assert_uint_eq(strlen(pipit__buf_text(&buf)), 1000);
        pipit__buf_clear(&buf);
        ck_assert(!buf.failed && !buf.full);
        buf.max = before;
        pipit__buf_add_text(&buf, "text");
        ck_assert_str_eq(pipit__buf_text(&buf), "text");
        pipit__buf_fini(&buf);
}
END_TEST

START_TEST(without_memory_the_failure_sticks)
{
        struct buf buf;

        for (int n = 0;; n++) {
                pipit__buf_init(&buf);
                oom_after(n);
                for (int i = 0; i < 1000; i++)
                        pipit__buf_add_text(&buf, "abc");
                bool failed = oom_stop();
                ck_assert_int_eq(buf.failed, failed);
                ck_assert(!buf.full);
                ck_assert_uint_eq(strlen(pipit__buf_text(&buf)), buf.length);
                char *text = pipit__buf_take(&buf);
                ck_assert_int_eq(text == NULL, failed);
                free(text);
                if (!failed)
                        break;
        }
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("buf");
        TCase *tcase = tcase_create("buf");

        tcase_add_test(tcase, an_empty_buffer_is_an_empty_text);
        tcase_add_test(tcase, pieces_are_put_together);
        tcase_add_test(tcase, a_buffer_grows_over_any_size);
        tcase_add_test(tcase, a_cleared_buffer_is_empty_and_usable);
        tcase_add_test(tcase, a_taken_text_belongs_to_the_caller);
        tcase_add_test(tcase, an_impossible_size_is_a_failure);
        tcase_add_test(tcase, a_buffer_takes_no_more_than_its_max);
        tcase_add_test(tcase, without_memory_the_failure_sticks);
        suite_add_tcase(suite, tcase);
        return suite;
}
