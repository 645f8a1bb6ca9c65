/*
 * Who may connect, with what password, and where to: the server's refusals, the environment, files
 * and URLs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "witness.h"

#define ALICE "&user=alice&application_name=alice"

static void
file_write(const char *path, const char *text)
{
        FILE *file = fopen(path, "w");

        ck_assert_ptr_nonnull(file);
        ck_assert_int_ge(fputs(text, file), 0);
        ck_assert_int_eq(fclose(file), 0);
}

/* A server on which alice needs a password, and everybody else none. */
static void
auth_setup(void)
{
        char path[200];

        own_setup();
        ask(live_cluster.url, "SET password_encryption = 'scram-sha-256';"
                              "CREATE ROLE alice LOGIN PASSWORD 'one'");
        snprintf(path, sizeof path, "%s/data/pg_hba.conf", live_cluster.folder);
        file_write(path, "local all alice scram-sha-256\nlocal all all trust\n");
        own_restart("fast", "-c log_connections=on");
}

/* The cluster's URL without its user, and with this. */
static const char *
url_as(const char *more)
{
        char url[200];

        snprintf(url, sizeof url, "%s", live_cluster.url);
        *strstr(url, "&user=") = '\0';
        return url_with(url, more);
}

static const struct refusal {
        const char *url; /* behind the cluster's */
        const char *sqlstate;
        const char *text;
} refusals[] = {
        {"&user=alice&password=wrong", "28P01", "password authentication failed"},
        {"&user=postgres&dbname=nowhere", "3D000", "database \"nowhere\" does not exist"},
        {"&user=nobody", "28000", "role \"nobody\" does not exist"},
};

/* Asks again whenever it was refused. */
struct nagging {
        int n;
        int n_started;
        bool over;
        const struct refusal *refusal;
};

static void on_refused(struct pipit_result *res, void *arg);

static void
nagging_ask(struct nagging *nagging)
{
        nagging->n_started++;
        pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, on_refused, nagging);
}

static void
on_refused(struct pipit_result *res, void *arg)
{
        struct nagging *nagging = arg;

        nagging->n++;
        expect_error(res, PIPIT_ECONNECT, nagging->refusal->sqlstate);
        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), nagging->refusal->text));
        ck_assert_int_eq(pipit_result_error(res)->executed, PIPIT_EXECUTED_NO);
        if (!nagging->over)
                nagging_ask(nagging);
}

START_TEST(a_final_refusal_is_told_at_once_and_the_server_is_not_hammered)
{
        struct nagging nagging = {.refusal = &refusals[_i]};

        live_open(url_as(refusals[_i].url), NULL);
        for (int i = 0; i < 10; i++)
                nagging_ask(&nagging);
        int64_t before_ms = clock_ms();
        loop_until(&nagging.n, 10);
        ck_assert_int_lt(clock_ms() - before_ms, 5000); /* not at the acquire deadline of 30 s */
        loop_for(1500);
        ck_assert_int_ge(nagging.n, 100);
        nagging.over = true;
        loop_until(&nagging.n, nagging.n_started);
        int seen = own_log_count(refusals[_i].text);
        ck_assert_int_ge(seen, 1);
        /* At 0 s, 0.8 s or later, 1.6 s or later, ... */
        ck_assert_int_le(seen, (clock_ms() - before_ms) / 800 + 2);
}
END_TEST

START_TEST(a_refusal_names_where_it_came_from)
{
        live_open(url_as("&user=nobody"), NULL);
        const struct pipit_result *res = query("SELECT 1", PIPIT_NO_PARAMS);
        expect_error(res, PIPIT_ECONNECT, "28000");
        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), live_cluster.folder));
        ck_assert_ptr_nonnull(pipit_result_error(res)->host);
        ck_assert_ptr_nonnull(strstr(pipit_result_error(res)->host, live_cluster.folder));
        ck_assert_int_eq(pipit_result_error(res)->phase, PIPIT_PHASE_WAIT);
}
END_TEST

START_TEST(a_password_in_the_url_is_used)
{
        live_open(url_as(ALICE "&password=one"), NULL);
        expect_text(query("SELECT current_user::text", PIPIT_NO_PARAMS), 0, 0, "alice");
}
END_TEST

