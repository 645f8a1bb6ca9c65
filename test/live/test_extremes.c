/*
 * Every option, and every duration that a call takes, at the ends of its range.
 */
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "live.h"

#define LENGTH(array) ((int)(sizeof(array) / sizeof(array)[0]))
#define ROUNDS        5
#define OPTION(name)  offsetof(struct pipit_options, name)

/* What a database with such an option does. */
enum outcome {
        SERVES,  /* every request succeeds */
        REFUSES, /* every request fails with PIPIT_EINVAL */
        HURRIES, /* a request succeeds, or its time is over */
        LIMITS   /* every request fails with PIPIT_ELIMIT */
};

static void
expect_outcome(const struct pipit_result *res, enum outcome outcome)
{
        switch (outcome) {
        case SERVES: expect_text(res, 0, 0, "1"); return;
        case REFUSES: expect_error(res, PIPIT_EINVAL, ""); return;
        case LIMITS: expect_error(res, PIPIT_ELIMIT, ""); return;
        case HURRIES:
                if (pipit_failed(res))
                        expect_error(res, PIPIT_ETIMEDOUT, "");
                return;
        }
}

/* A transaction of one statement. */
struct deed {
        struct calls inside;
        struct calls done;
};

static void
select_one(struct pipit *tx, void *arg)
{
        struct deed *deed = arg;

        ask_on(tx, "SELECT 1", &deed->inside);
}

static void
on_done(struct pipit_result *res, void *arg)
{
        struct deed *deed = arg;

        on_call(res, &deed->done);
}

/* Runs a transaction of one statement, and gives the result of that; or that of the transaction,
 * if it failed. */
static const struct pipit_result *
in_a_transaction(const struct pipit_transaction *options)
{
        struct deed deed = {0};

        ck_assert_uint_ne(pipit_atomic_with(live_db, options, select_one, on_done, &deed), 0);
        answer(&deed.done);
        return pipit_failed(deed.done.last) ? deed.done.last : deed.inside.last;
}

/* Asks in a blocking scope, which takes the options of the database. */
static void
expect_blocking_outcome(enum outcome outcome)
{
        struct pipit *sync = pipit_allow_sync(live_db);

        pipit_request number = pipit_query(sync, "SELECT 1", PIPIT_NO_PARAMS, NULL, NULL);
        expect_outcome(pipit_wait(sync, number), outcome);
        pipit_close(sync);
}

/* Runs statements and transactions, one after the other. */
static void
expect_service_as(const struct pipit_options *options, enum outcome outcome)
{
        live_reopen(options);
        pipit_set_allow_sync(live_db, true);
        expect_blocking_outcome(outcome);
        for (int i = 0; i < ROUNDS; i++) {
                expect_outcome(query("SELECT 1", PIPIT_NO_PARAMS), outcome);
                expect_outcome(in_a_transaction(NULL), outcome);
        }
}

/* ---- times of the options */

static const struct {
        size_t offset;
        int64_t least; /* what is less is refused */
} times[] = {
        {OPTION(timeout_ms), -1},        {OPTION(acquire_timeout_ms), -1},
        {OPTION(connect_timeout_ms), 0}, {OPTION(idle_timeout_ms), -1},
        {OPTION(lifetime_ms), -1},
};

static const int64_t ends_of_time[] = {INT64_MIN,     INT64_MIN + 1, -2,       -1, 0, 1,
                                       INT64_MAX / 2, INT64_MAX - 1, INT64_MAX};

static enum outcome
outcome_of_time(size_t offset, int64_t least, int64_t value)
{
        bool hurries = offset != OPTION(idle_timeout_ms) && offset != OPTION(lifetime_ms);

        if (value < least)
                return REFUSES;
        return value == 1 && hurries ? HURRIES : SERVES;
}

START_TEST(a_time_of_the_options_holds_at_its_ends)
{
        size_t offset = times[_i].offset;

        for (int i = 0; i < LENGTH(ends_of_time); i++) {
                /* An attempt that has no time fails again and again. */
                struct pipit_options options = {.acquire_timeout_ms = 300};
                memcpy((char *)&options + offset, &ends_of_time[i], sizeof ends_of_time[i]);
                expect_service_as(&options,
                                  outcome_of_time(offset, times[_i].least, ends_of_time[i]));
        }
}
END_TEST

