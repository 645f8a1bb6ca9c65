/*
 * Declared reads that share a Sync on a real server: one that fails costs nobody else an answer,
 * and not much more work.
 *
 * PIPIT_TEST_GROUPS says how many random groups are run, PIPIT_TEST_FIGURES=1 prints figures.
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "witness.h"

#define MEMBERS 100
#define MANY    512
#define GROUPS  200

/* The program is linked with --wrap for these: statements and Syncs that were sent. */
int __real_PQsendQueryPrepared(PGconn *conn, const char *name, int n, const char *const *values,
                               const int *lengths, const int *formats, int result_format);
int __wrap_PQsendQueryPrepared(PGconn *conn, const char *name, int n, const char *const *values,
                               const int *lengths, const int *formats, int result_format);
int __real_pipit__pq_sync(PGconn *conn);
int __wrap_pipit__pq_sync(PGconn *conn);

static int n_sent;
static int n_syncs;

int
__wrap_PQsendQueryPrepared(PGconn *conn, const char *name, int n, const char *const *values,
                           const int *lengths, const int *formats, int result_format)
{
        n_sent++;
        return __real_PQsendQueryPrepared(conn, name, n, values, lengths, formats, result_format);
}

int
__wrap_pipit__pq_sync(PGconn *conn)
{
        n_syncs++;
        return __real_pipit__pq_sync(conn);
}

/* One connection, on which all that waits goes together, and nothing is known of any statement. */
static void
begin_afresh(void)
{
        struct pipit_options options = {
                .max_connections = 1, .max_pipeline = MANY, .max_prepared = 2000};
        char path[40];

        snprintf(path, sizeof path, "%s",
                 pipit_result_text(query("SHOW search_path", PIPIT_NO_PARAMS), 0, 0));
        options.search_path = path;
        live_reopen(&options);
        execute("SELECT 1");
        n_sent = n_syncs = 0;
}

static void
setup(void)
{
        live_schema_setup();
        begin_afresh();
}

/* ---- divisions: each asks for its number, and a bad one divides by zero */

struct division {
        int n_calls;
        int value; /* -1: an error */
        char sqlstate[6];
};

static int n_done;

static void
on_divided(struct pipit_result *res, void *arg)
{
        struct division *division = arg;
        const struct pipit_error *error = pipit_result_error(res);
        int32_t value = -1;

        n_done++;
        division->n_calls++;
        pipit_result_int32(res, 0, 0, &value);
        division->value = error == NULL ? value : -1;
        snprintf(division->sqlstate, sizeof division->sqlstate, "%s",
                 error != NULL ? error->sqlstate : "");
}

/* The text with this number; 0 is that of the good ones. */
static const char *
division_sql(int shape)
{
        static char sql[80];

        snprintf(sql, sizeof sql, "SELECT $1::int / $2::int AS shape_%d", shape);
        return sql;
}

/* Has a text be known to be fast. */
static void
division_know(int shape)
{
        struct division division;

        for (int i = 0; i < 3; i++) {
                n_done = 0;
                pipit_query(live_db, division_sql(shape), PIPIT_PARAMS(21, 7), on_divided,
                            &division);
                loop_until(&n_done, 1);
                ck_assert_int_eq(division.value, 3);
        }
}

/* Runs n of them together; shapes[i] is -1 for a good one, else the text of a bad one. */
static void
divide(struct division *divisions, int n, const int *shapes)
{
        n_done = 0;
        memset(divisions, 0, (size_t)n * sizeof *divisions);
        for (int i = 0; i < n; i++)
                pipit_read(live_db, division_sql(shapes[i] > 0 ? shapes[i] : 0),
                           PIPIT_PARAMS(i * 7, shapes[i] >= 0 ? 0 : 7), on_divided, &divisions[i]);
        loop_until(&n_done, n);
        for (int i = 0; i < n; i++) {
                bool right = divisions[i].n_calls == 1;
                if (shapes[i] < 0)
                        right &= divisions[i].value == i;
                else
                        right &= strcmp(divisions[i].sqlstate, "22012") == 0;
                if (!right)
                        ck_abort_msg("%d of %d: %d calls, %d, %s", i, n, divisions[i].n_calls,
                                     divisions[i].value, divisions[i].sqlstate);
        }
}

