/*
 * The rivals: what a client does that measures nothing.
 */
#include "sim.h"

static int
least_loaded(const struct sim *sim)
{
        int least = 0;

        for (int i = 1; i < sim->point.conns; i++) {
                if (sim->conns[i].n_requests < sim->conns[least].n_requests)
                        least = i;
        }
        return least;
}

/* The queue whose first has waited longest; NULL: nothing waits. */
static struct sim_queue *
oldest(struct sim *sim)
{
        struct sim_queue *reads = &sim->reads;
        struct sim_queue *writes = &sim->writes;

        if (reads->n == 0 || writes->n == 0)
                return reads->n > 0 ? reads : writes->n > 0 ? writes : NULL;
        return sim->requests[writes->first].since < sim->requests[reads->first].since ? writes
                                                                                      : reads;
}

static void
send_single(struct sim *sim)
{
        struct sim_queue *queue;

        while ((queue = oldest(sim)) != NULL) {
                int conn = least_loaded(sim);
                if (sim->conns[conn].n_segments > 0)
                        return;
                client_send(sim, conn, queue, 1, false);
        }
}

static void
send_each(struct sim *sim)
{
        struct sim_queue *queue;

        while ((queue = oldest(sim)) != NULL)
                client_send(sim, least_loaded(sim), queue, 1, false);
}

static void
send_shared(struct sim *sim)
{
        int share = (sim->reads.n + sim->point.conns - 1) / sim->point.conns;

        while (sim->writes.n > 0)
                client_send(sim, least_loaded(sim), &sim->writes, 1, false);
        while (sim->reads.n > 0)
                client_send(sim, least_loaded(sim), &sim->reads,
                            sim->reads.n < share ? sim->reads.n : share, true);
}

/* Each connection has its own part of what is in flight. */
static void
send_like_floor(struct sim *sim)
{
        int part = (sim->point.in_flight + sim->point.conns - 1) / sim->point.conns;

        while (sim->writes.n > 0)
                client_send(sim, least_loaded(sim), &sim->writes, 1, false);
        while (sim->reads.n > 0) {
                int conn = least_loaded(sim);
                int n = part - sim->conns[conn].n_requests;
                if (n < 1)
                        n = 1;
                client_send(sim, conn, &sim->reads, n < sim->reads.n ? n : sim->reads.n, true);
        }
}

void
rival_turn(struct sim *sim)
{
        while (sim->fresh.n > 0) {
                int request = requests_pop(sim, &sim->fresh);
                requests_push(sim, sim->requests[request].writes ? &sim->writes : &sim->reads,
                              request);
        }
        switch (sim->kind) {
        case SIM_SINGLE: send_single(sim); break;
        case SIM_EACH: send_each(sim); break;
        case SIM_FLOOR:
                if (sim->point.in_flight > 0) {
                        send_like_floor(sim);
                        break;
                }
                send_shared(sim);
                break;
        case SIM_SHARED: send_shared(sim); break;
        case SIM_SHIPPED:
        case SIM_POLICIES: break;
        }
}
