/*
 * Gets that wait together and become one statement: nobody can tell, but by the time it takes.
 */
#include <sys/wait.h>

#include "batches.h"
#include "oom.h"
#include "plain.h"

/* Keys that a careless array would lose, or mix up; the last is in no row. */
static const char *const names[] = {"plain",
                                    "two words",
                                    "it's",
                                    "\"quoted\"",
                                    "back\\slash",
                                    "\\\"",
                                    "a,b",
                                    "{",
                                    "}",
                                    "{}",
                                    "{a,b}",
                                    "NULL",
                                    "null",
                                    "\"NULL\"",
                                    "",
                                    " ",
                                    "tab\t",
                                    "line\nbreak",
                                    "\xc3\xa4\xe2\x82\xac",
                                    "\xf0\x9f\x90\xa6",
                                    "Plain",
                                    "'",
                                    "\\N",
                                    "$1",
                                    "no such row"};

#define N_NAMES ((int)(sizeof names / sizeof *names))
#define N_ROWS  (N_NAMES - 1)

/* What is asked for: the i-th row, in one of several ways. */
enum way { BY_KEY, BY_KEY_OR_NONE, BY_ID, BY_ID_OR_NONE, BY_NAME, N_WAYS };

struct ask {
        enum way way;
        int i;
};

static int32_t ids[N_NAMES];

static void
rows_setup(void)
{
        setup();
        plain_setup();
        reopen_with((struct pipit_options){.max_connections = 1});
        for (int i = 0; i < N_ROWS; i++) {
                struct page page = {.key = names[i], .text = names[i], .rank = i};
                struct setting setting = {.name = names[i], .value = names[i]};
                struct pipit_result *res = done(page_create(live_db, &page, on_call, &calls));
                expect_ok(res);
                ids[i] = page_row(res, 0)->id;
                expect_ok(done(setting_create(live_db, &setting, on_call, &calls)));
        }
        ids[N_ROWS] = 1000000;
}

static void
rows_teardown(void)
{
        plain_teardown();
        batch_teardown();
}

static void
get(struct ask ask, pipit_cb cb)
{
        const struct pipit_expr *by_key = pipit_eq(page_model.key, names[ask.i]);
        const struct pipit_expr *by_id = pipit_eq(page_model.id, ids[ask.i]);
        struct calls *member = next_member();

        switch (ask.way) {
        case BY_KEY: joined(page_get(live_db, by_key, cb, member)); break;
        case BY_KEY_OR_NONE: joined(page_get_or_none(live_db, by_key, cb, member)); break;
        case BY_ID: joined(page_get(live_db, by_id, cb, member)); break;
        case BY_ID_OR_NONE: joined(page_get_or_none(live_db, by_id, cb, member)); break;
        case BY_NAME:
        case N_WAYS:
                joined(setting_get(live_db, pipit_eq(setting_model.name, names[ask.i]), cb,
                                   member));
                break;
        }
}

/* Gets of the first n rows, by their id. */
static void
start_gets(int n)
{
        batch_begin();
        for (int i = 0; i < n; i++)
                get((struct ask){BY_ID, i % N_ROWS}, on_member);
}

/* How often the connection has run statements for many keys. */
static int64_t
n_together(void)
{
        return number_of("SELECT coalesce(sum(generic_plans + custom_plans), 0) "
                         "FROM pg_prepared_statements WHERE statement LIKE '% = AN_($1)'");
}

/* Once in a while: what a busy machine has made slow is known as slow no longer. */
static void
begin_afresh_at(int round)
{
        if (round % 40 == 39)
                reopen_with((struct pipit_options){.max_connections = 1});
}

/* Lets the server see them until they are known, and are run together. */
static void
warm(void)
{
        for (int i = 0; i < 100; i++) {
                begin_afresh_at(i);
                start_gets(20);
                batch_end();
                ck_assert_int_eq(n_failed(), 0);
                if (n_together() > 2)
                        return;
        }
        ck_abort_msg("gets that wait together never were one statement");
}

