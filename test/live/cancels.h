/*
 * What the tests of cancels that reach the server share.
 */
#ifndef TEST_CANCELS_H
#define TEST_CANCELS_H

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "witness.h"

/* The server of a database that others use too: so that its statements can be told. */
static inline const char *
named_url(const char *url)
{
        char more[60];

        snprintf(more, sizeof more, "&application_name=cancels_%d", (int)getpid());
        return url_with(url, more);
}

/* The query that counts those of live_db's statements that are in pg_sleep(). */
static inline const char *
sleeping_sql(void)
{
        static char sql[200];

        snprintf(sql, sizeof sql,
                 "SELECT count(*) FROM pg_stat_activity "
                 "WHERE application_name = 'cancels_%d' AND wait_event = 'PgSleep'",
                 (int)getpid());
        return sql;
}

/* Waits until there are so many. */
static inline void
wait_for_sleeping(const char *url, int n)
{
        ask_until(url, sleeping_sql(), n);
}

/* Opens live_db on so many connections, and waits for one of them. */
static inline void
open_connections(int n)
{
        struct pipit_options options = journal_options();

        options.max_connections = n;
        live_open(named_url(live_url()), &options);
        execute("SELECT 1");
}

static inline pipit_request
start(const char *sql, struct calls *told)
{
        pipit_request number = pipit_query(live_db, sql, PIPIT_NO_PARAMS, on_call, told);

        ck_assert_uint_ne(number, 0);
        return number;
}

static inline pipit_request
start_read(const char *sql, struct pipit_params params, struct calls *told)
{
        pipit_request number = pipit_read(live_db, sql, params, on_call, told);

        ck_assert_uint_ne(number, 0);
        return number;
}

/* The server process of the only connection. */
static inline int
backend(void)
{
        int32_t pid = 0;
        struct pipit_result *res = query("SELECT pg_backend_pid()", PIPIT_NO_PARAMS);

        expect_ok(res);
        ck_assert_int_eq(pipit_result_int32(res, 0, 0, &pid), 0);
        return pid;
}

static inline void
expect_unknown(struct pipit_result *res, int code)
{
        expect_error(res, code, "");
        ck_assert_int_eq(pipit_result_error(res)->executed, PIPIT_EXECUTED_UNKNOWN);
}

#endif
