#include <pipit/error.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/owner.h"
#include "runner.h"

static struct owner owner;

static void
setup(void)
{
        pipit__owner_init(&owner);
}

static void
teardown(void)
{
        pipit__owner_fini(&owner);
}

/* What the check says in a child of this process, as a positive number. */
static int
check_in_child(void)
{
        int status = -1;
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0)
                _exit(-pipit__owner_check(&owner));
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static void *
check_in_thread(void *arg)
{
        int *code = arg;

        *code = pipit__owner_check(&owner);
        return NULL;
}

START_TEST(the_owner_may)
{
        ck_assert_int_eq(pipit__owner_check(&owner), 0);
}
END_TEST

START_TEST(another_thread_may_not)
{
        pthread_t thread;
        int code = 0;

        ck_assert_int_eq(pthread_create(&thread, NULL, check_in_thread, &code), 0);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        ck_assert_int_eq(code, PIPIT_ETHREAD);
        ck_assert_int_eq(pipit__owner_check(&owner), 0);
}
END_TEST

START_TEST(a_forked_child_may_not)
{
        ck_assert_int_eq(check_in_child(), -PIPIT_EFORK);
        ck_assert_int_eq(pipit__owner_check(&owner), 0);
}
END_TEST

START_TEST(without_a_page_that_forks_wipe_the_process_number_tells)
{
        pipit__owner_fini(&owner);
        ck_assert_ptr_null(owner.alive);
        ck_assert_int_eq(pipit__owner_check(&owner), 0);
        ck_assert_int_eq(check_in_child(), -PIPIT_EFORK);
}
END_TEST

START_TEST(the_end_may_come_twice)
{
        pipit__owner_fini(&owner);
        pipit__owner_fini(&owner);
        ck_assert_ptr_null(owner.alive);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("owner");
        TCase *tcase = tcase_create("owner");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, the_owner_may);
        tcase_add_test(tcase, another_thread_may_not);
        tcase_add_test(tcase, a_forked_child_may_not);
        tcase_add_test(tcase, without_a_page_that_forks_wipe_the_process_number_tells);
        tcase_add_test(tcase, the_end_may_come_twice);
        suite_add_tcase(suite, tcase);
        return suite;
}
