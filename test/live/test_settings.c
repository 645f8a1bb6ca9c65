/*
 * Settings: what pipit changes for its own ends is put back as it was found, and no limit that an
 * administrator has set is lifted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scripts.h"
#include "witness.h"

#define LENGTH(array) ((int)(sizeof(array) / sizeof(array)[0]))
#define N_READS       10

/* All that a session has, but for what belongs to the transaction that asks. */
#define ALL                                                                                        \
        "SELECT string_agg(name || '=' || setting, ';' ORDER BY name) FROM pg_settings "           \
        "WHERE name NOT IN ('transaction_isolation', 'transaction_read_only', "                    \
        "'transaction_deferrable', 'application_name')"
#define SHOW(name) "SELECT setting FROM pg_settings WHERE name = '" name "'"
#define WRITE      "INSERT INTO written VALUES (1)"

/* Roles by their defaults, as an administrator sets them. */
static const struct {
        const char *name;
        const char *defaults[6];
} roles[] = {
        {"plain", {NULL}},
        {"strict",
         {"statement_timeout = '5s'", "lock_timeout = '3s'",
          "idle_in_transaction_session_timeout = '10s'", "client_connection_check_interval = '1s'",
          "work_mem = '128kB'", "search_path = 'elsewhere'"}},
        {"lenient",
         {"statement_timeout = '20min'", "lock_timeout = '20min'",
          "idle_in_transaction_session_timeout = '20min'",
          "client_connection_check_interval = '20min'"}},
        {"frozen", {"default_transaction_read_only = on"}},
        {"serial",
         {"default_transaction_isolation = 'serializable'", "default_transaction_deferrable = on"}},
        {"repeatable", {"default_transaction_isolation = 'repeatable read'"}},
        {"german",
         {"DateStyle = 'German, DMY'", "IntervalStyle = 'sql_standard'", "TimeZone = 'Asia/Tokyo'",
          "statement_timeout = '2147483647'"}},
};

static void
make_role(int role)
{
        char sql[300];

        snprintf(sql, sizeof sql, "CREATE ROLE %s LOGIN SUPERUSER", roles[role].name);
        ask(live_cluster.url, sql);
        for (int i = 0; i < LENGTH(roles[role].defaults) && roles[role].defaults[i] != NULL; i++) {
                snprintf(sql, sizeof sql, "ALTER ROLE %s SET %s", roles[role].name,
                         roles[role].defaults[i]);
                ask(live_cluster.url, sql);
        }
}

/* One server for all tests. */
static void
server_setup(void)
{
        cluster_create(&live_cluster, "");
        ask(live_cluster.url, "CREATE TABLE written (id int)");
        for (int i = 0; i < LENGTH(roles); i++)
                make_role(i);
}

static void
server_teardown(void)
{
        cluster_remove(&live_cluster);
}

/* The cluster's URL for a role. */
static const char *
url_of(int role)
{
        char url[200];
        char user[60];

        snprintf(url, sizeof url, "%s", live_cluster.url);
        *strstr(url, "&user=") = '\0';
        snprintf(user, sizeof user, "&user=%s", roles[role].name);
        return url_with(url, user);
}

/* Opens live_db for a role, with one connection. */
static void
open_as(int role)
{
        struct pipit_options options = {.max_connections = 1};

        live_open(url_of(role), &options);
}

/* The first value of what a scope says, or the SQLSTATE. */
static const char *
told_on(struct pipit *scope, const char *sql)
{
        const struct pipit_result *res = query_on(scope, sql, PIPIT_NO_PARAMS);

        return pipit_failed(res) ? pipit_result_error(res)->sqlstate : pipit_result_text(res, 0, 0);
}

/* The texts of all settings are too long for a message of Check. */
static void
expect_same(const char *now, const char *before)
{
        size_t i = 0;

        while (now[i] != '\0' && now[i] == before[i])
                i++;
        while (i > 0 && before[i - 1] != ';')
                i--;
        ck_assert_msg(strcmp(now, before) == 0, "%.80s, and it was %.80s", now + i, before + i);
}

/* ---- what changes settings, or could */

/* Reads that are known to be fast, often enough that they share: the connection becomes a reader.
 */
static void
read_together(void)
{
        for (int round = 0; round < 5; round++) {
                struct calls calls[N_READS] = {{0}};
                for (int i = 0; i < N_READS; i++)
                        pipit_read(live_db, "SELECT $1", PIPIT_PARAMS("x"), on_call, &calls[i]);
                for (int i = 0; i < N_READS; i++)
                        expect_ok(answer(&calls[i]));
        }
}

static void
write_behind_reads(void)
{
        read_together();
        query(WRITE, PIPIT_NO_PARAMS);
}

