/*
 * Creates that are committed together: many become one statement, and each gets its own answer.
 */
#include "batches.h"
#include "oom.h"

/* Opens live_db once more: what a busy machine has made slow is known as slow no longer. */
static void
begin_afresh(void)
{
        reopen_with((struct pipit_options){.max_connections = 1});
        pipit_set_group_writes(live_db, true);
}

static void
group_setup(void)
{
        setup();
        begin_afresh();
}

static void
start_page(const struct page *row)
{
        joined(page_create(live_db, row, on_member, next_member()));
}

static const char *
key_of(int i)
{
        static char keys[2 * BATCH][20];

        snprintf(keys[i], sizeof keys[i], "key %d", i);
        return keys[i];
}

/* Pages of one sort, with their numbers from first on. */
static void
start_pages(int first, int n)
{
        for (int i = first; i < first + n; i++)
                start_page(&(struct page){.key = key_of(i), .text = "", .rank = i});
}

/* Lets the server see creates of pages until they are known; then there are none. */
static void
warm_pages(void)
{
        batch_begin();
        start_pages(0, WARM);
        batch_end();
        ck_assert_int_eq(n_failed(), 0);
        execute("DELETE FROM page");
        batch_begin();
}

/* Each member has its own page, with the rank that it asked for. */
static void
expect_own_pages(int first)
{
        for (int i = 0; i < n_members; i++) {
                struct page *page = page_row(members[i].last, 0);
                expect_ok(members[i].last);
                ck_assert_ptr_nonnull(page);
                ck_assert_str_eq(page->key, key_of(first + i));
                ck_assert_int_eq(page->rank, first + i);
                ck_assert_int_ne(page->id, 0);
        }
}

/* Makes batches of pages, until one of them was one statement. */
static void
until_grouped(void)
{
        for (int i = 0; i < 300; i++) {
                if (i % 50 == 49)
                        begin_afresh();
                batch_begin();
                execute("DELETE FROM page");
                start_pages(0, 50);
                batch_end();
                expect_own_pages(0);
                if (n_statements("page") == 1)
                        return;
        }
        ck_abort_msg("creates that wait together never were one statement");
}

START_TEST(creates_that_wait_together_are_one_statement_and_each_gets_its_own_row)
{
        until_grouped();
        expect_sql("SELECT count(*) FROM page", "50");
        expect_sql("SELECT count(DISTINCT id) FROM page", "50");
        for (int i = 0; i < n_members; i++) {
                struct pipit_params id = PIPIT_PARAMS(page_row(members[i].last, 0)->id);
                expect_text(query("SELECT key FROM page WHERE id = $1", id), 0, 0, key_of(i));
        }
}
END_TEST

START_TEST(the_answer_is_like_that_of_a_single_one)
{
        struct page row = {.key = "single", .text = ""};
        struct pipit_result *single = done(page_create(live_db, &row, on_call, &calls));

        until_grouped();
        struct pipit_result *res = members[7].last;
        ck_assert_int_eq(pipit_result_rows(res), 1);
        ck_assert_int_eq(pipit_result_columns(res), pipit_result_columns(single));
        ck_assert_int_eq(pipit_result_affected(res), pipit_result_affected(single));
        ck_assert_str_eq(pipit_result_tag(res), pipit_result_tag(single));
        ck_assert_int_eq(pipit_column(res, "o"), -1);
        ck_assert_ptr_null(pipit_result_column_name(res, pipit_result_columns(single)));
        ck_assert(pipit_result_null(res, 1, 0));
        ck_assert(pipit_result_null(res, 0, pipit_result_columns(single)));
}
END_TEST

/* Numbers go as text at first and in binary form later, alone and in arrays. */
static void
start_samples(double doubles[50], float floats[50], int round)
{
        for (int i = 0; i < 50; i++) {
                doubles[i] = (round * 50 + i) / 700.0 * (i % 2 == 1 ? 1e15 : 1e-15);
                floats[i] = (float)(round * 50 + i) / 70;
                struct sample row = {.a_double = doubles[i], .a_real = floats[i]};
                joined(sample_create(live_db, &row, on_member, next_member()));
        }
}

