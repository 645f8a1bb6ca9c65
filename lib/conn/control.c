/*
 * The control connection. See control.h.
 */
#include "conn/control.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "connect/attempt.h"
#include "loop/reactor.h"
#include "pq/pq_cancel.h"

/* Whoever wishes something has a limit of his own, which is not longer. */
#define CONTROL_CONNECT_MS 2000
/* Cancels come together; a session that the server keeps for nothing is not free either. */
#define CONTROL_IDLE_MS 10000

/* The process could be another session's by now, or another server's behind the same address. No
 * operators: they are looked for in the search_path. */
static const char control_sql[] =
        "SELECT pg_catalog.pg_cancel_backend($1) AS sent "
        "FROM pg_catalog.pg_stat_get_activity($1) WHERE pg_catalog.texteq("
        "pg_catalog.encode(pg_catalog.timestamptz_send(backend_start), 'hex'), $2)";

static void control_go_on(struct control *control);

void
pipit__control_init(struct control *control, struct reactor *reactor, const struct conninfo *info,
                    struct log *log)
{
        *control = (struct control){.reactor = reactor, .info = info, .log = log};
        list_init(&control->wishes);
}

static void
control_disconnect(struct control *control, bool in_child)
{
        pipit__attempt_cancel(control->attempt, in_child);
        control->attempt = NULL;
        pipit__watch_free(control->watch);
        control->watch = NULL;
        if (in_child && control->pq != NULL)
                pipit__pq_abandon(control->pq);
        else
                pipit__pq_finish(control->pq);
        control->pq = NULL;
        if (control->rest != NULL)
                pipit__timer_stop(control->rest);
        control->state = CONTROL_CLOSED;
}

void
pipit__control_yield(struct control *control)
{
        if (control->state == CONTROL_IDLE)
                control_disconnect(control, false);
}

void
pipit__control_close(struct control *control, bool in_child)
{
        control->asked = NULL;
        while (!list_empty(&control->wishes))
                list_pop_first(&control->wishes);
        control_disconnect(control, in_child);
}

void
pipit__control_fini(struct control *control)
{
        if (control->reactor == NULL)
                return;
        control_disconnect(control, false);
        pipit__timer_free(control->rest);
}

/* The connection is of no use; nor is the wish that it was there for. */
static void
control_fail(struct control *control, const char *reason)
{
        struct control_wish *wish = control->asked;

        if (wish == NULL && control->state == CONTROL_CONNECTING && !list_empty(&control->wishes))
                wish = container_of(list_pop_first(&control->wishes), struct control_wish, link);
        pipit__log(control->log, pipit__reactor_now(control->reactor), PIPIT_LOG_WARNING,
                   "control connection to %s: %s", control->host, reason);
        control->asked = NULL;
        control_disconnect(control, false);
        if (wish != NULL)
                wish->fn(wish, false);
        control_go_on(control);
}

static void
control_on_rest(void *arg)
{
        control_disconnect(arg, false);
}

/* The server has answered. */
static void
control_on_answered(struct control *control)
{
        struct control_wish *wish = control->asked;

        control->asked = NULL;
        control->state = CONTROL_IDLE;
        wish->fn(wish, control->sent);
        control_go_on(control);
}

/* Takes one answer; false when that was the last, or the connection is gone. */
static bool
control_take_answer(struct control *control)
{
        struct pg_result *answer = pipit__pq_next(control->pq);
        enum pq_kind kind = answer != NULL ? pipit__pq_kind(answer) : PQ_KIND_COMMAND;
        bool is_end = answer == NULL && !control->ended;

        if (kind == PQ_KIND_ROWS)
                control->sent = strcmp(pipit__pq_value(answer, "sent"), "t") == 0;
        pipit__pq_clear(answer);
        control->ended = control->ended || answer == NULL;
        if (kind == PQ_KIND_SYNC)
                control_on_answered(control);
        else if (kind != PQ_KIND_ROWS && !is_end)
                control_fail(control, "the server did not take the statement that cancels");
        else
                return true;
        return false;
}

static void
control_on_ready(unsigned ready, void *arg)
{
        struct control *control = arg;

        if (ready == WATCH_READ && pipit__pq_consume(control->pq) != 0) {
                control_fail(control, "the connection was lost");
                return;
        }
        int r = pipit__pq_flush(control->pq);
        if (r < 0 || pipit__watch_want(control->watch, WATCH_READ | (r > 0 ? WATCH_WRITE : 0)) != 0)
                control_fail(control, "it cannot be written to");
        else if (control->state != CONTROL_ASKING)
                (void)pipit__pq_busy(control->pq); /* has libpq look at what came unasked */
        else
                while (!pipit__pq_busy(control->pq) && control_take_answer(control))
                        ;
}

