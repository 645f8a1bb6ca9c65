/*
 * Columns that get other types while statements on them are prepared: values arrive as they were
 * said, and nobody is told, on every kind of scope.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "live.h"

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* A value as it is said: the member that is not 0. */
struct said {
        double number;
        int64_t integer;
        int64_t moment_us;
        const char *text;
};

static struct pipit_value
value_of(const struct said *said)
{
        if (said->text != NULL)
                return PIPIT_VALUE(said->text);
        if (said->moment_us != 0)
                return PIPIT_VALUE((struct pipit_timestamp){said->moment_us});
        return said->number != 0 ? PIPIT_VALUE(said->number) : PIPIT_VALUE(said->integer);
}

#define NUMBER(n)                                                                                  \
        {                                                                                          \
                .number = (n)                                                                      \
        }
#define INTEGER(n)                                                                                 \
        {                                                                                          \
                .integer = (n)                                                                     \
        }
#define TEXT(t)                                                                                    \
        {                                                                                          \
                .text = (t)                                                                        \
        }
#define MIDNIGHT                                                                                   \
        {                                                                                          \
                .moment_us = INT64_C(1704067200000000)                                             \
        }
#define NOON                                                                                       \
        {                                                                                          \
                .moment_us = INT64_C(1704112496000000)                                             \
        }

#define TABLE(type)  "CREATE TABLE stale (c " type "); "
#define ALTER(type)  "ALTER TABLE stale ALTER c TYPE " type " USING c::text::" type "; "
#define MOOD(labels) "CREATE TYPE mood AS ENUM (" labels "); "

static const struct change {
        const char *before;
        const char *after;
        struct said known; /* before */
        struct said value; /* after */
        const char *text;  /* that it has in the column */
} changes[] = {
        {TABLE("real"), ALTER("double precision"), NUMBER(0.5), NUMBER(0.1), "0.1"},
        {TABLE("real"), ALTER("numeric"), NUMBER(0.5), NUMBER(0.1), "0.1"},
        {TABLE("double precision"), ALTER("numeric"), NUMBER(0.5), NUMBER(19.99), "19.99"},
        {TABLE("numeric"), ALTER("double precision"), NUMBER(0.5), NUMBER(0.1), "0.1"},
        {TABLE("numeric"), ALTER("real"), NUMBER(0.5), NUMBER(0.25), "0.25"},
        {TABLE("date"), ALTER("timestamptz"), MIDNIGHT, NOON, "2024-01-01 12:34:56+00"},
        {TABLE("date"), ALTER("timestamp"), MIDNIGHT, NOON, "2024-01-01 12:34:56"},
        {TABLE("date"), ALTER("text"), MIDNIGHT, NOON, "2024-01-01 12:34:56.000000+00"},
        {TABLE("time"), ALTER("text"), TEXT("01:02:03"), TEXT("04:05"), "04:05"},
        {TABLE("smallint"), ALTER("integer"), INTEGER(1), INTEGER(70000), "70000"},
        {TABLE("integer"), ALTER("bigint"), INTEGER(1), INTEGER(3000000000), "3000000000"},
        {TABLE("bigint"), ALTER("numeric"), TEXT("1"), TEXT("99999999999999999999"),
         "99999999999999999999"},
        {TABLE("bigint"), ALTER("integer"), INTEGER(1), INTEGER(2), "2"},
        {TABLE("bigint"), ALTER("text"), INTEGER(1), INTEGER(2), "2"},
        {TABLE("integer"), ALTER("text"), TEXT("7"), TEXT("007"), "007"},
        {TABLE("text"), ALTER("integer"), TEXT("7"), INTEGER(8), "8"},
        {TABLE("char(4)"), ALTER("text"), TEXT("ab"), TEXT("cd  "), "cd  "},
        {TABLE("boolean"), ALTER("text"), TEXT("true"), TEXT("yes"), "yes"},
        {TABLE("uuid"), ALTER("text"), TEXT("01020304-0506-0708-090a-0b0c0d0e0f10"),
         TEXT("01020304-0506-0708-090A-0B0C0D0E0F10"), "01020304-0506-0708-090A-0B0C0D0E0F10"},
        {MOOD("'sad'") TABLE("mood"),
         "ALTER TYPE mood RENAME TO old; " MOOD("'sad', 'glad'") ALTER("mood") "DROP TYPE old",
         TEXT("sad"), TEXT("glad"), "glad"},
        {MOOD("'sad'") TABLE("mood"),
         "DROP TABLE stale; DROP TYPE mood; " MOOD("'glad', 'sad'") TABLE("mood"), TEXT("sad"),
         TEXT("sad"), "sad"},
        {TABLE("text"), MOOD("'sad', 'glad'") ALTER("mood"), TEXT("sad"), TEXT("glad"), "glad"},
        {TABLE("text"), ALTER("jsonb"), TEXT("1"), TEXT("{\"a\": 1}"), "{\"a\": 1}"},
        {TABLE("text"), ALTER("tsvector"), TEXT("a"), TEXT("b"), "'b'"},
        {TABLE("text"), ALTER("money"), TEXT("1"), TEXT("2"), "$2.00"},
        {TABLE("integer"), "DROP TABLE stale; " TABLE("text"), INTEGER(1), TEXT("x y"), "x y"},
        {TABLE("text"), "DROP TABLE stale; " TABLE("integer"), TEXT("x y"), INTEGER(1), "1"},
};

