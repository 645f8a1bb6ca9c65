/*
 * The calendar is computed here and not by the C library, whose calendar is bound to the time zone
 * and the range of the platform. See calendar.h.
 *
 * Both directions count in years that begin in March, so that the leap day is the last of its year,
 * and in eras of 400 years, which have 146097 days each.
 */
#include "value/calendar.h"

#include <stdbool.h>

int64_t
pipit__calendar_days(struct civil civil)
{
        int64_t year = civil.month <= 2 ? civil.year - 1 : civil.year;
        int64_t era = (year >= 0 ? year : year - 399) / 400;
        int64_t year_of_era = year - era * 400;
        int64_t month = civil.month > 2 ? civil.month - 3 : civil.month + 9;
        int64_t day_of_year = (153 * month + 2) / 5 + civil.day - 1;
        int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

        return era * 146097 + day_of_era - 719468;
}

struct civil
pipit__calendar_date(int64_t days)
{
        days += 719468;
        int64_t era = (days >= 0 ? days : days - 146096) / 146097;
        int64_t day = days - era * 146097;
        int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
        int64_t day_of_year = day - (365 * year + year / 4 - year / 100);
        int64_t month = (5 * day_of_year + 2) / 153;

        return (struct civil){
                .year = year + era * 400 + (month >= 10 ? 1 : 0),
                .month = (int)(month < 10 ? month + 3 : month - 9),
                .day = (int)(day_of_year - (153 * month + 2) / 5 + 1),
        };
}

int
pipit__calendar_month_days(struct civil civil)
{
        static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        bool leap = civil.year % 4 == 0 && (civil.year % 100 != 0 || civil.year % 400 == 0);

        return civil.month == 2 && leap ? 29 : days[civil.month - 1];
}
