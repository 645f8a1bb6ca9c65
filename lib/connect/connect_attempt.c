/*
 * The attempt has its targets go on, one beside the other, until one has a PGconn. See
 * connect_attempt.h.
 */
#include "connect/connect_attempt.h"

#include <stdlib.h>

#include "connect/candidate.h"
#include "connect/conninfo.h"
#include "connect/host_order.h"
#include "connect/target.h"
#include "loop/deadline.h"
#include "loop/reactor.h"

/* The next host is tried beside the one before after so long. */
#define ATTEMPT_NEXT_HOST_MS 1000

struct connect_attempt {
        struct reactor *reactor;
        const struct conninfo *info;
        int64_t until_ms; /* by pipit__reactor_now(); the attempt fails then */
        pipit__connect_attempt_fn fn;
        void *arg;
        struct timer *timer; /* runs until the next step is due; it is never due within the start */
        bool second_round;   /* prefer-standby has found no standby, and takes anything */
        int n_targets;
        struct target targets[]; /* in the order in which they are tried */
};

static void
attempt_free(struct connect_attempt *attempt, bool in_child)
{
        for (int i = 0; i < attempt->n_targets; i++)
                pipit__target_fini(&attempt->targets[i], in_child);
        pipit__timer_free(attempt->timer);
        free(attempt);
}

void
pipit__connect_attempt_cancel(struct connect_attempt *attempt, bool in_child)
{
        if (attempt != NULL)
                attempt_free(attempt, in_child);
}

/* Returns the number of a target's host. */
static int
attempt_host(const struct connect_attempt *attempt, const struct target *target)
{
        return (int)(target->host - attempt->info->hosts);
}

/* Returns what to tell of a failed attempt: the failure of the last target. Unless all refuse, that
 * is one for which trying again may help. */
static const struct target *
attempt_last_failed(const struct connect_attempt *attempt)
{
        for (int i = attempt->n_targets - 1; i >= 0; i--) {
                if (!pipit__conn_error_is_permanent(&attempt->targets[i].failure))
                        return &attempt->targets[i];
        }
        return &attempt->targets[attempt->n_targets - 1];
}

static void
attempt_fail(struct connect_attempt *attempt)
{
        const struct target *last = attempt_last_failed(attempt);
        struct conn_error failure = last->failure;
        pipit__connect_attempt_fn fn = attempt->fn;
        void *arg = attempt->arg;

        for (int i = 0; i < attempt->n_targets; i++) {
                if (&attempt->targets[i] != last)
                        pipit__conn_error_add(&failure, &attempt->targets[i].failure);
        }
        attempt_free(attempt, false);
        fn(NULL, failure.host, &failure, arg);
}

static void
attempt_succeed(struct connect_attempt *attempt, struct target *target, struct candidate *winner)
{
        struct pg_conn *pq = pipit__candidate_take(winner);
        struct conn_error place;
        pipit__connect_attempt_fn fn = attempt->fn;
        void *arg = attempt->arg;

        pipit__conn_error_set_host(&place, target->host);
        pipit__host_order_served(attempt->info->order, attempt_host(attempt, target));
        attempt_free(attempt, false);
        fn(pq, place.host, NULL, arg);
}

/* Ends the attempt with the first candidate that was taken, if that is up. Until then later ones
 * wait. */
static bool
attempt_decide(struct connect_attempt *attempt)
{
        for (int i = 0; i < attempt->n_targets; i++) {
                struct candidate *taken = pipit__target_taken(&attempt->targets[i]);
                if (taken == NULL)
                        continue;
                if (pipit__candidate_state(taken) != CANDIDATE_UP)
                        return false;
                attempt_succeed(attempt, &attempt->targets[i], taken);
                return true;
        }
        return false;
}

/* Returns how many endpoints are still to be tried, in all rounds. */
static int
attempt_endpoints_left(const struct connect_attempt *attempt)
{
        bool again = attempt->info->prefer_standby && !attempt->second_round;
        int n = 0;

        for (int i = 0; i < attempt->n_targets; i++) {
                n += pipit__target_n_left(&attempt->targets[i]);
                if (again)
                        n += attempt->targets[i].n > 0 ? attempt->targets[i].n : 1;
        }
        return n > 0 ? n : 1;
}

/* Returns when the target after this one may start: now, or when this one has been quiet for too
 * long. A host that has failed or was quiet is tried last from then on. */
