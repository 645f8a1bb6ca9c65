/*
 * Coalesced statements. See coalesce.h.
 */
#include "pool/coalesce.h"

#include <pipit/error.h>
#include <pipit/item.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "pool/batch.h"
#include "pool/coalesce_params.h"
#include "pool/coalesce_rule.h"
#include "pool/sent.h"
#include "request/bound_stmt.h"
#include "request/request.h"
#include "request/requests.h"
#include "request/stmt_cache.h"
#include "result/result_error.h"
#include "result/rows.h"

/* Of the answer; else the number of its row. */
enum { ROW_NONE = -1, ROW_DOUBTFUL = -2 };

/* A key, as its rule has it. */
struct key {
        int64_t number;
        const char *text;
};

/* One that is a member, and its answer. */
struct member {
        struct request *req; /* NULL: it has left */
        struct coalesced *coalesced;
        struct key key; /* its text is the coalesced statement's */
        int row;
};

/* In the block of the shared request, in front of its statement. */
struct coalesced {
        struct request *shared;
        struct coalesce_rule *rule;
        bool is_unclear; /* the server told of a row, but not whose it is */
        int n;
        struct member members[]; /* in the order of their keys; behind them their texts */
};

static int
keys_compare(enum coalesce_key sort, const struct key *a, const struct key *b)
{
        if (sort == COALESCE_TEXT)
                return strcmp(a->text, b->text);
        return (a->number > b->number) - (a->number < b->number);
}

static int
members_compare_number(const void *a, const void *b)
{
        int64_t left = ((const struct member *)a)->key.number;
        int64_t right = ((const struct member *)b)->key.number;

        return (left > right) - (left < right);
}

static int
members_compare_text(const void *a, const void *b)
{
        return strcmp(((const struct member *)a)->key.text, ((const struct member *)b)->key.text);
}

/* ---- the answer */

/* Runs by themselves those that are still members. */
static void
coalesced_dissolve(struct coalesced *coalesced)
{
        struct list again;

        list_init(&again);
        for (int i = 0; i < coalesced->n; i++) {
                struct request *req = coalesced->members[i].req;
                if (req == NULL)
                        continue;
                pipit__request_drop_rule(req);
                if (!pipit__request_is_read(req))
                        pipit__request_run_alone(req);
                pipit__request_append(req, &again);
        }
        pipit__requests_again(&again);
}

/* Fails them in the same way. */
static void
coalesced_fail(struct coalesced *coalesced, const struct pipit_error *error)
{
        for (int i = 0; i < coalesced->n; i++) {
                struct request *req = coalesced->members[i].req;
                if (req != NULL)
                        pipit__request_fail_like(req, error);
        }
}

/* The key of a row of the answer. 0, or a PIPIT_E code. */
static int
row_key(const struct coalesce_rule *rule, struct pipit_result *res, int row, struct key *ret_key)
{
        if (rule->plan.key != COALESCE_TEXT)
                return pipit_result_int64(res, row, rule->plan.column, &ret_key->number);
        ret_key->text = pipit_result_text(res, row, rule->plan.column);
        return ret_key->text != NULL ? 0 : PIPIT_ETYPE;
}

