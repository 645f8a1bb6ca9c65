/*
 * Wrong calls: NULL for every pointer that a public function takes, broken scopes, other threads.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "called.h"
#include "live.h"
#include "starts.h"

static void
on_wrong_call(struct pipit_result *res, void *arg)
{
        (void)res;
        (void)arg;
        ck_abort_msg("a callback of a request that never was");
}

START_TEST(a_start_without_a_scope_is_no_request)
{
        ck_assert_uint_eq(starts[_i](NULL, on_wrong_call, NULL), 0);
}
END_TEST

START_TEST(a_start_with_a_wrong_argument_fails_through_its_callback)
{
        struct calls calls = {0};

        ck_assert_uint_ne(refused[_i](live_db, on_call, &calls), 0);
        ck_assert_int_eq(calls.n, 0);
        expect_executed(answer(&calls), PIPIT_EINVAL, PIPIT_EXECUTED_NO);
        ck_assert_int_eq(pipit_result_error(calls.last)->phase, PIPIT_PHASE_START);
        ck_assert_str_ne(pipit_error_text(calls.last), "");
        execute("SELECT 1");
        ck_assert_int_eq(calls.n, 1);
}
END_TEST

START_TEST(a_start_with_a_wrong_argument_needs_neither_callback_nor_scope)
{
        ck_assert_uint_ne(refused[_i](live_db, NULL, NULL), 0);
        ck_assert_uint_eq(refused[_i](NULL, on_wrong_call, NULL), 0);
}
END_TEST

START_TEST(no_start_calls_back_before_it_returns)
{
        struct calls calls = {0};

        ck_assert_uint_ne(starts[_i](live_db, on_call, &calls), 0);
        ck_assert_int_eq(calls.n, 0);
        answer(&calls);
}
END_TEST

START_TEST(a_start_without_a_callback_runs_and_leaves_nothing)
{
        ck_assert_uint_ne(starts[_i](live_db, NULL, NULL), 0);
        if (_i != N_DRAIN)
                expect_ok(query("SELECT 1", PIPIT_NO_PARAMS));
}
END_TEST

/* ---- scopes that cannot be used */

START_TEST(on_a_broken_database_every_start_fails_with_the_cause)
{
        struct calls calls = {0};

        pipit_close(live_db);
        live_db = pipit_open(live_base, "postgresql://%zz", NULL);
        ck_assert_ptr_nonnull(live_db);
        const struct pipit_error *error = pipit_scope_error(live_db);
        ck_assert_ptr_nonnull(error);
        ck_assert_int_eq(error->code, PIPIT_EINVAL);
        ck_assert_uint_ne(starts[_i](live_db, on_call, &calls), 0);
        ck_assert_int_eq(calls.n, 0);
        expect_executed(answer(&calls), PIPIT_EINVAL, PIPIT_EXECUTED_NO);
        ck_assert_str_eq(pipit_error_text(calls.last), error->message);
}
END_TEST

START_TEST(a_start_on_a_closed_scope_is_refused)
{
        struct calls before = {0};
        struct calls calls = {0};

        ask_on(live_db, "SELECT 1", &before);
        pipit_close(live_db);
        ck_assert_uint_ne(starts[_i](live_db, on_call, &calls), 0);
        live_db = NULL;
        ck_assert_int_eq(calls.n, 0);
        expect_executed(answer(&calls), PIPIT_ECLOSED, PIPIT_EXECUTED_NO);
        expect_executed(answer(&before), PIPIT_ECANCELED, PIPIT_EXECUTED_NO);
}
END_TEST

START_TEST(a_start_on_a_drained_scope_is_refused)
{
        struct calls drained = {0};
        struct calls calls = {0};

        pipit_drain(live_db, -1, on_call, &drained);
        expect_ok(answer(&drained));
        ck_assert_uint_ne(starts[_i](live_db, on_call, &calls), 0);
        ck_assert_int_eq(calls.n, 0);
        expect_executed(answer(&calls), PIPIT_ECLOSED, PIPIT_EXECUTED_NO);
}
END_TEST

