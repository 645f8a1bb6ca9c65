/*
 * Rules: what is needed to run many statements of one sort as one: gets by a unique field, or
 * creates that give the same fields.
 */
#ifndef PIPIT_COALESCE_RULE_INTERNAL_H
#define PIPIT_COALESCE_RULE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

/* Parameters of a statement that can be one of many, at most. */
#define COALESCE_MAX_PARAMS 64

struct bound_stmt;
struct coalesce_rules;
struct stmt;
struct stmt_cache;

enum coalesce_key {
        COALESCE_INT,    /* equal values have equal bytes */
        COALESCE_TEXT,   /* equal bytes are equal; others can be, under a collation that says so */
        COALESCE_ORDINAL /* of writes: the place of their values in the arrays, from 1 */
};

/* Which it is: of a field, or of a model with the fields that are given. */
struct coalesce_id {
        uint64_t what; /* an address, which is only compared */
        uint64_t given;
};

/* How it goes; the texts and the types are borrowed. */
struct coalesce_plan {
        const char *one;  /* the statement of one */
        const char *many; /* the statement of many, with an array for each parameter */
        enum coalesce_key key;
        int column;            /* of the key, in the answer to many */
        int n_columns;         /* of that answer, that are the answer to one; the first of them */
        int n_params;          /* of each of the two */
        const uint32_t *types; /* that the parameters of one must have; NULL: any */
};

/* For as long as its scope lives. */
struct coalesce_rule {
        struct coalesce_plan plan;
        struct stmt_cache *stmt_cache;
        int n_failures;      /* of many, without a success in between */
        int rests;           /* uses that run one by one, because of them */
        struct list link;    /* while a batch is packed: in its list */
        struct list joining; /* likewise: the requests that can be coalesced together */
        int n_joining;
};

/* NULL when memory ran out. */
struct coalesce_rules *pipit__coalesce_rules_new(struct stmt_cache *stmt_cache);
/* NULL does nothing. */
void pipit__coalesce_rules_free(struct coalesce_rules *rules);

/* NULL when there is none yet. */
struct coalesce_rule *
pipit__coalesce_rules_find(struct coalesce_rules *rules, struct coalesce_id id);
/* Whether there is room for one more. */
bool pipit__coalesce_rules_has_room(const struct coalesce_rules *rules);
/* A new one, whose plan is copied; NULL when memory ran out. */
struct coalesce_rule *pipit__coalesce_rules_add(struct coalesce_rules *rules, struct coalesce_id id,
                                                const struct coalesce_plan *plan);

/* The statements of its statements, with a reference for the caller. NULL when memory ran out. */
struct stmt *pipit__coalesce_rule_one(const struct coalesce_rule *rule);
struct stmt *pipit__coalesce_rule_many(const struct coalesce_rule *rule);

/* Whether a statement of one may now be one of many. */
bool pipit__coalesce_rule_may_join(struct coalesce_rule *rule, const struct bound_stmt *one);
/* Many were run as one, and that failed, or not: what fails time and again rests for a while. */
void pipit__coalesce_rule_done(struct coalesce_rule *rule, bool failed);

#endif
