/*
 * Runs in a process of their own, and what is left of a schedule once everything was taken away
 * that its failure does not need.
 */
#ifndef SCHEDULE_SHRINK_H
#define SCHEDULE_SHRINK_H

#include <stdbool.h>

#include "choose.h"

/* How a run ended. */
struct verdict {
        bool failed;
        int status;     /* of its process */
        char text[600]; /* what was wrong; "" for a crash */
};

/* What processes tell each other. */
struct shared {
        uint64_t seed; /* of the run that is on */
        uint64_t n_done;
        uint64_t n_actions; /* of all that are done */
        uint64_t n_requests;
        struct taken taken;
        char text[600];
};

/* Memory that the children of this process share with it. */
struct shared *shared_new(void);
/* Has what is wrong written there, and the process ended. */
void shared_report_to(struct shared *shared);

/* Runs a schedule in a child; what it writes goes nowhere. */
void run_apart(struct shared *shared, const struct taken *schedule, struct verdict *ret_verdict);
/* The same for a seed; what it took is in shared. */
void run_seed_apart(struct shared *shared, uint64_t seed, struct verdict *ret_verdict);

/* Makes a schedule shorter and simpler as long as it fails in the same way. */
void shrink(struct shared *shared, struct taken *schedule, const struct verdict *verdict);

#endif