START_TEST(a_blocking_scope_of_a_broken_database_is_broken)
{
        pipit_close(live_db);
        live_db = pipit_open(live_base, "postgresql://%zz", NULL);
        struct pipit *sync = pipit_allow_sync(live_db);
        ck_assert_ptr_nonnull(pipit_scope_error(sync));
        ck_assert_int_eq(pipit_scope_error(sync)->code, PIPIT_EINVAL);
        pipit_request request = pipit_query(sync, "SELECT 1", none, NULL, NULL);
        expect_error(pipit_wait(sync, request), PIPIT_EINVAL, "");
        pipit_close(sync);
}
END_TEST

/* ---- functions that start nothing */

START_TEST(functions_of_scopes_accept_null)
{
        ck_assert_ptr_null(pipit_open(NULL, live_url(), NULL));
        ck_assert_ptr_null(pipit_scope_error(NULL));
        ck_assert_ptr_null(pipit_allow_sync(NULL));
        pipit_close(NULL);
        pipit_set_allow_sync(NULL, true);
        pipit_set_coalesce(NULL, true);
        pipit_set_group_writes(NULL, true);
        pipit_cancel(NULL, 1);
        pipit_set_timeout(NULL, 1, 0);
        ck_assert_int_eq(pipit_then(NULL, 1, on_wrong_call, NULL), PIPIT_EINVAL);
        expect_error(pipit_wait(NULL, 1), PIPIT_EINVAL, "");
}
END_TEST

START_TEST(a_database_without_url_and_options_opens)
{
        struct pipit *db = pipit_open(live_base, NULL, NULL);

        ck_assert_ptr_nonnull(db);
        ck_assert_ptr_null(pipit_scope_error(db));
        pipit_close(db);
}
END_TEST

START_TEST(wait_refuses_what_it_cannot_wait_for)
{
        struct calls calls = {0};
        struct pipit *sync = pipit_allow_sync(live_db);
        pipit_request asynchronous = ask_on(live_db, "SELECT 1", &calls);

        expect_error(pipit_wait(sync, 0), PIPIT_EINVAL, "");
        expect_error(pipit_wait(sync, 12345), PIPIT_EINVAL, "");
        expect_error(pipit_wait(live_db, asynchronous), PIPIT_EINVAL, "");
        expect_error(pipit_wait(live_db, 0), PIPIT_EINVAL, "");
        expect_ok(answer(&calls));
        pipit_close(sync);
}
END_TEST

START_TEST(functions_of_records_and_conditions_accept_null)
{
        struct thing other = row;
        struct pipit_arena *arena = pipit_arena_new();

        ck_assert_ptr_nonnull(arena);
        pipit_record_init(NULL, &other);
        pipit_record_init(&thing_model.model, NULL);
        ck_assert_mem_eq(&other, &row, sizeof row);
        ck_assert_ptr_null(pipit_record_row(NULL, &thing_model.model, 0));
        ck_assert_ptr_null(pipit_record_row(query("SELECT 1", none), NULL, 0));
        ck_assert_ptr_null(pipit_record_row(query("SELECT 1", none), &thing_model.model, 0));
        ck_assert_ptr_null(pipit_expr_keep(NULL, pipit_eq(thing_model.id, 1)));
        ck_assert_ptr_null(pipit_expr_keep(arena, NULL));
        ck_assert_ptr_null(pipit_expr_keep(NULL, NULL));
        ck_assert_ptr_null(pipit_arena_free(arena));
        ck_assert_ptr_null(pipit_arena_free(NULL));
}
END_TEST

START_TEST(functions_of_errors_accept_any_number)
{
        static const int numbers[] = {0, 1, -1, -16, -17, -1000, 1 << 30};

        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
                ck_assert_ptr_nonnull(pipit_code_name(numbers[i]));
                ck_assert_ptr_nonnull(pipit_code_text(numbers[i]));
        }
}
END_TEST

