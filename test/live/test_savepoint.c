/*
 * Transactions in transactions: savepoints, in bodies, in callbacks and by hand; and statements
 * that may fail.
 */
#include "bank.h"

#define DEPTH 5

/* ---- nested to a depth, where some levels fail */

struct nest;

struct level {
        struct calls done;
        struct calls insert;
        struct calls failure;
        struct nest *nest;
        int depth;
        struct pipit *scope;
};

struct nest {
        unsigned fails; /* a bit for each level that fails, behind what is nested in it */
        bool in_callbacks;
        struct level levels[DEPTH + 1];
        char expected[40];
};

static void run_level(struct pipit *scope, void *arg);

static void
nest_init(struct nest *nest, unsigned fails, bool in_callbacks)
{
        bool lives = true;
        size_t n = 0;

        *nest = (struct nest){.fails = fails, .in_callbacks = in_callbacks};
        for (int i = 0; i <= DEPTH; i++) {
                nest->levels[i].nest = nest;
                nest->levels[i].depth = i;
                lives = lives && (fails >> i & 1) == 0;
                if (lives)
                        nest->expected[n++] = (char)('0' + i);
        }
        execute("CREATE TABLE level (depth int)");
}

static void
level_go_on(struct level *level)
{
        if (level->depth < DEPTH)
                ck_assert_uint_ne(pipit_atomic(level->scope, run_level, on_call, level + 1), 0);
        if ((level->nest->fails >> level->depth & 1) != 0)
                ask_on(level->scope, FAIL, &level->failure);
}

static void
on_insert(struct pipit_result *res, void *arg)
{
        struct level *level = arg;

        on_call(res, &level->insert);
        if (level->nest->in_callbacks)
                level_go_on(level);
}

static void
level_insert(struct level *level)
{
        char sql[60];

        snprintf(sql, sizeof sql, "INSERT INTO level VALUES (%d)", level->depth);
        ck_assert_uint_ne(pipit_query(level->scope, sql, PIPIT_NO_PARAMS, on_insert, level), 0);
}

static void
run_level(struct pipit *scope, void *arg)
{
        struct level *level = arg;

        level->scope = scope;
        level_insert(level);
        if (!level->nest->in_callbacks)
                level_go_on(level);
}

/* Each level ended once, and what is there is what lives. */
static void
expect_nest(const struct nest *nest)
{
        for (int i = 0; i <= DEPTH; i++) {
                ck_assert_int_eq(nest->levels[i].done.n, 1);
                ck_assert_int_eq(nest->levels[i].insert.n, 1);
                if ((nest->fails >> i & 1) != 0)
                        expect_error(nest->levels[i].done.last, PIPIT_ESERVER, "22012");
                else
                        expect_ok(nest->levels[i].done.last);
        }
        expect_text(query("SELECT coalesce(string_agg(depth::text, '' ORDER BY depth), '')"
                          " FROM level",
                          PIPIT_NO_PARAMS),
                    0, 0, nest->expected);
}

START_TEST(each_level_fails_by_itself)
{
        static struct nest nest;

        nest_init(&nest, (unsigned)_i % 64, _i >= 64);
        ck_assert_uint_ne(pipit_atomic(live_db, run_level, on_call, &nest.levels[0]), 0);
        answer(&nest.levels[0].done);
        expect_nest(&nest);
}
END_TEST

START_TEST(each_level_by_hand_is_committed_or_rolled_back_by_itself)
{
        static struct nest nest;

        nest_init(&nest, (unsigned)_i, false);
        for (int i = 0; i <= DEPTH; i++) {
                nest.levels[i].scope = begin_on(i == 0 ? live_db : nest.levels[i - 1].scope);
                level_insert(&nest.levels[i]);
        }
        for (int i = DEPTH; i >= 0; i--) {
                bool fails = (nest.fails >> i & 1) != 0;
                loop_until(&nest.levels[i].insert.n, 1);
                expect_ok(fails ? roll_back(nest.levels[i].scope) : commit(nest.levels[i].scope));
        }
        expect_text(query("SELECT coalesce(string_agg(depth::text, '' ORDER BY depth), '')"
                          " FROM level",
                          PIPIT_NO_PARAMS),
                    0, 0, nest.expected);
}
END_TEST

/* ---- one behind the other */

#define MANY 40

