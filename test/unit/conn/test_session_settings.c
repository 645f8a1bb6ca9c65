#include <stdbool.h>
#include <string.h>

#include "conn/session_settings.h"
#include "runner.h"

static struct session_settings settings;

static const char *const always[] = {
        "'standard_conforming_strings', 'on'",
        "'DateStyle', 'ISO, YMD'",
        "'IntervalStyle', 'iso_8601'",
        "'TimeZone', 'UTC'",
        "'extra_float_digits', '1'",
        "'bytea_output', 'hex'",
        "'idle_in_transaction_session_timeout', '60s'",
};
#define N_ALWAYS ((int)(sizeof always / sizeof always[0]))

START_TEST(every_server_gets_what_the_codecs_rely_on)
{
        pipit__session_settings_init(&settings, 90600, "public");
        ck_assert_ptr_nonnull(strstr(settings.sql, always[_i]));
        pipit__session_settings_init(&settings, 180000, "");
        ck_assert_ptr_nonnull(strstr(settings.sql, always[_i]));
}
END_TEST

static const struct {
        int version;
        bool has;
} versions[] = {{130022, false}, {139999, false}, {140000, true}, {150018, true}, {180000, true}};
#define N_VERSIONS ((int)(sizeof versions / sizeof versions[0]))

START_TEST(a_server_gets_only_the_settings_it_knows)
{
        pipit__session_settings_init(&settings, versions[_i].version, "");
        const char *found = strstr(settings.sql, "client_connection_check_interval");
        ck_assert_int_eq(found != NULL, versions[_i].has);
}
END_TEST

START_TEST(the_search_path_is_a_parameter_and_never_text)
{
        static const char hostile[] = "a', false); DROP TABLE x; --";

        pipit__session_settings_init(&settings, 150018, hostile);
        ck_assert_int_eq(settings.n, 1);
        ck_assert_ptr_eq(settings.values[0], hostile);
        ck_assert_ptr_null(strstr(settings.sql, "DROP"));
        ck_assert_ptr_nonnull(strstr(settings.sql, "set_config('search_path', $1, false)"));
}
END_TEST

START_TEST(an_empty_search_path_leaves_the_servers)
{
        pipit__session_settings_init(&settings, 150018, "");
        ck_assert_int_eq(settings.n, 0);
        ck_assert_ptr_null(strstr(settings.sql, "search_path"));
        ck_assert_ptr_null(strstr(settings.sql, "$1"));
}
END_TEST

/* How often a text has a character. */
static int
count(const char *text, char c)
{
        int n = 0;

        for (; *text != '\0'; text++)
                n += *text == c;
        return n;
}

START_TEST(the_isolation_level_is_asked_for_under_its_name)
{
        pipit__session_settings_init(&settings, 150018, "");
        ck_assert_ptr_nonnull(strstr(settings.sql,
                                     "pg_catalog.current_setting("
                                     "'default_transaction_isolation') AS isolation"));
}
END_TEST

START_TEST(it_is_one_statement_with_qualified_names)
{
        pipit__session_settings_init(&settings, 180000, "public");
        ck_assert_ptr_eq(strstr(settings.sql, "SELECT pg_catalog.set_config("), settings.sql);
        ck_assert_int_eq(count(settings.sql, '('), N_ALWAYS + 3);
        ck_assert_int_eq(count(settings.sql, ')'), N_ALWAYS + 3); /* nothing was cut off */
        ck_assert_int_eq(count(settings.sql, ';'), 0);
        ck_assert_int_eq(settings.sql[strlen(settings.sql) - 1], ')');
}
END_TEST

START_TEST(a_session_is_asked_who_it_is_and_nothing_is_cut_off)
{
        pipit__session_settings_init(&settings, 180000, "public");
        pipit__session_settings_ask_backend(&settings);
        ck_assert_ptr_nonnull(strstr(settings.sql, "10, '0') AS pid"));
        ck_assert_str_eq(strrchr(settings.sql, ')'), ") AS began");
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("session_settings");
        TCase *tcase = tcase_create("session_settings");

        tcase_add_loop_test(tcase, every_server_gets_what_the_codecs_rely_on, 0, N_ALWAYS);
        tcase_add_loop_test(tcase, a_server_gets_only_the_settings_it_knows, 0, N_VERSIONS);
        tcase_add_test(tcase, the_search_path_is_a_parameter_and_never_text);
        tcase_add_test(tcase, an_empty_search_path_leaves_the_servers);
        tcase_add_test(tcase, the_isolation_level_is_asked_for_under_its_name);
        tcase_add_test(tcase, it_is_one_statement_with_qualified_names);
        tcase_add_test(tcase, a_session_is_asked_who_it_is_and_nothing_is_cut_off);
        suite_add_tcase(suite, tcase);
        return suite;
}
