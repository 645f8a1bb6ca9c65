/*
 * A pair of types that belong together is read as it is, every other by way of the text. See
 * decode.h.
 */
#include "value/decode.h"

#include <math.h>
#include <pipit/error.h>
#include <string.h>

#include "value/binary.h"
#include "value/binary_scalar.h"
#include "value/binary_time.h"
#include "value/codec.h"
#include "value/decimal.h"
#include "value/interval.h"
#include "value/oid.h"

/* Defines name_by_text(), which reads a value of any type by its text. */
#define DECODE_BY_TEXT(name, c_type, read)                                                         \
        static int name##_by_text(const struct pipit_item *item, c_type *ret)                      \
        {                                                                                          \
                struct buf buf;                                                                    \
                if (!item->binary)                                                                 \
                        return read(item->data, item->length, ret);                                \
                pipit__buf_init(&buf);                                                             \
                int code = pipit__binary_text(item->type, item->data, item->length, &buf);         \
                if (code == 0)                                                                     \
                        code = read(pipit__buf_text(&buf), buf.length, ret);                       \
                pipit__buf_fini(&buf);                                                             \
                return code;                                                                       \
        }

DECODE_BY_TEXT(bool, bool, pipit__codec_read_bool)
DECODE_BY_TEXT(int16, int16_t, pipit__codec_read_int16)
DECODE_BY_TEXT(int32, int32_t, pipit__codec_read_int32)
DECODE_BY_TEXT(int64, int64_t, pipit__codec_read_int64)
DECODE_BY_TEXT(float, float, pipit__codec_read_float)
DECODE_BY_TEXT(double, double, pipit__codec_read_double)
DECODE_BY_TEXT(timestamp, struct pipit_timestamp, pipit__codec_read_timestamp)
DECODE_BY_TEXT(uuid, struct pipit_uuid, pipit__codec_read_uuid)
DECODE_BY_TEXT(interval, struct pipit_interval, pipit__interval_read)

/* Whether an item is a good integer in binary form, which is read. */
static bool
decode_integer(const struct pipit_item *item, int64_t *ret)
{
        struct reader in = reader_of(item->data, item->length);
        int64_t number = 0;

        if (!item->binary)
                return false;
        switch (item->type) {
        case OID_INT4: number = reader_i32(&in); break;
        case OID_INT8: number = reader_i64(&in); break;
        case OID_INT2: number = reader_i16(&in); break;
        case OID_OID:
        case OID_XID:
        case OID_CID: number = reader_u32(&in); break;
        default: return false;
        }
        if (!reader_done(&in))
                return false;
        *ret = number;
        return true;
}

/* Whether an item is of that type in binary form; ret_in reads the whole of it then. */
static bool
decode_is(const struct pipit_item *item, uint32_t oid, struct reader *ret_in)
{
        if (!item->binary || item->type != oid)
                return false;
        *ret_in = reader_of(item->data, item->length);
        return true;
}

static int
decode_code(const struct reader *in)
{
        return reader_done(in) ? 0 : PIPIT_ETYPE;
}

int
pipit__decode_bool(const struct pipit_item *item, bool *ret)
{
        struct reader in;

        if (!decode_is(item, OID_BOOL, &in))
                return bool_by_text(item, ret);
        bool value = reader_u8(&in) != 0;
        if (reader_done(&in))
                *ret = value;
        return decode_code(&in);
}

int
pipit__decode_int16(const struct pipit_item *item, int16_t *ret)
{
        int64_t number = 0;

        if (!decode_integer(item, &number))
                return int16_by_text(item, ret);
        if (number < INT16_MIN || number > INT16_MAX)
                return PIPIT_ETYPE;
        *ret = (int16_t)number;
        return 0;
}

int
pipit__decode_int32(const struct pipit_item *item, int32_t *ret)
{
        int64_t number = 0;

        if (!decode_integer(item, &number))
                return int32_by_text(item, ret);
        if (number < INT32_MIN || number > INT32_MAX)
                return PIPIT_ETYPE;
        *ret = (int32_t)number;
        return 0;
}

