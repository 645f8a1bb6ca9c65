#include <event2/event.h>

#include "loop/reactor.h"
#include "request/request_int.h"
#include "request/requests.h"
#include "runner.h"

static struct event_base *base;
static struct reactor *reactor;
static struct requests requests;
static struct result_owner owner;

static void
on_turn(void *arg)
{
        (void)arg;
        pipit__requests_turn(&requests, 64);
}

static void
on_gone(struct pipit *scope, void *arg)
{
        (void)scope;
        (void)arg;
}

static void
on_again(struct request *req, void *arg)
{
        (void)req;
        (void)arg;
}

static const struct requests_ops ops = {.gone = on_gone, .again = on_again};

/* A holder that counts, and does nothing but to fail what expires. */
static int n_expired;
static int n_cancelled;
static int n_left;
static int n_rescheduled;

static const char *
held_waits_for(const struct request *req)
{
        (void)req;
        return "a test";
}

static void
on_expired(struct request *req)
{
        n_expired++;
        pipit__request_fail(req, PIPIT_ETIMEDOUT, PIPIT_EXECUTED_NO, PIPIT_PHASE_WAIT, "late");
}

static void
on_cancelled(struct request *req, const char *reason)
{
        (void)req;
        ck_assert_str_eq(reason, "because");
        n_cancelled++;
}

static void
on_left(struct request *req)
{
        (void)req;
        n_left++;
}

static void
on_rescheduled(struct request *req)
{
        (void)req;
        n_rescheduled++;
}

static const struct holder_ops held_ops = {.waits_for = held_waits_for,
                                           .cancel = on_cancelled,
                                           .expire = on_expired,
                                           .leave = on_left,
                                           .reschedule = on_rescheduled};

static void
setup(void)
{
        n_expired = n_cancelled = n_left = n_rescheduled = 0;
        base = event_base_new();
        reactor = pipit__reactor_new(base, 0, on_turn, NULL);
        ck_assert_int_eq(pipit__requests_init(&requests, reactor, &ops, NULL), 0);
        pipit__result_owner_init(&owner, NULL);
}

static void
teardown(void)
{
        ck_assert_int_eq(requests.n, 0);
        pipit__requests_fini(&requests);
        pipit__result_owner_fini(&owner);
        pipit__reactor_free(reactor);
        event_base_free(base);
}

static struct request *
request(void)
{
        struct request *req = pipit__request_new(&requests, &owner, 0, NULL, NULL);

        ck_assert_ptr_nonnull(req);
        return req;
}

/* The first two of the owner's requests, and how many were looked at. */
static struct request *pair[2];
static int n_seen;

static void
end_two(struct request *req, void *arg)
{
        ck_assert_ptr_eq(arg, pair);
        n_seen++;
        if (req != pair[0])
                return;
        pipit__request_discard(pair[0]);
        pipit__request_discard(pair[1]);
}

START_TEST(a_scopes_requests_are_looked_at_while_they_end_and_no_others)
{
        struct result_owner other;

        pipit__result_owner_init(&other, NULL);
        struct request *foreign = pipit__request_new(&requests, &other, 0, NULL, NULL);
        pair[0] = request();
        pair[1] = request();
        struct request *last = request();
        n_seen = 0;
        pipit__requests_each_of(&owner, end_two, pair);
        ck_assert_int_eq(n_seen, 2);
        pair[0] = pair[1] = NULL;
        pipit__requests_each_of(&owner, end_two, pair);
        ck_assert_int_eq(n_seen, 3);
        pipit__request_discard(last);
        pipit__requests_each_of(&owner, end_two, pair);
        ck_assert_int_eq(n_seen, 3);
        pipit__request_discard(foreign);
        pipit__result_owner_fini(&other);
}
END_TEST

START_TEST(a_request_that_was_sent_in_time_has_the_rest_of_its_time)
{
        struct request *req = request();
        int64_t now = pipit__reactor_now(reactor);

        req->wait_until_ms = now + 1;
        pipit__request_enter(req, REQUEST_WAITING, &held_ops, NULL);
        pipit__request_set_deadline(req, now + 20);
        pipit__request_enter(req, REQUEST_SENT, &held_ops, NULL);
        event_base_dispatch(base);
        ck_assert_int_eq(n_expired, 1);
        ck_assert_int_ge(pipit__reactor_now(reactor), now + 20);
}
END_TEST

