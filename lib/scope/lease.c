/*
 * Leases. See lease.h.
 */
#include "scope/lease.h"

#include <pipit/error.h>
#include <stdlib.h>

#include "conn/conn.h"
#include "loop/reactor.h"
#include "scope/lease_int.h"

/* The pause between two attempts: twice as long each time, less up to a half. */
#define PAUSE_FIRST_MS 10
#define PAUSE_MAX_MS   1000

void
pipit__leases_init(struct leases *leases, const struct leases_ops *ops, struct reactor *reactor,
                   struct dispatch *dispatch, int max_batch)
{
        *leases = (struct leases){.reactor = reactor,
                                  .dispatch = dispatch,
                                  .ops = ops,
                                  .max_batch = max_batch,
                                  .jitter = (unsigned)(uintptr_t)leases};
        list_init(&leases->ready);
}

bool
pipit__leases_are_ready(const struct leases *leases)
{
        return !list_empty(&leases->ready);
}

void
pipit__leases_turn(struct leases *leases)
{
        struct list ready;

        list_init(&ready);
        list_splice(&ready, &leases->ready);
        while (!list_empty(&ready)) {
                struct list *link = list_pop_first(&ready);
                struct lease *lease = container_of(link, struct lease, link);
                while (leases->ops->step(lease))
                        ;
        }
}

struct lease *
pipit__lease_new(struct leases *leases)
{
        struct lease *lease = calloc(1, sizeof *lease);

        if (lease == NULL)
                return NULL;
        lease->leases = leases;
        lease->refs = 1;
        list_init(&lease->link);
        list_init(&lease->watchers);
        lease->commands = lease->first_commands;
        lease->room = lease->first_room;
        lease->capacity = LEASE_FIRST_COMMANDS;
        return lease;
}

struct lease *
pipit__lease_ref(struct lease *lease)
{
        lease->refs++;
        return lease;
}

void
pipit__lease_unref(struct lease *lease)
{
        if (lease == NULL || --lease->refs > 0)
                return;
        list_remove(&lease->link);
        list_remove(&lease->watchers);
        pipit__timer_free(lease->pause);
        if (lease->commands != lease->first_commands)
                free(lease->commands);
        if (lease->room != lease->first_room)
                free(lease->room);
        free(lease);
}

struct leases *
pipit__lease_leases(const struct lease *lease)
{
        return lease->leases;
}

int64_t
pipit__lease_now_ms(const struct lease *lease)
{
        return pipit__reactor_now(lease->leases->reactor);
}

void
pipit__lease_schedule(struct lease *lease)
{
        if (!list_linked(&lease->link))
                list_push_back(&lease->leases->ready, &lease->link);
        pipit__reactor_schedule(lease->leases->reactor);
}

/* ---- whose turn it is */

void
pipit__lease_set_root(struct lease *lease, struct subscope *root)
{
        lease->root = root;
}

struct subscope *
pipit__lease_root(const struct lease *lease)
{
        return lease->root;
}

struct subscope *
pipit__lease_active(const struct lease *lease)
{
        return lease->active;
}

void
pipit__lease_set_active(struct lease *lease, struct subscope *active)
{
        lease->active = active;
}

/* ---- the connection */

int
pipit__lease_take(struct lease *lease, struct conn *conn, const struct lease_ops *ops)
{
        if (pipit__conn_lease(conn, ops, lease) != 0)
                return -1;
        lease->conn = conn;
        return 0;
}

void
pipit__lease_give_back(struct lease *lease, bool renew)
{
        struct conn *conn = lease->conn;

        lease->conn = NULL;
        if (conn != NULL)
                pipit__conn_release(conn, renew);
}

void
pipit__lease_lose(struct lease *lease, const struct conn_error *cause)
{
        lease->lost = *cause;
        lease->conn = NULL;
        lease->tells = true;
}

const struct conn_error *
pipit__lease_lost(const struct lease *lease)
{
        return &lease->lost;
}

int64_t
pipit__lease_statement_timeout_ms(const struct lease *lease)
{
        return pipit__conn_statement_timeout_ms(lease->conn);
}

void
pipit__lease_watch_loss(struct lease *lease, struct list *link)
{
        list_push_back(&lease->watchers, link);
}

struct list *
pipit__lease_next_to_tell(struct lease *lease)
{
        if (!lease->tells)
                return NULL;
        lease->tells = !list_empty(&lease->watchers);
        return lease->tells ? list_pop_first(&lease->watchers) : NULL;
}

