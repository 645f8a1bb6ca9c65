/*
 * The replies to what runs inside of a transaction. See reply_transaction.h.
 */
#include "conn/reply_transaction.h"

#include <string.h>

#include "conn/conn.h"
#include "conn/reply_queue_int.h"
#include "conn/reply_tag.h"
#include "request/request.h"
#include "request/stmt.h"
#include "request/stmt_text.h"
#include "result/result_error.h"

/* Notes what outlives the transaction, and whether a statement has ended that. */
static bool
tag_is_unshared(struct reply_queue *replies, const struct stmt *stmt, const char *tag)
{
        bool ends_with_it = strncmp(tag, "SET", 3) == 0 && stmt != NULL &&
                            pipit__stmt_text_sets_locally(pipit__stmt_sql(stmt));

        replies->dirty |= pipit__tag_is_dirty(tag) && !ends_with_it;
        return pipit__tag_ends_transaction(tag);
}

static enum reply_event
tx_take(struct reply_queue *replies, struct reply *reply, struct pg_result *answer,
        enum pq_kind kind)
{
        return pipit__reply_take_rows(replies, reply, answer, kind, tag_is_unshared);
}

/* Tells the lease of a statement that has failed or was skipped: any other one is done before. */
static void
tx_settle(const struct reply *reply, struct settlement *settlement)
{
        struct request *req = reply->req;
        bool stale = false;

        if (!settlement->failed)
                pipit__segment_teach(&settlement->lesson, reply->stmt, SHARING_LEASE);
        if (req == NULL)
                return;
        if (reply->over_limit != 0)
                pipit__reply_fail_over_limit(reply, PIPIT_EXECUTED_ROLLED_BACK);
        if (settlement->failed && pipit_failed(pipit__request_result(req))) {
                struct retry_case it = pipit__reply_retry_case(reply, settlement);
                stale = pipit__retry_note(&it);
        }
        pipit__result_set_host(pipit__request_result(req), settlement->host);
        settlement->lease_ops->answered(req, reply->skipped ? settlement->error : NULL, stale,
                                        settlement->lease_arg);
}

/* With the segment the COMMIT is answered, too: a statement whose result is over its bound is known
 * to be committed, and dooms nothing any more. */
static void
tx_committed_settle(const struct reply *reply, struct settlement *settlement)
{
        if (settlement->failed || reply->req == NULL || reply->over_limit == 0) {
                tx_settle(reply, settlement);
                return;
        }
        pipit__segment_teach(&settlement->lesson, reply->stmt, SHARING_LEASE);
        pipit__reply_fail_over_limit(reply, PIPIT_EXECUTED_YES);
        pipit__request_end(reply->req);
}

static COLD void
tx_lost(const struct reply *reply, struct settlement *settlement)
{
        enum pipit_executed executed = PIPIT_EXECUTED_ROLLED_BACK;

        if (reply->req == NULL)
                return;
        if (settlement->idle)
                executed = PIPIT_EXECUTED_NO;
        else if (settlement->tx_may_be_done)
                executed = PIPIT_EXECUTED_UNKNOWN;
        pipit__reply_fail_lost(reply, settlement, executed);
}

const struct reply_ops pipit__reply_tx_command = {.name = "command of a transaction",
                                                  .take = pipit__reply_take_plain};

const struct reply_ops pipit__reply_tx_statement = {.name = "statement of a transaction",
                                                    .is_waited_for = true,
                                                    .dooms_its_segment = true,
                                                    .take = tx_take,
                                                    .end = pipit__reply_complete_early,
                                                    .settle = tx_settle,
                                                    .lost = tx_lost};

const struct reply_ops pipit__reply_tx_committed = {.name = "statement before its COMMIT",
                                                    .is_waited_for = true,
                                                    .dooms_its_segment = true,
                                                    .take = tx_take,
                                                    .end = pipit__reply_complete_early,
                                                    .settle = tx_committed_settle,
                                                    .lost = pipit__reply_lost_with_lease};
