#include <fcntl.h>
#include <pipit/options.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connect/passfile.h"
#include "oom.h"
#include "runner.h"

static char folder[64];
static char path[100];
static bool is_known; /* the user has the folder for his home */

int __wrap_getpwuid_r(uid_t uid, struct passwd *user, char *memory, size_t size,
                      struct passwd **ret_found);

int
__wrap_getpwuid_r(uid_t uid, struct passwd *user, char *memory, size_t size,
                  struct passwd **ret_found)
{
        (void)uid;
        snprintf(memory, size, "%s", folder);
        *user = (struct passwd){.pw_dir = memory};
        *ret_found = is_known ? user : NULL;
        return 0;
}

/* Lines of the log, and the last of them. */
static struct lines {
        int n;
        char last[1024];
} lines;

static void
on_line(enum pipit_log_level level, const char *line, void *arg)
{
        struct lines *to = arg;

        ck_assert_int_eq(level, PIPIT_LOG_WARNING);
        to->n++;
        snprintf(to->last, sizeof to->last, "%s", line);
}

static const struct pipit_options options = {.log = on_line, .log_arg = &lines};

static void
setup(void)
{
        lines = (struct lines){0};
        is_known = true;
        snprintf(folder, sizeof folder, "/tmp/passfile-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(folder));
        snprintf(path, sizeof path, "%s/.pgpass", folder);
        int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        ck_assert_int_ge(fd, 0);
        close(fd);
}

static void
teardown(void)
{
        unlink(path);
        ck_assert_int_eq(rmdir(folder), 0);
}

START_TEST(a_private_file_is_libpqs_business)
{
        struct passfile *passfile = pipit__passfile_new(path, &options);

        ck_assert_str_eq(pipit__passfile_path(passfile), path);
        ck_assert_int_eq(chmod(path, 0400), 0);
        ck_assert_str_eq(pipit__passfile_path(passfile), path);
        unlink(path);
        ck_assert_str_eq(pipit__passfile_path(passfile), path);
        ck_assert_int_eq(lines.n, 0);
        pipit__passfile_free(passfile);
}
END_TEST

static void
expect_kept(struct passfile *passfile)
{
        ck_assert_str_ne(pipit__passfile_path(passfile), path);
        ck_assert_int_ne(access(pipit__passfile_path(passfile), F_OK), 0);
}

static const mode_t open_modes[] = {0640, 0604, 0620, 0602, 0610, 0601, 0644, 0777};

START_TEST(a_file_of_others_is_kept_from_libpq_and_told_once)
{
        struct passfile *passfile = pipit__passfile_new(path, &options);

        ck_assert_int_eq(chmod(path, open_modes[_i]), 0);
        for (int i = 0; i < 3; i++)
                expect_kept(passfile);
        ck_assert_int_eq(lines.n, 1);
        ck_assert_ptr_nonnull(strstr(lines.last, path));
        ck_assert_ptr_nonnull(strstr(lines.last, "0600"));
        pipit__passfile_free(passfile);
}
END_TEST

START_TEST(a_file_that_was_mended_is_read_and_a_new_fault_is_told)
{
        struct passfile *passfile = pipit__passfile_new(path, &options);

        chmod(path, 0644);
        expect_kept(passfile);
        chmod(path, 0600);
        ck_assert_str_eq(pipit__passfile_path(passfile), path);
        chmod(path, 0644);
        expect_kept(passfile);
        ck_assert_int_eq(lines.n, 2);
        pipit__passfile_free(passfile);
}
END_TEST

START_TEST(a_folder_is_no_password_file)
{
        struct passfile *passfile = pipit__passfile_new(folder, &options);

        expect_kept(passfile);
        ck_assert_int_eq(lines.n, 1);
        ck_assert_ptr_nonnull(strstr(lines.last, "plain file"));
        pipit__passfile_free(passfile);
}
END_TEST

START_TEST(nobody_has_to_listen)
{
        static const struct pipit_options silent;
        struct passfile *passfile = pipit__passfile_new(path, &silent);

        chmod(path, 0644);
        expect_kept(passfile);
        pipit__passfile_free(passfile);
        pipit__passfile_free(NULL);
}
END_TEST

START_TEST(without_a_name_the_file_is_in_the_home)
{
        unsetenv("HOME");
        struct passfile *passfile = pipit__passfile_new("", &options);
        ck_assert_str_eq(pipit__passfile_path(passfile), path);
        pipit__passfile_free(passfile);
        is_known = false;
        passfile = pipit__passfile_new("", &options);
        ck_assert_str_eq(pipit__passfile_path(passfile), "");
        pipit__passfile_free(passfile);
}
END_TEST

START_TEST(without_memory_there_is_none)
{
        oom_after(0);
        ck_assert_ptr_null(pipit__passfile_new(path, &options));
        ck_assert(oom_stop());
        oom_after(1);
        struct passfile *passfile = pipit__passfile_new(path, &options);
        ck_assert(!oom_stop());
        ck_assert_ptr_nonnull(passfile);
        pipit__passfile_free(passfile);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("passfile");
        TCase *tcase = tcase_create("passfile");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, a_private_file_is_libpqs_business);
        tcase_add_loop_test(tcase, a_file_of_others_is_kept_from_libpq_and_told_once, 0,
                            (int)(sizeof open_modes / sizeof open_modes[0]));
        tcase_add_test(tcase, a_file_that_was_mended_is_read_and_a_new_fault_is_told);
        tcase_add_test(tcase, a_folder_is_no_password_file);
        tcase_add_test(tcase, nobody_has_to_listen);
        tcase_add_test(tcase, without_a_name_the_file_is_in_the_home);
        tcase_add_test(tcase, without_memory_there_is_none);
        suite_add_tcase(suite, tcase);
        return suite;
}
