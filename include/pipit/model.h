/*
 * Models: a table declared once, in C.
 *
 *      #define PAGE_BLOCK(FIELD)                                        \
 *              FIELD(serial,  id,   .primary_key = true)                \
 *              FIELD(varchar, key,  .max_length = 40, .unique = true)   \
 *              FIELD(text,    text, .default_text = "")
 *      PIPIT_MODEL(page_block, PAGE_BLOCK);
 *      PIPIT_MODEL_DEFINE(page_block, PAGE_BLOCK);
 *
 * PIPIT_MODEL() declares: struct page_block with a member for each field, and in its member `null`
 * a bool for each that says whether it is NULL; the object page_block_model with the model and its
 * fields; and the functions page_block_create() and so on, which record.h documents.
 * It may stand in a header. PIPIT_MODEL_DEFINE() defines the object, in one file. After the list
 * that may take .table and .schema for a table that is named differently:
 *
 *      PIPIT_MODEL_DEFINE(page_block, PAGE_BLOCK, .table = "blocks", .schema = "app");
 *
 * The types, and what they are in C:
 *
 *      serial, integer      int32_t              real              float
 *      bigserial, bigint    int64_t              double_precision  double
 *      smallint             int16_t              bytea             struct pipit_bytes
 *      boolean              bool                 uuid              struct pipit_uuid
 *      varchar, text        const char *         timestamp,        struct pipit_timestamp
 *                                                timestamptz
 *
 * A field's name must not be `null` or `model`; a column of that name gets another with .column.
 * The macros are for C; from C++ the functions of record.h are called.
 */
#ifndef PIPIT_MODEL_H
#define PIPIT_MODEL_H

#include <pipit/expr.h>
#include <pipit/record.h>
#include <pipit/value.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The type of a column. */
enum pipit_type {
        PIPIT_TYPE_serial,
        PIPIT_TYPE_bigserial,
        PIPIT_TYPE_boolean,
        PIPIT_TYPE_smallint,
        PIPIT_TYPE_integer,
        PIPIT_TYPE_bigint,
        PIPIT_TYPE_real,
        PIPIT_TYPE_double_precision,
        PIPIT_TYPE_varchar,
        PIPIT_TYPE_text,
        PIPIT_TYPE_bytea,
        PIPIT_TYPE_timestamp,
        PIPIT_TYPE_timestamptz,
        PIPIT_TYPE_uuid
};

/**
 * A column. Constant and static; the first group is filled in by PIPIT_MODEL_DEFINE(), the second
 * holds the options. A default that is 0, false or NULL is none: .default_sql = "0" declares one.
 * .default_sql and .check become SQL text as they stand: nothing that comes from outside belongs
 * there.
 */
struct pipit_field {
        const struct pipit_model *model; /**< whose column it is */
        const char *name;                /**< of the member */
        enum pipit_type type;            /**< decides the member's type in C, too */
        size_t offset;                   /**< of the member in the row struct, in bytes */

        const char *column;       /**< the column's name; NULL when it is the member's */
        bool primary_key;         /**< several fields may be, then they are the key together */
        bool unique;              /**< a constraint of this field alone */
        bool index;               /**< an index of its own */
        bool nullable;            /**< fields are NOT NULL unless this says otherwise */
        int max_length;           /**< of a varchar, in characters; 0 for no limit */
        int64_t default_int;      /**< of smallint, integer and bigint */
        double default_double;    /**< of real and double_precision */
        const char *default_text; /**< of varchar and text; UTF-8 */
        bool default_bool;        /**< of boolean */
        const char *default_sql;  /**< an SQL expression that the server evaluates, as "now()" */
        const char *check;        /**< an SQL condition that rows must fulfil, as "price > 0" */
};

/** A table. Constant and static; its address is its identity. */
struct pipit_model {
        const char *name;                 /**< of the row struct */
        const struct pipit_field *fields; /**< n_fields of them, in the order of the list */
        int n_fields;                     /**< at least 1 */
        size_t row_size;                  /**< of the row struct, in bytes */
        size_t null_offset;               /**< of its bools in `null`, one a field */
        size_t stored_offset; /**< of the bool that says that it came from the database */

        const char *table;  /**< the table's name; NULL when it is the row struct's */
        const char *schema; /**< where it is; NULL to go by the search path */
};

#ifndef __cplusplus

#if defined(__GNUC__)
#define PIPIT_MODEL_INLINE_ static inline __attribute__((unused))
#else
#define PIPIT_MODEL_INLINE_ static inline
#endif

/** Declares a model; see the top of this file. */
#define PIPIT_MODEL(name, LIST)                                                                    \
        struct name {                                                                              \
                LIST(PIPIT_MODEL_MEMBER_)                                                          \
                struct {                                                                           \
                        LIST(PIPIT_MODEL_NULL_)                                                    \
                } null;                                                                            \
                bool pipit_stored_;                                                                \
        };                                                                                         \
        struct name##_model {                                                                      \
                struct pipit_model model;                                                          \
                union {                                                                            \
                        struct {                                                                   \
                                LIST(PIPIT_MODEL_COLUMN_)                                          \
                        };                                                                         \
                        struct pipit_field pipit_fields_[0 LIST(PIPIT_MODEL_ONE_)];                \
                };                                                                                 \
        };                                                                                         \
        extern const struct name##_model name##_model;                                             \
        PIPIT_MODEL_VALUE_FUNCTIONS_(name)                                                         \
        PIPIT_MODEL_WRITE_FUNCTION_(name, create)                                                  \
        PIPIT_MODEL_WRITE_FUNCTION_(name, save)                                                    \
        PIPIT_MODEL_WRITE_FUNCTION_(name, insert)                                                  \
        PIPIT_MODEL_WRITE_FUNCTION_(name, update)                                                  \
        PIPIT_MODEL_WRITE_FUNCTION_(name, delete)                                                  \
        PIPIT_MODEL_READ_FUNCTION_(name, get)                                                      \
        PIPIT_MODEL_READ_FUNCTION_(name, get_or_none)                                              \
        PIPIT_MODEL_TABLE_FUNCTION_(name, create_table)                                            \
        PIPIT_MODEL_TABLE_FUNCTION_(name, drop_table)                                              \
        extern const struct name##_model name##_model

