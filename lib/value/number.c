/*
 * Whole numbers are written and read digit by digit, floating numbers are read by strtod(). See
 * number.h.
 *
 * strtod() reads the radix character of the program's locale, which is exchanged on the way.
 */
#include "value/number.h"

#include <errno.h>
#include <math.h>
#include <pipit/error.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A text that is read as a float or a double has at most so many bytes. */
enum { NUMBER_LONGEST = 1024 };

size_t
pipit__number_write_uint(uint64_t number, char *out)
{
        char digits[20];
        char *first = digits + sizeof digits;

        do {
                *--first = (char)('0' + number % 10);
                number /= 10;
        } while (number > 0);
        size_t n = (size_t)(digits + sizeof digits - first);
        memcpy(out, first, n);
        out[n] = '\0';
        return n;
}

size_t
pipit__number_write_int(int64_t number, char *out)
{
        if (number >= 0)
                return pipit__number_write_uint((uint64_t)number, out);
        *out = '-';
        return pipit__number_write_uint(-(uint64_t)number, out + 1) + 1;
}

int
pipit__number_read_int(const char *text, size_t length, int64_t min, int64_t max, int64_t *ret)
{
        bool negative = length > 0 && text[0] == '-';
        int64_t number = 0;

        if (length == (negative ? 1 : 0))
                return PIPIT_ETYPE;
        for (size_t i = negative ? 1 : 0; i < length; i++) {
                int digit = text[i] - '0';

                if (digit < 0 || digit > 9)
                        return PIPIT_ETYPE;
                /* The digits add up below zero, where there is one more number than above it. */
                if (number < (INT64_MIN + digit) / 10)
                        return PIPIT_ETYPE;
                number = number * 10 - digit;
        }
        if (!negative && number == INT64_MIN)
                return PIPIT_ETYPE;
        number = negative ? number : -number;
        if (number < min || number > max)
                return PIPIT_ETYPE;
        *ret = number;
        return 0;
}

static size_t
digits_skip(const char *text, size_t length, size_t at)
{
        while (at < length && text[at] >= '0' && text[at] <= '9')
                at++;
        return at;
}

/* Whether text is a decimal number. ret_point is the place of its point, or length if it has none.
 */
static bool
number_check(const char *text, size_t length, size_t *ret_point)
{
        size_t start = length > 0 && (text[0] == '-' || text[0] == '+') ? 1 : 0;
        size_t at = digits_skip(text, length, start);
        size_t n_digits = at - start;

        *ret_point = length;
        if (at < length && text[at] == '.') {
                *ret_point = at++;
                size_t end = digits_skip(text, length, at);
                n_digits += end - at;
                at = end;
        }
        if (n_digits == 0)
                return false;
        if (at == length)
                return true;
        if (text[at] != 'e' && text[at] != 'E')
                return false;
        at++;
        if (at < length && (text[at] == '-' || text[at] == '+'))
                at++;
        return at < length && digits_skip(text, length, at) == length;
}

/* Copies a decimal number into out, spelled as strtod() wants it now. 0 or PIPIT_ETYPE. */
static int
number_localize(const char *text, size_t length, char out[NUMBER_LONGEST])
{
        char probe[PIPIT__NUMBER_SIZE];
        size_t point = 0;

        if (length > NUMBER_LONGEST - sizeof(probe) || !number_check(text, length, &point))
                return PIPIT_ETYPE;
        memcpy(out, text, point);
        if (point == length) {
                out[length] = '\0';
                return 0;
        }
        /* printf() writes "0.5" with the radix character of this moment, which may be several
         * bytes long. */
        int probed = snprintf(probe, sizeof(probe), "%.1f", 0.5);
        size_t n_radix = probed > 2 ? (size_t)probed - 2 : 0;
        memcpy(out + point, probe + 1, n_radix);
        memcpy(out + point + n_radix, text + point + 1, length - point - 1);
        out[length - 1 + n_radix] = '\0';
        return 0;
}

/* Whether text is one of the three numbers that have a name. */
static bool
number_named(const char *text, size_t length, double *ret)
{
        if (length == 3 && memcmp(text, "NaN", 3) == 0)
                *ret = (double)NAN;
        else if (length == 8 && memcmp(text, "Infinity", 8) == 0)
                *ret = (double)INFINITY;
        else if (length == 9 && memcmp(text, "-Infinity", 9) == 0)
                *ret = -(double)INFINITY;
        else
                return false;
        return true;
}

/* Whether strtod() lost the number, which was too large, or so small that nothing was left. */
static bool
number_lost(double number)
{
        return errno == ERANGE && (isinf(number) || number == 0);
}

int
pipit__number_read_float(const char *text, size_t length, float *ret)
{
        char local[NUMBER_LONGEST];
        double named = 0;

        if (number_named(text, length, &named)) {
                *ret = (float)named;
                return 0;
        }
        int r = number_localize(text, length, local);
        if (r != 0)
                return r;
        errno = 0;
        float number = strtof(local, NULL);
        if (number_lost((double)number))
                return PIPIT_ETYPE;
        *ret = number;
        return 0;
}

int
pipit__number_read_double(const char *text, size_t length, double *ret)
{
        char local[NUMBER_LONGEST];

        if (number_named(text, length, ret))
                return 0;
        int r = number_localize(text, length, local);
        if (r != 0)
                return r;
        errno = 0;
        double number = strtod(local, NULL);
        if (number_lost(number))
                return PIPIT_ETYPE;
        *ret = number;
        return 0;
}
