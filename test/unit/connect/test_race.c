/*
 * The race of a connect attempt: which host and which address is tried when, and who wins. The
 * candidates, the look-ups and the clock are the test's.
 */
#include <event2/event.h>
#include <pipit/error.h>
#include <pipit/options.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connect/candidate.h"
#include "connect/connect_attempt.h"
#include "connect/conninfo.h"
#include "connect/resolver.h"
#include "loop/reactor.h"
#include "runner.h"

/* A candidate that does what the test says. */
struct candidate {
        struct candidate *next;
        char place[100]; /* host/address */
        bool standby;
        int64_t limit_ms;
        enum candidate_state state;
        struct conn_error failure;
        pipit__candidate_fn fn;
        void *arg;
};

/* A look-up that is answered when the test says. */
struct dns_query {
        struct dns_query *next;
        char host[50];
        pipit__dns_query_fn fn;
        void *arg;
};

static int64_t clock_ms;
static struct candidate *candidates; /* those that are there */
static struct dns_query *queries;
static char tried[500]; /* the places of all that were started, each with a blank behind it */

static struct event_base *base;
static struct reactor *reactor;
static struct conninfo info;
static struct connect_attempt *attempt;
static int n_ended;
static char ended_with[CONN_ERROR_HOST_SIZE]; /* the host of the winner, or "" */
static struct conn_error failed;

int64_t __wrap_pipit__reactor_now(const struct reactor *it);
struct candidate *__wrap_pipit__candidate_start(const struct candidate_start *start);
void __wrap_pipit__candidate_free(struct candidate *candidate, bool in_child);
enum candidate_state __wrap_pipit__candidate_state(const struct candidate *candidate);
struct pg_conn *__wrap_pipit__candidate_take(struct candidate *candidate);
const struct conn_error *__wrap_pipit__candidate_failure(const struct candidate *candidate);
struct dns_query *
__wrap_pipit__dns_query_start(struct reactor *it, const struct resolver_files *files,
                              const char *host, pipit__dns_query_fn fn, void *arg);
void __wrap_pipit__dns_query_cancel(struct dns_query *query);

int64_t
__wrap_pipit__reactor_now(const struct reactor *it)
{
        (void)it;
        return clock_ms;
}

struct candidate *
__wrap_pipit__candidate_start(const struct candidate_start *start)
{
        struct candidate *candidate = calloc(1, sizeof *candidate);
        const struct endpoint *endpoint = start->endpoint;

        ck_assert_ptr_nonnull(candidate);
        *candidate = (struct candidate){.next = candidates,
                                        .standby = endpoint->standby,
                                        .limit_ms = start->limit_ms,
                                        .fn = start->fn,
                                        .arg = start->arg};
        snprintf(candidate->place, sizeof candidate->place, "%s/%s", endpoint->host->host,
                 endpoint->address);
        pipit__conn_error_set_host(&candidate->failure, endpoint->host);
        strcat(tried, candidate->place);
        strcat(tried, " ");
        candidates = candidate;
        return candidate;
}

void
__wrap_pipit__candidate_free(struct candidate *candidate, bool in_child)
{
        struct candidate **place = &candidates;

        (void)in_child;
        if (candidate == NULL)
                return;
        while (*place != candidate)
                place = &(*place)->next;
        *place = candidate->next;
        free(candidate);
}

enum candidate_state
__wrap_pipit__candidate_state(const struct candidate *candidate)
{
        return candidate->state;
}

struct pg_conn *
__wrap_pipit__candidate_take(struct candidate *candidate)
{
        ck_assert_int_eq(candidate->state, CANDIDATE_UP);
        return (struct pg_conn *)candidate;
}

const struct conn_error *
__wrap_pipit__candidate_failure(const struct candidate *candidate)
{
        return &candidate->failure;
}

struct dns_query *
__wrap_pipit__dns_query_start(struct reactor *it, const struct resolver_files *files,
                              const char *host, pipit__dns_query_fn fn, void *arg)
{
        struct dns_query *query = calloc(1, sizeof *query);

        (void)it;
        (void)files;
        ck_assert_ptr_nonnull(query);
        *query = (struct dns_query){.next = queries, .fn = fn, .arg = arg};
        snprintf(query->host, sizeof query->host, "%s", host);
        queries = query;
        return query;
}

