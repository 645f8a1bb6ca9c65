#include "replies.h"

#include <string.h>

static struct result_owner owner;
static struct stmt_cache stmt_cache;
struct stmt *stmt;
struct prepared prepared;
struct reply_queue replies;
struct request requests[CAPACITY];

void
replies_setup(void)
{
        pipit__result_owner_init(&owner, NULL);
        ck_assert_int_eq(pipit__stmt_cache_init(&stmt_cache, SLOTS), 0);
        stmt = pipit__stmt_cache_get(&stmt_cache, "SELECT 1");
        ck_assert_int_eq(pipit__prepared_init(&prepared, SLOTS), 0);
        pipit__reply_queue_init(&replies, &prepared);
        memset(requests, 0, sizeof requests);
        for (int i = 0; i < CAPACITY; i++)
                requests[i].res = pipit__result_new(&owner);
}

void
replies_teardown(void)
{
        for (int i = 0; i < CAPACITY; i++)
                pipit_result_unref(requests[i].res);
        pipit__reply_queue_fini(&replies);
        ck_assert_int_eq(stmt->refs, 1);
        pipit__stmt_unref(stmt);
        pipit__stmt_cache_fini(&stmt_cache);
        pipit__prepared_fini(&prepared);
        pipit__result_owner_fini(&owner);
}

void
push(enum reply_kind kind, enum segment_kind segment, struct request *req)
{
        bool has_stmt = kind == REPLY_PREPARE || kind == REPLY_STATEMENT;
        struct reply reply = {
                .kind = kind, .segment = segment, .req = req, .stmt = has_stmt ? stmt : NULL};

        ck_assert_int_eq(pipit__reply_queue_reserve(&replies, 1), 0);
        pipit__reply_queue_push(&replies, &reply);
}

void
push_statement(struct request *req)
{
        push(REPLY_STATEMENT, SEGMENT_SINGLE, req);
        push(REPLY_SYNC, SEGMENT_SINGLE, NULL);
}

void
push_group(enum segment_kind kind)
{
        for (int i = 0; i < CAPACITY; i++)
                push(REPLY_STATEMENT, kind, &requests[i]);
        push(REPLY_SYNC, kind, NULL);
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
        struct request *culprit;

        return pipit__reply_queue_read(&replies, answer(status, tag), &culprit);
}

enum reply_event
hear_end(void)
{
        struct request *culprit;

        return pipit__reply_queue_read(&replies, NULL, &culprit);
}

void
hear_statement(void)
{
        ck_assert_int_eq(hear(PGRES_COMMAND_OK, "INSERT 0 1"), REPLY_EVENT_MORE);
        ck_assert_int_eq(hear_end(), REPLY_EVENT_MORE);
        ck_assert_int_eq(hear(PGRES_PIPELINE_SYNC, ""), REPLY_EVENT_SYNC);
}

void
expect_popped(const struct request *reply)
{
        struct reply popped;

        ck_assert(pipit__reply_queue_pop(&replies, &popped));
        ck_assert_ptr_eq(popped.req, reply);
        pipit__stmt_unref(popped.stmt);
        ck_assert(!pipit__reply_queue_pop(&replies, &popped));
        ck_assert_int_eq(popped.kind, REPLY_SYNC);
}
