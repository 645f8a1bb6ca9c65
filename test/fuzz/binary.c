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

/* A long value is asked for its text only: every getter of every value inside takes too long. */
enum { TYPE_SIZE = 2, LONGEST = 600 };

/*
 * What is made of a value is bounded by it. A text has at most 147,457 bytes, which the longest
 * numeric needs, and 32 for each byte of its value, which is more than values need in bulk. Of a
 * text an item is made for each byte at most, and of a value in binary form far less.
 */
#define TEXT_MOST(length)  ((size_t)147457 + 32 * (length))
#define ITEMS_MOST(length) ((TEXT_MOST(length) + 1) * sizeof(struct pipit_item))

/* Besides what is made: the head of a block, or a small block for many. */
#define BLOCK_MOST 4096

void *__real_malloc(size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *old, size_t size);

static size_t largest; /* of the blocks that were asked for */

void *
__wrap_malloc(size_t size)
{
        largest = size > largest ? size : largest;
        return __real_malloc(size);
}

void *
__wrap_realloc(void *old, size_t size)
{
        largest = size > largest ? size : largest;
        return __real_realloc(old, size);
}

/* The text of a value in binary form, or NULL; either way it has taken no more than it may. */
static const char *
try_text(const struct pipit_item *item)
{
        largest = 0;
        const char *text = pipit_item_text(item);
        MUST(largest <= TEXT_MOST(item->length) + BLOCK_MOST);
        MUST(text == NULL || strlen(text) <= TEXT_MOST(item->length));
        return text;
}

/* Every getter, on the value as it is. */
static void
try_all(const struct pipit_item *item)
{
        largest = 0;
        MUST(items_differ(item, item) == NULL);
        MUST(largest <= ITEMS_MOST(item->length) + BLOCK_MOST);
}

static void
try_binary(struct pipit_item item)
{
        item.binary = true;
        struct pipit_item text = {.result = item.result, .type = item.type};
        text.data = try_text(&item);
        if (item.length > LONGEST)
                return;
        try_all(&item);
        if (text.data == NULL)
                return;
        text.length = strlen(text.data);
        MUST(items_differ(&item, &text) == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct result_owner owner;

        if (size < TYPE_SIZE)
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
        if (length <= LONGEST)
                try_all(&item);
        try_binary(item);
        pipit_result_unref(res);
        pipit__result_owner_fini(&owner);
        free(value);
        return 0;
}
