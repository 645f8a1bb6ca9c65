/*
 * What a statement stands for changes: under groups and models, in order on sessions, with another
 * search path or temporary table, and where a part of it is committed already.
 */
#include "batches.h"

static struct pipit *other; /* somebody else, in the same schema */

static struct pipit_result *
change(const char *sql)
{
        struct pipit_result *res = query_on(other, sql, PIPIT_NO_PARAMS);

        expect_ok(res);
        return res;
}

static void
stale_setup(void)
{
        char path[40];
        struct pipit_options options = {.search_path = path, .max_connections = 1};

        setup();
        reopen_with((struct pipit_options){.max_connections = 1});
        snprintf(path, sizeof path, "pipit_%d", (int)getpid());
        other = pipit_open(live_base, live_url(), &options);
        change("CREATE TABLE t (id int PRIMARY KEY, n int)");
        change("INSERT INTO t SELECT i, 0 FROM generate_series(1, 30) i");
}

static void
stale_teardown(void)
{
        pipit_close(other);
        other = NULL;
        batch_teardown();
}

static void
expect_n(const char *sql, const char *n)
{
        expect_text(change(sql), 0, 0, n);
}

/* ---- groups */

#define MEMBERS 20

static void
ask_members(const char *sql, bool reads)
{
        batch_begin();
        for (int i = 1; i <= MEMBERS; i++)
                joined((reads ? pipit_read : pipit_query)(live_db, sql, PIPIT_PARAMS(i), on_member,
                                                          next_member()));
        batch_end();
}

static void
expect_members(void)
{
        for (int i = 0; i < MEMBERS; i++) {
                if (pipit_failed(members[i].last))
                        ck_abort_msg("%d: %s", i, pipit_error_text(members[i].last));
        }
}

static const char *const new_types[] = {"bigint", "text", "numeric", "money"};

START_TEST(declared_reads_of_a_group_find_the_columns_of_now)
{
        change("ALTER TABLE t ADD note text DEFAULT '1'");
        for (int i = 0; i < 3; i++)
                ask_members("SELECT id, note FROM t WHERE id = $1", true);
        char sql[200];
        snprintf(sql, sizeof sql,
                 "ALTER TABLE t ALTER note DROP DEFAULT, ALTER note TYPE %s USING "
                 "note::text::%s",
                 new_types[_i], new_types[_i]);
        change(sql);
        ask_members("SELECT id, note FROM t WHERE id = $1", true);
        expect_members();
        for (int i = 0; i < MEMBERS; i++) {
                char id[8];
                snprintf(id, sizeof id, "%d", i + 1);
                expect_text(members[i].last, 0, 0, id);
                ck_assert_ptr_nonnull(pipit_result_text(members[i].last, 0, 1));
        }
}
END_TEST

START_TEST(grouped_writes_find_the_columns_of_now_and_run_once)
{
        pipit_set_group_writes(live_db, true);
        for (int i = 0; i < 3; i++)
                ask_members("UPDATE t SET n = n + 1 WHERE id = $1 RETURNING *", false);
        change("UPDATE t SET n = 0");
        change("ALTER TABLE t ALTER id TYPE bigint, ADD note text");
        ask_members("UPDATE t SET n = n + 1 WHERE id = $1 RETURNING *", false);
        expect_members();
        expect_n("SELECT count(*) FROM t WHERE n = 1", "20");
        expect_n("SELECT count(*) FROM t WHERE n > 1", "0");
}
END_TEST

/* ---- models */

static void
start_pages(int first, int n, bool creates)
{
        static char keys[BATCH][20];

        batch_begin();
        for (int i = first; i < first + n; i++) {
                snprintf(keys[i], sizeof keys[i], "key %d", i);
                if (creates)
                        joined(page_create(live_db,
                                           &(struct page){.key = keys[i], .text = "x", .rank = i},
                                           on_member, next_member()));
                else
                        joined(page_get(live_db, pipit_eq(page_model.key, keys[i]), on_member,
                                        next_member()));
        }
        batch_end();
}

static void
expect_pages(int first, int n)
{
        for (int i = 0; i < n; i++) {
                if (pipit_failed(members[i].last))
                        ck_abort_msg("%d: %s", i, pipit_error_text(members[i].last));
                ck_assert_int_eq(page_row(members[i].last, 0)->rank, first + i);
                ck_assert_str_eq(page_row(members[i].last, 0)->text, "x");
        }
}

