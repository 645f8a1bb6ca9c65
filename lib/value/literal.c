/*
 * The text of what holds other values.
 *
 * A value is read up to its delimiter, which stays until all is read: only then the NULs are put
 * behind the values. What is unquoted becomes shorter, never longer.
 */
#include "value/literal.h"

#include <pipit/error.h>
#include <string.h>

#include "value/number.h"

/* What is left to read. */
struct cursor {
        char *at;
        char *end;
};

/* An array on its way; the lengths are -1 until their dimension was read once. */
struct array_cursor {
        struct cursor cursor;
        char delimiter;
        struct pipit_item *items;
        struct pipit_array *array;
};

size_t
pipit__literal_most(const char *text, size_t length, char delimiter)
{
        size_t n = 1;

        for (size_t i = 0; i < length; i++)
                n += text[i] == delimiter ? 1 : 0;
        return n;
}

static bool
cursor_skip(struct cursor *cursor, char c)
{
        if (cursor->at == cursor->end || *cursor->at != c)
                return false;
        cursor->at++;
        return true;
}

static void
item_set(struct pipit_item *item, const char *data, size_t length)
{
        item->data = data;
        item->length = length;
}

/* Behind the first quote, up to the last: "" is a quote where it is doubled, so is \" anywhere. */
static bool
cursor_quoted(struct cursor *cursor, bool doubled, struct pipit_item *item)
{
        char *start = cursor->at;
        char *to = start;

        for (; cursor->at < cursor->end; cursor->at++) {
                if (*cursor->at == '\\') {
                        cursor->at++;
                        if (cursor->at == cursor->end)
                                return false;
                } else if (*cursor->at == '"') {
                        bool twice =
                                doubled && cursor->at + 1 < cursor->end && cursor->at[1] == '"';
                        cursor->at++;
                        if (!twice) {
                                item_set(item, start, (size_t)(to - start));
                                return true;
                        }
                }
                *to++ = *cursor->at;
        }
        return false;
}

/* A value in quotes, or up to one of the stops; whether it was in quotes. */
static bool
cursor_value(struct cursor *cursor, bool doubled, const char *stops, struct pipit_item *item,
             bool *ret_quoted)
{
        char *start = cursor->at;

        *ret_quoted = cursor_skip(cursor, '"');
        if (*ret_quoted)
                return cursor_quoted(cursor, doubled, item);
        while (cursor->at < cursor->end && !strchr(stops, *cursor->at)) {
                if (*cursor->at == '"' || *cursor->at == '\\')
                        return false;
                cursor->at++;
        }
        item_set(item, start, (size_t)(cursor->at - start));
        return true;
}

/* Where no value is, as in "(,)". */
static void
item_set_null_when_empty(struct pipit_item *item, bool quoted)
{
        if (!quoted && item->length == 0)
                item->data = NULL;
}

/* Behind a value there was a delimiter, a quote or a bracket. */
static void
items_end(const struct pipit_item *items, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                if (items[i].data)
                        ((char *)(uintptr_t)items[i].data)[items[i].length] = '\0';
        }
}

/* A number between brackets, as in "[-1:". */
static bool
cursor_bound(struct cursor *cursor, char stop, int64_t *ret_number)
{
        const char *start = cursor->at;

        while (cursor->at < cursor->end && *cursor->at != stop)
                cursor->at++;
        return pipit__number_read_int(start, (size_t)(cursor->at - start), INT32_MIN, INT32_MAX,
                                      ret_number) == 0 &&
               cursor_skip(cursor, stop);
}

/* "[0:1][1:3]=", if there is any; the bounds that are not said are 1. */
static bool
array_bounds(struct cursor *cursor, struct pipit_array *array)
{
        int64_t lower = 0;
        int64_t upper = 0;
        int n = 0;

        for (int i = 0; i < PIPIT_ARRAY_DIMENSIONS; i++) {
                array->lower[i] = 1;
                array->lengths[i] = -1;
        }
        for (; cursor_skip(cursor, '['); n++) {
                if (n == PIPIT_ARRAY_DIMENSIONS || !cursor_bound(cursor, ':', &lower) ||
                    !cursor_bound(cursor, ']', &upper) || upper < lower ||
                    upper - lower >= INT32_MAX)
                        return false;
                array->lower[n] = (int32_t)lower;
                array->lengths[n] = (int32_t)(upper - lower + 1);
        }
        array->n_dimensions = n;
        return n == 0 || cursor_skip(cursor, '=');
}

static bool
array_leaf(struct array_cursor *array)
{
        const char stops[] = {array->delimiter, '{', '}', '\0'};
        struct pipit_item *item = &array->items[array->array->n];
        bool quoted = false;

        if (!cursor_value(&array->cursor, false, stops, item, &quoted))
                return false;
        if (!quoted && item->length == 0)
                return false;
        if (!quoted && item->length == 4 && memcmp(item->data, "NULL", 4) == 0)
                item_set(item, NULL, 0);
        array->array->n++;
        return true;
}

