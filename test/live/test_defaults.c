/*
 * What a write makes of members that were set, or not: with pipit_record_init() or without, with 0
 * or something else, for every type, by every call that writes.
 */
#include "batches.h"

#define NOW     "timestamptz '2001-02-03 04:05:06+00'"
#define NOW_UTC NOW " AT TIME ZONE 'UTC'"
#define UUID    "'00010203-0405-0607-0809-0a0b0c0d0e0f'"

/* Four fields of each type: with nothing, nullable, with a default of the server's, with both. */
#define CROSSED(FIELD)                                                                             \
        FIELD(serial, id, .primary_key = true)                                                     \
        FIELD(boolean, a_boolean)                                                                  \
        FIELD(boolean, a_boolean_null, .nullable = true)                                           \
        FIELD(boolean, a_boolean_sql, .default_sql = "true")                                       \
        FIELD(boolean, a_boolean_both, .nullable = true, .default_sql = "true")                    \
        FIELD(smallint, a_smallint)                                                                \
        FIELD(smallint, a_smallint_null, .nullable = true)                                         \
        FIELD(smallint, a_smallint_sql, .default_sql = "11")                                       \
        FIELD(smallint, a_smallint_both, .nullable = true, .default_sql = "11")                    \
        FIELD(integer, an_integer)                                                                 \
        FIELD(integer, an_integer_null, .nullable = true)                                          \
        FIELD(integer, an_integer_sql, .default_sql = "5 + 7")                                     \
        FIELD(integer, an_integer_both, .nullable = true, .default_sql = "5 + 7")                  \
        FIELD(bigint, a_bigint)                                                                    \
        FIELD(bigint, a_bigint_null, .nullable = true)                                             \
        FIELD(bigint, a_bigint_sql, .default_sql = "13")                                           \
        FIELD(bigint, a_bigint_both, .nullable = true, .default_sql = "13")                        \
        FIELD(real, a_real)                                                                        \
        FIELD(real, a_real_null, .nullable = true)                                                 \
        FIELD(real, a_real_sql, .default_sql = "0.5")                                              \
        FIELD(real, a_real_both, .nullable = true, .default_sql = "0.5")                           \
        FIELD(double_precision, a_double)                                                          \
        FIELD(double_precision, a_double_null, .nullable = true)                                   \
        FIELD(double_precision, a_double_sql, .default_sql = "-0.25")                              \
        FIELD(double_precision, a_double_both, .nullable = true, .default_sql = "-0.25")           \
        FIELD(varchar, a_varchar)                                                                  \
        FIELD(varchar, a_varchar_null, .nullable = true)                                           \
        FIELD(varchar, a_varchar_sql, .default_sql = "lower('ABC')")                               \
        FIELD(varchar, a_varchar_both, .nullable = true, .default_sql = "lower('ABC')")            \
        FIELD(text, a_text)                                                                        \
        FIELD(text, a_text_null, .nullable = true)                                                 \
        FIELD(text, a_text_sql, .default_sql = "'it''s'")                                          \
        FIELD(text, a_text_both, .nullable = true, .default_sql = "'it''s'")                       \
        FIELD(bytea, a_bytea)                                                                      \
        FIELD(bytea, a_bytea_null, .nullable = true)                                               \
        FIELD(bytea, a_bytea_sql, .default_sql = "'\\x0102'")                                      \
        FIELD(bytea, a_bytea_both, .nullable = true, .default_sql = "'\\x0102'")                   \
        FIELD(timestamp, a_timestamp)                                                              \
        FIELD(timestamp, a_timestamp_null, .nullable = true)                                       \
        FIELD(timestamp, a_timestamp_sql, .default_sql = NOW_UTC)                                  \
        FIELD(timestamp, a_timestamp_both, .nullable = true, .default_sql = NOW_UTC)               \
        FIELD(timestamptz, a_timestamptz)                                                          \
        FIELD(timestamptz, a_timestamptz_null, .nullable = true)                                   \
        FIELD(timestamptz, a_timestamptz_sql, .default_sql = NOW)                                  \
        FIELD(timestamptz, a_timestamptz_both, .nullable = true, .default_sql = NOW)               \
        FIELD(uuid, a_uuid)                                                                        \
        FIELD(uuid, a_uuid_null, .nullable = true)                                                 \
        FIELD(uuid, a_uuid_sql, .default_sql = UUID)                                               \
        FIELD(uuid, a_uuid_both, .nullable = true, .default_sql = UUID)
