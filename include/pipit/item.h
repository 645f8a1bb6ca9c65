/*
 * Items
 *
 * An item is a single value of a result, or a value inside of one: an element of an array, a bound
 * of a range, a field of a composite.
 *
 *      struct pipit_item item;
 *      struct pipit_array array;
 *      int64_t id;
 *
 *      if (pipit_result_item(res, 0, 0, &item) == 0 && pipit_item_array(&item, &array) == 0) {
 *              for (size_t i = 0; i < array.n; i++)
 *                      if (pipit_item_int64(&array.items[i], &id) == 0)
 *                              printf("%" PRId64 "\n", id);
 *      }
 *
 * An item is a small struct on the caller's stack that points into its result. The item, and
 * everything that is taken out of it, must not be used after its result is freed. Whether the
 * server sent the value as text or in binary form makes no difference here. Most functions take
 * these parameters:
 *
 * @param item       the item, borrowed until the call returns; NULL is refused with PIPIT_EINVAL
 * @param ret_value  the value; written only on success
 */
#ifndef PIPIT_ITEM_H
#define PIPIT_ITEM_H

#include <pipit/export.h>
#include <pipit/value.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pipit_result;

/** The greatest number of dimensions that an array can have. */
#define PIPIT_ARRAY_DIMENSIONS 6

/** A value in a result. Items may be copied freely; the functions below read them. The sizes of
 * items, arrays and ranges never change, because programs have them on their stacks. */
struct pipit_item {
        struct pipit_result
                *result;  /**< result of the value; borrowed: the item does not keep it */
        const char *data; /**< bytes of the server, owned by the result; NULL for SQL NULL */
        size_t length;    /**< length of data, in bytes */
        uint32_t type;    /**< OID of the type; 0 if it is not known */
        bool binary;      /**< data is in binary form */
};

/** The elements of an array. */
struct pipit_array {
        int n_dimensions; /**< dimensions: 0 for an empty array, at most PIPIT_ARRAY_DIMENSIONS */
        int32_t lengths[PIPIT_ARRAY_DIMENSIONS]; /**< number of elements in each dimension */
        int32_t lower[PIPIT_ARRAY_DIMENSIONS];   /**< first subscript in each dimension, mostly 1 */
        size_t n;                                /**< number of items: the product of the lengths */
        const struct pipit_item
                *items;    /**< n items, owned by the result; the last dimension runs fastest */
        void *reserved[2]; /**< reserved; NULL */
};

/** The bounds of a range. A bound that an empty range does not have, or that is infinite, is an
 * item with SQL NULL. */
struct pipit_range {
        bool empty;              /**< the range holds nothing */
        bool lower_infinite;     /**< the range has no lower bound */
        bool upper_infinite;     /**< the range has no upper bound */
        bool lower_inclusive;    /**< the range holds its lower bound */
        bool upper_inclusive;    /**< the range holds its upper bound */
        struct pipit_item lower; /**< lower bound */
        struct pipit_item upper; /**< upper bound */
        void *reserved[2];       /**< reserved; NULL */
};

/** Several items: the fields of a composite, or the ranges of a multirange. */
struct pipit_items {
        size_t n;                       /**< number of items */
        const struct pipit_item *items; /**< n items, owned by the result */
};

/**
 * Gets a value of a result as an item; SQL NULL is an item, too.
 *
 * @param res        the result, borrowed by the item
 * @param row        the row's number, from 0
 * @param column     the column's number, from 0
 * @param ret_value  the item; written only on success
 * @return 0; PIPIT_EINVAL if there is no such row or column, or @a ret_value is NULL
 */
PIPIT_API int
pipit_result_item(struct pipit_result *res, int row, int column, struct pipit_item *ret_value);

/** Tells whether an item is SQL NULL; true if @a item itself is NULL. */
PIPIT_API bool pipit_item_null(const struct pipit_item *item);

/**
 * Returns an item as the server's text. For an item in binary form each call makes the text anew,
 * and all of them stay in the result until it is freed.
 *
 * @param item  the item, borrowed until the call returns
 * @return NUL-terminated UTF-8, owned by the item's result; NULL for SQL NULL, if memory ran out,
 *         if the bytes are no value of the item's type, and if the text is too long, as
 *         pipit_result_text() says; pipit_item_bytes() then tells which
 */
