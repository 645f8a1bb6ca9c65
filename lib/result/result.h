/*
 * A result is what a request ends with: rows or an error. Here is its life, that is its references
 * and its memory; rows.h reads rows, and result_error.h makes failures. See <pipit/result.h>.
 *
 * The struct is open to this folder only (result_int.h). What always holds:
 * 1. A request has its result from the start, so that it can complete without memory.
 * 2. The last reference that is dropped frees a result, and everything that was taken out of it.
 * 3. A result that a program keeps may outlive its scope, and has no scope from then on.
 *
 * request/ makes results and drops them, and each scope has an owner of its results.
 */
#ifndef PIPIT_RESULT_INTERNAL_H
#define PIPIT_RESULT_INTERNAL_H

#include <pipit/result.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"

/* The owner of all results of one scope is a part of that scope. */
struct result_owner {
        struct list results;  /* results that may outlive the scope, because a program keeps them */
        struct pipit *scope;  /* pipit_result_scope() of each result */
        struct list requests; /* requests of the scope that have a number */
        int n_requests;       /* outstanding on the scope, until the last callback has returned */
        size_t max_text_bytes; /* the texts that are made of one result have at most so many */
};

/* Makes an owner whose results may have texts without a bound. */
void pipit__result_owner_init(struct result_owner *owner, struct pipit *scope);
/* Bounds the texts of each result that is made from now on: their bytes in sum. */
void pipit__result_owner_limit(struct result_owner *owner, size_t max_text_bytes);
/* Cuts the results that a program keeps off from the scope; every other one must be gone. */
void pipit__result_owner_fini(struct result_owner *owner);

/* Makes an empty, successful result with one reference; NULL if memory ran out. */
struct pipit_result *pipit__result_new(struct result_owner *owner);
/* Makes an empty result with room for something else in its block, which is not zeroed and lives as
 * long as the result; NULL if memory ran out. */
struct pipit_result *pipit__result_new_with(struct result_owner *owner, size_t room);
/* Return the room of a result that was made with it, and the result that has that room. */
void *pipit__result_room(struct pipit_result *res);
const struct pipit_result *pipit__result_of_room(const void *room);

/* Adds a reference that surely is dropped before the scope goes, so that the owner need not know of
 * it. Returns the result. */
struct pipit_result *pipit__result_hold(struct pipit_result *res);

/* Frees what a result holds; the result is empty and successful again. */
void pipit__result_reset(struct pipit_result *res);

/* Returns the bytes that the texts made of a result's values may have in sum; 0 once its scope
 * went. */
size_t pipit__result_max_text_bytes(const struct pipit_result *res);

/* Whether a result holds an answer of the server: rows, or an error. */
bool pipit__result_is_taken(const struct pipit_result *res);

/* Notes how often a transaction's body ran, for pipit_result_attempts(). */
void pipit__result_set_attempts(struct pipit_result *res, int attempts);

/* Returns zeroed memory that is freed with the rows of a result; NULL if memory ran out, and for a
 * failure. */
void *pipit__result_alloc(struct pipit_result *res, size_t size);

/* Returns the zeroed block that a result can have besides, marked as that owner's. The block takes
 * the place of an earlier one, and is freed with the rows. NULL if memory ran out, and for a
 * failure. */
void *pipit__result_attach(struct pipit_result *res, size_t size, const void *owner);
/* Returns the attached block if it is marked as that owner's, else NULL. */
void *pipit__result_attached(const struct pipit_result *res, const void *owner);

#endif
