/*
 * An interval is a list of numbers with units. See interval.h.
 *
 * Each number has its own sign, and only the seconds can have a fraction.
 */
#include "value/interval.h"

#include <pipit/error.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "value/interval_style.h"
#include "value/number.h"

#define US_A_SECOND INT64_C(1000000)

/* A cursor is the part of a text that is left to read. */
struct cursor {
        const char *at;
        const char *end;
};

/* Writes a number with its unit, or nothing for 0. Returns the end of what was written. */
static char *
interval_write_part(char *out, int64_t number, char unit)
{
        if (number == 0)
                return out;
        out += pipit__number_write_int(number, out);
        *out++ = unit;
        return out;
}

/* Writes microseconds as seconds with their fraction, or nothing for 0. Returns the end. */
static char *
interval_write_seconds(char *out, int64_t us)
{
        uint64_t size = us < 0 ? -(uint64_t)us : (uint64_t)us;
        uint64_t fraction = size % (uint64_t)US_A_SECOND;

        if (us == 0)
                return out;
        if (us < 0)
                *out++ = '-';
        out += pipit__number_write_uint(size / (uint64_t)US_A_SECOND, out);
        if (fraction > 0) {
                *out++ = '.';
                for (uint64_t unit = 100000; fraction > 0; fraction %= unit, unit /= 10)
                        *out++ = (char)('0' + fraction / unit);
        }
        *out++ = 'S';
        return out;
}

bool
pipit__interval_is_infinite(struct pipit_interval interval)
{
        if (interval.us == INT64_MAX)
                return interval.days == INT32_MAX && interval.months == INT32_MAX;
        return interval.us == INT64_MIN && interval.days == INT32_MIN &&
               interval.months == INT32_MIN;
}

/* Returns the whole text of an interval that has a fixed one; else NULL. */
static const char *
interval_name(struct pipit_interval interval)
{
        if (pipit__interval_is_infinite(interval))
                return interval.us > 0 ? "infinity" : "-infinity";
        if (interval.us == 0 && interval.days == 0 && interval.months == 0)
                return "PT0S";
        return NULL;
}

size_t
pipit__interval_write(struct pipit_interval interval, char *out)
{
        const char *name = interval_name(interval);
        char *end = out;

        if (name != NULL) {
                memcpy(out, name, strlen(name) + 1);
                return strlen(name);
        }
        *end++ = 'P';
        end = interval_write_part(end, interval.months / 12, 'Y');
        end = interval_write_part(end, interval.months % 12, 'M');
        end = interval_write_part(end, interval.days, 'D');
        if (interval.us != 0)
                *end++ = 'T';
        end = interval_write_part(end, interval.us / (3600 * US_A_SECOND), 'H');
        end = interval_write_part(end, interval.us / (60 * US_A_SECOND) % 60, 'M');
        end = interval_write_seconds(end, interval.us % (60 * US_A_SECOND));
        *end = '\0';
        return (size_t)(end - out);
}

/* Reads a number and its unit, which is one of those that may still come. The units up to that one
 * may not come again. A unit of '.' says that a fraction follows. */
static bool
cursor_part(struct cursor *cursor, const char **units, int64_t *ret_number, char *ret_unit)
{
        const char *start = cursor->at;
        const char *at = start;

        if (at < cursor->end && *at == '-')
                at++;
        while (at < cursor->end && *at >= '0' && *at <= '9')
                at++;
        if (at == cursor->end)
                return false;
        const char *unit = *at == '.' ? strchr(*units, 'S') : strchr(*units, *at);
        if (unit == NULL || *unit == '\0' ||
            pipit__number_read_int(start, (size_t)(at - start), INT64_MIN, INT64_MAX, ret_number))
                return false;
        *units = unit + 1;
        *ret_unit = *at;
        cursor->at = at + 1;
        return true;
}

/* Reads the digits behind the point, and the S behind them, as microseconds without a sign. */
static bool
cursor_fraction(struct cursor *cursor, int64_t *ret_us)
{
        int64_t us = 0;
        int64_t unit = US_A_SECOND / 10;

        for (; unit > 0 && cursor->at < cursor->end; unit /= 10) {
                if (*cursor->at < '0' || *cursor->at > '9')
                        break;
                us += unit * (*cursor->at++ - '0');
        }
        if (unit == US_A_SECOND / 10 || cursor->at == cursor->end || *cursor->at++ != 'S')
                return false;
        *ret_us = us;
        return true;
}

/* Adds a number of units to a sum; false if that does not fit between the limits. */
static bool
interval_add(int64_t *sum, int64_t number, int64_t unit, int64_t min, int64_t max)
{
        int64_t product = 0;

        if (__builtin_mul_overflow(number, unit, &product) ||
            __builtin_add_overflow(*sum, product, sum))
                return false;
        return *sum >= min && *sum <= max;
}

/* Reads years, months and days. */
static bool
cursor_date(struct cursor *cursor, struct pipit_interval *interval)
{
        const char *units = "YMD";
        int64_t months = 0;
        int64_t days = 0;

        while (cursor->at < cursor->end && *cursor->at != 'T') {
                int64_t number = 0;
                char unit = 0;

                if (!cursor_part(cursor, &units, &number, &unit))
                        return false;
                if (!interval_add(unit == 'D' ? &days : &months, number, unit == 'Y' ? 12 : 1,
                                  INT32_MIN, INT32_MAX))
                        return false;
        }
        interval->months = (int32_t)months;
        interval->days = (int32_t)days;
        return true;
}

/* Reads hours, minutes and seconds, which stand behind the T. */
static bool
cursor_time(struct cursor *cursor, struct pipit_interval *interval)
{
        const char *units = "HMS";

        while (cursor->at < cursor->end) {
                bool negative = *cursor->at == '-';
                int64_t number = 0;
                int64_t fraction = 0;
                char unit = 0;

                if (!cursor_part(cursor, &units, &number, &unit))
                        return false;
                int64_t size = unit == 'H' ? 3600 : unit == 'M' ? 60 : 1;
                if (unit == '.' && !cursor_fraction(cursor, &fraction))
                        return false;
                if (!interval_add(&interval->us, number, size * US_A_SECOND, INT64_MIN,
                                  INT64_MAX) ||
                    !interval_add(&interval->us, fraction, negative ? -1 : 1, INT64_MIN, INT64_MAX))
                        return false;
        }
        return true;
}

int
pipit__interval_read(const char *text, size_t length, struct pipit_interval *ret)
{
        struct pipit_interval interval = {.us = 0};
        struct cursor cursor = {text, text + length};

        if (length == strlen("infinity") && memcmp(text, "infinity", length) == 0) {
                *ret = (struct pipit_interval){INT32_MAX, INT32_MAX, INT64_MAX};
                return 0;
        }
        if (length == strlen("-infinity") && memcmp(text, "-infinity", length) == 0) {
                *ret = (struct pipit_interval){INT32_MIN, INT32_MIN, INT64_MIN};
                return 0;
        }
        if (length == 0 || *cursor.at != 'P')
                return pipit__interval_style_read(text, length, ret);
        if (length < 2 || *cursor.at++ != 'P' || !cursor_date(&cursor, &interval))
                return PIPIT_ETYPE;
        if (cursor.at < cursor.end &&
            (++cursor.at == cursor.end || !cursor_time(&cursor, &interval)))
                return PIPIT_ETYPE;
        *ret = interval;
        return 0;
}
