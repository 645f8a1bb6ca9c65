/*
 * create_table and drop_table on a real server.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "live.h"

#define BOOK(FIELD)                                                                                \
        FIELD(serial, id, .primary_key = true)                                                     \
        FIELD(varchar, isbn, .max_length = 13, .unique = true)                                     \
        FIELD(text, title, .default_text = "it's", .index = true)                                  \
        FIELD(integer, year, .default_int = -44, .nullable = true, .index = true)                  \
        FIELD(bigint, sold, .default_int = 1LL << 40)                                              \
        FIELD(smallint, shelf, .default_int = 7)                                                   \
        FIELD(boolean, lent, .default_bool = true)                                                 \
        FIELD(real, weight, .default_double = 0.25)                                                \
        FIELD(double_precision, price, .default_double = -0.1, .check = "price < 100")             \
        FIELD(timestamptz, bought, .default_sql = "now()")                                         \
        FIELD(timestamp, printed, .nullable = true)                                                \
        FIELD(bytea, cover, .nullable = true)                                                      \
        FIELD(uuid, code, .default_sql = "gen_random_uuid()")                                      \
        FIELD(varchar, note, .nullable = true)
PIPIT_MODEL(book, BOOK);
PIPIT_MODEL_DEFINE(book, BOOK);

#define PAIR(FIELD)                                                                                \
        FIELD(integer, b, .primary_key = true)                                                     \
        FIELD(integer, a, .primary_key = true)                                                     \
        FIELD(bigserial, counter)
PIPIT_MODEL(pair, PAIR);
PIPIT_MODEL_DEFINE(pair, PAIR);

/* Names of 63 bytes, the most there can be, and one byte more. */
#define NAME_60 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff"
#define STRANGE(FIELD)                                                                             \
        FIELD(serial, id, .primary_key = true, .column = "Select")                                 \
        FIELD(text, a, .column = "a\"b'c; --", .unique = true, .index = true)                      \
        FIELD(text, b, .column = "\xc3\xa4\xe2\x82\xac $1 %s", .index = true)                      \
        FIELD(text, c, .column = NAME_60 "123", .index = true)                                     \
        FIELD(text, d, .column = NAME_60 "124", .index = true)
PIPIT_MODEL(strange, STRANGE);
PIPIT_MODEL_DEFINE(strange, STRANGE, .table = "Drop \"table\"; \xf0\x9f\x90\xa6");

#define LONG(FIELD) FIELD(text, a, .column = NAME_60 "1234")
PIPIT_MODEL(long_name, LONG);
PIPIT_MODEL_DEFINE(long_name, LONG);

#define MISFIT(FIELD) FIELD(integer, n, .default_text = "many")
PIPIT_MODEL(misfit, MISFIT);
PIPIT_MODEL_DEFINE(misfit, MISFIT);

#define ELSEWHERE(FIELD) FIELD(serial, id, .primary_key = true) FIELD(integer, n, .index = true)
PIPIT_MODEL(elsewhere, ELSEWHERE);
PIPIT_MODEL_DEFINE(elsewhere, ELSEWHERE, .schema = "pipit \"other\"", .table = "there");

static struct calls calls;

static struct pipit_result *
done(pipit_request request)
{
        ck_assert_uint_ne(request, 0);
        ck_assert_int_eq(calls.n, 0);
        struct pipit_result *res = answer(&calls);
        calls = (struct calls){0};
        return res;
}

static struct pipit_result *
table_created(const struct pipit_model *model, unsigned flags)
{
        return done(pipit_record_create_table(live_db, model, flags, on_call, &calls));
}

static struct pipit_result *
table_dropped(const struct pipit_model *model, unsigned flags)
{
        return done(pipit_record_drop_table(live_db, model, flags, on_call, &calls));
}

static void
setup(void)
{
        live_schema_setup();
        calls = (struct calls){0};
}

static void
expect_sql(const char *sql, const char *text)
{
        expect_text(query(sql, PIPIT_NO_PARAMS), 0, 0, text);
}

#define OURS " schemaname = current_schema()"

START_TEST(a_table_is_created_once)
{
        expect_ok(table_created(&book_model.model, 0));
        expect_error(table_created(&book_model.model, 0), PIPIT_ESERVER, "42P07");
        expect_sql("SELECT count(*) FROM pg_tables WHERE tablename = 'book' AND" OURS, "1");
}
END_TEST

