/*
 * Items: single values, and the values inside of them. See <pipit/item.h>.
 *
 * What holds other values is read from its binary form as it is, and from its text in a copy of it.
 */
#include <pipit/error.h>
#include <pipit/item.h>
#include <string.h>

#include "result/result.h"
#include "result/rows.h"
#include "value/binary_type.h"
#include "value/codec.h"
#include "value/decimal.h"
#include "value/decode.h"
#include "value/literal.h"
#include "value/nested.h"

/* A text that is taken apart. */
struct copy {
        char *text;
        size_t length;
        struct pipit_item *items;
};

/* Why there is no value; 0 when there is one. */
static int
item_check(const struct pipit_item *item, const void *ret_value)
{
        if (!item)
                return PIPIT_EINVAL;
        if (!item->data)
                return PIPIT_ENOTFOUND;
        return ret_value ? 0 : PIPIT_EINVAL;
}

#define ITEM_GETTER(name, type)                                                                    \
        int pipit_item_##name(const struct pipit_item *item, type *ret_value)                      \
        {                                                                                          \
                int code = item_check(item, ret_value);                                            \
                return code != 0 ? code : pipit__decode_##name(item, ret_value);                   \
        }

/* A value inside of a value in binary form; NULL when there are no bytes. */
static struct pipit_item
item_inside(const struct pipit_item *item, uint32_t type, const struct reader *value)
{
        return (struct pipit_item){
                .result = item->result,
                .data = (const char *)value->at,
                .length = reader_left(value),
                .type = type,
                .binary = true,
        };
}

/* Memory for the items, in the result. */
static struct pipit_item *
items_new(const struct pipit_item *item, size_t n)
{
        if (n > SIZE_MAX / sizeof(struct pipit_item))
                return NULL;
        return pipit__result_alloc(item->result, n * sizeof(struct pipit_item));
}

/* The type of the values inside, as far as the type itself says it. */
static uint32_t
item_element(const struct pipit_item *item)
{
        const struct binary_type *type = pipit__binary_type_find(item->type);

        return type ? type->element : 0;
}

/* What the text of an item does not say about the values in it. */
static void
items_complete(const struct pipit_item *item, struct pipit_item *items, size_t n, uint32_t type)
{
        for (size_t i = 0; i < n; i++) {
                items[i].result = item->result;
                items[i].type = type;
        }
}

/* Whether it is in binary form, and of a type that is built so. */
static bool
item_is(const struct pipit_item *item, enum binary_form form)
{
        const struct binary_type *type = pipit__binary_type_find(item->type);

        return item->binary && type && type->form == form;
}

/* The text of an item, in a copy that may be written to, with room for the items in it. */
static int
item_copy(const struct pipit_item *item, char delimiter, struct copy *ret_copy)
{
        const char *text = NULL;
        struct copy copy = {NULL, 0, NULL};
        int code = pipit__rows_text(item, &text, &copy.length);

        if (code != 0)
                return code;
        copy.text = pipit__result_alloc(item->result, copy.length + 1);
        copy.items = items_new(item, pipit__literal_most(text, copy.length, delimiter));
        if (!copy.text || !copy.items)
                return PIPIT_ENOMEM;
        memcpy(copy.text, text, copy.length);
        *ret_copy = copy;
        return 0;
}

static int
array_read_binary(const struct pipit_item *item, struct pipit_array *ret)
{
        struct reader in = reader_of(item->data, item->length);
        uint32_t element = item_element(item);
        struct nested_array head;

        if (!pipit__nested_array_read(&in, element, &head))
                return PIPIT_ETYPE;
        struct pipit_item *items = items_new(item, head.n);
        if (!items)
                return PIPIT_ENOMEM;
        for (size_t i = 0; i < head.n; i++) {
                struct reader value = {NULL, NULL, false};

                reader_value(&in, &value);
                items[i] = item_inside(item, element, &value);
        }
        if (!reader_done(&in))
                return PIPIT_ETYPE;
        *ret = (struct pipit_array){.n_dimensions = head.n_dimensions, .n = head.n, .items = items};
        for (int i = 0; i < head.n_dimensions; i++) {
                ret->lengths[i] = head.lengths[i];
                ret->lower[i] = head.lower[i];
        }
        return 0;
}

