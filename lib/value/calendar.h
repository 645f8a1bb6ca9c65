/*
 * The calendar is the proleptic Gregorian one, as the server's.
 *
 * The module owns nothing. timestamp.c and binary_time.c count days by it.
 */
#ifndef PIPIT_CALENDAR_INTERNAL_H
#define PIPIT_CALENDAR_INTERNAL_H

#include <stdint.h>

/* A civil date has a year 0 before the year 1, which is 1 BC, and -1 before that. */
struct civil {
        int64_t year;
        int month; /* from 1 to 12 */
        int day;   /* from 1 on */
};

/* Returns the days from 1970-01-01 to a date. */
int64_t pipit__calendar_days(struct civil civil);
/* Returns the date that is so many days after 1970-01-01. */
struct civil pipit__calendar_date(int64_t days);

/* Returns how many days the month of a date has. */
int pipit__calendar_month_days(struct civil civil);

#endif
