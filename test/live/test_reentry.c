/*
 * Calls of pipit inside its callbacks: starts, cancels, completions, and numbers that are stale.
 */
#include <string.h>

#include "live.h"

/* A request whose callback starts another one. */
struct pair {
        struct calls first;
        struct calls next;
        pipit_request next_number;
        bool inside; /* a start is on the stack */
};

static void
on_next(struct pipit_result *res, void *arg)
{
        struct pair *pair = arg;

        ck_assert(!pair->inside);
        on_call(res, &pair->next);
}

static void
on_first(struct pipit_result *res, void *arg)
{
        struct pair *pair = arg;

        on_call(res, &pair->first);
        pair->inside = true;
        pair->next_number = pipit_query(pipit_result_scope(res), "SELECT 'next'", PIPIT_NO_PARAMS,
                                        on_next, pair);
        pair->inside = false;
        ck_assert_uint_ne(pair->next_number, 0);
}

/* Every way in which a request ends while its database goes on. */
static const struct ending {
        const char *sql; /* NULL: refused at once */
        int64_t timeout_ms;
        bool cancel;
        int code;
        const char *sqlstate;
} endings[] = {
        {"SELECT 1", -1, false, PIPIT_OK, ""},
        {"SELECT 1/0", -1, false, PIPIT_ESERVER, "22012"},
        {NULL, -1, false, PIPIT_EINVAL, ""},
        {"SELECT 1", -1, true, PIPIT_ECANCELED, ""},
        {"SELECT pg_sleep(20)", 20, false, PIPIT_ETIMEDOUT, ""},
        {"SELECT 1", 0, false, PIPIT_ETIMEDOUT, ""},
};

static void
expect_ending(const struct pipit_result *res, const struct ending *ending)
{
        if (ending->code == PIPIT_OK)
                expect_ok(res);
        else
                expect_error(res, ending->code, ending->sqlstate);
}

START_TEST(a_request_can_be_started_in_any_callback)
{
        const struct ending *ending = &endings[_i];
        struct pair pair = {.inside = false};
        pipit_request request = pipit_query(live_db, ending->sql, PIPIT_NO_PARAMS, on_first, &pair);

        pipit_set_timeout(live_db, request, ending->timeout_ms);
        if (ending->cancel)
                pipit_cancel(live_db, request);
        ck_assert_int_eq(pair.first.n, 0);
        expect_text(answer(&pair.next), 0, 0, "next");
        expect_ending(answer(&pair.first), ending);
}
END_TEST

START_TEST(a_start_in_the_callback_of_a_drain_is_refused)
{
        struct pair pair = {.inside = false};

        ck_assert_uint_ne(pipit_drain(live_db, -1, on_first, &pair), 0);
        expect_executed(answer(&pair.next), PIPIT_ECLOSED, PIPIT_EXECUTED_NO);
        expect_ok(answer(&pair.first));
}
END_TEST

START_TEST(a_start_in_a_callback_of_close_is_refused)
{
        struct pair pair = {.inside = false};

        pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, on_first, &pair);
        pipit_close(live_db);
        live_db = NULL;
        expect_executed(answer(&pair.next), PIPIT_ECLOSED, PIPIT_EXECUTED_NO);
        expect_executed(answer(&pair.first), PIPIT_ECANCELED, PIPIT_EXECUTED_NO);
}
END_TEST

/* A chain: each link is started by the last. */
struct chain {
        const char *sql;
        int n;
        int wanted;
        int failures;
        uintptr_t lowest; /* addresses of a local of the callback */
        uintptr_t highest;
};

static void
on_link(struct pipit_result *res, void *arg)
{
        struct chain *chain = arg;
        char here = 0;
        uintptr_t address = (uintptr_t)(void *)&here;

        if (chain->n == 0)
                chain->lowest = chain->highest = address;
        chain->lowest = address < chain->lowest ? address : chain->lowest;
        chain->highest = address > chain->highest ? address : chain->highest;
        chain->failures += pipit_failed(res) ? 1 : 0;
        chain->n++;
        if (chain->n < chain->wanted)
                pipit_query(pipit_result_scope(res), chain->sql, PIPIT_NO_PARAMS, on_link, chain);
}

