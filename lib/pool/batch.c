/*
 * Batches. See batch.h.
 */
#include "pool/batch.h"

#include <math.h>

#include "request/bound_stmt.h"
#include "request/request.h"
#include "request/stmt_cache.h"

/* The time that a group should take at most, as its statements estimate, and its bytes. */
#define BATCH_MAX_US    2000.0F
#define BATCH_MAX_BYTES ((size_t)1 << 16)
/* Reads that take less than this together are not dealt to several connections: the client, and
 * the server, take as long for each batch. At most so many: half of them can be had sooner. */
#define BATCH_LEAST_US    500.0F
#define BATCH_LEAST_READS 18
/* Writes, which have their commit in common. */
#define BATCH_LEAST_WRITES 128
/* How far a queue is looked through for more to share a Sync. */
#define BATCH_MAX_LOOKS 256

/* The room that a batch still has. */
struct room {
        int n;
        float us;
        size_t bytes;
};

static bool
room_has(const struct room *room, const struct request *req)
{
        return room->n > 0 && room->us > 0 && pipit__request_bytes(req) <= room->bytes;
}

static void
batch_add(struct batch *batch, struct room *room, struct request *req)
{
        size_t bytes = pipit__request_bytes(req);

        pipit__request_append(req, &batch->requests);
        batch->n++;
        batch->may_pack = batch->may_pack || pipit__request_rule(req) != NULL;
        room->n--;
        room->us -= pipit__request_latency(req)->best_us;
        room->bytes -= bytes < room->bytes ? bytes : room->bytes;
}

/* The class of a request's latency, where so many wait for each connection. */
static enum latency_class
request_class(const struct request *req, int n_waiting)
{
        enum latency_class class = pipit__latency_class(pipit__request_latency(req));
        bool crowded = class == LATENCY_SLOW &&
                       pipit__latency_is_crowded(pipit__request_latency(req), n_waiting);

        return crowded ? LATENCY_FAST : class;
}

/* The largest group that a request's statement may be in; 1: alone. */
static int
request_stmt_limit(const struct request *req, int n_waiting)
{
        if (request_class(req, n_waiting) != LATENCY_FAST)
                return 1;
        return pipit__latency_is_crowded(pipit__request_latency(req), n_waiting)
                       ? INT16_MAX
                       : pipit__latency_group_limit(pipit__request_latency(req));
}

/* The largest group that the request itself may be in, given the limit of its statement. */
static int
request_limit(const struct request *req, int stmt_limit)
{
        int most = pipit__request_max_group(req);

        if (!pipit__request_may_share(req))
                return 1;
        return most > 0 && most < stmt_limit ? most : stmt_limit;
}

/* Takes the requests that may share a Sync with the first. Each bounds the group that it is in. */
static void
batch_take_group(struct batch *batch, struct list *queue, struct room *room, int n_waiting)
{
        struct list *link = queue->next;
        const struct stmt *stmt = NULL;
        int stmt_limit = 1;

        for (int looks = 0; link != queue && room->n > 0 && room->us > 0 && looks < BATCH_MAX_LOOKS;
             looks++) {
                struct request *req = pipit__request_of(link);
                link = link->next;
                if (pipit__request_stmt(req) != stmt) { /* most are of one */
                        stmt = pipit__request_stmt(req);
                        stmt_limit = request_stmt_limit(req, n_waiting);
                }
                int limit = request_limit(req, stmt_limit);
                if (limit <= batch->n || !room_has(room, req))
                        continue;
                batch_add(batch, room, req);
                if (limit - batch->n < room->n)
                        room->n = limit - batch->n;
        }
}

/* Takes requests that go one after the other. Nothing fast follows what is not known to be fast,
 * nothing at all follows what is slow, and one that is isolated goes by itself. */
static void
batch_take_singles(struct batch *batch, struct list *queue, struct room *room, int n_waiting)
{
        enum latency_class last = LATENCY_FAST;

        while (!list_empty(queue)) {
                struct request *req = pipit__request_first(queue);
                enum latency_class class = request_class(req, n_waiting);
                bool isolated = pipit__request_is_isolated(req);
                if (batch->n > 0 &&
                    (isolated || !pipit__latency_may_follow(class, last) || !room_has(room, req)))
                        return;
                batch_add(batch, room, req);
                if (isolated)
                        return;
                last = class;
        }
}

int
pipit__batch_least(const struct list *queue)
{
        const struct request *first = pipit__request_first(queue);
        float best_us = pipit__request_latency(first)->best_us;

        if (pipit__latency_class(pipit__request_latency(first)) != LATENCY_FAST || best_us <= 0)
                return 1;
        if (!pipit__request_is_read(first))
                return pipit__request_is_grouped(first) ? BATCH_LEAST_WRITES : 1;
        int least = best_us < BATCH_LEAST_US ? (int)(BATCH_LEAST_US / best_us) : 1;
        if (least > BATCH_LEAST_READS)
                least = BATCH_LEAST_READS;
        /* Where some are slow, those with them wait: no more than have to. */
        int limit = pipit__latency_group_limit(pipit__request_latency(first));
        return least < limit ? least : limit;
}

void
pipit__batch_take(struct batch *batch, struct list *queue, const struct batch_limits *limits)
{
        int max = limits->max;
        struct room room = {.n = max, .us = BATCH_MAX_US, .bytes = BATCH_MAX_BYTES};
        struct request *first = pipit__request_first(queue);

        *batch = (struct batch){.kind = SEGMENT_SINGLE};
        list_init(&batch->requests);
        int limit = request_limit(first, request_stmt_limit(first, max));
        if (!limits->shares || max == 1 || limit == 1) {
                if (limits->one_sync)
                        room.n = 1;
                batch_take_singles(batch, queue, &room, max);
                return;
        }
        /* A write alone takes mostly the time of its commit, which a group has but once. */
        if (!pipit__request_is_read(first))
                room.us = INFINITY;
        batch_add(batch, &room, first);
        if (limit - 1 < room.n)
                room.n = limit - 1;
        batch_take_group(batch, queue, &room, max);
        if (batch->n > 1)
                batch->kind = pipit__request_is_read(first) ? SEGMENT_READS : SEGMENT_WRITES;
}
