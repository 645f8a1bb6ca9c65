/*
 * Cancels. See cancel.h.
 */
#include "conn/cancel.h"

#include <stdlib.h>

#include "base/log.h"
#include "conn/cancel_conn.h"
#include "loop/reactor.h"
#include "pq/pq_cancel.h"

/* A cancel may take so long. A server that is well takes a connection, and answers, in
 * milliseconds; meanwhile whoever waits for the connection that this is about waits for nothing. */
#define CANCEL_LIMIT_MS 2000

struct cancel {
        struct reactor *reactor;
        struct log *log;
        struct cancel_conn *cancel_conn;
        struct cancel_request request; /* of the cancel connection, where pq is NULL */
        struct pg_cancel_conn *pq;     /* NULL unless libpq makes a connection for the cancel */
        struct watch *watch;           /* of pq; NULL while it waits for nothing */
        struct timer *limit;           /* of the cancel; then that fn is to be called */
        bool over;                     /* fn is to be called, with ended */
        bool ended;
        pipit__cancel_fn fn;
        void *arg;
};

void
pipit__cancel_drop(struct cancel *cancel, bool in_child)
{
        if (cancel == NULL)
                return;
        pipit__cancel_conn_forget(cancel->cancel_conn, &cancel->request);
        pipit__watch_free(cancel->watch);
        pipit__pq_cancel_finish(cancel->pq, in_child);
        pipit__timer_free(cancel->limit);
        free(cancel);
}

/* Ends a cancel: fn is called in the next turn, whoever has found out. */
static void
cancel_end(struct cancel *cancel, bool ended)
{
        cancel->over = true;
        cancel->ended = ended;
        pipit__timer_set_or_now(cancel->limit, 0);
}

static void
cancel_fail(struct cancel *cancel, const char *reason)
{
        pipit__log(cancel->log, pipit__reactor_now(cancel->reactor), PIPIT_LOG_WARNING,
                   "a cancel failed: %s", reason);
        cancel_end(cancel, false);
}

static void
cancel_on_limit(void *arg)
{
        struct cancel *cancel = arg;
        bool ended = cancel->ended;
        pipit__cancel_fn fn = cancel->fn;
        void *fn_arg = cancel->arg;

        if (!cancel->over) {
                cancel_fail(cancel, "the server did not answer in time");
                return;
        }
        pipit__cancel_drop(cancel, false);
        fn(ended, fn_arg);
}

static void
cancel_on_request(struct cancel_request *request, bool sent)
{
        cancel_end(container_of(request, struct cancel, request), sent);
}

static void cancel_watch(struct cancel *cancel, unsigned ready);

static void
cancel_poll(struct cancel *cancel)
{
        pipit__watch_free(cancel->watch);
        cancel->watch = NULL;
        switch (pipit__pq_cancel_poll(cancel->pq)) {
        case PQ_POLL_READ: cancel_watch(cancel, WATCH_READ); return;
        case PQ_POLL_WRITE: cancel_watch(cancel, WATCH_WRITE); return;
        case PQ_POLL_DONE: cancel_end(cancel, true); return;
        case PQ_POLL_FAILED: cancel_fail(cancel, pipit__pq_cancel_message(cancel->pq)); return;
        }
}

static void
cancel_on_ready(unsigned ready, void *arg)
{
        (void)ready;
        cancel_poll(arg);
}

/* Waits until libpq can go on. libpq may change the socket with every poll, so the watcher is made
 * anew after each. */
static void
cancel_watch(struct cancel *cancel, unsigned ready)
{
        cancel->watch = pipit__watch_new(cancel->reactor, pipit__pq_cancel_socket(cancel->pq),
                                         cancel_on_ready, cancel);
        if (cancel->watch == NULL || pipit__watch_want(cancel->watch, ready) != 0)
                cancel_fail(cancel, "out of memory");
}

/* Asks the server of a connection, in the way that there is. 0, or -1. */
static int
cancel_ask(struct cancel *cancel, struct pg_conn *pq)
{
        if (!pipit__pq_can_cancel(pq))
                return pipit__cancel_conn_ask(cancel->cancel_conn, &cancel->request);
        cancel->pq = pipit__pq_cancel_start(pq);
        if (cancel->pq == NULL)
                return -1;
        if (pipit__pq_cancel_socket(cancel->pq) < 0)
                cancel_poll(cancel); /* the start has failed, and the poll says why */
        else
                cancel_watch(cancel, WATCH_WRITE);
        return 0;
}

struct cancel *
pipit__cancel_start(struct cancel_conn *cancel_conn, struct pg_conn *pq,
                    const struct backend *backend, pipit__cancel_fn fn, void *arg)
{
        struct cancel *cancel = calloc(1, sizeof *cancel);

        if (cancel == NULL)
                return NULL;
        *cancel =
                (struct cancel){.reactor = cancel_conn->reactor,
                                .log = cancel_conn->log,
                                .cancel_conn = cancel_conn,
                                .request = {.pq = pq, .backend = backend, .fn = cancel_on_request},
                                .fn = fn,
                                .arg = arg};
        list_init(&cancel->request.link);
        cancel->limit = pipit__timer_new(cancel->reactor, cancel_on_limit, cancel);
        if (cancel->limit != NULL && pipit__timer_set(cancel->limit, CANCEL_LIMIT_MS) == 0 &&
            cancel_ask(cancel, pq) == 0)
                return cancel;
        if (cancel->limit != NULL)
                pipit__timer_stop(cancel->limit);
        pipit__cancel_drop(cancel, false);
        return NULL;
}
