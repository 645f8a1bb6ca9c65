#include <pipit/error.h>

#include "conn/prepared.h"
#include "request/stmt_cache.h"
#include "request/stmt_int.h"
#include "runner.h"

#define SLOTS 2

static struct stmt_cache stmt_cache;
static struct prepared prepared;
static struct stmt *a;
static struct prepared_moment now;

static void
setup(void)
{
        ck_assert_int_eq(pipit__stmt_cache_init(&stmt_cache, SLOTS), 0);
        ck_assert_int_eq(pipit__prepared_init(&prepared, SLOTS), 0);
        a = pipit__stmt_cache_get(&stmt_cache, "a");
        now = (struct prepared_moment){.now_ms = 5000000, .schema = 7};
}

static void
teardown(void)
{
        pipit__stmt_unref(a);
        pipit__stmt_cache_fini(&stmt_cache);
        pipit__prepared_fini(&prepared);
}

static bool
has(const struct stmt *stmt)
{
        return pipit__prepared_find(&prepared, stmt, &now) != NULL;
}

/* Prepares it, which is answered at once; returns its place. */
static const struct prepared_slot *
add(const struct stmt *stmt)
{
        const struct prepared_slot *slot = pipit__prepared_add(&prepared, stmt, &now);

        pipit__prepared_describe(&prepared, stmt, NULL);
        return slot;
}

/* ---- when it is prepared anew */

START_TEST(after_ten_seconds_it_is_prepared_anew)
{
        add(a);
        now.now_ms += 9999;
        ck_assert(has(a));
        now.now_ms += 1;
        ck_assert(!has(a));
        add(a);
        now.now_ms += 9999;
        ck_assert(has(a));
}
END_TEST

START_TEST(a_change_of_the_schema_has_it_prepared_anew_at_most_once_a_second)
{
        add(a);
        now.now_ms += 999;
        now.schema++;
        ck_assert(has(a));
        now.now_ms += 1;
        ck_assert(!has(a));
        add(a);
        now.now_ms += 5000;
        ck_assert(has(a));
}
END_TEST

START_TEST(a_value_has_it_prepared_anew_at_most_once_a_second)
{
        const struct prepared_slot *slot = add(a);

        now.now_ms += 999;
        ck_assert(!pipit__prepared_is_aged(slot, &now));
        now.now_ms += 1;
        ck_assert(pipit__prepared_is_aged(slot, &now));
}
END_TEST

/* The statement of a text that was sent, and its tag. */
static void
ran(const char *sql, const char *tag)
{
        struct stmt *stmt = pipit__stmt_cache_get(&stmt_cache, sql);

        if (pipit__stmt_traits(stmt) != 0)
                pipit__prepared_note_sent(&prepared, stmt);
        if (tag != NULL)
                pipit__prepared_note_tag(&prepared, stmt, tag);
        pipit__stmt_unref(stmt);
}

static const char *const session_texts[] = {
        "SET search_path TO x",
        "RESET role",
        "SET ROLE other",
        "SET SESSION AUTHORIZATION other",
        "RESET ALL",
        "DISCARD ALL",
        "SELECT set_config('search_path', 'x', false)",
        "SELECT set_config($1, $2, false)",
        "CREATE TABLE t (k int)",
        "CREATE TEMP TABLE t (k int)",
        "ALTER TABLE t ADD k int",
        "DROP TABLE t",
};

START_TEST(what_changes_names_or_tables_has_all_of_its_session_prepared_anew)
{
        add(a);
        ran(session_texts[_i], NULL);
        ck_assert_msg(!has(a), "%s", session_texts[_i]);
        add(a);
        ck_assert(has(a));
        /* And once more, when the session is everybody's again. */
        pipit__prepared_note_released(&prepared);
        ck_assert(!has(a));
        add(a);
        pipit__prepared_note_released(&prepared);
        ck_assert(has(a));
}
END_TEST

static const char *const undone_by[] = {"ROLLBACK", "ROLLBACK TO SAVEPOINT a", "COMMIT", "END",
                                        "ABORT"};

/* What was set in a transaction is undone with it: SET LOCAL with a COMMIT too. */
START_TEST(the_end_of_a_transaction_in_which_names_changed_counts_too)
{
        add(a);
        ran(undone_by[_i], NULL);
        ck_assert(has(a));
        ran("SET LOCAL search_path TO x", NULL);
        add(a);
        ran(undone_by[_i], NULL);
        ck_assert(!has(a));
}
END_TEST

START_TEST(a_rollback_of_pipits_own_counts_too)
{
        add(a);
        pipit__prepared_note_undone(&prepared);
        ck_assert(has(a));
        ran("SET search_path TO x", NULL);
        add(a);
        pipit__prepared_note_undone(&prepared);
        ck_assert(!has(a));
}
END_TEST