/* Asks the server of this connection. */
static void
control_send(struct control *control, struct control_wish *wish)
{
        const char *values[] = {wish->backend->pid, wish->backend->began};
        struct pq_params params = {.n = 2, .values = values};

        pipit__timer_stop(control->rest);
        list_remove(&wish->link);
        control->state = CONTROL_ASKING;
        control->asked = wish;
        control->sent = control->ended = false;
        if (pipit__pq_send(control->pq, control_sql, NULL, &params) != 0 ||
            pipit__pq_sync(control->pq) != 0)
                control_fail(control, "out of memory");
        else
                control_on_ready(WATCH_WRITE, control);
}

/* What it says of itself is nobody's. */
static void
control_on_notice(const struct pq_notice *notice, void *arg)
{
        (void)notice;
        (void)arg;
}

static void
control_on_attempt(struct pg_conn *pq, const char *host, const struct attempt_failure *failure,
                   void *arg)
{
        struct control *control = arg;

        (void)host;
        control->attempt = NULL;
        if (pq == NULL) {
                control_fail(control, failure->text);
                return;
        }
        control->pq = pq;
        control->receiver = (struct pq_receiver){control_on_notice, control};
        control->watch =
                pipit__watch_new(control->reactor, pipit__pq_socket(pq), control_on_ready, control);
        if (control->watch == NULL || pipit__watch_want(control->watch, WATCH_READ) != 0 ||
            pipit__pq_enter(pq, &control->receiver) != 0) {
                control_fail(control, "out of memory");
                return;
        }
        control->state = CONTROL_IDLE;
        control_go_on(control);
}

/* Whether the connection goes to the server of that wish. */
static bool
control_is_there(const struct control *control, const struct control_wish *wish)
{
        return strcmp(control->host, pipit__pq_host(wish->pq)) == 0 &&
               strcmp(control->address, pipit__pq_address(wish->pq)) == 0 &&
               strcmp(control->port, pipit__pq_port(wish->pq)) == 0;
}

/* Connects to the server of that wish: what was looked up for its connection serves here too. */
static void
control_connect(struct control *control, const struct control_wish *wish)
{
        snprintf(control->host, sizeof control->host, "%s", pipit__pq_host(wish->pq));
        snprintf(control->address, sizeof control->address, "%s", pipit__pq_address(wish->pq));
        snprintf(control->port, sizeof control->port, "%s", pipit__pq_port(wish->pq));
        control->server = (struct conninfo_host){control->host, control->address, control->port};
        control->there = *control->info;
        control->there.hosts = &control->server;
        control->there.n_hosts = 1;
        control->state = CONTROL_CONNECTING;
        control->attempt = pipit__attempt_start(control->reactor, &control->there,
                                                CONTROL_CONNECT_MS, control_on_attempt, control);
        if (control->attempt == NULL)
                control_fail(control, "out of memory");
}

/* Does what is to be done next, unless something is under way. */
static void
control_go_on(struct control *control)
{
        struct list *link = list_first(&control->wishes);
        struct control_wish *wish =
                link != NULL ? container_of(link, struct control_wish, link) : NULL;

        if (control->state == CONTROL_CONNECTING || control->state == CONTROL_ASKING)
                return;
        if (control->state == CONTROL_IDLE && wish == NULL)
                pipit__timer_set_or_now(control->rest, CONTROL_IDLE_MS);
        else if (control->state == CONTROL_IDLE && control_is_there(control, wish))
                control_send(control, wish);
        else if (wish != NULL) {
                control_disconnect(control, false);
                control_connect(control, wish);
        }
}

int
pipit__control_ask(struct control *control, struct control_wish *wish)
{
        /* It does not say who it is. */
        if (wish->backend->began[0] == '\0')
                return -1;
        if (control->rest == NULL)
                control->rest = pipit__timer_new(control->reactor, control_on_rest, control);
        if (control->rest == NULL)
                return -1;
        list_push_back(&control->wishes, &wish->link);
        control_go_on(control);
        return 0;
}

void
pipit__control_forget(struct control *control, struct control_wish *wish)
{
        list_remove(&wish->link);
        if (control->asked != wish)
                return;
        /* Who waits behind it need not wait for a server that does not answer. */
        control->asked = NULL;
        control_disconnect(control, false);
        control_go_on(control);
}
