/*
 * Each pair of a kind and a type that has a binary form here is one case. See encode.h.
 *
 * There are few such pairs, since a pair must mean the same in text.
 */
#include "value/encode.h"

#include <endian.h>
#include <pipit/error.h>
#include <string.h>

#include "value/binary.h"
#include "value/binary_scalar.h"
#include "value/binary_time.h"
#include "value/codec.h"
#include "value/fits.h"
#include "value/interval.h"
#include "value/number.h"
#include "value/oid.h"
#include "value/shortest.h"

/* No binary form but that of bytes is longer than that of a UUID or an interval. */
enum { BINARY_SIZE = 16 };

/* A form is a value, other than bytes, in binary form. The form is made in words, which stay in
 * registers: bytes that are written one by one and read at once wait for each other. */
struct form {
        size_t length; /* in bytes; 0 if the value has no binary form */
        union {
                uint64_t words[BINARY_SIZE / sizeof(uint64_t)];
                uint8_t bytes[BINARY_SIZE];
        };
};

/* Returns the form of a number of so many bytes, in network order. */
static inline struct form
form_of(uint64_t number, size_t size)
{
        return (struct form){.length = size,
                             .words = {htobe64(number << 8 * (sizeof(number) - size))}};
}

static const struct form no_form = {.length = 0};

static inline struct form
form_of_int(int64_t number, uint32_t oid)
{
        bool fits16 = number >= INT16_MIN && number <= INT16_MAX;
        bool fits32 = number >= INT32_MIN && number <= INT32_MAX;

        switch (oid) {
        case OID_INT2: return fits16 ? form_of((uint64_t)number, 2) : no_form;
        case OID_INT4: return fits32 ? form_of((uint64_t)number, 4) : no_form;
        case OID_INT8: return form_of((uint64_t)number, 8);
        case OID_OID:
                return number >= 0 && number <= UINT32_MAX ? form_of((uint64_t)number, 4) : no_form;
        case OID_BOOL: return number == 0 || number == 1 ? form_of((uint64_t)number, 1) : no_form;
        default: return no_form;
        }
}

/* A number goes to a float only if the float is the same number, and to a double as it is. */
static struct form
form_of_double(double number, uint32_t oid)
{
        float narrow = (float)number;
        uint32_t narrow_bits = 0;
        uint64_t bits = 0;

        memcpy(&narrow_bits, &narrow, sizeof(narrow_bits));
        memcpy(&bits, &number, sizeof(bits));
        if (oid == OID_FLOAT4 && (double)narrow == number)
                return form_of(narrow_bits, sizeof(narrow_bits));
        return oid == OID_FLOAT8 ? form_of(bits, sizeof(bits)) : no_form;
}

/* A timestamp means the same to a type without a zone as in text, where the server passes over the
 * zone of the value: both are UTC. */
static struct form
form_of_timestamp(struct pipit_timestamp timestamp, uint32_t oid)
{
        int64_t us = 0;
        int32_t days = 0;

        if (oid == OID_TIMESTAMP || oid == OID_TIMESTAMPTZ)
                return pipit__binary_from_timestamp(timestamp, &us) ? form_of((uint64_t)us, 8)
                                                                    : no_form;
        if (oid == OID_DATE)
                return pipit__binary_from_date(timestamp, &days) ? form_of((uint64_t)days, 4)
                                                                 : no_form;
        return no_form;
}

static struct form
form_of_uuid(struct pipit_uuid uuid, uint32_t oid)
{
        struct form form = {.length = sizeof(uuid.bytes)};

        memcpy(form.bytes, uuid.bytes, sizeof(uuid.bytes));
        return oid == OID_UUID ? form : no_form;
}

/* An infinite interval goes as text for the server to judge, because before PostgreSQL 17 the bytes
 * of infinity are a long time. */
static struct form
form_of_interval(struct pipit_interval interval, uint32_t oid)
{
        uint64_t dates = (uint64_t)(uint32_t)interval.days << 32 | (uint32_t)interval.months;

        if (oid != OID_INTERVAL || pipit__interval_is_infinite(interval))
                return no_form;
        return (struct form){.length = BINARY_SIZE,
                             .words = {htobe64((uint64_t)interval.us), htobe64(dates)}};
}

