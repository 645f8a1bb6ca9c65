/*
 * Carriers. See carrier.h.
 */
#include "pool/carrier.h"

#include <pipit/error.h>
#include <pipit/item.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "pool/batch.h"
#include "pool/cargo.h"
#include "pool/lookup.h"
#include "request/bound_stmt.h"
#include "request/request.h"
#include "request/stmt_cache.h"
#include "result/result.h"

/* Of the answer; else the number of its row. */
enum { ROW_NONE = -1, ROW_DOUBTFUL = -2 };

/* A key, as its lookup has it. */
struct key {
        int64_t number;
        const char *text;
};

/* One that is carried, and its answer. */
struct passenger {
        struct request *req; /* NULL: it has left */
        struct carrier *carrier;
        struct key key; /* its text is the carrier's */
        int row;
};

/* In the block of the request that carries, in front of its statement. */
struct carrier {
        struct request *carries;
        struct lookup *lookup;
        int n;
        struct passenger passengers[]; /* in the order of their keys; behind them their texts */
};

static int
keys_compare(enum lookup_key sort, const struct key *a, const struct key *b)
{
        if (sort == LOOKUP_TEXT)
                return strcmp(a->text, b->text);
        return (a->number > b->number) - (a->number < b->number);
}

static int
passengers_compare_number(const void *a, const void *b)
{
        int64_t left = ((const struct passenger *)a)->key.number;
        int64_t right = ((const struct passenger *)b)->key.number;

        return (left > right) - (left < right);
}

static int
passengers_compare_text(const void *a, const void *b)
{
        return strcmp(((const struct passenger *)a)->key.text,
                      ((const struct passenger *)b)->key.text);
}

/* ---- the answer */

/* Runs by themselves those that are still carried. */
static void
carrier_dissolve(struct carrier *carrier)
{
        struct list again;

        list_init(&again);
        for (int i = 0; i < carrier->n; i++) {
                struct request *req = carrier->passengers[i].req;
                if (req == NULL)
                        continue;
                req->lookup = NULL;
                if (!req->is_read) /* the fate of each is its own now */
                        req->max_group = 1;
                list_push_back(&again, &req->link);
        }
        pipit__requests_again(&again);
}

/* Fails them in the same way. */
static void
carrier_fail(struct carrier *carrier, const struct pipit_error *error)
{
        for (int i = 0; i < carrier->n; i++) {
                struct request *req = carrier->passengers[i].req;
                if (req == NULL)
                        continue;
                pipit__result_fail_like(req->res, error);
                pipit__request_end(req);
        }
}

/* The key of a row of the answer. 0, or a PIPIT_E code. */
static int
row_key(const struct lookup *lookup, struct pipit_result *res, int row, struct key *ret_key)
{
        if (lookup->plan.key != LOOKUP_TEXT)
                return pipit_result_int64(res, row, lookup->plan.column, &ret_key->number);
        ret_key->text = pipit_result_text(res, row, lookup->plan.column);
        return ret_key->text != NULL ? 0 : PIPIT_ETYPE;
}

