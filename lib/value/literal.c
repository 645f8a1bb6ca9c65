/*
 * A literal is read once from its start to its end. See literal.h.
 *
 * A value is read up to its delimiter, which stays until all is read: only then the NULs are put
 * behind the values. A value that loses its quotes becomes shorter, so it fits into its place.
 */
#include "value/literal.h"

#include <pipit/error.h>
#include <string.h>

#include "value/number.h"

/* A cursor is the part of a text that is left to read. */
struct cursor {
        char *at;
        char *end;
};

/* An array cursor is an array that is being read. */
struct array_cursor {
        struct cursor cursor;
        char delimiter;
        struct pipit_item *items;
        struct pipit_array *array; /* its lengths are -1 until their dimension was read once */
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
literal_set(struct pipit_item *item, const char *data, size_t length)
{
        item->data = data;
        item->length = length;
}

/* Reads a value from behind its first quote up to its last one. "" is a quote if doubled, and so is
 * \" always. False if there is no last quote. */
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
                                literal_set(item, start, (size_t)(to - start));
                                return true;
                        }
                }
                *to++ = *cursor->at;
        }
        return false;
}

/* Reads a value in quotes, or else up to one of the stops. False if the text is not good. */
static bool
cursor_value(struct cursor *cursor, bool doubled, const char *stops, struct pipit_item *item,
             bool *ret_quoted)
{
        char *start = cursor->at;

        *ret_quoted = cursor_skip(cursor, '"');
        if (*ret_quoted)
                return cursor_quoted(cursor, doubled, item);
        while (cursor->at < cursor->end && strchr(stops, *cursor->at) == NULL) {
                if (*cursor->at == '"' || *cursor->at == '\\')
                        return false;
                cursor->at++;
        }
        literal_set(item, start, (size_t)(cursor->at - start));
        return true;
}

/* Makes an item NULL where no value stands, as in "(,)". */
static void
literal_set_null_when_empty(struct pipit_item *item, bool quoted)
{
        if (!quoted && item->length == 0)
                item->data = NULL;
}

/* Puts a NUL behind each value, where a delimiter, a quote or a bracket was. */
static void
literal_end_items(const struct pipit_item *items, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                if (items[i].data != NULL)
                        ((char *)(uintptr_t)items[i].data)[items[i].length] = '\0';
        }
}

/* Reads a number and the stop behind it, as in "-1:"; false if there is none. */
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

/* Reads the bounds of an array, as "[0:1][1:3]=", if it has them; a lower bound that is not said
 * is 1. False if they are not good. */
static bool
literal_array_bounds(struct cursor *cursor, struct pipit_array *array)
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

/* Reads an element, or NULL without quotes. */
static bool
literal_array_leaf(struct array_cursor *array)
{
        const char stops[] = {array->delimiter, '{', '}', '\0'};
        struct pipit_item *item = &array->items[array->array->n];
        bool quoted = false;

        if (!cursor_value(&array->cursor, false, stops, item, &quoted))
                return false;
        if (!quoted && item->length == 0)
                return false;
        if (!quoted && item->length == 4 && memcmp(item->data, "NULL", 4) == 0)
                literal_set(item, NULL, 0);
        array->array->n++;
        return true;
}

/* Reads what one pair of braces holds. The first way down to a value decides how many dimensions
 * there are. */
static bool
literal_array_level(struct array_cursor *array, int depth)
{
        int32_t *length = &array->array->lengths[depth];
        int32_t n = 0;

        if (depth == array->array->n_dimensions)
                array->array->n_dimensions++;
        do {
                if (cursor_skip(&array->cursor, '{')) {
                        if (depth + 1 >= PIPIT_ARRAY_DIMENSIONS ||
                            (array->array->n > 0 && depth + 1 >= array->array->n_dimensions) ||
                            !literal_array_level(array, depth + 1))
                                return false;
                } else if (depth + 1 != array->array->n_dimensions || !literal_array_leaf(array)) {
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

        if (!literal_array_bounds(&cursor.cursor, &array) || !cursor_skip(&cursor.cursor, '{'))
                return false;
        bool empty = cursor_skip(&cursor.cursor, '}');
        if ((!empty && !literal_array_level(&cursor, 0)) || cursor.cursor.at != cursor.cursor.end)
                return false;
        if (empty)
                array = (struct pipit_array){.items = items};
        literal_end_items(items, array.n);
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
        literal_set_null_when_empty(&range.lower, quoted);
        if (!cursor_skip(&cursor, ',') ||
            !cursor_value(&cursor, true, ",)]", &range.upper, &quoted))
                return false;
        literal_set_null_when_empty(&range.upper, quoted);
        range.upper_inclusive = cursor_skip(&cursor, ']');
        if ((!range.upper_inclusive && !cursor_skip(&cursor, ')')) || cursor.at != cursor.end)
                return false;
        range.lower_infinite = range.lower.data == NULL;
        range.upper_infinite = range.upper.data == NULL;
        range.lower_inclusive = range.lower_inclusive && !range.lower_infinite;
        range.upper_inclusive = range.upper_inclusive && !range.upper_infinite;
        literal_end_items(&range.lower, 1);
        literal_end_items(&range.upper, 1);
        *ret = range;
        return true;
}

/* Reads a range of a multirange as a whole; its quotes stay. */
static bool
cursor_range(struct cursor *cursor, struct pipit_item *item)
{
        char *start = cursor->at;
        bool quoted = false;

        if (cursor->end - start >= 5 && memcmp(start, "empty", 5) == 0) {
                cursor->at += 5;
                literal_set(item, start, 5);
                return true;
        }
        if (!cursor_skip(cursor, '[') && !cursor_skip(cursor, '('))
                return false;
        for (; cursor->at < cursor->end; cursor->at++) {
                if (*cursor->at == '"')
                        quoted = !quoted;
                if (!quoted && (*cursor->at == ']' || *cursor->at == ')')) {
                        cursor->at++;
                        literal_set(item, start, (size_t)(cursor->at - start));
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
        literal_end_items(items, n);
        *ret_n = n;
        return true;
}

/* Takes a composite apart. One without fields has the text of one whose only field is NULL, and is
 * taken for that. */
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
                literal_set_null_when_empty(&items[n++], quoted);
        } while (cursor_skip(&cursor, ','));
        if (!cursor_skip(&cursor, ')') || cursor.at != cursor.end)
                return false;
        literal_end_items(items, n);
        *ret_n = n;
        return true;
}
