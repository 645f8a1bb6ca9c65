/*
 * A typed getter reads one value of a result as a C value. See <pipit/result.h>.
 *
 * Always:
 * 1. A getter gives what the getter of the same type gives for the value's item, and PIPIT_EINVAL
 *    where there is no such row or column.
 * 2. The shortcut for integers changes nothing but the time: it reads a value only if that is in
 *    binary form, of the very type of the C value and of its size.
 *
 * Programs call these functions, in loops over thousands of rows.
 */
#include <pipit/error.h>

#include "result/rows.h"
#include "value/oid.h"
#include "value/reader.h"

/* Defines a getter that reads any value as an item. */
#define READ_ITEM(read, type, linkage, function)                                                   \
        linkage int function(const struct pipit_result *res, int row, int column, type *ret_value) \
        {                                                                                          \
                struct pipit_item item;                                                            \
                if (!pipit__rows_item(res, row, column, &item))                                    \
                        return PIPIT_EINVAL;                                                       \
                return read(&item, ret_value);                                                     \
        }

#define GETTER(name, type) READ_ITEM(pipit_item_##name, type, , pipit_result_##name)

/* Defines a getter that reads a value of one type, by its OID, where it is, and any other value as
 * an item. */
#define INTEGER_GETTER(name, type, oid, read)                                                      \
        READ_ITEM(pipit_item_##name, type, __attribute__((noinline)) static, read_any_##name)      \
        int pipit_result_##name(const struct pipit_result *res, int row, int column,               \
                                type *ret_value)                                                   \
        {                                                                                          \
                const void *plain = pipit__rows_plain(res, row, column, oid, sizeof *ret_value);   \
                if (plain == NULL || ret_value == NULL)                                            \
                        return read_any_##name(res, row, column, ret_value);                       \
                struct reader in = reader_of(plain, sizeof *ret_value);                            \
                *ret_value = read(&in);                                                            \
                return 0;                                                                          \
        }

GETTER(bool, bool)
GETTER(int16, int16_t)
INTEGER_GETTER(int32, int32_t, OID_INT4, reader_i32)
INTEGER_GETTER(int64, int64_t, OID_INT8, reader_i64)
GETTER(float, float)
GETTER(double, double)
GETTER(timestamp, struct pipit_timestamp)
GETTER(uuid, struct pipit_uuid)

int
pipit_result_bytes(struct pipit_result *res, int row, int column, struct pipit_bytes *ret_value)
{
        struct pipit_item item;

        if (!pipit__rows_item(res, row, column, &item))
                return PIPIT_EINVAL;
        return pipit_item_bytes(&item, ret_value);
}