#define N_CHANGES LENGTH(changes)

/* ---- how a statement is run */

enum way { ON_DATABASE, ON_SESSION, IN_ATOMIC, IN_NESTED, IN_TEST_SCOPE, BLOCKING, N_WAYS };

static const char *const statements[] = {
        "INSERT INTO stale VALUES ($1)",
        "INSERT INTO stale VALUES ($1) RETURNING c, 1",
        "UPDATE stale SET c = $1 RETURNING *",
};

#define N_STATEMENTS LENGTH(statements)

/* A statement that a body runs, in a transaction or in one that is nested in it. */
struct body {
        struct calls done; /* the first member: the end is told to this */
        struct calls told;
        const char *sql;
        struct pipit_value value;
};

static void
run_body(struct pipit *tx, void *arg)
{
        struct body *body = arg;
        struct pipit_params params = {&body->value, 1};

        body->told = (struct calls){0};
        ck_assert_uint_ne(pipit_query(tx, body->sql, params, on_call, &body->told), 0);
}

static void
run_nested_body(struct pipit *tx, void *arg)
{
        pipit_atomic(tx, run_body, NULL, arg);
}

static struct pipit_result *
run_atomic(pipit_body how, const char *sql, struct pipit_value value)
{
        struct body body = {.sql = sql, .value = value};

        pipit_atomic(live_db, how, on_call, &body);
        struct pipit_result *done = answer(&body.done);
        ck_assert_int_le(pipit_result_attempts(done), 2);
        return pipit_failed(done) ? done : keep(body.told.last);
}

static struct pipit *session; /* that runs what is run on a session; NULL: none is open */
static struct pipit *scope;   /* the test scope, likewise */
static struct pipit *sync_db;

/* Runs a statement with a value in one of the ways. */
static struct pipit_result *
run(enum way way, const char *sql, const struct said *said)
{
        struct pipit_value value = value_of(said);
        struct pipit_params params = {&value, 1};

        switch (way) {
        case ON_SESSION: return query_on(session, sql, params);
        case IN_ATOMIC: return run_atomic(run_body, sql, value);
        case IN_NESTED: return run_atomic(run_nested_body, sql, value);
        case IN_TEST_SCOPE: return query_on(scope, sql, params);
        case BLOCKING: return pipit_wait(sync_db, pipit_query(sync_db, sql, params, NULL, NULL));
        case ON_DATABASE:
        case N_WAYS: break;
        }
        return query(sql, params);
}

/* ---- who changes the table, and which connections there are */

/* The connections that have the statements prepared are those that are used after the change; or
 * all are new; or some are, and of the others some were prepared after the change. Or the change is
 * made on the connection itself. */
enum connections { KEPT, FRESH, MIXED, BY_ITSELF, N_CONNECTIONS };

static struct pipit *other; /* somebody else */

/* Runs statements that have a semicolon and a blank between them. */
static void
run_all(struct pipit *on, const char *sql)
{
        char text[600];
        char *rest = text;

        snprintf(text, sizeof text, "%s", sql);
        while (rest != NULL && *rest != '\0') {
                char *end = strstr(rest, "; ");
                if (end != NULL)
                        *end = '\0';
                expect_ok(query_on(on, rest, PIPIT_NO_PARAMS));
                rest = end != NULL ? end + 2 : NULL;
        }
}

