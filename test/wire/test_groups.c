/*
 * Groups: declared reads that share a Sync, and what becomes of them when one fails or the link is
 * lost.
 */
#include <stdio.h>
#include <string.h>

#include "wire.h"

#define N 8

/* How many statements each Sync was for, in order; those of pipit's own are left out. */
static struct sizes {
        int n;
        int at[200];
        int bound;
        bool own;
} sizes;

/* What the server does about a statement whose parameter is the text of one of these requests. */
static struct script {
        int first; /* of those that fail */
        int last;  /* behind them */
        int times; /* that each is to fail; -1: always */
        const char *sqlstate;
} script;

static bool
count_sizes(struct session *session, const struct message *message, void *arg)
{
        (void)arg;
        if (!session->is_set_up)
                return false;
        if (message->kind == MESSAGE_BIND)
                sizes.bound++;
        if (message->kind == MESSAGE_PARSE)
                sizes.own = strstr(message->body + 1, "SET default_") != NULL;
        if (message->kind != MESSAGE_SYNC)
                return false;
        ck_assert_int_lt(sizes.n, 200);
        if (!sizes.own)
                sizes.at[sizes.n++] = sizes.bound;
        sizes.bound = 0;
        sizes.own = false;
        return false;
}

static void
play_script(struct session *session, const char *sql, void *arg)
{
        int i;

        if (script.times != 0 && sscanf(session->value, "request %d", &i) == 1 &&
            i >= script.first && i < script.last) {
                script.times -= script.times > 0;
                session_error(session, "ERROR", script.sqlstate, "says no");
                return;
        }
        server_echo(session, sql, arg);
}

/* An idle connection, and SELECT $1 is known to be fast; everything is counted from now on. */
static void
setup(void)
{
        wire_setup();
        wire_know("SELECT $1");
        memset(&sizes, 0, sizeof sizes);
        script = (struct script){.times = -1, .sqlstate = "22012"};
        wire_server->on_message = count_sizes;
        wire_server->on_statement = play_script;
}

static void
expect_sizes(int n, const int *expected)
{
        ck_assert_int_eq(sizes.n, n);
        for (int i = 0; i < n; i++)
                ck_assert_int_eq(sizes.at[i], expected[i]);
}

/* Runs reads to their end. */
static void
run_reads(struct batch *batch, int n)
{
        batch->reads = true;
        batch_start(batch, n);
        batch_wait(batch);
}

START_TEST(reads_that_are_known_to_be_fast_share_a_sync)
{
        struct batch batch = {0};

        run_reads(&batch, N);
        batch_expect_own(&batch, 0, N);
        expect_sizes(1, (const int[]){N});
        ck_assert(wire_server->sessions->reader);
}
END_TEST

START_TEST(what_is_not_declared_a_read_has_its_own_sync_on_a_writer)
{
        struct batch batch = {0};
        struct batch reads = {0};

        run_reads(&reads, N);
        batch_start(&batch, 3);
        batch_wait(&batch);
        batch_expect_own(&batch, 0, 3);
        expect_sizes(4, (const int[]){N, 1, 1, 1});
        ck_assert(!wire_server->sessions->reader);
}
END_TEST

START_TEST(a_lone_read_runs_on_whatever_there_is)
{
        struct batch batches[3] = {{0}};

        run_reads(&batches[0], 1);
        ck_assert(!wire_server->sessions->reader);
        run_reads(&batches[1], 2);
        run_reads(&batches[2], 1);
        ck_assert(wire_server->sessions->reader);
        expect_sizes(3, (const int[]){1, 2, 1});
}
END_TEST

START_TEST(what_is_not_known_to_be_fast_does_not_share)
{
        struct batch batch = {.sql = "SELECT $1 AS new"};

        run_reads(&batch, 3);
        batch_expect_own(&batch, 0, 3);
        expect_sizes(3, (const int[]){1, 1, 1});
}
END_TEST

START_TEST(where_transactions_are_serializable_nothing_shares)
{
        struct pipit_options options = wire_options();
        struct batch batch = {0};

        wire_server->isolation = "serializable";
        wire_reopen(&options);
        wire_know("SELECT $1");
        memset(&sizes, 0, sizeof sizes);
        run_reads(&batch, 3);
        batch_expect_own(&batch, 0, 3);
        expect_sizes(3, (const int[]){1, 1, 1});
}
END_TEST

