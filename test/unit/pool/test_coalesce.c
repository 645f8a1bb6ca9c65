#include <event2/event.h>
#include <pipit/query.h>
#include <string.h>

#include "loop/reactor.h"
#include "oom.h"
#include "pool/batch.h"
#include "pool/coalesce.h"
#include "pool/coalesce_rule.h"
#include "request/bound_stmt.h"
#include "request/request_int.h"
#include "request/requests.h"
#include "request/stmt_cache.h"
#include "request/stmt_types.h"
#include "result/result_error.h"
#include "runner.h"
#include "value/oid.h"

enum { OID_INT4_ARRAY = 1007 };

static struct event_base *base;
static struct reactor *reactor;
static struct requests requests;
static struct result_owner owner;
static struct stmt_cache stmt_cache;
static struct coalesce_rules *rules;
static struct coalesce_rule *by_number, *by_text, *creates;
static struct batch batch;
static struct request *again[10];
static int n_again;
static int n_called;
static int n_cancelled;

static void
on_turn(void *arg)
{
        (void)arg;
}

static void
on_gone(struct pipit *scope, void *arg)
{
        (void)scope;
        (void)arg;
}

static void
on_again(struct request *req, void *arg)
{
        (void)arg;
        ck_assert_int_lt(n_again, 10);
        again[n_again++] = req;
}

static const struct requests_ops ops = {.gone = on_gone, .again = on_again};

static struct coalesce_rule *
rule_of(uint64_t what, enum coalesce_key key, const char *many)
{
        static const uint32_t types[] = {OID_INT4};
        struct coalesce_plan plan = {.one = "one",
                                     .many = many,
                                     .key = key,
                                     .n_columns = 1,
                                     .n_params = 1,
                                     .types = key == COALESCE_ORDINAL ? types : NULL};

        return pipit__coalesce_rules_add(rules, (struct coalesce_id){.what = what}, &plan);
}

static void
setup(void)
{
        n_again = n_called = n_cancelled = 0;
        base = event_base_new();
        reactor = pipit__reactor_new(base, 0, on_turn, NULL);
        ck_assert_int_eq(pipit__requests_init(&requests, reactor, &ops, NULL), 0);
        pipit__result_owner_init(&owner, NULL);
        ck_assert_int_eq(pipit__stmt_cache_init(&stmt_cache, 0), 0);
        rules = pipit__coalesce_rules_new(&stmt_cache);
        by_number = rule_of(1, COALESCE_INT, "many numbers");
        by_text = rule_of(2, COALESCE_TEXT, "many texts");
        creates = rule_of(3, COALESCE_ORDINAL, "many creates");
        batch = (struct batch){.kind = SEGMENT_READS};
        list_init(&batch.requests);
}

static void
teardown(void)
{
        pipit__requests_discard(&requests);
        pipit__requests_fini(&requests);
        pipit__result_owner_fini(&owner);
        pipit__coalesce_rules_free(rules);
        pipit__stmt_cache_fini(&stmt_cache);
        pipit__reactor_free(reactor);
        event_base_free(base);
}

static void
on_done(struct pipit_result *res, void *arg)
{
        (void)res;
        (void)arg;
        n_called++;
}

/* A request of the batch; rule NULL: it goes by itself. */
static struct request *
member(struct coalesce_rule *rule, struct pipit_value value)
{
        struct stmt *stmt = pipit__stmt_cache_get(&stmt_cache, "one");
        struct pipit_params params = {&value, 1};
        struct stmt_problem problem;
        struct bound_form form;

        ck_assert_int_eq(pipit__bound_stmt_measure(stmt, params, &form, &problem), 0);
        struct request *req = pipit__request_new(&requests, &owner, form.size, on_done, NULL);
        req->bound = pipit__bound_stmt_write(pipit__request_block(req), stmt, params, &form);
        pipit__request_enter(req, REQUEST_WAITING, NULL, NULL);
        req->is_read = rule != creates;
        req->is_grouped = rule == creates;
        req->rule = rule;
        req->key = value.kind == PIPIT_KIND_INT ? value.as.int_value : 0;
        list_push_back(&batch.requests, &req->link);
        batch.n++;
        batch.may_pack = batch.may_pack || req->rule != NULL;
        return req;
}

/* The last request of the batch. */
static struct request *
last(void)
{
        return container_of(batch.requests.prev, struct request, link);
}