struct many {
        struct calls done;
        struct script inner[MANY];
};

static void
run_many(struct pipit *scope, void *arg)
{
        struct many *many = arg;

        for (int i = 0; i < MANY; i++) {
                many->inner[i].sql[0] = i % 3 == 0 ? TAKE : GIVE;
                many->inner[i].sql[1] = i % 3 == 0 ? FAIL : NULL;
                start_atomic(scope, NULL, &many->inner[i]);
        }
}

START_TEST(savepoints_are_released_also_when_they_were_rolled_back)
{
        static struct many many;

        many = (struct many){.done = {0}};
        ck_assert_uint_ne(pipit_atomic(live_db, run_many, on_call, &many), 0);
        expect_ok(answer(&many.done));
        for (int i = 0; i < MANY; i++)
                ck_assert_int_eq(pipit_failed(many.inner[i].done.last), i % 3 == 0);
        expect_balances("100,260");
}
END_TEST

/* What was started on the parent meanwhile comes behind. */
struct order {
        struct calls done;
        struct calls calls[4];
        struct script inner;
};

#define STEP(text) "INSERT INTO step (name) VALUES ('" text "')"

static void
run_order(struct pipit *scope, void *arg)
{
        struct order *order = arg;

        ask_on(scope, STEP("a"), &order->calls[0]);
        start_atomic(scope, NULL, &order->inner);
        ask_on(scope, STEP("d"), &order->calls[1]);
}

START_TEST(what_is_started_on_the_parent_waits_behind_what_is_nested)
{
        struct order order = {.inner = {.sql = {STEP("b"), STEP("c")}}};

        execute("CREATE TABLE step (id serial, name text)");
        ck_assert_uint_ne(pipit_atomic(live_db, run_order, on_call, &order), 0);
        expect_ok(answer(&order.done));
        expect_text(query("SELECT string_agg(name, '' ORDER BY id) FROM step", PIPIT_NO_PARAMS), 0,
                    0, "abcd");
}
END_TEST

/* ---- how a level ends */

START_TEST(a_constraint_error_in_a_savepoint_leaves_the_rest)
{
        struct calls before = {0};
        struct pipit *tx = begin_on(live_db);
        struct script inner = {.sql = {"INSERT INTO account VALUES (1, 1, 9)", GIVE}};

        ask_on(tx, TAKE, &before);
        expect_error(atomic_on(tx, &inner), PIPIT_ESERVER, "23505");
        expect_executed(inner.calls[1].last, PIPIT_EROLLBACK, PIPIT_EXECUTED_ROLLED_BACK);
        ck_assert_ptr_eq(pipit_result_scope(inner.done.last), tx);
        expect_ok(run_on(tx, GIVE));
        expect_ok(commit(tx));
        expect_balances("90,10");
}
END_TEST

START_TEST(a_nested_transaction_whose_parent_rolls_back_is_gone_though_it_succeeded)
{
        struct pipit *tx = begin_on(live_db);
        struct script inner = {.sql = {TAKE}};

        expect_ok(atomic_on(tx, &inner));
        expect_ok(roll_back(tx));
        expect_balances("100,0");
}
END_TEST

START_TEST(a_nested_transaction_in_a_session_is_committed_at_its_end)
{
        struct pipit *session = session_on(live_db);
        struct script inner = {.sql = {TAKE, GIVE}};
        struct script failing = {.sql = {TAKE, FAIL}};

        bool fails = _i == 1;
        expect_ok(atomic_on(session, &inner));
        if (fails)
                expect_error(atomic_on(session, &failing), PIPIT_ESERVER, "22012");
        expect_ok(run_on(session, GIVE));
        pipit_close(session);
        expect_balances("90,20");
}
END_TEST

START_TEST(options_of_the_outermost_are_refused_for_a_nested_one)
{
        static const struct pipit_transaction wrong[] = {{.isolation = PIPIT_SERIALIZABLE},
                                                         {.read_only = true},
                                                         {.deferrable = true},
                                                         {.max_attempts = 2},
                                                         {.commit_early = true}};
        struct script inner = {.sql = {TAKE}};
        struct pipit *tx = begin_on(live_db);

        start_atomic(tx, &wrong[_i], &inner);
        expect_executed(answer(&inner.done), PIPIT_EINVAL, PIPIT_EXECUTED_NO);
        ck_assert_int_eq(inner.n_bodies, 0);
        struct pipit *nested = pipit_begin(tx, &wrong[_i]);
        expect_error(run_on(nested, TAKE), PIPIT_EINVAL, "");
        pipit_close(nested);
        expect_ok(run_on(tx, GIVE));
        expect_ok(commit(tx));
        expect_balances("100,10");
}
END_TEST

