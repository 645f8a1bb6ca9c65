/*
 * Transactions that end in unusual ways and at unusual times: closed, cancelled, expired and
 * drained, in each state that they can be in; and by callers that make mistakes.
 */
#include "bank.h"

/* ---- given up in each state */

enum { WAITS, RUNS, COMMITS, PAUSES, N_STATES };

/* How it is given up. */
enum { BY_CANCEL, BY_TIME, BY_SCOPE, BY_DATABASE, BY_DRAIN, N_WAYS };

#define SLOW_COMMIT                                                                                \
        "CREATE FUNCTION pipit_slow() RETURNS trigger LANGUAGE plpgsql AS "                        \
        "'BEGIN PERFORM pg_sleep(600); RETURN NULL; END'"

/* A trigger that makes COMMIT slow. */
static void
slow_commit(void)
{
        execute(SLOW_COMMIT);
        execute("CREATE CONSTRAINT TRIGGER slow AFTER UPDATE ON account DEFERRABLE INITIALLY "
                "DEFERRED FOR EACH ROW EXECUTE FUNCTION pipit_slow()");
}

/* Brings a script's transaction into a state. */
static pipit_request
bring_to(int state, struct script *script, struct pipit *other)
{
        static const char *const last[] = {NULL, SLEEP, NULL, RAISE("40001")};
        struct pipit_transaction options = {.max_attempts = 1000};

        *script = (struct script){.sql = {TAKE, last[state]}};
        if (state == WAITS)
                expect_ok(run_on(other, "SELECT 1"));
        else
                pipit_close(other);
        pipit_request request = start_atomic(live_db, &options, script);
        if (state == COMMITS)
                loop_until(&script->calls[0].n, 1);
        else if (state == RUNS)
                loop_until(&script->n_bodies, 1);
        else if (state == PAUSES)
                loop_until(&script->n_bodies, 4);
        loop_for(state == WAITS ? 0 : 10);
        ck_assert_int_eq(script->done.n, 0);
        return request;
}

static void
give_up(int way, pipit_request request, struct script *script)
{
        struct calls drained = {0};

        switch (way) {
        case BY_CANCEL: pipit_cancel(live_db, request); break;
        case BY_TIME: pipit_set_timeout(live_db, request, 0); break;
        case BY_SCOPE: pipit_close(script->scope); break;
        case BY_DATABASE: pipit_close(live_db); break;
        case BY_DRAIN:
                ck_assert_uint_ne(pipit_drain(live_db, 0, on_call, &drained), 0);
                expect_error(answer(&drained), PIPIT_ETIMEDOUT, "");
                break;
        default: break;
        }
        loop_until(&script->done.n, 1);
        if (way == BY_DATABASE)
                live_db = NULL;
        bank_reopen((struct pipit_options){.max_connections = 1});
}

START_TEST(a_transaction_that_is_given_up_tells_so_once_in_any_state)
{
        static struct script script;
        int state = _i % N_STATES;
        int way = _i / N_STATES;
        bool scope_is_over = way == BY_SCOPE && (state == WAITS || state == COMMITS);

        if (scope_is_over)
                return; /* nobody has it yet, or it takes no close any more */
        if (state == COMMITS)
                slow_commit();
        struct pipit *other = session_on(live_db);
        pipit_request request = bring_to(state, &script, other);
        give_up(way, request, &script);
        ck_assert_int_eq(script.done.n, 1);
        int code = pipit_result_error(script.done.last)->code;
        ck_assert_int_eq(code, way == BY_TIME ? PIPIT_ETIMEDOUT : PIPIT_ECANCELED);
        ck_assert_int_eq(pipit_result_error(script.done.last)->executed,
                         state == WAITS     ? PIPIT_EXECUTED_NO
                         : state == COMMITS ? PIPIT_EXECUTED_UNKNOWN
                                            : PIPIT_EXECUTED_ROLLED_BACK);
        expect_balances("100,0");
}
END_TEST

/* ---- ended by hand, and its database closed behind it */

static void
end_by_hand(struct pipit *tx, bool commits, struct calls *end)
{
        ck_assert_uint_ne(
                commits ? pipit_commit(tx, on_call, end) : pipit_rollback(tx, on_call, end), 0);
}

