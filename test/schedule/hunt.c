/*
 * The hunt: runs many schedules on all cores, and cuts down those that fail.
 *
 *      schedules [--schedules N] [--seed S] [--jobs J] [--out FOLDER] [--shrink 0]
 *      schedules --replay FILE       runs one schedule and tells each of its steps
 *      schedules --show SEED         the same for a seed
 *
 * The i-th run has the seed S + i. The last line is "schedules: N; per second: X; per core and
 * second: Y; actions each: A; requests each: R; failures: F; seed: S", where Y is for a second that
 * a core was busy with them. A schedule that failed is written to FOLDER/SEED.sched, as small as
 * could be made.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "file.h"
#include "run.h"
#include "shrink.h"
#include "world.h"

#define MAX_JOBS     64
#define MAX_FAILURES 4  /* of one job: then it stops */
#define MAX_SECONDS  60 /* for 256 runs */

static struct {
        uint64_t n;
        uint64_t seed;
        unsigned jobs;
        unsigned long shrink; /* 0: what fails stays as it is, and only one does */
        const char *folder;
        const char *replay;
        const char *show;
} hunt = {.n = 10000, .seed = 1, .shrink = 1, .folder = "."};

struct job {
        struct shared *shared;
        pid_t pid;
};

const char *__asan_default_options(void);

/* Runs are short and many, and to keep who has allocated what takes a third of them: that is for
 * the replay of one that failed. */
const char *
__asan_default_options(void)
{
        return "malloc_context_size=0:quarantine_size_mb=4:max_malloc_fill_size=512";
}

