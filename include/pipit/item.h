/*
 * Items: single values of a result, and the values inside of them: the elements of an array, the
 * bounds of a range, the fields of a composite.
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
 * An item is a small struct on the caller's stack that points into its result, and is good as long
 * as that; so is everything that is taken out of it. Whether the server sent text or binary makes
 * no difference to anything here. What most of the functions take is documented here:
 *
 * @param item       borrowed; NULL is refused with PIPIT_EINVAL
 * @param ret_value  written only on success
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

/** How many dimensions an array can have. */
#define PIPIT_ARRAY_DIMENSIONS 6

/** A value in a result. Copied freely; read it with the functions below. */
struct pipit_item {
        struct pipit_result *result; /**< where it is; borrowed, and not kept alive by this */
        const char *data;            /**< as the server sent it, in the result; NULL for NULL */
        size_t length;               /**< of data, in bytes */
        uint32_t type;               /**< the OID of its type; 0 when it is not known */
        bool binary;                 /**< whether data is in binary form */
};

/** An array. */
struct pipit_array {
        int n_dimensions; /**< 0 for an empty array, at most PIPIT_ARRAY_DIMENSIONS */
        int32_t lengths[PIPIT_ARRAY_DIMENSIONS]; /**< how many elements, in each dimension */
        int32_t lower[PIPIT_ARRAY_DIMENSIONS];   /**< where the count begins in SQL, mostly 1 */
        size_t n;                                /**< of the items: the product of the lengths */
        const struct pipit_item *items; /**< owned by the result; the last dimension runs fastest */
};

/** A range. What is not there for an empty one, or an infinite bound, is a NULL item. */
struct pipit_range {
        bool empty;              /**< holds nothing */
        bool lower_infinite;     /**< has no lower bound */
        bool upper_infinite;     /**< has no upper bound */
        bool lower_inclusive;    /**< holds its lower bound */
        bool upper_inclusive;    /**< holds its upper bound */
        struct pipit_item lower; /**< the bound */
        struct pipit_item upper; /**< the bound */
};

/** Several values: the fields of a composite, or the ranges of a multirange. */
struct pipit_items {
        size_t n;                       /**< how many */
        const struct pipit_item *items; /**< owned by the result */
};

/**
 * A value of a result, NULL included.
 *
 * @param res        the result
 * @param row        from 0
 * @param column     from 0
 * @param ret_value  written only on success
 * @return 0; PIPIT_EINVAL when there is no such row or column, or no @a ret_value
 */
PIPIT_API int
pipit_result_item(struct pipit_result *res, int row, int column, struct pipit_item *ret_value);

/** Whether it is NULL; true for no item at all. */
PIPIT_API bool pipit_item_null(const struct pipit_item *item);

/**
 * The server's text of it. Where text has to be made, each call makes it anew, in the result.
 *
 * @param item  borrowed
 * @return NUL-terminated UTF-8, owned by the item's result; NULL for NULL, without memory, and for
 *         bytes that are no value of its type
 */
PIPIT_API const char *pipit_item_text(const struct pipit_item *item);

/**
 * A value as a C value. Nothing wraps and nothing is cut: a value that does not fit is PIPIT_ETYPE.
 *
 * @param item       borrowed
 * @param ret_value  written only on success
 * @return 0; PIPIT_EINVAL for no item or no @a ret_value; PIPIT_ENOTFOUND when it is NULL;
 *         PIPIT_ETYPE when it is no such value or out of range; PIPIT_ENOMEM
 */
PIPIT_API int pipit_item_bool(const struct pipit_item *item, bool *ret_value);
/** See pipit_item_bool(). */
PIPIT_API int pipit_item_int16(const struct pipit_item *item, int16_t *ret_value);
/** See pipit_item_bool(). */
PIPIT_API int pipit_item_int32(const struct pipit_item *item, int32_t *ret_value);
/** See pipit_item_bool(). */
PIPIT_API int pipit_item_int64(const struct pipit_item *item, int64_t *ret_value);
/** See pipit_item_bool(). */
PIPIT_API int pipit_item_float(const struct pipit_item *item, float *ret_value);
/** See pipit_item_bool(). */
PIPIT_API int pipit_item_double(const struct pipit_item *item, double *ret_value);
/** See pipit_item_bool(); the bytes are owned by the result. */
PIPIT_API int pipit_item_bytes(const struct pipit_item *item, struct pipit_bytes *ret_value);
/** See pipit_item_bool(); what has no zone is taken as UTC, and a date as its midnight. */
PIPIT_API int
pipit_item_timestamp(const struct pipit_item *item, struct pipit_timestamp *ret_value);
/** See pipit_item_bool(). */
PIPIT_API int pipit_item_uuid(const struct pipit_item *item, struct pipit_uuid *ret_value);
/** See pipit_item_bool(); of an interval. */
PIPIT_API int pipit_item_interval(const struct pipit_item *item, struct pipit_interval *ret_value);

/**
 * A number as an integer count of its last decimal digit: 12.5 is 1250 with a scale of 2.
 *
 * @param item       of type numeric or an integer; borrowed
 * @param scale      how many digits behind the point, 0 to PIPIT_SCALE_MAX
 * @param ret_value  written only on success
 * @return as pipit_item_bool(); PIPIT_EINVAL for a bad @a scale; PIPIT_ETYPE also for more digits
 *         behind the point than that, unless they are zeros, and for NaN and infinity
 */
PIPIT_API int
pipit_item_decimal(const struct pipit_item *item, int scale, struct pipit_decimal *ret_value);

/** See pipit_item_bool(); of an array. Each call makes its items anew, in the result. */
PIPIT_API int pipit_item_array(const struct pipit_item *item, struct pipit_array *ret_value);
/** See pipit_item_bool(); of a range. */
PIPIT_API int pipit_item_range(const struct pipit_item *item, struct pipit_range *ret_value);
/** See pipit_item_bool(); of a multirange. Each call makes its items anew, in the result. */
PIPIT_API int pipit_item_multirange(const struct pipit_item *item, struct pipit_items *ret_value);
/** See pipit_item_bool(); of a composite, a row in a column. Each call makes its items anew. */
PIPIT_API int pipit_item_composite(const struct pipit_item *item, struct pipit_items *ret_value);

#ifdef __cplusplus
}
#endif

#endif
