/*
 * Values of results as a hostile server may send them: two bytes say the type, the rest is the
 * value, once in binary form and once as text. Whatever a value in binary form is, its text is the
 * same by every getter.
 */
#include <stdlib.h>
#include <string.h>

#include "agree.h"
#include "fuzz.h"
#include "result/result.h"

/* A short value can have a very long text; many of them say no more. */
enum { TYPE_SIZE = 2, LONGEST = 600 };

/* Every getter, on the value as it is. */
static void
try_all(const struct pipit_item *item)
{
        MUST(items_differ(item, item) == NULL);
}

static void
try_binary(struct pipit_item item)
{
        item.binary = true;
        try_all(&item);
        struct pipit_item text = {.result = item.result, .type = item.type};
        text.data = pipit_item_text(&item);
        if (text.data == NULL)
                return;
        text.length = strlen(text.data);
        MUST(items_differ(&item, &text) == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct result_owner owner;

        if (size < TYPE_SIZE || size > LONGEST)
                return 0;
        size_t length = size - TYPE_SIZE;
        /* As in a result, there is a NUL behind it, and nothing else. */
        char *value = malloc(length + 1);
        pipit__result_owner_init(&owner, NULL);
        struct pipit_result *res = pipit__result_new(&owner);
        MUST(value != NULL && res != NULL);
        memcpy(value, data + TYPE_SIZE, length);
        value[length] = '\0';
        struct pipit_item item = {.result = res, .data = value, .length = length};
        item.type = (uint32_t)(data[0] << 8 | data[1]);
        try_all(&item);
        try_binary(item);
        pipit_result_unref(res);
        pipit__result_owner_fini(&owner);
        free(value);
        return 0;
}
