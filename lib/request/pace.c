/*
 * Paces. See pace.h.
 */
#include "request/pace.h"

/* Uses before anything is known. */
#define PACE_FIRST_USES 3
/* What is remembered of earlier uses. */
#define PACE_MEMORY 1024.0F
/* Of uses, or of microseconds. */
#define PACE_NOTHING 0.0001F
/* Slow uses in so many that make a statement slow: two in the memory and a half. */
#define PACE_SLOW_USES 2.5F
/* A slow use may delay one neighbour in two hundred. */
#define PACE_DELAYED 5.0F
/* What takes so much longer than usual, and so many times as long, is slow. Where the machine, the
 * server or the network is busy everything takes long, and nothing is slow for it. */
#define PACE_GRACE_US 1000.0F
#define PACE_GRACE    4.0F
/* Segments by which the usual time follows. */
#define PACE_SCALE 32.0F

/* Values by which a mean follows. */
#define PACE_FOLLOWS 8.0F

#define PACE_FIRST_PENALTY 8
#define PACE_MOST_PENALTY  1024

enum pace_class
pipit__pace_class(const struct pace *pace)
{
        if (pace->slow > PACE_SLOW_USES)
                return PACE_SLOW;
        if (pace->uses < PACE_FIRST_USES)
                return PACE_UNKNOWN;
        return pace->alone > 0 ? PACE_ALONE : PACE_FAST;
}

int
pipit__pace_group_limit(const struct pace *pace)
{
        if (pace->slow * INT16_MAX <= PACE_DELAYED)
                return INT16_MAX;
        return (int)(PACE_DELAYED / pace->slow);
}

bool
pipit__pace_is_crowded(const struct pace *pace, int n_waiting)
{
        return pace->slow_us > 0 && (float)n_waiting * pace->single_us >= pace->slow_us;
}

/* Follows a value, the later ones counting most. */
static void
follow(float *mean, float value)
{
        *mean += (value - *mean) / (*mean > 0 ? PACE_FOLLOWS : 1);
}

/* What part of the memory n uses are: one by one it would be a little less. */
static float
uses_of_memory(int n)
{
        return (float)n < PACE_MEMORY ? (float)n / PACE_MEMORY : 1;
}

/* What is left of it behind n uses. What is next to nothing is nothing: processors take a hundred
 * times as long for numbers that are too small to be written as others are. */
static float
forget(float value, int n)
{
        float left = value - value * uses_of_memory(n);

        return left > PACE_NOTHING ? left : 0;
}

float
pipit__pace_most(const struct pace_scale *scale)
{
        return PACE_GRACE_US + PACE_GRACE * scale->usual_us;
}

bool
pipit__pace_is_slow(const struct pace_scale *scale, int64_t us, float foretold_us)
{
        return (float)us > pipit__pace_most(scale) + foretold_us;
}

void
pipit__pace_learn(struct pace_scale *scale, int64_t us, float foretold_us)
{
        float most = pipit__pace_most(scale) + foretold_us;
        float took = (float)us;

        if (scale->usual_us <= 0)
                scale->usual_us = took;
        else
                scale->usual_us += ((took < most ? took : most) - scale->usual_us) / PACE_SCALE;
}

void
pipit__pace_took(struct pace *pace, int n, float us)
{
        /* Not the mean: where many run at once, each takes long for the others. */
        if (pace->best_us <= 0 || us < pace->best_us)
                pace->best_us = us;
        else
                pace->best_us += (us - pace->best_us) * uses_of_memory(n);
}

void
pipit__pace_took_together(struct pace *pace, int n)
{
        pace->single_us = forget(pace->single_us, n);
}

void
pipit__pace_took_alone(struct pace *pace, float us, float most_us)
{
        if (us < most_us)
                follow(&pace->single_us, us);
}

void
pipit__pace_answered(struct pace *pace, int n, int64_t us, bool slow, int64_t now_ms)
{
        unsigned uses = (unsigned)n;

        if (pace->uses < PACE_FIRST_USES)
                pace->uses += uses;
        if (slow)
                follow(&pace->slow_us, (float)us);
        if (pace->alone > 0)
                pace->alone -= uses < pace->alone ? uses : pace->alone;
        else if (pace->penalty > PACE_FIRST_PENALTY)
                pace->penalty -= uses < pace->penalty - PACE_FIRST_PENALTY
                                         ? uses
                                         : pace->penalty - PACE_FIRST_PENALTY;
        pace->slow = forget(pace->slow, n);
        /* Many that are slow at the same moment have met one stall, of the server or of ours. */
        if (slow && pace->slow_ms != now_ms) {
                pace->slow += 1;
                pace->slow_ms = now_ms;
        }
}

void
pipit__pace_carried(struct pace *pace, const struct pace *many, int n)
{
        float each = many->best_us / (float)n;

        if (many->uses > 0 && each < pace->best_us)
                pace->best_us = each;
        /* They count as n uses, of which as many were slow as those that ran as one say. */
        pace->slow = forget(pace->slow, n);
        if (many->slow / (float)n > pace->slow)
                pace->slow = many->slow / (float)n;
}

void
pipit__pace_failed(struct pace *pace)
{
        if (pace->penalty < PACE_FIRST_PENALTY)
                pace->penalty = PACE_FIRST_PENALTY;
        pace->alone = pace->penalty;
        if (pace->penalty < PACE_MOST_PENALTY)
                pace->penalty *= 2;
}
