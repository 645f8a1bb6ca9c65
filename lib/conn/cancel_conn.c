/*
 * The cancel connection. See cancel_conn.h.
 */
#include "conn/cancel_conn.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "connect/connect_attempt.h"
#include "loop/reactor.h"
#include "pq/pq_cancel.h"

/* An attempt may take so long; cancel.c has a limit of its own, which is not longer. */
#define CANCEL_CONN_CONNECT_MS 2000
/* The connection is closed after so long without work. Cancels come together, but a session that
 * the server keeps for nothing is not free either. */
#define CANCEL_CONN_IDLE_MS 10000

/* The statement compares when the process began, because the number could be another session's by
 * now, or another server's at the same address. It has no operators, since these are looked for in
 * the search_path. */
static const char cancel_conn_sql[] =
        "SELECT pg_catalog.pg_cancel_backend($1) AS sent "
        "FROM pg_catalog.pg_stat_get_activity($1) WHERE pg_catalog.texteq("
        "pg_catalog.encode(pg_catalog.timestamptz_send(backend_start), 'hex'), $2)";

static void cancel_conn_go_on(struct cancel_conn *cancel_conn);

void
pipit__cancel_conn_init(struct cancel_conn *cancel_conn, struct reactor *reactor,
                        const struct conninfo *info, struct log *log)
{
        *cancel_conn = (struct cancel_conn){.reactor = reactor, .info = info, .log = log};
        list_init(&cancel_conn->requests);
}

/* The only place that changes the state. */
static void
cancel_conn_enter(struct cancel_conn *cancel_conn, enum cancel_conn_state state)
{
        cancel_conn->state = state;
}

/* Closes what there is, whatever it was doing. */
static void
cancel_conn_disconnect(struct cancel_conn *cancel_conn, bool in_child)
{
        pipit__connect_attempt_cancel(cancel_conn->attempt, in_child);
        cancel_conn->attempt = NULL;
        pipit__watch_free(cancel_conn->watch);
        cancel_conn->watch = NULL;
        if (in_child && cancel_conn->pq != NULL)
                pipit__pq_abandon(cancel_conn->pq);
        else
                pipit__pq_finish(cancel_conn->pq);
        cancel_conn->pq = NULL;
        if (cancel_conn->rest != NULL)
                pipit__timer_stop(cancel_conn->rest);
        cancel_conn_enter(cancel_conn, CANCEL_CONN_CLOSED);
}

void
pipit__cancel_conn_yield(struct cancel_conn *cancel_conn)
{
        if (cancel_conn->state == CANCEL_CONN_IDLE)
                cancel_conn_disconnect(cancel_conn, false);
}

void
pipit__cancel_conn_close(struct cancel_conn *cancel_conn, bool in_child)
{
        cancel_conn->asked = NULL;
        while (!list_empty(&cancel_conn->requests))
                list_pop_first(&cancel_conn->requests);
        cancel_conn_disconnect(cancel_conn, in_child);
}

void
pipit__cancel_conn_fini(struct cancel_conn *cancel_conn)
{
        if (cancel_conn->reactor == NULL)
                return;
        cancel_conn_disconnect(cancel_conn, false);
        pipit__timer_free(cancel_conn->rest);
}

/* Gives the connection up, and fails the request that it was there for. */
static void
cancel_conn_fail(struct cancel_conn *cancel_conn, const char *reason)
{
        struct cancel_request *request = cancel_conn->asked;

        if (request == NULL && cancel_conn->state == CANCEL_CONN_CONNECTING &&
            !list_empty(&cancel_conn->requests))
                request = container_of(list_pop_first(&cancel_conn->requests),
                                       struct cancel_request, link);
        pipit__log(cancel_conn->log, pipit__reactor_now(cancel_conn->reactor), PIPIT_LOG_WARNING,
                   "control connection to %s: %s", cancel_conn->host, reason);
        cancel_conn->asked = NULL;
        cancel_conn_disconnect(cancel_conn, false);
        if (request != NULL)
                request->fn(request, false);
        cancel_conn_go_on(cancel_conn);
}

static void
cancel_conn_on_rest(void *arg)
{
        cancel_conn_disconnect(arg, false);
}

