/*
 * The replies to statements. See reply_statement.h.
 */
#include "conn/reply_statement.h"

#include "conn/prepared.h"
#include "conn/reply_queue_int.h"
#include "conn/reply_tag.h"
#include "request/request.h"
#include "request/stmt.h"
#include "request/stmt_types.h"
#include "result/result_error.h"
#include "result/rows.h"

/* ---- rows */

static void
take_rows(struct reply_queue *replies, const struct reply *reply, struct pg_result *answer)
{
        struct pipit_result *res = pipit__request_result(reply->req);

        pipit__rows_take(res, answer, PIPIT_EXECUTED_ROLLED_BACK);
        if (replies->prepared->rounded)
                pipit__rows_set_rounded(res);
}

enum reply_event
pipit__reply_take_rows(struct reply_queue *replies, struct reply *reply, struct pg_result *answer,
                       enum pq_kind kind, pipit__reply_tag_fn is_unshared)
{
        if (!pipit__reply_is_success(kind) || reply->skipped)
                return pipit__reply_take_other(replies, reply, answer, kind);
        const char *tag = pipit__pq_tag(answer);
        int64_t selected = pipit__pq_selected(tag);
        bool is_plain = selected >= 0 || pipit__tag_is_write(tag);
        bool unshared = !is_plain && is_unshared != NULL && is_unshared(replies, reply->stmt, tag);
        bool is_second = reply->answered;
        /* Rows that came out of place are not told otherwise: libpq drops them. */
        bool is_torn = kind == PQ_KIND_ROWS && selected >= 0 && selected != pipit__pq_rows(answer);

        if (reply->stmt != NULL)
                pipit__stmt_set_plain(reply->stmt, is_plain);
        if (!is_plain)
                pipit__prepared_note_tag(replies->prepared, reply->stmt, tag);
        if (reply->types != NULL && reply->types->is_binary &&
            !pipit__stmt_types_are_of(reply->types, answer))
                pipit__prepared_expire(replies->prepared, reply->stmt);
        reply->answered = reply->ran = true;
        if (reply->req != NULL && reply->over_limit == 0)
                take_rows(replies, reply, answer);
        else
                pipit__pq_clear(answer);
        if (is_second || is_torn)
                return REPLY_EVENT_BROKEN;
        return unshared ? REPLY_EVENT_UNSHARED : REPLY_EVENT_MORE;
}

static bool
tag_is_unshared(struct reply_queue *replies, const struct stmt *stmt, const char *tag)
{
        (void)replies;
        (void)stmt;
        return pipit__tag_is_unshared(tag);
}

static enum reply_event
shared_take(struct reply_queue *replies, struct reply *reply, struct pg_result *answer,
            enum pq_kind kind)
{
        return pipit__reply_take_rows(replies, reply, answer, kind, tag_is_unshared);
}

static enum reply_event
session_take(struct reply_queue *replies, struct reply *reply, struct pg_result *answer,
             enum pq_kind kind)
{
        return pipit__reply_take_rows(replies, reply, answer, kind, NULL);
}

enum reply_event
pipit__reply_complete_early(struct reply_queue *replies, struct reply *reply,
                            struct request **ret_done)
{
        if (replies->failed || reply->req == NULL)
                return REPLY_EVENT_MORE;
        /* A result over its bound dooms a transaction, so that the lease is to be told. */
        if (reply->over_limit != 0 && reply->ops->dooms_its_segment)
                return REPLY_EVENT_MORE;
        if (reply->over_limit != 0)
                pipit__reply_fail_over_limit(reply, PIPIT_EXECUTED_YES);
        *ret_done = reply->req;
        reply->req = NULL;
        replies->n_waiting--;
        return REPLY_EVENT_DONE;
}

/* ---- the end of the segment */

const struct segment_error *
pipit__settlement_doubt(const struct settlement *settlement)
{
        const struct segment_error *error = settlement->error;

        return error != NULL && error->leaves_doubt ? error : NULL;
}

struct retry_case
pipit__reply_retry_case(const struct reply *reply, const struct settlement *settlement)
{
        return (struct retry_case){.req = reply->req,
                                   .stmt = reply->stmt,
                                   .prepared = settlement->prepared,
                                   .skipped = reply->skipped,
                                   .typed = reply->types != NULL && !reply->ran,
                                   .is_bound_to_order = settlement->is_bound_to_order,
                                   .leased = settlement->lease_ops != NULL,
                                   .doubt = pipit__settlement_doubt(settlement),
                                   .unsuited = settlement->unsuited,
                                   .may_be_hit = settlement->may_be_hit};
}

typedef enum retry_decision (*retry_fn)(const struct retry_case *it);

static COLD bool
statement_runs_again(const struct reply *reply, struct settlement *settlement, retry_fn decide)
{
        struct retry_case it = pipit__reply_retry_case(reply, settlement);

        if (decide(&it) == RETRY_NONE)
                return false;
        pipit__request_append(reply->req, &settlement->again);
        return true;
}

/* Leaves a connection on which a statement has been answered and a transaction is open: whoever has
 * begun that, nothing in it is committed, and nobody knows what was before it. */