START_TEST(while_a_connection_is_busy_requests_gather)
{
        struct batch first = {.reads = true, .sql = "SELECT $1 AS held"}; /* it is slow for it */
        struct batch then = {.reads = true};

        wire_server->held = true;
        batch_start(&first, 1);
        loop_until(&sizes.n, 1);
        batch_start(&then, N);
        loop_for(1);
        ck_assert_int_eq(sizes.bound, 0);
        server_release(wire_server);
        batch_wait(&then);
        batch_wait(&first);
        expect_sizes(2, (const int[]){1, N});
}
END_TEST

/* Answers the statements of a group at once, and its Sync never. */
static bool
swallow_sync(struct session *session, const struct message *message, void *arg)
{
        (void)arg;
        if (message->kind != MESSAGE_SYNC || !session->reader || session->sets_role)
                return false;
        session_flush(session);
        return true;
}

START_TEST(a_read_completes_before_the_sync_is_answered)
{
        struct batch batch = {0};

        wire_server->on_message = swallow_sync;
        run_reads(&batch, N);
        batch_expect_own(&batch, 0, N);
}
END_TEST

START_TEST(reads_that_come_byte_by_byte_are_right)
{
        struct batch batch = {0};

        wire_server->slice = 1;
        run_reads(&batch, N);
        batch_expect_own(&batch, 0, N);
        expect_sizes(1, (const int[]){N});
}
END_TEST

/* ---- failures */

START_TEST(the_culprit_alone_fails_wherever_it_is)
{
        struct batch batch = {0};

        script.first = _i;
        script.last = _i + 1;
        run_reads(&batch, N);
        batch_expect_own(&batch, 0, _i);
        batch_expect_error(&batch, _i, _i + 1, PIPIT_ESERVER, PIPIT_EXECUTED_ROLLED_BACK);
        ck_assert_str_eq(batch.entries[_i].error.sqlstate, "22012");
        batch_expect_own(&batch, _i + 1, N);
        ck_assert_int_eq(wire_server->n_accepted, 1);
}
END_TEST

START_TEST(when_all_fail_each_has_its_error)
{
        struct batch batch = {0};

        script.last = N;
        run_reads(&batch, N);
        batch_expect_error(&batch, 0, N, PIPIT_ESERVER, PIPIT_EXECUTED_ROLLED_BACK);
        ck_assert_int_eq(wire_server->n_accepted, 1);
}
END_TEST

START_TEST(a_statement_that_failed_in_a_group_does_not_share_for_a_while)
{
        struct batch batch = {0};
        struct batch after = {0};

        script.last = 1;
        run_reads(&batch, 4);
        script.last = 0;
        run_reads(&after, 4);
        batch_expect_own(&after, 0, 4);
        expect_sizes(8, (const int[]){4, 1, 1, 1, 1, 1, 1, 1});
}
END_TEST

/* Sixteen reads, of which the first, the fifth and the ninth have texts of their own, and fail. */
START_TEST(the_skipped_are_run_together_once_then_in_halves_then_alone)
{
        static const char *const bad[] = {"SELECT 0, $1", "SELECT 1, $1", "SELECT 2, $1"};
        struct calls calls[16] = {{0}};

        for (int i = 0; i < 3; i++)
                wire_know(bad[i]);
        memset(&sizes, 0, sizeof sizes);
        script.last = 1;
        for (int i = 0; i < 16; i++)
                pipit_read(live_db, i % 4 == 0 && i < 12 ? bad[i / 4] : "SELECT $1",
                           PIPIT_PARAMS(i % 4 == 0 && i < 12 ? "request 0" : "good"), on_call,
                           &calls[i]);
        for (int i = 0; i < 16; i++) {
                if (i % 4 == 0 && i < 12)
                        expect_error(answer(&calls[i]), PIPIT_ESERVER, "22012");
                else
                        expect_text(answer(&calls[i]), 0, 0, "good");
        }
        expect_sizes(10, (const int[]){16, 15, 7, 1, 1, 1, 1, 1, 1, 1});
}
END_TEST

static const char *const shared[] = {"40001", "40P01", "55P03", "57014", "53200", "25P04"};

START_TEST(what_sharing_may_have_caused_is_run_once_more_alone)
{
        struct batch batch = {0};

        script = (struct script){.first = 2, .last = 3, .times = 1, .sqlstate = shared[_i]};
        run_reads(&batch, N);
        batch_expect_own(&batch, 0, N);
        ck_assert_int_eq(wire_server->n_accepted, 1);
}
END_TEST

