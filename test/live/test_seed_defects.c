/*
 * What the seed does wrongly, and pipit does not. The numbers are those of test/seed-tests.txt.
 */
#include "seed.h"
#include "witness.h"

/* ---- D1 */

/* Something that goes on behind the end of the transaction it was given. */
struct background {
        struct calls end;
        struct calls calls;
        struct pipit *tx;
};

static void
on_end(struct pipit_result *res, void *arg)
{
        struct background *background = arg;

        on_call(res, &background->end);
        ask_on(background->tx, BAR, &background->calls);
}

/* D1: there it runs in the transaction of whoever has the connection next. */
START_TEST(d1_what_goes_on_behind_a_transaction_never_runs_in_that_of_another)
{
        struct background background = {0};
        struct script other = {.sql = {FOO, "SELECT 1"}};

        seed_options.max_connections = 1;
        live_reopen(&seed_options);
        background.tx = pipit_begin(live_db, NULL);
        expect_ok(query_on(background.tx, "SELECT 1", PIPIT_NO_PARAMS));
        pipit_atomic(live_db, run_script, on_call, &other);
        ck_assert_uint_ne(pipit_commit(background.tx, on_end, &background), 0);
        expect_ok(answer(&other.done));
        expect_ok(background.end.last);
        expect_executed(answer(&background.calls), PIPIT_ECLOSED, PIPIT_EXECUTED_NO);
        expect_sql("SELECT string_agg(text, ',') FROM testmodel", "FOO");
}
END_TEST

/* D1: there two statements at once in one transaction disturb each other. */
START_TEST(d1_statements_at_once_in_a_transaction_run_in_the_order_of_the_calls)
{
        struct script script = {.sql = {FOO, COUNT, BAR, COUNT}};

        expect_ok(atomic_on(live_db, &script));
        expect_text(script.calls[1].last, 0, 0, "1");
        expect_text(script.calls[3].last, 0, 0, "2");
}
END_TEST

/* ---- D2, D3 */

/* D2: there a statement for another database runs on the connection that is held at the time. */
START_TEST(d2_a_statement_runs_on_the_database_that_it_was_given)
{
        struct pipit *other =
                pipit_open(live_base, url_with(live_url(), "&application_name=other"), NULL);
        struct pipit *tx = pipit_begin(live_db, NULL);

        expect_ok(query_on(tx, "SET LOCAL application_name = 'mine'", PIPIT_NO_PARAMS));
        expect_text(query_on(other, "SHOW application_name", PIPIT_NO_PARAMS), 0, 0, "other");
        expect_text(query_on(tx, "SHOW application_name", PIPIT_NO_PARAMS), 0, 0, "mine");
        expect_ok(committed(tx));
        pipit_close(other);
}
END_TEST

/* D3: there the guard is one for all, and gone in optimized programs. */
START_TEST(d3_who_may_block_is_each_databases_own_matter_and_no_assertion)
{
        struct pipit *other = pipit_open(live_base, live_url(), NULL);

        expect_ok(query_on(other, "SELECT 1", PIPIT_NO_PARAMS));
        pipit_set_allow_sync(live_db, true);
        struct pipit *allowed = pipit_allow_sync(live_db);
        struct pipit *refused = pipit_allow_sync(other);
        ck_assert_ptr_null(pipit_scope_error(allowed));
        expect_ok(pipit_wait(allowed, pipit_query(allowed, FOO, PIPIT_NO_PARAMS, NULL, NULL)));
        expect_executed(pipit_wait(refused, pipit_query(refused, FOO, PIPIT_NO_PARAMS, NULL, NULL)),
                        PIPIT_EBLOCKING, PIPIT_EXECUTED_NO);
        pipit_close(other);
}
END_TEST

/* ---- D4 */

/* D4: there it commits the outer one. */
START_TEST(d4_a_transaction_inside_one_by_hand_commits_nothing_of_it)
{
        struct script script = {.sql = {BAR}};
        struct pipit *tx = pipit_begin(live_db, NULL);

        expect_ok(query_on(tx, FOO, PIPIT_NO_PARAMS));
        expect_ok(atomic_on(tx, &script));
        expect_ok(rolled_back(tx));
        expect_sql(COUNT, "0");
}
END_TEST

