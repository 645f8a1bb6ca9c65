/*
 * chaos-cancel [--count N] [--seed S]
 *
 * Requests that wait for the server for some milliseconds, up to 8 sent together on each of a few
 * connections, N of which are given up at random times, by a cancel or by a deadline. All others
 * must end as if nothing was: each with its own answer. The server is PIPIT_TEST_URL's, where a
 * table must not be there yet.
 *
 * The last line of standard output has the figures; the exit status is 0 if no caller was told what
 * was meant for another, and 77 without PIPIT_TEST_URL.
 */
#include "conn/cancel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chaos.h"
#include "conn/conn.h"
#include "conn/retry.h"

/* As meson understands it. */
#define SKIPPED 77

#define N_CONNECTIONS 6
#define N_PIPELINE    8
#define N_JOBS        (N_CONNECTIONS * N_PIPELINE)
#define N_HEALTHY     40

/* What is given up is so within that time; what a statement takes by itself at most. */
#define GIVE_UP_US 30000
#define SLEEP_US   8000
/* Those that would take that long must be stopped: others wait behind them. */
#define ENDLESS_S 20

/* How long the library waits before it asks for one that has such behind it as must not run again.
 */
#define PUT_OFF_MS 50

/* No request has longer than that: one that is still out then is lost. */
#define PATIENCE_MS 30000

struct storm;

struct job {
        struct storm *storm;
        struct event *timer; /* cancels it */
        pipit_request request;
        bool open;
        bool is_read;
        bool is_grouped;
        bool is_new;      /* its text is; so it shares no Sync */
        bool is_given_up; /* it will be, unless it ends before */
        bool cancelled;   /* while it was out */
        bool is_timed;    /* it has a deadline that can pass */
        int64_t op;       /* in the ledger, for a write */
        int64_t nonce;
        int64_t started_ms;
};

struct storm {
        struct event_base *base;
        struct pipit *db;
        struct dice dice;
        struct ledger ledger;
        int64_t n_wanted;
        int n_open;
        bool calm;
        int64_t n_requests;
        int64_t n_cancels; /* that were cancelled, or late, when they had been sent */
        int64_t n_unsent;  /* the same before they were sent */
        int64_t n_ok;
        int64_t n_told;  /* writes that were hit, were rolled back, and say so */
        int64_t n_wrong; /* told what was not theirs */
        struct job jobs[N_JOBS];
};

static void job_start(struct job *job);

static void
job_wrong(struct job *job, const struct pipit_result *res)
{
        const struct pipit_error *error = pipit_result_error(res);

        job->storm->n_wrong++;
        fprintf(stderr, "chaos: a %s that was%s cancelled got %d rows, %s %s %s\n",
                job->is_read ? "read" : "write", job->cancelled ? "" : " not",
                pipit_result_rows(res), error != NULL ? pipit_code_name(error->code) : "success",
                error != NULL ? error->sqlstate : "", pipit_error_text(res));
}

static bool
answer_is_right(const struct job *job, const struct pipit_result *res)
{
        int64_t nonce = -1;

        /* Writes that were committed together can wait to be told so when they are cancelled. */
        if (job->cancelled && !job->is_grouped)
                return false;
        return pipit_result_rows(res) == 1 && pipit_result_int64(res, 0, 0, &nonce) == 0 &&
               nonce == job->nonce;
}

/* Whether it was told that it was hit in the place of another, and is undone. That is right only
 * when it was behind that one for as long as a cancel is put off for it. */
static bool
error_tells(const struct job *job, const struct pipit_error *error)
{
        return clock_ms() - job->started_ms >= PUT_OFF_MS && !job->is_read && !job->is_grouped &&
               error->code == PIPIT_ESERVER && strcmp(error->sqlstate, "57014") == 0 &&
               error->executed == PIPIT_EXECUTED_ROLLED_BACK &&
               strstr(error->message, "cancel of another") != NULL;
}

/* What its end says about a write. */
static enum ledger_state
job_judge(struct job *job, const struct pipit_result *res)
{
        struct storm *storm = job->storm;
        const struct pipit_error *error = pipit_result_error(res);

        if (error == NULL) {
                storm->n_ok++;
                if (!answer_is_right(job, res))
                        job_wrong(job, res);
                return LEDGER_COMMITTED;
        }
        bool given_up = (error->code == PIPIT_ECANCELED && job->cancelled) ||
                        (error->code == PIPIT_ETIMEDOUT && job->is_timed);
        bool unsent = error->executed == PIPIT_EXECUTED_NO;
        storm->n_cancels += given_up && !unsent;
        storm->n_unsent += given_up && unsent;
        if (!given_up && error_tells(job, error))
                storm->n_told++;
        else if (!given_up)
                job_wrong(job, res);
        return error->executed == PIPIT_EXECUTED_UNKNOWN ? LEDGER_UNKNOWN : LEDGER_REFUSED;
}

