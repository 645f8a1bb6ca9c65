/*
 * A timestamp is taken apart into a date, a time of the day and a zone. See timestamp.h.
 *
 * No locale and no time zone of the platform has a part in it.
 */
#include "value/timestamp.h"

#include <pipit/error.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "value/calendar.h"

#define SECONDS_A_DAY INT64_C(86400)
#define US_A_SECOND   INT64_C(1000000)

/* A cursor is the part of a text that is left to read. */
struct cursor {
        const char *at;
        const char *end;
};

/* Passes over a word; false if the text does not go on with it. */
static bool
cursor_skip(struct cursor *cursor, const char *word)
{
        size_t length = strlen(word);

        if ((size_t)(cursor->end - cursor->at) < length || memcmp(cursor->at, word, length) != 0)
                return false;
        cursor->at += length;
        return true;
}

/* Reads a number of min to max digits that is at most limit; false if there is none. */
static bool
cursor_number(struct cursor *cursor, int min, int max, int limit, int *ret_number)
{
        int number = 0;
        int digits = 0;

        for (; cursor->at < cursor->end && digits < max; cursor->at++, digits++) {
                if (*cursor->at < '0' || *cursor->at > '9')
                        break;
                number = number * 10 + (*cursor->at - '0');
        }
        if (digits < min || number > limit)
                return false;
        *ret_number = number;
        return true;
}

/* Reads a date in the years from 1 on; false if there is none. */
static bool
cursor_date(struct cursor *cursor, struct civil *ret_civil)
{
        struct civil civil = {.year = 0};
        int year = 0;

        if (!cursor_number(cursor, 4, 7, 9999999, &year) || !cursor_skip(cursor, "-") ||
            !cursor_number(cursor, 2, 2, 12, &civil.month) || !cursor_skip(cursor, "-") ||
            !cursor_number(cursor, 2, 2, 31, &civil.day))
                return false;
        civil.year = year;
        *ret_civil = civil;
        return year > 0 && civil.month > 0 && civil.day > 0;
}

/* Reads the digits behind the point, up to six of them, as microseconds. */
static bool
cursor_fraction(struct cursor *cursor, int64_t *ret_us)
{
        const char *start = cursor->at;
        int us = 0;

        if (!cursor_number(cursor, 1, 6, 999999, &us))
                return false;
        for (long digits = cursor->at - start; digits < 6; digits++)
                us *= 10;
        *ret_us = us;
        return true;
}

/* Reads the time of a day as seconds, and microseconds if it has a fraction. */
static bool
cursor_time(struct cursor *cursor, int64_t *ret_seconds, int64_t *ret_us)
{
        int hour = 0;
        int minute = 0;
        int second = 0;

        if (!cursor_number(cursor, 2, 2, 23, &hour) || !cursor_skip(cursor, ":") ||
            !cursor_number(cursor, 2, 2, 59, &minute))
                return false;
        if (cursor_skip(cursor, ":")) {
                if (!cursor_number(cursor, 2, 2, 59, &second))
                        return false;
                if (cursor_skip(cursor, ".") && !cursor_fraction(cursor, ret_us))
                        return false;
        }
        *ret_seconds = hour * INT64_C(3600) + minute * INT64_C(60) + second;
        return true;
}

/* Reads a zone, as +02, -03:30 or +05:30:15, as seconds east of UTC. No zone at all is UTC. */
static bool
cursor_zone(struct cursor *cursor, int64_t *ret_offset)
{
        bool west = false;
        int hour = 0;
        int minute = 0;
        int second = 0;

        if (cursor_skip(cursor, "Z"))
                return true;
        if (!cursor_skip(cursor, "+")) {
                west = cursor_skip(cursor, "-");
                if (!west)
                        return true;
        }
        if (!cursor_number(cursor, 2, 2, 15, &hour))
                return false;
        if (cursor_skip(cursor, ":") && !cursor_number(cursor, 2, 2, 59, &minute))
                return false;
        if (cursor_skip(cursor, ":") && !cursor_number(cursor, 2, 2, 59, &second))
                return false;
        int64_t offset = hour * INT64_C(3600) + minute * INT64_C(60) + second;
        *ret_offset = west ? -offset : offset;
        return true;
}

