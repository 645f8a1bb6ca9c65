/*
 * The attempt resolves all names, and then tries one endpoint after another. See connect_attempt.h.
 *
 * libpq never looks a name up here: it gets addresses, and one endpoint at a time, so that a host
 * that does not answer costs its share of the time and not all of it. libpq's socket may change
 * with every poll, even to another one of the same number, so the watcher is made anew after each.
 */
#include "connect/connect_attempt.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "connect/conninfo.h"
#include "connect/resolver.h"
#include "loop/deadline.h"
#include "loop/reactor.h"
#include "pq/pq.h"
#include "pq/pq_connect.h"

#define ATTEMPT_MAX_ADDRESSES 16
#define ADDRESS_SIZE          64

enum attempt_state {
        ATTEMPT_STARTING,  /* the timer runs for a turn, so that nothing happens inside the start */
        ATTEMPT_RESOLVING, /* DNS queries are out; the timer runs for the whole time */
        ATTEMPT_CONNECTING /* pq and watch are there; the timer runs for this endpoint's share */
};

/* A step is what can be done with an endpoint without waiting. */
enum attempt_step {
        STEP_WAITS,     /* for the watcher or the timer */
        STEP_CONNECTED, /* pq is up */
        STEP_TO_NEXT    /* the endpoint is of no use; failure says why */
};

/* A target is one host with its addresses. */
struct target {
        struct connect_attempt *attempt;
        const struct conninfo_host *host; /* borrowed from the conninfo */
        struct dns_query *query;          /* NULL unless it is out */
        int n;                            /* addresses; 0 until the host is resolved */
        char addresses[ATTEMPT_MAX_ADDRESSES][ADDRESS_SIZE]; /* numeric; "" for a socket */
};

struct connect_attempt {
        enum attempt_state state;
        struct reactor *reactor;
        const struct conninfo *info;
        int64_t until_ms; /* by pipit__reactor_now(); the attempt fails then */
        pipit__connect_attempt_fn fn;
        void *arg;
        struct timer *timer;
        struct pg_conn *pq;        /* NULL unless an endpoint is tried */
        struct watch *watch;       /* NULL unless pq waits for its socket */
        int n_queries;             /* DNS queries that are out */
        int round;                 /* 0, or 1 in the second round of prefer-standby */
        int target;                /* the target that is tried */
        int address;               /* its address that is tried next */
        struct conn_error failure; /* why the last endpoint failed, and its host */
        int n_targets;
        struct target targets[]; /* in the order of the URL's hosts */
};

static void
attempt_disconnect(struct connect_attempt *attempt, bool in_child)
{
        pipit__watch_free(attempt->watch);
        attempt->watch = NULL;
        if (in_child && attempt->pq != NULL)
                pipit__pq_abandon(attempt->pq);
        else
                pipit__pq_finish(attempt->pq);
        attempt->pq = NULL;
}

static void
attempt_free(struct connect_attempt *attempt, bool in_child)
{
        attempt_disconnect(attempt, in_child);
        for (int i = 0; i < attempt->n_targets; i++)
                pipit__dns_query_cancel(attempt->targets[i].query);
        pipit__timer_free(attempt->timer);
        free(attempt);
}

void
pipit__connect_attempt_cancel(struct connect_attempt *attempt, bool in_child)
{
        if (attempt != NULL)
                attempt_free(attempt, in_child);
}

bool
pipit__conn_error_is_permanent(const struct conn_error *failure)
{
        return strncmp(failure->sqlstate, "28", 2) == 0 || strcmp(failure->sqlstate, "3D000") == 0;
}

static void
attempt_fail(struct connect_attempt *attempt)
{
        struct conn_error failure = attempt->failure;
        pipit__connect_attempt_fn fn = attempt->fn;
        void *arg = attempt->arg;

        attempt_free(attempt, false);
        fn(NULL, failure.host, &failure, arg);
}

static void
attempt_succeed(struct connect_attempt *attempt)
{
        struct pg_conn *pq = attempt->pq;
        struct conn_error failure = attempt->failure;
        pipit__connect_attempt_fn fn = attempt->fn;
        void *arg = attempt->arg;

        attempt->pq = NULL;
        attempt_free(attempt, false);
        fn(pq, failure.host, NULL, arg);
}

/* Returns the place of the SQLSTATE in a verbose message, as "FATAL:  28P01: text"; NULL if there
 * is none. The place is found by its form, because severities are translated. */
static const char *
conn_error_sqlstate(const char *message)
{
        const char *found = NULL;

        for (const char *at = strstr(message, ":  "); at != NULL; at = strstr(at + 3, ":  ")) {
                const char *state = at + 3;
                int n = 0;
                while (n < 5 &&
                       (isupper((unsigned char)state[n]) || isdigit((unsigned char)state[n])))
                        n++;
                if (n == 5 && state[5] == ':' && state[6] == ' ')
                        found = state;
        }
        return found;
}

