/*
 * The list of all subjects.
 */
#include <stddef.h>
#include <string.h>

#include "floor.h"
#include "run.h"
#include "subject_pipit.h"

static const struct subject *const subjects[] = {
        &subject_pipit,
        &subject_floor_single,
        &subject_floor_sync_each,
        &subject_floor_sync_shared,
        &subject_floor_coalesced,
        &subject_floor_connect,
        &subject_transaction_single,
        &subject_transaction_one_trip,
        &subject_transaction_sync_each,
};

static bool
serves(const struct subject *subject, const struct workload *workload)
{
        return subject->serves == NULL || subject->serves(workload);
}

const struct subject *
subject_find(const char *name, const struct workload *workload)
{
        for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
                if (strcmp(subjects[i]->name, name) == 0 && serves(subjects[i], workload))
                        return subjects[i];
        }
        return NULL;
}
