/*
 * Transactions with options, in other scopes, and in the hands of callers that make mistakes.
 */
#include <sys/wait.h>

#include "bank.h"

/* ---- options */

static const struct {
        struct pipit_transaction options;
        const char *isolation;
        const char *read_only;
        const char *deferrable;
} kinds[] = {
        {{.isolation = PIPIT_ISOLATION_DEFAULT}, "read committed", "off", "off"},
        {{.isolation = PIPIT_READ_COMMITTED}, "read committed", "off", "off"},
        {{.isolation = PIPIT_REPEATABLE_READ}, "repeatable read", "off", "off"},
        {{.isolation = PIPIT_SERIALIZABLE}, "serializable", "off", "off"},
        {{.read_only = true}, "read committed", "on", "off"},
        {{.isolation = PIPIT_SERIALIZABLE, .read_only = true, .deferrable = true},
         "serializable",
         "on",
         "on"},
};

START_TEST(options_are_the_servers_inside_and_gone_behind)
{
        static const char *const shows[] = {"SHOW transaction_isolation",
                                            "SHOW transaction_read_only",
                                            "SHOW transaction_deferrable"};
        struct script script = {.sql = {shows[0], shows[1], shows[2]}};
        const char *expected[] = {kinds[_i].isolation, kinds[_i].read_only, kinds[_i].deferrable};

        expect_ok(atomic_with(&kinds[_i].options, &script));
        for (int i = 0; i < 3; i++)
                expect_text(script.calls[i].last, 0, 0, expected[i]);
        struct pipit *tx = pipit_begin(live_db, &kinds[_i].options);
        for (int i = 0; i < 3; i++)
                ck_assert_str_eq(value_on(tx, shows[i]), expected[i]);
        expect_ok(commit(tx));
        expect_text(query("SHOW transaction_isolation", PIPIT_NO_PARAMS), 0, 0, "read committed");
        execute(TAKE);
}
END_TEST

START_TEST(a_read_only_transaction_cannot_write)
{
        struct pipit_transaction options = {.read_only = true};
        struct script script = {.sql = {TAKE}};

        expect_error(atomic_with(&options, &script), PIPIT_ESERVER, "25006");
        expect_balances("100,0");
}
END_TEST

static int options_of_later;

START_TEST(wrong_options_are_refused)
{
        static const struct pipit_transaction wrong[] = {{.isolation = (enum pipit_isolation)4},
                                                         {.max_attempts = -1},
                                                         {.reserved = {&options_of_later}},
                                                         {.reserved[7] = &options_of_later}};
        struct script script = {.sql = {TAKE}};

        expect_executed(atomic_with(&wrong[_i], &script), PIPIT_EINVAL, PIPIT_EXECUTED_NO);
        ck_assert_int_eq(script.n_bodies, 0);
        ck_assert_int_eq(pipit_result_attempts(script.done.last), 0);
        struct pipit *tx = pipit_begin(live_db, &wrong[_i]);
        ck_assert_int_eq(pipit_scope_error(tx)->code, PIPIT_EINVAL);
        pipit_close(tx);
}
END_TEST

START_TEST(its_time_is_the_servers_statement_timeout)
{
        struct pipit_transaction options = {.timeout_ms = 7000};
        struct script script = {.sql = {"SELECT setting::int FROM pg_settings"
                                        " WHERE name = 'statement_timeout'"}};
        int32_t ms = 0;
        const char *before = value_on(live_db, "SHOW statement_timeout");

        expect_ok(atomic_with(&options, &script));
        ck_assert_int_eq(pipit_result_int32(script.calls[0].last, 0, 0, &ms), 0);
        ck_assert_int_gt(ms, 0);
        ck_assert_int_le(ms, 8000); /* a little more than what is left: ours is first */
        ck_assert_str_eq(value_on(live_db, "SHOW statement_timeout"), before);
}
END_TEST

START_TEST(its_time_is_over_while_a_statement_runs_and_it_rolls_back)
{
        struct pipit_transaction options = {.timeout_ms = 100};
        struct script script = {.sql = {TAKE, SLEEP, GIVE}};

        expect_end(atomic_with(&options, &script), PIPIT_ETIMEDOUT, PIPIT_EXECUTED_ROLLED_BACK);
        for (int i = 0; i < 3; i++)
                ck_assert_int_eq(script.calls[i].n, 1);
        expect_balances("100,0");
}
END_TEST

