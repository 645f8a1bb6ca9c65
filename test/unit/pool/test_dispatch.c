#include <event2/event.h>
#include <pipit/error.h>
#include <pipit/value.h>
#include <string.h>

#include "conn/conn.h"
#include "loop/reactor.h"
#include "pool/dispatch.h"
#include "pool/pool.h"
#include "request/bound_stmt.h"
#include "request/request_int.h"
#include "request/requests.h"
#include "request/stmt_cache.h"
#include "runner.h"

/* The queues of the dispatcher: what is dealt from them is in the wire and live tests. */

#define MAX_WAITING       3
#define MAX_WAITING_BYTES ((size_t)1000)

static struct event_base *base;
static struct reactor *reactor;
static struct requests requests;
static struct result_owner owner;
static struct stmt_cache stmt_cache;
static struct pool pool; /* without a connection */
static struct dispatch dispatch;

static const struct pipit_options options = {
        .max_waiting = MAX_WAITING, .max_waiting_bytes = MAX_WAITING_BYTES, .max_pipeline = 1};

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

static const struct requests_ops ops = {.gone = on_gone};

static void
setup(void)
{
        base = event_base_new();
        reactor = pipit__reactor_new(base, 0, on_turn, NULL);
        ck_assert_int_eq(pipit__requests_init(&requests, reactor, &ops, NULL), 0);
        pipit__result_owner_init(&owner, NULL);
        ck_assert_int_eq(pipit__stmt_cache_init(&stmt_cache, 0), 0);
        pipit__dispatch_init(&dispatch, &options, NULL, reactor, &pool);
}

static void
teardown(void)
{
        pipit__requests_discard(&requests);
        pipit__requests_fini(&requests);
        pipit__result_owner_fini(&owner);
        pipit__stmt_cache_fini(&stmt_cache);
        pipit__reactor_free(reactor);
        event_base_free(base);
}

/* A request with a statement, which is not in the queue yet. */
static struct request *
request(bool is_read)
{
        struct stmt *stmt = pipit__stmt_cache_get(&stmt_cache, "SELECT 1");
        struct pipit_params none = {NULL, 0};
        struct request_traits traits = {.is_read = is_read};
        struct stmt_problem problem;
        struct bound_form form;

        ck_assert_int_eq(pipit__bound_stmt_measure(stmt, none, &form, &problem), 0);
        struct request *req = pipit__request_new(&requests, &owner, form.size, NULL, NULL);
        ck_assert_ptr_nonnull(req);
        pipit__request_set_stmt(
                req, pipit__bound_stmt_write(pipit__request_block(req), stmt, none, &form),
                &traits);
        return req;
}

static struct request *
waiting(bool is_read)
{
        struct request *req = request(is_read);

        pipit__dispatch_add(&dispatch, req);
        return req;
}

/* The ways in which a request leaves the queue. */
enum way { IS_SENT, IS_CANCELLED, EXPIRES, IS_REFUSED, IS_DISCARDED, N_WAYS };

static void
leave(struct request *req, enum way way)
{
        static const struct conn_error failure = {.host = "nowhere", .text = "no"};

        switch (way) {
        case IS_SENT: pipit__request_enter(req, REQUEST_SENT, NULL, NULL); break;
        case IS_CANCELLED: pipit__request_cancel(req, "enough"); break;
        case EXPIRES: pipit__request_holder_ops(req)->expire(req); break;
        case IS_REFUSED: pipit__dispatch_refuse(&dispatch, &failure); break;
        case IS_DISCARDED: pipit__request_discard(req); break;
        case N_WAYS: break;
        }
}

START_TEST(a_request_that_leaves_gives_the_room_of_its_bytes_back)
{
        struct request *req = waiting(true);
        size_t rest = MAX_WAITING_BYTES - pipit__request_bytes(req);

        ck_assert_uint_lt(rest, MAX_WAITING_BYTES);
        ck_assert(pipit__dispatch_has_room(&dispatch, rest));
        ck_assert(!pipit__dispatch_has_room(&dispatch, rest + 1));
        leave(req, (enum way)_i);
        ck_assert(pipit__dispatch_has_room(&dispatch, MAX_WAITING_BYTES));
        ck_assert(!pipit__dispatch_has_room(&dispatch, MAX_WAITING_BYTES + 1));
}
END_TEST

