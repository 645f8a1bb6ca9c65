/*
 * Leases. See lease.h.
 */
#include "scope/lease.h"

#include <assert.h>
#include <pipit/error.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn/conn.h"
#include "conn/conn_send.h"
#include "loop/reactor.h"
#include "pool/dispatch.h"
#include "request/request.h"

void
pipit__leases_init(struct leases *leases, struct reactor *reactor, struct dispatch *dispatch,
                   int max_batch)
{
        *leases = (struct leases){.reactor = reactor,
                                  .dispatch = dispatch,
                                  .max_batch = max_batch,
                                  .jitter = (unsigned)(uintptr_t)leases};
        list_init(&leases->ready);
}

struct lease *
pipit__lease_new(struct leases *leases)
{
        struct lease *lease = calloc(1, sizeof *lease);

        if (lease == NULL)
                return NULL;
        lease->leases = leases;
        list_init(&lease->link);
        lease->commands = lease->first_commands;
        lease->room = lease->first_room;
        lease->capacity = LEASE_FIRST_COMMANDS;
        return lease;
}

void
pipit__lease_free(struct lease *lease)
{
        if (lease == NULL)
                return;
        list_remove(&lease->link);
        pipit__timer_free(lease->pause);
        if (lease->commands != lease->first_commands)
                free(lease->commands);
        if (lease->room != lease->first_room)
                free(lease->room);
        free(lease);
}

void
pipit__lease_schedule(struct lease *lease)
{
        if (!list_linked(&lease->link))
                list_push_back(&lease->leases->ready, &lease->link);
        pipit__reactor_schedule(lease->leases->reactor);
}

/* An array with room for more, of which the first one was not allocated. NULL: without memory. */
static void *
lease_grow(void *array, const void *first, size_t size, int n, int capacity)
{
        void *grown = reallocarray(array == first ? NULL : array, (size_t)capacity, size);

        if (grown != NULL && array == first && n > 0)
                memcpy(grown, first, (size_t)n * size);
        return grown;
}

int
pipit__lease_reserve(struct lease *lease, int levels)
{
        int capacity = (levels + 1) * LEASE_FIRST_COMMANDS;

        if (capacity <= lease->capacity)
                return 0;
        char(*room)[LEASE_COMMAND_SIZE] = lease_grow(lease->room, lease->first_room, sizeof *room,
                                                     lease->n_commands, capacity);
        if (room == NULL)
                return PIPIT_ENOMEM;
        lease->room = room;
        const char **commands = lease_grow(lease->commands, lease->first_commands, sizeof *commands,
                                           lease->n_commands, capacity);
        if (commands == NULL)
                return PIPIT_ENOMEM;
        lease->commands = commands;
        lease->capacity = capacity;
        return 0;
}

/* One that lives as long as the program. */
static void
lease_command_constant(struct lease *lease, const char *text)
{
        assert(lease->n_commands < lease->capacity);
        lease->commands[lease->n_commands++] = text;
}

void
pipit__lease_command(struct lease *lease, const char *format, ...)
{
        va_list args;

        assert(lease->n_commands < lease->capacity);
        va_start(args, format);
        vsnprintf(lease->room[lease->n_commands], LEASE_COMMAND_SIZE, format, args);
        va_end(args);
        lease->commands[lease->n_commands++] = NULL;
}

void
pipit__lease_begin(struct lease *lease, const struct pipit_transaction *options,
                   int64_t statement_timeout_ms)
{
        static const char *const levels[] = {"", " ISOLATION LEVEL READ COMMITTED",
                                             " ISOLATION LEVEL REPEATABLE READ",
                                             " ISOLATION LEVEL SERIALIZABLE"};

        if (options->isolation == PIPIT_ISOLATION_DEFAULT && !options->read_only &&
            !options->deferrable)
                lease_command_constant(lease, "BEGIN");
        else
                pipit__lease_command(lease, "BEGIN%s%s%s", levels[options->isolation],
                                     options->read_only ? " READ ONLY" : "",
                                     options->deferrable ? " DEFERRABLE" : "");
        if (statement_timeout_ms > 0)
                pipit__lease_command(lease, "SET LOCAL statement_timeout = %lld",
                                     (long long)statement_timeout_ms);
}

void
pipit__lease_end_savepoint(struct lease *lease, int level, bool rollback)
{
        if (rollback)
                pipit__lease_command(lease, "ROLLBACK TO SAVEPOINT pipit_%d", level);
        pipit__lease_command(lease, "RELEASE SAVEPOINT pipit_%d", level);
}

bool
pipit__lease_is_busy(const struct lease *lease)
{
        return lease->conn != NULL && lease->conn->state != CONN_LEASED;
}

void
pipit__lease_send(struct lease *lease, struct list *requests, struct request *commit, bool implicit)
{
        struct conn *conn = lease->conn;

        for (int i = 0; i < lease->n_commands; i++) {
                if (lease->commands[i] == NULL)
                        lease->commands[i] = lease->room[i];
        }
        struct bracket bracket = {.commands = lease->commands,
                                  .n_commands = lease->n_commands,
                                  .commit = commit,
                                  .implicit = implicit};
        lease->n_commands = 0;
        if (pipit__conn_send_bracket(conn, requests, &bracket) == 0)
                pipit__conn_flush(conn);
}

void
pipit__lease_roll_back(struct lease *lease)
{
        struct conn *conn = lease->conn;

        lease->rolls_back = lease->stmt_savepoint_failed = false;
        lease->n_commands = lease->stmt_savepoint = 0; /* its savepoints go with it */
        if (pipit__conn_send_own(conn, "ROLLBACK") != 0) {
                pipit__conn_break(conn, pipit__pq_message(conn->pq));
                return;
        }
        pipit__conn_enter(conn, CONN_BUSY, NULL);
        pipit__conn_flush(conn);
}

void
pipit__lease_send_singles(struct lease *lease, struct list *requests)
{
        struct conn *conn = lease->conn;
        struct list one;

        list_init(&one);
        while (!list_empty(requests)) {
                list_push_back(&one, list_pop_first(requests));
                if (pipit__conn_send(conn, SEGMENT_SESSION, &one) != 0) {
                        list_splice(&one, requests);
                        list_splice(requests, &one);
                        return;
                }
        }
        pipit__conn_flush(conn);
}
