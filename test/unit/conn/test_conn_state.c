#include <event2/event.h>
#include <pipit/options.h>
#include <string.h>

#include "base/log.h"
#include "conn/conn_int.h"
#include "conn/pooler.h"
#include "connect/conninfo.h"
#include "runner.h"

/* Connections without a PGconn: what is sent on them fails, as on one that is lost. */

static struct event_base *base;
static struct reactor *reactor;
static struct log log_hook;
static struct pooler pooler;
static struct conn_config config;
static struct conn conn;
static enum conn_state entered[8]; /* in their order */
static int n_entered;
static char reason[512]; /* of the last CONN_CLOSED */
static char line[300];   /* the last one of the log that has a change of state */
static int n_ready;
static int n_lost;
static int n_freed;

static void
on_turn(void *arg)
{
        (void)arg;
}

static void
on_entered(struct conn *self, enum conn_state from, const struct conn_error *failure, void *arg)
{
        (void)from;
        (void)arg;
        ck_assert_int_lt(n_entered, 8);
        entered[n_entered++] = pipit__conn_state(self);
        ck_assert_int_eq(failure != NULL, pipit__conn_state(self) == CONN_CLOSED);
        if (failure != NULL)
                strcpy(reason, failure->text);
}

static void
on_unsuited(struct conn *self, void *arg)
{
        (void)self;
        (void)arg;
        ck_abort_msg("any server was asked for");
}

static const struct conn_ops conn_ops = {on_entered, on_unsuited};
static const struct conninfo conninfo = {.role = ROLE_ANY};

static void
on_log(enum pipit_log_level level, const char *text, void *arg)
{
        (void)level;
        (void)arg;
        if (strstr(text, " -> ") != NULL)
                snprintf(line, sizeof line, "%s", text);
}

static void
on_ready(void *arg)
{
        ck_assert_ptr_eq(arg, &conn);
        n_ready++;
}

static void
on_lost(const struct conn_error *cause, void *arg)
{
        (void)cause;
        (void)arg;
        n_lost++;
}

static const struct lease_ops lease_ops = {.ready = on_ready, .lost = on_lost};

static void
on_free(struct deferred *deferred)
{
        (void)deferred;
        n_freed++;
}

static void
setup(void)
{
        n_entered = n_ready = n_lost = n_freed = 0;
        base = event_base_new();
        reactor = pipit__reactor_new(base, 0, on_turn, NULL);
        log_hook = (struct log){.fn = on_log};
        pipit__pooler_init(&pooler, PIPIT_POOLER_AUTO);
        config = (struct conn_config){.info = &conninfo,
                                      .reactor = reactor,
                                      .log = &log_hook,
                                      .search_path = "",
                                      .pooler = &pooler,
                                      .ops = &conn_ops};
        conn = (struct conn){.config = &config, .state = CONN_BUSY, .deferred.free = on_free};
        list_init(&conn.link);
        conn.limit = pipit__timer_new(reactor, pipit__conn_on_limit, &conn);
        conn.again = pipit__timer_new(reactor, pipit__conn_on_again, &conn);
        pipit__reply_queue_init(&conn.replies, &conn.prepared);
        pipit__reactor_enter(reactor);
}

static void
teardown(void)
{
        pipit__reactor_leave(reactor);
        ck_assert_int_eq(n_freed, conn.state == CONN_CLOSED);
        pipit__reply_queue_fini(&conn.replies);
        pipit__timer_free(conn.limit);
        pipit__timer_free(conn.again);
        pipit__reactor_free(reactor);
        event_base_free(base);
}

static void
expect_entered(int n, const enum conn_state *states)
{
        ck_assert_int_eq(n_entered, n);
        for (int i = 0; i < n; i++)
                ck_assert_int_eq(entered[i], states[i]);
}

#define EXPECT_ENTERED(...)                                                                        \
        expect_entered(sizeof((enum conn_state[]){__VA_ARGS__}) / sizeof(enum conn_state),         \
                       (const enum conn_state[]){__VA_ARGS__})

START_TEST(what_owes_nothing_and_is_nobodys_is_idle)
{
        pipit__conn_drained(&conn);
        EXPECT_ENTERED(CONN_IDLE);
}
END_TEST

START_TEST(what_owes_nothing_goes_on_with_its_lease)
{
        conn.lease_ops = &lease_ops;
        conn.lease_arg = &conn;
        pipit__conn_drained(&conn);
        EXPECT_ENTERED(CONN_LEASED);
        ck_assert_int_eq(n_ready, 1);
}
END_TEST

START_TEST(a_cancel_that_is_out_keeps_a_connection_until_it_has_ended)
{
        conn.cancel = (struct cancel *)(void *)&conn;
        conn.cancel_state = CANCEL_ASKED;
        pipit__conn_drained(&conn);
        EXPECT_ENTERED(CONN_CANCELLING);
        ck_assert_int_eq(conn.cancel_state, CANCEL_LATE);
        conn.cancel = NULL;
        conn.cancel_state = CANCEL_PAST;
        pipit__conn_drained(&conn);
        EXPECT_ENTERED(CONN_CANCELLING, CONN_IDLE);
        ck_assert_int_eq(conn.cancel_state, CANCEL_NONE);
}
END_TEST

