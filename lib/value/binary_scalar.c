/*
 * A scalar value in binary form is a number in network order, or bytes. See binary_scalar.h.
 */
#include "value/binary_scalar.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "value/codec.h"
#include "value/number.h"
#include "value/shortest.h"

/* Writes the rest of the value as it is. A NUL in it is no text. */
void
pipit__binary_write_text(struct reader *in, struct buf *out)
{
        size_t length = reader_left(in);
        const uint8_t *at = reader_take(in, length);

        if (at == NULL || memchr(at, 0, length) != NULL)
                reader_fail(in);
        else
                pipit__buf_add(out, at, length);
}

void
pipit__binary_write_versioned(struct reader *in, struct buf *out)
{
        if (reader_u8(in) == 1)
                pipit__binary_write_text(in, out);
        else
                reader_fail(in);
}

void
pipit__binary_write_void(struct reader *in, struct buf *out)
{
        (void)in;
        (void)out;
}

void
pipit__binary_write_bool(struct reader *in, struct buf *out)
{
        pipit__buf_add_char(out, reader_u8(in) ? 't' : 'f');
}

/* A "char" that is no ASCII has an octal form; 0 is the empty text. */
void
pipit__binary_write_char(struct reader *in, struct buf *out)
{
        uint8_t byte = reader_u8(in);

        if (byte >= 0x80) {
                char text[8];
                snprintf(text, sizeof text, "\\%03o", byte);
                pipit__buf_add_text(out, text);
        } else if (byte > 0) {
                pipit__buf_add_char(out, (char)byte);
        }
}

/* Writes a value that the codec has the text of. */
static void
scalar_write_value(struct buf *out, const struct pipit_value *value)
{
        char text[PIPIT__CODEC_SCALAR_SIZE];

        pipit__buf_add(out, text, pipit__codec_encode(value, text));
}

/* A bytea may be long, so its text is written in pieces. */
void
pipit__binary_write_bytea(struct reader *in, struct buf *out)
{
        static const char digits[] = "0123456789abcdef";
        char text[256];
        size_t n = 0;

        pipit__buf_add_text(out, "\\x");
        while (in->at < in->end) {
                uint8_t byte = *in->at++;

                text[n++] = digits[byte >> 4];
                text[n++] = digits[byte & 15];
                if (n == sizeof text || in->at == in->end) {
                        pipit__buf_add(out, text, n);
                        n = 0;
                }
        }
}

static void
scalar_write_int(struct buf *out, int64_t number)
{
        char text[PIPIT__NUMBER_SIZE];

        pipit__buf_add(out, text, pipit__number_write_int(number, text));
}

static void
scalar_write_uint(struct buf *out, uint64_t number)
{
        char text[PIPIT__NUMBER_SIZE];

        pipit__buf_add(out, text, pipit__number_write_uint(number, text));
}

void
pipit__binary_write_int2(struct reader *in, struct buf *out)
{
        scalar_write_int(out, reader_i16(in));
}

void
pipit__binary_write_int4(struct reader *in, struct buf *out)
{
        scalar_write_int(out, reader_i32(in));
}

void
pipit__binary_write_int8(struct reader *in, struct buf *out)
{
        scalar_write_int(out, reader_i64(in));
}

void
pipit__binary_write_uint4(struct reader *in, struct buf *out)
{
        scalar_write_uint(out, reader_u32(in));
}

void
pipit__binary_write_uint8(struct reader *in, struct buf *out)
{
        scalar_write_uint(out, reader_u64(in));
}

float
pipit__binary_float4(struct reader *in)
{
        uint32_t bits = reader_u32(in);
        float number;

        memcpy(&number, &bits, sizeof number);
        return number;
}

double
pipit__binary_float8(struct reader *in)
{
        uint64_t bits = reader_u64(in);
        double number;

        memcpy(&number, &bits, sizeof number);
        return number;
}

void
pipit__binary_write_float4(struct reader *in, struct buf *out)
{
        char text[PIPIT__NUMBER_SIZE];

        pipit__buf_add(out, text, pipit__shortest_float(pipit__binary_float4(in), text));
}

void
pipit__binary_write_float8(struct reader *in, struct buf *out)
{
        char text[PIPIT__NUMBER_SIZE];

        pipit__buf_add(out, text, pipit__shortest_double(pipit__binary_float8(in), text));
}

void
pipit__binary_write_tid(struct reader *in, struct buf *out)
{
        pipit__buf_add_char(out, '(');
        scalar_write_uint(out, reader_u32(in));
        pipit__buf_add_char(out, ',');
        scalar_write_uint(out, reader_u16(in));
        pipit__buf_add_char(out, ')');
}

void
pipit__binary_write_lsn(struct reader *in, struct buf *out)
{
        char text[PIPIT__NUMBER_SIZE];
        uint32_t high = reader_u32(in);
        uint32_t low = reader_u32(in);

        snprintf(text, sizeof text, "%" PRIX32 "/%" PRIX32, high, low);
        pipit__buf_add_text(out, text);
}

void
pipit__binary_write_uuid(struct reader *in, struct buf *out)
{
        struct pipit_value value = {.kind = PIPIT_KIND_UUID};
        const uint8_t *at = reader_take(in, sizeof value.as.uuid.bytes);

        if (at == NULL)
                return;
        memcpy(value.as.uuid.bytes, at, sizeof value.as.uuid.bytes);
        scalar_write_value(out, &value);
}

/* A bit string is the number of its bits, and as many bytes as they need. */
void
pipit__binary_write_bits(struct reader *in, struct buf *out)
{
        uint32_t n_bits = reader_u32(in);
        const uint8_t *at = reader_take(in, n_bits / 8 + (n_bits % 8 > 0 ? 1 : 0));

        for (uint32_t i = 0; at != NULL && i < n_bits; i++)
                pipit__buf_add_char(out, at[i / 8] & 0x80 >> i % 8 ? '1' : '0');
}
