/*
 * The models of the tests of records, and what these share.
 */
#ifndef TEST_RECORDS_H
#define TEST_RECORDS_H

#include "live.h"

/* Defaults of every sort, none of them nullable. */
#define PAGE(FIELD)                                                                                \
        FIELD(serial, id, .primary_key = true)                                                     \
        FIELD(varchar, key, .max_length = 40, .unique = true)                                      \
        FIELD(boolean, shown, .default_bool = true)                                                \
        FIELD(integer, rank, .default_int = 5)                                                     \
        FIELD(double_precision, weight, .default_double = 0.5)                                     \
        FIELD(text, text, .default_text = "empty")                                                 \
        FIELD(bytea, data, .default_sql = "'\\xc0ffee'")                                           \
        FIELD(timestamptz, made, .default_sql = "now()")
PIPIT_MODEL(page, PAGE);
PIPIT_MODEL_DEFINE(page, PAGE);

/* Every type, nullable. */
#define SAMPLE(FIELD)                                                                              \
        FIELD(bigserial, id, .primary_key = true)                                                  \
        FIELD(serial, number, .nullable = true)                                                    \
        FIELD(boolean, a_boolean, .nullable = true)                                                \
        FIELD(smallint, a_smallint, .nullable = true)                                              \
        FIELD(integer, an_integer, .nullable = true)                                               \
        FIELD(bigint, a_bigint, .nullable = true)                                                  \
        FIELD(real, a_real, .nullable = true)                                                      \
        FIELD(double_precision, a_double, .nullable = true)                                        \
        FIELD(varchar, a_varchar, .nullable = true)                                                \
        FIELD(text, a_text, .nullable = true, .default_text = "no")                                \
        FIELD(bytea, a_bytea, .nullable = true)                                                    \
        FIELD(timestamp, a_timestamp, .nullable = true)                                            \
        FIELD(timestamptz, a_timestamptz, .nullable = true)                                        \
        FIELD(uuid, a_uuid, .nullable = true)
PIPIT_MODEL(sample, SAMPLE);
PIPIT_MODEL_DEFINE(sample, SAMPLE);

/* Keys that are not numbers, and none at all. */
#define SETTING(FIELD)                                                                             \
        FIELD(varchar, name, .primary_key = true, .max_length = 20)                                \
        FIELD(text, value)
PIPIT_MODEL(setting, SETTING);
PIPIT_MODEL_DEFINE(setting, SETTING);

#define TOKEN(FIELD)                                                                               \
        FIELD(uuid, id, .primary_key = true, .default_sql = "gen_random_uuid()")                   \
        FIELD(text, owner)
PIPIT_MODEL(token, TOKEN);
PIPIT_MODEL_DEFINE(token, TOKEN);

#define POINT(FIELD)                                                                               \
        FIELD(integer, x, .primary_key = true)                                                     \
        FIELD(integer, y, .primary_key = true)                                                     \
        FIELD(text, label)
PIPIT_MODEL(point, POINT);
PIPIT_MODEL_DEFINE(point, POINT);

#define LINE(FIELD) FIELD(text, what)
PIPIT_MODEL(line, LINE);
PIPIT_MODEL_DEFINE(line, LINE);

/* Of the request that runs; done() waits for it. */
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

static inline void
setup(void)
{
        static const struct pipit_model *const models[] = {
                &page_model.model,  &sample_model.model, &setting_model.model,
                &token_model.model, &point_model.model,  &line_model.model};

        live_schema_setup();
        calls = (struct calls){0};
        for (size_t i = 0; i < sizeof models / sizeof *models; i++)
                expect_ok(done(pipit_record_create_table(live_db, models[i], 0, on_call, &calls)));
}

static inline void
expect_sql(const char *sql, const char *text)
{
        expect_text(query(sql, PIPIT_NO_PARAMS), 0, 0, text);
}

static inline struct sample *
sample_created(const struct sample *row)
{
        struct pipit_result *res = done(sample_create(live_db, row, on_call, &calls));

        expect_ok(res);
        return sample_row(res, 0);
}

#endif
