/*
 * The pool is described to those who have waited in vain, and says when they have waited for too
 * long. See pool.h.
 */
#include <stdio.h>

#include "loop/deadline.h"
#include "loop/reactor.h"
#include "pool/pool.h"

int64_t
pipit__pool_give_up_ms(const struct pool *pool, int64_t since_ms)
{
        if (pool->down_timeout_ms < 0 || pool->n_idle + pool->n_busy > 0)
                return DEADLINE_NEVER;
        return pipit__deadline_after(since_ms > pool->down_ms ? since_ms : pool->down_ms,
                                     pool->down_timeout_ms);
}

void
pipit__pool_call_at(struct pool *pool, int64_t at_ms)
{
        if (at_ms == DEADLINE_NEVER)
                pipit__timer_stop(pool->down);
        else
                pipit__timer_set_or_now(pool->down,
                                        at_ms - pipit__reactor_now(pool->config.reactor));
}

void
pipit__pool_describe(const struct pool *pool, char *out, size_t size)
{
        int length =
                snprintf(out, size,
                         "%d of %d connections are open, %d of them busy, %d are "
                         "being made",
                         pool->n_idle + pool->n_busy, pool->max, pool->n_busy, pool->n_connecting);

        if (pool->n_failures > 0 && length > 0 && (size_t)length < size)
                snprintf(out + length, size - (size_t)length,
                         "; the last of %d attempts, to %s, failed: %s", pool->n_failures,
                         pool->failure.host, pool->failure.text);
}
