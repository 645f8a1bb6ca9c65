#include <pipit/error.h>
#include <string.h>

#include "models.h"
#include "oom.h"
#include "runner.h"
#include "sql/ddl.h"

#define LONG "a_table_with_a_name_that_fills_all_of_the_sixty_three_bytes_it_"
#define CLIPPED(FIELD)                                                                             \
        FIELD(integer, one, .index = true)                                                         \
        FIELD(integer, two, .index = true)                                                         \
        FIELD(integer, key, .index = true, .unique = true)
PIPIT_MODEL(clipped, CLIPPED);
PIPIT_MODEL_DEFINE(clipped, CLIPPED, .table = LONG);

/* 62 bytes of u with two dots. */
#define DOTS          "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
#define DOTTED(FIELD) FIELD(integer, one, .index = true)
PIPIT_MODEL(dotted, DOTTED);
PIPIT_MODEL_DEFINE(dotted, DOTTED, .table = "x" DOTS DOTS DOTS "\xc3\xbc");

#define WRONG(FIELD) FIELD(integer, number, .default_text = "7")
PIPIT_MODEL(wrong, WRONG);
PIPIT_MODEL_DEFINE(wrong, WRONG);

#define NAMELESS(FIELD) FIELD(integer, number, .column = "", .index = true)
PIPIT_MODEL(nameless, NAMELESS);
PIPIT_MODEL_DEFINE(nameless, NAMELESS);

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
creates(const struct pipit_model *model, unsigned flags, int number, const char *expected)
{
        pipit__sql_fini(&sql);
        pipit__ddl_create(model, flags, number, &sql);
        ck_assert_str_eq(pipit__sql_error_text(&sql), "");
        ck_assert_str_eq(pipit__sql_text(&sql), expected);
}

START_TEST(a_table_has_its_columns_and_constraints)
{
        creates(&page_block_model.model, 0, 0,
                "CREATE TABLE \"page_block\" (\"id\" serial NOT NULL, "
                "\"key\" varchar(40) NOT NULL UNIQUE, \"text\" text NOT NULL DEFAULT '', "
                "\"visits\" integer NOT NULL, PRIMARY KEY (\"id\"))");
}
END_TEST

START_TEST(every_type_has_its_name_and_default)
{
        creates(&sample_model.model, PIPIT_IF_NOT_EXISTS, 0,
                "CREATE TABLE IF NOT EXISTS \"sample\" (\"a_serial\" serial, "
                "\"a_bigserial\" bigserial, \"a_boolean\" boolean DEFAULT TRUE, "
                "\"a_smallint\" smallint DEFAULT -7, \"an_integer\" integer DEFAULT 70000, "
                "\"a_bigint\" bigint DEFAULT 1099511627776, \"a_real\" real DEFAULT '0.5', "
                "\"a_double\" double precision DEFAULT '-1.25', "
                "\"a_varchar\" varchar DEFAULT 'it''s', \"a_text\" text, \"a_bytea\" bytea, "
                "\"a_timestamp\" timestamp, \"a_timestamptz\" timestamptz DEFAULT (now()), "
                "\"a_uuid\" uuid)");
}
END_TEST

START_TEST(a_key_of_two_columns_is_one_constraint)
{
        creates(&point_model.model, 0, 0,
                "CREATE TABLE \"geo\".\"Points\" (\"x\" integer NOT NULL, "
                "\"why \"\"so\"\"\" integer NOT NULL, "
                "\"label\" bytea NOT NULL DEFAULT ('\\x00') CHECK (length(label) < 9), "
                "PRIMARY KEY (\"x\", \"why \"\"so\"\"\"))");
}
END_TEST

START_TEST(indexes_are_statements_of_their_own)
{
        ck_assert_int_eq(pipit__ddl_count(&page_block_model.model), 2);
        ck_assert_int_eq(pipit__ddl_count(&sample_model.model), 1);
        creates(&page_block_model.model, 0, 1,
                "CREATE INDEX \"page_block_visits_idx\" ON \"page_block\" (\"visits\")");
        creates(&page_block_model.model, PIPIT_IF_NOT_EXISTS, 1,
                "CREATE INDEX IF NOT EXISTS \"page_block_visits_idx\" ON \"page_block\" "
                "(\"visits\")");
}
END_TEST

