/*
 * Statements. See stmt_cache.h.
 */
#include "request/stmt_cache.h"

#include <pipit/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cold.h"

#define HASH_NONFATAL_OOM 1
#define HASH_FUNCTION     HASH_FNV /* the default one falls through in a switch */
#include <uthash.h>

/* Texts that the table knows at most, when none of them is prepared. */
#define STMT_CACHE_MAX 256
/* Bytes of their texts at most, and of one of them: longer ones are hardly ever said again. */
#define STMT_CACHE_MAX_BYTES ((size_t)1 << 20)
#define STMT_MAX_LENGTH      ((size_t)1 << 14)

struct stmt_node {
        struct stmt stmt;
        struct list link; /* in the table's used */
        struct stmt_cache *stmt_cache;
        bool known; /* by the table */
        UT_hash_handle hh;
        char sql[];
};

int
pipit__stmt_cache_init(struct stmt_cache *stmt_cache, int n_slots)
{
        *stmt_cache = (struct stmt_cache){.max = n_slots > 0 ? n_slots : STMT_CACHE_MAX};
        list_init(&stmt_cache->used);
        /* Without randomness the time of the machine's start is still not another machine's. */
        if (getrandom(&stmt_cache->random, sizeof stmt_cache->random, 0) !=
            sizeof stmt_cache->random)
                stmt_cache->random = (uint64_t)(uintptr_t)stmt_cache;
        stmt_cache->free_slots = calloc((size_t)stmt_cache->max, sizeof *stmt_cache->free_slots);
        if (stmt_cache->free_slots == NULL)
                return PIPIT_ENOMEM;
        while (stmt_cache->n_free_slots < n_slots) {
                stmt_cache->free_slots[stmt_cache->n_free_slots] = stmt_cache->n_free_slots;
                stmt_cache->n_free_slots++;
        }
        return 0;
}

static void
node_free(struct stmt_node *node)
{
        free(node->stmt.types);
        free(node);
}

/* The table forgets it; whoever refers to it keeps it. */
static void
node_drop(struct stmt_node *node)
{
        struct stmt_cache *stmt_cache = node->stmt_cache;

        for (int i = 0; i < STMT_CACHE_HINTS; i++) {
                if (stmt_cache->hints[i] == node)
                        stmt_cache->hints[i] = NULL;
        }
        HASH_DEL(stmt_cache->nodes, node);
        list_remove(&node->link);
        stmt_cache->n--;
        stmt_cache->bytes -= node->stmt.length;
        if (node->stmt.slot >= 0)
                stmt_cache->free_slots[stmt_cache->n_free_slots++] = node->stmt.slot;
        node->stmt.slot = -1;
        node->known = false;
        if (node->stmt.refs == 0)
                node_free(node);
}

void
pipit__stmt_cache_fini(struct stmt_cache *stmt_cache)
{
        while (stmt_cache->nodes != NULL)
                node_drop(stmt_cache->nodes);
        free(stmt_cache->free_slots);
}

/* Forgets what was used longest ago, until one more text has room; what is in use stays. */
static bool
stmt_cache_make_room(struct stmt_cache *stmt_cache, size_t length)
{
        struct list *link = stmt_cache->used.prev;

        while ((stmt_cache->n >= stmt_cache->max ||
                stmt_cache->bytes + length > STMT_CACHE_MAX_BYTES) &&
               link != &stmt_cache->used) {
                struct stmt_node *node = container_of(link, struct stmt_node, link);
                link = link->prev;
                if (node->stmt.refs == 0)
                        node_drop(node);
        }
        return stmt_cache->n < stmt_cache->max &&
               stmt_cache->bytes + length <= STMT_CACHE_MAX_BYTES;
}

static COLD struct stmt_node *
node_new(struct stmt_cache *stmt_cache, const char *sql, size_t length)
{
        struct stmt_node *node = malloc(sizeof *node + length + 1);

        if (node == NULL)
                return NULL;
        memset(node, 0, sizeof *node);
        list_init(&node->link);
        node->stmt_cache = stmt_cache;
        memcpy(node->sql, sql, length);
        node->sql[length] = '\0';
        node->stmt.sql = node->sql;
        node->stmt.length = length;
        node->stmt.slot = -1;
        node->stmt.n_types = -1;
        node->stmt.serial = ++stmt_cache->serial;
        pipit__stmt_cache_name(stmt_cache, node->stmt.serial, node->stmt.name);
        return node;
}

