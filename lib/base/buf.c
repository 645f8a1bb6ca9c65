/*
 * The buf is one allocation that doubles. See buf.h.
 *
 * Invariant: data is NULL, or data[length] is a NUL inside of capacity.
 */
#include "base/buf.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_FIRST_SIZE = 128 };

/* A capacity is doubled, so it must not be more than half of what a size_t holds. */
#define BUF_MAX (SIZE_MAX / 4)

/* Makes room for that many more bytes and a NUL behind them; false if the buf has failed. */
static bool
buf_reserve(struct buf *buf, size_t more)
{
        if (buf->failed)
                return false;
        if (more < buf->capacity - buf->length)
                return true;
        if (buf->length > buf->max || more > buf->max - buf->length) {
                buf->failed = buf->full = true;
                return false;
        }

        size_t capacity = buf->capacity ? buf->capacity : BUF_FIRST_SIZE;
        while (capacity - buf->length <= more)
                capacity *= 2;
        if (capacity > buf->max + 1)
                capacity = buf->max + 1;
        char *data = realloc(buf->data, capacity);
        if (data == NULL) {
                buf->failed = true;
                return false;
        }
        buf->data = data;
        buf->capacity = capacity;
        return true;
}

void
pipit__buf_init(struct buf *buf)
{
        *buf = (struct buf){.max = BUF_MAX};
}

void
pipit__buf_fini(struct buf *buf)
{
        free(buf->data);
        pipit__buf_init(buf);
}

void
pipit__buf_clear(struct buf *buf)
{
        buf->length = 0;
        buf->failed = buf->full = false;
        if (buf->data != NULL)
                buf->data[0] = '\0';
}

size_t
pipit__buf_limit(struct buf *buf, size_t max)
{
        size_t before = buf->max;

        if (max < before)
                buf->max = max;
        return before;
}

void
pipit__buf_add(struct buf *buf, const void *data, size_t length)
{
        if (!buf_reserve(buf, length))
                return;
        if (length > 0)
                memcpy(buf->data + buf->length, data, length);
        buf->length += length;
        buf->data[buf->length] = '\0';
}

void
pipit__buf_add_text(struct buf *buf, const char *text)
{
        pipit__buf_add(buf, text, strlen(text));
}

void
pipit__buf_add_char(struct buf *buf, char c)
{
        pipit__buf_add(buf, &c, 1);
}

const char *
pipit__buf_text(const struct buf *buf)
{
        return buf->data != NULL ? buf->data : "";
}

char *
pipit__buf_take(struct buf *buf)
{
        char *text = NULL;

        pipit__buf_add(buf, "", 0);
        if (!buf->failed) {
                text = buf->data;
                buf->data = NULL;
        }
        pipit__buf_fini(buf);
        return text;
}
