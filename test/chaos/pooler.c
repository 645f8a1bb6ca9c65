/*
 * chaos-pooler --script CLUSTER.SH [--mode transaction|session] [--told 0] [--seconds N] [--seed S]
 *
 * A PostgreSQL, PgBouncer in front of it, and two databases of pipit's on that: one with reads,
 * writes and transfers that go into the ledger, and a neighbour whose sessions the pooler may lend
 * to the first. Requests are cancelled and late, server processes are ended, and the pooler pauses,
 * is killed and restarts, as a seed says. Afterwards both must work, and the ledger must be as the
 * callbacks said. With --told 0 pipit is not told of transaction mode, and has to find out, which
 * shows that the program judges rightly. The last line of standard output has the figures; the exit
 * status is 0 if all is clean, and 77 where there is no PgBouncer, or PIPIT_TEST_URL does not say
 * that there may be a server.
 */
#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bouncer.h"
#include "chaos.h"

#define N_HEALTHY 200
/* As meson understands it. */
#define SKIPPED 77
/* How long what is still out may take once the faults are over. */
#define HEAL_MS 20000
/* How long a pooler may take that was told to end once it is not used. */
#define END_MS 1500

enum stage {
        STAGE_CHAOS,
        STAGE_HEAL,   /* the faults are over; what is out ends */
        STAGE_HEALTHY /* requests that must succeed */
};

struct storm {
        struct event_base *base;
        struct event *clock;      /* looks at the stage, and at the pooler */
        struct event *next_fault; /* until the faults are over */
        struct dice dice;
        struct load load;
        struct load neighbour;
        struct bouncer bouncer;
        PGconn *admin; /* on the server itself */
        const char *script;
        const char *mode;
        bool told;
        int64_t seconds;
        uint64_t seed;
        char folder[60];
        char url[100];
        enum stage stage;
        int64_t stage_ends_ms;
        int64_t resumes_ms; /* when a pause ends; 0: there is none */
        int64_t starts_ms;  /* when a pooler that has ended is to start again; 0: as it ends */
        int64_t killed_ms;  /* when one that was told to end is killed; 0: none was */
        int64_t n_ok_before;
        int64_t n_healthy;
        int64_t n_lost;
        int64_t n_pauses;
        int64_t n_restarts;
        int64_t n_kills;   /* of the pooler */
        int64_t n_ended;   /* processes of the server */
        int64_t n_reloads; /* databases that were closed and opened */
};

static void
timer_set(struct event *timer, int64_t ms)
{
        struct timeval tv = {ms / 1000, ms % 1000 * 1000};

        event_add(timer, &tv);
}

/* ---- the faults */

/* Ends a process of the server, or what it executes, whoever has it. */
static void
fault_end_session(struct storm *storm)
{
        const char *call =
                dice_percent(&storm->dice, 70) ? "pg_terminate_backend" : "pg_cancel_backend";
        char sql[300];

        snprintf(sql, sizeof sql,
                 "SELECT %s(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND "
                 "pid <> pg_backend_pid() ORDER BY random() LIMIT 1",
                 call);
        PQclear(PQexec(storm->admin, sql));
        storm->n_ended++;
}

static void
fault_pause(struct storm *storm)
{
        if (storm->resumes_ms != 0 || storm->bouncer.pid == 0)
                return;
        bouncer_signal(&storm->bouncer, SIGUSR1);
        storm->resumes_ms = clock_ms() + dice_between(&storm->dice, 10, 1200);
        storm->n_pauses++;
}

static void
fault_restart(struct storm *storm)
{
        static const int numbers[] = {SIGTERM, SIGKILL, SIGINT};
        int number = numbers[dice_between(&storm->dice, 0, 2)];

        if (storm->killed_ms != 0 || storm->bouncer.pid == 0)
                return;
        bouncer_signal(&storm->bouncer, number);
        storm->n_restarts++;
        storm->n_kills += number == SIGKILL;
        storm->killed_ms = clock_ms() + END_MS;
        storm->starts_ms = clock_ms() + dice_between(&storm->dice, 0, 600);
}

static void
on_fault(int fd, short what, void *arg)
{
        struct storm *storm = arg;
        int64_t which = dice_between(&storm->dice, 0, 99);

        (void)fd;
        (void)what;
        if (which < 60)
                fault_end_session(storm);
        else if (which < 75)
                fault_pause(storm);
        else if (which < 84)
                fault_restart(storm);
        else if (which < 88)
                load_reopen(which < 86 ? &storm->load : &storm->neighbour);
        else
                load_pause(which < 94 ? &storm->load : &storm->neighbour);
        storm->n_reloads += which >= 84 && which < 88;
        timer_set(storm->next_fault, dice_between(&storm->dice, 1, 120));
}

