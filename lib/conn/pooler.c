/*
 * Poolers. See pooler.h.
 */
#include "conn/pooler.h"

void
pipit__pooler_init(struct pooler *pooler, enum pipit_pooler mode)
{
        *pooler = (struct pooler){.mode = mode};
}

bool
pipit__pooler_is_shared(const struct pooler *pooler)
{
        return pooler->mode == PIPIT_POOLER_TRANSACTION || pooler->changes_session;
}

bool
pipit__pooler_is_asked(const struct pooler *pooler)
{
        return pooler->mode == PIPIT_POOLER_AUTO && pooler->is_seen && !pooler->changes_session;
}

bool
pipit__pooler_see(struct pooler *pooler)
{
        bool is_news = pooler->mode == PIPIT_POOLER_AUTO && !pooler->is_seen;

        pooler->is_seen = true;
        return is_news;
}

bool
pipit__pooler_see_change(struct pooler *pooler)
{
        bool is_news = pipit__pooler_is_asked(pooler);

        pooler->changes_session = pooler->changes_session || is_news;
        return is_news;
}
