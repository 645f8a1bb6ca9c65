/*
 * One function a family of types. See fits.h.
 */
#include "value/fits.h"

#include <string.h>

#include "value/number.h"
#include "value/oid.h"
#include "value/shortest.h"

/* A name has less bytes than that; the server cuts off the rest. */
enum { NAME_SIZE = 64 };
/* A longer text of a scalar type is taken for one that does not fit. */
enum { SCALAR_SIZE = 64 };

static bool
is_digit(char c)
{
        return c >= '0' && c <= '9';
}

/* Returns how many digits there are at the start. */
static size_t
count_digits(const char *text)
{
        size_t n = 0;

        while (is_digit(text[n]))
                n++;
        return n;
}

/* Returns the bytes of a whole number as the server writes it; 0 if there is none. */
static size_t
whole_length(const char *text)
{
        size_t sign = text[0] == '-' ? 1 : 0;
        size_t n = count_digits(text + sign);

        if (n == 0 || (text[sign] == '0' && n > 1))
                return 0;
        return sign + n;
}

static bool
fits_int(const char *text, size_t length, int64_t min, int64_t max)
{
        int64_t number = 0;

        return whole_length(text) == length && strcmp(text, "-0") != 0 &&
               pipit__number_read_int(text, length, min, max, &number) == 0;
}

/* The server keeps all digits, also those that are zeros at the end. */
static bool
fits_numeric(const char *text, size_t length)
{
        size_t n = whole_length(text);

        if (n == 0)
                return strcmp(text, "NaN") == 0;
        if (n == length)
                return strcmp(text, "-0") != 0;
        size_t fraction = text[n] == '.' ? count_digits(text + n + 1) : 0;
        return fraction > 0 && n + 1 + fraction == length;
}

/* A number that is written as the server would write it; narrow: it is no other one as a float. */
static bool
fits_float(const char *text, size_t length, bool narrow)
{
        char written[PIPIT__NUMBER_SIZE];
        double number = 0;

        if (pipit__number_read_double(text, length, &number) != 0)
                return false;
        if (narrow && number == number && (double)(float)number != number)
                return false;
        return pipit__shortest_double(number, written) == length &&
               memcmp(written, text, length) == 0;
}

/* Whether a text is as a pattern, in which 0 is any digit. */
static bool
matches(const char *text, const char *pattern)
{
        for (; *pattern != '\0'; pattern++, text++) {
                if (*pattern == '0' ? !is_digit(*text) : *text != *pattern)
                        return false;
        }
        return true;
}

static bool
is_infinity(const char *text)
{
        return strcmp(text, "infinity") == 0 || strcmp(text, "-infinity") == 0;
}

static bool
fits_date(const char *text, size_t length)
{
        return (length == strlen("2000-01-01") && matches(text, "0000-00-00")) || is_infinity(text);
}

/* Returns what follows a time of day, of at most six places after the point; NULL if there is none.
 */
static const char *
after_time(const char *text)
{
        if (!matches(text, "00:00:00"))
                return NULL;
        text += strlen("00:00:00");
        if (text[0] != '.')
                return text;
        size_t places = count_digits(text + 1);
        return places > 0 && places <= 6 ? text + 1 + places : NULL;
}

/* Returns what follows a date and a time of day; NULL if there are none. */
static const char *
after_timestamp(const char *text)
{
        if (!matches(text, "0000-00-00") || (text[10] != ' ' && text[10] != 'T'))
                return NULL;
        return after_time(text + strlen("0000-00-00") + 1);
}

static bool
fits_time(const char *text)
{
        const char *rest = after_time(text);

        return rest != NULL && rest[0] == '\0';
}

static bool
fits_timetz(const char *text)
{
        const char *rest = after_time(text);

        return rest != NULL && (rest[0] == '+' || rest[0] == '-');
}

/* A zone is passed over by this type, and counts for the one with a zone. */
static bool
fits_timestamp(const char *text)
{
        const char *rest = after_timestamp(text);

        return (rest != NULL && rest[0] == '\0') || is_infinity(text);
}

/* In any other zone than UTC the same moment has another text without its zone. */
static bool
fits_timestamptz(const char *text)
{
        static const char *const zones[] = {"", "Z", "+00", "+00:00"};
        const char *rest = after_timestamp(text);

        for (size_t i = 0; rest != NULL && i < sizeof zones / sizeof zones[0]; i++) {
                if (strcmp(rest, zones[i]) == 0)
                        return true;
        }
        return is_infinity(text);
}

static bool
fits_uuid(const char *text, size_t length)
{
        static const char pattern[] = "00000000-0000-0000-0000-000000000000";

        for (size_t i = 0; i < length; i++) {
                if (i >= sizeof pattern - 1)
                        return false;
                if (pattern[i] == '-' ? text[i] != '-'
                                      : !is_digit(text[i]) && (text[i] < 'a' || text[i] > 'f'))
                        return false;
        }
        return length == sizeof pattern - 1;
}

/* Whether a text of a type whose texts can be checked is one that the type keeps; it has a NUL
 * behind it. */
static bool
scalar_fits(uint32_t oid, const char *text, size_t length)
{
        switch (oid) {
        case OID_INT2: return fits_int(text, length, INT16_MIN, INT16_MAX);
        case OID_INT4: return fits_int(text, length, INT32_MIN, INT32_MAX);
        case OID_INT8: return fits_int(text, length, INT64_MIN, INT64_MAX);
        case OID_OID: return fits_int(text, length, 0, UINT32_MAX);
        case OID_NUMERIC: return fits_numeric(text, length);
        case OID_FLOAT4: return fits_float(text, length, true);
        case OID_FLOAT8: return fits_float(text, length, false);
        case OID_BOOL: return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
        case OID_DATE: return fits_date(text, length);
        case OID_TIME: return fits_time(text);
        case OID_TIMETZ: return fits_timetz(text);
        case OID_TIMESTAMP: return fits_timestamp(text);
        case OID_TIMESTAMPTZ: return fits_timestamptz(text);
        default: return fits_uuid(text, length);
        }
}

bool
pipit__text_fits(uint32_t oid, const char *text, size_t length)
{
        char copy[SCALAR_SIZE];

        switch (oid) {
        case OID_NAME: return length < NAME_SIZE;
        case OID_CHAR: return length <= 1;
        case OID_BPCHAR: return length == 0 || text[length - 1] != ' ';
        case OID_INT2:
        case OID_INT4:
        case OID_INT8:
        case OID_OID:
        case OID_NUMERIC:
        case OID_FLOAT4:
        case OID_FLOAT8:
        case OID_BOOL:
        case OID_DATE:
        case OID_TIME:
        case OID_TIMETZ:
        case OID_TIMESTAMP:
        case OID_TIMESTAMPTZ:
        case OID_UUID: break;
        default: return true;
        }
        if (length >= sizeof copy)
                return false;
        memcpy(copy, text, length);
        copy[length] = '\0';
        return scalar_fits(oid, copy, length);
}