static COLD void
statement_leaves_open(const struct reply *reply, struct settlement *settlement)
{
        settlement->is_left = true;
        if (reply->req == NULL)
                return;
        pipit__result_fail(pipit__request_result(reply->req), PIPIT_EUNSHARED,
                           PIPIT_EXECUTED_UNKNOWN, PIPIT_PHASE_EXECUTE,
                           "a transaction was open after the statement, on a connection that other "
                           "requests share and that was closed: nobody knows what of it is "
                           "committed; transactions need a connection of their own");
        pipit__result_set_host(pipit__request_result(reply->req), settlement->host);
}

/* Lets a statement teach, and says whether its request is to be told of its end. */
static bool
statement_settles(const struct reply *reply, struct settlement *settlement,
                  enum segment_sharing sharing, retry_fn decide)
{
        if (!settlement->failed) {
                pipit__segment_teach(&settlement->lesson, reply->stmt, sharing);
                if (reply->req != NULL && reply->over_limit != 0)
                        pipit__reply_fail_over_limit(reply, PIPIT_EXECUTED_YES);
                if (settlement->is_open)
                        statement_leaves_open(reply, settlement);
                return reply->req != NULL;
        }
        if (reply->req == NULL)
                return false;
        if (reply->over_limit != 0)
                pipit__reply_fail_over_limit(reply, pipit__settlement_doubt(settlement) != NULL
                                                            ? PIPIT_EXECUTED_UNKNOWN
                                                            : PIPIT_EXECUTED_ROLLED_BACK);
        else if (statement_runs_again(reply, settlement, decide))
                return false;
        pipit__result_set_host(pipit__request_result(reply->req), settlement->host);
        return true;
}

static void
single_settle(const struct reply *reply, struct settlement *settlement)
{
        if (statement_settles(reply, settlement, SHARING_NONE, pipit__retry_single))
                settlement->done = reply->req;
}

static void
session_settle(const struct reply *reply, struct settlement *settlement)
{
        if (statement_settles(reply, settlement, SHARING_LEASE, pipit__retry_session))
                settlement->done = reply->req;
}

static void
read_settle(const struct reply *reply, struct settlement *settlement)
{
        if (statement_settles(reply, settlement, SHARING_SYNC, pipit__retry_read))
                settlement->done = reply->req; /* the culprit: at most one is left over */
}

/* A callback may close the connection: of those committed together each is to have its turn. */
static void
write_settle(const struct reply *reply, struct settlement *settlement)
{
        if (statement_settles(reply, settlement, SHARING_SYNC, pipit__retry_write))
                pipit__request_end(reply->req);
}

/* ---- the connection is lost */

/* Whether the server has skipped a statement, and not only libpq. */
static COLD bool
statement_was_skipped(const struct reply *reply, const struct settlement *settlement)
{
        return reply->skipped && pipit__settlement_doubt(settlement) == NULL;
}

/* Has a statement run elsewhere if what the server has said of it so far is that it did not run. */
static COLD void
statement_lost(const struct reply *reply, struct settlement *settlement, retry_fn decide)
{
        if (reply->req == NULL)
                return;
        if (pipit_failed(pipit__request_result(reply->req)) &&
            statement_runs_again(reply, settlement, decide))
                return;
        if (!pipit_failed(pipit__request_result(reply->req)) &&
            (statement_was_skipped(reply, settlement) ||
             pipit__retry_lost(reply->req, settlement->idle) == RETRY_AGAIN))
                pipit__request_append(reply->req, &settlement->again);
        else
                pipit__reply_fail_lost(reply, settlement,
                                       settlement->idle ? PIPIT_EXECUTED_NO
                                                        : PIPIT_EXECUTED_UNKNOWN);
}

static COLD void
single_lost(const struct reply *reply, struct settlement *settlement)
{
        statement_lost(reply, settlement, pipit__retry_single);
}

static COLD void
read_lost(const struct reply *reply, struct settlement *settlement)
{
        statement_lost(reply, settlement, pipit__retry_read);
}

static COLD void
write_lost(const struct reply *reply, struct settlement *settlement)
{
        statement_lost(reply, settlement, pipit__retry_write);
}

/* The lease had this session, and another connection is another one. */
void
pipit__reply_lost_with_lease(const struct reply *reply, struct settlement *settlement)
{
        if (reply->req != NULL)
                pipit__reply_fail_lost(reply, settlement,
                                       settlement->idle ? PIPIT_EXECUTED_NO
                                                        : PIPIT_EXECUTED_UNKNOWN);
}

const struct reply_ops pipit__reply_single = {.name = "statement",
                                              .is_waited_for = true,
                                              .take = shared_take,
                                              .settle = single_settle,
                                              .lost = single_lost};

const struct reply_ops pipit__reply_read = {.name = "read that shares its Sync",
                                            .is_waited_for = true,
                                            .take = shared_take,
                                            .end = pipit__reply_complete_early,
                                            .settle = read_settle,
                                            .lost = read_lost};

const struct reply_ops pipit__reply_write = {.name = "write that shares its Sync",
                                             .is_waited_for = true,
                                             .take = shared_take,
                                             .settle = write_settle,
                                             .lost = write_lost};

const struct reply_ops pipit__reply_session = {.name = "statement of a session",
                                               .is_waited_for = true,
                                               .take = session_take,
                                               .settle = session_settle,
                                               .lost = pipit__reply_lost_with_lease};
