#include <pipit/error.h>
#include <string.h>

#include "answers.h"
#include "oom.h"
#include "result/result.h"
#include "result/result_error.h"
#include "result/rows.h"
#include "runner.h"
#include "value/oid.h"

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

static void
fail_with(const char *start, const char *text)
{
        pipit__result_fail(res, PIPIT_ELIMIT, PIPIT_EXECUTED_UNKNOWN, PIPIT_PHASE_WAIT, "%s%s",
                           start, text);
}

/* The error as fail_with() makes it, with that message. */
static void
expect_error(const struct pipit_error *error, const char *message)
{
        ck_assert_ptr_nonnull(error);
        ck_assert_int_eq(error->code, PIPIT_ELIMIT);
        ck_assert_int_eq(error->executed, PIPIT_EXECUTED_UNKNOWN);
        ck_assert_int_eq(error->phase, PIPIT_PHASE_WAIT);
        ck_assert_str_eq(error->message, message);
}

START_TEST(a_failure_says_why_and_has_no_rows)
{
        struct answer_column column = {"n", OID_TEXT, false};
        struct pg_result *answer = answer_new("SELECT 1", 1, &column);

        ANSWER_SET(answer, 0, 0, "row");
        pipit__rows_take(res, answer, PIPIT_EXECUTED_YES);
        fail_with("too many: ", "9");
        ck_assert(pipit_failed(res));
        expect_error(pipit_result_error(res), "too many: 9");
        ck_assert_str_eq(pipit_error_text(res), "too many: 9");
        ck_assert_int_eq(pipit_result_rows(res), 0);
        ck_assert_int_eq(pipit_result_columns(res), 0);
        ck_assert_str_eq(pipit_result_tag(res), "");
        ck_assert_ptr_null(pipit_result_text(res, 0, 0));
}
END_TEST

START_TEST(no_result_is_a_failure_without_error)
{
        ck_assert(pipit_failed(NULL));
        ck_assert_ptr_null(pipit_result_error(NULL));
        ck_assert_str_eq(pipit_error_text(NULL), "no result");
}
END_TEST

/* Of rows, and of a failure before. */
START_TEST(a_message_may_have_a_part_of_what_it_replaces)
{
        struct answer_column column = {"n", OID_TEXT, false};
        struct pg_result *answer = answer_new("SELECT 1", 1, &column);

        ANSWER_SET(answer, 0, 0, "a value");
        pipit__rows_take(res, answer, PIPIT_EXECUTED_YES);
        fail_with("bad: ", pipit_result_text(res, 0, 0));
        fail_with("very ", pipit_error_text(res));
        expect_error(pipit_result_error(res), "very bad: a value");
}
END_TEST

START_TEST(without_memory_the_codes_text_is_the_message)
{
        oom_after(0);
        fail_with("too many: ", "9");
        ck_assert(oom_stop());
        expect_error(pipit_result_error(res), pipit_code_text(PIPIT_ELIMIT));
        fail_with("too many: ", "9");
        expect_error(pipit_result_error(res), "too many: 9");
}
END_TEST

START_TEST(a_failure_like_another_stands_alone)
{
        char message[] = "broken";
        char host[] = "db:5432";
        struct pipit_error error = {.code = PIPIT_ELIMIT,
                                    .executed = PIPIT_EXECUTED_UNKNOWN,
                                    .phase = PIPIT_PHASE_WAIT,
                                    .sqlstate = "54000",
                                    .message = message,
                                    .detail = "not copied",
                                    .host = host};

        pipit__result_fail_like(res, &error);
        strcpy(message, "gone");
        strcpy(host, "gone");
        expect_error(pipit_result_error(res), "broken");
        ck_assert_str_eq(pipit_result_error(res)->sqlstate, "54000");
        ck_assert_str_eq(pipit_result_error(res)->host, "db:5432");
        ck_assert_ptr_null(pipit_result_error(res)->detail);
}
END_TEST