START_TEST(a_database_that_is_closed_behind_a_commit_by_hand_ends_it)
{
        struct calls calls = {0};
        struct calls end = {0};
        struct pipit *tx = begin_on(live_db);

        ask_on(tx, TAKE, &calls);
        if (_i >= 2)
                loop_until(&calls.n, 1);
        end_by_hand(tx, _i % 2 == 0, &end);
        pipit_close(live_db);
        live_db = NULL;
        loop_until(&end.n, 1);
        ck_assert_int_eq(calls.n, 1);
        ck_assert_int_eq(end.n, 1);
        if (_i < 2)
                ck_assert(pipit_failed(calls.last));
        if (_i % 2 == 0)
                expect_error(end.last, PIPIT_ECANCELED, "");
        bank_reopen((struct pipit_options){.max_connections = 1});
        expect_balances("100,0");
}
END_TEST

START_TEST(a_session_that_is_closed_behind_a_commit_by_hand_ends_it)
{
        struct calls calls = {0};
        struct calls end = {0};
        struct pipit *session = session_on(live_db);
        struct pipit *tx = begin_on(session);

        ask_on(tx, TAKE, &calls);
        end_by_hand(tx, _i == 0, &end);
        pipit_close(session);
        loop_until(&end.n, 1);
        ck_assert_int_eq(calls.n, 1);
        ck_assert(pipit_failed(calls.last));
        expect_balances("100,0");
}
END_TEST

START_TEST(a_parent_that_is_closed_closes_all_that_is_nested_in_it)
{
        struct calls calls[4] = {{0}};
        struct pipit *scopes[4];

        for (int i = 0; i < 4; i++) {
                scopes[i] = begin_on(i == 0 ? live_db : scopes[i - 1]);
                ask_on(scopes[i], i == 3 ? SLEEP : TAKE, &calls[i]);
        }
        if (_i % 2 == 1)
                loop_for(10);
        pipit_close(scopes[_i / 2]);
        for (int i = _i / 2; i < 4; i++)
                loop_until(&calls[i].n, 1);
        expect_error(calls[3].last, PIPIT_ECANCELED, "");
        if (_i / 2 > 0) {
                expect_ok(run_on(scopes[_i / 2 - 1], GIVE));
                pipit_close(scopes[0]);
        }
        expect_balances("100,0");
}
END_TEST

/* ---- callbacks that close */

static void
run_and_close(struct pipit *scope, void *arg)
{
        run_script(scope, arg);
        pipit_close(live_db);
        live_db = NULL;
}

static void
run_and_give_up(struct pipit *scope, void *arg)
{
        run_script(scope, arg);
        pipit_close(scope);
}

START_TEST(a_body_may_close_its_scope_and_its_database)
{
        struct script script = {.sql = {TAKE, GIVE}};

        ck_assert_uint_ne(
                pipit_atomic(live_db, _i == 0 ? run_and_close : run_and_give_up, on_call, &script),
                0);
        expect_error(answer(&script.done), PIPIT_ECANCELED, "");
        ck_assert_int_eq(script.calls[0].n, 1);
        expect_end(script.calls[1].last, PIPIT_ECANCELED, PIPIT_EXECUTED_NO);
        bank_reopen((struct pipit_options){.max_connections = 1});
        expect_balances("100,0");
}
END_TEST

/* Closes something when it is called. */
struct closer {
        struct script script; /* first */
        struct calls own;
        bool closes_scope;
};

static void
on_close(struct pipit_result *res, void *arg)
{
        struct closer *closer = arg;

        on_call(res, &closer->own);
        if (closer->closes_scope)
                pipit_close(closer->script.scope);
        else
                pipit_close(live_db);
        if (!closer->closes_scope)
                live_db = NULL;
}

static void
run_closer(struct pipit *scope, void *arg)
{
        struct closer *closer = arg;

        closer->script.scope = scope;
        ck_assert_uint_ne(pipit_query(scope, TAKE, PIPIT_NO_PARAMS, on_close, arg), 0);
        run_script(scope, arg);
}

START_TEST(a_callback_may_close_its_scope_and_its_database)
{
        struct closer closer = {.script = {.sql = {GIVE, TAKE}}, .closes_scope = _i == 1};

        ck_assert_uint_ne(pipit_atomic(live_db, run_closer, on_call, &closer), 0);
        expect_error(answer(&closer.script.done), PIPIT_ECANCELED, "");
        ck_assert_int_eq(closer.own.n, 1);
        ck_assert_int_eq(closer.script.calls[1].n, 1);
        bank_reopen((struct pipit_options){.max_connections = 1});
        expect_balances("100,0");
}
END_TEST

static void
on_done_close(struct pipit_result *res, void *arg)
{
        on_call(res, arg);
        pipit_close(live_db);
        live_db = NULL;
}

START_TEST(a_done_callback_may_close_the_database)
{
        struct script script = {.sql = {TAKE}};

        ck_assert_uint_ne(pipit_atomic(live_db, run_script, on_done_close, &script), 0);
        expect_ok(answer(&script.done));
        bank_reopen((struct pipit_options){.max_connections = 1});
        expect_balances("90,0");
}
END_TEST

