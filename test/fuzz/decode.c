/*
 * Every decoder of the server's text. What one takes must come back the same through its encoder;
 * what it refuses must leave the output as it was.
 */
#include <math.h>
#include <pipit/error.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fuzz.h"
#include "value/codec.h"

/* The text of a value that was decoded; its length. Whatever the text was, that of the value has
 * less than PIPIT__CODEC_SCALAR_SIZE bytes. */
static size_t
value_text(struct pipit_value value, char text[PIPIT__CODEC_SCALAR_SIZE])
{
        size_t size;

        MUST(pipit__codec_measure(&value, &size) == 0 && size <= PIPIT__CODEC_SCALAR_SIZE);
        size_t length = pipit__codec_encode(&value, text);
        MUST(length < size && strlen(text) == length);
        return length;
}

/* A type whose values are equal when they compare so. */
#define TRY(name, type, untouched, to_value)                                                       \
        static void try_##name(const char *text, size_t length)                                    \
        {                                                                                          \
                type value = (untouched);                                                          \
                type again = 0;                                                                    \
                int code = pipit__codec_read_##name(text, length, &value);                         \
                MUST(code == 0 || (code == PIPIT_ETYPE && value == (untouched)));                  \
                if (code != 0)                                                                     \
                        return;                                                                    \
                char written[PIPIT__CODEC_SCALAR_SIZE];                                            \
                size_t n = value_text(to_value(value), written);                                   \
                MUST(pipit__codec_read_##name(written, n, &again) == 0);                           \
                MUST(again == value);                                                              \
        }

TRY(bool, bool, true, pipit_value_bool)
TRY(int16, int16_t, 77, pipit_value_int)
TRY(int32, int32_t, 77, pipit_value_int)
TRY(int64, int64_t, 77, pipit_value_int)

/* NaN is not equal to itself, and -0 is equal to 0. */
#define TRY_FLOAT(name, type, to_value)                                                            \
        static void try_##name(const char *text, size_t length)                                    \
        {                                                                                          \
                type value = 77;                                                                   \
                type again = 0;                                                                    \
                int code = pipit__codec_read_##name(text, length, &value);                         \
                MUST(code == 0 || (code == PIPIT_ETYPE && value == 77));                           \
                if (code != 0)                                                                     \
                        return;                                                                    \
                char written[PIPIT__CODEC_SCALAR_SIZE];                                            \
                size_t n = value_text(to_value(value), written);                                   \
                MUST(pipit__codec_read_##name(written, n, &again) == 0);                           \
                MUST(isnan(value) ? isnan(again) : memcmp(&again, &value, sizeof value) == 0);     \
        }

TRY_FLOAT(float, float, pipit_value_float)
TRY_FLOAT(double, double, pipit_value_double)

static void
try_timestamp(const char *text, size_t length)
{
        struct pipit_timestamp value = {0};
        struct pipit_timestamp again = {0};

        if (pipit__codec_read_timestamp(text, length, &value) != 0)
                return;
        char written[PIPIT__CODEC_SCALAR_SIZE];
        size_t n = value_text(pipit_value_timestamp(value), written);
        MUST(pipit__codec_read_timestamp(written, n, &again) == 0);
        MUST(memcmp(&again, &value, sizeof value) == 0);
}

static void
try_uuid(const char *text, size_t length)
{
        struct pipit_uuid value = {{0}};
        struct pipit_uuid again = {{0}};

        if (pipit__codec_read_uuid(text, length, &value) != 0)
                return;
        char written[PIPIT__CODEC_SCALAR_SIZE];
        size_t n = value_text(pipit_value_uuid(value), written);
        MUST(pipit__codec_read_uuid(written, n, &again) == 0);
        MUST(memcmp(&again, &value, sizeof value) == 0);
}

/* The room that is asked for, and not a byte more: half of the text. */
static void
try_bytes(const char *text, size_t length)
{
        char *bytes = malloc(length / 2 > 0 ? length / 2 : 1);
        size_t n_bytes = 0;

        MUST(bytes != NULL);
        if (pipit__codec_read_bytes(text, length, bytes, &n_bytes) == 0) {
                struct pipit_value value = pipit_value_bytes((struct pipit_bytes){bytes, n_bytes});
                size_t size;
                MUST(pipit__codec_measure(&value, &size) == 0 && size == length + 1);
                char *again = malloc(size);
                MUST(again != NULL && pipit__codec_encode(&value, again) == length);
                MUST(strncasecmp(again, text, length) == 0);
                free(again);
        }
        free(bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const char *text = (const char *)data;

        try_bool(text, size);
        try_int16(text, size);
        try_int32(text, size);
        try_int64(text, size);
        try_float(text, size);
        try_double(text, size);
        try_timestamp(text, size);
        try_uuid(text, size);
        try_bytes(text, size);
        return 0;
}