/* Tells what the server has answered, and goes on. */
static void
cancel_conn_on_answered(struct cancel_conn *cancel_conn)
{
        struct cancel_request *request = cancel_conn->asked;

        cancel_conn->asked = NULL;
        cancel_conn_enter(cancel_conn, CANCEL_CONN_IDLE);
        request->fn(request, cancel_conn->sent);
        cancel_conn_go_on(cancel_conn);
}

/* Takes one result; false when that was the last, or the connection is gone. */
static bool
cancel_conn_take_answer(struct cancel_conn *cancel_conn)
{
        struct pg_result *answer = pipit__pq_next(cancel_conn->pq);
        enum pq_kind kind = answer != NULL ? pipit__pq_kind(answer) : PQ_KIND_COMMAND;
        bool is_end = answer == NULL && !cancel_conn->ended;

        if (kind == PQ_KIND_ROWS)
                cancel_conn->sent = strcmp(pipit__pq_value(answer, "sent"), "t") == 0;
        pipit__pq_clear(answer);
        cancel_conn->ended = cancel_conn->ended || answer == NULL;
        if (kind == PQ_KIND_SYNC)
                cancel_conn_on_answered(cancel_conn);
        else if (kind != PQ_KIND_ROWS && !is_end)
                cancel_conn_fail(cancel_conn, "the server did not take the statement that cancels");
        else
                return true;
        return false;
}

/* Reads and writes; a watcher's function. */
static void
cancel_conn_on_ready(unsigned ready, void *arg)
{
        struct cancel_conn *cancel_conn = arg;

        if (ready == WATCH_READ && pipit__pq_consume(cancel_conn->pq) != 0) {
                cancel_conn_fail(cancel_conn, "the connection was lost");
                return;
        }
        int r = pipit__pq_flush(cancel_conn->pq);
        if (r < 0 ||
            pipit__watch_want(cancel_conn->watch, WATCH_READ | (r > 0 ? WATCH_WRITE : 0)) != 0)
                cancel_conn_fail(cancel_conn, "it cannot be written to");
        else if (cancel_conn->state != CANCEL_CONN_ASKING)
                (void)pipit__pq_busy(cancel_conn->pq); /* has libpq look at what came unasked */
        else
                while (!pipit__pq_busy(cancel_conn->pq) && cancel_conn_take_answer(cancel_conn))
                        ;
}

/* Asks the server of this connection to cancel. */
static void
cancel_conn_send(struct cancel_conn *cancel_conn, struct cancel_request *request)
{
        const char *values[] = {request->backend->pid, request->backend->began};
        struct pq_params params = {.n = 2, .values = values};

        pipit__timer_stop(cancel_conn->rest);
        list_remove(&request->link);
        cancel_conn_enter(cancel_conn, CANCEL_CONN_ASKING);
        cancel_conn->asked = request;
        cancel_conn->sent = cancel_conn->ended = false;
        if (pipit__pq_send(cancel_conn->pq, cancel_conn_sql, &params, false) != 0 ||
            pipit__pq_sync(cancel_conn->pq) != 0)
                cancel_conn_fail(cancel_conn, "out of memory");
        else
                cancel_conn_on_ready(WATCH_WRITE, cancel_conn);
}

/* Drops what the server says of itself. */
static void
cancel_conn_on_notice(const struct pq_notice *notice, void *arg)
{
        (void)notice;
        (void)arg;
}

/* Takes what an attempt has come to. */
static void
cancel_conn_on_attempt(struct pg_conn *pq, const char *host, const struct conn_error *failure,
                       void *arg)
{
        struct cancel_conn *cancel_conn = arg;

        (void)host;
        cancel_conn->attempt = NULL;
        if (pq == NULL) {
                cancel_conn_fail(cancel_conn, failure->text);
                return;
        }
        cancel_conn->pq = pq;
        cancel_conn->receiver = (struct pq_receiver){cancel_conn_on_notice, cancel_conn};
        cancel_conn->watch = pipit__watch_new(cancel_conn->reactor, pipit__pq_socket(pq),
                                              cancel_conn_on_ready, cancel_conn);
        if (cancel_conn->watch == NULL || pipit__watch_want(cancel_conn->watch, WATCH_READ) != 0 ||
            pipit__pq_enter(pq, &cancel_conn->receiver) != 0) {
                cancel_conn_fail(cancel_conn, "out of memory");
                return;
        }
        cancel_conn_enter(cancel_conn, CANCEL_CONN_IDLE);
        cancel_conn_go_on(cancel_conn);
}