START_TEST(a_long_index_name_is_shortened_and_stays_unique)
{
        ck_assert_int_eq(pipit__ddl_count(&clipped_model.model), 3);
        creates(&clipped_model.model, 0, 1,
                "CREATE INDEX \"a_table_with_a_name_that_fills_all_of_the_sixty_th_235953c8_idx\""
                " ON \"" LONG "\" (\"one\")");
        creates(&clipped_model.model, 0, 2,
                "CREATE INDEX \"a_table_with_a_name_that_fills_all_of_the_sixty_th_a933f852_idx\""
                " ON \"" LONG "\" (\"two\")");
}
END_TEST

START_TEST(a_name_is_shortened_between_characters)
{
        pipit__ddl_create(&dotted_model.model, 0, 1, &sql);
        ck_assert_str_eq(pipit__sql_error_text(&sql), "");
        ck_assert_ptr_nonnull(strstr(pipit__sql_text(&sql), "\xc3\xbc_"));
}
END_TEST

START_TEST(what_cannot_be_created_is_refused)
{
        pipit__ddl_create(&wrong_model.model, 0, 0, &sql);
        ck_assert_int_eq(pipit__sql_error(&sql), PIPIT_EINVAL);
        ck_assert_str_eq(pipit__sql_error_text(&sql),
                         "the default of \"number\" in \"wrong\" is no integer");
        pipit__sql_fini(&sql);
        pipit__ddl_create(&nameless_model.model, 0, 0, &sql);
        ck_assert_int_eq(pipit__sql_error(&sql), PIPIT_EINVAL);
        pipit__sql_fini(&sql);
        pipit__ddl_create(&nameless_model.model, 0, 1, &sql);
        ck_assert_int_eq(pipit__sql_error(&sql), PIPIT_EINVAL);
}
END_TEST

START_TEST(tables_are_dropped)
{
        pipit__ddl_drop(&point_model.model, 0, &sql);
        ck_assert_str_eq(pipit__sql_text(&sql), "DROP TABLE \"geo\".\"Points\"");
        pipit__sql_fini(&sql);
        pipit__ddl_drop(&page_block_model.model, PIPIT_IF_EXISTS | PIPIT_CASCADE, &sql);
        ck_assert_str_eq(pipit__sql_text(&sql), "DROP TABLE IF EXISTS \"page_block\" CASCADE");
}
END_TEST

START_TEST(flags_of_the_other_function_are_refused)
{
        pipit__ddl_drop(&page_block_model.model, PIPIT_IF_NOT_EXISTS, &sql);
        ck_assert_int_eq(pipit__sql_error(&sql), PIPIT_EINVAL);
        pipit__sql_fini(&sql);
        pipit__ddl_create(&page_block_model.model, PIPIT_CASCADE, 0, &sql);
        ck_assert_int_eq(pipit__sql_error(&sql), PIPIT_EINVAL);
}
END_TEST

START_TEST(without_memory_a_schema_fails)
{
        for (int n = 0;; n++) {
                pipit__sql_init(&sql);
                oom_after(n);
                pipit__ddl_create(&sample_model.model, 0, 0, &sql);
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
        Suite *suite = suite_create("ddl");
        TCase *tcase = tcase_create("ddl");

        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_test(tcase, a_table_has_its_columns_and_constraints);
        tcase_add_test(tcase, every_type_has_its_name_and_default);
        tcase_add_test(tcase, a_key_of_two_columns_is_one_constraint);
        tcase_add_test(tcase, indexes_are_statements_of_their_own);
        tcase_add_test(tcase, a_long_index_name_is_shortened_and_stays_unique);
        tcase_add_test(tcase, a_name_is_shortened_between_characters);
        tcase_add_test(tcase, what_cannot_be_created_is_refused);
        tcase_add_test(tcase, tables_are_dropped);
        tcase_add_test(tcase, flags_of_the_other_function_are_refused);
        tcase_add_test(tcase, without_memory_a_schema_fails);
        suite_add_tcase(suite, tcase);
        return suite;
}