/* Learns that all statements take, or give, numbers of four bytes. */
static void
learn(const char *sql, uint32_t type)
{
        struct stmt *stmt = pipit__stmt_cache_get(&stmt_cache, sql);

        struct stmt_types *types = pipit__stmt_types_new(1, 0);

        types->params[0] = type;
        pipit__stmt_types_unref(pipit__stmt_learn(stmt, types));
        pipit__stmt_unref(stmt);
}

START_TEST(two_of_one_sort_are_members_of_a_third)
{
        struct request *one = member(by_number, pipit_value_int(9));
        struct request *two = member(by_number, pipit_value_int(-4));

        pipit__coalesce_pack(&batch);
        ck_assert_int_eq(batch.n, 1);
        ck_assert_int_eq(batch.kind, SEGMENT_SINGLE);
        ck_assert_ptr_eq(list_first(&batch.requests), batch.requests.prev);
        ck_assert_str_eq(pipit__stmt_sql(last()->bound->stmt), "many numbers");
        ck_assert_str_eq(last()->bound->params.values[0], "{\"9\",\"-4\"}");
        ck_assert(last()->is_read);
        ck_assert_int_eq(one->state, REQUEST_SENT);
        ck_assert_ptr_nonnull(two->holder);
}
END_TEST

START_TEST(one_of_a_sort_goes_by_itself)
{
        struct request *lone = member(by_number, pipit_value_int(9));
        struct request *other = member(by_text, pipit_value_text("nine"));
        struct request *plain = member(NULL, pipit_value_int(9));

        pipit__coalesce_pack(&batch);
        ck_assert_int_eq(batch.n, 3);
        ck_assert_int_eq(batch.kind, SEGMENT_READS);
        ck_assert_ptr_null(lone->holder);
        ck_assert_ptr_null(other->holder);
        ck_assert_ptr_null(plain->holder);
}
END_TEST

START_TEST(each_sort_has_its_own_coalesced_statement)
{
        for (int i = 0; i < 3; i++) {
                member(by_number, pipit_value_int(i));
                member(by_text, pipit_value_text("a \"b\""));
                member(NULL, pipit_value_int(i));
        }
        pipit__coalesce_pack(&batch);
        ck_assert_int_eq(batch.n, 5);
        ck_assert_str_eq(last()->bound->params.values[0],
                         "{\"a \\\"b\\\"\",\"a \\\"b\\\"\",\"a \\\"b\\\"\"}");
}
END_TEST

START_TEST(numbers_go_in_binary_form_once_the_types_are_known)
{
        learn("one", OID_INT4);
        learn("many numbers", OID_INT4_ARRAY);
        member(by_number, pipit_value_int(9));
        member(by_number, pipit_value_int(10));
        pipit__coalesce_pack(&batch);
        ck_assert_int_eq(last()->bound->params.formats[0], 1);
        ck_assert_int_eq(last()->bound->params.lengths[0], 36);
}
END_TEST

/* For the server to find the types of now. */
START_TEST(one_that_does_not_fit_goes_by_itself)
{
        learn("one", OID_INT4);
        learn("many numbers", OID_INT4_ARRAY);
        member(by_number, pipit_value_int(9));
        member(by_number, pipit_value_int(10));
        struct request *misfit = member(by_number, pipit_value_int(INT64_C(5000000000)));
        pipit__coalesce_pack(&batch);
        ck_assert_int_eq(batch.n, 2);
        ck_assert_ptr_null(misfit->holder);
        ck_assert_int_eq(last()->bound->params.lengths[0], 36);
        ck_assert(!last()->bound->is_misfit);
}
END_TEST

/* The two texts of a rule can have been described at different times. */
START_TEST(numbers_of_another_type_than_the_arrays_are_text)
{
        learn("one", OID_INT8);
        learn("many numbers", OID_INT4_ARRAY);
        member(by_number, pipit_value_int(9));
        member(by_number, pipit_value_int(10));
        pipit__coalesce_pack(&batch);
        ck_assert_int_eq(last()->bound->params.formats[0], 0);
        ck_assert_str_eq(last()->bound->params.values[0], "{\"9\",\"10\"}");
        ck_assert(!last()->bound->is_misfit);
}
END_TEST

START_TEST(arrays_that_would_change_one_of_them_do_not_fit)
{
        learn("one", OID_INT8);
        learn("many numbers", OID_INT4_ARRAY);
        member(by_number, pipit_value_int(9));
        member(by_number, pipit_value_int(INT64_C(5000000000)));
        pipit__coalesce_pack(&batch);
        ck_assert_int_eq(batch.n, 1);
        ck_assert_str_eq(last()->bound->params.values[0], "{\"9\",\"5000000000\"}");
        ck_assert(last()->bound->is_misfit);
}
END_TEST

