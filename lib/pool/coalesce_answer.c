/*
 * The answer to a coalesced statement, dealt to its members. See coalesce.h.
 */
#include <pipit/error.h>
#include <pipit/item.h>
#include <string.h>

#include "conn/retry.h"
#include "pool/coalesce_int.h"
#include "pool/coalesce_rule.h"
#include "request/latency.h"
#include "request/request.h"
#include "request/requests.h"
#include "result/result_error.h"
#include "result/rows.h"

static int
keys_compare(enum coalesce_key sort, const struct key *a, const struct key *b)
{
        if (sort == COALESCE_TEXT)
                return strcmp(a->text, b->text);
        return (a->number > b->number) - (a->number < b->number);
}

/* Whether a member may run by itself after a loss of the connection, which counts for each. */
static bool
member_runs_again(struct request *req, const struct pipit_error *lost)
{
        return lost == NULL ||
               pipit__retry_lost(req, lost->executed == PIPIT_EXECUTED_NO) == RETRY_AGAIN;
}

/* Runs by themselves those that are still members. lost: the loss of the connection for which they
 * do; or NULL. */
static void
coalesced_dissolve(struct coalesced *coalesced, const struct pipit_error *lost)
{
        struct list again;

        list_init(&again);
        for (int i = 0; i < coalesced->n; i++) {
                struct request *req = coalesced->members[i].req;
                if (req == NULL)
                        continue;
                if (!member_runs_again(req, lost)) {
                        pipit__request_fail_like(req, lost);
                        continue;
                }
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
                        /* A write has one row; of a read any row that was found will do. */
                        bool doubtful = sort == COALESCE_ORDINAL && member->row != ROW_NONE;
                        member->row = doubtful ? ROW_DOUBTFUL : row;
                        coalesced->is_unclear = coalesced->is_unclear || doubtful;
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
                /* A key with other bytes can be equal to the server, which is asked again. */
                if (req == NULL || (row == ROW_NONE && is_text))
                        continue;
                if (row == ROW_NONE && coalesced->is_unclear)
                        row = ROW_DOUBTFUL;
                member_show(req, res, coalesced->rule, row);
                pipit__request_complete(req);
        }
        coalesced_dissolve(coalesced, NULL);
}

/* Fails the members whose rows were written, because the answer cannot be read. */
static void
coalesced_fail_unread(struct coalesced *coalesced, int code)
{
        struct pipit_error error = {.code = (enum pipit_code)code,
                                    .executed = PIPIT_EXECUTED_YES,
                                    .phase = PIPIT_PHASE_RESULT,
                                    .message = "the answer to many creates cannot be read"};

        coalesced_fail(coalesced, &error);
}

/* Whether the members of what failed may be run again: the server undid it or did not run it, or
 * all it did was to read, too much at once or on a connection that was lost. */
static bool
error_allows_again(const struct coalesced *coalesced, const struct pipit_error *error)
{
        bool is_of_reads = error->code == PIPIT_ELIMIT || error->code == PIPIT_ELOST;

        return error->executed == PIPIT_EXECUTED_ROLLED_BACK ||
               (error->code == PIPIT_ELOST && error->executed == PIPIT_EXECUTED_NO) ||
               (is_of_reads && pipit__request_is_read(coalesced->shared));
}

/* The callback of the shared request. */
void
pipit__coalesced_on_done(struct pipit_result *res, void *arg)
{
        struct coalesced *coalesced = arg;
        const struct pipit_error *error = pipit_result_error(res);
        bool again = error != NULL && error_allows_again(coalesced, error);

        if (error == NULL || again)
                pipit__coalesce_rule_done(coalesced->rule, again);
        if (error != NULL) {
                if (again)
                        coalesced_dissolve(coalesced, error->code == PIPIT_ELOST ? error : NULL);
                else
                        coalesced_fail(coalesced, error);
                return;
        }
        coalesced_teach(coalesced);
        int code = coalesced_sort_rows(coalesced, res);
        if (code == 0)
                coalesced_deliver(coalesced, res);
        else if (pipit__request_is_read(coalesced->shared))
                coalesced_dissolve(coalesced, NULL);
        else
                coalesced_fail_unread(coalesced, code);
}
