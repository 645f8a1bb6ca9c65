#include <libpq-fe.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oom.h"
#include "pq/pq.h"
#include "pq/pq_connect.h"
#include "runner.h"

/* The user has this home, whoever runs the test; NULL: there is no such user. */
static const char *home = "/home/of/passwd";

int __wrap_getpwuid_r(uid_t uid, struct passwd *user, char *memory, size_t size,
                      struct passwd **ret_found);

int
__wrap_getpwuid_r(uid_t uid, struct passwd *user, char *memory, size_t size,
                  struct passwd **ret_found)
{
        (void)uid;
        *ret_found = NULL;
        if (home == NULL)
                return 0;
        snprintf(memory, size, "%s", home);
        *user = (struct passwd){.pw_dir = memory};
        *ret_found = user;
        return 0;
}

START_TEST(home_is_of_the_environment)
{
        char out[100];

        setenv("HOME", "/elsewhere", 1);
        ck_assert_int_eq(pipit__pq_home(out, sizeof out), 0);
        ck_assert_str_eq(out, PQlibVersion() >= 150000 ? "/elsewhere" : "/home/of/passwd");
}
END_TEST

START_TEST(without_home_in_the_environment_it_is_of_the_user)
{
        char out[100];

        if (_i == 0)
                unsetenv("HOME");
        else
                setenv("HOME", "", 1);
        ck_assert_int_eq(pipit__pq_home(out, sizeof out), 0);
        ck_assert_str_eq(out, "/home/of/passwd");
        home = NULL;
        ck_assert_int_eq(pipit__pq_home(out, sizeof out), -1);
}
END_TEST

START_TEST(a_home_that_is_too_long_is_none)
{
        char out[5];

        setenv("HOME", "/1234", 1);
        home = "/1234";
        ck_assert_int_eq(pipit__pq_home(out, sizeof out), -1);
        setenv("HOME", "/123", 1);
        home = "/123";
        ck_assert_int_eq(pipit__pq_home(out, sizeof out), 0);
}
END_TEST

/* What libpq has for a keyword, in a connect that fails for its port. */
static char *
value_of(struct pg_conn *pq, const char *keyword)
{
        PQconninfoOption *options = PQconninfo(pq);
        char *value = NULL;

        for (int i = 0; options[i].keyword != NULL; i++) {
                if (strcmp(options[i].keyword, keyword) == 0 && options[i].val != NULL)
                        value = strdup(options[i].val);
        }
        PQconninfoFree(options);
        return value;
}

static void
expect_value(struct pg_conn *pq, const char *keyword, const char *value)
{
        char *found = value_of(pq, keyword);

        ck_assert_pstr_eq(found, value);
        free(found);
}

START_TEST(an_empty_value_wins_over_the_environment)
{
        static const char *const keys[] = {"host", "port", "hostaddr", "application_name", NULL};
        static const char *const values[] = {"/nowhere", "?", "", "", NULL};

        setenv("PGHOSTADDR", "192.0.2.1", 1);
        setenv("PGAPPNAME", "evil", 1);
        struct pg_conn *pq = pipit__pq_start(keys, values);
        expect_value(pq, "hostaddr", "");
        expect_value(pq, "application_name", "");
        expect_value(pq, "host", "/nowhere");
        pipit__pq_finish(pq);
        unsetenv("PGHOSTADDR");
        unsetenv("PGAPPNAME");
}
END_TEST

/* Only what stands in front of the parameters is a connection string. */
static const char *const names[] = {"host=evil", "postgresql://evil", "a b='c", "d"};

START_TEST(a_database_s_name_is_no_connection_string)
{
        const char *keys[] = {"host", "port", "dbname", "passfile", NULL};
        const char *values[] = {"/nowhere", "?", names[_i % 4], _i < 4 ? "" : "/none", NULL};
        struct pg_conn *pq = pipit__pq_start(keys, values);

        expect_value(pq, "dbname", names[_i % 4]);
        expect_value(pq, "host", "/nowhere");
        pipit__pq_finish(pq);
}
END_TEST

START_TEST(an_empty_sslmode_is_refused)
{
        static const char *const keys[] = {"host", "port", "sslmode", NULL};
        static const char *const values[] = {"/nowhere", "?", "", NULL};
        struct pg_conn *pq = pipit__pq_start(keys, values);

        ck_assert_ptr_nonnull(strstr(pipit__pq_message(pq), "sslmode"));
        pipit__pq_finish(pq);
}
END_TEST

START_TEST(without_memory_nothing_is_started)
{
        static const char *const keys[] = {"host", "port", "sslmode", NULL};
        static const char *const values[] = {"/nowhere", "?", "", NULL};
        bool out;
        int n = 0;

        do {
                oom_after(n++);
                struct pg_conn *pq = pipit__pq_start(keys, values);
                out = oom_stop();
                ck_assert_int_eq(pq == NULL, out);
                pipit__pq_finish(pq);
        } while (out);
        ck_assert_int_eq(n, 4);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("pq_connect");
        TCase *tcase = tcase_create("pq_connect");

        tcase_add_test(tcase, home_is_of_the_environment);
        tcase_add_loop_test(tcase, without_home_in_the_environment_it_is_of_the_user, 0, 2);
        tcase_add_test(tcase, a_home_that_is_too_long_is_none);
        tcase_add_test(tcase, an_empty_value_wins_over_the_environment);
        tcase_add_loop_test(tcase, a_database_s_name_is_no_connection_string, 0, 8);
        tcase_add_test(tcase, an_empty_sslmode_is_refused);
        tcase_add_test(tcase, without_memory_nothing_is_started);
        suite_add_tcase(suite, tcase);
        return suite;
}
