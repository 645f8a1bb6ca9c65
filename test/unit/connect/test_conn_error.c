/*
 * What is read out of libpq's messages, and what it means for the next try.
 */
#include <stdio.h>
#include <string.h>

#include "connect/conn_error.h"
#include "connect/conninfo.h"
#include "runner.h"

static const struct {
        const char *message;
        const char *sqlstate;
        const char *text;
} messages[] = {
        {"connection to server at \"10.0.0.1\", port 5432 failed: FATAL:  28P01: password "
         "authentication failed for user \"u\"\nLOCATION:  auth_failed, auth.c:338\n",
         "28P01",
         "connection to server at \"10.0.0.1\", port 5432 failed: FATAL:  password authentication "
         "failed for user \"u\""},
        {"connection to server on socket \"/tmp/.s.PGSQL.1\" failed: No such file or directory\n\t"
         "Is the server running locally?\n",
         "",
         "connection to server on socket \"/tmp/.s.PGSQL.1\" failed: No such file or directory"},
        {"FATAL:  3D000: database \"x\" does not exist\n", "3D000",
         "FATAL:  database \"x\" does not exist"},
        {"ВАЖНО:  28000: нет\n", "28000", "ВАЖНО:  нет"},
        /* A name that looks like one stands in front of the true one. */
        {"server at \":  28P01: x\" failed: FATAL:  53300: too many\n", "53300",
         "server at \":  28P01: x\" failed: FATAL:  too many"},
        {"FATAL:  28P0: no\n", "", "FATAL:  28P0: no"},
        {"FATAL:  28p01: no\n", "", "FATAL:  28p01: no"},
        {"FATAL:  28P01 no\n", "", "FATAL:  28P01 no"},
        {"FATAL:  28P01:no\n", "", "FATAL:  28P01:no"},
        {"FATAL:  28P01: \x1b[2Jred\n", "28P01", "FATAL:  \\x1b[2Jred"},
        {"", "", ""},
        {":  ", "", ":  "},
        {"\n", "", ""},
};
#define N_MESSAGES ((int)(sizeof messages / sizeof messages[0]))

START_TEST(a_message_is_one_line_and_its_sqlstate_apart)
{
        struct conn_error failure = {.sqlstate = "ZZZ00"};

        pipit__conn_error_read(&failure, messages[_i].message);
        ck_assert_str_eq(failure.sqlstate, messages[_i].sqlstate);
        ck_assert_str_eq(failure.text, messages[_i].text);
}
END_TEST

START_TEST(a_long_message_is_cut)
{
        struct conn_error failure;
        char message[5000];

        memset(message, 'x', sizeof message);
        snprintf(message, 20, "FATAL:  28P01: y");
        message[16] = 'x';
        message[sizeof message - 1] = '\0';
        pipit__conn_error_read(&failure, message);
        ck_assert_str_eq(failure.sqlstate, "28P01");
        ck_assert_uint_lt(strlen(failure.text), sizeof failure.text);
        ck_assert_uint_gt(strlen(failure.text), sizeof failure.text - 10);
}
END_TEST

static const struct {
        struct conninfo_host host;
        const char *text;
} places[] = {
        {{(char[]){"db.example"}, (char[]){""}, (char[]){"5432"}}, "db.example:5432"},
        {{(char[]){"db.example"}, (char[]){"10.0.0.1"}, (char[]){"7"}}, "db.example:7"},
        {{(char[]){""}, (char[]){"10.0.0.1"}, (char[]){"7"}}, "10.0.0.1:7"},
        {{(char[]){"/run/pg"}, (char[]){""}, (char[]){"7"}}, "/run/pg/.s.PGSQL.7"},
        {{(char[]){"@pg"}, (char[]){""}, (char[]){"7"}}, "@pg/.s.PGSQL.7"},
        {{(char[]){""}, (char[]){""}, (char[]){"5432"}}, "local socket, port 5432"},
};
#define N_PLACES ((int)(sizeof places / sizeof places[0]))

START_TEST(a_place_has_a_name_for_people)
{
        struct conn_error failure;

        pipit__conn_error_set_host(&failure, &places[_i].host);
        ck_assert_str_eq(failure.host, places[_i].text);
}
END_TEST

static const struct {
        const char *sqlstate;
        bool permanent;
} states[] = {
        {"28P01", true},  {"28000", true},  {"3D000", true},  {"22023", true},  {"42704", true},
        {"42501", true},  {"0A000", true},  {"", false},      {"53300", false}, {"57P03", false},
        {"08006", false}, {"08P01", false}, {"XX000", false}, {"55000", false},
};
#define N_STATES ((int)(sizeof states / sizeof states[0]))

START_TEST(only_what_somebody_must_change_is_permanent)
{
        struct conn_error failure = {0};

        snprintf(failure.sqlstate, sizeof failure.sqlstate, "%s", states[_i].sqlstate);
        ck_assert_int_eq(pipit__conn_error_is_permanent(&failure), states[_i].permanent);
}
END_TEST

static const struct {
        const char *text;
        bool permanent;
} pooler_texts[] = {
        {"FATAL:  no such database: x", true},
        {"FATAL:  database \"x\" does not exist", true},
        {"FATAL:  no such user: x", true},
        {"FATAL:  unsupported startup parameter: options", true},
        {"FATAL:  password authentication failed", true},
        {"FATAL:  SSL required", true},
        {"FATAL:  pgbouncer cannot connect to server", false},
        {"FATAL:  server login has been failing, try again later (server_login_retry)", false},
        {"FATAL:  no more connections allowed (max_client_conn)", false},
        {"FATAL:  query_wait_timeout", false},
};
#define N_POOLER_TEXTS ((int)(sizeof pooler_texts / sizeof pooler_texts[0]))

START_TEST(what_a_pooler_means_is_in_its_words)
{
        struct conn_error failure = {.sqlstate = "08P01"};

        snprintf(failure.text, sizeof failure.text, "%s", pooler_texts[_i].text);
        ck_assert_int_eq(pipit__conn_error_is_permanent(&failure), pooler_texts[_i].permanent);
        strcpy(failure.sqlstate, "08006");
        ck_assert(!pipit__conn_error_is_permanent(&failure));
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("conn_error");
        TCase *tcase = tcase_create("text");

        tcase_add_loop_test(tcase, a_message_is_one_line_and_its_sqlstate_apart, 0, N_MESSAGES);
        tcase_add_test(tcase, a_long_message_is_cut);
        tcase_add_loop_test(tcase, a_place_has_a_name_for_people, 0, N_PLACES);
        tcase_add_loop_test(tcase, only_what_somebody_must_change_is_permanent, 0, N_STATES);
        tcase_add_loop_test(tcase, what_a_pooler_means_is_in_its_words, 0, N_POOLER_TEXTS);
        suite_add_tcase(suite, tcase);
        return suite;
}