/* ---- drain */

START_TEST(a_drain_waits_for_transactions_which_go_on)
{
        struct calls drained = {0};
        struct calls calls = {0};
        struct pipit *tx = begin_on(live_db);

        expect_ok(run_on(tx, TAKE));
        ck_assert_uint_ne(pipit_drain(live_db, -1, on_call, &drained), 0);
        ask_on(live_db, TAKE, &calls);
        expect_executed(answer(&calls), PIPIT_ECLOSED, PIPIT_EXECUTED_NO);
        expect_ok(run_on(tx, GIVE));
        struct script nested = {.sql = {GIVE}};
        expect_ok(atomic_on(tx, &nested));
        ck_assert_int_eq(drained.n, 0);
        expect_ok(commit(tx));
        expect_ok(answer(&drained));
        bank_reopen((struct pipit_options){.max_connections = 1});
        expect_balances("90,20");
}
END_TEST

START_TEST(a_drained_database_begins_nothing)
{
        struct calls drained = {0};
        struct script script = {.sql = {TAKE}};

        ck_assert_uint_ne(pipit_drain(live_db, -1, on_call, &drained), 0);
        start_atomic(live_db, NULL, &script);
        expect_executed(answer(&script.done), PIPIT_ECLOSED, PIPIT_EXECUTED_NO);
        struct pipit *tx = begin_on(live_db);
        expect_error(run_on(tx, TAKE), PIPIT_ECLOSED, "");
        pipit_close(tx);
        expect_ok(answer(&drained));
        ck_assert_int_eq(script.n_bodies, 0);
}
END_TEST

/* ---- the only connection */

START_TEST(a_transaction_that_waits_for_another_connection_fails_and_does_not_hang)
{
        struct calls calls = {0};

        bank_reopen((struct pipit_options){.max_connections = 1, .acquire_timeout_ms = 100});
        struct pipit *tx = begin_on(live_db);
        expect_ok(run_on(tx, TAKE));
        ask_on(live_db, GIVE, &calls);
        expect_executed(answer(&calls), PIPIT_ETIMEDOUT, PIPIT_EXECUTED_NO);
        struct script script = {.sql = {TAKE}};
        expect_executed(atomic_on(live_db, &script), PIPIT_ETIMEDOUT, PIPIT_EXECUTED_NO);
        expect_ok(run_on(tx, GIVE));
        expect_ok(commit(tx));
        expect_balances("90,10");
}
END_TEST

START_TEST(max_waiting_holds_for_a_transaction_too_and_does_not_doom_it)
{
        struct calls calls[4] = {{0}};

        bank_reopen((struct pipit_options){.max_connections = 1, .max_waiting = 3});
        struct pipit *tx = begin_on(live_db);
        for (int i = 0; i < 4; i++)
                ask_on(tx, TAKE, &calls[i]);
        expect_executed(answer(&calls[3]), PIPIT_ELIMIT, PIPIT_EXECUTED_NO);
        expect_message(calls[3].last, "max_waiting");
        expect_ok(answer(&calls[2]));
        expect_ok(commit(tx));
        expect_balances("70,0");
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("transaction_end");
        TCase *tcase = tcase_create("transaction_end");

        tcase_add_checked_fixture(tcase, bank_setup, bank_teardown);
        tcase_add_loop_test(tcase, a_transaction_that_is_given_up_tells_so_once_in_any_state, 0,
                            N_STATES * N_WAYS);
        tcase_add_loop_test(tcase, a_database_that_is_closed_behind_a_commit_by_hand_ends_it, 0, 4);
        tcase_add_loop_test(tcase, a_session_that_is_closed_behind_a_commit_by_hand_ends_it, 0, 2);
        tcase_add_loop_test(tcase, a_parent_that_is_closed_closes_all_that_is_nested_in_it, 0, 8);
        tcase_add_loop_test(tcase, a_body_may_close_its_scope_and_its_database, 0, 2);
        tcase_add_loop_test(tcase, a_callback_may_close_its_scope_and_its_database, 0, 2);
        tcase_add_test(tcase, a_done_callback_may_close_the_database);
        tcase_add_test(tcase, a_drain_waits_for_transactions_which_go_on);
        tcase_add_test(tcase, a_drained_database_begins_nothing);
        tcase_add_test(tcase,
                       a_transaction_that_waits_for_another_connection_fails_and_does_not_hang);
        tcase_add_test(tcase, max_waiting_holds_for_a_transaction_too_and_does_not_doom_it);
        suite_add_tcase(suite, tcase);
        return suite;
}
