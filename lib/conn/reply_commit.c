/*
 * The reply to a COMMIT. See reply_commit.h.
 */
#include "conn/reply_commit.h"

#include <string.h>

#include "conn/conn.h"
#include "conn/reply_queue_int.h"
#include "request/request.h"
#include "result/result_error.h"

static enum reply_event
commit_take(struct reply_queue *replies, struct reply *reply, struct pg_result *answer,
            enum pq_kind kind)
{
        return pipit__reply_take_rows(replies, reply, answer, kind, NULL);
}

static bool
commit_is_done(struct pipit_result *res)
{
        return !pipit_failed(res) && strcmp(pipit_result_tag(res), "COMMIT") == 0;
}

static void
commit_settle(const struct reply *reply, struct settlement *settlement)
{
        struct request *req = reply->req;

        if (req == NULL)
                return;
        pipit__result_set_host(pipit__request_result(req), settlement->host);
        settlement->lease_ops->ended(req, commit_is_done(pipit__request_result(req)),
                                     settlement->lease_arg);
}

/* A COMMIT that was not run leaves nothing of its transaction. */
static COLD void
commit_lost(const struct reply *reply, struct settlement *settlement)
{
        if (reply->req != NULL)
                pipit__reply_fail_lost(reply, settlement,
                                       settlement->idle ? PIPIT_EXECUTED_ROLLED_BACK
                                                        : PIPIT_EXECUTED_UNKNOWN);
}

const struct reply_ops pipit__reply_commit = {.name = "COMMIT",
                                              .is_waited_for = true,
                                              .take = commit_take,
                                              .settle = commit_settle,
                                              .lost = commit_lost};
