/*
 * Parameters of coalesced statements: the values of many statements of one sort, as an array for
 * each parameter.
 */
#ifndef PIPIT_COALESCE_PARAMS_INTERNAL_H
#define PIPIT_COALESCE_PARAMS_INTERNAL_H

#include "base/buf.h"
#include "pool/coalesce_rule.h"
#include "request/bound_stmt.h"

struct list;
struct pq_params;
struct stmt;

struct coalesce_params {
        struct buf bytes;       /* the arrays, each with a NUL behind it */
        struct bound_form form; /* types, and is_misfit */
        int n;
        int formats[COALESCE_MAX_PARAMS];
        int lengths[COALESCE_MAX_PARAMS];
        const char *values[COALESCE_MAX_PARAMS]; /* in bytes */
};

/*
 * Loads the values of the statements of requests, in their order; statement is what runs them all.
 * In binary form where the types are known and all values have it, else as text. 0, or a PIPIT_E
 * code.
 */
int pipit__coalesce_params_write(struct coalesce_params *arrays, const struct list *requests,
                                 const struct stmt *stmt, int n_params);
void pipit__coalesce_params_fini(struct coalesce_params *arrays);

/* As parameters; borrowed. */
struct pq_params pipit__coalesce_params_params(const struct coalesce_params *arrays);

#endif
