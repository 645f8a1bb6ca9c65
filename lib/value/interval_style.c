/*
 * Styles of intervals. See interval_style.h.
 *
 *      postgres            1 year 2 mons -3 days +04:05:06.7
 *      postgres_verbose    @ 1 year 2 mons -3 days 4 hours 5 mins 6.7 secs ago
 *      sql_standard        1-2, -3 4:05:06.7, +1-2 -3 +4:05:06.7, 0
 */
#include "value/interval_style.h"

#include <pipit/error.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define US_A_SECOND INT64_C(1000000)

/* A cursor is the part of a text that is left to read, and the sums of what was. */
struct cursor {
        const char *at;
        const char *end;
        int64_t months;
        int64_t days;
        int64_t us;
        bool days_minus; /* a number of days had a minus, which a time without a sign has as well */
};

static bool
cursor_is_at(const struct cursor *cursor, char c)
{
        return cursor->at < cursor->end && *cursor->at == c;
}

static bool
cursor_skip(struct cursor *cursor, char c)
{
        if (!cursor_is_at(cursor, c))
                return false;
        cursor->at++;
        return true;
}

/* Reads digits, at least one, as a number. */
static bool
cursor_digits(struct cursor *cursor, int64_t *ret_number)
{
        const char *start = cursor->at;
        int64_t number = 0;

        for (; cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9'; cursor->at++) {
                if (__builtin_mul_overflow(number, 10, &number) ||
                    __builtin_add_overflow(number, *cursor->at - '0', &number))
                        return false;
        }
        *ret_number = number;
        return cursor->at > start;
}

/* Reads a point and up to six digits, if they follow, as microseconds. */
static bool
cursor_fraction(struct cursor *cursor, int64_t *ret_us)
{
        int64_t unit = US_A_SECOND / 10;

        *ret_us = 0;
        if (!cursor_skip(cursor, '.'))
                return true;
        for (; unit > 0 && cursor->at < cursor->end; unit /= 10) {
                if (*cursor->at < '0' || *cursor->at > '9')
                        break;
                *ret_us += unit * (*cursor->at++ - '0');
        }
        return unit < US_A_SECOND / 10;
}

/* Adds a number of units to a sum; false if that does not fit. */
static bool
sum_add(int64_t *sum, int64_t number, int64_t unit)
{
        return !__builtin_mul_overflow(number, unit, &number) &&
               !__builtin_add_overflow(*sum, number, sum);
}

/* Reads the rest of a time, after its hours. */
static bool
cursor_time(struct cursor *cursor, int64_t hours, int sign)
{
        int64_t minutes = 0;
        int64_t seconds = 0;
        int64_t us = 0;

        return cursor_skip(cursor, ':') && cursor_digits(cursor, &minutes) && minutes < 60 &&
               cursor_skip(cursor, ':') && cursor_digits(cursor, &seconds) && seconds < 60 &&
               cursor_fraction(cursor, &us) &&
               sum_add(&cursor->us, sign * hours, 3600 * US_A_SECOND) &&
               sum_add(&cursor->us, sign * (minutes * 60 + seconds), US_A_SECOND) &&
               sum_add(&cursor->us, sign * us, 1);
}

/* Reads a unit after a number, and the fraction that seconds may have in front of it. */
static bool
cursor_unit(struct cursor *cursor, int64_t number, int64_t us, int sign)
{
        static const struct {
                const char *name;
                int64_t size; /* of a time, in seconds */
        } times[] = {{"hour", 3600}, {"min", 60}, {"sec", 1}};
        const char *name = cursor->at;

        while (cursor->at < cursor->end && *cursor->at >= 'a' && *cursor->at <= 'z')
                cursor->at++;
        size_t length = (size_t)(cursor->at - name);
        if (length > 1 && name[length - 1] == 's')
                length--;
        for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
                if (strlen(times[i].name) == length && memcmp(name, times[i].name, length) == 0)
                        return (us == 0 || times[i].size == 1) &&
                               sum_add(&cursor->us, sign * number, times[i].size * US_A_SECOND) &&
                               sum_add(&cursor->us, sign * us, 1);
        }
        if (us != 0)
                return false;
        if (length == 4 && memcmp(name, "year", 4) == 0)
                return sum_add(&cursor->months, sign * number, 12);
        if (length == 3 && memcmp(name, "mon", 3) == 0)
                return sum_add(&cursor->months, sign * number, 1);
        return length == 3 && memcmp(name, "day", 3) == 0 &&
               sum_add(&cursor->days, sign * number, 1);
}

/* Reads a number with what it is a number of. */
static bool
cursor_part(struct cursor *cursor)
{
        bool minus = cursor_is_at(cursor, '-');
        bool is_signed = cursor_skip(cursor, '-') || cursor_skip(cursor, '+');
        int sign = minus ? -1 : 1;
        int64_t number = 0;
        int64_t months = 0;
        int64_t us = 0;

        if (!cursor_digits(cursor, &number))
                return false;
        if (cursor_is_at(cursor, ':'))
                return cursor_time(cursor, number, !is_signed && cursor->days_minus ? -1 : sign);
        if (cursor_skip(cursor, '-'))
                return cursor_digits(cursor, &months) && months < 12 &&
                       sum_add(&cursor->months, sign * number, 12) &&
                       sum_add(&cursor->months, sign * months, 1);
        if (!cursor_fraction(cursor, &us))
                return false;
        bool has_unit = cursor->at + 1 < cursor->end && cursor->at[0] == ' ' &&
                        cursor->at[1] >= 'a' && cursor->at[1] <= 'z';
        if (has_unit)
                return cursor_skip(cursor, ' ') && cursor_unit(cursor, number, us, sign);
        cursor->days_minus = minus;
        return us == 0 && sum_add(&cursor->days, sign * number, 1);
}

/* Reads the last word of what lies in the past. */
static bool
cursor_ago(struct cursor *cursor)
{
        if (cursor->end - cursor->at != 3 || memcmp(cursor->at, "ago", 3) != 0)
                return false;
        cursor->at = cursor->end;
        return !__builtin_sub_overflow(0, cursor->months, &cursor->months) &&
               !__builtin_sub_overflow(0, cursor->days, &cursor->days) &&
               !__builtin_sub_overflow(0, cursor->us, &cursor->us);
}

int
pipit__interval_style_read(const char *text, size_t length, struct pipit_interval *ret)
{
        struct cursor cursor = {.at = text, .end = text + length};
        bool verbose = cursor_skip(&cursor, '@');

        if (verbose && !cursor_skip(&cursor, ' '))
                return PIPIT_ETYPE;
        if (!cursor_part(&cursor))
                return PIPIT_ETYPE;
        while (cursor_skip(&cursor, ' ')) {
                bool ends = verbose && cursor_is_at(&cursor, 'a');
                if (!(ends ? cursor_ago(&cursor) : cursor_part(&cursor)))
                        return PIPIT_ETYPE;
        }
        if (cursor.at != cursor.end || cursor.months < INT32_MIN || cursor.months > INT32_MAX ||
            cursor.days < INT32_MIN || cursor.days > INT32_MAX)
                return PIPIT_ETYPE;
        *ret = (struct pipit_interval){
                .months = (int32_t)cursor.months, .days = (int32_t)cursor.days, .us = cursor.us};
        return 0;
}
