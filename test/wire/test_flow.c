/*
 * Too much of something: notices, notifications, bytes in, bytes out, answers at once. All of it is
 * bounded, and the loop stays alive.
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "wire.h"

#define MEGABYTE ((size_t)1 << 20)

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

/* The most that a timer of 1 ms may be late is 10 ms; sanitizers slow the program down. */
#ifdef __SANITIZE_ADDRESS__
#define LATE_US 40000
#else
#define LATE_US 11000
#endif

/* Under valgrind, which cannot follow forks, programs are slow. */
static bool
is_slow(void)
{
        const char *fork = getenv("CK_FORK");

        return fork != NULL && strcmp(fork, "no") == 0;
}

/* Sends so many messages that nobody asked for, then the answer. */
struct flood {
        int n;
        void (*send)(struct session *session);
};

static void
flood_send(struct session *session, const struct flood *flood)
{
        for (int i = 0; i < flood->n; i++)
                flood->send(session);
}

static void
flood_on_statement(struct session *session, const char *sql, void *arg)
{
        flood_send(session, arg);
        server_echo(session, sql, NULL);
}

static void
send_notification(struct session *session)
{
        session_notification(session, "channel", "payload");
}

static void
send_notice(struct session *session)
{
        session_notice(session, "NOTICE", "you \x1b[31mmay\nwant\tto know");
}

/* The program is linked with --wrap for this one: what libpq has kept until somebody takes it. */
PGnotify *__real_PQnotifies(PGconn *conn);
PGnotify *__wrap_PQnotifies(PGconn *conn);

static int n_taken;
static int n_warnings;

PGnotify *
__wrap_PQnotifies(PGconn *conn)
{
        PGnotify *notify = __real_PQnotifies(conn);

        n_taken += notify != NULL;
        return notify;
}

START_TEST(notifications_in_front_of_an_answer_do_not_stay_in_libpq)
{
        struct flood flood = {50000, send_notification};

        n_taken = 0;
        wire_server->on_statement = flood_on_statement;
        wire_server->arg = &flood;
        expect_service();
        ck_assert_int_eq(n_taken, 50000);
        expect_service();
        ck_assert_int_eq(n_taken, 100000);
        ck_assert_int_eq(wire_server->n_accepted, 1);
}
END_TEST

/* The log says when libpq has read what was sent in front of a warning. */
static void
on_warning(enum pipit_log_level level, const char *line, void *arg)
{
        int *n = arg;

        (void)line;
        *n += level == PIPIT_LOG_WARNING;
}

START_TEST(notifications_while_idle_do_not_stay_in_libpq)
{
        struct pipit_options options = wire_options();
        struct flood flood = {50000, send_notification};

        options.log = on_warning;
        options.log_arg = &n_warnings;
        wire_reopen(&options);
        wire_connect();
        n_taken = n_warnings = 0;
        flood_send(wire_server->sessions, &flood);
        session_notice(wire_server->sessions, "WARNING", "that was all");
        session_flush(wire_server->sessions);
        loop_until(&n_warnings, 1);
        ck_assert_int_eq(n_taken, flood.n);
        expect_service();
        ck_assert_int_eq(wire_server->n_accepted, 1);
}
END_TEST

START_TEST(a_flood_of_notices_is_a_few_lines_of_log)
{
        struct pipit_options options = wire_options();
        struct flood flood = {is_slow() ? 5000 : 100000, send_notice};
        struct log_lines lines = {0};
        time_t before = time(NULL);

        options.log = on_log;
        options.log_arg = &lines;
        wire_reopen(&options);
        wire_server->on_statement = flood_on_statement;
        wire_server->arg = &flood;
        expect_service();
        int seconds = (int)(time(NULL) - before) + 2;
        ck_assert_int_le(lines.n, seconds * 101);
        ck_assert_int_eq(lines.n_controls, 0);
        /* The next line of another second says how many were left out. */
        flood.n = 1;
        loop_for(1010);
        lines.n_left_out = 0;
        expect_service();
        ck_assert_int_eq(lines.n_left_out, 1);
        pipit_close(live_db);
        live_db = NULL;
}
END_TEST

/* A text of that size; the caller frees it. */
static char *
long_text(size_t size)
{
        char *text = malloc(size);

        ck_assert_ptr_nonnull(text);
        memset(text, 'x', size - 1);
        text[size - 1] = '\0';
        return text;
}

