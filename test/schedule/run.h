/*
 * A run: one schedule from an empty world to an empty world.
 */
#ifndef SCHEDULE_RUN_H
#define SCHEDULE_RUN_H

#include <stdint.h>

/* What the last run was made of. */
struct run_figures {
        unsigned actions;
        unsigned requests;
};

extern struct run_figures run_figures;

/* Runs what choose() gives; what is wrong is told to world_on_broken(). The digest of the run. */
uint64_t run_schedule(void);

#endif