START_TEST(a_table_that_is_there_is_no_error_if_so_said)
{
        struct book row = {.isbn = "1"};

        expect_ok(table_created(&book_model.model, PIPIT_IF_NOT_EXISTS));
        expect_ok(done(book_create(live_db, &row, on_call, &calls)));
        expect_ok(table_created(&book_model.model, PIPIT_IF_NOT_EXISTS));
        expect_sql("SELECT count(*) FROM book", "1");
}
END_TEST

START_TEST(indexes_and_constraints_are_there)
{
        expect_ok(table_created(&book_model.model, 0));
        expect_sql(
                "SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes WHERE" OURS,
                "book_isbn_key book_pkey book_title_idx book_year_idx");
        expect_sql("SELECT count(*) FROM pg_indexes WHERE indexdef LIKE '%UNIQUE%' AND" OURS, "2");
}
END_TEST

START_TEST(an_index_that_was_lost_is_made_again)
{
        expect_ok(table_created(&book_model.model, 0));
        execute("DROP INDEX book_title_idx");
        expect_ok(table_created(&book_model.model, PIPIT_IF_NOT_EXISTS));
        expect_sql("SELECT count(*) FROM pg_indexes WHERE indexname = 'book_title_idx' AND" OURS,
                   "1");
}
END_TEST

START_TEST(an_index_that_fails_ends_it_and_the_table_stays)
{
        execute("CREATE TABLE book_title_idx ()");
        expect_error(table_created(&book_model.model, 0), PIPIT_ESERVER, "42P07");
        expect_sql("SELECT count(*) FROM pg_indexes WHERE indexname = 'book_year_idx' AND" OURS,
                   "0");
        expect_sql("SELECT count(*) FROM book", "0");
}
END_TEST

START_TEST(columns_have_the_declared_types)
{
        expect_ok(table_created(&book_model.model, 0));
        expect_sql("SELECT string_agg(format_type(atttypid, atttypmod), ', ' ORDER BY attnum) "
                   "FROM pg_attribute WHERE attrelid = 'book'::regclass AND attnum > 0",
                   "integer, character varying(13), text, integer, bigint, smallint, boolean, "
                   "real, double precision, timestamp with time zone, "
                   "timestamp without time zone, bytea, uuid, character varying");
}
END_TEST

START_TEST(columns_are_not_null_unless_declared)
{
        expect_ok(table_created(&book_model.model, 0));
        expect_sql("SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute "
                   "WHERE attrelid = 'book'::regclass AND attnum > 0 AND NOT attnotnull",
                   "year printed cover note");
}
END_TEST

START_TEST(defaults_are_the_servers_too)
{
        expect_ok(table_created(&book_model.model, 0));
        execute("INSERT INTO book (isbn) VALUES ('1')");
        expect_sql("SELECT title || year || ' ' || sold || shelf || lent || weight || price "
                   "FROM book WHERE bought <= now() AND code IS NOT NULL",
                   "it's-44 10995116277767true0.25-0.1");
        expect_sql("SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attrdef "
                   "JOIN pg_attribute ON adrelid = attrelid AND adnum = attnum "
                   "WHERE adrelid = 'book'::regclass",
                   "id title year sold shelf lent weight price bought code");
}
END_TEST

START_TEST(the_declared_length_counts_characters)
{
        struct book row = {.isbn = "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
                                   "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"};

        expect_ok(table_created(&book_model.model, 0));
        expect_ok(done(book_create(live_db, &row, on_call, &calls)));
        row.isbn = "12345678901234";
        expect_error(done(book_create(live_db, &row, on_call, &calls)), PIPIT_ESERVER, "22001");
        expect_sql("SELECT count(*) FROM book", "1");
}
END_TEST

START_TEST(a_check_is_checked)
{
        struct book row = {.isbn = "1", .price = 100};

        expect_ok(table_created(&book_model.model, 0));
        struct pipit_result *res = done(book_create(live_db, &row, on_call, &calls));
        expect_error(res, PIPIT_ESERVER, "23514");
        ck_assert_ptr_nonnull(pipit_result_error(res)->constraint);
}
END_TEST

START_TEST(a_key_of_two_columns_is_one_constraint_in_their_order)
{
        expect_ok(table_created(&pair_model.model, 0));
        expect_sql("SELECT pg_get_constraintdef(oid) FROM pg_constraint "
                   "WHERE conrelid = 'pair'::regclass AND contype = 'p'",
                   "PRIMARY KEY (b, a)");
}
END_TEST