void
__wrap_pipit__dns_query_cancel(struct dns_query *query)
{
        struct dns_query **place = &queries;

        if (query == NULL)
                return;
        while (*place != query)
                place = &(*place)->next;
        *place = query->next;
        free(query);
}

static void
on_turn(void *arg)
{
        (void)arg;
}

static void
on_attempt(struct pg_conn *pq, const char *host, const struct conn_error *failure, void *arg)
{
        (void)arg;
        n_ended++;
        attempt = NULL;
        if (pq != NULL)
                snprintf(ended_with, sizeof ended_with, "%s", host);
        else
                failed = *failure;
}

/* What the loop would do once the clock has come so far. */
static void
go_on_at(int64_t now_ms)
{
        clock_ms = now_ms;
        event_base_loop(base, EVLOOP_NONBLOCK);
        if (attempt != NULL && candidates != NULL)
                candidates->fn(candidates->arg);
        else if (attempt != NULL && queries != NULL)
                ck_abort_msg("nothing there goes on");
}

/* Opens settings, and starts an attempt on them. */
static void
start(const char *hosts)
{
        static const struct pipit_options options;
        char url[300];
        char *problem = NULL;

        snprintf(url, sizeof url, "%s port=1 user=u dbname=d sslmode=disable", hosts);
        ck_assert_int_eq(pipit__conninfo_init(&info, url, &options, &problem), 0);
        attempt = pipit__connect_attempt_start(reactor, &info, 10000, on_attempt, NULL);
        ck_assert_ptr_nonnull(attempt);
        ck_assert_str_eq(tried, "");
        event_base_loop(base, EVLOOP_NONBLOCK);
}

/* Starts another attempt on the same settings. */
static void
start_again(void)
{
        pipit__connect_attempt_cancel(attempt, false);
        tried[0] = '\0';
        attempt = pipit__connect_attempt_start(reactor, &info, 10000, on_attempt, NULL);
        event_base_loop(base, EVLOOP_NONBLOCK);
}

static struct candidate *
candidate_at(const char *place)
{
        struct candidate *candidate = candidates;

        while (candidate != NULL && strcmp(candidate->place, place) != 0)
                candidate = candidate->next;
        if (candidate == NULL)
                ck_abort_msg("nobody tries %s", place);
        return candidate;
}

static void
candidate_enter(const char *place, enum candidate_state state)
{
        struct candidate *candidate = candidate_at(place);

        candidate->state = state;
        candidate->fn(candidate->arg);
}

static void
candidate_fail(const char *place, const char *sqlstate, enum conn_cause cause)
{
        struct candidate *candidate = candidate_at(place);

        snprintf(candidate->failure.sqlstate, 6, "%s", sqlstate);
        snprintf(candidate->failure.text, 100, "%s says no", place);
        candidate->failure.cause = cause;
        candidate_enter(place, CANDIDATE_FAILED);
}

static void
resolve(const char *host, size_t n, const char *const *addresses)
{
        struct dns_query *query = queries;
        struct dns_found found = {0};

        while (query != NULL && strcmp(query->host, host) != 0)
                query = query->next;
        if (query == NULL)
                ck_abort_msg("nobody asks for %s", host);
        struct dns_query answered = *query;
        __wrap_pipit__dns_query_cancel(query);
        for (size_t i = 0; i < n; i++)
                pipit__dns_addresses_add(&found.addresses, addresses[i]);
        found.problem = n == 0 ? "nobody knows it" : NULL;
        answered.fn(&found, answered.arg);
}

static const char *const two[] = {"10.0.0.1", "10.0.0.2"};

static void
setup(void)
{
        clock_ms = 1000000;
        tried[0] = ended_with[0] = '\0';
        n_ended = 0;
        failed = (struct conn_error){0};
        base = event_base_new();
        reactor = pipit__reactor_new(base, 0, on_turn, NULL);
}

static void
teardown(void)
{
        pipit__connect_attempt_cancel(attempt, false);
        attempt = NULL;
        ck_assert_ptr_null(candidates);
        ck_assert_ptr_null(queries);
        pipit__conninfo_fini(&info);
        pipit__reactor_free(reactor);
        event_base_free(base);
}

