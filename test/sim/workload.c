/*
 * Workloads: what each request takes the server.
 */
#include "sim.h"

const char *const workload_names[WORKLOADS] = {"reads of 4.5 us",
                                               "reads of 50 us, exponential",
                                               "reads of 1 ms, exponential",
                                               "reads of 10 ms",
                                               "1 % of a text sleep 2 ms",
                                               "1 % of a text burn 2 ms",
                                               "a slow text sleeps 2 ms, 2 %",
                                               "a slow text burns 2 ms, 5 %",
                                               "writes of 20 us",
                                               "70 % reads, 30 % writes",
                                               "256 texts of 10 us"};

static const double means[WORKLOADS] = {4.5, 50, 1000, 10000, 30, 30, 50, 110, 20, 9, 10};

double
workload_mean(int workload)
{
        return means[workload];
}

static void
sleeps(struct sim_request *request)
{
        request->sleep = 2000;
        request->slow = true;
}

static void
burns(struct sim_request *request)
{
        request->cpu = 2000;
        request->slow = true;
}

static void
choose(struct sim *sim, struct sim_request *request, double chance)
{
        switch (sim->point.workload) {
        case 0: request->cpu = 4.5; break;
        case 1: request->cpu = random_exponential(&sim->asks_random, 50); break;
        case 2: request->cpu = random_exponential(&sim->asks_random, 1000); break;
        case 3: request->cpu = 10000; break;
        case 4:
                if (chance < 0.01)
                        sleeps(request);
                break;
        case 5:
                if (chance < 0.01)
                        burns(request);
                break;
        case 6:
                if (chance < 0.02) {
                        sleeps(request);
                        request->text = 1;
                }
                break;
        case 7:
                if (chance < 0.05) {
                        burns(request);
                        request->text = 1;
                }
                break;
        case 8:
        case 9:
                request->writes = sim->point.workload == 8 || chance < 0.3;
                request->cpu = request->writes ? 20 : 4.5;
                request->text = request->writes ? 2 : 0;
                break;
        case 10: request->text = 3 + (int)(chance * 256); break;
        }
}

int
workload_request(struct sim *sim)
{
        int i = request_new(sim);
        struct sim_request *request = &sim->requests[i];

        *request = (struct sim_request){.since = sim->now, .cpu = 10};
        choose(sim, request, random_uniform(&sim->asks_random));
        if (sim->stepped && sim->point.step_cpu > 0)
                request->cpu = sim->point.step_cpu;
        return i;
}
