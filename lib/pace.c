/*
 * Paces. See pace.h.
 */
#include "pace.h"

/* Uses before anything is known. */
#define PACE_FIRST_USES 3
/* What is remembered of earlier uses. */
#define PACE_MEMORY 1024.0F
/* Slow uses in so many that make a shape slow: two in the memory and a half. */
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
pipit__pace_took(struct pace *pace, float us)
{
        /* Not the mean: where many run at once, each takes long for the others. */
        if (pace->best_us <= 0 || us < pace->best_us)
                pace->best_us = us;
        else
                pace->best_us += (us - pace->best_us) / PACE_MEMORY;
}

void
pipit__pace_took_alone(struct pace *pace, float us, float most_us)
{
        follow(&pace->single_us, us < most_us ? us : most_us);
}

void
pipit__pace_answered(struct pace *pace, int64_t us, bool slow, int64_t now_ms)
{
        if (pace->uses < PACE_FIRST_USES)
                pace->uses++;
        if (slow)
                follow(&pace->slow_us, (float)us);
        if (pace->alone > 0)
                pace->alone--;
        else if (pace->penalty > PACE_FIRST_PENALTY)
                pace->penalty--;
        pace->slow -= pace->slow / PACE_MEMORY;
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