START_TEST(what_is_nested_in_a_hundred_is_refused_and_harms_none)
{
        struct pipit *levels[102];
        struct calls calls[2] = {{0}};

        levels[0] = pipit_begin(live_db, NULL);
        for (int i = 1; i < 102; i++)
                levels[i] = pipit_begin(levels[i - 1], NULL);
        ck_assert_ptr_null(pipit_scope_error(levels[100]));
        ck_assert_int_eq(pipit_scope_error(levels[101])->code, PIPIT_EINVAL);
        ask_on(levels[100], TAKE, &calls[0]);
        expect_ok(answer(&calls[0]));
        for (int i = 101; i > 0; i--)
                pipit_commit(levels[i], NULL, NULL);
        pipit_commit(levels[0], on_call, &calls[1]);
        expect_ok(answer(&calls[1]));
}
END_TEST

START_TEST(a_nested_transaction_has_a_time_of_its_own)
{
        struct pipit_transaction options = {.timeout_ms = 50};
        struct script inner = {.sql = {TAKE, SLEEP}};
        struct pipit *tx = begin_on(live_db);

        start_atomic(tx, &options, &inner);
        expect_end(answer(&inner.done), PIPIT_ETIMEDOUT, PIPIT_EXECUTED_ROLLED_BACK);
        expect_ok(run_on(tx, GIVE));
        expect_ok(commit(tx));
        expect_balances("100,10");
}
END_TEST

START_TEST(a_nested_transaction_may_be_cancelled)
{
        struct script inner = {.sql = {TAKE, SLEEP}};
        struct pipit *tx = begin_on(live_db);
        pipit_request request = start_atomic(tx, NULL, &inner);

        if (_i == 0)
                loop_until(&inner.n_bodies, 1);
        loop_for(_i * 10);
        pipit_cancel(tx, request);
        expect_error(answer(&inner.done), PIPIT_ECANCELED, "");
        expect_ok(run_on(tx, GIVE));
        expect_ok(commit(tx));
        expect_balances("100,10");
}
END_TEST

static void
roll_back_in_body(struct pipit *scope, void *arg)
{
        run_script(scope, arg);
        ck_assert_uint_ne(pipit_rollback(scope, NULL, NULL), 0);
}

START_TEST(a_nested_body_rolls_itself_back)
{
        struct script inner = {.sql = {TAKE}};
        struct pipit *tx = begin_on(live_db);

        ck_assert_uint_ne(pipit_atomic(tx, roll_back_in_body, on_call, &inner), 0);
        expect_executed(answer(&inner.done), PIPIT_EROLLBACK, PIPIT_EXECUTED_ROLLED_BACK);
        expect_ok(run_on(tx, GIVE));
        expect_ok(commit(tx));
        expect_balances("100,10");
}
END_TEST

/* ---- statements that may fail */

START_TEST(a_statement_that_may_fail_dooms_nothing)
{
        struct calls calls[3] = {{0}};
        struct pipit *tx = begin_on(live_db);

        ask_on(tx, TAKE, &calls[0]);
        ck_assert_int_eq(pipit_may_fail(tx, ask_on(tx, FAIL, &calls[1])), 0);
        ask_on(tx, GIVE, &calls[2]);
        expect_ok(commit(tx));
        expect_error(calls[1].last, PIPIT_ESERVER, "22012");
        expect_ok(calls[2].last);
        expect_balances("90,10");
}
END_TEST

START_TEST(a_statement_that_might_have_failed_counts)
{
        struct calls calls[3] = {{0}};
        struct pipit *tx = begin_on(live_db);

        for (int i = 0; i < 3; i++)
                ck_assert_int_eq(pipit_may_fail(tx, ask_on(tx, i < 2 ? TAKE : GIVE, &calls[i])), 0);
        expect_ok(commit(tx));
        expect_balances("80,10");
}
END_TEST