static void
write_together(void)
{
        struct calls calls[8] = {{0}};

        pipit_set_group_writes(live_db, true);
        for (int round = 0; round < 5; round++) {
                memset(calls, 0, sizeof calls);
                for (int i = 0; i < LENGTH(calls); i++)
                        ask_on(live_db, WRITE, &calls[i]);
                for (int i = 0; i < LENGTH(calls); i++)
                        answer(&calls[i]);
        }
        pipit_set_group_writes(live_db, false);
}

/* A session changes what it likes, and a transaction of it has a time. */
static void
change_in_a_session(void)
{
        struct pipit *session = pipit_session_open(live_db);
        struct script script = {.sql = {"SELECT 1"}};

        query_on(session, "SET statement_timeout = '77s'", PIPIT_NO_PARAMS);
        query_on(session, "SELECT set_config('work_mem', '1MB', false)", PIPIT_NO_PARAMS);
        query_on(session, "SET default_transaction_read_only = on", PIPIT_NO_PARAMS);
        query_on(session, "SET search_path = pg_catalog", PIPIT_NO_PARAMS);
        atomic_on(session, &script);
        pipit_close(session);
}

/* Runs statements in a transaction with options; they may fail. */
static void
run_in(const struct pipit_transaction *options, struct script *script)
{
        read_together(); /* a reader must become a writer first */
        pipit_atomic_with(live_db, options, run_script, on_call, script);
        answer(&script->done);
}

static void
run_with_a_time(void)
{
        run_in(&(struct pipit_transaction){.timeout_ms = 30000},
               &(struct script){.sql = {"SELECT 1", WRITE}});
}

static void
run_early(void)
{
        for (int i = 0; i < 3; i++)
                run_in(&(struct pipit_transaction){.commit_early = true},
                       &(struct script){.sql = {WRITE, WRITE}});
}

static void
run_read_only(void)
{
        run_in(&(struct pipit_transaction){.isolation = PIPIT_SERIALIZABLE,
                                           .read_only = true,
                                           .deferrable = true,
                                           .timeout_ms = 600000},
               &(struct script){.sql = {"SELECT 1"}});
}

static void
run_and_fail(void)
{
        run_in(&(struct pipit_transaction){.timeout_ms = 30000},
               &(struct script){.sql = {"SELECT 1", FAIL}});
}

static void
run_and_set(void)
{
        run_in(NULL, &(struct script){.sql = {"SET LOCAL work_mem = '1MB'", "SET lock_timeout = 1",
                                              "SET default_transaction_read_only = on"}});
}

static void
run_nested(void)
{
        struct pipit *outer = pipit_begin(live_db, NULL);
        struct pipit *inner = pipit_begin(outer, &(struct pipit_transaction){.timeout_ms = 30000});

        query_on(inner, "SELECT 1", PIPIT_NO_PARAMS);
        query_on(inner, FAIL, PIPIT_NO_PARAMS);
        pipit_close(inner);
        query_on(outer, "SELECT 1", PIPIT_NO_PARAMS);
        pipit_close(outer);
}

static void
run_a_test_scope(void)
{
        struct pipit *test = pipit_test_scope(live_db);

        query_on(test, WRITE, PIPIT_NO_PARAMS);
        query_on(test, FAIL, PIPIT_NO_PARAMS);
        pipit_close(test);
}

static void (*const deeds[])(void) = {
        read_together,   write_behind_reads, write_together,   change_in_a_session,
        run_with_a_time, run_early,          run_read_only,    run_and_fail,
        run_and_set,     run_nested,         run_a_test_scope,
};

#define N_CASES (LENGTH(roles) * LENGTH(deeds))

START_TEST(all_settings_are_afterwards_what_they_were_before)
{
        open_as(_i / LENGTH(deeds));
        const char *before = told_on(live_db, ALL);
        const char *pid = told_on(live_db, "SELECT pg_backend_pid()");

        for (int i = 0; i < 2; i++) {
                deeds[_i % LENGTH(deeds)]();
                expect_same(told_on(live_db, ALL), before);
        }
        ck_assert_str_eq(told_on(live_db, "SELECT pg_backend_pid()"), pid);
}
END_TEST

/* ---- what is set for all sessions */

/* What a text of all settings says of one. */
static const char *
setting_in(const char *all, const char *name)
{
        static char value[300];
        char key[100];
        const char *at =
                strncmp(all, name, strlen(name)) == 0 && all[strlen(name)] == '=' ? all - 1 : NULL;

        snprintf(key, sizeof key, ";%s=", name);
        if (at == NULL)
                at = strstr(all, key);
        ck_assert_msg(at != NULL, "no setting %s", name);
        snprintf(value, sizeof value, "%s", at + strlen(key));
        *strchrnul(value, ';') = '\0';
        return value;
}

/* The settings that the codecs need are pipit's; each limit is the stricter one. */
static bool
is_pipits(const char *name)
{
        static const char *const names[] = {
                "standard_conforming_strings", "DateStyle",    "IntervalStyle",   "TimeZone",
                "extra_float_digits",          "bytea_output", "client_encoding", "search_path"};

        for (int i = 0; i < LENGTH(names); i++) {
                if (strcmp(names[i], name) == 0)
                        return true;
        }
        return false;
}

