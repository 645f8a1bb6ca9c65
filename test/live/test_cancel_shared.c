/*
 * Cancels of statements that share something with others: a Sync, or one statement for many.
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <unistd.h>

#include "cancels.h"
#include "records.h"

/* A read whose time its values say: first which it is, then for how long it sleeps. */
#define TIMED "SELECT $1::int FROM pg_sleep($2::float8)"

static struct calls timed[3];
static pipit_request timed_numbers[3];

/* Three reads, known to be fast, that share a Sync; the second one takes so long. */
static void
start_group(double seconds)
{
        memset(timed, 0, sizeof timed);
        for (int i = 0; i < 3; i++)
                timed_numbers[i] =
                        start_read(TIMED, PIPIT_PARAMS(i, i == 1 ? seconds : 0.0), &timed[i]);
}

static void
group_open(void)
{
        open_connections(1);
        for (int i = 0; i < 6; i++) {
                struct calls told = {0};
                start_read(TIMED, PIPIT_PARAMS(1, 0.0), &told);
                expect_ok(answer(&told));
        }
}

START_TEST(a_group_is_not_cancelled_while_somebody_waits_for_it)
{
        group_open();
        int pid = backend();
        start_group(0.6);
        wait_for_sleeping(live_url(), 1);
        pipit_cancel(live_db, timed_numbers[1]);
        expect_unknown(answer(&timed[1]), PIPIT_ECANCELED);
        loop_for(50);
        ck_assert_int_eq(ask(live_url(), sleeping_sql()), 1);
        expect_text(answer(&timed[0]), 0, 0, "0");
        expect_text(answer(&timed[2]), 0, 0, "2");
        ck_assert_int_eq(backend(), pid);
}
END_TEST

START_TEST(a_group_is_cancelled_when_nobody_waits_for_it_any_more)
{
        group_open();
        int pid = backend();
        start_group(60);
        wait_for_sleeping(live_url(), 1);
        for (int i = 0; i < 3; i++)
                pipit_cancel(live_db, timed_numbers[i]);
        for (int i = 0; i < 3; i++)
                expect_error(answer(&timed[i]), PIPIT_ECANCELED, "");
        wait_for_sleeping(live_url(), 0);
        ck_assert_int_eq(backend(), pid);
}
END_TEST

/* ---- those that are carried */

/* Gets that wait together; carried[i] is about numbers[i]. */
static struct calls carried[20];
static pipit_request numbers[20];

static void
start_gets(int n)
{
        for (int i = 0; i < n; i++) {
                carried[i].n = 0;
                numbers[i] =
                        page_get_or_none(live_db, pipit_eq(page_model.id, i), on_call, &carried[i]);
                ck_assert_uint_ne(numbers[i], 0);
        }
}

/* How often the connection has run statements for many keys. */
static bool
are_carried(void)
{
        struct pipit_result *res =
                query("SELECT coalesce(sum(generic_plans + custom_plans), 0) > 2 "
                      "FROM pg_prepared_statements WHERE statement LIKE '% = AN_($1)'",
                      PIPIT_NO_PARAMS);

        return strcmp(pipit_result_text(res, 0, 0), "t") == 0;
}

/* Has gets wait together until they are known, and one statement. Two slow first uses bound their
 * groups to two for the next uses: rounds go on until those are forgotten. */
static void
warm_gets(void)
{
        int together = 0;

        for (int round = 0; round < 200 && together < 30; round++) {
                start_gets(20);
                for (int i = 0; i < 20; i++)
                        expect_ok(answer(&carried[i]));
                together += are_carried();
        }
        ck_assert_int_eq(together, 30);
}

static const char *
locked_sql(void)
{
        static char sql[200];

        snprintf(sql, sizeof sql,
                 "SELECT count(*) FROM pg_locks "
                 "WHERE NOT granted AND relation = 'pipit_%d.page'::regclass",
                 (int)getpid());
        return sql;
}

/* Has three of them wait for a table that somebody has locked: whose session is given back. */
static void *
start_locked_gets(void)
{
        struct pipit_options options = {.max_connections = 1};
        char path[40];
        char sql[100];

        snprintf(path, sizeof path, "pipit_%d", (int)getpid());
        options.search_path = path;
        live_reopen(&options);
        warm_gets();
        void *other = session_hold(live_url());
        snprintf(sql, sizeof sql, "BEGIN; LOCK TABLE %s.page", path);
        PQclear(PQexec(other, sql));
        start_gets(3);
        ask_until(live_url(), locked_sql(), 1);
        return other;
}

START_TEST(a_member_that_leaves_lets_the_others_arrive)
{
        void *other = start_locked_gets();

        pipit_cancel(live_db, numbers[1]);
        expect_unknown(answer(&carried[1]), PIPIT_ECANCELED);
        ck_assert_int_eq(carried[0].n, 0);
        session_end(other);
        expect_ok(answer(&carried[0]));
        expect_ok(answer(&carried[2]));
}
END_TEST

START_TEST(a_coalesced_statement_without_members_is_stopped)
{
        void *other = start_locked_gets();

        for (int i = 0; i < 3; i++)
                pipit_cancel(live_db, numbers[i]);
        for (int i = 0; i < 3; i++)
                expect_unknown(answer(&carried[i]), PIPIT_ECANCELED);
        ask_until(live_url(), locked_sql(), 0);
        execute("SELECT 1");
        session_end(other);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("cancel_shared");
        TCase *group = tcase_create("group");
        TCase *coalesced = tcase_create("coalesce");

        tcase_add_checked_fixture(group, live_setup, live_teardown);
        tcase_add_test(group, a_group_is_not_cancelled_while_somebody_waits_for_it);
        tcase_add_test(group, a_group_is_cancelled_when_nobody_waits_for_it_any_more);
        suite_add_tcase(suite, group);
        tcase_add_checked_fixture(coalesced, setup, live_schema_teardown);
        tcase_add_test(coalesced, a_member_that_leaves_lets_the_others_arrive);
        tcase_add_test(coalesced, a_coalesced_statement_without_members_is_stopped);
        suite_add_tcase(suite, coalesced);
        return suite;
}
