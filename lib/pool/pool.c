/*
 * The pool. See pool.h.
 *
 * While attempts fail, one prober tries, ever less often, for everybody: often enough while
 * requests wait that they go out within 200 ms of the server's return.
 */
#include "pool/pool.h"

#include <assert.h>
#include <pipit/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "loop/deadline.h"
#include "loop/reactor.h"
#include "pool/search_path.h"

#define BACKOFF_FIRST_MS     50
#define BACKOFF_WAITING_MS   150  /* at most, while requests wait */
#define BACKOFF_MAX_MS       5000 /* at most, otherwise */
#define BACKOFF_PERMANENT_MS 1000 /* at least, after a wrong password and the like */

/* The server tells it to all backends when one has crashed. */
#define CRASH_SQLSTATE "57P02"

static int64_t
pool_now(const struct pool *pool)
{
        return pipit__reactor_now(pool->config.reactor);
}

/* A number below n: so that many clients do not do the same thing at the same moment. */
static int64_t
pool_jitter(struct pool *pool, int64_t n)
{
        return n > 0 ? rand_r(&pool->jitter) % n : 0;
}

static int
pool_size(const struct pool *pool)
{
        return pool->n_connecting + pool->n_idle + pool->n_busy;
}

static bool
pool_refused(const struct pool *pool)
{
        return pool->n_failures > 0 && pipit__conn_error_is_permanent(&pool->failure);
}

/* When the next attempt may start, after one has failed. */
static int64_t
pool_next_connect_ms(const struct pool *pool)
{
        int64_t most = pool->n_waiting > 0 ? BACKOFF_WAITING_MS : BACKOFF_MAX_MS;
        int doublings = pool->n_failures < 10 ? pool->n_failures - 1 : 9;
        int64_t delay = (int64_t)BACKOFF_FIRST_MS << doublings;

        if (delay > most)
                delay = most;
        if (pool_refused(pool) && delay < BACKOFF_PERMANENT_MS)
                delay = BACKOFF_PERMANENT_MS;
        /* Up to a fifth less, the same for this attempt whenever it is asked. */
        return pool->failed_ms + delay - delay * (pool->jitter % 64) / 320;
}

/* The list of the connections in a state, and their count; NULL for closed ones. */
static struct list *
pool_list(struct pool *pool, enum conn_state state, int **ret_count)
{
        switch (state) {
        case CONN_CONNECTING:
        case CONN_SETTING_UP: *ret_count = &pool->n_connecting; return &pool->connecting;
        case CONN_IDLE: *ret_count = &pool->n_idle; return &pool->idle;
        case CONN_BUSY:
        case CONN_LEASED:
        case CONN_CLEANING:
        case CONN_CANCELLING: *ret_count = &pool->n_busy; return &pool->busy;
        case CONN_CLOSED: break;
        }
        return NULL;
}

static void
pool_on_connect_failed(struct pool *pool, const struct conn_error *failure)
{
        pool->failure = *failure;
        pool->failed_ms = pool_now(pool);
        pool->n_failures++;
        pipit__cancel_conn_yield(&pool->cancel_conn);
        (void)pool_jitter(pool, 2);
        pipit__log(pool->config.log, pool->failed_ms, PIPIT_LOG_WARNING,
                   "no connection to %s: %s (attempt %d)", failure->host, failure->text,
                   pool->n_failures);
        if (pipit__pool_refusal(pool) != NULL)
                pool->ops->refused(&pool->failure, pool->arg);
}

static void
pool_start_one(struct pool *pool)
{
        struct conn_error failure = {.host = "the server"};

        pipit__conn_error_print(&failure, CAUSE_LOCAL, "out of memory");
        struct conn *conn = pool->ops->prepare(&failure, pool->arg) == 0
                                    ? pipit__conn_new(&pool->config)
                                    : NULL;
        if (conn == NULL) {
                pool_on_connect_failed(pool, &failure);
                return;
        }
        if (pool->lifetime_ms >= 0)
                pipit__conn_set_lifetime(conn, pool->lifetime_ms -
                                                       pool_jitter(pool, pool->lifetime_ms / 10));
        list_push_back(&pool->connecting, pipit__conn_link(conn));
        pool->n_connecting++;
}

/* How many connections are to be in the making now. */
static int
pool_connecting_goal(const struct pool *pool)
{
        int missing = pool->min - pool_size(pool) + pool->n_connecting;
        int wanted = pool->n_waiting > missing ? pool->n_waiting : missing;
        int most = pool->n_failures > 0 ? 1 : pool->max_connecting;

        return wanted < most ? wanted : most;
}

void
pipit__pool_want(struct pool *pool, int n_waiting)
{
        pool->n_waiting = n_waiting;
        while (!pool->closed && pool->n_connecting < pool_connecting_goal(pool) &&
               pool_size(pool) < pool->max) {
                int64_t wait_ms =
                        pool->n_failures > 0 ? pool_next_connect_ms(pool) - pool_now(pool) : 0;
                if (wait_ms > 0) {
                        /* Without a timer requests would wait until their time is up. */
                        if (pipit__timer_set(pool->retry, wait_ms) != 0)
                                pool->ops->refused(&pool->failure, pool->arg);
                        return;
                }
                pool_start_one(pool);
        }
}

