/*
 * Conditions in all their forms; and those that are still to come, as far as the node has to have
 * room for them.
 */
#include "model.h"

/* What later kinds of nodes need, beside operands. */
union later_as {
        struct {
                const struct pipit_field *field;
                const char *source; /* of several with the same table: its alias */
                void *reserved[2];
        } column;
        struct pipit_value value;
        struct {
                const char *name;
                const void *more; /* DISTINCT, FILTER, ORDER BY, OVER */
                void *reserved[2];
        } call;
        struct {
                const char *text;
                struct pipit_params values;
                void *reserved;
        } raw;
        struct {
                const struct pipit_model *model;
                const struct pipit_select *select;
                void *reserved[2];
        } select;
};
_Static_assert(sizeof(union later_as) == sizeof(((struct pipit_expr *)0)->as),
               "a node has room for every kind");

/* A function and an operator of later versions: of any expression, in any place. */
#define later_lower(x)                                                                             \
        (&(const struct pipit_expr){.kind = PIPIT_EXPR_CALL,                                       \
                                    .args = (const struct pipit_expr *const[]){PIPIT_EXPR(x)},     \
                                    .n_args = 1})
#define later_add(x, y) PIPIT_EXPR_OPERATOR_((enum pipit_op)100, PIPIT_EXPR(x), PIPIT_EXPR(y))

/* Outside of functions there may be no values. */
extern const struct pipit_expr *const constant;
const struct pipit_expr *const constant =
        pipit_and(pipit_is_null(blot_model.title), pipit_not(pipit_is_not_null(blot_model.id)));

static int
n_operands(const struct pipit_expr *expr)
{
        return expr->n_args;
}

static int
values_of_every_type(void)
{
        struct pipit_bytes bytes = {"", 0};
        struct pipit_timestamp timestamp = {0};
        struct pipit_uuid uuid = {{0}};
        struct pipit_interval interval = {0, 0, 0};
        struct pipit_decimal decimal = {0, 0};
        struct pipit_expr expr = *PIPIT_EXPR(blot_model.id);
        const void *nothing = NULL;
        char text[] = "text";

        return n_operands(
                pipit_or(pipit_eq(blot_model.id, true), pipit_ne(blot_model.id, (bool)1),
                         pipit_lt(blot_model.id, 'a'), pipit_le(blot_model.id, (signed char)1),
                         pipit_gt(blot_model.id, (short)1), pipit_ge(blot_model.id, 1L),
                         pipit_eq(blot_model.id, 1LL), pipit_eq(blot_model.id, (unsigned char)1),
                         pipit_eq(blot_model.id, (unsigned short)1), pipit_eq(blot_model.id, 1U),
                         pipit_eq(blot_model.id, 1UL), pipit_eq(blot_model.id, 1ULL),
                         pipit_eq(blot_model.id, 1.0F), pipit_eq(blot_model.id, 1.0),
                         pipit_like(blot_model.title, text), pipit_like(blot_model.title, "a%"),
                         pipit_eq(blot_model.title, NULL), pipit_eq(blot_model.title, nothing),
                         pipit_eq(blot_model.title, bytes), pipit_eq(blot_model.title, timestamp),
                         pipit_eq(blot_model.title, uuid), pipit_eq(blot_model.title, interval),
                         pipit_eq(blot_model.title, decimal),
                         pipit_eq(blot_model.title, PIPIT_VALUE(1)), pipit_eq(&expr, 1)));
}

static int
expressions_in_every_place(void)
{
        const struct pipit_field *field = &blot_model.id;
        struct pipit_field copy = blot_model.id;

        return n_operands(pipit_and(
                pipit_eq(1, blot_model.id), pipit_eq(blot_model.id, blot_model.colour),
                pipit_eq(field, copy), pipit_eq(later_lower(blot_model.title), "ann"),
                pipit_gt(later_add(blot_model.id, later_add(1, blot_model.colour)), 5),
                pipit_in(copy, PIPIT_PARAMS(1, 2)), pipit_in(blot_model.id, PIPIT_NO_PARAMS)));
}

/* One that wrote its argument out twice at each of 64 levels would not end. */
#define NESTED_4(x)  pipit_not(pipit_and(pipit_or(pipit_not(x))))
#define NESTED_16(x) NESTED_4(NESTED_4(NESTED_4(NESTED_4(x))))
#define NESTED_64(x) NESTED_16(NESTED_16(NESTED_16(NESTED_16(x))))

static int
nested_conditions(void)
{
        return n_operands(NESTED_64(pipit_eq(blot_model.id, 1)));
}

int
three_conditions(void)
{
        return values_of_every_type() + expressions_in_every_place() + nested_conditions();
}
