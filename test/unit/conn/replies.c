#include "replies.h"

#include <event2/event.h>
#include <string.h>

#include "conn/conn.h"
#include "loop/reactor.h"
#include "result/result_error.h"

static struct event_base *base;
static struct reactor *reactor;
static struct requests all;
static struct result_owner owner;
static struct stmt_cache stmt_cache;
static struct latency_scale scale;
static struct segment_timing timing;
struct stmt *stmt;
struct prepared prepared;
struct reply_queue replies;
struct request *requests[CAPACITY];
struct request *done;
struct settlement settlement;
struct told told;

static void
on_turn(void *arg)
{
        (void)arg;
}

static void
on_again(struct request *req, void *arg)
{
        (void)req;
        (void)arg;
}

static void
on_gone(struct pipit *scope, void *arg)
{
        (void)scope;
        (void)arg;
}

static const struct requests_ops requests_ops = {.gone = on_gone, .again = on_again};

void
replies_setup(void)
{
        pipit__result_owner_init(&owner, NULL);
        base = event_base_new();
        reactor = pipit__reactor_new(base, 0, on_turn, NULL);
        ck_assert_int_eq(pipit__requests_init(&all, reactor, &requests_ops, NULL), 0);
        ck_assert_int_eq(pipit__stmt_cache_init(&stmt_cache, SLOTS), 0);
        stmt = pipit__stmt_cache_get(&stmt_cache, "SELECT 1");
        ck_assert_int_eq(pipit__prepared_init(&prepared, SLOTS), 0);
        pipit__reply_queue_init(&replies, &prepared);
        for (int i = 0; i < CAPACITY; i++)
                requests[i] = pipit__request_new(&all, &owner, 0, NULL, NULL);
        done = NULL;
        told = (struct told){0};
        scale = (struct latency_scale){0};
}

void
replies_teardown(void)
{
        pipit__requests_discard(&all);
        pipit__requests_fini(&all);
        pipit__reactor_free(reactor);
        event_base_free(base);
        pipit__reply_queue_fini(&replies);
        ck_assert_int_eq(stmt->refs, 1);
        pipit__stmt_unref(stmt);
        pipit__stmt_cache_fini(&stmt_cache);
        pipit__prepared_fini(&prepared);
        pipit__result_owner_fini(&owner);
}

void
push(const struct reply_ops *ops, struct request *req)
{
        bool has_stmt = ops == &pipit__reply_prepare || ops == &pipit__reply_describe ||
                        (ops->is_waited_for && ops != &pipit__reply_commit);

        ck_assert_int_eq(pipit__reply_queue_reserve(&replies, 1), 0);
        pipit__reply_queue_push(&replies, ops, req, has_stmt ? stmt : NULL);
}

static void
push_sync_of(const struct reply_ops *ops, struct request *commit, int n)
{
        struct sending segment = {.sent_us = 1, .n_statements = n};

        ck_assert_int_eq(pipit__reply_queue_reserve(&replies, 1), 0);
        pipit__reply_queue_push_sync(&replies, ops, commit, &segment);
}

void
push_sync(int n)
{
        push_sync_of(&pipit__reply_sync, NULL, n);
}

void
push_commit_by_sync(struct request *commit)
{
        push_sync_of(&pipit__reply_sync_commit, commit, 0);
}

void
push_statement(struct request *req)
{
        push(&pipit__reply_single, req);
        push_sync(1);
}

void
push_group(const struct reply_ops *ops)
{
        for (int i = 0; i < CAPACITY; i++)
                push(ops, requests[i]);
        push_sync(CAPACITY);
}

void
fail_segment(void)
{
        replies.failed = true;
}

void
fail_request(struct request *req, const char *sqlstate)
{
        struct pipit_error error = {.code = PIPIT_ESERVER,
                                    .executed = PIPIT_EXECUTED_ROLLED_BACK,
                                    .phase = PIPIT_PHASE_EXECUTE,
                                    .message = "no"};

        strcpy(error.sqlstate, sqlstate);
        pipit__result_fail_like(req->res, &error);
        fail_segment();
}

