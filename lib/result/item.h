/*
 * Items, from the inside. See <pipit/item.h>.
 */
#ifndef PIPIT_ITEM_INTERNAL_H
#define PIPIT_ITEM_INTERNAL_H

#include <pipit/error.h>
#include <pipit/item.h>
#include <stddef.h>

/* Says why a getter has no value to give: PIPIT_EINVAL or PIPIT_ENOTFOUND; 0 when there is one. */
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
