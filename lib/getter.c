/*
 * The typed getters of results: one value as a C value. See <pipit/result.h>.
 */
#include "result.h"

#include <pipit/error.h>

#define GETTER(name, type)                                                                         \
        int pipit_result_##name(const struct pipit_result *res, int row, int column,               \
                                type *ret_value)                                                   \
        {                                                                                          \
                struct pipit_item item;                                                            \
                if (!pipit__result_item(res, row, column, &item))                                  \
                        return PIPIT_EINVAL;                                                       \
                return pipit_item_##name(&item, ret_value);                                        \
        }

GETTER(bool, bool)
GETTER(int16, int16_t)
GETTER(int32, int32_t)
GETTER(int64, int64_t)
GETTER(float, float)
GETTER(double, double)
GETTER(timestamp, struct pipit_timestamp)
GETTER(uuid, struct pipit_uuid)

int
pipit_result_bytes(struct pipit_result *res, int row, int column, struct pipit_bytes *ret_value)
{
        struct pipit_item item;

        if (!pipit__result_item(res, row, column, &item))
                return PIPIT_EINVAL;
        return pipit_item_bytes(&item, ret_value);
}
