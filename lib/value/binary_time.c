/*
 * Dates and times in binary form. The server counts from 2000-01-01, and the ends of a range are
 * infinity there too.
 */
#include "value/binary_time.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "value/calendar.h"
#include "value/interval.h"

#define US_A_SECOND INT64_C(1000000)
#define US_A_DAY    (INT64_C(86400) * US_A_SECOND)

/* From 1970-01-01 to 2000-01-01. */
#define EPOCH_DAYS INT64_C(10957)

/* What the server's dates and timestamps can be: from 4714-11-24 BC on, in its own count. */
#define DATE_MIN      INT64_C(-2451545)
#define DATE_MAX      INT64_C(2145031948)
#define TIMESTAMP_MIN INT64_C(-211813488000000000)
#define TIMESTAMP_MAX INT64_C(9223371331199999999)

enum { TIME_SIZE = 64, ZONE_LIMIT = 16 * 3600 };

static void
infinity_write(struct buf *out, bool negative)
{
        pipit__buf_add_text(out, negative ? "-infinity" : "infinity");
}

/* A date without its era; whether that is before Christ. */
static bool
date_write(struct buf *out, int64_t days)
{
        char text[TIME_SIZE];
        struct civil civil = pipit__calendar_date(days);
        bool before_christ = civil.year <= 0;

        snprintf(text, sizeof(text), "%04" PRId64 "-%02d-%02d",
                 before_christ ? 1 - civil.year : civil.year, civil.month, civil.day);
        pipit__buf_add_text(out, text);
        return before_christ;
}

/* A time of the day, with as many digits of its fraction as it needs. */
static void
time_write(struct buf *out, int64_t us)
{
        char text[TIME_SIZE];
        int seconds = (int)(us / US_A_SECOND);
        int fraction = (int)(us % US_A_SECOND);
        int n_digits = 6;

        snprintf(text, sizeof(text), "%02d:%02d:%02d", seconds / 3600, seconds / 60 % 60,
                 seconds % 60);
        pipit__buf_add_text(out, text);
        if (fraction == 0)
                return;
        for (; fraction % 10 == 0; fraction /= 10)
                n_digits--;
        snprintf(text, sizeof(text), ".%0*d", n_digits, fraction);
        pipit__buf_add_text(out, text);
}

/* Seconds west of UTC. */
static void
zone_write(struct buf *out, int32_t west)
{
        char text[TIME_SIZE];
        int zone = abs(west);
        int length = snprintf(text, sizeof(text), "%c%02d", west > 0 ? '-' : '+', zone / 3600);

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
                infinity_write(out, days < 0);
        else if (date_write(out, days + EPOCH_DAYS))
                pipit__buf_add_text(out, " BC");
}

/* Midnight has two times: 24:00:00 is the end of the day. */
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
        zone_write(out, west);
}

static void
timestamp_write(struct reader *in, struct buf *out, const char *zone)
{
        int64_t us = reader_i64(in);
        int64_t us_of_day = us % US_A_DAY;
        int64_t days = us / US_A_DAY + EPOCH_DAYS;

        if (us == INT64_MAX || us == INT64_MIN) {
                infinity_write(out, us < 0);
                return;
        }
        if (us_of_day < 0) {
                us_of_day += US_A_DAY;
                days -= 1;
        }
        bool before_christ = date_write(out, days);
        pipit__buf_add_char(out, ' ');
        time_write(out, us_of_day);
        pipit__buf_add_text(out, zone);
        if (before_christ)
                pipit__buf_add_text(out, " BC");
}

void
pipit__binary_write_timestamp(struct reader *in, struct buf *out)
{
        timestamp_write(in, out, "");
}

void
pipit__binary_write_timestamptz(struct reader *in, struct buf *out)
{
        timestamp_write(in, out, "+00");
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
        if (timestamp.us % US_A_DAY < 0)
                days -= 1;
        if (days < DATE_MIN || days > DATE_MAX)
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
