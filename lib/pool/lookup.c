/*
 * Lookups. See lookup.h.
 */
#include "pool/lookup.h"

#include <stdlib.h>
#include <string.h>

#include "request/stmt_cache.h"
#include "value/oid.h"

#define HASH_NONFATAL_OOM 1
#define HASH_FUNCTION     HASH_FNV /* the default one falls through in a switch */
#include <uthash.h>

/* Beyond them statements run one by one: a program has so many fields, not so many sorts of rows.
 */
#define LOOKUPS_MAX 512

/* Failures in a row before it rests, and for how many uses it does. */
#define LOOKUP_MAX_FAILURES 3
#define LOOKUP_RESTS        1000

struct node {
        struct lookup lookup;
        struct lookup_id id;
        UT_hash_handle hh;
        uint32_t types[LOOKUP_MAX_PARAMS];
        char texts[];
};

struct lookups {
        struct node *nodes;
        struct node *latest; /* that was found; most programs ask for the same again and again */
        struct stmt_cache *stmt_cache;
};

struct lookups *
pipit__lookups_new(struct stmt_cache *stmt_cache)
{
        struct lookups *lookups = calloc(1, sizeof *lookups);

        if (lookups != NULL)
                lookups->stmt_cache = stmt_cache;
        return lookups;
}

void
pipit__lookups_free(struct lookups *lookups)
{
        while (lookups != NULL && lookups->nodes != NULL) {
                struct node *node = lookups->nodes;
                HASH_DEL(lookups->nodes, node);
                free(node);
        }
        free(lookups);
}

struct lookup *
pipit__lookups_find(struct lookups *lookups, struct lookup_id id)
{
        struct node *node = lookups->latest;

        if (node != NULL && node->id.what == id.what && node->id.given == id.given)
                return &node->lookup;
        HASH_FIND(hh, lookups->nodes, &id, sizeof id, node);
        if (node != NULL)
                lookups->latest = node;
        return node != NULL ? &node->lookup : NULL;
}

bool
pipit__lookups_has_room(const struct lookups *lookups)
{
        return HASH_COUNT(lookups->nodes) < LOOKUPS_MAX;
}

static struct node *
node_new(struct stmt_cache *stmt_cache, struct lookup_id id, const struct lookup_plan *plan)
{
        size_t one = strlen(plan->one) + 1;
        size_t many = strlen(plan->many) + 1;
        struct node *node = calloc(1, sizeof *node + one + many);

        if (node == NULL)
                return NULL;
        node->id = id;
        node->lookup = (struct lookup){.plan = *plan, .stmt_cache = stmt_cache};
        list_init(&node->lookup.link);
        list_init(&node->lookup.joining);
        node->lookup.plan.one = memcpy(node->texts, plan->one, one);
        node->lookup.plan.many = memcpy(node->texts + one, plan->many, many);
        if (plan->types != NULL)
                node->lookup.plan.types = memcpy(node->types, plan->types,
                                                 (size_t)plan->n_params * sizeof *plan->types);
        return node;
}

struct lookup *
pipit__lookups_add(struct lookups *lookups, struct lookup_id id, const struct lookup_plan *plan)
{
        struct node *node = node_new(lookups->stmt_cache, id, plan);

        if (node == NULL)
                return NULL;
        HASH_ADD(hh, lookups->nodes, id, sizeof node->id, node);
        if (node->hh.tbl == NULL) { /* uthash had no memory */
                free(node);
                return NULL;
        }
        return &node->lookup;
}

/* The cache of statements may forget them meanwhile: they are not held, and found by where their
 * text is. */
struct stmt *
pipit__lookup_one(const struct lookup *lookup)
{
        return pipit__stmt_cache_get(lookup->stmt_cache, lookup->plan.one);
}

struct stmt *
pipit__lookup_many(const struct lookup *lookup)
{
        return pipit__stmt_cache_get(lookup->stmt_cache, lookup->plan.many);
}

/* Whether a value of the one type reads as the same for the other. */
static bool
types_are_alike(uint32_t a, uint32_t b)
{
        return a == b ||
               ((a == OID_TEXT || a == OID_VARCHAR) && (b == OID_TEXT || b == OID_VARCHAR));
}

/* The types of many are its text's; those of one are the table's: other types have other rules. */
static bool
lookup_suits(const struct lookup *lookup, const struct stmt *one)
{
        const struct lookup_plan *plan = &lookup->plan;

        if (plan->types == NULL)
                return true;
        if (one->n_types != plan->n_params)
                return false;
        for (int i = 0; i < plan->n_params; i++) {
                if (!types_are_alike(one->types[i], plan->types[i]))
                        return false;
        }
        return true;
}

bool
pipit__lookup_may_join(struct lookup *lookup, const struct stmt *one)
{
        if (lookup->rests > 0) {
                lookup->rests--;
                return false;
        }
        return lookup_suits(lookup, one);
}

void
pipit__lookup_done(struct lookup *lookup, bool failed)
{
        lookup->n_failures = failed ? lookup->n_failures + 1 : 0;
        if (lookup->n_failures == LOOKUP_MAX_FAILURES) {
                lookup->n_failures = 0;
                lookup->rests = LOOKUP_RESTS;
        }
}
