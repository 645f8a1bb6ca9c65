/*
 * chaos-live --script CLUSTER.SH [--seconds N] [--seed S] [--slope KIB] [--transactions 1]
 *
 * A PostgreSQL of its own, the fault proxy in front of it, pipit under load behind that, and faults
 * from a seed; with --transactions transfers between accounts are most of the writes. Afterwards
 * the database must work, and the ledger must be as the callbacks said. The
 * last line of standard output has the figures; the exit status is 0 if all is clean, and 77, as
 * that of all live tests is for meson, where PIPIT_TEST_URL does not say that there may be a
 * server.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chaos.h"

#define N_HEALTHY 200
/* As meson understands it. */
#define SKIPPED 77
/* How long what is still out may take once the faults are over. */
#define HEAL_MS 20000
/* Runs shorter than that say nothing about the memory's slope. */
#define SLOPE_SECONDS 120

struct arguments {
        const char *script;
        int64_t seconds;
        uint64_t seed;
        int64_t slope; /* KiB a minute that are too much; 0: not looked at */
        bool transactions;
};

enum stage {
        STAGE_CHAOS,
        STAGE_HEAL,   /* the faults are over; what is out ends */
        STAGE_HEALTHY /* requests that must succeed */
};

struct chaos {
        struct arguments arguments;
        struct event_base *base;
        struct event *clock;
        struct proxy *proxy;
        struct load load;
        struct havoc havoc;
        struct memory memory;
        char folder[60];
        char url[100]; /* of the server itself */
        enum stage stage;
        int64_t stage_ends_ms;
        int64_t n_lost;
        int64_t n_ok_before;
        int64_t n_healthy;
        int64_t n_faults;
        int n_files; /* open at the start */
        int n_left;  /* events and files that were left behind */
};

static void
stage_enter(struct chaos *chaos, enum stage stage)
{
        chaos->stage = stage;
        chaos->stage_ends_ms = clock_ms() + HEAL_MS;
        switch (stage) {
        case STAGE_CHAOS: break;
        case STAGE_HEAL:
                chaos->load.n_target = 0;
                chaos->load.calm = true;
                event_del(chaos->memory.tick);
                havoc_stop(&chaos->havoc);
                break;
        case STAGE_HEALTHY:
                chaos->n_ok_before = chaos->load.n_ok;
                load_start_calm(&chaos->load, N_HEALTHY);
                break;
        }
}

/* What has not called back by now is lost. */
static void
chaos_on_clock(int fd, short what, void *arg)
{
        struct chaos *chaos = arg;
        bool late = clock_ms() >= chaos->stage_ends_ms;

        (void)fd;
        (void)what;
        switch (chaos->stage) {
        case STAGE_CHAOS:
                if (late)
                        stage_enter(chaos, STAGE_HEAL);
                break;
        case STAGE_HEAL:
                if (!late && (chaos->load.n_open > 0 || !havoc_is_over(&chaos->havoc)))
                        break;
                chaos->n_lost += chaos->load.n_open;
                stage_enter(chaos, STAGE_HEALTHY);
                break;
        case STAGE_HEALTHY:
                if (!late && chaos->load.n_open > chaos->n_lost)
                        break;
                chaos->n_healthy = chaos->load.n_ok - chaos->n_ok_before;
                event_base_loopbreak(chaos->base);
                break;
        }
}

static bool
server_make(struct chaos *chaos)
{
        const char *parent = getenv("TMPDIR");
        const char *script = chaos->arguments.script;

        snprintf(chaos->folder, sizeof chaos->folder, "%s/chaos-XXXXXX",
                 parent != NULL && strlen(parent) < 40 ? parent : "/tmp");
        if (mkdtemp(chaos->folder) == NULL)
                return false;
        snprintf(chaos->url, sizeof chaos->url, "host=%s user=postgres dbname=postgres",
                 chaos->folder);
        return cluster_run(script, "create", chaos->folder) &&
               cluster_run(script, "start", chaos->folder) && ledger_create(chaos->url);
}

