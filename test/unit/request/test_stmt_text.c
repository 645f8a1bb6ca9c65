#include "request/stmt_text.h"
#include "runner.h"

enum {
        CALLS = STMT_CALLS,
        SCHEMA = STMT_CHANGES_SCHEMA,
        NAMES = STMT_CHANGES_NAMES,
        STYLE = STMT_CHANGES_STYLE,
        ENDS = STMT_ENDS_TRANSACTION,
        TEMPORARY = STMT_IS_TEMPORARY,
        SETS = STMT_SETS,
        DIGITS = STMT_CHANGES_DIGITS
};

struct text {
        const char *sql;
        unsigned traits;
};

static const struct text plain[] = {
        {"", 0},
        {"   ", 0},
        {";", 0},
        {"SELECT 1", 0},
        {"INSERT INTO t VALUES ($1)", 0},
        {"UPDATE t SET role = $1", 0},
        {"UPDATE t SET search_path = $1, timezone = $2", 0},
        {"UPDATE settings SET \"all\" = 'x'", 0},
        {"SELECT call FROM t", 0},
        {"SELECT \"do\", \"create\", \"drop\", \"commit\" FROM t", 0},
        {"WITH a AS (SELECT 1) SELECT * FROM a", 0},
        {"callable", 0},
        {"setter", 0},
        {"CALL_1", 0},
        {"SELECT set_configuration('role', 'x')", 0},
        {"BEGIN", 0},
        {"SAVEPOINT a", 0},
        {"TABLE t", 0},
};

static const struct text first_words[] = {
        {"CALL p($1)", CALLS},
        {"call p()", CALLS},
        {"DO $$ BEGIN END $$", CALLS},
        {" \t\r\n\vCaLl p()", CALLS},
        {";;CALL p()", CALLS},
        {"(CALL", CALLS},
        {"CREATE TABLE t (k int)", SCHEMA},
        {"ALTER TABLE t ADD k int", SCHEMA},
        {"DROP TABLE t", SCHEMA},
        {"IMPORT FOREIGN SCHEMA s FROM SERVER v INTO x", SCHEMA},
        {"COMMIT", ENDS},
        {"commit;", ENDS},
        {"END", ENDS},
        {"ROLLBACK TO a", ENDS},
        {"ABORT", ENDS},
};

static const struct text comments[] = {
        {"-- why\nCALL p()", CALLS},
        {"--\n--CALL\n  CALL p()", CALLS},
        {"/* why */CALL p()", CALLS},
        {"/* a /* nested */ one */ CALL p()", CALLS},
        {"/* a /* /* deeply */ nested */ CALL */ SELECT 1", 0},
        {"/**/CALL/**/p()", CALLS},
        {"/* -- */ CALL p()", CALLS},
        {"-- /*\nCALL p()", CALLS},
        {"-- CALL", 0},
        {"/* CALL", 0},
        {"/* a /* b */ CALL", 0},
        {"SET /* search_path */ work_mem = 1", SETS},
        {"SET -- role\n work_mem = 1", SETS},
};

static const struct text settings[] = {
        {"SET search_path TO a, b", SETS | NAMES},
        {"SET SEARCH_PATH = a", SETS | NAMES},
        {"set\nsearch_path=a", SETS | NAMES},
        {"SET LOCAL search_path = a", SETS | NAMES},
        {"SET \"search_path\" = a", SETS | NAMES},
        {"SET SCHEMA 'a'", SETS | NAMES},
        {"SET ROLE a", SETS | NAMES},
        {"RESET ROLE", SETS | NAMES},
        {"SET SESSION AUTHORIZATION a", SETS | NAMES},
        {"RESET search_path", SETS | NAMES},
        {"RESET ALL", SETS | NAMES | STYLE | DIGITS},
        {"DISCARD ALL", SETS | NAMES | STYLE | DIGITS | SCHEMA},
        {"DISCARD TEMP", SETS | SCHEMA | TEMPORARY},
        {"SET TIME ZONE 'Asia/Tokyo'", SETS | STYLE},
        {"SET timezone = 'Asia/Tokyo'", SETS | STYLE},
        {"SET DateStyle = German", SETS | STYLE},
        {"SET LOCAL IntervalStyle = postgres_verbose", SETS | STYLE},
        {"SET extra_float_digits = 0", SETS | STYLE | DIGITS},
        {"SET bytea_output = 'escape'", SETS | STYLE},
        {"SET statement_timeout = 1", SETS},
        {"SET my.own = 'x'", SETS},
};

