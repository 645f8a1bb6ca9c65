#include "segments.h"

#include <string.h>

static struct result_home home;
static struct stmt_cache stmt_cache;
struct stmt *stmt;
struct prepared prepared;
struct segments segments;
struct request requests[CAPACITY];

void
segments_setup(void)
{
        pipit__result_home_init(&home, NULL);
        ck_assert_int_eq(pipit__stmt_cache_init(&stmt_cache, SLOTS), 0);
        stmt = pipit__stmt_cache_get(&stmt_cache, "SELECT 1");
        ck_assert_int_eq(pipit__prepared_init(&prepared, SLOTS), 0);
        pipit__segments_init(&segments, &prepared);
        memset(requests, 0, sizeof requests);
        for (int i = 0; i < CAPACITY; i++)
                requests[i].res = pipit__result_new(&home);
}

void
segments_teardown(void)
{
        for (int i = 0; i < CAPACITY; i++)
                pipit_result_unref(requests[i].res);
        pipit__segments_fini(&segments);
        ck_assert_int_eq(stmt->refs, 1);
        pipit__stmt_unref(stmt);
        pipit__stmt_cache_fini(&stmt_cache);
        pipit__prepared_fini(&prepared);
        pipit__result_home_fini(&home);
}

void
push(enum expected_kind kind, enum segment_kind segment, struct request *req)
{
        bool has_stmt = kind == EXPECTED_PREPARE || kind == EXPECTED_STATEMENT;
        struct expected expected = {
                .kind = kind, .segment = segment, .req = req, .stmt = has_stmt ? stmt : NULL};

        ck_assert_int_eq(pipit__segments_reserve(&segments, 1), 0);
        pipit__segments_push(&segments, &expected);
}

void
push_statement(struct request *req)
{
        push(EXPECTED_STATEMENT, SEGMENT_SINGLE, req);
        push(EXPECTED_SYNC, SEGMENT_SINGLE, NULL);
}

void
push_group(enum segment_kind kind)
{
        for (int i = 0; i < CAPACITY; i++)
                push(EXPECTED_STATEMENT, kind, &requests[i]);
        push(EXPECTED_SYNC, kind, NULL);
}

struct pg_result *
answer(ExecStatusType status, const char *tag)
{
        PGresult *result = PQmakeEmptyPGresult(NULL, status);

        ck_assert_ptr_nonnull(result);
        strcpy(PQcmdStatus(result), tag);
        return result;
}

enum verdict
hear(ExecStatusType status, const char *tag)
{
        struct request *culprit;

        return pipit__segments_read(&segments, answer(status, tag), &culprit);
}

enum verdict
hear_end(void)
{
        struct request *culprit;

        return pipit__segments_read(&segments, NULL, &culprit);
}

void
hear_statement(void)
{
        ck_assert_int_eq(hear(PGRES_COMMAND_OK, "INSERT 0 1"), VERDICT_MORE);
        ck_assert_int_eq(hear_end(), VERDICT_MORE);
        ck_assert_int_eq(hear(PGRES_PIPELINE_SYNC, ""), VERDICT_SYNC);
}

void
expect_popped(const struct request *expected)
{
        struct expected popped;

        ck_assert(pipit__segments_pop(&segments, &popped));
        ck_assert_ptr_eq(popped.req, expected);
        pipit__stmt_unref(popped.stmt);
        ck_assert(!pipit__segments_pop(&segments, &popped));
        ck_assert_int_eq(popped.kind, EXPECTED_SYNC);
}
