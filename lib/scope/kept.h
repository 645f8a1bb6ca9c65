/*
 * Kept results: what a blocking scope holds for pipit_wait(), from a request's start until the
 * scope is closed.
 */
#ifndef PIPIT_KEPT_INTERNAL_H
#define PIPIT_KEPT_INTERNAL_H

#include <pipit/request.h>
#include <stdbool.h>

struct kept;
struct pipit_result;
struct request;

/* NULL when memory ran out. */
struct kept *pipit__kept_new(void);
void pipit__kept_free(struct kept *kept);

/* Has the result of a new request kept. 0 or PIPIT_ENOMEM. */
int pipit__kept_add(struct kept *kept, struct request *req);

/* Whether the number is of a request that was added; *ret_res is NULL until it has completed. */
bool pipit__kept_find(struct kept *kept, pipit_request number, struct pipit_result **ret_res);

#endif
