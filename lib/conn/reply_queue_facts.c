/*
 * The facts of a reply queue that others ask for. See reply_queue.h.
 */
#include "conn/reply_queue_int.h"
#include "request/request.h"

struct request *
pipit__reply_queue_reader(const struct reply_queue *replies)
{
        return replies->n > 0 ? pipit__reply_at(replies, replies->reading)->req : NULL;
}

bool
pipit__reply_queue_reads_statement(const struct reply_queue *replies)
{
        return pipit__reply_at(replies, replies->reading)->ops->is_waited_for;
}

void
pipit__reply_queue_set_over_limit(struct reply_queue *replies, size_t limit)
{
        pipit__reply_at(replies, replies->reading)->over_limit = limit;
}

bool
pipit__reply_queue_is_over_limit(const struct reply_queue *replies)
{
        const struct reply *reply = pipit__reply_at(replies, replies->reading);

        return replies->n > 0 && reply->over_limit != 0 && !reply->answered;
}

const char *
pipit__reply_queue_reading_name(const struct reply_queue *replies)
{
        return pipit__reply_at(replies, replies->reading)->ops->name;
}

void
pipit__reply_queue_prefetch(const struct reply_queue *replies)
{
        const struct request *req = pipit__reply_queue_reader(replies);

        if (req != NULL)
                pipit__request_prefetch(req);
}

const struct sending *
pipit__reply_queue_first_segment(const struct reply_queue *replies)
{
        for (int i = 0; i < replies->n; i++) {
                const struct reply *reply = pipit__reply_at(replies, i);
                if (reply->ops->is_sync)
                        return &reply->segment;
        }
        return NULL;
}

const struct sending *
pipit__reply_queue_read_segment(const struct reply_queue *replies)
{
        return &pipit__reply_at(replies, replies->reading)->segment;
}

bool
pipit__reply_queue_is_at_last_sync(const struct reply_queue *replies)
{
        return replies->reading + 1 == replies->n;
}

bool
pipit__reply_queue_is_abandoned(const struct reply_queue *replies)
{
        bool abandoned = false;

        /* Whoever shares its Sync runs again, or comes to nothing with its transaction. */
        if (pipit__reply_queue_is_over_limit(replies))
                return true;
        for (int i = 0; i < replies->n; i++) {
                const struct reply *reply = pipit__reply_at(replies, i);
                if (reply->abandoned && reply->ops->dooms_its_segment)
                        return true;
                if (pipit__reply_waiter(reply) != NULL && !reply->ops->dooms_its_segment)
                        return false;
                abandoned = abandoned || reply->abandoned;
                if (reply->ops->is_sync)
                        return abandoned;
        }
        return false;
}

bool
pipit__reply_queue_waits_for_fragile(const struct reply_queue *replies)
{
        for (int i = 0; i < replies->n; i++) {
                const struct request *req = pipit__reply_waiter(pipit__reply_at(replies, i));
                if (req != NULL && !pipit__request_may_share(req))
                        return true;
        }
        return false;
}
