#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "loop/reactor.h"
#include "oom.h"
#include "request/request_int.h"
#include "request/requests.h"
#include "result/result_error.h"
#include "runner.h"

#define BUDGET 64

static struct event_base *base;
static struct reactor *reactor;
static struct requests requests;
static struct result_owner owner;
static int n_expired;
static int n_gone;
static int n_called;
static int n_turns;
static char trace[64]; /* what ran, one letter each */

#define N_AGAIN 3
static struct request *again[N_AGAIN]; /* in the order in which they were given back */
static int n_again;

static void
on_turn(void *arg)
{
        (void)arg;
        n_turns++;
        pipit__requests_turn(&requests, BUDGET);
}

static void
on_expired(struct request *req)
{
        n_expired++;
        pipit__request_fail(req, PIPIT_ETIMEDOUT, PIPIT_EXECUTED_NO, PIPIT_PHASE_WAIT, "late");
}

static void
on_gone(struct pipit *scope, void *arg)
{
        (void)scope;
        (void)arg;
        n_gone++;
}

static void
on_again(struct request *req, void *arg)
{
        (void)arg;
        ck_assert_int_lt(n_again, N_AGAIN);
        again[n_again++] = req;
}

static const struct requests_ops ops = {.gone = on_gone, .again = on_again};

static const struct holder_ops held_ops = {.expire = on_expired};