/* D4: the same where the outer one is plain SQL in a session, and whether it has failed or not. */
START_TEST(d4_a_transaction_inside_one_in_plain_sql_is_refused_and_commits_nothing)
{
        struct script script = {.sql = {BAR}};
        struct pipit *session = pipit_session_open(live_db);

        expect_ok(query_on(session, "BEGIN", PIPIT_NO_PARAMS));
        expect_ok(query_on(session, FOO, PIPIT_NO_PARAMS));
        if (_i == 1)
                expect_error(query_on(session, FAIL, PIPIT_NO_PARAMS), PIPIT_ESERVER, "22012");
        expect_executed(atomic_on(session, &script), PIPIT_EINVAL, PIPIT_EXECUTED_NO);
        ck_assert_int_eq(script.n_bodies, 0);
        struct pipit *tx = pipit_begin(session, NULL);
        expect_executed(query_on(tx, BAR, PIPIT_NO_PARAMS), PIPIT_EROLLBACK, PIPIT_EXECUTED_NO);
        expect_executed(committed(tx), PIPIT_EINVAL, PIPIT_EXECUTED_NO);
        expect_ok(query_on(session, "ROLLBACK", PIPIT_NO_PARAMS));
        struct script later = {.sql = {BAR}};
        expect_ok(atomic_on(session, &later));
        pipit_close(session);
        expect_sql("SELECT string_agg(text, ',') FROM testmodel", "BAR");
}
END_TEST

/* ---- D5, D8 */

/* D5: there the row is inserted, and then there is an exception. */
START_TEST(d5_a_row_without_a_primary_key_is_created_and_counted)
{
        struct calls calls = {0};
        struct integertestmodel row = {.num = 7};
        struct pipit_result *res =
                seed_done(integertestmodel_create(live_db, &row, on_call, &calls), &calls);

        expect_ok(res);
        ck_assert_int_eq(pipit_result_affected(res), 1);
        ck_assert_int_eq(integertestmodel_row(res, 0)->num, 7);
        expect_sql("SELECT count(*) FROM integertestmodel WHERE num = 7", "1");
}
END_TEST

/* D8: there it is the driver's exception, with nothing of the seed's in it. */
START_TEST(d8_an_error_of_commit_is_an_error_like_any_other)
{
        struct script script = {.sql = {"UPDATE late SET x = 1"}};

        execute("CREATE TABLE late (x int, CONSTRAINT late_x UNIQUE (x) DEFERRABLE INITIALLY "
                "DEFERRED)");
        execute("INSERT INTO late VALUES (1), (2)");
        expect_error(atomic_on(live_db, &script), PIPIT_ESERVER, "23505");
        expect_ok(script.calls[0].last);
        const struct pipit_error *error = pipit_result_error(script.done.last);
        ck_assert_pstr_eq(error->constraint, "late_x");
        ck_assert_int_eq(error->executed, PIPIT_EXECUTED_ROLLED_BACK);
        expect_sql("SELECT sum(x) FROM late", "3");
}
END_TEST

/* ---- D17 */

static const struct {
        struct pipit_transaction options;
        const char *state;
} states[] = {
        {{0}, "read committed,off,off"},
        {{.isolation = PIPIT_REPEATABLE_READ}, "repeatable read,off,off"},
        {{.isolation = PIPIT_SERIALIZABLE, .read_only = true, .deferrable = true},
         "serializable,on,on"},
        {{.read_only = true}, "read committed,on,off"},
};

/* D17: there are no options. */
START_TEST(d17_a_transaction_is_what_its_options_say)
{
        struct script script = {.sql = {"SELECT concat_ws(',', "
                                        "current_setting('transaction_isolation'), "
                                        "current_setting('transaction_read_only'), "
                                        "current_setting('transaction_deferrable'))"}};

        pipit_atomic_with(live_db, &states[_i].options, run_script, on_call, &script);
        expect_ok(answer(&script.done));
        expect_text(script.calls[0].last, 0, 0, states[_i].state);
}
END_TEST

/* D17: there a savepoint that was rolled back to stays. */
START_TEST(d17_a_savepoint_is_gone_behind_its_rollback)
{
        struct script script = {.sql = {FAIL}};
        struct calls calls = {0};
        struct pipit *tx = pipit_begin(live_db, NULL);

        expect_ok(query_on(tx, FOO, PIPIT_NO_PARAMS));
        expect_error(atomic_on(tx, &script), PIPIT_ESERVER, "22012");
        expect_ok(query_on(tx, BAR, PIPIT_NO_PARAMS));
        ask_on(tx, "RELEASE SAVEPOINT pipit_1", &calls);
        expect_error(answer(&calls), PIPIT_ESERVER, "3B001");
        expect_ok(rolled_back(tx));
}
END_TEST

/* ---- D19 */

/* D19: there a test cannot have transactions in it, and one violation ends it. */
START_TEST(d19_a_violation_in_a_test_harms_nothing_else_in_it)
{
        struct script script = {.sql = {BAR, FOO}};
        struct pipit *test = pipit_test_scope(live_db);

        expect_ok(query_on(test, FOO, PIPIT_NO_PARAMS));
        expect_error(query_on(test, FOO, PIPIT_NO_PARAMS), PIPIT_ESERVER, "23505");
        expect_error(atomic_on(test, &script), PIPIT_ESERVER, "23505");
        expect_text(query_on(test, "SELECT string_agg(text, ',') FROM testmodel", PIPIT_NO_PARAMS),
                    0, 0, "FOO");
        pipit_close(test);
        expect_nothing_acquired(SEED_CONNECTIONS);
        expect_sql(COUNT, "0");
}
END_TEST

