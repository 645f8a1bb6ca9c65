/*
 * Questions to name servers, and what is read out of the answers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connect/dns_message.h"
#include "runner.h"

static struct dns_question question;
static struct dns_addresses addresses;
static uint8_t answer[2000];
static size_t length;

static void
setup(void)
{
        addresses.n = 0;
        ck_assert_int_eq(pipit__dns_question_write(&question, 0x1234, "db.test", DNS_TYPE_A), 0);
        memcpy(answer, question.bytes, question.length);
        answer[2] = 0x81;
        answer[3] = 0x80;
        length = question.length;
}

/* Adds a record for the name of the question; data as text with its length. */
static void
add_record(int type, const void *data, size_t n)
{
        const uint8_t head[] = {0xc0, 12, 0, (uint8_t)type, 0, 1, 0, 0, 0, 60, 0, (uint8_t)n};

        memcpy(answer + length, head, sizeof head);
        memcpy(answer + length + sizeof head, data, n);
        length += sizeof head + n;
        answer[7]++;
}

static enum dns_verdict
read_answer(void)
{
        return pipit__dns_answer_read(&question, answer, length, &addresses);
}

START_TEST(a_question_is_as_the_protocol_says)
{
        static const uint8_t wanted[] = {0x12, 0x34, 1, 0,   0,   1,   0,   0, 0, 0, 0, 0, 2,
                                         'd',  'b',  4, 't', 'e', 's', 't', 0, 0, 1, 0, 1};

        ck_assert_uint_eq(question.length, sizeof wanted);
        ck_assert_mem_eq(question.bytes, wanted, sizeof wanted);
}
END_TEST

static const char *const unwritable[] = {
        "",
        ".",
        "a..b",
        ".a",
        "0123456789012345678901234567890123456789012345678901234567890123.test",
        NULL /* of 127 labels of one letter, and one more */};

START_TEST(what_is_no_name_is_not_asked_for)
{
        char longest[300] = "";

        for (int i = 0; i < 128; i++)
                strcat(longest, "a.");
        const char *name = unwritable[_i] != NULL ? unwritable[_i] : longest;
        ck_assert_int_eq(pipit__dns_question_write(&question, 1, name, DNS_TYPE_A), -1);
}
END_TEST

START_TEST(the_longest_name_is_asked_for)
{
        char longest[300] = "";

        for (int i = 0; i < 127; i++)
                strcat(longest, "a.");
        ck_assert_int_eq(pipit__dns_question_write(&question, 1, longest, DNS_TYPE_A), 0);
        ck_assert_uint_le(question.length, sizeof question.bytes);
}
END_TEST

START_TEST(the_addresses_of_an_answer_are_read_behind_other_records)
{
        add_record(5, "\3two\xc0\x0c", 6); /* a CNAME */
        add_record(DNS_TYPE_A, "\x0a\0\0\1", 4);
        add_record(DNS_TYPE_A, "\x0a\0\0\2", 4);
        ck_assert_int_eq(read_answer(), DNS_ANSWERED);
        ck_assert_uint_eq(addresses.n, 2);
        ck_assert_str_eq(addresses.texts[0], "10.0.0.1");
        ck_assert_str_eq(addresses.texts[1], "10.0.0.2");
}
END_TEST

START_TEST(an_answer_without_addresses_is_one)
{
        if (_i == 1)
                answer[3] |= 3; /* NXDOMAIN */
        ck_assert_int_eq(read_answer(), DNS_ANSWERED);
        ck_assert_uint_eq(addresses.n, 0);
}
END_TEST

START_TEST(upper_and_lower_case_are_the_same)
{
        answer[13] = 'D';
        ck_assert_int_eq(read_answer(), DNS_ANSWERED);
}
END_TEST

START_TEST(a_server_that_cannot_say_is_told_from_one_that_knows)
{
        static const uint8_t codes[] = {1, 2, 4, 5};

        answer[3] = (uint8_t)(0x80 | codes[_i]);
        ck_assert_int_eq(read_answer(), DNS_REFUSED);
        length = 12;
        answer[5] = 0;
        ck_assert_int_eq(read_answer(), DNS_REFUSED);
}
END_TEST