/* Room for whatever a getter gives. */
union any {
        bool a_bool;
        int16_t an_int16;
        int32_t an_int32;
        int64_t an_int64;
        float a_float;
        double a_double;
        struct pipit_bytes bytes;
        struct pipit_timestamp timestamp;
        struct pipit_uuid uuid;
        struct pipit_interval interval;
        struct pipit_decimal decimal;
        struct pipit_array array;
        struct pipit_range range;
        struct pipit_items items;
};

/* What every getter says of a place. */
static void
expect_getters(struct pipit_result *res, int at, int code)
{
        union any to;

        ck_assert_int_eq(pipit_result_bool(res, at, 0, &to.a_bool), code);
        ck_assert_int_eq(pipit_result_int16(res, at, 0, &to.an_int16), code);
        ck_assert_int_eq(pipit_result_int32(res, at, 0, &to.an_int32), code);
        ck_assert_int_eq(pipit_result_int64(res, at, 0, &to.an_int64), code);
        ck_assert_int_eq(pipit_result_float(res, at, 0, &to.a_float), code);
        ck_assert_int_eq(pipit_result_double(res, at, 0, &to.a_double), code);
        ck_assert_int_eq(pipit_result_bytes(res, at, 0, &to.bytes), code);
        ck_assert_int_eq(pipit_result_timestamp(res, at, 0, &to.timestamp), code);
        ck_assert_int_eq(pipit_result_uuid(res, at, 0, &to.uuid), code);
}