/* One pair of braces; the first way down to a value decides how many dimensions there are. */
static bool
array_level(struct array_cursor *array, int depth)
{
        int32_t *length = &array->array->lengths[depth];
        int32_t n = 0;

        if (depth == array->array->n_dimensions)
                array->array->n_dimensions++;
        do {
                if (cursor_skip(&array->cursor, '{')) {
                        if (depth + 1 >= PIPIT_ARRAY_DIMENSIONS ||
                            (array->array->n > 0 && depth + 1 >= array->array->n_dimensions) ||
                            !array_level(array, depth + 1))
                                return false;
                } else if (depth + 1 != array->array->n_dimensions || !array_leaf(array)) {
                        return false;
                }
                n++;
        } while (cursor_skip(&array->cursor, array->delimiter));
        if (!cursor_skip(&array->cursor, '}') || (*length >= 0 && *length != n))
                return false;
        *length = n;
        return true;
}

bool
pipit__literal_array(char *text, size_t length, char delimiter, struct pipit_item *items,
                     struct pipit_array *ret)
{
        struct pipit_array array = {.items = items};
        struct array_cursor cursor = {{text, text + length}, delimiter, items, &array};

        if (!array_bounds(&cursor.cursor, &array) || !cursor_skip(&cursor.cursor, '{'))
                return false;
        bool empty = cursor_skip(&cursor.cursor, '}');
        if ((!empty && !array_level(&cursor, 0)) || cursor.cursor.at != cursor.cursor.end)
                return false;
        if (empty)
                array = (struct pipit_array){.items = items};
        items_end(items, array.n);
        for (int i = array.n_dimensions; i < PIPIT_ARRAY_DIMENSIONS; i++) {
                array.lower[i] = 0;
                array.lengths[i] = 0;
        }
        *ret = array;
        return true;
}

bool
pipit__literal_range(char *text, size_t length, struct pipit_range *ret)
{
        struct pipit_range range = {.empty = length == 5 && memcmp(text, "empty", 5) == 0};
        struct cursor cursor = {text, text + length};
        bool quoted = false;

        if (range.empty) {
                *ret = range;
                return true;
        }
        range.lower_inclusive = cursor_skip(&cursor, '[');
        if ((!range.lower_inclusive && !cursor_skip(&cursor, '(')) ||
            !cursor_value(&cursor, true, ",", &range.lower, &quoted))
                return false;
        item_set_null_when_empty(&range.lower, quoted);
        if (!cursor_skip(&cursor, ',') ||
            !cursor_value(&cursor, true, ",)]", &range.upper, &quoted))
                return false;
        item_set_null_when_empty(&range.upper, quoted);
        range.upper_inclusive = cursor_skip(&cursor, ']');
        if ((!range.upper_inclusive && !cursor_skip(&cursor, ')')) || cursor.at != cursor.end)
                return false;
        range.lower_infinite = !range.lower.data;
        range.upper_infinite = !range.upper.data;
        range.lower_inclusive = range.lower_inclusive && !range.lower_infinite;
        range.upper_inclusive = range.upper_inclusive && !range.upper_infinite;
        items_end(&range.lower, 1);
        items_end(&range.upper, 1);
        *ret = range;
        return true;
}

/* A range as a whole, with its quotes. */
static bool
cursor_range(struct cursor *cursor, struct pipit_item *item)
{
        char *start = cursor->at;
        bool quoted = false;

        if (cursor->end - start >= 5 && memcmp(start, "empty", 5) == 0) {
                cursor->at += 5;
                item_set(item, start, 5);
                return true;
        }
        if (!cursor_skip(cursor, '[') && !cursor_skip(cursor, '('))
                return false;
        for (; cursor->at < cursor->end; cursor->at++) {
                if (*cursor->at == '"')
                        quoted = !quoted;
                if (!quoted && (*cursor->at == ']' || *cursor->at == ')')) {
                        cursor->at++;
                        item_set(item, start, (size_t)(cursor->at - start));
                        return true;
                }
        }
        return false;
}

bool
pipit__literal_multirange(char *text, size_t length, struct pipit_item *items, size_t *ret_n)
{
        struct cursor cursor = {text, text + length};
        size_t n = 0;

        if (!cursor_skip(&cursor, '{'))
                return false;
        if (!cursor_skip(&cursor, '}')) {
                do {
                        if (!cursor_range(&cursor, &items[n++]))
                                return false;
                } while (cursor_skip(&cursor, ','));
                if (!cursor_skip(&cursor, '}'))
                        return false;
        }
        if (cursor.at != cursor.end)
                return false;
        items_end(items, n);
        *ret_n = n;
        return true;
}

/* A composite without fields has the same text as one whose only field is NULL; it is the latter.
 */
bool
pipit__literal_composite(char *text, size_t length, struct pipit_item *items, size_t *ret_n)
{
        struct cursor cursor = {text, text + length};
        size_t n = 0;

        if (!cursor_skip(&cursor, '('))
                return false;
        do {
                bool quoted = false;

                if (!cursor_value(&cursor, true, ",)", &items[n], &quoted))
                        return false;
                item_set_null_when_empty(&items[n++], quoted);
        } while (cursor_skip(&cursor, ','));
        if (!cursor_skip(&cursor, ')') || cursor.at != cursor.end)
                return false;
        items_end(items, n);
        *ret_n = n;
        return true;
}
