#include <pipit/error.h>
#include <string.h>

#include "models.h"
#include "oom.h"
#include "runner.h"
#include "sql/dml.h"

#define RETURNING                                                                                  \
        " RETURNING \"page_block\".\"id\", \"page_block\".\"key\", \"page_block\".\"text\", "      \
        "\"page_block\".\"visits\""
#define COLUMNS "(\"id\", \"key\", \"text\", \"visits\")"

static const struct pipit_model *const pages = &page_block_model.model;
static struct sql sql;

static void
set_up(void)
{
        pipit__sql_init(&sql);
}

static void
tear_down(void)
{
        pipit__sql_fini(&sql);
}

static void
is_statement(const char *expected)
{
        ck_assert_str_eq(pipit__sql_error_text(&sql), "");
        ck_assert_str_eq(pipit__sql_text(&sql), expected);
}

static void
is_refused(const char *part)
{
        ck_assert_int_eq(pipit__sql_error(&sql), PIPIT_EINVAL);
        ck_assert_ptr_nonnull(strstr(pipit__sql_error_text(&sql), part));
}

START_TEST(an_insert_leaves_a_key_of_zero_to_the_server)
{
        struct page_block row = {.key = "title", .text = "words"};

        pipit__dml_insert(pages, &row, &sql);
        is_statement("INSERT INTO \"page_block\" " COLUMNS
                     " VALUES (DEFAULT, $1, $2, $3)" RETURNING);
        ck_assert_str_eq(pipit__sql_params(&sql).values[0].as.text, "title");
        ck_assert_int_eq(pipit__sql_params(&sql).values[2].as.int_value, 0);
}
END_TEST

START_TEST(what_an_insert_gives_is_a_bit_for_each_field_and_its_values)
{
        struct page_block row = {.key = "title"};

        ck_assert_uint_eq(pipit__dml_given(pages, &row), 10);
        pipit__dml_values(pages, &row, &sql);
        ck_assert_int_eq(pipit__sql_params(&sql).n, 2);
        ck_assert_str_eq(pipit__sql_params(&sql).values[0].as.text, "title");
        row = (struct page_block){.id = 7, .key = "title", .text = ""};
        ck_assert_uint_eq(pipit__dml_given(pages, &row), 15);
}
END_TEST

START_TEST(many_inserts_are_told_apart_by_their_order_and_by_a_key_only_where_rows_are_missing)
{
        pipit__dml_insert_many(&point_model.model, 3, &sql);
        is_statement(
                "WITH pipit_given AS (SELECT o, c1, c2 FROM unnest($1::integer[], "
                "$2::integer[]) WITH ORDINALITY AS u(c1, c2, o)), pipit_made AS (INSERT INTO "
                "\"geo\".\"Points\" (\"x\", \"why \"\"so\"\"\") SELECT c1, c2 FROM pipit_given ORDER BY o "
                "RETURNING \"Points\".\"x\", \"Points\".\"why \"\"so\"\"\", \"Points\".\"label\") "
                "SELECT pipit_made.*, CASE WHEN count(*) OVER () = (SELECT count(*) FROM "
                "pipit_given) THEN row_number() OVER () ELSE COALESCE((SELECT min(o) FROM "
                "pipit_given WHERE pipit_made.\"x\" = pipit_given.c1 AND "
                "pipit_made.\"why \"\"so\"\"\" = pipit_given.c2), 0) END FROM pipit_made");
}
END_TEST

START_TEST(many_inserts_without_a_key_have_one_of_its_sequence)
{
        pipit__dml_insert_many(pages, 10, &sql);
        const char *text = pipit__sql_text(&sql);
        ck_assert_str_eq(pipit__sql_error_text(&sql), "");
        ck_assert_ptr_nonnull(strstr(text, "nextval(COALESCE("));
        ck_assert_ptr_nonnull(strstr(text, "pg_get_serial_sequence('\"page_block\"', 'id')"));
        ck_assert_ptr_nonnull(strstr(text, "(\"id\", \"key\", \"visits\") OVERRIDING SYSTEM VALUE "
                                           "SELECT k, c1, c2 FROM pipit_given"));
        ck_assert_ptr_nonnull(strstr(text, "WHERE pipit_made.\"id\" = pipit_given.k"));
}
END_TEST

START_TEST(only_rows_whose_key_is_known_can_be_inserted_together)
{
        ck_assert(pipit__dml_can_group(pages, 14));
        ck_assert(pipit__dml_can_group(pages, 15));
        ck_assert(pipit__dml_can_group(&point_model.model, 3));
        ck_assert(!pipit__dml_can_group(&point_model.model, 6));
        ck_assert(pipit__dml_can_group(&token_model.model, 1));
        ck_assert(!pipit__dml_can_group(&token_model.model, 0));
        ck_assert(!pipit__dml_can_group(&event_model.model, 1));
}
END_TEST

