/*
 * The examples, as they are built: what they print, and that they end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live.h"

/* A database of the test's own, for the quickstart makes its table in the schema "public". */
static char name[40];
static char url[600];

static void
execute_on_name(const char *before, const char *after)
{
        char sql[100];

        snprintf(sql, sizeof sql, "%s %s %s", before, name, after);
        execute(sql);
}

static void
setup(void)
{
        bool uri = strstr(live_url(), "://") != NULL;
        const char *between = uri ? (strchr(live_url(), '?') != NULL ? "&" : "?") : " ";

        live_setup();
        snprintf(name, sizeof name, "pipit_quickstart_%d", (int)getpid());
        snprintf(url, sizeof url, "%s%sdbname=%s", live_url(), between, name);
        execute_on_name("DROP DATABASE IF EXISTS", "");
        execute_on_name("CREATE DATABASE", "TEMPLATE template0");
}

static void
teardown(void)
{
        execute_on_name("DROP DATABASE", "WITH (FORCE)");
        live_teardown();
}

/* Runs a shell command with DATABASE_URL and gives its exit status. */
static int
run(const char *database_url, const char *command, char *output, size_t size)
{
        ck_assert_int_eq(setenv("DATABASE_URL", database_url, 1), 0);
        FILE *pipe = popen(command, "r");
        ck_assert_ptr_nonnull(pipe);
        size_t n = fread(output, 1, size - 1, pipe);
        output[n] = '\0';
        int status = pclose(pipe);
        ck_assert(WIFEXITED(status));
        return WEXITSTATUS(status);
}

START_TEST(it_prints_its_two_lines)
{
        char output[500];

        ck_assert_int_eq(run(url, "'" QUICKSTART "'", output, sizeof output), 0);
        ck_assert_str_eq(output, "Was: Peewee is AWESOME with async!\n"
                                 "New: Peewee is SUPER awesome with async!\n");
}
END_TEST

START_TEST(it_says_nothing_else)
{
        char output[500];

        ck_assert_int_eq(run(url, "'" QUICKSTART "' 2>&1 >/dev/null", output, sizeof output), 0);
        ck_assert_str_eq(output, "");
}
END_TEST

START_TEST(a_second_run_ends_with_the_servers_error)
{
        char output[500];

        ck_assert_int_eq(run(url, "'" QUICKSTART "'", output, sizeof output), 0);
        ck_assert_int_eq(run(url, "'" QUICKSTART "' 2>&1 >/dev/null", output, sizeof output), 1);
        ck_assert_ptr_nonnull(strstr(output, "page_block_key_key"));
        ck_assert_int_eq(run(url, "'" QUICKSTART "' 2>/dev/null", output, sizeof output), 1);
        ck_assert_str_eq(output, "");
}
END_TEST

START_TEST(a_database_that_is_not_there_is_named_and_ends_it)
{
        char output[1000];
        char missing[620];

        snprintf(missing, sizeof missing, "%s_not", url);
        ck_assert_int_eq(run(missing, "'" QUICKSTART "' 2>&1", output, sizeof output), 1);
        ck_assert_ptr_eq(strstr(output, "quickstart: "), output);
        ck_assert_ptr_nonnull(strstr(output, strcat(name, "_not")));
        name[strlen(name) - strlen("_not")] = '\0';
}
END_TEST

START_TEST(transfers_that_collide_run_again_and_none_is_lost)
{
        char output[500];

        ck_assert_int_eq(run(url, "'" TRANSFER "'", output, sizeof output), 0);
        ck_assert_str_eq(output, "Moved: 3, refused: 2\n"
                                 "Total: 30\n");
}
END_TEST

START_TEST(transfers_can_be_run_again)
{
        char output[500];

        ck_assert_int_eq(run(url, "'" TRANSFER "'", output, sizeof output), 0);
        ck_assert_int_eq(run(url, "'" TRANSFER "' | head -n 1", output, sizeof output), 0);
        ck_assert_str_eq(output, "Moved: 3, refused: 2\n");
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("quickstart");
        TCase *tcase = tcase_create("quickstart");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, it_prints_its_two_lines);
        tcase_add_test(tcase, it_says_nothing_else);
        tcase_add_test(tcase, a_second_run_ends_with_the_servers_error);
        tcase_add_test(tcase, a_database_that_is_not_there_is_named_and_ends_it);
        tcase_add_test(tcase, transfers_that_collide_run_again_and_none_is_lost);
        tcase_add_test(tcase, transfers_can_be_run_again);
        suite_add_tcase(suite, tcase);
        return suite;
}