/* Whether the connection goes to the server of a request. */
static bool
cancel_conn_is_there(const struct cancel_conn *cancel_conn, const struct cancel_request *request)
{
        return strcmp(cancel_conn->host, pipit__pq_host(request->pq)) == 0 &&
               strcmp(cancel_conn->address, pipit__pq_address(request->pq)) == 0 &&
               strcmp(cancel_conn->port, pipit__pq_port(request->pq)) == 0;
}

/* Connects to the server of a request, at the address that was looked up for its connection. */
static void
cancel_conn_connect(struct cancel_conn *cancel_conn, const struct cancel_request *request)
{
        snprintf(cancel_conn->host, sizeof cancel_conn->host, "%s", pipit__pq_host(request->pq));
        snprintf(cancel_conn->address, sizeof cancel_conn->address, "%s",
                 pipit__pq_address(request->pq));
        snprintf(cancel_conn->port, sizeof cancel_conn->port, "%s", pipit__pq_port(request->pq));
        cancel_conn->server =
                (struct conninfo_host){cancel_conn->host, cancel_conn->address, cancel_conn->port};
        cancel_conn->there = *cancel_conn->info;
        cancel_conn->there.hosts = &cancel_conn->server;
        cancel_conn->there.n_hosts = 1;
        cancel_conn->there.order = NULL; /* a cancel says nothing of the host */
        cancel_conn_enter(cancel_conn, CANCEL_CONN_CONNECTING);
        cancel_conn->attempt = pipit__connect_attempt_start(
                cancel_conn->reactor, &cancel_conn->there, CANCEL_CONN_CONNECT_MS,
                cancel_conn_on_attempt, cancel_conn);
        if (cancel_conn->attempt == NULL)
                cancel_conn_fail(cancel_conn, "out of memory");
}

/* Does what is to be done next: serves the first request, connects for it, or rests. Nothing is
 * done while something is under way. */
static void
cancel_conn_go_on(struct cancel_conn *cancel_conn)
{
        struct list *link = list_first(&cancel_conn->requests);
        struct cancel_request *request =
                link != NULL ? container_of(link, struct cancel_request, link) : NULL;

        if (cancel_conn->state == CANCEL_CONN_CONNECTING ||
            cancel_conn->state == CANCEL_CONN_ASKING)
                return;
        if (cancel_conn->state == CANCEL_CONN_IDLE && request == NULL)
                pipit__timer_set_or_now(cancel_conn->rest, CANCEL_CONN_IDLE_MS);
        else if (cancel_conn->state == CANCEL_CONN_IDLE &&
                 cancel_conn_is_there(cancel_conn, request))
                cancel_conn_send(cancel_conn, request);
        else if (request != NULL) {
                cancel_conn_disconnect(cancel_conn, false);
                cancel_conn_connect(cancel_conn, request);
        }
}

int
pipit__cancel_conn_ask(struct cancel_conn *cancel_conn, struct cancel_request *request)
{
        /* Nobody knows who that session is. */
        if (request->backend->began[0] == '\0')
                return -1;
        if (cancel_conn->rest == NULL)
                cancel_conn->rest =
                        pipit__timer_new(cancel_conn->reactor, cancel_conn_on_rest, cancel_conn);
        if (cancel_conn->rest == NULL)
                return -1;
        list_push_back(&cancel_conn->requests, &request->link);
        cancel_conn_go_on(cancel_conn);
        return 0;
}

void
pipit__cancel_conn_forget(struct cancel_conn *cancel_conn, struct cancel_request *request)
{
        list_remove(&request->link);
        if (cancel_conn->asked != request)
                return;
        /* The others need not wait for a server that does not answer. */
        cancel_conn->asked = NULL;
        cancel_conn_disconnect(cancel_conn, false);
        cancel_conn_go_on(cancel_conn);
}
