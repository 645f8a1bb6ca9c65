/*
 * The statement cache. See stmt_cache.h.
 */
#include "request/stmt_cache.h"

#include <pipit/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "request/stmt_int.h"
#include "request/stmt_text.h"

/* So many texts are known at most when none of them is prepared. */
#define STMT_CACHE_MAX 256
/* All texts have so many bytes at most, and each of them so many: longer ones are hardly ever said
 * again. */
#define STMT_CACHE_MAX_BYTES ((size_t)1 << 20)
#define STMT_MAX_LENGTH      ((size_t)1 << 14)

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

/* Forgets a statement; whoever refers to it keeps it. */
static void
stmt_cache_drop(struct stmt_cache *stmt_cache, struct stmt *stmt)
{
        for (int i = 0; i < STMT_CACHE_HINTS; i++) {
                if (stmt_cache->hints[i] == stmt)
                        stmt_cache->hints[i] = NULL;
        }
        HASH_DEL(stmt_cache->stmts, stmt);
        list_remove(&stmt->link);
        stmt_cache->n--;
        stmt_cache->bytes -= stmt->length;
        if (stmt->slot >= 0)
                stmt_cache->free_slots[stmt_cache->n_free_slots++] = stmt->slot;
        stmt->slot = -1;
        stmt->is_known = false;
        if (stmt->refs == 0)
                pipit__stmt_free(stmt);
}

void
pipit__stmt_cache_fini(struct stmt_cache *stmt_cache)
{
        while (stmt_cache->stmts != NULL)
                stmt_cache_drop(stmt_cache, stmt_cache->stmts);
        free(stmt_cache->free_slots);
}

/* Whether there is room for one more text of that length. */
static bool
stmt_cache_has_room(const struct stmt_cache *stmt_cache, size_t length)
{
        return stmt_cache->n < stmt_cache->max &&
               stmt_cache->bytes + length <= STMT_CACHE_MAX_BYTES;
}

/* Forgets what was used longest ago, until one more text has room; what is in use stays. */
static bool
stmt_cache_make_room(struct stmt_cache *stmt_cache, size_t length)
{
        struct list *link = stmt_cache->used.prev;

        while (!stmt_cache_has_room(stmt_cache, length) && link != &stmt_cache->used) {
                struct stmt *stmt = container_of(link, struct stmt, link);
                link = link->prev;
                if (stmt->refs == 0)
                        stmt_cache_drop(stmt_cache, stmt);
        }
        return stmt_cache_has_room(stmt_cache, length);
}

/* Writes the first name of the statement of a serial: the others differ from it in their digits. */
static void
stmt_cache_name(const struct stmt_cache *stmt_cache, uint64_t serial, char out[STMT_NAME_SIZE])
{
        snprintf(out, STMT_NAME_SIZE, "pipit_00000000_%016llx_%llx",
                 (unsigned long long)stmt_cache->random, (unsigned long long)serial);
}

/* Makes a statement that the cache does not know yet; NULL when memory ran out. */
static COLD struct stmt *
stmt_new(struct stmt_cache *stmt_cache, const char *sql, size_t length)
{
        struct stmt *stmt = malloc(sizeof *stmt + length + 1);

        if (stmt == NULL)
                return NULL;
        *stmt = (struct stmt){.slot = -1,
                              .serial = ++stmt_cache->serial,
                              .stmt_cache = stmt_cache,
                              .length = length};
        list_init(&stmt->link);
        memcpy(stmt->sql, sql, length);
        stmt->sql[length] = '\0';
        stmt->traits = pipit__stmt_text_traits(stmt->sql);
        stmt_cache_name(stmt_cache, stmt->serial, stmt->name);
        return stmt;
}

/* Has the cache know a new statement, if there is room. 0 or PIPIT_ENOMEM. */
static COLD int
stmt_cache_add(struct stmt_cache *stmt_cache, struct stmt *stmt)
{
        size_t length = stmt->length;

        if (length > STMT_MAX_LENGTH || !stmt_cache_make_room(stmt_cache, length))
                return 0;
        HASH_ADD_KEYPTR(hh, stmt_cache->stmts, stmt->sql, length, stmt);
        if (stmt->hh.tbl == NULL) /* no memory: uthash has taken it out again */
                return PIPIT_ENOMEM;
        stmt->is_known = true;
        list_push_front(&stmt_cache->used, &stmt->link);
        stmt_cache->n++;
        stmt_cache->bytes += length;
        if (stmt_cache->n_free_slots > 0)
                stmt->slot = stmt_cache->free_slots[--stmt_cache->n_free_slots];
        return 0;
}

/* The statement of a text, if the cache knows it; else NULL. */
static struct stmt *
stmt_cache_find(struct stmt_cache *stmt_cache, const char *sql)
{
        struct stmt **hint = &stmt_cache->hints[((uintptr_t)sql >> 4) % STMT_CACHE_HINTS];
        struct stmt *stmt = *hint;

        /* Most texts are constants of the program: always at the same place. */
        if (stmt != NULL && strcmp(stmt->sql, sql) == 0)
                return stmt;
        HASH_FIND(hh, stmt_cache->stmts, sql, strlen(sql), stmt);
        if (stmt != NULL)
                *hint = stmt;
        return stmt;
}

/* Makes the statement of a text that the cache does not know. */
static COLD struct stmt *
stmt_cache_make(struct stmt_cache *stmt_cache, const char *sql)
{
        struct stmt *stmt = stmt_new(stmt_cache, sql, strlen(sql));

        if (stmt == NULL)
                return NULL;
        if (stmt_cache_add(stmt_cache, stmt) != 0) {
                pipit__stmt_free(stmt);
                return NULL;
        }
        return pipit__stmt_ref(stmt);
}

struct stmt *
pipit__stmt_cache_get(struct stmt_cache *stmt_cache, const char *sql)
{
        struct stmt *stmt = stmt_cache_find(stmt_cache, sql);

        if (stmt == NULL)
                return stmt_cache_make(stmt_cache, sql);
        if (stmt_cache->used.next != &stmt->link) {
                list_remove(&stmt->link);
                list_push_front(&stmt_cache->used, &stmt->link);
        }
        return pipit__stmt_ref(stmt);
}

void
pipit__stmt_cache_name(const struct stmt_cache *stmt_cache, uint64_t serial, uint32_t name,
                       char out[STMT_NAME_SIZE])
{
        char all[STMT_NAME_SIZE];

        stmt_cache_name(stmt_cache, serial, all);
        pipit__stmt_name(all, name, out);
}

void
pipit__stmt_cache_change_schema(struct stmt_cache *stmt_cache)
{
        stmt_cache->schema++;
}

uint32_t
pipit__stmt_cache_schema(const struct stmt_cache *stmt_cache)
{
        return stmt_cache->schema;
}

struct latency_scale *
pipit__stmt_cache_scale(struct stmt_cache *stmt_cache)
{
        return &stmt_cache->scale;
}
