/* Whom a connect believes, and what it gives away. */
#include <pipit/error.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pq/pq_connect.h"
#include "runner.h"
#include "urls.h"

/* The user's home as it is in passwd, whoever runs the test. */
static const char *home = "/nonexistent";

int __wrap_getpwuid_r(uid_t uid, struct passwd *user, char *memory, size_t size,
                      struct passwd **ret_found);

int
__wrap_getpwuid_r(uid_t uid, struct passwd *user, char *memory, size_t size,
                  struct passwd **ret_found)
{
        (void)uid;
        snprintf(memory, size, "%s", home);
        *user = (struct passwd){.pw_dir = memory};
        *ret_found = user;
        return 0;
}

/* Whether libpq has require_auth; -1: as it is. */
static int has_require_auth = -1;

bool __real_pipit__pq_has_require_auth(void);
bool __wrap_pipit__pq_has_require_auth(void);

bool
__wrap_pipit__pq_has_require_auth(void)
{
        return has_require_auth < 0 ? __real_pipit__pq_has_require_auth() : has_require_auth;
}

/* What sslmode comes to; NULL is libpq's default. */
static const struct {
        const char *url;
        const char *environment;
        const char *option;
        const char *address;
        const char *sslmode;
} modes[] = {
        {"host=db.example", NULL, NULL, "10.0.0.1", "verify-full"},
        {"host=db.example", NULL, NULL, "2001:db8::1", "verify-full"},
        {"host=db.example", NULL, NULL, "126.0.0.1", "verify-full"},
        {"hostaddr=10.0.0.1", NULL, NULL, "10.0.0.1", "verify-full"},
        {"host=localhost", NULL, NULL, "127.0.0.1", NULL},
        {"host=localhost", NULL, NULL, "::1", NULL},
        {"host=127.0.0.1 hostaddr=10.0.0.1", NULL, NULL, "10.0.0.1", "verify-full"},
        {"host=localhost", NULL, NULL, "10.0.0.1", "verify-full"},
        {"host=/run/pg", NULL, NULL, "", NULL},
        {"", NULL, NULL, "", NULL},
        {"host=db.example sslmode=disable", NULL, NULL, "10.0.0.1", "disable"},
        {"host=db.example sslmode=prefer", NULL, NULL, "10.0.0.1", "prefer"},
        {"host=db.example sslmode=require", "disable", "disable", "10.0.0.1", "require"},
        {"host=db.example", "require", NULL, "10.0.0.1", "require"},
        {"host=db.example", "prefer", NULL, "10.0.0.1", "prefer"},
        {"host=db.example", "require", "disable", "10.0.0.1", "require"},
        {"host=db.example", NULL, "require", "10.0.0.1", "require"},
        {"host=db.example", NULL, "disable", "10.0.0.1", "disable"},
        {"host=localhost", NULL, "verify-ca", "127.0.0.1", "verify-ca"},
};
#define N_MODES ((int)(sizeof modes / sizeof modes[0]))

START_TEST(a_host_that_is_not_this_machine_must_prove_itself)
{
        options.sslmode = modes[_i].option;
        if (modes[_i].environment != NULL)
                setenv("PGSSLMODE", modes[_i].environment, 1);
        read_well(modes[_i].url);
        connect_to(0, modes[_i].address);
        const char *sslmode = parameter("sslmode");
        ck_assert_ptr_nonnull(sslmode);
        ck_assert_str_eq(sslmode, modes[_i].sslmode != NULL ? modes[_i].sslmode : "prefer");
}
END_TEST

START_TEST(each_host_has_its_own_default)
{
        read_well("host=/run/pg,db.example,localhost");
        connect_to(0, "");
        ck_assert_str_eq(parameter("sslmode"), "prefer");
        connect_to(1, "10.0.0.1");
        ck_assert_str_eq(parameter("sslmode"), "verify-full");
        connect_to(2, "127.0.0.1");
        ck_assert_str_eq(parameter("sslmode"), "prefer");
}
END_TEST

