/*
 * chaos-ddl [--seconds N] [--seed S] [--fresh 1]
 *
 * Reads, writes, transactions, sessions and models, many at once, while another process changes the
 * types of their columns, makes enums, tables and schemas anew, and ends connections (schema.c).
 * The server is PIPIT_TEST_URL's, where the tables must not be there yet.
 *
 * Wrong is a value that is not stored as the column's type at that time would have it, or that
 * reads otherwise than the server's own text of it. A request may fail where its connection was
 * ended, where its value does not fit the type that the column can have had then, and where the
 * table can have been missing; whatever else fails was failed by pipit, which knows how to try
 * again.
 *
 * With --fresh each statement has a text of its own, and there are no models: nothing that was
 * learned can be out of date, so what is not clean then is a fault of this program.
 *
 * The last line of standard output has the figures; the exit status is 0 if wrong, lost, doubled
 * and failed are 0, and 77 without PIPIT_TEST_URL.
 */
#include "ddl.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* As meson understands it. */
#define SKIPPED 77

#define N_LEDGER 4000000

/* No request has longer than that; what is still out so long after the end is lost. */
#define TIMEOUT_MS 10000
#define HEAL_MS    20000

/* ---- the load */

static void
job_start(struct job *job)
{
        struct load_ddl *load = job->load;

        job->kind =
                (enum job_kind)dice_between(&load->dice, 0, load->fresh ? JOB_SESSION : JOB_MODEL);
        job->table = job->kind == JOB_WRITE_ANEW || job->kind == JOB_SESSION ? TABLE_ANEW
                                                                             : TABLE_ALTERED;
        job->op = load->ledger.n++;
        job->nonce = ledger_nonce(&load->ledger, job->op);
        values_of(&job->values, job->nonce);
        job->started_ms = clock_ms();
        job->open = true;
        load->n_open++;
        load->n_requests++;
        pipit_set_group_writes(load->db, dice_percent(&load->dice, 30));
        if (job_send(job) == 0) {
                fprintf(stderr, "chaos: out of memory\n");
                job->open = false;
                load->n_open--;
        }
}

static bool
load_is_over(const struct load_ddl *load)
{
        return clock_ms() >= load->ends_ms || load->ledger.n >= load->ledger.n_states;
}

void
load_fill(struct load_ddl *load)
{
        for (int i = 0; i < N_JOBS && !load_is_over(load); i++) {
                if (!load->jobs[i].open)
                        job_start(&load->jobs[i]);
        }
        if (load->n_open == 0)
                event_base_loopbreak(load->base);
}

/* The process may tell of much while no answer comes. */
static void
load_on_tick(int fd, short what, void *arg)
{
        struct load_ddl *load = arg;

        (void)fd;
        (void)what;
        history_read(&load->history);
        load_fill(load);
        if (clock_ms() >= load->ends_ms + HEAL_MS)
                event_base_loopbreak(load->base);
}

static bool
load_init_ddl(struct load_ddl *load, const char *url, int fd)
{
        struct timeval tv = {0, 100000};
        struct pipit_options options = {
                .max_connections = 6, .timeout_ms = TIMEOUT_MS, .lifetime_ms = 4000};

        load->base = event_base_new();
        if (load->base == NULL || !history_init(&load->history, fd) ||
            !ledger_init(&load->ledger, N_LEDGER, load->dice.state))
                return false;
        load->db = pipit_open(load->base, url, &options);
        load->tick = event_new(load->base, -1, EV_PERSIST, load_on_tick, load);
        for (int i = 0; i < N_JOBS; i++)
                load->jobs[i].load = load;
        return load->db != NULL && load->tick != NULL && event_add(load->tick, &tv) == 0;
}

static void
load_close(struct load_ddl *load)
{
        if (load->tick != NULL)
                event_free(load->tick);
        pipit_close(load->db);
        if (load->base != NULL) {
                event_base_loop(load->base, EVLOOP_NONBLOCK);
                event_base_free(load->base);
        }
        ledger_fini(&load->ledger);
        history_fini(&load->history);
}