/* They come back as text that a string member can have, or as a number that fits. */
static const char *const page_changes[] = {
        "ALTER TABLE page ALTER text DROP DEFAULT, ALTER text TYPE varchar(9)",
        "ALTER TABLE page ALTER rank TYPE bigint",
        "ALTER TABLE page ALTER weight TYPE real",
        "ALTER TABLE page ADD more mood DEFAULT 'sad'",
        "ALTER TABLE page ALTER text DROP DEFAULT, ALTER text TYPE mood USING text::mood",
};

START_TEST(models_read_and_write_the_columns_of_now)
{
        bool grouped = _i % 2 == 1;

        change("CREATE TYPE mood AS ENUM ('sad', 'x')");
        pipit_set_group_writes(live_db, grouped);
        for (int i = 0; i < 3; i++) {
                start_pages(10 * i, 10, true);
                start_pages(10 * i, 10, false);
        }
        change(page_changes[_i / 2]);
        start_pages(40, 10, true);
        expect_pages(40, 10);
        start_pages(40, 10, false);
        expect_pages(40, 10);
        expect_n("SELECT count(*) FROM page WHERE rank >= 40", "10");
}
END_TEST

/* ---- the order of a session */

START_TEST(what_was_sent_behind_a_stale_statement_keeps_its_order_or_fails)
{
        static const char *const script[] = {"BEGIN",
                                             "UPDATE t SET n = n + 1 WHERE id = 1 RETURNING *",
                                             "UPDATE t SET n = n * 10 WHERE id = 1", "COMMIT"};
        int first = _i == 1 ? 1 : 0; /* without BEGIN and COMMIT */
        int n = _i == 1 ? 3 : 4;
        struct pipit *session = pipit_session_open(live_db);
        struct calls told[4];

        for (int round = 0; round < 2; round++) {
                memset(told, 0, sizeof told);
                if (round == 1) {
                        change("ALTER TABLE t ADD note text");
                        change("UPDATE t SET n = 1");
                }
                for (int i = first; i < n; i++)
                        ask_on(session, script[i], &told[i]);
                for (int i = first; i < n; i++)
                        answer(&told[i]);
        }
        for (int i = first; i < n; i++)
                ck_assert_int_eq(told[i].n, 1);
        const struct pipit_result *res = change("SELECT n FROM t WHERE id = 1");
        if (!pipit_failed(told[1].last))
                expect_text(res, 0, 0, "20");
        else if (_i == 1)
                expect_text(res, 0, 0, "10"); /* its own error, and what was behind it */
        else
                expect_text(res, 0, 0, "1");
        if (pipit_failed(told[1].last))
                ck_assert_str_ne(pipit_result_error(told[1].last)->sqlstate, "25P02");
        /* The next time all is well. */
        expect_ok(query_on(session, "ROLLBACK", PIPIT_NO_PARAMS));
        expect_ok(query_on(session, script[1], PIPIT_NO_PARAMS));
        pipit_close(session);
}
END_TEST

START_TEST(the_last_statement_of_a_session_is_told_of_nothing)
{
        struct pipit *session = pipit_session_open(live_db);

        for (int i = 0; i < 2; i++)
                expect_ok(query_on(session, "SELECT * FROM t", PIPIT_NO_PARAMS));
        change("ALTER TABLE t ADD note text");
        expect_ok(query_on(session, "SELECT * FROM t", PIPIT_NO_PARAMS));
        pipit_close(session);
}
END_TEST

static int n_bodies;

static void
read_all(struct pipit *tx, void *arg)
{
        static struct calls told;

        (void)arg;
        n_bodies++;
        told = (struct calls){0};
        ask_on(tx, "UPDATE t SET n = n + 1", &told);
        ask_on(tx, "SELECT * FROM t", &told);
}

START_TEST(a_stale_plan_has_the_body_of_a_transaction_run_again)
{
        struct calls done = {0};

        for (int i = 0; i < 2; i++) {
                done = (struct calls){0};
                pipit_atomic(live_db, read_all, on_call, &done);
                expect_ok(answer(&done));
        }
        change("ALTER TABLE t ADD note text");
        done = (struct calls){0};
        n_bodies = 0;
        pipit_atomic(live_db, read_all, on_call, &done);
        expect_ok(answer(&done));
        ck_assert_int_eq(n_bodies, 2);
        ck_assert_int_eq(pipit_result_attempts(done.last), 2);
        expect_n("SELECT max(n) FROM t", "3");
}
END_TEST

/* ---- names that stand for something else */

