/*
 * Values
 *
 * A value is one C value with its type, on its way into a statement.
 *
 * In C, PIPIT_VALUE(x) makes a value of an expression, and PIPIT_PARAMS(a, b, c) a list of values;
 * a C++ program calls the constructors. Text and bytes are borrowed until the call that the value
 * is given to returns; every function that starts a request copies its values.
 */
#ifndef PIPIT_VALUE_H
#define PIPIT_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A string of bytes, a bytea. NULL data of length 0 is SQL NULL; an empty bytea has data that is
 * not NULL. */
struct pipit_bytes {
        const void *data; /**< the bytes; borrowed */
        size_t length;    /**< length of data, in bytes */
};

/** A moment, counted from 1970-01-01 00:00 UTC. */
struct pipit_timestamp {
        int64_t us; /**< microseconds; INT64_MAX is infinity, INT64_MIN minus infinity */
};

/** A UUID. */
struct pipit_uuid {
        uint8_t bytes[16]; /**< all bytes, in the order in which a UUID is written */
};

/** A span of time as PostgreSQL keeps it, because the length of a month or a day depends on the
 * date. */
struct pipit_interval {
        int32_t months; /**< months; a year is twelve */
        int32_t days;   /**< days; a week is seven */
        int64_t us;     /**< microseconds; they never become days by themselves */
};

/** The greatest scale of a pipit_decimal. */
#define PIPIT_SCALE_MAX 36

/** An exact number: units divided by 10 to the power of scale. 1250 units with a scale of 2 are
 * 12.50. */
struct pipit_decimal {
        int64_t units; /**< all digits, without the point */
        int scale;     /**< number of digits after the point, 0 to PIPIT_SCALE_MAX */
};

/** The kind of a value says which member of its union counts. */
enum pipit_kind {
        PIPIT_KIND_NULL,      /**< SQL NULL */
        PIPIT_KIND_BOOL,      /**< bool_value */
        PIPIT_KIND_INT,       /**< int_value */
        PIPIT_KIND_UINT,      /**< uint_value */
        PIPIT_KIND_FLOAT,     /**< float_value */
        PIPIT_KIND_DOUBLE,    /**< double_value */
        PIPIT_KIND_TEXT,      /**< text, and the value's length */
        PIPIT_KIND_BYTES,     /**< bytes, and the value's length */
        PIPIT_KIND_TIMESTAMP, /**< timestamp */
        PIPIT_KIND_UUID,      /**< uuid */
        PIPIT_KIND_POINTER,   /**< a pointer of unknown type; refused with PIPIT_EINVAL */
        PIPIT_KIND_INTERVAL,  /**< interval */
        PIPIT_KIND_DECIMAL    /**< decimal */
};

/** One typed value. Values may be copied freely; text and bytes are borrowed, by copies, too. The
 * size of a value never changes, because values stand in arrays of programs. */
struct pipit_value {
        enum pipit_kind kind; /**< kind: which member of the union counts */
        unsigned reserved;    /**< reserved; 0, else PIPIT_EINVAL */
        size_t length;        /**< length of text (without a NUL) or bytes, in bytes; else 0 */
        union {
                int64_t int_value;
                uint64_t uint_value;
                double double_value;
                float float_value;
                bool bool_value;
                const char *text; /**< UTF-8; may lack a NUL at its end */
                const void *bytes;
                struct pipit_timestamp timestamp;
                struct pipit_uuid uuid;
                struct pipit_interval interval;
                struct pipit_decimal decimal;
        } as; /**< the value itself; unused for SQL NULL */
};

/** The values of a statement, that of $1 first. Values are borrowed until the call that takes them
 * returns. */
struct pipit_params {
        const struct pipit_value *values; /**< n values; may be NULL if n is 0 */
        int n;                            /**< number of values, 0 to 65,535 */
};

/** Makes SQL NULL. */
static inline struct pipit_value
pipit_value_null(void)
{
        struct pipit_value value = {PIPIT_KIND_NULL, 0, 0, {0}};

        return value;
}

/** Makes a truth value. */
static inline struct pipit_value
pipit_value_bool(bool x)
{
        struct pipit_value value = {PIPIT_KIND_BOOL, 0, 0, {0}};

        value.as.bool_value = x;
        return value;
}

