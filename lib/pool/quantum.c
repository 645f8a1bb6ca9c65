/*
 * The quantum. See quantum.h.
 */
#include "pool/quantum.h"

#include "request/server_time.h"

/* Seven times what a Sync and its answer cost a server, which is 5 to 10 us: with room left an
 * eighth more work does not matter. */
#define QUANTUM_LEAST_US 50.0F
/* A segment far away may add a thirtieth to its round trip. */
#define QUANTUM_FLIGHT 32.0F
/* One step is made in so long, and in so many flights: from the least to the most in some 200 ms.
 */
#define QUANTUM_EVERY_US      10000
#define QUANTUM_EVERY_FLIGHTS 4.0F
#define QUANTUM_GROWS         1.25F
#define QUANTUM_SHRINKS       0.8F
/* From this part of their time on processes are never idle, and up to this they are. */
#define QUANTUM_BUSY 0.9F
#define QUANTUM_IDLE 0.75F
/* A loop that waited in fewer than one of so many turns never waits. */
#define QUANTUM_TURNS 20

static float
quantum_least_us(const struct server_pace *pace)
{
        float part_us = pace->round_trip.least_us / QUANTUM_FLIGHT;

        return part_us > QUANTUM_LEAST_US ? part_us : QUANTUM_LEAST_US;
}

void
pipit__quantum_init(struct quantum *quantum)
{
        *quantum = (struct quantum){.us = QUANTUM_LEAST_US};
}

bool
pipit__quantum_is_least(const struct quantum *quantum, const struct server_pace *pace)
{
        return quantum->us <= quantum_least_us(pace);
}

bool
pipit__quantum_is_due(struct quantum *quantum, const struct server_pace *pace, int64_t now_us)
{
        int64_t flights_us = (int64_t)(QUANTUM_EVERY_FLIGHTS * pace->round_trip.least_us);
        int64_t every_us = flights_us > QUANTUM_EVERY_US ? flights_us : QUANTUM_EVERY_US;

        quantum->n_turns++;
        return now_us - quantum->adapted_us >= every_us;
}

void
pipit__quantum_adapt(struct quantum *quantum, struct server_pace *pace, uint64_t waits,
                     int64_t now_us)
{
        float all_us = pace->busy_us + pace->gap_us;
        float busy = all_us > 0 ? pace->busy_us / all_us : 0;
        uint64_t n_waits = waits - quantum->waits;
        bool never_waits = n_waits * QUANTUM_TURNS < quantum->n_turns;
        float least_us = quantum_least_us(pace);

        if (busy > QUANTUM_BUSY || never_waits)
                quantum->us *= QUANTUM_GROWS;
        else if (busy < QUANTUM_IDLE)
                quantum->us *= QUANTUM_SHRINKS;
        if (quantum->us > QUANTUM_MOST_US)
                quantum->us = QUANTUM_MOST_US;
        if (quantum->us < least_us)
                quantum->us = least_us;
        pace->busy_us = pace->gap_us = 0;
        quantum->adapted_us = now_us;
        quantum->n_turns = 0;
        quantum->waits = waits;
}