/* Each of the members that were to get a row has got its own. */
static void
expect_own_rows(void)
{
        for (int i = 0; i < n_members; i++) {
                struct page *page = page_row(members[i].last, 0);
                expect_ok(members[i].last);
                ck_assert_ptr_nonnull(page);
                ck_assert_int_eq(page->id, ids[i % N_ROWS]);
                ck_assert_str_eq(page->key, names[i % N_ROWS]);
        }
}

/* ---- same results */

/* What a callback saw in its row. */
struct seen {
        int32_t id;
        int32_t rank;
        char key[20];
};

static struct seen seen[2][BATCH];
static int side;

/* Looks at the row, and then writes into it: nobody else may see that. */
static void
on_row(struct pipit_result *res, void *arg)
{
        struct calls *member = arg;
        struct page *page = page_row(res, 0);

        on_member(res, arg);
        if (page == NULL)
                return;
        struct seen *saw = &seen[side][member - members];
        *saw = (struct seen){.id = page->id, .rank = page->rank};
        snprintf(saw->key, sizeof saw->key, "%s", page->key);
        page->id = page->rank = -1;
        page->key = "written";
        memset(&page->null, 1, sizeof page->null);
}

static void
expect_same(const struct pipit_result *res, const struct pipit_result *other)
{
        const struct pipit_error *error = pipit_result_error(res);
        const struct pipit_error *others = pipit_result_error(other);

        ck_assert_int_eq(error != NULL ? error->code : 0, others != NULL ? others->code : 0);
        ck_assert_str_eq(pipit_error_text(res), pipit_error_text(other));
        ck_assert_int_eq(pipit_result_rows(res), pipit_result_rows(other));
        ck_assert_int_eq(pipit_result_columns(res), pipit_result_columns(other));
        ck_assert_int_eq(pipit_result_affected(res), pipit_result_affected(other));
        ck_assert_str_eq(pipit_result_tag(res), pipit_result_tag(other));
        for (int i = 0; i < pipit_result_columns(res); i++) {
                ck_assert_str_eq(pipit_result_column_name(res, i),
                                 pipit_result_column_name(other, i));
                ck_assert_pstr_eq(pipit_result_text(res, 0, i), pipit_result_text(other, 0, i));
        }
}

/* Asks all of it, together or one by one; the results are the caller's. */
static void
ask_all(const struct ask *asks, int n, bool together, struct pipit_result **ret)
{
        side = together;
        pipit_set_coalesce(live_db, together);
        batch_begin();
        for (int i = 0; i < n; i++)
                get(asks[i], on_row);
        batch_end();
        for (int i = 0; i < n; i++)
                ret[i] = pipit_result_ref(members[i].last);
}

static void
ask_both_ways(const struct ask *asks, int n)
{
        struct pipit_result *alone[BATCH];
        struct pipit_result *together[BATCH];

        memset(seen, 0, sizeof seen);
        ask_all(asks, n, false, alone);
        ask_all(asks, n, true, together);
        for (int i = 0; i < n; i++) {
                expect_same(together[i], alone[i]);
                ck_assert_int_eq(seen[1][i].id, seen[0][i].id);
                ck_assert_int_eq(seen[1][i].rank, seen[0][i].rank);
                ck_assert_str_eq(seen[1][i].key, seen[0][i].key);
                pipit_result_unref(alone[i]);
                pipit_result_unref(together[i]);
        }
}

START_TEST(gets_that_run_together_have_the_results_of_single_ones)
{
        struct ask asks[80];
        uint32_t random = 12345;

        for (int round = 0; round < 40 || n_together() < 10; round++) {
                begin_afresh_at(round);
                for (int i = 0; i < 80; i++) {
                        random = random * 1664525 + 1013904223;
                        asks[i].way = (enum way)(random >> 16) % N_WAYS;
                        asks[i].i = (int)(random >> 20) % N_NAMES;
                }
                ask_both_ways(asks, 80);
        }
}
END_TEST