START_TEST(a_server_that_does_not_read_bounds_what_is_sent)
{
        struct pipit_options options = wire_options();
        char *text = long_text(MEGABYTE);
        struct calls calls[20] = {{0}};
        int n_limited = 0;

        options.max_waiting_bytes = 8 * MEGABYTE;
        wire_reopen(&options);
        wire_connect();
        session_stop_reading(wire_server->sessions);
        for (int i = 0; i < 20; i++) {
                pipit_query(live_db, "SELECT 1 WHERE $1 IS NOT NULL", PIPIT_PARAMS(text), on_call,
                            &calls[i]);
                loop_for(1);
        }
        for (int i = 0; i < 20; i++)
                n_limited += calls[i].n;
        /* One is on its way, and not more than eight wait: the others were refused at once. */
        ck_assert_int_ge(n_limited, 20 - 1 - 8);
        session_start_reading(wire_server->sessions);
        for (int i = 0; i < 20 - n_limited; i++)
                expect_ok(answer(&calls[i]));
        for (int i = 20 - n_limited; i < 20; i++)
                expect_error(answer(&calls[i]), PIPIT_ELIMIT, "");
        free(text);
}
END_TEST

/* Reads nothing more of a statement until the client has taken many long notices. */
static bool
notice_before_reading(struct session *session, const struct message *message, void *arg)
{
        if (message->kind != MESSAGE_PARSE || !session->is_set_up)
                return false;
        session_stop_reading(session);
        session->reads_when_written = true;
        for (int i = 0; i < 8; i++)
                session_notice(session, "NOTICE", arg);
        session_flush(session);
        return false;
}

START_TEST(two_sides_that_write_at_once_do_not_wait_for_each_other)
{
        char *text = long_text(MEGABYTE);
        char *value = long_text(16 * MEGABYTE);

        wire_connect();
        wire_server->on_message = notice_before_reading;
        wire_server->arg = text;
        const struct pipit_result *res = query("SELECT $1 AS long", PIPIT_PARAMS(value));
        expect_ok(res);
        ck_assert_uint_eq(pipit_result_length(res, 0, 0), 16 * MEGABYTE - 1);
        ck_assert_int_eq(wire_server->n_accepted, 1);
        ck_assert_uint_ge(wire_server->n_written, 8 * MEGABYTE);
        free(text);
        free(value);
}
END_TEST

/* A result of so many rows of so many bytes. */
struct bulk {
        int n_rows;
        size_t row_bytes;
};

static void
bulk_on_statement(struct session *session, const char *sql, void *arg)
{
        const struct bulk *bulk = arg;
        char *text = long_text(bulk->row_bytes);

        (void)sql;
        session_columns(session, 1, &(const char *){"text"});
        for (int i = 0; i < bulk->n_rows; i++)
                session_row(session, 1, (const char *const[]){text});
        session_complete(session, "SELECT");
        free(text);
}

static void
bulk_install(struct bulk *bulk, size_t slice)
{
        struct pipit_options options = wire_options();

        options.max_result_bytes = MEGABYTE;
        wire_reopen(&options);
        wire_server->on_statement = bulk_on_statement;
        wire_server->arg = bulk;
        wire_server->slice = slice;
}

/* Only this statement has such a result. */
#define BULKY "SELECT 'bulky'"

static void
bulk_on_bulky(struct session *session, const char *sql, void *arg)
{
        if (strcmp(sql, BULKY) == 0)
                bulk_on_statement(session, sql, arg);
        else
                server_echo(session, sql, arg);
}

static struct bulk too_long[] = {{1, 16 * MEGABYTE}, {16, MEGABYTE}, {160000, 100}};

START_TEST(a_result_over_the_limit_costs_nobody_else_anything)
{
        struct calls calls[3] = {{0}};

        bulk_install(&too_long[_i / 2], _i % 2 == 0 ? 0 : 50000);
        wire_server->on_statement = bulk_on_bulky;
        ask_on(live_db, "SELECT 'before'", &calls[0]);
        ask_on(live_db, BULKY, &calls[1]);
        ask_on(live_db, "SELECT 'behind'", &calls[2]);
        expect_text(answer(&calls[0]), 0, 0, "SELECT 'before'");
        expect_executed(answer(&calls[1]), PIPIT_ELIMIT, PIPIT_EXECUTED_YES);
        ck_assert_ptr_nonnull(strstr(pipit_error_text(calls[1].last), "max_result_bytes"));
        expect_text(answer(&calls[2]), 0, 0, "SELECT 'behind'");
        ck_assert_int_eq(wire_server->n_accepted, 1);
}
END_TEST

