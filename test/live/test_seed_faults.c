/*
 * Counterparts of those tests of the seed's test_transaction.py that make BEGIN, COMMIT or ROLLBACK
 * fail, by the same names: see test/seed-tests.txt. The link is cut in front of that statement.
 */
#include "proxied.h"
#include "seed.h"

static void
proxy_setup(void)
{
        seed_options = (struct pipit_options){.max_connections = 1, .acquire_timeout_ms = 10000};
        proxied_setup(&seed_options);
        seed_create_table(&testmodel_model.model);
}

/* The next that the server is told ends the link. */
static void
cut(void)
{
        struct proxy_rule rule = {.side = PROXY_TO_SERVER,
                                  .connection = PROXY_ANY,
                                  .trigger = PROXY_MESSAGE,
                                  .n = 1,
                                  .action = PROXY_FIN};

        ck_assert(proxy_add(proxy, &rule));
}

/* A transaction of one statement, behind whose answer the link is cut. */
struct victim {
        struct calls done;
        struct calls calls;
        const char *sql;
        bool cuts;
};

static void
on_statement(struct pipit_result *res, void *arg)
{
        struct victim *victim = arg;

        on_call(res, &victim->calls);
        if (victim->cuts)
                cut();
}

static void
run_victim(struct pipit *tx, void *arg)
{
        struct victim *victim = arg;

        ck_assert_uint_ne(pipit_query(tx, victim->sql, PIPIT_NO_PARAMS, on_statement, victim), 0);
}

/* Runs it with a body, or by hand, to be ended with this function; what its end was told. */
static struct pipit_result *
end_of(struct victim *victim, bool by_hand,
       pipit_request (*end)(struct pipit *tx, pipit_cb cb, void *arg))
{
        struct pipit *tx = by_hand ? pipit_begin(live_db, NULL) : NULL;

        if (!by_hand) {
                pipit_atomic(live_db, run_victim, on_call, victim);
                return answer(&victim->done);
        }
        run_victim(tx, victim);
        loop_until(&victim->calls.n, 1);
        return seed_done(end(tx, on_call, &victim->done), &victim->done);
}

/* What must be so behind each of them. */
static void
expect_cut_and_nothing_stored(void)
{
        expect_nothing_acquired(1);
        ck_assert_int_eq(proxy_n_acted(proxy, PROXY_FIN), 1);
        expect_sql(COUNT, "0");
        ck_assert_int_eq(ask(cluster.url, "SELECT count(*) FROM pg_stat_activity"
                                          " WHERE state LIKE 'idle in transaction%'"),
                         0);
}

START_TEST(test_transaction_error_on_begin)
{
        struct victim victim = {.sql = FOO};

        cut();
        expect_executed(end_of(&victim, _i == 1, pipit_commit), PIPIT_ELOST,
                        PIPIT_EXECUTED_ROLLED_BACK);
        ck_assert(pipit_failed(victim.calls.last));
        expect_cut_and_nothing_stored();
}
END_TEST

/* Nobody knows whether a COMMIT arrived that was not answered. */
START_TEST(test_transaction_error_on_commit)
{
        struct victim victim = {.sql = FOO, .cuts = true};

        expect_executed(end_of(&victim, _i == 1, pipit_commit), PIPIT_ELOST,
                        PIPIT_EXECUTED_UNKNOWN);
        expect_ok(victim.calls.last);
        expect_cut_and_nothing_stored();
}
END_TEST

/* The error that doomed it is told, and not that of its ROLLBACK: that it is rolled back is sure
 * all the same. */
START_TEST(test_transaction_error_on_rollback)
{
        struct victim victim = {.sql = _i == 1 ? FOO : FAIL, .cuts = true};
        struct pipit_result *res = end_of(&victim, _i == 1, pipit_rollback);

        if (_i == 1)
                expect_ok(res);
        else
                expect_error(res, PIPIT_ESERVER, "22012");
        expect_cut_and_nothing_stored();
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("seed_faults");
        TCase *tcase = tcase_create("faults");

        tcase_add_checked_fixture(tcase, proxy_setup, proxied_teardown);
        tcase_add_loop_test(tcase, test_transaction_error_on_begin, 0, 2);
        tcase_add_loop_test(tcase, test_transaction_error_on_commit, 0, 2);
        tcase_add_loop_test(tcase, test_transaction_error_on_rollback, 0, 2);
        suite_add_tcase(suite, tcase);
        return suite;
}