START_TEST(a_password_is_in_no_error_text)
{
        live_open(url_as("&user=alice&password=Xsecret7"), NULL);
        const struct pipit_result *res = query("SELECT 1", PIPIT_NO_PARAMS);
        expect_error(res, PIPIT_ECONNECT, "28P01");
        ck_assert_ptr_null(strstr(pipit_error_text(res), "Xsecret7"));
}
END_TEST

/* What the password callback says, and how often it was asked. */
struct safe {
        const char *password;
        int n;
};

static const char *
on_password(void *arg)
{
        struct safe *safe = arg;

        safe->n++;
        return safe->password;
}

START_TEST(the_password_callback_is_asked_at_each_connect)
{
        struct safe safe = {.password = "one"};
        struct pipit_options options = {.password = on_password, .password_arg = &safe};
        struct crowd *crowd = crowd_new();
        struct gate gate;

        live_open(url_as(ALICE), &options);
        ck_assert_int_eq(safe.n, 0);
        gate_shut(&gate, live_cluster.url, 1);
        crowd_start(crowd, 3, gate.sql);
        gate_await(&gate, 3);
        gate_open(&gate);
        crowd_join(crowd);
        ck_assert_int_eq(crowd->n_ok, 3);
        ck_assert_int_eq(safe.n, 3);
        crowd_free(crowd);
}
END_TEST

START_TEST(a_callbacks_password_wins_over_the_urls)
{
        struct safe safe = {.password = "one"};
        struct pipit_options options = {.password = on_password, .password_arg = &safe};

        live_open(url_as(ALICE "&password=wrong"), &options);
        execute("SELECT 1");
}
END_TEST

START_TEST(a_rotated_password_heals_new_connections_and_old_sessions_live)
{
        struct safe safe = {.password = "one"};
        struct pipit_options options = journal_options();
        struct crowd *crowd = crowd_new();

        options.password = on_password;
        options.password_arg = &safe;
        live_open(url_as(ALICE), &options);
        execute("SELECT 1");
        ask(live_cluster.url, "ALTER ROLE alice PASSWORD 'two'");
        crowd_start(crowd, 20, "SELECT $1::int FROM pg_sleep(0.01)");
        crowd_join(crowd);
        ck_assert_int_eq(crowd->n_ok, 20); /* on the one session there is */
        ck_assert_int_eq(live_journal.n_up, 1);
        loop_until(&live_journal.n_failed, 1);
        safe.password = "two";
        ask(live_cluster.url, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                              " WHERE application_name = 'alice'");
        loop_until(&live_journal.n_lost, 1);
        for (int i = 0; i < 300 && live_journal.n_up < 2; i++) {
                loop_for(10);
                query("SELECT 1", PIPIT_NO_PARAMS);
        }
        execute("SELECT 1");
        crowd_free(crowd);
}
END_TEST

/* Variables of the environment that a test sets; they are gone behind it. */
static void
environment_clear(void)
{
        static const char *const names[] = {"PGPASSWORD", "PGPASSFILE",  "PGSERVICEFILE",
                                            "PGHOST",     "PGPORT",      "PGUSER",
                                            "PGDATABASE", "PGOPTIONS",   "PGCLIENTENCODING",
                                            "PGTZ",       "PGDATESTYLE", "PGSERVICE"};

        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
                unsetenv(names[i]);
}

static void
auth_teardown(void)
{
        environment_clear();
        own_teardown();
}

START_TEST(pgpassword_is_honoured)
{
        setenv("PGPASSWORD", "one", 1);
        live_open(url_as(ALICE), NULL);
        execute("SELECT 1");
}
END_TEST

START_TEST(a_password_file_is_honoured_at_each_connect)
{
        char path[200];

        snprintf(path, sizeof path, "%s/passwords", live_cluster.folder);
        file_write(path, "*:*:*:alice:wrong\n");
        ck_assert_int_eq(chmod(path, 0600), 0);
        setenv("PGPASSFILE", path, 1);
        live_open(url_as(ALICE), NULL);
        expect_error(query("SELECT 1", PIPIT_NO_PARAMS), PIPIT_ECONNECT, "28P01");
        file_write(path, "somewhere:*:*:alice:other\n*:5432:postgres:alice:one\n");
        live_open(url_as(ALICE), NULL);
        execute("SELECT 1");
}
END_TEST