START_TEST(a_connect_timeout_of_the_url_holds_at_its_ends)
{
        static const char *const ends[] = {"-2147483648", "-1", "0", "1", "2147483647"};
        char url[300];

        for (int i = 0; i < LENGTH(ends); i++) {
                snprintf(url, sizeof url, "%s%cconnect_timeout=%s", live_url(),
                         strchr(live_url(), '?') != NULL ? '&' : '?', ends[i]);
                pipit_close(live_db);
                live_db = pipit_open(live_base, url, NULL);
                expect_outcome(query("SELECT 1", PIPIT_NO_PARAMS), SERVES);
        }
}
END_TEST

/* ---- numbers and sizes of the options */

static const struct {
        size_t offset;
        int value;
        enum outcome outcome;
} numbers[] = {
        {OPTION(min_connections), INT_MIN, REFUSES},
        {OPTION(min_connections), -1, REFUSES},
        {OPTION(min_connections), 1, SERVES},
        {OPTION(min_connections), INT_MAX, REFUSES},
        {OPTION(max_connections), INT_MIN, REFUSES},
        {OPTION(max_connections), -1, REFUSES},
        {OPTION(max_connections), 1, SERVES},
        {OPTION(max_connections), INT_MAX, SERVES},
        {OPTION(max_connecting), INT_MIN, REFUSES},
        {OPTION(max_connecting), -1, REFUSES},
        {OPTION(max_connecting), 1, SERVES},
        {OPTION(max_connecting), INT_MAX, SERVES},
        {OPTION(max_pipeline), INT_MIN, REFUSES},
        {OPTION(max_pipeline), -1, REFUSES},
        {OPTION(max_pipeline), 1, SERVES},
        {OPTION(max_pipeline), 10000, SERVES},
        {OPTION(max_pipeline), INT_MAX, REFUSES},
        {OPTION(max_prepared), INT_MIN, REFUSES},
        {OPTION(max_prepared), -1, SERVES},
        {OPTION(max_prepared), 1, SERVES},
        {OPTION(max_prepared), 10000, SERVES},
        {OPTION(max_prepared), INT_MAX, REFUSES},
        {OPTION(log_level), INT_MIN, REFUSES},
        {OPTION(log_level), -1, REFUSES},
        {OPTION(log_level), 1, SERVES},
        {OPTION(log_level), 3, SERVES},
        {OPTION(log_level), INT_MAX, REFUSES},
        {OPTION(max_waiting), INT_MIN, REFUSES},
        {OPTION(max_waiting), -1, REFUSES},
        {OPTION(max_waiting), 1, SERVES},
        {OPTION(max_waiting), INT_MAX, SERVES},
        {OPTION(event_priority), INT_MIN, REFUSES},
        {OPTION(event_priority), -1, REFUSES},
        {OPTION(event_priority), 1, SERVES},
        {OPTION(event_priority), INT_MAX, REFUSES},
};

START_TEST(a_number_of_the_options_holds_at_its_ends)
{
        struct pipit_options options = {0};

        memcpy((char *)&options + numbers[_i].offset, &numbers[_i].value, sizeof(int));
        expect_service_as(&options, numbers[_i].outcome);
}
END_TEST

static const struct {
        size_t offset;
        size_t value;
        enum outcome outcome;
} sizes[] = {
        {OPTION(max_waiting_bytes), 1, LIMITS}, {OPTION(max_waiting_bytes), SIZE_MAX, SERVES},
        {OPTION(max_request_bytes), 1, LIMITS}, {OPTION(max_request_bytes), SIZE_MAX, SERVES},
        {OPTION(max_result_bytes), 1, LIMITS},  {OPTION(max_result_bytes), SIZE_MAX, SERVES},
};

START_TEST(a_size_of_the_options_holds_at_its_ends)
{
        struct pipit_options options = {0};

        memcpy((char *)&options + sizes[_i].offset, &sizes[_i].value, sizeof(size_t));
        expect_service_as(&options, sizes[_i].outcome);
}
END_TEST

START_TEST(a_bound_that_every_result_is_over_lets_connections_be_made)
{
        live_reopen(&(struct pipit_options){.max_result_bytes = 1});
        for (int i = 0; i < ROUNDS; i++) {
                expect_outcome(query("SELECT 1", PIPIT_NO_PARAMS), LIMITS);
                execute("DO 'BEGIN END'");
        }
}
END_TEST