static void
pool_on_retry(void *arg)
{
        struct pool *pool = arg;

        pipit__pool_want(pool, pool->n_waiting);
}

static void
pool_on_down(void *arg)
{
        struct pool *pool = arg;

        pool->ops->ready(pool->arg);
}

/* Closes what has been idle for too long, the longest first, down to the minimum. */
static void
pool_on_idle_end(void *arg)
{
        struct pool *pool = arg;

        pool->idle_timer_runs = false;
        while (pool->n_idle > 0 && pool_size(pool) > pool->min) {
                struct conn *conn = pipit__conn_of(pool->idle.prev);
                int64_t left_ms =
                        pipit__deadline_after(pipit__conn_since_ms(conn), pool->idle_timeout_ms) -
                        pool_now(pool);
                if (left_ms > 0) {
                        pool->idle_timer_runs = pipit__timer_set(pool->idle_end, left_ms) == 0;
                        return;
                }
                pipit__conn_close(conn, "it was idle for too long");
        }
}

static void
pool_on_idle(struct pool *pool, struct conn *conn)
{
        if (pipit__conn_is_old(conn)) {
                pipit__conn_close(conn, "it was old");
                return;
        }
        if (!pool->idle_timer_runs && pool->idle_timeout_ms >= 0 && pool_size(pool) > pool->min)
                pool->idle_timer_runs =
                        pipit__timer_set(pool->idle_end, pool->idle_timeout_ms) == 0;
}

/* Has no connection to a host be used again: one of its backends has crashed, and the server ends
 * all others, in which order whatever; or it is not what was asked for any more. */
static COLD void
pool_leave_host(struct pool *pool, const char *host)
{
        struct list *lists[] = {&pool->idle, &pool->busy};

        for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
                LIST_EACH(link, lists[i]) {
                        struct conn *conn = pipit__conn_of(link);
                        if (strcmp(pipit__conn_host(conn), host) == 0)
                                pipit__conn_retire(conn);
                }
        }
}

/* Moves a connection from the list of its old state to that of its new one. */
static void
pool_move(struct pool *pool, struct conn *conn, enum conn_state from)
{
        struct list *link = pipit__conn_link(conn);
        enum conn_state to = pipit__conn_state(conn);
        int *count = NULL;

        if (pool_list(pool, from, &count) != NULL)
                --*count;
        list_remove(link);
        struct list *list = pool_list(pool, to, &count);
        if (list == NULL && count != &pool->n_connecting)
                pool->down_ms = pool_now(pool);
        if (list == NULL)
                return;
        ++*count;
        if (to == CONN_IDLE)
                list_push_front(list, link);
        else
                list_push_back(list, link);
}

static void
pool_on_entered(struct conn *conn, enum conn_state from, const struct conn_error *failure,
                void *arg)
{
        struct pool *pool = arg;
        bool was_connecting = from == CONN_CONNECTING || from == CONN_SETTING_UP;
        enum conn_state to = pipit__conn_state(conn);

        pool_move(pool, conn, from);
        if (to == CONN_IDLE) {
                if (was_connecting)
                        pool->n_failures = 0;
                pool_on_idle(pool, conn);
        } else if (to == CONN_CLOSED && was_connecting && !pool->closed) {
                pool_on_connect_failed(pool, failure);
        } else if (to == CONN_CLOSED && strcmp(failure->sqlstate, CRASH_SQLSTATE) == 0) {
                pool_leave_host(pool, failure->host);
        }
        if (to == CONN_IDLE || to == CONN_CLOSED)
                pool->ops->ready(pool->arg);
}

static void
pool_on_unsuited(struct conn *conn, void *arg)
{
        pool_leave_host(arg, pipit__conn_host(conn));
}

static const struct conn_ops pool_conn_ops = {pool_on_entered, pool_on_unsuited};

/* Makes the command that sets the search path. What is no list keeps each connection from being set
 * up. 0 or PIPIT_ENOMEM. */
static int
pool_make_local_search_path(struct pool *pool, const char *search_path)
{
        if (search_path[0] == '\0' || !pipit__search_path_is_list(search_path))
                return 0;
        pool->local_search_path = pipit__search_path_command(search_path);
        pool->config.local_search_path = pool->local_search_path;
        return pool->local_search_path != NULL ? 0 : PIPIT_ENOMEM;
}

