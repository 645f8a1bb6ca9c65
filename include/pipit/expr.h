/*
 * Conditions
 *
 * A condition compares fields of a model with values; an order sorts by fields.
 *
 *      pipit_and(pipit_eq(page_block_model.key, "title"), pipit_gt(page_block_model.id, 7))
 *
 * A condition is a tree of constant nodes that point to each other. The macros make the nodes as
 * compound literals: nothing is allocated and nothing is freed, and a condition lives until the end
 * of the block it stands in. A condition that is made in an `if` and used after it, or kept in a
 * struct, must therefore be copied into an arena with pipit_expr_keep(). Functions that take a
 * condition copy what they need before they return. The macros turn C expressions into values as
 * PIPIT_VALUE() does, and a value never becomes SQL text.
 *
 * A comparison takes a field, a value or another expression on either side, but values on one side
 * only. Its macro writes each side out twice, whereas the macros of and, or and not write their
 * conditions out once: conditions can be nested deeply, comparisons in comparisons should not be.
 *
 * A condition may be nested 1,000 deep and may have 200,000 operands; a node that stands in it
 * several times counts each time. A condition with more fails its request with PIPIT_EINVAL.
 */
#ifndef PIPIT_EXPR_H
#define PIPIT_EXPR_H

#include <pipit/export.h>
#include <pipit/value.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pipit_arena;
struct pipit_field;

/** The kind of a node. This version refuses the last four with PIPIT_EINVAL; their numbers are
 * those that later versions give them. */
enum pipit_expr_kind {
        PIPIT_EXPR_NONE,     /**< none: the node was not filled in, and is refused */
        PIPIT_EXPR_FIELD,    /**< a field, as.column */
        PIPIT_EXPR_VALUE,    /**< a value, as.value */
        PIPIT_EXPR_LIST,     /**< a list of values on the right of IN, as.list */
        PIPIT_EXPR_OPERATOR, /**< an operator, op, with its operands, args */
        PIPIT_EXPR_CALL,     /**< a function with its arguments; refused */
        PIPIT_EXPR_CASE,     /**< a choice by conditions; refused */
        PIPIT_EXPR_RAW,      /**< SQL text with values; refused */
        PIPIT_EXPR_SELECT    /**< a select in parentheses; refused */
};

/** The operator of a node. */
enum pipit_op {
        PIPIT_OP_NONE, /**< none: the operator was not filled in, and is refused */
        PIPIT_OP_EQ,
        PIPIT_OP_NE,
        PIPIT_OP_LT,
        PIPIT_OP_LE,
        PIPIT_OP_GT,
        PIPIT_OP_GE,
        PIPIT_OP_LIKE,
        PIPIT_OP_IN,
        PIPIT_OP_IS_NULL,
        PIPIT_OP_IS_NOT_NULL,
        PIPIT_OP_AND,
        PIPIT_OP_OR,
        PIPIT_OP_NOT
};

/**
 * One node of an expression, of which a condition is the commonest. Its pointers are borrowed: what
 * they point to must live as long as the node.
 *
 * The macros below fill nodes in, and so do pipit_expr_field() and pipit_expr_value(). The size of
 * a node never changes, because nodes stand in arrays and on the stacks of programs. Later versions
 * give reserved members a meaning; a node that has anything in them now is refused with
 * PIPIT_EINVAL. The members of the union have reserved members of their own, because an initializer
 * of one leaves the rest of the union undefined.
 */
struct pipit_expr {
        enum pipit_expr_kind kind;            /**< kind; decides which other members count */
        enum pipit_op op;                     /**< operator; PIPIT_OP_NONE for other kinds */
        unsigned flags;                       /**< reserved; 0 */
        int n_args;                           /**< number of args; 0 for other kinds */
        const struct pipit_expr *const *args; /**< n_args operands; NULL for other kinds */
        void *reserved;                       /**< reserved; NULL */
        union {
                struct {
                        const struct pipit_field *field; /**< field; borrowed for good */
                        void *reserved[3];               /**< reserved; NULL */
                } column;                                /**< column of a PIPIT_EXPR_FIELD */
                struct pipit_value value;                /**< value of a PIPIT_EXPR_VALUE */
                struct {
                        struct pipit_params values; /**< values; none is an empty list */
                        void *reserved[2];          /**< reserved; NULL */
                } list;                             /**< list of a PIPIT_EXPR_LIST */
        } as;                                       /**< what the node is, by its kind */
};

/** One key of an order: rows are sorted by an expression, as a field. */
struct pipit_order {
        const struct pipit_expr *expr; /**< what to sort by, as a field; borrowed */
        bool descending;               /**< greatest first; otherwise smallest first */
        unsigned flags;                /**< reserved; 0, else PIPIT_EINVAL */
        void *reserved[2];             /**< reserved; NULL, else PIPIT_EINVAL */
};

