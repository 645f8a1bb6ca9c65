/*
 * The codec is a switch on a value's kind. See codec.h.
 *
 * Bool, text, bytes and UUIDs are written and read here; every other kind has a module.
 */
#include "value/codec.h"

#include <pipit/error.h>
#include <string.h>

#include "value/decimal.h"
#include "value/interval.h"
#include "value/number.h"
#include "value/shortest.h"
#include "value/timestamp.h"

_Static_assert((int)PIPIT__NUMBER_SIZE <= (int)PIPIT__CODEC_SCALAR_SIZE, "numbers fit");
_Static_assert((int)PIPIT__TIMESTAMP_SIZE <= (int)PIPIT__CODEC_SCALAR_SIZE, "timestamps fit");
_Static_assert((int)PIPIT__INTERVAL_SIZE <= (int)PIPIT__CODEC_SCALAR_SIZE, "intervals fit");
_Static_assert((int)PIPIT__DECIMAL_SIZE <= (int)PIPIT__CODEC_SCALAR_SIZE, "decimals fit");

static const char hex_digits[] = "0123456789abcdef";

/* Returns the value of a hexadecimal digit; -1 for another character. */
static int
codec_hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Returns the byte that two hexadecimal digits make; -1 if one of them is none. */
static int
codec_hex_byte(const char *text)
{
        int high = codec_hex_digit(text[0]);
        int low = codec_hex_digit(text[1]);

        return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static char *
codec_write_hex(char *out, const void *data, size_t length)
{
        const uint8_t *bytes = data;

        for (size_t i = 0; i < length; i++) {
                *out++ = hex_digits[bytes[i] >> 4];
                *out++ = hex_digits[bytes[i] & 15];
        }
        return out;
}

static size_t
codec_write_text(char *out, const char *text, size_t length)
{
        if (length > 0)
                memcpy(out, text, length);
        out[length] = '\0';
        return length;
}

static size_t
codec_write_bytes(char *out, const void *data, size_t length)
{
        char *end = out;

        *end++ = '\\';
        *end++ = 'x';
        end = codec_write_hex(end, data, length);
        *end = '\0';
        return (size_t)(end - out);
}

static size_t
codec_write_uuid(char *out, struct pipit_uuid uuid)
{
        static const size_t groups[] = {4, 2, 2, 2, 6};
        const uint8_t *bytes = uuid.bytes;
        char *end = out;

        for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
                if (i > 0)
                        *end++ = '-';
                end = codec_write_hex(end, bytes, groups[i]);
                bytes += groups[i];
        }
        *end = '\0';
        return (size_t)(end - out);
}

/* Measures an integer exactly, because waiting requests hold so many bytes. */
static size_t
codec_integer_size(const struct pipit_value *value)
{
        char text[PIPIT__CODEC_SCALAR_SIZE];

        if (value->kind == PIPIT_KIND_UINT)
                return pipit__number_write_uint(value->as.uint_value, text) + 1;
        return pipit__number_write_int(value->as.int_value, text) + 1;
}

int
pipit__codec_measure(const struct pipit_value *value, size_t *ret_size)
{
        switch (value->kind) {
        case PIPIT_KIND_NULL: *ret_size = 0; return 0;
        case PIPIT_KIND_BOOL: *ret_size = sizeof "t"; return 0;
        case PIPIT_KIND_INT:
        case PIPIT_KIND_UINT: *ret_size = codec_integer_size(value); return 0;
        case PIPIT_KIND_FLOAT:
        case PIPIT_KIND_DOUBLE:
        case PIPIT_KIND_TIMESTAMP:
        case PIPIT_KIND_INTERVAL:
        case PIPIT_KIND_UUID: *ret_size = PIPIT__CODEC_SCALAR_SIZE; return 0;
        case PIPIT_KIND_DECIMAL:
                if (!pipit__decimal_is_good(value->as.decimal))
                        return PIPIT_EINVAL;
                *ret_size = PIPIT__CODEC_SCALAR_SIZE;
                return 0;
        case PIPIT_KIND_TEXT:
                if (value->as.text == NULL)
                        return PIPIT_EINVAL;
                if (value->length == SIZE_MAX || memchr(value->as.text, 0, value->length) != NULL)
                        return PIPIT_ETYPE;
                *ret_size = value->length + 1;
                return 0;
        case PIPIT_KIND_BYTES:
                if (value->as.bytes == NULL)
                        return PIPIT_EINVAL;
                if (value->length > (SIZE_MAX - 3) / 2)
                        return PIPIT_ETYPE;
                *ret_size = 2 * value->length + 3;
                return 0;
        case PIPIT_KIND_POINTER: break;
        }
        return PIPIT_EINVAL;
}