static bool
figures(void)
{
        const char *text = getenv("PIPIT_TEST_FIGURES");

        return text != NULL && text[0] == '1';
}

static int
n_groups(void)
{
        const char *text = getenv("PIPIT_TEST_GROUPS");

        return text != NULL ? (int)strtol(text, NULL, 10) : GROUPS;
}

/* The bad one has the text of the others, or one of its own that was good so far. */
START_TEST(one_bad_read_among_ninety_nine_good_ones_fails_alone)
{
        static struct division divisions[MEMBERS];
        unsigned seed = 1;
        int shapes[MEMBERS];

        division_know(0);
        for (int group = 1; group <= n_groups(); group++) {
                int shape = group % 2 == 0 ? 0 : group;
                for (int i = 0; i < MEMBERS; i++)
                        shapes[i] = -1;
                shapes[rand_r(&seed) % MEMBERS] = shape;
                if (shape > 0)
                        division_know(shape);
                divide(divisions, MEMBERS, shapes);
        }
        if (figures())
                fprintf(stderr, "# groups: %d; statements: %d; syncs: %d\n", n_groups(), n_sent,
                        n_syncs);
        ck_assert_int_lt(n_syncs, n_groups() * MEMBERS);
}
END_TEST

static const int bad_of_many[] = {0, 1, 8, 64, MANY};
#define N_BAD 5

/* Each bad one has a text of its own, or all have the same. */
START_TEST(many_bad_reads_fail_alone_and_cost_little)
{
        static struct division divisions[MANY];
        int n_bad = bad_of_many[_i % N_BAD];
        unsigned seed = (unsigned)_i;
        int shapes[MANY];

        for (int i = 0; i < MANY; i++)
                shapes[i] = -1;
        division_know(0);
        for (int k = 1; k <= n_bad; k++) {
                int at = rand_r(&seed) % MANY;
                while (shapes[at] >= 0)
                        at = (at + 1) % MANY;
                shapes[at] = _i < N_BAD ? 1 : k;
                if (_i >= N_BAD || k == 1)
                        division_know(shapes[at]);
        }
        n_sent = n_syncs = 0;
        divide(divisions, MANY, shapes);
        if (figures())
                fprintf(stderr, "# bad: %d of %d; texts: %s; statements: %d; syncs: %d\n", n_bad,
                        MANY, _i < N_BAD ? "one" : "each its own", n_sent, n_syncs);
        ck_assert_int_le(n_sent, n_bad <= 8 ? 3 * MANY : 6 * MANY);
}
END_TEST

/* A busy machine makes this one or that one slow, and then fewer share; but not each time. */
START_TEST(good_reads_share_a_sync)
{
        static struct division divisions[MEMBERS];
        int shapes[MEMBERS];
        int fewest = MEMBERS;

        for (int i = 0; i < MEMBERS; i++)
                shapes[i] = -1;
        /* One makes a reader; the others have all of them. */
        for (int round = 0; round < 20 && fewest > 4; round++) {
                begin_afresh();
                division_know(0);
                n_sent = n_syncs = 0;
                divide(divisions, MEMBERS, shapes);
                ck_assert_int_eq(n_sent, MEMBERS);
                fewest = n_syncs;
        }
        ck_assert_int_le(fewest, 4);
}
END_TEST

/* ---- what sharing may cause */

/* A read of two tables in one group, and who locks them the other way round, and does not look for
 * deadlocks: so the group is the victim. */