START_TEST(temporary_tables_of_one_name_have_the_types_of_their_session)
{
        static const struct {
                const char *create;
                const char *value;
        } tables[] = {{"CREATE TEMP TABLE mine (c int)", "7"},
                      {"CREATE TEMP TABLE mine (c text)", "x y"},
                      {"CREATE TEMP TABLE mine (c date)", "2024-01-01"},
                      {"CREATE TEMP TABLE mine (c jsonb)", "[1]"}};

        for (int i = 0; i < 12; i++) {
                struct pipit *session = pipit_session_open(live_db);
                expect_ok(query_on(session, tables[i % 4].create, PIPIT_NO_PARAMS));
                for (int j = 0; j < 2; j++)
                        expect_text(query_on(session, "INSERT INTO mine VALUES ($1) RETURNING c",
                                             PIPIT_PARAMS(tables[i % 4].value)),
                                    0, 0, tables[i % 4].value);
                pipit_close(session);
        }
}
END_TEST

struct tenant {
        struct calls done;
        struct calls told[2];
        const char *name;
        const char *value;
        int way;
};

static void
as_tenant(struct pipit *tx, void *arg)
{
        struct tenant *tenant = arg;
        char sql[100];

        memset(tenant->told, 0, sizeof tenant->told);
        snprintf(sql, sizeof sql, "SET LOCAL search_path = %s", tenant->name);
        if (tenant->way == 0)
                pipit_query(tx, sql, PIPIT_NO_PARAMS, on_call, &tenant->told[0]);
        else
                pipit_query(tx, "SELECT set_config('search_path', $1, true)",
                            PIPIT_PARAMS(tenant->name), on_call, &tenant->told[0]);
        pipit_query(tx, "INSERT INTO item VALUES ($1) RETURNING c", PIPIT_PARAMS(tenant->value),
                    on_call, &tenant->told[1]);
}

START_TEST(tenants_with_search_paths_of_their_own_have_the_types_of_their_tables)
{
        static const char *const values[] = {"7", "x y"};
        static const char *const names[] = {"stale_a", "stale_b"};

        change("DROP SCHEMA IF EXISTS stale_a, stale_b CASCADE");
        change("CREATE SCHEMA stale_a");
        change("CREATE SCHEMA stale_b");
        change("CREATE TABLE stale_a.item (c int)");
        change("CREATE TABLE stale_b.item (c text)");
        for (int i = 0; i < 10; i++) {
                struct tenant tenant = {.name = names[i % 2], .value = values[i % 2], .way = _i};
                pipit_atomic(live_db, as_tenant, on_call, &tenant);
                expect_ok(answer(&tenant.done));
                ck_assert_int_eq(pipit_result_attempts(tenant.done.last), 1);
                expect_text(tenant.told[1].last, 0, 0, values[i % 2]);
        }
        expect_n("SELECT count(*) FROM stale_a.item", "5");
        expect_n("SELECT count(*) FROM stale_b.item", "5");
        change("DROP SCHEMA stale_a, stale_b CASCADE");
}
END_TEST

START_TEST(a_session_may_change_its_search_path_as_often_as_it_likes)
{
        struct pipit *session = pipit_session_open(live_db);
        int n = 0;

        for (int i = 0; i < 100; i++) {
                expect_ok(query_on(session, "SET search_path = public", PIPIT_NO_PARAMS));
                expect_ok(query_on(session, "SELECT $1::int", PIPIT_PARAMS(i)));
        }
        const struct pipit_result *res =
                query_on(session, "SELECT count(*) FROM pg_prepared_statements", PIPIT_NO_PARAMS);
        n = atoi(pipit_result_text(res, 0, 0));
        ck_assert_int_le(n, 6);
        pipit_close(session);
}
END_TEST

/* ---- what has committed a part of itself */

static const char *const calls_of_it[] = {
        "CALL commits($1)",
        "/* it */ call commits($1)",
        "DO $$ BEGIN INSERT INTO t VALUES (99); COMMIT; PERFORM no_such_function(1); END $$",
        "SELECT fails($1)",
};