/** An order is a list of keys; the first key counts most. */
struct pipit_orders {
        const struct pipit_order *items; /**< n keys, borrowed; may be NULL if n is 0 */
        int n;                           /**< number of keys; 0 for no order */
};

/** The node of a field, which is borrowed for good. The node of NULL is refused where it is used.
 */
static inline struct pipit_expr
pipit_expr_field(const struct pipit_field *field)
{
        struct pipit_expr expr = {
                PIPIT_EXPR_FIELD, PIPIT_OP_NONE, 0, 0, NULL, NULL, {{field, {NULL, NULL, NULL}}}};

        return expr;
}

/** The node of a value; what the value points to is borrowed. */
static inline struct pipit_expr
pipit_expr_value(struct pipit_value value)
{
        struct pipit_expr expr = pipit_expr_field(NULL);

        expr.kind = PIPIT_EXPR_VALUE;
        expr.as.value = value;
        return expr;
}

/** A copy of a node, with the same operands. The copy of NULL is refused where it is used. */
static inline struct pipit_expr
pipit_expr_same(const struct pipit_expr *expr)
{
        struct pipit_expr none = pipit_expr_field(NULL);

        none.kind = PIPIT_EXPR_NONE;
        return expr != NULL ? *expr : none;
}

/**
 * Copies a condition, with its values, into an arena.
 *
 * @param arena  where the copy lives; NULL returns NULL
 * @param expr   the condition, borrowed until this returns; its fields must outlive the copy. NULL
 *               returns NULL
 * @return the copy, owned by @a arena; NULL if memory ran out. Check for NULL, because a select
 *         without a condition finds all rows
 */
PIPIT_API const struct pipit_expr *
pipit_expr_keep(struct pipit_arena *arena, const struct pipit_expr *expr);

#ifndef __cplusplus

/* Functions that make a node of each type that PIPIT_VALUE() takes. */
#define PIPIT_EXPR_VALUE_FUNCTION_(name, type)                                                     \
        static inline struct pipit_expr pipit_expr_##name##_(type x) {                             \
                return pipit_expr_value(pipit_value_##name(x));                                    \
        }
PIPIT_EXPR_VALUE_FUNCTION_(bool, bool)
PIPIT_EXPR_VALUE_FUNCTION_(int, int64_t)
PIPIT_EXPR_VALUE_FUNCTION_(uint, uint64_t)
PIPIT_EXPR_VALUE_FUNCTION_(float, float)
PIPIT_EXPR_VALUE_FUNCTION_(double, double)
PIPIT_EXPR_VALUE_FUNCTION_(text, const char *)
PIPIT_EXPR_VALUE_FUNCTION_(pointer, const void *)
PIPIT_EXPR_VALUE_FUNCTION_(bytes, struct pipit_bytes)
PIPIT_EXPR_VALUE_FUNCTION_(timestamp, struct pipit_timestamp)
PIPIT_EXPR_VALUE_FUNCTION_(uuid, struct pipit_uuid)
PIPIT_EXPR_VALUE_FUNCTION_(interval, struct pipit_interval)
PIPIT_EXPR_VALUE_FUNCTION_(decimal, struct pipit_decimal)

/**
 * The node of a field, of an expression, or of any C expression that PIPIT_VALUE() takes. A type
 * that is none of these does not compile. The node lives until the end of the block it stands in.
 */
#define PIPIT_EXPR(x)                                                                              \
        ((const struct pipit_expr[]){_Generic((x),                                                 \
                struct pipit_field: pipit_expr_by_value_,                                          \
                struct pipit_field *: pipit_expr_field,                                            \
                const struct pipit_field *: pipit_expr_field,                                      \
                struct pipit_expr *: pipit_expr_same,                                              \
                const struct pipit_expr *: pipit_expr_same,                                        \
                bool: pipit_expr_bool_,                                                            \
                char: pipit_expr_int_,                                                             \
                signed char: pipit_expr_int_,                                                      \
                short: pipit_expr_int_,                                                            \
                int: pipit_expr_int_,                                                              \
                long: pipit_expr_int_,                                                             \
                long long: pipit_expr_int_,                                                        \
                unsigned char: pipit_expr_uint_,                                                   \
                unsigned short: pipit_expr_uint_,                                                  \
                unsigned int: pipit_expr_uint_,                                                    \
                unsigned long: pipit_expr_uint_,                                                   \
                unsigned long long: pipit_expr_uint_,                                              \
                float: pipit_expr_float_,                                                          \
                double: pipit_expr_double_,                                                        \
                char *: pipit_expr_text_,                                                          \
                const char *: pipit_expr_text_,                                                    \
                void *: pipit_expr_pointer_,                                                       \
                const void *: pipit_expr_pointer_,                                                 \
                struct pipit_bytes: pipit_expr_bytes_,                                             \
                struct pipit_timestamp: pipit_expr_timestamp_,                                     \
                struct pipit_uuid: pipit_expr_uuid_,                                               \
                struct pipit_interval: pipit_expr_interval_,                                       \
                struct pipit_decimal: pipit_expr_decimal_,                                         \
                struct pipit_value: pipit_expr_value)(x)})