START_TEST(a_service_file_is_honoured)
{
        char path[200];
        char text[400];

        snprintf(path, sizeof path, "%s/services", live_cluster.folder);
        snprintf(text, sizeof text, "[here]\nhost=%s\nuser=alice\npassword=one\ndbname=postgres\n",
                 live_cluster.folder);
        file_write(path, text);
        setenv("PGSERVICEFILE", path, 1);
        live_open("service=here", NULL);
        expect_text(query("SELECT current_user::text", PIPIT_NO_PARAMS), 0, 0, "alice");
        setenv("PGSERVICE", "here", 1);
        live_open(NULL, NULL);
        expect_text(query("SELECT current_user::text", PIPIT_NO_PARAMS), 0, 0, "alice");
}
END_TEST

START_TEST(a_service_that_does_not_exist_is_named)
{
        char path[200];

        snprintf(path, sizeof path, "%s/services", live_cluster.folder);
        file_write(path, "[here]\nhost=/nowhere\n");
        setenv("PGSERVICEFILE", path, 1);
        live_open("service=there", NULL);
        const struct pipit_result *res = query("SELECT 1", PIPIT_NO_PARAMS);
        expect_error(res, PIPIT_EINVAL, "");
        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), "\"there\" not found"));
}
END_TEST

START_TEST(the_environment_fills_in_what_the_url_leaves_open)
{
        setenv("PGHOST", live_cluster.folder, 1);
        setenv("PGUSER", "postgres", 1);
        setenv("PGDATABASE", "template1", 1);
        live_open(NULL, NULL);
        expect_text(query("SELECT current_database()::text", PIPIT_NO_PARAMS), 0, 0, "template1");
        live_open("", NULL);
        expect_text(query("SELECT current_user::text", PIPIT_NO_PARAMS), 0, 0, "postgres");
}
END_TEST

static const struct pinned {
        const char *name;
        const char *value;
} pinned[] = {
        {"search_path", "public, pg_temp"},
        {"client_encoding", "UTF8"},
        {"standard_conforming_strings", "on"},
        {"TimeZone", "UTC"},
        {"DateStyle", "ISO, YMD"},
        {"IntervalStyle", "iso_8601"},
        {"bytea_output", "hex"},
};

START_TEST(a_hostile_environment_changes_nothing_that_matters)
{
        setenv("PGHOST", "/nowhere", 1);
        setenv("PGPORT", "1", 1);
        setenv("PGUSER", "mallory", 1);
        setenv("PGDATABASE", "evil", 1);
        setenv("PGPASSWORD", "x", 1);
        setenv("PGCLIENTENCODING", "LATIN1", 1);
        setenv("PGTZ", "Asia/Tokyo", 1);
        setenv("PGDATESTYLE", "SQL, DMY", 1);
        setenv("PGOPTIONS",
               "-c search_path=evil -c standard_conforming_strings=off -c bytea_output=escape"
               " -c IntervalStyle=sql_standard",
               1);
        live_open(url_with(live_cluster.url, "&port=5432"), NULL);
        expect_text(query("SELECT current_user || ' ' || current_database()", PIPIT_NO_PARAMS), 0,
                    0, "postgres postgres");
        for (size_t i = 0; i < sizeof pinned / sizeof pinned[0]; i++)
                expect_text(query("SELECT current_setting($1)", PIPIT_PARAMS(pinned[i].name)), 0, 0,
                            pinned[i].value);
}
END_TEST

START_TEST(the_search_path_of_the_options_holds_on_every_connection)
{
        struct pipit_options options = {.search_path = "pg_catalog, \"O'Neil\""};

        live_open(live_cluster.url, &options);
        expect_text(query("SHOW search_path", PIPIT_NO_PARAMS), 0, 0, options.search_path);
        ask(live_cluster.url, "ALTER DATABASE postgres SET search_path = 'other'");
        options.search_path = "";
        live_open(live_cluster.url, &options);
        expect_text(query("SHOW search_path", PIPIT_NO_PARAMS), 0, 0, "other");
}
END_TEST

