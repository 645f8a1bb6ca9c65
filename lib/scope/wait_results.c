/*
 * Kept results. See wait_results.h.
 */
#include "scope/wait_results.h"

#include <stdlib.h>

#include "request/request.h"
#include "result/result.h"

#define HASH_NONFATAL_OOM 1
#define HASH_FUNCTION     HASH_FNV /* the default one falls through in a switch */
#include <uthash.h>

struct entry {
        pipit_request number;
        struct wait_results *wait_results; /* that it is among */
        struct pipit_result *res;          /* NULL until it has completed */
        bool dropped;                      /* nobody waits for it, though it has not completed */
        UT_hash_handle hh;
};

struct wait_results {
        struct entry *entries;
};

static void
entry_free(struct entry *entry)
{
        HASH_DEL(entry->wait_results->entries, entry);
        pipit_result_unref(entry->res);
        free(entry);
}

struct wait_results *
pipit__wait_results_new(void)
{
        return calloc(1, sizeof(struct wait_results));
}

void
pipit__wait_results_free(struct wait_results *wait_results)
{
        while (wait_results != NULL && wait_results->entries != NULL)
                entry_free(wait_results->entries);
        free(wait_results);
}

/* A frame, the first that was pushed: it runs right before the callbacks. */
static void
wait_results_on_result(struct request *req, struct pipit_result *res, void *arg)
{
        struct entry *entry = arg;

        if (entry->dropped)
                entry_free(entry);
        else
                entry->res = pipit_result_ref(res);
        pipit__request_next(req, res);
}

int
pipit__wait_results_add(struct wait_results *wait_results, struct request *req)
{
        struct entry *entry = calloc(1, sizeof *entry);

        if (entry == NULL)
                return PIPIT_ENOMEM;
        entry->number = pipit__request_number(req);
        entry->wait_results = wait_results;
        HASH_ADD(hh, wait_results->entries, number, sizeof entry->number, entry);
        if (entry->hh.tbl == NULL) {
                free(entry);
                return PIPIT_ENOMEM;
        }
        return pipit__request_push(req, wait_results_on_result, entry);
}

bool
pipit__wait_results_find(struct wait_results *wait_results, pipit_request number,
                         struct pipit_result **ret_res)
{
        struct entry *entry;

        HASH_FIND(hh, wait_results->entries, &number, sizeof number, entry);
        if (entry == NULL || entry->dropped)
                return false;
        *ret_res = entry->res;
        return true;
}

void
pipit__wait_results_drop(struct wait_results *wait_results, pipit_request number)
{
        struct entry *entry;

        HASH_FIND(hh, wait_results->entries, &number, sizeof number, entry);
        if (entry != NULL && entry->res != NULL)
                entry_free(entry);
        else if (entry != NULL)
                entry->dropped = true; /* the frame of its request frees it */
}
