#include "meter.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "allocation.h"

#define MAX_PATH 64

/* Processes have numbers only on their own machine. */
static const char server_sql[] =
        "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND"
        " (inet_server_addr() IS NULL OR inet_server_addr() <<= '127.0.0.0/8' OR"
        " inet_server_addr() = '::1')";

uint64_t
meter_ns(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* A server in a container has numbers of its own: they name others here, or nobody. */
static bool
is_postgres(int pid)
{
        char path[MAX_PATH];
        char name[16] = "";

        snprintf(path, sizeof path, "/proc/%d/comm", pid);
        FILE *file = fopen(path, "r");
        if (file == NULL)
                return false;
        if (fgets(name, sizeof name, file) == NULL)
                name[0] = '\0';
        fclose(file);
        return strncmp(name, "postgres", 8) == 0;
}

void
meter_find_server(struct server *server, const char *url)
{
        PGconn *pq = PQconnectdb(url);
        PGresult *result = PQexec(pq, server_sql);

        server->n = 0;
        for (int i = 0; i < PQntuples(result) && server->n < METER_MAX_PROCESSES; i++) {
                int pid = atoi(PQgetvalue(result, i, 0));
                if (is_postgres(pid))
                        server->pids[server->n++] = pid;
        }
        PQclear(result);
        PQfinish(pq);
}

/* The first number of schedstat is the time on a processor, in nanoseconds. */
static bool
process_cpu_ns(int pid, uint64_t *ret_ns)
{
        char path[MAX_PATH];
        unsigned long long ns;

        snprintf(path, sizeof path, "/proc/%d/schedstat", pid);
        FILE *file = fopen(path, "r");
        if (file == NULL)
                return false;
        bool found = fscanf(file, "%llu", &ns) == 1;
        fclose(file);
        if (found)
                *ret_ns = ns;
        return found;
}

/* A process that has ended takes its time with it: then there is no sum any more. */
static uint64_t
server_cpu_ns(struct server *server)
{
        uint64_t sum = 0;

        for (int i = 0; i < server->n; i++) {
                uint64_t ns;
                if (!process_cpu_ns(server->pids[i], &ns)) {
                        server->n = 0;
                        return 0;
                }
                sum += ns;
        }
        return sum;
}

static uint64_t
timeval_ns(struct timeval time)
{
        return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_usec * 1000;
}

void
meter_take(struct sample *sample, struct server *server)
{
        struct rusage usage;

        sample->server_cpu_ns = server_cpu_ns(server);
        getrusage(RUSAGE_SELF, &usage);
        sample->client_cpu_ns = timeval_ns(usage.ru_utime) + timeval_ns(usage.ru_stime);
        allocation_count(&sample->allocations, &sample->own_allocations);
        sample->ns = meter_ns();
}

uint64_t
meter_peak_kib(void)
{
        unsigned long long kib = 0;
        char line[128];
        FILE *file = fopen("/proc/self/status", "r");

        while (file != NULL && fgets(line, sizeof line, file) != NULL) {
                if (sscanf(line, "VmHWM: %llu", &kib) == 1)
                        break;
        }
        if (file != NULL)
                fclose(file);
        return kib;
}
