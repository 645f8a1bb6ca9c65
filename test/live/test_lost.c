/*
 * A scope whose connection is gone is over at once, whatever holds it, and who asked for it is
 * told.
 */
#include <stdlib.h>

#include "scripts.h"

#define BACKEND "SELECT pg_backend_pid()"

/* What was lost, and how its user was told. */
struct holder {
        struct calls done; /* first: body and done callback have one argument */
        struct calls backend;
        struct pipit *scope;
        pipit_body inner; /* NULL: the body itself holds */
        int n_told;
        int n_done_before;
        int code;
        const struct pipit_error *error; /* pipit_scope_error()'s at that time */
};

static void
on_lost(struct pipit *scope, const struct pipit_error *error, void *arg)
{
        struct holder *holder = arg;

        ck_assert_ptr_eq(scope, holder->scope);
        holder->n_told++;
        holder->n_done_before = holder->done.n;
        holder->code = error->code;
        holder->error = pipit_scope_error(scope);
        ck_assert_ptr_nonnull(holder->error);
        ck_assert_int_eq(holder->error->code, PIPIT_ELOST);
        ck_assert_str_eq(error->message, holder->error->message);
}

static void
watch(struct holder *holder, struct pipit *scope)
{
        holder->scope = scope;
        ck_assert_int_eq(pipit_on_lost(scope, on_lost, holder), 0);
        ask_on(scope, BACKEND, &holder->backend);
}

static void
hold(struct pipit *scope, void *arg)
{
        pipit_hold(scope);
        watch(arg, scope);
}

static void
hold_inside(struct pipit *scope, void *arg)
{
        pipit_hold(scope);
        pipit_atomic(scope, hold, NULL, arg);
}

static void
open_inside(struct pipit *scope, void *arg)
{
        watch(arg, pipit_begin(scope, NULL));
}

/* The backend whose number a request has got ends. */
static void
end_backend(struct calls *backend)
{
        struct pipit *other = pipit_open(live_base, live_url(), NULL);

        loop_until(&backend->n, 1);
        expect_ok(backend->last);
        expect_ok(query_on(other, "SELECT pg_terminate_backend($1::text::int)",
                           PIPIT_PARAMS(pipit_result_text(backend->last, 0, 0))));
        pipit_close(other);
}

/* ---- with a body */

static const struct {
        bool is_session;
        pipit_body body;
} bodies[] = {{true, hold},  {true, hold_inside},  {true, open_inside},
              {false, hold}, {false, hold_inside}, {false, open_inside}};
enum { N_BODIES = sizeof bodies / sizeof *bodies };

static pipit_request
start_body(int i, struct holder *holder)
{
        return bodies[i].is_session ? pipit_session(live_db, bodies[i].body, on_call, holder)
                                    : pipit_atomic(live_db, bodies[i].body, on_call, holder);
}

START_TEST(a_held_scope_without_its_backend_is_over_and_says_so)
{
        struct holder holder = {.done = {0}};

        ck_assert_uint_ne(start_body(_i, &holder), 0);
        end_backend(&holder.backend);
        expect_error(answer(&holder.done), PIPIT_ELOST, "57P01");
        ck_assert_int_eq(holder.n_told, 1);
        ck_assert_int_eq(holder.n_done_before, 0);
        ck_assert_int_eq(holder.code, PIPIT_ELOST);
        loop_for(10);
        ck_assert_int_eq(holder.n_told + holder.done.n, 2);
        execute("SELECT 1");
        if (bodies[_i].body == open_inside)
                pipit_close(holder.scope);
}
END_TEST

START_TEST(a_held_scope_that_nobody_watches_has_its_done_callback)
{
        struct holder holder = {.done = {0}};

        ck_assert_uint_ne(start_body(_i, &holder), 0);
        loop_until(&holder.backend.n, 1);
        ck_assert_int_eq(pipit_on_lost(holder.scope, NULL, NULL), 0);
        end_backend(&holder.backend);
        expect_error(answer(&holder.done), PIPIT_ELOST, "57P01");
        ck_assert_int_eq(holder.n_told, 0);
        if (bodies[_i].body == open_inside)
                pipit_close(holder.scope);
}
END_TEST

/* ---- by hand */

enum { SESSION, TRANSACTION, TEST_SCOPE, N_BY_HAND };

