/*
 * Whether two values of results are the same by every getter, whatever their form. Neither Check
 * nor libpq is needed.
 */
#ifndef TEST_AGREE_H
#define TEST_AGREE_H

#include <pipit/item.h>

/* The getter that tells them apart; NULL: none, also not for the values inside of them. */
const char *items_differ(const struct pipit_item *a, const struct pipit_item *b);

#endif
