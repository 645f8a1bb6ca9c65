/*
 * Transactions that run again: serialization failures and deadlocks, real ones and ones that a
 * statement raises.
 */
#include "bank.h"

#define READ_BOTH "SELECT sum(balance) FROM account"

/* ---- attempts, their number and their limit */

START_TEST(a_body_runs_as_often_as_it_may_and_is_told_so)
{
        static const char *const states[] = {RAISE("40001"), RAISE("40P01")};
        struct pipit_transaction options = {.max_attempts = _i / 2};
        struct script script = {.sql = {TAKE, states[_i % 2]}};
        int n = _i / 2 == 0 ? 3 : _i / 2;

        pipit_failed(atomic_with(&options, &script));
        expect_error(script.done.last, PIPIT_ESERVER, _i % 2 == 0 ? "40001" : "40P01");
        ck_assert_int_eq(pipit_result_error(script.done.last)->executed,
                         PIPIT_EXECUTED_ROLLED_BACK);
        ck_assert_int_eq(script.n_bodies, n);
        ck_assert_int_eq(pipit_result_attempts(script.done.last), n);
        for (int i = 0; i < n; i++)
                ck_assert_int_eq(script.attempts[i], i + 1);
        ck_assert_int_eq(script.calls[1].n, n);
        expect_balances("100,0");
}
END_TEST

START_TEST(other_errors_are_final)
{
        static const char *const states[] = {FAIL, RAISE("23505"), RAISE("40002"), RAISE("40003"),
                                             RAISE("55P03")};
        struct script script = {.sql = {states[_i]}};

        ck_assert(pipit_failed(atomic_on(live_db, &script)));
        ck_assert_int_eq(script.n_bodies, 1);
        ck_assert_int_eq(pipit_result_attempts(script.done.last), 1);
}
END_TEST

/* Succeeds from the second run on. */
static void
run_until_second(struct pipit *scope, void *arg)
{
        struct script *script = arg;

        script->sql[1] = pipit_attempt(scope) < 2 ? RAISE("40001") : GIVE;
        run_script(scope, arg);
}

START_TEST(the_second_run_commits_and_the_first_leaves_nothing)
{
        struct script script = {.sql = {TAKE}};

        ck_assert_uint_ne(pipit_atomic(live_db, run_until_second, on_call, &script), 0);
        expect_ok(answer(&script.done));
        ck_assert_int_eq(pipit_result_attempts(script.done.last), 2);
        ck_assert_int_eq(script.calls[0].n, 2);
        ck_assert_int_eq(pipit_attempt(live_db), 0);
        ck_assert_int_eq(pipit_attempt(NULL), 0);
        expect_balances("90,10");
}
END_TEST

START_TEST(a_transaction_on_a_session_runs_again_too)
{
        struct script script = {.sql = {TAKE}};
        struct pipit *session = session_on(live_db);

        ck_assert_uint_ne(pipit_atomic(session, run_until_second, on_call, &script), 0);
        expect_ok(answer(&script.done));
        ck_assert_int_eq(pipit_result_attempts(script.done.last), 2);
        pipit_close(session);
        expect_balances("90,10");
}
END_TEST

START_TEST(a_transaction_by_hand_and_a_nested_one_do_not_run_again)
{
        struct script script = {.sql = {RAISE("40001")}};
        struct pipit *tx = begin_on(live_db);

        expect_error(atomic_on(tx, &script), PIPIT_ESERVER, "40001");
        ck_assert_int_eq(script.n_bodies, 1);
        expect_error(run_on(tx, RAISE("40001")), PIPIT_ESERVER, "40001");
        ck_assert_int_eq(pipit_attempt(tx), 1);
        expect_error(commit(tx), PIPIT_ESERVER, "40001");
}
END_TEST

/* ---- given up meanwhile */

struct quitter {
        struct script script; /* first */
        struct calls failed;
        pipit_request request;
};

static void
on_failure_cancel(struct pipit_result *res, void *arg)
{
        struct quitter *quitter = arg;

        on_call(res, &quitter->failed);
        pipit_cancel(live_db, quitter->request);
}

static void
run_quitter(struct pipit *scope, void *arg)
{
        run_script(scope, arg);
        ck_assert_uint_ne(
                pipit_query(scope, RAISE("40001"), PIPIT_NO_PARAMS, on_failure_cancel, arg), 0);
}

START_TEST(what_is_cancelled_in_the_callback_of_its_failure_does_not_run_again)
{
        struct quitter quitter = {.script = {.sql = {TAKE}}};

        quitter.request = pipit_atomic(live_db, run_quitter, on_call, &quitter);
        ck_assert(pipit_failed(answer(&quitter.script.done)));
        ck_assert_int_eq(quitter.script.n_bodies, 1);
        expect_balances("100,0");
}
END_TEST

static void
run_held(struct pipit *scope, void *arg)
{
        pipit_hold(scope);
        run_script(scope, arg);
}