/* A server that goes on in spite of a cancel: it is left, and what it still sends is not read. */
START_TEST(a_result_without_end_is_cut_off)
{
        static struct bulk endless[] = {{1, 128 * MEGABYTE}, {128, MEGABYTE}};
        struct calls calls[2] = {{0}};

        bulk_install(&endless[_i], 0);
        wire_server->on_statement = bulk_on_bulky;
        ask_on(live_db, BULKY, &calls[0]);
        ask_on(live_db, "SELECT 'behind'", &calls[1]);
        expect_executed(answer(&calls[0]), PIPIT_ELIMIT, PIPIT_EXECUTED_UNKNOWN);
        expect_executed(answer(&calls[1]), PIPIT_ELOST, PIPIT_EXECUTED_UNKNOWN);
        loop_until(&wire_server->n_closed, 1);
        ck_assert_uint_le(wire_server->n_written, 48 * MEGABYTE);
        expect_service();
        /* libpq 17 asks for the cancel by a connection of its own. */
        ck_assert_int_eq(wire_server->n_accepted, PQlibVersion() >= 170000 ? 3 : 2);
}
END_TEST

/* Nobody has counted it while it came. */
START_TEST(a_result_over_the_limit_that_comes_in_one_read_is_refused)
{
        struct bulk bulk = {1, 8000};
        struct pipit_options options = wire_options();

        bulk_install(&bulk, 0);
        options.max_result_bytes = 5000;
        wire_reopen(&options);
        const struct pipit_result *res = query("SELECT 1", PIPIT_NO_PARAMS);
        expect_executed(res, PIPIT_ELIMIT, PIPIT_EXECUTED_YES);
        ck_assert_int_eq(pipit_result_rows(res), 0);
        bulk.row_bytes = 4000;
        expect_ok(query("SELECT 1", PIPIT_NO_PARAMS));
        ck_assert_int_eq(wire_server->n_accepted, 1);
}
END_TEST

START_TEST(the_limit_is_one_results_and_not_the_connections)
{
        struct bulk bulk = _i / 2 == 0 ? (struct bulk){9, 100000} : (struct bulk){7500, 100};
        struct calls calls[5] = {{0}};

        bulk_install(&bulk, _i % 2 == 0 ? 0 : 50000);
        for (int i = 0; i < 5; i++)
                pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, on_call, &calls[i]);
        for (int i = 0; i < 5; i++)
                expect_ok(answer(&calls[i]));
        ck_assert_int_eq(pipit_result_rows(calls[4].last), bulk.n_rows);
}
END_TEST

/* A timer of one millisecond. What the program itself spends between two of its calls is what can
 * make it late; the machine's other work is not counted. */
struct ticker {
        struct event *event;
        int64_t last_us;
        int64_t worst_us;
        int n;
        int n_late;
};

static int64_t
spent_us(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
        return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
        static const struct timeval millisecond = {0, 1000};
        struct ticker *ticker = arg;
        int64_t now = spent_us();

        (void)fd;
        (void)what;
        if (now - ticker->last_us > ticker->worst_us)
                ticker->worst_us = now - ticker->last_us;
        if (now - ticker->last_us > LATE_US)
                ticker->n_late++;
        ticker->last_us = now;
        ticker->n++;
        event_add(ticker->event, &millisecond);
}

static void
ticker_start(struct ticker *ticker)
{
        *ticker = (struct ticker){.event = event_new(live_base, -1, 0, on_tick, ticker)};
        ticker->last_us = spent_us();
        on_tick(-1, 0, ticker);
}

/* In time, but for what a stolen processor can do to one tick in a hundred: a timer that is starved
 * is late by all of the rest. */
static void
ticker_expect_in_time(struct ticker *ticker)
{
        event_free(ticker->event);
        ck_assert_int_gt(ticker->n, 1);
        if (is_slow())
                return;
        ck_assert_int_le(ticker->n_late, ticker->n / 100);
        ck_assert_int_lt(ticker->worst_us, 10 * LATE_US);
}

#define MANY 5000

struct many {
        int n_calls;
        int n_ok;
        struct ticker ticker;
};

/* A callback that takes its time: twenty microseconds. */
static void
on_many(struct pipit_result *res, void *arg)
{
        struct many *many = arg;
        int64_t until = spent_us() + 20;

        if (many->n_calls++ == 0)
                ticker_start(&many->ticker);
        many->n_ok += !pipit_failed(res);
        while (spent_us() < until)
                continue;
}

/* The first answer makes libpq's buffer so large that it takes in all that the socket holds. */
static void
long_at_first(struct session *session, const char *sql, void *arg)
{
        struct bulk bulk = {1, 2 * MEGABYTE};

        (void)arg;
        if (session->n_statements == 1)
                bulk_on_statement(session, sql, &bulk);
        else
                server_echo(session, sql, NULL);
}

/* Holds all answers but the first back until the last Sync has come. */
static bool
hold_until_all_are_there(struct session *session, const struct message *message, void *arg)
{
        struct server *server = session->server;

        (void)arg;
        if (!session->is_set_up || server->n_syncs < 2)
                return false;
        server->held = true;
        server_default(session, message);
        if (message->kind == MESSAGE_SYNC && server->n_syncs == 1 + MANY)
                server_release(server);
        return true;
}

