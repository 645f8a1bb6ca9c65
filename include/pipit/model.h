/*
 * Models
 *
 * A model declares a table once, as a C list. The row struct, the model and its typed functions
 * come from the list:
 *
 *      #define PAGE_BLOCK(FIELD)                                        \
 *              FIELD(serial,  id,   .primary_key = true)                \
 *              FIELD(varchar, key,  .max_length = 40, .unique = true)   \
 *              FIELD(text,    text, .default_text = "")
 *      PIPIT_MODEL(page_block, PAGE_BLOCK);
 *      PIPIT_MODEL_DEFINE(page_block, PAGE_BLOCK);
 *
 * PIPIT_MODEL() declares three things, and may stand in a header. The first is struct page_block
 * with a member for each field, and in its member `null` a byte for each field, which is one of
 * enum pipit_member: a value, NULL, or not set yet. The second is the object page_block_model with
 * the model and its fields. The third are the functions page_block_create() and so on, which
 * record.h documents.
 *
 * PIPIT_MODEL_DEFINE() defines the object, in one file. After the list it takes .table and .schema,
 * for a table that has another name than the row struct:
 *
 *      PIPIT_MODEL_DEFINE(page_block, PAGE_BLOCK, .table = "blocks", .schema = "app");
 *
 * A field has one of these types of PostgreSQL, and its member this type of C:
 *
 *      serial, integer      int32_t              real              float
 *      bigserial, bigint    int64_t              double_precision  double
 *      smallint             int16_t              bytea             struct pipit_bytes
 *      boolean              bool                 uuid              struct pipit_uuid
 *      varchar, text        const char *         timestamp,        struct pipit_timestamp
 *                                                timestamptz
 *
 * A field's name must not be `null` or `model`: give a column of that name another member, and name
 * the column with .column. The macros are for C; a C++ program calls the functions of record.h.
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

/** The type of a column, by its name in PostgreSQL. */
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

/** Each byte in `null` says one of these of the member with its name. Any other number is refused
 * with PIPIT_EINVAL. */
enum pipit_member {
        PIPIT_MEMBER_VALUE = 0, /**< the member is a value, 0 included; a NULL pointer is NULL */
        PIPIT_MEMBER_NULL = 1,  /**< the field is NULL, whatever the member is */
        PIPIT_MEMBER_UNSET = 2  /**< while the member has only zero bytes, the server's default is
                                   wanted; any other member is a value */
};

/**
 * A field: one column of a model. A field is constant and static, and its strings are borrowed for
 * good. PIPIT_MODEL_DEFINE() fills the first group of members in; the second group are the options
 * of FIELD(). A default of 0, false or NULL counts as none: .default_sql = "0" declares one of
 * these. .default_sql and .check become SQL text as they stand, so nothing that comes from outside
 * the program belongs there. The size of a field never changes, because fields stand in arrays of
 * programs; later versions give reserved members a meaning.
 */
struct pipit_field {
        const struct pipit_field *self;  /**< the field itself: a copy finds its way back by it */
        const struct pipit_model *model; /**< model that the field belongs to */
        const char *name;                /**< name of the member */
        enum pipit_type type;            /**< type of the column and of the member */
        size_t offset;                   /**< place of the member in the row struct, in bytes */

        const char *column;       /**< name of the column; NULL: the member's */
        bool primary_key;         /**< in the primary key; several fields make it together */
        bool unique;              /**< with a UNIQUE constraint of its own */
        bool index;               /**< with an index of its own */
        bool nullable;            /**< may be NULL; without this the column is NOT NULL */
        int max_length;           /**< limit of a varchar, in characters; 0 for none */
        int64_t default_int;      /**< default of smallint, integer, bigint */
        double default_double;    /**< default of real, double_precision */
        const char *default_text; /**< default of varchar, text; UTF-8 */
        bool default_bool;        /**< default of boolean */
        const char *default_sql;  /**< default as SQL, as "now()"; the server evaluates it */
        const char *check;        /**< SQL condition that rows must fulfil, as "price > 0" */
        void *reserved[24];       /**< reserved; NULL, else PIPIT_EINVAL */
};

/** A model: one table. A model is constant and static, and its address is its identity. Its size
 * never changes; later versions give reserved members a meaning. */
