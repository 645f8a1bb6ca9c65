#include <stdio.h>
#include <string.h>

#include "conn/prepared.h"
#include "conn/retry.h"
#include "request/latency.h"
#include "request/request_int.h"
#include "request/stmt_cache.h"
#include "result/result.h"
#include "result/result_error.h"
#include "runner.h"

/* What libpq alone can make, a result with the source function of its error, is in the wire tests.
 */

static struct result_owner owner;
static struct stmt_cache stmt_cache;
static struct stmt *stmt;
static struct prepared prepared;
static struct request req;

static void
setup(void)
{
        pipit__result_owner_init(&owner, NULL);
        ck_assert_int_eq(pipit__stmt_cache_init(&stmt_cache, 2), 0);
        ck_assert_int_eq(pipit__prepared_init(&prepared, 2), 0);
        stmt = pipit__stmt_cache_get(&stmt_cache, "SELECT 1");
        pipit__prepared_add(&prepared, stmt);
        req = (struct request){.res = pipit__result_new(&owner), .group = 64};
}

static void
teardown(void)
{
        pipit_result_unref(req.res);
        pipit__stmt_unref(stmt);
        pipit__stmt_cache_fini(&stmt_cache);
        pipit__prepared_fini(&prepared);
        pipit__result_owner_fini(&owner);
}

/* What becomes of the request in a segment that failed: it was skipped, or had an error itself. */
static enum retry_decision
decision_of(enum segment_kind kind, bool skipped)
{
        struct reply reply = {.kind = REPLY_STATEMENT,
                              .segment = kind,
                              .answered = true,
                              .skipped = skipped,
                              .req = &req,
                              .stmt = stmt};

        return pipit__retry_decide(&reply, true, &prepared);
}

static enum retry_decision
skipped(enum segment_kind kind)
{
        pipit__result_reset(req.res);
        return decision_of(kind, true);
}

static enum retry_decision
failed(enum segment_kind kind, const char *sqlstate, const char *message)
{
        struct pipit_error error = {.code = PIPIT_ESERVER,
                                    .executed = PIPIT_EXECUTED_ROLLED_BACK,
                                    .phase = PIPIT_PHASE_EXECUTE,
                                    .message = message};

        memcpy(error.sqlstate, sqlstate, sizeof error.sqlstate);
        pipit__result_reset(req.res);
        pipit__result_fail_like(req.res, &error);
        return decision_of(kind, false);
}

START_TEST(what_did_not_fail_is_done)
{
        struct reply reply = {.kind = REPLY_STATEMENT,
                              .segment = (enum segment_kind)_i,
                              .req = &req,
                              .stmt = stmt};

        ck_assert_int_eq(pipit__retry_decide(&reply, false, &prepared), RETRY_NONE);
}
END_TEST

static const char *const own_errors[] = {"22012", "23505", "42601", "42P01", "42501",
                                         "P0001", "21000", "0A000", "XX000", "57P01"};

START_TEST(the_culprit_gets_its_own_error)
{
        ck_assert_int_eq(failed(SEGMENT_READS, own_errors[_i], "no"), RETRY_NONE);
        ck_assert_str_eq(pipit_result_error(req.res)->sqlstate, own_errors[_i]);
}
END_TEST

static const char *const shared_errors[] = {"40001", "40P01", "55P03", "57014",
                                            "53100", "53200", "25P03", "25P04"};

START_TEST(what_sharing_may_have_caused_is_run_once_more_alone)
{
        ck_assert_int_eq(failed(SEGMENT_READS, shared_errors[_i], "no"), RETRY_AGAIN);
        ck_assert_int_eq(req.max_group, 1);
        ck_assert_int_eq(failed(SEGMENT_SINGLE, shared_errors[_i], "no"), RETRY_NONE);
}
END_TEST

START_TEST(a_statement_that_failed_in_a_group_is_known_for_it)
{
        stmt->latency.uses = 100;
        ck_assert_int_eq(pipit__latency_class(&stmt->latency), LATENCY_FAST);
        failed(SEGMENT_READS, "22012", "no");
        ck_assert_int_eq(pipit__latency_class(&stmt->latency), LATENCY_ALONE);
}
END_TEST

START_TEST(a_statement_that_was_only_skipped_is_not)
{
        stmt->latency.uses = 100;
        skipped(SEGMENT_READS);
        ck_assert_int_eq(pipit__latency_class(&stmt->latency), LATENCY_FAST);
}
END_TEST