START_TEST(names_that_need_quotes_name_the_same_everywhere)
{
        struct strange row = {.a = "1", .b = "2", .c = "3", .d = "4"};
        const struct pipit_expr *where =
                pipit_and(pipit_eq(strange_model.a, "1"), pipit_eq(strange_model.b, "2"),
                          pipit_eq(strange_model.c, "3"), pipit_gt(strange_model.id, 0));

        expect_ok(table_created(&strange_model.model, 0));
        expect_ok(done(strange_create(live_db, &row, on_call, &calls)));
        struct pipit_result *res = done(strange_get(live_db, where, on_call, &calls));
        expect_ok(res);
        struct strange *strange = strange_row(res, 0);
        ck_assert_str_eq(strange->d, "4");
        strange->b = "two";
        expect_ok(done(strange_save(live_db, strange, on_call, &calls)));
        expect_sql("SELECT \"\xc3\xa4\xe2\x82\xac $1 %s\" FROM \"Drop \"\"table\"\"; "
                   "\xf0\x9f\x90\xa6\"",
                   "two");
        expect_ok(done(strange_delete(live_db, strange, on_call, &calls)));
        expect_ok(table_dropped(&strange_model.model, 0));
        expect_sql("SELECT count(*) FROM pg_tables WHERE" OURS, "0");
}
END_TEST

START_TEST(indexes_of_long_names_have_names_of_their_own)
{
        expect_ok(table_created(&strange_model.model, 0));
        expect_ok(table_created(&strange_model.model, PIPIT_IF_NOT_EXISTS));
        expect_sql("SELECT count(*) FROM pg_indexes WHERE" OURS, "5");
}
END_TEST

START_TEST(a_name_that_postgresql_would_cut_is_refused)
{
        expect_executed(table_created(&long_name_model.model, 0), PIPIT_EINVAL, PIPIT_EXECUTED_NO);
        expect_sql("SELECT count(*) FROM pg_tables WHERE" OURS, "0");
}
END_TEST

START_TEST(a_default_of_another_type_is_refused)
{
        expect_executed(table_created(&misfit_model.model, 0), PIPIT_EINVAL, PIPIT_EXECUTED_NO);
}
END_TEST

START_TEST(a_table_in_a_schema_of_its_own_is_found_there)
{
        struct elsewhere row = {.n = 5};

        execute("DROP SCHEMA IF EXISTS \"pipit \"\"other\"\"\" CASCADE");
        execute("CREATE SCHEMA \"pipit \"\"other\"\"\"");
        expect_ok(table_created(&elsewhere_model.model, 0));
        expect_ok(done(elsewhere_create(live_db, &row, on_call, &calls)));
        expect_ok(done(elsewhere_get(live_db, pipit_eq(elsewhere_model.n, 5), on_call, &calls)));
        expect_sql("SELECT count(*) FROM \"pipit \"\"other\"\"\".there", "1");
        expect_sql("SELECT count(*) FROM pg_tables WHERE" OURS, "0");
        expect_ok(table_dropped(&elsewhere_model.model, 0));
        execute("DROP SCHEMA \"pipit \"\"other\"\"\"");
}
END_TEST

START_TEST(a_table_is_dropped)
{
        expect_ok(table_created(&book_model.model, 0));
        expect_ok(table_dropped(&book_model.model, 0));
        expect_error(table_dropped(&book_model.model, 0), PIPIT_ESERVER, "42P01");
        expect_ok(table_dropped(&book_model.model, PIPIT_IF_EXISTS));
        expect_sql("SELECT count(*) FROM pg_tables WHERE" OURS, "0");
}
END_TEST

START_TEST(what_depends_on_a_table_is_dropped_only_if_so_said)
{
        expect_ok(table_created(&book_model.model, 0));
        execute("CREATE VIEW titles AS SELECT title FROM book");
        expect_error(table_dropped(&book_model.model, PIPIT_IF_EXISTS), PIPIT_ESERVER, "2BP01");
        expect_ok(table_dropped(&book_model.model, PIPIT_IF_EXISTS | PIPIT_CASCADE));
        expect_sql("SELECT count(*) FROM pg_views WHERE" OURS, "0");
}
END_TEST

START_TEST(a_record_without_its_table_is_the_servers_error)
{
        struct book row = {.isbn = "1"};

        expect_error(done(book_create(live_db, &row, on_call, &calls)), PIPIT_ESERVER, "42P01");
}
END_TEST

/* create_table is several statements: it can be given up before and between them. */

START_TEST(a_create_table_that_was_cancelled_at_once_is_not_run)
{
        pipit_request request = book_create_table(live_db, 0, on_call, &calls);

        pipit_cancel(live_db, request);
        expect_executed(done(request), PIPIT_ECANCELED, PIPIT_EXECUTED_NO);
        expect_sql("SELECT count(*) FROM pg_tables WHERE" OURS, "0");
}
END_TEST