START_TEST(several_that_fail_in_a_row_each_leave_their_place)
{
        struct calls calls[6] = {{0}};
        struct pipit *tx = begin_on(live_db);

        for (int i = 0; i < 6; i++)
                ck_assert_int_eq(
                        pipit_may_fail(tx, ask_on(tx, i % 2 == 0 ? FAIL : TAKE, &calls[i])), 0);
        expect_ok(commit(tx));
        for (int i = 0; i < 6; i++)
                ck_assert_int_eq(pipit_failed(calls[i].last), i % 2 == 0);
        expect_balances("70,0");
}
END_TEST

START_TEST(a_sent_statement_and_other_scopes_take_no_may_fail)
{
        struct calls calls[3] = {{0}};
        struct pipit *tx = begin_on(live_db);
        pipit_request done = ask_on(tx, TAKE, &calls[0]);

        expect_ok(answer(&calls[0]));
        ck_assert_int_eq(pipit_may_fail(tx, done), PIPIT_EINVAL);
        pipit_request sent = ask_on(tx, "SELECT pg_sleep(0.05)", &calls[1]);
        loop_for(10);
        ck_assert_int_eq(pipit_may_fail(tx, sent), PIPIT_EINVAL);
        expect_ok(commit(tx));
        ck_assert_int_eq(pipit_may_fail(live_db, ask_on(live_db, TAKE, &calls[2])), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_may_fail(NULL, 1), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_may_fail(live_db, 0), PIPIT_EINVAL);
        expect_ok(answer(&calls[2]));
}
END_TEST

/* What a statement that may fail ends with when its caller does not wait for it. */
START_TEST(a_statement_that_may_fail_may_also_be_given_up)
{
        struct calls calls = {0};
        struct pipit *tx = begin_on(live_db);

        expect_ok(run_on(tx, TAKE));
        pipit_request request = ask_on(tx, SLEEP, &calls);
        ck_assert_int_eq(pipit_may_fail(tx, request), 0);
        if (_i == 1)
                loop_for(20);
        if (_i == 2)
                pipit_set_timeout(tx, request, 20);
        else
                pipit_cancel(tx, request);
        expect_error(answer(&calls), _i == 2 ? PIPIT_ETIMEDOUT : PIPIT_ECANCELED, "");
        expect_ok(run_on(tx, GIVE));
        expect_ok(commit(tx));
        expect_balances("90,10");
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("savepoint");
        TCase *tcase = tcase_create("savepoint");

        tcase_add_checked_fixture(tcase, bank_setup, bank_teardown);
        tcase_add_loop_test(tcase, each_level_fails_by_itself, 0, 128);
        tcase_add_loop_test(tcase, each_level_by_hand_is_committed_or_rolled_back_by_itself, 0, 64);
        tcase_add_test(tcase, savepoints_are_released_also_when_they_were_rolled_back);
        tcase_add_test(tcase, what_is_started_on_the_parent_waits_behind_what_is_nested);
        tcase_add_test(tcase, a_constraint_error_in_a_savepoint_leaves_the_rest);
        tcase_add_test(tcase,
                       a_nested_transaction_whose_parent_rolls_back_is_gone_though_it_succeeded);
        tcase_add_loop_test(tcase, a_nested_transaction_in_a_session_is_committed_at_its_end, 0, 2);
        tcase_add_loop_test(tcase, options_of_the_outermost_are_refused_for_a_nested_one, 0, 5);
        tcase_add_test(tcase, what_is_nested_in_a_hundred_is_refused_and_harms_none);
        tcase_add_test(tcase, a_nested_transaction_has_a_time_of_its_own);
        tcase_add_loop_test(tcase, a_nested_transaction_may_be_cancelled, 0, 3);
        tcase_add_test(tcase, a_nested_body_rolls_itself_back);
        tcase_add_test(tcase, a_statement_that_may_fail_dooms_nothing);
        tcase_add_test(tcase, a_statement_that_might_have_failed_counts);
        tcase_add_test(tcase, several_that_fail_in_a_row_each_leave_their_place);
        tcase_add_test(tcase, a_sent_statement_and_other_scopes_take_no_may_fail);
        tcase_add_loop_test(tcase, a_statement_that_may_fail_may_also_be_given_up, 0, 3);
        suite_add_tcase(suite, tcase);
        return suite;
}