static void
on_answer(struct pipit_result *res, void *arg)
{
        struct job *job = arg;
        struct storm *storm = job->storm;

        if (!job->open) {
                job_wrong(job, res);
                return;
        }
        event_del(job->timer);
        enum ledger_state state = job_judge(job, res);
        if (!job->is_read)
                storm->ledger.states[job->op] = (unsigned char)state;
        job->open = false;
        storm->n_open--;
        if (storm->n_cancels < storm->n_wanted && storm->ledger.n < storm->ledger.n_states)
                job_start(job);
        else if (storm->n_open == 0)
                event_base_loopbreak(storm->base);
}

static void
on_cancel(int fd, short what, void *arg)
{
        struct job *job = arg;

        (void)fd;
        (void)what;
        if (!job->open)
                return;
        job->cancelled = true;
        pipit_cancel(job->storm->db, job->request);
}

/* The text of its statement. One that is new is not known to be slow: others go behind it. */
static void
job_text(const struct job *job, char *sql, size_t size)
{
        struct dice *dice = &job->storm->dice;
        char mark[30] = "";

        if (job->is_new)
                snprintf(mark, sizeof mark, " -- %lld",
                         (long long)dice_between(dice, 0, (int64_t)1 << 40));
        if (job->is_read)
                snprintf(sql, size,
                         "SELECT $2::bigint FROM pg_sleep($3::float8) "
                         "WHERE $1::bigint IS NOT NULL%s",
                         mark);
        else
                snprintf(sql, size,
                         "INSERT INTO ledger (op, nonce) SELECT $1::bigint, $2::bigint "
                         "FROM pg_sleep($3::float8) RETURNING nonce%s",
                         mark);
}

/* How long it takes on the server, in seconds. */
static double
job_seconds(const struct job *job)
{
        struct dice *dice = &job->storm->dice;

        /* Not one that may share a Sync with others: it is stopped when those are given up too. */
        if (job->is_given_up && job->is_new && dice_percent(dice, 2))
                return ENDLESS_S;
        if (job->storm->calm || dice_percent(dice, 30))
                return 0;
        return (double)dice_between(dice, 0, SLEEP_US) / 1000000;
}

/* Has it given up, or not. */
static void
job_disturb(struct job *job)
{
        struct storm *storm = job->storm;
        int64_t us = dice_between(&storm->dice, 0, GIVE_UP_US);
        struct timeval tv = {0, (suseconds_t)us};

        if (!job->is_given_up)
                return;
        job->is_timed = dice_percent(&storm->dice, 30);
        if (job->is_timed)
                pipit_set_timeout(storm->db, job->request, us / 1000);
        else
                event_add(job->timer, &tv);
}

static void
job_start(struct job *job)
{
        struct storm *storm = job->storm;
        char sql[300];

        job->is_read = dice_percent(&storm->dice, 50);
        job->is_grouped = !job->is_read && dice_percent(&storm->dice, 40);
        job->is_new = dice_percent(&storm->dice, 60);
        job->is_given_up = !storm->calm && dice_percent(&storm->dice, 70);
        job->cancelled = job->is_timed = false;
        job->op = job->is_read ? (int64_t)1 << 40 | storm->n_requests : storm->ledger.n++;
        job->nonce = ledger_nonce(&storm->ledger, job->op);
        job_text(job, sql, sizeof sql);
        struct pipit_params params = PIPIT_PARAMS(job->op, job->nonce, job_seconds(job));
        job->open = true;
        job->started_ms = clock_ms();
        storm->n_open++;
        storm->n_requests++;
        pipit_set_group_writes(storm->db, job->is_grouped);
        job->request =
                (job->is_read ? pipit_read : pipit_query)(storm->db, sql, params, on_answer, job);
        job_disturb(job);
}

static void
on_log(enum pipit_log_level level, const char *line, void *arg)
{
        (void)arg;
        if (level == PIPIT_LOG_WARNING && strstr(line, " were left out") == NULL)
                fprintf(stderr, "chaos: %s\n", line);
}

/* The program is linked with --wrap for these: cancels that go to the server, statements that were
 * hit in the place of others, and connections. */
static int64_t n_asked;
static int64_t n_again;
static int64_t n_connected;

struct cancel *
__real_pipit__cancel_start(struct cancel_conn *cancel_conn, struct pg_conn *pq,
                           const struct backend *backend, pipit__cancel_fn fn, void *arg);
struct cancel *
__wrap_pipit__cancel_start(struct cancel_conn *cancel_conn, struct pg_conn *pq,
                           const struct backend *backend, pipit__cancel_fn fn, void *arg);
enum retry_decision __real_pipit__retry_single(const struct retry_case *it);
enum retry_decision __wrap_pipit__retry_single(const struct retry_case *it);
struct conn *__real_pipit__conn_new(const struct conn_config *config);
struct conn *__wrap_pipit__conn_new(const struct conn_config *config);

struct cancel *
__wrap_pipit__cancel_start(struct cancel_conn *cancel_conn, struct pg_conn *pq,
                           const struct backend *backend, pipit__cancel_fn fn, void *arg)
{
        n_asked++;
        return __real_pipit__cancel_start(cancel_conn, pq, backend, fn, arg);
}