START_TEST(what_fails_within_itself_runs_once)
{
        bool grouped = _i / 4 == 1;
        bool read = _i / 4 == 2;
        const char *sql = calls_of_it[_i % 4];
        struct pipit_params params = _i % 4 == 2 ? PIPIT_NO_PARAMS : PIPIT_PARAMS(1);
        struct pipit_params good = _i % 4 == 2 ? PIPIT_NO_PARAMS : PIPIT_PARAMS(0);

        change("CREATE SEQUENCE runs");
        change("CREATE PROCEDURE commits(k int) LANGUAGE plpgsql AS $$ BEGIN PERFORM "
               "nextval('runs'); COMMIT; IF k > 0 THEN PERFORM no_such_function(k); END IF; END $$");
        change("CREATE FUNCTION fails(k int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN IF k > 0 THEN "
               "PERFORM nextval('runs'); PERFORM no_such_function(k); END IF; RETURN 0; END $$");
        change("CREATE FUNCTION count_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM "
               "nextval('runs'); RETURN NULL; END $$");
        change("CREATE TRIGGER count_it AFTER INSERT ON t EXECUTE FUNCTION count_it()");
        pipit_set_group_writes(live_db, grouped);
        for (int i = 0; i < 3 && _i % 4 != 2; i++)
                expect_ok(query(sql, good));
        change("SELECT setval('runs', 1000)");
        struct calls told = {0};
        ck_assert_uint_ne((read ? pipit_read : pipit_query)(live_db, sql, params, on_call, &told),
                          0);
        expect_error(answer(&told), PIPIT_ESERVER, "42883");
        expect_n("SELECT last_value FROM runs", "1001");
}
END_TEST

/* In a group it could not commit, and would run again alone. */
START_TEST(calls_share_their_commit_with_nobody)
{
        change("CREATE SEQUENCE runs");
        change("CREATE PROCEDURE commits(k int) LANGUAGE plpgsql AS $$ BEGIN PERFORM "
               "nextval('runs'); COMMIT; END $$");
        pipit_set_group_writes(live_db, true);
        for (int i = 0; i < WARM; i++)
                expect_ok(query(calls_of_it[_i], PIPIT_PARAMS(0)));
        change("SELECT setval('runs', 1000)");
        ask_members(calls_of_it[_i], false);
        expect_members();
        expect_n("SELECT last_value FROM runs", "1020");
}
END_TEST

/* Settings of a transaction would be seen by all that share its commit. */
START_TEST(settings_share_their_commit_with_nobody)
{
        static const char set[] = "SELECT set_config('my.tenant', $1, true)";
        static const char see[] = "UPDATE t SET n = n + 1 WHERE id = $1 RETURNING "
                                  "coalesce(current_setting('my.tenant', true), '')";

        pipit_set_group_writes(live_db, true);
        for (int i = 0; i < WARM; i++) {
                expect_ok(query(set, PIPIT_PARAMS("a")));
                expect_ok(query(see, PIPIT_PARAMS(1)));
        }
        batch_begin();
        for (int i = 0; i < MEMBERS; i++) {
                joined(pipit_query(live_db, set, PIPIT_PARAMS("a"), on_member, next_member()));
                joined(pipit_query(live_db, see, PIPIT_PARAMS(i + 1), on_member, next_member()));
        }
        batch_end();
        for (int i = 0; i < MEMBERS; i++)
                expect_text(members[2 * i + 1].last, 0, 0, "");
}
END_TEST

static TCase *
case_add(Suite *suite, const char *name)
{
        TCase *tcase = tcase_create(name);

        tcase_set_timeout(tcase, 60);
        tcase_add_checked_fixture(tcase, stale_setup, stale_teardown);
        suite_add_tcase(suite, tcase);
        return tcase;
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("stale_scopes");
        TCase *tcase = case_add(suite, "groups");

        tcase_add_loop_test(tcase, declared_reads_of_a_group_find_the_columns_of_now, 0, 4);
        tcase_add_test(tcase, grouped_writes_find_the_columns_of_now_and_run_once);
        tcase_add_loop_test(tcase, models_read_and_write_the_columns_of_now, 0, 10);
        tcase = case_add(suite, "order");
        tcase_add_loop_test(tcase, what_was_sent_behind_a_stale_statement_keeps_its_order_or_fails,
                            0, 2);
        tcase_add_test(tcase, the_last_statement_of_a_session_is_told_of_nothing);
        tcase_add_test(tcase, a_stale_plan_has_the_body_of_a_transaction_run_again);
        tcase = case_add(suite, "names");
        tcase_add_test(tcase, temporary_tables_of_one_name_have_the_types_of_their_session);
        tcase_add_loop_test(
                tcase, tenants_with_search_paths_of_their_own_have_the_types_of_their_tables, 0, 2);
        tcase_add_test(tcase, a_session_may_change_its_search_path_as_often_as_it_likes);
        tcase = case_add(suite, "once");
        tcase_add_loop_test(tcase, what_fails_within_itself_runs_once, 0, 12);
        tcase_add_loop_test(tcase, calls_share_their_commit_with_nobody, 0, 2);
        tcase_add_test(tcase, settings_share_their_commit_with_nobody);
        return suite;
}
