/*
 * The quantum is the server time between two Syncs that pays: longer ones delay their statements,
 * shorter ones cost the server and the client more Syncs.
 *
 * 1. The quantum grows while the processes of the connections are never idle, or the client's loop
 *    never waits, and shrinks otherwise. So the number of the server's cores, what else runs there
 *    and what a packet costs all show in it.
 * 2. Nothing else but answers and turns moves it; there is no timer.
 */
#ifndef PIPIT_QUANTUM_INTERNAL_H
#define PIPIT_QUANTUM_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

struct server_pace;

struct quantum {
        float us;
        int64_t adapted_us; /* when it adapted last */
        unsigned n_turns;   /* since then */
        uint64_t waits;     /* of the loop's thread, as it was told then */
};

/* The most that a quantum can be. */
#define QUANTUM_MOST_US 2000.0F

void pipit__quantum_init(struct quantum *quantum);

/* Whether it is as short as it can be: the server has room. */
bool pipit__quantum_is_least(const struct quantum *quantum, const struct server_pace *pace);

/* Counts a turn, and says whether the quantum is due to adapt. */
bool pipit__quantum_is_due(struct quantum *quantum, const struct server_pace *pace, int64_t now_us);
/* Adapts it to what the answers since the last time have told. waits: how often the loop's thread
 * has ever waited for something. */
void pipit__quantum_adapt(struct quantum *quantum, struct server_pace *pace, uint64_t waits,
                          int64_t now_us);

#endif
