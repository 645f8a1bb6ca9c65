/*
 * Items of single values are read here; item_nested.c reads those with other values inside. See
 * item.h and <pipit/item.h>.
 *
 * Programs call these functions, and so do the getters of results.
 */
#include "result/item.h"

#include <pipit/error.h>
#include <string.h>

#include "result/result.h"
#include "result/rows.h"
#include "value/codec.h"
#include "value/decimal.h"
#include "value/decode.h"
#include "value/oid.h"

/* Defines the getter of that name for a type that decode.h reads. */
#define ITEM_GETTER(name, type)                                                                    \
        int pipit_item_##name(const struct pipit_item *item, type *ret_value)                      \
        {                                                                                          \
                int code = pipit__item_check(item, ret_value);                                     \
                return code != 0 ? code : pipit__decode_##name(item, ret_value);                   \
        }

/* Defines one for floating numbers, whose texts lack digits in some sessions. */
#define NUMBER_GETTER(name, type)                                                                  \
        int pipit_item_##name(const struct pipit_item *item, type *ret_value)                      \
        {                                                                                          \
                int code = pipit__item_check(item, ret_value);                                     \
                if (code == 0 && pipit__rows_is_rounded(item))                                     \
                        code = PIPIT_ETYPE;                                                        \
                return code != 0 ? code : pipit__decode_##name(item, ret_value);                   \
        }

int
pipit_result_item(struct pipit_result *res, int row, int column, struct pipit_item *ret_value)
{
        return ret_value != NULL && pipit__rows_item(res, row, column, ret_value) ? 0
                                                                                  : PIPIT_EINVAL;
}

bool
pipit_item_null(const struct pipit_item *item)
{
        return item == NULL || item->data == NULL;
}

const char *
pipit_item_text(const struct pipit_item *item)
{
        const char *text = NULL;
        size_t length = 0;

        if (pipit_item_null(item) || pipit__rows_text(item, &text, &length) != 0)
                return NULL;
        /* Inside of a binary value a text is followed by the next value, which mostly begins with a
         * zero byte: then the text ends there, and needs no copy. */
        if (text[length] == '\0')
                return text;
        return pipit__rows_add_text(item->result, text, length, &text) == 0 ? text : NULL;
}

ITEM_GETTER(bool, bool)
ITEM_GETTER(int16, int16_t)
ITEM_GETTER(int32, int32_t)
ITEM_GETTER(int64, int64_t)
NUMBER_GETTER(float, float)
NUMBER_GETTER(double, double)
ITEM_GETTER(timestamp, struct pipit_timestamp)
ITEM_GETTER(uuid, struct pipit_uuid)
ITEM_GETTER(interval, struct pipit_interval)

int
pipit_item_bytes(const struct pipit_item *item, struct pipit_bytes *ret_value)
{
        const char *text = NULL;
        size_t length = 0;
        int code = pipit__item_check(item, ret_value);

        if (code != 0)
                return code;
        const void *inside = pipit__decode_inside_bytes(item);
        if (inside != NULL) {
                *ret_value = (struct pipit_bytes){inside, item->length};
                return 0;
        }
        code = pipit__rows_text(item, &text, &length);
        if (code != 0)
                return code;
        /* bytea_output is hex, but where it cannot be set. */
        bool escaped = item->type == OID_BYTEA && strncmp(text, "\\x", 2) != 0;
        void *data = pipit__result_alloc(item->result, (escaped ? length : length / 2) + 1);
        if (data == NULL)
                return PIPIT_ENOMEM;
        code = (escaped ? pipit__codec_read_escaped : pipit__codec_read_bytes)(text, length, data,
                                                                               &length);
        if (code == 0)
                *ret_value = (struct pipit_bytes){data, length};
        return code;
}

int
pipit_item_decimal(const struct pipit_item *item, int scale, struct pipit_decimal *ret_value)
{
        int code = pipit__item_check(item, ret_value);

        if (code == 0 && !pipit__decimal_is_good((struct pipit_decimal){0, scale}))
                code = PIPIT_EINVAL;
        if (code == 0 && pipit__rows_is_rounded(item))
                code = PIPIT_ETYPE;
        return code != 0 ? code : pipit__decode_decimal(item, scale, ret_value);
}
