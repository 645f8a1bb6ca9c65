#include <stdbool.h>
#include <string.h>

#include "conn/session_settings.h"
#include "runner.h"

static struct session_settings settings;

static const char *const always[] = {
        "'standard_conforming_strings', 'on'", "'DateStyle', 'ISO, YMD'",
        "'IntervalStyle', 'iso_8601'",         "'TimeZone', 'UTC'",
        "'extra_float_digits', '1'",           "'bytea_output', 'hex'",
};
#define N_ALWAYS ((int)(sizeof always / sizeof always[0]))

START_TEST(every_server_gets_what_the_codecs_rely_on)
{
        pipit__session_settings_init(&settings, 90600, "public", 0);
        ck_assert_ptr_nonnull(strstr(settings.sql, always[_i]));
        pipit__session_settings_init(&settings, 180000, "", 0);
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
        pipit__session_settings_init(&settings, versions[_i].version, "", 0);
        const char *found = strstr(settings.sql, "client_connection_check_interval");
        ck_assert_int_eq(found != NULL, versions[_i].has);
}
END_TEST

START_TEST(the_search_path_is_a_parameter_and_never_text)
{
        static const char hostile[] = "a', false); DROP TABLE x; --";

        pipit__session_settings_init(&settings, 150018, hostile, 0);
        ck_assert_int_eq(settings.n, 1);
        ck_assert_ptr_eq(settings.values[0], hostile);
        ck_assert_ptr_null(strstr(settings.sql, "DROP"));
        ck_assert_ptr_nonnull(strstr(settings.sql, "set_config('search_path', $1, false)"));
}
END_TEST

START_TEST(an_empty_search_path_leaves_the_servers)
{
        pipit__session_settings_init(&settings, 150018, "", 0);
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
        pipit__session_settings_init(&settings, 150018, "", 0);
        ck_assert_ptr_nonnull(strstr(settings.sql,
                                     "pg_catalog.current_setting("
                                     "'default_transaction_isolation') AS isolation"));
}
END_TEST

START_TEST(it_is_one_statement_with_qualified_names)
{
        pipit__session_settings_init(&settings, 180000, "public", 0);
        ck_assert_ptr_eq(strstr(settings.sql, "SELECT pg_catalog.set_config("), settings.sql);
        ck_assert_int_eq(count(settings.sql, '('), count(settings.sql, ')'));
        ck_assert_int_eq(count(settings.sql, '\'') % 2, 0); /* nothing was cut off */
        ck_assert_int_eq(count(settings.sql, ';'), 0);
        ck_assert_int_eq(settings.sql[strlen(settings.sql) - 1], ')');
}
END_TEST

/* A refusal names one of these, or none; the others stay. */
static const struct {
        const char *message;
        const char *gone;
        const char *stays;
} refusals[] = {
        {"parameter \"client_connection_check_interval\" must be 0",
         "client_connection_check_interval", "idle_in_transaction_session_timeout"},
        {"no \"idle_in_transaction_session_timeout\" here", "idle_in_transaction_session_timeout",
         "client_connection_check_interval"},
        {"permission denied for function pg_stat_get_activity", "pg_stat_get_activity",
         "client_connection_check_interval"},
};

START_TEST(what_a_refusal_names_is_left_out_and_nothing_else)
{
        unsigned refused = pipit__session_settings_refuse(0, 150018, "42501", refusals[_i].message);

        pipit__session_settings_init(&settings, 150018, "public", refused);
        pipit__session_settings_ask_backend(&settings, refused);
        ck_assert_ptr_null(strstr(settings.sql, refusals[_i].gone));
        ck_assert_ptr_nonnull(strstr(settings.sql, refusals[_i].stays));
}
END_TEST

START_TEST(a_refusal_without_a_name_takes_one_after_the_other_until_nothing_is_left)
{
        int version = _i == 0 ? 150018 : 130000; /* which knows one less */
        unsigned refused = 0;
        int n = 0;

        for (unsigned next;
             (next = pipit__session_settings_refuse(refused, version, "42704", "")) != refused; n++)
                refused = next;
        ck_assert_int_eq(n, _i == 0 ? 3 : 2);
        pipit__session_settings_init(&settings, version, "public", refused);
        ck_assert_ptr_null(strstr(settings.sql, "timeout', CASE"));
        ck_assert_ptr_nonnull(strstr(settings.sql, always[0]));
}
END_TEST

START_TEST(an_error_that_is_no_refusal_leaves_nothing_out)
{
        static const char *const states[] = {"", "08006", "40001", "53200", "57014", "XX000"};

        ck_assert_uint_eq(
                pipit__session_settings_refuse(0, 150018, states[_i], refusals[0].message), 0);
}
END_TEST

static const struct {
        const char *text;
        int64_t ms;
} shown[] = {
        {"0", 0},
        {"500ms", 500},
        {"5s", 5000},
        {"2min", 120000},
        {"3h", 10800000},
        {"2d", 172800000},
        {"2147483647ms", 2147483647},
        {"7", 7},
        {"", -1},
        {"s", -1},
        {"5 s", -1},
        {"5x", -1},
        {"-5s", -1},
        {"99999999999999999999d", -1},
};
#define N_SHOWN ((int)(sizeof shown / sizeof shown[0]))

START_TEST(a_time_is_read_as_the_server_shows_it)
{
        ck_assert_int_eq(pipit__session_settings_read_ms(shown[_i].text), shown[_i].ms);
}
END_TEST

START_TEST(a_session_is_asked_who_it_is_and_nothing_is_cut_off)
{
        pipit__session_settings_init(&settings, 180000, "public", 0);
        pipit__session_settings_ask_backend(&settings, 0);
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
        tcase_add_loop_test(tcase, what_a_refusal_names_is_left_out_and_nothing_else, 0, 3);
        tcase_add_loop_test(
                tcase, a_refusal_without_a_name_takes_one_after_the_other_until_nothing_is_left, 0,
                2);
        tcase_add_loop_test(tcase, an_error_that_is_no_refusal_leaves_nothing_out, 0, 6);
        tcase_add_loop_test(tcase, a_time_is_read_as_the_server_shows_it, 0, N_SHOWN);
        suite_add_tcase(suite, tcase);
        return suite;
}