/* Joins seconds and microseconds. The ends of the range are infinity, so a finite timestamp must
 * stay inside of them. 0 or PIPIT_ETYPE. */
static int
timestamp_join(int64_t seconds, int64_t us, struct pipit_timestamp *ret)
{
        /* Below zero the microseconds count down from the next second, because the product alone
         * could overflow. */
        if (seconds < 0) {
                seconds += 1;
                us -= US_A_SECOND;
        }
        if (seconds > INT64_MAX / US_A_SECOND || seconds < INT64_MIN / US_A_SECOND)
                return PIPIT_ETYPE;
        seconds *= US_A_SECOND;
        if (us >= 0 ? seconds >= INT64_MAX - us : seconds <= INT64_MIN - us)
                return PIPIT_ETYPE;
        ret->us = seconds + us;
        return 0;
}

size_t
pipit__timestamp_write(struct pipit_timestamp timestamp, char *out)
{
        if (timestamp.us == INT64_MAX || timestamp.us == INT64_MIN) {
                const char *word = timestamp.us > 0 ? "infinity" : "-infinity";

                memcpy(out, word, strlen(word) + 1);
                return strlen(word);
        }

        int64_t us_of_day = timestamp.us % (SECONDS_A_DAY * US_A_SECOND);
        int64_t days = timestamp.us / (SECONDS_A_DAY * US_A_SECOND);
        if (us_of_day < 0) {
                us_of_day += SECONDS_A_DAY * US_A_SECOND;
                days -= 1;
        }
        struct civil civil = pipit__calendar_date(days);
        bool before_christ = civil.year <= 0;
        int second = (int)(us_of_day / US_A_SECOND);
        int length = snprintf(out, PIPIT__TIMESTAMP_SIZE, "%04d-%02d-%02d %02d:%02d:%02d.%06d+00%s",
                              (int)(before_christ ? 1 - civil.year : civil.year), civil.month,
                              civil.day, second / 3600, second / 60 % 60, second % 60,
                              (int)(us_of_day % US_A_SECOND), before_christ ? " BC" : "");
        return length > 0 ? (size_t)length : 0;
}

/* Reads a timestamp that is not infinite. 0 or PIPIT_ETYPE. */
static int
timestamp_read_finite(struct cursor cursor, struct pipit_timestamp *ret)
{
        struct civil civil = {.year = 0};
        int64_t seconds = 0;
        int64_t us = 0;
        int64_t offset = 0;

        if (!cursor_date(&cursor, &civil))
                return PIPIT_ETYPE;
        if (cursor.at + 1 < cursor.end && (cursor.at[0] == 'T' || cursor.at[1] != 'B')) {
                if (!cursor_skip(&cursor, " ") && !cursor_skip(&cursor, "T"))
                        return PIPIT_ETYPE;
                if (!cursor_time(&cursor, &seconds, &us) || !cursor_zone(&cursor, &offset))
                        return PIPIT_ETYPE;
        }
        if (cursor_skip(&cursor, " BC"))
                civil.year = 1 - civil.year;
        if (cursor.at != cursor.end || civil.day > pipit__calendar_month_days(civil))
                return PIPIT_ETYPE;
        return timestamp_join(pipit__calendar_days(civil) * SECONDS_A_DAY + seconds - offset, us,
                              ret);
}

int
pipit__timestamp_read(const char *text, size_t length, struct pipit_timestamp *ret)
{
        struct cursor cursor = {text, text + length};

        if (length == strlen("infinity") && cursor_skip(&cursor, "infinity"))
                ret->us = INT64_MAX;
        else if (length == strlen("-infinity") && cursor_skip(&cursor, "-infinity"))
                ret->us = INT64_MIN;
        else
                return timestamp_read_finite(cursor, ret);
        return 0;
}
