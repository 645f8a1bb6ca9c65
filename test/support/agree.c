/*
 * Whether two values of results are the same by every getter. See agree.h.
 */
#include "agree.h"

#include <pipit/error.h>
#include <string.h>

typedef int items_fn(const struct pipit_item *item, struct pipit_items *ret_value);

/* The same code, and the same bits in what is written. */
#define DIFFER(name, type)                                                                         \
        static bool name##_differ(const struct pipit_item *a, const struct pipit_item *b)          \
        {                                                                                          \
                type values[2];                                                                    \
                memset(values, 0, sizeof values);                                                  \
                return pipit_item_##name(a, &values[0]) != pipit_item_##name(b, &values[1]) ||     \
                       memcmp(&values[0], &values[1], sizeof values[0]) != 0;                      \
        }

DIFFER(bool, bool)
DIFFER(int16, int16_t)
DIFFER(int32, int32_t)
DIFFER(int64, int64_t)
DIFFER(float, float)
DIFFER(double, double)
DIFFER(timestamp, struct pipit_timestamp)
DIFFER(uuid, struct pipit_uuid)
DIFFER(interval, struct pipit_interval)

static bool
text_differ(const struct pipit_item *a, const struct pipit_item *b)
{
        const char *one = pipit_item_text(a);
        const char *other = pipit_item_text(b);

        return !one || !other ? one != other : strcmp(one, other) != 0;
}

static bool
bytes_differ(const struct pipit_item *a, const struct pipit_item *b)
{
        struct pipit_bytes bytes[2] = {{NULL, 0}, {NULL, 0}};

        if (pipit_item_bytes(a, &bytes[0]) != pipit_item_bytes(b, &bytes[1]) ||
            bytes[0].length != bytes[1].length)
                return true;
        return bytes[0].length > 0 && memcmp(bytes[0].data, bytes[1].data, bytes[0].length) != 0;
}

static bool
decimal_differ(const struct pipit_item *a, const struct pipit_item *b)
{
        static const int scales[] = {-1, 0, 2, 9, PIPIT_SCALE_MAX, PIPIT_SCALE_MAX + 1};

        for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++) {
                struct pipit_decimal values[2] = {{7, 7}, {7, 7}};

                if (pipit_item_decimal(a, scales[i], &values[0]) !=
                    pipit_item_decimal(b, scales[i], &values[1]))
                        return true;
                if (values[0].units != values[1].units || values[0].scale != values[1].scale)
                        return true;
        }
        return false;
}

/* The getter that tells two of these apart; NULL: none. */
static const char *
lists_differ(const struct pipit_item *a, const struct pipit_item *b, size_t n)
{
        const char *getter = NULL;

        for (size_t i = 0; i < n && !getter; i++)
                getter = items_differ(&a[i], &b[i]);
        return getter;
}

static const char *
array_differ(const struct pipit_item *a, const struct pipit_item *b)
{
        struct pipit_array arrays[2];
        int code = pipit_item_array(a, &arrays[0]);

        if (pipit_item_array(b, &arrays[1]) != code)
                return "array";
        if (code != 0)
                return NULL;
        if (arrays[0].n_dimensions != arrays[1].n_dimensions || arrays[0].n != arrays[1].n ||
            memcmp(arrays[0].lengths, arrays[1].lengths, sizeof arrays[0].lengths) != 0 ||
            memcmp(arrays[0].lower, arrays[1].lower, sizeof arrays[0].lower) != 0)
                return "array";
        return lists_differ(arrays[0].items, arrays[1].items, arrays[0].n);
}

static const char *
range_differ(const struct pipit_item *a, const struct pipit_item *b)
{
        struct pipit_range ranges[2];
        int code = pipit_item_range(a, &ranges[0]);

        if (pipit_item_range(b, &ranges[1]) != code)
                return "range";
        if (code != 0)
                return NULL;
        if (ranges[0].empty != ranges[1].empty ||
            ranges[0].lower_infinite != ranges[1].lower_infinite ||
            ranges[0].upper_infinite != ranges[1].upper_infinite ||
            ranges[0].lower_inclusive != ranges[1].lower_inclusive ||
            ranges[0].upper_inclusive != ranges[1].upper_inclusive)
                return "range";
        const char *getter = items_differ(&ranges[0].lower, &ranges[1].lower);
        return getter ? getter : items_differ(&ranges[0].upper, &ranges[1].upper);
}

static const char *
items_fn_differ(items_fn *get, const struct pipit_item *a, const struct pipit_item *b)
{
        struct pipit_items lists[2];
        int code = get(a, &lists[0]);

        if (get(b, &lists[1]) != code)
                return "items";
        if (code != 0)
                return NULL;
        return lists[0].n != lists[1].n ? "items"
                                        : lists_differ(lists[0].items, lists[1].items, lists[0].n);
}

static const char *
scalars_differ(const struct pipit_item *a, const struct pipit_item *b)
{
        static const struct {
                const char *name;
                bool (*differ)(const struct pipit_item *a, const struct pipit_item *b);
        } getters[] = {
                {"text", text_differ},     {"bool", bool_differ},
                {"int16", int16_differ},   {"int32", int32_differ},
                {"int64", int64_differ},   {"float", float_differ},
                {"double", double_differ}, {"timestamp", timestamp_differ},
                {"uuid", uuid_differ},     {"interval", interval_differ},
                {"bytes", bytes_differ},   {"decimal", decimal_differ},
        };

        for (size_t i = 0; i < sizeof getters / sizeof getters[0]; i++) {
                if (getters[i].differ(a, b))
                        return getters[i].name;
        }
        return NULL;
}

/* Whether the text of a value in binary form is too long for the value: a text inside of another
 * may be so that is none for the other. */
static bool
is_too_long(const struct pipit_item *item)
{
        struct pipit_bytes bytes;

        return item->binary && pipit_item_bytes(item, &bytes) == PIPIT_ELIMIT;
}

const char *
items_differ(const struct pipit_item *a, const struct pipit_item *b)
{
        if (pipit_item_null(a) || pipit_item_null(b))
                return pipit_item_null(a) == pipit_item_null(b) ? NULL : "null";
        if (is_too_long(a) || is_too_long(b))
                return NULL;
        const char *getter = scalars_differ(a, b);
        if (!getter)
                getter = array_differ(a, b);
        if (!getter)
                getter = range_differ(a, b);
        if (!getter)
                getter = items_fn_differ(pipit_item_multirange, a, b);
        return getter ? getter : items_fn_differ(pipit_item_composite, a, b);
}