START_TEST(a_cancel_that_failed_closes_what_owes_nothing)
{
        conn.cancel_state = CANCEL_FAILED;
        pipit__conn_drained(&conn);
        EXPECT_ENTERED(CONN_CLOSED);
        ck_assert_str_eq(reason, "a cancel had failed");
}
END_TEST

START_TEST(a_connection_is_replaced_for_statements_that_nobody_can_close)
{
        for (int i = 0; i < 64; i++)
                pipit__prepared_lose(&conn.prepared);
        pipit__conn_drained(&conn);
        EXPECT_ENTERED(CONN_IDLE);
        pipit__prepared_lose(&conn.prepared);
        pipit__conn_drained(&conn);
        EXPECT_ENTERED(CONN_IDLE, CONN_CLOSED);
        ck_assert_ptr_nonnull(strstr(reason, "could not be closed"));
}
END_TEST

START_TEST(a_connection_is_replaced_for_buffers_that_have_grown)
{
        conn.oversized = true;
        conn.lease_ops = &lease_ops;
        conn.lease_arg = &conn;
        pipit__conn_drained(&conn);
        EXPECT_ENTERED(CONN_LEASED);
        pipit__conn_release(&conn, false);
        EXPECT_ENTERED(CONN_LEASED, CONN_CLOSED);
        ck_assert_int_eq(n_lost, 0);
}
END_TEST

START_TEST(a_session_that_was_changed_is_cleaned_first)
{
        conn.replies.dirty = true;
        pipit__conn_drained(&conn);
        EXPECT_ENTERED(CONN_CLEANING, CONN_CLOSED); /* nothing can be sent here */
}
END_TEST

START_TEST(a_session_that_stays_changed_is_not_cleaned_twice)
{
        conn.state = CONN_CLEANING;
        conn.replies.dirty = true;
        pipit__conn_drained(&conn);
        EXPECT_ENTERED(CONN_CLOSED);
        ck_assert_ptr_nonnull(strstr(reason, "could not be taken away"));
}
END_TEST

START_TEST(a_lease_can_have_its_session_made_as_new)
{
        conn.state = CONN_IDLE;
        ck_assert_int_eq(pipit__conn_lease(&conn, &lease_ops, &conn), 0);
        ck_assert_ptr_eq(pipit__conn_lease_arg(&conn), &conn);
        pipit__conn_release(&conn, true);
        EXPECT_ENTERED(CONN_LEASED, CONN_CLEANING, CONN_CLOSED);
        ck_assert_ptr_null(pipit__conn_lease_arg(&conn));
}
END_TEST

START_TEST(what_a_lease_gives_back_as_it_was_is_idle)
{
        conn.state = CONN_IDLE;
        ck_assert_int_eq(pipit__conn_lease(&conn, &lease_ops, &conn), 0);
        pipit__conn_release(&conn, false);
        EXPECT_ENTERED(CONN_LEASED, CONN_IDLE);
}
END_TEST

START_TEST(a_lease_is_told_when_its_connection_is_lost_but_not_once_it_is_forgotten)
{
        conn.lease_ops = &lease_ops;
        if (_i > 0)
                pipit__conn_forget_lease(&conn);
        pipit__conn_close(&conn, "it was enough");
        ck_assert_int_eq(n_lost, _i == 0);
}
END_TEST

static const struct {
        enum conn_state state;
        const char *reason; /* NULL: it stays */
} limits[] = {
        {CONN_CONNECTING, NULL},
        {CONN_SETTING_UP, "the session's settings were not answered in time"},
        {CONN_IDLE, NULL},
        {CONN_BUSY, NULL}, /* somebody waits for what is owed */
        {CONN_LEASED, NULL},
        {CONN_CLEANING, "it was not clean in time"},
        {CONN_CANCELLING, NULL},
};
#define N_LIMITS ((int)(sizeof limits / sizeof limits[0]))

START_TEST(only_states_that_have_a_limit_end_by_it)
{
        conn.state = limits[_i].state;
        pipit__conn_on_limit(&conn);
        ck_assert_int_eq(n_entered, limits[_i].reason != NULL);
        if (limits[_i].reason != NULL)
                ck_assert_str_eq(reason, limits[_i].reason);
}
END_TEST

static const char *const names[] = {[CONN_CONNECTING] = "connecting",
                                    [CONN_SETTING_UP] = "setting up",
                                    [CONN_IDLE] = "idle",
                                    [CONN_BUSY] = "busy",
                                    [CONN_LEASED] = "leased",
                                    [CONN_CLEANING] = "cleaning",
                                    [CONN_CANCELLING] = "cancelling"};