static void
open_scopes(int max_connections)
{
        char path[40];
        struct pipit_options options = {.search_path = path, .max_connections = max_connections};

        snprintf(path, sizeof path, "pipit_%d", (int)getpid());
        live_reopen(&options);
        sync_db = pipit_allow_sync(live_db);
        if (other == NULL)
                other = pipit_open(live_base, live_url(), &options);
}

static void
close_leases(void)
{
        pipit_close(session);
        pipit_close(scope);
        session = scope = NULL;
}

static void
open_lease(enum way way)
{
        if (way == ON_SESSION && session == NULL)
                session = pipit_session_open(live_db);
        if (way == IN_TEST_SCOPE && scope == NULL)
                scope = pipit_test_scope(live_db);
}

static void
setup(void)
{
        live_schema_setup();
        open_scopes(1);
}

static void
teardown(void)
{
        close_leases();
        pipit_close(sync_db);
        pipit_close(other);
        other = sync_db = NULL;
        live_schema_teardown();
}

/* Has every statement prepared, and its types known. */
static void
know(enum way way, const struct said *said)
{
        open_lease(way);
        for (int i = 0; i < 2 * N_STATEMENTS; i++)
                expect_ok(run(way, statements[i % N_STATEMENTS], said));
        if (way == IN_TEST_SCOPE)
                close_leases(); /* it has locks */
}

/* Has two of three connections be in use while one is made ready, before the change and after. */
static void
know_on_one_of(int n, const struct said *said)
{
        struct pipit *held[3];

        for (int i = 0; i < 3; i++) {
                held[i] = pipit_session_open(live_db);
                expect_ok(query_on(held[i], "SELECT 1", PIPIT_NO_PARAMS));
        }
        for (int i = 0; i < 2 * N_STATEMENTS; i++) {
                struct pipit_value value = value_of(said);
                expect_ok(query_on(held[n], statements[i % N_STATEMENTS],
                                   (struct pipit_params){&value, 1}));
        }
        for (int i = 0; i < 3; i++)
                pipit_close(held[i]);
}

static void
change_table(enum connections connections, enum way way, const struct change *change)
{
        if (connections == MIXED)
                know_on_one_of(0, &change->known);
        else
                know(way, &change->known);
        run_all(connections != BY_ITSELF ? other
                : way == ON_SESSION      ? session
                                         : live_db,
                change->after);
        if (connections == MIXED)
                know_on_one_of(1, &change->value);
        if (connections == FRESH) {
                close_leases();
                pipit_close(sync_db);
                open_scopes(1);
        }
}

/* Each statement has the value arrive as it was said. */
static void
expect_value(enum way way, const struct change *change)
{
        open_lease(way);
        for (int i = 0; i < N_STATEMENTS; i++) {
                struct pipit_result *res = run(way, statements[i], &change->value);
                if (pipit_failed(res))
                        ck_abort_msg("%s: %s", statements[i], pipit_error_text(res));
                if (i > 0)
                        expect_text(res, pipit_result_rows(res) - 1, 0, change->text);
        }
        struct pipit *reader = way == IN_TEST_SCOPE ? scope : other;
        const struct pipit_result *res =
                query_on(reader, "SELECT c::text, count(*) FROM stale GROUP BY 1", PIPIT_NO_PARAMS);
        ck_assert_int_eq(pipit_result_rows(res), 1);
        expect_text(res, 0, 0, change->text);
}

static void
check(enum connections connections, enum way way, const struct change *change)
{
        run_all(other, change->before);
        if (connections == MIXED) {
                pipit_close(sync_db);
                open_scopes(3);
        }
        change_table(connections, way, change);
        for (int i = 0; i < (connections == MIXED ? 3 : 1); i++)
                expect_value(way, change);
        close_leases();
}

START_TEST(a_value_arrives_as_it_was_said)
{
        const struct change *change = &changes[_i / N_CONNECTIONS];

        for (int way = 0; way < N_WAYS; way++) {
                check((enum connections)(_i % N_CONNECTIONS), (enum way)way, change);
                run_all(other, "DROP TABLE stale; DROP TYPE IF EXISTS mood");
        }
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("stale");
        TCase *tcase = tcase_create("values");

        tcase_set_timeout(tcase, 60);
        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_loop_test(tcase, a_value_arrives_as_it_was_said, 0, N_CHANGES * N_CONNECTIONS);
        suite_add_tcase(suite, tcase);
        return suite;
}
