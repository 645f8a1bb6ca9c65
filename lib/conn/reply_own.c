/*
 * The replies to statements of pipit's own. See reply_own.h.
 */
#include "conn/reply_own.h"

#include "conn/reply_queue_int.h"

static enum reply_event
own_take(struct reply_queue *replies, struct reply *reply, struct pg_result *answer,
         enum pq_kind kind)
{
        bool is_done = pipit__reply_is_success(kind);

        if (kind != PQ_KIND_ERROR && (!is_done || reply->answered))
                return pipit__reply_take_other(replies, reply, answer, kind);
        reply->answered = true;
        return is_done ? REPLY_EVENT_OWN : REPLY_EVENT_OWN_FAILED;
}

static enum reply_event
settings_take(struct reply_queue *replies, struct reply *reply, struct pg_result *answer,
              enum pq_kind kind)
{
        enum reply_event event = own_take(replies, reply, answer, kind);

        if (event != REPLY_EVENT_OWN_FAILED)
                return event;
        replies->failed = true;
        return REPLY_EVENT_REFUSED;
}

const struct reply_ops pipit__reply_own = {.name = "statement of its own", .take = own_take};

const struct reply_ops pipit__reply_settings = {.name = "settings of its session",
                                                .take = settings_take};
