/*
 * Cargo: the values of many statements of one sort, as an array for each parameter.
 */
#ifndef PIPIT_CARGO_INTERNAL_H
#define PIPIT_CARGO_INTERNAL_H

#include "base/buf.h"
#include "pool/lookup.h"

struct list;
struct pq_params;
struct stmt;

struct cargo {
        struct buf bytes; /* the arrays, each with a NUL behind it */
        int n;
        int formats[LOOKUP_MAX_PARAMS];
        int lengths[LOOKUP_MAX_PARAMS];
        const char *values[LOOKUP_MAX_PARAMS]; /* in bytes */
};

/*
 * Loads the values of the statements of requests, in their order; statement is what runs them all.
 * In binary form where the types are known and all values have it, else as text. 0, or a PIPIT_E
 * code.
 */
int pipit__cargo_load(struct cargo *cargo, const struct list *requests, const struct stmt *stmt,
                      int n_params);
void pipit__cargo_fini(struct cargo *cargo);

/* As parameters; borrowed. */
struct pq_params pipit__cargo_params(const struct cargo *cargo);

#endif
