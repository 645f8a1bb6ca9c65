/*
 * A round trip is how long the way to the server and back takes, apart from what runs there.
 *
 * A ping measures it: an empty segment on a connection that owes nothing, which takes the server
 * next to no time. conn/ tells of the answers, and pool/ says when the next ping is due.
 *
 * 1. Only the pings of the last half second count, or of the last few flights where those are
 *    longer, and of them the last ROUND_TRIP_PINGS: a network that has changed is soon known.
 * 2. Blame is for the longest of them: what the network may have taken is none of a statement's.
 */
#ifndef PIPIT_ROUND_TRIP_INTERNAL_H
#define PIPIT_ROUND_TRIP_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#define ROUND_TRIP_PINGS 8

/* All zero at first. */
struct round_trip {
        float least_us;
        float mean_us;
        float most_us;
        int64_t asked_us; /* when the last ping was sent */
        unsigned n;       /* pings that were answered, or the set-up that stands for the first */
        float pings_us[ROUND_TRIP_PINGS];
        int64_t answered_us[ROUND_TRIP_PINGS];
};

/* Notes that a ping took so long. */
void pipit__round_trip_learn(struct round_trip *round_trip, int64_t us, int64_t now_us);
/* Takes what a session's set-up took for a ping, as long as nothing is known. */
void pipit__round_trip_guess(struct round_trip *round_trip, int64_t us, int64_t now_us);

/* Whether the next batch on an empty connection has a ping in front of it. */
bool pipit__round_trip_is_due(const struct round_trip *round_trip, int64_t now_us);
/* Whether the last ping was so long ago that a connection is to run empty for one. */
bool pipit__round_trip_is_old(const struct round_trip *round_trip, int64_t now_us);

#endif