START_TEST(keys_that_the_collation_calls_equal_find_the_same_row)
{
        struct ask asks[40];

        if (number_of("SELECT count(*) FROM pg_collation WHERE collname = 'und-x-icu'") == 0)
                return; /* a server without ICU has no such collation */
        /* Of rows, not of what is asked for: "Plain" is asked for, and is "plain" then. */
        execute("DELETE FROM setting WHERE name IN ('Plain', 'null')");
        execute("CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', "
                "deterministic = false)");
        execute("ALTER TABLE setting ALTER name TYPE varchar(20) COLLATE ci");
        for (int i = 0; i < 40; i++)
                asks[i] = (struct ask){BY_NAME, i % 3 == 0 ? 20 : i % N_NAMES};
        for (int round = 0; round < 4 || n_together() == 0; round++) {
                begin_afresh_at(round);
                ask_both_ways(asks, 40);
                expect_ok(members[0].last);
                ck_assert_str_eq(setting_row(members[0].last, 0)->name, "plain");
        }
}
END_TEST

START_TEST(a_lone_get_is_a_statement_of_its_own)
{
        for (int i = 0; i < 12; i++) {
                start_gets(1);
                batch_end();
        }
        expect_own_rows();
        ck_assert_int_eq(n_together(), 0);
}
END_TEST

START_TEST(where_they_may_not_no_gets_run_together)
{
        pipit_set_coalesce(live_db, false);
        for (int i = 0; i < 5; i++) {
                start_gets(20);
                batch_end();
                expect_own_rows();
        }
        ck_assert_int_eq(n_together(), 0);
}
END_TEST

START_TEST(a_table_that_was_changed_gives_every_get_its_row)
{
        warm();
        execute("ALTER TABLE page ALTER rank TYPE bigint");
        start_gets(20);
        batch_end();
        expect_own_rows();
        execute("ALTER TABLE page ALTER id TYPE bigint");
        start_gets(20);
        batch_end();
        expect_own_rows();
}
END_TEST

/* ---- what fails */

START_TEST(a_key_that_no_row_can_have_fails_alone)
{
        warm();
        for (int round = 0; round < 5; round++) {
                start_gets(20);
                const struct pipit_expr *odd = pipit_eq(page_model.id, INT64_C(5000000000));
                joined(page_get(live_db, odd, on_member, next_member()));
                batch_end();
                expect_one_failed(20, PIPIT_ESERVER, "22003");
                n_members--;
                expect_own_rows();
        }
}
END_TEST

START_TEST(rows_that_are_too_much_together_are_got_one_by_one)
{
        execute("UPDATE page SET text = repeat('x', 20000)");
        reopen_with((struct pipit_options){.max_connections = 1, .max_result_bytes = 65536});
        for (int round = 0; round < 6; round++) {
                start_gets(20);
                batch_end();
                expect_own_rows();
        }
}
END_TEST

START_TEST(without_memory_each_get_still_has_one_end)
{
        int n = 0;

        warm();
        for (bool failed = true; failed; n++) {
                batch_begin();
                oom_after(n);
                for (int i = 0; i < 12; i++) {
                        struct calls *member = &members[n_members];
                        n_members += page_get(live_db, pipit_eq(page_model.id, ids[i]), on_member,
                                              member) != 0;
                }
                turn_until_ended(n_members);
                failed = oom_stop();
                batch_end();
        }
        ck_assert_int_eq(n_failed(), 0);
        ck_assert_int_gt(n, 12);
}
END_TEST

/* ---- members that end by themselves */

/* Has everybody else wait for the pages. */
static void
lock_pages(void)
{
        char sql[60];

        snprintf(sql, sizeof sql, "SET search_path = pipit_%d", (int)getpid());
        plain_query(sql, false);
        plain_query("BEGIN", false);
        plain_query("LOCK TABLE page", false);
}

/* Waits until somebody waits for the pages. */
static void
until_locked_out(void)
{
        for (int64_t n = 0; n == 0;) {
                event_base_loop(live_base, EVLOOP_NONBLOCK);
                struct pipit_result *res =
                        plain_query("SELECT count(*) FROM pg_sleep(0.002), pg_locks "
                                    "WHERE NOT granted AND relation = 'page'::regclass",
                                    false);
                ck_assert_int_eq(pipit_result_int64(res, 0, 0, &n), 0);
        }
}