static const char *const plain_texts[] = {
        "SELECT 1",
        "SET statement_timeout = 1",
        "SET TIME ZONE 'Asia/Tokyo'",
        "UPDATE t SET role = $1",
        "INSERT INTO t VALUES ($1)",
        "CALL p($1)",
        "BEGIN",
};

START_TEST(what_changes_no_names_changes_nothing_here)
{
        add(a);
        ran(plain_texts[_i], NULL);
        ck_assert_msg(has(a), "%s", plain_texts[_i]);
        pipit__prepared_note_released(&prepared);
        ck_assert_msg(has(a), "%s", plain_texts[_i]);
}
END_TEST

/* ---- the schema of all */

static const struct {
        const char *sql;
        const char *tag;
        bool changes;
} tags[] = {
        {"ALTER TABLE t ADD k int", "ALTER TABLE", true},
        {"ALTER TYPE t ADD VALUE 'x'", "ALTER TYPE", true},
        {"DROP TABLE t", "DROP TABLE", true},
        {"DROP SCHEMA s CASCADE", "DROP SCHEMA", true},
        {"DROP FUNCTION f", "DROP FUNCTION", true},
        {"CREATE OR REPLACE FUNCTION f()", "CREATE FUNCTION", true},
        {"CREATE OR REPLACE VIEW v AS SELECT 1", "CREATE VIEW", true},
        {"CREATE OR REPLACE PROCEDURE p()", "CREATE PROCEDURE", true},
        {"SELECT f()", "ALTER TABLE", true},
        {"CREATE TABLE t (k int)", "CREATE TABLE", false},
        {"CREATE INDEX i ON t (k)", "CREATE INDEX", false},
        {"CREATE TEMP TABLE t (k int)", "CREATE TABLE", false},
        {"CREATE TEMP VIEW v AS SELECT 1", "CREATE VIEW", false},
        {"ALTER TABLE pg_temp.t ADD k int", "ALTER TABLE", false},
        {"DISCARD ALL", "DISCARD ALL", false},
        {"SET search_path TO x", "SET", false},
        {"TRUNCATE t", "TRUNCATE TABLE", false},
};

START_TEST(tags_tell_what_changes_the_schema_of_all)
{
        ran(tags[_i].sql, tags[_i].tag);
        ck_assert_msg(pipit__prepared_take_changed(&prepared) == tags[_i].changes, "%s",
                      tags[_i].sql);
        ck_assert(!pipit__prepared_take_changed(&prepared));
}
END_TEST

START_TEST(to_drop_something_where_temporary_tables_are_counts_for_its_session_alone)
{
        ran("CREATE TEMP TABLE t (k int)", "CREATE TABLE");
        ran("DROP TABLE t", "DROP TABLE");
        ck_assert(!pipit__prepared_take_changed(&prepared));
        ran("ALTER TABLE t ADD k int", "ALTER TABLE");
        ck_assert(pipit__prepared_take_changed(&prepared));
}
END_TEST

/* Others that are prepared between the change and its COMMIT are so by the old schema. */
START_TEST(a_change_in_a_transaction_counts_when_it_is_seen_by_all)
{
        ran("ALTER TABLE t ADD k int", "ALTER TABLE");
        ck_assert(pipit__prepared_take_changed(&prepared));
        ran("COMMIT", "COMMIT");
        ck_assert(pipit__prepared_take_changed(&prepared));
        ran("COMMIT", "COMMIT");
        ck_assert(!pipit__prepared_take_changed(&prepared));
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

Suite *
test_suite(void)
{
        Suite *suite = suite_create("prepared_versions");
        TCase *tcase = tcase_create("versions");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, after_ten_seconds_it_is_prepared_anew);
        tcase_add_test(tcase, a_change_of_the_schema_has_it_prepared_anew_at_most_once_a_second);
        tcase_add_test(tcase, a_value_has_it_prepared_anew_at_most_once_a_second);
        tcase_add_loop_test(tcase,
                            what_changes_names_or_tables_has_all_of_its_session_prepared_anew, 0,
                            COUNT(session_texts));
        tcase_add_loop_test(tcase, the_end_of_a_transaction_in_which_names_changed_counts_too, 0,
                            COUNT(undone_by));
        tcase_add_test(tcase, a_rollback_of_pipits_own_counts_too);
        tcase_add_loop_test(tcase, what_changes_no_names_changes_nothing_here, 0,
                            COUNT(plain_texts));
        tcase_add_loop_test(tcase, tags_tell_what_changes_the_schema_of_all, 0, COUNT(tags));
        tcase_add_test(tcase,
                       to_drop_something_where_temporary_tables_are_counts_for_its_session_alone);
        tcase_add_test(tcase, a_change_in_a_transaction_counts_when_it_is_seen_by_all);
        suite_add_tcase(suite, tcase);
        return suite;
}