static bool
load_report(struct load_ddl *load, const struct ledger_report *report, int n_out, bool good,
            uint64_t seed)
{
        int64_t n_wrong = load->n_wrong + report->foreign + report->refused;
        int64_t n_lost = report->lost + n_out;
        int64_t n_doubled = report->duplicated + load->n_doubled;
        bool clean = good && n_wrong == 0 && n_lost == 0 && n_doubled == 0 && load->n_failed == 0 &&
                     load->n_ok > 0 && load->history.n_changes > 0;

        for (int i = 0; i < N_KINDS; i++)
                fprintf(stderr, "chaos: failed %s: %lld\n", job_kind_name((enum job_kind)i),
                        (long long)load->n_kinds[i]);
        printf("requests: %lld; ok: %lld; changes: %lld; kills: %lld; unfit: %lld; missing: %lld; "
               "ended: %lld; wrong: %lld; lost: %lld; doubled: %lld; failed: %lld; seed: %llu; "
               "clean: %s\n",
               (long long)load->n_requests, (long long)load->n_ok,
               (long long)load->history.n_changes, (long long)load->history.n_kills,
               (long long)load->n_unfit, (long long)load->n_missing, (long long)load->n_ended,
               (long long)n_wrong, (long long)n_lost, (long long)n_doubled,
               (long long)load->n_failed, (unsigned long long)seed, clean ? "yes" : "no");
        return clean;
}

/* ---- the program */

struct arguments {
        int64_t seconds;
        uint64_t seed;
        bool fresh;
};

/* The process that changes the schema. */
struct helper {
        pid_t pid;
        int out; /* what it tells */
        int stop;
};

/* Forks the process, before there is anything that it could disturb. */
static bool
helper_start(struct helper *helper, const char *url, uint64_t seed)
{
        int out[2];
        int stop[2];

        if (pipe(out) != 0 || pipe(stop) != 0)
                return false;
        helper->pid = fork();
        if (helper->pid == 0) {
                close(out[0]);
                close(stop[1]);
                _exit(schema_run(url, seed, out[1], stop[0]));
        }
        close(out[1]);
        close(stop[0]);
        helper->out = out[0];
        helper->stop = stop[1];
        return helper->pid > 0 && fcntl(out[0], F_SETFL, O_NONBLOCK) == 0;
}

/* Ends the process; whether it had worked until then. */
static bool
helper_stop(struct helper *helper)
{
        int status = 0;
        pid_t pid;

        close(helper->stop);
        do
                pid = waitpid(helper->pid, &status, 0);
        while (pid < 0 && errno == EINTR);
        return pid == helper->pid && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

static bool
run(const struct arguments *arguments, const char *url)
{
        struct load_ddl *load = calloc(1, sizeof *load);
        struct helper helper;
        struct ledger_report report = {0};

        if (load == NULL || !ledger_create(url) || !schema_create(url) ||
            !helper_start(&helper, url, arguments->seed + 1))
                return false;
        load->dice.state = arguments->seed;
        load->fresh = arguments->fresh;
        bool good = load_init_ddl(load, url, helper.out);
        load->ends_ms = clock_ms() + arguments->seconds * 1000;
        if (good) {
                load_fill(load);
                event_base_dispatch(load->base);
        }
        int n_out = load->n_open;
        bool helped = helper_stop(&helper);
        if (!helped)
                fprintf(stderr, "chaos: the process that changes the schema failed\n");
        history_read(&load->history);
        good = good && helped && schema_close(url) && ledger_compare(&load->ledger, url, &report);
        good = load_report(load, &report, n_out, good, arguments->seed);
        load_close(load);
        free(load);
        return good;
}

static bool
parse(int argc, char **argv, struct arguments *arguments)
{
        *arguments = (struct arguments){.seconds = 5, .seed = 1};
        for (int i = 1; i + 1 < argc; i += 2) {
                long long number = strtoll(argv[i + 1], NULL, 10);
                if (strcmp(argv[i], "--seconds") == 0 && number > 0)
                        arguments->seconds = number;
                else if (strcmp(argv[i], "--seed") == 0)
                        arguments->seed = (uint64_t)number;
                else if (strcmp(argv[i], "--fresh") == 0)
                        arguments->fresh = number > 0;
                else
                        return false;
        }
        return argc % 2 == 1;
}

int
main(int argc, char **argv)
{
        const char *url = getenv("PIPIT_TEST_URL");
        struct arguments arguments;

        if (!parse(argc, argv, &arguments)) {
                fprintf(stderr, "usage: chaos-ddl [--seconds N] [--seed S] [--fresh 1]\n");
                return EXIT_FAILURE;
        }
        if (url == NULL)
                return SKIPPED;
        signal(SIGPIPE, SIG_IGN);
        return run(&arguments, url) ? EXIT_SUCCESS : EXIT_FAILURE;
}
