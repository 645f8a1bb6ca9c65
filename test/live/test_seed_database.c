/*
 * Counterparts of the seed's test_database.py, by the same names: see test/seed-tests.txt.
 *
 * pipit has no functions of its own yet that look into the catalogue; what the seed's do is plain
 * SQL here.
 */
#include "seed.h"
#include "witness.h"

#define PID   "SELECT pg_backend_pid()"
#define NAMED "&application_name=pipit_seed"
#define OPEN  "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pipit_seed'"

/* Opens live_db under a name by which its connections are counted. */
static void
open_named(void)
{
        live_open(url_with(live_url(), NAMED), &seed_options);
}

static int64_t
connections(void)
{
        return ask(live_url(), OPEN);
}

/* A session, a transaction on it and another nested in that have one connection. */
START_TEST(test_nested_connection)
{
        struct pipit *session = pipit_session_open(live_db);
        struct pipit *tx = pipit_begin(session, NULL);
        struct pipit *nested = pipit_begin(tx, NULL);
        struct pipit_result *inner = query_on(nested, PID, PIPIT_NO_PARAMS);

        expect_ok(committed(nested));
        expect_text(query_on(tx, PID, PIPIT_NO_PARAMS), 0, 0, pipit_result_text(inner, 0, 0));
        expect_ok(committed(tx));
        expect_text(query_on(session, PID, PIPIT_NO_PARAMS), 0, 0, pipit_result_text(inner, 0, 0));
        pipit_close(session);
        expect_nothing_acquired(SEED_CONNECTIONS);
}
END_TEST

/* A database that was ended takes nothing; it never comes back to life by itself. */
START_TEST(test_db_should_connect_manually_after_close)
{
        struct calls calls = {0};

        open_named();
        seed_foo();
        expect_ok(seed_done(pipit_drain(live_db, -1, on_call, &calls), &calls));
        expect_executed(query(COUNT, PIPIT_NO_PARAMS), PIPIT_ECLOSED, PIPIT_EXECUTED_NO);
        ask_until(live_url(), OPEN, 0);
        open_named();
        expect_sql(COUNT, "1");
}
END_TEST

/* It is connected from its first request on, and until its end. */
START_TEST(test_is_connected)
{
        struct calls calls = {0};

        open_named();
        ck_assert_int_eq(connections(), 0);
        ck_assert_ptr_null(pipit_scope_error(live_db));
        expect_sql("SELECT 1", "1");
        ck_assert_int_eq(connections(), 1);
        expect_ok(seed_done(pipit_drain(live_db, -1, on_call, &calls), &calls));
        ask_until(live_url(), OPEN, 0);
        ck_assert_int_eq((int)pipit_scope_error(live_db)->code, PIPIT_ECLOSED);
}
END_TEST

/* A database that has never connected may be closed twice, while it is there. */
START_TEST(test_aio_close_idempotent)
{
        struct calls calls = {0};
        struct pipit *db = pipit_open(live_base, url_with(live_url(), NAMED), NULL);

        ask_on(db, "SELECT 1", &calls);
        pipit_close(db);
        pipit_close(db);
        expect_executed(answer(&calls), PIPIT_ECANCELED, PIPIT_EXECUTED_NO);
        ck_assert_int_eq(connections(), 0);
}
END_TEST

/* Before it is opened there is nothing that could run a request; opened with what is no URL it says
 * so to each; opened rightly it works. */
START_TEST(test_deferred_init)
{
        struct calls calls = {0};

        ck_assert_uint_eq(pipit_query(NULL, COUNT, PIPIT_NO_PARAMS, on_call, &calls), 0);
        ck_assert_int_eq(calls.n, 0);
        live_open("nowhere=5", &seed_options);
        ck_assert_ptr_nonnull(pipit_scope_error(live_db));
        expect_executed(query(COUNT, PIPIT_NO_PARAMS), PIPIT_EINVAL, PIPIT_EXECUTED_NO);
        live_reopen(&seed_options);
        expect_sql(COUNT, "0");
}
END_TEST

/* How many connections there are at most, and how long one waits for one, reach the pool. Values
 * come as their types without an option. */
START_TEST(test_pg_ext_json_hstore__params)
{
        struct calls calls[6] = {0};

        seed_options.min_connections = 5;
        seed_options.max_connections = 5;
        seed_options.acquire_timeout_ms = 1000;
        open_named();
        ask_until(live_url(), OPEN, 5);
        for (int i = 0; i < 5; i++)
                ask_on(pipit_session_open(live_db), PID, &calls[i]);
        for (int i = 0; i < 5; i++)
                expect_ok(answer(&calls[i]));
        ask_on(live_db, "SELECT 6", &calls[5]);
        expect_executed(answer(&calls[5]), PIPIT_ETIMEDOUT, PIPIT_EXECUTED_NO);
        ck_assert_int_eq(connections(), 5);
}
END_TEST

