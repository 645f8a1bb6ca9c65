/*
 * Items with other values inside are taken apart here: arrays, ranges, multiranges and composites.
 * See item.h and <pipit/item.h>.
 *
 * Always:
 * 1. The values inside of a binary form are read where they are; those of a text are pieces of a
 *    copy of it, in the result.
 * 2. No memory is allocated on the word of a count alone: every value takes some bytes, and a count
 *    that promises more values than there are bytes for is refused.
 * 3. *ret_value is written last, when nothing can fail any more.
 *
 * Programs call these functions on items of results, and on items that they got out of others.
 */
#include <pipit/error.h>
#include <pipit/item.h>
#include <string.h>

#include "result/item.h"
#include "result/result.h"
#include "result/rows.h"
#include "value/binary_type.h"
#include "value/literal.h"
#include "value/nested.h"

/* A copy is a text that is taken apart; the values inside are pieces of it. */
struct copy {
        char *text; /* written to, so that each piece ends with a NUL */
        size_t length;
        struct pipit_item *items; /* as many as the text can have at most */
};

/* Makes an item of a value that stands inside of one in binary form. Where reading found SQL NULL
 * the value has no place, and so the item has no data. */
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

/* Returns room for n items, in the result; NULL if memory ran out. */
static struct pipit_item *
items_new(const struct pipit_item *item, size_t n)
{
        if (n > SIZE_MAX / sizeof(struct pipit_item))
                return NULL;
        return pipit__result_alloc(item->result, n * sizeof(struct pipit_item));
}

/* Returns the type of the values inside; 0 where the item's own type does not tell it, as for
 * composites.
 */
static uint32_t
item_element(const struct pipit_item *item)
{
        const struct binary_type *type = pipit__binary_type_find(item->type);

        return type != NULL ? type->element : 0;
}

/* Completes items that were found in a text: a text says nothing about their result and type. */
static void
items_complete(const struct pipit_item *item, struct pipit_item *items, size_t n, uint32_t type)
{
        for (size_t i = 0; i < n; i++) {
                items[i].result = item->result;
                items[i].type = type;
        }
}

/* Whether an item is in binary form and of a type that is built like that. */
static bool
item_is(const struct pipit_item *item, enum binary_form form)
{
        const struct binary_type *type = pipit__binary_type_find(item->type);

        return item->binary && type != NULL && type->form == form;
}

/* Copies the text of an item, so that it can be taken apart, with room for the items in it. 0, or
 * why there is no text. */
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
        if (copy.text == NULL || copy.items == NULL)
                return PIPIT_ENOMEM;
        memcpy(copy.text, text, copy.length);
        *ret_copy = copy;
        return 0;
}

/* ---- arrays */

static int
array_read_binary(const struct pipit_item *item, struct pipit_array *ret)
{
        struct reader in = reader_of(item->data, item->length);
        uint32_t element = item_element(item);
        struct nested_array head;

        if (!pipit__nested_array_read(&in, element, &head))
                return PIPIT_ETYPE;
        struct pipit_item *items = items_new(item, head.n);
        if (items == NULL)
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

/* ---- ranges */

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

/* ---- multiranges and composites */

static int
multirange_read_binary(const struct pipit_item *item, struct pipit_items *ret)
{
        struct reader in = reader_of(item->data, item->length);
        size_t n = pipit__nested_ranges_count(&in);

        if (in.failed)
                return PIPIT_ETYPE;
        struct pipit_item *items = items_new(item, n);
        if (items == NULL)
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
        if (items == NULL)
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

/* Reads the text of a multirange or a composite, which parse takes apart. */
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

/* ---- public */

int
pipit_item_array(const struct pipit_item *item, struct pipit_array *ret_value)
{
        int code = pipit__item_check(item, ret_value);

        if (code != 0)
                return code;
        return item_is(item, BINARY_ARRAY) ? array_read_binary(item, ret_value)
                                           : array_read_text(item, ret_value);
}

int
pipit_item_range(const struct pipit_item *item, struct pipit_range *ret_value)
{
        int code = pipit__item_check(item, ret_value);

        if (code != 0)
                return code;
        return item_is(item, BINARY_RANGE) ? range_read_binary(item, ret_value)
                                           : range_read_text(item, ret_value);
}

int
pipit_item_multirange(const struct pipit_item *item, struct pipit_items *ret_value)
{
        int code = pipit__item_check(item, ret_value);

        if (code != 0)
                return code;
        return item_is(item, BINARY_MULTIRANGE)
                       ? multirange_read_binary(item, ret_value)
                       : items_read_text(item, pipit__literal_multirange, ret_value);
}

int
pipit_item_composite(const struct pipit_item *item, struct pipit_items *ret_value)
{
        int code = pipit__item_check(item, ret_value);

        if (code != 0)
                return code;
        return item_is(item, BINARY_COMPOSITE)
                       ? composite_read_binary(item, ret_value)
                       : items_read_text(item, pipit__literal_composite, ret_value);
}
