#include <stdio.h>
#include <string.h>

#include "conn/prepared.h"
#include "conn/retry.h"
#include "request/latency.h"
#include "request/request_int.h"
#include "request/stmt_cache.h"
#include "result/result_error.h"
#include "result/result_int.h"
#include "runner.h"

static struct result_owner owner;
static struct stmt_cache stmt_cache;
static struct stmt *stmt;
static struct prepared prepared;
static struct request req;
static struct segment_error doubt; /* its SQLSTATE is "": there is none */
static bool may_be_hit;            /* another one was cancelled there */
static bool typed;                 /* it was sent by its name, with values for its types */
static bool is_bound_to_order;     /* more was sent behind it */
static const struct prepared_moment now;

/* Where an error came from; the server says so. */
static struct {
        const char *context;
        const char *internal_query;
        int internal_position;
        const char *function;
} origin;

static void
setup(void)
{
        pipit__result_owner_init(&owner, NULL);
        ck_assert_int_eq(pipit__stmt_cache_init(&stmt_cache, 2), 0);
        ck_assert_int_eq(pipit__prepared_init(&prepared, 2), 0);
        stmt = pipit__stmt_cache_get(&stmt_cache, "SELECT 1");
        pipit__prepared_add(&prepared, stmt, &now);
        pipit__prepared_describe(&prepared, stmt, NULL);
        memset(&origin, 0, sizeof origin);
        may_be_hit = typed = is_bound_to_order = false;
        doubt = (struct segment_error){0};
        req = (struct request){.res = pipit__result_new(&owner), .group = 40};
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

static bool
is_prepared(void)
{
        return pipit__prepared_find(&prepared, stmt, &now) != NULL;
}

typedef enum retry_decision (*decide_fn)(const struct retry_case *it);

/* What becomes of the request in a segment of 40 that failed: it was skipped, or had an error. */
static enum retry_decision
decision_of(decide_fn decide, bool skipped)
{
        struct retry_case it = {.req = &req,
                                .stmt = stmt,
                                .prepared = &prepared,
                                .skipped = skipped,
                                .doubt = doubt.sqlstate[0] != '\0' ? &doubt : NULL,
                                .typed = typed,
                                .is_bound_to_order = is_bound_to_order,
                                .may_be_hit = may_be_hit};

        return decide(&it);
}

static enum retry_decision
skipped(decide_fn decide)
{
        pipit__result_reset(req.res);
        return decision_of(decide, true);
}

static enum retry_decision
failed(decide_fn decide, const char *sqlstate, const char *message)
{
        struct pipit_error error = {.code = PIPIT_ESERVER,
                                    .executed = PIPIT_EXECUTED_ROLLED_BACK,
                                    .phase = PIPIT_PHASE_EXECUTE,
                                    .message = message};

        memcpy(error.sqlstate, sqlstate, sizeof error.sqlstate);
        pipit__result_reset(req.res);
        pipit__result_fail_like(req.res, &error);
        req.res->error.context = origin.context;
        req.res->error.internal_query = origin.internal_query;
        req.res->error.internal_position = origin.internal_position;
        req.res->error.source_function = origin.function;
        enum retry_decision decision = decision_of(decide, false);
        req.res->error.context = req.res->error.internal_query = NULL;
        req.res->error.source_function = NULL;
        return decision;
}

static const char *const own_errors[] = {"22012", "23505", "42601", "42P01", "42501",
                                         "P0001", "21000", "0A000", "XX000", "57P01"};

START_TEST(the_culprit_gets_its_own_error)
{
        ck_assert_int_eq(failed(pipit__retry_read, own_errors[_i], "no"), RETRY_NONE);
        ck_assert_str_eq(pipit_result_error(req.res)->sqlstate, own_errors[_i]);
}
END_TEST

static const char *const shared_errors[] = {"40001", "40P01", "55P03", "57014",
                                            "53100", "53200", "25P03", "25P04"};

START_TEST(what_sharing_may_have_caused_is_run_once_more_alone)
{
        ck_assert_int_eq(failed(pipit__retry_read, shared_errors[_i], "no"), RETRY_AGAIN);
        ck_assert_int_eq(req.max_group, 1);
        ck_assert_int_eq(failed(pipit__retry_single, shared_errors[_i], "no"), RETRY_NONE);
}
END_TEST

START_TEST(a_statement_that_failed_in_a_group_is_known_for_it)
{
        pipit__stmt_latency(stmt)->uses = 100;
        ck_assert_int_eq(pipit__latency_class(pipit__stmt_latency(stmt)), LATENCY_FAST);
        failed(pipit__retry_read, "22012", "no");
        ck_assert_int_eq(pipit__latency_class(pipit__stmt_latency(stmt)), LATENCY_ALONE);
}
END_TEST

START_TEST(a_statement_that_was_only_skipped_is_not)
{
        pipit__stmt_latency(stmt)->uses = 100;
        skipped(pipit__retry_read);
        ck_assert_int_eq(pipit__latency_class(pipit__stmt_latency(stmt)), LATENCY_FAST);
}
END_TEST

START_TEST(the_skipped_are_regrouped_once_then_in_halves_then_alone)
{
        ck_assert_int_eq(skipped(pipit__retry_read), RETRY_AGAIN);
        ck_assert_int_eq(req.max_group, 0);
        ck_assert_int_eq(skipped(pipit__retry_read), RETRY_AGAIN);
        ck_assert_int_eq(req.max_group, 20);
        req.group = 20;
        ck_assert_int_eq(skipped(pipit__retry_read), RETRY_AGAIN);
        ck_assert_int_eq(req.max_group, 1);
}
END_TEST

START_TEST(all_of_a_group_of_writes_are_run_alone_the_culprit_too)
{
        ck_assert_int_eq(skipped(pipit__retry_write), RETRY_AGAIN);
        ck_assert_int_eq(req.max_group, 1);
        req.max_group = 0;
        ck_assert_int_eq(failed(pipit__retry_write, "23505", "no"), RETRY_AGAIN);
        ck_assert_int_eq(req.max_group, 1);
}
END_TEST

/* Writes that may share and a single statement, skipped; and a write that was answered. */
START_TEST(where_nobody_knows_what_has_run_nothing_runs_again)
{
        decide_fn decide = _i == 0 ? pipit__retry_single : pipit__retry_write;

        doubt = (struct segment_error){"08006", true, "the server is gone"};
        ck_assert_int_eq(_i == 2 ? decision_of(decide, false) : skipped(decide), RETRY_NONE);
        const struct pipit_error *error = pipit_result_error(req.res);
        ck_assert_int_eq(error->executed, PIPIT_EXECUTED_UNKNOWN);
        ck_assert_str_eq(error->sqlstate, "08006");
        ck_assert_ptr_nonnull(strstr(error->message, "the server is gone"));
}
END_TEST

static const char *const doubtful[] = {"08000", "08P01", "40003"};

START_TEST(a_read_that_shared_gets_an_error_that_says_nothing_of_sharing)
{
        ck_assert_int_eq(failed(pipit__retry_read, doubtful[_i], "no"), RETRY_NONE);
        ck_assert_int_eq(failed(pipit__retry_single, doubtful[_i], "no"), RETRY_NONE);
}
END_TEST

START_TEST(a_read_that_was_skipped_runs_again_whatever_the_error)
{
        doubt = (struct segment_error){"08006", true, "the server is gone"};
        ck_assert_int_eq(skipped(pipit__retry_read), RETRY_AGAIN);
}
END_TEST

START_TEST(a_write_whose_answer_was_not_read_to_its_end_does_not_run_again)
{
        struct pipit_error error = {.code = PIPIT_ELIMIT,
                                    .executed = PIPIT_EXECUTED_UNKNOWN,
                                    .message = "the result is too large"};

        pipit__result_fail_like(req.res, &error);
        ck_assert_int_eq(decision_of(pipit__retry_write, false), RETRY_NONE);
}
END_TEST

START_TEST(an_error_of_a_single_statement_is_its_own)
{
        ck_assert_int_eq(failed(pipit__retry_single, "40001", "no"), RETRY_NONE);
        ck_assert_str_eq(pipit_result_error(req.res)->sqlstate, "40001");
}
END_TEST

START_TEST(a_write_that_was_declared_a_read_is_told_so)
{
        ck_assert_int_eq(failed(pipit__retry_read, "25006", "cannot execute INSERT"), RETRY_NONE);
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
unknown_to_the_server(decide_fn decide)
{
        char text[200];
        char name[STMT_NAME_SIZE];

        pipit__stmt_cache_name(&stmt_cache, pipit__stmt_serial(stmt), 0, name);
        snprintf(text, sizeof text, "prepared statement \"%s\" does not exist", name);
        return failed(decide, "26000", text);
}

static const decide_fn all[] = {pipit__retry_single, pipit__retry_read, pipit__retry_write};

START_TEST(what_the_server_does_not_know_any_more_is_prepared_again)
{
        ck_assert_int_eq(unknown_to_the_server(all[_i]), RETRY_AGAIN);
        ck_assert(!is_prepared());
        ck_assert_int_eq(prepared.slots[pipit__stmt_slot(stmt)].exists, false);
        ck_assert_int_eq(req.max_group, 0);
}
END_TEST

START_TEST(it_is_not_prepared_again_without_end)
{
        int n = 0;

        while (n < 100 && unknown_to_the_server(pipit__retry_single) == RETRY_AGAIN)
                n++;
        ck_assert_int_eq(n, 3);
        ck_assert_str_eq(pipit_result_error(req.res)->sqlstate, "26000");
}
END_TEST

START_TEST(the_same_error_about_another_name_is_the_statements_own)
{
        ck_assert_int_eq(
                failed(pipit__retry_single, "26000", "prepared statement \"mine\" is not there"),
                RETRY_NONE);
        ck_assert(is_prepared());
}
END_TEST

START_TEST(an_unsupported_feature_is_not_a_plan_that_is_out_of_date)
{
        ck_assert_int_eq(
                failed(pipit__retry_single, "0A000", "cached plan must not change result type"),
                RETRY_NONE);
        ck_assert(is_prepared());
}
END_TEST

START_TEST(a_single_statement_that_was_skipped_is_run_again_a_few_times)
{
        int n = 0;

        while (n < 100 && skipped(pipit__retry_single) == RETRY_AGAIN)
                n++;
        ck_assert_int_eq(n, 3);
        ck_assert_int_eq(pipit_result_error(req.res)->executed, PIPIT_EXECUTED_ROLLED_BACK);
}
END_TEST

START_TEST(a_single_statement_is_done_with_its_error_unless_it_may_be_hit)
{
        ck_assert_int_eq(failed(pipit__retry_single, "57014", "no"), RETRY_NONE);
        ck_assert_str_eq(pipit_result_error(req.res)->message, "no");
        may_be_hit = true;
        ck_assert_int_eq(failed(pipit__retry_single, "57014", "no"), RETRY_NONE);
        ck_assert_ptr_nonnull(strstr(pipit_error_text(req.res), "cancel of another request"));
        ck_assert_int_eq(failed(pipit__retry_single, "22012", "no"), RETRY_NONE);
        ck_assert_str_eq(pipit_result_error(req.res)->message, "no");
}
END_TEST

START_TEST(one_that_was_hit_by_anothers_cancel_runs_again_if_it_may)
{
        may_be_hit = true;
        req.is_read = _i == 0;
        req.is_grouped = _i == 1;
        ck_assert_int_eq(failed(pipit__retry_single, "57014", "no"), RETRY_AGAIN);
}
END_TEST

static enum retry_decision
note(const struct retry_case *it)
{
        pipit__retry_note(it);
        return RETRY_NONE;
}

START_TEST(a_transaction_notes_what_is_out_of_date)
{
        unknown_to_the_server(note);
        ck_assert(!is_prepared());
        ck_assert_int_eq(pipit__request_reprepares(&req), 1);
}
END_TEST

/* ---- what is out of date */

START_TEST(a_plan_that_is_out_of_date_is_made_anew)
{
        origin.function = "RevalidateCachedQuery";
        ck_assert_int_eq(failed(all[_i], "0A000", "translated"), RETRY_AGAIN);
        ck_assert(!is_prepared());
        ck_assert(prepared.slots[pipit__stmt_slot(stmt)].exists);
        ck_assert_int_eq(req.max_group, 0);
}
END_TEST

static const char *const type_errors[] = {"22003", "22007", "22008", "22P02", "22P03",
                                          "42704", "42725", "42804", "42846", "42883",
                                          "42P08", "42P18", "XX000"};

START_TEST(an_error_of_types_that_were_known_has_them_looked_up_again)
{
        typed = true;
        ck_assert_int_eq(failed(pipit__retry_single, type_errors[_i], "no"), RETRY_AGAIN);
        ck_assert(!is_prepared());
        ck_assert_int_eq(failed(pipit__retry_read, type_errors[_i], "no"), RETRY_AGAIN);
        ck_assert_int_eq(req.max_group, 0);
}
END_TEST

START_TEST(without_types_that_were_known_it_is_the_statements_own)
{
        ck_assert_int_eq(failed(pipit__retry_single, type_errors[_i], "no"), RETRY_NONE);
        ck_assert(is_prepared());
}
END_TEST

static const char *const other_errors[] = {"22012", "22001", "23505", "23514", "42601",
                                           "42501", "42P01", "P0001", "57014", "53200"};

START_TEST(errors_that_types_do_not_cause_are_the_statements_own)
{
        typed = true;
        ck_assert_int_eq(failed(pipit__retry_single, other_errors[_i], "no"), RETRY_NONE);
        ck_assert(is_prepared());
}
END_TEST

/* As PostgreSQL says them, in several languages. */
static const struct {
        const char *context;
        const char *internal_query;
        int internal_position;
        bool before_run;
} origins[] = {
        {NULL, NULL, 0, true},
        {"", NULL, 0, true},
        {"unnamed portal parameter $1 = '...'", NULL, 0, true},
        {"unnamed portal parameter $12", NULL, 0, true},
        {"portal \"c\" parameter $2 = 'x'", NULL, 0, true},
        {"Parameter $1 = \u00bb...\u00ab eines unbenannten Portals", NULL, 0, true},
        {"param\u00e8tre $1 du portail anonyme = \u00ab ... \u00bb", NULL, 0, true},
        {"PL/pgSQL function f(integer) line 3 at PERFORM", NULL, 0, false},
        {"SQL statement \"SELECT g($1)\"\nPL/pgSQL function f(integer) line 3 at PERFORM", NULL, 0,
         false},
        {"SQL statement \"SELECT $1\"\nunnamed portal parameter $1", NULL, 0, false},
        {"SQL function \"f\" statement 1", NULL, 0, false},
        {"SQL function \"f\" during inlining", NULL, 0, false},
        {"COPY t, line 1, column k: \"x\"", NULL, 0, false},
        {NULL, "SELECT g(k)", 8, false},
        {NULL, NULL, 8, false},
        {"unnamed portal parameter $1", "SELECT g(k)", 8, false},
        {"it cost $", NULL, 0, false},
};

START_TEST(only_an_error_from_before_the_run_has_it_run_again)
{
        typed = true;
        origin.context = origins[_i].context;
        origin.internal_query = origins[_i].internal_query;
        origin.internal_position = origins[_i].internal_position;
        ck_assert_int_eq(failed(pipit__retry_single, "42883", "no"),
                         origins[_i].before_run ? RETRY_AGAIN : RETRY_NONE);
        ck_assert_int_eq(is_prepared(), !origins[_i].before_run);
}
END_TEST

/* ---- sessions */

START_TEST(on_a_session_the_last_one_outside_of_transactions_runs_again)
{
        ck_assert_int_eq(unknown_to_the_server(pipit__retry_session), RETRY_AGAIN);
        ck_assert_int_eq(skipped(pipit__retry_session), RETRY_AGAIN);
}
END_TEST

START_TEST(on_a_session_nothing_runs_again_behind_what_was_sent_after_it)
{
        is_bound_to_order = true;
        ck_assert_int_eq(unknown_to_the_server(pipit__retry_session), RETRY_NONE);
        ck_assert_str_eq(pipit_result_error(req.res)->sqlstate, "26000");
        ck_assert(!is_prepared());
        ck_assert_int_eq(skipped(pipit__retry_session), RETRY_NONE);
        ck_assert_int_eq(pipit_result_error(req.res)->executed, PIPIT_EXECUTED_ROLLED_BACK);
}
END_TEST

START_TEST(on_a_session_a_read_that_was_hit_keeps_its_order_too)
{
        may_be_hit = is_bound_to_order = true;
        req.is_read = true;
        ck_assert_int_eq(failed(pipit__retry_session, "57014", "no"), RETRY_NONE);
        ck_assert_ptr_nonnull(strstr(pipit_error_text(req.res), "cancel of another request"));
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static void
add_stale(Suite *suite)
{
        TCase *tcase = tcase_create("stale");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_loop_test(tcase, a_plan_that_is_out_of_date_is_made_anew, 0, COUNT(all));
        tcase_add_loop_test(tcase, an_error_of_types_that_were_known_has_them_looked_up_again, 0,
                            COUNT(type_errors));
        tcase_add_loop_test(tcase, without_types_that_were_known_it_is_the_statements_own, 0,
                            COUNT(type_errors));
        tcase_add_loop_test(tcase, errors_that_types_do_not_cause_are_the_statements_own, 0,
                            COUNT(other_errors));
        tcase_add_loop_test(tcase, only_an_error_from_before_the_run_has_it_run_again, 0,
                            COUNT(origins));
        tcase_add_test(tcase, on_a_session_the_last_one_outside_of_transactions_runs_again);
        tcase_add_test(tcase, on_a_session_nothing_runs_again_behind_what_was_sent_after_it);
        tcase_add_test(tcase, on_a_session_a_read_that_was_hit_keeps_its_order_too);
        suite_add_tcase(suite, tcase);
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("retry");
        TCase *tcase = tcase_create("retry");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_loop_test(tcase, the_culprit_gets_its_own_error, 0, COUNT(own_errors));
        tcase_add_loop_test(tcase, what_sharing_may_have_caused_is_run_once_more_alone, 0,
                            COUNT(shared_errors));
        tcase_add_test(tcase, a_statement_that_failed_in_a_group_is_known_for_it);
        tcase_add_test(tcase, a_statement_that_was_only_skipped_is_not);
        tcase_add_test(tcase, the_skipped_are_regrouped_once_then_in_halves_then_alone);
        tcase_add_test(tcase, all_of_a_group_of_writes_are_run_alone_the_culprit_too);
        tcase_add_loop_test(tcase, where_nobody_knows_what_has_run_nothing_runs_again, 0, 3);
        tcase_add_loop_test(tcase, a_read_that_shared_gets_an_error_that_says_nothing_of_sharing, 0,
                            3);
        tcase_add_test(tcase, a_read_that_was_skipped_runs_again_whatever_the_error);
        tcase_add_test(tcase, a_write_whose_answer_was_not_read_to_its_end_does_not_run_again);
        tcase_add_test(tcase, an_error_of_a_single_statement_is_its_own);
        tcase_add_test(tcase, a_write_that_was_declared_a_read_is_told_so);
        tcase_add_loop_test(tcase, what_the_server_does_not_know_any_more_is_prepared_again, 0, 3);
        tcase_add_test(tcase, it_is_not_prepared_again_without_end);
        tcase_add_test(tcase, the_same_error_about_another_name_is_the_statements_own);
        tcase_add_test(tcase, an_unsupported_feature_is_not_a_plan_that_is_out_of_date);
        tcase_add_test(tcase, a_single_statement_that_was_skipped_is_run_again_a_few_times);
        tcase_add_test(tcase, a_single_statement_is_done_with_its_error_unless_it_may_be_hit);
        tcase_add_loop_test(tcase, one_that_was_hit_by_anothers_cancel_runs_again_if_it_may, 0, 2);
        tcase_add_test(tcase, a_transaction_notes_what_is_out_of_date);
        suite_add_tcase(suite, tcase);
        add_stale(suite);
        return suite;
}