static struct pipit *
open_by_hand(int kind, struct pipit *db)
{
        switch (kind) {
        case SESSION: return pipit_session_open(db);
        case TRANSACTION: return pipit_begin(db, NULL);
        default: return pipit_test_scope(db);
        }
}

START_TEST(a_scope_by_hand_without_its_backend_says_so_until_it_is_closed)
{
        struct holder holder = {.done = {0}};
        struct calls late = {0};

        watch(&holder, open_by_hand(_i, live_db));
        end_backend(&holder.backend);
        loop_until(&holder.n_told, 1);
        ck_assert_int_eq(pipit_on_lost(holder.scope, on_lost, &holder), PIPIT_ELOST);
        ck_assert_uint_ne(ask_on(holder.scope, "SELECT 1", &late), 0);
        expect_error(answer(&late), PIPIT_ELOST, "57P01");
        ck_assert_ptr_eq(pipit_scope_error(holder.scope), holder.error);
        pipit_close(holder.scope);
        loop_for(10);
        ck_assert_int_eq(holder.n_told, 1);
}
END_TEST

START_TEST(a_scope_in_another_is_told_before_its_turn_has_come)
{
        struct holder outer = {.done = {0}};
        struct holder inner = {.done = {0}};

        watch(&outer, pipit_session_open(live_db));
        loop_until(&outer.backend.n, 1);
        ask_on(outer.scope, "SELECT pg_terminate_backend(pg_backend_pid())", &outer.done);
        watch(&inner, pipit_begin(outer.scope, NULL));
        loop_until(&inner.backend.n, 1);
        expect_error(inner.backend.last, PIPIT_ELOST, "57P01");
        ck_assert_int_eq(outer.n_told, 1);
        ck_assert_int_eq(inner.n_told, 1);
        pipit_close(inner.scope);
        pipit_close(outer.scope);
}
END_TEST

START_TEST(nobody_is_told_of_a_scope_that_its_user_has_ended)
{
        struct holder holder = {.done = {0}};

        watch(&holder, open_by_hand(_i % N_BY_HAND, live_db));
        loop_until(&holder.backend.n, 1);
        if (_i % N_BY_HAND == TRANSACTION)
                pipit_rollback(holder.scope, NULL, NULL);
        else
                pipit_close(holder.scope);
        if (_i < N_BY_HAND) {
                end_backend(&holder.backend);
        } else {
                pipit_close(live_db);
                live_db = NULL;
        }
        loop_for(10);
        ck_assert_int_eq(holder.n_told, 0);
}
END_TEST

START_TEST(nobody_is_told_of_a_held_scope_that_is_closed_with_its_database)
{
        struct holder holder = {.done = {0}};

        ck_assert_uint_ne(start_body(_i, &holder), 0);
        loop_until(&holder.backend.n, 1);
        pipit_close(live_db);
        live_db = NULL;
        loop_until(&holder.done.n, 1);
        ck_assert_int_eq(holder.n_told, 0);
}
END_TEST

static void
close_both(struct pipit *scope, const struct pipit_error *error, void *arg)
{
        int *n_told = arg;

        (void)error;
        pipit_close(scope);
        pipit_close(live_db);
        live_db = NULL;
        ++*n_told;
}

START_TEST(who_is_told_may_close_everything)
{
        struct holder holder = {.done = {0}};
        int n_told = 0;

        watch(&holder, open_by_hand(_i, live_db));
        ck_assert_int_eq(pipit_on_lost(holder.scope, close_both, &n_told), 0);
        end_backend(&holder.backend);
        loop_until(&n_told, 1);
        loop_for(10);
        ck_assert_int_eq(n_told, 1);
        ck_assert_int_eq(holder.n_told, 0);
}
END_TEST

START_TEST(the_wait_of_a_blocking_scope_tells_of_a_loss)
{
        struct pipit *sync = pipit_allow_sync(live_db);
        struct holder holder = {.scope = open_by_hand(_i, sync)};
        char backends[100];

        ck_assert_int_eq(pipit_on_lost(holder.scope, on_lost, &holder), 0);
        struct pipit_result *res =
                pipit_wait(sync, pipit_query(holder.scope, BACKEND, PIPIT_NO_PARAMS, NULL, NULL));
        expect_ok(res);
        expect_ok(query("SELECT pg_terminate_backend($1::text::int)",
                        PIPIT_PARAMS(pipit_result_text(res, 0, 0))));
        snprintf(backends, sizeof backends, "SELECT count(*) FROM pg_stat_activity WHERE pid = %s",
                 pipit_result_text(res, 0, 0));
        wait_for_server(backends, "0");
        res = pipit_wait(sync, pipit_query(holder.scope, BACKEND, PIPIT_NO_PARAMS, NULL, NULL));
        expect_error(res, PIPIT_ELOST, "57P01");
        ck_assert_int_eq(holder.n_told, 1);
        pipit_close(sync);
}
END_TEST