START_TEST(one_by_hand_whose_time_is_over_is_there_until_it_is_ended)
{
        struct pipit_transaction options = {.timeout_ms = 50};
        struct pipit *tx = pipit_begin(live_db, &options);

        expect_ok(run_on(tx, TAKE));
        loop_for(100);
        expect_executed(run_on(tx, GIVE), PIPIT_EROLLBACK, PIPIT_EXECUTED_NO);
        expect_balances("100,0"); /* it has given its connection back */
        expect_end(commit(tx), PIPIT_ETIMEDOUT, PIPIT_EXECUTED_ROLLED_BACK);
        expect_balances("100,0");
}
END_TEST

/* ---- what dooms, and what does not */

START_TEST(a_statement_that_is_cancelled_dooms_only_when_it_was_sent)
{
        struct calls calls = {0};
        struct pipit *tx = begin_on(live_db);

        expect_ok(run_on(tx, TAKE));
        pipit_request request = ask_on(tx, SLEEP, &calls);
        if (_i == 1)
                loop_for(20);
        pipit_cancel(tx, request);
        expect_end(answer(&calls), PIPIT_ECANCELED,
                   _i == 0 ? PIPIT_EXECUTED_NO : PIPIT_EXECUTED_ROLLED_BACK);
        if (_i == 0)
                expect_ok(commit(tx));
        else
                expect_end(commit(tx), PIPIT_ECANCELED, PIPIT_EXECUTED_ROLLED_BACK);
        expect_balances(_i == 0 ? "90,0" : "100,0");
}
END_TEST

START_TEST(a_statement_whose_time_is_over_dooms)
{
        struct calls calls = {0};
        struct pipit *tx = begin_on(live_db);

        expect_ok(run_on(tx, TAKE));
        pipit_set_timeout(tx, ask_on(tx, SLEEP, &calls), 30);
        expect_end(answer(&calls), PIPIT_ETIMEDOUT, PIPIT_EXECUTED_ROLLED_BACK);
        expect_message(run_on(tx, GIVE), "transaction can only roll back");
        expect_end(commit(tx), PIPIT_ETIMEDOUT, PIPIT_EXECUTED_ROLLED_BACK);
        expect_balances("100,0");
}
END_TEST

START_TEST(an_error_that_came_before_anything_was_sent_dooms_nothing)
{
        struct calls calls = {0};
        struct pipit *tx = begin_on(live_db);

        ck_assert_uint_ne(pipit_query(tx, NULL, PIPIT_NO_PARAMS, on_call, &calls), 0);
        expect_executed(answer(&calls), PIPIT_EINVAL, PIPIT_EXECUTED_NO);
        expect_ok(run_on(tx, TAKE));
        expect_ok(commit(tx));
        expect_balances("90,0");
}
END_TEST

START_TEST(the_cause_is_named_to_what_comes_behind)
{
        struct pipit *tx = begin_on(live_db);

        expect_error(run_on(tx, FAIL), PIPIT_ESERVER, "22012");
        expect_executed(run_on(tx, TAKE), PIPIT_EROLLBACK, PIPIT_EXECUTED_NO);
        expect_message(run_on(tx, TAKE), "division by zero");
        struct script nested = {.sql = {TAKE}};
        expect_message(atomic_on(tx, &nested), "division by zero");
        ck_assert_int_eq(nested.n_bodies, 0);
        expect_error(commit(tx), PIPIT_ESERVER, "22012");
        expect_balances("100,0");
}
END_TEST

START_TEST(an_early_commit_may_fail_at_a_statement_and_at_the_end)
{
        struct pipit_transaction options = {.commit_early = true};
        struct script script = {
                .sql = {TAKE, _i == 0 ? FAIL : "UPDATE account SET mark = 2", GIVE}};

        expect_error(atomic_with(&options, &script), PIPIT_ESERVER, _i == 0 ? "22012" : "23505");
        ck_assert_int_eq(pipit_result_error(script.done.last)->executed,
                         PIPIT_EXECUTED_ROLLED_BACK);
        expect_balances("100,0");
}
END_TEST

/* Goes on in a callback, which is too late for an early commit. */
struct late {
        struct script script; /* first */
        struct calls own;
        struct calls late;
};

static void
on_own(struct pipit_result *res, void *arg)
{
        struct late *late = arg;

        on_call(res, &late->own);
        ask_on(late->script.scope, GIVE, &late->late);
}

static void
run_late(struct pipit *scope, void *arg)
{
        run_script(scope, arg);
        ck_assert_uint_ne(pipit_query(scope, TAKE, PIPIT_NO_PARAMS, on_own, arg), 0);
}