/* ---- the addresses of one host */

START_TEST(the_next_address_is_tried_beside_one_that_is_not_taken)
{
        start("host=db.test");
        resolve("db.test", 2, two);
        ck_assert_str_eq(tried, "db.test/10.0.0.1 ");
        go_on_at(1000249);
        ck_assert_str_eq(tried, "db.test/10.0.0.1 ");
        go_on_at(1000250);
        ck_assert_str_eq(tried, "db.test/10.0.0.1 db.test/10.0.0.2 ");
        candidate_enter("db.test/10.0.0.2", CANDIDATE_UP);
        ck_assert_str_eq(ended_with, "db.test:1");
}
END_TEST

START_TEST(no_address_is_tried_beside_one_that_was_taken)
{
        start("host=db.test");
        resolve("db.test", 2, two);
        candidate_enter("db.test/10.0.0.1", CANDIDATE_TALKING);
        go_on_at(1004000);
        ck_assert_str_eq(tried, "db.test/10.0.0.1 ");
}
END_TEST

START_TEST(the_next_address_is_tried_at_once_when_one_has_failed)
{
        start("host=db.test");
        resolve("db.test", 2, two);
        candidate_enter("db.test/10.0.0.1", CANDIDATE_TALKING);
        candidate_fail("db.test/10.0.0.1", "", CAUSE_REMOTE);
        ck_assert_str_eq(tried, "db.test/10.0.0.1 db.test/10.0.0.2 ");
}
END_TEST

START_TEST(the_addresses_of_a_host_share_its_time)
{
        start("host=db.test");
        resolve("db.test", 2, two);
        ck_assert_int_eq(candidate_at("db.test/10.0.0.1")->limit_ms, 5000);
        go_on_at(1000250);
        ck_assert_int_eq(candidate_at("db.test/10.0.0.2")->limit_ms, 9750);
}
END_TEST

/* ---- hosts */

START_TEST(the_next_host_is_tried_beside_one_that_is_not_taken)
{
        start("host=a,b");
        resolve("a", 1, two);
        go_on_at(1000999);
        ck_assert_str_eq(tried, "a/10.0.0.1 ");
        go_on_at(1001000);
        resolve("b", 1, two);
        ck_assert_str_eq(tried, "a/10.0.0.1 b/10.0.0.1 ");
}
END_TEST

START_TEST(no_host_is_tried_beside_one_that_was_taken)
{
        start("host=10.0.0.1,10.0.0.2");
        candidate_enter("10.0.0.1/10.0.0.1", CANDIDATE_TALKING);
        go_on_at(1004000);
        ck_assert_str_eq(tried, "10.0.0.1/10.0.0.1 ");
}
END_TEST

START_TEST(the_next_host_is_tried_at_once_when_one_has_failed)
{
        start("host=10.0.0.1,10.0.0.2");
        candidate_fail("10.0.0.1/10.0.0.1", "", CAUSE_REMOTE);
        ck_assert_str_eq(tried, "10.0.0.1/10.0.0.1 10.0.0.2/10.0.0.2 ");
        candidate_enter("10.0.0.2/10.0.0.2", CANDIDATE_UP);
        ck_assert_str_eq(ended_with, "10.0.0.2:1");
}
END_TEST

START_TEST(a_name_without_an_address_is_a_host_that_has_failed)
{
        start("host=no.test,10.0.0.2");
        resolve("no.test", 0, NULL);
        candidate_enter("10.0.0.2/10.0.0.2", CANDIDATE_UP);
        ck_assert_str_eq(ended_with, "10.0.0.2:1");
}
END_TEST

/* The timer runs by libevent's clock, so the test lets the loop turn until it has fired. */
START_TEST(a_name_that_nobody_answers_for_keeps_the_next_host_waiting_for_a_second_only)
{
        start("host=silent.test,10.0.0.2");
        clock_ms += 1000;
        event_base_loop(base, EVLOOP_ONCE);
        ck_assert_str_eq(tried, "10.0.0.2/10.0.0.2 ");
        candidate_enter("10.0.0.2/10.0.0.2", CANDIDATE_UP);
        ck_assert_str_eq(ended_with, "10.0.0.2:1");
}
END_TEST