/* Runs it. The stack may differ between the few paths that lead to a callback, not more. */
static void
chain_run(struct chain *chain)
{
        pipit_query(live_db, chain->sql, PIPIT_NO_PARAMS, on_link, chain);
        for (int n = 1; n < chain->wanted; n += 1000)
                loop_until(&chain->n, n);
        loop_until(&chain->n, chain->wanted);
        ck_assert_uint_lt(chain->highest - chain->lowest, 4096);
}

START_TEST(a_chain_of_100000_requests_does_not_grow_the_stack)
{
        struct chain chain = {.sql = "SELECT 1", .wanted = 100000};

        chain_run(&chain);
        ck_assert_int_eq(chain.failures, 0);
}
END_TEST

START_TEST(a_chain_of_100000_refusals_does_not_grow_the_stack)
{
        struct chain chain = {.sql = NULL, .wanted = 100000};

        chain_run(&chain);
        ck_assert_int_eq(chain.failures, 100000);
}
END_TEST

START_TEST(a_chain_of_failures_goes_on)
{
        struct chain chain = {.sql = "SELECT 1/0", .wanted = 1000};

        chain_run(&chain);
        ck_assert_int_eq(chain.failures, 1000);
}
END_TEST

START_TEST(completions_are_called_in_their_order_with_one_result)
{
        struct calls calls[3] = {{0}};
        pipit_request request = ask_on(live_db, "SELECT 1", &calls[0]);

        ck_assert_int_eq(pipit_then(live_db, request, on_call, &calls[1]), 0);
        ck_assert_int_eq(pipit_then(live_db, request, on_call, &calls[2]), 0);
        ck_assert_int_eq(calls[0].n + calls[1].n + calls[2].n, 0);
        const struct pipit_result *res = answer(&calls[2]);
        expect_text(res, 0, 0, "1");
        ck_assert_ptr_eq(answer(&calls[0]), res);
        ck_assert_ptr_eq(answer(&calls[1]), res);
}
END_TEST

/* Letters of the callbacks, in the order of their calls. */
static char order[8];

static void
on_letter(struct pipit_result *res, void *arg)
{
        (void)res;
        strncat(order, arg, sizeof order - strlen(order) - 1);
}

START_TEST(a_completion_is_called_behind_those_before_it)
{
        char letters[3][2] = {"a", "b", "c"};
        struct calls calls = {0};
        pipit_request request =
                pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, on_letter, letters[0]);

        order[0] = '\0';
        ck_assert_int_eq(pipit_then(live_db, request, on_letter, letters[1]), 0);
        ck_assert_int_eq(pipit_then(live_db, request, on_letter, letters[2]), 0);
        ck_assert_int_eq(pipit_then(live_db, request, on_call, &calls), 0);
        answer(&calls);
        ck_assert_str_eq(order, "abc");
}
END_TEST

START_TEST(a_completion_can_be_added_to_a_request_without_a_callback)
{
        struct calls calls = {0};
        pipit_request request = pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, NULL, NULL);

        ck_assert_int_eq(pipit_then(live_db, request, on_call, &calls), 0);
        expect_text(answer(&calls), 0, 0, "1");
}
END_TEST

START_TEST(a_completion_is_called_when_its_request_is_cancelled)
{
        struct calls calls = {0};
        struct calls then = {0};
        pipit_request request = ask_on(live_db, "SELECT 1", &calls);

        ck_assert_int_eq(pipit_then(live_db, request, on_call, &then), 0);
        pipit_cancel(live_db, request);
        ck_assert_int_eq(then.n, 0);
        expect_executed(answer(&then), PIPIT_ECANCELED, PIPIT_EXECUTED_NO);
        expect_executed(answer(&calls), PIPIT_ECANCELED, PIPIT_EXECUTED_NO);
}
END_TEST

START_TEST(a_completion_for_nothing_is_refused_and_never_called)
{
        struct calls calls = {0};
        struct calls then = {0};
        pipit_request request = ask_on(live_db, "SELECT 1", &calls);

        ck_assert_int_eq(pipit_then(live_db, request, NULL, NULL), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_then(live_db, 0, on_call, &then), PIPIT_EINVAL);
        ck_assert_int_eq(pipit_then(live_db, ~request, on_call, &then), PIPIT_EINVAL);
        answer(&calls);
        ck_assert_int_eq(pipit_then(live_db, request, on_call, &then), PIPIT_EINVAL);
        execute("SELECT 2");
        ck_assert_int_eq(then.n, 0);
}
END_TEST

