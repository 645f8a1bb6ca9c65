/*
 * Scopes that were opened by hand are there until they are ended by hand, whatever ends the scopes
 * around them. With the address sanitizer a test here fails at the first touch of a freed one.
 */
#include <stdlib.h>

#include "live.h"

/* The scope by hand is opened in one of these. */
enum { IN_BODY, IN_NESTED_BODY, IN_BY_HAND, N_PARENTS };
/* The scope around it ends in one of these ways. */
enum { BY_TIME, BY_CANCEL, BY_DRAIN, BY_KILL, N_WAYS };
/* How its user ends it afterwards; or not, so that closing the database does. */
enum { COMMITS, ROLLS_BACK, CLOSES, LEAVES, N_ENDS };

static struct pipit *by_hand;
static struct pipit *outer;
static struct calls statement;
static struct calls outer_done;

static void
open_inner(struct pipit *tx, void *arg)
{
        (void)arg;
        by_hand = pipit_begin(tx, NULL);
        ck_assert_ptr_nonnull(by_hand);
        ask_on(by_hand, "SELECT pg_backend_pid()", &statement);
}

static void
open_nested(struct pipit *tx, void *arg)
{
        pipit_atomic(tx, open_inner, NULL, arg);
}

/* Opens the outer scope and in it the one by hand; returns the outer one's request, if it has one.
 */
static pipit_request
open_in(int parent)
{
        pipit_request request = 0;

        outer = NULL;
        statement = outer_done = (struct calls){0};
        if (parent == IN_BY_HAND) {
                outer = pipit_begin(live_db, NULL);
                open_inner(outer, NULL);
        } else {
                request = pipit_atomic(live_db, parent == IN_BODY ? open_inner : open_nested,
                                       on_call, &outer_done);
        }
        loop_until(&statement.n, 1);
        expect_ok(statement.last);
        return request;
}

static void
kill_backend(void)
{
        struct pipit *other = pipit_open(live_base, live_url(), NULL);
        long pid = strtol(pipit_result_text(statement.last, 0, 0), NULL, 10);

        expect_ok(query_on(other, "SELECT pg_terminate_backend($1)", PIPIT_PARAMS((int)pid)));
        pipit_close(other);
}

/* Ends the scope around it. False: this way is none for this parent. */
static bool
end_outer(int parent, int way, pipit_request request)
{
        struct calls drained = {0};

        switch (way) {
        case BY_TIME:
        case BY_CANCEL:
                if (parent == IN_BY_HAND)
                        return false;
                if (way == BY_TIME)
                        pipit_set_timeout(live_db, request, 0);
                else
                        pipit_cancel(live_db, request);
                break;
        case BY_DRAIN:
                ck_assert_uint_ne(pipit_drain(live_db, 0, on_call, &drained), 0);
                loop_until(&drained.n, 1);
                break;
        case BY_KILL: kill_backend(); break;
        default: break;
        }
        loop_for(30);
        return true;
}

/* The user's own end: told once, and as a failure when he wanted a commit. */
static void
end_by_user(int end)
{
        struct calls ended = {0};

        switch (end) {
        case COMMITS:
                ck_assert_uint_ne(pipit_commit(by_hand, on_call, &ended), 0);
                loop_until(&ended.n, 1);
                ck_assert(pipit_failed(ended.last));
                ck_assert_int_eq(pipit_result_error(ended.last)->executed,
                                 PIPIT_EXECUTED_ROLLED_BACK);
                break;
        case ROLLS_BACK:
                ck_assert_uint_ne(pipit_rollback(by_hand, on_call, &ended), 0);
                loop_until(&ended.n, 1);
                break;
        case CLOSES: pipit_close(by_hand); break;
        default: break;
        }
        loop_for(10);
        ck_assert_int_le(ended.n, 1);
}

START_TEST(a_scope_by_hand_is_there_until_it_is_ended_by_hand)
{
        int parent = _i % N_PARENTS;
        int way = _i / N_PARENTS % N_WAYS;
        int end = _i / N_PARENTS / N_WAYS;
        struct calls late = {0};

        pipit_request request = open_in(parent);
        if (!end_outer(parent, way, request)) {
                pipit_close(by_hand);
                pipit_close(outer);
                pipit_close(live_db);
                live_db = NULL;
                return;
        }
        /* A request that is started on it fails. */
        ck_assert_uint_ne(ask_on(by_hand, "SELECT 1", &late), 0);
        loop_until(&late.n, 1);
        ck_assert(pipit_failed(late.last));
        end_by_user(end);
        if (outer != NULL)
                pipit_close(outer);
        pipit_close(live_db);
        live_db = NULL;
}
END_TEST

START_TEST(a_transaction_on_what_has_ended_by_itself_fails)
{
        pipit_request request = open_in(IN_BODY);
        struct calls done = {0};

        pipit_cancel(live_db, request);
        loop_for(30);
        struct pipit *inner = pipit_begin(by_hand, NULL);
        ck_assert_ptr_nonnull(inner);
        ck_assert_ptr_nonnull(pipit_scope_error(inner));
        ck_assert_uint_ne(pipit_commit(inner, on_call, &done), 0);
        loop_until(&done.n, 1);
        ck_assert(pipit_failed(done.last));
        pipit_close(by_hand);
}
END_TEST

START_TEST(a_session_by_hand_outlives_its_connection)
{
        struct pipit *session = pipit_session_open(live_db);
        struct calls late = {0};

        statement = (struct calls){0};
        ask_on(session, "SELECT pg_backend_pid()", &statement);
        loop_until(&statement.n, 1);
        kill_backend();
        loop_for(30);
        ask_on(session, "SELECT 1", &late);
        loop_until(&late.n, 1);
        expect_error(late.last, PIPIT_ELOST, "57P01");
        pipit_close(session);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("by_hand");
        TCase *tcase = tcase_create("by_hand");

        tcase_add_checked_fixture(tcase, live_setup, live_teardown);
        tcase_add_loop_test(tcase, a_scope_by_hand_is_there_until_it_is_ended_by_hand, 0,
                            N_PARENTS * N_WAYS * N_ENDS);
        tcase_add_test(tcase, a_transaction_on_what_has_ended_by_itself_fails);
        tcase_add_test(tcase, a_session_by_hand_outlives_its_connection);
        suite_add_tcase(suite, tcase);
        return suite;
}