START_TEST(a_deadline_ends_what_would_run_again_but_is_held)
{
        struct pipit_transaction options = {.timeout_ms = 100};
        struct script script = {.sql = {RAISE("40001")}};

        ck_assert_uint_ne(pipit_atomic_with(live_db, &options, run_held, on_call, &script), 0);
        ck_assert(pipit_failed(answer(&script.done)));
        ck_assert_int_eq(script.n_bodies, 1);
}
END_TEST

START_TEST(the_deadline_holds_over_all_attempts)
{
        struct pipit_transaction options = {.timeout_ms = 150, .max_attempts = 1000000};
        struct script script = {.sql = {RAISE("40001")}};

        expect_end(atomic_with(&options, &script), PIPIT_ETIMEDOUT, PIPIT_EXECUTED_ROLLED_BACK);
        ck_assert_int_ge(script.n_bodies, 2);
        ck_assert_int_le(script.n_bodies, 20);
        ck_assert_int_eq(pipit_result_attempts(script.done.last), script.n_bodies);
}
END_TEST

START_TEST(another_attempt_may_wait_as_long_as_the_first_for_its_connection)
{
        struct script script = {.sql = {"SELECT pg_sleep(0.15)"}};

        bank_reopen((struct pipit_options){.max_connections = 1, .acquire_timeout_ms = 100});
        ck_assert_uint_ne(pipit_atomic(live_db, run_until_second, on_call, &script), 0);
        struct calls busy = {0};
        loop_until(&script.calls[0].n, 1);
        ask_on(live_db, "SELECT pg_sleep(0.05)", &busy);
        expect_ok(answer(&script.done));
        expect_ok(answer(&busy));
}
END_TEST

/* ---- real conflicts */

/* Reads both, and takes from one of them when that has come: two such cannot both be serial. */
struct rival {
        struct script script; /* first */
        struct calls read;
        struct calls write;
        int id;
        int *ret_read; /* of both: how many have read */
        struct rival *other;
};

static void
rival_write(struct rival *rival)
{
        char sql[80];

        snprintf(sql, sizeof sql, "UPDATE account SET balance = balance + 1 WHERE id = %d",
                 rival->id);
        ask_on(rival->script.scope, sql, &rival->write);
}

static void
on_read(struct pipit_result *res, void *arg)
{
        struct rival *rival = arg;

        on_call(res, &rival->read);
        if (pipit_failed(res))
                return;
        ++*rival->ret_read;
        if (*rival->ret_read == 2) {
                rival_write(rival->other);
                pipit_release(rival->other->script.scope);
                rival_write(rival);
        } else if (*rival->ret_read == 1) {
                pipit_hold(rival->script.scope);
        } else {
                rival_write(rival);
        }
}

static void
run_rival(struct pipit *scope, void *arg)
{
        struct rival *rival = arg;

        run_script(scope, arg);
        ck_assert_uint_ne(pipit_query(scope, READ_BOTH, PIPIT_NO_PARAMS, on_read, rival), 0);
}

/* One conflict: both have read before one writes. How often bodies ran. */
static int
conflict(enum pipit_isolation isolation)
{
        struct pipit_transaction options = {.isolation = isolation};
        struct rival rivals[2] = {{.id = 1}, {.id = 2}};
        int n_read = 0;

        for (int i = 0; i < 2; i++) {
                rivals[i].ret_read = &n_read;
                rivals[i].other = &rivals[1 - i];
                ck_assert_uint_ne(
                        pipit_atomic_with(live_db, &options, run_rival, on_call, &rivals[i]), 0);
        }
        for (int i = 0; i < 2; i++)
                expect_ok(answer(&rivals[i].script.done));
        return rivals[0].script.n_bodies + rivals[1].script.n_bodies;
}

START_TEST(of_two_that_cannot_both_be_serial_one_runs_again)
{
        bank_reopen((struct pipit_options){.max_connections = 2});
        ck_assert_int_eq(conflict(PIPIT_READ_COMMITTED), 2);
        expect_balances("101,1");
        ck_assert_int_ge(conflict(PIPIT_SERIALIZABLE), 3);
        expect_balances("102,2");
}
END_TEST

/* Takes one lock, and the other when both have theirs. */
struct locker {
        struct script script; /* first */
        struct calls calls[2];
        int id;
        int *ret_locked;
        struct locker *other;
};

static void
lock(struct locker *locker, int id, pipit_cb cb)
{
        char sql[80];

        snprintf(sql, sizeof sql, "UPDATE account SET balance = balance + 1 WHERE id = %d", id);
        ck_assert_uint_ne(pipit_query(locker->script.scope, sql, PIPIT_NO_PARAMS, cb, locker), 0);
}

static void
on_second(struct pipit_result *res, void *arg)
{
        on_call(res, &((struct locker *)arg)->calls[1]);
}

