/*
 * Decisions that come from a seed, and the clock.
 */
#include <time.h>

#include "chaos.h"

uint64_t
dice_next(struct dice *dice)
{
        uint64_t x = dice->state += 0x9e3779b97f4a7c15;

        x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
        x = (x ^ x >> 27) * 0x94d049bb133111eb;
        return x ^ x >> 31;
}

int64_t
dice_between(struct dice *dice, int64_t low, int64_t high)
{
        return low + (int64_t)(dice_next(dice) % (uint64_t)(high - low + 1));
}

bool
dice_percent(struct dice *dice, int n)
{
        return dice_between(dice, 0, 99) < n;
}

int64_t
clock_ms(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
