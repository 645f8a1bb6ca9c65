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

/** The operator of a condition. */
enum pipit_op {
        PIPIT_OP_NONE, /**< none: the node was not filled in, and is refused */
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
 * One node of a condition. Its pointers are borrowed: what they point to must live as long as the
 * node.
 */
struct pipit_expr {
        enum pipit_op op;                     /**< operator */
        const struct pipit_field *field;      /**< field that is compared; NULL for and, or, not */
        struct pipit_params values;           /**< values that the field is compared with */
        const struct pipit_expr *const *args; /**< n_args conditions of and, or, not */
        int n_args;                           /**< number of args; 0 for a comparison */
};

/** One key of an order: rows are sorted by a field. */
struct pipit_order {
        const struct pipit_field *field; /**< field to sort by; borrowed for good */
        bool descending;                 /**< greatest first; otherwise smallest first */
};

/** An order is a list of keys; the first key counts most. */
struct pipit_orders {
        const struct pipit_order *items; /**< n keys, borrowed; may be NULL if n is 0 */
        int n;                           /**< number of keys; 0 for no order */
};

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

#define PIPIT_EXPR_COMPARE_(code, f, value)                                                        \
        (&(const struct pipit_expr){.op = (code), .field = &(f), .values = PIPIT_PARAMS(value)})
#define PIPIT_EXPR_FIELD_(code, f) (&(const struct pipit_expr){.op = (code), .field = &(f)})
#define PIPIT_EXPR_JOIN_(code, ...)                                                                \
        (&(const struct pipit_expr){.op = (code),                                                  \
                                    .args = (const struct pipit_expr *const[]){__VA_ARGS__},       \
                                    .n_args = PIPIT_COUNT_(__VA_ARGS__)})

/** The field equals the value. With a NULL value: the field is null. */
#define pipit_eq(field, value) PIPIT_EXPR_COMPARE_(PIPIT_OP_EQ, field, value)
/** The field is neither null nor the value. With a NULL value: the field is not null. */
#define pipit_ne(field, value) PIPIT_EXPR_COMPARE_(PIPIT_OP_NE, field, value)
/** The field is less than the value. */
#define pipit_lt(field, value) PIPIT_EXPR_COMPARE_(PIPIT_OP_LT, field, value)
/** The field is less than the value or equal to it. */
#define pipit_le(field, value) PIPIT_EXPR_COMPARE_(PIPIT_OP_LE, field, value)
/** The field is greater than the value. */
#define pipit_gt(field, value) PIPIT_EXPR_COMPARE_(PIPIT_OP_GT, field, value)
/** The field is greater than the value or equal to it. */
#define pipit_ge(field, value) PIPIT_EXPR_COMPARE_(PIPIT_OP_GE, field, value)
/** The field matches an SQL pattern, in which % is any text and _ is any character. */
#define pipit_like(field, pattern) PIPIT_EXPR_COMPARE_(PIPIT_OP_LIKE, field, pattern)

/** The field is one of the values of a struct pipit_params, or is null and one of them is NULL;
 * false if there are no values. */
#define pipit_in(f, list)                                                                          \
        (&(const struct pipit_expr){.op = PIPIT_OP_IN, .field = &(f), .values = (list)})

/** The field is null. */
#define pipit_is_null(field) PIPIT_EXPR_FIELD_(PIPIT_OP_IS_NULL, field)
/** The field is not null. */
#define pipit_is_not_null(field) PIPIT_EXPR_FIELD_(PIPIT_OP_IS_NOT_NULL, field)

/** All conditions hold; 1 to 32 may be given. */
#define pipit_and(...) PIPIT_EXPR_JOIN_(PIPIT_OP_AND, __VA_ARGS__)
/** At least one condition holds; 1 to 32 may be given. */
#define pipit_or(...) PIPIT_EXPR_JOIN_(PIPIT_OP_OR, __VA_ARGS__)
/** The condition does not hold. */
#define pipit_not(expr) PIPIT_EXPR_JOIN_(PIPIT_OP_NOT, expr)

/** A key that sorts the smallest first and NULL last. */
#define pipit_asc(f) ((struct pipit_order){.field = &(f), .descending = false})
/** A key that sorts NULL first, then the greatest. */
#define pipit_desc(f) ((struct pipit_order){.field = &(f), .descending = true})

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