START_TEST(to_verify_the_system_s_certificates_are_taken)
{
        read_well("host=db.example");
        connect_to(0, "10.0.0.1");
        const char *roots = parameter("sslrootcert");
        if (pipit__pq_has_system_roots())
                ck_assert_pstr_eq(roots, "system");
        else if (access("/etc/ssl/certs/ca-certificates.crt", R_OK) == 0)
                ck_assert_pstr_eq(roots, "/etc/ssl/certs/ca-certificates.crt");
}
END_TEST

START_TEST(certificates_of_the_user_s_own_come_first)
{
        char path[128];

        snprintf(path, sizeof path, "%s/.postgresql", folder);
        ck_assert_int_eq(mkdir(path, 0700), 0);
        write_file(".postgresql/root.crt", "");
        read_well("host=db.example");
        connect_to(0, "10.0.0.1");
        ck_assert_ptr_null(parameter("sslrootcert"));
}
END_TEST

/* libpq looks into the home of passwd then. */
START_TEST(certificates_of_the_user_s_own_are_found_without_home)
{
        char path[128];

        snprintf(path, sizeof path, "%s/.postgresql", folder);
        ck_assert_int_eq(mkdir(path, 0700), 0);
        write_file(".postgresql/root.crt", "");
        if (_i == 0)
                unsetenv("HOME");
        else
                setenv("HOME", "", 1);
        home = folder;
        read_well("host=db.example");
        connect_to(0, "10.0.0.1");
        ck_assert_ptr_null(parameter("sslrootcert"));
}
END_TEST

START_TEST(an_empty_name_of_certificates_is_none)
{
        read_well("host=db.example sslrootcert=''");
        connect_to(0, "10.0.0.1");
        ck_assert_ptr_nonnull(parameter("sslrootcert"));
}
END_TEST

START_TEST(certificates_that_are_named_come_first)
{
        read_well("host=db.example sslrootcert=/my/roots");
        connect_to(0, "10.0.0.1");
        ck_assert_str_eq(parameter("sslmode"), "verify-full");
        ck_assert_str_eq(parameter("sslrootcert"), "/my/roots");
        connect_to(0, "127.0.0.1");
        ck_assert_str_eq(parameter("sslrootcert"), "/my/roots");
}
END_TEST

START_TEST(without_verification_no_certificates_are_named)
{
        read_well("host=db.example sslmode=require");
        connect_to(0, "10.0.0.1");
        ck_assert_ptr_null(parameter("sslrootcert"));
}
END_TEST

START_TEST(kerberos_is_off_unless_it_is_required)
{
        setenv("PGGSSENCMODE", "prefer", 1);
        read_url("host=db.example");
        connect_to(0, "10.0.0.1");
        const char *mode = parameter("gssencmode");
        ck_assert(mode == NULL || strcmp(mode, "prefer") != 0);
}
END_TEST

/* What require_auth comes to where libpq has it; NULL is pipit's. */
static const struct {
        const char *url;
        const char *environment;
        const char *methods;
} auths[] = {
        {"host=db.example", NULL, NULL},
        {"host=/run/pg", NULL, NULL},
        {"host=db.example require_auth=''", NULL, NULL}, /* names none */
        {"host=db.example", "", NULL},
        {"host=db.example require_auth=gss", NULL, "gss"},
        {"host=db.example require_auth=!password", NULL, "!password"},
        {"host=db.example", "gss,scram-sha-256", "gss,scram-sha-256"},
        {"host=db.example require_auth=none", "gss", "none"},
};
#define N_AUTHS ((int)(sizeof auths / sizeof auths[0]))

START_TEST(a_server_must_not_ask_for_kerberos_unless_methods_are_named)
{
        bool has = pipit__pq_has_require_auth();

        if (auths[_i].environment != NULL)
                setenv("PGREQUIREAUTH", auths[_i].environment, 1);
        if (!has && strstr(auths[_i].url, "require_auth") != NULL) {
                ck_assert_int_eq(read_url(auths[_i].url), PIPIT_EINVAL);
                return;
        }
        read_well(auths[_i].url);
        connect_to(0, "10.0.0.1");
        const char *methods = auths[_i].methods != NULL ? auths[_i].methods : "!gss,!sspi";
        ck_assert_pstr_eq(parameter("require_auth"), has ? methods : NULL);
}
END_TEST