START_TEST(a_cancel_or_a_deadline_of_one_leaves_the_others)
{
        warm();
        lock_pages();
        start_gets(20);
        until_locked_out();
        pipit_cancel(live_db, numbers[3]);
        pipit_set_timeout(live_db, numbers[4], 1);
        loop_until(&members[3].n, 1);
        loop_until(&members[4].n, 1);
        for (int i = 0; i < n_members; i++)
                ck_assert_int_eq(members[i].n, i == 3 || i == 4);
        plain_query("COMMIT", false);
        batch_end();
        ck_assert_int_eq(n_failed(), 2);
        expect_error(members[3].last, PIPIT_ECANCELED, "");
        expect_error(members[4].last, PIPIT_ETIMEDOUT, "");
        for (int i = 5; i < n_members; i++)
                ck_assert_int_eq(page_row(members[i].last, 0)->id, ids[i]);
}
END_TEST

START_TEST(one_that_was_given_more_time_has_it)
{
        warm();
        lock_pages();
        start_gets(10);
        for (int i = 0; i < n_members; i++)
                pipit_set_timeout(live_db, numbers[i], 2000); /* until then it is locked out */
        until_locked_out();
        pipit_set_timeout(live_db, numbers[7], -1);
        for (int i = 0; i < n_members; i++) {
                if (i != 7)
                        loop_until(&members[i].n, 1);
        }
        ck_assert_int_eq(members[7].n, 0);
        plain_query("COMMIT", false);
        batch_end();
        ck_assert_int_eq(n_failed(), 9);
        ck_assert_int_eq(page_row(members[7].last, 0)->id, ids[7]);
}
END_TEST

static void
on_closing(struct pipit_result *res, void *arg)
{
        on_member(res, arg);
        pipit_close(live_db);
        live_db = NULL;
}

START_TEST(a_member_may_close_the_database_and_all_others_are_cancelled)
{
        warm();
        batch_begin();
        for (int i = 0; i < 20; i++)
                get((struct ask){BY_ID, i}, on_closing);
        batch_end();
        ck_assert_int_eq(n_failed(), 19);
        for (int i = 0; i < n_members; i++) {
                if (pipit_failed(members[i].last))
                        expect_error(members[i].last, PIPIT_ECANCELED, "");
        }
}
END_TEST

START_TEST(a_forked_child_forgets_them)
{
        int status = -1;

        warm();
        lock_pages();
        start_gets(20);
        until_locked_out();
        pid_t child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) {
                if (event_reinit(live_base) == 0)
                        pipit_close(live_db);
                _exit(0);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
        plain_query("COMMIT", false);
        batch_end();
        expect_own_rows();
}
END_TEST

static TCase *
tcase_of(const char *name)
{
        TCase *tcase = tcase_create(name);

        tcase_add_checked_fixture(tcase, rows_setup, rows_teardown);
        tcase_set_timeout(tcase, 60);
        return tcase;
}

static TCase *
results_tcase(void)
{
        TCase *tcase = tcase_of("results");

        tcase_add_test(tcase, gets_that_run_together_have_the_results_of_single_ones);
        tcase_add_test(tcase, keys_that_the_collation_calls_equal_find_the_same_row);
        tcase_add_test(tcase, a_lone_get_is_a_statement_of_its_own);
        tcase_add_test(tcase, where_they_may_not_no_gets_run_together);
        tcase_add_test(tcase, a_table_that_was_changed_gives_every_get_its_row);
        return tcase;
}

static TCase *
ends_tcase(void)
{
        TCase *tcase = tcase_of("ends");

        tcase_add_test(tcase, a_key_that_no_row_can_have_fails_alone);
        tcase_add_test(tcase, rows_that_are_too_much_together_are_got_one_by_one);
        tcase_add_test(tcase, without_memory_each_get_still_has_one_end);
        tcase_add_test(tcase, a_cancel_or_a_deadline_of_one_leaves_the_others);
        tcase_add_test(tcase, one_that_was_given_more_time_has_it);
        tcase_add_test(tcase, a_member_may_close_the_database_and_all_others_are_cancelled);
        tcase_add_test(tcase, a_forked_child_forgets_them);
        return tcase;
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("coalesce");

        suite_add_tcase(suite, results_tcase());
        suite_add_tcase(suite, ends_tcase());
        return suite;
}