START_TEST(of_two_that_were_taken_the_earlier_wins)
{
        start("host=10.0.0.1,10.0.0.2");
        go_on_at(1001000);
        candidate_enter("10.0.0.1/10.0.0.1", CANDIDATE_TALKING);
        candidate_enter("10.0.0.2/10.0.0.2", CANDIDATE_UP);
        ck_assert_int_eq(n_ended, 0);
        candidate_enter("10.0.0.1/10.0.0.1", CANDIDATE_UP);
        ck_assert_str_eq(ended_with, "10.0.0.1:1");
        ck_assert_int_eq(n_ended, 1);
}
END_TEST

START_TEST(the_later_wins_when_the_earlier_fails_after_all)
{
        start("host=10.0.0.1,10.0.0.2");
        go_on_at(1001000);
        candidate_enter("10.0.0.1/10.0.0.1", CANDIDATE_TALKING);
        candidate_enter("10.0.0.2/10.0.0.2", CANDIDATE_UP);
        candidate_fail("10.0.0.1/10.0.0.1", "", CAUSE_REMOTE);
        ck_assert_str_eq(ended_with, "10.0.0.2:1");
}
END_TEST

START_TEST(one_that_is_not_taken_keeps_nobody_waiting)
{
        start("host=10.0.0.1,10.0.0.2");
        go_on_at(1001000);
        candidate_enter("10.0.0.2/10.0.0.2", CANDIDATE_UP);
        ck_assert_str_eq(ended_with, "10.0.0.2:1");
}
END_TEST

START_TEST(a_host_that_was_overtaken_is_tried_last_the_next_time)
{
        start("host=10.0.0.1,10.0.0.2");
        go_on_at(1001000);
        candidate_enter("10.0.0.2/10.0.0.2", CANDIDATE_UP);
        start_again();
        ck_assert_str_eq(tried, "10.0.0.2/10.0.0.2 ");
        clock_ms += 30000;
        start_again();
        ck_assert_str_eq(tried, "10.0.0.1/10.0.0.1 ");
}
END_TEST

START_TEST(a_host_is_not_to_blame_for_what_this_process_lacks)
{
        start("host=10.0.0.1,10.0.0.2");
        candidate_fail("10.0.0.1/10.0.0.1", "", CAUSE_LOCAL);
        candidate_fail("10.0.0.2/10.0.0.2", "", CAUSE_REMOTE);
        start_again();
        ck_assert_str_eq(tried, "10.0.0.1/10.0.0.1 ");
}
END_TEST

/* ---- what is told */

START_TEST(a_refusal_is_permanent_when_all_hosts_refuse)
{
        start("host=10.0.0.1,10.0.0.2");
        candidate_fail("10.0.0.1/10.0.0.1", "28P01", CAUSE_REMOTE);
        candidate_fail("10.0.0.2/10.0.0.2", "3D000", CAUSE_REMOTE);
        ck_assert(pipit__conn_error_is_permanent(&failed));
        ck_assert_str_eq(failed.text, "10.0.0.2/10.0.0.2 says no; 10.0.0.1:1: 10.0.0.1/10.0.0.1 "
                                      "says no");
}
END_TEST

START_TEST(a_refusal_passes_while_another_host_may_take_us)
{
        static const char *const states[][2] = {{"28P01", ""}, {"57P03", "28P01"}};

        start("host=10.0.0.1,10.0.0.2");
        candidate_fail("10.0.0.1/10.0.0.1", states[_i][0], CAUSE_REMOTE);
        candidate_fail("10.0.0.2/10.0.0.2", states[_i][1], CAUSE_REMOTE);
        ck_assert(!pipit__conn_error_is_permanent(&failed));
        ck_assert_str_eq(failed.host, _i == 0 ? "10.0.0.2:1" : "10.0.0.1:1");
}
END_TEST

START_TEST(a_host_refuses_by_any_of_its_addresses)
{
        start("host=db.test");
        resolve("db.test", 2, two);
        candidate_fail("db.test/10.0.0.1", "28P01", CAUSE_REMOTE);
        candidate_fail("db.test/10.0.0.2", "", CAUSE_REMOTE);
        ck_assert(pipit__conn_error_is_permanent(&failed));
}
END_TEST

