/*
 * Kept results. See kept.h.
 */
#include "scope/kept.h"

#include <stdlib.h>

#include "request/request.h"
#include "result/result.h"

#define HASH_NONFATAL_OOM 1
#define HASH_FUNCTION     HASH_FNV /* the default one falls through in a switch */
#include <uthash.h>

struct entry {
        pipit_request number;
        struct pipit_result *res; /* NULL until it has completed */
        UT_hash_handle hh;
};

struct kept {
        struct entry *entries;
};

struct kept *
pipit__kept_new(void)
{
        return calloc(1, sizeof(struct kept));
}

void
pipit__kept_free(struct kept *kept)
{
        while (kept != NULL && kept->entries != NULL) {
                struct entry *entry = kept->entries;
                HASH_DEL(kept->entries, entry);
                pipit_result_unref(entry->res);
                free(entry);
        }
        free(kept);
}

/* A frame, the first that was pushed: it runs right before the callbacks. */
static void
kept_on_result(struct request *req, struct pipit_result *res, void *arg)
{
        struct entry *entry = arg;

        entry->res = pipit_result_ref(res);
        pipit__request_next(req, res);
}

int
pipit__kept_add(struct kept *kept, struct request *req)
{
        struct entry *entry = calloc(1, sizeof *entry);

        if (entry == NULL)
                return PIPIT_ENOMEM;
        entry->number = pipit__request_number(req);
        HASH_ADD(hh, kept->entries, number, sizeof entry->number, entry);
        if (entry->hh.tbl == NULL) {
                free(entry);
                return PIPIT_ENOMEM;
        }
        return pipit__request_push(req, kept_on_result, entry);
}

bool
pipit__kept_find(struct kept *kept, pipit_request number, struct pipit_result **ret_res)
{
        struct entry *entry;

        HASH_FIND(hh, kept->entries, &number, sizeof number, entry);
        if (entry != NULL)
                *ret_res = entry->res;
        return entry != NULL;
}
