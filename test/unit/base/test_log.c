#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "runner.h"

static int n_lines;
static char last[2048];
static enum pipit_log_level last_level;
static char first[2048];

static void
on_line(enum pipit_log_level level, const char *line, void *arg)
{
        ck_assert_ptr_eq(arg, &n_lines);
        if (n_lines++ == 0)
                snprintf(first, sizeof first, "%s", line);
        snprintf(last, sizeof last, "%s", line);
        last_level = level;
}

static struct log
log_make(void)
{
        n_lines = 0;
        return (struct log){.fn = on_line, .arg = &n_lines};
}

static const struct {
        const char *text;
        const char *line;
} escapes[] = {
        {"", ""},
        {"plain", "plain"},
        {"two\nlines", "two lines"},
        {"a\r\n\t  b", "a b"},
        {"end\n", "end "},
        {"\x1b[31mred", "\\x1b[31mred"},
        {"bell\a", "bell\\x07"},
        {"del\x7f", "del\\x7f"},
        {"na\xc3\xafve", "na\xc3\xafve"},
        {"\xe2\x82\xac", "\xe2\x82\xac"},
        {"\xf0\x9f\x90\xa6", "\xf0\x9f\x90\xa6"},
        {"csi\xc2\x9b", "csi\\xc2\\x9b"}, /* the other controls, in UTF-8 */
        {"\xc2\xa0", "\xc2\xa0"},         /* the first character behind them */
        {"\x9b", "\\x9b"},                /* the same as one byte */
        {"latin \xe9t\xe9", "latin \\xe9t\\xe9"},
        {"\xc0\x9b", "\\xc0\\x9b"}, /* longer than it need be */
        {"\xe0\x80\x9b", "\\xe0\\x80\\x9b"},
        {"\xe0\xa0\x80", "\xe0\xa0\x80"},
        {"\xf0\x80\x80\x9b", "\\xf0\\x80\\x80\\x9b"},
        {"\xf0\x90\x80\x80", "\xf0\x90\x80\x80"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"}, /* a surrogate */
        {"\xed\x9f\xbf", "\xed\x9f\xbf"},
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* beyond the last one */
        {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
        {"\xe2\x82", "\\xe2\\x82"}, /* cut off */
        {"\xff\xfe", "\\xff\\xfe"},
        {"back\\slash", "back\\slash"},
        {"%s%n", "%s%n"},
};
#define N_ESCAPES ((int)(sizeof escapes / sizeof escapes[0]))

START_TEST(a_line_has_no_control_characters)
{
        char out[64];

        pipit__log_escape(out, sizeof out, escapes[_i].text);
        ck_assert_str_eq(out, escapes[_i].line);
}
END_TEST

START_TEST(every_byte_comes_out_as_something_harmless)
{
        for (int c = 1; c < 256; c++) {
                char text[2] = {(char)c, '\0'};
                char out[8];
                pipit__log_escape(out, sizeof out, text);
                ck_assert_uint_ge(strlen(out), 1);
                for (const char *at = out; *at != '\0'; at++)
                        ck_assert(*at >= ' ' && *at <= '~');
        }
}
END_TEST

/* How much of "é\x01x" fits. */
static const struct {
        size_t size;
        const char *line;
} cuts[] = {
        {1, ""},
        {2, ""},
        {3, "\xc3\xa9"},
        {6, "\xc3\xa9"},
        {7, "\xc3\xa9\\x01"},
        {8, "\xc3\xa9\\x01x"},
};
#define N_CUTS ((int)(sizeof cuts / sizeof cuts[0]))

START_TEST(what_is_too_long_is_cut_between_characters)
{
        char out[16] = "###############";

        pipit__log_escape(out, cuts[_i].size, "\xc3\xa9\x01x");
        ck_assert_str_eq(out, cuts[_i].line);
        ck_assert_int_eq(out[cuts[_i].size], '#');
}
END_TEST

START_TEST(no_room_at_all_is_left_alone)
{
        char out[] = "#";

        pipit__log_escape(out, 0, "text");
        ck_assert_str_eq(out, "#");
}
END_TEST

START_TEST(a_line_is_printed_and_escaped)
{
        struct log log = log_make();

        pipit__log(&log, 0, PIPIT_LOG_WARNING, "%s: %d", "one\ntwo", 3);
        ck_assert_int_eq(n_lines, 1);
        ck_assert_str_eq(last, "one two: 3");
        ck_assert_int_eq(last_level, PIPIT_LOG_WARNING);
}
END_TEST

START_TEST(a_long_line_is_cut)
{
        struct log log = log_make();
        char text[5000];

        memset(text, 'x', sizeof text);
        text[sizeof text - 1] = '\0';
        pipit__log(&log, 0, PIPIT_LOG_NOTICE, "%s", text);
        ck_assert_int_eq(n_lines, 1);
        ck_assert_uint_eq(strlen(last), 1023);
}
END_TEST

START_TEST(without_listener_nothing_happens)
{
        struct log log = {0};

        for (int i = 0; i < 1000; i++)
                pipit__log(&log, 0, PIPIT_LOG_WARNING, "line");
        ck_assert_int_eq(log.quotas[PIPIT_LOG_WARNING].lines, 0);
        ck_assert_int_eq(log.quotas[PIPIT_LOG_WARNING].dropped, 0);
}
END_TEST

START_TEST(a_flood_is_cut_off_until_the_next_second)
{
        struct log log = log_make();

        for (int i = 0; i < 1000; i++)
                pipit__log(&log, 5000 + i % 1000, PIPIT_LOG_NOTICE, "line");
        ck_assert_int_eq(n_lines, 100);
        n_lines = 0;
        pipit__log(&log, 6000, PIPIT_LOG_NOTICE, "after");
        ck_assert_int_eq(n_lines, 2);
        ck_assert_str_eq(first, "900 lines were left out: more than 100 in a second");
        ck_assert_str_eq(last, "after");
        pipit__log(&log, 6001, PIPIT_LOG_NOTICE, "more");
        ck_assert_int_eq(n_lines, 3);
}
END_TEST

START_TEST(a_flood_of_one_level_keeps_no_other_level_out)
{
        struct log log = log_make();

        for (int i = 0; i < 1000; i++) {
                for (int level = PIPIT_LOG_DEBUG; level <= PIPIT_LOG_WARNING; level++) {
                        if (level != _i)
                                pipit__log(&log, 5000, (enum pipit_log_level)level, "flood");
                }
        }
        ck_assert_int_eq(n_lines, 200);
        pipit__log(&log, 5000, (enum pipit_log_level)_i, "other");
        ck_assert_int_eq(n_lines, 201);
        ck_assert_str_eq(last, "other");
        ck_assert_int_eq((int)last_level, _i);
}
END_TEST

START_TEST(what_is_left_out_is_told_with_the_next_line_of_its_level)
{
        struct log log = log_make();

        for (int i = 0; i < 101; i++)
                pipit__log(&log, 5000, PIPIT_LOG_DEBUG, "flood");
        pipit__log(&log, 6000, PIPIT_LOG_WARNING, "warning");
        ck_assert_int_eq(n_lines, 101);
        n_lines = 0;
        pipit__log(&log, 6000, PIPIT_LOG_DEBUG, "next");
        ck_assert_int_eq(n_lines, 2);
        ck_assert_str_eq(first, "1 lines were left out: more than 100 in a second");
        ck_assert_int_eq(last_level, PIPIT_LOG_DEBUG);
}
END_TEST

START_TEST(lines_of_a_lower_level_are_not_written_and_not_counted)
{
        struct log log = log_make();

        log.least = (enum pipit_log_level)_i;
        for (int i = 0; i < 1000; i++) {
                for (int level = PIPIT_LOG_DEBUG; level < _i; level++)
                        pipit__log(&log, 5000 + i, (enum pipit_log_level)level, "line");
        }
        ck_assert_int_eq(n_lines, 0);
        for (int level = _i; level <= PIPIT_LOG_WARNING; level++)
                pipit__log(&log, 6000, (enum pipit_log_level)level, "line");
        ck_assert_int_eq(n_lines, PIPIT_LOG_WARNING + 1 - _i);
}
END_TEST

START_TEST(a_hundred_lines_in_each_second_are_all_written)
{
        struct log log = log_make();

        for (int i = 0; i < 500; i++)
                pipit__log(&log, i * 10, PIPIT_LOG_DEBUG, "line");
        ck_assert_int_eq(n_lines, 500);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("log");
        TCase *tcase = tcase_create("log");

        tcase_add_loop_test(tcase, a_line_has_no_control_characters, 0, N_ESCAPES);
        tcase_add_test(tcase, every_byte_comes_out_as_something_harmless);
        tcase_add_loop_test(tcase, what_is_too_long_is_cut_between_characters, 0, N_CUTS);
        tcase_add_test(tcase, no_room_at_all_is_left_alone);
        tcase_add_test(tcase, a_line_is_printed_and_escaped);
        tcase_add_test(tcase, a_long_line_is_cut);
        tcase_add_test(tcase, without_listener_nothing_happens);
        tcase_add_test(tcase, a_flood_is_cut_off_until_the_next_second);
        tcase_add_loop_test(tcase, a_flood_of_one_level_keeps_no_other_level_out, 0,
                            PIPIT_LOG_WARNING + 1);
        tcase_add_test(tcase, what_is_left_out_is_told_with_the_next_line_of_its_level);
        tcase_add_loop_test(tcase, lines_of_a_lower_level_are_not_written_and_not_counted, 0,
                            PIPIT_LOG_WARNING + 1);
        tcase_add_test(tcase, a_hundred_lines_in_each_second_are_all_written);
        suite_add_tcase(suite, tcase);
        return suite;
}
