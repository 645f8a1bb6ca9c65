/*
 * Latencies: how fast statements of one statement are answered, and so whether one may share a Sync
 * with others, who would wait for it.
 */
#ifndef PIPIT_LATENCY_INTERNAL_H
#define PIPIT_LATENCY_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cold.h"

enum latency_class {
        LATENCY_FAST,    /* may share */
        LATENCY_ALONE,   /* fast, but it failed in a group: has a Sync of its own for some uses */
        LATENCY_UNKNOWN, /* too few uses: nothing that is known to be fast goes behind it */
        LATENCY_SLOW     /* slow, or moody: nothing at all goes behind it */
};

struct latency {
        unsigned uses;    /* that were timed; stays where it is once there are enough */
        float best_us;    /* of one use: the quickest, and those of the last uses a little */
        float single_us;  /* of one use by itself, as things are */
        float slow_us;    /* of a slow one */
        float slow;       /* the slow ones of the last thousand uses, the older the less */
        int64_t slow_ms;  /* when the last of them was counted */
        unsigned alone;   /* uses that are still to have a Sync of their own */
        unsigned penalty; /* how many there are after the next failure */
};

/* What is slow depends on the network and on how busy all are: the other segments say. */
struct latency_scale {
        float usual_us; /* of a segment; 0: none yet */
};

enum latency_class pipit__latency_class(const struct latency *latency);

/* How many statements may be in a group with this one. */
int pipit__latency_group_limit(const struct latency *latency);

/*
 * Whether so many wait for each connection that they would wait longer for each other, one by one,
 * than for a slow one among them: then they share, whatever their latency.
 */
bool pipit__latency_is_crowded(const struct latency *latency, int n_waiting);

/* Whether a segment that took so long was slow. estimated_us: what its statements take at their
 * best. */
bool pipit__latency_is_slow(const struct latency_scale *scale, int64_t us, float estimated_us);

/* How long a segment may take without being slow. */
float pipit__latency_most(const struct latency_scale *scale);

/* All that was sent to a connection was answered after so long: that is usual. */
void pipit__latency_learn(struct latency_scale *scale, int64_t us, float estimated_us);

/* n statements were answered, in a segment that took so long. */
void pipit__latency_answered(struct latency *latency, int n, int64_t us, bool slow, int64_t now_ms);

/* Each of those that were sent together, n of them of this statement, took so long. */
void pipit__latency_took(struct latency *latency, int n, float us);
/* They shared one: what one takes by itself is forgotten little by little, so that it is tried
 * again. It may have been learned when all was slow. */
void pipit__latency_took_together(struct latency *latency, int n);
/* They had a Sync each; from most_us on a slow one was among them, and nothing is learned. */
void pipit__latency_took_alone(struct latency *latency, float us, float most_us);

/* It was one of n that were run as one, whose latency is that of many. */
void pipit__latency_coalesced(struct latency *latency, const struct latency *many, int n);

/* A statement failed in a group. */
COLD void pipit__latency_failed(struct latency *latency);

#endif
