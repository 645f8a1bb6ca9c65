/*
 * Kept results: what a blocking scope holds for pipit_wait(), from a request's start until it is
 * dropped or the scope is closed.
 */
#ifndef PIPIT_WAIT_RESULTS_INTERNAL_H
#define PIPIT_WAIT_RESULTS_INTERNAL_H

#include <pipit/request.h>
#include <stdbool.h>

struct wait_results;
struct pipit_result;
struct request;

/* NULL when memory ran out. */
struct wait_results *pipit__wait_results_new(void);
void pipit__wait_results_free(struct wait_results *wait_results);

/* Has the result of a new request kept. 0 or PIPIT_ENOMEM. */
int pipit__wait_results_add(struct wait_results *wait_results, struct request *req);

/* Whether the number is of a request that was added; *ret_res is NULL until it has completed. */
bool pipit__wait_results_find(struct wait_results *wait_results, pipit_request number,
                              struct pipit_result **ret_res);

/* Keeps the result of a request no longer; does nothing if the number is of none. */
void pipit__wait_results_drop(struct wait_results *wait_results, pipit_request number);

#endif
