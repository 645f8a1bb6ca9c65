/*
 * A latency is an estimate of how fast one statement is answered, and so of whether it may share a
 * Sync with others, who would wait for it.
 *
 * conn/segment_time.c has each statement learn from its answers; the batches and the coalescing of
 * pool/ ask.
 *
 * 1. Only answers teach, and failures: nothing here has a clock of its own.
 * 2. Nothing that holds a statement back confirms itself: estimates of what is not tried decay, so
 *    that it is tried again.
 * 3. Slow is relative: to the time that other segments usually take, and to the statement's best.
 */
#ifndef PIPIT_LATENCY_INTERNAL_H
#define PIPIT_LATENCY_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cold.h"

enum latency_class {
        LATENCY_FAST,    /* may share */
        LATENCY_ALONE,   /* fast, but it failed in a group: has a Sync of its own for some uses */
        LATENCY_UNKNOWN, /* too few uses: nothing that is known to be fast follows it */
        LATENCY_SLOW     /* slow, or moody: nothing at all follows it */
};

/* An estimate; all zero at first. */
struct latency {
        unsigned uses;    /* that were timed; stays where it is once there are enough */
        float best_us;    /* of one use: the quickest, with a little of those of the last uses */
        float single_us;  /* of one use by itself, as things are; decays while it shares */
        float slow_us;    /* of a slow use */
        float slow;       /* the slow ones of the last thousand uses, the older the less */
        int64_t slow_ms;  /* when the last of them was counted */
        unsigned alone;   /* uses that are still to have a Sync of their own */
        unsigned penalty; /* how many there are after the next failure */
};

/* The time that segments usually take, by which each is slow or not: it depends on the network, and
 * on how busy all are. */
struct latency_scale {
        float usual_us; /* 0: none was answered yet */
};

enum latency_class pipit__latency_class(const struct latency *latency);

/* Whether a statement of one class may be sent after one of another, without waiting for that one's
 * answer. */
bool pipit__latency_may_follow(enum latency_class class, enum latency_class last);

/* Returns how many statements may be in a group with this one. */
int pipit__latency_group_limit(const struct latency *latency);

/*
 * Whether so many wait for each connection that they would wait longer for each other, one by one,
 * than for a slow one among them: then they share, whatever their latency.
 */
bool pipit__latency_is_crowded(const struct latency *latency, int n_waiting);

/* ---- the scale */

/* Whether a segment that took so long was slow. estimated_us: what its statements take at their
 * best. */
bool pipit__latency_is_slow(const struct latency_scale *scale, int64_t us, float estimated_us);
/* Returns how long a segment may take without being slow, besides what its statements take. */
float pipit__latency_most(const struct latency_scale *scale);
/* Learns that all that was sent to a connection was answered after so long. */
void pipit__latency_learn(struct latency_scale *scale, int64_t us, float estimated_us);

/* ---- learning */

/* Learns that n uses were answered in a segment that took so long. */
void pipit__latency_answered(struct latency *latency, int n, int64_t us, bool slow, int64_t now_ms);
/* Learns that each of what was sent together, n uses of this statement among it, took so long. */
void pipit__latency_took(struct latency *latency, int n, float us);
/* Learns that n uses shared a Sync: what one takes by itself is forgotten little by little. */
void pipit__latency_took_together(struct latency *latency, int n);
/* Learns that each use had a Sync to itself. From most_us on a slow one was among them, and nothing
 * is learned. */
void pipit__latency_took_alone(struct latency *latency, float us, float most_us);
/* Learns from n uses that ran as one statement, which has the latency many. */
void pipit__latency_coalesced(struct latency *latency, const struct latency *many, int n);
/* Learns that a use failed in a group: the next ones are alone, and after each failure more. */
COLD void pipit__latency_failed(struct latency *latency);

#endif
