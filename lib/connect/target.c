/*
 * Targets. See target.h.
 *
 * libpq never looks a name up here: it gets one address at a time.
 */
#include "connect/target.h"

#include <stdio.h>

#include "connect/address.h"
#include "connect/conninfo.h"
#include "connect/host_order.h"
#include "connect/resolver.h"
#include "loop/deadline.h"

/* The next address of a host is tried beside the one before after so long. */
#define TARGET_NEXT_MS 250

/* The only place that changes the state. */
static void
target_enter(struct target *target, enum target_state state)
{
        target->state = state;
}

/* Keeps a failure; one that trying again cannot help is kept before all others. */
static void
target_note_failure(struct target *target, const struct conn_error *failure)
{
        if (!pipit__conn_error_is_permanent(&target->failure))
                target->failure = *failure;
}

/* Keeps a failure with a text of pipit's own. */
static void
target_note_text(struct target *target, enum conn_cause cause, const char *text)
{
        struct conn_error failure;

        pipit__conn_error_set_host(&failure, target->host);
        pipit__conn_error_print(&failure, cause, text);
        target_note_failure(target, &failure);
}

static void
target_set_addresses(struct target *target, const struct dns_addresses *addresses)
{
        int places[TARGET_MAX_ADDRESSES];

        target->n = (int)addresses->n;
        pipit__host_order_write_addresses(target->info->order, target->n, places);
        for (int i = 0; i < target->n; i++)
                snprintf(target->addresses[i], TARGET_ADDRESS_SIZE, "%s",
                         addresses->texts[places[i]]);
        target_enter(target, TARGET_TRYING);
}

static void
target_on_dns_query(const struct dns_found *found, void *arg)
{
        struct target *target = arg;
        char text[sizeof target->failure.text];

        target->query = NULL;
        target_set_addresses(target, &found->addresses);
        if (found->problem != NULL) {
                snprintf(text, sizeof text, "the name \"%s\" has no address: %s",
                         target->host->host, found->problem);
                target_note_text(target, found->is_local ? CAUSE_LOCAL : CAUSE_REMOTE, text);
                target_enter(target, TARGET_FAILED);
        }
        target->fn(target->arg);
}

/* Finds the addresses, or has them looked up. */
static void
target_resolve(struct target *target, int64_t now_ms)
{
        const struct conninfo_host *host = target->host;
        /* A numeric host is its own address. A socket's folder stays in the host. */
        bool is_socket = host->host[0] == '\0' || host->host[0] == '/' || host->host[0] == '@';
        const char *address = is_socket ? "" : host->host;

        target->quiet_ms = now_ms;
        if (host->hostaddr[0] != '\0')
                address = host->hostaddr;
        else if (!pipit__address_is_one(host->host))
                address = NULL;
        if (address != NULL) {
                target->n = 1;
                snprintf(target->addresses[0], TARGET_ADDRESS_SIZE, "%s", address);
                target_enter(target, TARGET_TRYING);
                return;
        }
        target->query = pipit__dns_query_start(target->reactor, target->info->files, host->host,
                                               target_on_dns_query, target);
        if (target->query == NULL)
                target_note_text(target, CAUSE_LOCAL, "out of memory");
        target_enter(target, target->query != NULL ? TARGET_RESOLVING : TARGET_FAILED);
}

/* Drops the candidates that have failed. Returns whether others are under way. */
static bool
target_collect(struct target *target)
{
        int n = 0;

        for (int i = 0; i < target->next; i++) {
                struct candidate *candidate = target->candidates[i];
                if (candidate != NULL && pipit__candidate_state(candidate) == CANDIDATE_FAILED) {
                        target_note_failure(target, pipit__candidate_failure(candidate));
                        pipit__candidate_free(candidate, false);
                        target->candidates[i] = NULL;
                }
                n += target->candidates[i] != NULL;
        }
        return n > 0;
}

struct candidate *
pipit__target_taken(const struct target *target)
{
        for (int i = 0; i < target->next; i++) {
                struct candidate *candidate = target->candidates[i];
                if (candidate != NULL && pipit__candidate_state(candidate) != CANDIDATE_CONNECTING)
                        return candidate;
        }
        return NULL;
}

/* Tries the next address, for its share of the time that is left. */
static void
target_try(struct target *target, const struct target_step *step)
{
        struct endpoint endpoint = {.host = target->host,
                                    .address = target->addresses[target->next],
                                    .standby = step->standby};
        struct candidate_start start = {.reactor = target->reactor,
                                        .info = target->info,
                                        .endpoint = &endpoint,
                                        .limit_ms = (step->until_ms - step->now_ms) / step->n_left,
                                        .fn = target->fn,
                                        .arg = target->arg};

        target->candidates[target->next] = pipit__candidate_start(&start);
        if (target->candidates[target->next] == NULL)
                target_note_text(target, CAUSE_LOCAL, "out of memory");
        target->next++;
        target->tried_ms = step->now_ms;
}

int64_t
pipit__target_go_on(struct target *target, const struct target_step *step)
{
        struct target_step now = *step;
        bool under_way = target_collect(target);

        if (target->state == TARGET_NEW)
                target_resolve(target, now.now_ms);
        if (target->state != TARGET_TRYING)
                return DEADLINE_NEVER;
        /* One turn of this loop tries all those that fail at once. */
        while (target->next < target->n && pipit__target_taken(target) == NULL &&
               (!under_way || now.now_ms - target->tried_ms >= TARGET_NEXT_MS)) {
                target_try(target, &now);
                now.n_left -= now.n_left > 1;
                under_way = target_collect(target);
        }
        if (pipit__target_taken(target) != NULL)
                target->quiet_ms = DEADLINE_NEVER;
        else if (target->quiet_ms == DEADLINE_NEVER)
                target->quiet_ms = now.now_ms;
        if (!under_way)
                target_enter(target, TARGET_FAILED);
        if (!under_way || target->next == target->n || target->quiet_ms == DEADLINE_NEVER)
                return DEADLINE_NEVER;
        return target->tried_ms + TARGET_NEXT_MS;
}

void
pipit__target_restart(struct target *target)
{
        target->next = 0;
        target->quiet_ms = DEADLINE_NEVER;
        if (target->n > 0)
                target_enter(target, TARGET_TRYING);
}

void
pipit__target_give_up(struct target *target)
{
        if (target->state == TARGET_NEW)
                target_note_text(target, CAUSE_LOCAL, "no time was left to try it");
        else if (target->state == TARGET_RESOLVING)
                target_note_text(target, CAUSE_REMOTE, "the name server did not answer in time");
        else if (target->state == TARGET_TRYING)
                target_note_text(target, CAUSE_REMOTE, "the server did not answer in time");
        pipit__target_fini(target, false);
        target_enter(target, TARGET_FAILED);
}

void
pipit__target_fini(struct target *target, bool in_child)
{
        pipit__dns_query_cancel(target->query);
        target->query = NULL;
        for (int i = 0; i < target->n; i++) {
                pipit__candidate_free(target->candidates[i], in_child);
                target->candidates[i] = NULL;
        }
}

int
pipit__target_n_left(const struct target *target)
{
        switch (target->state) {
        case TARGET_NEW:
        case TARGET_RESOLVING: return 1;
        case TARGET_TRYING: return target->n - target->next;
        case TARGET_FAILED: break;
        }
        return 0;
}