PIPIT_MODEL(crossed, CROSSED);
PIPIT_MODEL_DEFINE(crossed, CROSSED);

enum column { PLAIN, NULLABLE, SQL, BOTH, N_COLUMNS };

/* What the program does to each member. */
enum deed {
        LEFT,    /* nothing */
        ZEROED,  /* 0, and the byte says that 0 is meant */
        GIVEN,   /* a value, and nothing to the byte */
        NULLED,  /* the byte says NULL, the member is something else */
        REMARKED /* a value that becomes all zero bytes, the byte says unset */
};
#define N_DEEDS 5

/* How a row comes into the table. */
enum way { CREATE, INSERT, SAVE, IN_TRANSACTION, UPDATE };
#define N_WAYS 5

/* A case of the table. */
struct cell {
        enum way way;
        enum deed deed;
        bool init; /* whether the row was made with pipit_record_init() */
};
#define N_CELLS (N_WAYS * N_DEEDS * 2)

/* In the order of the types: what is given, and how the server says that, 0 and the default. */
static const struct type {
        struct pipit_bytes given;
        const char *given_text;
        const char *zero_text; /* NULL: a pointer, whose 0 is NULL */
        const char *default_text;
} types[] = {
        {{&(bool){true}, sizeof(bool)}, "true", "false", "true"},
        {{&(int16_t){-3}, 2}, "-3", "0", "11"},
        {{&(int32_t){70000}, 4}, "70000", "0", "12"},
        {{&(int64_t){INT64_MIN}, 8}, "-9223372036854775808", "0", "13"},
        {{&(float){-0.0F}, 4}, "-0", "0", "0.5"},
        {{&(double){1e100}, 8}, "1e+100", "0", "-0.25"},
        {{&(const char *){""}, sizeof(char *)}, "", NULL, "abc"},
        {{&(const char *){"x"}, sizeof(char *)}, "x", NULL, "it's"},
        {{&(struct pipit_bytes){"", 0}, sizeof(struct pipit_bytes)}, "\\x", NULL, "\\x0102"},
        {{&(struct pipit_timestamp){1}, 8},
         "1970-01-01 00:00:00.000001",
         "1970-01-01 00:00:00",
         "2001-02-03 04:05:06"},
        {{&(struct pipit_timestamp){-1}, 8},
         "1969-12-31 23:59:59.999999+00",
         "1970-01-01 00:00:00+00",
         "2001-02-03 04:05:06+00"},
        {{&(struct pipit_uuid){{[15] = 1}}, 16},
         "00000000-0000-0000-0000-000000000001",
         "00000000-0000-0000-0000-000000000000",
         "00010203-0405-0607-0809-0a0b0c0d0e0f"},
};
#define N_TYPES ((int)(sizeof types / sizeof *types))

static const struct pipit_field *
field_of(int type, enum column column)
{
        return &crossed_model.model.fields[1 + type * N_COLUMNS + (int)column];
}

static unsigned char *
byte_of(struct crossed *row, const struct pipit_field *field)
{
        return (unsigned char *)&row->null + (field - crossed_model.model.fields);
}

/* Whether the member is unset, by pipit_record_init() or by hand. */
static bool
is_unset(struct cell cell, enum column column)
{
        return column != PLAIN && (cell.deed == REMARKED || (cell.deed == LEFT && cell.init));
}

