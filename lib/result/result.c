/*
 * The life of a result is a count of references, and what hangs on the result goes with it. See
 * result.h.
 *
 * Always:
 * 1. A result whose refs is 0 is a constant, which is never written and never freed.
 * 2. A result is in its owner's list once pipit_result_ref() was called on it. Every other goes
 *    with its request, and so before the scope does.
 * 3. The blocks of a result are pg, the arena, what is attached, the message and the host. This
 *    file alone frees them.
 * 4. A part refers to its whole, and a whole is never a part: freeing goes one deep.
 */
#include "result/result.h"

#include <pipit/transaction.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "pq/pq.h"
#include "result/result_int.h"

/* ---- owners */

void
pipit__result_owner_init(struct result_owner *owner, struct pipit *scope)
{
        list_init(&owner->results);
        list_init(&owner->requests);
        owner->scope = scope;
        owner->n_requests = 0;
        owner->max_text_bytes = SIZE_MAX;
}

void
pipit__result_owner_limit(struct result_owner *owner, size_t max_text_bytes)
{
        owner->max_text_bytes = max_text_bytes;
}

void
pipit__result_owner_fini(struct result_owner *owner)
{
        while (!list_empty(&owner->results)) {
                struct list *link = list_pop_first(&owner->results);
                container_of(link, struct pipit_result, link)->owner = NULL;
        }
}

struct pipit *
pipit_result_scope(const struct pipit_result *res)
{
        return res != NULL && res->owner != NULL ? res->owner->scope : NULL;
}

/* ---- making and freeing */

struct pipit_result *
pipit__result_new_with(struct result_owner *owner, size_t room)
{
        struct pipit_result *res = malloc(sizeof *res + room); /* quicker than calloc() */

        if (res == NULL)
                return NULL;
        *res = (struct pipit_result){
                .refs = 1, .owner = owner, .rows.text_bytes_left = owner->max_text_bytes};
        list_init(&res->link);
        return res;
}

struct pipit_result *
pipit__result_new(struct result_owner *owner)
{
        return pipit__result_new_with(owner, 0);
}

void *
pipit__result_room(struct pipit_result *res)
{
        return res + 1;
}

const struct pipit_result *
pipit__result_of_room(const void *room)
{
        return (const struct pipit_result *)room - 1;
}

void
pipit__result_free_text(const char *text)
{
        free((char *)(uintptr_t)text);
}

/* Frees the content of a result; the members go on pointing to it. */
static void
result_release(struct pipit_result *res)
{
        if (res->failed) {
                pipit__pq_clear(res->pg);
                pipit__result_free_text(res->owns_message ? res->error.message : NULL);
                pipit__result_free_text(res->error.host);
        } else if (res->rows.whole != NULL) { /* the whole has pg and what is attached */
                pipit_arena_free(res->rows.arena);
                pipit_result_unref(res->rows.whole);
        } else {
                pipit__pq_clear(res->pg);
                pipit_arena_free(res->rows.arena);
                free(res->rows.attached);
        }
}

size_t
pipit__result_max_text_bytes(const struct pipit_result *res)
{
        return res->owner != NULL ? res->owner->max_text_bytes : 0;
}

void
pipit__result_reset(struct pipit_result *res)
{
        result_release(res);
        res->pg = NULL;
        res->failed = false;
        res->owns_message = false;
        res->is_rounded = false;
        res->rows = (struct rows){.text_bytes_left = pipit__result_max_text_bytes(res)};
}

bool
pipit__result_is_taken(const struct pipit_result *res)
{
        return res->pg != NULL;
}

/* ---- references */

struct pipit_result *
pipit_result_ref(struct pipit_result *res)
{
        if (res == NULL || res->refs == 0)
                return res;
        res->refs++;
        if (res->owner != NULL && !list_linked(&res->link))
                list_push_back(&res->owner->results, &res->link);
        return res;
}

struct pipit_result *
pipit__result_hold(struct pipit_result *res)
{
        res->refs++;
        return res;
}

struct pipit_result *
pipit_result_unref(struct pipit_result *res)
{
        if (res == NULL || res->refs == 0 || --res->refs > 0)
                return NULL;
        list_remove(&res->link);
        result_release(res);
        free(res);
        return NULL;
}

/* ---- attempts */

void
pipit__result_set_attempts(struct pipit_result *res, int attempts)
{
        res->attempts = attempts < UINT16_MAX ? (uint16_t)attempts : UINT16_MAX;
}

int
pipit_result_attempts(const struct pipit_result *res)
{
        return res != NULL ? res->attempts : 0;
}

/* ---- memory that goes with a result */

void *
pipit__result_alloc(struct pipit_result *res, size_t size)
{
        if (res->failed)
                return NULL;
        if (res->rows.arena == NULL)
                res->rows.arena = pipit_arena_new();
        return res->rows.arena != NULL ? pipit__arena_alloc(res->rows.arena, size) : NULL;
}

void *
pipit__result_attach(struct pipit_result *res, size_t size, const void *owner)
{
        if (res->failed)
                return NULL;
        if (res->rows.whole != NULL) {
                /* All parts of a whole share its arena, so that no part needs a block. */
                res->rows.attached = pipit__result_alloc(res->rows.whole, size);
        } else {
                free(res->rows.attached);
                res->rows.attached = malloc(size > 0 ? size : 1); /* quicker than calloc() */
                if (res->rows.attached != NULL)
                        memset(res->rows.attached, 0, size);
        }
        res->rows.owner = owner;
        return res->rows.attached;
}

void *
pipit__result_attached(const struct pipit_result *res, const void *owner)
{
        return res != NULL && !res->failed && res->rows.owner == owner ? res->rows.attached : NULL;
}
