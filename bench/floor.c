#include "floor.h"

#include "link.h"
#include "workload.h"

/* ---- one at a time */

static void
single_send(struct link *link)
{
        if (link->syncs > 0 || link->sent == link->end)
                return;
        link_send_next(link);
        link->syncs++; /* the statement has its own */
        link_flush(link);
}

static const struct form single = {.pipelined = false, .send = single_send, .take = link_take_one};

static void
single_open(struct run *run)
{
        floor_open(run, &single);
}

/* ---- a Sync each */

static void
each_send(struct link *link)
{
        if (link->sent == link->end)
                return;
        while (link->sent != link->end) {
                link_send_next(link);
                link_send_sync(link);
        }
        link_flush(link);
}

static const struct form each = {.pipelined = true, .send = each_send, .take = link_take_one};

static void
each_open(struct run *run)
{
        floor_open(run, &each);
}

/* ---- a shared Sync */

/* One segment: at most so many statements and the Sync behind them. */
static void
shared_send_segment(struct link *link, unsigned most)
{
        bool alone = false;

        for (unsigned n = 0; n < most && !alone; n++) {
                alone = link->ring[link->sent & link->mask]->statement->alone;
                link_send_next(link);
        }
        link_send_sync(link);
}

/* With a burst that is set, the next goes out before the last one is answered. */
static void
shared_send(struct link *link)
{
        unsigned burst = (unsigned)link->floor->run->options->burst;
        unsigned due = link->end - link->sent;

        if (due == 0 || (link->syncs > 0 && (burst == 0 || due < burst)))
                return;
        while (due > 0) {
                shared_send_segment(link, burst > 0 && burst < due ? burst : due);
                due = link->end - link->sent;
        }
        link_flush(link);
}

static const struct form shared = {.pipelined = true, .send = shared_send, .take = link_take_one};

static void
shared_open(struct run *run)
{
        floor_open(run, &shared);
}

/* ---- */

static bool
serves_statements(const struct workload *workload)
{
        enum call call = workload->statements[0]->call;

        return call != CALL_CONNECT && call != CALL_TRANSACTION;
}

#define FLOOR                                                                                      \
        .serves = serves_statements, .ask = floor_ask, .loop = floor_loop, .close = floor_close

const struct subject subject_floor_single = {.name = "floor-single", .open = single_open, FLOOR};
const struct subject subject_floor_sync_each = {
        .name = "floor-sync-each", .open = each_open, FLOOR};
const struct subject subject_floor_sync_shared = {
        .name = "floor-sync-shared", .open = shared_open, FLOOR};
