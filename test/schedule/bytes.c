/*
 * Strings of bytes. See bytes.h.
 */
#include "bytes.h"

#include <stdlib.h>
#include <string.h>

#include "world.h"

size_t
bytes_length(const struct bytes *bytes)
{
        return bytes->end - bytes->first;
}

const unsigned char *
bytes_head(const struct bytes *bytes)
{
        return bytes->at + bytes->first;
}

unsigned char *
bytes_reserve(struct bytes *bytes, size_t n)
{
        if (bytes->first > 0 && bytes->end + n > bytes->room) {
                memmove(bytes->at, bytes->at + bytes->first, bytes_length(bytes));
                bytes->end -= bytes->first;
                bytes->first = 0;
        }
        if (bytes->end + n > bytes->room) {
                bytes->room = 2 * (bytes->end + n);
                bytes->at = realloc(bytes->at, bytes->room);
                if (bytes->at == NULL)
                        broken("the harness has no memory");
        }
        return bytes->at + bytes->end;
}

void
bytes_grew(struct bytes *bytes, size_t n)
{
        bytes->end += n;
}

void
bytes_put(struct bytes *bytes, const void *data, size_t n)
{
        memcpy(bytes_reserve(bytes, n), data, n);
        bytes_grew(bytes, n);
}

void
bytes_eat(struct bytes *bytes, size_t n)
{
        bytes->first += n;
        if (bytes->first == bytes->end)
                bytes_clear(bytes);
}

void
bytes_clear(struct bytes *bytes)
{
        bytes->first = bytes->end = 0;
}

size_t
message_begin(struct bytes *bytes, char type)
{
        bytes_put(bytes, &type, 1);
        size_t begun = bytes_length(bytes);
        message_int32(bytes, 0);
        return begun;
}

void
message_int16(struct bytes *bytes, unsigned n)
{
        unsigned char raw[] = {(unsigned char)(n >> 8), (unsigned char)n};

        bytes_put(bytes, raw, sizeof raw);
}

void
message_int32(struct bytes *bytes, uint32_t n)
{
        message_int16(bytes, n >> 16);
        message_int16(bytes, n & 0xffff);
}

void
message_text(struct bytes *bytes, const char *text)
{
        bytes_put(bytes, text, strlen(text) + 1);
}

void
message_end(struct bytes *bytes, size_t begun)
{
        size_t length = bytes_length(bytes) - begun;
        unsigned char *at = bytes->at + bytes->first + begun;

        for (int i = 3; i >= 0; i--, length >>= 8)
                at[i] = (unsigned char)length;
}

uint32_t
read_number(const unsigned char *at, size_t size)
{
        uint32_t n = 0;

        for (size_t i = 0; i < size; i++)
                n = n << 8 | at[i];
        return n;
}
