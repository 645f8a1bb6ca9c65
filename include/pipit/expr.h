/*
 * Conditions and orders over the fields of a model.
 *
 *      pipit_and(pipit_eq(page_block_model.key, "title"), pipit_gt(page_block_model.id, 7))
 *
 * A condition is a tree of constant nodes that point to each other. The macros make it of compound
 * literals: nothing is allocated, nothing is freed, and it lives until the end of the block it
 * stands in. So a condition that is made in an `if` and used after it, or kept in a struct, is
 * copied into an arena with pipit_expr_keep(). The functions that take a condition copy what they
 * need before they return. A value is made by PIPIT_VALUE(), and never becomes SQL text.
 */
#ifndef PIPIT_EXPR_H
#define PIPIT_EXPR_H

#include <pipit/export.h>
#include <pipit/value.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pipit_arena;
struct pipit_field;

/** What a condition says. */
enum pipit_op {
        PIPIT_OP_NONE, /**< nothing: a node that was not filled in, which is refused */
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

/** One node of a condition. What it points to is borrowed and must live as long as it. */
struct pipit_expr {
        enum pipit_op op;                     /**< what it says */
        const struct pipit_field *field;      /**< of a comparison; NULL for and, or, not */
        struct pipit_params values;           /**< what the field is compared with */
        const struct pipit_expr *const *args; /**< n_args of them, of and, or, not */
        int n_args;                           /**< 0 for a comparison */
};

/** One key of an order. */
struct pipit_order {
        const struct pipit_field *field; /**< borrowed; static, as fields are */
        bool descending;                 /**< greatest first */
};

/** An order: the first key counts most. */
struct pipit_orders {
        const struct pipit_order *items; /**< n of them, borrowed; may be NULL when n is 0 */
        int n;                           /**< 0 for no order */
};

/**
 * Copies a condition, its values included, into an arena.
 *
 * @param arena  where the copy lives; NULL returns NULL
 * @param expr   borrowed until this returns; its fields must outlive the copy; NULL returns NULL
 * @return owned by @a arena; NULL when memory ran out: check it, for a select without a condition
 *         selects all rows
 */
PIPIT_API const struct pipit_expr *
pipit_expr_keep(struct pipit_arena *arena, const struct pipit_expr *expr);

#ifndef __cplusplus

#define PIPIT_EXPR_COMPARE_(code, f, value)                                                        \
        (&(const struct pipit_expr){.op = (code), .field = &(f), .values = PIPIT_PARAMS(value)})
#define PIPIT_EXPR_FIELD_(code, f) (&(const struct pipit_expr){.op = (code), .field = &(f)})
#define PIPIT_EXPR_JOIN_(code, ...)                                                                \
        (&(const struct pipit_expr){.op = (code),                                                  \
                                    .args = (const struct pipit_expr *const[]){__VA_ARGS__},       \
                                    .n_args = PIPIT_COUNT_(__VA_ARGS__)})

/** The field equals the value; with a NULL value: the field is null. */
#define pipit_eq(field, value) PIPIT_EXPR_COMPARE_(PIPIT_OP_EQ, field, value)
/** The field is not null and not the value; with a NULL value: the field is not null. */
#define pipit_ne(field, value) PIPIT_EXPR_COMPARE_(PIPIT_OP_NE, field, value)
/** The field is less than the value. */
#define pipit_lt(field, value) PIPIT_EXPR_COMPARE_(PIPIT_OP_LT, field, value)
/** The field is the value or less. */
#define pipit_le(field, value) PIPIT_EXPR_COMPARE_(PIPIT_OP_LE, field, value)
/** The field is greater than the value. */
#define pipit_gt(field, value) PIPIT_EXPR_COMPARE_(PIPIT_OP_GT, field, value)
/** The field is the value or greater. */
#define pipit_ge(field, value) PIPIT_EXPR_COMPARE_(PIPIT_OP_GE, field, value)
/** The field matches an SQL pattern: % is any text, _ any character. */
#define pipit_like(field, pattern) PIPIT_EXPR_COMPARE_(PIPIT_OP_LIKE, field, pattern)

/** The field is one of a struct pipit_params, NULL included; false when that is empty. */
#define pipit_in(f, list)                                                                          \
        (&(const struct pipit_expr){.op = PIPIT_OP_IN, .field = &(f), .values = (list)})

/** The field is null. */
#define pipit_is_null(field) PIPIT_EXPR_FIELD_(PIPIT_OP_IS_NULL, field)
/** The field is not null. */
#define pipit_is_not_null(field) PIPIT_EXPR_FIELD_(PIPIT_OP_IS_NOT_NULL, field)

/** All of 1 to 32 conditions hold. */
#define pipit_and(...) PIPIT_EXPR_JOIN_(PIPIT_OP_AND, __VA_ARGS__)
/** At least one of 1 to 32 conditions holds. */
#define pipit_or(...) PIPIT_EXPR_JOIN_(PIPIT_OP_OR, __VA_ARGS__)
/** The condition does not hold. */
#define pipit_not(expr) PIPIT_EXPR_JOIN_(PIPIT_OP_NOT, expr)

/** A key of an order, smallest first, NULL last. */
#define pipit_asc(f) ((struct pipit_order){.field = &(f), .descending = false})
/** A key of an order, NULL first, then the greatest. */
#define pipit_desc(f) ((struct pipit_order){.field = &(f), .descending = true})

/** 1 to 32 keys as a struct pipit_orders. Lives until the end of the block it stands in. */
#define PIPIT_ORDER(...)                                                                           \
        ((struct pipit_orders){(const struct pipit_order[]){__VA_ARGS__},                          \
                               PIPIT_COUNT_(__VA_ARGS__)})

#endif

#ifdef __cplusplus
}
#endif

#endif