static int
array_read_text(const struct pipit_item *item, struct pipit_array *ret)
{
        uint32_t element = item_element(item);
        char delimiter = pipit__binary_type_delimiter(element);
        struct copy copy;
        int code = item_copy(item, delimiter, &copy);

        if (code != 0)
                return code;
        if (!pipit__literal_array(copy.text, copy.length, delimiter, copy.items, ret))
                return PIPIT_ETYPE;
        items_complete(item, copy.items, ret->n, element);
        return 0;
}

static int
range_read_binary(const struct pipit_item *item, struct pipit_range *ret)
{
        struct reader in = reader_of(item->data, item->length);
        uint32_t element = item_element(item);
        struct nested_range range;

        if (!pipit__nested_range_read(&in, &range) || !reader_done(&in))
                return PIPIT_ETYPE;
        *ret = (struct pipit_range){
                .empty = range.empty,
                .lower_infinite = !range.has_lower && !range.empty,
                .upper_infinite = !range.has_upper && !range.empty,
                .lower_inclusive = range.lower_inclusive && range.has_lower,
                .upper_inclusive = range.upper_inclusive && range.has_upper,
                .lower = item_inside(item, element, &range.lower),
                .upper = item_inside(item, element, &range.upper),
        };
        return 0;
}

static int
range_read_text(const struct pipit_item *item, struct pipit_range *ret)
{
        struct pipit_range range;
        struct copy copy;
        int code = item_copy(item, ',', &copy);

        if (code != 0)
                return code;
        if (!pipit__literal_range(copy.text, copy.length, &range))
                return PIPIT_ETYPE;
        items_complete(item, &range.lower, 1, item_element(item));
        items_complete(item, &range.upper, 1, item_element(item));
        *ret = range;
        return 0;
}

static int
multirange_read_binary(const struct pipit_item *item, struct pipit_items *ret)
{
        struct reader in = reader_of(item->data, item->length);
        size_t n = pipit__nested_ranges_count(&in);

        if (in.failed)
                return PIPIT_ETYPE;
        struct pipit_item *items = items_new(item, n);
        if (!items)
                return PIPIT_ENOMEM;
        for (size_t i = 0; i < n; i++) {
                struct reader value = {NULL, NULL, false};

                if (!reader_value(&in, &value))
                        return PIPIT_ETYPE;
                items[i] = item_inside(item, item_element(item), &value);
        }
        if (!reader_done(&in))
                return PIPIT_ETYPE;
        *ret = (struct pipit_items){n, items};
        return 0;
}

static int
composite_read_binary(const struct pipit_item *item, struct pipit_items *ret)
{
        struct reader in = reader_of(item->data, item->length);
        size_t n = pipit__nested_fields_count(&in);

        if (in.failed)
                return PIPIT_ETYPE;
        struct pipit_item *items = items_new(item, n);
        if (!items)
                return PIPIT_ENOMEM;
        for (size_t i = 0; i < n; i++) {
                struct reader value = {NULL, NULL, false};
                uint32_t type = 0;

                pipit__nested_field_read(&in, &type, &value);
                items[i] = item_inside(item, type, &value);
        }
        if (!reader_done(&in))
                return PIPIT_ETYPE;
        *ret = (struct pipit_items){n, items};
        return 0;
}

/* Of a multirange or a composite: parse says of which. */
static int
items_read_text(const struct pipit_item *item,
                bool (*parse)(char *text, size_t length, struct pipit_item *items, size_t *ret_n),
                struct pipit_items *ret)
{
        struct copy copy;
        size_t n = 0;
        int code = item_copy(item, ',', &copy);