START_TEST(a_deadlock_that_sharing_caused_is_nobodys)
{
        struct pipit *other = pipit_open(live_base, live_url(), NULL);
        struct calls calls[3] = {{0}};
        char sql[600];

        execute("CREATE TABLE a (v int)");
        execute("CREATE TABLE b (v int)");
        for (int i = 0; i < 3; i++) {
                expect_ok(query("SELECT count(*) FROM a", PIPIT_NO_PARAMS));
                expect_ok(query("SELECT count(*) FROM b", PIPIT_NO_PARAMS));
        }
        const char *schema =
                pipit_result_text(query("SELECT current_schema()", PIPIT_NO_PARAMS), 0, 0);
        snprintf(sql, sizeof sql,
                 "DO $$ BEGIN SET LOCAL deadlock_timeout = '20s'; LOCK TABLE %s.b; "
                 "WHILE NOT EXISTS (SELECT FROM pg_locks WHERE relation = '%s.b'::regclass AND NOT "
                 "granted) LOOP PERFORM pg_sleep(0.001); END LOOP; LOCK TABLE %s.a; END $$",
                 schema, schema, schema);
        ask_on(other, sql, &calls[0]);
        wait_for_server("SELECT count(*) FROM pg_locks WHERE relation = 'b'::regclass AND granted",
                        "1");
        n_sent = 0;
        pipit_read(live_db, "SELECT count(*) FROM a", PIPIT_NO_PARAMS, on_call, &calls[1]);
        pipit_read(live_db, "SELECT count(*) FROM b", PIPIT_NO_PARAMS, on_call, &calls[2]);
        for (int i = 0; i < 3; i++)
                expect_ok(answer(&calls[i]));
        ck_assert_int_eq(n_sent, 3); /* one was the victim, and ran again */
        pipit_close(other);
}
END_TEST

/* Reads on a database, on a blocking scope, and one of a model. */
static struct pipit_result *
read_alone(int how, struct pipit *sync, const char *sql)
{
        struct calls calls = {0};

        if (how == 1)
                return pipit_wait(sync, pipit_read(sync, sql, PIPIT_NO_PARAMS, NULL, NULL));
        pipit_read(live_db, sql, PIPIT_NO_PARAMS, on_call, &calls);
        return answer(&calls);
}

START_TEST(a_read_alone_cannot_write_where_reads_are_strict)
{
        struct pipit_options options = {.max_connections = 1, .strict_reads = true};
        struct pipit_options loose = {.max_connections = 1};
        char create[100];
        const char *schema;

        execute("CREATE TABLE strict (v int)");
        schema = pipit_result_text(query("SELECT current_schema()", PIPIT_NO_PARAMS), 0, 0);
        snprintf(create, sizeof create, "INSERT INTO %s.strict VALUES (1) RETURNING v", schema);
        live_reopen(&options);
        struct pipit *sync = pipit_allow_sync(live_db);
        for (int i = 0; i < 3; i++) {
                expect_error(read_alone(_i, sync, create), PIPIT_ESERVER, "25006");
                expect_text(read_alone(_i, sync, "SELECT 7"), 0, 0, "7");
                execute(create);
        }
        pipit_close(sync);
        live_reopen(&loose);
        sync = pipit_allow_sync(live_db);
        expect_ok(read_alone(_i, sync, create));
        pipit_close(sync);
        expect_text(query("SHOW default_transaction_read_only", PIPIT_NO_PARAMS), 0, 0, "off");
}
END_TEST

START_TEST(strict_reads_are_about_databases)
{
        char insert[100];
        struct calls calls = {0};

        execute("CREATE TABLE strict (v int)");
        snprintf(insert, sizeof insert, "INSERT INTO %s.strict VALUES (1)",
                 pipit_result_text(query("SELECT current_schema()", PIPIT_NO_PARAMS), 0, 0));
        live_reopen(&(struct pipit_options){.max_connections = 1, .strict_reads = true});
        struct pipit *scope = _i == 0 ? pipit_session_open(live_db) : pipit_begin(live_db, NULL);
        pipit_read(scope, insert, PIPIT_NO_PARAMS, on_call, &calls);
        expect_ok(answer(&calls));
        pipit_close(scope);
}
END_TEST