static void
expect_stricter(const char *name, const char *own, long limit_ms, const char *all)
{
        long own_ms = strtol(own, NULL, 10);
        long expected = own_ms > 0 && own_ms < limit_ms ? own_ms : limit_ms;

        ck_assert_msg(strtol(setting_in(all, name), NULL, 10) == expected, "%s: %s was %s", name,
                      setting_in(all, name), own);
}

START_TEST(a_session_is_as_the_role_has_it_but_for_what_the_codecs_need)
{
        char *plain = strdup(ask_text(url_of(_i), ALL));

        open_as(_i);
        const char *all = told_on(live_db, ALL);
        for (char *end, *at = plain; at != NULL; at = end) {
                end = strchr(at, ';');
                if (end != NULL)
                        *end++ = '\0';
                char *value = strchr(at, '=');
                *value++ = '\0';
                if (strcmp(at, "idle_in_transaction_session_timeout") == 0)
                        expect_stricter(at, value, 60000, all);
                else if (strcmp(at, "client_connection_check_interval") == 0)
                        expect_stricter(at, value, 5000, all);
                else if (!is_pipits(at))
                        ck_assert_str_eq(setting_in(all, at), value);
        }
        free(plain);
}
END_TEST

/* ---- inside of a transaction */

/* The statement_timeout in a transaction with that time, in milliseconds. */
static long
timeout_in(struct pipit *scope, int64_t timeout_ms)
{
        struct pipit_transaction options = {.timeout_ms = timeout_ms};
        struct script script = {.sql = {SHOW("statement_timeout")}};

        pipit_atomic_with(scope, &options, run_script, on_call, &script);
        expect_ok(answer(&script.done));
        return strtol(pipit_result_text(script.calls[0].last, 0, 0), NULL, 10);
}

static const int64_t times[] = {3000, 60000, 3000000, INT64_MAX};

START_TEST(no_time_of_a_transaction_lifts_a_stricter_statement_timeout)
{
        open_as(_i / LENGTH(times));
        int64_t time = times[_i % LENGTH(times)];
        long own = strtol(told_on(live_db, SHOW("statement_timeout")), NULL, 10);
        long inside = timeout_in(live_db, time);

        ck_assert_int_gt(inside, 0);
        if (own > 0)
                ck_assert_int_le(inside, own);
        if (time < INT32_MAX)
                ck_assert_int_le(inside, time + 1000);
}
END_TEST

START_TEST(no_time_of_a_transaction_lifts_what_its_session_has_set)
{
        open_as(0);
        struct pipit *session = pipit_session_open(live_db);

        expect_ok(query_on(session,
                           _i == 0 ? "SET statement_timeout = '4s'"
                                   : "SELECT set_config('statement_timeout', '4s', false)",
                           PIPIT_NO_PARAMS));
        ck_assert_int_eq(timeout_in(session, 60000), 4000);
        pipit_close(session);
        ck_assert_int_gt(timeout_in(live_db, 60000), 4000);
}
END_TEST

/* ---- a role that only reads */

static const char *
written_by_a_transaction(void)
{
        struct script script = {.sql = {WRITE}};

        const struct pipit_result *done = atomic_on(live_db, &script);
        return pipit_failed(done) ? pipit_result_error(done)->sqlstate : "written";
}

START_TEST(a_role_whose_default_is_to_read_only_never_writes)
{
        open_as(3);
        for (int i = 0; i < 3; i++) {
                ck_assert_str_eq(told_on(live_db, WRITE), "25006");
                read_together();
                ck_assert_str_eq(told_on(live_db, WRITE), "25006");
                read_together();
                ck_assert_str_eq(written_by_a_transaction(), "25006");
                struct pipit *session = pipit_session_open(live_db);
                ck_assert_str_eq(told_on(session, WRITE), "25006");
                pipit_close(session);
        }
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("settings");
        TCase *tcase = tcase_create("settings");

        tcase_set_timeout(tcase, 60);
        tcase_add_unchecked_fixture(tcase, server_setup, server_teardown);
        tcase_add_checked_fixture(tcase, live_setup, live_teardown);
        tcase_add_loop_test(tcase, all_settings_are_afterwards_what_they_were_before, 0, N_CASES);
        tcase_add_loop_test(tcase, a_session_is_as_the_role_has_it_but_for_what_the_codecs_need, 0,
                            LENGTH(roles));
        tcase_add_loop_test(tcase, no_time_of_a_transaction_lifts_a_stricter_statement_timeout, 0,
                            LENGTH(roles) * LENGTH(times));
        tcase_add_loop_test(tcase, no_time_of_a_transaction_lifts_what_its_session_has_set, 0, 2);
        tcase_add_test(tcase, a_role_whose_default_is_to_read_only_never_writes);
        suite_add_tcase(suite, tcase);
        return suite;
}
