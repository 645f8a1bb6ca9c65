/*
 * The client: one thread, whose turns read what has arrived, decide, and write to one connection
 * after the other.
 */
#include <math.h>

#include "sim.h"

/* What a turn takes, a read and a write of a connection, and a request in each of them. */
#define TURN_US    3
#define READ_US    4
#define WRITE_US   4
#define REQUEST_US 0.4

struct machine *
sim_client(struct sim *sim)
{
        return sim->point.rtt <= 0 ? &sim->server : &sim->client;
}

void
client_kick(struct sim *sim)
{
        struct machine *machine = sim_client(sim);

        if (sim->state != CLIENT_IDLE)
                return;
        sim->state = CLIENT_WAKING;
        sim->waits++;
        event_add(sim, sim->now + machine_wake(sim, machine, SIM_CONNS), SIM_WAKE, SIM_CONNS, 0);
}

void
client_turn(struct sim *sim)
{
        double work = TURN_US;

        for (int i = 0; i < sim->point.conns; i++) {
                struct sim_queue *arrived = &sim->conns[i].arrived;
                if (arrived->n > 0)
                        work += READ_US;
                while (arrived->n > 0) {
                        int segment = segments_pop(sim, arrived);
                        work += REQUEST_US * sim->segments[segment].n;
                        segments_push(sim, &sim->got, segment);
                }
        }
        sim->has_arrived = false;
        sim->state = CLIENT_READING;
        machine_add(sim, sim_client(sim), SIM_CONNS, work);
}

void
client_send(struct sim *sim, int conn, struct sim_queue *queue, int n, bool shares)
{
        struct sim_conn *to = &sim->conns[conn];

        while (n > 0) {
                int segment = segment_new(sim, conn);
                int here = shares ? n : 1;
                for (int i = 0; i < here; i++) {
                        struct sim_queue requests = {sim->segments[segment].first,
                                                     sim->segments[segment].last, i};
                        requests_push(sim, &requests, requests_pop(sim, queue));
                        sim->segments[segment].first = requests.first;
                        sim->segments[segment].last = requests.last;
                }
                sim->segments[segment].n = here;
                segments_push(sim, &sim->out, segment);
                to->n_segments++;
                to->n_requests += here;
                n -= here;
        }
        to->used = sim->n_event;
}

static void
client_measure(struct sim *sim, const struct sim_request *request)
{
        double us = sim->now - request->since;

        sim->n_done++;
        if (!request->slow)
                sim->counts[us < 1 ? 0 : (int)(log2(us) * 100)]++;
}

static void
client_take(struct sim *sim, int segment)
{
        struct sim_conn *conn = &sim->conns[sim->segments[segment].conn];

        if (sim->kind == SIM_SHIPPED)
                shipped_answered(sim, segment);
        for (int request = sim->segments[segment].first; request >= 0;) {
                int next = sim->requests[request].next;
                if (sim->measures)
                        client_measure(sim, &sim->requests[request]);
                request_free(sim, request);
                if (sim->point.in_flight > 0)
                        requests_push(sim, &sim->fresh, workload_request(sim));
                request = next;
        }
        conn->n_segments--;
        conn->n_requests -= sim->segments[segment].n;
        segment_free(sim, segment);
}

/* Writes all that goes to the connection of the first segment. */
static void
client_write(struct sim *sim)
{
        struct sim_queue rest = {0};
        double work = WRITE_US;
        int conn;

        if (sim->out.n == 0) {
                sim->state = CLIENT_IDLE;
                if (sim->has_arrived || sim->fresh.n > 0)
                        client_turn(sim);
                return;
        }
        conn = sim->segments[sim->out.first].conn;
        while (sim->out.n > 0) {
                int segment = segments_pop(sim, &sim->out);
                bool now = sim->segments[segment].conn == conn;
                if (now)
                        work += REQUEST_US * sim->segments[segment].n;
                segments_push(sim, now ? &sim->flushed : &rest, segment);
        }
        sim->out = rest;
        sim->state = CLIENT_SENDING;
        machine_add(sim, sim_client(sim), SIM_CONNS, work);
}

static void
client_written(struct sim *sim)
{
        struct sim_conn *conn = &sim->conns[sim->segments[sim->flushed.first].conn];
        double at = sim->now + sim_way(sim);

        if (at < conn->out_last)
                at = conn->out_last;
        conn->out_last = at;
        while (sim->flushed.n > 0) {
                int segment = segments_pop(sim, &sim->flushed);
                sim->segments[segment].sending.sent_us = (int64_t)sim->now;
                event_add(sim, at, SIM_AT_SERVER, sim->segments[segment].conn, segment);
        }
        client_write(sim);
}

void
client_done(struct sim *sim)
{
        if (sim->state == CLIENT_SENDING) {
                client_written(sim);
                return;
        }
        while (sim->got.n > 0)
                client_take(sim, segments_pop(sim, &sim->got));
        if (sim->kind == SIM_SHIPPED)
                shipped_turn(sim);
        else
                rival_turn(sim);
        client_write(sim);
}