static inline __attribute__((always_inline)) struct form
form_of_value(const struct pipit_value *value, uint32_t oid)
{
        switch (value->kind) {
        case PIPIT_KIND_BOOL:
                return oid == OID_BOOL ? form_of(value->as.bool_value ? 1 : 0, 1) : no_form;
        case PIPIT_KIND_INT: return form_of_int(value->as.int_value, oid);
        case PIPIT_KIND_UINT:
                if (value->as.uint_value > INT64_MAX)
                        return no_form;
                return form_of_int((int64_t)value->as.uint_value, oid);
        case PIPIT_KIND_FLOAT: return form_of_double((double)value->as.float_value, oid);
        case PIPIT_KIND_DOUBLE: return form_of_double(value->as.double_value, oid);
        case PIPIT_KIND_TIMESTAMP: return form_of_timestamp(value->as.timestamp, oid);
        case PIPIT_KIND_UUID: return form_of_uuid(value->as.uuid, oid);
        case PIPIT_KIND_INTERVAL: return form_of_interval(value->as.interval, oid);
        case PIPIT_KIND_NULL:
        case PIPIT_KIND_TEXT:
        case PIPIT_KIND_BYTES:
        case PIPIT_KIND_POINTER:
        case PIPIT_KIND_DECIMAL: break;
        }
        return no_form;
}

static bool
value_is_bytea(const struct pipit_value *value, uint32_t oid)
{
        return value->kind == PIPIT_KIND_BYTES && oid == OID_BYTEA && value->as.bytes;
}

/* Whether the type keeps all of a value that goes out as text, and can be measured. */
static bool
text_of_value_fits(const struct pipit_value *value, uint32_t oid)
{
        char text[PIPIT__CODEC_SCALAR_SIZE];

        if (value->kind == PIPIT_KIND_TEXT)
                return pipit__text_fits(oid, value->as.text, value->length);
        if (value->kind == PIPIT_KIND_BYTES)
                return true;
        size_t length = pipit__codec_encode(value, text);
        return pipit__text_fits(oid, text, length);
}

int
pipit__encode_measure(const struct pipit_value *value, uint32_t oid, size_t *ret_size,
                      bool *ret_fits)
{
        size_t length = form_of_value(value, oid).length;

        *ret_fits = true;
        if (value->reserved != 0)
                return PIPIT_EINVAL;
        /* One byte more gives no bytes, too, a place that is not NULL, which would be SQL NULL. */
        if (value_is_bytea(value, oid))
                length = value->length + 1;
        if (length == 0) {
                int code = pipit__codec_measure(value, ret_size);
                if (code == 0 && *ret_size > 0 && oid != 0)
                        *ret_fits = text_of_value_fits(value, oid);
                return code;
        }
        *ret_size = length;
        return 0;
}

static struct encoded
encode_text(const struct pipit_value *value, char *out)
{
        size_t size = 0;

        if (pipit__codec_measure(value, &size) != 0 || size == 0)
                return (struct encoded){.format = ENCODING_TEXT};
        size_t length = pipit__codec_encode(value, out);
        /* The text may take less than was measured, because numbers are measured by the longest. */
        return (struct encoded){ENCODING_TEXT, length, length + 1};
}

struct encoded
pipit__encode(const struct pipit_value *value, uint32_t oid, char *out)
{
        struct form form = form_of_value(value, oid);

        if (form.length > 0) {
                memcpy(out, form.bytes, form.length);
                return (struct encoded){ENCODING_BINARY, form.length, form.length};
        }
        if (!value_is_bytea(value, oid))
                return encode_text(value, out);
        if (value->length > 0)
                memcpy(out, value->as.bytes, value->length);
        return (struct encoded){ENCODING_BINARY, value->length, value->length + 1};
}

int
pipit__encode_text(uint32_t oid, const char *data, size_t length, struct buf *out)
{
        struct reader in = reader_of(data, length);
        char text[PIPIT__NUMBER_SIZE];
        double number = 0;

        if (oid == OID_FLOAT8)
                number = pipit__binary_float8(&in);
        else if (oid == OID_FLOAT4)
                number = (double)pipit__binary_float4(&in);
        else
                return pipit__binary_text(oid, data, length, out);
        pipit__buf_add(out, text, pipit__shortest_param(number, text));
        return out->failed ? PIPIT_ENOMEM : 0;
}