/* The message has a text for that, the host is left out. */
START_TEST(a_failure_like_another_is_one_without_memory_too)
{
        const struct pipit_error error = {.code = PIPIT_ELIMIT,
                                          .executed = PIPIT_EXECUTED_UNKNOWN,
                                          .phase = PIPIT_PHASE_WAIT,
                                          .sqlstate = "54000",
                                          .message = "broken",
                                          .host = "db:5432"};

        for (int n = 0;; n++) {
                oom_after(n);
                pipit__result_fail_like(res, &error);
                bool failed = oom_stop();
                const struct pipit_error *copy = pipit_result_error(res);
                expect_error(copy, failed && n == 0 ? pipit_code_text(PIPIT_ELIMIT) : "broken");
                ck_assert_str_eq(copy->sqlstate, "54000");
                ck_assert_pstr_eq(copy->host, failed && n == 1 ? NULL : "db:5432");
                if (!failed)
                        break;
        }
}
END_TEST

START_TEST(the_host_is_of_a_failure_and_the_last_that_is_given)
{
        char host[] = "one:1";

        pipit__result_set_host(res, host);
        ck_assert(!pipit_failed(res));
        fail_with("", "broken");
        ck_assert_ptr_null(pipit_result_error(res)->host);
        pipit__result_set_host(res, host);
        strcpy(host, "two:2");
        ck_assert_str_eq(pipit_result_error(res)->host, "one:1");
        pipit__result_set_host(res, host);
        pipit__result_set_host(res, NULL);
        ck_assert_str_eq(pipit_result_error(res)->host, "two:2");
        expect_error(pipit_result_error(res), "broken");
}
END_TEST

static const enum pipit_code constants[] = {PIPIT_EINVAL,  PIPIT_EBLOCKING, PIPIT_ECLOSED,
                                            PIPIT_ETHREAD, PIPIT_EFORK,     PIPIT_EDEADLK};

START_TEST(a_constant_fails_with_its_code)
{
        struct pipit_result *constant = pipit__result_constant(constants[_i]);

        ck_assert(pipit_failed(constant));
        ck_assert_int_eq(pipit_result_error(constant)->code, constants[_i]);
        ck_assert_int_eq(pipit_result_error(constant)->executed, PIPIT_EXECUTED_NO);
        ck_assert_str_ne(pipit_error_text(constant), "");
        ck_assert_ptr_null(pipit_result_scope(constant));
        ck_assert_ptr_eq(pipit_result_ref(constant), constant);
        for (int i = 0; i < 3; i++)
                ck_assert_ptr_null(pipit_result_unref(constant));
        ck_assert_int_eq(pipit_result_error(constant)->code, constants[_i]);
}
END_TEST

START_TEST(a_code_without_constant_is_a_wrong_argument)
{
        ck_assert_ptr_eq(pipit__result_constant(PIPIT_ENOMEM),
                         pipit__result_constant(PIPIT_EINVAL));
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("result_error");
        TCase *tcase = tcase_create("result_error");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, a_failure_says_why_and_has_no_rows);
        tcase_add_test(tcase, no_result_is_a_failure_without_error);
        tcase_add_test(tcase, a_message_may_have_a_part_of_what_it_replaces);
        tcase_add_test(tcase, without_memory_the_codes_text_is_the_message);
        tcase_add_test(tcase, a_failure_like_another_stands_alone);
        tcase_add_test(tcase, a_failure_like_another_is_one_without_memory_too);
        tcase_add_test(tcase, the_host_is_of_a_failure_and_the_last_that_is_given);
        tcase_add_loop_test(tcase, a_constant_fails_with_its_code, 0,
                            sizeof constants / sizeof *constants);
        tcase_add_test(tcase, a_code_without_constant_is_a_wrong_argument);
        suite_add_tcase(suite, tcase);
        return suite;
}
