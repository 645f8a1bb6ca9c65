/*
 * An item is one value of a result, or a value inside of one. See <pipit/item.h>.
 *
 * Items own nothing: they point into their result. What always holds:
 * 1. A getter writes *ret_value on success only. It checks in one order, whatever the type: its
 *    arguments, SQL NULL, the value.
 * 2. Memory that a getter allocates belongs to the item's result, so that nobody has to free it.
 *
 * The getters of item.c and item_nested.c begin with the check here.
 */
#ifndef PIPIT_ITEM_INTERNAL_H
#define PIPIT_ITEM_INTERNAL_H

#include <pipit/error.h>
#include <pipit/item.h>
#include <stddef.h>

/* Says why a getter has no value to read: PIPIT_EINVAL or PIPIT_ENOTFOUND; 0 if there is one. */
static inline int
pipit__item_check(const struct pipit_item *item, const void *ret_value)
{
        if (item == NULL)
                return PIPIT_EINVAL;
        if (item->data == NULL)
                return PIPIT_ENOTFOUND;
        return ret_value != NULL ? 0 : PIPIT_EINVAL;
}

#endif