START_TEST(an_answer_that_was_cut_gives_what_it_has)
{
        answer[2] |= 2;
        add_record(DNS_TYPE_A, "\x0a\0\0\1", 4);
        add_record(DNS_TYPE_A, "\x0a\0\0\2", 4);
        length -= 3;
        ck_assert_int_eq(read_answer(), DNS_TRUNCATED);
        ck_assert_uint_eq(addresses.n, 1);
}
END_TEST

START_TEST(more_addresses_than_are_kept_are_left_out)
{
        for (int i = 0; i < 60; i++)
                add_record(DNS_TYPE_A, "\x0a\0\0\1", 4);
        ck_assert_int_eq(read_answer(), DNS_ANSWERED);
        ck_assert_uint_eq(addresses.n, DNS_MAX_ADDRESSES);
}
END_TEST

/* One byte of an answer is another one: its id, its flags, the number of questions, the name, the
 * type and the class. */
static const size_t foreign[] = {0, 1, 5, 13, 22, 24};

START_TEST(what_answers_another_question_is_foreign)
{
        add_record(DNS_TYPE_A, "\x0a\0\0\1", 4);
        answer[foreign[_i]] ^= 0x7;
        ck_assert_int_eq(read_answer(), DNS_FOREIGN);
        ck_assert_uint_eq(addresses.n, 0);
}
END_TEST

START_TEST(a_question_is_no_answer)
{
        answer[2] = 1;
        ck_assert_int_eq(read_answer(), DNS_FOREIGN);
}
END_TEST

START_TEST(an_address_of_another_length_or_class_is_none)
{
        add_record(DNS_TYPE_A, "\x0a\0\0\1\0", 5);
        add_record(DNS_TYPE_A, "\x0a\0\0\1", 4);
        answer[length - 11] = 3; /* the class */
        ck_assert_int_eq(read_answer(), DNS_ANSWERED);
        ck_assert_uint_eq(addresses.n, 0);
}
END_TEST

/* Each cut is in memory of its own, so that the sanitizers see a byte too many. */
START_TEST(an_answer_is_read_within_its_bounds)
{
        add_record(5, "\3two\xc0\x0c", 6);
        add_record(DNS_TYPE_A, "\x0a\0\0\1", 4);
        for (size_t n = 0; n < length; n++) {
                uint8_t *cut = malloc(n > 0 ? n : 1);
                memcpy(cut, answer, n);
                ck_assert_int_eq(pipit__dns_answer_read(&question, cut, n, &addresses),
                                 DNS_FOREIGN);
                free(cut);
        }
        ck_assert_uint_eq(addresses.n, 0);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof(table)[0]))

Suite *
test_suite(void)
{
        Suite *suite = suite_create("dns_message");
        TCase *tcase = tcase_create("dns_message");

        tcase_add_checked_fixture(tcase, setup, NULL);
        tcase_add_test(tcase, a_question_is_as_the_protocol_says);
        tcase_add_loop_test(tcase, what_is_no_name_is_not_asked_for, 0, COUNT(unwritable));
        tcase_add_test(tcase, the_longest_name_is_asked_for);
        tcase_add_test(tcase, the_addresses_of_an_answer_are_read_behind_other_records);
        tcase_add_loop_test(tcase, an_answer_without_addresses_is_one, 0, 2);
        tcase_add_test(tcase, upper_and_lower_case_are_the_same);
        tcase_add_loop_test(tcase, a_server_that_cannot_say_is_told_from_one_that_knows, 0, 4);
        tcase_add_test(tcase, an_answer_that_was_cut_gives_what_it_has);
        tcase_add_test(tcase, more_addresses_than_are_kept_are_left_out);
        tcase_add_loop_test(tcase, what_answers_another_question_is_foreign, 0, COUNT(foreign));
        tcase_add_test(tcase, a_question_is_no_answer);
        tcase_add_test(tcase, an_address_of_another_length_or_class_is_none);
        tcase_add_test(tcase, an_answer_is_read_within_its_bounds);
        suite_add_tcase(suite, tcase);
        return suite;
}