START_TEST(an_old_libpq_is_not_given_a_parameter_that_it_does_not_know)
{
        has_require_auth = _i;
        read_well("host=db.example");
        connect_to(0, "10.0.0.1");
        ck_assert_pstr_eq(parameter("require_auth"), _i == 1 ? "!gss,!sspi" : NULL);
}
END_TEST

static const char *
give_password(void *arg)
{
        int *n = arg;

        return ++*n == 1 ? "first" : *n == 2 ? "second" : NULL;
}

START_TEST(the_password_is_asked_for_at_each_connect)
{
        int n = 0;

        options.password = give_password;
        options.password_arg = &n;
        read_well("host=a password=url");
        ck_assert_int_eq(n, 0);
        connect_to(0, "10.0.0.1");
        ck_assert_str_eq(parameter("password"), "first");
        connect_to(0, "10.0.0.1");
        ck_assert_str_eq(parameter("password"), "second");
        connect_to(0, "10.0.0.1");
        ck_assert_str_eq(parameter("password"), "url");
        ck_assert_int_eq(n, 3);
}
END_TEST

START_TEST(without_callback_the_password_is_the_url_s_or_the_environment_s)
{
        setenv("PGPASSWORD", "environment", 1);
        read_well("host=a");
        connect_to(0, "10.0.0.1");
        ck_assert_str_eq(parameter("password"), "environment");
        pipit__conninfo_fini(&info);
        read_well("host=a password=url");
        connect_to(0, "10.0.0.1");
        ck_assert_str_eq(parameter("password"), "url");
}
END_TEST

/* Without a password libpq looks for a password file. */
START_TEST(a_password_file_of_others_is_kept_from_libpq)
{
        char path[128];

        write_file("passwords", "");
        snprintf(path, sizeof path, "%s/passwords", folder);
        ck_assert_int_eq(chmod(path, 0644), 0);
        setenv("PGPASSFILE", path, 1);
        read_well("host=a");
        connect_to(0, "10.0.0.1");
        ck_assert_str_ne(parameter("passfile"), path);
        chmod(path, 0600);
        connect_to(0, "10.0.0.1");
        ck_assert_str_eq(parameter("passfile"), path);
        unlink(path);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("conninfo_security");
        TCase *tcase = tcase_create("conninfo_security");

        tcase_add_checked_fixture(tcase, urls_setup, urls_teardown);
        tcase_add_loop_test(tcase, a_host_that_is_not_this_machine_must_prove_itself, 0, N_MODES);
        tcase_add_test(tcase, each_host_has_its_own_default);
        tcase_add_test(tcase, to_verify_the_system_s_certificates_are_taken);
        tcase_add_test(tcase, certificates_of_the_user_s_own_come_first);
        tcase_add_loop_test(tcase, certificates_of_the_user_s_own_are_found_without_home, 0, 2);
        tcase_add_test(tcase, an_empty_name_of_certificates_is_none);
        tcase_add_test(tcase, certificates_that_are_named_come_first);
        tcase_add_test(tcase, without_verification_no_certificates_are_named);
        tcase_add_test(tcase, kerberos_is_off_unless_it_is_required);
        tcase_add_loop_test(tcase, a_server_must_not_ask_for_kerberos_unless_methods_are_named, 0,
                            N_AUTHS);
        tcase_add_loop_test(tcase, an_old_libpq_is_not_given_a_parameter_that_it_does_not_know, 0,
                            2);
        tcase_add_test(tcase, the_password_is_asked_for_at_each_connect);
        tcase_add_test(tcase, without_callback_the_password_is_the_url_s_or_the_environment_s);
        tcase_add_test(tcase, a_password_file_of_others_is_kept_from_libpq);
        suite_add_tcase(suite, tcase);
        return suite;
}