START_TEST(the_skipped_are_regrouped_once_then_in_halves_then_alone)
{
        ck_assert_int_eq(skipped(SEGMENT_READS), RETRY_AGAIN);
        ck_assert_int_eq(req.max_group, 0);
        req.group = 40;
        ck_assert_int_eq(skipped(SEGMENT_READS), RETRY_AGAIN);
        ck_assert_int_eq(req.max_group, 20);
        req.group = 20;
        ck_assert_int_eq(skipped(SEGMENT_READS), RETRY_AGAIN);
        ck_assert_int_eq(req.max_group, 1);
}
END_TEST

START_TEST(half_of_a_pair_is_alone)
{
        req.group = _i == 0 ? 2 : 3;
        skipped(SEGMENT_READS);
        skipped(SEGMENT_READS);
        ck_assert_int_eq(req.max_group, 1);
}
END_TEST

START_TEST(all_of_a_group_of_writes_are_run_alone_the_culprit_too)
{
        ck_assert_int_eq(skipped(SEGMENT_WRITES), RETRY_AGAIN);
        ck_assert_int_eq(req.max_group, 1);
        req.max_group = 0;
        ck_assert_int_eq(failed(SEGMENT_WRITES, "23505", "no"), RETRY_AGAIN);
        ck_assert_int_eq(req.max_group, 1);
}
END_TEST

START_TEST(an_error_of_a_single_statement_is_its_own)
{
        ck_assert_int_eq(failed(SEGMENT_SINGLE, "40001", "no"), RETRY_NONE);
        ck_assert_str_eq(pipit_result_error(req.res)->sqlstate, "40001");
}
END_TEST

START_TEST(a_write_that_was_declared_a_read_is_told_so)
{
        ck_assert_int_eq(failed(SEGMENT_READS, "25006", "cannot execute INSERT"), RETRY_NONE);
        const struct pipit_error *error = pipit_result_error(req.res);
        ck_assert_int_eq(error->code, PIPIT_ESERVER);
        ck_assert_str_eq(error->sqlstate, "25006");
        ck_assert_int_eq(error->executed, PIPIT_EXECUTED_ROLLED_BACK);
        ck_assert_ptr_nonnull(strstr(error->message, "declared a read"));
        ck_assert_ptr_nonnull(strstr(error->message, "cannot execute INSERT"));
}
END_TEST

/* What the server says of a statement that it does not know. */
static enum retry_decision
unknown_to_the_server(enum segment_kind kind)
{
        char text[200];

        snprintf(text, sizeof text, "prepared statement \"%s\" does not exist", stmt->name);
        return failed(kind, "26000", text);
}

START_TEST(what_the_server_does_not_know_any_more_is_prepared_again)
{
        ck_assert_int_eq(unknown_to_the_server((enum segment_kind)_i), RETRY_AGAIN);
        ck_assert(!pipit__prepared_has(&prepared, stmt));
        ck_assert_uint_eq(pipit__prepared_add(&prepared, stmt), 0);
        ck_assert_int_eq(req.max_group, 0);
}
END_TEST

START_TEST(it_is_not_prepared_again_without_end)
{
        int n = 0;

        while (n < 100 && unknown_to_the_server(SEGMENT_SINGLE) == RETRY_AGAIN)
                n++;
        ck_assert_int_eq(n, 3);
        ck_assert_str_eq(pipit_result_error(req.res)->sqlstate, "26000");
}
END_TEST

START_TEST(the_same_error_about_another_name_is_the_statements_own)
{
        ck_assert_int_eq(
                failed(SEGMENT_SINGLE, "26000", "prepared statement \"mine\" is not there"),
                RETRY_NONE);
        ck_assert(pipit__prepared_has(&prepared, stmt));
}
END_TEST

START_TEST(an_unsupported_feature_is_not_a_plan_that_is_out_of_date)
{
        ck_assert_int_eq(failed(SEGMENT_SINGLE, "0A000", "cached plan must not change result type"),
                         RETRY_NONE);
        ck_assert(pipit__prepared_has(&prepared, stmt));
}
END_TEST

START_TEST(a_single_statement_that_was_skipped_is_run_again_a_few_times)
{
        int n = 0;

        while (n < 100 && skipped(SEGMENT_SINGLE) == RETRY_AGAIN)
                n++;
        ck_assert_int_eq(n, 3);
        ck_assert_int_eq(pipit_result_error(req.res)->executed, PIPIT_EXECUTED_ROLLED_BACK);
}
END_TEST

static struct latency_scale scale;