static int
open_files(void)
{
        DIR *folder = opendir("/proc/self/fd");
        int n = 0;

        if (folder == NULL)
                return 0;
        while (readdir(folder) != NULL)
                n++;
        closedir(folder);
        return n;
}

static bool
chaos_init(struct chaos *chaos)
{
        const struct arguments *arguments = &chaos->arguments;
        struct timeval tv = {0, 20000};
        char path[100];
        char url[100];

        chaos->n_files = open_files();
        chaos->base = event_base_new();
        if (chaos->base == NULL || !server_make(chaos))
                return false;
        snprintf(path, sizeof path, "%s/.s.PGSQL.5432", chaos->folder);
        chaos->proxy = proxy_new(chaos->base, "127.0.0.1:0", path, arguments->seed + 1);
        if (chaos->proxy == NULL)
                return false;
        snprintf(url, sizeof url, "host=127.0.0.1 port=%d user=postgres dbname=postgres",
                 proxy_port(chaos->proxy));
        if (!load_init(&chaos->load, chaos->base, url, arguments->seed + 2,
                       arguments->seconds * 10000 + 100000) ||
            !havoc_init(&chaos->havoc, chaos->base, arguments->script, chaos->folder,
                        arguments->seed + 3) ||
            !memory_init(&chaos->memory, chaos->base))
                return false;
        chaos->havoc.proxy = chaos->proxy;
        chaos->havoc.load = &chaos->load;
        chaos->clock = event_new(chaos->base, -1, EV_PERSIST, chaos_on_clock, chaos);
        return chaos->clock != NULL && event_add(chaos->clock, &tv) == 0;
}

/* Closes all; what is still on the loop then, or open, was left behind. */
static void
chaos_stop(struct chaos *chaos)
{
        chaos->n_faults = havoc_n_faults(&chaos->havoc);
        pipit_close(chaos->load.db);
        event_free(chaos->clock);
        event_free(chaos->load.tick);
        memory_fini(&chaos->memory);
        havoc_fini(&chaos->havoc);
        for (int i = 0; i < 10; i++)
                event_base_loop(chaos->base, EVLOOP_NONBLOCK);
        proxy_free(chaos->proxy);
        chaos->n_left = event_base_get_num_events(chaos->base, EVENT_BASE_COUNT_ADDED) +
                        event_base_get_num_events(chaos->base, EVENT_BASE_COUNT_ACTIVE);
        event_base_free(chaos->base);
        chaos->n_left += open_files() - chaos->n_files;
}

/* A restart ends what the server may still be doing for clients that have gone. */
static bool
chaos_compare(struct chaos *chaos, struct ledger_report *report)
{
        const char *script = chaos->arguments.script;

        return cluster_run(script, "stop fast", chaos->folder) &&
               cluster_run(script, "start", chaos->folder) &&
               ledger_compare(&chaos->load.ledger, chaos->url, report);
}

static bool
bank_report(const struct chaos *chaos, const struct ledger_report *report)
{
        const struct load *load = &chaos->load;
        int64_t total = (int64_t)N_ACCOUNTS * BALANCE;

        if (load->bank)
                printf("transfers: %lld; committed: %lld; bodies run again: %lld; "
                       "total: %lld of %lld; accounts that the ledger contradicts: %lld; ",
                       (long long)load->n_transfers, (long long)load->n_committed,
                       (long long)load->n_retries, (long long)(total - report->missing),
                       (long long)total, (long long)report->uneven);
        return report->missing == 0 && report->uneven == 0 && load->bank == (load->n_committed > 0);
}

