/*
 * A run: one policy at one point.
 */
#include <math.h>
#include <stdlib.h>

#include "sim.h"

#define COUNTS 4000
/* So many answers are enough; an open loop that has so many waiting has fallen behind. */
#define ENOUGH 40000
#define BEHIND 100000

/* A change is to be followed in so long. */
#define FOLLOWS_US 1e6

/* How long it is measured: enough for the slowest. The first third does not count. */
static double
run_length(const struct point *point)
{
        double mean = workload_mean(point->workload) + 20;
        int at_once = point->cores < point->conns ? point->cores : point->conns;
        double length = 200e3 + 60 * point->rtt;
        double all = 10 * point->in_flight * mean / at_once;

        if (point->workload == WORKLOADS - 1)
                length += 400e3; /* each of its texts is new for some time */
        if (mean > 500)
                length += mean > 5000 ? 3e6 : 1e6;
        if (all > length)
                length = all;
        return length;
}

static struct sim *
sim_new(const struct point *point, enum sim_policy kind)
{
        struct sim *sim = calloc(1, sizeof *sim);

        if (sim == NULL)
                abort();
        sim->point = *point;
        sim->kind = kind;
        sim->random = 88172645463325252U;
        sim->asks_random = 1181783497276652981U;
        sim->server.cores = point->cores;
        sim->client.cores = 1;
        sim->free_request = sim->free_segment = SIM_NONE;
        sim->counts = calloc(COUNTS, sizeof *sim->counts);
        shipped_init(sim);
        if (point->in_flight == 0)
                event_add(sim, 0, SIM_ARRIVAL, 0, 0);
        for (int i = 0; i < point->in_flight; i++)
                requests_push(sim, &sim->fresh, workload_request(sim));
        if (point->in_flight > 0)
                client_kick(sim);
        return sim;
}

static void
sim_free(struct sim *sim)
{
        free(sim->requests);
        free(sim->segments);
        free(sim->events);
        free(sim->counts);
        free(sim);
}

static void
on_arrival(struct sim *sim)
{
        requests_push(sim, &sim->fresh, workload_request(sim));
        client_kick(sim);
        event_add(sim,
                  sim->now + random_exponential(&sim->asks_random, 1e6 / sim->point.per_second),
                  SIM_ARRIVAL, 0, 0);
        sim->behind = sim->behind || sim->n_requests > BEHIND;
}

static void
on_event(struct sim *sim)
{
        struct event event;

        event_pop(sim, &event);
        switch (event.kind) {
        case SIM_AT_SERVER: backend_arrives(sim, event.a, event.b); break;
        case SIM_AT_CLIENT:
                segments_push(sim, &sim->conns[sim->segments[event.a].conn].arrived, event.a);
                sim->has_arrived = true;
                client_kick(sim);
                break;
        case SIM_WAKE:
                if (event.a == SIM_CONNS)
                        client_turn(sim);
                else
                        backend_wakes(sim, event.a);
                break;
        case SIM_AWAKE: backend_awakes(sim, event.a); break;
        case SIM_ARRIVAL: on_arrival(sim); break;
        }
}

static void
on_done(struct sim *sim, struct machine *machine, int place)
{
        machine_advance(machine, sim->now);
        int id = machine->ids[place];
        machine_remove(machine, place);
        if (id == SIM_CONNS)
                client_done(sim);
        else
                backend_done(sim, id);
}

/* Goes on to the next thing that happens. */
static void
sim_step(struct sim *sim)
{
        int at_server = 0;
        int at_client = 0;
        double server = machine_next(&sim->server, &at_server);
        double client = machine_next(&sim->client, &at_client);
        double event = event_next(sim);
        double next = fmin(event, fmin(server, client));

        if (sim->point.step_at > 0 && next >= sim->point.step_at && !sim->stepped) {
                sim->stepped = true;
                sim->point.rtt = sim->point.step_rtt;
        }
        sim->now = next;
        if (event <= server && event <= client)
                on_event(sim);
        else if (server <= client)
                on_done(sim, &sim->server, at_server);
        else
                on_done(sim, &sim->client, at_client);
}

static double
percentile(const struct sim *sim, double part)
{
        long n = 0;
        long m = 0;

        for (int i = 0; i < COUNTS; i++)
                n += sim->counts[i];
        for (int i = 0; i < COUNTS; i++) {
                m += sim->counts[i];
                if ((double)m >= part * (double)n)
                        return exp2((i + 0.5) / 100);
        }
        return 0;
}

struct figure
sim_run(const struct point *point, enum sim_policy kind)
{
        struct sim *sim = sim_new(point, kind);
        double length = run_length(point);
        double from = length / 3;
        long enough = 8 * point->in_flight > ENOUGH ? 8 * point->in_flight : ENOUGH;

        if (point->step_at > 0) {
                from = point->step_at + FOLLOWS_US;
                length = from + 300e3 + 20 * point->step_rtt;
        }
        while (sim->now < length && !sim->behind) {
                sim_step(sim);
                sim->measures = sim->now >= from;
                if (sim->n_done >= enough && sim->now - from > 20 * point->rtt)
                        break;
        }
        struct figure figure = {
                .per_second = sim->now > from ? (double)sim->n_done * 1e6 / (sim->now - from) : 0,
                .p50 = percentile(sim, 0.5),
                .p99 = percentile(sim, 0.99),
                .keeps_up = !sim->behind};
        sim_free(sim);
        return figure;
}