START_TEST(a_request_that_leaves_gives_its_place_back)
{
        struct request *req = waiting(true);

        for (int i = 1; i < MAX_WAITING; i++) {
                ck_assert(pipit__dispatch_has_room(&dispatch, 0));
                waiting(i == 1);
        }
        ck_assert(!pipit__dispatch_has_room(&dispatch, 0));
        leave(req, (enum way)_i);
        ck_assert(pipit__dispatch_has_room(&dispatch, 0));
}
END_TEST

START_TEST(what_waits_in_subscopes_takes_room_for_bytes_too)
{
        size_t rest = MAX_WAITING_BYTES - pipit__request_bytes(waiting(true));

        pipit__dispatch_add_queued(&dispatch, rest);
        ck_assert(pipit__dispatch_has_room(&dispatch, 0));
        ck_assert(!pipit__dispatch_has_room(&dispatch, 1));
        ck_assert(!pipit__dispatch_has_room_for(&dispatch, 1));
        pipit__dispatch_remove_queued(&dispatch, rest);
        ck_assert(pipit__dispatch_has_room(&dispatch, rest));
        ck_assert(pipit__dispatch_has_room_for(&dispatch, rest));
}
END_TEST

START_TEST(requests_wait_in_the_order_of_the_calls_and_in_front_of_them_who_was_sent_before)
{
        struct request *first = waiting(true);
        struct request *second = waiting(true);
        struct request *again = request(true);

        pipit__dispatch_add_again(&dispatch, again);
        ck_assert_ptr_eq(pipit__request_first(&dispatch.reads), again);
        ck_assert_ptr_eq(pipit__request_after(&dispatch.reads, again), first);
        ck_assert_ptr_eq(pipit__request_after(&dispatch.reads, first), second);
        ck_assert_ptr_null(pipit__request_after(&dispatch.reads, second));
}
END_TEST

START_TEST(reads_others_and_what_wants_a_connection_of_its_own_wait_apart)
{
        struct request *read = waiting(true);
        struct request *other = waiting(false);
        struct request *own = pipit__request_new(&requests, &owner, 0, NULL, NULL);

        pipit__request_set_subscope(own, (struct subscope *)(void *)&pool);
        pipit__dispatch_add(&dispatch, own);
        ck_assert_ptr_eq(pipit__request_first(&dispatch.reads), read);
        ck_assert_ptr_eq(pipit__request_first(&dispatch.others), other);
        ck_assert_ptr_eq(pipit__request_first(&dispatch.lease_queue), own);
        ck_assert_int_eq(dispatch.n, 3);
}
END_TEST

START_TEST(a_wait_that_was_too_long_was_for_a_connection)
{
        struct request *req = waiting(false);

        leave(req, EXPIRES);
        const struct pipit_error *error = pipit_result_error(pipit__request_result(req));
        ck_assert_int_eq(error->code, PIPIT_ETIMEDOUT);
        ck_assert_int_eq(error->executed, PIPIT_EXECUTED_NO);
        ck_assert_ptr_nonnull(strstr(error->message, "for a connection in vain"));
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("dispatch");
        TCase *tcase = tcase_create("dispatch");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_loop_test(tcase, a_request_that_leaves_gives_the_room_of_its_bytes_back, 0,
                            N_WAYS);
        tcase_add_loop_test(tcase, a_request_that_leaves_gives_its_place_back, 0, N_WAYS);
        tcase_add_test(tcase, what_waits_in_subscopes_takes_room_for_bytes_too);
        tcase_add_test(
                tcase,
                requests_wait_in_the_order_of_the_calls_and_in_front_of_them_who_was_sent_before);
        tcase_add_test(tcase, reads_others_and_what_wants_a_connection_of_its_own_wait_apart);
        tcase_add_test(tcase, a_wait_that_was_too_long_was_for_a_connection);
        suite_add_tcase(suite, tcase);
        return suite;
}