/* What a callback does to itself and to others. */
struct family {
        struct calls self;
        struct calls others[3];
        pipit_request self_number;
        pipit_request numbers[3];
        int n_cancel;
        int then_code;
};

static void
on_family(struct pipit_result *res, void *arg)
{
        struct family *family = arg;

        on_call(res, &family->self);
        pipit_cancel(live_db, family->self_number);
        pipit_set_timeout(live_db, family->self_number, 0);
        family->then_code = pipit_then(live_db, family->self_number, on_call, &family->self);
        for (int i = 0; i < family->n_cancel; i++)
                pipit_cancel(live_db, family->numbers[i]);
        for (int i = 0; i < 3; i++)
                ck_assert_int_eq(family->others[i].n, 0);
}

/* One connection, one request on it at a time: the others wait while the first is answered. */
static void
family_start(struct family *family)
{
        struct pipit_options options = {.max_connections = 1, .max_pipeline = 1};

        live_reopen(&options);
        family->self_number =
                pipit_query(live_db, "SELECT 'self'", PIPIT_NO_PARAMS, on_family, family);
        for (int i = 0; i < 3; i++)
                family->numbers[i] = ask_on(live_db, "SELECT 'other'", &family->others[i]);
        for (int i = 0; i < 3; i++)
                answer(&family->others[i]);
        execute("SELECT 1");
        expect_text(answer(&family->self), 0, 0, "self");
        ck_assert_int_eq(family->then_code, PIPIT_EINVAL);
}

START_TEST(a_callback_cannot_touch_its_own_request)
{
        struct family family = {.n_cancel = 0};

        family_start(&family);
        for (int i = 0; i < 3; i++)
                expect_text(answer(&family.others[i]), 0, 0, "other");
}
END_TEST

START_TEST(a_callback_can_cancel_a_sibling)
{
        struct family family = {.n_cancel = 1};

        family_start(&family);
        expect_executed(answer(&family.others[0]), PIPIT_ECANCELED, PIPIT_EXECUTED_NO);
        expect_text(answer(&family.others[1]), 0, 0, "other");
        expect_text(answer(&family.others[2]), 0, 0, "other");
}
END_TEST

START_TEST(a_callback_can_cancel_all_siblings)
{
        struct family family = {.n_cancel = 3};

        family_start(&family);
        for (int i = 0; i < 3; i++)
                expect_executed(answer(&family.others[i]), PIPIT_ECANCELED, PIPIT_EXECUTED_NO);
}
END_TEST

START_TEST(a_cancelled_request_calls_back_once_however_often_it_is_cancelled)
{
        struct calls calls = {0};
        pipit_request request = ask_on(live_db, "SELECT 1", &calls);

        for (int i = 0; i < 3; i++)
                pipit_cancel(live_db, request);
        pipit_set_timeout(live_db, request, 0);
        ck_assert_int_eq(calls.n, 0);
        expect_executed(answer(&calls), PIPIT_ECANCELED, PIPIT_EXECUTED_NO);
        pipit_cancel(live_db, request);
        execute("SELECT 2");
        ck_assert_int_eq(calls.n, 1);
}
END_TEST

START_TEST(a_stale_number_names_nothing_though_its_place_is_in_use_again)
{
        struct calls old = {0};
        struct calls new[20] = {{0}};
        struct calls then = {0};
        pipit_request stale = ask_on(live_db, "SELECT 'old'", &old);

        answer(&old);
        for (int i = 0; i < 20; i++)
                ck_assert_uint_ne(ask_on(live_db, "SELECT 'new'", &new[i]), stale);
        pipit_cancel(live_db, stale);
        pipit_set_timeout(live_db, stale, 0);
        ck_assert_int_eq(pipit_then(live_db, stale, on_call, &then), PIPIT_EINVAL);
        for (int i = 0; i < 20; i++)
                expect_text(answer(&new[i]), 0, 0, "new");
        ck_assert_int_eq(old.n, 1);
        ck_assert_int_eq(then.n, 0);
}
END_TEST

START_TEST(numbers_that_name_nothing_do_nothing)
{
        static const pipit_request numbers[] = {
                0, 1, 7, 1000, 1ULL << 32, UINT64_MAX, (1ULL << 32) | 1000000};
        struct calls calls = {0};

        execute("SELECT 1"); /* one place has been in use */
        ask_on(live_db, "SELECT 'safe'", &calls);
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
                pipit_cancel(live_db, numbers[i]);
                pipit_set_timeout(live_db, numbers[i], 0);
        }
        expect_text(answer(&calls), 0, 0, "safe");
}
END_TEST

