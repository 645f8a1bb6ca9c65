#include "link.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "workload.h"

#define INT4_OID   23
#define MAX_EVENTS 64
#define MAX_SQL    256

void
link_fail(const struct link *link, const char *what)
{
        run_fail(link->floor->run, what, PQerrorMessage(link->pq));
}

/* ---- sending */

static void
watch(struct link *link, int operation, uint32_t events)
{
        struct epoll_event event = {.events = events, .data = {.ptr = link}};

        if (epoll_ctl(link->floor->epoll, operation, PQsocket(link->pq), &event) != 0)
                run_fail(link->floor->run, "epoll", "the socket was not taken");
}

void
link_flush(struct link *link)
{
        int left = PQflush(link->pq);

        if (left < 0)
                link_fail(link, "flush");
        if ((left > 0) == link->writing)
                return;
        link->writing = left > 0;
        watch(link, EPOLL_CTL_MOD, link->writing ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

#ifdef LIBPQ_HAS_SEND_PIPELINE_SYNC

void
link_send_sync(struct link *link)
{
        if (PQsendPipelineSync(link->pq) != 1)
                link_fail(link, "Sync");
        link->syncs++;
}

#else

void
link_send_sync(struct link *link)
{
        if (PQpipelineSync(link->pq) != 1)
                link_fail(link, "Sync");
        link->syncs++;
}

#endif

static const int lengths[] = {sizeof(uint32_t), sizeof(uint32_t)};
static const int binary[] = {1, 1};

void
link_send_prepared(struct link *link, const char *name, int n_params, const int32_t *values)
{
        uint32_t words[2] = {0, 0};
        const char *pointers[] = {(const char *)&words[0], (const char *)&words[1]};

        for (int i = 0; i < n_params; i++)
                words[i] = htonl((uint32_t)values[i]);
        if (PQsendQueryPrepared(link->pq, name, n_params, pointers, lengths, binary, 1) != 1)
                link_fail(link, name);
}

/* A text that was not prepared, with a parameter. */
static void
link_send_fresh(struct link *link, const struct ask *ask)
{
        static const Oid types[] = {INT4_OID};
        uint32_t word = htonl((uint32_t)ask->values[0]);
        const char *values[] = {(const char *)&word};
        char sql[MAX_SQL];

        statement_fresh_sql(ask->statement, ask->fresh, sql, sizeof sql);
        if (PQsendQueryParams(link->pq, sql, 1, types, values, lengths, binary, 1) != 1)
                link_fail(link, ask->statement->name);
}

void
link_send_next(struct link *link)
{
        const struct ask *ask = link->ring[link->sent++ & link->mask];
        const struct statement *statement = ask->statement;

        if (ask->fresh == 0)
                link_send_prepared(link, statement->name, statement->n_params, ask->values);
        else
                link_send_fresh(link, ask);
}

void
floor_ask(struct ask *ask)
{
        const struct floor *floor = ask->task->run->state;
        struct link *link = &floor->links[ask->task->place % floor->n_links];

        link->ring[link->end++ & link->mask] = ask;
}

/* ---- answers */

int32_t
link_int(const PGresult *result, int row, int column)
{
        uint32_t word;

        if (PQgetlength(result, row, column) != (int)sizeof word)
                return 0; /* no table has this, so the answer is a wrong one */
        memcpy(&word, PQgetvalue(result, row, column), sizeof word);
        return (int32_t)ntohl(word);
}

/* The rows, or only their number. */
static int
take_rows(const struct link *link, const struct ask *ask, const PGresult *result)
{
        struct run *run = link->floor->run;
        int n = PQntuples(result);

        if (!ask->statement->returns) {
                char *affected = PQcmdTuples((PGresult *)(uintptr_t)result);
                return atoi(affected);
        }
        if (n > RUN_MAX_ROWS)
                link_fail(link, "too many rows");
        for (int i = 0; i < n; i++) {
                run->rows[i].id = link_int(result, i, 0);
                run->rows[i].value = link_int(result, i, 1);
        }
        return n;
}

void
link_take_one(struct link *link, const PGresult *result)
{
        struct ask *ask = link->ring[link->got++ & link->mask];
        struct pair *rows = link->floor->run->rows;
        int n = take_rows(link, ask, result);

        if (ask->statement->writes) {
                ask->n_rows = n; /* until the Sync says that it is committed */
                ask->row = rows[0];
                return;
        }
        link->head++;
        ask_answered(ask, rows, n);
}

/* What was written is committed. */
static void
link_synced(struct link *link)
{
        link->syncs--;
        while (link->head != link->got) {
                struct ask *ask = link->ring[link->head++ & link->mask];
                struct pair row = ask->row;
                ask_answered(ask, &row, ask->n_rows);
        }
}

/* Outside a pipeline a NULL ends a statement; in one it only stands between two. */
static void
link_take(struct link *link)
{
        PGresult *result = PQgetResult(link->pq);
        ExecStatusType status = PQresultStatus(result);

        if (result == NULL) {
                if (!link->floor->form->pipelined)
                        link_synced(link);
                return;
        }
        if (status == PGRES_PIPELINE_SYNC)
                link_synced(link);
        else if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
                link->floor->form->take(link, result);
        else
                link_fail(link, "answer");
        PQclear(result);
}

static void
link_ready(struct link *link, uint32_t events)
{
        if ((events & EPOLLOUT) != 0)
                link_flush(link);
        if ((events & ~(uint32_t)EPOLLOUT) == 0)
                return;
        if (PQconsumeInput(link->pq) != 1)
                link_fail(link, "read");
        while (link->syncs > 0 && PQisBusy(link->pq) == 0)
                link_take(link);
        link->floor->form->send(link);
}

/* ---- the run */

void
link_prepare(struct link *link, const char *name, const char *sql, int n_params, unsigned type)
{
        const Oid types[] = {type, type};
        PGresult *result = PQprepare(link->pq, name, sql, n_params, types);

        if (PQresultStatus(result) != PGRES_COMMAND_OK)
                link_fail(link, name);
        PQclear(result);
}

/* Power of two, for the ring's mask. */
static unsigned
ring_size(unsigned least)
{
        unsigned size = 1;

        while (size < least)
                size *= 2;
        return size;
}

static void
link_open(struct link *link, struct floor *floor)
{
        const struct run *run = floor->run;
        int tasks = run->options->in_flight / floor->n_links + 1;

        link->floor = floor;
        link->mask = ring_size((unsigned)(tasks * run->workload->width)) - 1;
        link->ring = calloc(link->mask + 1, sizeof(link->ring[0]));
        link->pq = PQconnectdb(run->options->url);
        if (link->ring == NULL || PQstatus(link->pq) != CONNECTION_OK)
                link_fail(link, "connect");
        for (int i = 0; run->workload->statements[i] != NULL; i++) {
                const struct statement *statement = run->workload->statements[i];
                link_prepare(link, statement->name, statement->sql, statement->n_params, INT4_OID);
        }
        if (PQsetnonblocking(link->pq, 1) != 0 ||
            (floor->form->pipelined && PQenterPipelineMode(link->pq) != 1))
                link_fail(link, "connect");
        watch(link, EPOLL_CTL_ADD, EPOLLIN);
}

void
floor_open(struct run *run, const struct form *form)
{
        struct floor *floor = calloc(1, sizeof *floor);

        if (floor == NULL)
                run_fail(run, "start", "out of memory");
        run->state = floor;
        floor->run = run;
        floor->form = form;
        floor->epoll = epoll_create1(EPOLL_CLOEXEC);
        floor->n_links = run->options->connections;
        floor->links = calloc((size_t)floor->n_links, sizeof(floor->links[0]));
        if (floor->links == NULL)
                run_fail(run, "start", "out of memory");
        for (int i = 0; i < floor->n_links; i++)
                link_open(&floor->links[i], floor);
}

void
floor_loop(struct run *run)
{
        struct floor *floor = run->state;
        struct epoll_event events[MAX_EVENTS];

        for (int i = 0; i < floor->n_links; i++)
                floor->form->send(&floor->links[i]);
        while (run->active > 0) {
                int n = epoll_wait(floor->epoll, events, MAX_EVENTS, -1);
                for (int i = 0; i < n; i++)
                        link_ready(events[i].data.ptr, events[i].events);
        }
}

void
floor_close(struct run *run)
{
        struct floor *floor = run->state;

        for (int i = 0; i < floor->n_links; i++) {
                PQfinish(floor->links[i].pq);
                free(floor->links[i].ring);
        }
        close(floor->epoll);
        free(floor->links);
        free(floor->extra);
        free(floor);
}
