/*
 * An array is a head and its elements, each with its length or in quotes. See array.h.
 */
#include "value/array.h"

#include <endian.h>
#include <string.h>

/* An element of at most so many bytes is appended in one piece with its length. Most elements are
 * numbers. */
enum { SHORT_SIZE = 16 };

static void
array_add_uint32(struct buf *out, uint32_t value)
{
        uint32_t bytes = htobe32(value);

        pipit__buf_add(out, &bytes, sizeof bytes);
}

void
pipit__array_begin_binary(struct buf *out, uint32_t element, int n, bool has_null)
{
        array_add_uint32(out, 1); /* dimensions */
        array_add_uint32(out, has_null);
        array_add_uint32(out, element);
        array_add_uint32(out, (uint32_t)n);
        array_add_uint32(out, 1); /* the lowest subscript */
}

void
pipit__array_add_binary(struct buf *out, const char *data, size_t length)
{
        uint32_t size = htobe32(data != NULL ? (uint32_t)length : UINT32_MAX);
        char bytes[sizeof size + SHORT_SIZE];

        memcpy(bytes, &size, sizeof size);
        if (data != NULL && length <= SHORT_SIZE) {
                memcpy(bytes + sizeof size, data, length);
                pipit__buf_add(out, bytes, sizeof size + length);
                return;
        }
        pipit__buf_add(out, bytes, sizeof size);
        if (data != NULL)
                pipit__buf_add(out, data, length);
}

void
pipit__array_add_text(struct buf *out, int i, const char *text)
{
        pipit__buf_add_char(out, i == 0 ? '{' : ',');
        if (text == NULL) {
                pipit__buf_add_text(out, "NULL");
                return;
        }
        /* In quotes every text stands for itself: braces, commas, nothing at all, the word NULL. */
        pipit__buf_add_char(out, '"');
        for (; *text != '\0'; text++) {
                if (*text == '"' || *text == '\\')
                        pipit__buf_add_char(out, '\\');
                pipit__buf_add_char(out, *text);
        }
        pipit__buf_add_char(out, '"');
}

void
pipit__array_end_text(struct buf *out)
{
        pipit__buf_add_char(out, '}');
}
