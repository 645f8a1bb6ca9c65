/*
 * What one connection has prepared. See prepared.h.
 */
#include "conn/prepared.h"

#include <pipit/error.h>
#include <stdlib.h>

#include "request/stmt_cache.h"

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

/* Its place, when it is its own; NULL when it is another's by now, or it has none. */
static struct prepared_slot *
prepared_slot(const struct prepared *prepared, const struct stmt *stmt)
{
        if (stmt->slot < 0)
                return NULL;
        struct prepared_slot *slot = &prepared->slots[stmt->slot];
        return slot->serial == stmt->serial ? slot : NULL;
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
        struct prepared_slot *slot = &prepared->slots[stmt->slot];
        uint64_t old = slot->serial;

        *slot = (struct prepared_slot){.serial = stmt->serial, .valid = true};
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