/* ---- durations that calls take */

START_TEST(the_time_of_a_request_holds_at_its_ends)
{
        for (int i = 0; i < LENGTH(ends_of_time); i++) {
                struct calls calls = {0};
                int64_t ms = ends_of_time[i];
                pipit_set_timeout(live_db, ask_on(live_db, "SELECT 1", &calls), ms);
                expect_outcome(answer(&calls), ms == 0 || ms == 1 ? HURRIES : SERVES);
        }
}
END_TEST

START_TEST(a_request_without_time_ends_when_the_loop_turns)
{
        struct calls calls = {0};

        pipit_set_timeout(live_db, ask_on(live_db, "SELECT pg_sleep(100)", &calls), 0);
        expect_executed(answer(&calls), PIPIT_ETIMEDOUT, PIPIT_EXECUTED_NO);
}
END_TEST

START_TEST(the_time_of_a_transaction_holds_at_its_ends)
{
        for (int i = 0; i < LENGTH(ends_of_time); i++) {
                struct pipit_transaction options = {.timeout_ms = ends_of_time[i]};
                enum outcome outcome = ends_of_time[i] == 1 ? HURRIES : SERVES;
                expect_outcome(in_a_transaction(&options),
                               ends_of_time[i] < -1 ? REFUSES : outcome);
        }
}
END_TEST

static const int64_t long_times[] = {-1, INT64_MAX - 1, INT64_MAX};

START_TEST(a_drain_with_all_the_time_there_is_waits_for_what_was_started)
{
        struct calls calls = {0};
        struct calls drained = {0};

        ask_on(live_db, "SELECT 1 FROM pg_sleep(0.02)", &calls);
        pipit_drain(live_db, long_times[_i], on_call, &drained);
        expect_ok(answer(&drained));
        expect_text(answer(&calls), 0, 0, "1");
}
END_TEST

START_TEST(a_drain_without_time_cancels_what_was_started)
{
        struct calls calls = {0};
        struct calls drained = {0};

        ask_on(live_db, "SELECT pg_sleep(100)", &calls);
        pipit_drain(live_db, 0, on_call, &drained);
        expect_error(answer(&drained), PIPIT_ETIMEDOUT, "");
        expect_error(answer(&calls), PIPIT_ECANCELED, "");
}
END_TEST

START_TEST(a_drain_with_a_time_that_is_none_is_refused_and_the_database_goes_on)
{
        struct calls drained = {0};

        pipit_drain(live_db, _i == 0 ? -2 : INT64_MIN, on_call, &drained);
        expect_executed(answer(&drained), PIPIT_EINVAL, PIPIT_EXECUTED_NO);
        expect_outcome(query("SELECT 1", PIPIT_NO_PARAMS), SERVES);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("extremes");
        TCase *tcase = tcase_create("extremes");

        tcase_set_timeout(tcase, 60);
        tcase_add_checked_fixture(tcase, live_setup, live_teardown);
        tcase_add_loop_test(tcase, a_time_of_the_options_holds_at_its_ends, 0, LENGTH(times));
        tcase_add_test(tcase, a_connect_timeout_of_the_url_holds_at_its_ends);
        tcase_add_loop_test(tcase, a_number_of_the_options_holds_at_its_ends, 0, LENGTH(numbers));
        tcase_add_loop_test(tcase, a_size_of_the_options_holds_at_its_ends, 0, LENGTH(sizes));
        tcase_add_test(tcase, a_bound_that_every_result_is_over_lets_connections_be_made);
        tcase_add_test(tcase, the_time_of_a_request_holds_at_its_ends);
        tcase_add_test(tcase, a_request_without_time_ends_when_the_loop_turns);
        tcase_add_test(tcase, the_time_of_a_transaction_holds_at_its_ends);
        tcase_add_loop_test(tcase, a_drain_with_all_the_time_there_is_waits_for_what_was_started, 0,
                            LENGTH(long_times));
        tcase_add_test(tcase, a_drain_without_time_cancels_what_was_started);
        tcase_add_loop_test(
                tcase, a_drain_with_a_time_that_is_none_is_refused_and_the_database_goes_on, 0, 2);
        suite_add_tcase(suite, tcase);
        return suite;
}
