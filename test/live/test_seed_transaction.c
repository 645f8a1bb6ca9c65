/*
 * Counterparts of the seed's test_transaction.py, by the same names: see test/seed-tests.txt. Where
 * the seed runs a test with aio_transaction() and with aio_atomic(), it runs here by hand and with
 * a body.
 */
#include "seed.h"

#define DUPLICATE  FOO
#define TO_BAR     "UPDATE testmodel SET text = 'BAR'"
#define TO_QUX     "UPDATE testmodel SET text = 'QUX'"
#define TEXTS      "SELECT string_agg(text, ',' ORDER BY text) FROM testmodel"
#define BY_HAND(i) ((i) == 1)

/* The statements of a transaction that is committed, with a body or by hand. */
static struct pipit_result *
run(bool by_hand, struct script *script)
{
        if (!by_hand)
                return atomic_on(live_db, script);
        struct pipit *tx = pipit_begin(live_db, NULL);
        run_script(tx, script);
        return committed(tx);
}

START_TEST(test_transaction_success)
{
        struct script script = {.sql = {FOO, TO_BAR}};

        expect_ok(run(BY_HAND(_i), &script));
        expect_sql(TEXTS, "BAR");
        expect_nothing_acquired(SEED_CONNECTIONS);
}
END_TEST

/* A violation inside undoes what was done before it. */
START_TEST(test_transaction_rollback)
{
        struct script script = {.sql = {TO_BAR, "INSERT INTO testmodel (text) VALUES ('BAR')"}};

        seed_foo();
        expect_error(run(BY_HAND(_i), &script), PIPIT_ESERVER, "23505");
        expect_ok(script.calls[0].last);
        expect_sql(TEXTS, "FOO");
        expect_nothing_acquired(SEED_CONNECTIONS);
}
END_TEST

/* Three at once: a plain one, one whose nested one fails, one whose nested one does not. */
START_TEST(test_several_transactions)
{
        struct script plain = {.sql = {"INSERT INTO testmodel (text) VALUES ('1')"}};
        struct nesting bad = {.before = "INSERT INTO testmodel (text) VALUES ('2')",
                              .inner = {.sql = {"INSERT INTO testmodel (text) VALUES ('2')"}},
                              .after = "INSERT INTO testmodel (text) VALUES ('3')"};
        struct nesting good = {.before = "INSERT INTO testmodel (text) VALUES ('4')",
                               .inner = {.sql = {"INSERT INTO testmodel (text) VALUES ('5')"}}};

        pipit_atomic(live_db, run_script, on_call, &plain);
        pipit_atomic(live_db, run_nesting, on_call, &bad);
        pipit_atomic(live_db, run_nesting, on_call, &good);
        expect_ok(answer(&plain.done));
        expect_ok(answer(&bad.done));
        expect_ok(answer(&good.done));
        expect_error(bad.inner.done.last, PIPIT_ESERVER, "23505");
        expect_ok(good.inner.done.last);
        expect_sql(TEXTS, "1,2,3,4,5");
        expect_nothing_acquired(SEED_CONNECTIONS);
}
END_TEST

/* By hand: what was done before a violation goes with the rollback. */
START_TEST(test_transaction_manual_work)
{
        struct pipit *tx = pipit_begin(live_db, NULL);

        expect_ok(query_on(tx, FOO, PIPIT_NO_PARAMS));
        expect_error(query_on(tx, DUPLICATE, PIPIT_NO_PARAMS), PIPIT_ESERVER, "23505");
        expect_ok(rolled_back(tx));
        expect_sql(COUNT, "0");
        expect_nothing_acquired(SEED_CONNECTIONS);
}
END_TEST

/* The parts of a transaction without a transaction are an error to who asks for them. */
START_TEST(test_aio_begin_savepoint_error)
{
        struct calls calls[3] = {0};

        ck_assert_ptr_null(pipit_begin(NULL, NULL));
        expect_executed(seed_done(pipit_commit(live_db, on_call, &calls[0]), &calls[0]),
                        PIPIT_EINVAL, PIPIT_EXECUTED_NO);
        expect_executed(seed_done(pipit_rollback(live_db, on_call, &calls[1]), &calls[1]),
                        PIPIT_EINVAL, PIPIT_EXECUTED_NO);
        pipit_request request = ask_on(live_db, FOO, &calls[2]);
        ck_assert_int_eq(pipit_may_fail(live_db, request), PIPIT_EINVAL);
        expect_ok(answer(&calls[2]));
        expect_error(query("SAVEPOINT a", PIPIT_NO_PARAMS), PIPIT_ESERVER, "25P01");
        expect_nothing_acquired(SEED_CONNECTIONS);
}
END_TEST

/* What only an outermost transaction can have is refused to a nested one, and whoever starts it
 * may roll all of it back for that. */
struct refused {
        struct calls done;
        struct calls calls[2];
        struct script inner;
        struct pipit *outer;
};

static const struct pipit_transaction serializable = {.isolation = PIPIT_SERIALIZABLE};

static void
on_refused(struct pipit_result *res, void *arg)
{
        struct refused *refused = arg;

        on_call(res, &refused->inner.done);
        pipit_rollback(refused->outer, NULL, NULL);
}

static void
run_refused(struct pipit *tx, void *arg)
{
        struct refused *refused = arg;

        refused->outer = tx;
        ask_on(tx, FOO, &refused->calls[0]);
        pipit_atomic_with(tx, &serializable, run_script, on_refused, arg);
        ask_on(tx, BAR, &refused->calls[1]);
}