/* The node of an operator. Its operands are pointers to nodes, each of which is written once. */
#define PIPIT_EXPR_OPERATOR_(code, ...)                                                            \
        (&(const struct pipit_expr){.kind = PIPIT_EXPR_OPERATOR,                                   \
                                    .op = (code),                                                  \
                                    .args = (const struct pipit_expr *const[]){__VA_ARGS__},       \
                                    .n_args = PIPIT_COUNT_(__VA_ARGS__)})
#define PIPIT_EXPR_COMPARE_(code, left, right)                                                     \
        PIPIT_EXPR_OPERATOR_(code, PIPIT_EXPR(left), PIPIT_EXPR(right))
#define PIPIT_EXPR_FIELD_(f)                                                                       \
        (&(const struct pipit_expr){.kind = PIPIT_EXPR_FIELD, .as.column = {.field = &(f)}})

/** Left equals right. If one side is a NULL value: the other side is null. */
#define pipit_eq(left, right) PIPIT_EXPR_COMPARE_(PIPIT_OP_EQ, left, right)
/** Left does not equal right, and neither is null. If one side is a NULL value: the other side is
 * not null. */
#define pipit_ne(left, right) PIPIT_EXPR_COMPARE_(PIPIT_OP_NE, left, right)
/** Left is less than right. */
#define pipit_lt(left, right) PIPIT_EXPR_COMPARE_(PIPIT_OP_LT, left, right)
/** Left is less than right or equal to it. */
#define pipit_le(left, right) PIPIT_EXPR_COMPARE_(PIPIT_OP_LE, left, right)
/** Left is greater than right. */
#define pipit_gt(left, right) PIPIT_EXPR_COMPARE_(PIPIT_OP_GT, left, right)
/** Left is greater than right or equal to it. */
#define pipit_ge(left, right) PIPIT_EXPR_COMPARE_(PIPIT_OP_GE, left, right)
/** Left matches an SQL pattern, in which % is any text and _ is any character. */
#define pipit_like(left, pattern) PIPIT_EXPR_COMPARE_(PIPIT_OP_LIKE, left, pattern)

/** The field is one of the values of a struct pipit_params, or is null and one of them is NULL;
 * false if there are no values. */
#define pipit_in(f, values)                                                                        \
        PIPIT_EXPR_OPERATOR_(PIPIT_OP_IN, PIPIT_EXPR_FIELD_(f), PIPIT_EXPR_LIST_(values))
#define PIPIT_EXPR_LIST_(...)                                                                      \
        (&(const struct pipit_expr){.kind = PIPIT_EXPR_LIST, .as.list = {.values = (__VA_ARGS__)}})

/** The field is null. */
#define pipit_is_null(f) PIPIT_EXPR_OPERATOR_(PIPIT_OP_IS_NULL, PIPIT_EXPR_FIELD_(f))
/** The field is not null. */
#define pipit_is_not_null(f) PIPIT_EXPR_OPERATOR_(PIPIT_OP_IS_NOT_NULL, PIPIT_EXPR_FIELD_(f))

/** All conditions hold; 1 to 32 may be given. */
#define pipit_and(...) PIPIT_EXPR_OPERATOR_(PIPIT_OP_AND, __VA_ARGS__)
/** At least one condition holds; 1 to 32 may be given. */
#define pipit_or(...) PIPIT_EXPR_OPERATOR_(PIPIT_OP_OR, __VA_ARGS__)
/** The condition does not hold. */
#define pipit_not(expr) PIPIT_EXPR_OPERATOR_(PIPIT_OP_NOT, expr)

/** A key that sorts the smallest first and NULL last. */
#define pipit_asc(f) ((struct pipit_order){.expr = PIPIT_EXPR_FIELD_(f), .descending = false})
/** A key that sorts NULL first, then the greatest. */
#define pipit_desc(f) ((struct pipit_order){.expr = PIPIT_EXPR_FIELD_(f), .descending = true})

/** An order of 1 to 32 keys, a struct pipit_orders, which lives until the end of the block it
 * stands in. */
#define PIPIT_ORDER(...)                                                                           \
        ((struct pipit_orders){(const struct pipit_order[]){__VA_ARGS__},                          \
                               PIPIT_COUNT_(__VA_ARGS__)})

#endif

#ifdef __cplusplus
}
#endif

#endif
