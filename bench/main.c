/*
 * pipit-bench: runs one workload by one subject on DATABASE_URL and prints a line of JSON.
 *
 *      pipit-bench [--workload NAME] [--subject NAME] [--connections N] [--in-flight N]
 *                  [--seconds S] [--warm-up S] [--tasks N] [--burst N]
 *
 * --tasks N ends after so many tasks instead of a time, and does not warm up: for profilers.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "allocation.h"
#include "run.h"
#include "workload.h"

/* It holds two histograms: too much for a stack. */
static struct run run;

static const struct option names[] = {{"workload", required_argument, NULL, 'w'},
                                      {"subject", required_argument, NULL, 's'},
                                      {"connections", required_argument, NULL, 'c'},
                                      {"in-flight", required_argument, NULL, 'k'},
                                      {"seconds", required_argument, NULL, 't'},
                                      {"warm-up", required_argument, NULL, 'u'},
                                      {"tasks", required_argument, NULL, 'n'},
                                      {"burst", required_argument, NULL, 'b'},
                                      {NULL, 0, NULL, 0}};

static void
usage(void)
{
        fprintf(stderr, "usage: pipit-bench [--workload NAME] [--subject NAME] [--connections N]"
                        " [--in-flight N] [--seconds S] [--warm-up S] [--tasks N] [--burst N]\n"
                        "       on the database that DATABASE_URL names\n");
        exit(EXIT_FAILURE);
}

static void
parse(struct options *options, int argc, char **argv)
{
        int c;

        for (;;) {
                c = getopt_long(argc, argv, "", names, NULL);
                switch (c) {
                case 'w': options->workload = optarg; break;
                case 's': options->subject = optarg; break;
                case 'c': options->connections = atoi(optarg); break;
                case 'k': options->in_flight = atoi(optarg); break;
                case 't': options->seconds = atof(optarg); break;
                case 'u': options->warm_up = atof(optarg); break;
                case 'n': options->tasks = strtoull(optarg, NULL, 10); break;
                case 'b': options->burst = atoi(optarg); break;
                case -1: return;
                default: usage();
                }
        }
}

static void
print_quantiles(const char *prefix, const struct histogram *latencies)
{
        printf(", \"%sp50_us\": %.2f", prefix, (double)histogram_quantile(latencies, 0.5) / 1e3);
        printf(", \"%sp99_us\": %.2f", prefix, (double)histogram_quantile(latencies, 0.99) / 1e3);
        printf(", \"%sp999_us\": %.2f", prefix, (double)histogram_quantile(latencies, 0.999) / 1e3);
}

/* A server that was not found has no numbers, which is not the same as 0. */
static void
print_costs(double queries)
{
        double client = (double)(run.after.client_cpu_ns - run.before.client_cpu_ns);
        double server = (double)(run.after.server_cpu_ns - run.before.server_cpu_ns);
        double all = (double)(run.after.allocations - run.before.allocations);
        double own = (double)(run.after.own_allocations - run.before.own_allocations);

        printf(", \"cpu_us_per_query\": %.4f", client / 1e3 / queries);
        if (run.server.n > 0)
                printf(", \"server_cpu_us_per_query\": %.4f", server / 1e3 / queries);
        else
                printf(", \"server_cpu_us_per_query\": null");
        if (allocation_is_counted())
                printf(", \"allocations_per_query\": %.3f, \"own_allocations_per_query\": %.3f",
                       all / queries, own / queries);
}

static void
print_line(const struct options *options)
{
        const struct workload *workload = run.workload;
        double seconds = (double)(run.after.ns - run.before.ns) / 1e9;
        double tasks = (double)run.n_done;

        printf("{\"workload\": \"%s\", \"subject\": \"%s\", \"connections\": %d, "
               "\"in_flight\": %d, \"per_second\": %.1f, \"unit\": \"%s\", \"tasks\": %.0f, "
               "\"warm_up_tasks\": %llu",
               workload->name, run.subject->name, options->connections, options->in_flight,
               tasks * workload->units / seconds, workload->unit, tasks,
               (unsigned long long)run.n_warm);
        print_quantiles("", &run.latencies);
        if (run.apart.n > 0)
                print_quantiles("apart_", &run.apart);
        print_costs(tasks * workload->queries);
        printf(", \"peak_kib\": %llu}\n", (unsigned long long)meter_peak_kib());
}

int
main(int argc, char **argv)
{
        struct options options = {.workload = "select",
                                  .subject = "pipit",
                                  .url = getenv("DATABASE_URL"),
                                  .connections = 8,
                                  .in_flight = 64,
                                  .warm_up = 0.2,
                                  .seconds = 1};

        parse(&options, argc, argv);
        run.workload = workload_find(options.workload);
        if (run.workload == NULL || options.connections < 1 || options.in_flight < 1 ||
            options.burst < 0 || options.url == NULL)
                usage();
        run.subject = subject_find(options.subject, run.workload);
        if (run.subject == NULL)
                usage();
        run_go(&run, &options);
        if (run.n_done == 0)
                run_fail(&run, "end", "nothing was done in the time");
        print_line(&options);
        run_free(&run);
        return EXIT_SUCCESS;
}
