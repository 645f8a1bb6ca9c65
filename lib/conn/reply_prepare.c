/*
 * The replies to what prepares a statement. See reply_prepare.h.
 */
#include "conn/reply_prepare.h"

#include "conn/conn.h"
#include "conn/prepared.h"
#include "conn/reply_queue_int.h"
#include "request/request.h"
#include "request/stmt.h"
#include "request/stmt_types.h"
#include "result/result_error.h"

/* A Close that was skipped leaves a statement on the server that nobody here knows any more. */
static COLD enum reply_event
close_end(struct reply_queue *replies, struct reply *reply, struct request **ret_done)
{
        (void)reply;
        (void)ret_done;
        if (replies->failed)
                pipit__prepared_lose(replies->prepared);
        return REPLY_EVENT_MORE;
}

static COLD enum reply_event
prepare_end(struct reply_queue *replies, struct reply *reply, struct request **ret_done)
{
        (void)ret_done;
        if (replies->failed)
                pipit__prepared_fail(replies->prepared, reply->stmt);
        return REPLY_EVENT_MORE;
}

/* Takes the types of a statement's parameters and columns. */
static COLD struct stmt_types *
types_of_answer(struct stmt *stmt, const struct pg_result *answer)
{
        int n_params = pipit__pq_param_types(answer, 0, NULL);
        int n_columns = pipit__pq_column_types(answer, 0, NULL);
        struct stmt_types *types = pipit__stmt_types_new(n_params, n_columns);

        if (types == NULL)
                return NULL;
        pipit__pq_param_types(answer, n_params, types->params);
        pipit__pq_column_types(answer, n_columns, types->columns);
        return pipit__stmt_learn(stmt, types);
}

static COLD enum reply_event
describe_take(struct reply_queue *replies, struct reply *reply, struct pg_result *answer,
              enum pq_kind kind)
{
        if (!pipit__reply_is_success(kind) || reply->answered)
                return pipit__reply_take_other(replies, reply, answer, kind);
        reply->types = types_of_answer(reply->stmt, answer);
        return pipit__reply_take_plain(replies, reply, answer, kind);
}

/* Notes the types at the end, which comes also if the Describe was skipped. */
static COLD enum reply_event
describe_end(struct reply_queue *replies, struct reply *reply, struct request **ret_done)
{
        (void)ret_done;
        pipit__prepared_describe(replies->prepared, reply->stmt, reply->types);
        return REPLY_EVENT_MORE;
}

/* ---- a request that waits for types */

/* Has a request run again that knows its types now; any other has failed. */
static COLD bool
types_have_it_run(const struct reply *reply, struct settlement *settlement)
{
        struct pipit_result *res = pipit__request_result(reply->req);

        if (!settlement->failed && reply->types != NULL) {
                pipit__request_append(reply->req, &settlement->again);
                return true;
        }
        if (!pipit_failed(res))
                pipit__result_fail(res, PIPIT_ENOMEM, PIPIT_EXECUTED_NO, PIPIT_PHASE_EXECUTE,
                                   "no memory for the types of the statement");
        pipit__result_set_host(res, settlement->host);
        return false;
}

static COLD void
session_types_settle(const struct reply *reply, struct settlement *settlement)
{
        if (reply->req != NULL && !types_have_it_run(reply, settlement))
                settlement->done = reply->req;
}

static COLD void
tx_types_settle(const struct reply *reply, struct settlement *settlement)
{
        if (reply->req != NULL && !types_have_it_run(reply, settlement))
                settlement->lease_ops->answered(reply->req,
                                                reply->skipped ? settlement->error : NULL, false,
                                                settlement->lease_arg);
}

/* Nothing of the statement has run. */
static COLD void
types_lost(const struct reply *reply, struct settlement *settlement)
{
        if (reply->req != NULL)
                pipit__reply_fail_lost(reply, settlement, PIPIT_EXECUTED_ROLLED_BACK);
}

const struct reply_ops pipit__reply_close = {
        .name = "Close", .take = pipit__reply_take_plain, .end = close_end};

const struct reply_ops pipit__reply_prepare = {
        .name = "Prepare", .take = pipit__reply_take_plain, .end = prepare_end};

const struct reply_ops pipit__reply_describe = {
        .name = "Describe", .take = describe_take, .end = describe_end};

const struct reply_ops pipit__reply_session_types = {.name = "types of a session's statement",
                                                     .is_waited_for = true,
                                                     .take = describe_take,
                                                     .end = describe_end,
                                                     .settle = session_types_settle,
                                                     .lost = types_lost};

const struct reply_ops pipit__reply_tx_types = {.name = "types of a transaction's statement",
                                                .is_waited_for = true,
                                                .dooms_its_segment = true,
                                                .take = describe_take,
                                                .end = describe_end,
                                                .settle = tx_types_settle,
                                                .lost = types_lost};