/* Whether the server would have to refuse the deed: a NULL in a column that has none. */
static bool
is_violation(struct cell cell, const struct type *type, enum column column)
{
        bool is_null = cell.deed == NULLED || (type->zero_text == NULL && cell.deed != GIVEN &&
                                               (cell.deed != REMARKED || column != PLAIN));

        if (column == NULLABLE || column == BOTH || !is_null || is_unset(cell, column))
                return false;
        /* An insert without init leaves a NULL pointer to the server. */
        return cell.deed == NULLED || column == PLAIN || cell.way == UPDATE;
}

/* Does the deed to a member, or gives it a value where the server would have to refuse that. */
static void
member_do(struct crossed *row, struct cell cell, int type, enum column column)
{
        const struct pipit_field *field = field_of(type, column);
        char *member = (char *)row + field->offset;
        bool spared = is_violation(cell, &types[type], column);

        if (cell.deed == GIVEN || cell.deed == NULLED || cell.deed == REMARKED || spared)
                memcpy(member, types[type].given.data, types[type].given.length);
        if (spared)
                return;
        if (cell.deed == NULLED)
                *byte_of(row, field) = PIPIT_MEMBER_NULL;
        if (cell.deed == ZEROED)
                *byte_of(row, field) = PIPIT_MEMBER_VALUE;
        if (cell.deed == REMARKED && column != PLAIN) {
                memset(member, 0, types[type].given.length);
                *byte_of(row, field) = PIPIT_MEMBER_UNSET;
        }
}

static struct crossed
row_of(struct cell cell)
{
        struct crossed row = {0};

        if (cell.init)
                crossed_init(&row);
        for (int type = 0; type < N_TYPES; type++) {
                for (int column = 0; column < N_COLUMNS; column++)
                        member_do(&row, cell, type, (enum column)column);
        }
        return row;
}

/* What the table must say then; NULL for NULL. */
static const char *
expected(struct cell cell, const struct type *type, enum column column)
{
        bool given = cell.deed == GIVEN || (cell.deed == REMARKED && column == PLAIN);

        if (given || is_violation(cell, type, column))
                return type->given_text;
        if (cell.deed == NULLED)
                return NULL;
        if (is_unset(cell, column))
                return column == NULLABLE ? NULL : type->default_text;
        if (type->zero_text == NULL && column == SQL)
                return type->default_text;
        return type->zero_text;
}

/* Returns the table's row as text, every column but the id. */
static struct pipit_result *
texts_of(int32_t id)
{
        static char sql[8000];
        int n = snprintf(sql, sizeof sql, "SELECT");

        for (int i = 1; i < crossed_model.model.n_fields; i++)
                n += snprintf(sql + n, sizeof sql - (size_t)n, "%s %s::text", i > 1 ? "," : "",
                              crossed_model.model.fields[i].name);
        snprintf(sql + n, sizeof sql - (size_t)n, " FROM crossed WHERE id = $1");
        return query(sql, PIPIT_PARAMS(id));
}

static void
expect_row(int32_t id, struct cell cell)
{
        struct pipit_result *res = texts_of(id);

        expect_ok(res);
        ck_assert_int_eq(pipit_result_rows(res), 1);
        for (int i = 0; i < N_TYPES * N_COLUMNS; i++) {
                enum column column = (enum column)(i % N_COLUMNS);
                const char *right = expected(cell, &types[i / N_COLUMNS], column);
                const char *text = pipit_result_text(res, 0, i);

                if (right == NULL ? text != NULL : text == NULL || strcmp(text, right) != 0)
                        ck_abort_msg("%s: got %s, right is %s (way %d, deed %d, init %d)",
                                     field_of(i / N_COLUMNS, column)->name,
                                     text != NULL ? text : "NULL", right != NULL ? right : "NULL",
                                     (int)cell.way, (int)cell.deed, cell.init);
        }
}

static struct pipit_result *
written(pipit_request request)
{
        struct pipit_result *res = done(request);

        expect_ok(res);
        ck_assert_ptr_nonnull(crossed_row(res, 0));
        return res;
}

