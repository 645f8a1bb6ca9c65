/*
 * A date or time in binary form is a count from 2000-01-01, or from midnight. See binary_time.h.
 *
 * The ends of a range are infinity, as they are in struct pipit_timestamp.
 */
#include "value/binary_time.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "value/calendar.h"
#include "value/interval.h"

#define US_A_SECOND INT64_C(1000000)
#define US_A_DAY    (INT64_C(86400) * US_A_SECOND)

/* The server's count begins so many days after 1970-01-01. */
#define EPOCH_DAYS INT64_C(10957)

/* The server's dates and timestamps lie between these, in its own count: from 4714-11-24 BC on. */
#define DATE_MIN      INT64_C(-2451545)
#define DATE_MAX      INT64_C(2145031948)
#define TIMESTAMP_MIN INT64_C(-211813488000000000)
#define TIMESTAMP_MAX INT64_C(9223371331199999999)

enum { TIME_SIZE = 64, ZONE_LIMIT = 16 * 3600 };

static void
time_write_infinity(struct buf *out, bool negative)
{
        pipit__buf_add_text(out, negative ? "-infinity" : "infinity");
}

/* Writes a date without its era; true if that is before Christ. */
static bool
time_write_date(struct buf *out, int64_t days)
{
        char text[TIME_SIZE];
        struct civil civil = pipit__calendar_date(days);
        bool before_christ = civil.year <= 0;

        snprintf(text, sizeof text, "%04" PRId64 "-%02d-%02d",
                 before_christ ? 1 - civil.year : civil.year, civil.month, civil.day);
        pipit__buf_add_text(out, text);
        return before_christ;
}

/* Writes a time of the day, with as many digits of its fraction as it needs. */
static void
time_write(struct buf *out, int64_t us)
{
        char text[TIME_SIZE];
        int seconds = (int)(us / US_A_SECOND);
        int fraction = (int)(us % US_A_SECOND);
        int n_digits = 6;

        snprintf(text, sizeof text, "%02d:%02d:%02d", seconds / 3600, seconds / 60 % 60,
                 seconds % 60);
        pipit__buf_add_text(out, text);
        if (fraction == 0)
                return;
        for (; fraction % 10 == 0; fraction /= 10)
                n_digits--;
        snprintf(text, sizeof text, ".%0*d", n_digits, fraction);
        pipit__buf_add_text(out, text);
}

/* Writes a zone, which is so many seconds west of UTC. */
static void
time_write_zone(struct buf *out, int32_t west)
{
        char text[TIME_SIZE];
        int zone = abs(west);
        int length = snprintf(text, sizeof text, "%c%02d", west > 0 ? '-' : '+', zone / 3600);

        if (zone % 3600 != 0)
                length += snprintf(text + length, 8, ":%02d", zone / 60 % 60);
        if (zone % 60 != 0)
                length += snprintf(text + length, 8, ":%02d", zone % 60);
        pipit__buf_add(out, text, (size_t)length);
}

void
pipit__binary_write_date(struct reader *in, struct buf *out)
{
        int32_t days = reader_i32(in);

        if (days == INT32_MAX || days == INT32_MIN)
                time_write_infinity(out, days < 0);
        else if (time_write_date(out, days + EPOCH_DAYS))
                pipit__buf_add_text(out, " BC");
}

/* Reads a time of the day as microseconds. Midnight has two times: 24:00:00 is the end of the day.
 */
static int64_t
time_read(struct reader *in)
{
        int64_t us = reader_i64(in);

        if (us >= 0 && us <= US_A_DAY)
                return us;
        reader_fail(in);
        return 0;
}

void
pipit__binary_write_time(struct reader *in, struct buf *out)
{
        time_write(out, time_read(in));
}

void
pipit__binary_write_timetz(struct reader *in, struct buf *out)
{
        int64_t us = time_read(in);
        int32_t west = reader_i32(in);

        if (west <= -ZONE_LIMIT || west >= ZONE_LIMIT) {
                reader_fail(in);
                return;
        }
        time_write(out, us);
        time_write_zone(out, west);
}

static void
time_write_timestamp(struct reader *in, struct buf *out, const char *zone)
{
        int64_t us = reader_i64(in);
        int64_t us_of_day = us % US_A_DAY;
        int64_t days = us / US_A_DAY + EPOCH_DAYS;

        if (us == INT64_MAX || us == INT64_MIN) {
                time_write_infinity(out, us < 0);
                return;
        }
        if (us_of_day < 0) {
                us_of_day += US_A_DAY;
                days -= 1;
        }
        bool before_christ = time_write_date(out, days);
        pipit__buf_add_char(out, ' ');
        time_write(out, us_of_day);
        pipit__buf_add_text(out, zone);
        if (before_christ)
                pipit__buf_add_text(out, " BC");
}

void
pipit__binary_write_timestamp(struct reader *in, struct buf *out)
{
        time_write_timestamp(in, out, "");
}

void
pipit__binary_write_timestamptz(struct reader *in, struct buf *out)
{
        time_write_timestamp(in, out, "+00");
}

void
pipit__binary_write_interval(struct reader *in, struct buf *out)
{
        char text[PIPIT__INTERVAL_SIZE];
        struct pipit_interval interval = {.us = reader_i64(in)};

        interval.days = reader_i32(in);
        interval.months = reader_i32(in);
        pipit__buf_add(out, text, pipit__interval_write(interval, text));
}

struct pipit_timestamp
pipit__binary_timestamp(struct reader *in)
{
        struct pipit_timestamp timestamp = {reader_i64(in)};
        const int64_t epoch = EPOCH_DAYS * US_A_DAY;

        if (timestamp.us == INT64_MAX || timestamp.us == INT64_MIN)
                return timestamp;
        if (timestamp.us >= INT64_MAX - epoch)
                reader_fail(in);
        else
                timestamp.us += epoch;
        return timestamp;
}

struct pipit_timestamp
pipit__binary_date(struct reader *in)
{
        int32_t date = reader_i32(in);
        int64_t days = date + EPOCH_DAYS;

        if (date == INT32_MAX || date == INT32_MIN)
                return (struct pipit_timestamp){date > 0 ? INT64_MAX : INT64_MIN};
        if (days > INT64_MAX / US_A_DAY || days < INT64_MIN / US_A_DAY) {
                reader_fail(in);
                return (struct pipit_timestamp){0};
        }
        return (struct pipit_timestamp){days * US_A_DAY};
}

bool
pipit__binary_from_date(struct pipit_timestamp timestamp, int32_t *ret_days)
{
        int64_t days = timestamp.us / US_A_DAY - EPOCH_DAYS;

        if (timestamp.us == INT64_MAX || timestamp.us == INT64_MIN) {
                *ret_days = timestamp.us > 0 ? INT32_MAX : INT32_MIN;
                return true;
        }
        if (timestamp.us % US_A_DAY != 0 || days < DATE_MIN || days > DATE_MAX)
                return false;
        *ret_days = (int32_t)days;
        return true;
}

bool
pipit__binary_from_timestamp(struct pipit_timestamp timestamp, int64_t *ret_us)
{
        const int64_t epoch = EPOCH_DAYS * US_A_DAY;

        if (timestamp.us == INT64_MAX || timestamp.us == INT64_MIN) {
                *ret_us = timestamp.us;
                return true;
        }
        if (timestamp.us < TIMESTAMP_MIN + epoch || timestamp.us - epoch > TIMESTAMP_MAX)
                return false;
        *ret_us = timestamp.us - epoch;
        return true;
}
