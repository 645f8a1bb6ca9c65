/*
 * A machine: the processes that run share its cores evenly.
 */
#include <math.h>
#include <string.h>

#include "sim.h"

/* A process that is woken runs so much later; on a virtual machine whose cores sleep after a
 * while, later still. */
#define WAKE_US       5
#define WAKE_IDLE_US  45
#define IDLE_AFTER_US 15
/* Work takes up to so much more, or less, at random. */
#define NOISE 0.15

static double
machine_rate(const struct machine *machine)
{
        return machine->n > machine->cores ? (double)machine->cores / machine->n : 1;
}

void
machine_advance(struct machine *machine, double now)
{
        double done = (now - machine->at) * machine_rate(machine);

        for (int i = 0; i < machine->n; i++)
                machine->left[machine->ids[i]] -= done;
        machine->at = now;
}

void
machine_add(struct sim *sim, struct machine *machine, int id, double work)
{
        machine_advance(machine, sim->now);
        machine->left[id] = work * (1 - NOISE + 2 * NOISE * random_uniform(&sim->random));
        machine->ids[machine->n++] = id;
}

void
machine_remove(struct machine *machine, int place)
{
        machine->left_at[machine->ids[place]] = machine->at;
        machine->n--;
        memmove(machine->ids + place, machine->ids + place + 1,
                sizeof machine->ids[0] * (size_t)(machine->n - place));
        if (machine->n == machine->cores - 1)
                machine->full_until = machine->at;
}

double
machine_next(const struct machine *machine, int *ret_place)
{
        double least = INFINITY;

        for (int i = 0; i < machine->n; i++) {
                double left = machine->left[machine->ids[i]];
                if (left < least) {
                        least = left;
                        *ret_place = i;
                }
        }
        return machine->at + (least > 0 ? least / machine_rate(machine) : 0);
}

double
machine_wake(const struct sim *sim, const struct machine *machine, int id)
{
        bool sleeps = sim->point.rtt <= 0 && machine->n < machine->cores &&
                      sim->now - machine->left_at[id] > IDLE_AFTER_US &&
                      sim->now - machine->full_until > IDLE_AFTER_US;

        return sleeps ? WAKE_US + WAKE_IDLE_US : WAKE_US;
}
