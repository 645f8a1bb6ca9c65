/*
 * Round trips. See round_trip.h.
 */
#include "request/round_trip.h"

/* A ping costs the server some 8 us: less than a thousandth of a core. */
#define PING_EVERY_US 10000
/* Pings count for so long, and for so many flights: 50 of the first, on a connection nearby. */
#define PING_COUNTS_US      500000
#define PING_COUNTS_FLIGHTS 16.0F
/* A connection that runs empty for a ping costs a round trip of its time: one in so many. */
#define PING_OLD_US      100000
#define PING_OLD_FLIGHTS 16.0F

static void
round_trip_sum_up(struct round_trip *round_trip, int64_t now_us)
{
        unsigned known = round_trip->n < ROUND_TRIP_PINGS ? round_trip->n : ROUND_TRIP_PINGS;
        float latest_us = round_trip->pings_us[(round_trip->n - 1) % ROUND_TRIP_PINGS];
        int64_t counts_us = PING_COUNTS_US + (int64_t)(PING_COUNTS_FLIGHTS * latest_us);
        float sum_us = 0;
        unsigned n = 0;

        round_trip->least_us = round_trip->most_us = latest_us;
        for (unsigned i = 0; i < known; i++) {
                float us = round_trip->pings_us[i];
                if (now_us - round_trip->answered_us[i] > counts_us)
                        continue;
                if (us < round_trip->least_us)
                        round_trip->least_us = us;
                if (us > round_trip->most_us)
                        round_trip->most_us = us;
                sum_us += us;
                n++;
        }
        round_trip->mean_us = sum_us / (float)n; /* the latest counts always */
}

void
pipit__round_trip_learn(struct round_trip *round_trip, int64_t us, int64_t now_us)
{
        unsigned place = round_trip->n++ % ROUND_TRIP_PINGS;

        round_trip->pings_us[place] = us > 0 ? (float)us : 0;
        round_trip->answered_us[place] = now_us;
        round_trip_sum_up(round_trip, now_us);
}

void
pipit__round_trip_guess(struct round_trip *round_trip, int64_t us, int64_t now_us)
{
        if (round_trip->n > 0)
                return;
        pipit__round_trip_learn(round_trip, us, now_us);
        round_trip->asked_us = now_us;
}

bool
pipit__round_trip_is_due(const struct round_trip *round_trip, int64_t now_us)
{
        return now_us - round_trip->asked_us >= PING_EVERY_US;
}

bool
pipit__round_trip_is_old(const struct round_trip *round_trip, int64_t now_us)
{
        int64_t old_us = PING_OLD_US + (int64_t)(PING_OLD_FLIGHTS * round_trip->most_us);

        return now_us - round_trip->asked_us > old_us;
}