START_TEST(an_insert_sends_a_key_that_is_set)
{
        struct page_block row = {.id = 7, .key = "title", .text = ""};

        pipit__dml_insert(pages, &row, &sql);
        is_statement("INSERT INTO \"page_block\" " COLUMNS " VALUES ($1, $2, $3, $4)" RETURNING);
        ck_assert_int_eq(pipit__sql_params(&sql).values[0].as.int_value, 7);
        ck_assert_uint_eq(pipit__sql_params(&sql).values[2].length, 0);
}
END_TEST

START_TEST(null_becomes_the_default_only_where_there_is_one)
{
        struct page_block row = {.id = 7};

        pipit__dml_insert(pages, &row, &sql);
        is_statement("INSERT INTO \"page_block\" " COLUMNS
                     " VALUES ($1, $2, DEFAULT, $3)" RETURNING);
        ck_assert_int_eq(pipit__sql_params(&sql).values[1].kind, PIPIT_KIND_NULL);
}
END_TEST

START_TEST(bytes_have_defaults_too)
{
        struct point row = {.x = 1};

        pipit__dml_insert(&point_model.model, &row, &sql);
        ck_assert_ptr_nonnull(strstr(pipit__sql_text(&sql), "VALUES ($1, $2, DEFAULT)"));
}
END_TEST

START_TEST(a_nullable_field_is_sent_as_null)
{
        struct sample row = {.a_serial = 1, .null = {.a_boolean = true}};

        pipit__dml_insert(&sample_model.model, &row, &sql);
        ck_assert_ptr_nonnull(strstr(pipit__sql_text(&sql),
                                     "VALUES ($1, DEFAULT, $2, $3, $4, $5, $6, $7, $8, $9, $10, "
                                     "$11, $12, $13)"));
        struct pipit_params params = pipit__sql_params(&sql);
        ck_assert_int_eq(params.values[1].kind, PIPIT_KIND_NULL);
        ck_assert_int_eq(params.values[7].kind, PIPIT_KIND_NULL);
        ck_assert_int_eq(params.values[9].kind, PIPIT_KIND_NULL);
        ck_assert_int_eq(params.values[2].kind, PIPIT_KIND_INT);
}
END_TEST

START_TEST(what_is_unset_is_left_to_the_server_and_what_is_assigned_is_not)
{
        struct sample row;

        sample_init(&row);
        ck_assert_uint_eq(pipit__dml_given(&sample_model.model, &row), 0x1fc);
        row.a_text = "";
        row.a_uuid.bytes[15] = 1;
        row.null.a_timestamp = PIPIT_MEMBER_VALUE;
        row.null.a_timestamptz = PIPIT_MEMBER_NULL;
        ck_assert_uint_eq(pipit__dml_given(&sample_model.model, &row), 0x3bfc);
        pipit__dml_insert(&sample_model.model, &row, &sql);
        ck_assert_ptr_nonnull(strstr(pipit__sql_text(&sql),
                                     "VALUES (DEFAULT, DEFAULT, $1, $2, $3, $4, $5, $6, $7, $8, "
                                     "DEFAULT, $9, $10, $11)"));
        ck_assert_int_eq(pipit__sql_params(&sql).values[8].kind, PIPIT_KIND_TIMESTAMP);
        ck_assert_int_eq(pipit__sql_params(&sql).values[9].kind, PIPIT_KIND_NULL);
}
END_TEST

START_TEST(an_update_sets_what_is_unset_to_the_default)
{
        struct point row;

        point_init(&row);
        pipit__dml_update(&point_model.model, &row, &sql);
        is_statement("UPDATE \"geo\".\"Points\" SET \"label\" = DEFAULT WHERE \"Points\".\"x\" = "
                     "$1 AND \"Points\".\"why \"\"so\"\"\" = $2 RETURNING \"Points\".\"x\", "
                     "\"Points\".\"why \"\"so\"\"\", \"Points\".\"label\"");
        ck_assert_int_eq(pipit__sql_params(&sql).n, 2);
}
END_TEST

START_TEST(a_byte_that_is_none_of_the_enum_is_refused)
{
        struct point row = {.x = 1, .null.label = PIPIT_MEMBER_UNSET + 1};

        pipit__dml_values(&point_model.model, &row, &sql);
        is_refused("null.label of a row of \"point\" is 3");
}
END_TEST

