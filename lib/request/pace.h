/*
 * Paces: how fast statements of one statement are answered, and so whether one may share a Sync
 * with others, who would wait for it.
 */
#ifndef PIPIT_PACE_INTERNAL_H
#define PIPIT_PACE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cold.h"

enum pace_class {
        PACE_FAST,    /* may share */
        PACE_ALONE,   /* fast, but it failed in a group: has a Sync of its own for some uses */
        PACE_UNKNOWN, /* too few uses: nothing that is known to be fast goes behind it */
        PACE_SLOW     /* slow, or moody: nothing at all goes behind it */
};

struct pace {
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
struct pace_scale {
        float usual_us; /* of a segment; 0: none yet */
};

enum pace_class pipit__pace_class(const struct pace *pace);

/* How many statements may be in a group with this one. */
int pipit__pace_group_limit(const struct pace *pace);

/*
 * Whether so many wait for each connection that they would wait longer for each other, one by one,
 * than for a slow one among them: then they share, whatever their pace.
 */
bool pipit__pace_is_crowded(const struct pace *pace, int n_waiting);

/* Whether a segment that took so long was slow. foretold_us: what its statements take at their
 * best. */
bool pipit__pace_is_slow(const struct pace_scale *scale, int64_t us, float foretold_us);

/* How long a segment may take without being slow. */
float pipit__pace_most(const struct pace_scale *scale);

/* All that was sent to a connection was answered after so long: that is usual. */
void pipit__pace_learn(struct pace_scale *scale, int64_t us, float foretold_us);

/* n statements were answered, in a segment that took so long. */
void pipit__pace_answered(struct pace *pace, int n, int64_t us, bool slow, int64_t now_ms);

/* Each of those that were sent together, n of them of this statement, took so long. */
void pipit__pace_took(struct pace *pace, int n, float us);
/* They shared one: what one takes by itself is forgotten little by little, so that it is tried
 * again. It may have been learned when all was slow. */
void pipit__pace_took_together(struct pace *pace, int n);
/* They had a Sync each; from most_us on a slow one was among them, and nothing is learned. */
void pipit__pace_took_alone(struct pace *pace, float us, float most_us);

/* It was one of n that were run as one, whose pace is that of many. */
void pipit__pace_carried(struct pace *pace, const struct pace *many, int n);

/* A statement failed in a group. */
COLD void pipit__pace_failed(struct pace *pace);

#endif
