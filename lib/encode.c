/*
 * From C values to parameters. Each pair of a kind and a type that has a binary form here is one
 * case; there are few of them, since a pair must mean the same in text.
 */
#include "encode.h"

#include <endian.h>
#include <string.h>

#include "binary_time.h"
#include "codec.h"
#include "interval.h"
#include "oid.h"

/* The longest binary form but for bytes: a UUID and an interval. */
enum { BINARY_SIZE = 16 };

/* The binary form of a value that is no bytes; a length of 0 is none. */
struct form {
        size_t length;
        uint8_t bytes[BINARY_SIZE];
};

/* Appends a number in network order. */
static inline void
form_add(struct form *form, uint64_t number, size_t size)
{
        uint64_t bits = htobe64(number << 8 * (sizeof(number) - size));

        memcpy(form->bytes + form->length, &bits, size);
        form->length += size;
}

static inline struct form
form_of(uint64_t number, size_t size)
{
        struct form form = {0, {0}};

        form_add(&form, number, size);
        return form;
}

static const struct form no_form = {0, {0}};

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

static struct form
form_of_float(float number, uint32_t oid)
{
        uint32_t bits = 0;

        if (oid != OID_FLOAT4)
                return no_form;
        memcpy(&bits, &number, sizeof(bits));
        return form_of(bits, sizeof(bits));
}

/* To a float goes only what is one. */
static struct form
form_of_double(double number, uint32_t oid)
{
        uint64_t bits = 0;

        if (oid == OID_FLOAT4 && (double)(float)number == number)
                return form_of_float((float)number, oid);
        if (oid != OID_FLOAT8)
                return no_form;
        memcpy(&bits, &number, sizeof(bits));
        return form_of(bits, sizeof(bits));
}

/* In text, the zone of the value is passed over where the type has none: both are UTC. */
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
        struct form form = {sizeof(uuid.bytes), {0}};

        memcpy(form.bytes, uuid.bytes, sizeof(uuid.bytes));
        return oid == OID_UUID ? form : no_form;
}

/* Infinity is for the server to judge: before PostgreSQL 17 the same bytes are a long time. */
static struct form
form_of_interval(struct pipit_interval interval, uint32_t oid)
{
        struct form form = {0, {0}};

        if (oid != OID_INTERVAL || pipit__interval_is_infinite(interval))
                return no_form;
        form_add(&form, (uint64_t)interval.us, 8);
        form_add(&form, (uint32_t)interval.days, 4);
        form_add(&form, (uint32_t)interval.months, 4);
        return form;
}

static struct form
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
        case PIPIT_KIND_FLOAT: return form_of_float(value->as.float_value, oid);
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

int
pipit__encode_measure(const struct pipit_value *value, uint32_t oid, struct encoding *ret_encoding)
{
        struct encoding encoding = {ENCODING_TEXT, 0};
        struct form form = form_of_value(value, oid);

        /* Of no bytes, too, the place must not be NULL: that would be SQL NULL. */
        if (value_is_bytea(value, oid))
                encoding = (struct encoding){ENCODING_BINARY, value->length + 1};
        else if (form.length > 0)
                encoding = (struct encoding){ENCODING_BINARY, form.length};
        else {
                int r = pipit__codec_measure(value, &encoding.size);
                if (r != 0)
                        return r;
        }
        *ret_encoding = encoding;
        return 0;
}

size_t
pipit__encode(const struct pipit_value *value, uint32_t oid, struct encoding encoding, char *out)
{
        if (encoding.format == ENCODING_TEXT)
                return pipit__codec_encode(value, out);
        if (value->kind == PIPIT_KIND_BYTES) {
                if (value->length > 0)
                        memcpy(out, value->as.bytes, value->length);
                return value->length;
        }
        struct form form = form_of_value(value, oid);
        memcpy(out, form.bytes, form.length);
        return form.length;
}