START_TEST(when_it_fails_alone_too_that_is_its_error)
{
        struct batch batch = {0};

        /* A conflict has a read run alone twice. */
        bool is_conflict = strncmp(shared[_i], "40", 2) == 0;
        script = (struct script){
                .first = 2, .last = 3, .times = 2 + is_conflict, .sqlstate = shared[_i]};
        run_reads(&batch, N);
        batch_expect_own(&batch, 0, 2);
        ck_assert_int_eq(script.times, 0);
        ck_assert_str_eq(batch.entries[2].error.sqlstate, shared[_i]);
        batch_expect_own(&batch, 3, N);
}
END_TEST

START_TEST(a_write_that_was_declared_a_read_is_told_so)
{
        struct calls calls[2] = {{0}};

        script = (struct script){.first = 0, .last = 1, .times = 1, .sqlstate = "25006"};
        pipit_read(live_db, "SELECT $1", PIPIT_PARAMS("request 0"), on_call, &calls[0]);
        pipit_read(live_db, "SELECT $1", PIPIT_PARAMS("good"), on_call, &calls[1]);
        expect_error(answer(&calls[0]), PIPIT_ESERVER, "25006");
        ck_assert_ptr_nonnull(strstr(pipit_error_text(calls[0].last), "declared a read"));
        expect_text(answer(&calls[1]), 0, 0, "good");
}
END_TEST

static bool
fail_at_sync(struct session *session, const struct message *message, void *arg)
{
        int *n = arg;

        if (message->kind == MESSAGE_SYNC && session->reader && !session->sets_role && --*n == 0)
                session_error(session, "ERROR", "25P04", "transaction timeout");
        return false;
}

START_TEST(an_error_at_the_sync_of_a_group_is_nobodys)
{
        struct batch batch = {0};
        int n = 1;

        wire_server->on_message = fail_at_sync;
        wire_server->arg = &n;
        run_reads(&batch, N);
        batch_expect_own(&batch, 0, N);
        ck_assert_int_eq(n, 0);
        expect_service();
        ck_assert_int_eq(wire_server->n_accepted, 1);
}
END_TEST

static bool
refuse_role(struct session *session, const struct message *message, void *arg)
{
        (void)arg;
        if (message->kind != MESSAGE_PARSE || strncmp(message->body + 1, "SET ", 4) != 0)
                return false;
        session_error(session, "ERROR", "42501", "no readers here");
        return true;
}

START_TEST(a_connection_that_cannot_become_a_reader_is_closed)
{
        struct batch batch = {0};

        wire_server->on_message = refuse_role;
        run_reads(&batch, 2);
        batch_expect_own(&batch, 0, 2);
        ck_assert_int_eq(wire_server->n_accepted, 3); /* alone they need no reader */
}
END_TEST

/* ---- links that are lost */

static struct ending {
        int after; /* so many statements of a group */
        int n;
        bool with_error; /* the next one fails before the link ends */
} ending;

static void
end_amid(struct session *session, const char *sql, void *arg)
{
        if (ending.n++ < ending.after || session->number > 1) {
                server_echo(session, sql, arg);
                return;
        }
        if (ending.with_error)
                session_error(session, "ERROR", "22012", "says no");
        session_flush(session);
        session_finish(session, SESSION_FIN);
}

START_TEST(what_was_not_answered_before_the_link_was_lost_runs_elsewhere)
{
        struct batch batch = {0};

        ending = (struct ending){.after = _i};
        wire_server->on_statement = end_amid;
        run_reads(&batch, N);
        batch_expect_own(&batch, 0, N);
        ck_assert_int_eq(wire_server->n_accepted, 2);
}
END_TEST

START_TEST(what_the_server_skipped_before_the_link_was_lost_runs_elsewhere)
{
        struct batch batch = {0};

        ending = (struct ending){.after = _i, .with_error = true};
        wire_server->on_statement = end_amid;
        run_reads(&batch, N);
        batch_expect_own(&batch, 0, _i);
        batch_expect_error(&batch, _i, _i + 1, PIPIT_ESERVER, PIPIT_EXECUTED_ROLLED_BACK);
        batch_expect_own(&batch, _i + 1, N);
        ck_assert_int_eq(wire_server->n_accepted, _i + 1 < N ? 2 : 1);
}
END_TEST