/** Makes a signed integer of any width. */
static inline struct pipit_value
pipit_value_int(int64_t x)
{
        struct pipit_value value = {PIPIT_KIND_INT, 0, 0, {0}};

        value.as.int_value = x;
        return value;
}

/** Makes an unsigned integer of any width. */
static inline struct pipit_value
pipit_value_uint(uint64_t x)
{
        struct pipit_value value = {PIPIT_KIND_UINT, 0, 0, {0}};

        value.as.uint_value = x;
        return value;
}

/** Makes a number in single precision; NaN and the infinities are numbers, too. */
static inline struct pipit_value
pipit_value_float(float x)
{
        struct pipit_value value = {PIPIT_KIND_FLOAT, 0, 0, {0}};

        value.as.float_value = x;
        return value;
}

/** Makes a number in double precision; NaN and the infinities are numbers, too. */
static inline struct pipit_value
pipit_value_double(double x)
{
        struct pipit_value value = {PIPIT_KIND_DOUBLE, 0, 0, {0}};

        value.as.double_value = x;
        return value;
}

/**
 * Makes text of a known length.
 *
 * @param text    UTF-8, borrowed; a NUL in it fails the request with PIPIT_ETYPE, because
 *                PostgreSQL cannot store it. NULL makes SQL NULL
 * @param length  the length of @a text, in bytes
 * @return the value
 */
static inline struct pipit_value
pipit_value_text_n(const char *text, size_t length)
{
        struct pipit_value value = {PIPIT_KIND_TEXT, 0, length, {0}};

        if (!text)
                return pipit_value_null();
        value.as.text = text;
        return value;
}

/** Makes text of a NUL-terminated UTF-8 string, borrowed; NULL makes SQL NULL. */
static inline struct pipit_value
pipit_value_text(const char *text)
{
        return pipit_value_text_n(text, text ? strlen(text) : 0);
}

/** Makes a bytea of bytes, borrowed; NULL data of length 0 makes SQL NULL. */
static inline struct pipit_value
pipit_value_bytes(struct pipit_bytes x)
{
        struct pipit_value value = {PIPIT_KIND_BYTES, 0, x.length, {0}};

        if (!x.data && x.length == 0)
                return pipit_value_null();
        value.as.bytes = x.data;
        return value;
}

/** Makes a moment: a timestamp, a timestamptz or a date. */
static inline struct pipit_value
pipit_value_timestamp(struct pipit_timestamp x)
{
        struct pipit_value value = {PIPIT_KIND_TIMESTAMP, 0, 0, {0}};

        value.as.timestamp = x;
        return value;
}

/** Makes a UUID. */
static inline struct pipit_value
pipit_value_uuid(struct pipit_uuid x)
{
        struct pipit_value value = {PIPIT_KIND_UUID, 0, 0, {0}};

        value.as.uuid = x;
        return value;
}

/** Makes a span of time. */
static inline struct pipit_value
pipit_value_interval(struct pipit_interval x)
{
        struct pipit_value value = {PIPIT_KIND_INTERVAL, 0, 0, {0}};

        value.as.interval = x;
        return value;
}

/** Makes an exact number; a scale out of range fails the request with PIPIT_EINVAL. */
static inline struct pipit_value
pipit_value_decimal(struct pipit_decimal x)
{
        struct pipit_value value = {PIPIT_KIND_DECIMAL, 0, 0, {0}};

        value.as.decimal = x;
        return value;
}

/** Makes SQL NULL of a NULL pointer; any other pointer without a type fails the request with
 * PIPIT_EINVAL. */
static inline struct pipit_value
pipit_value_pointer(const void *x)
{
        struct pipit_value value = {PIPIT_KIND_POINTER, 0, 0, {0}};

        return x ? value : pipit_value_null();
}

/** Returns a value as it is, so that PIPIT_VALUE() takes a value, too. */
static inline struct pipit_value
pipit_value_same(struct pipit_value x)
{
        return x;
}

#ifdef __cplusplus
}

/** A struct pipit_params without values. */
#define PIPIT_NO_PARAMS (pipit_params{nullptr, 0})

