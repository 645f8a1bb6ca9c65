/*
 * Queries, from the inside: where SQL text becomes a request.
 */
#ifndef PIPIT_QUERY_INTERNAL_H
#define PIPIT_QUERY_INTERNAL_H

#include <pipit/error.h>
#include <pipit/query.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cold.h"

struct coalesce_rule;
struct request;

/* A query says what is to run; borrowed. */
struct query {
        const char *sql;
        struct pipit_params params;
        bool is_read;               /* a declared read: no effect at all */
        struct coalesce_rule *rule; /* whose statement of one it is, instead of sql; else NULL */
        int64_t key;                /* that it is looked up by, when that is a number */
};

/* Starts a statement; copies everything. NULL when memory ran out, or for a scope that is not this
 * thread's; whatever else is wrong makes a request that fails. Never completes inline. */
struct request *
pipit__query_start(struct pipit *scope, const struct query *query, pipit_cb cb, void *arg);

/* A request that fails with this. NULL as above. */
COLD struct request *pipit__query_refuse(struct pipit *scope, enum pipit_code code, pipit_cb cb,
                                         void *arg, const char *format, ...) PIPIT_PRINTF(5, 6);

/* In a frame: has the request run another statement and come back to the frames that are left.
 * Returns it, and the frame must not hand its result on; NULL when memory ran out. */
struct request *pipit__query_continue(struct request *req, const struct query *query);

#endif