START_TEST(what_is_started_behind_an_early_commit_is_too_late)
{
        struct pipit_transaction options = {.commit_early = true};
        struct late late = {.own = {0}};

        ck_assert_uint_ne(pipit_atomic_with(live_db, &options, run_late, on_call, &late), 0);
        expect_ok(answer(&late.script.done));
        expect_executed(late.late.last, PIPIT_ECLOSED, PIPIT_EXECUTED_NO);
        expect_balances("90,0");
}
END_TEST

/* ---- mistakes */

START_TEST(a_transaction_is_ended_once)
{
        struct calls first = {0};
        struct calls second = {0};
        struct calls late = {0};
        struct pipit *tx = begin_on(live_db);

        ask_on(tx, TAKE, &late);
        ck_assert_uint_ne(pipit_commit(tx, on_call, &first), 0);
        if (_i == 0)
                ck_assert_uint_ne(pipit_commit(tx, on_call, &second), 0);
        else if (_i == 1)
                ck_assert_uint_ne(pipit_rollback(tx, on_call, &second), 0);
        else
                ask_on(tx, TAKE, &second);
        expect_ok(answer(&first));
        expect_executed(answer(&second), PIPIT_ECLOSED, PIPIT_EXECUTED_NO);
        expect_ok(late.last);
        expect_balances("90,0");
}
END_TEST

struct misuse {
        struct script script; /* first */
        struct calls calls;
};

static void
run_misuse(struct pipit *scope, void *arg)
{
        struct misuse *misuse = arg;

        run_script(scope, arg);
        ck_assert_uint_ne(pipit_commit(scope, on_call, &misuse->calls), 0);
}

START_TEST(what_commits_by_itself_takes_no_commit)
{
        struct misuse misuse = {.script = {.sql = {TAKE}}};

        ck_assert_uint_ne(pipit_atomic(live_db, run_misuse, on_call, &misuse), 0);
        expect_ok(answer(&misuse.script.done));
        expect_executed(misuse.calls.last, PIPIT_EINVAL, PIPIT_EXECUTED_NO);
        expect_balances("90,0");
}
END_TEST

START_TEST(other_scopes_are_no_transactions)
{
        struct calls calls[4] = {{0}};
        struct pipit *session = session_on(live_db);
        struct pipit *scopes[] = {live_db, session};

        for (int i = 0; i < 2; i++) {
                ck_assert_uint_ne(pipit_commit(scopes[i], on_call, &calls[2 * i]), 0);
                ck_assert_uint_ne(pipit_rollback(scopes[i], on_call, &calls[2 * i + 1]), 0);
        }
        for (int i = 0; i < 4; i++)
                expect_executed(answer(&calls[i]), PIPIT_EINVAL, PIPIT_EXECUTED_NO);
        ck_assert_uint_eq(pipit_commit(NULL, on_call, NULL), 0);
        ck_assert_uint_eq(pipit_rollback(NULL, on_call, NULL), 0);
        ck_assert_ptr_null(pipit_begin(NULL, NULL));
        ck_assert_uint_eq(pipit_atomic(NULL, run_script, on_call, NULL), 0);
        ck_assert_ptr_null(pipit_test_scope(NULL));
        pipit_close(session);
}
END_TEST

/* Text that takes the transaction out of pipit's hands. */
static const char *const raw[] = {"COMMIT", "ROLLBACK",         "END",
                                  "ABORT",  "COMMIT AND CHAIN", "PREPARE TRANSACTION 'pipit_none'"};

START_TEST(the_end_of_a_transaction_as_text_is_an_error)
{
        struct script script = {.sql = {TAKE, raw[_i], GIVE}};

        expect_error(atomic_on(live_db, &script), PIPIT_EUNSHARED, "");
        expect_message(script.calls[1].last, "pipit's hands");
        for (int i = 0; i < 3; i++)
                ck_assert_int_eq(script.calls[i].n, 1);
        /* All had been sent. */
        expect_end(script.calls[1].last, PIPIT_EUNSHARED, PIPIT_EXECUTED_UNKNOWN);
        ck_assert_int_eq(pipit_result_error(script.calls[2].last)->executed,
                         PIPIT_EXECUTED_UNKNOWN);
        ck_assert_int_eq(pipit_result_error(script.done.last)->executed, PIPIT_EXECUTED_UNKNOWN);
        execute("SELECT 1");
}
END_TEST