#else

/** A struct pipit_params without values. */
#define PIPIT_NO_PARAMS ((struct pipit_params){NULL, 0})

/**
 * Makes a value of an expression, by the expression's type. A char is a small integer. `true` and
 * comparisons are int in C and go out as 1 and 0, which PostgreSQL reads as a boolean where it
 * wants one. An expression of a type that is not listed does not compile.
 */
#define PIPIT_VALUE(x)                                                                             \
        _Generic((x),                                                                              \
                bool: pipit_value_bool,                                                            \
                char: pipit_value_int,                                                             \
                signed char: pipit_value_int,                                                      \
                short: pipit_value_int,                                                            \
                int: pipit_value_int,                                                              \
                long: pipit_value_int,                                                             \
                long long: pipit_value_int,                                                        \
                unsigned char: pipit_value_uint,                                                   \
                unsigned short: pipit_value_uint,                                                  \
                unsigned int: pipit_value_uint,                                                    \
                unsigned long: pipit_value_uint,                                                   \
                unsigned long long: pipit_value_uint,                                              \
                float: pipit_value_float,                                                          \
                double: pipit_value_double,                                                        \
                char *: pipit_value_text,                                                          \
                const char *: pipit_value_text,                                                    \
                void *: pipit_value_pointer,                                                       \
                const void *: pipit_value_pointer,                                                 \
                struct pipit_bytes: pipit_value_bytes,                                             \
                struct pipit_timestamp: pipit_value_timestamp,                                     \
                struct pipit_uuid: pipit_value_uuid,                                               \
                struct pipit_interval: pipit_value_interval,                                       \
                struct pipit_decimal: pipit_value_decimal,                                         \
                struct pipit_value: pipit_value_same)(x)

/**
 * Makes a struct pipit_params of 1 to 32 expressions; PIPIT_NO_PARAMS stands for none, and more are
 * an array of struct pipit_value. The values live until the end of the block that the macro stands
 * in.
 */
#define PIPIT_PARAMS(...)                                                                          \
        ((struct pipit_params){                                                                    \
                .n = PIPIT_COUNT_(__VA_ARGS__) +                                                   \
                     PIPIT_ASSERT_(sizeof #__VA_ARGS__ > 1,                                        \
                                   "PIPIT_PARAMS() has no values: write PIPIT_NO_PARAMS") +        \
                     PIPIT_ASSERT_(PIPIT_COUNT_(__VA_ARGS__) <= 32,                                \
                                   "PIPIT_PARAMS() takes at most 32 values: fill an array of "     \
                                   "struct pipit_value, and a struct pipit_params with it"),       \
                .values = (const struct pipit_value[]){PIPIT_VALUES_(__VA_ARGS__)}})

/* 0, or a compiler's error with that text. */
#define PIPIT_ASSERT_(condition, text)                                                             \
        (0 * (int)sizeof(struct {                                                                  \
                 _Static_assert(condition, text);                                                  \
                 char unused;                                                                      \
         }))

/* How many arguments there are, 1 to 32; 33 for all that are more, up to 64. */
#define PIPIT_COUNT_(...)                                                                          \
        PIPIT_COUNT_PICK_(__VA_ARGS__, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, \
                          33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 32,  \
                          31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14,  \
                          13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define PIPIT_COUNT_PICK_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16,   \
                          a17, a18, a19, a20, a21, a22, a23, a24, a25, a26, a27, a28, a29, a30,    \
                          a31, a32, a33, a34, a35, a36, a37, a38, a39, a40, a41, a42, a43, a44,    \
                          a45, a46, a47, a48, a49, a50, a51, a52, a53, a54, a55, a56, a57, a58,    \
                          a59, a60, a61, a62, a63, a64, n, ...)                                    \
        n

#define PIPIT_PASTE3_(a, b, c) PIPIT_PASTE_(a, b, c)
#define PIPIT_PASTE_(a, b, c)  a##b##c

