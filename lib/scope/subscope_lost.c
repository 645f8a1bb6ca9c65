/*
 * Subscopes whose connection is gone: all on its lease end with it, whatever holds them, and who
 * asked for it is told. See subscope_int.h and <pipit/session.h>.
 *
 * 1. At the loss itself only states change: pipit_scope_error() says so from then on.
 * 2. At the end of the turn those who asked are told, before anything on the lease ends.
 */
#include <string.h>

#include "base/cold.h"
#include "connect/connect_attempt.h"
#include "result/result_error.h"
#include "scope/lease.h"
#include "scope/subscope_int.h"

/* The cause of all that ends with the connection; its texts live as long as the lease. */
static COLD struct pipit_error
lost_cause(const struct lease *lease)
{
        const struct conn_error *lost = pipit__lease_lost(lease);
        struct pipit_error cause = {.code = PIPIT_ELOST,
                                    .executed = PIPIT_EXECUTED_ROLLED_BACK,
                                    .phase = PIPIT_PHASE_EXECUTE,
                                    .host = lost->host,
                                    .message = lost->text};

        memcpy(cause.sqlstate, lost->sqlstate, sizeof cause.sqlstate);
        if (pipit__sqlstate_leaves_doubt(lost->sqlstate))
                cause.executed = PIPIT_EXECUTED_UNKNOWN;
        return cause;
}

/* Has a subscope end without its connection. One that is held waits for nothing any more, so its
 * body does not run again either: the holds of two attempts could not be told apart. One that is
 * nested and was opened by hand must not keep those around it. */
static COLD void
subscope_lose(struct subscope *subscope, const struct pipit_error *cause)
{
        pipit__subscope_doom(subscope, cause, NULL);
        if (subscope->holds > 0)
                subscope->options.max_attempts = subscope->attempt;
        subscope->holds = 0;
        if (subscope->up != NULL)
                subscope->closing = true;
}

void
pipit__subscope_lose_all(struct lease *lease, const struct conn_error *failure)
{
        pipit__lease_lose(lease, failure);
        struct pipit_error cause = lost_cause(lease);
        for (struct subscope *subscope = pipit__lease_active(lease); subscope != NULL;
             subscope = subscope->up)
                subscope_lose(subscope, &cause);
        pipit__lease_schedule(lease);
}

bool
pipit__subscope_tell_lost(struct lease *lease)
{
        struct list *link = pipit__lease_next_to_tell(lease);

        if (link == NULL)
                return false;
        struct subscope *subscope = container_of(link, struct subscope, lost_link);
        struct pipit_error cause = lost_cause(lease);
        pipit__subscope_doom(subscope, &cause, NULL); /* one whose turn had not come is not yet */
        pipit_lost_cb cb = subscope->on_lost;
        subscope->on_lost = NULL;
        cb(&subscope->scope, &cause, subscope->on_lost_arg);
        return true;
}

const struct pipit_error *
pipit__subscope_error(const struct pipit *scope)
{
        const struct subscope *subscope = (const struct subscope *)scope; /* its first member */
        bool lost = subscope->cause.code == PIPIT_ELOST;

        return subscope->outcome == OUTCOME_DOOMED && (pipit__scope_is_open(scope) || lost)
                       ? &subscope->cause
                       : NULL;
}

void
pipit__subscope_watch_loss(struct subscope *subscope, pipit_lost_cb cb, void *arg)
{
        list_remove(&subscope->lost_link);
        subscope->on_lost = cb;
        subscope->on_lost_arg = arg;
        if (cb != NULL)
                pipit__lease_watch_loss(subscope->lease, &subscope->lost_link);
}

int
pipit_on_lost(struct pipit *scope, pipit_lost_cb cb, void *arg)
{
        struct subscope *subscope =
                pipit__scope_is_mine(scope) ? pipit__subscope_of_scope(scope) : NULL;

        if (subscope == NULL)
                return PIPIT_EINVAL;
        bool lost = !pipit__lease_has_conn(subscope->lease) &&
                    pipit__lease_lost(subscope->lease)->text[0] != '\0';
        if (lost)
                return PIPIT_ELOST;
        if (pipit__scope_is_closed(scope))
                return PIPIT_ECLOSED;
        pipit__subscope_watch_loss(subscope, cb, arg);
        return 0;
}
