/*
 * Simulates the policy of lib/pool and its rivals, and prints how they stand to each other.
 *
 *      dispatch-sim [OPTION...]
 *      --short           some of them, for the unit suite
 *      --stride N        one in N
 *      --grid N          one of the grids: closed, open, steps, others
 *      --worst N         names so many of the worst points of each grid
 *      --points          prints each point
 *      --point P K N RTT W
 *                        runs one point: cores, connections, requests in flight, round trip in
 *                        microseconds, workload
 *
 * The table has a line for each grid and workload: how many points there are, of the throughput of
 * the best rival the least, the twentieth and the median, and how many points have 0.95 of it; the
 * same without the benchmark's floor, which knows how many are in flight; the median p50; and of
 * p99 the median, the ninety-seventh and how many have at most 1.2 of the best's. A bound that is
 * not kept is said in words, and the program fails.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim.h"

#define SHORT_STRIDE 37

static const char *const grid_names[GRID_KINDS] = {"closed", "open", "steps", "others"};

struct options {
        int stride;
        int n_worst;
        int slack; /* points in 100: of a few points, one is many */
        bool prints_points;
};

/* Runs all points, on all processors; the figures are shared with the processes that do it. */
static struct figure *
run_all(const struct points *points)
{
        size_t size = sizeof(struct figure) * SIM_POLICIES * (size_t)points->n;
        struct figure *figures =
                mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        int n_workers = (int)sysconf(_SC_NPROCESSORS_ONLN);

        if (figures == MAP_FAILED)
                abort();
        for (int worker = 0; worker < n_workers; worker++) {
                if (fork() != 0)
                        continue;
                for (int i = worker; i < points->n; i += n_workers) {
                        for (int kind = 0; kind < SIM_POLICIES; kind++)
                                figures[i * SIM_POLICIES + kind] =
                                        sim_run(&points->all[i], (enum sim_policy)kind);
                }
                _exit(0);
        }
        for (int status; wait(&status) > 0;) {
                if (status != 0)
                        abort();
        }
        return figures;
}

static int
compare(const void *a, const void *b)
{
        double left = *(const double *)a;
        double right = *(const double *)b;

        return (left > right) - (left < right);
}

/* The value of which so great a part is below, or is it. */
static double
quantile(double *values, int n, double part)
{
        int i = (int)(part * n);

        qsort(values, (size_t)n, sizeof *values, compare);
        return values[i < n ? i : n - 1];
}

struct sum {
        int n;
        double *throughput;
        double *without_floor;
        double *p50;
        double *p99;
};

static double
part_over(const double *values, int n, double bound)
{
        int over = 0;

        for (int i = 0; i < n; i++)
                over += values[i] >= bound;
        return n > 0 ? 100.0 * over / n : 100;
}

static void
sum_print(struct sum *sum, const char *name)
{
        int n = sum->n;

        printf("%-30s %5d | %.2f %.2f %.2f %5.1f%% | %.2f %5.1f%% | %.2f | %.2f %.2f %5.1f%%\n",
               name, n, quantile(sum->throughput, n, 0), quantile(sum->throughput, n, 0.05),
               quantile(sum->throughput, n, 0.5), part_over(sum->throughput, n, 0.95),
               quantile(sum->without_floor, n, 0), part_over(sum->without_floor, n, 0.95),
               quantile(sum->p50, n, 0.5), quantile(sum->p99, n, 0.5), quantile(sum->p99, n, 0.97),
               100 - part_over(sum->p99, n, 1.2));
}

/* Says which bounds are not kept. */
static int
sum_judge(struct sum *sum, const char *name, int slack)
{
        struct {
                const char *what;
                double is;
                double bound;
        } const bounds[] = {
                {"points in 100 with 0.95 of the best throughput",
                 part_over(sum->throughput, sum->n, 0.95), 95 - slack},
                {"such points in 100 without the floor",
                 part_over(sum->without_floor, sum->n, 0.95), 97 - slack},
                {"least part of the best throughput", quantile(sum->throughput, sum->n, 0), 0.8},
                {"points in 100 with a p99 of 1.2 of the best's at most",
                 100 - part_over(sum->p99, sum->n, 1.2), 97 - slack}};
        int failures = 0;

        for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
                if (bounds[i].is >= bounds[i].bound)
                        continue;
                printf("NOT KEPT: %s: %s: %.2f, and %.2f is wanted\n", name, bounds[i].what,
                       bounds[i].is, bounds[i].bound);
                failures++;
        }
        return failures;
}

/* The sum of the points of one workload; of all for -1. */
static struct sum
sum_of(const struct points *points, const struct figure *figures, int workload)
{
        double *values = calloc((size_t)points->n * 4, sizeof *values);
        struct sum sum = {.throughput = values,
                          .without_floor = values + points->n,
                          .p50 = values + 2 * points->n,
                          .p99 = values + 3 * points->n};

        if (values == NULL)
                abort();
        for (int i = 0; i < points->n; i++) {
                const struct point *point = &points->all[i];
                if (workload >= 0 && point->workload != workload)
                        continue;
                struct standing with = standing_of(point, &figures[i * SIM_POLICIES], true);
                struct standing without = standing_of(point, &figures[i * SIM_POLICIES], false);
                sum.throughput[sum.n] = with.throughput;
                sum.without_floor[sum.n] = without.throughput;
                sum.p50[sum.n] = point->in_flight > 0 ? with.p50 : without.p50;
                sum.p99[sum.n++] = point->in_flight > 0 ? with.p99 : without.p99;
        }
        return sum;
}

