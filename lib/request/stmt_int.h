/*
 * A statement from the inside: what stmt.c and stmt_cache.c share.
 */
#ifndef PIPIT_STMT_INT_INTERNAL_H
#define PIPIT_STMT_INT_INTERNAL_H

#include <string.h>

#include "base/list.h"
#include "request/latency.h"
#include "request/stmt.h"

#define HASH_NONFATAL_OOM 1
#define HASH_FUNCTION     HASH_FNV /* the default one falls through in a switch */
#include <uthash.h>

struct stmt_cache;

/* Where a name has the digits that tell it from the others of its statement, and how many. */
#define STMT_NAME_PLACE  6
#define STMT_NAME_DIGITS 8

struct stmt {
        struct latency latency;
        int refs;
        int slot; /* -1: none */
        uint64_t serial;
        struct stmt_types *types; /* that a connection was told last; NULL: none was yet */
        unsigned traits;
        bool is_plain;
        bool is_known;             /* by its table */
        char name[STMT_NAME_SIZE]; /* the first of its names */
        struct stmt_cache *stmt_cache;
        struct list link; /* in the table's used, while it is known */
        UT_hash_handle hh;
        size_t length; /* of sql */
        char sql[];
};

/* Writes one of the names of a statement. */
static inline void
pipit__stmt_name(const char first[STMT_NAME_SIZE], uint32_t name, char out[STMT_NAME_SIZE])
{
        char *at = out + STMT_NAME_PLACE + STMT_NAME_DIGITS;

        memcpy(out, first, STMT_NAME_SIZE);
        for (; name > 0; name >>= 4)
                *--at = "0123456789abcdef"[name & 15];
}

/* Frees a statement to which nobody refers and which no table knows. */
void pipit__stmt_free(struct stmt *stmt);

#endif
