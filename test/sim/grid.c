/*
 * The points that are simulated, and how the policies stand to each other there.
 */
#include <math.h>
#include <stdlib.h>

#include "sim.h"

/* Where the others have so much of the best's throughput, their percentiles count. */
#define NEAR 0.97

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static const int cores[] = {1, 2, 8, 64};
static const double round_trips[] = {0, 50, 500, 2000, 10000, 50000};
static const int in_flight[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096};
static const int loads[] = {10, 30, 50, 70, 85, 95};

static void
add(struct points *points, const struct point *point)
{
        if (points->n % 256 == 0)
                points->all =
                        reallocarray(points->all, (size_t)points->n + 256, sizeof *points->all);
        if (points->all == NULL)
                abort();
        points->all[points->n++] = *point;
}

static void
add_closed(struct points *points, struct point point)
{
        for (int n = 0; n < COUNT(in_flight); n++) {
                point.in_flight = in_flight[n];
                /* Thousands of statements of 10 ms say nothing but that. */
                if (point.workload != 3 || in_flight[n] <= 512)
                        add(points, &point);
        }
}

/* So many a second that the server is busy for that part of its time, as far as one client can. */
static void
add_open(struct points *points, struct point point)
{
        int at_once = point.cores < point.conns ? point.cores : point.conns;
        double most = 1e6 * at_once / (workload_mean(point.workload) + 4);

        if (most > 200e3)
                most = 200e3;
        point.in_flight = 0;
        for (int i = 0; i < COUNT(loads); i++) {
                point.per_second = most * loads[i] / 100;
                add(points, &point);
        }
}

/* Another round trip, or other statements, from the middle on. */
static void
add_steps(struct points *points, struct point point)
{
        static const double steps[][4] = {{2000, 10000, 0, 400e3},   {10000, 2000, 0, 800e3},
                                          {50000, 500, 0, 2e6},      {500, 50000, 0, 1e6},
                                          {2000, 2000, 5000, 600e3}, {500, 500, 10, 400e3}};

        for (int i = 0; i < COUNT(steps); i++) {
                for (int n = 2; n < COUNT(in_flight) - 1; n += 2) {
                        point.rtt = steps[i][0];
                        point.step_rtt = steps[i][1];
                        point.step_cpu = steps[i][2];
                        point.step_at = steps[i][3];
                        point.in_flight = in_flight[n];
                        /* What waits at the change is to be done within a second. */
                        bool is_slow = point.step_cpu > 100 || point.workload == 3;
                        if (is_slow && in_flight[n] > 16 * point.cores)
                                continue;
                        if (point.step_cpu > 100 || point.step_cpu <= 0 || point.workload == 2)
                                add(points, &point);
                }
        }
}

static void
add_others(struct points *points, struct point point)
{
        if (point.rtt < 500)
                return;
        point.jitter = point.rtt / 2;
        add_closed(points, point);
        point.jitter = 0;
        point.conns = 2;
        add_closed(points, point);
}

static void
add_of_kind(struct points *points, enum grid_kind kind, const struct point *point)
{
        switch (kind) {
        case GRID_CLOSED: add_closed(points, *point); break;
        case GRID_OPEN: add_open(points, *point); break;
        case GRID_STEPS:
                if (point->rtt <= 0)
                        add_steps(points, *point);
                break;
        case GRID_OTHERS: add_others(points, *point); break;
        case GRID_KINDS: break;
        }
}

struct points
grid_points(enum grid_kind kind, int stride)
{
        struct points points = {0};

        for (int p = 0; p < COUNT(cores); p++) {
                for (int r = 0; r < COUNT(round_trips); r++) {
                        for (int w = 0; w < WORKLOADS; w++) {
                                struct point point = {.cores = cores[p],
                                                      .conns = 8,
                                                      .rtt = round_trips[r],
                                                      .workload = w};
                                add_of_kind(&points, kind, &point);
                        }
                }
        }
        for (int i = 0; i * stride < points.n; i++)
                points.all[i] = points.all[i * stride];
        points.n = (points.n + stride - 1) / stride;
        return points;
}

/* No client has more than the server can do; what is measured may lie above, where answers come in
 * lumps. */
static double
best_throughput(const struct point *point, const struct figure *figures, int n)
{
        int at_once = point->cores < point->conns ? point->cores : point->conns;
        double most = 1e6 * at_once / workload_mean(point->workload);
        double best = 0;

        for (int i = SIM_SHIPPED + 1; i < n; i++)
                best = fmax(best, figures[i].per_second);
        if (point->step_cpu > 0)
                most = 1e6 * at_once / point->step_cpu;
        return most < 2000 ? fmin(best, most) : best;
}

struct standing
standing_of(const struct point *point, const struct figure *figures, bool with_floor)
{
        const struct figure *shipped = &figures[SIM_SHIPPED];
        int n = with_floor ? SIM_POLICIES : SIM_FLOOR;
        double best = best_throughput(point, figures, n);
        double p50 = INFINITY;
        double p99 = INFINITY;

        for (int i = SIM_SHIPPED + 1; i < n; i++) {
                if (figures[i].per_second < NEAR * best)
                        continue;
                p50 = fmin(p50, figures[i].p50);
                p99 = fmin(p99, figures[i].p99);
        }
        return (struct standing){.throughput = shipped->per_second / best,
                                 .p50 = shipped->p50 / p50,
                                 .p99 = shipped->p99 / p99};
}

void
point_print(const struct point *point, FILE *out)
{
        fprintf(out, "%d cores, %d connections, ", point->cores, point->conns);
        if (point->rtt > 0)
                fprintf(out, "%g ms", point->rtt / 1000);
        else
                fprintf(out, "same machine");
        if (point->step_at > 0)
                fprintf(out, " then %g ms", point->step_rtt / 1000);
        if (point->step_cpu > 0)
                fprintf(out, " and %g us each", point->step_cpu);
        if (point->jitter > 0)
                fprintf(out, " (jitter %g ms)", point->jitter / 1000);
        if (point->in_flight > 0)
                fprintf(out, ", %d in flight", point->in_flight);
        else
                fprintf(out, ", %.0f a second", point->per_second);
        fprintf(out, ", %s", workload_names[point->workload]);
}
