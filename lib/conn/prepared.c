/*
 * Prepared statements of one connection. See prepared.h.
 */
#include "conn/prepared.h"

#include <pipit/error.h>
#include <stdlib.h>

#include "request/stmt.h"

int
pipit__prepared_init(struct prepared *prepared, int n)
{
        *prepared = (struct prepared){.n = n};
        if (n == 0)
                return 0;
        prepared->slots = calloc((size_t)n, sizeof *prepared->slots);
        return prepared->slots != NULL ? 0 : PIPIT_ENOMEM;
}

void
pipit__prepared_fini(struct prepared *prepared)
{
        free(prepared->slots);
        prepared->slots = NULL;
}

void
pipit__prepared_clear(struct prepared *prepared)
{
        for (int i = 0; i < prepared->n; i++)
                prepared->slots[i] = (struct prepared_slot){0};
        prepared->n_lost = 0;
}

bool
pipit__prepared_takes(const struct prepared *prepared, const struct stmt *stmt)
{
        return prepared->slots != NULL && pipit__stmt_slot(stmt) >= 0;
}

/* The place of a statement; NULL when that is another's by now, or there is none. */
static struct prepared_slot *
prepared_slot(const struct prepared *prepared, const struct stmt *stmt)
{
        int place = pipit__stmt_slot(stmt);

        if (place < 0)
                return NULL;
        struct prepared_slot *slot = &prepared->slots[place];
        return slot->serial == pipit__stmt_serial(stmt) ? slot : NULL;
}

bool
pipit__prepared_has(const struct prepared *prepared, const struct stmt *stmt)
{
        const struct prepared_slot *slot = prepared_slot(prepared, stmt);

        return slot != NULL && slot->valid;
}

uint64_t
pipit__prepared_add(struct prepared *prepared, const struct stmt *stmt)
{
        struct prepared_slot *slot = &prepared->slots[pipit__stmt_slot(stmt)];
        uint64_t old = slot->serial;

        *slot = (struct prepared_slot){.serial = pipit__stmt_serial(stmt), .valid = true};
        return old;
}

void
pipit__prepared_drop(struct prepared *prepared, const struct stmt *stmt)
{
        struct prepared_slot *slot = prepared_slot(prepared, stmt);

        if (slot != NULL)
                *slot = (struct prepared_slot){0};
}

void
pipit__prepared_expire(struct prepared *prepared, const struct stmt *stmt)
{
        struct prepared_slot *slot = prepared_slot(prepared, stmt);

        if (slot != NULL)
                slot->valid = false;
}

void
pipit__prepared_lose(struct prepared *prepared)
{
        prepared->n_lost++;
}

int
pipit__prepared_n_lost(const struct prepared *prepared)
{
        return prepared->n_lost;
}
