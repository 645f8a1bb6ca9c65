/*
 * Statements: what is known of one SQL text, for all connections of a scope: the name it is
 * prepared under, the types of its parameters, how fast it is answered.
 *
 * The cache of statements is bounded, by count and bytes; the one that was used longest ago makes
 * room. A statement that statements refer to lives on without the table.
 */
#ifndef PIPIT_STMT_CACHE_INTERNAL_H
#define PIPIT_STMT_CACHE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cold.h"
#include "base/list.h"
#include "request/latency.h"

/* Room for the name of a prepared statement. */
#define STMT_NAME_SIZE 48

/* Parameters of which the types are kept at most. */
#define STMT_MAX_TYPES 64

/* Texts that are known again by where they are. */
#define STMT_CACHE_HINTS 16

struct stmt_node;

struct stmt {
        struct latency latency;
        int refs;
        int slot;        /* its place in what connections have prepared; -1: it never is prepared */
        uint64_t serial; /* no other statement of the table has it; from 1 */
        int n_types;     /* of parameters; -1: not known yet. What is known never changes */
        uint32_t *types;
        bool is_binary; /* its results are asked for in binary form */
        bool is_plain;  /* it was a SELECT, INSERT, UPDATE or DELETE when it ran */
        size_t length;
        const char *sql;
        char name[STMT_NAME_SIZE]; /* that it is prepared under */
};

struct stmt_cache {
        struct stmt_node *nodes;                   /* a hash table, by text */
        struct list used;                          /* the latest used first */
        struct stmt_node *hints[STMT_CACHE_HINTS]; /* by the address of a text; each may be NULL */
        struct latency_scale scale;
        int n;
        int max;
        size_t bytes; /* of the texts */
        int *free_slots;
        int n_free_slots;
        uint64_t random;
        uint64_t serial; /* the last one given */
};

/* At most n_slots of them are ever prepared at once, 0 for none. 0 or PIPIT_ENOMEM. */
int pipit__stmt_cache_init(struct stmt_cache *stmt_cache, int n_slots);
/* None is referred to any more but by those who only give it back. */
void pipit__stmt_cache_fini(struct stmt_cache *stmt_cache);

/* The statement of a text, with a reference for the caller; NULL when memory ran out. */
struct stmt *pipit__stmt_cache_get(struct stmt_cache *stmt_cache, const char *sql);

struct stmt *pipit__stmt_ref(struct stmt *stmt);
/* NULL does nothing. */
void pipit__stmt_unref(struct stmt *stmt);

/*
 * The name that the statement of a serial is prepared under. A part of it is random, so that
 * through a pooler nobody can run another program's statement by it.
 */
void pipit__stmt_cache_name(const struct stmt_cache *stmt_cache, uint64_t serial,
                            char out[STMT_NAME_SIZE]);

/* Whether the table knows it: it is not out of date. */
bool pipit__stmt_is_known(const struct stmt *stmt);

/* What the server says of its parameters and its columns; without memory that stays unknown. */
COLD void pipit__stmt_learn(struct stmt *stmt, int n_types, const uint32_t *types, bool is_binary);

/* The statement, in the same table, that is to be used instead from now on: what was known of this
 * one is not so any more. A reference for the caller; NULL when memory ran out. */
COLD struct stmt *pipit__stmt_renew(struct stmt *stmt);

#endif
