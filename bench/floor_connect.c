/*
 * The floor of the workload "connect": for each task a connection is made, asked once and closed,
 * without blocking, so that several can be made at once.
 */
#include <arpa/inet.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "floor.h"
#include "workload.h"

#define INT4_OID 23

struct caller {
        struct ask *ask; /* NULL when it has nothing to do */
        PGconn *pq;
        bool connected;
        short events; /* what it waits for */
};

static void
caller_fail(const struct caller *caller, const char *what)
{
        run_fail(caller->ask->task->run, what, PQerrorMessage(caller->pq));
}

static void
connect_ask(struct ask *ask)
{
        struct caller *callers = ask->task->run->state;
        struct caller *caller = &callers[ask->task->place];

        caller->ask = ask;
        caller->connected = false;
        caller->events = POLLOUT;
        caller->pq = PQconnectStart(ask->task->run->options->url);
        if (PQstatus(caller->pq) == CONNECTION_BAD)
                caller_fail(caller, "connect");
}

static void
caller_send(struct caller *caller)
{
        const Oid types[] = {INT4_OID};
        uint32_t word = htonl((uint32_t)caller->ask->values[0]);
        const char *values[] = {(const char *)&word};
        const int lengths[] = {sizeof word};
        const int binary[] = {1};

        caller->connected = true;
        caller->events = POLLIN;
        if (PQsetnonblocking(caller->pq, 1) != 0 ||
            PQsendQueryParams(caller->pq, caller->ask->statement->sql, 1, types, values, lengths,
                              binary, 1) != 1 ||
            PQflush(caller->pq) != 0) /* some bytes, and the socket is empty */
                caller_fail(caller, "send");
}

static void
caller_connect(struct caller *caller)
{
        PostgresPollingStatusType status = PQconnectPoll(caller->pq);

        if (status == PGRES_POLLING_OK)
                caller_send(caller);
        else if (status == PGRES_POLLING_READING)
                caller->events = POLLIN;
        else if (status == PGRES_POLLING_WRITING)
                caller->events = POLLOUT;
        else
                caller_fail(caller, "connect");
}

static int32_t
take_int(const PGresult *result, int column)
{
        uint32_t word;

        if (PQntuples(result) != 1 || PQgetlength(result, 0, column) != (int)sizeof word)
                return 0;
        memcpy(&word, PQgetvalue(result, 0, column), sizeof word);
        return (int32_t)ntohl(word);
}

static void
caller_read(struct caller *caller)
{
        struct ask *ask = caller->ask;

        if (PQconsumeInput(caller->pq) != 1)
                caller_fail(caller, "read");
        if (PQisBusy(caller->pq) != 0)
                return;
        PGresult *result = PQgetResult(caller->pq);
        if (PQresultStatus(result) != PGRES_TUPLES_OK)
                caller_fail(caller, "answer");
        struct pair row = {.id = take_int(result, 0), .value = take_int(result, 1)};
        PQclear(result);
        PQfinish(caller->pq);
        caller->ask = NULL;
        ask_answered(ask, &row, 1);
}

static void
connect_open(struct run *run)
{
        run->state = calloc((size_t)run->options->in_flight, sizeof(struct caller));
        if (run->state == NULL)
                run_fail(run, "start", "out of memory");
}

static void
connect_loop(struct run *run)
{
        struct caller *callers = run->state;
        int n = run->options->in_flight;
        struct pollfd *fds = calloc((size_t)n, sizeof *fds);

        if (fds == NULL)
                run_fail(run, "start", "out of memory");
        while (run->active > 0) {
                for (int i = 0; i < n; i++) {
                        fds[i].fd = callers[i].ask != NULL ? PQsocket(callers[i].pq) : -1;
                        fds[i].events = callers[i].events;
                }
                poll(fds, (nfds_t)(unsigned)n, -1);
                for (int i = 0; i < n; i++) {
                        if (fds[i].revents == 0 || fds[i].fd < 0)
                                continue;
                        if (callers[i].connected)
                                caller_read(&callers[i]);
                        else
                                caller_connect(&callers[i]);
                }
        }
        free(fds);
}

static void
connect_close(struct run *run)
{
        free(run->state);
}

static bool
serves_connect(const struct workload *workload)
{
        return workload->statements[0]->call == CALL_CONNECT;
}

const struct subject subject_floor_connect = {.name = "floor-single",
                                              .serves = serves_connect,
                                              .open = connect_open,
                                              .ask = connect_ask,
                                              .loop = connect_loop,
                                              .close = connect_close};
