#include <pipit/error.h>
#include <stdlib.h>
#include <string.h>

#include "models.h"
#include "runner.h"
#include "sql/model.h"

START_TEST(the_object_describes_the_table)
{
        const struct pipit_model *model = &page_block_model.model;

        ck_assert_str_eq(model->name, "page_block");
        ck_assert_int_eq(model->n_fields, 4);
        ck_assert_uint_eq(model->row_size, sizeof(struct page_block));
        ck_assert_ptr_eq(&model->fields[1], &page_block_model.key);
        ck_assert_ptr_eq(page_block_model.key.model, model);
        ck_assert_uint_eq(page_block_model.text.offset, offsetof(struct page_block, text));
        ck_assert_int_eq(page_block_model.key.max_length, 40);
        ck_assert(page_block_model.key.unique);
        ck_assert(!page_block_model.key.nullable);
}
END_TEST

START_TEST(names_differ_where_they_are_said_to)
{
        ck_assert_str_eq(pipit__model_table(&page_block_model.model), "page_block");
        ck_assert_str_eq(pipit__model_table(&point_model.model), "Points");
        ck_assert_str_eq(pipit__field_column(&point_model.x), "x");
        ck_assert_str_eq(pipit__field_column(&point_model.y), "why \"so\"");
}
END_TEST

START_TEST(names_are_quoted_in_sql)
{
        struct sql sql;

        pipit__sql_init(&sql);
        pipit__model_sql(&point_model.model, &sql);
        pipit__sql_raw(&sql, " ");
        pipit__model_columns_sql(&point_model.model, &sql);
        ck_assert_str_eq(pipit__sql_text(&sql),
                         "\"geo\".\"Points\" \"Points\".\"x\", \"Points\".\"why \"\"so\"\"\", "
                         "\"Points\".\"label\"");
        pipit__sql_fini(&sql);
}
END_TEST

START_TEST(init_sets_the_declared_defaults)
{
        struct sample row;

        memset(&row, 0xff, sizeof(row));
        sample_init(&row);
        ck_assert(row.a_boolean);
        ck_assert_int_eq(row.a_smallint, -7);
        ck_assert_int_eq(row.an_integer, 70000);
        ck_assert_int_eq(row.a_bigint, 1LL << 40);
        ck_assert_float_eq(row.a_real, 0.5f);
        ck_assert_double_eq(row.a_double, -1.25);
        ck_assert_str_eq(row.a_varchar, "it's");
        ck_assert_ptr_null(row.a_text);
        ck_assert_int_eq(row.a_serial, 0);
        ck_assert_int_eq(row.a_timestamptz.us, 0);
        ck_assert(!row.null.a_boolean);
        ck_assert(!pipit__model_is_stored(&sample_model.model, &row));
}
END_TEST

START_TEST(init_marks_as_unset_what_the_server_fills_in)
{
        struct sample row;

        sample_init(&row);
        for (int i = 0; i < sample_model.model.n_fields; i++) {
                const struct pipit_field *field = &sample_model.model.fields[i];
                bool unset = field == &sample_model.a_text || field == &sample_model.a_bytea ||
                             field == &sample_model.a_timestamp || field == &sample_model.a_uuid ||
                             field == &sample_model.a_timestamptz;

                ck_assert_int_eq(pipit__field_member(field, &row),
                                 unset ? PIPIT_MEMBER_UNSET : PIPIT_MEMBER_VALUE);
                ck_assert_int_eq(pipit__field_is_unset(field, &row), unset);
        }
        row.a_timestamptz.us = 1;
        ck_assert(!pipit__field_is_unset(&sample_model.a_timestamptz, &row));
        row.null.a_uuid = PIPIT_MEMBER_VALUE;
        ck_assert(!pipit__field_is_unset(&sample_model.a_uuid, &row));
        ck_assert_int_eq(pipit__field_get(&sample_model.a_uuid, &row).kind, PIPIT_KIND_UUID);
}
END_TEST

START_TEST(init_of_nothing_does_nothing)
{
        pipit_record_init(NULL, NULL);
        pipit_record_init(&sample_model.model, NULL);
}
END_TEST

START_TEST(a_stored_row_is_marked)
{
        struct page_block row = {.id = 1};

        ck_assert(!pipit__model_is_stored(&page_block_model.model, &row));
        pipit__model_set_stored(&page_block_model.model, &row);
        ck_assert(pipit__model_is_stored(&page_block_model.model, &row));
        ck_assert_int_eq(row.id, 1);
}
END_TEST

