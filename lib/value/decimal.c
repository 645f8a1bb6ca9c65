/*
 * A decimal is written and read as an integer, its units, with a point put in or left out. See
 * decimal.h.
 */
#include "value/decimal.h"

#include <pipit/error.h>
#include <stdint.h>
#include <string.h>

#include "value/number.h"

bool
pipit__decimal_is_good(struct pipit_decimal decimal)
{
        return decimal.scale >= 0 && decimal.scale <= PIPIT_SCALE_MAX;
}

size_t
pipit__decimal_write(struct pipit_decimal decimal, char *out)
{
        char digits[PIPIT__NUMBER_SIZE];
        uint64_t size = decimal.units < 0 ? -(uint64_t)decimal.units : (uint64_t)decimal.units;
        size_t n_digits = pipit__number_write_uint(size, digits);
        size_t scale = (size_t)decimal.scale;
        size_t n_zeros = n_digits <= scale ? scale + 1 - n_digits : 0;
        char *end = out;

        if (decimal.units < 0)
                *end++ = '-';
        for (size_t i = 0; i < n_zeros + n_digits; i++) {
                if (scale > 0 && i == n_zeros + n_digits - scale)
                        *end++ = '.';
                *end++ = i < n_zeros ? '0' : digits[i - n_zeros];
        }
        *end = '\0';
        return (size_t)(end - out);
}

/* Appends a digit to units below zero, where there is one more number than above it; false if they
 * overflow. */
static bool
decimal_add_digit(int64_t *units, int digit)
{
        if (*units < (INT64_MIN + digit) / 10)
                return false;
        *units = *units * 10 - digit;
        return true;
}

/* Reads the digits on both sides of the point as one number below zero. Digits behind the scale
 * must be 0. */
static bool
decimal_read_digits(const char *text, const char *end, int scale, int64_t *ret_units)
{
        bool after_point = false;
        int n_digits = 0;
        int left = scale;
        int64_t units = 0;

        for (; text < end; text++) {
                if (*text == '.' && !after_point) {
                        after_point = true;
                        continue;
                }
                if (*text < '0' || *text > '9')
                        return false;
                n_digits++;
                if (after_point && left == 0 && *text != '0')
                        return false;
                if ((!after_point || left > 0) && !decimal_add_digit(&units, *text - '0'))
                        return false;
                if (after_point && left > 0)
                        left--;
        }
        for (; left > 0; left--) {
                if (!decimal_add_digit(&units, 0))
                        return false;
        }
        *ret_units = units;
        return n_digits > 0;
}

int
pipit__decimal_read(const char *text, size_t length, int scale, struct pipit_decimal *ret)
{
        bool negative = length > 0 && text[0] == '-';
        int64_t units = 0;

        if (!decimal_read_digits(text + (negative ? 1 : 0), text + length, scale, &units))
                return PIPIT_ETYPE;
        if (!negative && units == INT64_MIN)
                return PIPIT_ETYPE;
        *ret = (struct pipit_decimal){negative ? units : -units, scale};
        return 0;
}
