/*
 * How the memory of this process grows.
 */
#include <stdio.h>
#include <unistd.h>

#include "chaos.h"

static double
resident_kib(void)
{
        long pages = 0;
        FILE *file = fopen("/proc/self/statm", "r");

        if (file == NULL)
                return 0;
        if (fscanf(file, "%*s %ld", &pages) != 1)
                pages = 0;
        fclose(file);
        return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1024;
}

static void
memory_on_tick(int fd, short what, void *arg)
{
        struct memory *memory = arg;
        int room = (int)(sizeof memory->samples / sizeof memory->samples[0]);

        (void)fd;
        (void)what;
        if (memory->n == room)
                return;
        memory->samples[memory->n].minutes = (double)(clock_ms() - memory->start_ms) / 60000;
        memory->samples[memory->n].kib = resident_kib();
        memory->n++;
}

bool
memory_init(struct memory *memory, struct event_base *base)
{
        struct timeval tv = {0, 500000};

        memory->n = 0;
        memory->start_ms = clock_ms();
        memory->tick = event_new(base, -1, EV_PERSIST, memory_on_tick, memory);
        return memory->tick != NULL && event_add(memory->tick, &tv) == 0;
}

void
memory_fini(struct memory *memory)
{
        event_free(memory->tick);
}

double
memory_slope(const struct memory *memory)
{
        int first = memory->n / 3;
        double n = memory->n - first;
        double x = 0;
        double y = 0;
        double xx = 0;
        double xy = 0;

        for (int i = first; i < memory->n; i++) {
                x += memory->samples[i].minutes / n;
                y += memory->samples[i].kib / n;
        }
        for (int i = first; i < memory->n; i++) {
                double dx = memory->samples[i].minutes - x;
                xx += dx * dx;
                xy += dx * (memory->samples[i].kib - y);
        }
        return xx > 0 ? xy / xx : 0;
}