int
pipit__decode_int64(const struct pipit_item *item, int64_t *ret)
{
        return decode_integer(item, ret) ? 0 : int64_by_text(item, ret);
}

/* A NaN has many binary forms and one text, so all of them are decoded as one. */
int
pipit__decode_float(const struct pipit_item *item, float *ret)
{
        struct reader in;

        if (!decode_is(item, OID_FLOAT4, &in))
                return float_by_text(item, ret);
        float number = pipit__binary_float4(&in);
        if (reader_done(&in))
                *ret = isnan(number) ? (float)NAN : number;
        return decode_code(&in);
}

/* A float is not read as it is but by its text, which has fewer digits than a double. */
int
pipit__decode_double(const struct pipit_item *item, double *ret)
{
        struct reader in;
        int64_t integer = 0;

        if (decode_integer(item, &integer)) {
                *ret = (double)integer;
                return 0;
        }
        if (!decode_is(item, OID_FLOAT8, &in))
                return double_by_text(item, ret);
        double number = pipit__binary_float8(&in);
        if (reader_done(&in))
                *ret = isnan(number) ? (double)NAN : number;
        return decode_code(&in);
}

int
pipit__decode_timestamp(const struct pipit_item *item, struct pipit_timestamp *ret)
{
        struct pipit_timestamp timestamp;
        struct reader in;

        if (decode_is(item, OID_TIMESTAMPTZ, &in) || decode_is(item, OID_TIMESTAMP, &in))
                timestamp = pipit__binary_timestamp(&in);
        else if (decode_is(item, OID_DATE, &in))
                timestamp = pipit__binary_date(&in);
        else
                return timestamp_by_text(item, ret);
        if (reader_done(&in))
                *ret = timestamp;
        return decode_code(&in);
}

int
pipit__decode_uuid(const struct pipit_item *item, struct pipit_uuid *ret)
{
        struct reader in;

        if (!decode_is(item, OID_UUID, &in))
                return uuid_by_text(item, ret);
        const uint8_t *bytes = reader_take(&in, sizeof ret->bytes);
        if (reader_done(&in))
                memcpy(ret->bytes, bytes, sizeof ret->bytes);
        return decode_code(&in);
}

int
pipit__decode_interval(const struct pipit_item *item, struct pipit_interval *ret)
{
        struct pipit_interval interval = {0, 0, 0};
        struct reader in;

        if (!decode_is(item, OID_INTERVAL, &in))
                return interval_by_text(item, ret);
        interval.us = reader_i64(&in);
        interval.days = reader_i32(&in);
        interval.months = reader_i32(&in);
        if (reader_done(&in))
                *ret = interval;
        return decode_code(&in);
}

int
pipit__decode_decimal(const struct pipit_item *item, int scale, struct pipit_decimal *ret)
{
        struct buf buf;

        if (!item->binary)
                return pipit__decimal_read(item->data, item->length, scale, ret);
        pipit__buf_init(&buf);
        int code = pipit__binary_text(item->type, item->data, item->length, &buf);
        if (code == 0)
                code = pipit__decimal_read(pipit__buf_text(&buf), buf.length, scale, ret);
        pipit__buf_fini(&buf);
        return code;
}

const char *
pipit__decode_inside(const struct pipit_item *item, size_t *ret_length)
{
        if (item->binary)
                return pipit__binary_inside(item->type, item->data, item->length, ret_length);
        *ret_length = item->length;
        return item->data;
}

int
pipit__decode_text(const struct pipit_item *item, struct buf *out)
{
        return pipit__binary_text(item->type, item->data, item->length, out);
}

const void *
pipit__decode_inside_bytes(const struct pipit_item *item)
{
        return item->binary && item->type == OID_BYTEA ? item->data : NULL;
}
