/*
 * The shortest text is the nearest one of those with the fewest digits that are read back as the
 * same number. See shortest.h.
 *
 * There is one exception, which is the server's: a text exactly in the middle between two numbers
 * is not taken, since reading it back would depend on how the reader rounds. Nothing depends on the
 * locale: digits and exponent are taken out of printf()'s text, and strtod() is given no point.
 */
#include "value/shortest.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "value/number.h"

/* A positive finite number is a mantissa times 2 to the power of an exponent. */
struct binary {
        double number;
        bool single; /* the number is a float */
        uint64_t mantissa;
        int exponent;
};

/* A decimal is its digits times 10 to the power of its exponent. */
struct decimal {
        uint64_t digits;
        int exponent;
};

static struct binary
binary_of(double number, bool single)
{
        int bits = single ? 24 : 53;
        int least = single ? -149 : -1074;
        struct binary binary = {.number = number, .single = single};
        double fraction = frexp(number, &binary.exponent);

        binary.mantissa = (uint64_t)ldexp(fraction, bits);
        binary.exponent -= bits;
        if (binary.exponent < least) {
                binary.mantissa >>= least - binary.exponent;
                binary.exponent = least;
        }
        return binary;
}

/* Returns the nearest decimal of so many digits. */
static struct decimal
decimal_of(double number, int n_digits)
{
        char text[PIPIT__NUMBER_SIZE];
        struct decimal decimal = {0, 0};
        const char *c = text;

        snprintf(text, sizeof(text), "%.*e", n_digits - 1, number);
        for (; *c && *c != 'e'; c++) {
                if (*c >= '0' && *c <= '9')
                        decimal.digits = decimal.digits * 10 + (uint64_t)(*c - '0');
        }
        decimal.exponent = (*c ? (int)strtol(c + 1, NULL, 10) : 0) - (n_digits - 1);
        return decimal;
}

static bool
decimal_reads_as(struct decimal decimal, const struct binary *binary)
{
        char text[PIPIT__NUMBER_SIZE];

        snprintf(text, sizeof(text), "%" PRIu64 "e%d", decimal.digits, decimal.exponent);
        if (binary->single)
                return strtof(text, NULL) == (float)binary->number;
        return strtod(text, NULL) == binary->number;
}

/* Returns number times 5 to that power; 0 if the product has more than 64 bits. */
static uint64_t
times_five(uint64_t number, int power)
{
        for (; power > 0 && number > 0; power--)
                number = number <= UINT64_MAX / 5 ? number * 5 : 0;
        return number;
}

/* Whether a decimal is exactly that odd number times 2 to the power of exponent. */
static bool
decimal_is(struct decimal decimal, uint64_t odd, int exponent)
{
        uint64_t digits = decimal.digits;
        int twos = decimal.exponent;

        for (; digits > 0 && digits % 2 == 0; digits /= 2)
                twos++;
        if (twos != exponent)
                return false;
        if (decimal.exponent >= 0)
                return times_five(digits, decimal.exponent) == odd;
        return times_five(odd, -decimal.exponent) == digits;
}

/*
 * Whether a decimal is exactly in the middle between the number and a neighbour. Below a power of
 * two the neighbour is nearer, but the middle there has never as few digits as are looked for.
 */
static bool
decimal_is_between(struct decimal decimal, const struct binary *binary)
{
        uint64_t twice = 2 * binary->mantissa;

        return decimal_is(decimal, twice + 1, binary->exponent - 1) ||
               decimal_is(decimal, twice - 1, binary->exponent - 1);
}

static struct decimal
decimal_shortest(const struct binary *binary)
{
        int most = binary->single ? 9 : 17;

        for (int n = 1; n < most; n++) {
                struct decimal decimal = decimal_of(binary->number, n);

                /* Above a narrow gap the nearest decimal may be too far, and the next one not. */
                for (int i = 0; i < 2; i++, decimal.digits++) {
                        if (decimal_reads_as(decimal, binary) &&
                            !decimal_is_between(decimal, binary))
                                return decimal;
                }
        }
        return decimal_of(binary->number, most);
}

/* Writes digits with the point behind so many of them, and zeros where there are none. */
static char *
digits_write(char *out, const char *digits, int n_digits, int point)
{
        int first = point < 1 ? point - 1 : 0;

        for (int i = first; i < n_digits || i < point; i++) {
                if (i == point && i > first)
                        *out++ = '.';
                *out++ = i >= 0 && i < n_digits ? digits[i] : '0';
        }
        return out;
}

/* Writes a decimal as the server does: without an exponent, unless that of its first digit is below
 * -4, or limit or above. */
static size_t
decimal_write(struct decimal decimal, int limit, char *out)
{
        char digits[PIPIT__NUMBER_SIZE];
        char *end = out;

        for (; decimal.digits > 0 && decimal.digits % 10 == 0; decimal.digits /= 10)
                decimal.exponent++;
        int n_digits = (int)pipit__number_write_uint(decimal.digits, digits);
        int exponent = decimal.exponent + n_digits - 1;
        if (exponent >= -4 && exponent < limit) {
                end = digits_write(end, digits, n_digits, exponent + 1);
        } else {
                end = digits_write(end, digits, n_digits, 1);
                end += snprintf(end, 8, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
        }
        *end = '\0';
        return (size_t)(end - out);
}

static size_t
number_write(double number, bool single, char *out)
{
        if (isnan(number) || isinf(number))
                return pipit__number_write_double(number, out);
        if (signbit(number)) {
                *out = '-';
                return 1 + number_write(-number, single, out + 1);
        }
        if (number == 0) {
                memcpy(out, "0", 2);
                return 1;
        }
        struct binary binary = binary_of(number, single);
        return decimal_write(decimal_shortest(&binary), single ? 6 : 15, out);
}

size_t
pipit__shortest_float(float number, char *out)
{
        return number_write((double)number, true, out);
}

size_t
pipit__shortest_double(double number, char *out)
{
        return number_write(number, false, out);
}