/* Keeps the first line of libpq's message, and the SQLSTATE apart from it. */
static void
conn_error_read(struct conn_error *failure, const char *message)
{
        const char *state = conn_error_sqlstate(message);
        char text[sizeof failure->text];
        const char *rest = message;
        int before = 0;

        failure->sqlstate[0] = '\0';
        if (state != NULL) {
                snprintf(failure->sqlstate, sizeof failure->sqlstate, "%.5s", state);
                before = (int)(state - message);
                rest = state + 7;
        }
        snprintf(text, sizeof text, "%.*s%.*s", before, message, (int)strcspn(rest, "\n"), rest);
        pipit__log_escape(failure->text, sizeof failure->text, text);
}

/* Keeps a text of pipit's own. */
static void
conn_error_print(struct conn_error *failure, const char *text)
{
        failure->sqlstate[0] = '\0';
        pipit__log_escape(failure->text, sizeof failure->text, text);
}

/* Says where an endpoint is, for people to read. */
static void
conn_error_set_host(struct conn_error *failure, const struct conninfo_host *host)
{
        if (host->host[0] == '/' || host->host[0] == '@')
                snprintf(failure->host, sizeof failure->host, "%s/.s.PGSQL.%s", host->host,
                         host->port);
        else if (host->host[0] == '\0' && host->hostaddr[0] == '\0')
                snprintf(failure->host, sizeof failure->host, "local socket, port %s", host->port);
        else
                snprintf(failure->host, sizeof failure->host, "%s:%s",
                         host->host[0] != '\0' ? host->host : host->hostaddr, host->port);
}

/* Returns how many endpoints are still to be tried, the next one included, in all rounds. */
static int
attempt_endpoints_left(const struct connect_attempt *attempt)
{
        int rounds = attempt->info->prefer_standby ? 2 : 1;
        int in_round = 0;
        int done = attempt->address;

        for (int i = 0; i < attempt->n_targets; i++) {
                in_round += attempt->targets[i].n;
                if (i < attempt->target)
                        done += attempt->targets[i].n;
        }
        return in_round * (rounds - attempt->round) - done;
}

static void attempt_on_ready(unsigned ready, void *arg);

/* Waits for the socket as libpq asked. The old watcher is gone already. */
static enum attempt_step
attempt_watch(struct connect_attempt *attempt, unsigned ready)
{
        attempt->watch = pipit__watch_new(attempt->reactor, pipit__pq_socket(attempt->pq),
                                          attempt_on_ready, attempt);
        if (attempt->watch != NULL && pipit__watch_want(attempt->watch, ready) == 0)
                return STEP_WAITS;
        conn_error_print(&attempt->failure, "the socket cannot be watched: out of memory");
        return STEP_TO_NEXT;
}

static enum attempt_step
attempt_poll(struct connect_attempt *attempt)
{
        pipit__watch_free(attempt->watch);
        attempt->watch = NULL;
        switch (pipit__pq_poll(attempt->pq)) {
        case PQ_POLL_READ: return attempt_watch(attempt, WATCH_READ);
        case PQ_POLL_WRITE: return attempt_watch(attempt, WATCH_WRITE);
        case PQ_POLL_DONE: return STEP_CONNECTED;
        case PQ_POLL_FAILED: break;
        }
        conn_error_read(&attempt->failure, pipit__pq_message(attempt->pq));
        return STEP_TO_NEXT;
}

/* Tries an endpoint, for its share of the time that is left. */
static enum attempt_step
attempt_connect(struct connect_attempt *attempt)
{
        const struct target *target = &attempt->targets[attempt->target];
        struct endpoint endpoint = {.host = target->host,
                                    .address = target->addresses[attempt->address],
                                    .standby = attempt->round == 0};
        struct conninfo_parameters parameters;
        int64_t left_ms = attempt->until_ms - pipit__reactor_now(attempt->reactor);

        conn_error_set_host(&attempt->failure, target->host);
        pipit__timer_set(attempt->timer, left_ms / attempt_endpoints_left(attempt));
        pipit__conninfo_parameters(attempt->info, &endpoint, &parameters);
        attempt->pq = pipit__pq_start(parameters.keys, parameters.values);
        attempt->address++;
        if (attempt->pq == NULL) {
                conn_error_print(&attempt->failure, "out of memory");
                return STEP_TO_NEXT;
        }
        if (pipit__pq_socket(attempt->pq) < 0)
                return attempt_poll(attempt); /* the connect has failed, and the poll says why */
        return attempt_watch(attempt, WATCH_WRITE);
}

/* Moves on to the next address there is; false after the last one of the last round. */
static bool
attempt_advance(struct connect_attempt *attempt)
{
        for (;;) {
                if (attempt->target == attempt->n_targets) {
                        if (!attempt->info->prefer_standby || attempt->round > 0)
                                return false;
                        attempt->round++;
                        attempt->target = 0;
                        attempt->address = 0;
                }
                if (attempt->address < attempt->targets[attempt->target].n)
                        return true;
                attempt->target++;
                attempt->address = 0;
        }
}

/* Goes on after a step, until there is something to wait for or the attempt has ended: with the
 * next endpoint, or with what the last one said. One call tries all those that fail at once. */