/* The first passenger whose key is not less. */
static int
carrier_search(const struct carrier *carrier, const struct key *key)
{
        int low = 0;
        int high = carrier->n;

        while (low < high) {
                int middle = low + (high - low) / 2;
                if (keys_compare(carrier->lookup->plan.key, &carrier->passengers[middle].key, key) <
                    0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

/* Finds out whose each row is: several may have asked for the same. 0, or a PIPIT_E code. */
static int
carrier_sort_rows(struct carrier *carrier, struct pipit_result *res)
{
        enum lookup_key sort = carrier->lookup->plan.key;
        int n_rows = pipit_result_rows(res);

        for (int row = 0; row < n_rows; row++) {
                struct key key = {0};
                int code = row_key(carrier->lookup, res, row, &key);
                if (code != 0)
                        return code;
                for (int i = carrier_search(carrier, &key); i < carrier->n; i++) {
                        struct passenger *passenger = &carrier->passengers[i];
                        if (keys_compare(sort, &passenger->key, &key) != 0)
                                break;
                        /* What was written has one row; any of those that were found will do. */
                        bool doubtful = sort == LOOKUP_ORDINAL && passenger->row != ROW_NONE;
                        passenger->row = doubtful ? ROW_DOUBTFUL : row;
                }
        }
        return 0;
}

/* A passenger has its answer. */
static void
passenger_show(struct request *req, struct pipit_result *res, const struct lookup *lookup, int row)
{
        bool writes = lookup->plan.key == LOOKUP_ORDINAL;
        struct result_part part = {.row = row, .n_columns = lookup->plan.n_columns};

        if (row == ROW_DOUBTFUL) {
                pipit__result_fail(req->res, PIPIT_EINVAL, PIPIT_EXECUTED_YES, PIPIT_PHASE_RESULT,
                                   "several rows were made with the same primary key, which is "
                                   "none: nobody knows which of them is this one's");
                return;
        }
        if (writes)
                part.tag = row == ROW_NONE ? "INSERT 0 0" : "INSERT 0 1";
        else
                part.tag = row == ROW_NONE ? "SELECT 0" : "SELECT 1";
        pipit__result_show(req->res, res, &part);
}

/* Together they take less time than one by one: more of them may be dealt at once. */
static void
carrier_teach(const struct carrier *carrier)
{
        const struct latency *many = &carrier->carries->bound->stmt->latency;

        for (int i = 0; i < carrier->n; i++) {
                const struct request *req = carrier->passengers[i].req;
                if (req == NULL)
                        continue;
                pipit__latency_carried(&req->bound->stmt->latency, many, carrier->n);
                return;
        }
}

/* Completes each with its row. Callbacks may end any of the others. */
static void
carrier_deliver(struct carrier *carrier, struct pipit_result *res)
{
        bool is_text = carrier->lookup->plan.key == LOOKUP_TEXT;

        for (int i = 0; i < carrier->n; i++) {
                struct request *req = carrier->passengers[i].req;
                int row = carrier->passengers[i].row;
                /* What has other bytes can be equal to the server: it is asked. */
                if (req == NULL || (row == ROW_NONE && is_text))
                        continue;
                passenger_show(req, res, carrier->lookup, row);
                pipit__request_complete(req);
        }
        carrier_dissolve(carrier);
}

/* What was written is there, but the answer cannot be read. */
static void
carrier_fail_unread(struct carrier *carrier, int code)
{
        struct pipit_error error = {.code = (enum pipit_code)code,
                                    .executed = PIPIT_EXECUTED_YES,
                                    .phase = PIPIT_PHASE_RESULT,
                                    .message = "the answer to many creates cannot be read"};

        carrier_fail(carrier, &error);
}

/* Whether the passengers of what failed may be run again: the server undid it, or all it did was to
 * read too much at once. */
static bool
error_allows_again(const struct carrier *carrier, const struct pipit_error *error)
{
        return error->executed == PIPIT_EXECUTED_ROLLED_BACK ||
               (error->code == PIPIT_ELIMIT && carrier->carries->is_read);
}

/* The callback of the request that carries. */
static void
carrier_on_done(struct pipit_result *res, void *arg)
{
        struct carrier *carrier = arg;
        const struct pipit_error *error = pipit_result_error(res);
        bool again = error != NULL && error_allows_again(carrier, error);

        if (error == NULL || again)
                pipit__lookup_done(carrier->lookup, again);
        if (error != NULL) {
                if (again)
                        carrier_dissolve(carrier);
                else
                        carrier_fail(carrier, error);
                return;
        }
        carrier_teach(carrier);
        int code = carrier_sort_rows(carrier, res);
        if (code == 0)
                carrier_deliver(carrier, res);
        else if (carrier->carries->is_read)
                carrier_dissolve(carrier);
        else
                carrier_fail_unread(carrier, code);
}

/* ---- the statement */

/* The bytes of a carrier for those that board; those of its statement begin behind it. */
static size_t
carrier_size(const struct lookup *lookup)
{
        size_t size =
                sizeof(struct carrier) + (size_t)lookup->n_boarding * sizeof(struct passenger);

        LIST_EACH(link, &lookup->boarding) {
                const struct request *req = container_of(link, struct request, link);
                if (lookup->plan.key == LOOKUP_TEXT)
                        size += strlen(req->bound->params.values[0]) + 1;
        }
        return (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
}

/* A request that runs one statement for all that board; NULL when memory ran out. */
static struct request *
carrier_new(const struct lookup *lookup, struct stmt *stmt, const struct cargo *cargo)
{
        const struct request *first =
                container_of(list_first(&lookup->boarding), struct request, link);
        size_t size = carrier_size(lookup);
        struct pq_params params = pipit__cargo_params(cargo);
        struct request *req = pipit__request_new(first->requests, first->home,
                                                 size + pipit__bound_stmt_raw_size(&params),
                                                 carrier_on_done, NULL);

        if (req == NULL)
                return NULL;
        char *block = pipit__request_block(req);
        struct carrier *carrier = (struct carrier *)(void *)block;
        carrier->carries = req;
        carrier->n = 0;
        req->first.arg = carrier;
        req->bound = pipit__bound_stmt_write_raw(block + size, pipit__stmt_ref(stmt), &params);
        return req;
}

/* The same, from its lookup alone. */
static struct request *
carrier_start(const struct lookup *lookup)
{
        struct stmt *stmt = pipit__lookup_many(lookup);
        struct request *carries = NULL;
        struct cargo cargo;

        if (stmt == NULL)
                return NULL;
        if (pipit__cargo_load(&cargo, &lookup->boarding, stmt, lookup->plan.n_params) == 0)
                carries = carrier_new(lookup, stmt, &cargo);
        pipit__cargo_fini(&cargo);
        pipit__stmt_unref(stmt);
        return carries;
}

/* ---- the batch */

/* All that wait to get on do; the one that carries has the time of the most patient. */
static void
carrier_board(struct carrier *carrier, struct lookup *lookup)
{
        enum lookup_key sort = lookup->plan.key;
        char *text = (char *)(carrier->passengers + lookup->n_boarding);
        struct request *carries = carrier->carries;

        carrier->lookup = lookup;
        carries->deadline_ms = 0;
        LIST_EACH(link, &lookup->boarding) {
                struct request *req = container_of(link, struct request, link);
                struct passenger *passenger = &carrier->passengers[carrier->n++];
                *passenger = (struct passenger){.req = req, .carrier = carrier, .row = ROW_NONE};
                passenger->key.number = sort == LOOKUP_ORDINAL ? carrier->n : req->key;
                if (sort == LOOKUP_TEXT) {
                        passenger->key.text = text;
                        text = stpcpy(text, req->bound->params.values[0]) + 1;
                }
                if (req->deadline_ms > carries->deadline_ms)
                        carries->deadline_ms = req->deadline_ms;
                carries->is_read = req->is_read;
                carries->is_grouped = req->is_grouped;
        }
        if (sort != LOOKUP_ORDINAL) /* those are sorted */
                qsort(carrier->passengers, (size_t)carrier->n, sizeof *carrier->passengers,
                      sort == LOOKUP_TEXT ? passengers_compare_text : passengers_compare_number);
        for (int i = 0; i < carrier->n; i++)
                pipit__request_carry(carrier->passengers[i].req, &carrier->passengers[i].req);
}

/* Those that wait to get on are carried, or go on by themselves. */
static void
batch_pack(struct batch *batch, struct lookup *lookup)
{
        struct request *carries = lookup->n_boarding > 1 ? carrier_start(lookup) : NULL;

        if (carries != NULL) {
                carrier_board(carries->first.arg, lookup);
                batch->n -= lookup->n_boarding - 1;
                carries->state = REQUEST_WAITING;
                list_push_back(&batch->requests, &carries->link);
                pipit__request_set_deadline(carries, carries->deadline_ms);
        } else {
                list_splice(&batch->requests, &lookup->boarding);
        }
        lookup->n_boarding = 0;
}

void
pipit__carriers_pack(struct batch *batch)
{
        struct list all;
        struct list lookups;

        if (batch->kind == SEGMENT_SINGLE || !batch->may_pack)
                return;
        list_init(&all);
        list_init(&lookups);
        list_splice(&all, &batch->requests);
        while (!list_empty(&all)) {
                struct list *link = list_pop_first(&all);
                struct request *req = container_of(link, struct request, link);
                struct lookup *lookup = req->lookup;
                bool boards = lookup != NULL && pipit__lookup_may_carry(lookup, req->bound->stmt);
                list_push_back(boards ? &lookup->boarding : &batch->requests, link);
                if (boards && lookup->n_boarding++ == 0)
                        list_push_back(&lookups, &lookup->link);
        }
        while (!list_empty(&lookups)) {
                struct list *link = list_pop_first(&lookups);
                batch_pack(batch, container_of(link, struct lookup, link));
        }
        if (batch->n == 1)
                batch->kind = SEGMENT_SINGLE;
}

void
pipit__carrier_prolong(const struct request *req)
{
        if (req->carried == NULL)
                return;
        struct passenger *passenger = container_of(req->carried, struct passenger, req);
        struct request *carries = passenger->carrier->carries;
        if (carries->deadline_ms < req->deadline_ms)
                pipit__request_set_deadline(carries, req->deadline_ms);
}

struct request *
pipit__carrier_of_last(const struct request *req)
{
        if (req->carried == NULL)
                return NULL;
        const struct carrier *carrier = container_of(req->carried, struct passenger, req)->carrier;
        for (int i = 0; i < carrier->n; i++) {
                const struct request *other = carrier->passengers[i].req;
                if (other != NULL && other != req)
                        return NULL;
        }
        return carrier->carries;
}