START_TEST(a_zero_key_with_a_default_is_generated)
{
        struct token row = {.id = {{0}}};

        pipit__dml_insert(&token_model.model, &row, &sql);
        is_statement("INSERT INTO \"token\" (\"id\") VALUES (DEFAULT) RETURNING \"token\".\"id\"");
        row.id.bytes[15] = 1;
        pipit__sql_fini(&sql);
        pipit__dml_insert(&token_model.model, &row, &sql);
        is_statement("INSERT INTO \"token\" (\"id\") VALUES ($1) RETURNING \"token\".\"id\"");
}
END_TEST

START_TEST(an_update_sets_everything_but_the_key)
{
        struct page_block row = {.id = 7, .key = "title", .visits = 3};

        pipit__dml_update(pages, &row, &sql);
        is_statement("UPDATE \"page_block\" SET \"key\" = $1, \"text\" = $2, \"visits\" = $3 "
                     "WHERE \"page_block\".\"id\" = $4" RETURNING);
        ck_assert_int_eq(pipit__sql_params(&sql).values[1].kind, PIPIT_KIND_NULL);
        ck_assert_int_eq(pipit__sql_params(&sql).values[3].as.int_value, 7);
}
END_TEST

START_TEST(a_key_of_two_columns_is_compared_as_a_whole)
{
        struct point row = {.x = 1, .y = 2};

        pipit__dml_delete(&point_model.model, &row, &sql);
        is_statement("DELETE FROM \"geo\".\"Points\" WHERE \"Points\".\"x\" = $1 AND "
                     "\"Points\".\"why \"\"so\"\"\" = $2");
        ck_assert_int_eq(pipit__sql_params(&sql).values[1].as.int_value, 2);
}
END_TEST

START_TEST(without_a_key_there_is_no_update_and_no_delete)
{
        struct event row = {.what = "x"};

        pipit__dml_update(&event_model.model, &row, &sql);
        is_refused("\"event\" has no primary key");
        pipit__sql_fini(&sql);
        pipit__dml_delete(&event_model.model, &row, &sql);
        is_refused("\"event\" has no primary key");
}
END_TEST

START_TEST(an_update_needs_something_to_set)
{
        struct token row = {.id = {{1}}};

        pipit__dml_update(&token_model.model, &row, &sql);
        is_refused("\"token\" has nothing to set");
}
END_TEST

START_TEST(without_memory_a_write_fails)
{
        struct sample row = {.a_serial = 1};

        for (int n = 0;; n++) {
                pipit__sql_init(&sql);
                oom_after(n);
                pipit__dml_insert(&sample_model.model, &row, &sql);
                bool failed = oom_stop();
                ck_assert_int_eq(pipit__sql_error(&sql), failed ? PIPIT_ENOMEM : 0);
                pipit__sql_fini(&sql);
                if (!failed)
                        break;
        }
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("dml");
        TCase *tcase = tcase_create("dml");

        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_test(tcase, an_insert_leaves_a_key_of_zero_to_the_server);
        tcase_add_test(tcase, what_an_insert_gives_is_a_bit_for_each_field_and_its_values);
        tcase_add_test(
                tcase,
                many_inserts_are_told_apart_by_their_order_and_by_a_key_only_where_rows_are_missing);
        tcase_add_test(tcase, many_inserts_without_a_key_have_one_of_its_sequence);
        tcase_add_test(tcase, only_rows_whose_key_is_known_can_be_inserted_together);
        tcase_add_test(tcase, an_insert_sends_a_key_that_is_set);
        tcase_add_test(tcase, null_becomes_the_default_only_where_there_is_one);
        tcase_add_test(tcase, bytes_have_defaults_too);
        tcase_add_test(tcase, a_nullable_field_is_sent_as_null);
        tcase_add_test(tcase, what_is_unset_is_left_to_the_server_and_what_is_assigned_is_not);
        tcase_add_test(tcase, an_update_sets_what_is_unset_to_the_default);
        tcase_add_test(tcase, a_byte_that_is_none_of_the_enum_is_refused);
        tcase_add_test(tcase, a_zero_key_with_a_default_is_generated);
        tcase_add_test(tcase, an_update_sets_everything_but_the_key);
        tcase_add_test(tcase, a_key_of_two_columns_is_compared_as_a_whole);
        tcase_add_test(tcase, without_a_key_there_is_no_update_and_no_delete);
        tcase_add_test(tcase, an_update_needs_something_to_set);
        tcase_add_test(tcase, without_memory_a_write_fails);
        suite_add_tcase(suite, tcase);
        return suite;
}