static struct pipit_result *
created_in_transaction(const struct crossed *row)
{
        struct pipit *tx = pipit_begin(live_db, NULL);
        struct pipit_result *res = written(crossed_create(tx, row, on_call, &calls));

        expect_ok(done(pipit_commit(tx, on_call, &calls)));
        return res;
}

/* Updates a row in which every field has a value of its own. */
static struct pipit_result *
updated(struct crossed *row)
{
        struct crossed first = row_of((struct cell){CREATE, GIVEN, false});
        struct pipit_result *res = written(crossed_create(live_db, &first, on_call, &calls));

        row->id = crossed_row(res, 0)->id;
        return written(crossed_update(live_db, row, on_call, &calls));
}

static struct pipit_result *
row_write(struct crossed *row, enum way way)
{
        switch (way) {
        case CREATE: return written(crossed_create(live_db, row, on_call, &calls));
        case INSERT: return written(crossed_insert(live_db, row, on_call, &calls));
        case SAVE: return written(crossed_save(live_db, row, on_call, &calls));
        case IN_TRANSACTION: return created_in_transaction(row);
        case UPDATE: return updated(row);
        }
        return NULL;
}

static struct cell
cell_of(int i)
{
        return (struct cell){(enum way)(i / 2 % N_WAYS), (enum deed)(i / 2 / N_WAYS), i % 2 == 1};
}

START_TEST(every_write_goes_by_the_member_and_its_byte)
{
        struct cell cell = cell_of(_i);
        struct crossed row = row_of(cell);
        struct crossed before = row;

        expect_row(crossed_row(row_write(&row, cell.way), 0)->id, cell);
        before.id = row.id;
        ck_assert_mem_eq(&row.null, &before.null, sizeof row.null);
}
END_TEST

/* Starts a batch of all sorts of rows. */
static void
start_all_sorts(void)
{
        batch_begin();
        for (int i = 0; i < BATCH; i++) {
                struct crossed row =
                        row_of((struct cell){CREATE, (enum deed)(i / 2 % N_DEEDS), i % 2 == 1});
                joined(crossed_create(live_db, &row, on_member, next_member()));
        }
        batch_end();
}

START_TEST(rows_that_are_created_together_may_differ_in_what_is_unset)
{
        int64_t n_rounds = 0;

        while (n_rounds < 300 && n_statements("crossed") == BATCH * n_rounds) {
                if (n_rounds % 50 == 0)
                        reopen_with((struct pipit_options){.max_connections = 1});
                pipit_set_group_writes(live_db, true);
                start_all_sorts();
                n_rounds++;
        }
        ck_assert_int_lt(n_statements("crossed"), BATCH * n_rounds);
        for (int i = 0; i < n_members; i++) {
                struct cell cell = {CREATE, (enum deed)(i / 2 % N_DEEDS), i % 2 == 1};
                expect_ok(members[i].last);
                expect_row(crossed_row(members[i].last, 0)->id, cell);
        }
}
END_TEST

START_TEST(nothing_is_unset_in_a_row_that_came_from_the_database)
{
        struct crossed row = row_of((struct cell){CREATE, NULLED, true});
        struct crossed *got =
                crossed_row(written(crossed_create(live_db, &row, on_call, &calls)), 0);

        for (int i = 0; i < crossed_model.model.n_fields; i++)
                ck_assert_int_eq(*byte_of(got, &crossed_model.model.fields[i]),
                                 i % N_COLUMNS == 2 || (i > 0 && i % N_COLUMNS == 0)
                                         ? PIPIT_MEMBER_NULL
                                         : PIPIT_MEMBER_VALUE);
        written(crossed_save(live_db, got, on_call, &calls));
        expect_row(got->id, (struct cell){UPDATE, NULLED, true});
}
END_TEST

