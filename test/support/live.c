#include "live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bases.h"

#define MAX_KEPT 1000

struct event_base *live_base;
struct pipit *live_db;

static struct pipit_result *kept[MAX_KEPT];
static int n_kept;

const char *
live_url(void)
{
        return getenv("PIPIT_TEST_URL");
}

void
live_setup_on(int kind)
{
        live_base = base_new(kind);
        live_db = pipit_open(live_base, live_url(), NULL);
        ck_assert_ptr_nonnull(live_db);
}

void
live_setup(void)
{
        live_setup_on(0);
}

void
live_reopen(const struct pipit_options *options)
{
        pipit_close(live_db);
        live_db = pipit_open(live_base, live_url(), options);
        ck_assert_ptr_nonnull(live_db);
}

void
live_teardown(void)
{
        pipit_close(live_db);
        live_db = NULL;
        loop_until(NULL, 0);
        /* Whatever is still there would keep a program from ending by itself. */
        ck_assert_int_eq(event_base_get_num_events(live_base, EVENT_BASE_COUNT_ADDED |
                                                                      EVENT_BASE_COUNT_ACTIVE),
                         0);
        while (n_kept > 0)
                pipit_result_unref(kept[--n_kept]);
        event_base_free(live_base);
        live_base = NULL;
}

struct pipit_result *
keep(struct pipit_result *res)
{
        ck_assert_int_lt(n_kept, MAX_KEPT);
        kept[n_kept++] = pipit_result_ref(res);
        return res;
}

/* Drops a kept result before the test's end. */
static void
forget(struct pipit_result *res)
{
        int i = n_kept - 1;

        while (i >= 0 && kept[i] != res)
                i--;
        ck_assert_int_ge(i, 0);
        kept[i] = kept[--n_kept];
        pipit_result_unref(res);
}

void
on_call(struct pipit_result *res, void *arg)
{
        struct calls *calls = arg;

        calls->n++;
        if (n_kept < MAX_KEPT)
                keep(res);
        calls->last = res;
}

static void
on_time(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        *(bool *)arg = true;
}

static int64_t
patience_ms(void)
{
        const char *text = getenv("PIPIT_TEST_PATIENCE_MS");

        return text != NULL ? strtol(text, NULL, 10) : 30000;
}

/* Turns the loop until *count has reached n, or, without a count, until it ends by itself; at most
 * for so long. Whether it got there. */
static bool
loop_turn(const int *count, int n, int64_t ms)
{
        bool over = false;
        struct timeval tv = {ms / 1000, ms % 1000 * 1000};
        struct event *timer = event_new(live_base, -1, 0, on_time, &over);
        int left = 0;

        ck_assert_int_eq(event_add(timer, &tv), 0);
        while (!over && left == 0 && (count == NULL || *count < n)) {
                if (count == NULL &&
                    event_base_get_num_events(live_base, EVENT_BASE_COUNT_ADDED |
                                                                 EVENT_BASE_COUNT_ACTIVE) == 1)
                        break;
                left = event_base_loop(live_base, EVLOOP_ONCE);
        }
        event_free(timer);
        return count != NULL ? *count >= n : !over;
}

void
loop_until(const int *count, int n)
{
        if (!loop_turn(count, n, patience_ms()))
                ck_abort_msg("waited in vain: %d of %d", count != NULL ? *count : 0, n);
}

void
loop_for(int64_t ms)
{
        static const int never = 0;

        loop_turn(&never, 1, ms);
}

struct pipit_result *
answer(struct calls *calls)
{
        loop_until(&calls->n, 1);
        ck_assert_int_eq(calls->n, 1);
        return calls->last;
}

struct pipit_result *
query_on(struct pipit *scope, const char *sql, struct pipit_params params)
{
        struct calls calls = {0};

        ck_assert_uint_ne(pipit_query(scope, sql, params, on_call, &calls), 0);
        ck_assert_int_eq(calls.n, 0);
        return answer(&calls);
}

struct pipit_result *
query(const char *sql, struct pipit_params params)
{
        return query_on(live_db, sql, params);
}

pipit_request
ask_on(struct pipit *scope, const char *sql, struct calls *calls)
{
        pipit_request request = pipit_query(scope, sql, PIPIT_NO_PARAMS, on_call, calls);

        ck_assert_uint_ne(request, 0);
        return request;
}

void
execute(const char *sql)
{
        expect_ok(query(sql, PIPIT_NO_PARAMS));
}

void
expect_ok(const struct pipit_result *res)
{
        if (pipit_failed(res))
                ck_abort_msg("failed: %s", pipit_error_text(res));
}

void
expect_error(const struct pipit_result *res, int code, const char *sqlstate)
{
        const struct pipit_error *error = pipit_result_error(res);

        ck_assert_ptr_nonnull(error);
        if (error->code != (enum pipit_code)code)
                ck_abort_msg("%s, and not %s: %s", pipit_code_name((int)error->code),
                             pipit_code_name(code), error->message);
        ck_assert_str_eq(error->sqlstate, sqlstate);
}

void
expect_executed(const struct pipit_result *res, int code, enum pipit_executed executed)
{
        expect_error(res, code, "");
        ck_assert_int_eq(pipit_result_error(res)->executed, executed);
}

void
expect_text(const struct pipit_result *res, int row, int column, const char *text)
{
        expect_ok(res);
        ck_assert_pstr_eq(pipit_result_text(res, row, column), text);
}

void
wait_for_server(const char *sql, const char *text)
{
        wait_for_server_on(live_db, sql, text);
}

void
wait_for_server_on(struct pipit *scope, const char *sql, const char *text)
{
        /* Asks again and again: each answer is an event of the server's own making. */
        for (int i = 0; i < 100000; i++) {
                struct pipit_result *res = query_on(scope, sql, PIPIT_NO_PARAMS);
                const char *now = pipit_result_text(res, 0, 0);
                bool there = now != NULL && strcmp(now, text) == 0;
                forget(res);
                if (there)
                        return;
        }
        ck_abort_msg("%s never gave %s", sql, text);
}

/* The schema's name stands between the two parts. */
static void
schema_execute(const char *before, const char *after)
{
        char sql[200];

        snprintf(sql, sizeof sql, "%s pipit_%d %s", before, (int)getpid(), after);
        execute(sql);
}

void
live_schema_setup(void)
{
        char path[40];
        struct pipit_options options = {.search_path = path};

        live_setup();
        schema_execute("DROP SCHEMA IF EXISTS", "CASCADE");
        schema_execute("CREATE SCHEMA", "");
        snprintf(path, sizeof path, "pipit_%d", (int)getpid());
        live_reopen(&options);
}

void
live_schema_teardown(void)
{
        live_reopen(NULL);
        schema_execute("DROP SCHEMA", "CASCADE");
        live_teardown();
}
