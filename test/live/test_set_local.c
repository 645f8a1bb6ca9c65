/*
 * Settings of a transaction end with it, and cost the connection nothing; LISTEN is for nobody.
 */
#include <string.h>

#include "scripts.h"

#define KNOWN  "SELECT $1::integer + 1"
#define TENANT "SELECT current_setting('app.tenant', true)"

static void
setup(void)
{
        live_setup();
        live_reopen(&(struct pipit_options){.max_connections = 1});
}

/* How many statements the connection has prepared of a text that is known to it. */
static void
expect_known(const char *n)
{
        expect_text(query("SELECT count(*) FROM pg_prepared_statements WHERE statement = $1",
                          PIPIT_PARAMS(KNOWN)),
                    0, 0, n);
}

/* ---- what it costs */

static const struct {
        const char *sql; /* NULL: pipit_set_local() */
        const char *n_known;
} settings[] = {
        {NULL, "1"},
        {"SET LOCAL app.tenant = 'seven'", "1"},
        {"/* of */ set\nlocal app.tenant = 'seven'", "1"},
        {"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "1"},
        {"SET CONSTRAINTS ALL DEFERRED", "1"},
        {"SET app.tenant = 'seven'", "0"},
        {"SET SESSION app.tenant = 'seven'", "0"},
};

START_TEST(what_ends_with_its_transaction_leaves_the_connection_as_it_is)
{
        struct calls calls = {0};

        for (int i = 0; i < 2; i++)
                expect_ok(query(KNOWN, PIPIT_PARAMS(i)));
        expect_known("1");
        struct pipit *tx = pipit_begin(live_db, NULL);
        if (settings[_i].sql == NULL)
                ck_assert_uint_ne(pipit_set_local(tx, "app.tenant", "seven"), 0);
        else
                expect_ok(query_on(tx, settings[_i].sql, PIPIT_NO_PARAMS));
        expect_ok(query_on(tx, "SELECT 1", PIPIT_NO_PARAMS));
        pipit_commit(tx, on_call, &calls);
        expect_ok(answer(&calls));
        expect_known(settings[_i].n_known);
        expect_ok(query("SELECT nullif(current_setting('app.tenant', true), '') IS NULL",
                        PIPIT_NO_PARAMS));
        expect_text(query("SELECT nullif(current_setting('app.tenant', true), '') IS NULL",
                          PIPIT_NO_PARAMS),
                    0, 0, "t");
}
END_TEST

/* ---- what it sets */

static const char *const values[] = {"seven", "",   "it's",    "'); DROP TABLE x; --",
                                     "$1",    "\\", "\xc3\xa4"};

START_TEST(a_setting_has_its_value_for_the_rest_of_its_transaction)
{
        struct pipit *session = pipit_session_open(live_db);
        struct pipit *scopes[] = {session, live_db};
        struct calls ended = {0};

        if (_i % 2 == 1)
                pipit_close(session);
        struct pipit *tx = pipit_begin(scopes[_i % 2], NULL);
        pipit_set_local(tx, "app.tenant", "another");
        pipit_set_local(tx, "app.tenant", values[_i / 2]);
        expect_text(query_on(tx, TENANT, PIPIT_NO_PARAMS), 0, 0, values[_i / 2]);
        pipit_commit(tx, on_call, &ended);
        expect_ok(answer(&ended));
        if (_i % 2 == 0) {
                expect_text(query_on(session,
                                     "SELECT coalesce(current_setting('app.tenant', true), "
                                     "'')",
                                     PIPIT_NO_PARAMS),
                            0, 0, "");
                pipit_close(session);
        }
}
END_TEST

START_TEST(a_setting_of_a_savepoint_goes_with_it)
{
        struct pipit *tx = pipit_test_scope(live_db);
        struct calls ended = {0};

        pipit_set_local(tx, "app.tenant", "outer");
        struct pipit *inner = pipit_begin(tx, NULL);
        pipit_set_local(inner, "app.tenant", "inner");
        expect_text(query_on(inner, TENANT, PIPIT_NO_PARAMS), 0, 0, "inner");
        pipit_rollback(inner, on_call, &ended);
        expect_ok(answer(&ended));
        expect_text(query_on(tx, TENANT, PIPIT_NO_PARAMS), 0, 0, "outer");
        pipit_close(tx);
}
END_TEST

static void
early_body(struct pipit *tx, void *arg)
{
        struct script *script = arg;

        pipit_set_local(tx, "app.tenant", script->n_bodies % 2 == 0 ? "even" : "odd");
        ask_on(tx, TENANT, &script->calls[0]);
        script->n_bodies++;
}

START_TEST(a_setting_travels_with_a_transaction_of_one_round_trip)
{
        struct pipit_transaction options = {.commit_early = true};

        for (int i = 0; i < 6; i++) {
                struct script script = {.n_bodies = i};
                pipit_atomic_with(live_db, &options, early_body, on_call, &script);
                expect_ok(answer(&script.done));
                expect_text(script.calls[0].last, 0, 0, i % 2 == 0 ? "even" : "odd");
                expect_text(query("SELECT coalesce(current_setting('app.tenant', true), '')",
                                  PIPIT_NO_PARAMS),
                            0, 0, "");
        }
}
END_TEST

START_TEST(a_search_path_of_a_transaction_says_which_table_it_is)
{
        static const char *const schemas[] = {"set_local_a", "set_local_b"};

        execute("CREATE SCHEMA set_local_a CREATE TABLE named (v text)");
        execute("CREATE SCHEMA set_local_b CREATE TABLE named (v text)");
        execute("INSERT INTO set_local_a.named VALUES ('set_local_a')");
        execute("INSERT INTO set_local_b.named VALUES ('set_local_b')");
        for (int i = 0; i < 6; i++) {
                struct pipit *tx = pipit_begin(live_db, NULL);
                pipit_set_local(tx, "search_path", schemas[i % 2]);
                expect_text(query_on(tx, "SELECT v FROM named", PIPIT_NO_PARAMS), 0, 0,
                            schemas[i % 2]);
                pipit_close(tx);
        }
        execute("DROP SCHEMA set_local_a CASCADE");
        execute("DROP SCHEMA set_local_b CASCADE");
}
END_TEST

START_TEST(the_setting_of_a_blocking_scope_can_be_waited_for)
{
        pipit_set_allow_sync(live_db, true);
        struct pipit *sync = pipit_allow_sync(live_db);
        struct pipit *tx = pipit_begin(sync, NULL);

        expect_text(pipit_wait(sync, pipit_set_local(tx, "app.tenant", "seven")), 0, 0, "seven");
        expect_text(pipit_wait(sync, pipit_query(tx, TENANT, PIPIT_NO_PARAMS, NULL, NULL)), 0, 0,
                    "seven");
        pipit_close(sync);
}
END_TEST

/* ---- what cannot be set */

static const struct {
        const char *name;
        const char *value;
        int code;
} wrong[] = {
        {NULL, "x", PIPIT_EINVAL},
        {"app.tenant", NULL, PIPIT_EINVAL},
        {"", "x", PIPIT_EINVAL},
        {"app.", "x", PIPIT_EINVAL},
        {".app", "x", PIPIT_EINVAL},
        {"app'", "x", PIPIT_EINVAL},
        {"1app", "x", PIPIT_EINVAL},
        {"app tenant", "x", PIPIT_EINVAL},
        {"a123456789a123456789a123456789a123456789a123456789a123456789a1234", "x", PIPIT_EINVAL},
        {"client_encoding", "latin1", PIPIT_EINVAL},
        {"Standard_Conforming_Strings", "off", PIPIT_EINVAL},
        {"no_such_setting", "x", PIPIT_ESERVER},
        {"statement_timeout", "x", PIPIT_ESERVER},
};
enum { N_WRONG = sizeof wrong / sizeof *wrong };

START_TEST(a_transaction_does_nothing_without_a_setting_that_it_asked_for)
{
        struct pipit *tx = pipit_begin(live_db, NULL);
        struct calls setting = {0};
        struct calls after = {0};
        struct calls ended = {0};

        pipit_request request = pipit_set_local(tx, wrong[_i].name, wrong[_i].value);
        ck_assert_uint_ne(request, 0);
        ck_assert_int_eq(pipit_then(tx, request, on_call, &setting), 0);
        ask_on(tx, "SELECT 1", &after);
        pipit_commit(tx, on_call, &ended);
        ck_assert_int_eq(pipit_result_error(answer(&setting))->code, wrong[_i].code);
        ck_assert(pipit_failed(answer(&after)));
        ck_assert(pipit_failed(answer(&ended)));
}
END_TEST

START_TEST(outside_of_a_transaction_nothing_is_set)
{
        struct pipit *session = pipit_session_open(live_db);
        struct pipit *scope = _i == 0 ? session : live_db;
        struct calls calls = {0};

        ck_assert_uint_eq(pipit_set_local(NULL, "app.tenant", "x"), 0);
        pipit_request request = pipit_set_local(scope, "app.tenant", "x");
        ck_assert_int_eq(pipit_then(scope, request, on_call, &calls), 0);
        expect_error(answer(&calls), PIPIT_EINVAL, "");
        expect_ok(query_on(session, "SELECT 1", PIPIT_NO_PARAMS));
        pipit_close(session);
}
END_TEST

/* ---- LISTEN */

START_TEST(listen_is_refused_before_it_listens)
{
        struct pipit *scope = _i == 0   ? pipit_session_open(live_db)
                              : _i == 1 ? pipit_begin(live_db, NULL)
                              : _i == 2 ? pipit_test_scope(live_db)
                                        : live_db;
        struct calls calls = {0};

        ask_on(scope, "LISTEN somebody", &calls);
        expect_error(answer(&calls), PIPIT_EUNSHARED, "");
        ck_assert_ptr_nonnull(strstr(pipit_error_text(calls.last), "notifications"));
        expect_text(
                query_on(scope, "SELECT count(*) FROM pg_listening_channels()", PIPIT_NO_PARAMS), 0,
                0, "0");
        if (_i < 3)
                pipit_close(scope);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("set_local");
        TCase *tcase = tcase_create("set_local");

        tcase_add_checked_fixture(tcase, setup, live_teardown);
        tcase_add_loop_test(tcase, what_ends_with_its_transaction_leaves_the_connection_as_it_is, 0,
                            (int)(sizeof settings / sizeof *settings));
        tcase_add_loop_test(tcase, a_setting_has_its_value_for_the_rest_of_its_transaction, 0,
                            2 * (int)(sizeof values / sizeof *values));
        tcase_add_test(tcase, a_setting_of_a_savepoint_goes_with_it);
        tcase_add_test(tcase, a_setting_travels_with_a_transaction_of_one_round_trip);
        tcase_add_test(tcase, a_search_path_of_a_transaction_says_which_table_it_is);
        tcase_add_test(tcase, the_setting_of_a_blocking_scope_can_be_waited_for);
        tcase_add_loop_test(tcase, a_transaction_does_nothing_without_a_setting_that_it_asked_for,
                            0, N_WRONG);
        tcase_add_loop_test(tcase, outside_of_a_transaction_nothing_is_set, 0, 2);
        tcase_add_loop_test(tcase, listen_is_refused_before_it_listens, 0, 4);
        suite_add_tcase(suite, tcase);
        return suite;
}