/* Has the pooler go on, or start again, when its time has come. */
static void
look_at_bouncer(struct storm *storm)
{
        int64_t now = clock_ms();

        if (storm->resumes_ms != 0 && now >= storm->resumes_ms) {
                bouncer_signal(&storm->bouncer, SIGUSR2);
                storm->resumes_ms = 0;
        }
        if (storm->killed_ms != 0 && now >= storm->killed_ms)
                bouncer_signal(&storm->bouncer, SIGKILL);
        if (!bouncer_has_ended(&storm->bouncer) || now < storm->starts_ms)
                return;
        storm->killed_ms = storm->resumes_ms = 0;
        if (!bouncer_start(&storm->bouncer))
                abort();
}

/* ---- the stages */

static bool
storm_is_quiet(const struct storm *storm)
{
        return storm->load.n_open + storm->neighbour.n_open == 0 && storm->killed_ms == 0 &&
               storm->resumes_ms == 0;
}

static void
stage_enter(struct storm *storm, enum stage stage)
{
        struct load *loads[] = {&storm->load, &storm->neighbour};

        storm->stage = stage;
        storm->stage_ends_ms = clock_ms() + HEAL_MS;
        if (stage == STAGE_HEAL)
                event_del(storm->next_fault);
        storm->n_ok_before = storm->load.n_ok + storm->neighbour.n_ok;
        for (int i = 0; i < 2 && stage != STAGE_CHAOS; i++) {
                loads[i]->n_target = 0;
                loads[i]->calm = true;
                if (stage == STAGE_HEALTHY)
                        load_start_calm(loads[i], N_HEALTHY / 2);
        }
}

/* What has not called back by now is lost. */
static void
on_clock(int fd, short what, void *arg)
{
        struct storm *storm = arg;
        bool late = clock_ms() >= storm->stage_ends_ms;

        (void)fd;
        (void)what;
        look_at_bouncer(storm);
        switch (storm->stage) {
        case STAGE_CHAOS:
                if (late)
                        stage_enter(storm, STAGE_HEAL);
                break;
        case STAGE_HEAL:
                if (!late && !storm_is_quiet(storm))
                        break;
                storm->n_lost = storm->load.n_open + storm->neighbour.n_open;
                stage_enter(storm, STAGE_HEALTHY);
                break;
        case STAGE_HEALTHY:
                if (!late && storm->load.n_open + storm->neighbour.n_open > storm->n_lost)
                        break;
                storm->n_healthy = storm->load.n_ok + storm->neighbour.n_ok - storm->n_ok_before;
                event_base_loopbreak(storm->base);
                break;
        }
}

/* ---- begin and end */

static bool
server_make(struct storm *storm)
{
        const char *parent = getenv("TMPDIR");

        parent = parent != NULL && strlen(parent) < 40 ? parent : "/tmp";
        snprintf(storm->folder, sizeof storm->folder, "%s/chaos-XXXXXX", parent);
        if (mkdtemp(storm->folder) == NULL)
                return false;
        snprintf(storm->url, sizeof storm->url, "host=%s user=postgres dbname=postgres",
                 storm->folder);
        bool session = strcmp(storm->mode, "session") == 0;
        if (!cluster_run(storm->script, "create", storm->folder) ||
            !cluster_run(storm->script, "start", storm->folder) || !ledger_create(storm->url) ||
            !bouncer_create(&storm->bouncer, parent, storm->folder, storm->mode, session ? 40 : 3))
                return false;
        storm->admin = PQconnectdb(storm->url);
        return PQstatus(storm->admin) == CONNECTION_OK;
}

static bool
storm_init(struct storm *storm)
{
        struct timeval tv = {0, 5000};

        storm->base = event_base_new();
        storm->dice.state = storm->seed + 3;
        if (storm->base == NULL || !server_make(storm))
                return false;
        storm->load.bank = storm->load.declares = storm->neighbour.declares = true;
        if (strcmp(storm->mode, "transaction") == 0 && storm->told)
                storm->load.pooler = storm->neighbour.pooler = PIPIT_POOLER_TRANSACTION;
        if (!load_init(&storm->load, storm->base, storm->bouncer.url, storm->seed + 2,
                       storm->seconds * 10000 + 100000) ||
            !load_init(&storm->neighbour, storm->base, storm->bouncer.url, storm->seed + 4, 1))
                return false;
        storm->neighbour.ledger.n_states = 0; /* it writes nothing */
        storm->clock = event_new(storm->base, -1, EV_PERSIST, on_clock, storm);
        storm->next_fault = event_new(storm->base, -1, 0, on_fault, storm);
        return storm->clock != NULL && storm->next_fault != NULL &&
               event_add(storm->clock, &tv) == 0;
}

static void
storm_stop(struct storm *storm)
{
        pipit_close(storm->load.db);
        pipit_close(storm->neighbour.db);
        event_free(storm->clock);
        event_free(storm->next_fault);
        event_free(storm->load.tick);
        event_free(storm->neighbour.tick);
        event_base_loop(storm->base, EVLOOP_NONBLOCK);
        event_base_free(storm->base);
        PQfinish(storm->admin);
        bouncer_remove(&storm->bouncer);
}