static void
on_first(struct pipit_result *res, void *arg)
{
        struct locker *locker = arg;

        on_call(res, &locker->calls[0]);
        ++*locker->ret_locked;
        if (*locker->ret_locked == 1) {
                pipit_hold(locker->script.scope);
                return;
        }
        if (*locker->ret_locked == 2) {
                lock(locker->other, 3 - locker->other->id, on_second);
                pipit_release(locker->other->script.scope);
        }
        lock(locker, 3 - locker->id, on_second);
}

static void
run_locker(struct pipit *scope, void *arg)
{
        struct locker *locker = arg;

        run_script(scope, arg);
        lock(locker, locker->id, on_first);
}

START_TEST(of_two_in_a_deadlock_one_runs_again)
{
        struct locker lockers[2] = {{.id = 1}, {.id = 2}};
        int n_locked = 0;

        bank_reopen((struct pipit_options){.max_connections = 2});
        for (int i = 0; i < 2; i++) {
                lockers[i].ret_locked = &n_locked;
                lockers[i].other = &lockers[1 - i];
                ck_assert_uint_ne(pipit_atomic(live_db, run_locker, on_call, &lockers[i]), 0);
        }
        for (int i = 0; i < 2; i++)
                expect_ok(answer(&lockers[i].script.done));
        ck_assert_int_eq(lockers[0].script.n_bodies + lockers[1].script.n_bodies, 3);
        expect_balances("102,2");
}
END_TEST

/* ---- a storm */

#define ROUNDS 1000

/* Moves ten from one account to the other and back, as long as rounds are left. */
struct mover {
        struct calls done; /* first */
        int *ret_left;
        int *ret_over;
        int n_done;
        int64_t n_attempts;
};

static void mover_start(struct mover *mover);

static void
run_mover(struct pipit *scope, void *arg)
{
        static const char *const sql[] = {READ_BOTH,
                                          "UPDATE account SET balance = balance - 1 WHERE id = 1",
                                          "UPDATE account SET balance = balance + 1 WHERE id = 2"};

        (void)arg;
        for (int i = 0; i < 3; i++)
                ck_assert_uint_ne(pipit_query(scope, sql[i], PIPIT_NO_PARAMS, NULL, NULL), 0);
}

static void
on_moved(struct pipit_result *res, void *arg)
{
        struct mover *mover = arg;

        expect_ok(res);
        mover->n_done++;
        mover->n_attempts += pipit_result_attempts(res);
        if (--*mover->ret_left > 0)
                mover_start(mover);
        else
                ++*mover->ret_over;
}

static void
mover_start(struct mover *mover)
{
        struct pipit_transaction options = {.isolation = PIPIT_SERIALIZABLE, .max_attempts = 1000};

        ck_assert_uint_ne(pipit_atomic_with(live_db, &options, run_mover, on_moved, mover), 0);
}

START_TEST(a_storm_of_conflicts_keeps_the_total)
{
        int left = ROUNDS;
        int over = 0;
        struct mover movers[2] = {{.ret_left = &left, .ret_over = &over},
                                  {.ret_left = &left, .ret_over = &over}};
        char expected[40];

        bank_reopen((struct pipit_options){.max_connections = 2, .timeout_ms = -1});
        execute("UPDATE account SET balance = 5000 WHERE id = 1");
        for (int i = 0; i < 2; i++)
                mover_start(&movers[i]);
        loop_until(&over, 2);
        int n = movers[0].n_done + movers[1].n_done;
        ck_assert_int_ge(n, ROUNDS);
        ck_assert_int_gt(movers[0].n_attempts + movers[1].n_attempts, n);
        snprintf(expected, sizeof expected, "%d,%d", 5000 - n, n);
        expect_balances(expected);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("retry");
        TCase *tcase = tcase_create("retry");

        tcase_add_checked_fixture(tcase, bank_setup, bank_teardown);
        tcase_set_timeout(tcase, 120);
        tcase_add_loop_test(tcase, a_body_runs_as_often_as_it_may_and_is_told_so, 0, 8);
        tcase_add_loop_test(tcase, other_errors_are_final, 0, 5);
        tcase_add_test(tcase, the_second_run_commits_and_the_first_leaves_nothing);
        tcase_add_test(tcase, a_transaction_on_a_session_runs_again_too);
        tcase_add_test(tcase, a_transaction_by_hand_and_a_nested_one_do_not_run_again);
        tcase_add_test(tcase, what_is_cancelled_in_the_callback_of_its_failure_does_not_run_again);
        tcase_add_test(tcase, a_deadline_ends_what_would_run_again_but_is_held);
        tcase_add_test(tcase, the_deadline_holds_over_all_attempts);
        tcase_add_test(tcase, another_attempt_may_wait_as_long_as_the_first_for_its_connection);
        tcase_add_test(tcase, of_two_that_cannot_both_be_serial_one_runs_again);
        tcase_add_test(tcase, of_two_in_a_deadlock_one_runs_again);
        tcase_add_test(tcase, a_storm_of_conflicts_keeps_the_total);
        suite_add_tcase(suite, tcase);
        return suite;
}