struct pg_result *
answer(ExecStatusType status, const char *tag)
{
        PGresult *result = PQmakeEmptyPGresult(NULL, status);

        ck_assert_ptr_nonnull(result);
        strcpy(PQcmdStatus(result), tag);
        return result;
}

enum reply_event
hear(ExecStatusType status, const char *tag)
{
        struct pg_result *result = answer(status, tag);

        return pipit__reply_queue_read(&replies, result, pipit__pq_kind(result), &done);
}

enum reply_event
hear_end(void)
{
        return pipit__reply_queue_read(&replies, NULL, PQ_KIND_SYNC, &done);
}

void
hear_done(const char *tag, enum reply_event at_end)
{
        ck_assert_int_eq(hear(PGRES_COMMAND_OK, tag), REPLY_EVENT_MORE);
        ck_assert_int_eq(hear_end(), at_end);
}

void
hear_skipped(void)
{
        ck_assert_int_eq(hear(PGRES_PIPELINE_ABORTED, ""), REPLY_EVENT_MORE);
        ck_assert_int_eq(hear_end(), REPLY_EVENT_MORE);
}

void
hear_sync(void)
{
        ck_assert_int_eq(hear(PGRES_PIPELINE_SYNC, ""), REPLY_EVENT_SYNC);
}

static void
on_lease_answered(struct request *req, const struct segment_error *skipped_for, bool stale,
                  void *arg)
{
        ck_assert_ptr_eq(arg, &told);
        told.answered = req;
        told.skipped = skipped_for != NULL;
        told.stale = stale;
}

static void
on_lease_ended(struct request *commit, bool committed, void *arg)
{
        ck_assert_ptr_eq(arg, &told);
        told.ended = commit;
        told.committed = committed;
}

static const struct lease_ops lease_ops = {.answered = on_lease_answered, .ended = on_lease_ended};

static void
settlement_begin(const struct conn_error *cause)
{
        settlement = (struct settlement){.host = "somewhere",
                                         .may_be_hit = settlement.may_be_hit,
                                         .cause = cause,
                                         .lease_ops = &lease_ops,
                                         .lease_arg = &told};
        list_init(&settlement.again);
}

void
settle(void)
{
        timing = pipit__segment_time(&scale, pipit__reply_queue_read_segment(&replies),
                                     pipit__reply_queue_read_segment(&replies), true, 0, 1000);
        settlement_begin(NULL);
        settlement.lesson.timing = &timing;
        pipit__reply_queue_settle(&replies, &settlement);
        pipit__segment_taught(&settlement.lesson);
}

void
lose(void)
{
        static const struct conn_error cause = {
                .sqlstate = "57P01", .host = "somewhere", .text = "it went down"};

        settlement_begin(&cause);
        pipit__reply_queue_lose(&replies, &settlement);
}

void
expect_settled(const struct request *req)
{
        hear_sync();
        settle();
        ck_assert_ptr_eq(settlement.done, req);
        ck_assert(list_empty(&settlement.again));
}

void
expect_again(int n, struct request *const *reqs)
{
        for (int i = 0; i < n; i++)
                ck_assert_ptr_eq(list_pop_first(&settlement.again), &reqs[i]->link);
        ck_assert(list_empty(&settlement.again));
}

void
expect_lost(const struct request *req, enum pipit_executed executed)
{
        const struct pipit_error *error = pipit_result_error(req->res);

        ck_assert_int_eq(req->state, REQUEST_ENDING);
        ck_assert_ptr_nonnull(error);
        ck_assert_int_eq(error->code, PIPIT_ELOST);
        ck_assert_int_eq(error->executed, executed);
        ck_assert_str_eq(error->sqlstate, "57P01");
}