int
pipit__pool_init(struct pool *pool, const struct pipit_options *options,
                 const struct pool_parts *parts)
{
        *pool = (struct pool){
                .config = {.reactor = parts->reactor,
                           .info = parts->info,
                           .log = parts->log,
                           .connect_timeout_ms = options->connect_timeout_ms,
                           .max_result_bytes = options->max_result_bytes,
                           .stmt_cache = parts->stmt_cache,
                           .cancel_conn = &pool->cancel_conn,
                           .max_prepared = options->max_prepared > 0 ? options->max_prepared : 0,
                           .strict_reads = options->strict_reads,
                           .search_path = options->search_path,
                           .refused = &pool->refused,
                           .pooler = &pool->pooler,
                           .ops = &pool_conn_ops,
                           .arg = pool},
                .min = options->min_connections,
                .max = options->max_connections,
                .max_connecting = options->max_connecting,
                .idle_timeout_ms = options->idle_timeout_ms,
                .lifetime_ms = options->lifetime_ms,
                .down_timeout_ms = options->down_timeout_ms,
                .jitter = (unsigned)(uintptr_t)pool ^ (unsigned)pipit__reactor_now(parts->reactor),
                .ops = parts->ops,
                .arg = parts->arg};
        pipit__pooler_init(&pool->pooler, options->pooler);
        pipit__cancel_conn_init(&pool->cancel_conn, parts->reactor, parts->info, parts->log);
        list_init(&pool->connecting);
        list_init(&pool->idle);
        list_init(&pool->busy);
        pool->down_ms = pool_now(pool);
        pool->retry = pipit__timer_new(parts->reactor, pool_on_retry, pool);
        pool->down = pipit__timer_new(parts->reactor, pool_on_down, pool);
        pool->idle_end = pipit__timer_new(parts->reactor, pool_on_idle_end, pool);
        if (pool->retry == NULL || pool->down == NULL || pool->idle_end == NULL)
                return PIPIT_ENOMEM;
        return pool_make_local_search_path(pool, options->search_path);
}

void
pipit__pool_fini(struct pool *pool)
{
        assert(pool_size(pool) == 0);
        pipit__cancel_conn_fini(&pool->cancel_conn);
        pipit__timer_free(pool->retry);
        pipit__timer_free(pool->down);
        pipit__timer_free(pool->idle_end);
        free(pool->local_search_path);
}

/* The latest used idle connection, of those with that role if there is one. */
static struct conn *
pool_choose(const struct pool *pool, bool reader)
{
        LIST_EACH(link, &pool->idle) {
                struct conn *conn = pipit__conn_of(link);
                if (pipit__conn_is_reader(conn) == reader)
                        return conn;
        }
        return pipit__conn_of(list_first(&pool->idle));
}

struct conn *
pipit__pool_take(struct pool *pool, bool reader)
{
        while (pool->n_idle > 0) {
                struct conn *conn = pool_choose(pool, reader);
                if (pipit__conn_is_old(conn))
                        pipit__conn_close(conn, "it was old");
                else if (pipit__conn_is_alive(conn))
                        return conn;
        }
        return NULL;
}

static int
share_of(int n_requests, int n_conns)
{
        return n_conns > 1 && n_requests > 0 ? (n_requests - 1) / n_conns + 1 : n_requests;
}

/* The share of each connection, busy ones too, of all that waits or is out: those that are busy
 * will soon be free. */
static int
pool_even_share(const struct pool *pool, int n_waiting)
{
        int n = n_waiting;

        LIST_EACH(link, &pool->busy)
                n += pipit__conn_n_waiting(pipit__conn_of(link));
        return share_of(n, pool->n_failures == 0 ? pool->max : pool_size(pool));
}

int
pipit__pool_share(const struct pool *pool, int n_waiting, int least)
{
        int n = pool->n_idle + pool->n_connecting;

        /* A new connection is better than to wait for somebody else's statement. */
        if (pool->n_failures == 0)
                n = pool->max - pool->n_busy;
        if (n > n_waiting / least)
                n = n_waiting / least;
        int share = share_of(n_waiting, n);
        /* The last that is free has no more than the others: who is with something slow waits. */
        int even = pool_even_share(pool, n_waiting);
        if (even < least)
                even = least;
        return even < share ? even : share;
}

void *
pipit__pool_lease(const struct pool *pool)
{
        if (list_empty(&pool->busy))
                return NULL;
        return pipit__conn_lease_arg(pipit__conn_of(list_first(&pool->busy)));
}

const struct conn_error *
pipit__pool_refusal(const struct pool *pool)
{
        bool alone = pool->n_idle + pool->n_busy == 0;

        return alone && pool_refused(pool) && pool_now(pool) < pool_next_connect_ms(pool)
                       ? &pool->failure
                       : NULL;
}

static void
pool_close_list(struct list *list, const char *reason, bool in_child)
{
        while (!list_empty(list)) {
                struct conn *conn = pipit__conn_of(list_first(list));
                if (in_child)
                        pipit__conn_drop(conn);
                else
                        pipit__conn_close(conn, reason);
        }
}

void
pipit__pool_close(struct pool *pool, const char *reason, bool in_child)
{
        pool->closed = true;
        pipit__timer_stop(pool->retry);
        pipit__timer_stop(pool->down);
        pipit__timer_stop(pool->idle_end);
        pipit__cancel_conn_close(&pool->cancel_conn, in_child);
        pool_close_list(&pool->connecting, reason, in_child);
        pool_close_list(&pool->idle, reason, in_child);
        pool_close_list(&pool->busy, reason, in_child);
}