START_TEST(creates_are_coalesced_where_they_share_a_commit)
{
        learn("one", OID_INT4);
        member(creates, pipit_value_int(1));
        member(creates, pipit_value_null());
        batch.kind = SEGMENT_WRITES;
        pipit__coalesce_pack(&batch);
        ck_assert_int_eq(batch.n, 1);
        ck_assert_str_eq(last()->bound->params.values[0], "{\"1\",NULL}");
        ck_assert(!last()->is_read);
        ck_assert(last()->is_grouped);
}
END_TEST

START_TEST(the_coalesced_statement_has_the_time_of_the_most_patient_also_later)
{
        struct request *one = member(by_number, pipit_value_int(1));
        struct request *two = member(by_number, pipit_value_int(2));

        one->deadline_ms = 1000;
        two->deadline_ms = 2000;
        pipit__coalesce_pack(&batch);
        ck_assert_int_eq(last()->deadline_ms, 2000);
        pipit__request_set_deadline(one, 5000);
        ck_assert_int_eq(last()->deadline_ms, 5000);
        pipit__request_set_deadline(two, 1);
        ck_assert_int_eq(last()->deadline_ms, 5000);
}
END_TEST

static void
on_cancelled(struct request *req, const char *reason)
{
        (void)req;
        (void)reason;
        n_cancelled++;
}

static void
give_up(struct request *req, bool expires)
{
        if (expires)
                pipit__request_holder_ops(req)->expire(req);
        else
                pipit__request_cancel(req, "enough");
}

START_TEST(a_coalesced_statement_is_cancelled_with_its_last_member)
{
        static const struct holder_ops sent_ops = {.cancel = on_cancelled};
        struct request *one = member(by_number, pipit_value_int(1));
        struct request *two = member(by_number, pipit_value_int(2));

        pipit__coalesce_pack(&batch);
        pipit__request_enter(last(), REQUEST_SENT, &sent_ops, NULL);
        give_up(one, _i == 1);
        ck_assert_int_eq(n_cancelled, 0);
        give_up(two, _i == 1);
        ck_assert_int_eq(n_cancelled, 1);
}
END_TEST

/* The coalesced statement fails with what became of its statement. */
static void
coalesced_fails_with(enum pipit_code code, enum pipit_executed executed)
{
        pipit__result_fail(last()->res, code, executed, PIPIT_PHASE_EXECUTE, "broken");
        pipit__request_complete(last());
}

static void
coalesced_fails(enum pipit_executed executed)
{
        coalesced_fails_with(PIPIT_ESERVER, executed);
}

START_TEST(after_a_failure_that_was_undone_those_that_are_left_run_by_themselves)
{
        struct request *left;

        learn("one", OID_INT4);
        batch.kind = SEGMENT_WRITES;
        for (int i = 0; i < 3; i++)
                left = member(creates, pipit_value_int(i));
        pipit__coalesce_pack(&batch);
        pipit__request_fail(left, PIPIT_ECANCELED, PIPIT_EXECUTED_UNKNOWN, PIPIT_PHASE_EXECUTE,
                            "enough");
        coalesced_fails(PIPIT_EXECUTED_ROLLED_BACK);
        ck_assert_int_eq(n_again, 2);
        for (int i = 0; i < n_again; i++) {
                ck_assert_ptr_ne(again[i], left);
                ck_assert_ptr_null(again[i]->rule);
                ck_assert_int_eq(again[i]->max_group, 1);
        }
}
END_TEST

/* By an error of the server, and, of creates, by a loss of the connection. */
START_TEST(where_nobody_knows_what_was_executed_all_of_them_are_unknown)
{
        struct request *one;
        struct request *two;

        if (_i == 1) {
                learn("one", OID_INT4);
                batch.kind = SEGMENT_WRITES;
        }
        one = member(_i == 0 ? by_number : creates, pipit_value_int(1));
        two = member(_i == 0 ? by_number : creates, pipit_value_int(2));
        pipit__coalesce_pack(&batch);
        coalesced_fails_with(_i == 0 ? PIPIT_ESERVER : PIPIT_ELOST, PIPIT_EXECUTED_UNKNOWN);
        ck_assert_int_eq(n_again, 0);
        ck_assert_int_eq(one->state, REQUEST_ENDING);
        ck_assert_int_eq(pipit_result_error(two->res)->executed, PIPIT_EXECUTED_UNKNOWN);
}
END_TEST