START_TEST(floating_numbers_come_back_bit_for_bit)
{
        double doubles[50];
        float floats[50];

        for (int round = 0; round < 300 && n_statements("sample") == 50 * round; round++) {
                if (round % 50 == 49)
                        begin_afresh();
                batch_begin();
                start_samples(doubles, floats, round);
                batch_end();
                for (int i = 0; i < n_members; i++) {
                        struct sample *row = sample_row(members[i].last, 0);
                        ck_assert_ptr_nonnull(row);
                        ck_assert_mem_eq(&row->a_double, &doubles[i], sizeof doubles[i]);
                        ck_assert_mem_eq(&row->a_real, &floats[i], sizeof floats[i]);
                }
        }
        ck_assert_int_lt(n_statements("sample"), number_of("SELECT count(*) FROM sample"));
}
END_TEST

START_TEST(without_leave_each_create_is_committed_by_itself)
{
        pipit_set_group_writes(live_db, false);
        warm_pages();
        start_pages(0, 20);
        batch_end();
        expect_own_pages(0);
        expect_sql("SELECT count(DISTINCT xmin::text) FROM page", "20");
}
END_TEST

/* A row of every type, some of it NULL. */
static struct sample
sample_of(int i)
{
        static char texts[BATCH][40];
        struct sample row = {.a_boolean = i % 2 == 0,
                             .number = i + 1,
                             .a_smallint = (int16_t)-i,
                             .an_integer = INT32_MAX - i,
                             .a_bigint = INT64_MIN + i,
                             .a_real = (float)i / 3,
                             .a_double = i / 7.0,
                             .a_varchar = i % 3 == 0 ? "NULL" : "",
                             .a_text = texts[i],
                             .a_bytea = {"\0\\\"x", (size_t)(i % 5)},
                             .a_timestamp = {.us = (int64_t)i * 1000003},
                             .a_timestamptz = {.us = -(int64_t)i * 1000003}};

        snprintf(texts[i], sizeof texts[i], "{\"%d\", \\ \xc3\xa4}, '%d'", i, i);
        memset(&row.a_uuid, i, sizeof row.a_uuid);
        if (i % 4 == 1) {
                row.null.a_bigint = row.null.a_text = row.null.a_bytea = true;
                row.null.a_uuid = row.null.a_timestamp = row.null.a_double = true;
        }
        return row;
}

static void
expect_sample(const struct sample *got, const struct sample *row)
{
        ck_assert_ptr_nonnull(got);
        ck_assert_int_eq(got->a_boolean, row->a_boolean);
        ck_assert_int_eq(got->a_smallint, row->a_smallint);
        ck_assert_int_eq(got->an_integer, row->an_integer);
        ck_assert_float_eq(got->a_real, row->a_real);
        ck_assert_str_eq(got->a_varchar, row->a_varchar);
        ck_assert_int_eq(got->a_timestamptz.us, row->a_timestamptz.us);
        ck_assert_int_eq(got->null.a_text, row->null.a_text);
        ck_assert_int_eq(got->null.a_uuid, row->null.a_uuid);
        if (row->null.a_text)
                return;
        ck_assert_int_eq(got->a_bigint, row->a_bigint);
        ck_assert_double_eq(got->a_double, row->a_double);
        ck_assert_str_eq(got->a_text, row->a_text);
        ck_assert_uint_eq(got->a_bytea.length, row->a_bytea.length);
        ck_assert_mem_eq(got->a_bytea.data, row->a_bytea.data, row->a_bytea.length);
        ck_assert_int_eq(got->a_timestamp.us, row->a_timestamp.us);
        ck_assert_mem_eq(&got->a_uuid, &row->a_uuid, sizeof row->a_uuid);
}

START_TEST(values_of_every_type_and_null_arrive_as_they_are)
{
        /* The first statements of many go out as text, later ones in binary form. */
        for (int round = 0; round < 6 || n_statements("sample") == round * 40; round++) {
                batch_begin();
                for (int i = 0; i < 40; i++) {
                        struct sample row = sample_of(i);
                        joined(sample_create(live_db, &row, on_member, next_member()));
                }
                batch_end();
                for (int i = 0; i < n_members; i++) {
                        struct sample row = sample_of(i);
                        expect_ok(members[i].last);
                        expect_sample(sample_row(members[i].last, 0), &row);
                }
        }
}
END_TEST

/* ---- what fails */

