#include <pipit/error.h>
#include <pipit/result.h>
#include <string.h>

#include "answers.h"
#include "oom.h"
#include "result/result.h"
#include "result/rows.h"
#include "runner.h"
#include "value/oid.h"

static struct result_owner owner;
static struct pipit_result *res;

/* Columns of the one row. */
enum { SMALL, INTEGER, BIG, DIGITS, NOTHING, BYTES, SHORT, COLUMNS };

static void
setup(void)
{
        const struct answer_column columns[] = {
                {"small", OID_INT2, true},   {"integer", OID_INT4, true},
                {"big", OID_INT8, true},     {"digits", OID_INT4, false},
                {"nothing", OID_INT4, true}, {"bytes", OID_BYTEA, false},
                {"short", OID_INT4, true}};
        struct pg_result *answer = answer_new("SELECT 1", COLUMNS, columns);

        ANSWER_SET(answer, 0, SMALL, "\xff\xfe");
        ANSWER_SET(answer, 0, INTEGER, "\xff\xff\xff\xfe");
        ANSWER_SET(answer, 0, BIG, "\0\0\0\1\0\0\0\2");
        ANSWER_SET(answer, 0, DIGITS, "-2");
        answer_set(answer, 0, NOTHING, NULL, -1);
        ANSWER_SET(answer, 0, BYTES, "\\x00ff");
        ANSWER_SET(answer, 0, SHORT, "\0\0\1");
        pipit__result_owner_init(&owner, NULL);
        res = pipit__result_new(&owner);
        ck_assert_ptr_nonnull(res);
        pipit__rows_take(res, answer, PIPIT_EXECUTED_YES);
}

static void
teardown(void)
{
        res = pipit_result_unref(res);
        pipit__result_owner_fini(&owner);
}

static const int minus_twos[] = {SMALL, INTEGER, DIGITS};

START_TEST(an_integer_is_read_whatever_its_type_and_form)
{
        int column = minus_twos[_i];
        int16_t small = 7;
        int32_t integer = 7;
        int64_t big = 7;

        ck_assert_int_eq(pipit_result_int16(res, 0, column, &small), 0);
        ck_assert_int_eq(pipit_result_int32(res, 0, column, &integer), 0);
        ck_assert_int_eq(pipit_result_int64(res, 0, column, &big), 0);
        ck_assert_int_eq(small, -2);
        ck_assert_int_eq(integer, -2);
        ck_assert_int_eq(big, -2);
}
END_TEST

START_TEST(an_integer_that_does_not_fit_is_refused)
{
        int32_t integer = 7;
        int64_t big = 7;

        ck_assert_int_eq(pipit_result_int64(res, 0, BIG, &big), 0);
        ck_assert_int_eq(big, (1LL << 32) + 2);
        ck_assert_int_eq(pipit_result_int32(res, 0, BIG, &integer), PIPIT_ETYPE);
        ck_assert_int_eq(integer, 7);
}
END_TEST

START_TEST(bytes_that_are_no_integer_are_refused)
{
        int32_t integer = 7;
        int64_t big = 7;

        ck_assert_int_eq(pipit_result_int32(res, 0, SHORT, &integer), PIPIT_ETYPE);
        ck_assert_int_eq(pipit_result_int64(res, 0, SHORT, &big), PIPIT_ETYPE);
        ck_assert_int_eq(pipit_result_int32(res, 0, NOTHING, &integer), PIPIT_ENOTFOUND);
        ck_assert_int_eq(pipit_result_int64(res, 0, NOTHING, &big), PIPIT_ENOTFOUND);
        ck_assert_int_eq(integer == 7 && big == 7, 1);
}
END_TEST

START_TEST(nowhere_to_read_or_to_write_is_a_bad_argument)
{
        struct pipit_bytes bytes;
        int32_t integer = 7;
        int64_t big = 7;
        double number = 7;

        ck_assert_int_eq(pipit_result_int32(res, 0, INTEGER, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_result_int64(res, 0, BIG, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_result_double(res, 0, BIG, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_result_int32(res, 1, INTEGER, &integer), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_result_int64(res, 0, -1, &big), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_result_double(res, 0, COLUMNS, &number), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_result_bytes(res, -1, BYTES, &bytes), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_result_int32(NULL, 0, 0, &integer), PIPIT_EINVAL);
}
END_TEST

START_TEST(bytes_without_memory_fail_and_are_read_later)
{
        struct pipit_bytes bytes = {NULL, 7};

        for (int n = 0;; n++) {
                oom_after(n);
                int code = pipit_result_bytes(res, 0, BYTES, &bytes);
                bool failed = oom_stop();
                ck_assert_int_eq(code, failed ? PIPIT_ENOMEM : 0);
                ck_assert_uint_eq(bytes.length, failed ? 7 : 2);
                if (!failed)
                        break;
        }
        ck_assert_mem_eq(bytes.data, "\0\xff", 2);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("getter");
        TCase *tcase = tcase_create("getter");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_loop_test(tcase, an_integer_is_read_whatever_its_type_and_form, 0,
                            sizeof minus_twos / sizeof *minus_twos);
        tcase_add_test(tcase, an_integer_that_does_not_fit_is_refused);
        tcase_add_test(tcase, bytes_that_are_no_integer_are_refused);
        tcase_add_test(tcase, nowhere_to_read_or_to_write_is_a_bad_argument);
        tcase_add_test(tcase, bytes_without_memory_fail_and_are_read_later);
        suite_add_tcase(suite, tcase);
        return suite;
}