START_TEST(test_nested_transaction__error)
{
        struct refused refused = {.inner = {.sql = {TO_BAR}}};

        if (BY_HAND(_i)) {
                struct pipit *tx = pipit_begin(live_db, NULL);
                expect_ok(query_on(tx, FOO, PIPIT_NO_PARAMS));
                struct pipit *nested = pipit_begin(tx, &serializable);
                expect_executed(query_on(nested, BAR, PIPIT_NO_PARAMS), PIPIT_EINVAL,
                                PIPIT_EXECUTED_NO);
                pipit_close(nested);
                expect_ok(rolled_back(tx));
        } else {
                pipit_atomic(live_db, run_refused, on_call, &refused);
                expect_executed(answer(&refused.done), PIPIT_EROLLBACK, PIPIT_EXECUTED_ROLLED_BACK);
                expect_executed(refused.inner.done.last, PIPIT_EINVAL, PIPIT_EXECUTED_NO);
                ck_assert_int_eq(refused.inner.n_bodies, 0);
        }
        expect_sql(COUNT, "0");
        expect_nothing_acquired(SEED_CONNECTIONS);
}
END_TEST

/* Two levels of nested ones: its argument is the outer one of two. */
static void
run_deep(struct pipit *tx, void *arg)
{
        struct nesting *levels = arg;

        ask_on(tx, FOO, &levels[0].calls[0]);
        pipit_atomic(tx, run_nesting, on_call, &levels[1]);
}

START_TEST(test_savepoints_success)
{
        struct nesting levels[2] = {[1] = {.before = TO_BAR, .inner = {.sql = {TO_QUX}}}};

        pipit_atomic(live_db, run_deep, on_call, &levels[0]);
        expect_ok(answer(&levels[0].done));
        expect_ok(levels[1].done.last);
        expect_ok(levels[1].inner.done.last);
        expect_sql(TEXTS, "QUX");
        expect_nothing_acquired(SEED_CONNECTIONS);
}
END_TEST

/* What a nested one did before it failed is undone; what the outer one did stays. */
START_TEST(test_savepoint_rollback)
{
        struct nesting nesting = {.before = TO_BAR,
                                  .inner = {.sql = {TO_QUX, "INSERT INTO testmodel (text)"
                                                            " VALUES ('QUX')"}}};

        seed_foo();
        pipit_atomic(live_db, run_nesting, on_call, &nesting);
        expect_ok(answer(&nesting.done));
        expect_ok(nesting.inner.calls[0].last);
        expect_error(nesting.inner.done.last, PIPIT_ESERVER, "23505");
        expect_sql(TEXTS, "BAR");
        expect_nothing_acquired(SEED_CONNECTIONS);
}
END_TEST

/* The same by hand: the violation is undone, and the first row is committed. */
START_TEST(test_savepoint_manual_work)
{
        struct pipit *tx = pipit_begin(live_db, NULL);

        expect_ok(query_on(tx, FOO, PIPIT_NO_PARAMS));
        struct pipit *nested = pipit_begin(tx, NULL);
        expect_error(query_on(nested, DUPLICATE, PIPIT_NO_PARAMS), PIPIT_ESERVER, "23505");
        expect_ok(rolled_back(nested));
        expect_ok(committed(tx));
        expect_sql(TEXTS, "FOO");
        expect_nothing_acquired(SEED_CONNECTIONS);
}
END_TEST

/* The first statement's answer closes the database and opens it again; the second was to follow. */
struct broken {
        struct calls done;
        struct calls calls[2];
        struct pipit *tx;
};

static void
on_first(struct pipit_result *res, void *arg)
{
        struct broken *broken = arg;

        expect_ok(res);
        on_call(res, &broken->calls[0]);
        live_reopen(&seed_options);
        ask_on(broken->tx, BAR, &broken->calls[1]);
}

static void
run_broken(struct pipit *tx, void *arg)
{
        ((struct broken *)arg)->tx = tx;
        pipit_query(tx, FOO, PIPIT_NO_PARAMS, on_first, arg);
}

/* All or nothing; and here surely nothing, for COMMIT was never sent. */
START_TEST(test_acid_when_connetion_has_been_broken)
{
        struct broken broken = {0};

        if (BY_HAND(_i))
                run_broken(pipit_begin(live_db, NULL), &broken);
        else
                pipit_atomic(live_db, run_broken, on_call, &broken);
        expect_executed(answer(&broken.calls[1]), BY_HAND(_i) ? PIPIT_ECLOSED : PIPIT_EROLLBACK,
                        PIPIT_EXECUTED_NO);
        if (!BY_HAND(_i))
                expect_executed(answer(&broken.done), PIPIT_ECANCELED, PIPIT_EXECUTED_ROLLED_BACK);
        expect_nothing_acquired(SEED_CONNECTIONS);
        expect_sql(COUNT, "0");
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("seed_transaction");
        TCase *tcase = tcase_create("transaction");

        tcase_add_checked_fixture(tcase, seed_setup, seed_teardown);
        tcase_add_loop_test(tcase, test_transaction_success, 0, 2);
        tcase_add_loop_test(tcase, test_transaction_rollback, 0, 2);
        tcase_add_test(tcase, test_several_transactions);
        tcase_add_test(tcase, test_transaction_manual_work);
        tcase_add_test(tcase, test_aio_begin_savepoint_error);
        tcase_add_loop_test(tcase, test_nested_transaction__error, 0, 2);
        tcase_add_test(tcase, test_savepoints_success);
        tcase_add_test(tcase, test_savepoint_rollback);
        tcase_add_test(tcase, test_savepoint_manual_work);
        tcase_add_loop_test(tcase, test_acid_when_connetion_has_been_broken, 0, 2);
        suite_add_tcase(suite, tcase);
        return suite;
}