enum retry_decision
__wrap_pipit__retry_single(const struct retry_case *it)
{
        enum retry_decision decision = __real_pipit__retry_single(it);

        n_again += decision == RETRY_AGAIN;
        return decision;
}

struct conn *
__wrap_pipit__conn_new(const struct conn_config *config)
{
        n_connected++;
        return __real_pipit__conn_new(config);
}

static bool
storm_init(struct storm *storm, const char *url)
{
        struct pipit_options options = {.max_connections = N_CONNECTIONS,
                                        .max_pipeline = N_PIPELINE,
                                        .timeout_ms = PATIENCE_MS,
                                        .log = on_log,
                                        .log_arg = storm};

        storm->base = event_base_new();
        if (storm->base == NULL || !ledger_create(url) ||
            !ledger_init(&storm->ledger, storm->n_wanted * 20 + 10000, storm->dice.state))
                return false;
        storm->db = pipit_open(storm->base, url, &options);
        for (int i = 0; i < N_JOBS; i++) {
                storm->jobs[i].storm = storm;
                storm->jobs[i].timer = event_new(storm->base, -1, 0, on_cancel, &storm->jobs[i]);
                if (storm->jobs[i].timer == NULL)
                        return false;
        }
        return storm->db != NULL;
}

/* What is started now, and left alone, must succeed. */
static bool
storm_is_over(struct storm *storm)
{
        int64_t n_ok = storm->n_ok;

        storm->calm = true;
        storm->n_wanted = 0;
        for (int i = 0; i < N_HEALTHY; i++)
                job_start(&storm->jobs[i]);
        event_base_dispatch(storm->base);
        return storm->n_ok == n_ok + N_HEALTHY;
}

static bool
storm_run(struct storm *storm, const char *url)
{
        struct ledger_report report = {0};
        uint64_t seed = storm->dice.state;
        int64_t since_ms = clock_ms();

        for (int i = 0; i < N_JOBS; i++)
                job_start(&storm->jobs[i]);
        event_base_dispatch(storm->base);
        int64_t n_cancels = storm->n_cancels;
        bool healthy = storm_is_over(storm);
        pipit_close(storm->db);
        event_base_loop(storm->base, EVLOOP_NONBLOCK);
        bool compared = ledger_compare(&storm->ledger, url, &report);
        int64_t n_wrong = storm->n_wrong + report.foreign + report.refused;
        printf("cancels: %lld; requests: %lld; ok: %lld; given up unsent: %lld; asked the server: "
               "%lld; hit and run again: %lld; hit and told: %lld; connections: %lld; wrong victims: %lld; lost: %lld; "
               "duplicated: %lld; healthy: %d; seconds: %lld; seed: %llu\n",
               (long long)n_cancels, (long long)storm->n_requests, (long long)storm->n_ok,
               (long long)storm->n_unsent, (long long)n_asked, (long long)n_again,
               (long long)storm->n_told, (long long)n_connected, (long long)n_wrong,
               (long long)report.lost, (long long)report.duplicated, healthy,
               (long long)(clock_ms() - since_ms) / 1000, (unsigned long long)seed);
        return compared && healthy && n_wrong == 0 && report.lost == 0 && report.duplicated == 0;
}

static void
storm_fini(struct storm *storm)
{
        for (int i = 0; i < N_JOBS; i++) {
                if (storm->jobs[i].timer != NULL)
                        event_free(storm->jobs[i].timer);
        }
        if (storm->base != NULL)
                event_base_free(storm->base);
        ledger_fini(&storm->ledger);
        free(storm);
}

static bool
parse(int argc, char **argv, struct storm *storm)
{
        storm->n_wanted = 10000;
        storm->dice.state = 1;
        for (int i = 1; i + 1 < argc; i += 2) {
                long long number = strtoll(argv[i + 1], NULL, 10);
                if (strcmp(argv[i], "--count") == 0 && number > 0)
                        storm->n_wanted = number;
                else if (strcmp(argv[i], "--seed") == 0)
                        storm->dice.state = (uint64_t)number;
                else
                        return false;
        }
        return argc % 2 == 1;
}

int
main(int argc, char **argv)
{
        struct storm *storm = calloc(1, sizeof *storm);
        const char *url = getenv("PIPIT_TEST_URL");
        bool clean = false;

        if (storm == NULL || !parse(argc, argv, storm)) {
                fprintf(stderr, "usage: chaos-cancel [--count N] [--seed S]\n");
                free(storm);
                return EXIT_FAILURE;
        }
        if (url == NULL) {
                free(storm);
                return SKIPPED;
        }
        if (storm_init(storm, url))
                clean = storm_run(storm, url);
        else
                fprintf(stderr, "chaos: cannot begin\n");
        storm_fini(storm);
        return clean ? EXIT_SUCCESS : EXIT_FAILURE;
}