static const struct bad_url {
        const char *url;
        const char *text; /* in the error */
} bad_urls[] = {
        {"nonsense", "missing \"=\""},
        {"host=x nonsense=1", "nonsense"},
        {"postgresql:///x?nonsense=1", "nonsense"},
        {"postgresql://[::1/x", "["},
        {"postgresql://user%zz@host/x", "%zz"},
        {"postgresql://user%00@host/x", "%00"},
        {"host='x", "quoted"},
        {"host=x port=0", "\"0\""},
        {"host=x port=65536", "\"65536\""},
        {"host=x port=-1", "\"-1\""},
        {"host=x port=abc", "\"abc\""},
        {"postgresql://x:99999999999999999999/y", "99999"},
        {"host=a,b port=1,2,3", "2 hosts, but 3 ports"},
        {"host=a hostaddr=127.0.0.1,127.0.0.2", "1 hosts, but 2 addresses"},
        {"host=a,b port=1,x", "\"x\""},
        {"host=x sslmode=bogus", "\"bogus\""},
        {"host=x target_session_attrs=bogus", "\"bogus\""},
        {"host=x gssencmode=bogus", "\"bogus\""},
        {"host=x channel_binding=bogus", "\"bogus\""},
        {"host=x ssl_min_protocol_version=bogus", "\"bogus\""},
        {"service=pipit-there-is-no-such", "pipit-there-is-no-such"},
};

START_TEST(a_bad_url_fails_every_request_and_is_told_at_once)
{
        struct pipit *db = pipit_open(live_base, bad_urls[_i].url, NULL);

        ck_assert_ptr_nonnull(pipit_scope_error(db));
        ck_assert_int_eq(pipit_scope_error(db)->code, PIPIT_EINVAL);
        if (strstr(pipit_scope_error(db)->message, bad_urls[_i].text) == NULL)
                ck_abort_msg("%s", pipit_scope_error(db)->message);
        ck_assert_ptr_null(strchr(pipit_scope_error(db)->message, '\n'));
        for (int i = 0; i < 3; i++) {
                const struct pipit_result *res = query_on(db, "SELECT 1", PIPIT_NO_PARAMS);
                expect_error(res, PIPIT_EINVAL, "");
                ck_assert_str_eq(pipit_error_text(res), pipit_scope_error(db)->message);
        }
        pipit_close(db);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("auth");
        TCase *auth = tcase_create("auth");
        TCase *urls = tcase_create("urls");

        tcase_add_checked_fixture(auth, auth_setup, auth_teardown);
        tcase_add_loop_test(auth, a_final_refusal_is_told_at_once_and_the_server_is_not_hammered, 0,
                            (int)(sizeof refusals / sizeof refusals[0]));
        tcase_add_test(auth, a_refusal_names_where_it_came_from);
        tcase_add_test(auth, a_password_in_the_url_is_used);
        tcase_add_test(auth, a_password_is_in_no_error_text);
        tcase_add_test(auth, the_password_callback_is_asked_at_each_connect);
        tcase_add_test(auth, a_callbacks_password_wins_over_the_urls);
        tcase_add_test(auth, a_rotated_password_heals_new_connections_and_old_sessions_live);
        tcase_add_test(auth, pgpassword_is_honoured);
        tcase_add_test(auth, a_password_file_is_honoured_at_each_connect);
        tcase_add_test(auth, a_service_file_is_honoured);
        tcase_add_test(auth, a_service_that_does_not_exist_is_named);
        tcase_add_test(auth, the_environment_fills_in_what_the_url_leaves_open);
        tcase_add_test(auth, a_hostile_environment_changes_nothing_that_matters);
        tcase_add_test(auth, the_search_path_of_the_options_holds_on_every_connection);
        suite_add_tcase(suite, auth);
        tcase_add_checked_fixture(urls, live_setup, live_teardown);
        tcase_add_loop_test(urls, a_bad_url_fails_every_request_and_is_told_at_once, 0,
                            (int)(sizeof bad_urls / sizeof bad_urls[0]));
        suite_add_tcase(suite, urls);
        return suite;
}