static const struct text set_config[] = {
        {"SELECT set_config('search_path', 'a', true)", SETS | NAMES},
        {"SELECT pg_catalog.SET_CONFIG ('search_path', $1, true)", SETS | NAMES},
        {"SELECT set_config('TimeZone', $1, false)", SETS | STYLE},
        {"SELECT set_config('my.tenant', $1, true)", SETS},
        {"SELECT set_config($1, $2, true)", SETS | NAMES | STYLE | DIGITS},
        {"SELECT set_config(name, value, true) FROM s", SETS | NAMES | STYLE | DIGITS},
        {"SELECT 1, set_config('my.a', 'b', true), set_config('role', 'c', true)", SETS | NAMES},
        {"SELECT set_config('my.a', 'b', true), set_config($1, 'c', true)",
         SETS | NAMES | STYLE | DIGITS},
        {"WITH s AS (SELECT set_config('search_path', $1, true)) SELECT * FROM s", SETS | NAMES},
        {"UPDATE t SET k = set_config('role', $1, true)", SETS | NAMES},
};

static const struct text temporary[] = {
        {"CREATE TEMP TABLE t (k int)", SCHEMA | TEMPORARY},
        {"create temporary view v as select 1", SCHEMA | TEMPORARY},
        {"CREATE TABLE pg_temp.t (k int)", SCHEMA | TEMPORARY},
        {"DROP TABLE pg_temp.t", SCHEMA | TEMPORARY},
        {"CREATE TABLE template (k int)", SCHEMA},
        {"CREATE TABLE t (temperature int)", SCHEMA},
};

#define TEXTS(array) (array), (int)(sizeof(array) / sizeof((array)[0]))

static void
check(const struct text *texts, int n)
{
        for (int i = 0; i < n; i++)
                ck_assert_msg(pipit__stmt_text_traits(texts[i].sql) == texts[i].traits,
                              "%s: %x, not %x", texts[i].sql, pipit__stmt_text_traits(texts[i].sql),
                              texts[i].traits);
}

START_TEST(most_texts_say_nothing_of_the_session)
{
        check(TEXTS(plain));
}
END_TEST

START_TEST(the_first_word_tells_the_command)
{
        check(TEXTS(first_words));
}
END_TEST

START_TEST(comments_say_nothing)
{
        check(TEXTS(comments));
}
END_TEST

START_TEST(what_is_set_tells_whether_names_or_texts_change)
{
        check(TEXTS(settings));
}
END_TEST

START_TEST(set_config_sets_what_it_names_or_anything)
{
        check(TEXTS(set_config));
}
END_TEST

START_TEST(temporary_objects_are_known_by_their_word)
{
        check(TEXTS(temporary));
}
END_TEST

/* What a text says by its first words: that it sets something for its transaction only. */
static const struct {
        const char *sql;
        bool sets_locally;
        bool listens;
} locally[] = {
        {"SET LOCAL a.b = 1", true, false},
        {"set local a.b = 1", true, false},
        {"  \n\tSeT\n\f LoCaL role none", true, false},
        {"-- why\nSET /* a /* b */ c */ LOCAL x = 1", true, false},
        {"/**/SET/**/LOCAL/**/x = 1", true, false},
        {"SET TRANSACTION READ ONLY", true, false},
        {"SET CONSTRAINTS ALL DEFERRED", true, false},
        {"SET local_x = 1", false, false},
        {"SET LOCALE = 1", false, false},
        {"SET SESSION x = 1", false, false},
        {"SET x = 'SET LOCAL'", false, false},
        {"/* SET LOCAL */ SET x = 1", false, false},
        {"-- SET LOCAL", false, false},
        {"SETLOCAL x", false, false},
        {"SET local = 1", false, false},
        {"SET local.x = 1", false, false},
        {"SET local TO 1", false, false},
        {"SET \"local\".x = 1", false, false},
        {"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", false, false},
        {"SET", false, false},
        {"", false, false},
        {"/*", false, false},
        {"/* /* */", false, false},
        {"--", false, false},
        {"/", false, false},
        {"LISTEN a", false, true},
        {" /* x */ listen \"a\"", false, true},
        {"listens", false, false},
        {"UNLISTEN a", false, false},
        {"SELECT 'LISTEN'", false, false},
};

START_TEST(a_text_tells_what_ends_with_its_transaction_and_who_listens)
{
        ck_assert_int_eq(pipit__stmt_text_sets_locally(locally[_i].sql), locally[_i].sets_locally);
        ck_assert_int_eq(pipit__stmt_text_listens(locally[_i].sql), locally[_i].listens);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("stmt_text");
        TCase *tcase = tcase_create("stmt_text");

        tcase_add_test(tcase, most_texts_say_nothing_of_the_session);
        tcase_add_test(tcase, the_first_word_tells_the_command);
        tcase_add_test(tcase, comments_say_nothing);
        tcase_add_test(tcase, what_is_set_tells_whether_names_or_texts_change);
        tcase_add_test(tcase, set_config_sets_what_it_names_or_anything);
        tcase_add_test(tcase, temporary_objects_are_known_by_their_word);
        tcase_add_loop_test(tcase, a_text_tells_what_ends_with_its_transaction_and_who_listens, 0,
                            (int)(sizeof locally / sizeof *locally));
        suite_add_tcase(suite, tcase);
        return suite;
}