PIPIT_API const char *pipit_item_text(const struct pipit_item *item);

/**
 * Reads an item as a C value. Nothing wraps and nothing is cut: a value that does not fit is
 * refused with PIPIT_ETYPE.
 *
 * @param item       the item, borrowed until the call returns
 * @param ret_value  the value; written only on success
 * @return 0; PIPIT_EINVAL if @a item or @a ret_value is NULL; PIPIT_ENOTFOUND if the item is SQL
 *         NULL; PIPIT_ETYPE if the value is of another kind or out of range; PIPIT_ELIMIT if it is
 *         read by way of a text that is too long (see pipit_result_text()); PIPIT_ENOMEM
 */
PIPIT_API int pipit_item_bool(const struct pipit_item *item, bool *ret_value);
/** Reads an integer of 16 bits. See pipit_item_bool(). */
PIPIT_API int pipit_item_int16(const struct pipit_item *item, int16_t *ret_value);
/** Reads an integer of 32 bits. See pipit_item_bool(). */
PIPIT_API int pipit_item_int32(const struct pipit_item *item, int32_t *ret_value);
/** Reads an integer of 64 bits. See pipit_item_bool(). */
PIPIT_API int pipit_item_int64(const struct pipit_item *item, int64_t *ret_value);
/** Reads a number in single precision. See pipit_item_bool(). */
PIPIT_API int pipit_item_float(const struct pipit_item *item, float *ret_value);
/** Reads a number in double precision. See pipit_item_bool(). */
PIPIT_API int pipit_item_double(const struct pipit_item *item, double *ret_value);
/** Reads a bytea. See pipit_item_bool(). The bytes are owned by the result. */
PIPIT_API int pipit_item_bytes(const struct pipit_item *item, struct pipit_bytes *ret_value);
/** Reads a timestamp or a date. See pipit_item_bool(). A value without time zone counts as UTC, and
 * a date as its midnight. Text of the server must have the style ISO, which pipit sets but where a
 * pooler lends sessions for transactions: there DateStyle of the role must be ISO. */
PIPIT_API int
pipit_item_timestamp(const struct pipit_item *item, struct pipit_timestamp *ret_value);
/** Reads a UUID. See pipit_item_bool(). */
PIPIT_API int pipit_item_uuid(const struct pipit_item *item, struct pipit_uuid *ret_value);
/** Reads an interval. See pipit_item_bool(). */
PIPIT_API int pipit_item_interval(const struct pipit_item *item, struct pipit_interval *ret_value);

/**
 * Reads an exact number as a count of its last decimal digit: 12.5 is 1250 units with a scale of 2.
 *
 * @param item       a numeric or an integer; borrowed until the call returns
 * @param scale      the number of digits after the point, 0 to PIPIT_SCALE_MAX
 * @param ret_value  the number; written only on success
 * @return as pipit_item_bool(); PIPIT_EINVAL also for a @a scale out of range; PIPIT_ETYPE also for
 *         NaN and infinity, and for a number with more digits after the point than @a scale, unless
 *         these are zeros
 */
PIPIT_API int
pipit_item_decimal(const struct pipit_item *item, int scale, struct pipit_decimal *ret_value);

/** Reads an array. See pipit_item_bool(). Each call makes the array's items anew, in the result. */
PIPIT_API int pipit_item_array(const struct pipit_item *item, struct pipit_array *ret_value);
/** Reads a range. See pipit_item_bool(). */
PIPIT_API int pipit_item_range(const struct pipit_item *item, struct pipit_range *ret_value);
/** Reads a multirange. See pipit_item_bool(). Each call makes its items anew, in the result. */
PIPIT_API int pipit_item_multirange(const struct pipit_item *item, struct pipit_items *ret_value);
/** Reads a composite, that is a row in a column. See pipit_item_bool(). Each call makes the
 * composite's items anew, in the result. */
PIPIT_API int pipit_item_composite(const struct pipit_item *item, struct pipit_items *ret_value);

#ifdef __cplusplus
}
#endif

#endif
