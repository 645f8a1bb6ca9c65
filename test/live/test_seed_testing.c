/*
 * Counterparts of the seed's test_testing.py, by the same names: see test/seed-tests.txt. What its
 * TransactionTestCase forbids, a test scope of pipit allows: the tests of what is disabled there
 * prove that here it does no harm.
 */
#include "seed.h"

/* The seed refuses transactions inside of a test. Here they work, and what they commit goes with
 * the test. */
START_TEST(test_transcations_disabled)
{
        struct script inside = {.sql = {FOO, BAR}};
        struct script behind = {.sql = {FOO}};
        struct pipit *test = pipit_test_scope(live_db);

        expect_ok(atomic_on(test, &inside));
        expect_text(query_on(test, COUNT, PIPIT_NO_PARAMS), 0, 0, "2");
        expect_sql(COUNT, "0");
        pipit_close(test);
        expect_nothing_acquired(SEED_CONNECTIONS);
        expect_sql(COUNT, "0");
        expect_ok(atomic_on(live_db, &behind));
        expect_sql(COUNT, "1");
}
END_TEST

/* The same by hand: one commits, in which another rolls back. */
START_TEST(test_aio_begin_savepoint_disabled)
{
        struct pipit *test = pipit_test_scope(live_db);
        struct pipit *outer = pipit_begin(test, NULL);

        expect_ok(query_on(outer, FOO, PIPIT_NO_PARAMS));
        struct pipit *inner = pipit_begin(outer, NULL);
        expect_ok(query_on(inner, BAR, PIPIT_NO_PARAMS));
        expect_ok(rolled_back(inner));
        expect_ok(committed(outer));
        expect_text(query_on(test, "SELECT string_agg(text, ',') FROM testmodel", PIPIT_NO_PARAMS),
                    0, 0, "FOO");
        pipit_close(test);
        expect_nothing_acquired(SEED_CONNECTIONS);
        expect_sql(COUNT, "0");
}
END_TEST

/* A row is there inside of the test, and gone behind it. */
START_TEST(test_integration)
{
        struct calls calls[2] = {0};
        struct testmodel row = {.text = "text"};
        struct pipit *test = pipit_test_scope(live_db);

        expect_ok(seed_done(testmodel_create(test, &row, on_call, &calls[0]), &calls[0]));
        expect_ok(seed_done(
                testmodel_get(test, pipit_eq(testmodel_model.text, "text"), on_call, &calls[1]),
                &calls[1]));
        ck_assert_str_eq(testmodel_row(calls[1].last, 0)->text, "text");
        pipit_close(test);
        expect_nothing_acquired(SEED_CONNECTIONS);
        expect_sql(COUNT, "0");
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("seed_testing");
        TCase *tcase = tcase_create("testing");

        tcase_add_checked_fixture(tcase, seed_setup, seed_teardown);
        tcase_add_test(tcase, test_transcations_disabled);
        tcase_add_test(tcase, test_aio_begin_savepoint_disabled);
        tcase_add_test(tcase, test_integration);
        suite_add_tcase(suite, tcase);
        return suite;
}