        if (code != 0)
                return code;
        if (!parse(copy.text, copy.length, copy.items, &n))
                return PIPIT_ETYPE;
        items_complete(item, copy.items, n, item_element(item));
        *ret = (struct pipit_items){n, copy.items};
        return 0;
}

int
pipit_result_item(struct pipit_result *res, int row, int column, struct pipit_item *ret_value)
{
        return ret_value && pipit__rows_item(res, row, column, ret_value) ? 0 : PIPIT_EINVAL;
}

bool
pipit_item_null(const struct pipit_item *item)
{
        return !item || !item->data;
}

const char *
pipit_item_text(const struct pipit_item *item)
{
        const char *text = NULL;
        size_t length = 0;

        if (pipit_item_null(item) || pipit__rows_text(item, &text, &length) != 0)
                return NULL;
        /* Behind a text inside of a binary value there is what comes next, mostly a zero. */
        if (text[length] == '\0')
                return text;
        char *copy = pipit__result_alloc(item->result, length + 1);
        return copy ? memcpy(copy, text, length) : NULL;
}

ITEM_GETTER(bool, bool)
ITEM_GETTER(int16, int16_t)
ITEM_GETTER(int32, int32_t)
ITEM_GETTER(int64, int64_t)
ITEM_GETTER(float, float)
ITEM_GETTER(double, double)
ITEM_GETTER(timestamp, struct pipit_timestamp)
ITEM_GETTER(uuid, struct pipit_uuid)
ITEM_GETTER(interval, struct pipit_interval)

int
pipit_item_bytes(const struct pipit_item *item, struct pipit_bytes *ret_value)
{
        const char *text = NULL;
        size_t length = 0;
        int code = item_check(item, ret_value);

        if (code != 0)
                return code;
        const void *inside = pipit__decode_inside_bytes(item);
        if (inside) {
                *ret_value = (struct pipit_bytes){inside, item->length};
                return 0;
        }
        code = pipit__rows_text(item, &text, &length);
        if (code != 0)
                return code;
        void *data = pipit__result_alloc(item->result, length / 2 + 1);
        if (!data)
                return PIPIT_ENOMEM;
        code = pipit__codec_read_bytes(text, length, data, &length);
        if (code == 0)
                *ret_value = (struct pipit_bytes){data, length};
        return code;
}

int
pipit_item_decimal(const struct pipit_item *item, int scale, struct pipit_decimal *ret_value)
{
        int code = item_check(item, ret_value);

        if (code == 0 && !pipit__decimal_is_good((struct pipit_decimal){0, scale}))
                code = PIPIT_EINVAL;
        return code != 0 ? code : pipit__decode_decimal(item, scale, ret_value);
}

int
pipit_item_array(const struct pipit_item *item, struct pipit_array *ret_value)
{
        int code = item_check(item, ret_value);

        if (code != 0)
                return code;
        return item_is(item, BINARY_ARRAY) ? array_read_binary(item, ret_value)
                                           : array_read_text(item, ret_value);
}

int
pipit_item_range(const struct pipit_item *item, struct pipit_range *ret_value)
{
        int code = item_check(item, ret_value);

        if (code != 0)
                return code;
        return item_is(item, BINARY_RANGE) ? range_read_binary(item, ret_value)
                                           : range_read_text(item, ret_value);
}

int
pipit_item_multirange(const struct pipit_item *item, struct pipit_items *ret_value)
{
        int code = item_check(item, ret_value);

        if (code != 0)
                return code;
        return item_is(item, BINARY_MULTIRANGE)
                       ? multirange_read_binary(item, ret_value)
                       : items_read_text(item, pipit__literal_multirange, ret_value);
}

int
pipit_item_composite(const struct pipit_item *item, struct pipit_items *ret_value)
{
        int code = item_check(item, ret_value);

        if (code != 0)
                return code;
        return item_is(item, BINARY_COMPOSITE)
                       ? composite_read_binary(item, ret_value)
                       : items_read_text(item, pipit__literal_composite, ret_value);
}
