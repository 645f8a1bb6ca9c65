/*
 * The replies to Syncs. See reply_sync.h.
 */
#include "conn/reply_sync.h"

#include "conn/conn.h"
#include "conn/reply_queue_int.h"
#include "request/request.h"
#include "result/result_error.h"

enum reply_event
pipit__reply_take_sync(struct reply_queue *replies, struct reply *reply, struct pg_result *answer,
                       enum pq_kind kind)
{
        if (kind == PQ_KIND_ERROR && !reply->answered) {
                struct request *req = reply->ops->is_waited_for
                                              ? reply->req
                                              : pipit__reply_in_front(replies)->req;
                reply->answered = true;
                pipit__reply_take_error(replies, req, answer);
                return REPLY_EVENT_MORE;
        }
        pipit__pq_clear(answer);
        return kind == PQ_KIND_SYNC && !reply->answered ? REPLY_EVENT_SYNC : REPLY_EVENT_BROKEN;
}

enum reply_event
pipit__reply_end_sync(struct reply_queue *replies, struct reply *reply, struct request **ret_done)
{
        (void)replies;
        (void)ret_done;
        reply->answered = false;
        return REPLY_EVENT_MORE;
}

static void
sync_commit_settle(const struct reply *reply, struct settlement *settlement)
{
        if (reply->req == NULL)
                return;
        pipit__result_set_host(pipit__request_result(reply->req), settlement->host);
        settlement->lease_ops->ended(reply->req, !settlement->failed, settlement->lease_arg);
}

const struct reply_ops pipit__reply_sync = {.name = "Sync",
                                            .is_sync = true,
                                            .take = pipit__reply_take_sync,
                                            .end = pipit__reply_end_sync};

const struct reply_ops pipit__reply_sync_commit = {.name = "Sync that commits",
                                                   .is_waited_for = true,
                                                   .is_sync = true,
                                                   .take = pipit__reply_take_sync,
                                                   .end = pipit__reply_end_sync,
                                                   .settle = sync_commit_settle,
                                                   .lost = pipit__reply_lost_with_lease};
