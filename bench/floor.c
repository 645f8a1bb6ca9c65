/*
 * The workload on libpq alone: pipeline mode, a Sync behind each statement, poll().
 */
#include "bench.h"

#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_CONNECTIONS 64

struct run {
        const struct bench *bench;
        int started;
        int done;
};

struct link {
        PGconn *pq;
        int owed; /* statements without an answer */
};

static void
fail(const PGconn *pq)
{
        fprintf(stderr, "floor: %s", PQerrorMessage(pq));
        exit(EXIT_FAILURE);
}

static void
link_open(struct link *link, const char *url)
{
        link->pq = PQconnectdb(url);
        link->owed = 0;
        if (PQstatus(link->pq) != CONNECTION_OK || PQsetnonblocking(link->pq, 1) != 0 ||
            PQenterPipelineMode(link->pq) != 1)
                fail(link->pq);
}

static void
link_start_one(struct run *run, struct link *link)
{
        char id[16];
        const char *values[] = {id};

        snprintf(id, sizeof id, "%d", run->started++ % BENCH_IDS);
        if (PQsendQueryParams(link->pq, BENCH_SQL, 1, NULL, values, NULL, NULL, 0) != 1 ||
            PQpipelineSync(link->pq) != 1 || PQflush(link->pq) < 0)
                fail(link->pq);
        link->owed++;
}

/* Takes one result: rows, the NULL behind them, or the Sync behind that. */
static void
link_take(struct run *run, struct link *link)
{
        PGresult *result = PQgetResult(link->pq);
        ExecStatusType status = PQresultStatus(result);

        if (status == PGRES_PIPELINE_SYNC) {
                run->done++;
                link->owed--;
        } else if (result != NULL && (status != PGRES_TUPLES_OK || PQntuples(result) != 1)) {
                fail(link->pq);
        }
        PQclear(result);
}

/* Takes what has come, and starts a statement for each that was answered. */
static void
link_read(struct run *run, struct link *link)
{
        int owed = link->owed;

        if (PQconsumeInput(link->pq) != 1)
                fail(link->pq);
        while (link->owed > 0 && PQisBusy(link->pq) == 0)
                link_take(run, link);
        for (int n = owed - link->owed; n > 0 && run->started < run->bench->requests; n--)
                link_start_one(run, link);
}

void
bench_run_floor(const struct bench *bench)
{
        struct run run = {.bench = bench};
        struct link links[MAX_CONNECTIONS];
        struct pollfd fds[MAX_CONNECTIONS];
        int n = bench->connections < MAX_CONNECTIONS ? bench->connections : MAX_CONNECTIONS;

        for (int i = 0; i < n; i++) {
                link_open(&links[i], bench->url);
                fds[i] = (struct pollfd){.fd = PQsocket(links[i].pq), .events = POLLIN};
        }
        for (int i = 0; i < bench->in_flight; i++)
                link_start_one(&run, &links[i % n]);
        while (run.done < bench->requests) {
                if (poll(fds, (nfds_t)n, -1) < 0)
                        fail(links[0].pq);
                for (int i = 0; i < n; i++) {
                        if (fds[i].revents != 0)
                                link_read(&run, &links[i]);
                }
        }
        for (int i = 0; i < n; i++)
                PQfinish(links[i].pq);
}