/* Behind it nothing was sent. */
START_TEST(the_end_of_a_transaction_as_its_last_statement_is_an_error)
{
        struct pipit *tx = begin_on(live_db);

        expect_ok(run_on(tx, TAKE));
        expect_end(run_on(tx, raw[_i]), PIPIT_EUNSHARED, PIPIT_EXECUTED_UNKNOWN);
        ck_assert_int_eq(pipit_result_error(run_on(tx, GIVE))->executed, PIPIT_EXECUTED_NO);
        ck_assert_int_eq(pipit_result_error(commit(tx))->executed, PIPIT_EXECUTED_UNKNOWN);
        expect_balances(_i % 2 == 0 ? "90,0" : "100,0");
}
END_TEST

START_TEST(a_begin_as_text_in_a_transaction_harms_nobody)
{
        struct script script = {.sql = {TAKE, "BEGIN", GIVE}};

        if (pipit_failed(atomic_on(live_db, &script)))
                expect_balances("100,0");
        else
                expect_balances("90,10");
}
END_TEST

/* ---- settings */

START_TEST(what_a_command_tag_tells_is_cleaned_behind_a_transaction)
{
        static const char *const leave[] = {"SET statement_timeout = 12345000",
                                            "CREATE TEMPORARY TABLE left_behind (x int)",
                                            "SET ROLE pg_monitor"};
        static const char *const probes[] = {"SHOW statement_timeout",
                                             "SELECT to_regclass('pg_temp.left_behind') IS NULL",
                                             "SELECT current_user"};
        const char *before = value_on(live_db, probes[_i]);
        struct script script = {.sql = {leave[_i]}};

        expect_ok(atomic_on(live_db, &script));
        ck_assert_str_eq(value_on(live_db, probes[_i]), before);
}
END_TEST

/* ---- blocking scopes */

static struct pipit *
blocking(void)
{
        pipit_set_allow_sync(live_db, true);
        struct pipit *sync = pipit_allow_sync(live_db);
        ck_assert_ptr_null(pipit_scope_error(sync));
        return sync;
}

static struct pipit_result *
wait_on(struct pipit *sync, struct pipit *scope, const char *sql)
{
        return pipit_wait(sync, pipit_query(scope, sql, PIPIT_NO_PARAMS, NULL, NULL));
}

START_TEST(a_blocking_scope_has_transactions_too)
{
        static const char *const sql[] = {GIVE, FAIL};
        struct pipit *sync = blocking();
        struct script script = {.sql = {TAKE, sql[_i]}};

        struct pipit_result *res =
                pipit_wait(sync, pipit_atomic(sync, run_script, on_call, &script));
        ck_assert_int_eq(script.done.n, 1);
        if (_i == 0)
                expect_ok(res);
        else
                expect_error(res, PIPIT_ESERVER, "22012");
        pipit_close(sync);
        expect_balances(_i == 0 ? "90,10" : "100,0");
}
END_TEST

START_TEST(a_blocking_scope_has_transactions_by_hand_and_sessions)
{
        struct pipit *sync = blocking();
        struct pipit *tx = begin_on(sync);

        expect_ok(wait_on(sync, tx, TAKE));
        struct pipit *nested = begin_on(tx);
        expect_ok(wait_on(sync, nested, TAKE));
        expect_ok(pipit_wait(sync, pipit_rollback(nested, NULL, NULL)));
        expect_ok(pipit_wait(sync, pipit_commit(tx, NULL, NULL)));
        struct pipit *session = session_on(sync);
        expect_ok(wait_on(sync, session, "SET ROLE pg_monitor"));
        pipit_close(session);
        expect_ok(wait_on(sync, sync, GIVE));
        pipit_close(sync);
        expect_balances("90,10");
}
END_TEST

START_TEST(waiting_for_what_never_comes_is_a_deadlock)
{
        struct pipit *sync = blocking();
        struct pipit *tx = begin_on(sync);

        expect_ok(wait_on(sync, tx, TAKE));
        expect_executed(wait_on(sync, sync, GIVE), PIPIT_EDEADLK, PIPIT_EXECUTED_NO);
        struct pipit *nested = begin_on(tx);
        expect_ok(wait_on(sync, nested, TAKE));
        expect_error(wait_on(sync, tx, GIVE), PIPIT_EDEADLK, "");
        pipit_close(nested);
        expect_ok(wait_on(sync, tx, GIVE));
        expect_ok(pipit_wait(sync, pipit_commit(tx, NULL, NULL)));
        pipit_close(sync);
}
END_TEST

