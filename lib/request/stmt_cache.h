/*
 * The statement cache: the statements of a scope, by their texts.
 *
 * 1. The cache is bounded, by count and by bytes; what was used longest ago makes room,
 *    unless somebody refers to it. A text that has no room, or is too long, gets a statement that
 *    the cache does not know.
 * 2. The number of its slots is bounded, and so is what a connection has prepared at once.
 */
#ifndef PIPIT_STMT_CACHE_INTERNAL_H
#define PIPIT_STMT_CACHE_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "request/latency.h"
#include "request/stmt.h"

/* So many texts are known again by where they are. */
#define STMT_CACHE_HINTS 16

struct stmt_cache {
        struct stmt *stmts;                   /* a hash table, by text */
        struct list used;                     /* the latest used first */
        struct stmt *hints[STMT_CACHE_HINTS]; /* by the address of a text; each may be NULL */
        struct latency_scale scale;           /* of all that runs on the scope */
        int n;
        int max;
        size_t bytes; /* of the texts */
        int *free_slots;
        int n_free_slots;
        uint64_t random;
        uint64_t serial; /* the last one given */
        uint32_t schema; /* the version of the schema */
};

/* At most n_slots statements are ever prepared at once, 0 for none. 0 or PIPIT_ENOMEM. */
int pipit__stmt_cache_init(struct stmt_cache *stmt_cache, int n_slots);
/* Forgets all. Whoever still refers to a statement may only give it back. */
void pipit__stmt_cache_fini(struct stmt_cache *stmt_cache);

/* The statement of a text, with a reference for the caller; NULL when memory ran out. */
struct stmt *pipit__stmt_cache_get(struct stmt_cache *stmt_cache, const char *sql);

/*
 * Writes a name, by its number, that the statement of a serial is prepared under. A part of it is
 * random, so that through a pooler nobody can run another program's statement by it.
 */
void pipit__stmt_cache_name(const struct stmt_cache *stmt_cache, uint64_t serial, uint32_t name,
                            char out[STMT_NAME_SIZE]);

/* Notes that tables, types or functions have been changed: the version of the schema is another. */
void pipit__stmt_cache_change_schema(struct stmt_cache *stmt_cache);
/* The version of the schema, as far as this program knows. */
uint32_t pipit__stmt_cache_schema(const struct stmt_cache *stmt_cache);

/* The scale by which the statements of this cache are slow or not. */
struct latency_scale *pipit__stmt_cache_scale(struct stmt_cache *stmt_cache);

#endif
