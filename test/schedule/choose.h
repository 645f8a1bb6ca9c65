/*
 * Choices: whatever a run decides, it decides by choose(), which takes one byte of the schedule.
 *
 * A schedule is a string of bytes; a seed is one, too, of a length that the seed decides. What was
 * taken is recorded, so that a run of a seed can be cut down byte by byte. Behind the end of a
 * schedule every choice is 0, and the steps of a run end.
 */
#ifndef SCHEDULE_CHOOSE_H
#define SCHEDULE_CHOOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCHEDULE_MAX 1024

/* The bytes that a run has taken. */
struct taken {
        size_t n;
        uint8_t bytes[SCHEDULE_MAX];
};

/* Where the bytes come from now on. taken is borrowed, and may lie in memory shared with others. */
void choose_from_bytes(const uint8_t *bytes, size_t n, struct taken *taken);
void choose_from_seed(uint64_t seed, struct taken *taken);

/* A number below n, which is 1 to 256. 0 is what does least harm. */
unsigned choose(unsigned n);
/* Whether the schedule has ended. */
bool choices_are_over(void);

#endif
