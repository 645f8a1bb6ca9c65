#include "witness.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct journal live_journal;
struct cluster live_cluster;

void
own_setup(void)
{
        cluster_create(&live_cluster, "");
        live_setup();
        live_open(live_cluster.url, NULL);
}

void
own_teardown(void)
{
        live_teardown();
        cluster_remove(&live_cluster);
}

void
own_restart(const char *mode, const char *options)
{
        cluster_stop(&live_cluster, mode);
        cluster_start(&live_cluster, options);
}

int
own_log_count(const char *text)
{
        char path[200];
        char line[4000];
        int n = 0;

        snprintf(path, sizeof path, "%s/log", live_cluster.folder);
        FILE *file = fopen(path, "r");
        ck_assert_ptr_nonnull(file);
        while (fgets(line, sizeof line, file) != NULL)
                n += strstr(line, text) != NULL;
        fclose(file);
        return n;
}

const char *
ask_text(const char *url, const char *sql)
{
        static char text[40000]; /* all settings of a session have room */
        PGconn *pq = PQconnectdb(url);

        if (PQstatus(pq) != CONNECTION_OK)
                ck_abort_msg("the witness: %s", PQerrorMessage(pq));
        PGresult *res = PQexec(pq, sql);
        if (PQresultStatus(res) != PGRES_TUPLES_OK && PQresultStatus(res) != PGRES_COMMAND_OK)
                ck_abort_msg("the witness: %s", PQerrorMessage(pq));
        snprintf(text, sizeof text, "%s", PQntuples(res) > 0 ? PQgetvalue(res, 0, 0) : "");
        PQclear(res);
        PQfinish(pq);
        return text;
}

int64_t
ask(const char *url, const char *sql)
{
        return strtoll(ask_text(url, sql), NULL, 10);
}

void
ask_until(const char *url, const char *sql, int64_t answer)
{
        int64_t until_ms = clock_ms() + 30000;

        while (ask(url, sql) != answer) {
                if (clock_ms() > until_ms)
                        ck_abort_msg("%s never gave %lld", sql, (long long)answer);
                loop_for(5);
        }
}

void *
session_hold(const char *url)
{
        PGconn *pq = PQconnectdb(url);

        if (PQstatus(pq) == CONNECTION_OK)
                return pq;
        PQfinish(pq);
        return NULL;
}

void
session_end(void *session)
{
        PQfinish(session);
}

/* Shared, so that all who wait go on together; by the process, for the server is not ours alone. */
void
gate_shut(struct gate *gate, const char *url, int number)
{
        char sql[80];
        int pid = (int)getpid();

        *gate = (struct gate){.session = session_hold(url), .url = url};
        ck_assert_ptr_nonnull(gate->session);
        snprintf(sql, sizeof sql, "SELECT pg_advisory_lock(%d, %d)", pid, number);
        PGresult *res = PQexec(gate->session, sql);
        ck_assert_int_eq(PQresultStatus(res), PGRES_TUPLES_OK);
        PQclear(res);
        snprintf(gate->from, sizeof gate->from, "pg_advisory_xact_lock_shared(%d, %d)", pid,
                 number);
        snprintf(gate->sql, sizeof gate->sql, "SELECT pg_backend_pid() FROM %s", gate->from);
        snprintf(gate->count, sizeof gate->count,
                 "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                 " AND classid = %d AND objid = %d",
                 pid, number);
}

void
gate_await(const struct gate *gate, int n)
{
        ask_until(gate->url, gate->count, n);
}

void
gate_open(struct gate *gate)
{
        session_end(gate->session);
        gate->session = NULL;
}

const char *
support_path(const char *name)
{
        static char path[1000];
        int folder = (int)(strrchr(CLUSTER_SCRIPT, '/') - CLUSTER_SCRIPT);

        snprintf(path, sizeof path, "%.*s/%s", folder, CLUSTER_SCRIPT, name);
        return path;
}

