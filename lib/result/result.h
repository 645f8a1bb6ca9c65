/*
 * Results, from the inside: who owns a result, and the memory that lives as long as it. Rows are
 * read through rows.h, and failures are made by result_error.h. See <pipit/result.h>.
 *
 * A request owns its result from the start, so that it can complete without memory. A result that
 * somebody keeps is in the list of its owner, who cuts it off from the scope before that goes.
 */
#ifndef PIPIT_RESULT_INTERNAL_H
#define PIPIT_RESULT_INTERNAL_H

#include <pipit/result.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"

/* The owner of all results of one scope; part of that scope. */
struct result_owner {
        struct list results;   /* results that may outlive the scope, because somebody keeps them */
        struct pipit *scope;   /* the scope that pipit_result_scope() gives */
        int n_requests;        /* outstanding on the scope, until the last callback has returned */
        size_t max_text_bytes; /* the texts that are made of one result have at most so many */
};

/* Makes an owner whose results may have texts without a bound. */
void pipit__result_owner_init(struct result_owner *owner, struct pipit *scope);
/* Bounds the texts of each result that is made from now on: their bytes in sum. */
void pipit__result_owner_limit(struct result_owner *owner, size_t max_text_bytes);
/* Cuts the results that somebody keeps off from the scope; every other one must be gone. */
void pipit__result_owner_fini(struct result_owner *owner);

/* Makes an empty, successful result with one reference; NULL when memory ran out. */
struct pipit_result *pipit__result_new(struct result_owner *owner);
/* Makes an empty result with room for something else in its block, which is not zeroed and lives as
 * long as the result; NULL when memory ran out. */
struct pipit_result *pipit__result_new_with(struct result_owner *owner, size_t room);
/* The room of a result that was made with it, and the result that has that room. */
void *pipit__result_room(struct pipit_result *res);
const struct pipit_result *pipit__result_of_room(const void *room);

/* Adds a reference that surely is dropped before the scope goes: the owner need not know of it. */
struct pipit_result *pipit__result_hold(struct pipit_result *res);

/* Frees what a result holds; the result is empty and successful again. */
void pipit__result_reset(struct pipit_result *res);

/* Returns the bytes that the texts made of a result's values may have in sum; 0 once its scope
 * went. */
size_t pipit__result_max_text_bytes(const struct pipit_result *res);

/* Whether a result holds an answer of the server: rows, or an error. */
bool pipit__result_is_taken(const struct pipit_result *res);

/* Notes how often the body of a transaction ran, for pipit_result_attempts(). */
void pipit__result_set_attempts(struct pipit_result *res, int attempts);

/* Allocates zeroed memory that is freed with the rows of a result; NULL when memory ran out, and
 * for a failure. */
void *pipit__result_alloc(struct pipit_result *res, size_t size);

/* Allocates the zeroed block that a result can have besides, in place of an earlier one, and marks
 * the block as that owner's; NULL when memory ran out, and for a failure. */
void *pipit__result_attach(struct pipit_result *res, size_t size, const void *owner);
/* The attached block, if it is marked as that owner's; else NULL. */
void *pipit__result_attached(const struct pipit_result *res, const void *owner);

#endif