START_TEST(keys_and_defaults_are_known)
{
        ck_assert(pipit__model_has_key(&point_model.model));
        ck_assert(!pipit__model_has_key(&event_model.model));
        ck_assert(pipit__field_is_generated(&page_block_model.id));
        ck_assert(pipit__field_is_generated(&token_model.id));
        ck_assert(!pipit__field_is_generated(&point_model.x));
        ck_assert(!pipit__field_is_generated(&sample_model.a_timestamptz));
        ck_assert(pipit__field_has_default(&page_block_model.text));
        ck_assert(!pipit__field_has_default(&page_block_model.key));
        ck_assert(pipit__field_has_default(&sample_model.a_serial));
}
END_TEST

/* What every type looks like as the server's text, in the order of the fields. */
static const char *const texts[] = {
        "1",
        "-9223372036854775808",
        "t",
        "-32768",
        "2147483647",
        "9223372036854775807",
        "0.5",
        "-1.25",
        "var",
        "text",
        "\\x0102ff",
        "2024-02-29 12:00:00",
        "2024-02-29 12:00:00+01",
        "12345678-9abc-def0-0001-0203040506ff",
};

/* Sets a member from the server's text, as it is done with a result. */
static int
field_set(const struct pipit_field *field, struct sample *row, const char *text)
{
        struct pipit_item item = {.data = text, .length = strlen(text)};

        if (field->type == PIPIT_TYPE_text || field->type == PIPIT_TYPE_varchar)
                pipit__field_set_text(field, row, text);
        else if (field->type == PIPIT_TYPE_bytea)
                pipit__field_set_bytes(field, row, (struct pipit_bytes){text, strlen(text)});
        else
                return pipit__field_read(field, row, &item);
        return 0;
}

START_TEST(every_type_is_read_and_got_again)
{
        const struct pipit_field *field = &sample_model.model.fields[_i];
        struct sample row = {.a_serial = 0};
        struct pipit_value null = pipit_value_null();

        ck_assert(pipit__field_is_zero(field, &row));
        ck_assert_int_eq(field_set(field, &row, texts[_i]), 0);
        ck_assert(!pipit__field_is_zero(field, &row));
        ck_assert_int_ne(pipit__field_get(field, &row).kind, null.kind);
        pipit__field_set_null(field, &row);
        ck_assert(pipit__field_is_zero(field, &row));
        ck_assert_int_eq(pipit__field_get(field, &row).kind, null.kind);
}
END_TEST

START_TEST(values_have_the_kind_of_their_member)
{
        struct sample row = {.a_serial = 7,
                             .a_boolean = true,
                             .a_smallint = -7,
                             .a_real = 1.5f,
                             .a_text = "text",
                             .a_bytea = {"ab", 2},
                             .a_timestamp = {5}};

        ck_assert_int_eq(pipit__field_get(&sample_model.a_serial, &row).as.int_value, 7);
        ck_assert(pipit__field_get(&sample_model.a_boolean, &row).as.bool_value);
        ck_assert_int_eq(pipit__field_get(&sample_model.a_smallint, &row).as.int_value, -7);
        ck_assert_int_eq(pipit__field_get(&sample_model.a_real, &row).kind, PIPIT_KIND_FLOAT);
        ck_assert_str_eq(pipit__field_get(&sample_model.a_text, &row).as.text, "text");
        ck_assert_uint_eq(pipit__field_get(&sample_model.a_bytea, &row).length, 2);
        ck_assert_int_eq(pipit__field_get(&sample_model.a_timestamp, &row).as.timestamp.us, 5);
        ck_assert_int_eq(pipit__field_get(&sample_model.a_varchar, &row).kind, PIPIT_KIND_NULL);
}
END_TEST

/* A copy of a model, to be spoiled: what a later version of pipit might know. */
static struct pipit_field later_fields[4];
static struct pipit_model later;

static void
later_set_up(void)
{
        later = page_block_model.model;
        memcpy(later_fields, later.fields, sizeof later_fields);
        later.fields = later_fields;
        for (int i = 0; i < later.n_fields; i++)
                later_fields[i].model = &later;
}

static void
later_is_refused(const char *text)
{
        struct sql sql;

        pipit__sql_init(&sql);
        pipit__model_sql(&later, &sql);
        ck_assert_str_eq(pipit__sql_error_text(&sql), text);
        ck_assert_int_eq(pipit__sql_error(&sql), *text == '\0' ? 0 : PIPIT_EINVAL);
        pipit__sql_fini(&sql);
}

START_TEST(what_stands_in_reserved_members_is_refused)
{
        later_set_up();
        later_is_refused("");
        later_fields[3].reserved[_i] = &later;
        later_is_refused(
                "the reserved members of field \"visits\" must be NULL: they are for later "
                "versions of pipit");
        later_set_up();
        later.reserved[_i % 16] = &later;
        later_is_refused("the reserved members of model \"page_block\" must be NULL: they are for "
                         "later versions of pipit");
}
END_TEST

