/*
 * Commands of a lease: what pipit puts in front of the next segment. See lease.h.
 */
#include <assert.h>
#include <pipit/error.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cold.h"
#include "scope/lease_int.h"

/* An array with room for more, of which the first one was not allocated. NULL: without memory. */
static void *
array_grow(void *array, const void *first, size_t size, int n, int capacity)
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
        char(*room)[LEASE_COMMAND_SIZE] = array_grow(lease->room, lease->first_room, sizeof *room,
                                                     lease->n_commands, capacity);
        if (room == NULL)
                return PIPIT_ENOMEM;
        lease->room = room;
        const char **commands = array_grow(lease->commands, lease->first_commands, sizeof *commands,
                                           lease->n_commands, capacity);
        if (commands == NULL)
                return PIPIT_ENOMEM;
        lease->commands = commands;
        lease->capacity = capacity;
        return 0;
}

bool
pipit__lease_has_commands(const struct lease *lease)
{
        return lease->n_commands > 0;
}

/* Puts a text in front that lives as long as the program. */
static void
lease_command_constant(struct lease *lease, const char *text)
{
        assert(lease->n_commands < lease->capacity);
        lease->commands[lease->n_commands++] = text;
}

/* Puts a command in front: there is room. */
static void PIPIT_PRINTF(2, 3) lease_command(struct lease *lease, const char *format, ...)
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
                lease_command(lease, "BEGIN%s%s%s", levels[options->isolation],
                              options->read_only ? " READ ONLY" : "",
                              options->deferrable ? " DEFERRABLE" : "");
        if (statement_timeout_ms > 0)
                lease_command(lease, "SET LOCAL statement_timeout = %lld",
                              (long long)statement_timeout_ms);
}

void
pipit__lease_savepoint(struct lease *lease, int level)
{
        lease_command(lease, "SAVEPOINT pipit_%d", level);
}

void
pipit__lease_end_savepoint(struct lease *lease, int level, bool rollback)
{
        if (rollback)
                lease_command(lease, "ROLLBACK TO SAVEPOINT pipit_%d", level);
        lease_command(lease, "RELEASE SAVEPOINT pipit_%d", level);
}

void
pipit__lease_forget_commands(struct lease *lease)
{
        lease->n_commands = lease->stmt_savepoint = 0;
}

/* ---- the savepoint of one statement */

void
pipit__lease_expect_failure(struct lease *lease, int level)
{
        lease->stmt_savepoint = level;
}

void
pipit__lease_begin_stmt_savepoint(struct lease *lease)
{
        if (lease->stmt_savepoint > 0)
                pipit__lease_savepoint(lease, lease->stmt_savepoint);
}

bool
pipit__lease_has_stmt_savepoint(const struct lease *lease)
{
        return lease->stmt_savepoint > 0;
}

void
pipit__lease_fail_stmt_savepoint(struct lease *lease)
{
        lease->stmt_savepoint_failed = true;
}

void
pipit__lease_end_stmt_savepoint(struct lease *lease)
{
        if (lease->stmt_savepoint > 0)
                pipit__lease_end_savepoint(lease, lease->stmt_savepoint,
                                           lease->stmt_savepoint_failed);
        lease->stmt_savepoint = 0;
        lease->stmt_savepoint_failed = false;
}