/* Gets a row, or creates it in a transaction of its own. */
static struct pipit_result *
get_or_create(struct pipit *scope, const struct testmodel *row)
{
        struct calls calls[3] = {0};
        struct pipit_result *res =
                seed_done(testmodel_get_or_none(scope, pipit_eq(testmodel_model.text, row->text),
                                                on_call, &calls[0]),
                          &calls[0]);

        expect_ok(res);
        if (pipit_result_rows(res) > 0)
                return res;
        struct pipit *tx = pipit_begin(scope, NULL);
        res = seed_done(testmodel_create(tx, row, on_call, &calls[1]), &calls[1]);
        expect_ok(res);
        expect_ok(committed(tx));
        return res;
}

/* D19: there get-or-create, which has a transaction in it, does not work in a test. */
START_TEST(d19_get_or_create_works_in_a_test)
{
        struct testmodel row = {.text = "once"};
        struct pipit *test = pipit_test_scope(live_db);
        struct pipit_result *created = get_or_create(test, &row);
        struct pipit_result *found = get_or_create(test, &row);

        ck_assert_int_eq(testmodel_row(found, 0)->id, testmodel_row(created, 0)->id);
        pipit_close(test);
        expect_nothing_acquired(SEED_CONNECTIONS);
        expect_sql(COUNT, "0");
}
END_TEST

/* ---- D26 */

/* A transaction of two statements; the answer to the first ends the database. */
struct ending {
        struct calls done;
        struct calls drained;
        struct calls calls[2];
        bool gently;
};

static void
on_first(struct pipit_result *res, void *arg)
{
        struct ending *ending = arg;

        on_call(res, &ending->calls[0]);
        if (ending->gently)
                pipit_drain(live_db, -1, on_call, &ending->drained);
        else
                live_reopen(&seed_options);
}

static void
run_ending(struct pipit *tx, void *arg)
{
        struct ending *ending = arg;

        pipit_query(tx, FOO, PIPIT_NO_PARAMS, on_first, ending);
        ask_on(tx, BAR, &ending->calls[1]);
}

/* D26: there it depends on the driver what becomes of open transactions. */
START_TEST(d26_a_gentle_end_lets_a_transaction_come_to_its_own)
{
        struct ending ending = {.gently = true};

        pipit_atomic(live_db, run_ending, on_call, &ending);
        expect_ok(answer(&ending.done));
        expect_ok(answer(&ending.drained));
        live_reopen(&seed_options);
        expect_sql(COUNT, "2");
}
END_TEST

START_TEST(d26_a_close_ends_a_transaction_and_nothing_of_it_stays)
{
        struct ending ending = {.gently = false};

        pipit_atomic(live_db, run_ending, on_call, &ending);
        expect_executed(answer(&ending.done), PIPIT_ECANCELED, PIPIT_EXECUTED_ROLLED_BACK);
        expect_nothing_acquired(SEED_CONNECTIONS);
        expect_sql(COUNT, "0");
}
END_TEST

static TCase *
tests_tcase(void)
{
        TCase *tcase = tcase_create("tests");

        tcase_add_checked_fixture(tcase, seed_setup, seed_teardown);
        tcase_add_test(tcase, d19_a_violation_in_a_test_harms_nothing_else_in_it);
        tcase_add_test(tcase, d19_get_or_create_works_in_a_test);
        tcase_add_test(tcase, d26_a_gentle_end_lets_a_transaction_come_to_its_own);
        tcase_add_test(tcase, d26_a_close_ends_a_transaction_and_nothing_of_it_stays);
        return tcase;
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("seed_defects");
        TCase *tcase = tcase_create("defects");

        tcase_add_checked_fixture(tcase, seed_setup, seed_teardown);
        tcase_add_test(tcase, d1_what_goes_on_behind_a_transaction_never_runs_in_that_of_another);
        tcase_add_test(tcase, d1_statements_at_once_in_a_transaction_run_in_the_order_of_the_calls);
        tcase_add_test(tcase, d2_a_statement_runs_on_the_database_that_it_was_given);
        tcase_add_test(tcase, d3_who_may_block_is_each_databases_own_matter_and_no_assertion);
        tcase_add_test(tcase, d4_a_transaction_inside_one_by_hand_commits_nothing_of_it);
        tcase_add_loop_test(tcase,
                            d4_a_transaction_inside_one_in_plain_sql_is_refused_and_commits_nothing,
                            0, 2);
        tcase_add_test(tcase, d5_a_row_without_a_primary_key_is_created_and_counted);
        tcase_add_test(tcase, d8_an_error_of_commit_is_an_error_like_any_other);
        tcase_add_loop_test(tcase, d17_a_transaction_is_what_its_options_say, 0,
                            sizeof states / sizeof *states);
        tcase_add_test(tcase, d17_a_savepoint_is_gone_behind_its_rollback);
        suite_add_tcase(suite, tcase);
        suite_add_tcase(suite, tests_tcase());
        return suite;
}