#define N_NAMES ((int)(sizeof names / sizeof names[0]))

START_TEST(the_log_names_each_state)
{
        char expected[100];

        snprintf(expected, sizeof expected, "connection to : busy -> %s", names[_i]);
        pipit__conn_enter(&conn, (enum conn_state)_i, NULL);
        ck_assert_str_eq(line, expected);
}
END_TEST

START_TEST(a_connection_is_old_when_its_lifetime_is_over)
{
        conn.born_ms = pipit__conn_now(&conn) - 1000;
        conn.served = true;
        pipit__conn_set_lifetime(&conn, 1000000);
        ck_assert(!pipit__conn_is_old(&conn));
        pipit__conn_set_lifetime(&conn, 1000);
        ck_assert(pipit__conn_is_old(&conn));
        pipit__conn_set_lifetime(&conn, -1);
        ck_assert(!pipit__conn_is_old(&conn));
}
END_TEST

START_TEST(a_connection_that_has_served_nobody_is_not_old)
{
        conn.born_ms = pipit__conn_now(&conn) - 1000;
        pipit__conn_set_lifetime(&conn, 1000);
        conn.state = CONN_SETTING_UP;
        pipit__conn_enter(&conn, CONN_IDLE, NULL);
        ck_assert(!pipit__conn_is_old(&conn));
        pipit__conn_enter(&conn, _i == 0 ? CONN_BUSY : CONN_LEASED, NULL);
        ck_assert(pipit__conn_is_old(&conn));
}
END_TEST

START_TEST(a_lifetime_has_an_end_that_is_a_number)
{
        conn.born_ms = pipit__conn_now(&conn);
        conn.served = true;
        pipit__conn_set_lifetime(&conn, INT64_MAX - _i);
        ck_assert(!pipit__conn_is_old(&conn));
}
END_TEST

/* What others have, too, would be taken from them. */
START_TEST(a_session_that_others_have_is_not_cleaned)
{
        pooler.mode = PIPIT_POOLER_TRANSACTION;
        conn.replies.dirty = true;
        pipit__conn_drained(&conn);
        EXPECT_ENTERED(CONN_IDLE);
}
END_TEST

/* Through a pooler nothing is prepared, and a role would be another client's. */
START_TEST(reads_share_only_where_a_role_is_its_own_and_nothing_where_reads_can_fail)
{
        ck_assert(pipit__conn_may_share(&conn, false));
        ck_assert(!pipit__conn_may_share(&conn, true));
        pooler.mode = PIPIT_POOLER_TRANSACTION; /* they have a transaction that cannot write */
        ck_assert(pipit__conn_may_share(&conn, true));
        pooler.mode = PIPIT_POOLER_SESSION;
        config.max_prepared = 1;
        ck_assert(pipit__conn_may_share(&conn, true));
        conn.serializable = true;
        ck_assert(!pipit__conn_may_share(&conn, false));
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("conn_state");
        TCase *tcase = tcase_create("conn_state");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, what_owes_nothing_and_is_nobodys_is_idle);
        tcase_add_test(tcase, what_owes_nothing_goes_on_with_its_lease);
        tcase_add_test(tcase, a_cancel_that_is_out_keeps_a_connection_until_it_has_ended);
        tcase_add_test(tcase, a_cancel_that_failed_closes_what_owes_nothing);
        tcase_add_test(tcase, a_connection_is_replaced_for_statements_that_nobody_can_close);
        tcase_add_test(tcase, a_connection_is_replaced_for_buffers_that_have_grown);
        tcase_add_test(tcase, a_session_that_was_changed_is_cleaned_first);
        tcase_add_test(tcase, a_session_that_others_have_is_not_cleaned);
        tcase_add_test(tcase, a_session_that_stays_changed_is_not_cleaned_twice);
        tcase_add_test(tcase, a_lease_can_have_its_session_made_as_new);
        tcase_add_test(tcase, what_a_lease_gives_back_as_it_was_is_idle);
        tcase_add_loop_test(
                tcase, a_lease_is_told_when_its_connection_is_lost_but_not_once_it_is_forgotten, 0,
                2);
        tcase_add_loop_test(tcase, only_states_that_have_a_limit_end_by_it, 0, N_LIMITS);
        tcase_add_loop_test(tcase, the_log_names_each_state, 0, N_NAMES);
        tcase_add_test(tcase, a_connection_is_old_when_its_lifetime_is_over);
        tcase_add_loop_test(tcase, a_connection_that_has_served_nobody_is_not_old, 0, 2);
        tcase_add_loop_test(tcase, a_lifetime_has_an_end_that_is_a_number, 0, 2);
        tcase_add_test(tcase,
                       reads_share_only_where_a_role_is_its_own_and_nothing_where_reads_can_fail);
        suite_add_tcase(suite, tcase);
        return suite;
}