/* Puts a new one into the table, if there is room. 0 or PIPIT_ENOMEM. */
static COLD int
stmt_cache_add(struct stmt_cache *stmt_cache, struct stmt_node *node)
{
        size_t length = node->stmt.length;

        if (length > STMT_MAX_LENGTH || !stmt_cache_make_room(stmt_cache, length))
                return 0;
        HASH_ADD_KEYPTR(hh, stmt_cache->nodes, node->sql, length, node);
        if (node->hh.tbl == NULL) /* no memory: uthash has taken it out again */
                return PIPIT_ENOMEM;
        node->known = true;
        list_push_front(&stmt_cache->used, &node->link);
        stmt_cache->n++;
        stmt_cache->bytes += length;
        if (stmt_cache->n_free_slots > 0)
                node->stmt.slot = stmt_cache->free_slots[--stmt_cache->n_free_slots];
        return 0;
}

/* One that the table knows; NULL when it does not. */
static struct stmt_node *
stmt_cache_find(struct stmt_cache *stmt_cache, const char *sql)
{
        struct stmt_node **hint = &stmt_cache->hints[((uintptr_t)sql >> 4) % STMT_CACHE_HINTS];
        struct stmt_node *node = *hint;

        /* Most texts are constants of the program: always at the same place. */
        if (node != NULL && strcmp(node->sql, sql) == 0)
                return node;
        HASH_FIND(hh, stmt_cache->nodes, sql, strlen(sql), node);
        if (node != NULL)
                *hint = node;
        return node;
}

struct stmt *
pipit__stmt_cache_get(struct stmt_cache *stmt_cache, const char *sql)
{
        struct stmt_node *node = stmt_cache_find(stmt_cache, sql);

        if (node != NULL) {
                if (stmt_cache->used.next != &node->link) {
                        list_remove(&node->link);
                        list_push_front(&stmt_cache->used, &node->link);
                }
                return pipit__stmt_ref(&node->stmt);
        }
        node = node_new(stmt_cache, sql, strlen(sql));
        if (node != NULL && stmt_cache_add(stmt_cache, node) != 0) {
                node_free(node);
                node = NULL;
        }
        return node != NULL ? pipit__stmt_ref(&node->stmt) : NULL;
}

struct stmt *
pipit__stmt_ref(struct stmt *stmt)
{
        stmt->refs++;
        return stmt;
}

void
pipit__stmt_unref(struct stmt *stmt)
{
        if (stmt == NULL || --stmt->refs > 0)
                return;
        struct stmt_node *node = container_of(stmt, struct stmt_node, stmt);
        if (!node->known)
                node_free(node);
}

bool
pipit__stmt_is_known(const struct stmt *stmt)
{
        const char *node = (const char *)stmt - offsetof(struct stmt_node, stmt);

        return ((const struct stmt_node *)(const void *)node)->known;
}

void
pipit__stmt_cache_name(const struct stmt_cache *stmt_cache, uint64_t serial,
                       char out[STMT_NAME_SIZE])
{
        snprintf(out, STMT_NAME_SIZE, "pipit_%016llx_%llx", (unsigned long long)stmt_cache->random,
                 (unsigned long long)serial);
}

void
pipit__stmt_learn(struct stmt *stmt, int n_types, const uint32_t *types, bool is_binary)
{
        size_t size = (size_t)n_types * sizeof *types;
        uint32_t *copy;

        /* It may have been asked on several connections. */
        if (stmt->n_types >= 0 || (copy = malloc(size > 0 ? size : 1)) == NULL)
                return;
        memcpy(copy, types, size);
        stmt->types = copy;
        stmt->n_types = n_types;
        stmt->is_binary = is_binary;
}

struct stmt *
pipit__stmt_renew(struct stmt *stmt)
{
        struct stmt_node *node = container_of(stmt, struct stmt_node, stmt);

        if (node->known)
                node_drop(node);
        return pipit__stmt_cache_get(node->stmt_cache, stmt->sql);
}