START_TEST(what_has_no_connection_of_its_own_is_refused)
{
        struct holder holder = {.done = {0}};
        struct pipit *sync = pipit_allow_sync(live_db);

        ck_assert_int_eq(pipit_on_lost(NULL, on_lost, &holder), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_on_lost(live_db, on_lost, &holder), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_on_lost(sync, on_lost, &holder), PIPIT_EINVAL);
        pipit_close(sync);
        struct pipit *tx = pipit_begin(live_db, NULL);
        pipit_commit(tx, on_call, &holder.done);
        ck_assert_int_eq(pipit_on_lost(tx, on_lost, &holder), PIPIT_ECLOSED);
        expect_ok(answer(&holder.done));
}
END_TEST

/* ---- a transaction that can only roll back */

START_TEST(a_transaction_that_can_only_roll_back_says_so)
{
        struct pipit *tx = pipit_begin(live_db, NULL);
        struct calls failed = {0};
        struct calls late = {0};

        ask_on(tx, "SELECT 1 / 0", &failed);
        ck_assert_ptr_null(pipit_scope_error(tx));
        expect_error(answer(&failed), PIPIT_ESERVER, "22012");
        ck_assert_ptr_nonnull(pipit_scope_error(tx));
        ck_assert_str_eq(pipit_scope_error(tx)->sqlstate, "22012");
        ask_on(tx, "SELECT 1", &late);
        expect_error(answer(&late), PIPIT_EROLLBACK, "");
        pipit_close(tx);
}
END_TEST

/* ---- holds by hand */

START_TEST(a_hold_does_not_keep_the_end_by_hand_back)
{
        struct pipit *session = pipit_session_open(live_db);
        struct pipit *tx = pipit_begin(_i % 2 == 0 ? live_db : session, NULL);
        struct calls ended = {0};

        pipit_hold(tx);
        query_on(tx, "SELECT 1", PIPIT_NO_PARAMS);
        if (_i < 2)
                pipit_commit(tx, on_call, &ended);
        else
                pipit_rollback(tx, on_call, &ended);
        expect_ok(answer(&ended));
        expect_ok(query_on(session, "SELECT 1", PIPIT_NO_PARAMS));
        pipit_close(session);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("lost");
        TCase *tcase = tcase_create("lost");

        tcase_add_checked_fixture(tcase, live_setup, live_teardown);
        tcase_add_loop_test(tcase, a_held_scope_without_its_backend_is_over_and_says_so, 0,
                            N_BODIES);
        tcase_add_loop_test(tcase, a_held_scope_that_nobody_watches_has_its_done_callback, 0,
                            N_BODIES);
        tcase_add_loop_test(tcase, a_scope_by_hand_without_its_backend_says_so_until_it_is_closed,
                            0, N_BY_HAND);
        tcase_add_test(tcase, a_scope_in_another_is_told_before_its_turn_has_come);
        tcase_add_loop_test(tcase, nobody_is_told_of_a_scope_that_its_user_has_ended, 0,
                            N_BY_HAND * 2);
        tcase_add_loop_test(tcase, nobody_is_told_of_a_held_scope_that_is_closed_with_its_database,
                            0, N_BODIES);
        tcase_add_loop_test(tcase, who_is_told_may_close_everything, 0, N_BY_HAND);
        tcase_add_loop_test(tcase, the_wait_of_a_blocking_scope_tells_of_a_loss, 0, N_BY_HAND);
        tcase_add_test(tcase, what_has_no_connection_of_its_own_is_refused);
        tcase_add_test(tcase, a_transaction_that_can_only_roll_back_says_so);
        tcase_add_loop_test(tcase, a_hold_does_not_keep_the_end_by_hand_back, 0, 4);
        suite_add_tcase(suite, tcase);
        return suite;
}
