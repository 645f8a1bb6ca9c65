/*
 * The server: a process for each connection, which runs one segment after the other and answers
 * each at its Sync.
 */
#include "sim.h"

/* What a Sync and the sending of its answer take, what a process takes to begin after a wait, and
 * to go on after it has slept. */
#define SYNC_US  2.5
#define SEND_US  5
#define BEGIN_US 10
#define AWAKE_US 3

double
sim_way(struct sim *sim)
{
        double jitter = sim->point.jitter;

        return sim->point.rtt / 2 + (jitter > 0 ? random_exponential(&sim->random, jitter / 2) : 0);
}

/* Runs on until a request sleeps, or to the end of the segment. */
static void
backend_go(struct sim *sim, int conn)
{
        struct sim_segment *segment = &sim->segments[sim->backends[conn].at];
        double work = segment->extra;

        segment->extra = 0;
        while (segment->at >= 0) {
                const struct sim_request *request = &sim->requests[segment->at];
                work += request->cpu;
                if (request->sleep > 0)
                        break;
                segment->at = request->next;
        }
        if (segment->at < 0)
                work += SYNC_US + SEND_US;
        machine_add(sim, &sim->server, conn, work);
}

static void
backend_begin(struct sim *sim, int conn)
{
        struct backend *backend = &sim->backends[conn];
        struct sim_segment *segment;

        backend->at = segments_pop(sim, &backend->segments);
        segment = &sim->segments[backend->at];
        segment->at = segment->first;
}

void
backend_arrives(struct sim *sim, int conn, int segment)
{
        struct backend *backend = &sim->backends[conn];

        segments_push(sim, &backend->segments, segment);
        if (backend->busy)
                return;
        backend->busy = true;
        event_add(sim, sim->now + machine_wake(sim, &sim->server, conn), SIM_WAKE, conn, 0);
}

void
backend_wakes(struct sim *sim, int conn)
{
        backend_begin(sim, conn);
        sim->segments[sim->backends[conn].at].extra = BEGIN_US;
        backend_go(sim, conn);
}

void
backend_awakes(struct sim *sim, int conn)
{
        struct sim_segment *segment = &sim->segments[sim->backends[conn].at];

        segment->at = sim->requests[segment->at].next;
        segment->extra = AWAKE_US;
        backend_go(sim, conn);
}

void
backend_done(struct sim *sim, int conn)
{
        struct backend *backend = &sim->backends[conn];
        const struct sim_segment *segment = &sim->segments[backend->at];

        if (segment->at >= 0) {
                event_add(sim, sim->now + sim->requests[segment->at].sleep, SIM_AWAKE, conn, 0);
                return;
        }
        double at = sim->now + sim_way(sim);
        if (at < backend->out_last)
                at = backend->out_last;
        backend->out_last = at;
        event_add(sim, at, SIM_AT_CLIENT, backend->at, 0);
        if (backend->segments.n > 0) {
                backend_begin(sim, conn);
                backend_go(sim, conn);
        } else {
                backend->busy = false;
        }
}
