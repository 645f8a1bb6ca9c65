/*
 * The replies to what prepares a statement. See reply_prepare.h.
 */
#include "conn/reply_prepare.h"

#include "conn/prepared.h"
#include "conn/reply_queue_int.h"
#include "request/stmt.h"
#include "value/binary.h"

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
                pipit__prepared_drop(replies->prepared, reply->stmt);
        return REPLY_EVENT_MORE;
}

/* Takes the types of a statement's parameters and columns. */
static COLD enum reply_event
describe_take(struct reply_queue *replies, struct reply *reply, struct pg_result *answer,
              enum pq_kind kind)
{
        uint32_t params[STMT_MAX_TYPES];
        uint32_t columns[STMT_MAX_TYPES];

        if (!pipit__reply_is_success(kind) || reply->answered)
                return pipit__reply_take_other(replies, reply, answer, kind);
        int n_params = pipit__pq_param_types(answer, STMT_MAX_TYPES, params);
        int n_columns = pipit__pq_column_types(answer, STMT_MAX_TYPES, columns);
        if (n_params <= STMT_MAX_TYPES)
                pipit__stmt_learn(reply->stmt, n_params, params,
                                  n_columns <= STMT_MAX_TYPES &&
                                          pipit__binary_suits(columns, n_columns));
        return pipit__reply_take_plain(replies, reply, answer, kind);
}

const struct reply_ops pipit__reply_close = {
        .name = "Close", .take = pipit__reply_take_plain, .end = close_end};

const struct reply_ops pipit__reply_prepare = {
        .name = "Prepare", .take = pipit__reply_take_plain, .end = prepare_end};

const struct reply_ops pipit__reply_describe = {.name = "Describe", .take = describe_take};