size_t
pipit__codec_encode(const struct pipit_value *value, char *out)
{
        switch (value->kind) {
        case PIPIT_KIND_BOOL: return codec_write_text(out, value->as.bool_value ? "t" : "f", 1);
        case PIPIT_KIND_INT: return pipit__number_write_int(value->as.int_value, out);
        case PIPIT_KIND_UINT: return pipit__number_write_uint(value->as.uint_value, out);
        case PIPIT_KIND_FLOAT: return pipit__shortest_param((double)value->as.float_value, out);
        case PIPIT_KIND_DOUBLE: return pipit__shortest_param(value->as.double_value, out);
        case PIPIT_KIND_TEXT: return codec_write_text(out, value->as.text, value->length);
        case PIPIT_KIND_BYTES: return codec_write_bytes(out, value->as.bytes, value->length);
        case PIPIT_KIND_TIMESTAMP: return pipit__timestamp_write(value->as.timestamp, out);
        case PIPIT_KIND_UUID: return codec_write_uuid(out, value->as.uuid);
        case PIPIT_KIND_INTERVAL: return pipit__interval_write(value->as.interval, out);
        case PIPIT_KIND_DECIMAL: return pipit__decimal_write(value->as.decimal, out);
        case PIPIT_KIND_NULL:
        case PIPIT_KIND_POINTER: break;
        }
        return 0;
}

int
pipit__codec_read_bool(const char *text, size_t length, bool *ret)
{
        if (length != 1 || (text[0] != 't' && text[0] != 'f'))
                return PIPIT_ETYPE;
        *ret = text[0] == 't';
        return 0;
}

int
pipit__codec_read_int16(const char *text, size_t length, int16_t *ret)
{
        int64_t number = 0;
        int code = pipit__number_read_int(text, length, INT16_MIN, INT16_MAX, &number);

        if (code == 0)
                *ret = (int16_t)number;
        return code;
}

int
pipit__codec_read_int32(const char *text, size_t length, int32_t *ret)
{
        int64_t number = 0;
        int code = pipit__number_read_int(text, length, INT32_MIN, INT32_MAX, &number);

        if (code == 0)
                *ret = (int32_t)number;
        return code;
}

int
pipit__codec_read_int64(const char *text, size_t length, int64_t *ret)
{
        return pipit__number_read_int(text, length, INT64_MIN, INT64_MAX, ret);
}

int
pipit__codec_read_float(const char *text, size_t length, float *ret)
{
        return pipit__number_read_float(text, length, ret);
}

int
pipit__codec_read_double(const char *text, size_t length, double *ret)
{
        return pipit__number_read_double(text, length, ret);
}

int
pipit__codec_read_timestamp(const char *text, size_t length, struct pipit_timestamp *ret)
{
        return pipit__timestamp_read(text, length, ret);
}

int
pipit__codec_read_uuid(const char *text, size_t length, struct pipit_uuid *ret)
{
        struct pipit_uuid uuid = {{0}};
        size_t at = 0;

        if (length != 36)
                return PIPIT_ETYPE;
        for (size_t i = 0; i < sizeof uuid.bytes; i++, at += 2) {
                if ((i == 4 || i == 6 || i == 8 || i == 10) && text[at++] != '-')
                        return PIPIT_ETYPE;
                int byte = codec_hex_byte(text + at);
                if (byte < 0)
                        return PIPIT_ETYPE;
                uuid.bytes[i] = (uint8_t)byte;
        }
        *ret = uuid;
        return 0;
}

int
pipit__codec_read_bytes(const char *text, size_t length, void *out, size_t *ret_length)
{
        uint8_t *bytes = out;

        if (length < 2 || length % 2 != 0 || text[0] != '\\' || text[1] != 'x')
                return PIPIT_ETYPE;
        for (size_t i = 2; i < length; i += 2) {
                int byte = codec_hex_byte(text + i);

                if (byte < 0)
                        return PIPIT_ETYPE;
                bytes[i / 2 - 1] = (uint8_t)byte;
        }
        *ret_length = length / 2 - 1;
        return 0;
}

/* Returns the byte that three octal digits make; -1 if they do not. */
static int
codec_octal_byte(const char *text)
{
        int byte = 0;

        for (int i = 0; i < 3; i++) {
                if (text[i] < '0' || text[i] > '7')
                        return -1;
                byte = byte * 8 + (text[i] - '0');
        }
        return byte <= UINT8_MAX ? byte : -1;
}

int
pipit__codec_read_escaped(const char *text, size_t length, void *out, size_t *ret_length)
{
        uint8_t *bytes = out;
        size_t n = 0;

        for (size_t i = 0; i < length; i++) {
                int byte = (uint8_t)text[i];

                if (text[i] == '\\' && i + 1 < length && text[i + 1] == '\\') {
                        i++;
                } else if (text[i] == '\\') {
                        byte = i + 3 < length ? codec_octal_byte(text + i + 1) : -1;
                        i += 3;
                }
                if (byte < 0)
                        return PIPIT_ETYPE;
                bytes[n++] = (uint8_t)byte;
        }
        *ret_length = n;
        return 0;
}