bool
pipit__lease_has_conn(const struct lease *lease)
{
        return lease->conn != NULL;
}

bool
pipit__lease_is_busy(const struct lease *lease)
{
        return lease->conn != NULL && pipit__conn_state(lease->conn) != CONN_LEASED;
}

bool
pipit__lease_in_transaction(const struct lease *lease)
{
        return pipit__conn_in_transaction(lease->conn);
}

bool
pipit__lease_in_failed_transaction(const struct lease *lease)
{
        return pipit__conn_in_failed_transaction(lease->conn);
}

bool
pipit__lease_is_settled(const struct lease *lease)
{
        return lease->conn != NULL && !pipit__lease_is_busy(lease) && !lease->rolls_back &&
               lease->n_commands == 0 && !lease->stmt_savepoint_failed;
}

void
pipit__lease_abandon(struct lease *lease, const struct request *req)
{
        if (lease->conn != NULL)
                pipit__conn_abandon(lease->conn, req);
}

void
pipit__lease_drop(struct lease *lease)
{
        list_remove(&lease->link);
        if (lease->conn != NULL)
                pipit__conn_forget_lease(lease->conn);
}

/* ---- sending */

void
pipit__lease_send(struct lease *lease, struct list *requests, struct bracket *bracket)
{
        struct conn *conn = lease->conn;

        for (int i = 0; i < lease->n_commands; i++) {
                if (lease->commands[i] == NULL)
                        lease->commands[i] = lease->room[i];
        }
        bracket->commands = lease->commands;
        bracket->n_commands = lease->n_commands;
        lease->n_commands = 0;
        if (pipit__conn_send_bracket(conn, requests, bracket) == 0)
                pipit__conn_flush(conn);
}

void
pipit__lease_send_singles(struct lease *lease, struct list *requests, const struct holder_ops *ops,
                          bool asks)
{
        enum segment_kind kind = asks ? SEGMENT_TYPES : SEGMENT_SESSION;
        struct conn *conn = lease->conn;
        struct list one;

        list_init(&one);
        for (bool first = true; !list_empty(requests); first = false) {
                if (!first && pipit__conn_has_one_sync(conn))
                        break;
                list_push_back(&one, list_pop_first(requests));
                if (pipit__conn_send(conn, kind, &one, ops) != 0) {
                        list_splice(&one, requests);
                        list_splice(requests, &one);
                        return;
                }
        }
        pipit__conn_flush(conn);
}

bool
pipit__lease_lacks_types(const struct lease *lease, const struct stmt *stmt)
{
        return pipit__conn_lacks_types(lease->conn, stmt);
}

void
pipit__lease_roll_back_next(struct lease *lease)
{
        lease->rolls_back = true;
}

bool
pipit__lease_must_roll_back(const struct lease *lease)
{
        return lease->rolls_back;
}

void
pipit__lease_roll_back(struct lease *lease)
{
        lease->rolls_back = lease->stmt_savepoint_failed = false;
        pipit__lease_forget_commands(lease); /* its savepoints go with it */
        pipit__conn_roll_back(lease->conn);
}

/* ---- the pause */

static void
lease_on_pause_over(void *arg)
{
        struct lease *lease = arg;

        lease->pauses = false;
        lease->leases->ops->pause_over(lease);
}

int
pipit__lease_pause(struct lease *lease, int attempt)
{
        struct leases *leases = lease->leases;
        int64_t pause_ms = (int64_t)PAUSE_FIRST_MS << (attempt < 8 ? attempt : 8);

        if (lease->pause == NULL)
                lease->pause = pipit__timer_new(leases->reactor, lease_on_pause_over, lease);
        if (pause_ms > PAUSE_MAX_MS)
                pause_ms = PAUSE_MAX_MS;
        pause_ms = pause_ms / 2 + rand_r(&leases->jitter) % (pause_ms / 2 + 1);
        if (lease->pause == NULL || pipit__timer_set(lease->pause, pause_ms) != 0)
                return PIPIT_ENOMEM;
        lease->pauses = true;
        return 0;
}

bool
pipit__lease_pauses(const struct lease *lease)
{
        return lease->pauses;
}

void
pipit__lease_end_pause(struct lease *lease)
{
        lease->pauses = false;
}