START_TEST(an_attempt_ends_with_its_time)
{
        start("host=silent.test,10.0.0.2");
        resolve("silent.test", 1, two);
        go_on_at(1001000);
        go_on_at(1010000);
        ck_assert_int_eq(n_ended, 1);
        ck_assert_ptr_nonnull(strstr(failed.text, "the server did not answer in time"));
}
END_TEST

/* ---- prefer-standby */

START_TEST(prefer_standby_takes_anything_in_its_second_round)
{
        start("host=10.0.0.1,10.0.0.2 target_session_attrs=prefer-standby");
        ck_assert(candidate_at("10.0.0.1/10.0.0.1")->standby);
        candidate_fail("10.0.0.1/10.0.0.1", "", CAUSE_REMOTE);
        ck_assert(candidate_at("10.0.0.2/10.0.0.2")->standby);
        tried[0] = '\0';
        candidate_fail("10.0.0.2/10.0.0.2", "", CAUSE_REMOTE);
        ck_assert_str_eq(tried, "10.0.0.1/10.0.0.1 ");
        ck_assert(!candidate_at("10.0.0.1/10.0.0.1")->standby);
        go_on_at(1001000);
        ck_assert_str_eq(tried, "10.0.0.1/10.0.0.1 10.0.0.2/10.0.0.2 ");
}
END_TEST

START_TEST(the_rounds_share_the_time)
{
        start("host=10.0.0.1,10.0.0.2 target_session_attrs=prefer-standby");
        ck_assert_int_eq(candidate_at("10.0.0.1/10.0.0.1")->limit_ms, 2500);
        candidate_fail("10.0.0.1/10.0.0.1", "", CAUSE_REMOTE);
        ck_assert_int_eq(candidate_at("10.0.0.2/10.0.0.2")->limit_ms, 3333);
        candidate_fail("10.0.0.2/10.0.0.2", "", CAUSE_REMOTE);
        ck_assert_int_eq(candidate_at("10.0.0.1/10.0.0.1")->limit_ms, 5000);
}
END_TEST

static void
add_hosts(TCase *tcase)
{
        tcase_add_test(tcase, the_next_host_is_tried_beside_one_that_is_not_taken);
        tcase_add_test(tcase, no_host_is_tried_beside_one_that_was_taken);
        tcase_add_test(tcase, the_next_host_is_tried_at_once_when_one_has_failed);
        tcase_add_test(tcase, a_name_without_an_address_is_a_host_that_has_failed);
        tcase_add_test(
                tcase,
                a_name_that_nobody_answers_for_keeps_the_next_host_waiting_for_a_second_only);
        tcase_add_test(tcase, of_two_that_were_taken_the_earlier_wins);
        tcase_add_test(tcase, the_later_wins_when_the_earlier_fails_after_all);
        tcase_add_test(tcase, one_that_is_not_taken_keeps_nobody_waiting);
        tcase_add_test(tcase, a_host_that_was_overtaken_is_tried_last_the_next_time);
        tcase_add_test(tcase, a_host_is_not_to_blame_for_what_this_process_lacks);
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("race");
        TCase *tcase = tcase_create("race");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, the_next_address_is_tried_beside_one_that_is_not_taken);
        tcase_add_test(tcase, no_address_is_tried_beside_one_that_was_taken);
        tcase_add_test(tcase, the_next_address_is_tried_at_once_when_one_has_failed);
        tcase_add_test(tcase, the_addresses_of_a_host_share_its_time);
        add_hosts(tcase);
        tcase_add_test(tcase, a_refusal_is_permanent_when_all_hosts_refuse);
        tcase_add_loop_test(tcase, a_refusal_passes_while_another_host_may_take_us, 0, 2);
        tcase_add_test(tcase, a_host_refuses_by_any_of_its_addresses);
        tcase_add_test(tcase, an_attempt_ends_with_its_time);
        tcase_add_test(tcase, prefer_standby_takes_anything_in_its_second_round);
        tcase_add_test(tcase, the_rounds_share_the_time);
        suite_add_tcase(suite, tcase);
        return suite;
}