struct pipit_model {
        const char *name;                 /**< name of the row struct */
        const struct pipit_field *fields; /**< n_fields of them, as listed; borrowed for good */
        int n_fields;                     /**< number of fields, at least 1 */
        size_t row_size;                  /**< size of the row struct, in bytes */
        size_t null_offset;   /**< place of the bytes in `null`, one for each field, in bytes */
        size_t stored_offset; /**< place of the bool that says that the row came from the database,
                                 in bytes */

        const char *table;  /**< name of the table; NULL: the row struct's */
        const char *schema; /**< schema of the table; NULL: found by the search path */
        void *reserved[16]; /**< reserved; NULL, else PIPIT_EINVAL */
};

/* The node of a field that was passed by value. */
static inline struct pipit_expr
pipit_expr_by_value_(struct pipit_field field)
{
        return pipit_expr_field(field.self);
}

#ifndef __cplusplus

#if defined(__GNUC__)
#define PIPIT_MODEL_INLINE_ static inline __attribute__((unused))
#else
#define PIPIT_MODEL_INLINE_ static inline
#endif

/**
 * Declares a model: the row struct, the model's object and the typed functions. The head of model.h
 * has an example.
 *
 * @param name  name of the row struct
 * @param LIST  the macro that lists the fields
 */
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

/**
 * Defines the object of a model, in one file of the program. The arguments are those of
 * PIPIT_MODEL(); after them .table and .schema may stand. The head of model.h has an example.
 */
#define PIPIT_MODEL_DEFINE(...) PIPIT_MODEL_DEFINE_(__VA_ARGS__, )

/*
 * LIST is called with more than the name of a macro, so that each FIELD() of it becomes a call of
 * PIPIT_FIELD_DEFINE_() with the model's name in front of what the list gives: PIPIT_FIELD_OF_()
 * opens that call, PIPIT_FIELD_() closes it. The call must not be read before it is closed, so its
 * name is kept apart from its parenthesis until PIPIT_READ_AGAIN_() reads the whole.
 */
#define PIPIT_MODEL_DEFINE_(row, LIST, ...)                                                        \
        _Static_assert(sizeof(((struct row *)0)->null) == 0 LIST(PIPIT_MODEL_ONE_),                \
                       "one byte a field");                                                        \
        const struct row##_model row##_model = {                                                   \
                .model = {.name = #row,                                                            \
                          .fields = row##_model.pipit_fields_,                                     \
                          .n_fields = 0 LIST(PIPIT_MODEL_ONE_),                                    \
                          .row_size = sizeof(struct row),                                          \
                          .null_offset = offsetof(struct row, null),                               \
                          .stored_offset = offsetof(struct row, pipit_stored_),                    \
                          __VA_ARGS__},                                                            \
                .pipit_fields_ = {PIPIT_READ_AGAIN_(LIST(PIPIT_FIELD_OF_(row) PIPIT_FIELD_))}}

#define PIPIT_READ_AGAIN_(...) __VA_ARGS__
#define PIPIT_NOTHING_()
/* clang-format off */
#define PIPIT_FIELD_OF_(row)   PIPIT_FIELD_DEFINE_ PIPIT_NOTHING_ PIPIT_NOTHING_()() (row,
#define PIPIT_FIELD_(...)      __VA_ARGS__, )
/* clang-format on */
#define PIPIT_FIELD_DEFINE_(row, type_name, field, ...)                                            \
        {.self = &row##_model.field,                                                               \
         .model = &row##_model.model,                                                              \
         .name = #field,                                                                           \
         .type = PIPIT_TYPE_##type_name,                                                           \
         .offset = offsetof(struct row, field),                                                    \
         __VA_ARGS__},

/* FIELD() of a list stands for these in the row struct and in the struct of the model. */
#define PIPIT_MODEL_MEMBER_(...)               PIPIT_MODEL_MEMBER2_(__VA_ARGS__, )
#define PIPIT_MODEL_MEMBER2_(type, field, ...) PIPIT_C_##type field;
#define PIPIT_MODEL_NULL_(...)                 PIPIT_MODEL_NULL2_(__VA_ARGS__, )
#define PIPIT_MODEL_NULL2_(type, field, ...)   unsigned char field;
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
