/*
 * Latencies. See latency.h.
 */
#include "request/latency.h"

/* Nothing is known before so many uses. */
#define LATENCY_FIRST_USES 3
/* So many uses are remembered. */
#define LATENCY_MEMORY 1024.0F
/* Fewer uses, or microseconds, are none. */
#define LATENCY_NOTHING 0.0001F
/* So many slow uses among those remembered make a statement slow: two, and half of a third. */
#define LATENCY_SLOW_USES 2.5F
/* A slow use may delay so many of a thousand neighbours. */
#define LATENCY_DELAYED 5.0F
/* A segment is slow that takes so much longer than usual, and so many times as long. Where the
 * machine, the server or the network is busy everything takes long, and nothing is slow for it. */
#define LATENCY_GRACE_US 1000.0F
#define LATENCY_GRACE    4.0F
/* The usual time follows by so many segments. */
#define LATENCY_SCALE 32.0F

/* A mean follows by so many values. */
#define LATENCY_FOLLOWS 8.0F

/* After its first failure in a group a statement is alone so often, and at most so often. */
#define LATENCY_FIRST_PENALTY 8
#define LATENCY_MOST_PENALTY  1024

enum latency_class
pipit__latency_class(const struct latency *latency)
{
        if (latency->slow > LATENCY_SLOW_USES)
                return LATENCY_SLOW;
        if (latency->uses < LATENCY_FIRST_USES)
                return LATENCY_UNKNOWN;
        return latency->alone > 0 ? LATENCY_ALONE : LATENCY_FAST;
}

bool
pipit__latency_may_follow(enum latency_class class, enum latency_class last)
{
        switch (last) {
        case LATENCY_FAST:
        case LATENCY_ALONE: return class != LATENCY_SLOW;
        case LATENCY_UNKNOWN: return class == LATENCY_UNKNOWN;
        case LATENCY_SLOW: break;
        }
        return false;
}

int
pipit__latency_group_limit(const struct latency *latency)
{
        if (latency->slow * INT16_MAX <= LATENCY_DELAYED)
                return INT16_MAX;
        return (int)(LATENCY_DELAYED / latency->slow);
}

bool
pipit__latency_is_crowded(const struct latency *latency, int n_waiting)
{
        return latency->slow_us > 0 && (float)n_waiting * latency->single_us >= latency->slow_us;
}

/* Has a mean follow a value: the later ones count most. */
static void
follow(float *mean, float value)
{
        *mean += (value - *mean) / (*mean > 0 ? LATENCY_FOLLOWS : 1);
}

/* Returns the part of the memory that n uses are; one by one they would be a little less. */
static float
uses_of_memory(int n)
{
        return (float)n < LATENCY_MEMORY ? (float)n / LATENCY_MEMORY : 1;
}

/* Lets a value decay over n uses. Tiny values become 0, because denormal floats are about a hundred
 * times slower. */
static float
forget(float value, int n)
{
        float left = value - value * uses_of_memory(n);

        return left > LATENCY_NOTHING ? left : 0;
}

float
pipit__latency_most(const struct latency_scale *scale)
{
        return LATENCY_GRACE_US + LATENCY_GRACE * scale->usual_us;
}

bool
pipit__latency_is_slow(const struct latency_scale *scale, int64_t us, float estimated_us)
{
        return (float)us > pipit__latency_most(scale) + estimated_us;
}

void
pipit__latency_learn(struct latency_scale *scale, int64_t us, float estimated_us)
{
        float most = pipit__latency_most(scale) + estimated_us;
        float took = (float)us;

        if (scale->usual_us <= 0)
                scale->usual_us = took;
        else
                scale->usual_us += ((took < most ? took : most) - scale->usual_us) / LATENCY_SCALE;
}

void
pipit__latency_took(struct latency *latency, int n, float us)
{
        /* Not the mean: where many run at once, each takes long for the others. */
        if (latency->best_us <= 0 || us < latency->best_us)
                latency->best_us = us;
        else
                latency->best_us += (us - latency->best_us) * uses_of_memory(n);
}

void
pipit__latency_took_together(struct latency *latency, int n)
{
        latency->single_us = forget(latency->single_us, n);
}

void
pipit__latency_took_alone(struct latency *latency, float us, float most_us)
{
        if (us < most_us)
                follow(&latency->single_us, us);
}

void
pipit__latency_answered(struct latency *latency, int n, int64_t us, bool slow, int64_t now_ms)
{
        unsigned uses = (unsigned)n;

        if (latency->uses < LATENCY_FIRST_USES)
                latency->uses += uses;
        if (slow)
                follow(&latency->slow_us, (float)us);
        if (latency->alone > 0)
                latency->alone -= uses < latency->alone ? uses : latency->alone;
        else if (latency->penalty > LATENCY_FIRST_PENALTY)
                latency->penalty -= uses < latency->penalty - LATENCY_FIRST_PENALTY
                                            ? uses
                                            : latency->penalty - LATENCY_FIRST_PENALTY;
        latency->slow = forget(latency->slow, n);
        /* Uses that are slow at the same moment have met one stall, of the server or of pipit. */
        if (slow && latency->slow_ms != now_ms) {
                latency->slow += 1;
                latency->slow_ms = now_ms;
        }
}

void
pipit__latency_coalesced(struct latency *latency, const struct latency *many, int n)
{
        float each = many->best_us / (float)n;

        if (many->uses > 0 && each < latency->best_us)
                latency->best_us = each;
        /* That counts as n uses, of which as many were slow as those that ran as one say. */
        latency->slow = forget(latency->slow, n);
        if (many->slow / (float)n > latency->slow)
                latency->slow = many->slow / (float)n;
}

void
pipit__latency_failed(struct latency *latency)
{
        if (latency->penalty < LATENCY_FIRST_PENALTY)
                latency->penalty = LATENCY_FIRST_PENALTY;
        latency->alone = latency->penalty;
        if (latency->penalty < LATENCY_MOST_PENALTY)
                latency->penalty *= 2;
}