static bool
storm_report(const struct storm *storm, bool compared, const struct ledger_report *report)
{
        const struct load *load = &storm->load;
        const struct load *other = &storm->neighbour;
        int64_t wrong = load->n_wrong + other->n_wrong + report->foreign;
        int64_t lost = storm->n_lost + report->lost;
        int64_t told = report->refused + report->uneven + (report->missing != 0) + load->n_inline +
                       other->n_inline;
        int64_t doubled = load->n_doubled + other->n_doubled + report->duplicated;

        printf("mode: %s; requests: %lld; ok: %lld; error: %lld; unknown: %lld; refused: %lld; "
               "cancels: %lld; pauses: %lld; restarts: %lld; killed: %lld; sessions ended: %lld; "
               "reopened: %lld; transfers committed: %lld; ledger rows: %lld; "
               "wrong recipients: %lld; lost: %lld; wrongly told: %lld; duplicated: %lld; "
               "late: %lld; healthy: %lld of %d; harness failures: %d; seed: %llu\n",
               storm->mode, (long long)(load->n_requests + other->n_requests),
               (long long)(load->n_ok + other->n_ok), (long long)(load->n_error + other->n_error),
               (long long)(load->n_unknown + other->n_unknown),
               (long long)(load->n_refused + other->n_refused),
               (long long)(load->n_cancels + other->n_cancels), (long long)storm->n_pauses,
               (long long)storm->n_restarts, (long long)storm->n_kills, (long long)storm->n_ended,
               (long long)storm->n_reloads, (long long)load->n_committed, (long long)report->rows,
               (long long)wrong, (long long)lost, (long long)told, (long long)doubled,
               (long long)(load->n_late + other->n_late), (long long)storm->n_healthy, N_HEALTHY,
               !compared, (unsigned long long)storm->seed);
        return compared && wrong == 0 && lost == 0 && told == 0 && doubled == 0 &&
               load->n_late + other->n_late == 0 && storm->n_healthy == N_HEALTHY &&
               load->n_committed > 0;
}

/* A restart ends what the server may still be doing for clients that have gone. */
static bool
storm_run(struct storm *storm)
{
        struct ledger_report report = {0};

        storm->load.n_target = storm->neighbour.n_target = 40;
        stage_enter(storm, STAGE_CHAOS);
        storm->stage_ends_ms = clock_ms() + storm->seconds * 1000;
        timer_set(storm->next_fault, 300);
        event_base_dispatch(storm->base);
        storm_stop(storm);
        bool compared = cluster_run(storm->script, "stop fast", storm->folder) &&
                        cluster_run(storm->script, "start", storm->folder) &&
                        ledger_compare(&storm->load.ledger, storm->url, &report);
        bool clean = storm_report(storm, compared, &report);
        cluster_run(storm->script, "remove", storm->folder);
        ledger_fini(&storm->load.ledger);
        ledger_fini(&storm->neighbour.ledger);
        return clean;
}

static bool
parse(int argc, char **argv, struct storm *storm)
{
        storm->seconds = 20;
        storm->seed = 1;
        storm->mode = "transaction";
        storm->told = true;
        for (int i = 1; i + 1 < argc; i += 2) {
                long long number = strtoll(argv[i + 1], NULL, 10);
                if (strcmp(argv[i], "--script") == 0)
                        storm->script = argv[i + 1];
                else if (strcmp(argv[i], "--mode") == 0)
                        storm->mode = argv[i + 1];
                else if (strcmp(argv[i], "--told") == 0)
                        storm->told = number != 0;
                else if (strcmp(argv[i], "--seconds") == 0 && number > 0)
                        storm->seconds = number;
                else if (strcmp(argv[i], "--seed") == 0)
                        storm->seed = (uint64_t)number;
                else
                        return false;
        }
        return argc % 2 == 1 && storm->script != NULL;
}

int
main(int argc, char **argv)
{
        struct storm *storm = calloc(1, sizeof *storm);
        bool clean = false;

        if (storm == NULL || !parse(argc, argv, storm)) {
                fprintf(stderr, "usage: chaos-pooler --script CLUSTER.SH "
                                "[--mode transaction|session] [--told 0] [--seconds N] "
                                "[--seed S]\n");
                free(storm);
                return EXIT_FAILURE;
        }
        if (getenv("PIPIT_TEST_URL") == NULL || !bouncer_is_here()) {
                fprintf(stderr, "chaos: skipped, without a server and PgBouncer\n");
                free(storm);
                return SKIPPED;
        }
        signal(SIGPIPE, SIG_IGN);
        if (storm_init(storm))
                clean = storm_run(storm);
        else
                fprintf(stderr, "chaos: cannot begin\n");
        bouncer_remove(&storm->bouncer);
        free(storm);
        return clean ? EXIT_SUCCESS : EXIT_FAILURE;
}