START_TEST(a_blocking_scope_may_be_closed_with_all_open)
{
        struct pipit *sync = blocking();
        struct pipit *tx = begin_on(sync);
        struct calls calls[2] = {{0}};

        expect_ok(wait_on(sync, tx, TAKE));
        struct pipit *nested = begin_on(tx);
        ask_on(nested, SLEEP, &calls[0]);
        if (_i == 1)
                ck_assert_uint_ne(pipit_commit(tx, on_call, &calls[1]), 0);
        pipit_close(sync);
        ck_assert_int_eq(calls[0].n, 1);
        ck_assert_int_eq(calls[1].n, _i);
        expect_balances("100,0");
}
END_TEST

/* ---- a forked child */

START_TEST(a_child_that_closes_leaves_an_open_transaction_to_its_parent)
{
        int status = -1;
        struct calls calls = {0};
        struct pipit *tx = begin_on(live_db);
        struct pipit *nested = NULL;

        expect_ok(run_on(tx, TAKE));
        if (_i % 2 == 1)
                nested = begin_on(tx);
        if (_i >= 2)
                ask_on(nested != NULL ? nested : tx, GIVE, &calls);
        pid_t pid = fork();
        if (pid == 0) {
                event_reinit(live_base);
                bool refused = pipit_commit(tx, NULL, NULL) == 0;
                pipit_close(live_db);
                _exit(refused && event_base_dispatch(live_base) == 1 ? 0 : 1);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
        if (nested != NULL)
                expect_ok(commit(nested));
        expect_ok(commit(tx));
        expect_balances(_i >= 2 ? "90,10" : "90,0");
}
END_TEST

static void
add_options(TCase *tcase)
{
        tcase_add_loop_test(tcase, options_are_the_servers_inside_and_gone_behind, 0, 6);
        tcase_add_test(tcase, a_read_only_transaction_cannot_write);
        tcase_add_loop_test(tcase, wrong_options_are_refused, 0, 4);
        tcase_add_test(tcase, its_time_is_the_servers_statement_timeout);
        tcase_add_test(tcase, its_time_is_over_while_a_statement_runs_and_it_rolls_back);
        tcase_add_test(tcase, one_by_hand_whose_time_is_over_is_there_until_it_is_ended);
        tcase_add_loop_test(tcase, a_statement_that_is_cancelled_dooms_only_when_it_was_sent, 0, 2);
        tcase_add_test(tcase, a_statement_whose_time_is_over_dooms);
        tcase_add_test(tcase, an_error_that_came_before_anything_was_sent_dooms_nothing);
        tcase_add_test(tcase, the_cause_is_named_to_what_comes_behind);
        tcase_add_loop_test(tcase, an_early_commit_may_fail_at_a_statement_and_at_the_end, 0, 2);
        tcase_add_test(tcase, what_is_started_behind_an_early_commit_is_too_late);
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("transaction_options");
        TCase *tcase = tcase_create("transaction_options");

        tcase_add_checked_fixture(tcase, bank_setup, bank_teardown);
        add_options(tcase);
        tcase_add_loop_test(tcase, a_transaction_is_ended_once, 0, 3);
        tcase_add_test(tcase, what_commits_by_itself_takes_no_commit);
        tcase_add_test(tcase, other_scopes_are_no_transactions);
        tcase_add_loop_test(tcase, the_end_of_a_transaction_as_text_is_an_error, 0, 4);
        tcase_add_loop_test(tcase, the_end_of_a_transaction_as_its_last_statement_is_an_error, 0,
                            4);
        tcase_add_test(tcase, a_begin_as_text_in_a_transaction_harms_nobody);
        tcase_add_loop_test(tcase, what_a_command_tag_tells_is_cleaned_behind_a_transaction, 0, 3);
        tcase_add_loop_test(tcase, a_blocking_scope_has_transactions_too, 0, 2);
        tcase_add_test(tcase, a_blocking_scope_has_transactions_by_hand_and_sessions);
        tcase_add_test(tcase, waiting_for_what_never_comes_is_a_deadlock);
        tcase_add_loop_test(tcase, a_blocking_scope_may_be_closed_with_all_open, 0, 2);
        tcase_add_loop_test(tcase, a_child_that_closes_leaves_an_open_transaction_to_its_parent, 0,
                            4);
        suite_add_tcase(suite, tcase);
        return suite;
}
