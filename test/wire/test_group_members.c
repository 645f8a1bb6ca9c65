/*
 * Members of a group that nobody waits for any more: each ends alone.
 */
#include <string.h>

#include "conn/conn_int.h"
#include "pq/pq_cancel.h"
#include "scope/database.h"
#include "wire.h"

#define N 8

static int n_syncs; /* of groups, that the server has got */

static bool
count_syncs(struct session *session, const struct message *message, void *arg)
{
        (void)arg;
        n_syncs += message->kind == MESSAGE_SYNC && session->reader && !session->sets_role;
        return false;
}

/* Has the statement with this value fail. */
static void
fail_one(struct session *session, const char *sql, void *arg)
{
        const char *culprit = arg;

        if (culprit != NULL && session->value != NULL && strcmp(session->value, culprit) == 0)
                session_error(session, "ERROR", "22012", "says no");
        else
                server_echo(session, sql, NULL);
}

/* An idle connection, and SELECT $1 is known to be fast. */
static void
setup(void)
{
        wire_setup();
        wire_know("SELECT $1");
        n_syncs = 0;
        wire_server->on_message = count_syncs;
        wire_server->on_statement = fail_one;
}

/* Starts reads, and gives one of them up when all are with the server. */
static void
give_up(struct batch *batch, int i, bool by_deadline)
{
        batch->reads = true;
        wire_server->held = true;
        batch_start(batch, N);
        loop_until(&n_syncs, 1);
        if (by_deadline)
                pipit_set_timeout(live_db, batch->entries[i].number, 0);
        else
                pipit_cancel(live_db, batch->entries[i].number);
        loop_until(&batch->n_calls, 1);
        server_release(wire_server);
        batch_wait(batch);
}

/* One ended like this, and all others with what is theirs. */
static void
expect_alone(struct batch *batch, int i, enum pipit_code code)
{
        batch_expect_own(batch, 0, i);
        batch_expect_error(batch, i, i + 1, code, PIPIT_EXECUTED_UNKNOWN);
        batch_expect_own(batch, i + 1, N);
}

START_TEST(a_member_that_is_cancelled_ends_alone)
{
        struct batch batch = {0};

        give_up(&batch, _i, false);
        expect_alone(&batch, _i, PIPIT_ECANCELED);
        ck_assert_int_eq(wire_server->n_accepted, 1);
}
END_TEST

START_TEST(a_member_whose_time_is_up_ends_alone)
{
        struct batch batch = {0};

        give_up(&batch, _i, true);
        expect_alone(&batch, _i, PIPIT_ETIMEDOUT);
        ck_assert_int_eq(wire_server->n_accepted, 1);
}
END_TEST

START_TEST(the_error_of_a_cancelled_culprit_is_nobodys)
{
        struct batch batch = {0};

        wire_server->arg = (char[]){"request 3"};
        give_up(&batch, 3, false);
        expect_alone(&batch, 3, PIPIT_ECANCELED);
}
END_TEST

static void
cancel_all(struct batch_entry *entry, void *arg)
{
        (void)arg;
        for (int i = 0; i < entry->batch->n; i++)
                pipit_cancel(live_db, entry->batch->entries[i].number);
}

START_TEST(those_that_were_skipped_can_be_cancelled_before_they_run_again)
{
        struct batch batch = {.reads = true, .then = cancel_all};

        wire_server->arg = (char[]){"request 0"};
        batch_start(&batch, N);
        batch_wait(&batch);
        batch_expect_error(&batch, 0, 1, PIPIT_ESERVER, PIPIT_EXECUTED_ROLLED_BACK);
        batch_expect_error(&batch, 1, N, PIPIT_ECANCELED, PIPIT_EXECUTED_NO);
        expect_service();
        ck_assert_int_eq(wire_server->n_accepted, 1);
}
END_TEST

/* Says the first answer of a group, and nothing more. */
static void
fall_silent(struct session *session, const char *sql, void *arg)
{
        server_echo(session, sql, arg);
        session_flush(session);
        session->server->on_statement = NULL;
        session_stop_reading(session);
}

static bool
stay_silent(struct session *session, const struct message *message, void *arg)
{
        (void)arg;
        (void)message;
        return session->number == 1 && session->server->on_statement == NULL;
}

/* Whether libpq itself asks the server to cancel, by a link of its own. */
static bool
cancels_by_itself(void)
{
        const struct conn *conn = pipit__conn_of(list_first(&live_db->db->pool.idle));

        return pipit__pq_can_cancel(conn->pq);
}

/* The answers that nobody waits for may take five seconds. */
START_TEST(a_connection_that_only_owes_what_was_given_up_is_closed_in_the_end)
{
        struct batch batch = {.reads = true};

        wire_server->on_message = stay_silent;
        wire_server->on_statement = fall_silent;
        wire_server->held = true;
        batch_start(&batch, 2);
        loop_for(1);
        pipit_set_timeout(live_db, batch.entries[1].number, 0);
        loop_until(&batch.n_calls, 1);
        server_release(wire_server);
        batch_wait(&batch);
        batch_expect_own(&batch, 0, 1);
        batch_expect_error(&batch, 1, 2, PIPIT_ETIMEDOUT, PIPIT_EXECUTED_UNKNOWN);
        expect_service();
        ck_assert_int_eq(wire_server->n_accepted, 2 + cancels_by_itself());
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("members of a group");
        TCase *tcase = tcase_create("members");

        tcase_add_checked_fixture(tcase, setup, wire_teardown);
        tcase_add_loop_test(tcase, a_member_that_is_cancelled_ends_alone, 0, N);
        tcase_add_loop_test(tcase, a_member_whose_time_is_up_ends_alone, 0, N);
        tcase_add_test(tcase, the_error_of_a_cancelled_culprit_is_nobodys);
        tcase_add_test(tcase, those_that_were_skipped_can_be_cancelled_before_they_run_again);
        tcase_add_test(tcase, a_connection_that_only_owes_what_was_given_up_is_closed_in_the_end);
        suite_add_tcase(suite, tcase);
        return suite;
}