static void
attempt_go_on(struct connect_attempt *attempt, enum attempt_step step)
{
        while (step == STEP_TO_NEXT) {
                attempt_disconnect(attempt, false);
                if (!attempt_advance(attempt) ||
                    attempt->until_ms <= pipit__reactor_now(attempt->reactor)) {
                        attempt_fail(attempt);
                        return;
                }
                step = attempt_connect(attempt);
        }
        if (step == STEP_CONNECTED)
                attempt_succeed(attempt);
}

static void
attempt_on_ready(unsigned ready, void *arg)
{
        struct connect_attempt *attempt = arg;

        (void)ready;
        attempt_go_on(attempt, attempt_poll(attempt));
}

static void
attempt_start_connecting(struct connect_attempt *attempt)
{
        attempt->state = ATTEMPT_CONNECTING;
        attempt_go_on(attempt, STEP_TO_NEXT);
}

static void
target_add(struct target *target, const char *address)
{
        if (target->n < ATTEMPT_MAX_ADDRESSES)
                snprintf(target->addresses[target->n++], ADDRESS_SIZE, "%s", address);
}

static void
attempt_on_dns_query(const char *const *addresses, size_t n, const char *problem, void *arg)
{
        struct target *target = arg;
        struct connect_attempt *attempt = target->attempt;

        target->query = NULL;
        for (size_t i = 0; i < n; i++)
                target_add(target, addresses[i]);
        if (n == 0) {
                char text[sizeof attempt->failure.text];
                snprintf(text, sizeof text, "the name \"%s\" has no address: %s",
                         target->host->host, problem);
                conn_error_set_host(&attempt->failure, target->host);
                conn_error_print(&attempt->failure, text);
        }
        if (--attempt->n_queries == 0)
                attempt_start_connecting(attempt);
}

static void
target_resolve(struct target *target)
{
        const struct conninfo_host *host = target->host;
        struct connect_attempt *attempt = target->attempt;

        if (host->hostaddr[0] != '\0') {
                target_add(target, host->hostaddr);
        } else if (pipit__resolver_is_address(host->host)) {
                /* A numeric host is its own address. A socket's folder stays in the host. */
                bool is_socket =
                        host->host[0] == '\0' || host->host[0] == '/' || host->host[0] == '@';
                target_add(target, is_socket ? "" : host->host);
        } else {
                target->query = pipit__dns_query_start(attempt->reactor, attempt->info->files,
                                                       host->host, attempt_on_dns_query, target);
                attempt->n_queries += target->query != NULL;
        }
}

/* Starts the DNS queries; connects at once if none is needed. */
static void
attempt_resolve(struct connect_attempt *attempt)
{
        attempt->state = ATTEMPT_RESOLVING;
        pipit__timer_set(attempt->timer, attempt->until_ms - pipit__reactor_now(attempt->reactor));
        conn_error_print(&attempt->failure, "out of memory");
        for (int i = 0; i < attempt->n_targets; i++)
                target_resolve(&attempt->targets[i]);
        if (attempt->n_queries == 0)
                attempt_start_connecting(attempt);
}

/* Fails when the time is over before all names are resolved. */
static void
attempt_give_up_names(struct connect_attempt *attempt)
{
        for (int i = 0; i < attempt->n_targets; i++) {
                if (attempt->targets[i].query != NULL)
                        conn_error_set_host(&attempt->failure, attempt->targets[i].host);
        }
        conn_error_print(&attempt->failure, "the name server did not answer in time");
        attempt_fail(attempt);
}

static void
attempt_on_timer(void *arg)
{
        struct connect_attempt *attempt = arg;

        switch (attempt->state) {
        case ATTEMPT_STARTING: attempt_resolve(attempt); return;
        case ATTEMPT_RESOLVING: attempt_give_up_names(attempt); return;
        case ATTEMPT_CONNECTING:
                conn_error_print(&attempt->failure, "the server did not answer in time");
                attempt_go_on(attempt, STEP_TO_NEXT);
                return;
        }
}

struct connect_attempt *
pipit__connect_attempt_start(struct reactor *reactor, const struct conninfo *info,
                             int64_t timeout_ms, pipit__connect_attempt_fn fn, void *arg)
{
        size_t targets = (size_t)info->n_hosts * sizeof(struct target);
        struct connect_attempt *attempt = calloc(1, sizeof *attempt + targets);

        if (attempt == NULL)
                return NULL;
        attempt->reactor = reactor;
        attempt->info = info;
        attempt->until_ms = pipit__deadline_after(pipit__reactor_now(reactor), timeout_ms);
        attempt->fn = fn;
        attempt->arg = arg;
        attempt->n_targets = info->n_hosts;
        for (int i = 0; i < info->n_hosts; i++)
                attempt->targets[i] = (struct target){.attempt = attempt, .host = &info->hosts[i]};
        attempt->timer = pipit__timer_new(reactor, attempt_on_timer, attempt);
        if (attempt->timer == NULL || pipit__timer_set(attempt->timer, 0) != 0) {
                attempt_free(attempt, false);
                return NULL;
        }
        return attempt;
}