START_TEST(a_request_without_a_callback_runs)
{
        pipit_request request = pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, NULL, NULL);

        ck_assert_uint_ne(request, 0);
        ck_assert_uint_ne(pipit_query(live_db, NULL, PIPIT_NO_PARAMS, NULL, NULL), 0);
        execute("SELECT 2");
        loop_for(1);
}
END_TEST

/* Handlers of one turn of the loop: each starts a request. */
struct handler {
        struct calls calls;
        struct event *event;
};

static void
on_handler(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        ask_on(live_db, "SELECT pg_backend_pid()", &((struct handler *)arg)->calls);
}

static void
handlers_run(struct handler handlers[20])
{
        for (int i = 0; i < 20; i++) {
                handlers[i].event = event_new(live_base, -1, 0, on_handler, &handlers[i]);
                event_priority_set(handlers[i].event, i % 3);
                event_active(handlers[i].event, EV_TIMEOUT, 0);
        }
        for (int i = 0; i < 20; i++) {
                expect_ok(answer(&handlers[i].calls));
                event_free(handlers[i].event);
        }
}

START_TEST(handlers_of_every_priority_have_their_requests_answered)
{
        struct handler handlers[20] = {{.event = NULL}};
        struct pipit_options options = {.max_connections = 1, .event_priority = 3};

        pipit_close(live_db);
        loop_until(NULL, 0);
        ck_assert_int_eq(event_base_priority_init(live_base, 3), 0);
        live_db = pipit_open(live_base, live_url(), &options);
        execute("SELECT 1");
        handlers_run(handlers);
        for (int i = 1; i < 20; i++)
                expect_text(handlers[i].calls.last, 0, 0,
                            pipit_result_text(handlers[0].calls.last, 0, 0));
}
END_TEST

static TCase *
starts_tcase(void)
{
        TCase *tcase = tcase_create("starts");

        tcase_set_timeout(tcase, 240); /* for the long chains, on a busy machine */
        tcase_add_checked_fixture(tcase, live_setup, live_teardown);
        tcase_add_loop_test(tcase, a_request_can_be_started_in_any_callback, 0,
                            sizeof endings / sizeof *endings);
        tcase_add_test(tcase, a_start_in_the_callback_of_a_drain_is_refused);
        tcase_add_test(tcase, a_start_in_a_callback_of_close_is_refused);
        tcase_add_test(tcase, a_chain_of_100000_requests_does_not_grow_the_stack);
        tcase_add_test(tcase, a_chain_of_100000_refusals_does_not_grow_the_stack);
        tcase_add_test(tcase, a_chain_of_failures_goes_on);
        tcase_add_test(tcase, a_request_without_a_callback_runs);
        tcase_add_test(tcase, handlers_of_every_priority_have_their_requests_answered);
        return tcase;
}

static TCase *
numbers_tcase(void)
{
        TCase *tcase = tcase_create("numbers");

        tcase_add_checked_fixture(tcase, live_setup, live_teardown);
        tcase_add_test(tcase, completions_are_called_in_their_order_with_one_result);
        tcase_add_test(tcase, a_completion_is_called_behind_those_before_it);
        tcase_add_test(tcase, a_completion_can_be_added_to_a_request_without_a_callback);
        tcase_add_test(tcase, a_completion_is_called_when_its_request_is_cancelled);
        tcase_add_test(tcase, a_completion_for_nothing_is_refused_and_never_called);
        tcase_add_test(tcase, a_callback_cannot_touch_its_own_request);
        tcase_add_test(tcase, a_callback_can_cancel_a_sibling);
        tcase_add_test(tcase, a_callback_can_cancel_all_siblings);
        tcase_add_test(tcase, a_cancelled_request_calls_back_once_however_often_it_is_cancelled);
        tcase_add_test(tcase, a_stale_number_names_nothing_though_its_place_is_in_use_again);
        tcase_add_test(tcase, numbers_that_name_nothing_do_nothing);
        return tcase;
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("reentry");

        suite_add_tcase(suite, starts_tcase());
        suite_add_tcase(suite, numbers_tcase());
        return suite;
}