START_TEST(thousands_of_answers_at_once_leave_a_timer_in_time)
{
        struct pipit_options options = wire_options();
        struct many many = {0};

        options.max_pipeline = 10000;
        options.timeout_ms = -1;
        wire_reopen(&options);
        wire_server->on_message = hold_until_all_are_there;
        wire_server->on_statement = long_at_first;
        server_fork(wire_server);
        expect_ok(query("SELECT long", PIPIT_NO_PARAMS));
        for (int i = 0; i < MANY; i++)
                pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, on_many, &many);
        loop_until(&many.n_calls, MANY);
        ck_assert_int_eq(many.n_ok, MANY);
        ticker_expect_in_time(&many.ticker);
}
END_TEST

static void
on_endless(struct pipit_result *res, void *arg)
{
        on_many(res, arg);
        if (live_db != NULL)
                pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, on_endless, arg);
}

START_TEST(answers_without_end_leave_a_timer_in_time)
{
        struct pipit_options options = wire_options();
        struct many many = {0};

        options.max_pipeline = 1000;
        wire_reopen(&options);
        server_fork(wire_server);
        for (int i = 0; i < 1000; i++)
                pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, on_endless, &many);
        loop_until(&many.n_calls, is_slow() ? 2000 : 50000);
        ticker_expect_in_time(&many.ticker);
        int n_calls = many.n_calls;
        pipit_close(live_db);
        live_db = NULL;
        loop_until(&many.n_calls, n_calls + 1000);
}
END_TEST

START_TEST(messages_without_end_leave_a_timer_in_time)
{
        struct flood flood = {is_slow() ? 5000 : 200000, _i == 0 ? send_notice : send_notification};
        struct ticker ticker;

        wire_server->on_statement = flood_on_statement;
        wire_server->arg = &flood;
        server_fork(wire_server);
        ticker_start(&ticker);
        expect_service();
        ticker_expect_in_time(&ticker);
}
END_TEST

struct chain {
        int n;
        int n_invalid;
        int length;
};

static void
on_link(struct pipit_result *res, void *arg)
{
        struct chain *chain = arg;

        chain->n_invalid += pipit_result_error(res)->code == PIPIT_EINVAL;
        if (++chain->n < chain->length)
                pipit_query(live_db, NULL, PIPIT_NO_PARAMS, on_link, chain);
}

START_TEST(a_chain_of_local_failures_leaves_a_timer_in_time)
{
        struct chain chain = {.length = is_slow() ? 20000 : 1000000};
        struct ticker ticker;

        ticker_start(&ticker);
        pipit_query(live_db, NULL, PIPIT_NO_PARAMS, on_link, &chain);
        loop_until(&chain.n, chain.length);
        ck_assert_int_eq(chain.n_invalid, chain.length);
        ticker_expect_in_time(&ticker);
}
END_TEST

static TCase *
case_add(Suite *suite, const char *name)
{
        TCase *tcase = tcase_create(name);

        tcase_add_checked_fixture(tcase, wire_setup, wire_teardown);
        suite_add_tcase(suite, tcase);
        return tcase;
}

static void
add_floods(TCase *tcase)
{
        tcase_add_test(tcase, notifications_in_front_of_an_answer_do_not_stay_in_libpq);
        tcase_add_test(tcase, notifications_while_idle_do_not_stay_in_libpq);
        tcase_add_test(tcase, a_flood_of_notices_is_a_few_lines_of_log);
        tcase_add_test(tcase, a_server_that_does_not_read_bounds_what_is_sent);
        tcase_add_test(tcase, two_sides_that_write_at_once_do_not_wait_for_each_other);
}

static void
add_limits(TCase *tcase)
{
        tcase_add_loop_test(tcase, a_result_without_end_is_cut_off, 0, 2);
        tcase_add_loop_test(tcase, a_result_over_the_limit_costs_nobody_else_anything, 0, 6);
        tcase_add_test(tcase, a_result_over_the_limit_that_comes_in_one_read_is_refused);
        tcase_add_loop_test(tcase, the_limit_is_one_results_and_not_the_connections, 0, 4);
}

static void
add_timers(TCase *tcase)
{
        tcase_add_test(tcase, thousands_of_answers_at_once_leave_a_timer_in_time);
        tcase_add_test(tcase, answers_without_end_leave_a_timer_in_time);
        tcase_add_loop_test(tcase, messages_without_end_leave_a_timer_in_time, 0, 2);
        tcase_add_test(tcase, a_chain_of_local_failures_leaves_a_timer_in_time);
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("flow");

        add_floods(case_add(suite, "floods"));
        add_limits(case_add(suite, "limits"));
        add_timers(case_add(suite, "timers"));
        return suite;
}
