/*
 * What the tests of statements that run together share: one connection, on which all that is
 * started in a turn waits for the same moment.
 */
#ifndef TEST_BATCHS_H
#define TEST_BATCHS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "records.h"

/* More than enough uses for a statement to be known as fast. */
#define WARM 6

#define BATCH 100

/* Of a batch: each request with calls of its own. */
static struct calls members[BATCH];
static pipit_request numbers[BATCH];
static int n_members;

/* Opens live_db again, in the same schema. */
static inline void
reopen_with(struct pipit_options options)
{
        char path[40];

        snprintf(path, sizeof path, "pipit_%d", (int)getpid());
        options.search_path = path;
        live_reopen(&options);
}

/* Counts a member's call, and has its result until the next batch. */
static inline void
on_member(struct pipit_result *res, void *arg)
{
        struct calls *member = arg;

        member->n++;
        pipit_result_unref(member->last);
        member->last = pipit_result_ref(res);
}

static inline void
batch_begin(void)
{
        for (int i = 0; i < BATCH; i++)
                pipit_result_unref(members[i].last);
        memset(members, 0, sizeof members);
        n_members = 0;
}

/* The calls of the next member. */
static inline struct calls *
next_member(void)
{
        ck_assert_int_lt(n_members, BATCH);
        return &members[n_members];
}

/* It was started. */
static inline void
joined(pipit_request number)
{
        ck_assert_uint_ne(number, 0);
        numbers[n_members++] = number;
}

/* Waits for all members; each is called once. */
static inline void
batch_end(void)
{
        for (int i = 0; i < n_members; i++)
                loop_until(&members[i].n, 1);
        for (int i = 0; i < n_members; i++)
                ck_assert_int_eq(members[i].n, 1);
}

static inline int
n_failed(void)
{
        int n = 0;

        for (int i = 0; i < n_members; i++)
                n += pipit_failed(members[i].last);
        return n;
}

/* All have succeeded but one, which has failed so. */
static inline void
expect_one_failed(int culprit, int code, const char *sqlstate)
{
        for (int i = 0; i < n_members; i++) {
                if (i != culprit)
                        expect_ok(members[i].last);
        }
        expect_error(members[culprit].last, code, sqlstate);
}

/* Turns the loop until n members have ended; allocates nothing of the test's own. */
static inline void
turn_until_ended(int n)
{
        for (int i = 0; i < n; i++) {
                while (members[i].n == 0)
                        event_base_loop(live_base, EVLOOP_ONCE);
        }
}

static inline void
batch_teardown(void)
{
        batch_begin();
        live_schema_teardown();
}

/* The only value of a query, as a number. */
static inline int64_t
number_of(const char *sql)
{
        struct pipit_result *res = query(sql, PIPIT_NO_PARAMS);
        int64_t number = -1;

        expect_ok(res);
        ck_assert_int_eq(pipit_result_int64(res, 0, 0, &number), 0);
        return number;
}

/* Statements that made the rows of a table; one statement's rows have the same transaction and
 * command. */
static inline int64_t
n_statements(const char *table)
{
        char sql[100];

        snprintf(sql, sizeof sql, "SELECT count(DISTINCT xmin::text || cmin::text) FROM %s", table);
        return number_of(sql);
}

#endif
