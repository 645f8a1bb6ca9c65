/*
 * Days of the proleptic Gregorian calendar.
 */
#ifndef PIPIT_CALENDAR_INTERNAL_H
#define PIPIT_CALENDAR_INTERNAL_H

#include <stdint.h>

/* A date; the year before 1 is 0, the one before that -1. */
struct civil {
        int64_t year;
        int month;
        int day;
};

/* Between dates and days since 1970-01-01. */
int64_t pipit__calendar_days(struct civil civil);
struct civil pipit__calendar_date(int64_t days);

/* How many days the month has. */
int pipit__calendar_month_days(struct civil civil);

#endif
