/*
 * Shrinking. See shrink.h.
 */
#include "shrink.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"
#include "world.h"

#define MAX_RERUNS     2000
#define MAX_SECONDS    10
#define EXIT_BROKEN    3
#define SAME_BEGINNING 4 /* characters of two texts that say the same: "I11:" */

static struct shared *reporting;
static int n_reruns;
static bool hushed;

void __asan_on_error(void);

/* Of a report that nobody sees the sanitizer need not look up the names. */
void
__asan_on_error(void)
{
        if (hushed)
                _exit(EXIT_FAILURE);
}

struct shared *
shared_new(void)
{
        void *memory = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        return memory != MAP_FAILED ? memory : NULL;
}

static void
report(const char *text)
{
        snprintf(reporting->text, sizeof reporting->text, "%s", text);
        _exit(EXIT_BROKEN);
}

void
shared_report_to(struct shared *shared)
{
        reporting = shared;
        world_on_broken(report);
}

static void
hush(void)
{
        int nowhere = open("/dev/null", O_WRONLY);

        hushed = true;
        if (nowhere >= 0)
                dup2(nowhere, STDERR_FILENO);
}

static void
verdict_wait(pid_t pid, const struct shared *shared, struct verdict *verdict)
{
        waitpid(pid, &verdict->status, 0);
        verdict->failed = verdict->status != 0;
        snprintf(verdict->text, sizeof verdict->text, "%s", shared->text);
}

static pid_t
fork_run(struct shared *shared)
{
        shared->text[0] = '\0';
        fflush(NULL);
        pid_t pid = fork();
        if (pid < 0)
                exit(EXIT_FAILURE);
        if (pid == 0) {
                alarm(MAX_SECONDS);
                shared_report_to(shared);
        }
        return pid;
}

void
run_apart(struct shared *shared, const struct taken *schedule, struct verdict *ret_verdict)
{
        pid_t pid = fork_run(shared);

        if (pid == 0) {
                hush();
                choose_from_bytes(schedule->bytes, schedule->n, &shared->taken);
                run_schedule();
                _exit(0);
        }
        verdict_wait(pid, shared, ret_verdict);
}

void
run_seed_apart(struct shared *shared, uint64_t seed, struct verdict *ret_verdict)
{
        pid_t pid = fork_run(shared);

        if (pid == 0) {
                hush();
                choose_from_seed(seed, &shared->taken);
                run_schedule();
                _exit(0);
        }
        verdict_wait(pid, shared, ret_verdict);
}

/* Whether a candidate still fails, in the same way; then it is what there is. */
static bool
shrink_try(struct shared *shared, struct taken *schedule, const struct taken *candidate,
           const struct verdict *verdict)
{
        struct verdict now;

        if (++n_reruns > MAX_RERUNS)
                return false;
        run_apart(shared, candidate, &now);
        if (!now.failed || now.status != verdict->status ||
            strncmp(now.text, verdict->text, SAME_BEGINNING) != 0)
                return false;
        *schedule = *candidate;
        return true;
}

/* Takes n bytes out, wherever that is possible; whether it was. */
static bool
shrink_cut(struct shared *shared, struct taken *schedule, const struct verdict *verdict, size_t n)
{
        bool better = false;

        for (size_t at = 0; at + n <= schedule->n && n_reruns < MAX_RERUNS;) {
                struct taken candidate = *schedule;
                memmove(candidate.bytes + at, candidate.bytes + at + n, candidate.n - at - n);
                candidate.n -= n;
                if (shrink_try(shared, schedule, &candidate, verdict))
                        better = true;
                else
                        at += n;
        }
        return better;
}

/* Makes bytes smaller, wherever that is possible; whether it was. */
static bool
shrink_lower(struct shared *shared, struct taken *schedule, const struct verdict *verdict)
{
        bool better = false;

        for (size_t at = 0; at < schedule->n && n_reruns < MAX_RERUNS; at++) {
                for (unsigned value = 0; value < schedule->bytes[at];
                     value = value == 0 ? schedule->bytes[at] / 2u : value + UINT8_MAX) {
                        struct taken candidate = *schedule;
                        candidate.bytes[at] = (uint8_t)value;
                        if (shrink_try(shared, schedule, &candidate, verdict))
                                better = true;
                        if (value == 0 && schedule->bytes[at] / 2u == 0)
                                break;
                }
        }
        return better;
}

void
shrink(struct shared *shared, struct taken *schedule, const struct verdict *verdict)
{
        bool better = true;

        n_reruns = 0;
        while (better && n_reruns < MAX_RERUNS) {
                better = false;
                for (size_t n = schedule->n / 2; n > 0; n /= 2)
                        better |= shrink_cut(shared, schedule, verdict, n);
                better |= shrink_lower(shared, schedule, verdict);
        }
}
