/*
 * Allocation torture: the scenario, once for every allocation in it, which fails: it alone, or it
 * and all that follow. Each run is a process of its own, which must end in time, say nothing, give
 * back all memory and all descriptors, and have completed or refused every request.
 *
 * In the environment: PIPIT_TORTURE_EVERY=N tries every n-th place only; PIPIT_TORTURE_TIMERS=N
 * puts timers of the program's on the loop; PIPIT_TORTURE_NAME=1 has the server's name looked up;
 * PIPIT_TORTURE_POINT=P, with PIPIT_TORTURE_ON=1 for "from then on", tries one place in this
 * process, for a debugger.
 */
#include <event2/event.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"
#include "runner.h"
#include "scenario.h"
#include "server.h"

#define GUARD_S   10
#define MAX_FDS   64
#define MAX_WHERE 24

/* What a run tells, in memory that its process shares. */
struct report {
        bool finished;
        bool failed; /* an allocation has */
        long tried;
        long balance;
        int n_fds;
        int n_where;
        void *where[MAX_WHERE];
        char problem[300];
};

static struct report *report;
static const char *url;
static int n_timers;
static int output; /* of a run, which must stay empty */

static int
count_fds(void)
{
        int n = 0;

        for (int fd = 0; fd < MAX_FDS; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}

static void
run_one(long point, enum memory_mode mode)
{
        int n_fds = count_fds();

        memory_start(point, mode);
        scenario_run(url, n_timers, report->problem, sizeof report->problem);
        memory_stop();
        report->failed = memory_failed();
        report->tried = memory_tried();
        report->balance = memory_balance();
        report->n_fds = count_fds() - n_fds;
        report->n_where = memory_where(report->where, MAX_WHERE);
        report->finished = true;
}

static void
judge(int status)
{
        char *problem = report->problem;
        size_t size = sizeof report->problem;

        if (problem[0] != '\0')
                return;
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
                snprintf(problem, size, "it hangs");
        else if (WIFSIGNALED(status))
                snprintf(problem, size, "signal %d", WTERMSIG(status));
        else if (!report->finished)
                snprintf(problem, size, "exit status %d", WEXITSTATUS(status));
        else if (report->balance != 0)
                snprintf(problem, size, "%ld blocks are not freed", report->balance);
        else if (report->n_fds != 0)
                snprintf(problem, size, "%d descriptors are left", report->n_fds);
        else if (lseek(output, 0, SEEK_END) > 0)
                snprintf(problem, size, "it printed something");
}

/* What the run printed, and where its memory failed, for people. */
static void
explain(void)
{
        char text[2000];
        ssize_t n = pread(output, text, sizeof text, 0);

        if (n > 0)
                printf("%.*s\n", (int)n, text);
        fflush(stdout);
        backtrace_symbols_fd(report->where, report->n_where, 1);
}

/* Whether an allocation failed in it; 0 or 1 is added to the failures. */
static bool
run_child(long point, enum memory_mode mode, int *n_failures)
{
        int status;

        memset(report, 0, sizeof *report);
        if (ftruncate(output, 0) != 0 || lseek(output, 0, SEEK_SET) != 0)
                abort();
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0) {
                dup2(output, 1);
                dup2(output, 2);
                signal(SIGALRM, SIG_DFL);
                alarm(GUARD_S);
                run_one(point, mode);
                _exit(0);
        }
        waitpid(pid, &status, 0);
        judge(status);
        if (report->problem[0] != '\0') {
                ++*n_failures;
                printf("point %ld, %s: %s\n", point, mode == MEMORY_ONCE ? "once" : "from then on",
                       report->problem);
                explain();
        }
        return report->failed || !report->finished;
}

static long
run_all(enum memory_mode mode, long every, int *n_failures)
{
        long n = 0;

        for (long point = 0; *n_failures < 100; point += every, n++) {
                if (!run_child(point, mode, n_failures))
                        break;
        }
        return n;
}

static void
quiet(int severity, const char *text)
{
        (void)severity;
        (void)text;
}

static long
setting(const char *name, long otherwise)
{
        const char *text = getenv(name);

        return text != NULL ? strtol(text, NULL, 10) : otherwise;
}

static struct event_base *base;
static struct server *server;

static void
setup(void)
{
        void *frames[1];

        /* The first call of these takes memory for good. */
        backtrace(frames, 1);
        getpwnam("nobody of that name");
        event_set_log_callback(quiet); /* libevent tells what it has no memory for */
        base = event_base_new();
        server = scenario_server(base, setting("PIPIT_TORTURE_NAME", 0) != 0);
        url = server->url;
        n_timers = (int)setting("PIPIT_TORTURE_TIMERS", 0);
        output = memfd_create("output", MFD_CLOEXEC);
        report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                      0);
        ck_assert_ptr_ne(report, MAP_FAILED);
        run_one(-1, MEMORY_ONCE); /* what libraries keep for good is there from now on */
        ck_assert_str_eq(report->problem, "");
}

static void
teardown(void)
{
        server_free(server);
        event_base_free(base);
        close(output);
}

static void
torture(enum memory_mode mode, const char *name)
{
        long every = setting("PIPIT_TORTURE_EVERY", 1);
        int n_failures = 0;

        long n = run_all(mode, every, &n_failures);
        printf("# allocation points (%s): %ld; failures: %d\n", name, n, n_failures);
        fflush(stdout);
        ck_assert_int_eq(n_failures, 0);
        ck_assert_int_gt(n, 0);
}

START_TEST(a_failed_allocation_does_no_harm)
{
        torture(MEMORY_ONCE, "once");
}
END_TEST

START_TEST(memory_that_never_comes_back_does_no_harm)
{
        torture(MEMORY_FROM_ON, "from then on");
}
END_TEST

/* For a debugger, with CK_FORK=no. */
START_TEST(this_point_does_no_harm)
{
        run_one(setting("PIPIT_TORTURE_POINT", -1),
                setting("PIPIT_TORTURE_ON", 0) != 0 ? MEMORY_FROM_ON : MEMORY_ONCE);
        ck_assert_str_eq(report->problem, "");
        ck_assert_int_eq(report->balance, 0);
        ck_assert_int_eq(report->n_fds, 0);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("torture_alloc");
        TCase *tcase = tcase_create("alloc");

        tcase_set_timeout(tcase, 1000);
        tcase_add_checked_fixture(tcase, setup, teardown);
        if (getenv("PIPIT_TORTURE_POINT") != NULL) {
                tcase_add_test(tcase, this_point_does_no_harm);
        } else {
                tcase_add_test(tcase, a_failed_allocation_does_no_harm);
                tcase_add_test(tcase, memory_that_never_comes_back_does_no_harm);
        }
        suite_add_tcase(suite, tcase);
        return suite;
}