/* Which of them ends the connections is not known yet. */
START_TEST(after_a_loss_reads_run_by_themselves_and_each_is_counted)
{
        struct request *reqs[3];

        for (int i = 0; i < 3; i++) {
                reqs[i] = member(by_number, pipit_value_int(i));
                reqs[i]->n_losses = (uint8_t)i;
        }
        pipit__coalesce_pack(&batch);
        coalesced_fails_with(PIPIT_ELOST, PIPIT_EXECUTED_UNKNOWN);
        ck_assert_int_eq(n_again, 2);
        ck_assert_int_eq(reqs[0]->n_losses, 1);
        ck_assert(!reqs[0]->is_isolated);
        ck_assert(reqs[1]->is_isolated);
        ck_assert_int_eq(reqs[2]->state, REQUEST_ENDING);
        ck_assert_int_eq(pipit_result_error(reqs[2]->res)->code, PIPIT_ELOST);
}
END_TEST

START_TEST(creates_that_were_surely_not_read_run_by_themselves)
{
        learn("one", OID_INT4);
        batch.kind = SEGMENT_WRITES;
        member(creates, pipit_value_int(1));
        member(creates, pipit_value_int(2));
        pipit__coalesce_pack(&batch);
        coalesced_fails_with(PIPIT_ELOST, PIPIT_EXECUTED_NO);
        ck_assert_int_eq(n_again, 2);
}
END_TEST

/* The memory checkers see it when not: the coalesced statement is the first to go. */
START_TEST(without_callbacks_nobody_is_left_behind)
{
        struct request *early = pipit__request_new(&requests, &owner, 0, on_done, NULL);

        member(by_number, pipit_value_int(1));
        member(by_number, pipit_value_int(2));
        pipit__request_discard(early);
        pipit__coalesce_pack(&batch);
        ck_assert_ptr_eq(requests.slots[0].request, last());
        list_remove(&last()->link);
        pipit__requests_discard(&requests);
        ck_assert_int_eq(requests.n, 0);
        ck_assert_int_eq(n_called, 0);
}
END_TEST

START_TEST(without_memory_they_stay_in_the_batch)
{
        bool failed = true;

        for (int i = 0; i < 4; i++)
                member(by_text, pipit_value_text("some"));
        for (int n = 0; failed; n++) {
                oom_after(n);
                pipit__coalesce_pack(&batch);
                failed = oom_stop();
                ck_assert_int_eq(batch.n, failed ? 4 : 1);
                ck_assert_int_eq(batch.kind, failed ? SEGMENT_READS : SEGMENT_SINGLE);
                ck_assert_int_eq(last()->holder == NULL, 1);
        }
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("coalesce");
        TCase *tcase = tcase_create("coalesce");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, two_of_one_sort_are_members_of_a_third);
        tcase_add_test(tcase, one_of_a_sort_goes_by_itself);
        tcase_add_test(tcase, each_sort_has_its_own_coalesced_statement);
        tcase_add_test(tcase, numbers_go_in_binary_form_once_the_types_are_known);
        tcase_add_test(tcase, one_that_does_not_fit_goes_by_itself);
        tcase_add_test(tcase, numbers_of_another_type_than_the_arrays_are_text);
        tcase_add_test(tcase, arrays_that_would_change_one_of_them_do_not_fit);
        tcase_add_test(tcase, creates_are_coalesced_where_they_share_a_commit);
        tcase_add_test(tcase, the_coalesced_statement_has_the_time_of_the_most_patient_also_later);
        tcase_add_loop_test(tcase, a_coalesced_statement_is_cancelled_with_its_last_member, 0, 2);
        tcase_add_test(tcase,
                       after_a_failure_that_was_undone_those_that_are_left_run_by_themselves);
        tcase_add_loop_test(tcase, where_nobody_knows_what_was_executed_all_of_them_are_unknown, 0,
                            2);
        tcase_add_test(tcase, after_a_loss_reads_run_by_themselves_and_each_is_counted);
        tcase_add_test(tcase, creates_that_were_surely_not_read_run_by_themselves);
        tcase_add_test(tcase, without_callbacks_nobody_is_left_behind);
        tcase_add_test(tcase, without_memory_they_stay_in_the_batch);
        suite_add_tcase(suite, tcase);
        return suite;
}