static void
print_figures(const struct point *point, const struct figure *figures)
{
        struct standing standing = standing_of(point, figures, true);

        printf("  %.2f, p99 %.2f: ", standing.throughput, standing.p99);
        point_print(point, stdout);
        for (int kind = 0; kind < SIM_POLICIES; kind++)
                printf("%s%.0f/s p99 %.0f", kind == 0 ? ": " : ", ", figures[kind].per_second,
                       figures[kind].p99);
        printf("\n");
}

/* Names the points with the least throughput, or the longest p99. */
static void
print_worst(const struct points *points, const struct figure *figures, int n, bool by_p99)
{
        bool *named = calloc((size_t)points->n, sizeof *named);

        if (named == NULL)
                abort();
        printf("the worst %s:\n", by_p99 ? "p99" : "throughput");
        for (int k = 0; k < n && k < points->n; k++) {
                int worst = -1;
                double least = INFINITY;
                for (int i = 0; i < points->n; i++) {
                        struct standing at =
                                standing_of(&points->all[i], &figures[i * SIM_POLICIES], true);
                        double value = by_p99 ? -at.p99 : at.throughput;
                        if (!named[i] && value < least) {
                                least = value;
                                worst = i;
                        }
                }
                named[worst] = true;
                print_figures(&points->all[worst], &figures[worst * SIM_POLICIES]);
        }
        free(named);
}

static int
grid_run(enum grid_kind kind, const struct options *options)
{
        struct points points = grid_points(kind, options->stride);
        struct figure *figures = run_all(&points);
        int failures = 0;

        for (int i = 0; options->prints_points && i < points.n; i++)
                print_figures(&points.all[i], &figures[i * SIM_POLICIES]);
        for (int workload = -1; workload < WORKLOADS; workload++) {
                char name[80];
                struct sum sum = sum_of(&points, figures, workload);
                snprintf(name, sizeof name, "%s: %s", grid_names[kind],
                         workload < 0 ? "all" : workload_names[workload]);
                if (sum.n > 0)
                        sum_print(&sum, workload < 0 ? name : workload_names[workload]);
                if (workload < 0 && kind != GRID_OTHERS)
                        failures += sum_judge(&sum, grid_names[kind], options->slack);
                free(sum.throughput);
        }
        if (options->n_worst > 0) {
                print_worst(&points, figures, options->n_worst, false);
                print_worst(&points, figures, options->n_worst, true);
        }
        munmap(figures, sizeof(struct figure) * SIM_POLICIES * (size_t)points.n);
        free(points.all);
        return failures;
}

/* Runs one point, which is given as cores, connections, in flight, round trip and workload. */
static int
run_point(char **words)
{
        struct point point = {.cores = atoi(words[0]),
                              .conns = atoi(words[1]),
                              .in_flight = atoi(words[2]),
                              .rtt = atof(words[3]),
                              .workload = atoi(words[4])};
        struct figure figures[SIM_POLICIES];

        for (int kind = 0; kind < SIM_POLICIES; kind++)
                figures[kind] = sim_run(&point, (enum sim_policy)kind);
        print_figures(&point, figures);
        return 0;
}

int
main(int argc, char **argv)
{
        struct options options = {.stride = 1, .n_worst = 10};
        int only = -1;
        int failures = 0;

        for (int i = 1; i < argc; i++) {
                if (strcmp(argv[i], "--short") == 0)
                        options = (struct options){.stride = SHORT_STRIDE, .slack = 5};
                else if (strcmp(argv[i], "--point") == 0 && i + 5 < argc)
                        return run_point(argv + i + 1);
                else if (strcmp(argv[i], "--points") == 0)
                        options.prints_points = true;
                else if (strcmp(argv[i], "--worst") == 0 && i + 1 < argc)
                        options.n_worst = atoi(argv[++i]);
                else if (strcmp(argv[i], "--stride") == 0 && i + 1 < argc)
                        options.stride = atoi(argv[++i]);
                else if (strcmp(argv[i], "--grid") == 0 && i + 1 < argc)
                        only = atoi(argv[++i]);
                else
                        return 2;
        }
        setvbuf(stdout, NULL, _IOLBF, 0);
        printf("%-30s %5s | %-20s | %-11s | p50  | %s\n", "", "n", "throughput", "no floor", "p99");
        for (int kind = 0; kind < GRID_KINDS; kind++) {
                bool is_judged = kind != GRID_OTHERS;
                if (only < 0 ? is_judged || options.slack == 0 : only == kind)
                        failures += grid_run((enum grid_kind)kind, &options);
        }
        return failures > 0;
}