START_TEST(a_write_that_was_declared_a_read_changes_nothing_and_is_told_so)
{
        static const char insert[] = "INSERT INTO a VALUES ($1)";
        struct calls calls[2] = {{0}};

        execute("CREATE TABLE a (v int)");
        for (int i = 0; i < 3; i++)
                expect_ok(query(insert, PIPIT_PARAMS(i)));
        for (int i = 0; i < 2; i++)
                pipit_read(live_db, insert, PIPIT_PARAMS(100), on_call, &calls[i]);
        for (int i = 0; i < 2; i++)
                expect_error(answer(&calls[i]), PIPIT_ESERVER, "25006");
        ck_assert_ptr_nonnull(strstr(pipit_error_text(calls[0].last), "declared a read"));
        expect_text(query("SELECT count(*) FROM a", PIPIT_NO_PARAMS), 0, 0, "3");
        expect_ok(query(insert, PIPIT_PARAMS(3))); /* on the same connection */
}
END_TEST

START_TEST(where_serializable_is_the_default_nothing_shares)
{
        struct pipit_options options = {.max_connections = 1};
        static struct division divisions[10];
        int shapes[10];

        setenv("PGOPTIONS", "-c default_transaction_isolation=serializable", 1);
        live_reopen(&options);
        unsetenv("PGOPTIONS");
        expect_text(query("SHOW transaction_isolation", PIPIT_NO_PARAMS), 0, 0, "serializable");
        for (int i = 0; i < 10; i++)
                shapes[i] = -1;
        division_know(0);
        n_syncs = 0;
        divide(divisions, 10, shapes);
        ck_assert_int_eq(n_syncs, 10);
}
END_TEST

/* ---- who is slow */

static void
two_connections(void)
{
        struct pipit_options options = journal_options();

        options.min_connections = options.max_connections = 2;
        live_reopen(&options);
        loop_until(&live_journal.n_up, 2);
}

/* A statement that takes so many seconds, and for ever while the gate is shut. */
static struct gate gate;
static char slow_sql[120];

static void
slow_run(double seconds)
{
        expect_ok(query(slow_sql, PIPIT_PARAMS(seconds)));
}

static void
slow_setup(void)
{
        two_connections();
        gate_shut(&gate, live_url(), 1);
        gate_open(&gate);
        snprintf(slow_sql, sizeof slow_sql, "SELECT pg_sleep($1) FROM %s", gate.from);
        for (int i = 0; i < 50; i++) /* so that it is known what is usual */
                division_know(0);
}

/* Starts a slow one and fast ones behind it: the slow one ends last. */
static void
expect_slow_one_last(void)
{
        struct calls slow = {0};
        struct calls fast[20] = {{0}};

        gate_shut(&gate, live_url(), 1);
        pipit_read(live_db, slow_sql, PIPIT_PARAMS(0.0), on_call, &slow);
        for (int i = 0; i < 20; i++)
                pipit_read(live_db, division_sql(0), PIPIT_PARAMS(1, 1), on_call, &fast[i]);
        for (int i = 0; i < 20; i++) {
                expect_ok(answer(&fast[i]));
                ck_assert_int_eq(slow.n, 0);
        }
        gate_open(&gate);
        expect_ok(answer(&slow));
}

START_TEST(fast_reads_do_not_wait_for_what_is_used_for_the_first_time)
{
        slow_setup();
        expect_slow_one_last();
}
END_TEST

START_TEST(fast_reads_do_not_wait_for_what_is_always_slow)
{
        slow_setup();
        for (int i = 0; i < 4; i++)
                slow_run(0.3);
        expect_slow_one_last();
}
END_TEST

START_TEST(fast_reads_do_not_wait_for_what_is_moody)
{
        slow_setup();
        for (int i = 0; i < 8; i++)
                slow_run(i % 2 == 0 ? 0.0 : 0.3);
        expect_slow_one_last();
}
END_TEST

/* ---- what was prepared */

/* Some reads of the same text together. */
static void
expect_columns(const char *sql, int n)
{
        struct calls calls[5] = {{0}};

        for (int i = 0; i < 5; i++)
                (i % 2 == 0 ? pipit_read : pipit_query)(live_db, sql, PIPIT_PARAMS(1), on_call,
                                                        &calls[i]);
        for (int i = 0; i < 5; i++) {
                expect_ok(answer(&calls[i]));
                ck_assert_int_eq(pipit_result_columns(calls[i].last), n);
        }
}