static int64_t
attempt_next_target_ms(struct connect_attempt *attempt, const struct target *target, int64_t now_ms)
{
        bool failed = target->state == TARGET_FAILED;
        int64_t quiet_until_ms = target->quiet_ms == DEADLINE_NEVER
                                         ? DEADLINE_NEVER
                                         : target->quiet_ms + ATTEMPT_NEXT_HOST_MS;
        bool over = failed || quiet_until_ms <= now_ms;

        if (over && target->failure.cause != CAUSE_LOCAL)
                pipit__host_order_failed(attempt->info->order, attempt_host(attempt, target),
                                         now_ms);
        return over ? now_ms : quiet_until_ms;
}

/* Has the targets do what is due, and gives their next step's time. */
static int64_t
attempt_step(struct connect_attempt *attempt, int64_t now_ms)
{
        int64_t due_ms = attempt->until_ms;

        for (int i = 0; i < attempt->n_targets; i++) {
                struct target *target = &attempt->targets[i];
                struct target_step step = {.now_ms = now_ms,
                                           .until_ms = attempt->until_ms,
                                           .n_left = attempt_endpoints_left(attempt),
                                           .standby = !attempt->second_round};
                int64_t target_ms = pipit__target_go_on(target, &step);
                int64_t next_ms = attempt_next_target_ms(attempt, target, now_ms);
                if (target_ms < due_ms)
                        due_ms = target_ms;
                if (next_ms <= now_ms)
                        continue;
                return next_ms < due_ms ? next_ms : due_ms;
        }
        return due_ms;
}

static bool
attempt_is_over(const struct connect_attempt *attempt)
{
        for (int i = 0; i < attempt->n_targets; i++) {
                if (attempt->targets[i].state != TARGET_FAILED)
                        return false;
        }
        return true;
}

/* Begins the round in which prefer-standby takes anything; false if there is none. */
static bool
attempt_begin_round(struct connect_attempt *attempt)
{
        if (!attempt->info->prefer_standby || attempt->second_round)
                return false;
        attempt->second_round = true;
        for (int i = 0; i < attempt->n_targets; i++)
                pipit__target_restart(&attempt->targets[i]);
        return true;
}

static void
attempt_give_up(struct connect_attempt *attempt)
{
        for (int i = 0; i < attempt->n_targets; i++)
                pipit__target_give_up(&attempt->targets[i]);
        attempt_fail(attempt);
}

/* Goes on until there is something to wait for or the attempt has ended; a timer's function, and
 * that of the targets. */
static void
attempt_go_on(void *arg)
{
        struct connect_attempt *attempt = arg;
        int64_t now_ms = pipit__reactor_now(attempt->reactor);
        int64_t due_ms;

        do {
                if (attempt->until_ms <= now_ms) {
                        attempt_give_up(attempt);
                        return;
                }
                due_ms = attempt_step(attempt, now_ms);
                if (attempt_decide(attempt))
                        return;
        } while (attempt_is_over(attempt) && attempt_begin_round(attempt));
        if (attempt_is_over(attempt))
                attempt_fail(attempt);
        else if (pipit__timer_set(attempt->timer, due_ms - now_ms) != 0)
                attempt_give_up(attempt);
}

struct connect_attempt *
pipit__connect_attempt_start(struct reactor *reactor, const struct conninfo *info,
                             int64_t timeout_ms, pipit__connect_attempt_fn fn, void *arg)
{
        size_t n = (size_t)info->n_hosts;
        struct connect_attempt *attempt = calloc(1, sizeof *attempt + n * sizeof(struct target));
        int *hosts = calloc(n, sizeof *hosts);
        int64_t now_ms = pipit__reactor_now(reactor);

        if (attempt == NULL || hosts == NULL) {
                free(attempt);
                free(hosts);
                return NULL;
        }
        attempt->reactor = reactor;
        attempt->info = info;
        attempt->until_ms = pipit__deadline_after(now_ms, timeout_ms);
        attempt->fn = fn;
        attempt->arg = arg;
        attempt->n_targets = info->n_hosts;
        pipit__host_order_write(info->order, now_ms, info->n_hosts, hosts);
        for (int i = 0; i < info->n_hosts; i++)
                attempt->targets[i] = (struct target){.reactor = reactor,
                                                      .info = info,
                                                      .host = &info->hosts[hosts[i]],
                                                      .fn = attempt_go_on,
                                                      .arg = attempt};
        free(hosts);
        attempt->timer = pipit__timer_new(reactor, attempt_go_on, attempt);
        if (attempt->timer == NULL || pipit__timer_set(attempt->timer, 0) != 0) {
                attempt_free(attempt, false);
                return NULL;
        }
        return attempt;
}