int64_t
clock_ms(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Asks every few milliseconds; ends by itself when the test is gone. */
static void
lookout_run(int fd, const char *url)
{
        const struct timespec pause = {0, 3000000};
        int64_t until_ms = clock_ms() + 120000;

        while (PQping(url) != PQPING_OK && clock_ms() < until_ms)
                nanosleep(&pause, NULL);
        int64_t now = clock_ms();
        if (write(fd, &now, sizeof now) != sizeof now)
                _exit(1);
        _exit(0);
}

void
lookout_start(struct lookout *lookout, const char *url)
{
        int fds[2];

        ck_assert_int_eq(pipe(fds), 0);
        lookout->pid = fork();
        ck_assert_int_ge(lookout->pid, 0);
        if (lookout->pid == 0) {
                close(fds[0]);
                lookout_run(fds[1], url);
        }
        close(fds[1]);
        lookout->fd = fds[0];
}

int64_t
lookout_end(struct lookout *lookout)
{
        int64_t when = 0;

        ck_assert_int_eq(read(lookout->fd, &when, sizeof when), sizeof when);
        close(lookout->fd);
        ck_assert_int_eq(waitpid(lookout->pid, NULL, 0), lookout->pid);
        return when;
}

void
journal_log(enum pipit_log_level level, const char *line, void *arg)
{
        struct journal *journal = arg;

        journal->n_up += strstr(line, "setting up -> idle") != NULL;
        journal->n_closed += strstr(line, "-> closed") != NULL;
        journal->n_failed += strncmp(line, "no connection to", 16) == 0;
        journal->n_lost += strstr(line, " lost: ") != NULL;
        if (level >= PIPIT_LOG_WARNING)
                snprintf(journal->last, sizeof journal->last, "%s", line);
}

struct pipit_options
journal_options(void)
{
        live_journal = (struct journal){0};
        return (struct pipit_options){
                .log = journal_log, .log_arg = &live_journal, .log_level = PIPIT_LOG_DEBUG + 1};
}

void
live_open(const char *url, const struct pipit_options *options)
{
        pipit_close(live_db);
        live_db = pipit_open(live_base, url, options);
        ck_assert_ptr_nonnull(live_db);
}

const char *
url_with(const char *url, const char *more)
{
        static char texts[2][1000];
        static int i;

        i = !i;
        snprintf(texts[i], sizeof texts[i], "%s%s", url, more);
        return texts[i];
}

static void
crowd_on_call(struct pipit_result *res, void *arg)
{
        struct member *member = arg;
        struct crowd *crowd = member->crowd;
        const struct pipit_error *error = pipit_result_error(res);
        const char *value = pipit_result_text(res, 0, 0);

        member->calls++;
        member->code = error != NULL ? error->code : PIPIT_OK;
        member->executed = error != NULL ? error->executed : PIPIT_EXECUTED_YES;
        snprintf(member->sqlstate, sizeof member->sqlstate, "%s", error ? error->sqlstate : "");
        snprintf(member->value, sizeof member->value, "%s", value != NULL ? value : "");
        crowd->n++;
        if (error != NULL)
                snprintf(crowd->text, sizeof crowd->text, "%s", error->message);
        else if (crowd->n_ok++ == 0)
                crowd->first_ok_ms = clock_ms();
}

struct crowd *
crowd_new(void)
{
        struct crowd *crowd = calloc(1, sizeof *crowd);

        ck_assert_ptr_nonnull(crowd);
        return crowd;
}

void
crowd_free(struct crowd *crowd)
{
        free(crowd);
}

void
crowd_start(struct crowd *crowd, int n, const char *sql)
{
        bool numbered = strstr(sql, "$1") != NULL;

        ck_assert_int_le(crowd->n_started + n, CROWD_MAX);
        for (int i = 0; i < n; i++) {
                struct member *member = &crowd->members[crowd->n_started];
                *member = (struct member){.crowd = crowd};
                member->number = pipit_query(
                        live_db, sql, numbered ? PIPIT_PARAMS(crowd->n_started) : PIPIT_NO_PARAMS,
                        crowd_on_call, member);
                ck_assert_uint_ne(member->number, 0);
                crowd->n_started++;
        }
}

void
crowd_join(struct crowd *crowd)
{
        loop_until(&crowd->n, crowd->n_started);
        for (int i = 0; i < crowd->n_started; i++)
                ck_assert_int_eq(crowd->members[i].calls, 1);
}

int
crowd_count(const struct crowd *crowd, enum pipit_code code)
{
        int n = 0;

        for (int i = 0; i < crowd->n_started; i++)
                n += crowd->members[i].calls > 0 && crowd->members[i].code == code;
        return n;
}

static void
mute_on_client(evutil_socket_t fd, short what, void *arg)
{
        struct mute *mute = arg;
        int client = accept((int)fd, NULL, NULL);

        (void)what;
        if (client >= 0 && mute->n < 64)
                mute->fds[mute->n++] = client;
}

/* Fills the queue of those who wait to be accepted: a further one hears nothing at all. */
static void
mute_fill(struct mute *mute, const struct sockaddr_in *address)
{
        for (int i = 0; i < 3; i++) {
                int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
                ck_assert_int_ge(fd, 0);
                (void)!connect(fd, (const struct sockaddr *)address, sizeof *address);
                mute->fds[mute->n++] = fd;
        }
}

void
mute_open(struct mute *mute, bool backlog_only)
{
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t length = sizeof address;

        *mute = (struct mute){.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)};
        ck_assert_int_eq(bind(mute->fd, (struct sockaddr *)&address, sizeof address), 0);
        ck_assert_int_eq(listen(mute->fd, backlog_only ? 0 : 64), 0);
        ck_assert_int_eq(getsockname(mute->fd, (struct sockaddr *)&address, &length), 0);
        mute->port = ntohs(address.sin_port);
        snprintf(mute->url, sizeof mute->url, "postgresql://postgres@127.0.0.1:%d/postgres",
                 mute->port);
        if (backlog_only) {
                mute_fill(mute, &address);
                return;
        }
        mute->event = event_new(live_base, mute->fd, EV_READ | EV_PERSIST, mute_on_client, mute);
        ck_assert_int_eq(event_add(mute->event, NULL), 0);
}

void
mute_close(struct mute *mute)
{
        if (mute->event != NULL)
                event_free(mute->event);
        for (int i = 0; i < mute->n; i++)
                close(mute->fds[i]);
        close(mute->fd);
}