START_TEST(a_holder_is_told_that_its_request_leaves)
{
        struct request *req = request();

        pipit__request_enter(req, REQUEST_HELD, &held_ops, &n_left);
        ck_assert_ptr_eq(pipit__request_holder(req), &n_left);
        ck_assert_int_eq(n_left, 0);
        pipit__request_enter(req, REQUEST_SENT, NULL, NULL);
        ck_assert_int_eq(n_left, 1);
        ck_assert_ptr_null(pipit__request_holder(req));
        pipit__request_enter(req, REQUEST_HELD, &held_ops, NULL);
        pipit__request_end(req);
        ck_assert_int_eq(n_left, 2);
        event_base_dispatch(base);
        ck_assert_int_eq(n_left, 2);
}
END_TEST

START_TEST(a_holder_decides_what_a_cancel_means)
{
        struct request *req = request();

        pipit__request_cancel(req, "because"); /* nobody holds it */
        ck_assert_int_eq(n_cancelled, 0);
        ck_assert_str_eq(pipit__request_waits_for(req), "nothing");
        pipit__request_enter(req, REQUEST_HELD, &held_ops, NULL);
        pipit__request_cancel(req, "because");
        ck_assert_int_eq(n_cancelled, 1);
        ck_assert_str_eq(pipit__request_waits_for(req), "a test");
        pipit__request_end(req);
        pipit__request_cancel(req, "because"); /* too late */
        ck_assert_int_eq(n_cancelled, 1);
        event_base_dispatch(base);
}
END_TEST

START_TEST(a_holder_is_told_of_another_deadline_until_the_end)
{
        struct request *req = request();
        int64_t now = pipit__reactor_now(reactor);

        pipit__request_enter(req, REQUEST_HELD, &held_ops, NULL);
        pipit__request_set_deadline(req, now + 1000);
        ck_assert_int_eq(n_rescheduled, 1);
        pipit__request_end(req);
        pipit__request_set_deadline(req, now + 2000);
        ck_assert_int_eq(n_rescheduled, 1);
        ck_assert(!list_linked(&req->deadline.link));
        event_base_dispatch(base);
}
END_TEST

START_TEST(only_what_is_about_to_complete_is_counted_as_ending)
{
        struct request *first = request();
        struct request *second = request();

        pipit__request_end(first);
        pipit__request_end(second);
        ck_assert_int_eq(requests.n_ending, 2);
        pipit__request_complete(second);
        ck_assert_int_eq(requests.n_ending, 1);
        pipit__request_discard(first);
        ck_assert_int_eq(requests.n_ending, 0);
}
END_TEST

START_TEST(a_request_whose_connection_was_lost_waits_anew_for_one)
{
        struct list lost;
        struct request *req = pipit__request_new(&requests, &owner, 0, NULL, NULL);

        list_init(&lost);
        pipit__request_set_times(req, -1, _i == 0 ? 1000 : -1);
        pipit__request_enter(req, REQUEST_SENT, NULL, NULL);
        req->wait_until_ms = 1;
        ck_assert_int_eq(pipit__request_add_loss(req), 1);
        list_push_back(&lost, &req->link);
        pipit__requests_again(&lost);
        ck_assert_int_eq(req->wait_until_ms,
                         _i == 0 ? pipit__reactor_now(requests.reactor) + 1000 : DEADLINE_NEVER);
        pipit__request_discard(req);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("request_holder");
        TCase *tcase = tcase_create("holder");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, a_scopes_requests_are_looked_at_while_they_end_and_no_others);
        tcase_add_test(tcase, a_request_that_was_sent_in_time_has_the_rest_of_its_time);
        tcase_add_test(tcase, a_holder_is_told_that_its_request_leaves);
        tcase_add_test(tcase, a_holder_decides_what_a_cancel_means);
        tcase_add_test(tcase, a_holder_is_told_of_another_deadline_until_the_end);
        tcase_add_loop_test(tcase, a_request_whose_connection_was_lost_waits_anew_for_one, 0, 2);
        suite_add_tcase(suite, tcase);

        tcase = tcase_create("ending");
        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, only_what_is_about_to_complete_is_counted_as_ending);
        suite_add_tcase(suite, tcase);
        return suite;
}