START_TEST(one_row_of_a_hundred_that_breaks_a_rule_fails_alone)
{
        execute("INSERT INTO page (key) VALUES ('taken')");
        for (int round = 0; round < 3; round++) {
                execute("DELETE FROM page WHERE key <> 'taken'");
                batch_begin();
                start_pages(0, 40);
                start_page(&(struct page){.key = round == 1 ? NULL : "taken", .text = ""});
                start_pages(40, 59);
                batch_end();
                expect_one_failed(40, PIPIT_ESERVER, round == 1 ? "23502" : "23505");
                ck_assert_int_eq(pipit_result_error(members[40].last)->executed,
                                 PIPIT_EXECUTED_ROLLED_BACK);
                expect_sql("SELECT count(*) FROM page", "100");
        }
}
END_TEST

START_TEST(of_two_equal_keys_in_a_group_one_wins)
{
        warm_pages();
        start_pages(0, 20);
        start_page(&(struct page){.key = key_of(3), .text = ""});
        batch_end();
        ck_assert_int_eq(n_failed(), 1);
        bool first = pipit_failed(members[3].last);
        expect_one_failed(first ? 3 : 20, PIPIT_ESERVER, "23505");
        expect_sql("SELECT count(*) FROM page", "20");
}
END_TEST

START_TEST(what_a_commit_refuses_fails_alone)
{
        static char values[BATCH][8];

        execute("INSERT INTO page (key) SELECT n::text FROM generate_series(0, 99) AS n");
        execute("ALTER TABLE setting ADD FOREIGN KEY (value) REFERENCES page (key) "
                "DEFERRABLE INITIALLY DEFERRED");
        for (int round = 0; round < 2; round++) {
                batch_begin();
                execute("DELETE FROM setting");
                for (int i = 0; i < 30; i++) {
                        snprintf(values[i], sizeof values[i], "%d", i == 17 && round ? 1000 : i);
                        struct setting row = {.name = key_of(i), .value = values[i]};
                        joined(setting_create(live_db, &row, on_member, next_member()));
                }
                batch_end();
        }
        expect_one_failed(17, PIPIT_ESERVER, "23503");
        expect_sql("SELECT count(*) FROM setting", "29");
}
END_TEST

/* A trigger in front of each new page. */
static void
page_trigger(const char *body)
{
        char sql[400];

        snprintf(sql, sizeof sql,
                 "CREATE FUNCTION before_page() RETURNS trigger LANGUAGE plpgsql AS "
                 "'BEGIN %s RETURN NEW; END'",
                 body);
        execute(sql);
        execute("CREATE TRIGGER t BEFORE INSERT ON page FOR EACH ROW "
                "EXECUTE FUNCTION before_page()");
}

START_TEST(when_the_connection_goes_nobody_knows_what_became_of_any)
{
        page_trigger(
                "IF NEW.rank = 7 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;");
        for (int i = 0; n_failed() < 2; i++) { /* until some share its fate */
                if (i % 50 == 49)
                        begin_afresh();
                batch_begin();
                execute("DELETE FROM page");
                start_pages(i % 50 == 0 ? 10 : 0, 12);
                batch_end();
        }
        ck_assert(pipit_failed(members[7].last));
        for (int i = 0; i < n_members; i++) {
                const struct pipit_error *error = pipit_result_error(members[i].last);
                if (error == NULL)
                        continue;
                expect_error(members[i].last, PIPIT_ELOST, "57P01");
                ck_assert_int_eq(error->executed, PIPIT_EXECUTED_UNKNOWN);
        }
        ck_assert_int_eq(number_of("SELECT count(*) FROM page"), n_members - n_failed());
}
END_TEST

START_TEST(a_row_that_a_trigger_drops_is_not_found)
{
        page_trigger("IF NEW.rank = 7 THEN RETURN NULL; END IF;");
        for (int i = 0; i == 0 || n_statements("page") == 19; i++) { /* until some are together */
                if (i % 50 == 49)
                        begin_afresh();
                warm_pages();
                start_pages(0, 20);
                batch_end();
                expect_one_failed(7, PIPIT_ENOTFOUND, "");
                ck_assert_ptr_nonnull(strstr(pipit_error_text(members[7].last), "a trigger"));
                expect_sql("SELECT count(*) FROM page", "19");
        }
}
END_TEST

START_TEST(a_row_whose_key_a_trigger_changes_has_the_new_one)
{
        page_trigger("IF NEW.rank = 7 THEN NEW.id := 1000000; END IF;");
        warm_pages();
        start_pages(0, 20);
        batch_end();
        expect_own_pages(0);
        ck_assert_int_eq(page_row(members[7].last, 0)->id, 1000000);
        expect_sql("SELECT count(*) FROM page", "20");
}
END_TEST