static int64_t
now_ms(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Runs seeds until one fails, which ends the process, or there are no more. */
static void
run_seeds(struct shared *shared, uint64_t seed)
{
        shared_report_to(shared);
        for (; seed < hunt.seed + hunt.n; seed += hunt.jobs) {
                if (shared->n_done % 256 == 0)
                        alarm(MAX_SECONDS);
                shared->seed = seed;
                choose_from_seed(seed, &shared->taken);
                run_schedule();
                shared->n_done++;
                shared->n_actions += run_figures.actions;
                shared->n_requests += run_figures.requests;
        }
}

static void
write_schedule(const char *path, uint64_t seed, const struct taken *schedule, const char *text)
{
        FILE *file = fopen(path, "w");
        if (file == NULL) {
                perror(path);
                return;
        }
        fprintf(file, "# seed %" PRIu64 ": %s\n", seed, text);
        schedule_print(file, schedule);
        fclose(file);
        fprintf(stderr, "the schedule is in %s\n", path);
}

/* Has a fresh program tell the steps of a schedule, with all that the sanitizer can say. */
static void
tell_steps(const char *path)
{
        pid_t pid = fork();

        if (pid == 0) {
                alarm(MAX_SECONDS);
                setenv("ASAN_OPTIONS", "malloc_context_size=30", 0);
                execl("/proc/self/exe", "schedules", "--replay", path, (char *)NULL);
                _exit(EXIT_FAILURE);
        }
        if (pid > 0)
                waitpid(pid, NULL, 0);
}

/* Finds the smallest schedule that fails as this seed does, and tells its steps. */
static void
explain(struct shared *shared, uint64_t seed)
{
        struct verdict verdict;
        char path[400];

        run_seed_apart(shared, seed, &verdict);
        struct taken schedule = shared->taken;
        fprintf(stderr, "seed %" PRIu64 " failed, status %d: %s\n", seed, verdict.status,
                verdict.text[0] != '\0' ? verdict.text : "it crashed, or it hung");
        if (!verdict.failed) {
                fprintf(stderr, "but not by itself: it depends on the runs before it\n");
                return;
        }
        if (hunt.shrink == 0)
                return;
        shrink(shared, &schedule, &verdict);
        snprintf(path, sizeof path, "%s/%" PRIu64 ".sched", hunt.folder, seed);
        write_schedule(path, seed, &schedule, verdict.text);
        schedule_print(stderr, &schedule);
        tell_steps(path);
}

/* One job: a child runs seeds; when it dies, its seed is looked into, and another goes on. */
static int
work(struct shared *shared, unsigned job)
{
        uint64_t seed = hunt.seed + job;
        int n_failures = 0;

        while (seed < hunt.seed + hunt.n && n_failures < MAX_FAILURES) {
                int status;
                pid_t pid = fork();
                if (pid == 0) {
                        run_seeds(shared, seed);
                        _exit(0);
                }
                if (pid < 0 || waitpid(pid, &status, 0) < 0)
                        return MAX_FAILURES;
                if (status == 0)
                        break;
                n_failures++;
                seed = shared->seed;
                explain(shared, seed);
                seed += hunt.jobs;
                if (hunt.shrink == 0)
                        break;
        }
        return n_failures;
}

/* Milliseconds of cores that children took. */
static int64_t
busy_ms(void)
{
        struct rusage used;

        getrusage(RUSAGE_CHILDREN, &used);
        return (int64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 +
               (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000;
}

static void
print_figures(const struct shared *sum, int64_t took_ms, int n_failures)
{
        double n = sum->n_done > 0 ? (double)sum->n_done : 1;
        int64_t busy = busy_ms();

        printf("schedules: %" PRIu64 "; per second: %.0f; per core and second: %.0f; "
               "actions each: %.1f; requests each: %.1f; failures: %d; seed: %" PRIu64 "\n",
               sum->n_done, (double)sum->n_done * 1000 / (double)(took_ms > 0 ? took_ms : 1),
               (double)sum->n_done * 1000 / (double)(busy > 0 ? busy : 1),
               (double)sum->n_actions / n, (double)sum->n_requests / n, n_failures, hunt.seed);
}

static int
run_jobs(void)
{
        static struct shared sum;
        struct job jobs[MAX_JOBS];
        int n_failures = 0;
        int64_t begun = now_ms();

        for (unsigned i = 0; i < hunt.jobs; i++) {
                jobs[i].shared = shared_new();
                if (jobs[i].shared == NULL)
                        return EXIT_FAILURE;
                jobs[i].pid = fork();
                if (jobs[i].pid == 0)
                        _exit(work(jobs[i].shared, i));
        }
        for (unsigned i = 0; i < hunt.jobs; i++) {
                int status = 0;
                if (jobs[i].pid < 0 || waitpid(jobs[i].pid, &status, 0) < 0 || !WIFEXITED(status))
                        n_failures++;
                else
                        n_failures += WEXITSTATUS(status);
                sum.n_done += jobs[i].shared->n_done;
                sum.n_actions += jobs[i].shared->n_actions;
                sum.n_requests += jobs[i].shared->n_requests;
        }
        print_figures(&sum, now_ms() - begun, n_failures);
        return n_failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
run_one(void)
{
        static struct taken schedule;
        static struct taken taken;

        world.tracing = true;
        if (hunt.show != NULL) {
                choose_from_seed(strtoull(hunt.show, NULL, 10), &taken);
        } else if (schedule_read(hunt.replay, &schedule) != 0) {
                fprintf(stderr, "%s is no schedule\n", hunt.replay);
                return EXIT_FAILURE;
        } else {
                choose_from_bytes(schedule.bytes, schedule.n, &taken);
        }
        printf("digest: %016" PRIx64 "\n", run_schedule());
        return EXIT_SUCCESS;
}

/* One option and its value; false when there is no such option. */
static bool
take_option(const char *name, const char *value)
{
        if (strcmp(name, "--schedules") == 0)
                hunt.n = strtoull(value, NULL, 10);
        else if (strcmp(name, "--seed") == 0)
                hunt.seed = strtoull(value, NULL, 10);
        else if (strcmp(name, "--jobs") == 0)
                hunt.jobs = (unsigned)strtoul(value, NULL, 10);
        else if (strcmp(name, "--shrink") == 0)
                hunt.shrink = strtoul(value, NULL, 10);
        else if (strcmp(name, "--out") == 0)
                hunt.folder = value;
        else if (strcmp(name, "--replay") == 0)
                hunt.replay = value;
        else if (strcmp(name, "--show") == 0)
                hunt.show = value;
        else
                return false;
        return true;
}

int
main(int argc, char **argv)
{
        long cores = sysconf(_SC_NPROCESSORS_ONLN);

        hunt.jobs = cores > 0 ? (unsigned)cores : 1;
        for (int i = 1; i < argc; i += 2) {
                if (i + 1 == argc || !take_option(argv[i], argv[i + 1])) {
                        fprintf(stderr, "%s: see the head of hunt.c\n", argv[i]);
                        return EXIT_FAILURE;
                }
        }
        if (hunt.jobs == 0 || hunt.jobs > MAX_JOBS)
                hunt.jobs = 1;
        return hunt.replay != NULL || hunt.show != NULL ? run_one() : run_jobs();
}