/* How many connections there are at least, and how long one lives, reach the pool. */
START_TEST(test_psycopg__params)
{
        seed_options.max_connections = 1;
        seed_options.lifetime_ms = 15;
        open_named();
        ck_assert_int_eq(connections(), 0);
        struct pipit_result *first = query(PID, PIPIT_NO_PARAMS);
        expect_ok(first);
        loop_for(20);
        struct pipit_result *second = query(PID, PIPIT_NO_PARAMS);
        expect_ok(second);
        ck_assert_str_ne(pipit_result_text(first, 0, 0), pipit_result_text(second, 0, 0));
}
END_TEST

/* The tables of the schema. */
START_TEST(test_aio_get_tables)
{
        expect_sql("SELECT string_agg(tablename, ',' ORDER BY tablename) FROM pg_tables"
                   " WHERE schemaname = current_schema()",
                   "compositetestmodel,integertestmodel,testmodel");
}
END_TEST

static bool
table_exists(const char *name)
{
        bool exists = false;
        struct pipit_result *res = query("SELECT to_regclass($1) IS NOT NULL", PIPIT_PARAMS(name));

        expect_ok(res);
        ck_assert_int_eq(pipit_result_bool(res, 0, 0, &exists), 0);
        return exists;
}

/* By name, and by model. */
START_TEST(test_aio_table_exists)
{
        ck_assert(table_exists("testmodel"));
        ck_assert(table_exists(testmodel_model.model.name));
        ck_assert(!table_exists("unknown"));
}
END_TEST

/* What a serial column counts with. */
START_TEST(test_aio_sequence_exists)
{
        static const char sql[] = "SELECT count(*) FROM pg_class WHERE relkind = 'S'"
                                  " AND relnamespace = current_schema()::regnamespace"
                                  " AND relname = $1";

        expect_text(query(sql, PIPIT_PARAMS("testmodel_id_seq")), 0, 0, "1");
        expect_text(query(sql, PIPIT_PARAMS("unknown_seq")), 0, 0, "0");
}
END_TEST

#define MAINMODEL(FIELD)                                                                           \
        FIELD(serial, id, .primary_key = true)                                                     \
        FIELD(varchar, text, .max_length = 10, .index = true)
PIPIT_MODEL(mainmodel, MAINMODEL);
PIPIT_MODEL_DEFINE(mainmodel, MAINMODEL);

#define SIDEMODEL(FIELD)                                                                           \
        FIELD(serial, id, .primary_key = true)                                                     \
        FIELD(integer, num, .index = true)
PIPIT_MODEL(sidemodel, SIDEMODEL);
PIPIT_MODEL_DEFINE(sidemodel, SIDEMODEL);

/* Two tables with an index each come together, and go together. */
START_TEST(test_create_drop_tables)
{
        static const char indexes[] =
                "SELECT count(*) FROM pg_indexes WHERE schemaname = current_schema()"
                " AND tablename IN ('mainmodel', 'sidemodel')";
        struct calls calls[4] = {0};

        ck_assert(!table_exists("mainmodel") && !table_exists("sidemodel"));
        mainmodel_create_table(live_db, 0, on_call, &calls[0]);
        sidemodel_create_table(live_db, 0, on_call, &calls[1]);
        expect_ok(answer(&calls[0]));
        expect_ok(answer(&calls[1]));
        ck_assert(table_exists("mainmodel") && table_exists("sidemodel"));
        expect_sql(indexes, "4");
        mainmodel_drop_table(live_db, 0, on_call, &calls[2]);
        sidemodel_drop_table(live_db, 0, on_call, &calls[3]);
        expect_ok(answer(&calls[2]));
        expect_ok(answer(&calls[3]));
        ck_assert(!table_exists("mainmodel") && !table_exists("sidemodel"));
        expect_sql(indexes, "0");
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("seed_database");
        TCase *tcase = tcase_create("database");

        tcase_add_checked_fixture(tcase, seed_setup, seed_teardown);
        tcase_add_test(tcase, test_nested_connection);
        tcase_add_test(tcase, test_db_should_connect_manually_after_close);
        tcase_add_test(tcase, test_is_connected);
        tcase_add_test(tcase, test_aio_close_idempotent);
        tcase_add_test(tcase, test_deferred_init);
        tcase_add_test(tcase, test_pg_ext_json_hstore__params);
        tcase_add_test(tcase, test_psycopg__params);
        tcase_add_test(tcase, test_aio_get_tables);
        tcase_add_test(tcase, test_aio_table_exists);
        tcase_add_test(tcase, test_aio_sequence_exists);
        tcase_add_test(tcase, test_create_drop_tables);
        suite_add_tcase(suite, tcase);
        return suite;
}
