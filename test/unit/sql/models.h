/*
 * The models that the tests of models, conditions and statements share.
 */
#ifndef TEST_MODELS_H
#define TEST_MODELS_H

#include <pipit/model.h>

#define PAGE_BLOCK(FIELD)                                                                          \
        FIELD(serial, id, .primary_key = true)                                                     \
        FIELD(varchar, key, .max_length = 40, .unique = true)                                      \
        FIELD(text, text, .default_text = "")                                                      \
        FIELD(integer, visits, .index = true)
PIPIT_MODEL(page_block, PAGE_BLOCK);

/* Every type, all of them nullable. */
#define SAMPLE(FIELD)                                                                              \
        FIELD(serial, a_serial, .nullable = true)                                                  \
        FIELD(bigserial, a_bigserial, .nullable = true)                                            \
        FIELD(boolean, a_boolean, .nullable = true, .default_bool = true)                          \
        FIELD(smallint, a_smallint, .nullable = true, .default_int = -7)                           \
        FIELD(integer, an_integer, .nullable = true, .default_int = 70000)                         \
        FIELD(bigint, a_bigint, .nullable = true, .default_int = 1LL << 40)                        \
        FIELD(real, a_real, .nullable = true, .default_double = 0.5)                               \
        FIELD(double_precision, a_double, .nullable = true, .default_double = -1.25)               \
        FIELD(varchar, a_varchar, .nullable = true, .default_text = "it's")                        \
        FIELD(text, a_text, .nullable = true)                                                      \
        FIELD(bytea, a_bytea, .nullable = true)                                                    \
        FIELD(timestamp, a_timestamp, .nullable = true)                                            \
        FIELD(timestamptz, a_timestamptz, .nullable = true, .default_sql = "now()")                \
        FIELD(uuid, a_uuid, .nullable = true)
PIPIT_MODEL(sample, SAMPLE);

/* A key of two columns, names that need quotes, and a table elsewhere. */
#define POINT(FIELD)                                                                               \
        FIELD(integer, x, .primary_key = true)                                                     \
        FIELD(integer, y, .primary_key = true, .column = "why \"so\"")                             \
        FIELD(bytea, label, .default_sql = "'\\x00'", .check = "length(label) < 9")
PIPIT_MODEL(point, POINT);

/* A key that the server makes, and nothing else. */
#define TOKEN(FIELD) FIELD(uuid, id, .primary_key = true, .default_sql = "gen_random_uuid()")
PIPIT_MODEL(token, TOKEN);

/* No key. */
#define EVENT(FIELD) FIELD(text, what)
PIPIT_MODEL(event, EVENT);

#endif