#define PIPIT_VALUES_(...) PIPIT_PASTE3_(PIPIT_V, PIPIT_COUNT_(__VA_ARGS__), _)(__VA_ARGS__)
#define PIPIT_V1_(x)       PIPIT_VALUE(x)
#define PIPIT_V2_(x, ...)  PIPIT_VALUE(x), PIPIT_V1_(__VA_ARGS__)
#define PIPIT_V3_(x, ...)  PIPIT_VALUE(x), PIPIT_V2_(__VA_ARGS__)
#define PIPIT_V4_(x, ...)  PIPIT_VALUE(x), PIPIT_V3_(__VA_ARGS__)
#define PIPIT_V5_(x, ...)  PIPIT_VALUE(x), PIPIT_V4_(__VA_ARGS__)
#define PIPIT_V6_(x, ...)  PIPIT_VALUE(x), PIPIT_V5_(__VA_ARGS__)
#define PIPIT_V7_(x, ...)  PIPIT_VALUE(x), PIPIT_V6_(__VA_ARGS__)
#define PIPIT_V8_(x, ...)  PIPIT_VALUE(x), PIPIT_V7_(__VA_ARGS__)
#define PIPIT_V9_(x, ...)  PIPIT_VALUE(x), PIPIT_V8_(__VA_ARGS__)
#define PIPIT_V10_(x, ...) PIPIT_VALUE(x), PIPIT_V9_(__VA_ARGS__)
#define PIPIT_V11_(x, ...) PIPIT_VALUE(x), PIPIT_V10_(__VA_ARGS__)
#define PIPIT_V12_(x, ...) PIPIT_VALUE(x), PIPIT_V11_(__VA_ARGS__)
#define PIPIT_V13_(x, ...) PIPIT_VALUE(x), PIPIT_V12_(__VA_ARGS__)
#define PIPIT_V14_(x, ...) PIPIT_VALUE(x), PIPIT_V13_(__VA_ARGS__)
#define PIPIT_V15_(x, ...) PIPIT_VALUE(x), PIPIT_V14_(__VA_ARGS__)
#define PIPIT_V16_(x, ...) PIPIT_VALUE(x), PIPIT_V15_(__VA_ARGS__)
#define PIPIT_V17_(x, ...) PIPIT_VALUE(x), PIPIT_V16_(__VA_ARGS__)
#define PIPIT_V18_(x, ...) PIPIT_VALUE(x), PIPIT_V17_(__VA_ARGS__)
#define PIPIT_V19_(x, ...) PIPIT_VALUE(x), PIPIT_V18_(__VA_ARGS__)
#define PIPIT_V20_(x, ...) PIPIT_VALUE(x), PIPIT_V19_(__VA_ARGS__)
#define PIPIT_V21_(x, ...) PIPIT_VALUE(x), PIPIT_V20_(__VA_ARGS__)
#define PIPIT_V22_(x, ...) PIPIT_VALUE(x), PIPIT_V21_(__VA_ARGS__)
#define PIPIT_V23_(x, ...) PIPIT_VALUE(x), PIPIT_V22_(__VA_ARGS__)
#define PIPIT_V24_(x, ...) PIPIT_VALUE(x), PIPIT_V23_(__VA_ARGS__)
#define PIPIT_V25_(x, ...) PIPIT_VALUE(x), PIPIT_V24_(__VA_ARGS__)
#define PIPIT_V26_(x, ...) PIPIT_VALUE(x), PIPIT_V25_(__VA_ARGS__)
#define PIPIT_V27_(x, ...) PIPIT_VALUE(x), PIPIT_V26_(__VA_ARGS__)
#define PIPIT_V28_(x, ...) PIPIT_VALUE(x), PIPIT_V27_(__VA_ARGS__)
#define PIPIT_V29_(x, ...) PIPIT_VALUE(x), PIPIT_V28_(__VA_ARGS__)
#define PIPIT_V30_(x, ...) PIPIT_VALUE(x), PIPIT_V29_(__VA_ARGS__)
#define PIPIT_V31_(x, ...) PIPIT_VALUE(x), PIPIT_V30_(__VA_ARGS__)
#define PIPIT_V32_(x, ...) PIPIT_VALUE(x), PIPIT_V31_(__VA_ARGS__)
#define PIPIT_V33_(...)                                                                            \
        {                                                                                          \
                0                                                                                  \
        }

#endif

#endif