START_TEST(a_change_of_the_table_is_nobodys_error)
{
        static const char sql[] = "SELECT * FROM a WHERE v = $1";

        execute("CREATE TABLE a (v int)");
        expect_columns(sql, 1);
        expect_columns(sql, 1);
        execute("ALTER TABLE a ADD COLUMN w int");
        expect_columns(sql, 2);
        execute("ALTER TABLE a DROP COLUMN w");
        expect_columns(sql, 1);
        execute("ALTER TABLE a ALTER COLUMN v TYPE text");
        expect_columns(sql, 1);
        execute("DROP TABLE a");
        execute("CREATE TABLE a (v bigint, w text, x text)");
        expect_columns(sql, 3);
}
END_TEST

START_TEST(a_function_that_deallocates_all_is_nobodys_error)
{
        execute("CREATE FUNCTION forget() RETURNS int LANGUAGE plpgsql AS "
                "$$ BEGIN EXECUTE 'DEALLOCATE ALL'; RETURN 1; END $$");
        execute("CREATE TABLE a (v int)");
        for (int i = 0; i < 5; i++) {
                expect_columns("SELECT * FROM a WHERE v = $1", 1);
                execute("SELECT forget()");
        }
        expect_columns("SELECT * FROM a WHERE v = $1", 1);
}
END_TEST

START_TEST(statements_are_prepared_unless_that_is_turned_off)
{
        static const char count[] = "SELECT count(*) > 1 FROM pg_prepared_statements";
        struct pipit_options options = {.max_connections = 1, .max_prepared = -1};

        execute("SELECT 1");
        expect_text(query(count, PIPIT_NO_PARAMS), 0, 0, "t");
        live_reopen(&options);
        execute("SELECT 1");
        execute("SELECT 1");
        expect_text(query("SELECT count(*) FROM pg_prepared_statements", PIPIT_NO_PARAMS), 0, 0,
                    "0");
}
END_TEST

START_TEST(no_more_statements_stay_prepared_than_there_may_be)
{
        struct pipit_options options = {.max_connections = 1, .max_prepared = 3};

        live_reopen(&options);
        for (int i = 0; i < 30; i++)
                expect_ok(query(division_sql(i), PIPIT_PARAMS(1, 1)));
        /* The first has made room for itself, and the second comes behind the Close. */
        expect_ok(query("SELECT count(*) FROM pg_prepared_statements", PIPIT_NO_PARAMS));
        expect_text(query("SELECT count(*) FROM pg_prepared_statements", PIPIT_NO_PARAMS), 0, 0,
                    "3");
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("groups");
        TCase *tcase = tcase_create("groups");

        tcase_set_timeout(tcase, 280);
        tcase_add_checked_fixture(tcase, setup, live_schema_teardown);
        tcase_add_test(tcase, good_reads_share_a_sync);
        tcase_add_test(tcase, one_bad_read_among_ninety_nine_good_ones_fails_alone);
        tcase_add_loop_test(tcase, many_bad_reads_fail_alone_and_cost_little, 0, 2 * N_BAD);
        tcase_add_test(tcase, a_deadlock_that_sharing_caused_is_nobodys);
        tcase_add_test(tcase, a_write_that_was_declared_a_read_changes_nothing_and_is_told_so);
        tcase_add_loop_test(tcase, a_read_alone_cannot_write_where_reads_are_strict, 0, 2);
        tcase_add_loop_test(tcase, strict_reads_are_about_databases, 0, 2);
        tcase_add_test(tcase, where_serializable_is_the_default_nothing_shares);
        tcase_add_test(tcase, fast_reads_do_not_wait_for_what_is_used_for_the_first_time);
        tcase_add_test(tcase, fast_reads_do_not_wait_for_what_is_always_slow);
        tcase_add_test(tcase, fast_reads_do_not_wait_for_what_is_moody);
        tcase_add_test(tcase, a_change_of_the_table_is_nobodys_error);
        tcase_add_test(tcase, a_function_that_deallocates_all_is_nobodys_error);
        tcase_add_test(tcase, statements_are_prepared_unless_that_is_turned_off);
        tcase_add_test(tcase, no_more_statements_stay_prepared_than_there_may_be);
        suite_add_tcase(suite, tcase);
        return suite;
}