START_TEST(a_type_that_is_unknown_is_refused_and_has_no_bytes)
{
        struct page_block row = {.visits = 7};

        later_set_up();
        later_fields[3].type = (enum pipit_type)(PIPIT_TYPE_uuid + 1 + _i);
        later_is_refused(_i == 0 ? "the type 14 of field \"visits\" is unknown"
                                 : "the type 15 of field \"visits\" is unknown");
        ck_assert(pipit__field_is_zero(&later_fields[3], &row));
        pipit__field_set_null(&later_fields[3], &row);
        ck_assert_int_eq(row.visits, 7);
        pipit_record_init(&later, &row);
        ck_assert_int_eq(row.visits, 0);
}
END_TEST

START_TEST(a_field_knows_where_it_is)
{
        ck_assert_ptr_eq(point_model.y.self, &point_model.y);
        ck_assert_ptr_eq(point_model.y.self, &point_model.model.fields[1]);
}
END_TEST

START_TEST(only_the_null_of_the_field_itself_counts)
{
        struct page_block row = {.id = 1, .key = "k", .text = "t", .null = {.text = true}};

        ck_assert_int_eq(pipit__field_get(&page_block_model.key, &row).kind, PIPIT_KIND_TEXT);
        ck_assert_int_eq(pipit__field_get(&page_block_model.text, &row).kind, PIPIT_KIND_NULL);
        ck_assert_int_eq(pipit__field_get(&page_block_model.visits, &row).kind, PIPIT_KIND_INT);
}
END_TEST

START_TEST(empty_bytes_are_not_null)
{
        struct sample row = {.a_serial = 0};

        ck_assert_int_eq(field_set(&sample_model.a_bytea, &row, ""), 0);
        ck_assert_ptr_nonnull(row.a_bytea.data);
        ck_assert_uint_eq(row.a_bytea.length, 0);
        ck_assert_int_eq(pipit__field_get(&sample_model.a_bytea, &row).kind, PIPIT_KIND_BYTES);
}
END_TEST

START_TEST(what_does_not_fit_leaves_the_member_alone)
{
        struct sample row = {.a_smallint = 3, .a_uuid = {{9}}};

        ck_assert_int_eq(field_set(&sample_model.a_smallint, &row, "32768"), PIPIT_ETYPE);
        ck_assert_int_eq(row.a_smallint, 3);
        ck_assert_int_eq(field_set(&sample_model.a_uuid, &row, "x"), PIPIT_ETYPE);
        ck_assert_int_eq(row.a_uuid.bytes[0], 9);
}
END_TEST

START_TEST(text_and_bytes_are_not_read_but_set)
{
        struct sample row = {.a_serial = 0};
        struct pipit_item item = {.data = "x", .length = 1};

        ck_assert_int_eq(pipit__field_read(&sample_model.a_text, &row, &item), PIPIT_ETYPE);
        ck_assert_int_eq(pipit__field_read(&sample_model.a_bytea, &row, &item), PIPIT_ETYPE);
        ck_assert_ptr_null(row.a_text);
        ck_assert_ptr_null(row.a_bytea.data);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("model");
        TCase *tcase = tcase_create("model");

        tcase_add_test(tcase, the_object_describes_the_table);
        tcase_add_test(tcase, names_differ_where_they_are_said_to);
        tcase_add_test(tcase, names_are_quoted_in_sql);
        tcase_add_test(tcase, init_sets_the_declared_defaults);
        tcase_add_test(tcase, init_marks_as_unset_what_the_server_fills_in);
        tcase_add_test(tcase, init_of_nothing_does_nothing);
        tcase_add_test(tcase, a_stored_row_is_marked);
        tcase_add_test(tcase, keys_and_defaults_are_known);
        tcase_add_loop_test(tcase, every_type_is_read_and_got_again, 0, 14);
        tcase_add_test(tcase, values_have_the_kind_of_their_member);
        tcase_add_loop_test(tcase, what_stands_in_reserved_members_is_refused, 0, 24);
        tcase_add_loop_test(tcase, a_type_that_is_unknown_is_refused_and_has_no_bytes, 0, 2);
        tcase_add_test(tcase, a_field_knows_where_it_is);
        tcase_add_test(tcase, only_the_null_of_the_field_itself_counts);
        tcase_add_test(tcase, empty_bytes_are_not_null);
        tcase_add_test(tcase, what_does_not_fit_leaves_the_member_alone);
        tcase_add_test(tcase, text_and_bytes_are_not_read_but_set);
        suite_add_tcase(suite, tcase);
        return suite;
}