static void
setup(void)
{
        n_expired = n_gone = n_called = n_turns = n_again = 0;
        memset(trace, 0, sizeof trace);
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

static void
on_done(struct pipit_result *res, void *arg)
{
        (void)res;
        (void)arg;
        n_called++;
}

/* The argument that leaves a letter in the trace. */
static void *
letter(char c)
{
        static char alphabet[] = "abcdefghijklmnopqrstuvwxyz";

        return &alphabet[c - 'a'];
}

static void
mark(const char *of)
{
        trace[strlen(trace)] = *of;
}

/* arg: the letter to leave. */
static void
on_done_mark(struct pipit_result *res, void *arg)
{
        (void)res;
        mark(arg);
}

static void
frame_mark(struct request *req, struct pipit_result *res, void *arg)
{
        mark(arg);
        pipit__request_next(req, res);
}

static struct request *
request(pipit_cb cb, void *arg)
{
        struct request *req = pipit__request_new(&requests, &owner, 0, cb, arg);

        ck_assert_ptr_nonnull(req);
        return req;
}

START_TEST(a_number_names_its_request_until_its_callback)
{
        struct request *req = request(on_done, NULL);
        pipit_request number = pipit__request_number(req);

        ck_assert_uint_ne(number, 0);
        ck_assert_ptr_eq(pipit__requests_find(&requests, number), req);
        pipit__request_end(req);
        ck_assert_ptr_eq(pipit__requests_find(&requests, number), req);
        event_base_dispatch(base);
        ck_assert_ptr_null(pipit__requests_find(&requests, number));
        ck_assert_int_eq(n_called, 1);
        ck_assert_int_eq(n_gone, 1);
}
END_TEST

static void
on_done_look_for_itself(struct pipit_result *res, void *arg)
{
        const pipit_request *number = arg;

        (void)res;
        ck_assert_ptr_null(pipit__requests_find(&requests, *number));
        n_called++;
}

START_TEST(in_the_callback_the_number_names_nothing_any_more)
{
        pipit_request number;
        struct request *req = request(on_done_look_for_itself, &number);

        number = pipit__request_number(req);
        pipit__request_end(req);
        event_base_dispatch(base);
        ck_assert_int_eq(n_called, 1);
}
END_TEST

START_TEST(a_number_never_comes_back)
{
        pipit_request before = 0;

        for (int i = 0; i < 2000; i++) {
                struct request *req = request(on_done, NULL);
                pipit_request number = pipit__request_number(req);
                ck_assert_uint_ne(number, before);
                ck_assert_ptr_null(pipit__requests_find(&requests, before));
                before = number;
                pipit__request_discard(req);
        }
        ck_assert_int_le(requests.n_slots, 16);
        ck_assert_int_eq(n_called, 0);
}
END_TEST

START_TEST(foreign_numbers_name_nothing)
{
        struct request *req = request(NULL, NULL);
        pipit_request number = pipit__request_number(req);

        ck_assert_ptr_null(pipit__requests_find(&requests, 0));
        ck_assert_ptr_null(pipit__requests_find(&requests, number + 1));
        ck_assert_ptr_null(pipit__requests_find(&requests, number & UINT32_MAX));
        ck_assert_ptr_null(pipit__requests_find(&requests, number + ((pipit_request)1 << 32)));
        ck_assert_ptr_null(pipit__requests_find(&requests, UINT64_MAX));
        ck_assert_uint_eq(pipit__request_number(NULL), 0);
        pipit__request_discard(req);
}
END_TEST

START_TEST(a_thousand_outstanding_requests_are_all_found)
{
        static pipit_request numbers[1000];

        for (int i = 0; i < 1000; i++)
                numbers[i] = pipit__request_number(request(on_done, NULL));
        for (int i = 0; i < 1000; i++) {
                struct request *req = pipit__requests_find(&requests, numbers[i]);
                ck_assert_ptr_nonnull(req);
                ck_assert_uint_eq(req->number, numbers[i]);
                pipit__request_end(req);
        }
        event_base_dispatch(base);
        ck_assert_int_eq(n_called, 1000);
        ck_assert_int_ge(n_turns, 1000 / BUDGET);
}
END_TEST

START_TEST(nothing_is_called_before_the_turn_ends)
{
        pipit__request_fail(request(on_done, NULL), PIPIT_EINVAL, PIPIT_EXECUTED_NO,
                            PIPIT_PHASE_START, "no");
        ck_assert_int_eq(n_called, 0);
        ck_assert_int_eq(n_turns, 0);
        event_base_dispatch(base);
        ck_assert_int_eq(n_called, 1);
        ck_assert_int_eq(n_turns, 1);
}
END_TEST

START_TEST(frames_run_last_pushed_first_and_callbacks_behind_them)
{
        struct request *req = request(on_done_mark, letter('c'));

        ck_assert_int_eq(pipit__request_push(req, frame_mark, letter('b')), 0);
        ck_assert_int_eq(pipit__request_push(req, frame_mark, letter('a')), 0);
        ck_assert_int_eq(pipit__request_then(req, on_done_mark, letter('d')), 0);
        ck_assert_int_eq(pipit__request_then(req, on_done_mark, letter('e')), 0);
        pipit__request_end(req);
        event_base_dispatch(base);
        ck_assert_str_eq(trace, "abcde");
}
END_TEST

START_TEST(callbacks_of_then_run_without_a_first_one)
{
        struct request *req = request(NULL, NULL);

        ck_assert_int_eq(pipit__request_then(req, on_done_mark, letter('a')), 0);
        pipit__request_end(req);
        event_base_dispatch(base);
        ck_assert_str_eq(trace, "a");
}
END_TEST

START_TEST(more_frames_than_there_is_room_for_are_refused)
{
        struct request *req = request(on_done, NULL);

        for (int i = 0; i < REQUEST_MAX_FRAMES; i++)
                ck_assert_int_eq(pipit__request_push(req, frame_mark, letter('f')), 0);
        ck_assert_int_eq(pipit__request_push(req, frame_mark, letter('x')), PIPIT_ENOMEM);
        pipit__request_end(req);
        event_base_dispatch(base);
        ck_assert_uint_eq(strlen(trace), REQUEST_MAX_FRAMES);
        ck_assert_int_eq(n_called, 1);
}
END_TEST

/* Runs one more statement, which ends at the next turn. */
static void
frame_again(struct request *req, struct pipit_result *res, void *arg)
{
        mark(arg);
        ck_assert_int_eq(pipit_result_error(res)->code, PIPIT_ESERVER);
        ck_assert_int_eq(pipit__request_again(req, NULL), 0);
        ck_assert_int_eq(req->state, REQUEST_NEW);
        pipit__request_end(req);
}

static void
on_done_success(struct pipit_result *res, void *arg)
{
        (void)arg;
        ck_assert(!pipit_failed(res));
        n_called++;
}

START_TEST(a_frame_can_run_another_statement_with_a_result_of_its_own)
{
        struct request *req = request(on_done_success, NULL);

        ck_assert_int_eq(pipit__request_push(req, frame_mark, letter('b')), 0);
        ck_assert_int_eq(pipit__request_push(req, frame_again, letter('a')), 0);
        pipit__request_fail(req, PIPIT_ESERVER, PIPIT_EXECUTED_NO, PIPIT_PHASE_WAIT, "once");
        event_base_dispatch(base);
        ck_assert_str_eq(trace, "ab");
        ck_assert_int_eq(n_called, 1);
        ck_assert_int_eq(n_turns, 2);
        ck_assert_int_eq(n_gone, 1);
}
END_TEST

static void
frame_again_without_memory(struct request *req, struct pipit_result *res, void *arg)
{
        (void)arg;
        oom_after(0);
        ck_assert_int_eq(pipit__request_again(req, NULL), PIPIT_ENOMEM);
        ck_assert(oom_stop());
        pipit__request_next(req, res);
}

static void
on_done_failed_once(struct pipit_result *res, void *arg)
{
        (void)arg;
        ck_assert_str_eq(pipit_error_text(res), "once");
        n_called++;
}

START_TEST(without_memory_for_another_statement_the_old_result_goes_on)
{
        struct request *req = request(on_done_failed_once, NULL);

        ck_assert_int_eq(pipit__request_push(req, frame_again_without_memory, NULL), 0);
        pipit__request_fail(req, PIPIT_ESERVER, PIPIT_EXECUTED_NO, PIPIT_PHASE_WAIT, "once");
        event_base_dispatch(base);
        ck_assert_int_eq(n_called, 1);
}
END_TEST

START_TEST(requests_end_in_the_order_in_which_they_were_ended)
{
        struct request *a = request(on_done_mark, letter('a'));
        struct request *b = request(on_done_mark, letter('b'));
        struct request *c = request(on_done_mark, letter('c'));

        pipit__request_end(b);
        pipit__request_end(c);
        pipit__request_end(a);
        event_base_dispatch(base);
        ck_assert_str_eq(trace, "bca");
}
END_TEST

START_TEST(a_turn_completes_no_more_than_its_budget)
{
        for (int i = 0; i < 10; i++)
                pipit__request_end(request(on_done, NULL));
        pipit__requests_turn(&requests, 4);
        ck_assert_int_eq(n_called, 4);
        ck_assert_int_eq(requests.n_ending, 6);
        event_base_dispatch(base); /* the rest had a turn asked for */
        ck_assert_int_eq(n_called, 10);
}
END_TEST

START_TEST(a_discarded_request_calls_nobody)
{
        struct request *req = request(on_done, NULL);

        ck_assert_int_eq(pipit__request_push(req, frame_mark, letter('a')), 0);
        pipit__request_set_deadline(req, pipit__reactor_now(reactor) + 1);
        pipit__request_end(req);
        pipit__request_discard(req);
        event_base_dispatch(base);
        ck_assert_int_eq(n_called, 0);
        ck_assert_str_eq(trace, "");
        ck_assert_int_eq(n_gone, 1);
}
END_TEST

static void
on_done_discard(struct pipit_result *res, void *arg)
{
        (void)res;
        n_called++;
        pipit__request_discard(arg);
}

START_TEST(a_callback_may_discard_what_was_to_end_in_the_same_turn)
{
        struct request *second = request(on_done, NULL);

        pipit__request_end(request(on_done_discard, second));
        pipit__request_end(second);
        event_base_dispatch(base);
        ck_assert_int_eq(n_called, 1);
        ck_assert_int_eq(n_gone, 2);
        ck_assert_int_eq(requests.n_ending, 0);
}
END_TEST

START_TEST(a_deadline_ends_its_request_once)
{
        struct request *req = request(on_done, NULL);

        pipit__request_enter(req, REQUEST_HELD, &held_ops, NULL);
        pipit__request_set_deadline(req, pipit__reactor_now(reactor) + 3);
        event_base_dispatch(base);
        ck_assert_int_eq(n_expired, 1);
        ck_assert_int_eq(n_called, 1);
}
END_TEST

START_TEST(a_request_that_ends_has_no_deadline_any_more)
{
        struct request *req = request(on_done, NULL);

        pipit__request_enter(req, REQUEST_HELD, &held_ops, NULL);
        pipit__request_set_deadline(req, pipit__reactor_now(reactor) + 1000000);
        ck_assert(list_linked(&req->deadline.link));
        pipit__request_end(req);
        ck_assert(!list_linked(&req->deadline.link));
        event_base_dispatch(base); /* would take 1000 s */
        ck_assert_int_eq(n_expired, 0);
        ck_assert_int_eq(n_called, 1);
}
END_TEST

START_TEST(only_a_waiting_request_has_the_deadline_of_the_wait)
{
        struct request *req = request(on_done, NULL);
        int64_t now = pipit__reactor_now(reactor);

        req->wait_until_ms = now + 2000;
        pipit__request_enter(req, REQUEST_WAITING, &held_ops, NULL);
        pipit__request_set_deadline(req, now + 5000);
        ck_assert_int_eq(req->deadline.at_ms, now + 2000);
        pipit__request_set_deadline(req, now + 1000);
        ck_assert_int_eq(req->deadline.at_ms, now + 1000);
        pipit__request_enter(req, REQUEST_SENT, &held_ops, NULL);
        pipit__request_set_deadline(req, now + 5000);
        ck_assert_int_eq(req->deadline.at_ms, now + 5000);
        pipit__request_discard(req);
}
END_TEST

/* A chain in which each request is started by the callback of the last. */
struct chain {
        int left;
        char *lowest;
        char *highest;
};

static void
on_done_go_on(struct pipit_result *res, void *arg)
{
        struct chain *chain = arg;
        char here;
        char *volatile place = &here;

        (void)res;
        n_called++;
        chain->lowest = chain->lowest == NULL || place < chain->lowest ? place : chain->lowest;
        chain->highest = place > chain->highest ? place : chain->highest;
        /* Without an assertion each: Check is slow at counting them. */
        struct request *next = pipit__request_new(&requests, &owner, 0, on_done_go_on, chain);
        if (next == NULL)
                ck_abort_msg("out of memory");
        if (--chain->left > 0)
                pipit__request_end(next);
        else
                pipit__request_discard(next);
}

START_TEST(the_stack_does_not_grow_with_a_chain)
{
        struct chain chain = {.left = 100000};

        pipit__request_end(request(on_done_go_on, &chain));
        event_base_dispatch(base);
        ck_assert_int_eq(n_called, 100000);
        ck_assert_int_lt(chain.highest - chain.lowest, 1024);
        ck_assert_int_le(requests.n_slots, 16);
}
END_TEST

/* One request with everything that takes memory; false when it ran out on the way. */
static bool
make_one(void)
{
        struct request *req = pipit__request_new(&requests, &owner, 100, on_done, NULL);

        if (req == NULL)
                return false;
        memset(pipit__request_block(req), 'x', 100);
        bool then = pipit__request_then(req, on_done, NULL) == 0;
        pipit__request_end(req);
        return then;
}

START_TEST(what_is_to_run_again_is_given_back_the_last_first)
{
        struct list sent;
        struct request *reqs[N_AGAIN];

        list_init(&sent);
        for (int i = 0; i < N_AGAIN; i++) {
                reqs[i] = pipit__request_new(&requests, &owner, 0, NULL, NULL);
                pipit__request_enter(reqs[i], REQUEST_SENT, NULL, NULL);
                reqs[i]->wait_until_ms = 1;
                pipit__result_fail(reqs[i]->res, PIPIT_ESERVER, PIPIT_EXECUTED_ROLLED_BACK,
                                   PIPIT_PHASE_EXECUTE, "skipped");
                list_push_back(&sent, &reqs[i]->link);
        }
        pipit__requests_again(&sent);
        ck_assert_int_eq(n_again, N_AGAIN);
        for (int i = 0; i < N_AGAIN; i++) {
                ck_assert_ptr_eq(again[N_AGAIN - 1 - i], reqs[i]);
                ck_assert_int_eq(reqs[i]->state, REQUEST_NEW);
                ck_assert_int_eq(reqs[i]->wait_until_ms, DEADLINE_NEVER);
                ck_assert(!pipit_failed(reqs[i]->res));
                pipit__request_discard(reqs[i]);
        }
}
END_TEST

START_TEST(without_memory_no_request_is_half_made)
{
        bool failed;
        int n = 0;

        do {
                int before = requests.n;
                oom_after(n++);
                bool made = make_one();
                failed = oom_stop();
                ck_assert_int_eq(made, !failed);
                event_base_dispatch(base);
                ck_assert_int_eq(requests.n, before);
        } while (failed);
        ck_assert_int_ge(n, 4); /* request with its result, deadlines, slots, then */
}
END_TEST

START_TEST(without_memory_the_requests_are_not_half_made)
{
        bool failed;
        int n = 0;

        do {
                struct requests others;
                oom_after(n++);
                int code = pipit__requests_init(&others, reactor, &ops, NULL);
                failed = oom_stop();
                ck_assert_int_eq(code, failed ? PIPIT_ENOMEM : 0);
                pipit__requests_fini(&others);
        } while (failed);
        ck_assert_int_ge(n, 2);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("request");
        TCase *tcase = tcase_create("request");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, a_number_names_its_request_until_its_callback);
        tcase_add_test(tcase, in_the_callback_the_number_names_nothing_any_more);
        tcase_add_test(tcase, a_number_never_comes_back);
        tcase_add_test(tcase, foreign_numbers_name_nothing);
        tcase_add_test(tcase, a_thousand_outstanding_requests_are_all_found);
        tcase_add_test(tcase, nothing_is_called_before_the_turn_ends);
        tcase_add_test(tcase, frames_run_last_pushed_first_and_callbacks_behind_them);
        tcase_add_test(tcase, callbacks_of_then_run_without_a_first_one);
        tcase_add_test(tcase, more_frames_than_there_is_room_for_are_refused);
        tcase_add_test(tcase, a_frame_can_run_another_statement_with_a_result_of_its_own);
        tcase_add_test(tcase, without_memory_for_another_statement_the_old_result_goes_on);
        tcase_add_test(tcase, requests_end_in_the_order_in_which_they_were_ended);
        tcase_add_test(tcase, a_turn_completes_no_more_than_its_budget);
        tcase_add_test(tcase, a_discarded_request_calls_nobody);
        tcase_add_test(tcase, a_callback_may_discard_what_was_to_end_in_the_same_turn);
        tcase_add_test(tcase, what_is_to_run_again_is_given_back_the_last_first);
        tcase_add_test(tcase, a_deadline_ends_its_request_once);
        tcase_add_test(tcase, a_request_that_ends_has_no_deadline_any_more);
        tcase_add_test(tcase, only_a_waiting_request_has_the_deadline_of_the_wait);
        tcase_add_test(tcase, the_stack_does_not_grow_with_a_chain);
        tcase_add_test(tcase, without_memory_no_request_is_half_made);
        tcase_add_test(tcase, without_memory_the_requests_are_not_half_made);
        suite_add_tcase(suite, tcase);
        return suite;
}