static bool
chaos_report(struct chaos *chaos, bool compared, const struct ledger_report *report)
{
        const struct load *load = &chaos->load;
        double slope = memory_slope(&chaos->memory);
        int64_t limit = chaos->arguments.slope;
        bool steep =
                limit > 0 && chaos->arguments.seconds >= SLOPE_SECONDS && slope > (double)limit;
        int64_t wrong = load->n_wrong + load->n_inline + report->foreign + report->refused;
        int64_t lost = chaos->n_lost + report->lost;
        int64_t doubled = load->n_doubled + report->duplicated;
        bool even = bank_report(chaos, report);

        printf("requests: %lld; faults: %lld; server restarts: %lld; ok: %lld; error: %lld; "
               "unknown: %lld; refused: %lld; ledger rows: %lld; wrong recipients: %lld; "
               "lost: %lld; duplicated: %lld; refused but there: %lld; inline: %lld; late: %lld; "
               "left behind: %d; healthy: %lld of %d; harness failures: %d; memory slope KiB/min: %.0f; seed: %llu\n",
               (long long)load->n_requests, (long long)chaos->n_faults,
               (long long)chaos->havoc.n_restarts, (long long)load->n_ok, (long long)load->n_error,
               (long long)load->n_unknown, (long long)load->n_refused, (long long)report->rows,
               (long long)(load->n_wrong + report->foreign), (long long)lost, (long long)doubled,
               (long long)report->refused, (long long)load->n_inline, (long long)load->n_late,
               chaos->n_left, (long long)chaos->n_healthy, N_HEALTHY,
               chaos->havoc.n_failures + !compared, slope,
               (unsigned long long)chaos->arguments.seed);
        return compared && even && wrong == 0 && lost == 0 && doubled == 0 && load->n_late == 0 &&
               chaos->n_left == 0 && chaos->n_healthy == N_HEALTHY &&
               chaos->havoc.n_failures == 0 && !steep && load->n_ok > 0;
}

static bool
parse(int argc, char **argv, struct arguments *arguments)
{
        *arguments = (struct arguments){.seconds = 20, .seed = 1};
        for (int i = 1; i + 1 < argc; i += 2) {
                long long number = strtoll(argv[i + 1], NULL, 10);
                if (strcmp(argv[i], "--script") == 0)
                        arguments->script = argv[i + 1];
                else if (strcmp(argv[i], "--seconds") == 0 && number > 0)
                        arguments->seconds = number;
                else if (strcmp(argv[i], "--seed") == 0)
                        arguments->seed = (uint64_t)number;
                else if (strcmp(argv[i], "--slope") == 0)
                        arguments->slope = number;
                else if (strcmp(argv[i], "--transactions") == 0)
                        arguments->transactions = number > 0;
                else
                        return false;
        }
        return argc % 2 == 1 && arguments->script != NULL;
}

static bool
chaos_run(struct chaos *chaos)
{
        struct ledger_report report = {0};
        bool compared;
        bool clean;

        chaos->load.n_target = 40;
        chaos->load.bank = chaos->arguments.transactions;
        stage_enter(chaos, STAGE_CHAOS);
        chaos->stage_ends_ms = clock_ms() + chaos->arguments.seconds * 1000;
        havoc_start(&chaos->havoc);
        event_base_dispatch(chaos->base);
        chaos_stop(chaos);
        compared = chaos_compare(chaos, &report);
        clean = chaos_report(chaos, compared, &report);
        cluster_run(chaos->arguments.script, "remove", chaos->folder);
        ledger_fini(&chaos->load.ledger);
        return clean;
}

int
main(int argc, char **argv)
{
        struct chaos *chaos = calloc(1, sizeof *chaos);
        bool clean = false;

        if (chaos == NULL || !parse(argc, argv, &chaos->arguments)) {
                fprintf(stderr, "usage: chaos-live --script CLUSTER.SH [--seconds N] [--seed S] "
                                "[--slope KIB] [--transactions 1]\n");
                free(chaos);
                return EXIT_FAILURE;
        }
        if (getenv("PIPIT_TEST_URL") == NULL) {
                free(chaos);
                return SKIPPED;
        }
        signal(SIGPIPE, SIG_IGN);
        if (chaos_init(chaos))
                clean = chaos_run(chaos);
        else
                fprintf(stderr, "chaos: cannot begin\n");
        free(chaos);
        return clean ? EXIT_SUCCESS : EXIT_FAILURE;
}