START_TEST(a_create_table_in_the_middle_is_given_up_by_close)
{
        struct calls closed = {0};
        struct calls blocker = {0};
        char sql[200];
        struct pipit *other = pipit_open(live_base, live_url(), NULL);

        /* The first statement finds its table; the second one waits for a lock on it. */
        expect_ok(table_created(&book_model.model, 0));
        execute("DROP INDEX book_title_idx");
        snprintf(sql, sizeof sql,
                 "DO $$ BEGIN LOCK TABLE pipit_%d.book; PERFORM pg_sleep(20); END $$",
                 (int)getpid());
        ask_on(other, sql, &blocker);
        wait_for_server("SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND "
                        "granted AND relation = 'book'::regclass",
                        "1");
        book_create_table(live_db, PIPIT_IF_NOT_EXISTS, on_call, &closed);
        wait_for_server("SELECT count(*) FROM pg_locks WHERE NOT granted AND "
                        "relation = 'book'::regclass",
                        "1");
        ck_assert_int_eq(closed.n, 0);
        live_reopen(NULL);
        expect_executed(answer(&closed), PIPIT_ECANCELED, PIPIT_EXECUTED_UNKNOWN);
        snprintf(sql, sizeof sql,
                 "SELECT pg_terminate_backend(pid) FROM pg_locks "
                 "WHERE relation = 'pipit_%d.book'::regclass AND pid <> pg_backend_pid()",
                 (int)getpid());
        execute(sql);
        ck_assert(pipit_failed(answer(&blocker)));
        pipit_close(other);
}
END_TEST

START_TEST(a_drain_waits_for_all_statements_of_a_create_table)
{
        struct calls drained = {0};

        ck_assert_uint_ne(book_create_table(live_db, 0, on_call, &calls), 0);
        pipit_drain(live_db, -1, on_call, &drained);
        expect_ok(answer(&drained));
        ck_assert_int_eq(calls.n, 1);
        expect_ok(calls.last);
        live_reopen(NULL);
        char sql[200];
        snprintf(sql, sizeof sql, "SELECT count(*) FROM pg_indexes WHERE schemaname = 'pipit_%d'",
                 (int)getpid());
        expect_sql(sql, "4");
}
END_TEST

static TCase *
table_tcase(void)
{
        TCase *tcase = tcase_create("table");

        tcase_add_checked_fixture(tcase, setup, live_schema_teardown);
        tcase_add_test(tcase, a_table_is_created_once);
        tcase_add_test(tcase, a_table_that_is_there_is_no_error_if_so_said);
        tcase_add_test(tcase, indexes_and_constraints_are_there);
        tcase_add_test(tcase, an_index_that_was_lost_is_made_again);
        tcase_add_test(tcase, an_index_that_fails_ends_it_and_the_table_stays);
        tcase_add_test(tcase, a_table_in_a_schema_of_its_own_is_found_there);
        tcase_add_test(tcase, a_table_is_dropped);
        tcase_add_test(tcase, what_depends_on_a_table_is_dropped_only_if_so_said);
        tcase_add_test(tcase, a_record_without_its_table_is_the_servers_error);
        tcase_add_test(tcase, a_create_table_that_was_cancelled_at_once_is_not_run);
        tcase_add_test(tcase, a_create_table_in_the_middle_is_given_up_by_close);
        tcase_add_test(tcase, a_drain_waits_for_all_statements_of_a_create_table);
        return tcase;
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("schema");
        TCase *tcase = tcase_create("columns");

        tcase_add_checked_fixture(tcase, setup, live_schema_teardown);
        tcase_add_test(tcase, columns_have_the_declared_types);
        tcase_add_test(tcase, columns_are_not_null_unless_declared);
        tcase_add_test(tcase, defaults_are_the_servers_too);
        tcase_add_test(tcase, the_declared_length_counts_characters);
        tcase_add_test(tcase, a_check_is_checked);
        tcase_add_test(tcase, a_key_of_two_columns_is_one_constraint_in_their_order);
        tcase_add_test(tcase, names_that_need_quotes_name_the_same_everywhere);
        tcase_add_test(tcase, indexes_of_long_names_have_names_of_their_own);
        tcase_add_test(tcase, a_name_that_postgresql_would_cut_is_refused);
        tcase_add_test(tcase, a_default_of_another_type_is_refused);
        suite_add_tcase(suite, table_tcase());
        suite_add_tcase(suite, tcase);
        return suite;
}