/* The timing of a segment that is a flight of its own. */
static struct segment_timing
time_of(const struct reply *sync, int64_t read_us, int64_t now_us)
{
        struct flight flight = {sync->sent_us, sync->estimated_us, sync->n_statements};

        return pipit__segment_time(&scale, sync, &flight, true, read_us, now_us);
}

START_TEST(a_segment_takes_from_the_later_of_its_start_and_the_answer_before_it)
{
        struct reply sync = {.kind = REPLY_SYNC, .sent_us = 1000, .n_statements = 4};

        ck_assert_int_eq(time_of(&sync, 500, 1900).us, 900);
        ck_assert_int_eq(time_of(&sync, 1600, 1900).us, 300);
}
END_TEST

START_TEST(a_flight_is_shared_by_all_that_was_sent_with_it_once_all_is_answered)
{
        struct reply sync = {.kind = REPLY_SYNC, .sent_us = 1000, .n_statements = 1};
        struct flight flight = {.sent_us = 1000, .n_statements = 10};

        ck_assert(pipit__segment_time(&scale, &sync, &flight, false, 0, 1900).each_us <= 0);
        ck_assert_float_eq_tol(
                pipit__segment_time(&scale, &sync, &flight, true, 1900, 2000).each_us, 100, 1);
}
END_TEST

START_TEST(a_segment_of_pipits_own_does_not_say_what_is_usual)
{
        struct reply sync = {.kind = REPLY_SYNC}; /* of a set-up: nobody knows since when */

        ck_assert(!time_of(&sync, 0, 3600000000).slow);
        sync = (struct reply){.kind = REPLY_SYNC, .n_statements = 1, .sent_us = 1000};
        for (int i = 0; i < 10; i++)
                ck_assert(!time_of(&sync, 0, 1200).slow);
        ck_assert(time_of(&sync, 0, 11000).slow);
}
END_TEST

START_TEST(a_group_is_not_slow_for_being_large)
{
        struct reply one = {.kind = REPLY_SYNC, .n_statements = 1};
        struct reply many = {.kind = REPLY_SYNC, .n_statements = 100, .estimated_us = 2000};

        for (int i = 0; i < 100; i++)
                ck_assert(!time_of(&one, 0, 100).slow);
        ck_assert(!time_of(&many, 0, 3000).slow);
        ck_assert(time_of(&one, 0, 3000).slow);
        ck_assert(time_of(&many, 0, 50000).slow);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("retry");
        TCase *tcase = tcase_create("retry");
        int n_own = sizeof own_errors / sizeof own_errors[0];
        int n_shared = sizeof shared_errors / sizeof shared_errors[0];

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_loop_test(tcase, what_did_not_fail_is_done, 0, 3);
        tcase_add_loop_test(tcase, the_culprit_gets_its_own_error, 0, n_own);
        tcase_add_loop_test(tcase, what_sharing_may_have_caused_is_run_once_more_alone, 0,
                            n_shared);
        tcase_add_test(tcase, a_statement_that_failed_in_a_group_is_known_for_it);
        tcase_add_test(tcase, a_statement_that_was_only_skipped_is_not);
        tcase_add_test(tcase, the_skipped_are_regrouped_once_then_in_halves_then_alone);
        tcase_add_loop_test(tcase, half_of_a_pair_is_alone, 0, 2);
        tcase_add_test(tcase, all_of_a_group_of_writes_are_run_alone_the_culprit_too);
        tcase_add_test(tcase, an_error_of_a_single_statement_is_its_own);
        tcase_add_test(tcase, a_write_that_was_declared_a_read_is_told_so);
        tcase_add_loop_test(tcase, what_the_server_does_not_know_any_more_is_prepared_again, 0, 3);
        tcase_add_test(tcase, it_is_not_prepared_again_without_end);
        tcase_add_test(tcase, the_same_error_about_another_name_is_the_statements_own);
        tcase_add_test(tcase, an_unsupported_feature_is_not_a_plan_that_is_out_of_date);
        tcase_add_test(tcase, a_single_statement_that_was_skipped_is_run_again_a_few_times);
        tcase_add_test(tcase, a_segment_takes_from_the_later_of_its_start_and_the_answer_before_it);
        tcase_add_test(tcase, a_flight_is_shared_by_all_that_was_sent_with_it_once_all_is_answered);
        tcase_add_test(tcase, a_segment_of_pipits_own_does_not_say_what_is_usual);
        tcase_add_test(tcase, a_group_is_not_slow_for_being_large);
        suite_add_tcase(suite, tcase);
        return suite;
}