START_TEST(a_save_sets_what_was_marked_as_unset_to_the_default)
{
        struct crossed row = row_of((struct cell){CREATE, GIVEN, true});
        struct crossed *got =
                crossed_row(written(crossed_create(live_db, &row, on_call, &calls)), 0);

        got->a_uuid_both = (struct pipit_uuid){{0}};
        got->null.a_uuid_both = PIPIT_MEMBER_UNSET;
        got->null.a_bigint_sql = PIPIT_MEMBER_UNSET;
        written(crossed_save(live_db, got, on_call, &calls));
        expect_sql("SELECT a_uuid_both::text || ' ' || a_bigint_sql FROM crossed",
                   "00010203-0405-0607-0809-0a0b0c0d0e0f -9223372036854775808");
}
END_TEST

START_TEST(a_default_that_only_the_table_knows_takes_effect_when_unset)
{
        struct crossed row;

        execute("ALTER TABLE crossed ALTER an_integer_null SET DEFAULT 44");
        crossed_init(&row);
        row.a_varchar = row.a_text = "";
        row.a_bytea = (struct pipit_bytes){"", 0};
        struct pipit_result *res = written(crossed_create(live_db, &row, on_call, &calls));
        ck_assert_int_eq(crossed_row(res, 0)->an_integer_null, 44);
        row.null.an_integer_null = PIPIT_MEMBER_NULL;
        res = written(crossed_create(live_db, &row, on_call, &calls));
        ck_assert_int_eq(crossed_row(res, 0)->null.an_integer_null, PIPIT_MEMBER_NULL);
}
END_TEST

START_TEST(a_key_of_zero_is_made_by_the_server_whatever_its_byte_says)
{
        struct token row = {.owner = "me", .null.id = (unsigned char)_i};

        expect_ok(done(token_create(live_db, &row, on_call, &calls)));
        row.id.bytes[0] = 1;
        struct pipit_result *res = done(token_create(live_db, &row, on_call, &calls));
        if (_i == PIPIT_MEMBER_NULL)
                expect_error(res, PIPIT_ESERVER, "23502");
        else
                ck_assert_mem_eq(&token_row(res, 0)->id, &row.id, sizeof row.id);
}
END_TEST

START_TEST(a_byte_that_says_nothing_known_is_refused)
{
        struct token row = {.id = {{1}}, .owner = "me", .null.owner = 3};

        pipit_set_group_writes(live_db, _i == 1);
        for (int i = 0; i < 2; i++) {
                struct pipit_result *res = done(token_create(live_db, &row, on_call, &calls));
                expect_error(res, PIPIT_EINVAL, "");
                ck_assert_ptr_nonnull(strstr(pipit_error_text(res), "null.owner of a row"));
        }
        expect_error(done(token_update(live_db, &row, on_call, &calls)), PIPIT_EINVAL, "");
        row.null.owner = PIPIT_MEMBER_VALUE;
        row.null.id = 0xff;
        expect_error(done(token_delete(live_db, &row, on_call, &calls)), PIPIT_EINVAL, "");
        expect_sql("SELECT count(*) FROM token", "0");
}
END_TEST

static void
crossed_setup(void)
{
        setup();
        expect_ok(done(crossed_create_table(live_db, 0, on_call, &calls)));
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("defaults");
        TCase *tcase = tcase_create("defaults");

        tcase_add_checked_fixture(tcase, crossed_setup, batch_teardown);
        tcase_add_loop_test(tcase, every_write_goes_by_the_member_and_its_byte, 0, N_CELLS);
        tcase_add_test(tcase, rows_that_are_created_together_may_differ_in_what_is_unset);
        tcase_add_test(tcase, nothing_is_unset_in_a_row_that_came_from_the_database);
        tcase_add_test(tcase, a_save_sets_what_was_marked_as_unset_to_the_default);
        tcase_add_test(tcase, a_default_that_only_the_table_knows_takes_effect_when_unset);
        tcase_add_loop_test(tcase, a_key_of_zero_is_made_by_the_server_whatever_its_byte_says, 0,
                            3);
        tcase_add_loop_test(tcase, a_byte_that_says_nothing_known_is_refused, 0, 2);
        suite_add_tcase(suite, tcase);
        return suite;
}