/* ---- writes */

START_TEST(writes_that_may_be_grouped_share_a_sync_on_a_writer)
{
        struct batch batch = {0};

        pipit_set_group_writes(live_db, true);
        batch_start(&batch, N);
        batch_wait(&batch);
        batch_expect_own(&batch, 0, N);
        expect_sizes(1, (const int[]){N});
        ck_assert(!wire_server->sessions->reader);
}
END_TEST

START_TEST(after_a_failure_all_of_a_group_of_writes_are_run_alone)
{
        struct batch batch = {0};

        pipit_set_group_writes(live_db, true);
        script.first = _i;
        script.last = _i + 1;
        batch_start(&batch, 4);
        batch_wait(&batch);
        batch_expect_own(&batch, 0, _i);
        batch_expect_error(&batch, _i, _i + 1, PIPIT_ESERVER, PIPIT_EXECUTED_ROLLED_BACK);
        batch_expect_own(&batch, _i + 1, 4);
        expect_sizes(5, (const int[]){4, 1, 1, 1, 1});
}
END_TEST

START_TEST(a_lost_link_makes_all_of_a_group_of_writes_unknown)
{
        struct batch batch = {0};

        pipit_set_group_writes(live_db, true);
        ending = (struct ending){.after = _i};
        wire_server->on_statement = end_amid;
        batch_start(&batch, 4);
        batch_wait(&batch);
        batch_expect_error(&batch, 0, 4, PIPIT_ELOST, PIPIT_EXECUTED_UNKNOWN);
}
END_TEST

static void
add_failures(Suite *suite)
{
        TCase *tcase = tcase_create("failures");
        int n_shared = sizeof shared / sizeof shared[0];

        tcase_add_checked_fixture(tcase, setup, wire_teardown);
        tcase_add_loop_test(tcase, the_culprit_alone_fails_wherever_it_is, 0, N);
        tcase_add_test(tcase, when_all_fail_each_has_its_error);
        tcase_add_test(tcase, a_statement_that_failed_in_a_group_does_not_share_for_a_while);
        tcase_add_test(tcase, the_skipped_are_run_together_once_then_in_halves_then_alone);
        tcase_add_loop_test(tcase, what_sharing_may_have_caused_is_run_once_more_alone, 0,
                            n_shared);
        tcase_add_loop_test(tcase, when_it_fails_alone_too_that_is_its_error, 0, n_shared);
        tcase_add_test(tcase, a_write_that_was_declared_a_read_is_told_so);
        tcase_add_test(tcase, an_error_at_the_sync_of_a_group_is_nobodys);
        tcase_add_test(tcase, a_connection_that_cannot_become_a_reader_is_closed);
        tcase_add_loop_test(tcase, what_was_not_answered_before_the_link_was_lost_runs_elsewhere, 0,
                            N);
        tcase_add_loop_test(tcase, what_the_server_skipped_before_the_link_was_lost_runs_elsewhere,
                            0, N);
        suite_add_tcase(suite, tcase);
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("groups");
        TCase *tcase = tcase_create("groups");

        tcase_add_checked_fixture(tcase, setup, wire_teardown);
        tcase_add_test(tcase, reads_that_are_known_to_be_fast_share_a_sync);
        tcase_add_test(tcase, what_is_not_declared_a_read_has_its_own_sync_on_a_writer);
        tcase_add_test(tcase, a_lone_read_runs_on_whatever_there_is);
        tcase_add_test(tcase, what_is_not_known_to_be_fast_does_not_share);
        tcase_add_test(tcase, where_transactions_are_serializable_nothing_shares);
        tcase_add_test(tcase, while_a_connection_is_busy_requests_gather);
        tcase_add_test(tcase, a_read_completes_before_the_sync_is_answered);
        tcase_add_test(tcase, reads_that_come_byte_by_byte_are_right);
        tcase_add_test(tcase, writes_that_may_be_grouped_share_a_sync_on_a_writer);
        tcase_add_loop_test(tcase, after_a_failure_all_of_a_group_of_writes_are_run_alone, 0, 4);
        tcase_add_loop_test(tcase, a_lost_link_makes_all_of_a_group_of_writes_unknown, 0, 4);
        suite_add_tcase(suite, tcase);
        add_failures(suite);
        return suite;
}
