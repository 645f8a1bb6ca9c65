/*
 * A statement from the inside: what stmt.c and stmt_cache.c share.
 */
#ifndef PIPIT_STMT_INT_INTERNAL_H
#define PIPIT_STMT_INT_INTERNAL_H

#include "base/list.h"
#include "request/latency.h"
#include "request/stmt.h"

#define HASH_NONFATAL_OOM 1
#define HASH_FUNCTION     HASH_FNV /* the default one falls through in a switch */
#include <uthash.h>

struct stmt_cache;

struct stmt {
        struct latency latency;
        int refs;
        int slot; /* -1: none */
        uint64_t serial;
        int n_types;     /* of parameters; -1: not known yet */
        uint32_t *types; /* NULL while they are not known */
        bool is_binary;  /* its results are asked for in binary form */
        bool is_plain;
        bool sets;     /* its text sets something */
        bool is_known; /* by its table */
        char name[STMT_NAME_SIZE];
        struct stmt_cache *stmt_cache;
        struct list link; /* in the table's used, while it is known */
        UT_hash_handle hh;
        size_t length; /* of sql */
        char sql[];
};

/* Frees a statement to which nobody refers and which no table knows. */
void pipit__stmt_free(struct stmt *stmt);

#endif
