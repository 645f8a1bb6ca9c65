/*
 * Lookups: what is needed to run many statements of one sort as one: gets by a unique field, or
 * creates that give the same fields.
 */
#ifndef PIPIT_LOOKUP_INTERNAL_H
#define PIPIT_LOOKUP_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

/* Parameters of a statement that can be one of many, at most. */
#define LOOKUP_MAX_PARAMS 64

struct lookups;
struct stmt;
struct stmt_cache;

enum lookup_key {
        LOOKUP_INT,    /* equal values have equal bytes */
        LOOKUP_TEXT,   /* equal bytes are equal; others can be, under a collation that says so */
        LOOKUP_ORDINAL /* of writes: the place of their values in the arrays, from 1 */
};

/* Which it is: of a field, or of a model with the fields that are given. */
struct lookup_id {
        uint64_t what; /* an address, which is only compared */
        uint64_t given;
};

/* How it goes; the texts and the types are borrowed. */
struct lookup_plan {
        const char *one;  /* the statement of one */
        const char *many; /* the same of many, with an array for each parameter */
        enum lookup_key key;
        int column;            /* of the key, in the answer to many */
        int n_columns;         /* of that answer, that are the answer to one; the first of them */
        int n_params;          /* of each of the two */
        const uint32_t *types; /* that the parameters of one must have; NULL: any */
};

/* For as long as its scope lives. */
struct lookup {
        struct lookup_plan plan;
        struct stmt_cache *stmt_cache;
        int n_failures;      /* of many, without a success in between */
        int rests;           /* uses that run one by one, because of them */
        struct list link;    /* while a batch is packed: in its list */
        struct list joining; /* likewise: the requests that can be coalesced together */
        int n_joining;
};

/* NULL when memory ran out. */
struct lookups *pipit__lookups_new(struct stmt_cache *stmt_cache);
/* NULL does nothing. */
void pipit__lookups_free(struct lookups *lookups);

/* NULL when there is none yet. */
struct lookup *pipit__lookups_find(struct lookups *lookups, struct lookup_id id);
/* Whether there is room for one more. */
bool pipit__lookups_has_room(const struct lookups *lookups);
/* A new one, whose plan is copied; NULL when memory ran out. */
struct lookup *
pipit__lookups_add(struct lookups *lookups, struct lookup_id id, const struct lookup_plan *plan);

/* The statements of its statements, with a reference for the caller. NULL when memory ran out. */
struct stmt *pipit__lookup_one(const struct lookup *lookup);
struct stmt *pipit__lookup_many(const struct lookup *lookup);

/* Whether a statement of one, which has this statement, may now be one of many. */
bool pipit__lookup_may_join(struct lookup *lookup, const struct stmt *one);
/* Many were run as one, and that failed, or not: what fails time and again rests for a while. */
void pipit__lookup_done(struct lookup *lookup, bool failed);

#endif