/* The same with nowhere to write to. */
static void
expect_getters_refuse_null(struct pipit_result *res)
{
        ck_assert_int_eq(pipit_result_bool(res, 0, 0, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_result_int16(res, 0, 0, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_result_int32(res, 0, 0, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_result_int64(res, 0, 0, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_result_float(res, 0, 0, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_result_double(res, 0, 0, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_result_bytes(res, 0, 0, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_result_timestamp(res, 0, 0, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_result_uuid(res, 0, 0, NULL), PIPIT_EINVAL);
}

/* What every getter says of an item. */
static void
expect_item_getters(const struct pipit_item *item, int code)
{
        union any to;

        ck_assert(pipit_item_null(item));
        ck_assert_ptr_null(pipit_item_text(item));
        ck_assert_int_eq(pipit_item_bool(item, &to.a_bool), code);
        ck_assert_int_eq(pipit_item_int16(item, &to.an_int16), code);
        ck_assert_int_eq(pipit_item_int32(item, &to.an_int32), code);
        ck_assert_int_eq(pipit_item_int64(item, &to.an_int64), code);
        ck_assert_int_eq(pipit_item_float(item, &to.a_float), code);
        ck_assert_int_eq(pipit_item_double(item, &to.a_double), code);
        ck_assert_int_eq(pipit_item_bytes(item, &to.bytes), code);
        ck_assert_int_eq(pipit_item_timestamp(item, &to.timestamp), code);
        ck_assert_int_eq(pipit_item_uuid(item, &to.uuid), code);
        ck_assert_int_eq(pipit_item_interval(item, &to.interval), code);
        ck_assert_int_eq(pipit_item_decimal(item, 0, &to.decimal), code);
        ck_assert_int_eq(pipit_item_array(item, &to.array), code);
        ck_assert_int_eq(pipit_item_range(item, &to.range), code);
        ck_assert_int_eq(pipit_item_multirange(item, &to.items), code);
        ck_assert_int_eq(pipit_item_composite(item, &to.items), code);
}

/* The same with nowhere to write to. */
static void
expect_item_getters_refuse_null(const struct pipit_item *item)
{
        ck_assert_int_eq(pipit_item_bool(item, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_item_int16(item, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_item_int32(item, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_item_int64(item, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_item_float(item, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_item_double(item, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_item_bytes(item, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_item_timestamp(item, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_item_uuid(item, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_item_interval(item, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_item_decimal(item, 0, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_item_array(item, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_item_range(item, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_item_multirange(item, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_item_composite(item, NULL), PIPIT_EINVAL);
}

START_TEST(getters_of_items_refuse_what_is_not_there)
{
        struct pipit_result *res = query("SELECT 1 AS one, NULL::int", none);
        struct pipit_item one;
        struct pipit_item null;

        ck_assert_int_eq(pipit_result_item(NULL, 0, 0, &one), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_result_item(res, 1, 0, &one), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_result_item(res, 0, 2, &one), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_result_item(res, 0, 0, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_result_item(res, 0, 0, &one), 0);
        ck_assert_int_eq(pipit_result_item(res, 0, 1, &null), 0);
        expect_item_getters(NULL, PIPIT_EINVAL);
        expect_item_getters(&null, PIPIT_ENOTFOUND);
        expect_item_getters_refuse_null(&one);
}
END_TEST

static void
expect_no_rows(struct pipit_result *res)
{
        ck_assert(pipit_failed(res));
        ck_assert_int_eq(pipit_result_rows(res), 0);
        ck_assert_int_eq(pipit_result_columns(res), 0);
        ck_assert_int_eq(pipit_result_affected(res), 0);
        ck_assert_str_eq(pipit_result_tag(res), "");
        ck_assert_ptr_null(pipit_result_column_name(res, 0));
        ck_assert_int_eq(pipit_column(res, "x"), -1);
        ck_assert_int_eq(pipit_column(res, NULL), -1);
        ck_assert(pipit_result_null(res, 0, 0));
        ck_assert_ptr_null(pipit_result_text(res, 0, 0));
        ck_assert_uint_eq(pipit_result_length(res, 0, 0), 0);
        expect_getters(res, 0, PIPIT_EINVAL);
}

START_TEST(functions_of_results_accept_null)
{
        ck_assert_ptr_null(pipit_result_ref(NULL));
        ck_assert_ptr_null(pipit_result_unref(NULL));
        ck_assert_ptr_null(pipit_result_error(NULL));
        ck_assert_ptr_null(pipit_result_scope(NULL));
        ck_assert_ptr_nonnull(pipit_error_text(NULL));
        expect_no_rows(NULL);
}
END_TEST

START_TEST(a_failed_result_has_no_rows)
{
        struct pipit_result *res = query("SELECT 1/0", none);

        ck_assert_ptr_nonnull(pipit_result_error(res));
        expect_no_rows(res);
}
END_TEST

START_TEST(a_result_of_wait_without_a_scope_can_be_used_like_any_other)
{
        struct pipit_result *res = pipit_wait(NULL, 0);

        expect_no_rows(res);
        ck_assert_ptr_null(pipit_result_scope(res));
        ck_assert_ptr_eq(pipit_result_ref(res), res);
        ck_assert_ptr_null(pipit_result_unref(res));
        ck_assert_ptr_null(pipit_result_unref(res));
        expect_error(res, PIPIT_EINVAL, "");
}
END_TEST

START_TEST(getters_refuse_places_that_are_not_there)
{
        struct pipit_result *res = query("SELECT 1 AS one, NULL", none);

        expect_getters(res, -1, PIPIT_EINVAL);
        expect_getters(res, 1, PIPIT_EINVAL);
        expect_getters_refuse_null(res);
        ck_assert_int_eq(pipit_column(res, NULL), -1);
        ck_assert_int_eq(pipit_column(res, "two"), -1);
        ck_assert_ptr_null(pipit_result_text(res, 0, -1));
        ck_assert_ptr_null(pipit_result_text(res, 0, 2));
        ck_assert_ptr_null(pipit_result_column_name(res, -1));
        ck_assert_ptr_null(pipit_result_column_name(res, 2));
}
END_TEST

/* ---- other threads */

struct stranger {
        struct pipit *db;
        struct pipit *sync;
        pipit_request outstanding;
        pipit_request outstanding_sync;
        int n_wrong; /* what was not refused */
};

static void
on_stray_call(struct pipit_result *res, void *arg)
{
        (void)res;
        ((struct stranger *)arg)->n_wrong++;
}

static bool
is_thread_error(const struct pipit_error *error)
{
        return error != NULL && error->code == PIPIT_ETHREAD;
}

static void *
stranger_run(void *arg)
{
        struct stranger *stranger = arg;
        struct pipit *db = stranger->db;
        int n = 0;

        for (int i = 0; i < N_STARTS; i++)
                n += starts[i](db, on_stray_call, stranger) != 0 ? 1 : 0;
        for (int i = 0; i < N_REFUSED; i++)
                n += refused[i](db, on_stray_call, stranger) != 0 ? 1 : 0;
        n += is_thread_error(pipit_scope_error(db)) ? 0 : 1;
        n += is_thread_error(pipit_scope_error(stranger->sync)) ? 0 : 1;
        n += pipit_allow_sync(db) != NULL ? 1 : 0;
        n += pipit_then(db, stranger->outstanding, on_stray_call, stranger) == 0 ? 1 : 0;
        n += pipit_on_lost(db, NULL, NULL) == 0 ? 1 : 0;
        n += pipit_set_local(db, "a", "b") != 0 ? 1 : 0;
        n += pipit_cancel_on_close_fd(db, stranger->outstanding, 0) == 0 ? 1 : 0;
        pipit_cancel(db, stranger->outstanding);
        pipit_set_timeout(db, stranger->outstanding, 0);
        pipit_set_allow_sync(db, true);
        struct pipit_result *res = pipit_wait(stranger->sync, stranger->outstanding_sync);
        n += is_thread_error(pipit_result_error(res)) ? 0 : 1;
        pipit_wait_drop(stranger->sync, stranger->outstanding_sync);
        pipit_close(stranger->sync);
        pipit_close(db);
        stranger->n_wrong += n;
        return NULL;
}

START_TEST(another_thread_is_refused_and_changes_nothing)
{
        struct calls calls[2] = {{0}};
        struct stranger stranger = {.db = live_db, .sync = pipit_allow_sync(live_db)};
        pthread_t thread;

        stranger.outstanding = ask_on(live_db, "SELECT 'mine'", &calls[0]);
        stranger.outstanding_sync = ask_on(stranger.sync, "SELECT 'too'", &calls[1]);
        ck_assert_int_eq(pthread_create(&thread, NULL, stranger_run, &stranger), 0);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        expect_text(answer(&calls[0]), 0, 0, "mine");
        expect_text(pipit_wait(stranger.sync, stranger.outstanding_sync), 0, 0, "too");
        ck_assert_int_eq(stranger.n_wrong, 0);
        ck_assert_ptr_null(pipit_scope_error(live_db));
        struct pipit *late = pipit_allow_sync(live_db); /* the loop has started */
        ck_assert_int_eq(pipit_scope_error(late)->code, PIPIT_EBLOCKING);
}
END_TEST

/* ---- sessions and transactions that are none */

START_TEST(without_a_scope_no_session_and_no_transaction_is_opened)
{
        ck_assert_ptr_null(pipit_begin(NULL, NULL));
        ck_assert_ptr_null(pipit_session_open(NULL));
        ck_assert_ptr_null(pipit_test_scope(NULL));
        ck_assert_int_eq(pipit_attempt(NULL), 0);
        ck_assert_int_eq(pipit_result_attempts(NULL), 0);
        ck_assert_int_eq(pipit_may_fail(NULL, 1), PIPIT_EINVAL);
        pipit_hold(NULL);
        pipit_release(NULL);
        ck_assert_int_eq(pipit_on_lost(NULL, NULL, NULL), PIPIT_EINVAL);
        ck_assert_uint_eq(pipit_set_local(NULL, "a", "b"), 0);
}
END_TEST

START_TEST(a_database_is_no_transaction)
{
        struct calls calls = {0};
        pipit_request request = ask_on(live_db, "SELECT 1", &calls);

        ck_assert_int_eq(pipit_attempt(live_db), 0);
        ck_assert_int_eq(pipit_may_fail(live_db, request), PIPIT_EINVAL);
        pipit_release(live_db);
        pipit_hold(live_db);
        expect_text(answer(&calls), 0, 0, "1");
}
END_TEST

/* ---- the list is complete */

START_TEST(every_public_function_is_called_wrongly_here)
{
        char names[4000] = "";
        FILE *pipe = popen("sed -n 's/^PIPIT_API/&/; T; :more; /;/!{N; b more}; s/\\n/ /g; "
                           "s/ *(.*//; s/.*[ *]//; p' '" INCLUDE_DIR "'/*.h | LC_ALL=C sort -u",
                           "r");

        ck_assert_ptr_nonnull(pipe);
        size_t n = fread(names, 1, sizeof names - 1, pipe);
        ck_assert_int_eq(pclose(pipe), 0);
        ck_assert_uint_gt(n, 0);
        const char *rest = names;
        for (size_t i = 0; i < sizeof called / sizeof *called; i++) {
                size_t length = strcspn(rest, "\n");
                ck_assert_uint_eq(length, strlen(called[i]));
                ck_assert_int_eq(strncmp(rest, called[i], length), 0);
                rest += length + 1;
        }
        ck_assert_str_eq(rest, "");
}
END_TEST

static TCase *
starts_tcase(void)
{
        TCase *tcase = tcase_create("starts");

        tcase_add_checked_fixture(tcase, live_setup, live_teardown);
        tcase_add_loop_test(tcase, a_start_without_a_scope_is_no_request, 0, N_STARTS);
        tcase_add_loop_test(tcase, a_start_with_a_wrong_argument_fails_through_its_callback, 0,
                            N_REFUSED);
        tcase_add_loop_test(tcase, a_start_with_a_wrong_argument_needs_neither_callback_nor_scope,
                            0, N_REFUSED);
        tcase_add_loop_test(tcase, no_start_calls_back_before_it_returns, 0, N_STARTS);
        tcase_add_loop_test(tcase, a_start_without_a_callback_runs_and_leaves_nothing, 0, N_STARTS);
        tcase_add_loop_test(tcase, on_a_broken_database_every_start_fails_with_the_cause, 0,
                            N_STARTS);
        tcase_add_loop_test(tcase, a_start_on_a_closed_scope_is_refused, 0, N_STARTS);
        tcase_add_loop_test(tcase, a_start_on_a_drained_scope_is_refused, 0, N_STARTS);
        return tcase;
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("misuse");
        TCase *tcase = tcase_create("misuse");

        tcase_add_checked_fixture(tcase, live_setup, live_teardown);
        tcase_add_test(tcase, a_blocking_scope_of_a_broken_database_is_broken);
        tcase_add_test(tcase, functions_of_scopes_accept_null);
        tcase_add_test(tcase, a_database_without_url_and_options_opens);
        tcase_add_test(tcase, wait_refuses_what_it_cannot_wait_for);
        tcase_add_test(tcase, functions_of_records_and_conditions_accept_null);
        tcase_add_test(tcase, functions_of_errors_accept_any_number);
        tcase_add_test(tcase, functions_of_results_accept_null);
        tcase_add_test(tcase, a_failed_result_has_no_rows);
        tcase_add_test(tcase, a_result_of_wait_without_a_scope_can_be_used_like_any_other);
        tcase_add_test(tcase, getters_refuse_places_that_are_not_there);
        tcase_add_test(tcase, getters_of_items_refuse_what_is_not_there);
        tcase_add_test(tcase, another_thread_is_refused_and_changes_nothing);
        tcase_add_test(tcase, every_public_function_is_called_wrongly_here);
        tcase_add_test(tcase, without_a_scope_no_session_and_no_transaction_is_opened);
        tcase_add_test(tcase, a_database_is_no_transaction);
        suite_add_tcase(suite, tcase);
        suite_add_tcase(suite, starts_tcase());
        return suite;
}