/* The first member whose key is not less. */
static int
coalesced_search(const struct coalesced *coalesced, const struct key *key)
{
        int low = 0;
        int high = coalesced->n;

        while (low < high) {
                int middle = low + (high - low) / 2;
                if (keys_compare(coalesced->rule->plan.key, &coalesced->members[middle].key, key) <
                    0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

/* Finds out whose each row is: several may have asked for the same. 0, or a PIPIT_E code. */
static int
coalesced_sort_rows(struct coalesced *coalesced, struct pipit_result *res)
{
        enum coalesce_key sort = coalesced->rule->plan.key;
        int n_rows = pipit_result_rows(res);

        for (int row = 0; row < n_rows; row++) {
                struct key key = {0};
                int code = row_key(coalesced->rule, res, row, &key);
                if (code != 0)
                        return code;
                if (sort == COALESCE_ORDINAL && key.number == 0)
                        coalesced->is_unclear = true;
                for (int i = coalesced_search(coalesced, &key); i < coalesced->n; i++) {
                        struct member *member = &coalesced->members[i];
                        if (keys_compare(sort, &member->key, &key) != 0)
                                break;
                        /* What was written has one row; any of those that were found will do. */
                        bool doubtful = sort == COALESCE_ORDINAL && member->row != ROW_NONE;
                        member->row = doubtful ? ROW_DOUBTFUL : row;
                }
        }
        return 0;
}

/* A member has its answer. */
static void
member_show(struct request *req, struct pipit_result *whole, const struct coalesce_rule *rule,
            int row)
{
        struct pipit_result *res = pipit__request_result(req);
        bool writes = rule->plan.key == COALESCE_ORDINAL;
        struct rows_part part = {.row = row, .n_columns = rule->plan.n_columns};

        if (row == ROW_DOUBTFUL) {
                pipit__result_fail(res, PIPIT_EINVAL, PIPIT_EXECUTED_YES, PIPIT_PHASE_RESULT,
                                   "a trigger left rows out, and nobody knows which of the others "
                                   "is this one's: its key is stored otherwise than it was given, "
                                   "or is given twice");
                return;
        }
        if (writes)
                part.tag = row == ROW_NONE ? "INSERT 0 0" : "INSERT 0 1";
        else
                part.tag = row == ROW_NONE ? "SELECT 0" : "SELECT 1";
        pipit__rows_show(res, whole, &part);
}

/* Together they take less time than one by one: more of them may be dealt at once. */
static void
coalesced_teach(const struct coalesced *coalesced)
{
        const struct latency *many = pipit__request_latency(coalesced->shared);

        for (int i = 0; i < coalesced->n; i++) {
                const struct request *req = coalesced->members[i].req;
                if (req == NULL)
                        continue;
                pipit__latency_coalesced(pipit__request_latency(req), many, coalesced->n);
                return;
        }
}

/* Completes each with its row. Callbacks may end any of the others. */
static void
coalesced_deliver(struct coalesced *coalesced, struct pipit_result *res)
{
        bool is_text = coalesced->rule->plan.key == COALESCE_TEXT;

        for (int i = 0; i < coalesced->n; i++) {
                struct request *req = coalesced->members[i].req;
                int row = coalesced->members[i].row;
                /* What has other bytes can be equal to the server: it is asked. */
                if (req == NULL || (row == ROW_NONE && is_text))
                        continue;
                if (row == ROW_NONE && coalesced->is_unclear)
                        row = ROW_DOUBTFUL;
                member_show(req, res, coalesced->rule, row);
                pipit__request_complete(req);
        }
        coalesced_dissolve(coalesced);
}

/* What was written is there, but the answer cannot be read. */
static void
coalesced_fail_unread(struct coalesced *coalesced, int code)
{
        struct pipit_error error = {.code = (enum pipit_code)code,
                                    .executed = PIPIT_EXECUTED_YES,
                                    .phase = PIPIT_PHASE_RESULT,
                                    .message = "the answer to many creates cannot be read"};

        coalesced_fail(coalesced, &error);
}

/* Whether the members of what failed may be run again: the server undid it, or all it did was to
 * read too much at once. */
static bool
error_allows_again(const struct coalesced *coalesced, const struct pipit_error *error)
{
        return error->executed == PIPIT_EXECUTED_ROLLED_BACK ||
               (error->code == PIPIT_ELIMIT && pipit__request_is_read(coalesced->shared));
}

/* The callback of the shared request. */
static void
coalesced_on_done(struct pipit_result *res, void *arg)
{
        struct coalesced *coalesced = arg;
        const struct pipit_error *error = pipit_result_error(res);
        bool again = error != NULL && error_allows_again(coalesced, error);

        if (error == NULL || again)
                pipit__coalesce_rule_done(coalesced->rule, again);
        if (error != NULL) {
                if (again)
                        coalesced_dissolve(coalesced);
                else
                        coalesced_fail(coalesced, error);
                return;
        }
        coalesced_teach(coalesced);
        int code = coalesced_sort_rows(coalesced, res);
        if (code == 0)
                coalesced_deliver(coalesced, res);
        else if (pipit__request_is_read(coalesced->shared))
                coalesced_dissolve(coalesced);
        else
                coalesced_fail_unread(coalesced, code);
}

/* ---- members: how they are held */

static const char *
member_waits_for(const struct request *req)
{
        (void)req;
        return "the answer to the statement that it was coalesced into";
}

static void
member_leave(struct request *req)
{
        struct member *member = pipit__request_holder(req);

        member->req = NULL;
}

/* Stops the statement of a coalesced that has no member any more. */
static void
coalesced_end_unused(struct coalesced *coalesced)
{
        for (int i = 0; i < coalesced->n; i++) {
                if (coalesced->members[i].req != NULL)
                        return;
        }
        pipit__request_cancel(coalesced->shared, "all that it carries have ended");
}

static void
member_cancel(struct request *req, const char *reason)
{
        struct coalesced *coalesced = ((struct member *)pipit__request_holder(req))->coalesced;

        pipit__sent_cancel(req, reason);
        coalesced_end_unused(coalesced);
}

static void
member_expire(struct request *req)
{
        struct coalesced *coalesced = ((struct member *)pipit__request_holder(req))->coalesced;

        pipit__sent_expire(req, NULL);
        coalesced_end_unused(coalesced);
}

/* The shared request has the time of its most patient member. */
static void
member_reschedule(struct request *req)
{
        struct request *shared = ((struct member *)pipit__request_holder(req))->coalesced->shared;
        int64_t deadline_ms = pipit__request_deadline_ms(req);

        if (pipit__request_deadline_ms(shared) < deadline_ms)
                pipit__request_set_deadline(shared, deadline_ms);
}

static const struct holder_ops member_ops = {.waits_for = member_waits_for,
                                             .cancel = member_cancel,
                                             .expire = member_expire,
                                             .leave = member_leave,
                                             .reschedule = member_reschedule};

/* ---- the statement */

/* The text of a request's key. */
static const char *
request_key_text(const struct request *req)
{
        return pipit__request_bound(req)->params.values[0];
}

/* The bytes of a coalesced statement for those that join, behind which its bound statement
 * begins. */
static size_t
coalesced_size(const struct coalesce_rule *rule)
{
        size_t size = sizeof(struct coalesced) + (size_t)rule->n_joining * sizeof(struct member);

        LIST_EACH(link, &rule->joining) {
                if (rule->plan.key == COALESCE_TEXT)
                        size += strlen(request_key_text(pipit__request_of(link))) + 1;
        }
        return (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
}

/* Makes a request that runs one statement for all that join; NULL when memory ran out. */
static struct coalesced *
coalesced_new(struct coalesce_rule *rule, struct stmt *stmt, const struct coalesce_params *arrays)
{
        const struct request *first = pipit__request_first(&rule->joining);
        struct pq_params params = pipit__coalesce_params_params(arrays);
        struct request_traits traits = {.is_read = pipit__request_is_read(first),
                                        .is_grouped = pipit__request_is_grouped(first)};
        size_t size = coalesced_size(rule);
        struct request *req =
                pipit__request_new_beside(first, size + pipit__bound_stmt_raw_size(&params));

        if (req == NULL)
                return NULL;
        char *block = pipit__request_block(req);
        struct coalesced *coalesced = (struct coalesced *)(void *)block;
        coalesced->shared = req;
        coalesced->rule = rule;
        coalesced->is_unclear = false;
        coalesced->n = 0;
        pipit__request_set_callback(req, coalesced_on_done, coalesced);
        pipit__request_set_stmt(
                req, pipit__bound_stmt_write_raw(block + size, pipit__stmt_ref(stmt), &params),
                &traits);
        return coalesced;
}

/* Makes the coalesced statement of those that join a rule; NULL when it cannot be had. */
static struct coalesced *
coalesced_start(struct coalesce_rule *rule)
{
        struct stmt *stmt = pipit__coalesce_rule_many(rule);
        struct coalesced *coalesced = NULL;
        struct coalesce_params arrays;

        if (stmt == NULL)
                return NULL;
        if (pipit__coalesce_params_write(&arrays, &rule->joining, stmt, rule->plan.n_params) == 0)
                coalesced = coalesced_new(rule, stmt, &arrays);
        pipit__coalesce_params_fini(&arrays);
        pipit__stmt_unref(stmt);
        return coalesced;
}

/* ---- the batch */

/* Makes a request the next member; *text is where the text of its key goes. */
static void
coalesced_add(struct coalesced *coalesced, struct request *req, char **text)
{
        enum coalesce_key sort = coalesced->rule->plan.key;
        struct member *member = &coalesced->members[coalesced->n++];

        *member = (struct member){.req = req, .coalesced = coalesced, .row = ROW_NONE};
        member->key.number = sort == COALESCE_ORDINAL ? coalesced->n : pipit__request_key(req);
        if (sort == COALESCE_TEXT) {
                member->key.text = *text;
                *text = stpcpy(*text, request_key_text(req)) + 1;
        }
}

/* All that wait to join become members; the shared request has the time of the most patient. */
static void
coalesced_join(struct coalesced *coalesced)
{
        struct coalesce_rule *rule = coalesced->rule;
        enum coalesce_key sort = rule->plan.key;
        char *text = (char *)(coalesced->members + rule->n_joining);
        int64_t deadline_ms = 0;

        LIST_EACH(link, &rule->joining) {
                struct request *req = pipit__request_of(link);
                coalesced_add(coalesced, req, &text);
                if (pipit__request_deadline_ms(req) > deadline_ms)
                        deadline_ms = pipit__request_deadline_ms(req);
        }
        if (sort != COALESCE_ORDINAL) /* those are sorted */
                qsort(coalesced->members, (size_t)coalesced->n, sizeof *coalesced->members,
                      sort == COALESCE_TEXT ? members_compare_text : members_compare_number);
        for (int i = 0; i < coalesced->n; i++)
                pipit__request_enter(coalesced->members[i].req, REQUEST_SENT, &member_ops,
                                     &coalesced->members[i]);
        pipit__request_set_deadline(coalesced->shared, deadline_ms);
}

/* Those that wait to join a rule are coalesced, or go on by themselves. */
static void
batch_pack(struct batch *batch, struct coalesce_rule *rule)
{
        struct coalesced *coalesced = rule->n_joining > 1 ? coalesced_start(rule) : NULL;

        if (coalesced != NULL) {
                coalesced_join(coalesced);
                batch->n -= rule->n_joining - 1;
                pipit__request_append(coalesced->shared, &batch->requests);
        } else {
                list_splice(&batch->requests, &rule->joining);
        }
        rule->n_joining = 0;
}

void
pipit__coalesce_pack(struct batch *batch)
{
        struct list all;
        struct list rules;

        if (batch->kind == SEGMENT_SINGLE || !batch->may_pack)
                return;
        list_init(&all);
        list_init(&rules);
        list_splice(&all, &batch->requests);
        while (!list_empty(&all)) {
                struct request *req = pipit__request_first(&all);
                struct coalesce_rule *rule = pipit__request_rule(req);
                bool joins = rule != NULL &&
                             pipit__coalesce_rule_may_join(rule, pipit__request_stmt(req));
                pipit__request_append(req, joins ? &rule->joining : &batch->requests);
                if (joins && rule->n_joining++ == 0)
                        list_push_back(&rules, &rule->link);
        }
        while (!list_empty(&rules)) {
                struct list *link = list_pop_first(&rules);
                batch_pack(batch, container_of(link, struct coalesce_rule, link));
        }
        if (batch->n == 1)
                batch->kind = SEGMENT_SINGLE;
}