/* ---- tables */

START_TEST(columns_that_are_left_out_get_their_defaults)
{
        execute("ALTER TABLE page ADD COLUMN twice int GENERATED ALWAYS AS (rank * 2) STORED");
        warm_pages();
        for (int i = 0; i < 20; i++)
                start_page(&(struct page){.key = key_of(i), .rank = i});
        batch_end();
        expect_own_pages(0);
        for (int i = 0; i < n_members; i++) {
                struct page *page = page_row(members[i].last, 0);
                ck_assert_str_eq(page->text, "empty");
                ck_assert_mem_eq(page->data.data, "\xc0\xff\xee", 3);
        }
        expect_sql("SELECT bool_and(twice = rank * 2) FROM page", "t");
}
END_TEST

START_TEST(rows_without_a_primary_key_are_created_one_by_one)
{
        for (int round = 0; round < 4; round++) {
                batch_begin();
                for (int i = 0; i < 20; i++) {
                        struct line row = {.what = key_of(i % 5)};
                        joined(line_create(live_db, &row, on_member, next_member()));
                }
                batch_end();
                for (int i = 0; i < n_members; i++) {
                        expect_ok(members[i].last);
                        ck_assert_str_eq(line_row(members[i].last, 0)->what, key_of(i % 5));
                }
        }
        expect_sql("SELECT count(*) FROM line", "80");
        expect_sql("SELECT count(DISTINCT xmin::text || cmin::text) FROM line", "80");
}
END_TEST

START_TEST(rows_with_a_key_of_two_columns_are_told_apart)
{
        for (int round = 0; round < 4 || n_statements("point") == 36; round++) {
                batch_begin();
                execute("DELETE FROM point");
                for (int i = 0; i < 36; i++) {
                        struct point row = {.x = i / 6, .y = i % 6, .label = key_of(i)};
                        joined(point_create(live_db, &row, on_member, next_member()));
                }
                batch_end();
                for (int i = 0; i < n_members; i++) {
                        struct point *point = point_row(members[i].last, 0);
                        expect_ok(members[i].last);
                        ck_assert_int_eq(point->x * 6 + point->y, i);
                        ck_assert_str_eq(point->label, key_of(i));
                }
        }
}
END_TEST

START_TEST(keys_that_the_server_alone_may_make_are_made_by_its_sequence)
{
        execute("ALTER TABLE page ALTER id DROP DEFAULT");
        execute("DROP SEQUENCE page_id_seq");
        execute("ALTER TABLE page ALTER id ADD GENERATED ALWAYS AS IDENTITY (START 500)");
        until_grouped();
        ck_assert_int_ge(number_of("SELECT min(id) FROM page"), 500);
        batch_begin();
        for (int i = 60; i < 80; i++)
                start_page(&(struct page){.id = i, .key = key_of(i), .text = ""});
        batch_end();
        for (int i = 0; i < n_members; i++)
                expect_error(members[i].last, PIPIT_ESERVER, "428C9");
}
END_TEST

START_TEST(a_default_that_is_no_plain_sequence_is_not_passed_over)
{
        execute("ALTER TABLE page ALTER id SET DEFAULT nextval('page_id_seq') * 10");
        for (int round = 0; round < 4; round++) {
                batch_begin();
                execute("DELETE FROM page");
                start_pages(0, 20);
                batch_end();
                expect_own_pages(0);
                expect_sql("SELECT count(*) FROM page WHERE id % 10 = 0", "20");
        }
}
END_TEST

START_TEST(a_table_without_its_sequence_fails_together_three_times_only)
{
        execute("CREATE TABLE failure (n serial)");
        execute("ALTER TABLE page ALTER id DROP DEFAULT");
        execute("ALTER SEQUENCE page_id_seq OWNED BY NONE");
        execute("ALTER TABLE page ALTER id SET DEFAULT nextval('page_id_seq')");
        /* What fails together is run alone: in the end they share a transaction again, unless a
         * busy machine has made them slow. */
        int64_t n = 20;
        for (int round = 0; round < 40 || (round < 300 && n == 20); round++) {
                if (round % 60 == 59)
                        begin_afresh();
                batch_begin();
                execute("DELETE FROM page");
                start_pages(0, 20);
                batch_end();
                expect_own_pages(0);
                n = number_of("SELECT count(DISTINCT xmin::text) FROM page");
        }
        ck_assert_int_lt(n, 20);
}
END_TEST