/** Defines a model's object; see the top of this file. */
#define PIPIT_MODEL_DEFINE(...) PIPIT_MODEL_DEFINE_(__VA_ARGS__, )

/*
 * LIST is called with more than the name of a macro: PIPIT_FIELD_OF_() brings the model's name in
 * and leaves an expression open, which PIPIT_FIELD_ goes on with when it meets type and name. That
 * is why the built-in stands there instead of offsetof(), a macro, which cannot be left open.
 */
#define PIPIT_MODEL_DEFINE_(row, LIST, ...)                                                        \
        _Static_assert(sizeof(((struct row *)0)->null) ==                                          \
                               sizeof(bool) * (0 LIST(PIPIT_MODEL_ONE_)),                          \
                       "one bool a field");                                                        \
        const struct row##_model row##_model = {                                                   \
                .model = {.name = #row,                                                            \
                          .fields = row##_model.pipit_fields_,                                     \
                          .n_fields = 0 LIST(PIPIT_MODEL_ONE_),                                    \
                          .row_size = sizeof(struct row),                                          \
                          .null_offset = offsetof(struct row, null),                               \
                          .stored_offset = offsetof(struct row, pipit_stored_),                    \
                          __VA_ARGS__},                                                            \
                .pipit_fields_ = {LIST(PIPIT_FIELD_OF_(row) PIPIT_FIELD_)}}

/* clang-format off */
#define PIPIT_FIELD_OF_(row)                                                                       \
        {.model = &row##_model.model, .offset = __builtin_offsetof(struct row,
#define PIPIT_FIELD_(...) PIPIT_FIELD_REST_(__VA_ARGS__, )
#define PIPIT_FIELD_REST_(type_name, field, ...)                                                   \
        field), .name = #field, .type = PIPIT_TYPE_##type_name, __VA_ARGS__},
/* clang-format on */

/* What a list's FIELD() stands for in the row struct and in the struct of the model. */
#define PIPIT_MODEL_MEMBER_(...)               PIPIT_MODEL_MEMBER2_(__VA_ARGS__, )
#define PIPIT_MODEL_MEMBER2_(type, field, ...) PIPIT_C_##type field;
#define PIPIT_MODEL_NULL_(...)                 PIPIT_MODEL_NULL2_(__VA_ARGS__, )
#define PIPIT_MODEL_NULL2_(type, field, ...)   bool field;
#define PIPIT_MODEL_COLUMN_(...)               PIPIT_MODEL_COLUMN2_(__VA_ARGS__, )
#define PIPIT_MODEL_COLUMN2_(type, field, ...) struct pipit_field field;
#define PIPIT_MODEL_ONE_(...)                  +1

#define PIPIT_C_serial           int32_t
#define PIPIT_C_bigserial        int64_t
#define PIPIT_C_boolean          bool
#define PIPIT_C_smallint         int16_t
#define PIPIT_C_integer          int32_t
#define PIPIT_C_bigint           int64_t
#define PIPIT_C_real             float
#define PIPIT_C_double_precision double
#define PIPIT_C_varchar          const char *
#define PIPIT_C_text             const char *
#define PIPIT_C_bytea            struct pipit_bytes
#define PIPIT_C_timestamp        struct pipit_timestamp
#define PIPIT_C_timestamptz      struct pipit_timestamp
#define PIPIT_C_uuid             struct pipit_uuid

/* The typed functions: pipit_record_*() for one model. */
#define PIPIT_MODEL_VALUE_FUNCTIONS_(name)                                                         \
        PIPIT_MODEL_INLINE_ void name##_init(struct name *row)                                     \
        {                                                                                          \
                pipit_record_init(&name##_model.model, row);                                       \
        }                                                                                          \
        PIPIT_MODEL_INLINE_ struct name *name##_row(struct pipit_result *res, int row)             \
        {                                                                                          \
                return (struct name *)pipit_record_row(res, &name##_model.model, row);             \
        }
#define PIPIT_MODEL_WRITE_FUNCTION_(name, verb)                                                    \
        PIPIT_MODEL_INLINE_ pipit_request name##_##verb(                                           \
                struct pipit *scope, const struct name *row, pipit_cb cb, void *arg)               \
        {                                                                                          \
                return pipit_record_##verb(scope, &name##_model.model, row, cb, arg);              \
        }
#define PIPIT_MODEL_READ_FUNCTION_(name, verb)                                                     \
        PIPIT_MODEL_INLINE_ pipit_request name##_##verb(                                           \
                struct pipit *scope, const struct pipit_expr *where, pipit_cb cb, void *arg)       \
        {                                                                                          \
                return pipit_record_##verb(scope, &name##_model.model, where, cb, arg);            \
        }
#define PIPIT_MODEL_TABLE_FUNCTION_(name, verb)                                                    \
        PIPIT_MODEL_INLINE_ pipit_request name##_##verb(struct pipit *scope, unsigned flags,       \
                                                        pipit_cb cb, void *arg)                    \
        {                                                                                          \
                return pipit_record_##verb(scope, &name##_model.model, flags, cb, arg);            \
        }

#endif

#ifdef __cplusplus
}
#endif

#endif