START_TEST(columns_of_another_type_than_the_model_says_get_what_they_would_get_alone)
{
        execute("ALTER TABLE page ALTER weight DROP DEFAULT");
        execute("ALTER TABLE page ALTER weight TYPE numeric");
        for (int round = 0; round < 3; round++) {
                batch_begin();
                execute("DELETE FROM page");
                for (int i = 0; i < 20; i++)
                        start_page(&(struct page){
                                .key = key_of(i), .text = "", .rank = i, .weight = 0.1 + 0.2});
                batch_end();
                expect_own_pages(0);
                expect_sql("SELECT DISTINCT weight FROM page", "0.30000000000000004");
        }
}
END_TEST

/* ---- members that end by themselves */

START_TEST(a_create_that_is_cancelled_before_it_is_sent_is_not_made)
{
        warm_pages();
        start_pages(0, 20);
        pipit_cancel(live_db, numbers[5]);
        batch_end();
        expect_one_failed(5, PIPIT_ECANCELED, "");
        expect_sql("SELECT count(*) FROM page", "19");
}
END_TEST

START_TEST(without_memory_each_create_still_has_one_end)
{
        const char *keys[12];
        int n = 0;

        for (int i = 0; i < 12; i++)
                keys[i] = key_of(i);
        warm_pages();
        for (bool failed = true; failed; n++) {
                batch_begin();
                oom_after(n);
                for (int i = 0; i < 12; i++) {
                        struct page row = {.key = keys[i], .text = "", .rank = i};
                        n_members +=
                                page_create(live_db, &row, on_member, &members[n_members]) != 0;
                }
                turn_until_ended(n_members);
                failed = oom_stop();
                batch_end();
                execute("DELETE FROM page");
        }
        ck_assert_int_gt(n, 12);
}
END_TEST

static TCase *
tcase_of(const char *name)
{
        TCase *tcase = tcase_create(name);

        tcase_add_checked_fixture(tcase, group_setup, batch_teardown);
        tcase_set_timeout(tcase, 60);
        return tcase;
}

static TCase *
answers_tcase(void)
{
        TCase *tcase = tcase_of("answers");

        tcase_add_test(tcase,
                       creates_that_wait_together_are_one_statement_and_each_gets_its_own_row);
        tcase_add_test(tcase, the_answer_is_like_that_of_a_single_one);
        tcase_add_test(tcase, without_leave_each_create_is_committed_by_itself);
        tcase_add_test(tcase, floating_numbers_come_back_bit_for_bit);
        tcase_add_test(tcase, values_of_every_type_and_null_arrive_as_they_are);
        return tcase;
}

static TCase *
failures_tcase(void)
{
        TCase *tcase = tcase_of("failures");

        tcase_add_test(tcase, one_row_of_a_hundred_that_breaks_a_rule_fails_alone);
        tcase_add_test(tcase, of_two_equal_keys_in_a_group_one_wins);
        tcase_add_test(tcase, what_a_commit_refuses_fails_alone);
        tcase_add_test(tcase, when_the_connection_goes_nobody_knows_what_became_of_any);
        tcase_add_test(tcase, a_row_that_a_trigger_drops_is_not_found);
        tcase_add_test(tcase, a_row_whose_key_a_trigger_changes_has_the_new_one);
        tcase_add_test(tcase, a_create_that_is_cancelled_before_it_is_sent_is_not_made);
        tcase_add_test(tcase, without_memory_each_create_still_has_one_end);
        return tcase;
}

static TCase *
tables_tcase(void)
{
        TCase *tcase = tcase_of("tables");

        tcase_add_test(tcase, columns_that_are_left_out_get_their_defaults);
        tcase_add_test(tcase, rows_without_a_primary_key_are_created_one_by_one);
        tcase_add_test(tcase, rows_with_a_key_of_two_columns_are_told_apart);
        tcase_add_test(tcase, keys_that_the_server_alone_may_make_are_made_by_its_sequence);
        tcase_add_test(tcase, a_default_that_is_no_plain_sequence_is_not_passed_over);
        tcase_add_test(tcase, a_table_without_its_sequence_fails_together_three_times_only);
        tcase_add_test(tcase,
                       columns_of_another_type_than_the_model_says_get_what_they_would_get_alone);
        return tcase;
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("group_writes");

        suite_add_tcase(suite, answers_tcase());
        suite_add_tcase(suite, failures_tcase());
        suite_add_tcase(suite, tables_tcase());
        return suite;
}
